"""What audience has of a person: the user's endpoints, and nobody's at the same addresses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from audience.persons import hashes
from audience.persons.erased import Address

_OF_USER: Final = """
SELECT endpoint, channel_type, address, user_id FROM endpoint
WHERE application = $1 AND user_id <> '' AND user_id = $2
"""
# Without an index, as addresses of inactive endpoints have none: a second for a million endpoints.
_AT_ADDRESSES: Final = """
SELECT endpoint, channel_type, address, user_id FROM endpoint
WHERE application = $1 AND address = ANY($2::text[]) AND user_id <> $3
"""
# Those that were found, as they are now, and whoever has taken an address meanwhile.
_AGAIN: Final = """
SELECT endpoint, channel_type, address, user_id FROM endpoint
WHERE application = $1 AND endpoint = ANY($4::text[])
    AND address = ANY($2::text[]) AND user_id <> $3
UNION
SELECT endpoint, channel_type, address, user_id FROM endpoint
WHERE application = $1 AND status = 1 AND channel_type = ANY($5::smallint[])
    AND hashtextextended(address::text, 0) = ANY(ARRAY(
        SELECT hashtextextended(held, 0) FROM unnest($2::text[]) AS held))
    AND address = ANY($2::text[]) AND user_id <> $3
"""


class Held(NamedTuple):
    """An endpoint, as far as it says whose it is."""

    endpoint: str
    channel_type: int
    address: str
    user_id: str

    @property
    def key(self) -> Address:
        """Its address, on all channels that share it."""
        return hashes.family(self.channel_type), self.address


@dataclass(frozen=True)
class Person:
    """Somebody who is to be erased. `held` are addresses that no other user's endpoint has."""

    user_id: str
    endpoints: Sequence[str]
    held: frozenset[Address]


async def endpoints_of(connection: Any, application: str, user_id: str) -> list[Held]:
    """The user's endpoints."""
    return [Held(*row) for row in await connection.fetch(_OF_USER, application, user_id)]


async def others(
    connection: Any, application: str, user_id: str, own: Iterable[Held]
) -> list[Held]:
    """Endpoints at the same addresses that are not the user's."""
    found = sorted({one.address for one in own})
    if not found:
        return []
    rows = await connection.fetch(_AT_ADDRESSES, application, found, user_id)
    return [Held(*row) for row in rows]


async def others_again(
    connection: Any, application: str, user_id: str, own: Sequence[Held], known: Sequence[Held]
) -> list[Held]:
    """The same under the application's lock, once most of them are known."""
    if not {one.address for one in own} <= {one.address for one in known}:
        return await others(connection, application, user_id, own)
    addresses = sorted({one.address for one in own})
    kinds = sorted(_related(own))
    endpoints = [one.endpoint for one in known]
    rows = await connection.fetch(_AGAIN, application, addresses, user_id, endpoints, kinds)
    return [Held(*row) for row in rows]


def person(user_id: str, own: Sequence[Held], found: Iterable[Held]) -> Person:
    """Who is erased. An address that another user's endpoint has stays that user's. Pure."""
    mine = {one.key for one in own}
    at_mine = [one for one in found if one.key in mine]
    held = mine - {one.key for one in at_mine if one.user_id}
    endpoints = [one.endpoint for one in own]
    endpoints += [one.endpoint for one in at_mine if not one.user_id and one.key in held]
    return Person(user_id, sorted(endpoints), frozenset(held))


def _related(own: Iterable[Held]) -> set[int]:
    """Every channel type that shares addresses with those of the endpoints."""
    return {number for one in own for number in hashes.relatives(one.channel_type)}
