"""SQL with its parameters. Values never become text of a statement. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


class Parameters:
    """Collects values; `add` gives what stands for one in the statement."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def add(self, value: object, kind: str) -> str:
        """A placeholder of ClickHouse type `kind`, such as `{p0:String}`."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


@dataclass(frozen=True)
class Statement:
    """A SELECT and the values of its placeholders."""

    text: str
    values: Mapping[str, object]
