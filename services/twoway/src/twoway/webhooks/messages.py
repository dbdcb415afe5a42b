"""Texts as they are posted."""

from dataclasses import dataclass
from datetime import datetime

import orjson
from google.protobuf import json_format
from heliograph.twoway.v1 import inbound_message_pb2
from mesh.store import engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway.conversations import finding, render
from twoway.tables import InboundMessageRow
from twoway.webhooks import store

TYPE = "inbound_message.received"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text whose turn it is. `secrets` are those of its number, sealed."""

    inbound_message: str
    message: inbound_message_pb2.InboundMessage
    attempts: int
    create_time: datetime
    secrets: dict[str, str]


async def read(
    session: AsyncSession, key: tuple[str, str], now: datetime, limit: int
) -> tuple[list[Waiting], list[str]]:
    """Texts to be posted to an address of an application, and the ids of those that were erased."""
    records = await store.waiting(await engine.raw(session), key, now, limit)
    ids = [record["inbound_message"] for record in records]
    row = InboundMessageRow
    query = select(row).where(row.application == key[0], col(row.inbound_message).in_(ids))
    texts = {one.inbound_message: one for one in (await session.exec(query)).all()}
    answers = await finding.answers(session, key[0], texts.values())
    waiting = [
        Waiting(
            inbound_message=record["inbound_message"],
            message=render.inbound_message(
                texts[record["inbound_message"]], answers.get(record["inbound_message"])
            ),
            attempts=record["attempts"],
            create_time=record["create_time"],
            secrets=record["webhook_secrets"],
        )
        for record in records
        if record["inbound_message"] in texts
    ]
    return waiting, [one for one in ids if one not in texts]


def body(one: Waiting) -> bytes:
    """What is posted: the same each time, but for what became of the text meanwhile."""
    message = json_format.MessageToDict(one.message, preserving_proto_field_name=True)
    return orjson.dumps(
        {"type": TYPE, "timestamp": message["receive_time"], "data": message},
        option=orjson.OPT_SORT_KEYS,
    )
