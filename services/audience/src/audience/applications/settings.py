"""An application's settings: which are obeyed, and what they mean where they say nothing."""

from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import phonenumbers
from google.protobuf.message import Message
from heliograph import quiet_times
from heliograph.audience.v1.application_pb2 import Application, ApplicationSettings
from mesh.errors.refusals import invalid, shown, unsupported
from mesh.rpc import validation

from audience.applications.store import missing
from audience.endpoints import time_zones

NOT_OBEYED: Final = ("message_limits.session_max",)
"""Part of the contract and of no effect, so they are not taken."""

_CHECK_RULES: Final = validation.request_check(Application)
"""The rules of a whole application: an update may leave half of a quiet time behind."""

ENDPOINTS_PER_USER_DEFAULT: Final = 15
"""Pinpoint's number."""

_SETTINGS: Final = "SELECT settings FROM application WHERE application = $1"


@dataclass(frozen=True, slots=True)
class EndpointLimit:
    """How many endpoints a user may have, and what happens to the one beyond."""

    endpoints_max: int
    policy: ApplicationSettings.EndpointLimitPolicy.ValueType


def check(application: Application) -> None:
    """Refuse settings that nobody obeys (FIELD_NOT_SUPPORTED), and those that make no sense."""
    settings = application.settings
    for path in NOT_OBEYED:
        if _is_set(settings, path):
            raise unsupported(f"application.settings.{path}")
    _CHECK_RULES(application)
    _check_quiet_time(settings.quiet_time)
    _check_zone(settings)
    _check_country(settings.default_country)


def _is_set(settings: ApplicationSettings, path: str) -> bool:
    message: Message = settings
    *parents, leaf = path.split(".")
    for parent in parents:
        message = getattr(message, parent)
    return any(field.name == leaf for field, _ in message.ListFields())


def _check_quiet_time(quiet_time: ApplicationSettings.QuietTime) -> None:
    holds = quiet_time.policy == ApplicationSettings.QuietTime.HOLD
    if holds and quiet_times.is_endless(quiet_time.start, quiet_time.end):
        description = "all day is quiet, and who waits would wait for ever"
        raise invalid("QUIET_TIME_ENDLESS", "application.settings.quiet_time", description)


def _check_country(country: str) -> None:
    if country and country not in phonenumbers.SUPPORTED_REGIONS:
        field = "application.settings.default_country"
        raise invalid("COUNTRY_INVALID", field, f"no phone numbers of {shown(country)} are known")


def _check_zone(settings: ApplicationSettings) -> None:
    field, zone = "application.settings.default_time_zone", settings.default_time_zone
    if zone and zone not in time_zones.names():
        raise invalid("TIMEZONE_INVALID", field, f"{shown(zone)} is not a name in the tz database")
    by_default = settings.missing_time_zone_policy == ApplicationSettings.USE_DEFAULT
    if by_default and not zone:
        raise invalid("TIMEZONE_INVALID", field, "expected a zone, as the policy is USE_DEFAULT")


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
    return endpoint_limit(await read(connection, application))


async def read(connection: Any, application: str) -> ApplicationSettings:
    """The settings of an application as they are in this transaction, or NOT_FOUND."""
    stored = await connection.fetchval(_SETTINGS, application)
    if stored is None:
        raise missing(application)
    return ApplicationSettings.FromString(stored)
