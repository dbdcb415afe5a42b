"""`heliograph apps`: the walls between tenants."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App
from heliograph.cli import confirming, erasures, labels, limits, output
from heliograph.cli.names import application
from heliograph.cli.session import talk
from heliograph.cli.settings import fill

if TYPE_CHECKING:
    from heliograph.audience.v1.application_pb2 import Application
    from heliograph.audience.v1.application_service_pb2 import (
        ServiceErasure,
        UpdateApplicationRequest,
    )
    from heliograph.client import Client

app = App(name="apps", help="Applications: list, create, show, update, delete.")

COLUMNS = {"application": "name", "display name": "display_name", "created": "create_time"}


@app.command(name="list")
def list_(*, json: bool = False) -> None:
    """List the applications that the token may touch."""
    from heliograph.audience.v1.application_service_pb2 import ListApplicationsRequest
    from heliograph.paging import collect

    found = talk(
        lambda mesh: collect(
            mesh.applications.ListApplications, ListApplicationsRequest(), "applications"
        )
    )
    output.print_messages(found, COLUMNS, as_json=json)


@app.command
def create(
    app: str, *, display_name: str = "", label: list[str] | None = None, json: bool = False
) -> None:
    """Create an application.

    Parameters
    ----------
    app
        Its id: lower-case letters, digits and hyphens, 3 to 63.
    label
        A mark of your own, as team=crm. May be repeated.
    """
    from heliograph.audience.v1.application_pb2 import Application
    from heliograph.audience.v1.application_service_pb2 import CreateApplicationRequest

    request = CreateApplicationRequest(
        application_id=app,
        application=Application(display_name=display_name, labels=labels.changed({}, label or [])),
    )
    made = talk(lambda mesh: mesh.applications.CreateApplication(request))
    output.print_message(made, as_json=json)


@app.command
def show(app: str, *, json: bool = False) -> None:
    """Show an application."""
    from heliograph.audience.v1.application_service_pb2 import GetApplicationRequest

    request = GetApplicationRequest(name=application(app))
    output.print_message(talk(lambda mesh: mesh.applications.GetApplication(request)), as_json=json)


@app.command
def update(
    app: str,
    *,
    quiet_time: str | None = None,
    hold: bool = False,
    missing_time_zone: Literal["skip", "use-default", "send-anyway"] | None = None,
    default_time_zone: str | None = None,
    daily_max: int | None = None,
    total_max: int | None = None,
    duration_max: str | None = None,
    messages_per_second_max: int | None = None,
    default_country: str | None = None,
    endpoints_per_user_max: int | None = None,
    endpoint_limit_policy: Literal["evict-least-recent", "refuse", "evict-push-refuse-others"]
    | None = None,
    label: list[str] | None = None,
    json: bool = False,
) -> None:
    """Change an application; what limits campaigns holds from their next runs on.

    Parameters
    ----------
    quiet_time
        When promotional campaigns disturb nobody, by their own clocks: 22:00-06:00. '' ends it.
    hold
        That messages wait for the end of --quiet-time instead of being skipped.
    missing_time_zone
        What happens to whom nobody knows a time zone, while there is a quiet time.
    default_time_zone
        The zone of use-default, as Europe/Berlin.
    daily_max
        Messages of promotional campaigns to an endpoint in any 24 hours. 0 ends the limit.
    total_max
        Messages of one promotional campaign to an endpoint, over all its runs. 0 ends the limit.
    duration_max
        How long a run may send, as 90m, 2h or 1d. '' ends the limit.
    messages_per_second_max
        How fast a run sends. 0 ends the limit.
    default_country
        Whose phone numbers need no +, as US: `(415) 555-0123`. '' ends it.
    endpoints_per_user_max
        Endpoints that one user id may have, up to 1000. 0 means 15.
    endpoint_limit_policy
        What happens to the endpoint beyond that number.
    label
        A mark of your own, as team=crm; team= ends it. May be repeated.
    """
    limits.check_hold(hold, quiet_time)
    given = {
        "quiet_time": quiet_time,
        "missing_time_zone_policy": missing_time_zone,
        "default_time_zone": default_time_zone,
        "default_country": default_country,
        "message_limits.daily_max": daily_max,
        "message_limits.total_max": total_max,
        "message_limits.run_duration_max": duration_max,
        "message_limits.messages_per_second_max": messages_per_second_max,
        "endpoints_per_user_max": endpoints_per_user_max,
        "endpoint_limit_policy": endpoint_limit_policy,
    }
    request = changes(application(app), given, label or [])
    if hold:
        quiet = request.application.settings.quiet_time
        quiet.policy = quiet.HOLD
    changed = talk(lambda mesh: _update(mesh, request, label or []))
    output.print_message(changed, as_json=json)


async def _update(
    mesh: "Client", request: "UpdateApplicationRequest", given: list[str]
) -> "Application":
    """Labels that are not given are kept, so these are read first; the etag guards them."""
    from heliograph.audience.v1.application_service_pb2 import GetApplicationRequest

    if given:
        before = await mesh.applications.GetApplication(
            GetApplicationRequest(name=request.application.name)
        )
        request.application.etag = before.etag
        request.application.labels.update(labels.changed(before.labels, given))
        request.update_mask.paths.append("labels")
    return await mesh.applications.UpdateApplication(request)  # type: ignore[no-any-return]  # grpc.aio


def changes(
    name: str, given: Mapping[str, Any], marks: Sequence[str] = ()
) -> "UpdateApplicationRequest":
    """The request that changes the settings that are given; an empty one is taken back. `marks`
    are labels that are changed too."""
    from heliograph.audience.v1.application_pb2 import Application, ApplicationSettings
    from heliograph.audience.v1.application_service_pb2 import UpdateApplicationRequest

    settings = ApplicationSettings()
    paths = fill(settings, _times(given))
    if not paths and not marks:
        sys.exit("heliograph: nothing is to be changed; see --help for what can be")
    request = UpdateApplicationRequest(application=Application(name=name, settings=settings))
    request.update_mask.paths.extend(f"settings.{path}" for path in paths)
    return request


def _times(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings, with those that are times as what they mean."""
    from heliograph.audience.v1.application_pb2 import ApplicationSettings

    meant = dict(given)
    if text := given.get("quiet_time"):
        start, end = limits.hours(text)
        meant["quiet_time"] = ApplicationSettings.QuietTime(start=start, end=end)
    if text := given.get("message_limits.run_duration_max"):
        meant["message_limits.run_duration_max"] = limits.duration(text)
    return meant


@app.command
def delete(app: str, *, yes: bool = False, json: bool = False) -> None:
    """Delete an application: every service erases all it has, and nothing brings it back.

    Parameters
    ----------
    yes
        That this is meant; without it, nothing is deleted.
    """
    confirming.require(yes, f"erases all of {app} for good")
    erased = talk(lambda mesh: _delete(mesh, application(app)))
    if json:
        output.print_json([output.as_dict(one) for one in erased])
        return
    erasures.print_erased(erased)


async def _delete(mesh: "Client", name: str) -> "list[ServiceErasure]":
    from heliograph.audience.v1.application_service_pb2 import DeleteApplicationRequest
    from heliograph.deletions import erased

    def waits(left: list[str]) -> None:
        sys.stderr.write(f"waiting for {', '.join(left)}\n")

    operation = await mesh.applications.DeleteApplication(DeleteApplicationRequest(name=name))
    return await erased(mesh, operation, waits)
