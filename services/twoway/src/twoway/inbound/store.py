"""Every statement about what came in."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from twoway import bulk
from twoway.inbound import questions
from twoway.inbound.loop_guard import LoopGuard
from twoway.inbound.situation import Number, Situation, Standing
from twoway.inbound.texts import Text
from twoway.intents import rule_sets
from twoway.keywords import matching
from twoway.keywords.tables import KeywordRow, ReplyCount
from twoway.tables import InboundMessage

# What is asked of texts names their people in one array: a list of them would be another statement
# for each number of people, planned anew. And each is looked up by itself, fenced with OFFSET 0:
# before it has statistics PostgreSQL believes that an application has a handful of rows, and reads
# all of them to pick out a hundred.
_KNOWN = """
SELECT inbound_message FROM inbound_messages
WHERE application = $1 AND inbound_message = ANY($2::text[])
"""

# A number in a pool answers to the keywords of the pool. One line for each keyword, or one without.
_NUMBERS = """
SELECT n.phone_number AS number, n.pool, n.opt_out_list, n.two_way_enabled,
    n.self_managed_opt_outs_enabled, n.rule_set,
    n.two_way_enabled AND n.webhook_uri <> '' AS has_webhook, k.*
FROM phone_numbers n
LEFT JOIN keywords k ON k.application = n.application
    AND k.phone_number = CASE WHEN n.pool = '' THEN n.phone_number ELSE n.pool END
WHERE n.application = $1 AND n.phone_number = ANY($2::text[])
"""

# Of each who writes to a number: whether they are on its list, when they last wrote about that, how
# often the number answered them, and whether they were asked back, which few are.
_WRITERS = """
SELECT asked.*, o.confirmed, m.last_time, c.replies, c.begin_time, q.was_asked
FROM unnest($2::text[], $3::text[], $4::text[]) AS asked (destination, source, opt_out_list)
LEFT JOIN LATERAL (
    SELECT confirmed FROM opted_out_numbers
    WHERE application = $1 AND opt_out_list = asked.opt_out_list AND phone_number = asked.source
    OFFSET 0
) AS o ON true
LEFT JOIN LATERAL (
    SELECT max(receive_time) AS last_time FROM inbound_messages
    WHERE application = $1 AND source_address = asked.source
        AND opt_out_list = asked.opt_out_list AND intent IN ('OPT_OUT', 'OPT_IN')
    GROUP BY opt_out_list
    OFFSET 0
) AS m ON true
LEFT JOIN LATERAL (
    SELECT replies, begin_time FROM reply_counts
    WHERE application = $1 AND destination_address = asked.destination
        AND source_address = asked.source
    OFFSET 0
) AS c ON true
LEFT JOIN LATERAL (
    SELECT true AS was_asked FROM opt_in_questions
    WHERE application = $1 AND source_address = asked.source
    LIMIT 1
) AS q ON true
"""

_KEYWORD_COLUMNS = tuple(KeywordRow.model_fields)


async def new(connection: Any, application: str, texts: Iterable[Text]) -> list[Text]:
    """Those of the texts that have not been taken in yet, each once."""
    by_id = {text.inbound_id: text for text in texts}
    known = await connection.fetch(_KNOWN, application, list(by_id))
    for record in known:
        del by_id[record[0]]
    return list(by_id.values())


async def load(connection: Any, application: str, texts: Iterable[Text]) -> Situation:
    """What must be known about the numbers and the people of these texts."""
    pairs = {(text.destination, text.source) for text in texts}
    destinations = {destination for destination, _ in pairs}
    situation = Situation(application, await _numbers(connection, application, destinations))
    asked = [(*pair, situation.number(pair[0]).opt_out_list) for pair in pairs]
    writers = await connection.fetch(
        _WRITERS, application, *([one[at] for one in asked] for at in range(3))
    )
    asked_back = {writer["source"] for writer in writers if writer["was_asked"]}
    return replace(
        situation,
        standings={(one["opt_out_list"], one["source"]): _standing(one) for one in writers},
        questions=await questions.of(connection, application, asked_back),
        guard=_guard(application, writers),
    )


async def add(connection: Any, rows: Sequence[InboundMessage]) -> None:
    """Record what came in, in this order."""
    await bulk.insert(connection, rows)


async def _numbers(
    connection: Any, application: str, addresses: Iterable[str]
) -> dict[str, Number]:
    keywords: dict[str, list[KeywordRow]] = {}
    numbers: dict[str, Any] = {}
    for record in await connection.fetch(_NUMBERS, application, list(addresses)):
        number = record["number"]
        numbers[number] = record
        of_number = keywords.setdefault(number, [])
        if record["keyword_id"] is not None:
            of_number.append(KeywordRow(**{name: record[name] for name in _KEYWORD_COLUMNS}))
    return {number: _number(record, keywords[number]) for number, record in numbers.items()}


def _number(record: Any, keywords: list[KeywordRow]) -> Number:
    return Number(
        registered=True,
        keeper=record["pool"] or record["number"],
        opt_out_list=record["opt_out_list"],
        two_way=record["two_way_enabled"],
        has_webhook=record["has_webhook"],
        self_managed=record["self_managed_opt_outs_enabled"],
        rules=rule_sets.of(record["rule_set"]),
        keywords=tuple(matching.custom(keywords)),
        keyword_rows=tuple(keywords),
    )


def _standing(writer: Any) -> Standing:
    confirmed = writer["confirmed"]
    return Standing(
        opted_out=confirmed is not None,
        confirmed=bool(confirmed),
        last_time=writer["last_time"],
    )


def _guard(application: str, writers: Iterable[Any]) -> LoopGuard:
    counts = [
        ReplyCount(
            application=application,
            destination_address=writer["destination"],
            source_address=writer["source"],
            replies=writer["replies"],
            begin_time=writer["begin_time"],
        )
        for writer in writers
        if writer["replies"] is not None
    ]
    return LoopGuard(
        application, {(one.destination_address, one.source_address): one for one in counts}
    )
