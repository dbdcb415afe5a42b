"""Announcements about opt-out lists, as facts that may come in any order and any number. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from google.protobuf.message import Message
from heliograph.twoway.v1 import events_pb2
from heliograph.twoway.v1.opt_out_list_pb2 import ConsentChange
from mesh.aip import resource_names
from mesh.errors import InvalidArgument
from mesh.eventing.delivery import Delivery

OPT_OUT_LIST: Final = "applications/{application}/optOutLists/{opt_out_list}"
HEARD: Final[tuple[type[Message], ...]] = (
    events_pb2.NumberOptedOut,
    events_pb2.NumberOptedIn,
    events_pb2.OptOutListDeleted,
)
EVERYBODY: Final = ""
"""The address of a fact about a whole list."""

Key: TypeAlias = tuple[str, str, str]

_TYPES: Final = {message_type.DESCRIPTOR.full_name: message_type for message_type in HEARD}


@dataclass(frozen=True, slots=True)
class Fact:
    """That an address went on a list or off it, at a time; for `EVERYBODY`, that the list ended."""

    application: str
    address: str
    opt_out_list: str
    opted_out: bool
    change_time: datetime
    origination_identity: str = ""

    @property
    def key(self) -> Key:
        """Whom and which list it is about."""
        return self.application, self.address, self.opt_out_list

    @property
    def rank(self) -> tuple[datetime, bool]:
        """The greater of two about the same key holds: the later one; at the same time, STOP."""
        return self.change_time, self.opted_out


def told(delivery: Delivery) -> Iterator[Fact]:
    """The facts that one announcement tells. Refuses what is none of `HEARD`, or cannot be read."""
    type_name = delivery.subject.rpartition(".")[0]
    if type_name not in _TYPES:
        raise InvalidArgument("SUBJECT_UNKNOWN", f"{delivery.subject} tells nothing about opt-outs")
    event = delivery.parse(_TYPES[type_name])
    if isinstance(event, events_pb2.OptOutListDeleted):
        ended = event.delete_time.ToDatetime(tzinfo=UTC)
        yield Fact(event.application, EVERYBODY, list_id(event.opt_out_list), False, ended)
    elif isinstance(event, events_pb2.NumberOptedOut | events_pb2.NumberOptedIn):
        for change in event.changes:
            if change.destination_address:
                yield _fact(event.application, change)


def holding(facts: Iterable[Fact]) -> list[Fact]:
    """Of all facts about the same key the one that holds, in the order of the keys."""
    found: dict[Key, Fact] = {}
    for fact in facts:
        known = found.get(fact.key)
        if known is None or known.rank < fact.rank:
            found[fact.key] = fact
    return [found[key] for key in sorted(found)]


def _fact(application: str, change: ConsentChange) -> Fact:
    return Fact(
        application=application,
        address=change.destination_address,
        opt_out_list=list_id(change.opt_out_list),
        opted_out=change.kind == ConsentChange.OPTED_OUT,
        change_time=change.change_time.ToDatetime(tzinfo=UTC),
        origination_identity=change.origination_identity,
    )


def list_id(name: str) -> str:
    """The id in a list's name; refuses what is none."""
    return resource_names.parse(OPT_OUT_LIST, name, field="opt_out_list")["opt_out_list"]
