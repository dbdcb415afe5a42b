"""The header row of a CSV file: which column is what (Pinpoint, 'Importing segments').

Fixed headers are recognised in any case. Names after `Attributes.`, `Metrics.` and
`User.UserAttributes.` are the application's own and kept as they are.
"""

import difflib
from collections.abc import Sequence
from typing import Final, NamedTuple

from mesh.errors import InvalidArgument

from audience.endpoints import checks

DEMOGRAPHIC: Final = {
    "demographic.appversion": "app_version",
    "demographic.locale": "locale",
    "demographic.make": "make",
    "demographic.model": "model",
    "demographic.modelversion": "model_version",
    "demographic.platform": "platform",
    "demographic.platformversion": "platform_version",
    "demographic.timezone": "timezone",
}
LOCATION: Final = {
    "location.city": "city",
    "location.country": "country",
    "location.latitude": "latitude",
    "location.longitude": "longitude",
    "location.postalcode": "postal_code",
    "location.region": "region",
}
SINGLE: Final = {
    "id": "id",
    "channeltype": "channel_type",
    "address": "address",
    "optout": "opt_out",
    "user.userid": "user_id",
    "endpointstatus": "status",
    "refusedtopics": "refused_topics",
}
# What exports say and nobody can set; a row's other values are imported all the same.
IGNORED: Final = frozenset(
    (*("applicationid", "cohortid", "creationdate", "effectivedate", "requestid"),)
)
_OPEN: Final = {
    "attributes.": "attributes",
    "metrics.": "metrics",
    "user.userattributes.": "user_attributes",
}
_SPELLINGS: Final = (
    *("Id", "ChannelType", "Address", "OptOut", "User.UserId", "Attributes.name", "Metrics.name"),
    *("User.UserAttributes.name", "Location.Country", "Demographic.Timezone"),
)


SEVERAL: Final = frozenset(("attributes", "user_attributes", "refused_topics", "ignored"))
"""Kinds of columns that a file may have several of with the same name."""


class Column(NamedTuple):
    """What a column holds: a kind (`attributes`, `location`, `id` …) and a name in it."""

    kind: str
    name: str


def columns(header: Sequence[str]) -> list[Column]:
    """What each column of a file holds; refuses a header that is none (HEADER_INVALID)."""
    found = [_column(cell.strip()) for cell in header]
    _refuse_repeated(header, found)
    kinds = {column.kind for column in found}
    is_whole = "id" in kinds or {"channel_type", "address"} <= kinds
    if not is_whole and kinds - {"ignored"} != {"user_id"}:
        needed = "a file needs the headers ChannelType and Address, or Id, or User.UserId alone"
        raise header_invalid(needed, header)
    return found


def header_invalid(description: str, header: Sequence[str]) -> InvalidArgument:
    """The refusal of a file by its header."""
    shown = ",".join(header)[:200]
    message = f"{description}; the header is {shown!r}"
    return InvalidArgument("HEADER_INVALID", message, header=shown)


def _column(cell: str) -> Column:
    folded = cell.casefold()
    if not cell or folded in IGNORED:
        return Column("ignored", cell)
    for kind, names in (("demographic", DEMOGRAPHIC), ("location", LOCATION)):
        if folded in names:
            return Column(kind, names[folded])
    if folded in SINGLE:
        return Column(SINGLE[folded], "")
    for prefix, kind in _OPEN.items():
        if folded.startswith(prefix) and checks.is_name(cell[len(prefix) :]):
            return Column(kind, cell[len(prefix) :])
    raise _unknown(cell)


def _unknown(cell: str) -> InvalidArgument:
    close = difflib.get_close_matches(cell, _SPELLINGS, n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(_SPELLINGS)} …"
    if ";" in cell or "\t" in cell:
        hint = "; cells are parted by commas"
    shown = cell[:100]
    return InvalidArgument("HEADER_INVALID", f"{shown!r} is no known header{hint}", header=shown)


def _refuse_repeated(header: Sequence[str], found: list[Column]) -> None:
    """Only lists of values can have several columns."""
    seen: set[Column] = set()
    for cell, column in zip(header, found, strict=True):
        if column in seen and column.kind not in SEVERAL:
            raise header_invalid(f"the header {cell.strip()} is there twice", header)
        seen.add(column)
