"""Answers in sets: one text from one number to many people is one call to messaging. Pure.

A set is made once and never changes, and its request id follows from what it answers: whoever sends
it again, says the same and is understood so.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from twoway.keywords.answers import NOTHING, Wording
from twoway.tables import ReplySetRow

SET_MAX = 500
"""Recipients in one call; messaging takes 1,000."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one inbound message. `purpose` is a name of messaging's `Purpose`."""

    purpose: str
    reply_text: str
    origination_identity: str
    address: str
    inbound_id: str
    wording: Wording = NOTHING
    """More than the text, where it is said in languages or by a template."""
    substitutions: Mapping[str, str] = field(default_factory=dict, compare=False)


def sets(
    application: str,
    replies: Iterable[Reply],
    now: datetime,
    trace: Mapping[str, str] = MappingProxyType({}),
) -> list[ReplySetRow]:
    """The replies as rows in an order that gives each person their answers one after the other.

    They are sent within the trace, given as its headers.
    """
    rounds: Counter[str] = Counter()
    grouped: dict[tuple[int, str, str, str, Wording], list[Reply]] = defaultdict(list)
    for reply in replies:
        key = (
            rounds[reply.address],
            reply.purpose,
            reply.reply_text,
            reply.origination_identity,
            reply.wording,
        )
        grouped[key].append(reply)
        rounds[reply.address] += 1
    # Sorting by round only: within a round no address occurs twice.
    return [
        _row(application, part, now, dict(trace))
        for _, group in sorted(grouped.items(), key=lambda item: item[0][0])
        for part in _parts(group)
    ]


def request_id(application: str, inbound_ids: Iterable[str]) -> str:
    """The id of the set that answers these messages."""
    digest = hashlib.sha256("\x00".join((application, *inbound_ids)).encode())
    return f"twoway-{digest.hexdigest()[:40]}"


def _parts(group: Sequence[Reply]) -> Iterator[Sequence[Reply]]:
    for start in range(0, len(group), SET_MAX):
        yield group[start : start + SET_MAX]


def _row(
    application: str, part: Sequence[Reply], now: datetime, trace: dict[str, str]
) -> ReplySetRow:
    inbound_ids = [reply.inbound_id for reply in part]
    return ReplySetRow(
        application=application,
        request_id=request_id(application, inbound_ids),
        purpose=part[0].purpose,
        reply_text=part[0].reply_text,
        origination_identity=part[0].origination_identity,
        addresses=[reply.address for reply in part],
        inbound_messages=inbound_ids,
        trace=trace,
        template=part[0].wording.template,
        localized_reply_texts=dict(part[0].wording.localized),
        default_substitutions=dict(part[0].wording.defaults),
        substitutions={
            reply.address: dict(reply.substitutions) for reply in part if reply.substitutions
        },
        attempt_time=now,
        create_time=now,
    )
