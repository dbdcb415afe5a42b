"""Many writes merged in memory, in order, into the rows that have to be stored. No I/O.

An address belongs to one active endpoint of a channel: whoever is written last has it, and the
endpoint that had it becomes INACTIVE (Pinpoint `EndpointStatus`). A user that gets more endpoints
than it may have loses the least recently written one, which becomes INACTIVE too, or the write is
refused.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from heliograph.audience.v1 import endpoint_pb2 as pb
from mesh.errors import Error
from msgspec import structs

from audience.endpoints import merging, records
from audience.endpoints.patches import Patch
from audience.endpoints.records import Record
from audience.endpoints.states import State
from audience.endpoints.user_limits import UserLimits
from audience.persons.erased import NOBODY, Erased
from audience.users import profiles
from audience.users.profiles import Profile

Key: TypeAlias = tuple[int, str]


class Claim(NamedTuple):
    """An address that changed hands; the channel type as its number."""

    endpoint: str
    former: str
    channel_type: Any


class Eviction(NamedTuple):
    """An endpoint that a user lost for a newer one."""

    endpoint: str
    user_id: str
    newer: str


class Batch:
    """Writes to one application. `states` and `users` are what was stored, by id.

    `limits` knows the users that may get too many endpoints here, `erased` the people who must not
    come back unasked.
    """

    def __init__(
        self,
        application: str,
        now: datetime,
        states: dict[str, State],
        users: dict[str, Profile],
        limits: UserLimits | None = None,
        erased: Erased = NOBODY,
    ) -> None:
        self.claims: list[Claim] = []
        self.evictions: list[Eviction] = []
        self.unread: list[str] = []
        """Evicted endpoints that are stored and in none of the rows of this batch."""
        self.written: dict[str, State] = {}
        self._application = application
        self._now = now
        self._stored = states
        self._stored_users = frozenset(users)
        self._users = dict(users)
        self._user_records: dict[str, Record] = {}
        self._records: dict[str, Record] = {}
        self._holders: dict[Key, str] = {}
        self._limits = limits or UserLimits()
        self._erased = erased
        self._evicted_holders: list[State] = []

    def apply(self, patch: Patch) -> State | Error:
        """Merge one write: the endpoint after it, or why it is refused and leaves no trace."""
        before = self.written.get(patch.endpoint) or self._stored.get(patch.endpoint)
        try:
            state = merging.merge(before, patch, self._now)
            self._erased.check(state, patch)
            displaced = self._limits.displaced(before, state)
            profile = self._profile(state, patch)
            user_record = profile and profiles.record(self._application, profile)
            record = records.record(self._application, state)
        except Error as error:
            return error
        if displaced:
            self._evict(displaced, state)
        self._limits.wrote(before, state)
        self.written[state.endpoint] = state
        self._records[state.endpoint] = record
        if profile and user_record:
            self._users[profile.user_id] = profile
            self._user_records[profile.user_id] = user_record
        if state.status == pb.Endpoint.ACTIVE:
            self._claim(state)
        return state

    def records(self) -> Iterator[tuple[bool, Record]]:
        """Every row to be stored, and whether it is new."""
        for endpoint, record in self._records.items():
            yield endpoint not in self._stored, record

    @property
    def created_count(self) -> int:
        """How many of those rows are new."""
        return len(self._records.keys() - self._stored.keys())

    def user_records(self) -> Iterator[tuple[bool, Record]]:
        """Every row of a user to be stored, and whether it is new."""
        for user_id, record in self._user_records.items():
            yield user_id not in self._stored_users, record

    def active(self) -> list[State]:
        """The endpoints that hold their addresses when the batch is stored.

        Before them those that took one and were evicted later: who had it has lost it all the same.
        """
        active = [state for state in self.written.values() if state.status == pb.Endpoint.ACTIVE]
        return [*self._evicted_holders, *active]

    def user_of(self, state: State) -> Profile | None:
        """The user of an endpoint, as far as it was read or written here."""
        return self._users.get(state.user_id)

    def opt_outs(self) -> list[State]:
        """Endpoints that were there before and now refuse other messages than then."""
        return [
            state
            for endpoint, before in self._stored.items()
            if (state := self.written.get(endpoint)) is not None
            and (before.opt_out, before.refused_topics) != (state.opt_out, state.refused_topics)
        ]

    def _profile(self, state: State, patch: Patch) -> Profile | None:
        replaced = "user_attributes" in patch.replaced
        if not state.user_id or not (patch.user_attributes or replaced):
            return None
        supplied = patch.user_attributes or {}
        before = self.user_of(state)
        return profiles.merge(before, state.user_id, supplied, self._now, replaced=replaced)

    def _evict(self, endpoint: str, newer: State) -> None:
        self._limits.left(newer.user_id, endpoint)
        self.evictions.append(Eviction(endpoint, newer.user_id, newer.endpoint))
        if endpoint in self.written:
            loser = self.written[endpoint]
            if loser.status == pb.Endpoint.ACTIVE:
                self._evicted_holders.append(structs.replace(loser))
            loser.status, loser.user_id = pb.Endpoint.INACTIVE, ""
        elif endpoint in self._stored:
            loser = structs.replace(
                self._stored[endpoint],
                status=pb.Endpoint.INACTIVE,
                user_id="",
                update_time=self._now,
                revision=self._stored[endpoint].revision + 1,
            )
            self.written[endpoint] = loser
        else:
            self.unread.append(endpoint)
            return
        self._records[endpoint] = records.record(self._application, loser)

    def _claim(self, state: State) -> None:
        key = (state.channel_type, state.address)
        former = self._holders.get(key, state.endpoint)
        self._holders[key] = state.endpoint
        if former == state.endpoint:
            return
        loser = self.written[former]
        if (loser.channel_type, loser.address) == key and loser.status == pb.Endpoint.ACTIVE:
            loser.status = pb.Endpoint.INACTIVE
            self._records[former] = records.record(self._application, loser)
            self.claims.append(Claim(state.endpoint, former, state.channel_type))
