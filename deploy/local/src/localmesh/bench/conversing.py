"""Phones that write and are answered, with the carrier's journal as the witness of when."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

from localmesh.peers.remote import RemotePeer

WORDS = ("STOP", "HELP", "JOIN", "START")
"""Each is answered: opted out, helped, a keyword of the number, welcomed."""

POLL_SECONDS = 0.05
ANSWER_SECONDS_MAX = 60.0
AREA = "+1213"
"""Nobody else in a bench writes to numbers of this area."""


@dataclass(frozen=True, slots=True)
class Phones:
    """`count` phones from the serial `first` on: none has written before, each writes once."""

    first: int
    count: int

    def __iter__(self) -> Iterator[str]:
        return (f"{AREA}{2_000_000 + self.first + serial}" for serial in range(self.count))


@dataclass(frozen=True, slots=True)
class Trips:
    """Round trips: seconds from a text being said to its reply being accepted by the carrier."""

    seconds: list[float]
    span_seconds: float
    """From the first text to the last reply."""

    @property
    def rate(self) -> float:
        """Round trips a second."""
        return len(self.seconds) / self.span_seconds

    def milliseconds(self, share: float) -> float:
        """What this share of the trips does not exceed."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))] * 1000


class Carrying:
    """A carrier that is told what phones say."""

    def __init__(self, carrier: RemotePeer) -> None:
        self._carrier = carrier

    async def round_trips(self, phones: Phones, number: str, per_second: float = 0.0) -> Trips:
        """Let the phones write to the number, all at once or at a rate; their replies' times.

        Raises TimeoutError when a reply does not come.
        """
        counts = await self._carrier.count()
        await self._say(phones, number, per_second)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await self._until("message", counts.get("message", 0) + phones.count)
            await self._until("inbound", counts.get("inbound", 0) + phones.count)
        said, answered = await self._times(sum(counts.values()), set(phones))
        trips = [answered[phone] - time for phone, time in said.items()]
        return Trips(trips, max(answered.values()) - min(said.values()))

    async def _until(self, kind: str, count: int) -> None:
        while (await self._carrier.count()).get(kind, 0) < count:  # noqa: ASYNC110  # it only tells when asked
            await asyncio.sleep(POLL_SECONDS)

    async def _say(self, phones: Phones, number: str, per_second: float) -> None:
        said = [
            {
                "source": phone,
                "destination": number,
                "text": text,
                "delay_seconds": serial / per_second if per_second else 0.0,
            }
            for serial, (phone, text) in enumerate(
                zip(phones, islice(cycle(WORDS), phones.count), strict=True)
            )
        ]
        await self._carrier.call("POST", "/inbound", {"messages": said})

    async def _times(
        self, after: int, phones: set[str]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """When each phone wrote, and when it was answered."""
        said: dict[str, float] = {}
        answered: dict[str, float] = {}
        async for entry in self._carrier.log(after):
            if entry["kind"] == "inbound" and entry["source"] in phones:
                said[entry["source"]] = entry["said_time"]
            elif entry["kind"] == "message" and entry["destination"] in phones:
                answered[entry["destination"]] = entry["time"]
        return said, answered
