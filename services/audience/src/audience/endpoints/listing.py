"""The AIP-160 filter of `ListEndpoints` as one SQL condition over `endpoint e`.

What segments can ask as well is compiled by them. `!=` and NOT hold where a field is absent: every
condition is true or false, never NULL.
"""

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any, Final

from heliograph.audience.v1 import endpoint_pb2
from heliograph.audience.v1 import segment_filter_pb2 as pb
from mesh.aip import filters
from mesh.aip.filters import And, Filter, Not, Or, Restriction
from mesh.errors import Error
from mesh.errors.refusals import shown

from audience import channels, names
from audience.endpoints import addresses
from audience.endpoints.filter_values import enum, moment, number, only, plain_text
from audience.segments import compiling
from audience.segments.compiling import Question

_EQUALITY: Final = ("=", "!=")
_ORDER: Final = ("=", "!=", "<", "<=", ">", ">=")
_LISTS: Final = ("=", "!=", ":")
_CHANNELS: Final = f"'{{{','.join(map(str, channels.NAMES))}}}'::smallint[]"
_COORDINATES: Final = ("latitude", "longitude")


def compiled(text: str, application: str, *, given: Sequence[Any]) -> Question:
    """The condition of a filter, its parameters after those `given`; FILTER_INVALID if it is none.

    Users must be joined as `user_profile u` when it asks about them.
    """
    compiler = _Compiler(application, given)
    tree = filters.parse(text)
    condition = compiler.condition(tree) if tree else "true"
    return Question(condition, tuple(compiler.parameters), compiler.asks_users)


class _Compiler:
    def __init__(self, application: str, given: Sequence[Any]) -> None:
        self.application = application
        self.parameters = list(given)
        self.asks_users = False

    def condition(self, tree: Filter) -> str:
        """SQL of one node, in brackets."""
        if isinstance(tree, Not):
            return f"(NOT {self.condition(tree.inner)})"
        if isinstance(tree, And):
            return f"({' AND '.join(map(self.condition, tree.parts))})"
        if isinstance(tree, Or):
            return f"({' OR '.join(map(self.condition, tree.parts))})"
        head = tree.path[0]
        if head not in _FIELDS:
            known = ", ".join(sorted(_FIELDS))
            raise filters.invalid(
                tree.position, f"{shown(head)} is no field of an endpoint to ask about; {known} are"
            )
        condition = _FIELDS[head](self, tree)
        return f"(NOT {condition})" if tree.comparator == "!=" else condition

    def parameter(self, value: object, kind: str) -> str:
        """A value as a parameter of an SQL type."""
        self.parameters.append(value)
        return f"${len(self.parameters)}::{kind}"

    def asked(self, **node: Any) -> str:
        """What a segment can ask, compiled as segments are."""
        question = compiling.compiled(pb.SegmentFilter(**node), given=self.parameters)
        self.parameters = list(question.parameters)
        self.asks_users |= question.asks_users
        return question.condition


def _name(compiler: _Compiler, asked: Restriction) -> str:
    only(asked, 1, _EQUALITY)
    try:
        application, endpoint = names.endpoint_of(plain_text(asked))
    except Error as error:
        raise filters.invalid(asked.value_position, str(error)) from error
    if application != compiler.application:
        return "(false)"
    return f"(e.endpoint = {compiler.parameter(endpoint, 'text')})"


def _address(compiler: _Compiler, asked: Restriction) -> str:
    only(asked, 1, _EQUALITY)
    forms = addresses.forms(plain_text(asked))
    return f"({' OR '.join(_is_address(compiler, form) for form in forms)})"


def _is_address(compiler: _Compiler, form: str) -> str:
    address = compiler.parameter(form, "text")
    # The index on addresses holds hashes by channel, of active endpoints: with `status = ACTIVE`
    # it finds the address whatever the channel.
    return (
        f"(e.channel_type = ANY({_CHANNELS})"
        f" AND hashtextextended(e.address::text, 0) = hashtextextended({address}, 0)"
        f" AND e.address = {address})"
    )


def _channel_type(compiler: _Compiler, asked: Restriction) -> str:
    only(asked, 1, _EQUALITY)
    return compiler.asked(channel={"channel_types": [enum(asked, channels.BY_NAME)]})


def _status(compiler: _Compiler, asked: Restriction) -> str:
    only(asked, 1, _EQUALITY)
    return compiler.asked(state={"status": enum(asked, _named(endpoint_pb2.Endpoint.Status))})


def _opt_out(compiler: _Compiler, asked: Restriction) -> str:
    only(asked, 1, _EQUALITY)
    return compiler.asked(state={"opt_out": enum(asked, _named(endpoint_pb2.Endpoint.OptOut))})


def _refused_topics(compiler: _Compiler, asked: Restriction) -> str:
    only(asked, 1, _LISTS)
    if asked.presence:
        return "(e.refused_topics <> '[]')"
    return f"(e.refused_topics ? {compiler.parameter(plain_text(asked), 'text')})"


def _time(compiler: _Compiler, asked: Restriction) -> str:
    only(asked, 1, _ORDER)
    instant = compiler.parameter(moment(asked).astimezone(UTC), "timestamptz")
    return f"(e.{asked.path[0]} {_equal(asked)} {instant})"


def _user(compiler: _Compiler, asked: Restriction) -> str:
    if asked.path[1:2] == ("attributes",):
        return _attributes_of(compiler, asked, "user_attribute", asked.path[2:])
    if asked.presence and asked.path in (("user",), ("user", "user_id")):
        return compiler.asked(user={})
    if asked.path != ("user", "user_id"):
        raise filters.invalid(asked.position, "only user_id and attributes of a user can be asked")
    only(asked, 2, _EQUALITY)
    # The second condition is what the index on users demands.
    return f"(e.user_id <> '' AND e.user_id = {compiler.parameter(plain_text(asked), 'text')})"


def _attributes(compiler: _Compiler, asked: Restriction) -> str:
    return _attributes_of(compiler, asked, "attribute", asked.path[1:])


def _attributes_of(
    compiler: _Compiler, asked: Restriction, node: str, rest: tuple[str, ...]
) -> str:
    """`attributes.a = x`, `attributes.a:x`: one of its values is x. `attributes:a`: it has some."""
    present = pb.AttributeCondition.PRESENT
    if not rest:
        only(asked, len(asked.path), (":",))
        return compiler.asked(**{node: {"name": plain_text(asked), "operator": present}})
    name = plain_text(asked, ".".join(rest))
    if asked.presence:
        return compiler.asked(**{node: {"name": name, "operator": present}})
    only(asked, len(asked.path), _LISTS)
    inclusive = pb.AttributeCondition.INCLUSIVE
    values = [plain_text(asked)]
    return compiler.asked(**{node: {"name": name, "operator": inclusive, "values": values}})


def _metrics(compiler: _Compiler, asked: Restriction) -> str:
    rest = asked.path[1:]
    if asked.presence or not rest:
        only(asked, len(asked.path), (":",))
        name = plain_text(asked, ".".join(rest) if rest else None)
        return f"(e.metrics ? {compiler.parameter(name, 'text')})"
    only(asked, len(asked.path), _ORDER)
    name = compiler.parameter(plain_text(asked, ".".join(rest)), "text")
    value = compiler.parameter(number(asked), "float8")
    return f"coalesce((e.metrics ->> {name})::float8 {_equal(asked)} {value}, false)"


def _demographic(compiler: _Compiler, asked: Restriction) -> str:
    return _text_of(compiler, asked, "demographic", pb.DemographicCondition.Field)


def _location(compiler: _Compiler, asked: Restriction) -> str:
    field = asked.path[-1]
    if len(asked.path) != 2 or field not in _COORDINATES:
        return _text_of(compiler, asked, "location", pb.LocationCondition.Field)
    if asked.presence:
        return f"(e.location ? '{field}')"
    only(asked, 2, _ORDER)
    degrees = compiler.parameter(number(asked), "float8")
    return f"coalesce((e.location ->> '{field}')::float8 {_equal(asked)} {degrees}, false)"


def _text_of(compiler: _Compiler, asked: Restriction, column: str, fields: Any) -> str:
    known = {name.lower(): number for name, number in fields.items() if number}
    field = asked.path[-1]
    if len(asked.path) != 2 or field not in known:
        raise filters.invalid(asked.position, f"{'.'.join(asked.path)} is no field of an endpoint")
    if asked.presence:
        return f"(e.{column} ? '{field}')"
    only(asked, 2, _EQUALITY)
    condition = {"field": known[field], "values": [plain_text(asked)]}
    return compiler.asked(**{column: condition})


def _equal(asked: Restriction) -> str:
    """The comparison in SQL; that of `!=` is turned around as a whole."""
    return "=" if asked.comparator == "!=" else asked.comparator


def _named(kind: Any) -> dict[str, int]:
    return {name: number for name, number in kind.items() if number}


_FIELDS: Final[dict[str, Callable[[_Compiler, Restriction], str]]] = {
    "name": _name,
    "address": _address,
    "channel_type": _channel_type,
    "status": _status,
    "opt_out": _opt_out,
    "refused_topics": _refused_topics,
    "create_time": _time,
    "update_time": _time,
    "user": _user,
    "attributes": _attributes,
    "metrics": _metrics,
    "demographic": _demographic,
    "location": _location,
}
