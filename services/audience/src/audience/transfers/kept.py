"""Maps that were read and checked before, kept by what they were read from.

The rows of a file repeat each other's places, devices and choices.
"""

from collections.abc import Callable
from typing import Any, Final

from audience.endpoints import checks
from audience.endpoints.patches import Checked

KEPT_MAX: Final = 2000
"""Of each kind and job: a megabyte or two."""

_UNKNOWN: Final = Checked({}, "")


class Kept:
    """One kind of map: `read` makes it of cells or bytes, `field` is its name in the contract."""

    def __init__(self, field: str, read: Callable[[Any], dict[str, Any] | None]) -> None:
        self._field = field
        self._read = read
        self._kept: dict[Any, dict[str, Any] | None] = {}

    def get(self, raw: Any) -> dict[str, Any] | None:
        """The map, or None when it is empty; refuses as `checks` does, and keeps no refusal."""
        found = self._kept.get(raw, _UNKNOWN)
        if found is _UNKNOWN:
            found = self._checked(self._read(raw))
            if len(self._kept) < KEPT_MAX:
                self._kept[raw] = found
        return found

    def _checked(self, values: dict[str, Any] | None) -> dict[str, Any] | None:
        """An empty list takes its attribute away, so what holds one is not a whole map."""
        if not values or [] in values.values():
            return values or None
        return checks.checked(self._field, values)
