"""What services erased, for people: of each service what went, and when it was done."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from heliograph.cli import output

if TYPE_CHECKING:
    from heliograph.audience.v1.application_service_pb2 import ServiceErasure


def print_erased(services: "Iterable[ServiceErasure]") -> None:
    """A row for each table that lost some."""
    rows = [row for one in services for row in _rows(one)]
    output.print_table(["service", "from", "erased", "when"], rows)


def _rows(service: "ServiceErasure") -> list[tuple[str, str, int, str]]:
    """A service that had nothing says so, for its answer is part of the proof."""
    when = service.erase_time.ToJsonString()[:19] + "Z"
    erased = [(table, count) for table, count in sorted(service.erased_rows.items()) if count]
    return [(service.service, table, count, when) for table, count in erased or [("", 0)]]
