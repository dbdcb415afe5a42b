"""What audience has of a person: the user's endpoints, and nobody's at the same addresses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from heliograph.audience.v1 import endpoint_pb2 as pb

from audience.persons import hashes
from audience.persons.hashes import Address

_OF_USER: Final = """
SELECT endpoint, channel_type, address, user_id FROM endpoint
WHERE application = $1 AND user_id <> '' AND user_id = $2
"""
_AT_ADDRESSES: Final = """
SELECT endpoint, channel_type, address, user_id FROM endpoint
WHERE application = $1 AND status = {status} AND channel_type = ANY($2::smallint[])
    AND hashtextextended(address::text, 0) = ANY(ARRAY(
        SELECT hashtextextended(held, 0) FROM unnest($3::text[]) AS held))
    AND user_id <> $4
"""
# Each half has an index of its own.
_OTHERS: Final = " UNION ALL ".join(
    _AT_ADDRESSES.format(status=status) for status in (pb.Endpoint.ACTIVE, pb.Endpoint.INACTIVE)
)


class Held(NamedTuple):
    """An endpoint, as far as it says whose it is."""

    endpoint: str
    channel_type: int
    address: str
    user_id: str

    @property
    def key(self) -> Address:
        """Its address, on all channels that share it."""
        return hashes.address_of(self.channel_type, self.address)


@dataclass(frozen=True)
class Person:
    """Somebody who is to be erased. `held` are addresses that no other user's endpoint has, and
    `addresses` the same as they are stored."""

    user_id: str
    endpoints: Sequence[str]
    held: frozenset[Address]
    addresses: Sequence[str]


async def endpoints_of(connection: Any, application: str, user_id: str) -> list[Held]:
    """The user's endpoints."""
    return [Held(*row) for row in await connection.fetch(_OF_USER, application, user_id)]


async def others(
    connection: Any, application: str, user_id: str, own: Sequence[Held]
) -> list[Held]:
    """Endpoints at the same addresses that are not the user's, whoever's they are."""
    if not own:
        return []
    kinds = sorted({kind for one in own for kind in hashes.relatives(one.channel_type)})
    addresses = sorted({one.address for one in own})
    rows = await connection.fetch(_OTHERS, application, kinds, addresses, user_id)
    return [Held(*row) for row in rows]


def person(user_id: str, own: Sequence[Held], found: Iterable[Held]) -> Person:
    """Who is erased. An address that another user's endpoint has stays that user's. Pure."""
    mine = {one.key for one in own}
    at_mine = [one for one in found if one.key in mine]
    held = mine - {one.key for one in at_mine if one.user_id}
    endpoints = [one.endpoint for one in own]
    endpoints += [one.endpoint for one in at_mine if not one.user_id and one.key in held]
    addresses = {one.address for one in own if one.key in held}
    return Person(user_id, sorted(endpoints), frozenset(held), sorted(addresses))
