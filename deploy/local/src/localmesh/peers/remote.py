"""The other side of the control door, for tests, the demo and the command line."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import orjson

_TIMEOUT_SECONDS = 30.0


class ControlRefusedError(RuntimeError):
    """The peer did not do what it was told; the message is its own."""


class RemotePeer:
    """A peer in another process, by the address of its control door, `http://127.0.0.1:4711`."""

    def __init__(self, control_url: str) -> None:
        self._base = control_url if "://" in control_url else f"http://{control_url}"
        # Whatever proxy the environment names, a peer is on the same machine.
        self._opener = build_opener(ProxyHandler({}))

    async def count(self) -> dict[str, int]:
        """Number of entries in the journal by kind."""
        counts: dict[str, int] = await self.call("GET", "/count")
        return counts

    async def log(self, after: int = 0, kind: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Every entry that follows `after`, page by page; only those of one kind if given."""
        while True:
            page = await self.call("GET", f"/log?after={after}")
            for entry in page["entries"]:
                if kind is None or entry["kind"] == kind:
                    yield entry
            if not page["entries"]:
                return
            after = page["next"]

    async def behave(self, **changes: Any) -> dict[str, Any]:
        """Change the named fields of the behaviour; the behaviour in force."""
        behaviour: dict[str, Any] = await self.call("POST", "/behaviour", changes)
        return behaviour

    async def behave_normally(self) -> None:
        """Back to the first behaviour."""
        await self.call("DELETE", "/behaviour")

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any call of the peer. Raises ControlRefusedError with its message."""
        return await asyncio.to_thread(self._call, method, path, body)

    def _call(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else orjson.dumps(body)
        request = Request(self._base + path, data, method=method)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return orjson.loads(answer.read())
        except HTTPError as error:
            with error:
                raise ControlRefusedError(orjson.loads(error.read())["error"]) from None
