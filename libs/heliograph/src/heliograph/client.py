"""The asynchronous client: one object for the whole mesh, with the contract's own methods.

    async with Client(connection.find()) as mesh:
        segment = await mesh.segments.GetSegment(GetSegmentRequest(name="…"))

Calls carry the token, have a deadline, repeat themselves where repeating is safe, and raise
`HeliographError`.
"""

import json
import uuid
from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf.message import Message
from heliograph.analytics.v1 import (
    event_service_pb2_grpc,
    funnel_service_pb2_grpc,
    report_service_pb2_grpc,
)
from heliograph.audience.v1 import (
    application_service_pb2_grpc,
    endpoint_service_pb2_grpc,
    segment_service_pb2_grpc,
    transfer_service_pb2_grpc,
    user_service_pb2_grpc,
)
from heliograph.campaign.v1 import campaign_service_pb2_grpc, run_service_pb2_grpc
from heliograph.connection import SERVICES, Connection
from heliograph.errors import from_rpc_error, from_status
from heliograph.messaging.v1 import (
    channel_service_pb2_grpc,
    message_service_pb2_grpc,
    suppression_service_pb2_grpc,
    template_service_pb2_grpc,
)
from heliograph.twoway.v1 import (
    conversation_service_pb2_grpc,
    keyword_service_pb2_grpc,
    opt_out_alarm_service_pb2_grpc,
    opt_out_service_pb2_grpc,
    phone_number_service_pb2_grpc,
    pool_service_pb2_grpc,
    sender_id_service_pb2_grpc,
)

if TYPE_CHECKING:
    from types import TracebackType

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
UNARY_TIMEOUT_SECONDS = 60.0
OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", 30_000),
    # Shorter than all attempts together, so that a service that is back is found by one of them.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]
RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.2s",
    "maxBackoff": "3s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        # Every unary request that changes something carries a request id, so all may be repeated.
        "methodConfig": [{"name": [{}], "retryPolicy": RETRY_POLICY}],
    }
)


class Client:
    """The services of a mesh as their typed stubs, by noun."""

    def __init__(self, connection: Connection) -> None:
        missing = [service for service in SERVICES if service not in connection.addresses]
        if missing:
            raise ValueError(f"no address for {', '.join(missing)}")
        self.connection = connection
        channels = {
            service: _Channel(connection.addresses[service], connection.token)
            for service in SERVICES
        }
        self._channels = channels
        audience, campaign = channels["audience"], channels["campaign"]
        messaging, analytics, twoway = (
            channels["messaging"],
            channels["analytics"],
            channels["twoway"],
        )
        self.applications = application_service_pb2_grpc.ApplicationServiceStub(audience)
        self.endpoints = endpoint_service_pb2_grpc.EndpointServiceStub(audience)
        self.users = user_service_pb2_grpc.UserServiceStub(audience)
        self.segments = segment_service_pb2_grpc.SegmentServiceStub(audience)
        self.transfers = transfer_service_pb2_grpc.TransferServiceStub(audience)
        self.operations = operations_pb2_grpc.OperationsStub(audience)
        self.campaigns = campaign_service_pb2_grpc.CampaignServiceStub(campaign)
        self.runs = run_service_pb2_grpc.RunServiceStub(campaign)
        self.messages = message_service_pb2_grpc.MessageServiceStub(messaging)
        self.templates = template_service_pb2_grpc.TemplateServiceStub(messaging)
        self.channels = channel_service_pb2_grpc.ChannelServiceStub(messaging)
        self.suppressions = suppression_service_pb2_grpc.SuppressionServiceStub(messaging)
        self.events = event_service_pb2_grpc.EventServiceStub(analytics)
        self.event_operations = operations_pb2_grpc.OperationsStub(analytics)
        self.reports = report_service_pb2_grpc.ReportServiceStub(analytics)
        self.funnels = funnel_service_pb2_grpc.FunnelServiceStub(analytics)
        self.phone_numbers = phone_number_service_pb2_grpc.PhoneNumberServiceStub(twoway)
        self.pools = pool_service_pb2_grpc.PoolServiceStub(twoway)
        self.sender_ids = sender_id_service_pb2_grpc.SenderIdServiceStub(twoway)
        self.keywords = keyword_service_pb2_grpc.KeywordServiceStub(twoway)
        self.opt_outs = opt_out_service_pb2_grpc.OptOutServiceStub(twoway)
        self.opt_out_alarms = opt_out_alarm_service_pb2_grpc.OptOutAlarmServiceStub(twoway)
        self.opt_out_operations = operations_pb2_grpc.OperationsStub(twoway)
        self.conversations = conversation_service_pb2_grpc.ConversationServiceStub(twoway)

    async def finished(self, operation: operations_pb2.Operation) -> operations_pb2.Operation:
        """Wait for long work to end; HeliographError when it failed."""
        while not operation.done:
            operation = await self.operations.WaitOperation(
                operations_pb2.WaitOperationRequest(name=operation.name, timeout={"seconds": 30})
            )
        if operation.HasField("error"):
            raise from_status(operation.error)
        return operation

    async def close(self) -> None:
        """Close every connection."""
        for channel in self._channels.values():
            await channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        await self.close()


class _Channel(grpc.aio.Channel):
    """A gRPC channel whose calls carry the token and raise HeliographError."""

    def __init__(self, address: str, token: str) -> None:
        options = [*OPTIONS, ("grpc.service_config", SERVICE_CONFIG)]
        self._inner = grpc.aio.insecure_channel(address, options=options)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._wrap(self._inner.unary_unary(method, *args, **kwargs), UNARY_TIMEOUT_SECONDS)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._wrap(self._inner.unary_stream(method, *args, **kwargs))

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._wrap(self._inner.stream_unary(method, *args, **kwargs))

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._wrap(self._inner.stream_stream(method, *args, **kwargs))

    def _wrap(self, inner: Callable[..., Any], timeout: float | None = None) -> Callable[..., Any]:
        def call(request: Any = None, **options: Any) -> _Call:
            options.setdefault("timeout", timeout)
            metadata = (*self._metadata, *options.pop("metadata", ()))
            return _Call(inner(_identified(request), metadata=metadata, **options))

        return call

    async def close(self, grace: float | None = None) -> None:
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._inner.channel_ready()

    async def __aenter__(self) -> "_Channel":
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()


class _Call:
    """A call in flight: await it for one answer, iterate it for many."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from self._inner.__await__())
        except grpc.aio.AioRpcError as failure:
            raise from_rpc_error(failure) from None

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            async for response in self._inner:
                yield response
        except grpc.aio.AioRpcError as failure:
            raise from_rpc_error(failure) from None


def _identified(request: Any) -> Any:
    """The request, with a new request id if it can carry one and has none (AIP-155)."""
    if not isinstance(request, Message) or "request_id" not in request.DESCRIPTOR.fields_by_name:
        return request
    if request.request_id:  # type: ignore[attr-defined]  # checked in the line before
        return request
    copy = type(request)()
    copy.CopyFrom(request)
    copy.request_id = str(uuid.uuid4())  # type: ignore[attr-defined]
    return copy
