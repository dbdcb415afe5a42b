"""Every statement about what came in."""

from collections.abc import Iterable, Sequence
from typing import Any

from mesh.store import engine
from sqlmodel import and_, case, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import bulk
from twoway.consent.changes import Person
from twoway.inbound import loop_guard, questions, situation
from twoway.inbound.situation import Number, Situation, Standing
from twoway.inbound.texts import Text
from twoway.intents import rule_sets
from twoway.keywords import matching
from twoway.keywords.tables import KeywordRow
from twoway.tables import InboundMessage, PhoneNumberRow

_KNOWN = """
SELECT inbound_message FROM inbound_messages
WHERE application = $1 AND inbound_message = ANY($2::text[])
"""

_OPTED_OUT = """
SELECT o.opt_out_list, o.phone_number, o.confirmed
FROM unnest($2::text[], $3::text[]) AS asked (opt_out_list, phone_number)
JOIN opted_out_numbers o ON o.application = $1 AND o.opt_out_list = asked.opt_out_list
    AND o.phone_number = asked.phone_number
"""

_LAST_TIMES = """
SELECT opt_out_list, source_address, max(receive_time)
FROM inbound_messages
WHERE application = $1 AND source_address = ANY($2::text[]) AND intent IN ('OPT_OUT', 'OPT_IN')
GROUP BY opt_out_list, source_address
"""


async def new(connection: Any, application: str, texts: Iterable[Text]) -> list[Text]:
    """Those of the texts that have not been taken in yet, each once."""
    by_id = {text.inbound_id: text for text in texts}
    known = await connection.fetch(_KNOWN, application, list(by_id))
    for record in known:
        del by_id[record[0]]
    return list(by_id.values())


async def load(session: AsyncSession, application: str, texts: Sequence[Text]) -> Situation:
    """What must be known about the numbers and the people of these texts."""
    numbers = await _numbers(session, application, {text.destination for text in texts})
    pairs = [(text.source, text.destination) for text in texts]
    standings = await _standings(session, application, situation.persons(numbers, pairs))
    open_ = await questions.of(session, application, {text.source for text in texts})
    guard = await loop_guard.load(await engine.raw(session), application, texts)
    return Situation(application, numbers, standings, open_, guard)


async def add(session: AsyncSession, rows: Sequence[InboundMessage]) -> None:
    """Record what came in, in this order."""
    await bulk.insert(await engine.raw(session), rows)


async def _numbers(
    session: AsyncSession, application: str, addresses: set[str]
) -> dict[str, Number]:
    known = select(PhoneNumberRow).where(
        PhoneNumberRow.application == application, col(PhoneNumberRow.phone_number).in_(addresses)
    )
    # A number in a pool answers to the keywords of the pool.
    owner = case(
        (col(PhoneNumberRow.pool) == "", col(PhoneNumberRow.phone_number)),
        else_=col(PhoneNumberRow.pool),
    )
    keywords = (
        select(PhoneNumberRow.phone_number, KeywordRow)
        .join(
            KeywordRow,
            and_(
                col(KeywordRow.application) == PhoneNumberRow.application,
                col(KeywordRow.phone_number) == owner,
            ),
        )
        .where(
            PhoneNumberRow.application == application,
            col(PhoneNumberRow.phone_number).in_(addresses),
        )
    )
    by_number: dict[str, list[KeywordRow]] = {}
    for number, keyword in (await session.exec(keywords)).all():
        by_number.setdefault(number, []).append(keyword)
    return {
        row.phone_number: _number(row, by_number.get(row.phone_number, []))
        for row in (await session.exec(known)).all()
    }


def _number(row: PhoneNumberRow, keywords: list[KeywordRow]) -> Number:
    return Number(
        registered=True,
        keeper=row.pool or row.phone_number,
        opt_out_list=row.opt_out_list,
        two_way=row.two_way_enabled,
        has_webhook=row.two_way_enabled and row.webhook_uri != "",
        self_managed=row.self_managed_opt_outs_enabled,
        rules=rule_sets.of(row.rule_set),
        keywords=tuple(matching.custom(keywords)),
        keyword_rows=tuple(keywords),
    )


async def _standings(
    session: AsyncSession, application: str, persons: set[Person]
) -> dict[Person, Standing]:
    connection = await engine.raw(session)
    lists, sources = [person[0] for person in persons], [person[1] for person in persons]
    opted_out = {
        (record[0], record[1]): record[2]
        for record in await connection.fetch(_OPTED_OUT, application, lists, sources)
    }
    last_times = {
        (record[0], record[1]): record[2]
        for record in await connection.fetch(_LAST_TIMES, application, list(set(sources)))
    }
    return {
        person: Standing(
            opted_out=person in opted_out,
            confirmed=opted_out.get(person, False),
            last_time=last_times.get(person),
        )
        for person in persons
    }
