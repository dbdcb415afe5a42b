"""How many endpoints a user may have, and which one goes when it would get one more.

Pure; `households` reads what is needed here. Whoever has more endpoints than a limit that was
lowered keeps them, and gets no further one without losing one.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from heliograph.audience.v1 import channel_type_pb2
from heliograph.audience.v1.application_pb2 import ApplicationSettings
from mesh.errors import Error, FailedPrecondition, Violation

from audience.applications.settings import EndpointLimit
from audience.endpoints.patches import Patch
from audience.endpoints.states import State

PUSH: Final = frozenset(
    number for name, number in channel_type_pb2.ChannelType.items() if name.startswith("PUSH_")
)
"""Channels whose endpoints are replaced under `EVICT_PUSH_REFUSE_OTHERS`."""

REASON: Final = "USER_ENDPOINTS_TOO_MANY"


class Member(NamedTuple):
    """An endpoint of a user; the least is the least recently written one."""

    update_time: datetime
    order: int
    endpoint: str
    channel_type: int


class Household(NamedTuple):
    """A user's endpoints: how many there are, and by id the least recent of those that may go."""

    size: int
    members: dict[str, Member]


class UserLimits:
    """The users that a write may bring beyond the limit; no others are looked at."""

    def __init__(
        self, limit: EndpointLimit | None = None, households: dict[str, Household] | None = None
    ) -> None:
        self._limit = limit
        self._counts = {user: one.size for user, one in (households or {}).items()}
        self._members = {user: one.members for user, one in (households or {}).items()}
        self._order = 0

    def __bool__(self) -> bool:
        return bool(self._counts)

    def displaced(self, before: State | None, state: State) -> str:
        """The endpoint that must leave the user for `state`; empty for none. Raises to refuse."""
        user_id = state.user_id
        if user_id not in self._counts or (before is not None and before.user_id == user_id):
            return ""
        limit = self._limit
        if limit is None or self._counts[user_id] < limit.endpoints_max:
            return ""
        oldest = min(self._candidates(limit.policy, state), default=None)
        if oldest is None:
            raise _refused(user_id, limit.endpoints_max)
        return oldest.endpoint

    def _candidates(self, policy: int, state: State) -> list[Member]:
        """Which of a user's endpoints may go for `state`."""
        members = list(self._members[state.user_id].values())
        if policy == ApplicationSettings.REFUSE:
            return []
        if policy != ApplicationSettings.EVICT_PUSH_REFUSE_OTHERS:
            return members
        if state.channel_type not in PUSH:
            return []
        return [one for one in members if one.channel_type in PUSH]

    def left(self, user_id: str, endpoint: str) -> None:
        """An endpoint belongs to the user no more."""
        if user_id in self._counts:
            self._counts[user_id] -= 1
            self._members[user_id].pop(endpoint, None)

    def wrote(self, before: State | None, state: State) -> None:
        """An endpoint was written, and is the most recent of its user now."""
        former = before.user_id if before else ""
        if former != state.user_id:
            self.left(former, state.endpoint)
        if state.user_id in self._counts:
            self._counts[state.user_id] += former != state.user_id
            self._order += 1
            self._members[state.user_id][state.endpoint] = Member(
                state.update_time, self._order, state.endpoint, state.channel_type
            )


def gains(patches: Iterable[Patch], states: dict[str, State]) -> dict[str, int]:
    """How many endpoints each user may get by these writes, at most."""
    found: dict[str, int] = {}
    users: dict[str, str] = {}
    for patch in patches:
        user_id, endpoint = patch.user_id, patch.endpoint
        if user_id is None:
            continue
        former = users.get(endpoint)
        if former is None:
            former = states[endpoint].user_id if endpoint in states else ""
        if user_id and user_id != former:
            found[user_id] = found.get(user_id, 0) + 1
        users[endpoint] = user_id
    return found


def _refused(user_id: str, endpoints_max: int) -> Error:
    description = f"user {user_id} has {endpoints_max} endpoints, as many as it may have"
    return FailedPrecondition(
        REASON,
        f"user.user_id: {description}",
        violations=[Violation("user.user_id", description, REASON)],
        user=user_id,
        endpoints_max=str(endpoints_max),
    )
