"""`heliograph conversations`: who wrote, what was said, and answers by hand."""

import sys
from typing import TYPE_CHECKING, Literal

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.client import Client
    from heliograph.twoway.v1.conversation_pb2 import Conversation, ConversationMessage

app = App(name="conversations", help="Conversations: list, show, reply, assign, close, search.")

COLUMNS = {
    "conversation": "name",
    "number": "phone_number",
    "person": "source_address",
    "state": "state",
    "assignee": "assignee",
    "last message": "last_message_time",
}
LINES_SHOWN = 200


@app.command(name="list")
def list_(
    *,
    app: str,
    state: Literal["open", "closed", ""] = "",
    assignee: str = "",
    person: str = "",
    limit: int = 50,
    json: bool = False,
) -> None:
    """List conversations, the most recent first.

    Parameters
    ----------
    state
        Only those that are open, or closed.
    assignee
        Only those of this assignee.
    person
        Only those with this person, for example +14155550123.
    """
    from heliograph.paging import collect
    from heliograph.twoway.v1.conversation_pb2 import Conversation
    from heliograph.twoway.v1.conversation_service_pb2 import ListConversationsRequest

    request = ListConversationsRequest(
        parent=application(app),
        state=Conversation.State.Value(state.upper() or "STATE_UNSPECIFIED"),
        assignee=assignee,
        source_address=person,
    )
    found = talk(
        lambda mesh: collect(
            mesh.conversations.ListConversations, request, "conversations", limit=limit
        )
    )
    output.print_messages(found, COLUMNS, as_json=json)


@app.command
def search(query: str, *, app: str, limit: int = 50, json: bool = False) -> None:
    """Find conversations by the words of a text in them, the most recent first."""
    from heliograph.paging import collect
    from heliograph.twoway.v1.conversation_service_pb2 import SearchConversationsRequest

    request = SearchConversationsRequest(parent=application(app), query=query)
    found = talk(
        lambda mesh: collect(
            mesh.conversations.SearchConversations, request, "conversations", limit=limit
        )
    )
    output.print_messages(found, COLUMNS, as_json=json)


@app.command
def show(conversation: str, *, app: str, json: bool = False) -> None:
    """Show what was said, the oldest first.

    Parameters
    ----------
    conversation
        Its id, or the person's number where they write to one number only.
    """
    from heliograph.paging import collect
    from heliograph.twoway.v1.conversation_service_pb2 import ListConversationMessagesRequest

    async def run(mesh: "Client") -> "tuple[Conversation, list[ConversationMessage]]":
        found = await _found(mesh, app, conversation)
        request = ListConversationMessagesRequest(name=found.name)
        method = mesh.conversations.ListConversationMessages
        return found, [*reversed(await collect(method, request, "messages", limit=LINES_SHOWN))]

    found, lines = talk(run)
    if json:
        output.print_json([output.as_dict(line) for line in lines])
        return
    rows = [_row(found, line) for line in lines]
    output.print_table(["time", "from", "text", "state"], rows, title=_heading(found))


@app.command
def reply(conversation: str, text: str, *, app: str, json: bool = False) -> None:
    """Answer by hand, from the conversation's number."""
    from uuid import uuid4

    from heliograph.twoway.v1.conversation_service_pb2 import ReplyToConversationRequest

    async def run(mesh: "Client") -> "ConversationMessage":
        found = await _found(mesh, app, conversation)
        return await mesh.conversations.ReplyToConversation(
            ReplyToConversationRequest(name=found.name, text=text, request_id=str(uuid4()))
        )

    answered = talk(run)
    output.print_message(answered.outbound_message, as_json=json)


@app.command
def assign(
    conversation: str, *, app: str, to: str, label: tuple[str, ...] = (), json: bool = False
) -> None:
    """Say who takes care of it.

    Parameters
    ----------
    to
        The assignee, in the application's own words; '' for nobody.
    label
        Labels, instead of those that it has; may be given several times.
    """
    from google.protobuf.field_mask_pb2 import FieldMask
    from heliograph.twoway.v1.conversation_pb2 import Conversation
    from heliograph.twoway.v1.conversation_service_pb2 import UpdateConversationRequest

    async def run(mesh: "Client") -> Conversation:
        found = await _found(mesh, app, conversation)
        return await mesh.conversations.UpdateConversation(
            UpdateConversationRequest(
                conversation=Conversation(name=found.name, assignee=to, labels=label),
                update_mask=FieldMask(paths=["assignee", *(["labels"] if label else [])]),
            )
        )

    output.print_message(talk(run), as_json=json)


@app.command
def close(conversation: str, *, app: str, json: bool = False) -> None:
    """Close it; it opens again when the person writes."""
    from heliograph.twoway.v1.conversation_service_pb2 import CloseConversationRequest

    async def run(mesh: "Client") -> "Conversation":
        found = await _found(mesh, app, conversation)
        return await mesh.conversations.CloseConversation(CloseConversationRequest(name=found.name))

    output.print_message(talk(run), as_json=json)


@app.command
def reopen(conversation: str, *, app: str, json: bool = False) -> None:
    """Open a closed one again."""
    from heliograph.twoway.v1.conversation_service_pb2 import ReopenConversationRequest

    async def run(mesh: "Client") -> "Conversation":
        found = await _found(mesh, app, conversation)
        request = ReopenConversationRequest(name=found.name)
        return await mesh.conversations.ReopenConversation(request)

    output.print_message(talk(run), as_json=json)


async def _found(mesh: "Client", app: str, conversation: str) -> "Conversation":
    """The conversation of an id, or the only one with a person."""
    from heliograph.twoway.v1 import conversation_service_pb2 as pb

    if not conversation.startswith("+"):
        name = resource(app, "conversations", conversation)
        return await mesh.conversations.GetConversation(pb.GetConversationRequest(name=name))
    request = pb.ListConversationsRequest(parent=application(app), source_address=conversation)
    found = (await mesh.conversations.ListConversations(request)).conversations
    if len(found) == 1:
        return found[0]
    if not found:
        sys.exit(f"heliograph: {conversation} has not written to {app}")
    ids = ", ".join(one.name.rpartition("/")[2] for one in found)
    sys.exit(f"heliograph: {conversation} has several conversations, name one: {ids}")


def _heading(found: "Conversation") -> str:
    from heliograph.twoway.v1.conversation_pb2 import Conversation

    number = found.phone_number.rpartition("/")[2]
    parts = [f"{found.source_address} with {number}", Conversation.State.Name(found.state)]
    if found.assignee:
        parts.append(f"assigned to {found.assignee}")
    return ", ".join([*parts, *found.labels])


def _row(found: "Conversation", line: "ConversationMessage") -> tuple[str, str, str, str]:
    if line.WhichOneof("message") == "inbound_message":
        theirs = line.inbound_message
        time = theirs.receive_time.ToDatetime()
        return f"{time:%Y-%m-%d %H:%M:%S}", found.source_address, theirs.text, ""
    ours = line.outbound_message
    author = f" ({ours.author})" if ours.author else ""
    sender = found.phone_number.rpartition("/")[2] + author
    campaign = ours.run.partition("/campaigns/")[2].partition("/")[0]
    text = ours.text or (f"[campaign {campaign}]" if campaign else "[message]")
    state = f"{ours.state} {ours.reason}".strip()
    return f"{ours.send_time.ToDatetime():%Y-%m-%d %H:%M:%S}", sender, text, state
