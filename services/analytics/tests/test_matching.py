"""Sets of endpoints, through the front door."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from analytics.matching.servicer import Matching
from analytics_samples import NOW, event, message_event, stamp
from analytics_store import store_events, store_messages
from google.protobuf.duration_pb2 import Duration
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1.event_filter_pb2 import AttributeFilter, EventCondition, EventFilter
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2_grpc import EventServiceStub
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from heliograph.messaging.v1.events_pb2 import MessageEvent
from mesh.embedded.ports import free_port
from mesh.errors import InvalidArgument, PermissionDenied, Unavailable

LATER = stamp(NOW + timedelta(days=3650))


def condition(event_type: str = "buy", **fields) -> EventCondition:
    return EventCondition(filter=EventFilter(event_type=event_type), **fields)


def bought(endpoint: str, number: int = 0, **fields) -> Event:
    return event(number, "buy", endpoint_id=endpoint, **fields)


async def pages(stub, application: str, asked: EventCondition, **fields) -> list[list[str]]:
    request = pb.StreamMatchingEndpointsRequest(
        parent=f"applications/{application}", condition=asked, **fields
    )
    return [list(page.endpoint_ids) async for page in stub.StreamMatchingEndpoints(request)]


async def matching(stub, application: str, asked: EventCondition, *ids: str, **fields) -> list[str]:
    request = pb.MatchEndpointsRequest(
        parent=f"applications/{application}", condition=asked, endpoint_ids=ids, **fields
    )
    return list((await stub.MatchEndpoints(request)).endpoint_ids)


async def test_endpoints_come_in_pages_by_the_bytes_of_their_ids(
    service, event_store, application
) -> None:
    ids = ["b", "a", "Z", "é", "a-2", "a2", "🎈", "日"]
    await store_events(event_store, application, *(bought(one) for one in ids))

    found = await pages(service.events, application, condition(), page_size=3)
    rest = await pages(service.events, application, condition(), after="a2")

    assert found == [["Z", "a", "a-2"], ["a2", "b", "é"], ["日", "🎈"]]
    assert rest == [["b", "é", "日", "🎈"]]


async def test_a_set_larger_than_what_is_read_at_once_is_whole(
    event_store, application, rpc_client
) -> None:
    ids = [f"e{number:05}" for number in range(1000)]
    await store_events(event_store, application, *(bought(one) for one in ids))
    servicer = Matching(event_store, lambda: NOW, read_size=70)
    stub = EventServiceStub(await rpc_client({"heliograph.analytics.v1.EventService": servicer}))

    found = await pages(stub, application, condition(), page_size=50)

    assert [one for page in found for one in page] == ids
    assert max(map(len, found)) == 50


async def test_so_many_times_within_so_long(service, event_store, application) -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    times = {"often": [hour, 2 * hour, 3 * hour], "long ago": [hour, 40 * day], "once": [hour]}
    events = [
        bought(endpoint, number, event_time=stamp(NOW - ago))
        for endpoint, agos in times.items()
        for number, ago in enumerate(agos)
    ]
    await store_events(event_store, application, *events, bought(""))
    month = Duration(seconds=30 * 86_400)

    async def found(**fields) -> list[str]:
        return await matching(service.events, application, condition(**fields), *times, "unknown")

    assert await found() == ["long ago", "often", "once"]
    assert await found(at_least=2) == ["long ago", "often"]
    assert await found(at_least=2, window=month) == ["often"]
    assert await found(first_ever=True, window=month) == ["often", "once"]
    assert await found(end_time=stamp(NOW - day)) == ["long ago"]


async def test_whoever_opened_a_campaign_is_found_by_its_messages(
    service, event_store, application
) -> None:
    spring = f"applications/{application}/campaigns/spring/runs/r1"
    autumn = f"applications/{application}/campaigns/autumn/runs/r1"
    await store_messages(
        event_store,
        application,
        message_event(1, MessageEvent.SENT, spring),
        message_event(1, MessageEvent.OPENED, spring),
        message_event(2, MessageEvent.SENT, spring),
        message_event(3, MessageEvent.OPENED, autumn),
    )
    asked = condition("_message.opened")
    asked.filter.attributes.add(key="campaign", values=["spring"])

    assert await pages(service.events, application, asked, read_time=LATER) == [["e1"]]
    asked.filter.event_type = "_message.sent"
    assert await pages(service.events, application, asked, read_time=LATER) == [["e1", "e2"]]


async def test_what_arrives_after_the_time_of_reading_is_left_out(
    service, event_store, application
) -> None:
    await store_events(event_store, application, bought("early"))
    late = EventsRecorded(
        application=application,
        events=[bought("late")],
        receive_time=stamp(NOW + timedelta(seconds=1)),
    )
    await event_store.insert("events_recorded", EventsRecorded, [late.SerializeToString()])

    assert await pages(service.events, application, condition()) == [["early"]]
    assert await pages(service.events, application, condition(), read_time=LATER) == [
        ["early", "late"]
    ]


async def test_a_thousand_long_ids_and_many_values_are_asked_for_at_once(
    service, event_store, application
) -> None:
    ids = [f"{number:04}" + "日" * 196 for number in range(1000)]
    await store_events(event_store, application, bought(ids[7], attributes={"plan": "gold"}))
    asked = condition()
    asked.filter.attributes.add(key="plan", values=[f"plan{n}" for n in range(9_999)] + ["gold"])

    assert await matching(service.events, application, asked, *ids) == [ids[7]]


async def test_other_applications_are_no_part_of_a_set(
    service, event_store, application, rpc_connect, mint_token
) -> None:
    other = f"{application}-other"
    await store_events(event_store, application, bought("mine"))
    await store_events(event_store, other, bought("theirs"))
    stranger = EventServiceStub(rpc_connect(service.address, token=mint_token([other])))

    assert await pages(service.events, application, condition()) == [["mine"]]
    with pytest.raises(PermissionDenied):
        await pages(stranger, application, condition())
    with pytest.raises(PermissionDenied):
        await matching(stranger, application, condition(), "mine")


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        (lambda asked: asked.window.FromSeconds(0), "INTERVAL_INVALID", "condition.window"),
        (
            lambda asked: (asked.start_time.FromSeconds(2), asked.end_time.FromSeconds(1)),
            "INTERVAL_INVALID",
            "condition.start_time",
        ),
        (
            lambda asked: asked.filter.attributes.add(key="a", operator=AttributeFilter.CONTAINS),
            "FILTER_INVALID",
            "condition.filter.attributes[0].values",
        ),
    ],
)
async def test_a_condition_that_contradicts_itself_is_refused_with_its_path(
    service,
    application: str,
    change: Callable[[EventCondition], object],
    reason: str,
    field: str,
) -> None:
    asked = condition()
    change(asked)

    with pytest.raises(InvalidArgument) as refused:
        await pages(service.events, application, asked)
    assert (refused.value.reason, refused.value.violations[0].field) == (reason, field)


async def test_a_set_is_not_told_while_the_store_is_away(
    application, rpc_client, event_store
) -> None:
    store_class = type(event_store)
    async with store_class(f"http://127.0.0.1:{free_port()}/heliograph") as nowhere:
        servicer = Matching(nowhere, lambda: NOW)
        stub = EventServiceStub(
            await rpc_client({"heliograph.analytics.v1.EventService": servicer})
        )
        with pytest.raises(Unavailable) as refused:
            await matching(stub, application, condition(), "e1")

    assert refused.value.reason == "EVENT_STORE_UNAVAILABLE"
