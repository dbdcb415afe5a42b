"""`heliograph send` and `heliograph messages`: direct messages, and what became of messages."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from heliograph.cli import output
from heliograph.cli.names import application, origination, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.messaging.v1.content_pb2 import MessageContent
    from heliograph.messaging.v1.message_service_pb2 import Recipient

COLUMNS = {
    "message": "name",
    "channel": "channel_type",
    "address": "address",
    "state": "state",
    "reason": "reason",
    "run": "run",
    "updated": "update_time",
}
CHANNELS = {"sms": "SMS", "email": "EMAIL", "push": "PUSH_FCM"}
"""The channel type that each option stands for."""


def send(
    *to: str,
    app: str,
    sms: str = "",
    email: str = "",
    push: str = "",
    from_: Annotated[str, Parameter(name="--from")] = "",
    promotional: bool = False,
    json: bool = False,
) -> None:
    """Send a message now.

    Parameters
    ----------
    to
        Phone numbers (+14155550123), mail addresses or tokens, by channel; or endpoint:ID.
    sms
        The text.
    email
        'SUBJECT|TEXT'.
    push
        'TITLE|TEXT'.
    from_
        The number or sender id that a text comes from, or pool:ID; by default the channel's.
    promotional
        It is marketing; without, it is transactional.
    """
    from google.rpc.status_pb2 import Status
    from heliograph.messaging.v1.content_pb2 import PROMOTIONAL, TRANSACTIONAL
    from heliograph.messaging.v1.message_service_pb2 import SendMessagesRequest

    channel, message = content(sms, email, push)
    message.origination_identity = origination(app, from_)
    request = SendMessagesRequest(
        parent=application(app),
        content=message,
        purpose=PROMOTIONAL if promotional else TRANSACTIONAL,
        recipients=[_recipient(app, channel, address) for address in to],
    )
    answer = talk(lambda mesh: mesh.messages.SendMessages(request))
    if json:
        output.print_json(output.as_dict(answer))
        return

    def outcome(error: Status) -> str:
        return error.message or "ACCEPTED"

    rows: list[Any] = [
        (address, result.message.rpartition("/")[2], outcome(result.error))
        for address, result in zip(to, answer.results, strict=True)
    ]
    output.print_table(["to", "message", "outcome"], rows)


def content(sms: str, email: str, push: str) -> "tuple[str, MessageContent]":
    """The channel and the content of a direct message."""
    from heliograph.messaging.v1.content_pb2 import MessageContent

    given = {"sms": sms, "email": email, "push": push}
    chosen = [channel for channel, text in given.items() if text]
    if len(chosen) != 1:
        sys.exit("heliograph: expected one of --sms, --email and --push")
    message = MessageContent()
    head, _, body = given[chosen[0]].partition("|")
    if sms:
        message.sms.body = sms
    elif email:
        message.email.subject, message.email.text_body = head, body
    else:
        message.push.title, message.push.body = head, body
    return CHANNELS[chosen[0]], message


def _recipient(app: str, channel: str, address: str) -> "Recipient":
    from heliograph.audience.v1.channel_type_pb2 import ChannelType
    from heliograph.messaging.v1.message_service_pb2 import Recipient

    if address.startswith("endpoint:"):
        return Recipient(endpoint=resource(app, "endpoints", address.removeprefix("endpoint:")))
    return Recipient(
        address=Recipient.Address(channel_type=ChannelType.Value(channel), address=address)
    )


def messages(
    message: str = "",
    /,
    *,
    app: str,
    to: str = "",
    endpoint: str = "",
    user: str = "",
    run: str = "",
    limit: int = 20,
    json: bool = False,
) -> None:
    """Show what became of messages: one by its id, or the newest by address, user or run."""
    from heliograph.messaging.v1 import message_service_pb2 as pb
    from heliograph.paging import collect

    if message:
        get = pb.GetMessageRequest(name=resource(app, "messages", message))
        output.print_message(talk(lambda mesh: mesh.messages.GetMessage(get)), as_json=json)
        return
    request = pb.ListMessagesRequest(
        parent=application(app),
        page_size=min(limit, 1000),
        address=to,
        endpoint=resource(app, "endpoints", endpoint) if endpoint else "",
        user_id=user,
        run=run,
    )
    found = talk(lambda mesh: collect(mesh.messages.ListMessages, request, "messages", limit=limit))
    output.print_messages(found, COLUMNS, as_json=json)
