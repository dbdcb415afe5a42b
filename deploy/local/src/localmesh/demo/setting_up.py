"""The channels, the number and its keywords, as an operator would set them up."""

from collections.abc import Mapping
from typing import Any

from heliograph.twoway.v1.keyword_pb2 import Keyword
from heliograph.twoway.v1.keyword_service_pb2 import CreateKeywordRequest, UpdateKeywordRequest

from localmesh import tenant
from localmesh.demo.world import (
    CONFIRMATION,
    HELP_TEXT,
    KEYWORD,
    KEYWORD_REPLY,
    NUMBER,
    PARENT,
    WELCOME_BACK,
    World,
)

PHONE_NUMBER = f"{PARENT}/phoneNumbers/{NUMBER}"
MISBEHAVIOUR: Mapping[str, Any] = {
    "submits_per_second_max": 4000,
    "rules": [
        {"share": 0.002, "status": "ESME_RSUBMITFAIL", "text": "autumn|winter"},
        {"share": 0.01, "state": "UNDELIVERABLE", "error": "001", "text": "autumn|winter"},
    ],
    "receipts": {
        "twice_share": 0.02,
        "late_share": 0.01,
        "early_share": 0.01,
        "delay_seconds_max": 0.5,
        "late_seconds": 2.0,
    },
}
"""A carrier as they are: it throttles, refuses, fails, and reports late, twice and out of order."""


async def set_up(world: World, providers: Mapping[str, Mapping[str, Any]]) -> None:
    """Connect the three channels, register the number, and word its answers."""
    names = await tenant.connect(world.mesh, PARENT, providers, NUMBER)
    await _word_the_answers(world)
    await world.carrier.behave(**MISBEHAVIOUR)
    world.account.step(
        "Set up the channels and the number",
        made=names,
        carrier="throttles, refuses, and reports late, twice and out of order",
    )


async def _word_the_answers(world: World) -> None:
    texts = {"stop": CONFIRMATION, "help": HELP_TEXT, "start": WELCOME_BACK}
    for keyword, text in texts.items():
        changed = Keyword(name=f"{PHONE_NUMBER}/keywords/{keyword}", reply_text=text)
        request = UpdateKeywordRequest(keyword=changed)
        request.update_mask.paths.append("reply_text")
        await world.mesh.keywords.UpdateKeyword(request)
    await world.mesh.keywords.CreateKeyword(
        CreateKeywordRequest(
            parent=PHONE_NUMBER,
            keyword_id=KEYWORD.lower(),
            keyword=Keyword(
                keyword=KEYWORD, action=Keyword.AUTOMATIC_RESPONSE, reply_text=KEYWORD_REPLY
            ),
        )
    )
