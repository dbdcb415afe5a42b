"""An EventFilter as a condition of SQL. Pure.

`INCLUSIVE` and `EXCLUSIVE` are Pinpoint's `AttributeType`; metric operators its `MetricDimension`.
"""

from heliograph import instants as readable
from heliograph.analytics.v1.event_filter_pb2 import AttributeFilter, EventFilter, MetricFilter
from mesh.errors import InvalidArgument
from mesh.errors.refusals import invalid

from analytics.reports import instants
from analytics.reports.sql import Parameters

_COMPARISONS = {
    MetricFilter.EQUAL: "=",
    MetricFilter.GREATER_THAN: ">",
    MetricFilter.LESS_THAN: "<",
    MetricFilter.GREATER_THAN_OR_EQUAL: ">=",
    MetricFilter.LESS_THAN_OR_EQUAL: "<=",
}
_WITHOUT_VALUES = frozenset({AttributeFilter.PRESENT, AttributeFilter.ABSENT})
_INSTANTS = frozenset(
    (
        *(AttributeFilter.BEFORE, AttributeFilter.AFTER),
        *(AttributeFilter.ON, AttributeFilter.BETWEEN),
    )
)


def check(event_filter: EventFilter, field: str) -> None:
    """Refuse (FILTER_INVALID) a filter that contradicts itself; `field` is where it stands."""
    for index, attribute in enumerate(event_filter.attributes):
        path = f"{field}.attributes[{index}].values"
        if attribute.operator in _WITHOUT_VALUES and attribute.values:
            raise _invalid(path, "this operator compares with nothing")
        if attribute.operator not in _WITHOUT_VALUES and not attribute.values:
            raise _invalid(path, "this operator needs at least one value")
        if attribute.operator in _INSTANTS:
            _check_instants(attribute, path)
    for index, metric in enumerate(event_filter.metrics):
        if metric.operator == MetricFilter.BETWEEN and metric.upper_value < metric.value:
            path = f"{field}.metrics[{index}].upper_value"
            raise _invalid(path, "the upper end is below the lower end")


def _check_instants(attribute: AttributeFilter, path: str) -> None:
    read = [readable.read(value) for value in attribute.values]
    for index, instant in enumerate(read):
        if instant is None:
            raise _invalid(f"{path}[{index}]", "it is no ISO 8601 instant")
    if attribute.operator != AttributeFilter.BETWEEN:
        return
    if len(read) != 2:
        raise _invalid(path, f"BETWEEN needs two instants, not {len(read)}")
    if read[0] and read[1] and read[0] > read[1]:
        raise _invalid(path, "the first instant is later than the second")


def condition(event_filter: EventFilter, parameters: Parameters) -> str:
    """The condition on columns `event_type`, `attributes` and `metrics`."""
    parts = [f"event_type = {parameters.add(event_filter.event_type, 'String')}"]
    parts += [_attribute(part, parameters) for part in event_filter.attributes]
    parts += [_metric(part, parameters) for part in event_filter.metrics]
    return f"({' AND '.join(parts)})"


def _attribute(part: AttributeFilter, parameters: Parameters) -> str:
    key = parameters.add(part.key, "String")
    present = f"mapContains(attributes, {key})"
    if part.operator == AttributeFilter.PRESENT:
        return present
    if part.operator == AttributeFilter.ABSENT:
        return f"NOT {present}"
    if part.operator in _INSTANTS:
        return f"({present} AND {_instant(part, f'attributes[{key}]', parameters)})"
    values = parameters.add(list(part.values), "Array(String)")
    if part.operator == AttributeFilter.CONTAINS:
        return f"({present} AND arrayExists(v -> position(attributes[{key}], v) > 0, {values}))"
    if part.operator == AttributeFilter.EXCLUSIVE:
        return f"NOT ({present} AND has({values}, attributes[{key}]))"
    return f"({present} AND has({values}, attributes[{key}]))"


def _instant(part: AttributeFilter, value: str, parameters: Parameters) -> str:
    read = [instant for text in part.values if (instant := readable.read(text)) is not None]
    bounds = [instants.micros(instant) for instant in read]
    if part.operator == AttributeFilter.ON:
        days = parameters.add([instants.day(bound) for bound in bounds], "Array(Int64)")
        relation = f"has({days}, {instants.day_sql(value)})"
    elif part.operator == AttributeFilter.BEFORE:
        relation = f"{instants.micros_sql(value)} < {parameters.add(max(bounds), 'Int64')}"
    elif part.operator == AttributeFilter.AFTER:
        relation = f"{instants.micros_sql(value)} > {parameters.add(min(bounds), 'Int64')}"
    else:
        ends = [parameters.add(bound, "Int64") for bound in bounds]
        relation = f"{instants.micros_sql(value)} BETWEEN {ends[0]} AND {ends[1]}"
    return f"{instants.is_instant_sql(value)} AND {relation}"


def _metric(part: MetricFilter, parameters: Parameters) -> str:
    key = parameters.add(part.key, "String")
    value = parameters.add(part.value, "Float64")
    present = f"mapContains(metrics, {key})"
    if part.operator == MetricFilter.BETWEEN:
        upper = parameters.add(part.upper_value, "Float64")
        return f"({present} AND metrics[{key}] BETWEEN {value} AND {upper})"
    return f"({present} AND metrics[{key}] {_COMPARISONS[part.operator]} {value})"


def _invalid(path: str, description: str) -> InvalidArgument:
    return invalid("FILTER_INVALID", path, description)
