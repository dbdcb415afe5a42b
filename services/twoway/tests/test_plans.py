"""What is asked about people reads a few pages for each of them, also by a plan that was made, and
kept, while the tables were empty, and before PostgreSQL knows anything about them."""

from typing import Any

import pytest
from twoway import names
from twoway.consent import checking
from twoway.inbound import questions, store
from twoway_room import NUMBER, Room, sms

PEOPLE = 600
ASKED = [f"+1206{number:07}" for number in range(1, PEOPLE, 40)]
KEPT_AFTER = 6
"""By then PostgreSQL keeps a plan."""

# With how many pages each may cost: some levels of an index and the row itself, in each table. All
# of them would be hundreds.
STATEMENTS = {
    "known texts": (store._KNOWN, [ASKED], 8),
    "who writes": (store._WRITERS, [[NUMBER] * len(ASKED), ASKED, ["default"] * len(ASKED)], 16),
    "open questions": (questions._OF, [ASKED], 8),
    "consent": (checking.STATEMENTS[names.PHONE_NUMBER], [NUMBER, ASKED], 8),
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_who_is_asked_about_is_looked_up(room: Room, asking: Any, name: str) -> None:
    statement, values, pages_each_max = STATEMENTS[name]
    execute = f"EXECUTE asked ({', '.join(map(_literal, ['shop', *values]))})"
    async with asking.acquire() as connection:
        await connection.execute(f"PREPARE asked AS {statement}")
        for _ in range(KEPT_AFTER):
            await connection.execute(execute)
        await room.receive(*(sms("stop", f"+1206{number:07}") for number in range(1, PEOPLE)))

        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {execute}")
        await connection.execute("DEALLOCATE asked")

    assert explained[0]["Plan"]["Shared Hit Blocks"] <= pages_each_max * len(ASKED)


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(_literal, value))}]"
    return f"'{value}'"
