"""Alarms as resources: made, read, listed, changed, deleted."""

from typing import Any

import pytest
import pytest_asyncio
from heliograph.twoway.v1 import opt_out_alarm_pb2, opt_out_alarm_service_pb2_grpc
from heliograph.twoway.v1 import opt_out_alarm_service_pb2 as pb
from mesh.errors import Aborted, AlreadyExists, InvalidArgument, NotFound, ResourceExhausted
from mesh.testkit.rpc import RpcClient
from twoway.alarms.servicer import OptOutAlarmServicer
from twoway.alarms.store import ALARMS_MAX
from twoway_room import SHOP, Room

SERVICE = pb.DESCRIPTOR.services_by_name["OptOutAlarmService"].full_name
Alarm = opt_out_alarm_pb2.OptOutAlarm
NAME = f"{SHOP}/optOutAlarms/annoyed"


@pytest_asyncio.fixture(loop_scope="session")
async def alarms(room: Room, rpc_client: RpcClient) -> Any:
    """The service."""
    channel = await rpc_client({SERVICE: OptOutAlarmServicer(room.sessions)})
    return opt_out_alarm_service_pb2_grpc.OptOutAlarmServiceStub(channel)


async def make(alarms: Any, alarm_id: str = "annoyed", **fields: Any) -> Alarm:
    request_id = fields.pop("request_id", "")
    request = pb.CreateOptOutAlarmRequest(
        parent=SHOP,
        opt_out_alarm_id=alarm_id,
        opt_out_alarm=Alarm(**{"rate_max": 0.02, **fields}),
        request_id=request_id,
    )
    made: Alarm = await alarms.CreateOptOutAlarm(request)
    return made


async def change(alarms: Any, *paths: str, **fields: Any) -> Alarm:
    request = pb.UpdateOptOutAlarmRequest(opt_out_alarm=Alarm(name=NAME, **fields))
    request.update_mask.paths.extend(paths)
    changed: Alarm = await alarms.UpdateOptOutAlarm(request)
    return changed


async def test_an_alarm_has_defaults_and_is_made_once(alarms: Any) -> None:
    made = await make(alarms, request_id="one")

    assert (made.name, made.campaign, made.state) == (NAME, "", Alarm.OK)
    assert (made.window.seconds, made.delivered_min, made.pause_campaign) == (3_600, 100, False)
    assert await make(alarms, request_id="one") == made
    assert await alarms.GetOptOutAlarm(pb.GetOptOutAlarmRequest(name=NAME)) == made
    with pytest.raises(AlreadyExists):
        await make(alarms)


async def test_only_what_the_mask_names_is_changed_and_only_while_it_is_fresh(alarms: Any) -> None:
    made = await make(alarms)

    changed = await change(alarms, "pause_campaign", pause_campaign=True, etag=made.etag)

    assert (changed.pause_campaign, changed.rate_max, changed.etag) == (True, 0.02, '"2"')
    with pytest.raises(Aborted):
        await change(alarms, "delivered_min", delivered_min=5, etag=made.etag)
    with pytest.raises(Aborted):
        await alarms.DeleteOptOutAlarm(pb.DeleteOptOutAlarmRequest(name=NAME, etag=made.etag))
    await alarms.DeleteOptOutAlarm(pb.DeleteOptOutAlarmRequest(name=NAME, etag=changed.etag))
    with pytest.raises(NotFound):
        await alarms.GetOptOutAlarm(pb.GetOptOutAlarmRequest(name=NAME))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"rate_max": 0.0}, "ALARM_RATE_INVALID"),
        ({"rate_max": float("nan")}, ""),
        ({"rate_max": 1.5}, ""),
        ({"window": {"seconds": 59}}, ""),
        ({"window": {"seconds": 604_801}}, ""),
        ({"campaign": "applications/other/campaigns/c"}, ""),
        ({"campaign": f"{SHOP}/segments/c"}, ""),
    ],
)
async def test_what_is_no_alarm_is_refused(alarms: Any, fields: Any, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await make(alarms, **fields)
    assert reason in refused.value.reason


async def test_an_application_has_so_many_alarms_and_lists_them_by_their_ids(alarms: Any) -> None:
    for number in range(ALARMS_MAX):
        await make(alarms, f"a{number:03}")
    with pytest.raises(ResourceExhausted):
        await make(alarms)

    request = pb.ListOptOutAlarmsRequest(parent=SHOP, page_size=60)
    first = await alarms.ListOptOutAlarms(request)
    request.page_token = first.next_page_token
    second = await alarms.ListOptOutAlarms(request)

    names = [one.name for page in (first, second) for one in page.opt_out_alarms]
    assert names == [f"{SHOP}/optOutAlarms/a{number:03}" for number in range(ALARMS_MAX)]
    assert second.next_page_token == ""
