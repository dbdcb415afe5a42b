"""Long texts: stored part by part, announced once, whatever dies or is lost between."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from heliograph import subjects
from heliograph.messaging.v1.events_pb2 import InboundSmsReceived
from hypothesis import given
from hypothesis import strategies as st
from mesh.sms import segment
from mesh.testkit.bus import published
from messaging.channels.inbound import InboundPart
from messaging.long_texts import folding, long_texts
from messaging.long_texts.folding import LongText
from messaging.long_texts.long_texts import LongTexts

NOW = datetime(2100, 1, 1, tzinfo=UTC)
"""Nothing is due to the service itself, which runs beside the tests."""
LATER = NOW + folding.PARTS_WITHIN
NAME = "applications/shop/channels/sms"


def parts(words: str, reference: int = 9, at: datetime = NOW) -> list[InboundPart]:
    cut = segment(words)
    return [
        InboundPart(
            *("+12065550191", "+12065550100", reference, len(cut.parts), sequence),
            octets,
            cut.encoding.data_coding,
            at,
        )
        for sequence, octets in enumerate(cut.parts, start=1)
    ]


def folded(*arrived: InboundPart, texts: dict | None = None, now: datetime = NOW):
    return folding.fold(texts or {}, NAME, arrived, now)


def told(text: LongText) -> tuple[str, bool]:
    said = folding.inbound_text(text)
    return said.text, said.incomplete


@given(words=st.text("abcж😀 \n", min_size=161, max_size=900), order=st.randoms())
def test_parts_in_any_order_and_number_make_the_text(words, order) -> None:
    arrived = 2 * parts(words)
    order.shuffle(arrived)

    fold = folded(*arrived)

    (text,) = fold.texts.values()
    assert told(text) == (words, False)
    assert fold.repeated == len(arrived) / 2


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ((0,), "…" + "b" * 153 + "c" * 10),
        ((1,), "a" * 153 + "…" + "c" * 10),
        ((2,), "a" * 153 + "b" * 153 + "…"),
        ((0, 1), "…" + "c" * 10),
        ((0, 2), "…" + "b" * 153 + "…"),
    ],
)
def test_what_is_missing_is_shown(missing: tuple[int, ...], said: str) -> None:
    arrived = parts("a" * 153 + "b" * 153 + "c" * 10)

    fold = folded(*(part for index, part in enumerate(arrived) if index not in missing))

    (text,) = fold.texts.values()
    assert told(text) == (said, True)
    assert folding.inbound_text(text).parts == 3 - len(missing)


def test_a_part_that_comes_again_after_its_text_was_announced_is_a_repetition() -> None:
    fold = folded(*parts("x" * 200))
    known = {key: folding.announced(text) for key, text in fold.texts.items()}

    again = folded(*parts("x" * 200), texts=known)

    assert again.repeated == 2
    assert not again.changed
    assert b"xxx" not in b"".join(part or b"" for one in known.values() for part in one.parts)


def test_a_reference_that_is_used_again_begins_a_new_text_and_keeps_the_old_one() -> None:
    first = folded(parts("x" * 200)[0])

    second = folded(*parts("y" * 200), texts=first.texts, now=NOW + timedelta(minutes=1))

    old, new = sorted(second.changed.values(), key=lambda text: text.whole)
    assert told(old) == ("x" * 153 + "…", True)
    assert old.due_time == NOW + timedelta(minutes=1)
    assert told(new) == ("y" * 200, False)
    assert old.key != new.key


async def announced(room):
    everyones = subjects.subject(InboundSmsReceived, "*")
    found = await published(room.js, subjects.INBOUND.name, everyones, InboundSmsReceived)
    return [(text.text, text.incomplete, text.parts) for one in found for text in one.messages]


async def test_two_replicas_that_die_lose_and_repeat_nothing(room) -> None:
    first, second, third = parts("ab" * 200)
    one, other = (LongTexts(room.pool, room.assembly.inbound) for _ in range(2))

    await one.receive("shop", NAME, [first, third], NOW)
    await other.receive("shop", NAME, [first, second], NOW)
    await one.receive("shop", NAME, [second, third], NOW)
    assert await one.sweep(LATER) == 0

    assert await announced(room) == [("ab" * 200, False, 3)]


async def test_a_whole_text_that_a_crash_left_is_announced_once(room) -> None:
    texts = LongTexts(room.pool, room.assembly.inbound)
    async with room.pool.acquire() as connection:
        await long_texts.keep(connection, "shop", NAME, parts("x" * 200), LATER)

    assert await texts.sweep(LATER) == 0
    assert await texts.sweep(LATER + folding.ANNOUNCED_WITHIN) == 1
    assert await texts.sweep(LATER + folding.PARTS_WITHIN) == 0

    assert await announced(room) == [("x" * 200, False, 2)]


async def test_parts_that_never_complete_are_announced_as_they_are(room) -> None:
    texts = LongTexts(room.pool, room.assembly.inbound)
    first, second = parts("x" * 200)
    await texts.receive("shop", NAME, [replace(first, octets=b"STOP")], NOW)

    assert await texts.sweep(LATER - timedelta(seconds=1)) == 0
    assert await texts.sweep(LATER) == 1
    await texts.receive("shop", NAME, [replace(second, receive_time=LATER)], LATER)
    assert await texts.sweep(LATER + folding.PARTS_WITHIN) == 1

    assert await announced(room) == [("STOP…", True, 1), ("…" + "x" * 47, True, 1)]
