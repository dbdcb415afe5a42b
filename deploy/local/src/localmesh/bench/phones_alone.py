"""The carrier simulator with somebody behind it who answers each text at once, as a yardstick."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from mesh.smpp import Bind, Carrier, DeliverSm, Esme, SubmitSm

from localmesh.bench.conversing import Carrying, Phones

NUMBER = "+12125550197"
BIND_SECONDS_MAX = 10.0


async def echo_rate(
    carrying: Carrying, smpp: Mapping[str, Any], phones: Phones, reply: str
) -> float:
    """Round trips a second when a text is read, and a reply written, and nothing else done."""
    bind = Bind(system_id=NUMBER.lstrip("+"), password=smpp["password"])
    replies: set[asyncio.Task[Any]] = set()

    async def delivered(texts: Sequence[DeliverSm]) -> None:
        submits = [
            SubmitSm(text.destination_addr, text.source_addr, reply.encode()) for text in texts
        ]
        replying = asyncio.create_task(esme.submit_many(submits))
        replies.add(replying)
        replying.add_done_callback(replies.discard)

    async with Esme(Carrier(smpp["host"], smpp["port"], bind), delivered) as esme:
        await esme.wait_bound(BIND_SECONDS_MAX)
        trips = await carrying.round_trips(phones, NUMBER)
        await asyncio.gather(*replies)
    return trips.rate
