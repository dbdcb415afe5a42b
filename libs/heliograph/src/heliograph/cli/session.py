"""One conversation of a command with the mesh."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from heliograph.client import Client
    from heliograph.errors import HeliographError

Result = TypeVar("Result")


def talk(conversation: "Callable[[Client], Awaitable[Result]]") -> Result:
    """Connect, run the conversation, and show a refusal as words on standard error."""
    import asyncio

    from heliograph.client import Client
    from heliograph.connection import find
    from heliograph.errors import HeliographError

    connection = find()

    async def run() -> Result:
        async with Client(connection) as mesh:
            return await conversation(mesh)

    try:
        return asyncio.run(run())
    except HeliographError as error:
        sys.stderr.write(refusal(error))
        sys.exit(1)


def refusal(error: "HeliographError") -> str:
    """A refusal in words: what, where, and what to do next."""
    lines = [f"{error.code}: {_said(error)}"]
    stated = (f"{violation.field}: {violation.description}" for violation in error.violations)
    lines += [f"  {line}" for line in stated if line != error.message]
    hint = REASON_HINTS.get(error.reason, HINTS.get(error.code))
    if hint:
        lines.append(f"  {hint}")
    return "\n".join(lines) + "\n"


def _said(error: "HeliographError") -> str:
    """The message; where nobody answered, the end of what the transport says."""
    if error.code == "UNAVAILABLE" and not error.reason:
        return f"the mesh does not answer: {error.message.rpartition('last error: ')[2]}"
    return error.message


HINTS = {
    "UNAVAILABLE": "Is the mesh up? `make up` starts one; a service that died is back in seconds.",
    "UNAUTHENTICATED": "Set HELIOGRAPH_TOKEN; `heliograph token` makes one for a mesh of your own.",
    "PERMISSION_DENIED": "`heliograph token --app APPLICATION` makes a token for that application.",
}
"""What to do next, by code."""

NOT_OPENED = "HELIOGRAPH_OBJECT_STORES, and the folders, say what the operator has opened to whom."
REASON_HINTS = {
    "IMPORT_PATH_NOT_ALLOWED": NOT_OPENED,
    "EXPORT_PATH_NOT_ALLOWED": NOT_OPENED,
    "OBJECT_ADDRESS_NOT_ALLOWED": NOT_OPENED,
    "OBJECT_STORE_UNAVAILABLE": "",
}
"""Where the reason tells more than the code: no token opens a place, and the mesh is up."""
