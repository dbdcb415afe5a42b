"""The fixtures themselves."""

from collections.abc import Callable

import asyncpg
import pytest
from mesh.embedded.nats import NatsServer
from mesh.eventing import jetstream
from mesh.testkit import eventually


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
