"""Claims: one worker at a time, and free at once when it dies."""

import pytest
from mesh.store import claims

A, B = ("shop", "a"), ("shop", "b")


async def test_each_worker_gets_what_nobody_else_is_at(database: str) -> None:
    async with (
        claims.first(database, "job", [A, B], "first") as mine,
        claims.first(database, "job", [A, B], "second") as yours,
        claims.first(database, "job", [A, B], "third") as nothing,
        claims.first(database, "other", [A], "fourth") as other,
    ):
        assert (mine, yours, nothing, other) == (A, B, None, A)


async def test_what_a_worker_left_is_free_again(database: str) -> None:
    async def die() -> None:
        async with claims.first(database, "job", [A], "dying"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await die()

    async with claims.first(database, "job", [A], "next") as mine:
        assert mine == A


async def test_nobody_is_connected_for_nothing() -> None:
    async with claims.first("postgresql://nowhere.invalid/db", "job", [], "idle") as nothing:
        assert nothing is None
