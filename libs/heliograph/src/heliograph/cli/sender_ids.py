"""`heliograph sender-ids`: names that messages come from, where carriers allow it."""

from typing import Any, Literal

from cyclopts import App
from heliograph.cli import output, resources
from heliograph.cli.names import application, optional, resource
from heliograph.cli.resources import Noun
from heliograph.cli.settings import Switch, changes, fill

app = App(name="sender-ids", help="Sender ids: register, list, show, update, release.")

SENDER_ID = Noun(
    message="SenderId",
    field="sender_id",
    collection="senderIds",
    service="sender_ids",
    columns={
        "sender id": "name",
        "country": "country_code",
        "messages": "message_types",
        "opt-out list": "opt_out_list",
        "pools": "pools",
        "protected": "deletion_protection_enabled",
    },
)
resources.add_list(app, SENDER_ID)
resources.add_show(app, SENDER_ID)
resources.add_end(
    *(app, SENDER_ID, "release"),
    "releases sender id {identity} of {app}",
    "Release a sender id.",
)

MessageTypes = list[Literal["transactional", "promotional"]]


@app.command
def register(
    sender_id: str,
    *,
    app: str,
    message_type: MessageTypes | None = None,
    opt_out_list: str | None = None,
    deletion_protection: Switch | None = None,
    json: bool = False,
) -> None:
    """Register a sender id.

    Parameters
    ----------
    sender_id
        The country and the name, as DE-ACME.
    message_type
        What it is registered for. May be repeated.
    opt_out_list
        The list that is asked before anything is sent from it; by default default.
    deletion_protection
        While on, it cannot be released.
    """
    made = SENDER_ID.new()
    fill(made, _given(app, message_type, opt_out_list, deletion_protection))
    registered = resources.create(SENDER_ID, application(app), sender_id, made)
    output.print_message(registered, as_json=json)


@app.command
def update(
    sender_id: str,
    *,
    app: str,
    message_type: MessageTypes | None = None,
    opt_out_list: str | None = None,
    deletion_protection: Switch | None = None,
    json: bool = False,
) -> None:
    """Change a sender id; options as of register."""
    changed = SENDER_ID.new(name=resource(app, "senderIds", sender_id))
    paths = changes(changed, _given(app, message_type, opt_out_list, deletion_protection))
    output.print_message(resources.update(SENDER_ID, changed, paths), as_json=json)


def _given(
    app: str,
    message_types: MessageTypes | None,
    opt_out_list: str | None,
    deletion_protection: Switch | None,
) -> dict[str, Any]:
    return {
        "message_types": message_types,
        "opt_out_list": optional(app, "optOutLists", opt_out_list),
        "deletion_protection_enabled": deletion_protection,
    }
