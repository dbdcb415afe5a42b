"""Resource names as patterns, parsed and formatted (AIP-122)."""

import re
from functools import lru_cache

from mesh.errors import InvalidArgument, refusals

_VARIABLE = re.compile(r"\{(\w+)\}")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = _VARIABLE.split(pattern)
    literals = [re.escape(part) for part in parts[::2]]
    groups = [f"(?P<{name}>[^/]+)" for name in parts[1::2]]
    pieces = [piece for pair in zip(literals, [*groups, ""], strict=True) for piece in pair]
    return re.compile("".join(pieces))


def match(pattern: str, name: str) -> dict[str, str] | None:
    """The ids in `name`, by variable, or None when it does not follow the pattern."""
    found = _compiled(pattern).fullmatch(name)
    return found.groupdict() if found else None


def parse(pattern: str, name: str, *, field: str = "name") -> dict[str, str]:
    """The ids in `name`, by variable; INVALID_ARGUMENT naming `field` when it does not match."""
    ids = match(pattern, name)
    if ids is None:
        raise invalid(pattern, name, field)
    return ids


def format(pattern: str, **ids: str) -> str:
    """The name with these ids. An id is never empty and never holds a slash."""
    for variable, value in ids.items():
        if not value or "/" in value:
            raise invalid(pattern, value, variable)
    return pattern.format(**ids)


def invalid(pattern: str, name: str, field: str) -> InvalidArgument:
    """The refusal of a name that does not follow its pattern."""
    description = f"{name!r} does not have the form {pattern}"
    return refusals.invalid("RESOURCE_NAME_INVALID", field, description, name=name, pattern=pattern)
