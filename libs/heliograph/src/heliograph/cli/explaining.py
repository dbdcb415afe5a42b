"""`heliograph endpoints explain`: would somebody get a message now, and if not, why not."""

import sys
from typing import TYPE_CHECKING

from heliograph.cli import output
from heliograph.cli.names import resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.audience.v1.endpoint_service_pb2 import ExplainEligibilityResponse

WHOLE = "applications/"


def explain(endpoint: str, *, app: str = "", campaign: str = "", json: bool = False) -> None:
    """Say whether an endpoint would get a message now, and if not, every reason.

    Parameters
    ----------
    endpoint
        Its id, or its whole name.
    app
        The application, where the name does not say it.
    campaign
        The campaign it is asked for, by id or whole name; otherwise any message.
    """
    from heliograph.audience.v1.endpoint_service_pb2 import ExplainEligibilityRequest

    if not app and not endpoint.startswith(WHOLE):
        sys.exit(f"heliograph: expected --app APPLICATION, or a name that begins with {WHOLE}")
    name = resource(app, "endpoints", endpoint)
    request = ExplainEligibilityRequest(
        name=name,
        campaign=resource(name.split("/")[1], "campaigns", campaign) if campaign else "",
    )
    told = talk(lambda mesh: mesh.endpoints.ExplainEligibility(request))
    if json:
        output.print_json(output.as_dict(told))
        return
    sys.stdout.write(f"{name} {verdict(told)}\n")
    rows = [
        *(("against", one) for one in told.obstacles),
        *(("unknown", one) for one in told.unknowns),
    ]
    if rows:
        output.print_table(
            ["", "reason", "since", "what is known"],
            [(kind, one.reason, _since(one), one.detail) for kind, one in rows],
        )


def verdict(told: "ExplainEligibilityResponse") -> str:
    """The answer in a sentence."""
    from heliograph.audience.v1.channel_type_pb2 import ChannelType

    if told.eligible:
        what = f"treatment {told.treatment}" if told.treatment else "a message"
        return f"would get {what} by {ChannelType.Name(told.channel_type)}"
    return "would get nothing" if told.obstacles else "may get nothing: not all is known"


def _since(one: "ExplainEligibilityResponse.Obstacle") -> str:
    if not one.HasField("since_time"):
        return ""
    return one.since_time.ToJsonString()[:19] + "Z"
