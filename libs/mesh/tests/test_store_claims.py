"""Claims: one worker at a time, and free at once when it dies."""

from mesh.store import claims


async def test_a_claim_is_of_one_worker_until_it_is_given_back_or_its_connection_ends(
    database: str,
) -> None:
    async with claims.opened(database, "first") as first:
        assert await first.take("job", "shop", "a")
        async with claims.opened(database, "second") as second:
            assert not await second.take("job", "shop", "a")
            assert await second.take("job", "shop", "b")
            await first.give_back("job", "shop", "a")
            assert await second.take("job", "shop", "a")
        assert await first.take("job", "shop", "b")
