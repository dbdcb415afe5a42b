"""`heliograph inbound`: say something as a phone, and see what came in."""

import json as jsons
import sys

from heliograph.cli import output
from heliograph.cli.names import application
from heliograph.cli.session import talk

COLUMNS = {
    "from": "source_address",
    "to": "destination_address",
    "text": "text",
    "intent": "intent",
    "received": "receive_time",
}
TIMEOUT_SECONDS = 10


def inbound(
    text: str = "", /, *, app: str = "", source: str = "", to: str = "", json: bool = False
) -> None:
    """Say something as a phone, through the simulated carrier; without a text, list what came in.

    Parameters
    ----------
    text
        What the phone says, for example STOP.
    app
        The application whose inbound messages are listed.
    source
        The phone that says it, for example +14155550123.
    to
        The number it is said to.
    """
    if not text:
        _list(app, json)
        return
    if not source or not to:
        sys.exit("heliograph: expected --source PHONE and --to NUMBER with the text")
    _say(text, source, to)


def _list(app: str, json: bool) -> None:
    from heliograph.paging import collect
    from heliograph.twoway.v1.conversation_service_pb2 import ListInboundMessagesRequest

    if not app:
        sys.exit("heliograph: expected --app APPLICATION, or a text to say")
    request = ListInboundMessagesRequest(parent=application(app))
    found = talk(
        lambda mesh: collect(
            mesh.conversations.ListInboundMessages, request, "inbound_messages", limit=50
        )
    )
    output.print_messages(found, COLUMNS, as_json=json)


def _say(text: str, source: str, to: str) -> None:
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    from heliograph.connection import find

    carrier = find().peers.get("carrier")
    if carrier is None:
        sys.exit("heliograph: this mesh has no simulated carrier to speak through")
    said = {"messages": [{"source": source, "destination": to, "text": text}]}
    request = Request(
        f"{carrier}/inbound",
        data=jsons.dumps(said).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            answer.read()
    except HTTPError as error:
        error.close()
        sys.exit(
            "heliograph: the simulated carrier refuses it: expected --source and --to as numbers, "
            "for example +14155550123"
        )
    except URLError as error:
        sys.exit(f"heliograph: the simulated carrier does not answer: {error}")
    sys.stdout.write(f"{source} says to {to}: {text}\n")
