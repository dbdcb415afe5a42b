"""Steps one and two: import the sample, ask who is in a segment."""

from collections import Counter

from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import segment_filter_pb2 as filters
from heliograph.audience.v1.application_pb2 import Application
from heliograph.audience.v1.application_service_pb2 import CreateApplicationRequest
from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.audience.v1.segment_service_pb2 import (
    CountSegmentRequest,
    CreateSegmentRequest,
    PreviewSegmentRequest,
)
from heliograph.audience.v1.transfer_service_pb2 import ListImportFailuresRequest
from heliograph.imports import followed, upload
from heliograph.paging import collect

from localmesh.demo.world import APP, PARENT, World
from localmesh.sample import files
from localmesh.sample.people import EMAIL, SMS, Person

INTERESTS = ("cycling", "cooking", "running", "gardening")
VISITS_MIN = 5
PHONES = f"{PARENT}/segments/active-phones"
MAILS = f"{PARENT}/segments/mail"
PREVIEWED = 5


async def create_application(world: World) -> None:
    """The tenant that everything belongs to."""
    request = CreateApplicationRequest(
        application_id=APP, application=Application(display_name="Sample shop")
    )
    await world.mesh.applications.CreateApplication(request)


async def import_sample(world: World) -> None:
    """Write the sample's files and import them as a user would."""
    sample = files.write(world.people, world.folder / "sample")
    imported, failed, reasons = 0, 0, Counter[str]()
    for path in sample.files:
        job = await followed(world.mesh, await upload(world.mesh, PARENT, path))
        imported += job.imported_count
        failed += job.failed_count
        failures = await collect(
            world.mesh.transfers.ListImportFailures,
            ListImportFailuresRequest(parent=job.name),
            "import_failures",
        )
        reasons.update(failure.reason for failure in failures)
    world.account.step(
        "Imported the sample audience from CSV and JSON lines",
        files=[str(path) for path in sample.files],
        imported=imported,
        bad_rows=failed,
        bad_rows_by_reason=dict(reasons),
    )
    world.account.expect("imported endpoints", imported, sample.people)
    world.account.expect("bad rows", failed, sample.bad_rows)


async def create_segments(world: World) -> None:
    """Two dynamic segments; the first is counted, previewed and held against the sample itself."""
    await _create(world, PHONES, _active_phones())
    await _create(world, MAILS, _channel(channels.EMAIL))
    counted = await world.mesh.segments.CountSegment(CountSegmentRequest(name=PHONES))
    preview = await world.mesh.segments.PreviewSegment(
        PreviewSegmentRequest(name=PHONES, page_size=PREVIEWED)
    )
    world.account.step(
        "Made a dynamic segment: phones, some interests, at least five visits",
        members=counted.total,
        eligible=counted.eligible,
        preview=[
            f"{endpoint.address} {endpoint.location.country} "
            f"{endpoint.user.attributes['FirstName'].values[0]}"
            for endpoint in preview.endpoints
        ],
    )
    world.account.expect("segment size", counted.total, len(active_phones(world)))
    mails = sum(person.channel == EMAIL for person in world.people)
    counted = await world.mesh.segments.CountSegment(CountSegmentRequest(name=MAILS))
    world.account.expect("size of the mail segment", counted.total, mails)


def active_phones(world: World) -> list[Person]:
    """Who is in the segment, by a look at the sample itself."""
    return [
        person
        for person in world.people
        if person.channel == SMS
        and person.visits >= VISITS_MIN
        and set(INTERESTS) & set(person.interests)
    ]


def _active_phones() -> filters.SegmentFilter:
    return filters.SegmentFilter(
        group=filters.FilterGroup(
            operator=filters.FilterGroup.ALL,
            filters=[
                _channel(channels.SMS),
                filters.SegmentFilter(
                    attribute=filters.AttributeCondition(
                        name="Interest",
                        operator=filters.AttributeCondition.INCLUSIVE,
                        values=INTERESTS,
                    )
                ),
                filters.SegmentFilter(
                    metric=filters.MetricCondition(
                        name="Visits",
                        comparison=filters.MetricCondition.GREATER_THAN_OR_EQUAL,
                        value=VISITS_MIN,
                    )
                ),
            ],
        )
    )


def _channel(channel: channels.ChannelType.ValueType) -> filters.SegmentFilter:
    return filters.SegmentFilter(
        channel=filters.ChannelCondition(operator=filters.INCLUSIVE, channel_types=[channel])
    )


async def _create(world: World, name: str, definition: filters.SegmentFilter) -> None:
    request = CreateSegmentRequest(
        parent=PARENT,
        segment_id=name.rpartition("/")[2],
        segment=Segment(filter=definition),
    )
    await world.mesh.segments.CreateSegment(request)
