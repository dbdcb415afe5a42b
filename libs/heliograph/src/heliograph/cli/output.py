"""What a command prints: tables for people, JSON for programs."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.message import Message


PIPE_COLUMNS = 1_000
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def as_dict(message: "Message", *, stated_only: bool = False) -> dict[str, Any]:
    """A message with the contract's own field names; zeros and empty lists too, unless told."""
    from google.protobuf import json_format

    found: dict[str, Any] = json_format.MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=not stated_only,
    )
    return found


def print_json(value: object) -> None:
    """A value as indented JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_message(message: "Message", *, as_json: bool) -> None:
    """One message: JSON, or its fields in two columns."""
    if as_json:
        print_json(as_dict(message))
    else:
        print_table(
            ["field", "value"],
            [
                (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
                for name, value in as_dict(message, stated_only=True).items()
            ],
        )


def print_messages(
    messages: "Sequence[Message]", columns: Mapping[str, str], *, as_json: bool
) -> None:
    """Several messages: a JSON list, or a table of the `columns` (heading to dotted field path)."""
    rows = [as_dict(message) for message in messages]
    if as_json:
        print_json(rows)
        return
    print_table(list(columns), [[_at(row, path) for path in columns.values()] for row in rows])


def print_children(messages: "Sequence[Any]", columns: Mapping[str, str], *, as_json: bool) -> None:
    """Resources of one parent that the caller has named: a table has their ids alone."""
    if not as_json:
        for one in messages:
            one.name = one.name.rpartition("/")[2]
    print_messages(messages, columns, as_json=as_json)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table. Numbers stand to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [list(row) for row in rows]
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left")
    for index, heading in enumerate(headings):
        numeric = bool(rows) and all(_is_number(row[index]) for row in rows)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        # Text and not markup: what people wrote must not be read as formatting.
        table.add_row(*(Text(str(cell)) for cell in row))
    # Folding is for eyes; what reads a pipe wants an id in one piece.
    Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(table)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or (isinstance(cell, str) and cell.isdecimal())


def _at(row: Mapping[str, Any], path: str) -> object:
    value: Any = row
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return _short(value) if isinstance(value, str) else value


def _short(value: str) -> str:
    """What tells one cell of a column from another: the end of a name, a time to the second."""
    if value.endswith("_UNSPECIFIED"):
        return ""
    if _INSTANT.fullmatch(value):
        return value[:19] + "Z"
    if not value.startswith("applications/"):
        return value
    parts = value.split("/")
    return "/".join(parts[3:] or parts[1:])
