"""Every statement about what came in."""

from collections.abc import Iterable, Sequence
from typing import Any

from twoway import bulk
from twoway.consent.changes import Person
from twoway.inbound import loop_guard, questions, situation
from twoway.inbound.situation import Number, Situation, Standing
from twoway.inbound.texts import Text
from twoway.intents import rule_sets
from twoway.keywords import matching
from twoway.keywords.tables import KeywordRow
from twoway.tables import InboundMessage

# What is asked of texts names their people in one array: a list of them would be another statement
# for each number of people, planned anew. And each is looked up by itself, fenced with OFFSET 0:
# before it has statistics PostgreSQL believes that an application has a handful of rows, and reads
# all of them to pick out a hundred.
_KNOWN = """
SELECT inbound_message FROM inbound_messages
WHERE application = $1 AND inbound_message = ANY($2::text[])
"""

_NUMBERS = """
SELECT phone_number, pool, opt_out_list, two_way_enabled, self_managed_opt_outs_enabled, rule_set,
    two_way_enabled AND webhook_uri <> '' AS has_webhook
FROM phone_numbers WHERE application = $1 AND phone_number = ANY($2::text[])
"""

# A number in a pool answers to the keywords of the pool.
_KEYWORDS = """
SELECT n.phone_number AS number, k.* FROM phone_numbers n
JOIN keywords k ON k.application = n.application
    AND k.phone_number = CASE WHEN n.pool = '' THEN n.phone_number ELSE n.pool END
WHERE n.application = $1 AND n.phone_number = ANY($2::text[])
"""

_OPTED_OUT = """
SELECT o.opt_out_list, o.phone_number, o.confirmed
FROM unnest($2::text[], $3::text[]) AS asked (opt_out_list, phone_number)
CROSS JOIN LATERAL (
    SELECT opt_out_list, phone_number, confirmed FROM opted_out_numbers
    WHERE application = $1 AND opt_out_list = asked.opt_out_list
        AND phone_number = asked.phone_number
    OFFSET 0
) AS o
"""

_LAST_TIMES = """
SELECT m.opt_out_list, asked.source_address, m.last_time
FROM unnest($2::text[]) AS asked (source_address)
CROSS JOIN LATERAL (
    SELECT opt_out_list, max(receive_time) AS last_time FROM inbound_messages
    WHERE application = $1 AND source_address = asked.source_address
        AND intent IN ('OPT_OUT', 'OPT_IN')
    GROUP BY opt_out_list
    OFFSET 0
) AS m
"""


async def new(connection: Any, application: str, texts: Iterable[Text]) -> list[Text]:
    """Those of the texts that have not been taken in yet, each once."""
    by_id = {text.inbound_id: text for text in texts}
    known = await connection.fetch(_KNOWN, application, list(by_id))
    for record in known:
        del by_id[record[0]]
    return list(by_id.values())


async def load(connection: Any, application: str, texts: Sequence[Text]) -> Situation:
    """What must be known about the numbers and the people of these texts."""
    numbers = await _numbers(connection, application, {text.destination for text in texts})
    pairs = [(text.source, text.destination) for text in texts]
    standings = await _standings(connection, application, situation.persons(numbers, pairs))
    open_ = await questions.of(connection, application, {text.source for text in texts})
    guard = await loop_guard.load(connection, application, texts)
    return Situation(application, numbers, standings, open_, guard)


async def add(connection: Any, rows: Sequence[InboundMessage]) -> None:
    """Record what came in, in this order."""
    await bulk.insert(connection, rows)


async def _numbers(
    connection: Any, application: str, addresses: Iterable[str]
) -> dict[str, Number]:
    asked = list(addresses)
    by_number: dict[str, list[KeywordRow]] = {}
    for record in await connection.fetch(_KEYWORDS, application, asked):
        found = dict(record)
        by_number.setdefault(found.pop("number"), []).append(KeywordRow(**found))
    return {
        record["phone_number"]: _number(record, by_number.get(record["phone_number"], []))
        for record in await connection.fetch(_NUMBERS, application, asked)
    }


def _number(record: Any, keywords: list[KeywordRow]) -> Number:
    return Number(
        registered=True,
        keeper=record["pool"] or record["phone_number"],
        opt_out_list=record["opt_out_list"],
        two_way=record["two_way_enabled"],
        has_webhook=record["has_webhook"],
        self_managed=record["self_managed_opt_outs_enabled"],
        rules=rule_sets.of(record["rule_set"]),
        keywords=tuple(matching.custom(keywords)),
        keyword_rows=tuple(keywords),
    )


async def _standings(
    connection: Any, application: str, persons: set[Person]
) -> dict[Person, Standing]:
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
