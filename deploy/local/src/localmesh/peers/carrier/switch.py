"""The inside of the carrier: takes messages over, writes them down, reports, lets phones answer."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mesh.smpp import FieldError, Reply, Session, Status, SubmitSm, Tag
from mesh.smpp.inbox import Replies
from mesh.smpp.status import THROTTLING
from mesh.sms import Concatenation

from localmesh.peers.carrier import arrivals, reports
from localmesh.peers.carrier.arrivals import Arrivals, Part, Whole
from localmesh.peers.carrier.behaviour import Behaviour
from localmesh.peers.carrier.chance import Chance
from localmesh.peers.carrier.judge import Judge, Verdict
from localmesh.peers.carrier.mailbag import Mailbag
from localmesh.peers.carrier.phones import Phones
from localmesh.peers.carrier.postbox import Item
from localmesh.peers.carrier.reports import Report
from localmesh.peers.carrier.saying import Saying
from localmesh.peers.control import Control


@dataclass(slots=True)
class _Batch:
    """What one batch of messages leads to."""

    now: float
    replies: list[Reply | None] = field(default_factory=list)
    entries: dict[str, list[dict[str, object]]] = field(default_factory=lambda: defaultdict(list))
    reports: list[Report] = field(default_factory=list)
    wholes: list[Whole] = field(default_factory=list)


class Switch:
    """Everything between the binds and the journal.

    What is accepted stands in the journal before it is answered, in the order of acceptance.
    """

    def __init__(self, control: Control[Behaviour], mailbag: Mailbag) -> None:
        self._control = control
        self._mailbag = mailbag
        self._chance = Chance(control.behaviour.seed)
        self._judge = Judge(self._chance)
        self._arrivals = Arrivals()
        self._phones = Phones()
        self._told = control.behaviour
        self._message_id = time.time_ns()
        self._early: set[asyncio.Task[None]] = set()

    @property
    def incomplete(self) -> int:
        """How many long messages lack parts."""
        return len(self._arrivals)

    async def submitted(self, session: Session, submits: Sequence[SubmitSm]) -> Replies:
        """Takes a batch over."""
        behaviour = self._behaviour()
        batch = _Batch(time.time())
        for submit in submits:
            batch.replies.append(self._take(behaviour, submit, batch))
        for kind, entries in batch.entries.items():
            self._control.journal.extend(kind, entries)
        await self._report(behaviour, session, batch.reports)
        self._let_phones_answer(behaviour, batch.wholes)
        if behaviour.answer_delay_seconds:
            await self._control.unchanged_for(behaviour.answer_delay_seconds)
        if any(self._chance.happens(behaviour.link_lost_share) for _ in submits):
            session.drop("told to lose the link")
        return batch.replies

    def say(self, saying: Saying, delay_seconds: float) -> None:
        """Lets a phone say something."""
        saying.said_time = time.time() + delay_seconds
        account = self._control.behaviour.account_of(saying.destination)
        for item in self._phones.say(saying, account):
            self._mailbag.postbox.put(item, delay_seconds)

    def _behaviour(self) -> Behaviour:
        """The behaviour in force; phones may reply anew when their replies have changed."""
        behaviour = self._control.behaviour
        if behaviour is not self._told:
            self._chance.follow(behaviour.seed)
            self._mailbag.postbox.retry_seconds = behaviour.retry_seconds
            if behaviour.replies != self._told.replies:
                self._phones.forget_replies()
            self._told = behaviour
        return behaviour

    def _take(self, behaviour: Behaviour, submit: SubmitSm, batch: _Batch) -> Reply | None:
        try:
            part = arrivals.read(submit)
        except FieldError as error:
            batch.entries["refused"].append({"status": error.status.name})
            return Reply(error.status)
        verdict = self._judge.decide(behaviour, part)
        if verdict.status != Status.ESME_ROK:
            kind = "throttled" if verdict.status in THROTTLING else "refused"
            batch.entries[kind].append(_address(part) | {"status": verdict.status.name})
            return Reply(verdict.status)
        message_id = self._accept(part, verdict, batch)
        if self._chance.happens(behaviour.unanswered_share):
            batch.entries["unanswered"].append(_address(part) | {"message_id": message_id})
            return None
        return Reply(message_id=message_id)

    def _accept(self, part: Part, verdict: Verdict, batch: _Batch) -> str:
        self._message_id += 1
        message_id = f"{self._message_id:x}"
        if part.concatenation is not None:
            about = _address(part) | {"message_id": message_id} | _place(part.concatenation)
            batch.entries["part"].append(about)
        whole = self._arrivals.take(part, message_id)
        if whole is not None:
            batch.entries["message"].append(_message(whole, part, verdict))
            batch.wholes.append(whole)
        if reports.is_wanted(part.submit, verdict.state):
            batch.reports.append(
                Report(message_id, part.submit, verdict.state, verdict.error, batch.now)
            )
        return message_id

    async def _report(self, behaviour: Behaviour, session: Session, many: list[Report]) -> None:
        assert session.bind is not None
        form, account = behaviour.receipts, session.bind.system_id
        early: list[Item] = []
        for report in many:
            is_early = self._chance.happens(form.early_share)
            for number, delay in enumerate(reports.delays_seconds(form, self._chance)):
                told = replace(report, is_copy=True) if number else report
                receipt = reports.deliver_sm(told, form, report.submit_time + delay)
                item = Item(receipt, told, account)
                if is_early and not number:
                    early.append(item)
                else:
                    self._mailbag.postbox.put(item, delay)
        if early:
            await self._send_before_the_answer(session, early)

    async def _send_before_the_answer(self, session: Session, items: list[Item]) -> None:
        """Two turns of the event loop put them on the wire; their answers are not waited for."""
        sending = asyncio.create_task(self._mailbag.postbox.carry(session, items))
        self._early.add(sending)
        sending.add_done_callback(self._early.discard)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _let_phones_answer(self, behaviour: Behaviour, wholes: list[Whole]) -> None:
        """Nobody can answer a name."""
        if not behaviour.replies:
            return
        for whole in wholes:
            if whole.source.lstrip("+").isdecimal():
                for saying, delay_seconds in self._phones.replies(
                    behaviour.replies,
                    behaviour.seed,
                    whole.destination,
                    whole.source,
                    whole.text,
                ):
                    self.say(saying, delay_seconds)


def _place(place: Concatenation) -> dict[str, object]:
    """Which part of which text it is."""
    return {"reference": place.reference, "parts": place.total, "part": place.sequence}


def _address(part: Part) -> dict[str, object]:
    return {"source": part.source, "destination": part.destination}


def _message(whole: Whole, part: Part, verdict: Verdict) -> dict[str, object]:
    return {
        "source": whole.source,
        "destination": whole.destination,
        "text": whole.text,
        "parts": len(whole.message_ids),
        "message_ids": whole.message_ids,
        "reference": int.from_bytes(part.submit.tlvs.get(Tag.USER_MESSAGE_REFERENCE, b""), "big"),
        "state": verdict.state.name,
    }
