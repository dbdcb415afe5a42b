"""Marks of the operator's own, as options of the command. Pure."""

import sys
from collections.abc import Iterable, Mapping


def changed(before: Mapping[str, str], texts: Iterable[str]) -> dict[str, str]:
    """The labels with each `KEY=VALUE` set and each `KEY=` taken away."""
    after = dict(before)
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            sys.exit(f"heliograph: expected --label as team=crm, or team= to end it; not {text!r}")
        after[key] = value
    return {key: value for key, value in after.items() if value}
