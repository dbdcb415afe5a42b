"""Segments that are lists: what an import brought, as a question that the one compiler answers.

In a tree that is asked, such a segment is a name, `…/importJobs/{import_job}/endpoints` or
`…/users`, that stands for whoever is in that list; no filter can be saved with one.
"""

from enum import Enum, auto
from typing import Final, NamedTuple

from heliograph.audience.v1 import segment_filter_pb2 as pb
from heliograph.audience.v1 import segment_pb2
from mesh.aip import resource_names

_ENDPOINTS: Final = "applications/{application}/importJobs/{import_job}/endpoints"
_USERS: Final = "applications/{application}/importJobs/{import_job}/users"


class Reading(Enum):
    """Which endpoints a question is asked about, as far as it matters to how lists are read."""

    ALL = auto()
    """All: a list is joined as a whole, however that is cheapest."""
    PAGE = auto()
    """The first that match by key after `$2`: a list is read along, from there on."""
    WINDOW = auto()
    """Some that are named: each is looked up, so that no list is read for every window."""


class Members(NamedTuple):
    """The endpoints, or the users, that an import brought."""

    application: str
    import_job: str
    are_users: bool


def question(
    application: str, import_job: str, imported: segment_pb2.ImportedMembers
) -> pb.SegmentFilter:
    """Whether an endpoint is in a list, by itself or by its user; only what is there is asked."""
    patterns = [_USERS] if imported.user_count else []
    if imported.endpoint_count or not patterns:
        patterns.insert(0, _ENDPOINTS)
    ids = {"application": application, "import_job": import_job}
    named = [resource_names.format(pattern, **ids) for pattern in patterns]
    asked = pb.SourceSegments(operator=pb.FilterGroup.ANY, segments=named)
    return pb.SegmentFilter(source_segments=asked)


def is_list(asked: pb.SourceSegments) -> bool:
    """Whether the names are of lists, and not of segments whose filters take their place."""
    return all(_matched(name) for name in asked.segments)


def are_in(question: pb.SegmentFilter) -> bool:
    """Whether a tree whose segments have been put in asks of any list."""
    return question.HasField("source_segments") or any(map(are_in, question.group.filters))


def members(name: str) -> Members:
    """What a name in such a question stands for."""
    found = _matched(name)
    if found is None:
        raise ValueError(f"{name} is no list")
    return found


def sql(members: Members, import_job: str, reading: Reading, *, must_hold: bool) -> str:
    """Whether endpoint `e` is in a list; `must_hold` says that the list decides by itself.

    Then it is joined by key. Where it does not, or has not the order of the page, PostgreSQL could
    read all of it for each page, and is kept from it (`OFFSET 0`): it looks up each endpoint.
    """
    of_list = f"m.application = e.application AND m.import_job = {import_job}"
    is_joined = reading is Reading.ALL
    if members.are_users:
        # The index of users leaves out endpoints without one, and has to be told so.
        of_user = "m.user_id = e.user_id AND e.user_id <> ''"
        found = f"imported_user m WHERE {of_list} AND {of_user}"
    else:
        found = f"imported_endpoint m WHERE {of_list} AND m.endpoint = e.endpoint"
        if reading is Reading.PAGE and must_hold:
            found, is_joined = f"{found} AND m.endpoint > $2::text", True
    return f"EXISTS (SELECT FROM {found}{'' if is_joined else ' OFFSET 0'})"


def _matched(name: str) -> Members | None:
    for pattern in (_ENDPOINTS, _USERS):
        ids = resource_names.match(pattern, name)
        if ids is not None:
            return Members(ids["application"], ids["import_job"], pattern is _USERS)
    return None
