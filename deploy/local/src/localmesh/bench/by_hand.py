"""Two segments of five conditions each, and the SQL that somebody who knows the tables would write.

There are several ways to write and to plan it; each is tried, and the fastest is the yardstick.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import segment_filter_pb2 as pb

from localmesh.bench.million import APPLICATION

AS_PLANNED: Final = "SET LOCAL enable_nestloop = on"
"""What is the default: the planner chooses."""

_RECENT: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=80)
_RECENTLY: Final = Timestamp(seconds=int(_RECENT.timestamp()))

_INTEREST: Final = pb.SegmentFilter(
    attribute=pb.AttributeCondition(
        name="interest",
        operator=pb.AttributeCondition.INCLUSIVE,
        values=["cycling", "opera", "chess"],
    )
)
_VISITS: Final = pb.SegmentFilter(
    metric=pb.MetricCondition(
        name="visits", comparison=pb.MetricCondition.GREATER_THAN_OR_EQUAL, value=30
    )
)
_COUNTRY: Final = pb.SegmentFilter(
    location=pb.LocationCondition(
        field=pb.LocationCondition.COUNTRY,
        operator=pb.INCLUSIVE,
        values=["US", "DE", "GB", "FR"],
    )
)
_UPDATED: Final = pb.SegmentFilter(state=pb.StateCondition(updated_from=_RECENTLY))
_PLAN: Final = pb.SegmentFilter(
    user_attribute=pb.AttributeCondition(
        name="plan", operator=pb.AttributeCondition.INCLUSIVE, values=["gold", "silver"]
    )
)
_CHANNEL: Final = pb.SegmentFilter(
    channel=pb.ChannelCondition(operator=pb.INCLUSIVE, channel_types=[channels.SMS, channels.EMAIL])
)

_ENDPOINTS: Final = f"""
    e.application = '{APPLICATION}' AND e.update_time >= '{_RECENT.isoformat()}'
    AND e.attributes -> 'interest' ?| '{{cycling,opera,chess}}'
    AND (e.metrics -> 'visits')::float8 >= 30
    AND e.location ->> 'country' IN ('US', 'DE', 'GB', 'FR')
"""
_USERS: Final = """
    user_profile u ON u.application = e.application AND u.user_id = e.user_id
"""
_GOLD: Final = "u.attributes -> 'plan' ?| '{gold,silver}'"
_SPEAKABLE: Final = f"e.channel_type IN ({channels.SMS}, {channels.EMAIL})"
_OPTED_OUT: Final = f"""
    e.channel_type IN ({channels.SMS}, {channels.VOICE}) AND EXISTS (
        SELECT FROM address_opt_out o
        WHERE o.application = '{APPLICATION}' AND o.address = e.address AND o.opted_out)
"""
_ELIGIBLE: Final = f"e.status = 1 AND e.opt_out = 1 AND NOT ({_OPTED_OUT})"
_COLUMNS: Final = """
    e.endpoint, e.channel_type, e.address, e.attributes, e.metrics, e.demographic, e.location,
    e.user_id, e.opt_out, e.status, e.refused_topics, e.create_time, e.update_time, e.revision,
    u.attributes AS user_attributes
"""


@dataclass(frozen=True)
class Form:
    """A way to ask: how plans are to be made, and the statement."""

    settings: str
    sql: str


@dataclass(frozen=True)
class Question:
    """A segment, and what it means in SQL."""

    name: str
    filter: pb.SegmentFilter
    members: str
    joins_users: bool

    def counts(self) -> Iterator[Form]:
        """Channel type, members, and those of them that can be reached."""
        asked = f"endpoint e {'JOIN ' + _USERS if self.joins_users else ''} WHERE {self.members}"
        at_once = f"""
            SELECT e.channel_type, count(*), count(*) FILTER (WHERE {_ELIGIBLE})
            FROM {asked} GROUP BY 1
        """
        one_by_one = f"""
            SELECT channel_type, count(*), count(*) FILTER (WHERE eligible)
            FROM (SELECT e.channel_type, {_ELIGIBLE} AS eligible FROM {asked} OFFSET 0) AS member
            GROUP BY 1
        """
        for sql in (at_once, one_by_one):
            yield Form(AS_PLANNED, sql)
            yield Form("SET LOCAL enable_nestloop = off", sql)

    def streams(self) -> Iterator[Form]:
        """All members by key."""
        join = "JOIN" if self.joins_users else "LEFT JOIN"
        sql = f"""
            SELECT {_COLUMNS} FROM endpoint e {join} {_USERS} WHERE {self.members}
            ORDER BY e.endpoint
        """
        yield Form(AS_PLANNED, sql)
        yield Form("SET LOCAL enable_nestloop = off", sql)
        yield Form("SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off", sql)


def _all_of(*filters: pb.SegmentFilter) -> pb.SegmentFilter:
    group = pb.FilterGroup(operator=pb.FilterGroup.ALL, filters=filters)
    return pb.SegmentFilter(group=group)


QUESTIONS: Final = (
    Question(
        "of endpoints",
        _all_of(_INTEREST, _VISITS, _COUNTRY, _CHANNEL, _UPDATED),
        f"{_ENDPOINTS} AND {_SPEAKABLE}",
        joins_users=False,
    ),
    Question(
        "of endpoints and users",
        _all_of(_INTEREST, _VISITS, _COUNTRY, _PLAN, _UPDATED),
        f"{_ENDPOINTS} AND {_GOLD}",
        joins_users=True,
    ),
)
