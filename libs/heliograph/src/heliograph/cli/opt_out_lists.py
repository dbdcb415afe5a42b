"""`heliograph opt-out-lists`: the lists that numbers and pools share or have for themselves."""

from cyclopts import App
from heliograph.cli import output, resources
from heliograph.cli.names import application, resource
from heliograph.cli.resources import Noun

app = App(
    name="opt-out-lists", help="Opt-out lists themselves: create, list, show, update, delete."
)

OPT_OUT_LIST = Noun(
    message="OptOutList",
    field="opt_out_list",
    collection="optOutLists",
    service="opt_outs",
    columns={"list": "name", "display name": "display_name", "created": "create_time"},
    protos="opt_out",
)
resources.add_list(app, OPT_OUT_LIST)
resources.add_show(app, OPT_OUT_LIST)
resources.add_end(
    *(app, OPT_OUT_LIST, "delete"),
    "deletes opt-out list {identity} of {app}: who is on it can be written to again",
    "Delete an opt-out list with its numbers; refused while something uses it.",
)


@app.command
def create(list: str, *, app: str, display_name: str = "", json: bool = False) -> None:
    """Create an opt-out list.

    Parameters
    ----------
    list
        Its id.
    """
    made = OPT_OUT_LIST.new(display_name=display_name)
    created = resources.create(OPT_OUT_LIST, application(app), list, made)
    output.print_message(created, as_json=json)


@app.command
def update(list: str, *, app: str, display_name: str, json: bool = False) -> None:
    """Change what an opt-out list is called for people."""
    name = resource(app, "optOutLists", list)
    changed = OPT_OUT_LIST.new(name=name, display_name=display_name)
    output.print_message(resources.update(OPT_OUT_LIST, changed, ["display_name"]), as_json=json)
