"""`heliograph reviews`: texts that may have meant STOP, for a person to read and settle."""

from typing import Literal

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk
from heliograph.cli.settings import word

app = App(name="reviews", help="Texts that a person should read: list, settle.")

COLUMNS = {
    "message": "name",
    "received": "receive_time",
    "from": "source_address",
    "to": "destination_address",
    "text": "text",
    "intent": "intent",
}


@app.command(name="list")
def list_(*, app: str, number: str = "", limit: int = 50, json: bool = False) -> None:
    """List texts that only mention stopping, or that another rule set would take for a STOP.

    Parameters
    ----------
    number
        Only those to this number.
    """
    from heliograph.paging import collect
    from heliograph.twoway.v1.conversation_service_pb2 import ListInboundMessagesRequest

    request = ListInboundMessagesRequest(
        parent=application(app), flagged=True, destination_address=number
    )
    found = talk(
        lambda mesh: collect(
            mesh.conversations.ListInboundMessages, request, "inbound_messages", limit=limit
        )
    )
    output.print_messages(found, COLUMNS, as_json=json)


@app.command
def settle(
    message: str,
    *,
    app: str,
    meant: Literal["opt-out", "opt-in", "help", "chatter"],
    json: bool = False,
) -> None:
    """Say what a text meant.

    Parameters
    ----------
    message
        Its id, as the list has it.
    meant
        opt-out opts the person out and confirms it, unless they came back since; anything else
        takes off the list whom this text put there.
    """
    from heliograph.twoway.v1.conversation_service_pb2 import ReviewInboundMessageRequest
    from heliograph.twoway.v1.inbound_message_pb2 import Intent

    request = ReviewInboundMessageRequest(
        name=resource(app, "inboundMessages", message), intent=Intent.Value(word(meant))
    )
    settled = talk(lambda mesh: mesh.conversations.ReviewInboundMessage(request))
    output.print_message(settled, as_json=json)
