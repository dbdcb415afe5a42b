"""Segments that ask what endpoints did, through the front door."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from analytics.eventstore.client import EventStore
from analytics.matching.servicer import Matching
from audience.segments.asking import WindowSizes
from audience_analytics import store
from audience_behaviour import Happening
from audience_room import SHOP, Room, name
from audience_segments import GOLD, audience
from heliograph.analytics.v1 import event_service_pb2 as events_pb
from heliograph.audience.v1 import segment_service_pb2 as pb
from mesh.errors import InvalidArgument, PermissionDenied, Unavailable
from mesh.testkit.rpc import RpcServe
from mesh.testkit.tokens import MintToken

DAY = 86_400
SPRING = f"{SHOP}/campaigns/spring"


def bought(least: int | None = None, most: int | None = None) -> dict[str, Any]:
    counts = {"count_min": least, "count_max": most}
    return {"event": {"event_type": "buy", "window": {"seconds": 30 * DAY}, **counts}}


def joined(operator: str, *filters: dict[str, Any]) -> dict[str, Any]:
    return {"group": {"operator": operator, "filters": filters}}


ACTIVE = {"recency": {"window": {"seconds": 7 * DAY}, "activity": "ACTIVE"}}
INACTIVE = {"recency": {"window": {"seconds": 7 * DAY}, "activity": "INACTIVE"}}
OPENED = {"campaign": {"campaign": SPRING, "outcome": "OPENED"}}
NOT_OPENED = {"campaign": {"campaign": SPRING, "outcome": "OPENED", "negate": True}}
REPLIED = {"campaign": {"campaign": SPRING, "outcome": "REPLIED"}}
SAID_YES = {"campaign": {**REPLIED["campaign"], "answers": [" YES ", "ok"]}}
NOT_YES = {"campaign": {**SAID_YES["campaign"], "negate": True}}
NEW = {"first_seen": {"window": {"seconds": 7 * DAY}}}

MEMBERS = [
    (bought(2), "e0 e1"),
    (bought(most=1), "e2 e3 e4 e5 e6 e7 e8 e9"),
    (bought(most=0), "e3 e4 e5 e6 e7 e8 e9"),
    (bought(1, 1), "e2"),
    (bought(0), "e0 e1 e2 e3 e4 e5 e6 e7 e8 e9"),
    (ACTIVE, "e4 e5"),
    (INACTIVE, "e0 e1 e2 e3 e6 e7 e8 e9"),
    (NEW, "e5"),
    (OPENED, "e7"),
    (NOT_OPENED, "e0 e1 e2 e3 e4 e5 e6 e8 e9"),
    (REPLIED, "e7 e8"),
    (SAID_YES, "e8"),
    (joined("ALL", REPLIED, NOT_YES), "e7"),
    (joined("NONE", bought(1), ACTIVE, OPENED), "e3 e6 e8 e9"),
    (joined("ALL", GOLD, bought(1)), "e0 e2"),
    (joined("ANY", bought(1), GOLD, NEW), "e0 e1 e2 e4 e5 e6 e8"),
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def what_happened(event_store: EventStore) -> None:
    """What some endpoints did, and some that are endpoints no more."""
    now = datetime.now(UTC)
    old, recent = now - timedelta(days=40), now - timedelta(days=2)
    happened = [
        *(Happening("e0", "buy", recent + timedelta(hours=hour)) for hour in range(3)),
        *(Happening("e1", "buy", recent + timedelta(hours=hour)) for hour in range(2)),
        Happening("e2", "buy", recent),
        Happening("e2", "buy", old),
        Happening("e3", "buy", old),
        Happening("e4", "_session.start", old),
        Happening("e4", "_session.start", recent),
        Happening("e5", "_session.start", recent),
        Happening("e6", "_session.start", old),
        Happening("e7", "_message.opened", recent, {"run": f"{SPRING}/runs/r1"}),
        Happening("e8", "_message.sent", recent, {"run": f"{SPRING}/runs/r1"}),
        Happening("e7", "_message.replied", recent, {"run": f"{SPRING}/runs/r1", "answer": "no"}),
        Happening("e8", "_message.replied", recent, {"run": f"{SPRING}/runs/r1", "answer": "yes"}),
        *(Happening(f"e{n}gone", kind, recent) for n in range(10) for kind in ("buy", "view")),
    ]
    await store(event_store, "shop", happened)


@pytest_asyncio.fixture(loop_scope="session")
async def behaving(room: Room, analytics_address: str, what_happened: None) -> Room:
    """Ten endpoints, some of which did something."""
    room.analytics_address = analytics_address
    await room.serve()
    await audience(room)
    return room


async def streamed(room: Room, segment: str, **fields: Any) -> list[list[str]]:
    request = pb.StreamMembersRequest(name=segment, **fields)
    stream: AsyncIterator[pb.MemberPage] = room.segments.StreamMembers(request)
    return [[one.name.rpartition("/")[2] for one in page.endpoints] async for page in stream]


@pytest.mark.parametrize(("question", "expected"), MEMBERS)
async def test_all_four_questions_find_the_same_members(
    behaving: Room, question: dict[str, Any], expected: str
) -> None:
    room, members = behaving, expected.split()
    segment = await room.create_segment(question)

    counted = await room.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))
    preview = await room.segments.PreviewSegment(pb.PreviewSegmentRequest(name=segment.name))
    everybody = [name(f"e{index}") for index in range(10)]
    checked = await room.segments.CheckMembers(
        pb.CheckMembersRequest(name=segment.name, endpoints=[*everybody, name("e1gone")])
    )

    assert await streamed(room, segment.name) == [members]
    assert counted.total == len(members)
    assert [one.name for one in preview.endpoints] == [name(one) for one in members]
    assert list(checked.members) == [name(one) for one in members]


async def test_reachability_and_channels_are_counted_as_ever(behaving: Room) -> None:
    segment = await behaving.create_segment(bought(most=0))

    counted = await behaving.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))

    assert (counted.total, counted.eligible) == (7, 7)
    assert dict(counted.counts_by_channel) == {"EMAIL": 3, "PUSH_FCM": 4}


async def test_windows_of_endpoints_are_joined_without_a_seam(behaving: Room) -> None:
    behaving.window_sizes = WindowSizes(count=3, stream=3, preview=3)
    await behaving.serve()
    segment = await behaving.create_segment(bought(most=1))

    counted = await behaving.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))
    first = await behaving.segments.PreviewSegment(
        pb.PreviewSegmentRequest(name=segment.name, page_size=5)
    )
    second = await behaving.segments.PreviewSegment(
        pb.PreviewSegmentRequest(name=segment.name, page_size=5, page_token=first.next_page_token)
    )

    assert counted.total == 8
    assert await streamed(behaving, segment.name, page_size=5) == [
        ["e2", "e3", "e4", "e5", "e6"],
        ["e7", "e8", "e9"],
    ]
    assert await streamed(behaving, segment.name, after="e6", page_size=2) == [
        ["e7", "e8"],
        ["e9"],
    ]
    assert [len(first.endpoints), len(second.endpoints)] == [5, 3]


async def test_a_stream_that_goes_on_later_knows_no_more_than_it_did(behaving: Room) -> None:
    read_time = datetime.now(UTC) - timedelta(days=1)
    segment = await behaving.create_segment(OPENED)

    # The endpoints were all written after that moment, and so was the event received.
    assert await streamed(behaving, segment.name, read_time=read_time) == []
    assert await streamed(behaving, segment.name) == [["e7"]]


ASKS: list[Callable[[Room, str], Awaitable[Any]]] = [
    lambda room, segment: room.segments.CountSegment(pb.CountSegmentRequest(name=segment)),
    lambda room, segment: room.segments.PreviewSegment(pb.PreviewSegmentRequest(name=segment)),
    lambda room, segment: room.segments.CheckMembers(
        pb.CheckMembersRequest(name=segment, endpoints=[name("e0")])
    ),
    streamed,
]


@pytest.mark.parametrize("question", [bought(2), bought(most=0)])
async def test_without_analytics_there_is_no_answer_rather_than_a_wrong_one(
    room: Room, question: dict[str, Any]
) -> None:
    await audience(room)
    segment = await room.create_segment(question)

    answers = await asyncio.gather(
        *(ask(room, segment.name) for ask in ASKS), return_exceptions=True
    )

    for refusal in answers:
        assert isinstance(refusal, Unavailable)
        assert refusal.reason == "BEHAVIOUR_UNAVAILABLE"
        assert refusal.retry_after_seconds


class BreaksOff(Matching):
    """Analytics whose store goes away after the first page of a set."""

    async def StreamMatchingEndpoints(
        self, request: events_pb.StreamMatchingEndpointsRequest, context: object
    ) -> AsyncIterator[events_pb.MatchingEndpointPage]:
        request.page_size = 1
        async for page in super().StreamMatchingEndpoints(request, context):
            yield page
            raise Unavailable("EVENT_STORE_UNAVAILABLE", "the event store does not answer")


async def test_a_set_that_breaks_off_is_no_answer_either(
    behaving: Room, event_store: EventStore, rpc_serve: RpcServe
) -> None:
    broken = BreaksOff(event_store, behaving.now)
    behaving.analytics_address = await rpc_serve({"heliograph.analytics.v1.EventService": broken})
    await behaving.serve()
    segment = await behaving.create_segment(bought(most=0))

    for ask in (ASKS[0], ASKS[1], ASKS[3]):
        with pytest.raises(Unavailable) as refusal:
            await ask(behaving, segment.name)
        assert refusal.value.reason == "BEHAVIOUR_UNAVAILABLE"


@pytest.mark.parametrize(
    ("question", "reason", "field"),
    [
        (bought(3, 2), "FILTER_CONTRADICTORY", "event.count_max"),
        (
            {"event": {"event_type": "buy", "window": {"seconds": 0}}},
            "FILTER_CONTRADICTORY",
            "event.window",
        ),
        ({"first_seen": {}}, "FILTER_EMPTY", "first_seen"),
        (
            {"first_seen": {"from": {"seconds": 2}, "until": {"seconds": 1}}},
            "FILTER_CONTRADICTORY",
            "first_seen.until",
        ),
        (
            {"first_seen": {"from": {"seconds": 2}, "window": {"seconds": 1}}},
            "FILTER_CONTRADICTORY",
            "first_seen.window",
        ),
        (
            {"recency": {"window": {"seconds": -1}, "activity": "ACTIVE"}},
            "FILTER_CONTRADICTORY",
            "recency.window",
        ),
        (
            {"campaign": {"campaign": "applications/other/campaigns/c", "outcome": "SENT"}},
            "APPLICATION_MISMATCH",
            "campaign.campaign",
        ),
        (joined("ALL", SAID_YES, NOT_YES), "FILTER_CONTRADICTORY", "group.filters[1].campaign"),
        (
            {"campaign": {"campaign": SPRING, "outcome": "SENT", "answers": ["yes"]}},
            "FILTER_CONTRADICTORY",
            "campaign.answers",
        ),
    ],
)
async def test_a_question_that_contradicts_itself_is_refused_with_its_path(
    room: Room, question: dict[str, Any], reason: str, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await room.create_segment(question)

    assert refusal.value.reason == reason
    assert refusal.value.violations[0].field == f"segment.filter.{field}"


async def test_only_so_many_different_questions_about_events_fit_a_filter(room: Room) -> None:
    different = [{"event": {"event_type": f"type{index}"}} for index in range(21)]
    await room.create_segment(joined("ANY", *different[:20], *[different[0]] * 900))

    with pytest.raises(InvalidArgument) as refusal:
        await room.create_segment(joined("ANY", *different))
    assert refusal.value.reason == "FILTER_TOO_LARGE"


async def test_a_foreign_campaign_is_not_asked_about(room: Room, mint_token: MintToken) -> None:
    room.use(mint_token(["shop"]))

    with pytest.raises(PermissionDenied):
        await room.create_segment(
            {"campaign": {"campaign": "applications/other/campaigns/c", "outcome": "SENT"}}
        )
