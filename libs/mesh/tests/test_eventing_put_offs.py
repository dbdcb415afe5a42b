"""When it is said why deliveries are put off."""

from mesh.eventing import put_offs
from mesh.eventing.put_offs import TELL_EVERY_SECONDS, PutOffs


def test_a_reason_is_told_at_once_and_then_once_a_minute_with_all_since() -> None:
    told = PutOffs()

    assert told.add("away", 1, 100.0) == 1
    assert told.add("away", 2, 101.0) is None
    assert told.add("away", 3, 100.0 + TELL_EVERY_SECONDS) == 5
    assert told.add("away", 1, 101.0 + TELL_EVERY_SECONDS) is None


def test_another_reason_is_told_at_once() -> None:
    told = PutOffs()
    told.add("away", 1, 100.0)

    assert told.add("full", 4, 100.0) == 4


def test_reasons_without_end_are_forgotten_the_oldest_first() -> None:
    told = PutOffs()

    for number in range(10 * put_offs.REASONS_MAX):
        assert told.add(f"reason {number}", 1, 100.0) == 1

    assert told.add(f"reason {10 * put_offs.REASONS_MAX - 1}", 1, 101.0) is None
    assert told.add("reason 0", 1, 101.0) == 1
