"""All members by key, a page at a time."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final, TypeAlias

from heliograph.audience.v1 import segment_filter_pb2 as pb

from audience.segments import queries
from audience.segments.prefetching import ahead
from audience.segments.windows import Windows

READ_AT_ONCE: Final = 5_000

Rows: TypeAlias = Sequence[queries.Row]
Pages: TypeAlias = AsyncGenerator[Rows, None]


async def pages(ask: Callable[..., Awaitable[Rows]], after: str, size: int) -> Pages:
    """Pages of a question that endpoints alone answer.

    The first one comes as soon as it can; then more is read at once than one page, as beginning
    anew costs PostgreSQL more than reading on.
    """
    limit = size
    while rows := await ask(after=after, limit=limit):
        for begin in range(0, len(rows), size):
            yield rows[begin : begin + size]
        if len(rows) < limit:
            return
        after, limit = rows[-1][0], max(size, READ_AT_ONCE // size * size)


async def windowed_pages(
    question: pb.SegmentFilter, windows: Windows, after: str, size: int, window_size: int
) -> Pages:
    """Pages of a question about behaviour: the same SQL, asked of a window at a time."""
    held: list[queries.Row] = []
    async with aclosing(ahead(windows.after(after, window_size))) as found:
        async for window in found:
            held += await queries.members_in(
                windows.pool, windows.application, question, window, windows.read_time
            )
            while len(held) >= size:
                yield held[:size]
                held = held[size:]
    if held:
        yield held
