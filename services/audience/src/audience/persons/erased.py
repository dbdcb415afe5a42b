"""Who was erased, asked by whatever writes endpoints: such a write is refused, by itself.

An application without erased people is asked one short question a set; one that has some, one more.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
from mesh.errors import Error, FailedPrecondition, Violation

from audience.endpoints import addresses
from audience.endpoints.patches import Patch
from audience.endpoints.states import State
from audience.persons import hashes
from audience.persons.hashes import Address

REASON: Final = "PERSON_ERASED"
USER: Final = 1
ADDRESS: Final = 2
"""What a hash is of."""

_ANY: Final = "SELECT EXISTS (SELECT FROM erased_person WHERE application = $1)"
_FOUND: Final = """
SELECT hash FROM erased_person WHERE application = $1 AND hash = ANY($2::bytea[])
"""
_REMEMBER: Final = """
INSERT INTO erased_person (application, hash, kind, erase_time)
SELECT $1, h.hash, h.kind, $4 FROM unnest($2::bytea[], $3::smallint[]) AS h (hash, kind)
ON CONFLICT DO NOTHING
"""
_FORGET: Final = "DELETE FROM erased_person WHERE application = $1 AND hash = ANY($2::bytea[])"


class Erased:
    """Those of the people that a write is about who were erased; mostly nobody."""

    def __init__(
        self, users: frozenset[str] = frozenset(), held: frozenset[Address] = frozenset()
    ) -> None:
        self._users = users
        self._addresses = held

    def __bool__(self) -> bool:
        return bool(self._users or self._addresses)

    def has_user(self, user_id: str) -> bool:
        """Whether a user of this id was erased."""
        return user_id in self._users

    def check(self, state: State, patch: Patch) -> None:
        """Refuse an endpoint that would bring an erased person back unasked."""
        if patch.readmits:
            return
        if hashes.address_of(state.channel_type, state.address) in self._addresses:
            raise refusal("address")
        if state.user_id in self._users:
            raise refusal("user.user_id")


NOBODY: Final = Erased()


async def read(
    connection: "asyncpg.Connection[Any]",
    application: str,
    patches: Sequence[Patch],
    states: dict[str, State],
) -> Erased:
    """Who of these writes was erased."""
    if not await _any(connection, application):
        return NOBODY
    users = {patch.user_id for patch in patches if patch.user_id}
    held = _addresses(patches, states)
    found = await _found(
        connection,
        application,
        [hash_ for user in users for hash_ in hashes.of_user(application, user)]
        + [hash_ for one in held for hash_ in hashes.of_address(application, one)],
    )
    return Erased(
        frozenset(u for u in users if not found.isdisjoint(hashes.of_user(application, u))),
        frozenset(a for a in held if not found.isdisjoint(hashes.of_address(application, a))),
    )


async def refuse_user(
    connection: "asyncpg.Connection[Any]", application: str, user_id: str
) -> None:
    """Refuse to write a user who was erased."""
    if await _any(connection, application):
        own = hashes.of_user(application, user_id)
        if await _found(connection, application, own):
            raise refusal("user.name")


async def readmit(
    connection: "asyncpg.Connection[Any]",
    application: str,
    patches: Sequence[Patch],
    outcomes: Sequence[State | Error],
) -> None:
    """Forget that those were erased whom a write has let in again."""
    found: list[bytes] = []
    for patch, outcome in zip(patches, outcomes, strict=True):
        if patch.readmits and not isinstance(outcome, Error):
            own = hashes.address_of(outcome.channel_type, outcome.address)
            found += hashes.of_address(application, own)
            found += hashes.of_user(application, outcome.user_id) if outcome.user_id else []
    if found:
        await connection.execute(_FORGET, application, found)


async def readmit_users(
    connection: "asyncpg.Connection[Any]", application: str, user_ids: Iterable[str]
) -> None:
    """Forget that users were erased."""
    found = [hash_ for user_id in user_ids for hash_ in hashes.of_user(application, user_id)]
    if found:
        await connection.execute(_FORGET, application, found)


async def remember(
    connection: "asyncpg.Connection[Any]",
    application: str,
    user_id: str,
    held: Iterable[Address],
    now: datetime,
) -> None:
    """Leave hashes of a person, by the first key."""
    found = [(hashes.of_user(application, user_id)[0], USER)]
    found += [(hashes.of_address(application, one)[0], ADDRESS) for one in sorted(held)]
    values, kinds = zip(*found, strict=True)
    await connection.execute(_REMEMBER, application, list(values), list(kinds), now)


async def forget(
    connection: "asyncpg.Connection[Any]", application: str, user_id: str, held: Iterable[Address]
) -> None:
    """Leave no hash of a person."""
    found = hashes.of_user(application, user_id)
    for one in held:
        found += hashes.of_address(application, one)
    await connection.execute(_FORGET, application, found)


def refusal(field: str) -> Error:
    """Says nothing of the person, who is not to be written down again."""
    description = "it is of a person who was erased; readmit_erased lets in who asks for it"
    violations = [Violation(field, description, REASON)]
    return FailedPrecondition(REASON, f"{field}: {description}", violations=violations, field=field)


def missing_key() -> Error:
    """Without the key nobody can be told from those who were erased."""
    message = "the service has no HELIOGRAPH_ERASURE_KEY, by which erased people are known"
    return FailedPrecondition("ERASURE_KEY_MISSING", message)


async def _any(connection: "asyncpg.Connection[Any]", application: str) -> bool:
    found = await connection.fetchval(_ANY, application)
    if found and not hashes.has_key():
        raise missing_key()
    return bool(found)


async def _found(
    connection: "asyncpg.Connection[Any]", application: str, asked: list[bytes]
) -> set[bytes]:
    rows = await connection.fetch(_FOUND, application, asked) if asked else []
    return {row[0] for row in rows}


def _addresses(patches: Sequence[Patch], states: dict[str, State]) -> set[Address]:
    """Every address that the writes may leave behind, whichever of them are refused."""
    kinds: dict[str, set[int]] = {}
    for patch in patches:
        if patch.channel_type:
            kinds.setdefault(patch.endpoint, set()).add(patch.channel_type)
    found: set[Address] = set()
    for patch in patches:
        state = states.get(patch.endpoint)
        stored = {state.channel_type} if state else set()
        for channel_type in kinds.get(patch.endpoint, set()) | stored:
            for address in {patch.address, state.address if state else None}:
                found |= _canonical(channel_type, address)
    return found


def _canonical(channel_type: int, address: str | None) -> set[Address]:
    if not address:
        return set()
    try:
        stored = addresses.canonical(channel_type, address)
        return {hashes.address_of(channel_type, stored)}
    except Error:
        return set()  # it is refused anyway
