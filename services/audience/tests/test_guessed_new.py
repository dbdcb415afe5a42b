"""A large write that is taken for new may be wrong, and ends as if nobody had guessed."""

import audience_samples as samples
import pytest
from audience.endpoints import writing
from audience.endpoints.patches import Patch
from audience.endpoints.prepared import Prepared

SMS = 1


def patches(numbers, **supplied):
    return [
        Patch(
            endpoint=f"e{number}",
            channel_type=SMS,
            address=f"+1415555{number:04}",
            user_id=f"u{number}",
            user_attributes={"tier": ["gold"]},
            **supplied,
        )
        for number in numbers
    ]


async def write(connection, written, *, guess):
    prepared = Prepared("shop", written, samples.START)
    prepared.is_new = guess
    async with connection.transaction():
        batch, outcomes = await writing.write_many(connection, prepared)
    return prepared, batch, outcomes


async def stored(connection):
    return await connection.fetch(
        "SELECT endpoint, address, status, attributes, revision FROM endpoint ORDER BY endpoint"
    ), await connection.fetch("SELECT user_id, attributes, revision FROM user_profile ORDER BY 1")


@pytest.fixture
async def connection(reading):
    async with reading.acquire() as connection:
        await connection.execute(samples.APPLICATION, "shop", b"", samples.START)
        yield connection


async def test_what_is_new_is_stored_by_a_right_guess_as_without_one(connection):
    await write(connection, patches(range(10)), guess=True)
    guessed = await stored(connection)
    await connection.execute("TRUNCATE endpoint, user_profile")

    await write(connection, patches(range(10)), guess=False)

    assert await stored(connection) == guessed
    assert len(guessed[0]) == len(guessed[1]) == 10


@pytest.mark.parametrize("there", [range(5, 6), range(10)], ids=["one of them", "all of them"])
async def test_a_wrong_guess_changes_what_is_stored_already(connection, there):
    await write(connection, patches(there, attributes={"color": ["red"]}), guess=False)

    prepared, batch, _ = await write(connection, patches(range(10)), guess=True)

    endpoints, users = await stored(connection)
    assert [row["revision"] for row in endpoints] == [1 + (n in there) for n in range(10)]
    assert sum("color" in row["attributes"] for row in endpoints) == len(there)
    assert len(users) == 10
    assert sum(is_new for is_new, _ in batch.records()) == 10 - len(there)
    assert not prepared.is_new


async def test_a_wrong_guess_about_users_keeps_what_they_have(connection):
    known = [Patch(endpoint="x", channel_type=SMS, address="+14155559999", user_id="u3",
                   user_attributes={"city": ["Rome"]})]  # fmt: skip
    await write(connection, known, guess=False)

    await write(connection, patches(range(10)), guess=True)

    _, users = await stored(connection)
    assert {row["user_id"]: row["attributes"] for row in users}["u3"] == (
        {"city": ["Rome"], "tier": ["gold"]}
    )


async def test_addresses_are_taken_once_though_the_guess_was_wrong(connection):
    holder = [Patch(endpoint="x", channel_type=SMS, address="+14155550003")]
    await write(connection, [*holder, *patches([5])], guess=False)

    _, batch, _ = await write(connection, patches(range(10)), guess=True)

    assert [(claim.endpoint, claim.former) for claim in batch.claims] == [("e3", "x")]
