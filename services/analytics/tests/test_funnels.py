"""Funnels, asked through the front door and kept."""

from datetime import timedelta

import pytest
from analytics_samples import NOW, checkout, event, message_event, stamp
from analytics_store import store_events, store_messages
from google.protobuf.duration_pb2 import Duration
from heliograph.analytics.v1 import funnel_service_pb2 as funnels_pb
from heliograph.analytics.v1 import report_service_pb2 as pb
from heliograph.analytics.v1.event_filter_pb2 import AttributeFilter
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.funnel_pb2 import Funnel
from heliograph.messaging.v1.events_pb2 import MessageEvent
from mesh.errors import AlreadyExists, InvalidArgument, NotFound


async def test_a_funnel_counts_who_comes_how_far(service, event_store, application) -> None:
    def step(number: int, user: str, event_type: str, minute: int, **fields) -> Event:
        time = stamp(NOW - timedelta(hours=5) + timedelta(minutes=minute))
        return event(number, event_type, event_time=time, user_id=user, **fields)

    red = {"color": "red"}
    await store_events(
        event_store,
        application,
        step(1, "ada", "view", 0, attributes=red),
        step(2, "ada", "cart.add", 1),
        step(3, "ada", "buy", 2),
        step(4, "bob", "view", 0, attributes=red),
        step(5, "bob", "buy", 1),
        step(6, "eve", "cart.add", 0),
        step(7, "eve", "view", 1, attributes=red),
        step(8, "late", "view", 0, attributes=red),
        step(9, "late", "cart.add", 61),
        step(10, "blue", "view", 0, attributes={"color": "blue"}),
        step(11, "", "view", 0, attributes=red),
    )
    funnel = checkout("view", "cart.add", "buy", window=Duration(seconds=3600))
    funnel.steps[0].filter.attributes.add(
        key="color", operator=AttributeFilter.INCLUSIVE, values=["red", "green"]
    )

    answer = await service.reports.QueryFunnel(
        pb.QueryFunnelRequest(parent=f"applications/{application}", funnel=funnel)
    )

    assert [step.count for step in answer.steps] == [4, 1, 1]
    assert [step.dropped for step in answer.steps] == [0, 3, 0]
    assert [step.share_of_first for step in answer.steps] == [1, 0.25, 0.25]
    assert [step.share_of_previous for step in answer.steps] == [1, 0.25, 1]
    assert [step.display_name for step in answer.steps] == ["view", "cart.add", "buy"]


async def test_a_funnel_may_begin_with_a_message(service, event_store, application) -> None:
    run = f"applications/{application}/campaigns/spring/runs/r1"
    sent = [
        message_event(n, MessageEvent.DELIVERED, run, event_time=stamp(NOW - timedelta(hours=2)))
        for n in range(3)
    ]
    await store_messages(event_store, application, *sent)
    await store_events(event_store, application, event(1, "buy", endpoint_id="e1"))
    funnel = checkout("_message.delivered", "buy", subject=Funnel.ENDPOINT)
    funnel.steps[0].filter.attributes.add(key="campaign", values=["spring"])

    answer = await service.reports.QueryFunnel(
        pb.QueryFunnelRequest(parent=f"applications/{application}", funnel=funnel)
    )

    assert [step.count for step in answer.steps] == [3, 1]


async def test_a_funnel_of_nobody_has_no_shares(service, application) -> None:
    answer = await service.reports.QueryFunnel(
        pb.QueryFunnelRequest(parent=f"applications/{application}", funnel=checkout("a", "b"))
    )

    assert [step.count for step in answer.steps] == [0, 0]
    assert not answer.steps[0].HasField("share_of_first")


async def test_a_filter_that_contradicts_itself_is_refused(service, application) -> None:
    funnel = checkout("a")
    funnel.steps[0].filter.attributes.add(key="color")

    with pytest.raises(InvalidArgument) as refused:
        await service.reports.QueryFunnel(
            pb.QueryFunnelRequest(parent=f"applications/{application}", funnel=funnel)
        )

    assert refused.value.reason == "FILTER_INVALID"
    assert refused.value.violations[0].field == "funnel.steps[0].filter.attributes[0].values"


async def test_a_kept_funnel_lives_and_can_be_asked(service, event_store, application) -> None:
    parent = f"applications/{application}"
    create = funnels_pb.CreateFunnelRequest(
        parent=parent, funnel_id="checkout", funnel=checkout("cart.add"), request_id="r1"
    )
    await store_events(event_store, application, event())

    made = await service.funnels.CreateFunnel(create)
    again = await service.funnels.CreateFunnel(create)
    made.display_name = "Checkout"
    changed_funnel = await service.funnels.UpdateFunnel(
        funnels_pb.UpdateFunnelRequest(funnel=made, update_mask={"paths": ["display_name"]})
    )
    asked = await service.reports.QueryFunnel(pb.QueryFunnelRequest(parent=parent, name=made.name))

    assert again.name == made.name == f"{parent}/funnels/checkout"
    assert changed_funnel.display_name == "Checkout"
    assert [step.count for step in asked.steps] == [1]
    create.request_id = "r2"
    with pytest.raises(AlreadyExists):
        await service.funnels.CreateFunnel(create)
    listed = await service.funnels.ListFunnels(funnels_pb.ListFunnelsRequest(parent=parent))
    assert list(listed.funnels) == [changed_funnel]
    await service.funnels.DeleteFunnel(funnels_pb.DeleteFunnelRequest(name=made.name))
    with pytest.raises(NotFound):
        await service.funnels.GetFunnel(funnels_pb.GetFunnelRequest(name=made.name))
