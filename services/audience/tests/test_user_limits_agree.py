"""Users have the endpoints that a plain model gives them, after random writes of every size."""

from datetime import timedelta
from typing import Any, NamedTuple

import asyncpg
import audience_samples as samples
from audience.endpoints import writing
from audience.endpoints.patches import Patch
from audience.endpoints.prepared import Prepared
from heliograph.audience.v1 import endpoint_pb2
from heliograph.audience.v1.application_pb2 import ApplicationSettings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mesh.errors import Error

ACTIVE, INACTIVE = endpoint_pb2.Endpoint.ACTIVE, endpoint_pb2.Endpoint.INACTIVE
SMS, FCM, APNS = 1, 3, 4
Settings = ApplicationSettings


class Write(NamedTuple):
    endpoint: str
    user_id: str | None
    channel_type: int
    inactive: bool


writes = st.builds(
    Write,
    endpoint=st.sampled_from([f"e{index}" for index in range(7)]),
    user_id=st.sampled_from(["u1", "u1", "u1", "u2", "", None]),
    channel_type=st.sampled_from([SMS, FCM, APNS]),
    inactive=st.booleans(),
)
batches = st.lists(st.tuples(st.booleans(), st.lists(writes, min_size=1, max_size=8)), max_size=6)
policies = st.sampled_from(
    [Settings.EVICT_LEAST_RECENT, Settings.REFUSE, Settings.EVICT_PUSH_REFUSE_OTHERS]
)


class Model:
    """One write after the other, in plain Python: endpoint to user, channel, status and age.

    What was written at the same moment is told apart by its order, and once that is stored by id.
    """

    def __init__(self, most: int, policy: int) -> None:
        self.most, self.policy = most, policy
        self.round = self.clock = 0
        self.rows: dict[str, list[Any]] = {}
        self.evicted: list[tuple[str, str, str]] = []

    def write(self, one: Write) -> bool:
        """False when it is refused."""
        self.clock += 1
        before = self.rows.get(one.endpoint, ["", 0, 0, 0])
        user = before[0] if one.user_id is None else one.user_id
        if user and user != before[0] and not self._room(user, one):
            return False
        self.rows[one.endpoint] = [
            *(user, one.channel_type, INACTIVE if one.inactive else ACTIVE),
            (self.round, self.clock),
        ]
        return True

    def _room(self, user: str, one: Write) -> bool:
        mine = [key for key, row in self.rows.items() if row[0] == user]
        if len(mine) < self.most:
            return True
        if self.policy == Settings.EVICT_PUSH_REFUSE_OTHERS:
            mine = [key for key in mine if self.rows[key][1] in (FCM, APNS)]
            mine = mine if one.channel_type in (FCM, APNS) else []
        if not mine or self.policy == Settings.REFUSE:
            return False
        oldest = min(mine, key=self._age)
        self.rows[oldest][0], self.rows[oldest][2] = "", INACTIVE
        self.evicted.append((oldest, user, one.endpoint))
        return True

    def _age(self, key: str) -> tuple[int, int, str]:
        written, order = self.rows[key][3]
        return written, order if written == self.round else 0, key


def patch(one: Write) -> Patch:
    return Patch(
        endpoint=one.endpoint,
        channel_type=one.channel_type,
        address=f"+1415555010{one.endpoint[1:]}",
        user_id=one.user_id,
        status=INACTIVE if one.inactive else ACTIVE,
    )


async def written(
    connection: "asyncpg.Connection[Any]", patches: list[Patch], now: Any, *, many: bool
) -> tuple[list[bool], list[tuple[str, str, str]]]:
    if many:
        prepared = Prepared("shop", patches, now)
        prepared.is_new = True  # often a wrong guess
        batch, outcomes = await writing.write_many(connection, prepared)
    else:
        batch, outcomes = await writing.write_few(connection, "shop", patches, now)
    evicted = [(one.endpoint, one.user_id, one.newer) for one in batch.evictions]
    return [not isinstance(one, Error) for one in outcomes], evicted


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=batches, most=st.integers(1, 3), policy=policies)
async def test_users_have_what_a_plain_model_gives_them(
    rounds: list[tuple[bool, list[Write]]],
    most: int,
    policy: Any,
    reading: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    model = Model(most, policy)
    limit = Settings(endpoints_per_user_max=most, endpoint_limit_policy=policy)
    async with reading.acquire() as connection, connection.transaction():
        await connection.execute("TRUNCATE application, endpoint, user_profile")
        await connection.execute(
            samples.APPLICATION, "shop", limit.SerializeToString(), samples.START
        )
        evicted: list[tuple[str, str, str]] = []
        for index, (many, listed) in enumerate(rounds):
            model.round = index
            expected = [model.write(one) for one in listed]
            now = samples.START + timedelta(minutes=index)
            outcomes, lost = await written(connection, [*map(patch, listed)], now, many=many)
            evicted += lost
            assert outcomes == expected
        rows = await connection.fetch(
            "SELECT endpoint, user_id, channel_type, status FROM endpoint"
        )
        await connection.execute("SET LOCAL enable_seqscan = on")
    assert {row[0]: list(row[1:]) for row in rows} == {
        key: row[:3] for key, row in model.rows.items()
    }
    assert evicted == model.evicted
