"""An endpoint as it is stored."""

from datetime import datetime
from typing import TypeAlias

import msgspec

Attributes: TypeAlias = dict[str, list[str]]


class State(msgspec.Struct, gc=False):
    """One stored endpoint. User attributes are stored with the user, not here."""

    endpoint: str
    channel_type: int
    address: str
    attributes: Attributes
    metrics: dict[str, float]
    demographic: dict[str, str]
    location: dict[str, str | float]
    user_id: str
    opt_out: int
    status: int
    refused_topics: list[str]
    create_time: datetime
    update_time: datetime
    revision: int
