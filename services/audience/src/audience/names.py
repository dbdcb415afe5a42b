"""Resource names of this service, and what an id may be."""

import re
from typing import Final

from mesh.aip import resource_names
from mesh.errors.refusals import invalid, shown

APPLICATION: Final = "applications/{application}"
ENDPOINT: Final = "applications/{application}/endpoints/{endpoint}"
USER: Final = "applications/{application}/users/{user}"
SEGMENT: Final = "applications/{application}/segments/{segment}"
CAMPAIGN: Final = "applications/{application}/campaigns/{campaign}"
RUN: Final = "applications/{application}/campaigns/{campaign}/runs/{run}"
SEGMENT_VERSION: Final = "applications/{application}/segments/{segment}/versions/{version}"
EXPORT_JOB: Final = "applications/{application}/exportJobs/{export_job}"
IMPORT_JOB: Final = "applications/{application}/importJobs/{import_job}"

_ID: Final = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")
ID_CHARACTERS_MAX: Final = 200


def application_of(name: str, *, field: str = "parent") -> str:
    """The application id in `applications/{application}`."""
    return resource_names.parse(APPLICATION, name, field=field)["application"]


def endpoint_of(name: str, *, field: str = "name") -> tuple[str, str]:
    """The application id and the endpoint id in an endpoint's name."""
    ids = resource_names.parse(ENDPOINT, name, field=field)
    check_endpoint_id(ids["endpoint"], field=field)
    return ids["application"], ids["endpoint"]


def user_of(name: str, *, field: str = "name") -> tuple[str, str]:
    """The application id and the user id in a user's name."""
    ids = resource_names.parse(USER, name, field=field)
    check_user_id(ids["user"], field=field)
    return ids["application"], ids["user"]


def segment_of(name: str, *, field: str = "name") -> tuple[str, str]:
    """The application id and the segment id in a segment's name."""
    ids = resource_names.parse(SEGMENT, name, field=field)
    return ids["application"], ids["segment"]


def segment_name(application: str, segment: str) -> str:
    """The name of a segment."""
    return resource_names.format(SEGMENT, application=application, segment=segment)


def version_name(application: str, segment: str, version: int) -> str:
    """The name of a version of a segment."""
    ids = {"application": application, "segment": segment, "version": str(version)}
    return resource_names.format(SEGMENT_VERSION, **ids)


def source_of(name: str, *, field: str) -> tuple[str, str, str]:
    """The application, the segment and the version in the name of one; no version: empty."""
    ids = resource_names.match(SEGMENT_VERSION, name)
    ids = ids or resource_names.parse(SEGMENT, name, field=field)
    return ids["application"], ids["segment"], ids.get("version", "")


def is_version(text: str) -> bool:
    """Whether a text can be the number of a version."""
    return text.isascii() and text.isdigit() and len(text) < len(str(2**63))


def campaign_of(name: str, *, field: str = "campaign") -> dict[str, str]:
    """The application id and the campaign id in a campaign's name; in a run's, its id too."""
    return resource_names.match(RUN, name) or resource_names.parse(CAMPAIGN, name, field=field)


def endpoints_of(application: str, names: list[str], *, field: str) -> list[str]:
    """Endpoint ids of names that must all be of one application."""
    found = []
    for index, name in enumerate(names):
        owner, endpoint = endpoint_of(name, field=f"{field}[{index}]")
        refuse_mismatch(application, owner, f"{field}[{index}]")
        found.append(endpoint)
    return found


def refuse_mismatch(application: str, other: str, field: str) -> None:
    """Refuse a name of another application than the call is about."""
    if other != application:
        raise invalid(
            "APPLICATION_MISMATCH",
            field,
            f"the name is of applications/{other}, the call of applications/{application}",
            application=application,
            other=other,
        )


def check_endpoint_id(text: str, *, field: str = "endpoint") -> None:
    """Refuse a text that cannot be an endpoint id."""
    if not is_id(text):
        raise invalid("ENDPOINT_ID_INVALID", field, f"{shown(text)} cannot be an endpoint id")


def check_user_id(text: str, *, field: str = "user.user_id") -> None:
    """Refuse a text that cannot be a user id."""
    if not is_id(text):
        raise invalid("USER_ID_INVALID", field, f"{shown(text)} cannot be a user id")


def is_id(text: str) -> bool:
    """Whether a text can be the id of an endpoint or a user: 1 to 200 characters, no slash."""
    if text.isprintable() and "/" not in text:  # nearly all are, and this is the fast way to know
        return 0 < len(text) <= ID_CHARACTERS_MAX
    return _ID.fullmatch(text) is not None
