"""Numbers put on a list and taken off it by callers, recorded with who called and why."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import InvalidArgument, NotFound
from mesh.errors.refusals import invalid, shown
from mesh.rpc import auth, status
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, clock, locks, names
from twoway.consent import render, store, writing
from twoway.consent.changes import API, Cause, Changes
from twoway.tables import OptedOutNumber

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")


async def get(session: AsyncSession, name: str) -> OptedOutNumber:
    """The number of that name on its list, or NOT_FOUND."""
    application, opt_out_list, number = names.opted_out_number_key(name)
    canonical = addresses.canonical(number)
    found = await store.numbers(session, application, opt_out_list, [canonical])
    if canonical not in found:
        raise NotFound(
            "OPTED_OUT_NUMBER_NOT_FOUND", f"{name} does not exist", opted_out_number=name
        )
    return found[canonical]


async def put(
    session: AsyncSession, parent: str, wanted: Sequence[str], comment: str
) -> dict[str, OptedOutNumber]:
    """The numbers, all on the list now; who was on it already stays as they are."""
    application, opt_out_list = names.opt_out_list_key(parent, "parent")
    await locks.hold(session, application)
    await store.get_list(session, parent)
    present: dict[str, OptedOutNumber] = {
        **await store.numbers(session, application, opt_out_list, wanted)
    }
    changes = Changes(application)
    for number in dict.fromkeys(wanted):
        if number not in present:
            person = (opt_out_list, number)
            present[number] = changes.opt_out(person, _called(comment), confirmed=False)
    await writing.write(session, changes)
    return present


async def put_one(session: AsyncSession, parent: str, given: str, comment: str) -> OptedOutNumber:
    """The number, on the list now; refuses what is none."""
    number = addresses.canonical(given)
    if not _NUMBER.fullmatch(number):
        raise _invalid(given, "phone_number")
    return (await put(session, parent, [number], comment))[number]


async def put_each(
    session: AsyncSession, parent: str, wanted: Sequence[str], comment: str
) -> list[pb.BatchPutOptedOutNumbersResponse.Result]:
    """A result for each number: the row, or why it is refused."""
    canonical = [addresses.canonical(number) for number in wanted]
    valid = [number for number in canonical if _NUMBER.fullmatch(number)]
    rows = await put(session, parent, valid, comment)
    kind = pb.BatchPutOptedOutNumbersResponse.Result
    return [
        kind(opted_out_number=render.opted_out_number(rows[known]))
        if known in rows
        else kind(error=status.from_error(_invalid(given, f"phone_numbers[{position}]")))
        for position, (given, known) in enumerate(zip(wanted, canonical, strict=True))
    ]


async def take_off(session: AsyncSession, name: str, comment: str) -> None:
    """Opt a number in again; NOT_FOUND when it is not on the list."""
    await locks.hold(session, names.application_in(name))
    row = await get(session, name)
    changes = Changes(row.application)
    cause = _called(comment)
    # Whoever compares the two by their times must find this one later, whatever the clocks say.
    later = max(cause.time, row.opt_out_time + timedelta(microseconds=1))
    changes.opt_in((row.opt_out_list, row.phone_number), replace(cause, time=later))
    await writing.write(session, changes)


def _called(comment: str) -> Cause:
    return Cause(API, clock.now(), caller=auth.caller().subject, comment=comment)


def _invalid(number: str, field: str) -> InvalidArgument:
    description = f"{shown(number)} is neither an E.164 number nor a short code"
    return invalid("PHONE_NUMBER_INVALID", field, description, phone_number=number)
