"""`heliograph numbers`: what applications send from and are written to."""

from typing import Literal

from cyclopts import App
from heliograph.cli import output, resources
from heliograph.cli.names import application, optional, resource
from heliograph.cli.resources import Noun
from heliograph.cli.settings import changes, fill
from heliograph.cli.treatment import AS_IT_IS, Treatment

app = App(name="numbers", help="Phone numbers: register, list, show, update, release.")

NUMBER = Noun(
    message="PhoneNumber",
    field="phone_number",
    collection="phoneNumbers",
    service="phone_numbers",
    columns={
        "number": "name",
        "type": "type",
        "country": "country_code",
        "messages": "message_type",
        "two-way": "two_way_enabled",
        "opt-out list": "opt_out_list",
        "pool": "pool",
        "webhook": "two_way_webhook.uri",
        "protected": "deletion_protection_enabled",
    },
)
resources.add_show(app, NUMBER)
resources.add_end(
    *(app, NUMBER, "release"),
    "releases {identity} of {app} and deletes its keywords",
    "Release a number and its keywords; its opt-outs stay on their list.",
)

Capabilities = list[Literal["sms", "mms", "voice", "rcs"]]
MessageType = Literal["transactional", "promotional"]


@app.command(name="list")
def list_(
    *, app: str, pool: str = "", opt_out_list: str = "", limit: int = 50, json: bool = False
) -> None:
    """List numbers in their order.

    Parameters
    ----------
    pool
        Only those of this pool.
    opt_out_list
        Only those of this opt-out list.
    """
    listed = resources.found(
        *(NUMBER, application(app), limit),
        pool=optional(app, "pools", pool),
        opt_out_list=optional(app, "optOutLists", opt_out_list),
    )
    output.print_messages(listed, NUMBER.columns, as_json=json)


@app.command
def register(
    number: str,
    *,
    app: str,
    type: Literal["short-code", "long-code", "toll-free", "ten-dlc", "simulator"] | None = None,
    country: str | None = None,
    capability: Capabilities | None = None,
    message_type: MessageType | None = None,
    treatment: Treatment = AS_IT_IS,
    json: bool = False,
) -> None:
    """Register a number. It answers STOP, HELP and START at once.

    Parameters
    ----------
    number
        With its plus and country code, as +12065550100; or a short code of 3 to 8 digits.
    type
        What kind of number it is; by default short-code or long-code, by its length.
    country
        As CA, for a short code; that of other numbers is in them.
    capability
        What it can carry, by default sms. May be repeated.
    message_type
        What it is registered for; by default transactional.
    """
    made = NUMBER.new()
    given = {"type": type, "country_code": country}
    carried = {"capabilities": capability, "message_type": message_type}
    fill(made, {**given, **carried, **treatment.fields(app)})
    output.print_message(resources.create(NUMBER, application(app), number, made), as_json=json)


@app.command
def update(
    number: str,
    *,
    app: str,
    capability: Capabilities | None = None,
    message_type: MessageType | None = None,
    treatment: Treatment = AS_IT_IS,
    json: bool = False,
) -> None:
    """Change a number. What it shares with its pool is changed there.

    Parameters
    ----------
    capability
        What it can carry. May be repeated.
    message_type
        What it is registered for.
    """
    changed = NUMBER.new(name=resource(app, "phoneNumbers", number))
    carried = {"capabilities": capability, "message_type": message_type}
    paths = changes(changed, {**carried, **treatment.fields(app)})
    output.print_message(resources.update(NUMBER, changed, paths), as_json=json)
