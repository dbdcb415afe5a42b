"""Applications, through the front door."""

from typing import Any

import asyncpg
import pytest
from audience.applications import settings
from audience_room import SHOP, Room
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1 import application_service_pb2 as pb
from heliograph.audience.v1 import endpoint_service_pb2, events_pb2
from heliograph.audience.v1.application_pb2 import ApplicationSettings
from mesh.errors import Aborted, AlreadyExists, InvalidArgument, NotFound, Unimplemented
from mesh.testkit.tokens import MintToken


async def test_a_created_application_is_announced_and_read(room: Room) -> None:
    read = await room.applications.GetApplication(pb.GetApplicationRequest(name=SHOP))

    announced = await room.announced(events_pb2.ApplicationCreated)
    assert read.name == SHOP
    assert [one.resource for one in announced] == [read]


async def test_creating_twice_is_refused_and_repeating_the_request_is_not(room: Room) -> None:
    request = pb.CreateApplicationRequest(
        application_id="news", application={"display_name": "News"}, request_id="r1"
    )

    first = await room.applications.CreateApplication(request)
    again = await room.applications.CreateApplication(request)
    with pytest.raises(AlreadyExists) as refusal:
        await room.create_application("news")

    assert first == again
    assert refusal.value.reason == "APPLICATION_EXISTS"


async def test_an_update_keeps_what_the_mask_does_not_name(room: Room) -> None:
    created = await room.applications.GetApplication(pb.GetApplicationRequest(name=SHOP))
    changed = await room.applications.UpdateApplication(
        pb.UpdateApplicationRequest(
            application={"name": SHOP, "display_name": "The shop", "labels": {"a": "b"}},
            update_mask=FieldMask(paths=["display_name"]),
        )
    )

    assert (changed.display_name, dict(changed.labels)) == ("The shop", {})
    with pytest.raises(Aborted):
        await room.applications.UpdateApplication(
            pb.UpdateApplicationRequest(application={"name": SHOP, "etag": created.etag})
        )


async def test_settings_are_stored_returned_and_announced(room: Room) -> None:
    asked = {"endpoints_per_user_max": 3, "endpoint_limit_policy": "REFUSE"}
    created = await room.applications.CreateApplication(
        pb.CreateApplicationRequest(application_id="news", application={"settings": asked})
    )
    changed = await room.applications.UpdateApplication(
        pb.UpdateApplicationRequest(
            application={
                "name": "applications/news",
                "etag": created.etag,
                "settings": {"endpoints_per_user_max": 5},
            },
            update_mask=FieldMask(paths=["settings.endpoints_per_user_max"]),
        )
    )
    read = await room.applications.GetApplication(
        pb.GetApplicationRequest(name="applications/news")
    )

    announced = await room.announced(events_pb2.ApplicationUpdated)
    assert (created.settings.endpoints_per_user_max, read) == (3, changed)
    assert changed.settings.endpoints_per_user_max == 5
    assert changed.settings.endpoint_limit_policy == ApplicationSettings.REFUSE
    assert changed.etag != created.etag
    assert [one.resource for one in announced] == [changed]


async def test_settings_that_are_replaced_as_a_whole_lose_what_is_not_given(room: Room) -> None:
    async def update(**settings: int) -> ApplicationSettings:
        request = pb.UpdateApplicationRequest(
            application={"name": SHOP, "settings": settings},
            update_mask=FieldMask(paths=["settings"]),
        )
        return (await room.applications.UpdateApplication(request)).settings

    await update(endpoints_per_user_max=3, endpoint_limit_policy=ApplicationSettings.REFUSE)

    assert await update(endpoints_per_user_max=4) == ApplicationSettings(endpoints_per_user_max=4)


@pytest.mark.parametrize(
    ("stored", "meant"),
    [
        ({}, (15, ApplicationSettings.EVICT_LEAST_RECENT)),
        ({"endpoints_per_user_max": 1}, (1, ApplicationSettings.EVICT_LEAST_RECENT)),
        ({"endpoint_limit_policy": "REFUSE"}, (15, ApplicationSettings.REFUSE)),
    ],
)
async def test_a_limit_that_is_not_stated_is_pinpoints(
    room: Room,
    reading: "asyncpg.Pool[asyncpg.Record]",
    stored: dict[str, Any],
    meant: tuple[int, int],
) -> None:
    await room.applications.UpdateApplication(
        pb.UpdateApplicationRequest(application={"name": SHOP, "settings": stored})
    )

    async with reading.acquire() as connection:
        limit = await settings.read_endpoint_limit(connection, "shop")
        with pytest.raises(NotFound):
            await settings.read_endpoint_limit(connection, "nowhere")

    assert (limit.endpoints_max, limit.policy) == meant


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoints_per_user_max": -1},
        {"endpoints_per_user_max": 1001},
        {"endpoint_limit_policy": 9},
    ],
)
async def test_a_setting_out_of_its_range_is_refused_with_its_path(
    room: Room, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await room.applications.UpdateApplication(
            pb.UpdateApplicationRequest(application={"name": SHOP, "settings": wrong})
        )

    assert refusal.value.violations[0].field == f"application.settings.{next(iter(wrong))}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message_limits.session_max", {"message_limits": {"session_max": 1}}),
    ],
)
async def test_settings_that_nobody_obeys_are_refused_with_their_name(
    room: Room, field: str, value: Any
) -> None:
    with pytest.raises(Unimplemented) as refusal:
        await room.applications.UpdateApplication(
            pb.UpdateApplicationRequest(application={"name": SHOP, "settings": value})
        )

    assert refusal.value.violations[0].field == f"application.settings.{field}"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"default_time_zone": "Mars/Base"}, "default_time_zone"),
        ({"missing_time_zone_policy": "USE_DEFAULT"}, "default_time_zone"),
        ({"default_country": "ZZ"}, "default_country"),
        ({"quiet_time": {"start": "24:00", "end": "06:00"}}, "quiet_time.start"),
        ({"quiet_time": {"start": "08:00", "end": "07:59", "policy": "HOLD"}}, "quiet_time"),
        ({"quiet_time": {"start": "22:00"}}, "quiet_time.end"),
        (
            {"message_limits": {"run_duration_max": {"seconds": 59}}},
            "message_limits.run_duration_max",
        ),
    ],
)
async def test_settings_that_make_no_sense_are_refused_with_their_path(
    room: Room, wrong: Any, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await room.applications.UpdateApplication(
            pb.UpdateApplicationRequest(application={"name": SHOP, "settings": wrong})
        )

    assert refusal.value.violations[0].field == f"application.settings.{field}"


async def test_an_update_leaves_no_half_of_a_quiet_time(room: Room) -> None:
    async def update(paths: list[str], **given: Any) -> ApplicationSettings:
        request = pb.UpdateApplicationRequest(
            application={"name": SHOP, "settings": given}, update_mask=FieldMask(paths=paths)
        )
        return (await room.applications.UpdateApplication(request)).settings

    quiet_time = {"start": "22:00", "end": "06:00"}
    stored = await update(["settings.quiet_time"], quiet_time=quiet_time)
    with pytest.raises(InvalidArgument):
        await update(["settings.quiet_time.end"])

    assert (stored.quiet_time.start, stored.quiet_time.end) == ("22:00", "06:00")
    assert not (await update(["settings.quiet_time"])).HasField("quiet_time")


@pytest.mark.parametrize("application_id", ["", "ab", "Shop", "1shop", "shop_1", "x" * 64])
async def test_an_id_that_is_none_is_refused(room: Room, application_id: str) -> None:
    with pytest.raises(InvalidArgument):
        await room.create_application(application_id)


async def test_a_caller_lists_only_its_own_applications(room: Room, mint_token: MintToken) -> None:
    for application in ("alpha", "beta", "gamma"):
        await room.create_application(application)
    everything = await room.applications.ListApplications(pb.ListApplicationsRequest(page_size=3))
    rest = await room.applications.ListApplications(
        pb.ListApplicationsRequest(page_size=3, page_token=everything.next_page_token)
    )

    room.use(mint_token(["beta", "gamma"], roles=["reader"]))
    mine = await room.applications.ListApplications(pb.ListApplicationsRequest())

    names = [one.name.rpartition("/")[2] for one in (*everything.applications, *rest.applications)]
    assert names == ["alpha", "beta", "gamma", "shop"]
    assert [one.name for one in mine.applications] == ["applications/beta", "applications/gamma"]


async def test_writing_to_an_application_that_is_not_there_is_refused(room: Room) -> None:
    with pytest.raises(NotFound) as refusal:
        await room.endpoints.UpdateEndpoint(
            endpoint_service_pb2.UpdateEndpointRequest(
                endpoint={
                    "name": "applications/nowhere/endpoints/e1",
                    "channel_type": 1,
                    "address": "+14155550123",
                },
                allow_missing=True,
            )
        )

    assert refusal.value.reason == "APPLICATION_NOT_FOUND"
