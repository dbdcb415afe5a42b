"""Statements on the ledger are planned right while it is empty, for such a plan is kept."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from heliograph import message_ids
from messaging.ledger import answered, claims, outcomes, queries, reports
from messaging.ledger.statements import on_day

NOW = datetime.now(UTC)
ID = UUID(int=message_ids.prefix(NOW))
STATEMENTS = {
    "record": (outcomes._RECORD, [NOW, 3, 2, 7, [ID], [3], [0], [""], ["x"], [NOW]]),
    "take": (claims._TAKE, ["b", NOW, [ID], [2], [0], [""], [1], [""], 1]),
    "find": (claims._FIND, [[ID]]),
    "move": (reports._MOVE, [[ID], [3], [4], [0], [""], [""], [NOW]]),
}

FILLED = """
INSERT INTO {partition}
SELECT 'shop', $1, gen_random_uuid(), 'b', 'r', 't', 'e' || n, 'u' || n, 1, 1, '+1' || n,
    gen_random_uuid(), gen_random_uuid(), 'o', 'US', 1, 2, 0, '', '', NULL, now(), now(), now()
FROM generate_series(1, $2::int) AS n
"""


async def plan_of(room, statement, *values):
    records = await room.assembly.pool.fetch(f"EXPLAIN {statement}", *values)
    return "\n".join(record[0] for record in records)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_message_is_found_by_its_key_even_on_the_first_row_of_a_day(room, name):
    statement, values = STATEMENTS[name]
    await room.assembly.partitions.ensure(NOW.date())

    plan = await plan_of(room, on_day(statement, NOW.date()), "shop", NOW.date(), *values)

    assert re.search(r"Index Cond: .*message_id = [ru]\.message_id", plan)
    assert "_pkey" in plan
    assert "Nested Loop" in plan


@pytest.mark.parametrize("rows", [0, 240])
async def test_what_a_text_answers_is_found_by_the_address(room, rows):
    await room.assembly.partitions.ensure(NOW.date())
    await room.assembly.pool.execute(on_day(FILLED, NOW.date()), NOW.date(), rows)

    within, states = timedelta(days=7), (2, 3)
    today = NOW.date()
    plan = await plan_of(
        room, answered._FIND, "shop", today, today, [ID], ["o"], [NOW], within, *states
    )

    assert "address_digest = r.address_digest" in plan
    assert plan.count("application_address_digest_idx") == plan.count("Index Scan") > 0


@pytest.mark.parametrize("rows", [0, 100, 170, 240])
async def test_a_receipt_finds_its_message_by_the_address(room, rows):
    """However few rows the day has when the plan is made; some numbers fill a page of one index."""
    await room.assembly.partitions.ensure(NOW.date())
    await room.assembly.pool.execute(on_day(FILLED, NOW.date()), NOW.date(), rows)

    plan = await plan_of(room, reports._MATCH, "shop", NOW.date(), [ID], ["x"], [None], 2, 7)

    assert "address_digest = r.address_digest" in plan
    assert plan.count("application_address_digest_idx") == plan.count("Index Scan") > 0


@pytest.mark.parametrize("rows", [0, 240])
async def test_a_run_is_counted_page_by_page_and_never_sorted(room, rows):
    await room.assembly.partitions.ensure(NOW.date())
    await room.assembly.pool.execute(on_day(FILLED, NOW.date()), NOW.date(), rows)

    async with room.assembly.pool.acquire() as connection, connection.transaction():
        await connection.execute(queries._COUNTING)
        records = await connection.fetch(f"EXPLAIN {queries._COUNT}", "shop", "r")
        counted = await queries.count(room.assembly.pool, "shop", "r")

    plan = "\n".join(record[0] for record in records)
    assert "HashAggregate" in plan
    assert "Bitmap Heap Scan" in plan
    assert "Sort" not in plan
    assert sum(one["count"] for one in counted) == rows
