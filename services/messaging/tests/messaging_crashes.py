"""A process that is held from outside, to be killed there.

Nothing of ours is replaced: a statement waits in PostgreSQL for a lock, what was said stays in the
link to the carrier or the bus.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg
from google.protobuf.duration_pb2 import Duration
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.testkit.relay import Relay
from mesh.testkit.waiting import eventually
from messaging_room import CarrierAccount, Room

KEY = 4711
SLOW_RECEIPTS = {"delay_seconds_min": 0.2, "delay_seconds_max": 0.3}
"""So that they do not overtake the record of what they are about."""

_WAITING = """
SELECT pid FROM pg_locks
WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_PASSING = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND objid = $1 AND pid <> pg_backend_pid()
"""
_HOLD = f"""
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared({KEY}); RETURN NEW; END $$
"""
CLAIMING = "BEFORE INSERT ON messages FOR EACH ROW"
GIVING_BACK = "BEFORE UPDATE ON cap_counters FOR EACH ROW WHEN (NEW.messages = '{}')"
RECORDING = f"BEFORE UPDATE ON messages FOR EACH ROW WHEN (NEW.state = {Message.SENT})"


@dataclass(frozen=True)
class RelayedAccount(CarrierAccount):
    """An account that is reached through a link."""

    link_port: int

    @property
    def port(self) -> int:
        """Where the link begins."""
        return self.link_port


@dataclass
class Gate:
    """A lock that statements of the doomed process wait for, held by a connection of the test's."""

    connection: Any

    async def reached(self) -> None:
        """Waits until a statement waits."""
        await eventually(self._waiting)

    async def undo(self) -> None:
        """Ends what waits, so that it has never happened."""
        for pid in await self._waiting():
            await self.connection.execute("SELECT pg_terminate_backend($1)", pid)
        await eventually(self._nobody)

    async def open(self) -> None:
        """Lets what waits come to its end, and everything that comes later."""
        await self.connection.execute("SELECT pg_advisory_unlock_all()")
        await eventually(self._nobody)

    async def _waiting(self) -> list[int]:
        return [record["pid"] for record in await self.connection.fetch(_WAITING)]

    async def _nobody(self) -> bool:
        return not await self._waiting() and not await self.connection.fetchval(_PASSING, KEY)


@dataclass
class Doom:
    """A process that will be killed, and what it works on."""

    room: Room
    ports: Path
    carrier_link: Relay
    bus_link: Relay
    twoway_link: Relay
    process: asyncio.subprocess.Process | None = None

    @classmethod
    @asynccontextmanager
    async def of(cls, room: Room, folder: Path) -> AsyncIterator[Self]:
        """Puts links between the process to come and its neighbours; opens the channel."""
        async with AsyncExitStack() as stack:
            links = [
                await stack.enter_async_context(Relay(port))
                for port in (
                    room.carrier.port,
                    int(room.settings.nats_url.rpartition(":")[2]),
                    int(room.settings.twoway_address.rpartition(":")[2]),
                )
            ]
            account = room.carrier
            room.carrier = RelayedAccount(
                account.process, account.system_id, account.begun, links[0].port
            )
            await room.carrier.remote.behave(receipts=SLOW_RECEIPTS)
            await room.open_channel(settle_window=Duration(seconds=3))
            await room.assembly.connections.close()
            doom = cls(room, folder / "ports.json", *links)
            stack.push_async_callback(doom.kill)
            yield doom

    async def begin(self, sent: SendBatch) -> None:
        """Puts a batch on the bus and starts the process, which works on it at once."""
        await self.room.publish(sent)
        self.process = await started(
            self.room,
            self.ports,
            HELIOGRAPH_NATS_URL=f"nats://127.0.0.1:{self.bus_link.port}",
            HELIOGRAPH_TWOWAY_ADDRESS=f"127.0.0.1:{self.twoway_link.port}",
            HELIOGRAPH_CHUNK_SIZE_MAX="20",
        )

    async def kill(self) -> None:
        """SIGKILL; whatever is still on its way is lost."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self.process = None
        for link in (self.carrier_link, self.bus_link, self.twoway_link):
            await link.cut()
            link.requests.release()
            link.answers.release()

    def gate(self, where: str) -> AbstractAsyncContextManager[Gate]:
        """A gate before rows are written; on leaving it is open."""
        return gate_at(self.room.database_url, where)


@asynccontextmanager
async def gate_at(database_url: str, where: str) -> AsyncIterator[Gate]:
    """A gate before rows are written; on leaving it is open."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_HOLD)
        await connection.execute(f"CREATE TRIGGER hold {where} EXECUTE FUNCTION hold()")
        await connection.execute("SELECT pg_advisory_lock($1)", KEY)
        gate = Gate(connection)
        yield gate
        await gate.open()
    finally:
        await connection.close()


async def started(room: Room, ports: Path, **environment: str) -> asyncio.subprocess.Process:
    """The service in a process of its own, ready."""
    settings = room.settings
    given = {
        "HELIOGRAPH_DATABASE_URL": settings.database_url,
        "HELIOGRAPH_NATS_URL": settings.nats_url,
        "HELIOGRAPH_AUTH_PUBLIC_KEY": settings.auth_public_key,
        "HELIOGRAPH_SERVICE_TOKEN": settings.service_token.get_secret_value(),
        "HELIOGRAPH_AUDIENCE_ADDRESS": settings.audience_address,
        "HELIOGRAPH_TWOWAY_ADDRESS": settings.twoway_address,
        "HELIOGRAPH_SECRETS_KEY": settings.secrets_key.get_secret_value(),
        "HELIOGRAPH_BATCH_ACK_WAIT_SECONDS": "1",
        "HELIOGRAPH_PORTS_FILE": str(ports),
        "HELIOGRAPH_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "messaging", "serve", env={**os.environ, **given, **environment}
    )
    await eventually(lambda: ports.exists() and json.loads(ports.read_text())["grpc"])
    return process
