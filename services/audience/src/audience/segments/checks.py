"""Whether a filter can be asked, checked before it is saved; the path of what is wrong is named."""

from collections.abc import Callable, Iterable
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from heliograph.audience.v1 import segment_filter_pb2 as pb
from mesh.aip import resource_names
from mesh.errors.refusals import invalid

from audience import names
from audience.segments import attribute_checks, behaviour_checks, contradictions

DEPTH_MAX: Final = 32
CONDITIONS_MAX: Final = 1000


def check(application: str, question: pb.SegmentFilter, path: str) -> None:
    """Refuse a filter that is too large, contradicts itself, or has a part nobody answers here."""
    if sum(1 for _ in _conditions(question)) > CONDITIONS_MAX:
        raise invalid("FILTER_TOO_LARGE", path, f"more than {CONDITIONS_MAX} conditions")
    _check(application, question, path, 1)
    behaviour_checks.check_count(question, path)
    contradictions.check(question, path)


def _conditions(question: pb.SegmentFilter) -> Iterable[pb.SegmentFilter]:
    yield question
    for inner in question.group.filters:
        yield from _conditions(inner)


def _check(application: str, question: pb.SegmentFilter, path: str, depth: int) -> None:
    node = question.WhichOneof("node")
    if node is None:
        raise invalid("FILTER_EMPTY", path, "the filter asks nothing")
    here = f"{path}.{node}"
    if depth > DEPTH_MAX:
        raise invalid("FILTER_TOO_DEEP", here, f"more than {DEPTH_MAX} levels")
    if node == "group":
        _check_group(application, question.group, here, depth)
        return
    _check_texts(getattr(question, node), here)
    if node in _CHECKS:
        _CHECKS[node](question, here)
    behaviour_checks.check(application, question, path)
    for index, name in enumerate(question.source_segments.segments):
        _check_source(application, name, f"{here}.segments[{index}]")


def _check_source(application: str, name: str, field: str) -> None:
    owner, _, version = names.source_of(name, field=field)
    names.refuse_mismatch(application, owner, field)
    if version and not names.is_version(version):
        raise resource_names.invalid(names.SEGMENT_VERSION, name, field)


def _check_group(application: str, group: pb.FilterGroup, path: str, depth: int) -> None:
    if not group.filters and group.operator != pb.FilterGroup.ALL:
        raise invalid("FILTER_GROUP_EMPTY", path, "ANY and NONE need at least one filter")
    for index, inner in enumerate(group.filters):
        _check(application, inner, f"{path}.filters[{index}]", depth + 1)


def _check_texts(condition: Message, path: str) -> None:
    """No stored text holds U+0000, and PostgreSQL does not take one to compare with either."""
    for field, value in condition.ListFields():
        texts = [value] if isinstance(value, str) else value
        if field.type == FieldDescriptor.TYPE_STRING and any("\0" in text for text in texts):
            raise invalid("NUL_CHARACTER", f"{path}.{field.name}", "U+0000 is in no stored text")


def _check_distance(condition: pb.DistanceCondition, path: str) -> None:
    center = condition.center
    if not (-90 <= center.latitude <= 90 and -180 <= center.longitude <= 180):
        raise invalid("COORDINATE_INVALID", f"{path}.center", "there is no such point")


def _check_state(condition: pb.StateCondition, path: str) -> None:
    if not condition.ListFields():
        raise invalid("FILTER_EMPTY", path, "the condition asks nothing")


_CHECKS: Final[dict[str, Callable[[pb.SegmentFilter, str], None]]] = {
    "attribute": lambda question, path: attribute_checks.check(question.attribute, path),
    "user_attribute": lambda question, path: attribute_checks.check(question.user_attribute, path),
    "distance": lambda question, path: _check_distance(question.distance, path),
    "state": lambda question, path: _check_state(question.state, path),
}
