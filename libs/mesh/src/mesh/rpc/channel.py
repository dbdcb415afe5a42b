"""Channels to other services: load balanced, kept alive, retrying, and speaking `mesh.errors`."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

import grpc
from mesh.rpc import limits, retries
from mesh.rpc.outgoing import Outgoing


def channel(
    address: str,
    *,
    token: str | None = None,
    credentials: grpc.ChannelCredentials | None = None,
) -> grpc.aio.Channel:
    """A channel to the service at `address` (`host:port`, or `dns:///name:port` for every replica).

    With `token` every call carries it; without, a call carries the token of the caller of the
    request in work. Close the channel, or use it as a context. Channels to one address share
    their connections inside gRPC, so that one per token is cheap. The generated modules of the
    services to be called must be imported before: their methods decide what is retried.
    """
    options = [*limits.CHANNEL, ("grpc.service_config", retries.service_config())]
    if credentials is None:
        inner = grpc.aio.insecure_channel(address, options=options)
    else:
        inner = grpc.aio.secure_channel(address, credentials, options=options)
    return Channel(inner, token)


class Channel(grpc.aio.Channel):
    """A gRPC channel whose methods are wrapped in `Outgoing`.

    Wrapping costs less than gRPC's interceptors, which make a task of every call.
    """

    def __init__(self, inner: grpc.aio.Channel, token: str | None) -> None:
        self._inner = inner
        self._token = token

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """A method with one request and one response."""
        return self._wrap(self._inner.unary_unary, method, args, kwargs, unary=True)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """A method with one request and a stream of responses."""
        return self._wrap(self._inner.unary_stream, method, args, kwargs)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """A method with a stream of requests and one response."""
        return self._wrap(self._inner.stream_unary, method, args, kwargs)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """A method with streams both ways."""
        return self._wrap(self._inner.stream_stream, method, args, kwargs)

    def _wrap(
        self,
        make: Callable[..., Any],
        method: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        unary: bool = False,
    ) -> Outgoing:
        return Outgoing(method, make(method, *args, **kwargs), self._token, unary=unary)

    async def close(self, grace: float | None = None) -> None:
        """Close, giving calls in flight `grace` seconds."""
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """The state of the connection."""
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Until the state is another one."""
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Until the channel is connected."""
        await self._inner.channel_ready()

    async def __aenter__(self) -> "Channel":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
