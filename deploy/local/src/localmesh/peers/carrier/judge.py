"""Decides what becomes of a message: throttled, refused, or accepted with an end."""

import asyncio
import math
from typing import NamedTuple

from mesh.pace import Pace
from mesh.smpp import MessageState, Status

from localmesh.peers.carrier.arrivals import Part
from localmesh.peers.carrier.behaviour import Behaviour
from localmesh.peers.carrier.chance import Chance


class Verdict(NamedTuple):
    """`state` and `error` count for what is accepted."""

    status: Status = Status.ESME_ROK
    state: MessageState = MessageState.DELIVERED
    error: str = "000"


_DELIVERED = Verdict()
_THROTTLED = Verdict(Status.ESME_RTHROTTLED)


class Judge:
    """Applies the rate, then the first rule that matches."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._per_second = 0.0
        self._pace = Pace()

    def decide(self, behaviour: Behaviour, part: Part) -> Verdict:
        """Returns what becomes of one message."""
        if not self._within_rate(behaviour.submits_per_second_max):
            return _THROTTLED
        for rule in behaviour.rules:
            if (
                rule.destination.search(part.destination)
                and rule.source.search(part.source)
                and rule.text.search(part.text)
                and self._chance.happens(rule.share)
            ):
                return Verdict(rule.status, rule.state, rule.error)
        return _DELIVERED

    def _within_rate(self, per_second: float) -> bool:
        if per_second != self._per_second:
            self._per_second = per_second
            self._pace = Pace(per_second or math.inf)
        granted = self._pace.allowance(1, asyncio.get_running_loop().time())
        self._pace.spend(granted)
        return granted == 1
