"""`heliograph endpoints remove-attributes`: attributes taken from everybody."""

import sys
from typing import TYPE_CHECKING, Literal

from heliograph.cli import confirming, output
from heliograph.cli.names import application
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.audience.v1.endpoint_service_pb2 import (
        RemoveAttributesRequest,
        RemoveAttributesResponse,
    )
    from heliograph.client import Client


def remove_attributes(
    *patterns: str,
    app: str,
    kind: Literal["attributes", "metrics", "user-attributes"] = "attributes",
    yes: bool = False,
    json: bool = False,
) -> None:
    """Take attributes from everybody in an application, by name or glob: color 'temp_*'.

    The removal goes on when the command is stopped.

    Parameters
    ----------
    patterns
        Names, or globs: * stands for any characters, ? for one. Quote them from the shell.
    kind
        Whose attributes, or the metrics.
    yes
        That this is meant; without it, nothing is removed.
    """
    from heliograph.audience.v1.endpoint_service_pb2 import RemoveAttributesRequest

    if not patterns:
        sys.exit("heliograph: expected the name or glob of an attribute")
    confirming.require(yes, f"removes {kind} {', '.join(patterns)} from everybody in {app}")
    request = RemoveAttributesRequest(
        parent=application(app),
        kind=RemoveAttributesRequest.AttributeKind.Value(kind.upper().replace("-", "_")),
        patterns=patterns,
    )
    removed = talk(lambda mesh: _remove(mesh, request))
    if json:
        output.print_json(output.as_dict(removed))
        return
    output.print_table(
        ["removed", "rows changed"],
        [(", ".join(removed.removed_attributes) or "nothing", removed.changed_count)],
    )


async def _remove(mesh: "Client", request: "RemoveAttributesRequest") -> "RemoveAttributesResponse":
    from heliograph.audience.v1.endpoint_service_pb2 import RemoveAttributesResponse

    operation = await mesh.finished(await mesh.endpoints.RemoveAttributes(request))
    removed = RemoveAttributesResponse()
    operation.response.Unpack(removed)
    return removed
