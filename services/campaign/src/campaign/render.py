"""Rows as messages of the contract. Pure."""

from collections.abc import Sequence
from datetime import datetime

from heliograph.campaign.v1.campaign_pb2 import Campaign, CampaignVersion
from heliograph.campaign.v1.run_pb2 import Run
from mesh.aip import etags

from campaign import campaigns, names
from campaign.tables import CampaignRow, CampaignVersionRow, RunRow


def campaign(row: CampaignRow) -> Campaign:
    """A campaign: what its author wrote, and where it stands."""
    message = campaigns.written(row)
    name = names.campaign_name(row)
    message.MergeFrom(
        Campaign(
            name=name,
            state=Campaign.State.Value(row.state),
            next_run_time=campaigns.timestamp(row.next_run_time),
            latest_run=f"{name}/runs/{row.latest_run}" if row.latest_run else "",
            version=row.version,
            create_time=campaigns.timestamp(row.create_time),
            update_time=campaigns.timestamp(row.update_time),
            etag=etags.render(row.revision),
        )
    )
    return message


def version(row: CampaignVersionRow) -> CampaignVersion:
    """A campaign as of one version."""
    name = f"applications/{row.application}/campaigns/{row.campaign}"
    message = Campaign.FromString(row.definition)
    message.name = name
    message.version = row.version
    return CampaignVersion(
        name=f"{name}/versions/{row.version}",
        campaign=message,
        create_time=campaigns.timestamp(row.create_time),
    )


def run(
    row: RunRow,
    counts: Sequence[Run.Count] = (),
    read_time: datetime | None = None,
) -> Run:
    """A run, with its counts where they were read."""
    total = sum(count.count for count in counts)
    return Run(
        name=names.run_name(row),
        state=Run.State.Value(row.state),
        schedule_time=campaigns.timestamp(row.schedule_time),
        start_time=campaigns.timestamp(row.start_time),
        end_time=campaigns.timestamp(row.end_time),
        campaign_version=row.campaign_version,
        members=max(total, row.members),
        counts=counts,
        failure=row.failure,
        read_time=campaigns.timestamp(read_time),
    )
