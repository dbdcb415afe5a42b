"""Resource names of this service and of those it refers to."""

from mesh.aip import resource_names

from campaign.tables import CampaignRow, RunRow

APPLICATION = "applications/{application}"
CAMPAIGN = "applications/{application}/campaigns/{campaign}"
CAMPAIGN_VERSION = "applications/{application}/campaigns/{campaign}/versions/{version}"
RUN = "applications/{application}/campaigns/{campaign}/runs/{run}"
SEGMENT = "applications/{application}/segments/{segment}"


def application_of(parent: str) -> str:
    """The application id in `applications/{application}`."""
    return resource_names.parse(APPLICATION, parent)["application"]


def campaign_key(name: str) -> tuple[str, str]:
    """Application and campaign id in a campaign's name."""
    ids = resource_names.parse(CAMPAIGN, name)
    return ids["application"], ids["campaign"]


def run_key(name: str) -> tuple[str, str, str]:
    """Application, campaign and run id in a run's name."""
    ids = resource_names.parse(RUN, name)
    return ids["application"], ids["campaign"], ids["run"]


def version_key(name: str) -> tuple[str, str, int]:
    """Application and campaign id and number in a campaign version's name."""
    ids = resource_names.parse(CAMPAIGN_VERSION, name)
    number = ids["version"]
    return ids["application"], ids["campaign"], int(number) if number.isdecimal() else 0


def campaign_name(row: CampaignRow) -> str:
    """A campaign's name."""
    return f"applications/{row.application}/campaigns/{row.campaign}"


def run_name(row: RunRow) -> str:
    """A run's name."""
    return f"applications/{row.application}/campaigns/{row.campaign}/runs/{row.run}"
