"""The carrier simulator with nothing behind it but our own SMPP session, as a yardstick."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from mesh.smpp import Bind, Carrier, DeliverSm, Esme, SubmitSm

from localmesh.bench.rounds import stopwatch

MESSAGES = 20_000
FROM = "12125550198"
BIND_SECONDS_MAX = 10.0


async def carrier_rate(smpp: Mapping[str, Any], text: str) -> float:
    """Messages a second, from the first that is handed over to the last receipt."""
    bind = Bind(system_id=smpp["system_id"], password=smpp["password"])
    receipts = asyncio.Semaphore(0)

    async def delivered(messages: Sequence[DeliverSm]) -> None:
        for _ in messages:
            receipts.release()

    async with Esme(Carrier(smpp["host"], smpp["port"], bind), delivered) as esme:
        await esme.wait_bound(BIND_SECONDS_MAX)
        with stopwatch() as handing:
            await esme.submit_many(_messages(text))
            for _ in range(MESSAGES):
                await receipts.acquire()
    return MESSAGES / handing.seconds


def _messages(text: str) -> list[SubmitSm]:
    return [
        SubmitSm(FROM, f"1212{2_000_000 + serial}", text.encode(), registered_delivery=1)
        for serial in range(MESSAGES)
    ]
