"""A person has read a flagged text and says what it meant.

What follows is a decision of now: it is recorded with its own time and with who made it.
"""

from mesh.errors import FailedPrecondition
from mesh.rpc import auth
from mesh.store import engine
from mesh.telemetry import propagation
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, clock, locks, names
from twoway.consent import numbers, writing
from twoway.consent import store as lists
from twoway.consent.changes import KEYWORD, Cause, Changes
from twoway.conversations import store as messages
from twoway.inbound import store, texts
from twoway.inbound.effects import OPT_OUT_CONFIRMATION
from twoway.inbound.situation import Number
from twoway.intents import Meaning
from twoway.intents.understanding import STOP, Intent, language_of_mention
from twoway.keywords import answers
from twoway.replies import sets
from twoway.replies import store as replies
from twoway.replies.sets import Reply
from twoway.tables import InboundMessageRow

COMMENT = "review of a flagged text"


async def review(session: AsyncSession, name: str, intent: Intent) -> InboundMessageRow:
    """Settle a flagged text; INBOUND_MESSAGE_NOT_FLAGGED when it is not flagged, or not any more.

    An opt-out opts out unless the person came back since. Who was opted out by a text that meant
    something else, or wants to be written to again, is taken off the list.
    """
    await locks.hold(session, names.application_in(name))
    row = await messages.get(session, name)
    if not row.flagged:
        raise FailedPrecondition(
            "INBOUND_MESSAGE_NOT_FLAGGED", f"{name} is not flagged", inbound_message=name
        )
    if intent is Intent.OPT_OUT:
        row.consent_changed = await _opt_out(session, row) or row.consent_changed
    elif intent is Intent.OPT_IN or row.intent == Intent.OPT_OUT:
        await _take_off(session, row, whatever_the_cause=intent is Intent.OPT_IN)
    row.intent, row.flagged = intent, False
    return row


async def _opt_out(session: AsyncSession, row: InboundMessageRow) -> bool:
    text = texts.of_row(row)
    connection = await engine.raw(session)
    situation = await store.load(connection, row.application, [text])
    number = situation.number(row.destination_address)
    standing = situation.standing((number.opt_out_list, row.source_address))
    came_back = standing.last_time is not None and standing.last_time > row.receive_time
    if standing.opted_out or came_back or number.self_managed:
        return False
    caller = auth.caller().subject
    cause = Cause(
        KEYWORD,
        clock.now(),
        row.text,
        row.destination_address,
        row.inbound_message,
        caller,
        COMMENT,
    )
    row.opt_out_list = number.opt_out_list
    changes = Changes(row.application)
    changes.opt_out((number.opt_out_list, row.source_address), cause, confirmed=True)
    await writing.write(session, changes)
    await _confirm(session, number, row)
    return True


async def _confirm(session: AsyncSession, number: Number, row: InboundMessageRow) -> None:
    meaning = Meaning(Intent.OPT_OUT, STOP, language_of_mention(row.text))
    said = number.wording(meaning, confirmed=False)
    writable = addresses.is_phone(row.source_address)
    if said == answers.NOTHING or not writable or row.source_address == row.destination_address:
        return
    reply = Reply(
        purpose=OPT_OUT_CONFIRMATION,
        reply_text=said.text,
        origination_identity=row.destination_address,
        address=row.source_address,
        inbound_id=row.inbound_message,
        wording=said,
        substitutions=answers.substitutions(row.text, "") if said.has_variables else {},
    )
    promised = sets.sets(row.application, [reply], clock.now(), propagation.inject())
    await replies.add(await engine.raw(session), promised)


async def _take_off(
    session: AsyncSession, row: InboundMessageRow, *, whatever_the_cause: bool
) -> None:
    """Off the list, if this text put the person on it, or whatever did."""
    found = await lists.numbers(session, row.application, row.opt_out_list, [row.source_address])
    placed = found.get(row.source_address)
    if placed is None or not (whatever_the_cause or placed.inbound_message == row.inbound_message):
        return
    parent = names.opt_out_list(row.application, row.opt_out_list)
    await numbers.take_off(session, f"{parent}/optedOutNumbers/{row.source_address}", COMMENT)
