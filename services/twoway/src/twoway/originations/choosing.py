"""What SelectOriginationIdentity asks, made the question that selection answers."""

from heliograph.twoway.v1 import origination_pb2
from heliograph.twoway.v1 import pool_service_pb2 as pb
from mesh.errors import FailedPrecondition, InvalidArgument
from mesh.errors.refusals import invalid
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, names
from twoway.originations import candidates, selection
from twoway.originations.selection import Candidate, Wanted
from twoway.phone_numbers import numbers
from twoway.pools import store as pools

Selection = pb.BatchSelectOriginationIdentitiesResponse.Selection
Capability, MessageType = origination_pb2.Capability, origination_pb2.MessageType


async def choose(
    session: AsyncSession, request: pb.SelectOriginationIdentityRequest
) -> pb.SelectOriginationIdentityResponse:
    """The identity for a message; NO_ORIGINATION_IDENTITY, which says why, when none fits."""
    application = names.application_of(request.parent)
    wanted = _wanted(request, request.destination_address)
    pool = await _pool(session, application, request.pool)
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


async def choose_each(
    session: AsyncSession, request: pb.BatchSelectOriginationIdentitiesRequest
) -> pb.BatchSelectOriginationIdentitiesResponse:
    """What is chosen for each destination; the candidates are read once for each country."""
    application = names.application_of(request.parent)
    pool = await _pool(session, application, request.pool)
    known: dict[str, list[Candidate]] = {}
    chosen: list[Selection] = []
    for address in request.destination_addresses:
        try:
            wanted = _wanted(request, address)
        except InvalidArgument as error:
            chosen.append(Selection(explanation=error.message))
            continue
        country = wanted.country_code
        if country not in known:
            known[country] = await candidates.load(session, application, pool, country)
        choice = selection.select(known[country], wanted)
        name = choice.candidate.name if choice.candidate else ""
        chosen.append(Selection(origination_identity=name, explanation=choice.explanation))
    most = max(map(len, known.values()), default=0)
    return pb.BatchSelectOriginationIdentitiesResponse(selections=chosen, candidate_count=most)


async def _pool(session: AsyncSession, application: str, name: str) -> str:
    """The id of a pool that is there; empty when none is named."""
    if not name:
        return ""
    names.same_application(application, name, "pool")
    return (await pools.get(session, name, "pool")).pool


def _wanted(
    request: pb.SelectOriginationIdentityRequest | pb.BatchSelectOriginationIdentitiesRequest,
    address: str,
) -> Wanted:
    destination = _e164(address)
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
