"""What a carrier can be told: whom to let in, what to refuse, how to report and reply."""

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, TypeVar

from mesh.smpp import MessageState, Status
from pydantic import BaseModel, Field, PlainSerializer, PlainValidator

Share = Annotated[float, Field(ge=0, le=1)]
"""Of all cases, between 0 and 1."""


Coded = TypeVar("Coded", bound=IntEnum)


def _by_name(kind: type[Coded]) -> Callable[[object], Coded]:
    def parse(value: object) -> Coded:
        if isinstance(value, kind):
            return value
        if str(value) in kind.__members__:
            return kind[str(value)]
        raise ValueError(f"{value!r} is none of {', '.join(kind.__members__)}")

    return parse


def _name(value: IntEnum) -> str:
    return value.name


StatusName = Annotated[Status, PlainValidator(_by_name(Status)), PlainSerializer(_name)]
StateName = Annotated[MessageState, PlainValidator(_by_name(MessageState)), PlainSerializer(_name)]
Pattern = re.Pattern[str]
ANYTHING = re.compile("")
ANYBODY = "*"
"""The account of those that have none of their own."""


class Rule(BaseModel):
    """What becomes of a share of the messages that match all patterns; the first rule counts.

    `status` other than ESME_ROK refuses or throttles; else `state` and `error` go into the receipt.
    """

    source: Pattern = ANYTHING
    destination: Pattern = ANYTHING
    text: Pattern = ANYTHING
    share: Share = 1.0
    status: StatusName = Status.ESME_ROK
    state: StateName = MessageState.DELIVERED
    error: str = Field(default="000", pattern="^[0-9A-Za-z]{1,3}$")


class Reply(BaseModel):
    """What a share of the phones says after a text that matches, each at most `times_max` times.

    A phone always decides the same, and always says the same of `answers`.
    """

    text: Pattern = ANYTHING
    share: Share = 1.0
    answers: list[str] = Field(min_length=1)
    delay_seconds_min: float = Field(default=0.0, ge=0)
    delay_seconds_max: float = Field(default=0.1, ge=0)
    times_max: int = Field(default=1, ge=1)


class Receipts(BaseModel):
    """How the carrier reports.

    Delays are drawn between the bounds, so that receipts come out of order; the late share waits
    `late_seconds` longer. The early share is sent before the answer to its message.
    """

    share: Share = 1.0
    twice_share: Share = 0.0
    late_share: Share = 0.0
    early_share: Share = 0.0
    delay_seconds_min: float = Field(default=0.0, ge=0)
    delay_seconds_max: float = Field(default=0.2, ge=0)
    late_seconds: float = Field(default=3.0, ge=0)
    text: bool = True
    parameters: bool = True


class Behaviour(BaseModel):
    """Everything a carrier can be told."""

    seed: int = 1
    accounts: dict[str, str] = {ANYBODY: "secret"}
    """Passwords by system_id; SMPP allows passwords of eight characters."""
    numbers: dict[str, str] = {}
    """Accounts by number, where a number is not of the account of its own name."""
    bind_status: StatusName = Status.ESME_ROK
    """Refuses binds that would be right."""
    submits_per_second_max: float = Field(default=0.0, ge=0)
    """What is above is throttled; 0 is no limit."""
    rules: list[Rule] = []
    answer_delay_seconds: float = Field(default=0.0, ge=0)
    """Told anything else meanwhile, it answers at once."""
    unanswered_share: Share = 0.0
    """Messages that are taken, but whose answer is lost."""
    link_lost_share: Share = 0.0
    """Messages that are taken, and cost the connection before they are answered."""
    receipts: Receipts = Receipts()
    replies: list[Reply] = []
    retry_seconds: float = Field(default=0.5, gt=0)
    """When a receipt or an inbound message that was not acknowledged goes out again."""

    def account_of(self, number: str) -> str:
        """Whose number it is."""
        return self.numbers.get(number, number.lstrip("+"))
