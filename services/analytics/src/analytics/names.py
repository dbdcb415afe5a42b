"""Resource names of analytics, and of what it reports on."""

import re

from mesh.aip import resource_names

APPLICATION = "applications/{application}"
CAMPAIGN = "applications/{application}/campaigns/{campaign}"
RUN = "applications/{application}/campaigns/{campaign}/runs/{run}"
EVENT = "applications/{application}/events/{event}"
EVENT_TYPE = "applications/{application}/eventTypes/{event_type}"
FUNNEL = "applications/{application}/funnels/{funnel}"

_APPLICATION_ID = re.compile(r"[a-z][a-z0-9-]{2,62}")


def application_of(parent: str) -> str:
    """The application id in `applications/{application}`; INVALID_ARGUMENT for any other name."""
    return parsed(APPLICATION, parent, field="parent")["application"]


def parsed(pattern: str, name: str, *, field: str = "name") -> dict[str, str]:
    """The ids in a name; INVALID_ARGUMENT naming `field` when it does not follow the pattern."""
    ids = resource_names.parse(pattern, name, field=field)
    # The id becomes part of a subject on the bus, where other characters have a meaning.
    if not _APPLICATION_ID.fullmatch(ids["application"]):
        raise resource_names.invalid(pattern, name, field)
    return ids
