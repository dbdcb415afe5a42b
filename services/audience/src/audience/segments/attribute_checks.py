"""Whether a question about an attribute is one, be it of an endpoint, a user or an event."""

from typing import Final

from heliograph import instants
from heliograph.audience.v1 import segment_filter_pb2 as pb
from mesh.errors.refusals import invalid, shown

_INSTANTS: Final = frozenset(
    (
        pb.AttributeCondition.BEFORE,
        pb.AttributeCondition.AFTER,
        pb.AttributeCondition.ON,
        pb.AttributeCondition.BETWEEN,
    )
)
_NO_VALUES: Final = frozenset((pb.AttributeCondition.PRESENT, pb.AttributeCondition.ABSENT))
_TAKES: Final = {
    pb.AttributeCondition.BETWEEN: "two values",
    **dict.fromkeys(_NO_VALUES, "no values"),
}


def check(condition: pb.AttributeCondition, path: str) -> None:
    """Refuse the wrong number of values for the operator, and values that are no instants."""
    count, operator = len(condition.values), condition.operator
    wanted = {pb.AttributeCondition.BETWEEN: count == 2} | dict.fromkeys(_NO_VALUES, count == 0)
    if not wanted.get(operator, count > 0):
        name = pb.AttributeCondition.Operator.Name(operator)
        takes = _TAKES.get(operator, "at least one value")
        description = f"{name} takes {takes}, not {count}"
        raise invalid("FILTER_VALUES_COUNT", f"{path}.values", description)
    if operator in _INSTANTS:
        _check_instants(condition, path)


def _check_instants(condition: pb.AttributeCondition, path: str) -> None:
    read = [instants.read(value) for value in condition.values]
    for index, instant in enumerate(read):
        if instant is None:
            description = f"{shown(condition.values[index])} is no ISO 8601 instant"
            raise invalid("FILTER_INSTANT_INVALID", f"{path}.values[{index}]", description)
    first, last = read[0], read[-1]
    if condition.operator == pb.AttributeCondition.BETWEEN and first and last and first > last:
        description = "the first instant is later than the second"
        raise invalid("FILTER_INSTANT_INVALID", f"{path}.values", description)
