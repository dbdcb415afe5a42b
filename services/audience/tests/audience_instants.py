"""Instants in attributes, in plain Python: what BEFORE, AFTER, ON and BETWEEN mean."""

from datetime import UTC, datetime, timedelta

from heliograph.audience.v1 import segment_filter_pb2 as pb


def related(condition: pb.AttributeCondition, values: list[str]) -> bool:
    """Whether an instant among the values stands in the relation to a given one."""
    kinds = pb.AttributeCondition
    moments = [moment for value in values if (moment := instant(value)) is not None]
    bounds = [instant(value) for value in condition.values]
    if condition.operator == kinds.BETWEEN:
        return any(bounds[0] <= moment <= bounds[1] for moment in moments)
    relation = {
        kinds.BEFORE: lambda moment, bound: moment < bound,
        kinds.AFTER: lambda moment, bound: moment > bound,
        kinds.ON: lambda moment, bound: moment.date() == bound.date(),
    }[condition.operator]
    return any(relation(moment, bound) for moment in moments for bound in bounds)


def instant(text: str) -> datetime | None:
    """ISO 8601 by hand: date, then time, then offset."""
    date, _, rest = text.replace(" ", "T", 1).partition("T")
    if len(date) != len("2026-03-01") or (not rest and len(text) != len(date)):
        return None
    offset = timedelta()
    if rest.endswith("Z"):
        rest = rest[:-1]
    for sign in "+-":
        if sign in rest:
            rest, _, shift = rest.partition(sign)
            shift = shift.replace(":", "", 1) if len(shift) == 5 else shift
            if len(shift) != 4 or not shift.isdigit() or not shift.isascii():
                return None
            hours, minutes = int(shift[:2]), int(shift[2:])
            if hours > 14 or minutes > 59:
                return None
            offset = timedelta(hours=hours, minutes=minutes) * (1 if sign == "+" else -1)
    if rest and len(rest) < 5:
        return None
    for layout in ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M"):
        try:
            head, dot, fraction = rest.partition(".")
            clock = f"{head}{dot}{fraction[:6]}" if len(fraction) <= 9 else "no"
            local = datetime.strptime(f"{date}T{clock or '00:00'}", f"%Y-%m-%dT{layout}")  # noqa: DTZ007
            return local.replace(tzinfo=UTC) - offset
        except ValueError:
            continue
    return None
