"""Consent for 1,000 addresses among ten million opted-out numbers.

The numbers come straight into the tables of a mesh of the bench's own, in the order of their keys.
Half of those that are asked for are opted out, and they lie all over the index. The yardstick is
a plain select of the same keys, on a connection of its own, each time right before.
"""

import statistics
from collections.abc import Iterator
from itertools import count
from typing import Final

import asyncpg
from heliograph.twoway.v1.opt_out_service_pb2 import CheckConsentRequest
from mesh.store import pool
from twoway.consent import checking

from localmesh.bench.rounds import Round, middle_of, stopwatch
from localmesh.bench.stage import NUMBER, PARENT, Stage

APPLICATION: Final = PARENT.rpartition("/")[2]
OPTED_OUT: Final = 10_000_000
ADDRESSES: Final = 1_000
QUESTIONS: Final = 100
ROUNDS: Final = 3
MILLISECONDS_MAX: Final = 10
STRIDE: Final = 7_919_143
"""A prime, so that the numbers lie all over the index."""

_FILL: Final = f"""
INSERT INTO opted_out_numbers (application, opt_out_list, phone_number, source, text,
    origination_identity, inbound_message, caller, comment, confirmed, opt_out_time)
SELECT '{APPLICATION}', 'default', '+1' || 2000000000 + 2 * i, 'IMPORT', '', '', '', '', '',
    true, now()
FROM generate_series(0, {OPTED_OUT - 1}) AS i
"""
_PLAIN: Final = """
SELECT phone_number FROM opted_out_numbers
WHERE application = $1 AND opt_out_list = $2 AND phone_number = ANY($3::text[])
"""
_FILL_SECONDS_MAX: Final = 600.0


async def measure(stage: Stage) -> None:
    """At the database, and as the call that messaging makes."""
    url = stage.mesh.description.databases["twoway"]
    await _fill(url)
    serials = count()
    async with pool.create(url, max_size=1, reset=False) as asking:
        # What was just filled lies on the disk; numbers that are asked for all day do not.
        await _round(asking, serials)
        middle = await middle_of(ROUNDS, lambda _: _round(asking, serials))
    stage.note("1,000 numbers selected by key", 1000 / middle.yardstick, "ms", process="postgres")
    _note(stage, "consent of 1,000 among 10 million, at the database", 1 / middle.rate)
    stage.note("  of the plain select", middle.rate, "questions/s", yardstick=middle.yardstick)
    called = statistics.median([await _call(stage, serials) for _ in range(QUESTIONS)])
    _note(stage, "  CheckConsent", called, "twoway")


def _note(stage: Stage, name: str, seconds: float, process: str = "") -> None:
    stage.note(
        *(name, seconds * 1000, "ms"), limit=MILLISECONDS_MAX, is_ceiling=True, process=process
    )


async def _call(stage: Stage, serials: Iterator[int]) -> float:
    """Seconds that a call takes."""
    request = CheckConsentRequest(
        parent=PARENT,
        origination_identity=NUMBER,
        destination_addresses=_addresses(next(serials)),
    )
    with stopwatch() as calling:
        answer = await stage.client.opt_outs.CheckConsent(request)
    assert len(answer.opted_out_addresses) == ADDRESSES // 2
    return calling.seconds


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_FILL, timeout=_FILL_SECONDS_MAX)
        await connection.execute("VACUUM ANALYZE opted_out_numbers", timeout=_FILL_SECONDS_MAX)
    finally:
        await connection.close()


async def _round(asking: "asyncpg.Pool[asyncpg.Record]", serials: Iterator[int]) -> Round:
    """Questions a second, and plain selects of the same kind, by their medians."""
    plain, ours = [], []
    for _ in range(QUESTIONS):
        addresses = _addresses(next(serials))
        with stopwatch() as selecting:
            await asking.fetch(_PLAIN, APPLICATION, "default", addresses)
        addresses = _addresses(next(serials))
        with stopwatch() as asked:
            await checking.opted_out(asking, APPLICATION, NUMBER, addresses)
        plain.append(selecting.seconds)
        ours.append(asked.seconds)
    return Round(1 / statistics.median(ours), 1 / statistics.median(plain))


def _addresses(serial: int) -> list[str]:
    """Every second one of them is opted out."""
    first = serial * ADDRESSES
    return [
        f"+1{2_000_000_000 + (first + one) * STRIDE % (2 * OPTED_OUT)}" for one in range(ADDRESSES)
    ]
