"""Lists put in and taken out by addresses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.longrunning import operations_pb2
from heliograph.audience.v1.events_pb2 import UserErased
from heliograph.twoway.v1 import opt_out_list_pb2
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from mesh.testkit.rpc import RpcClient
from twoway.exports.exporting import Exporter
from twoway.places import Places
from twoway_room import SHOP, Room

DEFAULT = f"{SHOP}/optOutLists/default"
OTHER = f"{SHOP}/optOutLists/other"
SEVERAL = b"""phone_number,opt_out_time,end_user_opted_out
+12065550191,2024-05-01T10:00:00.123456Z,true
+12065550192,2024-05-01T10:00:00Z,false
12345,,true
"""


@asynccontextmanager
async def room_with_folder(
    database_url: str, sessions: Sessions, asking: Any, rpc_client: RpcClient, folder: Path
) -> AsyncIterator[Room]:
    """The whole room, with one folder open for both ways, and two lists."""
    places = Places(import_folder=str(folder), export_folder=str(folder))
    async with Room(database_url, sessions, asking, rpc_client, places) as opened:
        create = pb.CreateOptOutListRequest(parent=SHOP, opt_out_list_id="other")
        await opened.consent.CreateOptOutList(create)
        yield opened


def numbers(count: int) -> bytes:
    """A file of so many numbers."""
    return "\n".join(["phone_number", *(f"+1206{n:07}" for n in range(1, count + 1))]).encode()


def facts(one: opt_out_list_pb2.OptedOutNumber) -> tuple[str, str, bool]:
    """What a file tells of a number."""
    return one.name.rpartition("/")[2], one.opt_out_time.ToJsonString(), one.end_user_opted_out


async def listed(room: Room, parent: str) -> list[tuple[str, str, bool]]:
    """Who is on a list."""
    request = pb.ListOptedOutNumbersRequest(parent=parent, page_size=1_000)
    found = (await room.consent.ListOptedOutNumbers(request)).opted_out_numbers
    return [facts(one) for one in found]


async def told(room: Room, begun: operations_pb2.Operation) -> operations_pb2.Operation:
    """An operation as it is now."""
    request = operations_pb2.GetOperationRequest(name=begun.name)
    operation: operations_pb2.Operation = await room.operations.GetOperation(request)
    return operation


async def begin_import(
    room: Room, parent: str = DEFAULT, **source: Any
) -> operations_pb2.Operation:
    """Ask for an import."""
    request = pb.ImportOptedOutNumbersRequest(parent=parent, **source)
    begun: operations_pb2.Operation = await room.consent.ImportOptedOutNumbers(request)
    return begun


async def imported(
    room: Room, parent: str = DEFAULT, **source: Any
) -> pb.ImportOptedOutNumbersResponse:
    """Take a list in, to its end."""
    begun = await begin_import(room, parent, **source)
    await room.importer.step()
    response = pb.ImportOptedOutNumbersResponse()
    ended = await told(room, begun)
    assert ended.response.Unpack(response), ended.error
    return response


async def begin_export(
    room: Room, uri: str = "file:out", parent: str = DEFAULT, **fields: Any
) -> operations_pb2.Operation:
    """Ask for an export."""
    request = pb.ExportOptedOutNumbersRequest(parent=parent, uri=uri, **fields)
    begun: operations_pb2.Operation = await room.consent.ExportOptedOutNumbers(request)
    return begun


async def exported(
    room: Room, exporter: Exporter, **fields: Any
) -> pb.ExportOptedOutNumbersResponse:
    """Take a list out, to its end."""
    begun = await begin_export(room, **fields)
    while await exporter.step():
        pass
    response = pb.ExportOptedOutNumbersResponse()
    ended = await told(room, begun)
    assert ended.response.Unpack(response), ended.error
    return response


async def comes_back(room: Room, number: str) -> None:
    """Somebody opts in again."""
    name = f"{DEFAULT}/optedOutNumbers/{number}"
    await room.consent.DeleteOptedOutNumber(pb.DeleteOptedOutNumberRequest(name=name))


async def ordered(room: Room, *addresses: str) -> OrderRow:
    """The order to erase a person, as it is once it was taken."""
    event = UserErased(application="shop", user_id="ann", addresses=addresses)
    now, operation = datetime.now(UTC), f"{SHOP}/operations/o1"
    async with room.sessions.begin() as session:
        await orders.take(session, "shop", operation, event.SerializeToString(), now, now)
    return OrderRow(
        application="shop",
        operation=operation,
        subject=event.SerializeToString(),
        order_time=now,
        hear_time=now,
    )
