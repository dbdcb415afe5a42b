"""`heliograph pools`: numbers and sender ids that act as one."""

from typing import Any, Literal

from cyclopts import App
from heliograph.cli import output, resources
from heliograph.cli.names import application, identity, optional, resource
from heliograph.cli.resources import Noun
from heliograph.cli.session import talk
from heliograph.cli.settings import changes, fill, word
from heliograph.cli.treatment import AS_IT_IS, Treatment

app = App(
    name="pools",
    help="Pools: create, list, show, update, delete, members, add, remove, select.",
)

POOL = Noun(
    message="Pool",
    field="pool",
    collection="pools",
    service="pools",
    columns={
        "pool": "name",
        "members": "member_count",
        "messages": "message_type",
        "two-way": "two_way_enabled",
        "opt-out list": "opt_out_list",
        "rule set": "rule_set",
        "protected": "deletion_protection_enabled",
    },
)
resources.add_list(app, POOL)
resources.add_show(app, POOL)
resources.add_end(
    *(app, POOL, "delete"),
    "deletes pool {identity} of {app}; its members stay registered and keep its settings",
    "Delete a pool; its members stay registered and keep its settings.",
)


@app.command
def create(
    pool: str, *, app: str, first: str, treatment: Treatment = AS_IT_IS, json: bool = False
) -> None:
    """Create a pool of one identity, whose settings and keywords it takes over.

    Parameters
    ----------
    pool
        Its id.
    first
        The number or sender id that it begins with, as +12065550100 or DE-ACME.
    """
    made = POOL.new()
    fill(made, treatment.fields(app))
    request = POOL.request(
        *("CreatePool",),
        parent=application(app),
        pool_id=pool,
        pool=made,
        origination_identity=identity(app, first),
    )
    output.print_message(talk(lambda mesh: mesh.pools.CreatePool(request)), as_json=json)


@app.command
def update(pool: str, *, app: str, treatment: Treatment = AS_IT_IS, json: bool = False) -> None:
    """Change a pool and so all its members."""
    changed = POOL.new(name=resource(app, "pools", pool))
    paths = changes(changed, treatment.fields(app))
    output.print_message(resources.update(POOL, changed, paths), as_json=json)


@app.command
def members(pool: str, *, app: str, limit: int = 100, json: bool = False) -> None:
    """List who is in a pool."""
    from heliograph.paging import collect

    request = POOL.request(
        "ListPoolMembers", name=resource(app, "pools", pool), page_size=min(limit, 1000)
    )

    def pages(mesh: Any) -> Any:
        return collect(mesh.pools.ListPoolMembers, request, "origination_identities", limit=limit)

    listed = talk(pages)
    if json:
        output.print_json(listed)
    else:
        output.print_table(
            ["member"], [(name.partition("/")[2].partition("/")[2],) for name in listed]
        )


@app.command
def add(pool: str, member: str, *, app: str, json: bool = False) -> None:
    """Add a number or sender id whose settings are those of the pool.

    Parameters
    ----------
    member
        As +12065550100 or DE-ACME.
    """
    _membership("AddPoolMember", pool, member, app, as_json=json)


@app.command
def remove(pool: str, member: str, *, app: str, json: bool = False) -> None:
    """Take a number or sender id out; the last one cannot leave.

    Parameters
    ----------
    member
        As +12065550100 or DE-ACME.
    """
    _membership("RemovePoolMember", pool, member, app, as_json=json)


def _membership(verb: str, pool: str, member: str, app: str, *, as_json: bool) -> None:
    answer = POOL.call(
        verb, name=resource(app, "pools", pool), origination_identity=identity(app, member)
    )
    output.print_message(answer, as_json=as_json)


@app.command
def select(
    destination: str,
    *,
    app: str,
    pool: str = "",
    message_type: Literal["transactional", "promotional", ""] = "",
    capability: Literal["sms", "mms", "voice", "rcs", ""] = "",
    two_way: bool = False,
    json: bool = False,
) -> None:
    """Say which number or sender id a message to somebody should come from, and why.

    Parameters
    ----------
    destination
        Who it goes to, as +4915112345678.
    pool
        Only members of this pool; by default all that the application has registered.
    message_type
        What kind of message it is.
    capability
        What it must carry; by default sms.
    two_way
        That answers must be possible.
    """
    request = POOL.request(
        *("SelectOriginationIdentity",),
        parent=application(app),
        destination_address=destination,
        pool=optional(app, "pools", pool),
        message_type=word(message_type) or None,
        capability=word(capability) or None,
        two_way=two_way,
    )
    answer = talk(lambda mesh: mesh.pools.SelectOriginationIdentity(request))
    output.print_message(answer, as_json=json)
