"""An application's settings: which are obeyed, and what they mean where they say nothing."""

from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from heliograph.audience.v1.application_pb2 import ApplicationSettings

from audience.applications.store import missing
from audience.refusals import unsupported

OBEYED: Final = frozenset({"endpoints_per_user_max", "endpoint_limit_policy"})
"""The others are part of the contract and of no effect, so they are not taken."""

ENDPOINTS_PER_USER_DEFAULT: Final = 15
"""Pinpoint's number."""

_SETTINGS: Final = "SELECT settings FROM application WHERE application = $1"


@dataclass(frozen=True, slots=True)
class EndpointLimit:
    """How many endpoints a user may have, and what happens to the one beyond."""

    endpoints_max: int
    policy: ApplicationSettings.EndpointLimitPolicy.ValueType


def refuse_unsupported(settings: ApplicationSettings) -> None:
    """Refuse (FIELD_NOT_SUPPORTED) the first setting that nobody obeys."""
    for field, _ in settings.ListFields():
        if field.name not in OBEYED:
            raise unsupported(f"application.settings.{field.name}")


def endpoint_limit(settings: ApplicationSettings) -> EndpointLimit:
    """The limit that these settings mean."""
    return EndpointLimit(
        settings.endpoints_per_user_max or ENDPOINTS_PER_USER_DEFAULT,
        settings.endpoint_limit_policy or ApplicationSettings.EVICT_LEAST_RECENT,
    )


async def read_endpoint_limit(
    connection: "asyncpg.Connection[Any]", application: str
) -> EndpointLimit:
    """The limit of an application as it is in this transaction, or NOT_FOUND."""
    stored = await connection.fetchval(_SETTINGS, application)
    if stored is None:
        raise missing(application)
    return endpoint_limit(ApplicationSettings.FromString(stored))
