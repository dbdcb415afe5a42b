"""What SelectOriginationIdentity asks, made the question that selection answers."""

from heliograph.twoway.v1 import origination_pb2
from heliograph.twoway.v1 import pool_service_pb2 as pb
from mesh.errors import FailedPrecondition
from mesh.errors.refusals import invalid
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, names
from twoway.originations import candidates, selection
from twoway.originations.selection import Wanted
from twoway.phone_numbers import numbers
from twoway.pools import store as pools

Capability, MessageType = origination_pb2.Capability, origination_pb2.MessageType


async def choose(
    session: AsyncSession, request: pb.SelectOriginationIdentityRequest
) -> pb.SelectOriginationIdentityResponse:
    """The identity for a message; NO_ORIGINATION_IDENTITY, which says why, when none fits."""
    application = names.application_of(request.parent)
    wanted = _wanted(request)
    pool = ""
    if request.pool:
        names.same_application(application, request.pool, "pool")
        pool = (await pools.get(session, request.pool, "pool")).pool
    found = await candidates.load(session, application, pool, wanted.country_code)
    choice = selection.select(found, wanted)
    if choice.candidate is None:
        raise FailedPrecondition(
            "NO_ORIGINATION_IDENTITY",
            f"nothing can carry the message to {wanted.destination}: {choice.explanation}",
            destination_address=wanted.destination,
        )
    return pb.SelectOriginationIdentityResponse(
        origination_identity=choice.candidate.name, explanation=choice.explanation
    )


def _wanted(request: pb.SelectOriginationIdentityRequest) -> Wanted:
    destination = _e164(request.destination_address)
    return Wanted(
        destination=destination,
        country_code=numbers.country_of(destination),
        capability=Capability.Name(request.capability or origination_pb2.SMS),
        message_type=MessageType.Name(request.message_type) if request.message_type else "",
        two_way=request.two_way,
    )


def _e164(address: str) -> str:
    """A number that a country can be read from, or PHONE_NUMBER_INVALID."""
    number, field = addresses.canonical(address), "destination_address"
    if not number.startswith("+"):
        description = f"{address!r} is not an E.164 number"
        raise invalid("PHONE_NUMBER_INVALID", field, description, phone_number=address)
    numbers.check_number(number, field)
    return number
