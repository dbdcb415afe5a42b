"""The open channels of this process: one driver each, replaced when their channel changes."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.channel_pb2 import Channel
from mesh import worker
from mesh.sealing import Sealer
from mesh.store.notifications import Listener as NotificationListener
from mesh.telemetry import logging

from messaging import channel_configs
from messaging.channels.channel import Driver, DriverFactory, Listener
from messaging.ledger.persistence import Pool
from messaging.places import Places

_log = logging.get(__name__)

NOTIFICATION = "channels"
"""PostgreSQL notification of a change to a channel."""

POLL_SECONDS = 10.0
"""Covers notifications that were lost."""

REFRESH_SECONDS_MIN = 1.0
SETTLE_SECONDS_DEFAULT = 60.0
CHUNK_SECONDS = 1.0
"""What a chunk may take at the provider's rate, so that consent is fresh."""

_READ = """
SELECT application, id, config, secrets, revision FROM channels WHERE enabled
"""

CHUNK_WINDOWS = 4
CHUNK_SIZE_MIN = 32
SLICE_SIZE_MIN = 8
SLICES_A_WINDOW = 4
"""Several, so that one is made ready while the others are under way."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """A channel with its driver; `channel` holds no secrets."""

    application: str
    channel: Channel
    revision: int
    driver: Driver
    places: Places

    @classmethod
    def of(cls, application: str, channel: Channel, revision: int, driver: Driver) -> Self:
        """A channel with as many places as its provider's window."""
        together = max(SLICE_SIZE_MIN, driver.window // SLICES_A_WINDOW)
        places = Places(max(driver.window, 2 * together), together)
        return cls(application, channel, revision, driver, places)

    @property
    def settle_window_seconds(self) -> float:
        """How long a receipt may settle an unknown outcome."""
        if not self.channel.HasField("settle_window"):
            return SETTLE_SECONDS_DEFAULT
        return float(self.channel.settle_window.ToTimedelta().total_seconds())


class Connections:
    """Keeps a driver open for each enabled channel. Each replica opens its own connections."""

    def __init__(
        self,
        pool: Pool,
        sealer: Sealer,
        drivers: Mapping[str, DriverFactory],
        listen: Callable[[str, str], Listener],
    ) -> None:
        """`listen` makes what hears an application's channel, by their ids."""
        self._pool = pool
        self._sealer = sealer
        self.drivers = drivers
        self._listen = listen
        self._open: dict[Key, OpenChannel] = {}
        self._by_type: dict[tuple[str, int], OpenChannel] = {}
        self._refreshing = asyncio.Lock()
        self._refreshed = 0.0

    def get(self, application: str, channel_type: int) -> OpenChannel | None:
        """The channel that reaches this kind of address; None when none is enabled."""
        return self._by_type.get((application, channel_type))

    def originations(self, application: str) -> dict[ChannelType.ValueType, str]:
        """The kinds of address that the application reaches, with their default origination."""
        return {
            open_channel.channel.channel_type: open_channel.channel.default_origination_identity
            for open_channel in self._open.values()
            if open_channel.application == application
        }

    def chunk_size(
        self, application: str, channel_types: Collection[int], chunk_size_max: int
    ) -> int:
        """Messages that go through the steps together: no more than a second's worth, and than
        some windows, so that the last of them does not wait long after consent was asked."""
        found = (self.get(application, channel_type) for channel_type in channel_types)
        drivers = [open_channel.driver for open_channel in found if open_channel is not None]
        windows = [max(CHUNK_SIZE_MIN, driver.window * CHUNK_WINDOWS) for driver in drivers]
        rates = [driver.rate_per_second for driver in drivers if driver.rate_per_second > 0]
        seconds = [max(1, int(rate * CHUNK_SECONDS)) for rate in rates]
        return min([chunk_size_max, *windows, *seconds])

    async def ensure(self, application: str, channel_types: Collection[int]) -> None:
        """Looks again, at most once a second, when one of these kinds is not reached."""
        if all((application, channel_type) in self._by_type for channel_type in channel_types):
            return
        if asyncio.get_running_loop().time() - self._refreshed > REFRESH_SECONDS_MIN:
            await self.refresh()

    async def refresh(self) -> None:
        """Opens what is new, replaces what has changed, closes what is gone."""
        async with self._refreshing:
            wanted = {
                (record["application"], record["id"]): record
                for record in await self._pool.fetch(_READ)
            }
            old = [
                self._open.pop(key)
                for key, open_channel in list(self._open.items())
                if key not in wanted or wanted[key]["revision"] != open_channel.revision
            ]
            for key, record in wanted.items():
                if key not in self._open:
                    await self._open_one(key, record)
            self._by_type = {
                (open_channel.application, open_channel.channel.channel_type): open_channel
                for open_channel in self._open.values()
            }
            self._refreshed = asyncio.get_running_loop().time()
        await _close(old)

    async def run(self, database_url: str) -> None:
        """Refreshes after every change, until cancelled."""
        async with NotificationListener(database_url, NOTIFICATION) as notifications:
            await worker.run(
                "channels", self.refresh, poll_seconds=POLL_SECONDS, woken=notifications
            )

    async def close(self) -> None:
        """Closes every driver, after a bounded wait for what is under way."""
        old = list(self._open.values())
        self._open.clear()
        self._by_type = {}
        await _close(old)

    def make(self, application: str, channel_id: str, channel: Channel) -> Driver:
        """An unopened driver of a channel whose secrets are in clear."""
        factory = self.drivers[channel_configs.provider_of(channel)]
        return factory(channel, self._listen(application, channel_id))

    async def _open_one(self, key: Key, record: Any) -> None:
        application, channel_id = key
        channel = Channel.FromString(record["config"])
        try:
            clear = Channel()
            clear.CopyFrom(channel)
            channel_configs.put_secrets(
                clear, opened(self._sealer, application, channel_id, record["secrets"])
            )
            driver = self.make(application, channel_id, clear)
            await driver.open()
        except Exception as error:
            # One channel that cannot be opened must not keep the others closed.
            _log.error(
                "channel.not_opened", channel=f"{application}/{channel_id}", error=str(error)
            )
            return
        self._open[key] = OpenChannel.of(application, channel, record["revision"], driver)


def opened(
    sealer: Sealer, application: str, channel_id: str, sealed: Mapping[str, str]
) -> dict[str, str]:
    """A channel's secrets in clear, by path. Raises ValueError for a wrong key."""
    return {
        path: sealer.open(text, place(application, channel_id, path))
        for path, text in sealed.items()
    }


def place(application: str, channel_id: str, path: str) -> str:
    """Where a secret belongs; it can be opened nowhere else."""
    return f"{application}|{channel_id}|{path}"


async def _close(channels: Collection[OpenChannel]) -> None:
    await asyncio.gather(
        *(open_channel.driver.close() for open_channel in channels), return_exceptions=True
    )
