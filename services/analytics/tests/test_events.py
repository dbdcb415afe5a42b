"""Events through the front door: in, safe, stored, found again."""

from datetime import timedelta

import pytest
from analytics_samples import NOW, event, stamp
from analytics_store import listed, put, stored
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1.event_pb2 import Event
from mesh.errors import InvalidArgument, NotFound, Unimplemented
from mesh.rpc import status
from mesh.testkit import eventually


async def test_an_event_comes_back_as_it_was_sent(service, application) -> None:
    sent = event(
        attributes={"color": "red"},
        metrics={"price": 1.5},
        session=Event.Session(session_id="s1", start_time=stamp(NOW - timedelta(hours=2))),
        app=Event.App(package_name="org.shop", platform="ios", country="DE"),
    )

    answer = await put(service, application, sent)

    assert answer == pb.PutEventsResponse(accepted_count=1)
    name = f"applications/{application}/events/{sent.event_id}"
    await stored(service, application, 1)
    receipt = await service.events.GetEvent(pb.GetEventRequest(name=name))
    assert receipt.name == name
    assert receipt.event == sent
    assert receipt.receive_time.seconds > 0


async def test_an_unknown_event_is_not_found(service, application) -> None:
    with pytest.raises(NotFound) as refused:
        await service.events.GetEvent(
            pb.GetEventRequest(name=f"applications/{application}/events/none")
        )

    assert refused.value.reason == "EVENT_NOT_FOUND"


async def test_refused_events_are_named_and_the_others_are_stored(service, application) -> None:
    bad = event(1, attributes={"color": "x" * 201})

    answer = await put(service, application, event(0), bad, event(2))

    assert answer.accepted_count == 2
    (refusal,) = answer.refusals
    assert (refusal.index, refusal.event_id, refusal.endpoint_id) == (1, "event-1", "phone")
    assert status.to_error(refusal.error).reason == "ATTRIBUTE_VALUE_TOO_LONG"
    found = await stored(service, application, 2)
    assert [sent.event_id for sent in found] == ["event-2", "event-0"]


async def test_events_sent_again_in_other_company_count_once(service, application) -> None:
    await put(service, application, *(event(number) for number in range(60)))
    await put(service, application, *(event(number) for number in range(30, 90)))
    await put(service, application, *(event(number) for number in range(60)))
    await put(service, application, event(90))

    await stored(service, application, 91)


async def test_the_same_id_at_another_endpoint_is_another_event(service, application) -> None:
    await put(service, application, event(), event(endpoint_id="tablet"))

    found = await stored(service, application, 2)
    assert {sent.endpoint_id for sent in found} == {"phone", "tablet"}


async def test_a_stream_is_answered_when_all_is_safe(service, application) -> None:
    parent = f"applications/{application}"

    async def messages():
        for start in range(0, 5_000, 500):
            events = [event(number) for number in range(start, start + 500)]
            events.append(event(start, event_id=""))
            yield pb.StreamEventsRequest(parent=parent, events=events)

    answer = await service.events.StreamEvents(messages())

    assert answer.accepted_count == 5_000
    assert answer.refused_count == 10
    assert [refusal.index for refusal in answer.refusals] == [500 + 501 * n for n in range(10)]

    async def all_there() -> bool:
        request = pb.ListEventsRequest(parent=parent, page_size=1000)
        ids = set()
        while True:
            page = await service.events.ListEvents(request)
            ids |= {found.event.event_id for found in page.events}
            request.page_token = page.next_page_token
            if not request.page_token:
                return len(ids) == 5_000

    await eventually(all_there)


async def test_a_stream_keeps_to_its_application(service, application) -> None:
    async def messages():
        yield pb.StreamEventsRequest(parent=f"applications/{application}", events=[event(0)])
        yield pb.StreamEventsRequest(parent="applications/other", events=[event(1)])

    with pytest.raises(InvalidArgument) as refused:
        await service.events.StreamEvents(messages())

    assert refused.value.reason == "STREAM_PARENT_CHANGED"


async def test_large_requests_are_cut_for_the_bus(service, application) -> None:
    words = {f"k{number}": "x" * 200 for number in range(38)}
    events = [event(number, attributes=words) for number in range(100)]

    answer = await put(service, application, *events)

    assert answer.accepted_count == 100
    await stored(service, application, 100)


async def test_a_list_can_be_narrowed_and_paged(service, application) -> None:
    events = [
        event(
            number,
            "page.view" if number % 2 else "cart.add",
            endpoint_id=f"phone-{number % 3}",
            user_id=f"user-{number % 5}",
        )
        for number in range(60)
    ]
    await put(service, application, *events)
    await stored(service, application, 60)

    of_endpoint = await listed(service, application, endpoint_id="phone-1")
    of_user = await listed(service, application, user_id="user-2", event_types=["cart.add"])
    early = await listed(
        service, application, end_time=stamp(NOW - timedelta(hours=1) + timedelta(seconds=10))
    )

    assert [sent.event_id for sent in of_endpoint] == [
        f"event-{number}" for number in range(58, 0, -3)
    ]
    assert [sent.event_id for sent in of_user] == [
        f"event-{number}" for number in (52, 42, 32, 22, 12, 2)
    ]
    assert len(early) == 10
    request = pb.ListEventsRequest(parent=f"applications/{application}", page_size=25)
    first = await service.events.ListEvents(request)
    request.page_token = first.next_page_token
    second = await service.events.ListEvents(request)
    request.page_token = second.next_page_token
    third = await service.events.ListEvents(request)
    ids = [found.event.event_id for page in (first, second, third) for found in page.events]
    assert ids == [f"event-{number}" for number in range(59, -1, -1)]
    assert not third.next_page_token


async def test_a_page_token_of_another_question_is_refused(service, application) -> None:
    await put(service, application, event(0), event(1))
    await stored(service, application, 2)
    parent = f"applications/{application}"
    page = await service.events.ListEvents(pb.ListEventsRequest(parent=parent, page_size=1))

    with pytest.raises(InvalidArgument) as refused:
        await service.events.ListEvents(
            pb.ListEventsRequest(parent=parent, user_id="x", page_token=page.next_page_token)
        )

    assert refused.value.reason == "PAGE_TOKEN_MISMATCH"


async def test_endpoints_that_come_along_are_refused_not_ignored(service, application) -> None:
    request = pb.PutEventsRequest(parent=f"applications/{application}", events=[event()])
    request.endpoints.add(name=f"applications/{application}/endpoints/phone")

    with pytest.raises(Unimplemented) as refused:
        await service.events.PutEvents(request)

    assert refused.value.reason == "FIELD_NOT_SUPPORTED"


async def test_more_than_a_hundred_events_are_refused(service, application) -> None:
    with pytest.raises(InvalidArgument):
        await put(service, application, *(event(number) for number in range(101)))


@pytest.mark.parametrize("name", ["applications/Shop", "applications/a.b.c", "applications/>"])
async def test_an_application_id_must_be_one(service, name) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await service.events.PutEvents(pb.PutEventsRequest(parent=name, events=[event()]))

    assert refused.value.reason == "RESOURCE_NAME_INVALID"
