"""Who goes first at a channel, and what is left of how far a batch had come."""

import asyncio
from dataclasses import replace

import pytest
from heliograph.messaging.v1.content_pb2 import Purpose
from mesh.testkit.waiting import eventually
from messaging.pipeline import works
from messaging.pipeline.driving import URGENT_MAX, is_urgent
from messaging.pipeline.reaching import Frontier
from messaging_samples import APPLICATION, batch, endpoint

MANY = URGENT_MAX + 1


def row(purpose, run):
    sent = batch([endpoint(1)])
    frame = works.Frame(sent, [], {}, sent.source_time.ToDatetime())
    return replace(works.row_of(frame, sent.recipients[0]), purpose=purpose, run=run)


@pytest.mark.parametrize(
    ("purpose", "run", "count", "urgent"),
    [
        (Purpose.TRANSACTIONAL, "", MANY, True),
        (Purpose.OPT_OUT_CONFIRMATION, "", MANY, True),
        (Purpose.PROMOTIONAL, "", MANY, False),
        (Purpose.PROMOTIONAL, "", URGENT_MAX, True),
        (Purpose.PURPOSE_UNSPECIFIED, "", MANY, False),
        (Purpose.TRANSACTIONAL, "campaigns/c/runs/r", MANY, False),
        (Purpose.TRANSACTIONAL, "campaigns/c/runs/r", URGENT_MAX, True),
    ],
)
def test_who_waits_for_a_message_goes_first(purpose, run, count, urgent):
    assert is_urgent(row(purpose, run), count) is urgent


async def test_a_batch_that_has_ended_leaves_no_frontier(room):
    await room.publish(batch([endpoint(i) for i in range(30)]))
    await room.settled(30)

    async def forgotten():
        return await room.pool.fetchval("SELECT count(*) FROM batch_frontiers") == 0

    await eventually(forgotten)


MOVES = """
CREATE TABLE moves (frontier integer);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO moves VALUES (NEW.frontier); RETURN NEW; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON batch_frontiers
FOR EACH ROW EXECUTE FUNCTION note()
"""


async def test_slices_that_leave_together_move_the_frontier_once(room):
    await room.pool.execute(MOVES)
    frontier = Frontier(room.pool, APPLICATION, "b1")

    reached = await asyncio.gather(*(frontier.reach(position) for position in (8, 16, 24, 32)))
    behind = await frontier.reach(24)

    moves = [record[0] for record in await room.pool.fetch("SELECT frontier FROM moves")]
    assert (reached, behind) == ([True] * 4, True)
    assert moves == [8, 32, 32], "one that comes later is asked about, too, and takes nothing back"


async def test_no_slice_leaves_of_an_application_that_was_deleted(room):
    frontier = Frontier(room.pool, APPLICATION, "b1")
    assert await frontier.reach(24)

    await room.pool.execute(
        "INSERT INTO tombstones (application, operation, delete_time, hear_time, erased_rows)"
        " VALUES ($1, 'o', now(), now(), '{}')",
        APPLICATION,
    )

    assert not await frontier.reach(16)
    assert await asyncio.gather(*(frontier.reach(position) for position in (8, 16))) == [False] * 2
