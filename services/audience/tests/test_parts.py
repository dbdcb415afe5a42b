"""Lines of a folder's files are counted through all of them, and told by file again."""

from datetime import UTC, datetime
from itertools import accumulate

from audience.endpoints.prepared import Prepared
from audience.transfers.chunks import Chunk
from audience.transfers.failures import Failure
from audience.transfers.parts import Counted, Places
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_every_line_is_told_by_its_file_and_its_line_there(counts: list[int]) -> None:
    starts = [0, *accumulate(counts)][: len(counts)]
    places = Places([(start, f"file {index}") for index, start in enumerate(starts)])
    lines = [
        (f"file {index}", line, start + line)
        for index, (start, count) in enumerate(zip(starts, counts, strict=True))
        for line in range(1, count + 1)
    ]

    assert [places.of(counted) for _, _, counted in lines] == [
        (file, line) for file, line, _ in lines
    ]
    assert Places([]).of(7) == ("", 7)


async def test_a_chunk_is_counted_on_in_all_that_it_tells() -> None:
    class One:
        async def next(self) -> Chunk:
            prepared = Prepared("shop", [], NOW)
            failures = [Failure(2, "Id", "r", "d")]
            return Chunk(prepared, [1, 3], failures, [(4, "u")], 100, 4, 50)

    counted = await Counted(One(), 10).next()

    assert counted is not None
    assert (counted.lines, counted.users, counted.line) == ([11, 13], [(14, "u")], 14)
    assert [one.line for one in counted.failures] == [12]
    assert (counted.offset, counted.stored_bytes) == (100, 50)
