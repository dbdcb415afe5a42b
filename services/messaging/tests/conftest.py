"""The whole service on real servers, with a carrier in a process of its own as its provider.

Its neighbours are servicers of a few lines that speak the real contract.
"""

import base64
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import heliograph.audience.v1.endpoint_service_pb2_grpc
import heliograph.twoway.v1.opt_out_service_pb2_grpc  # noqa: F401  # the servers need descriptors
import messaging
import pytest
import pytest_asyncio
from heliograph import subjects
from localmesh.peers.running import PeerProcess
from mesh.eventing import jetstream
from mesh.store import pool
from mesh.testkit.folders import ServerFolders
from messaging.assembly import Assembly
from messaging.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))

from messaging_room import CarrierAccount, Endpoints, OptOuts, Pools, Room

MIGRATIONS = Path(messaging.__file__).parent / "migrations"
_numbers = count(1)
SECRETS_KEY = base64.b64encode(bytes(range(32))).decode()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def carrier_process(server_folders: ServerFolders) -> AsyncIterator[PeerProcess]:
    """The carrier of this test process."""
    async with PeerProcess("carrier", server_folders("carrier")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def carrier(carrier_process: PeerProcess) -> AsyncIterator[CarrierAccount]:
    """An account of this test's own at the carrier, which behaves."""
    account = await CarrierAccount.open(carrier_process, f"test{next(_numbers)}")
    yield account
    await carrier_process.remote.behave_normally()


MakeRoom = Callable[..., Awaitable[Room]]


@pytest_asyncio.fixture(loop_scope="session")
async def make_room(
    migrated_database: Any,
    nats_url: str,
    nats: Any,
    carrier: CarrierAccount,
    rpc_serve: Any,
    rpc_connect: Any,
    auth_public_key: str,
    service_token: str,
) -> AsyncIterator[MakeRoom]:
    """`await make_room(**settings)`: the service, not yet with a channel."""
    async with AsyncExitStack() as stack:

        async def make(
            *, at_work: bool = True, settle_seconds: float = 0.5, **overrides: Any
        ) -> Room:
            opt_outs, endpoints, pools = OptOuts(), Endpoints(), Pools()
            neighbours = {
                "heliograph.twoway.v1.OptOutService": opt_outs,
                "heliograph.twoway.v1.PoolService": pools,
                "heliograph.audience.v1.EndpointService": endpoints,
            }
            address = await rpc_serve(neighbours)
            database_url = await migrated_database(MIGRATIONS)
            settings = Settings(
                database_url=database_url,
                nats_url=nats_url,
                auth_public_key=auth_public_key,
                service_token=service_token,
                audience_address=address,
                twoway_address=address,
                secrets_key=SECRETS_KEY,
                batch_ack_wait_seconds=1.0,
                **overrides,
            )
            assembly = await Assembly.make(settings, stack, settle_seconds=settle_seconds)
            if at_work:
                await assembly.start(stack)
            else:
                await jetstream.ensure_streams(nats[1], *subjects.STREAMS)
            served = await rpc_serve(assembly.services)
            reading = await stack.enter_async_context(pool.create(database_url, max_size=2))
            return Room(
                database_url=database_url,
                js=nats[1],
                carrier=carrier,
                opt_outs=opt_outs,
                pools=pools,
                endpoints=endpoints,
                settings=settings,
                assembly=assembly,
                address=served,
                channel=rpc_connect(served),
                connect=rpc_connect,
                pool=reading,
            )

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def room(make_room: MakeRoom) -> Room:
    """The service with an SMS channel to the carrier."""
    made = await make_room()
    await made.open_channel()
    return made


@pytest.fixture
def nats_stopped(fresh_nats_server: Any) -> Any:
    """`async with nats_stopped():` the bus is away meanwhile."""

    @asynccontextmanager
    async def stopped() -> AsyncIterator[None]:
        await fresh_nats_server.stop()
        yield
        await fresh_nats_server.start()

    return stopped
