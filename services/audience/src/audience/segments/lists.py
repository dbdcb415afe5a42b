"""Segments that are lists: what an import brought, as a question that the one compiler answers.

In a tree that is asked, such a segment is a name, `…/importJobs/{import_job}/endpoints` or
`…/users`, that stands for whoever is in that list; no filter can be saved with one.
"""

from typing import Final, NamedTuple

from heliograph.audience.v1 import segment_filter_pb2 as pb
from heliograph.audience.v1 import segment_pb2
from mesh.aip import resource_names

_ENDPOINTS: Final = "applications/{application}/importJobs/{import_job}/endpoints"
_USERS: Final = "applications/{application}/importJobs/{import_job}/users"


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


def members(name: str) -> Members:
    """What a name in such a question stands for."""
    found = _matched(name)
    if found is None:
        raise ValueError(f"{name} is no list")
    return found


def _matched(name: str) -> Members | None:
    for pattern in (_ENDPOINTS, _USERS):
        ids = resource_names.match(pattern, name)
        if ids is not None:
            return Members(ids["application"], ids["import_job"], pattern is _USERS)
    return None
