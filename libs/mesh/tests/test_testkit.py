"""The fixtures themselves."""

from collections.abc import Callable

import asyncpg
import clickhouse_connect
import pytest
from google.longrunning import operations_pb2  # noqa: F401  # registers the service
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mesh.embedded.nats import NatsServer
from mesh.eventing import jetstream
from mesh.testkit import eventually
from mesh.testkit.rpc import RpcClient


async def test_each_test_gets_an_empty_database(database: str) -> None:
    connection = await asyncpg.connect(database)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.execute("CREATE TABLE left_behind ()")
    await connection.close()

    assert tables == 0


async def test_the_next_test_sees_nothing_of_it(database: str) -> None:
    connection = await asyncpg.connect(database)
    found = await connection.fetchval("SELECT to_regclass('left_behind')")
    await connection.close()

    assert found is None


async def test_a_stopped_nats_server_comes_back_with_its_port_and_streams(
    fresh_nats_server: NatsServer,
) -> None:
    async with jetstream.connect(fresh_nats_server.url) as (_, js):
        await jetstream.ensure_stream(js, "KEPT", ["kept.>"])
        await fresh_nats_server.stop()
        await fresh_nats_server.start()

        info = await jetstream.wait_for_stream(js, "KEPT")

    assert info.config.subjects == ["kept.>"]


async def test_eventually_returns_the_first_truthy_value() -> None:
    values = iter([0, None, "there"])

    assert await eventually(lambda: next(values)) == "there"


async def test_eventually_fails_with_the_last_assertion() -> None:
    def probe() -> bool:
        raise AssertionError("still two")

    with pytest.raises(AssertionError, match="still two"):
        await eventually(probe, timeout_seconds=0.1)


def test_tokens_name_their_applications(
    mint_token: Callable[..., str], auth_public_key: str
) -> None:
    from mesh.rpc.auth import keys
    from mesh.rpc.auth.tokens import Verifier

    caller = Verifier(keys.public_keys(auth_public_key)).verify(mint_token(["shop"]))

    assert caller.applications == {"shop"}


async def test_a_servicer_is_served_behind_a_channel(rpc_client: RpcClient) -> None:
    channel = await rpc_client({"google.longrunning.Operations": object()})

    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="google.longrunning.Operations")
    answer = await health.Check(request)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_clickhouse_database_is_empty_and_ones_own(clickhouse_database: str) -> None:
    client = clickhouse_connect.get_client(dsn=clickhouse_database)
    tables = client.query("SHOW TABLES").result_rows
    client.command("CREATE TABLE t (n Int64) ENGINE = MergeTree ORDER BY n")
    client.close()

    assert tables == []
