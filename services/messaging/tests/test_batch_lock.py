"""The lock on a batch, on a real PostgreSQL."""

import pytest
from mesh.store import pool
from mesh.testkit.waiting import eventually
from messaging.ledger.persistence import batch_lock


@pytest.fixture
async def connections(database):
    async with pool.create(database, reset=False) as connections:
        yield connections


async def test_one_worker_has_a_batch(connections):
    async with (
        batch_lock(connections, "b1") as first,
        batch_lock(connections, "b1") as second,
        batch_lock(connections, "b2") as other,
    ):
        assert first is not None
        assert second is None
        assert other is not None

    async with batch_lock(connections, "b1") as again:
        assert again is not None


async def test_a_lock_goes_with_its_connection(connections):
    async with batch_lock(connections, "b1") as first:
        await connections.execute("SELECT pg_terminate_backend($1)", first.get_server_pid())

        async def is_free():
            async with batch_lock(connections, "b1") as taken_over:
                return taken_over is not None

        await eventually(is_free)
