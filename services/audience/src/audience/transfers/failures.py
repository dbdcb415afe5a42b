"""Why a row of a file was refused: its line, the header it is about, a reason and a sentence."""

from typing import Final, NamedTuple

from mesh.errors import Error

_EXACT: Final = {
    "endpoint": "Id",
    "address": "Address",
    "channel_type": "ChannelType",
    "opt_out": "OptOut",
    "status": "EndpointStatus",
    "refused_topics": "RefusedTopics",
    "user.user_id": "User.UserId",
    "user.attributes": "User.UserAttributes",
}
_PREFIXES: Final = {
    "attributes": "Attributes",
    "metrics": "Metrics",
    "demographic": "Demographic",
    "location": "Location",
}
_DESCRIPTION_CHARACTERS_MAX: Final = 500


class Failure(NamedTuple):
    """One refused row; `line` counts from 1."""

    line: int
    field: str
    reason: str
    description: str


def failure(line: int, error: Error) -> Failure:
    """The failure of a row that was refused as a call would be."""
    if not error.violations:
        return Failure(line, "", error.reason, error.message[:_DESCRIPTION_CHARACTERS_MAX])
    first = error.violations[0]
    description = first.description[:_DESCRIPTION_CHARACTERS_MAX]
    return Failure(line, header_of(first.field), error.reason, description)


def header_of(field: str) -> str:
    """The header, in Pinpoint's spelling, of a field of our contract."""
    if field in _EXACT:
        return _EXACT[field]
    if field.startswith("user.attributes."):
        return f"User.UserAttributes.{field.removeprefix('user.attributes.')}"
    head, _, rest = field.partition(".")
    if head not in _PREFIXES:
        return field
    name = _camel(rest) if head in ("demographic", "location") else rest
    return f"{_PREFIXES[head]}.{name}" if name else _PREFIXES[head]


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
