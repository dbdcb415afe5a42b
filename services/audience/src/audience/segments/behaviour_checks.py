"""Whether what a filter asks of events can be asked; the path of what is wrong is named."""

from collections.abc import Callable
from typing import Any, Final

from heliograph.audience.v1 import segment_filter_pb2 as pb
from mesh.errors.refusals import invalid

from audience import names
from audience.segments import attribute_checks, behaviours

BEHAVIOURS_MAX: Final = 20
VALUES_MAX: Final = 10_000


def check(application: str, question: pb.SegmentFilter, path: str) -> None:
    """Refuse a node that asks of events what analytics cannot answer."""
    node = str(question.WhichOneof("node"))
    if node in _CHECKS:
        _CHECKS[node](application, getattr(question, node), f"{path}.{node}")


def check_count(question: pb.SegmentFilter, path: str) -> None:
    """Refuse a tree that asks too many different things of events: each is read at once."""
    if len(behaviours.conditions(question)) > BEHAVIOURS_MAX:
        description = f"more than {BEHAVIOURS_MAX} different questions about events"
        raise invalid("FILTER_TOO_LARGE", path, description)


def _check_event(application: str, condition: pb.EventCondition, path: str) -> None:
    least, most = behaviours.bounds(condition)
    if most is not None and least > most:
        description = f"at least {least} times and at most {most} times"
        raise invalid("FILTER_CONTRADICTORY", f"{path}.count_max", description)
    _check_window(application, condition, path)
    for index, attribute in enumerate(condition.attributes):
        _check_attribute(attribute, f"{path}.attributes[{index}]")


def _check_attribute(attribute: pb.AttributeCondition, path: str) -> None:
    attribute_checks.check(attribute, path)
    if len(attribute.values) > VALUES_MAX:
        raise invalid("FILTER_TOO_LARGE", f"{path}.values", f"more than {VALUES_MAX} values")


def _check_window(application: str, condition: Any, path: str) -> None:
    if condition.HasField("window") and condition.window.ToNanoseconds() <= 0:
        description = "the window must be longer than nothing"
        raise invalid("FILTER_CONTRADICTORY", f"{path}.window", description)


def _check_first_seen(application: str, condition: pb.FirstSeenCondition, path: str) -> None:
    if not condition.ListFields():
        raise invalid("FILTER_EMPTY", path, "the condition asks nothing")
    _check_window(application, condition, path)
    ends = {field.name: value for field, value in condition.ListFields()}
    if "window" in ends and len(ends) > 1:
        description = "a window is asked for instead of two moments, not beside them"
        raise invalid("FILTER_CONTRADICTORY", f"{path}.window", description)
    if len(ends) > 1 and ends["from"].ToNanoseconds() >= ends["until"].ToNanoseconds():
        description = "it must be later than `from`"
        raise invalid("FILTER_CONTRADICTORY", f"{path}.until", description)


def _check_campaign(application: str, condition: pb.CampaignCondition, path: str) -> None:
    ids = names.campaign_of(condition.campaign, field=f"{path}.campaign")
    names.refuse_mismatch(application, ids["application"], f"{path}.campaign")
    if condition.answers and condition.outcome != pb.CampaignCondition.REPLIED:
        description = "only messages with the outcome REPLIED have answers"
        raise invalid("FILTER_CONTRADICTORY", f"{path}.answers", description)
    _check_window(application, condition, path)


_CHECKS: Final[dict[str, Callable[[str, Any, str], None]]] = {
    "recency": _check_window,
    "event": _check_event,
    "first_seen": _check_first_seen,
    "campaign": _check_campaign,
}
