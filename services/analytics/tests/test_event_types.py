"""Types and keys of events: registered, described, limited."""

import asyncio

import pytest
from analytics.registry import Limits
from analytics_samples import event
from analytics_store import put
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1.event_type_pb2 import EventType
from mesh.errors import Error
from mesh.rpc import status


async def test_new_event_types_and_keys_are_registered(service, application) -> None:
    await put(service, application, event(attributes={"color": "red"}, metrics={"price": 1}))
    await put(service, application, event(1, "_session.start"))
    parent = f"applications/{application}"

    types = await service.events.ListEventTypes(pb.ListEventTypesRequest(parent=parent))
    keys = await service.events.ListEventKeys(pb.ListEventKeysRequest(parent=parent))

    assert [found.name for found in types.event_types] == [
        f"{parent}/eventTypes/_session.start",
        f"{parent}/eventTypes/cart.add",
    ]
    assert [found.key for found in keys.event_keys] == ["color", "price"]


async def test_an_event_type_can_be_described(service, application) -> None:
    await put(service, application, event())
    name = f"applications/{application}/eventTypes/cart.add"
    found = await service.events.GetEventType(pb.GetEventTypeRequest(name=name))

    changed = await service.events.UpdateEventType(
        pb.UpdateEventTypeRequest(
            event_type=EventType(name=name, description="into the cart", etag=found.etag)
        )
    )

    assert changed.description == "into the cart"
    assert changed.etag != found.etag
    with pytest.raises(Error) as refused:
        await service.events.UpdateEventType(
            pb.UpdateEventTypeRequest(event_type=EventType(name=name, etag=found.etag))
        )
    assert refused.value.reason == "ETAG_MISMATCH"


async def test_no_application_has_more_event_types_than_it_may(serve_with, application) -> None:
    service = await serve_with(limits=Limits(2, 1, 500))

    first = await put(service, application, event(0, "a"), event(1, "b"), event(2, "c"))
    second = await put(
        service, application, event(3, "a"), event(4, "d"), event(5, "_session.start")
    )
    third = await put(
        service,
        application,
        event(6, "a", attributes={"x": ""}),
        event(7, "a", attributes={"y": ""}),
    )

    def reasons(answer: pb.PutEventsResponse) -> list[tuple[int, str]]:
        return [
            (refusal.index, status.to_error(refusal.error).reason) for refusal in answer.refusals
        ]

    assert reasons(first) == [(2, "EVENT_TYPE_LIMIT")]
    assert reasons(second) == [(1, "EVENT_TYPE_LIMIT")]
    assert reasons(third) == [(1, "EVENT_KEY_LIMIT")]


async def test_a_new_application_may_begin_with_many_requests_at_once(service, application) -> None:
    keys = {f"k{number}": "" for number in range(30)}

    answers = await asyncio.gather(
        *(put(service, application, event(number, attributes=keys)) for number in range(100))
    )

    assert all(answer.accepted_count == 1 for answer in answers)
    page = pb.ListEventKeysRequest(parent=f"applications/{application}")
    assert len((await service.events.ListEventKeys(page)).event_keys) == 30
