"""Which of some endpoints cannot be reached, by the rule that a segment's `eligible` counts by."""

from collections.abc import Sequence
from typing import Any

from heliograph.addresses import PHONE_CHANNELS
from heliograph.audience.v1.endpoint_pb2 import Endpoint

from audience.consent import store


async def out_of_reach(
    connection: Any, application: str, endpoints: Sequence[Endpoint]
) -> list[str]:
    """Names of the endpoints that are inactive, opted out, or known to have said STOP; in order."""
    phones = {one.address for one in endpoints if one.channel_type in PHONE_CHANNELS}
    stopped = await store.opted_out(connection, application, sorted(phones))
    return [
        one.name
        for one in endpoints
        if one.status != Endpoint.ACTIVE
        or one.opt_out != Endpoint.NONE
        or (one.channel_type in PHONE_CHANNELS and one.address in stopped)
    ]
