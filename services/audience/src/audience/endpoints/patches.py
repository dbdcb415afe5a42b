"""A write to one endpoint, wherever it came from: what it supplies, and nothing else."""

from typing import Any, Final

import msgspec

NONE: Final[frozenset[str]] = frozenset()


class Checked(dict[str, Any]):
    """A map that was checked and encoded before; nobody changes it. `text` is its JSON."""

    __slots__ = ("text",)

    def __init__(self, values: dict[str, Any], text: str) -> None:
        super().__init__(values)
        self.text = text


class Patch(msgspec.Struct, gc=False):
    """What a write supplies; None and 0 mean absent, and what is absent is kept.

    An empty list or None inside a map removes that entry, an empty text clears. `replaced` names
    the maps (`attributes`, `metrics`, `demographic`, `location`, `user_attributes`) that are
    replaced whole. `readmits` lets in a person who was erased.
    """

    endpoint: str = ""
    channel_type: int = 0
    address: str | None = None
    attributes: dict[str, list[str]] | None = None
    metrics: dict[str, float | None] | None = None
    demographic: dict[str, str] | None = None
    location: dict[str, str | float | None] | None = None
    user_id: str | None = None
    user_attributes: dict[str, list[str]] | None = None
    opt_out: int = 0
    status: int = 0
    refused_topics: list[str] | None = None
    replaced: frozenset[str] = NONE
    etag: str = ""
    create_only: bool = False
    update_only: bool = False
    keeps_status: bool = False
    readmits: bool = False
