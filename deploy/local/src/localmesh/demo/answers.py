"""Two hundred phones answer: STOP in several spellings, HELP, START, a keyword, chatter."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from heliograph.paging import collect
from heliograph.twoway.v1 import inbound_message_pb2
from heliograph.twoway.v1.conversation_service_pb2 import ListInboundMessagesRequest

from localmesh.demo import outcomes
from localmesh.demo.receipts import until
from localmesh.demo.world import (
    CONFIRMATION,
    HELP_TEXT,
    KEYWORD_REPLY,
    NUMBER,
    PARENT,
    WELCOME_BACK,
    World,
)

STOPS = (
    "STOP", "stop", "Stop.", " stop ", "STOP!!!", "ＳＴＯＰ", "S\u200bTOP", "Unsubscribe", "cancel",
    "QUIT", "End", "opt out", "ARRET", "please stop texting me", "stop all",
)  # fmt: skip
CHATTER = ("thanks!", "don't stop", "restart", "who is this?", "ok 👍")
STOPPING, HELPING, JOINING, CHATTING, RETURNING = 110, 30, 30, 30, 20
"""Phones by what they say first; `RETURNING` of those who stop say START afterwards."""


async def answer(world: World, reached: Sequence[str]) -> set[str]:
    """Let 200 of the reached phones answer; those that have stopped and stay so."""
    stopping, helping, joining, chatting = _shares(reached)
    await _say(world, stopping, STOPS)
    await _say(world, helping, ("HELP", "help?", "Info"))
    await _say(world, joining, ("JOIN", "join please"))
    await _say(world, chatting, CHATTER)
    await _expect_texts(world, CONFIRMATION, STOPPING)
    returning = stopping[:RETURNING]
    await _say(world, returning, ("START", "unstop"))
    await _expect_texts(world, WELCOME_BACK, RETURNING)
    # A second STOP is not confirmed again.
    await _say(world, stopping[-10:], ("STOP now",))
    said = STOPPING + HELPING + JOINING + CHATTING + RETURNING + 10
    await _conclude(world, said)
    return set(stopping[RETURNING:])


def _shares(reached: Sequence[str]) -> tuple[list[str], list[str], list[str], list[str]]:
    phones = iter(sorted(set(reached)))
    stopping, helping, joining, chatting = (
        [phone for phone, _ in zip(phones, range(count), strict=False)]
        for count in (STOPPING, HELPING, JOINING, CHATTING)
    )
    return stopping, helping, joining, chatting


async def _say(world: World, phones: Sequence[str], texts: Sequence[str]) -> None:
    said = [
        {"source": phone, "destination": NUMBER, "text": text}
        for phone, text in zip(phones, cycle(texts), strict=False)
    ]
    await world.carrier.call("POST", "/inbound", {"messages": said})


async def _expect_texts(world: World, text: str, count: int) -> None:
    """Wait until the carrier has so many messages with this text."""

    async def look() -> int:
        return sum(entry["text"] == text for entry in await world.texts())

    found = await until(look, lambda seen: seen >= count)
    world.account.expect(f"messages {text!r}", found, count)


async def _conclude(world: World, said: int) -> None:
    async def look() -> list[Any]:
        return await collect(
            world.mesh.conversations.ListInboundMessages,
            ListInboundMessagesRequest(parent=PARENT, page_size=1000),
            "inbound_messages",
        )

    inbound = await until(look, lambda seen: len(seen) >= said)
    await _expect_texts(world, HELP_TEXT, HELPING)
    await _expect_texts(world, KEYWORD_REPLY, JOINING)
    await _expect_texts(world, CONFIRMATION, STOPPING)
    intents: dict[str, int] = {}
    for message in inbound:
        name = inbound_message_pb2.Intent.Name(message.intent)
        intents[name] = intents.get(name, 0) + 1
    world.account.step(
        "200 phones answered",
        inbound=len(inbound),
        understood_as=intents,
        flagged_for_a_person=sum(message.flagged for message in inbound),
    )
    world.account.expect("inbound messages", len(inbound), said)


async def check_silence(world: World) -> None:
    """Nothing after STOP, by the order in which the carrier accepted messages."""
    offended = outcomes.after_stop(await world.texts(), CONFIRMATION, WELCOME_BACK, HELP_TEXT)
    world.account.after_stop = len(offended)
    world.account.expect("phones that got something after STOP", offended, [])
