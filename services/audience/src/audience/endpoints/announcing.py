"""What a write to endpoints announces, in its own transaction: one event for all of it."""

from datetime import datetime
from typing import Final, TypeVar

from google.protobuf.message import Message
from heliograph.audience.v1 import endpoint_pb2 as pb
from heliograph.audience.v1 import events_pb2
from mesh.aip import resource_names
from mesh.eventing import outbox
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import metrics, names
from audience.endpoints.batches import Batch, Claim, Eviction
from audience.endpoints.states import State
from audience.moments import timestamp

IN_EVENT_MAX: Final = 5000

Item = TypeVar("Item")


def announce(
    session: AsyncSession, application: str, batch: Batch, now: datetime, source: str
) -> bool:
    """Announce evictions, addresses that changed hands and opt-outs; `source` says by what.

    False when there is nothing to tell.
    """
    metrics.ENDPOINTS_WRITTEN.labels(source).inc(len(batch.written))
    metrics.ADDRESSES_CLAIMED.labels(source).inc(len(batch.claims))
    metrics.ENDPOINTS_EVICTED.labels(source).inc(len(batch.evictions))
    opt_outs = batch.opt_outs()
    for evictions in _slices(batch.evictions):
        _publish(session, application, _evicted(application, evictions, now))
    for claims in _slices(batch.claims):
        _publish(session, application, _claimed(application, claims, now))
    for states in _slices(opt_outs):
        _publish(session, application, _opt_outs(application, states, now, source))
    return bool(batch.evictions or batch.claims or opt_outs)


def announce_deleted(
    session: AsyncSession, application: str, endpoints: list[str], now: datetime
) -> None:
    """Announce endpoints that are gone."""
    if endpoints:
        event = events_pb2.EndpointsDeleted(
            application=application,
            endpoints=[_name(application, endpoint) for endpoint in endpoints],
            delete_time=timestamp(now),
        )
        _publish(session, application, event)


def _slices(items: list[Item]) -> list[list[Item]]:
    return [items[begin : begin + IN_EVENT_MAX] for begin in range(0, len(items), IN_EVENT_MAX)]


def _claimed(application: str, claims: list[Claim], now: datetime) -> events_pb2.AddressesClaimed:
    return events_pb2.AddressesClaimed(
        application=application,
        claims=[
            events_pb2.AddressesClaimed.Claim(
                endpoint=_name(application, claim.endpoint),
                former_endpoint=_name(application, claim.former),
                channel_type=claim.channel_type,
            )
            for claim in claims
        ],
        claim_time=timestamp(now),
    )


def _evicted(
    application: str, evictions: list[Eviction], now: datetime
) -> events_pb2.EndpointsEvicted:
    return events_pb2.EndpointsEvicted(
        application=application,
        evictions=[
            events_pb2.EndpointsEvicted.Eviction(
                endpoint=_name(application, one.endpoint),
                user_id=one.user_id,
                newer_endpoint=_name(application, one.newer),
            )
            for one in evictions
        ],
        evict_time=timestamp(now),
    )


def _opt_outs(
    application: str, states: list[State], now: datetime, source: str
) -> events_pb2.EndpointOptOutsChanged:
    return events_pb2.EndpointOptOutsChanged(
        application=application,
        changes=[
            events_pb2.EndpointOptOutsChanged.Change(
                endpoint=_name(application, state.endpoint),
                opted_out=state.opt_out == pb.Endpoint.ALL,
                refused_topics=state.refused_topics,
                source=source,
            )
            for state in states
        ],
        change_time=timestamp(now),
    )


def _publish(session: AsyncSession, application: str, event: Message) -> None:
    outbox.publish(session, event, application)


def _name(application: str, endpoint: str) -> str:
    return resource_names.format(names.ENDPOINT, application=application, endpoint=endpoint)
