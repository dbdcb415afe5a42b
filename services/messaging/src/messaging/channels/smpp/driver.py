"""The SMPP driver: binds to a carrier, messages out in windows, receipts and texts in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from heliograph.messaging.v1.channel_pb2 import Channel
from mesh.smpp import Answer, Command, Esme, LinkError, Outcome, SubmitSm, probe

from messaging.channels.channel import Answered, Listener, nobody
from messaging.channels.outcomes import Outcome as MessageOutcome
from messaging.channels.outgoing import Outgoing
from messaging.channels.smpp import configuration, submits, verdicts
from messaging.channels.smpp.incoming import Incoming

_ROUNDS_MAX = 10
_CLOSE_GRACE_SECONDS = 5.0


@dataclass(slots=True)
class _Letter:
    """A message's parts with the answer to each; `answered` hears when the last has one."""

    parts: list[SubmitSm]
    answered: Answered
    answers: list[Answer] = field(default_factory=list)
    open: int = 0

    def __post_init__(self) -> None:
        self.answers = [Answer(Outcome.NOT_SENT)] * len(self.parts)
        self.open = len(self.parts)

    def settle_part(self) -> None:
        """One more part has an answer."""
        self.open -= 1
        if self.open == 0:
            self.answered()


class SmppDriver:
    """One channel's binds to its carrier."""

    def __init__(self, channel: Channel, listener: Listener) -> None:
        self._configuration = configuration.read(channel)
        self._listener = listener
        self._esmes: list[Esme] = []

    @property
    def ready(self) -> bool:
        """Whether there is a bind."""
        return any(esme.is_bound for esme in self._esmes)

    @property
    def rate_per_second(self) -> float:
        """What the contract with the carrier allows."""
        return self._configuration.rate_per_second

    @property
    def window(self) -> int:
        """Messages under way over all binds."""
        return self._configuration.window

    async def open(self) -> None:
        """Begins to bind."""
        incoming = Incoming(self._listener)
        self._esmes = [
            Esme(self._configuration.carrier, incoming.take)
            for _ in range(self._configuration.connections)
        ]
        for esme in self._esmes:
            esme.start()

    async def close(self) -> None:
        """Awaits answers for some seconds, then unbinds."""
        await asyncio.gather(*(esme.close(_CLOSE_GRACE_SECONDS) for esme in self._esmes))

    async def hand_over(
        self, messages: Sequence[Outgoing], answered: Answered = nobody, *, urgent: bool = False
    ) -> Sequence[MessageOutcome]:
        """Sends a set, spread over the binds; all parts of a message go over the same one."""
        letters = [
            _Letter(submits.make(self._configuration, message), answered) for message in messages
        ]
        bound = [esme for esme in self._esmes if esme.is_bound]
        await asyncio.gather(
            *(
                _send(esme, letters[number :: len(bound)], urgent)
                for number, esme in enumerate(bound)
            )
        )
        return [verdicts.outcome(letter.answers) for letter in letters]

    async def verify(self) -> str:
        """Binds once, only to send; the carrier's words if it refuses."""
        carrier = self._configuration.carrier
        sender = replace(carrier, bind=replace(carrier.bind, command=Command.BIND_TRANSMITTER))
        try:
            await probe(sender)
        except LinkError as error:
            return str(error)
        return ""


async def _send(esme: Esme, letters: Sequence[_Letter], urgent: bool) -> None:
    """Parts that were throttled go again while others of their message are at the carrier."""
    await _submit(esme, letters, urgent)
    for _ in range(_ROUNDS_MAX):
        partial = [letter for letter in letters if verdicts.is_partial(letter.answers)]
        if not partial or not esme.is_bound:
            return
        await _submit(esme, partial, urgent=True)


async def _submit(esme: Esme, letters: Sequence[_Letter], urgent: bool) -> None:
    places = [
        (letter, number)
        for letter in letters
        for number, answer in enumerate(letter.answers)
        if verdicts.is_waiting(answer)
    ]
    answers = await esme.submit_many(
        [letter.parts[number] for letter, number in places],
        urgent=urgent,
        timeout_seconds=configuration.SUBMIT_SECONDS_MAX,
        settled=lambda index: places[index][0].settle_part(),
    )
    for (letter, number), answer in zip(places, answers, strict=True):
        letter.answers[number] = answer
