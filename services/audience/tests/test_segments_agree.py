"""The compiled SQL and a plain Python evaluator of the same tree agree, on random data."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import audience_samples as samples
from audience.endpoints import store, writing
from audience.endpoints.states import State
from audience.segments import checks, queries, scanning
from audience.segments.behaviours import Window
from audience.users import store as users_store
from audience_evaluator import Attributes, matches
from google.type.latlng_pb2 import LatLng
from heliograph.audience.v1 import segment_filter_pb2 as pb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mesh.errors import Error

COUNT = 250
PAGE_SIZE = 20
SEEDS = (1, 2)

kinds = pb.AttributeCondition
set_operators = st.sampled_from([0, pb.INCLUSIVE, pb.EXCLUSIVE])
texts = st.sampled_from(samples.TEXTS) | st.text(max_size=5).filter(lambda text: "\0" not in text)
names = st.sampled_from((*samples.NAMES, "unknown"))
bounds = st.sampled_from(samples.READABLE_INSTANTS)
moments = st.integers(-1, 6).map(lambda days: samples.START + timedelta(days=days))


def some(values: Any, least: int = 1) -> Any:
    """Lists on both sides of the size at which the SQL changes its form."""
    return st.lists(values, min_size=least, max_size=3) | st.lists(values, min_size=9, max_size=12)


plain_attributes = st.builds(
    kinds,
    name=names,
    operator=st.sampled_from([kinds.INCLUSIVE, kinds.EXCLUSIVE, kinds.CONTAINS]),
    values=some(texts),
)
absences = st.builds(
    kinds, name=names, operator=st.sampled_from([kinds.PRESENT, kinds.ABSENT]), values=st.just([])
)
instants = st.builds(
    kinds,
    name=st.just("joined"),
    operator=st.sampled_from([kinds.BEFORE, kinds.AFTER, kinds.ON]),
    values=some(bounds),
)
spans = st.builds(
    kinds, name=st.just("joined"), operator=st.just(kinds.BETWEEN), values=st.tuples(bounds, bounds)
)
attributes = plain_attributes | absences | instants | spans
leaves = st.one_of(
    st.builds(pb.SegmentFilter, attribute=attributes),
    st.builds(pb.SegmentFilter, user_attribute=attributes),
    st.builds(
        pb.SegmentFilter,
        metric=st.builds(
            pb.MetricCondition,
            name=st.sampled_from((*samples.METRICS, "unknown")),
            comparison=st.integers(1, 5),
            value=st.sampled_from(samples.NUMBERS)
            | st.floats(allow_nan=False, allow_infinity=False),
        ),
    ),
    st.builds(
        pb.SegmentFilter,
        demographic=st.builds(
            pb.DemographicCondition,
            field=st.integers(1, 8),
            operator=set_operators,
            values=some(st.sampled_from((*samples.ZONES, *samples.MAKES))),
        ),
    ),
    st.builds(
        pb.SegmentFilter,
        location=st.builds(
            pb.LocationCondition,
            field=st.integers(1, 4),
            operator=set_operators,
            values=some(st.sampled_from((*samples.CITIES, "DE", "BR"))),
        ),
    ),
    st.builds(
        pb.SegmentFilter,
        distance=st.builds(
            pb.DistanceCondition,
            center=st.builds(
                LatLng,
                latitude=st.sampled_from([52.4, 0.0, -90.0]),
                longitude=st.sampled_from([13.3, 179.0, 0.0]),
            ),
            radius_kilometers=st.sampled_from([1.0, 500.0, 9000.0, 20100.0]),
        ),
    ),
    st.builds(
        pb.SegmentFilter,
        channel=st.builds(
            pb.ChannelCondition, operator=set_operators, channel_types=some(st.integers(1, 13))
        ),
    ),
    st.builds(
        pb.SegmentFilter,
        user=st.builds(
            pb.UserCondition,
            operator=set_operators,
            user_ids=some(st.sampled_from(samples.USERS), least=0),
        ),
    ),
    st.builds(
        pb.SegmentFilter,
        state=st.builds(
            pb.StateCondition,
            status=st.integers(0, 2),
            opt_out=st.integers(0, 2),
            created_from=st.none() | moments,
            created_until=st.none() | moments,
            updated_from=st.none() | moments,
            updated_until=st.none() | moments,
        ),
    ),
)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        pb.SegmentFilter,
        group=st.builds(
            pb.FilterGroup, operator=st.integers(1, 3), filters=st.lists(inner, max_size=4)
        ),
    ),
    max_leaves=12,
)


def is_refused(question: pb.SegmentFilter, application: str = "shop") -> bool:
    try:
        checks.check(application, question, "filter")
    except Error:
        return True
    return False


async def stored(
    reading: "asyncpg.Pool[asyncpg.Record]", application: str, seed: int
) -> tuple[list[State], dict[str, Attributes]]:
    """An audience of that seed, written once a test, and read back."""
    async with reading.acquire() as connection, connection.transaction():
        if not await connection.fetchval(
            "SELECT count(*) FROM endpoint WHERE application = $1", application
        ):
            await samples.open_application(connection, application)
            for index, patch in enumerate(samples.patches(seed, COUNT)):
                await writing.write_few(connection, application, [patch], samples.moment(index))
        rows = await connection.fetch(
            "SELECT endpoint FROM endpoint WHERE application = $1", application
        )
        states = await store.read(connection, application, [row[0] for row in rows])
        users = await users_store.read(connection, application, samples.USERS)
    return list(states.values()), {one.user_id: one.attributes for one in users.values()}


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(question=trees.filter(lambda tree: not is_refused(tree)), seed=st.sampled_from(SEEDS))
async def test_sql_and_python_agree_on_every_member(
    question: pb.SegmentFilter, seed: int, reading: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    application = f"shop{seed}"
    states, users = await stored(reading, application, seed)
    expected = sorted(one.endpoint for one in states if matches(question, one, users))

    counted = await queries.counts(reading, application, question)
    found = await queries.members(
        reading, application, question, Window([one.endpoint for one in states], {})
    )
    scanned = scanning.Scan(
        reading, application, question, None, asyncio.Semaphore(1), looked_at_max=COUNT // 5
    )
    one = states[len(expected) % len(states)].endpoint
    alone = await queries.members(reading, application, question, Window([one], {}))

    assert sum(row[1] for row in counted) == len(expected)
    assert [row[0] async for rows in scanned.pages("", PAGE_SIZE) for row in rows] == expected
    assert found == set(expected)
    assert alone == found & {one}


def test_the_evaluator_reads_the_instants_that_the_service_reads() -> None:
    from audience_instants import instant
    from heliograph import instants as ours

    assert [ours.read(text) for text in samples.INSTANTS] == [
        instant(text) for text in samples.INSTANTS
    ]
