"""The words that resources of twoway have in common: list, show, create, update, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cyclopts import App
from heliograph.cli import confirming, output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk


@dataclass(frozen=True)
class Noun:
    """A resource of the contract, and the columns of its list."""

    message: str
    """`OptOutAlarm`."""
    field: str
    """`opt_out_alarm`, which requests call it."""
    collection: str
    """`optOutAlarms`."""
    service: str
    """`opt_out_alarms`: what the client calls its service."""
    columns: Mapping[str, str]
    protos: str = ""
    """`opt_out_alarm`, where its service is not named after it."""

    def new(self, **fields: Any) -> Any:
        """An empty resource."""
        module = import_module(f"heliograph.twoway.v1.{self._proto}_pb2")
        return getattr(module, self.message)(**fields)

    def request(self, verb: str, **fields: Any) -> Any:
        """The request of a method."""
        module = import_module(f"heliograph.twoway.v1.{self.protos or self.field}_service_pb2")
        return getattr(module, f"{verb}Request")(**fields)

    def call(self, verb: str, **fields: Any) -> Any:
        """What a method answers."""
        request = self.request(verb, **fields)
        return talk(lambda mesh: getattr(getattr(mesh, self.service), verb)(request))

    @property
    def _proto(self) -> str:
        return {"opt_out": "opt_out_list"}.get(self.protos, self.field)


def create(noun: Noun, parent: str, identity: str, made: Any) -> Any:
    """Make a resource; as it is then."""
    given: dict[str, Any] = {f"{noun.field}_id": identity, noun.field: made}
    return noun.call(f"Create{noun.message}", parent=parent, **given)


def update(noun: Noun, changed: Any, paths: Sequence[str]) -> Any:
    """Change the fields of these paths; the resource as it is then."""
    from google.protobuf.field_mask_pb2 import FieldMask

    given = {noun.field: changed, "update_mask": FieldMask(paths=paths)}
    return noun.call(f"Update{noun.message}", **given)


def found(noun: Noun, parent: str, limit: int, **fields: Any) -> list[Any]:
    """The first resources below a parent."""
    from heliograph.paging import collect

    request = noun.request(
        f"List{noun.message}s", parent=parent, page_size=min(limit, 1000), **fields
    )

    def pages(mesh: Any) -> Any:
        method = getattr(getattr(mesh, noun.service), f"List{noun.message}s")
        return collect(method, request, f"{noun.field}s", limit=limit)

    listed: list[Any] = talk(pages)
    return listed


def add_list(group: App, noun: Noun) -> None:
    """The word `list` of resources that lie in an application."""

    @group.command(name="list")
    def list_(*, app: str, limit: int = 50, json: bool = False) -> None:
        """List them by their ids."""
        listed = found(noun, application(app), limit)
        output.print_messages(listed, noun.columns, as_json=json)


def add_show(group: App, noun: Noun) -> None:
    """The word `show`."""

    @group.command
    def show(identity: str, *, app: str, json: bool = False) -> None:
        """Show one."""
        name = resource(app, noun.collection, identity)
        output.print_message(noun.call(f"Get{noun.message}", name=name), as_json=json)


def add_end(group: App, noun: Noun, word: str, what: str, title: str) -> None:
    """The word that ends one, `delete` or `release`; `what` says what it does."""

    def end(identity: str, *, app: str, yes: bool = False) -> None:
        confirming.require(yes, what.format(identity=identity, app=app))
        noun.call(f"Delete{noun.message}", name=resource(app, noun.collection, identity))

    end.__doc__ = f"""{title}

    Parameters
    ----------
    yes
        That this is meant; without it, nothing happens.
    """
    group.command(end, name=word)
