"""Files into the audience, through the front door and a worker."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from audience.transfers import chunks
from audience.transfers.worker import Worker
from audience_files import AWKWARD_FAILURES, awkward
from audience_room import SHOP, UPLOAD_BYTES_MAX, Room, name
from google.longrunning import operations_pb2
from heliograph.audience.v1 import endpoint_pb2, events_pb2, import_job_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as endpoint_pb
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import Error, InvalidArgument, PermissionDenied, ResourceExhausted, Unimplemented
from mesh.rpc import status
from mesh.testkit import eventually

Job = import_job_pb2.ImportJob


def people(count: int) -> bytes:
    """A plain file of so many endpoints, each of a user of its own."""
    rows = [
        f"SMS,+1415{5_000_000 + index},e{index},u{index},{index % 90},name {index}\n"
        for index in range(count)
    ]
    header = "ChannelType,Address,Id,User.UserId,Metrics.age,User.UserAttributes.name\n"
    return (header + "".join(rows)).encode()


async def listed(room: Room) -> list[str]:
    answer = await room.endpoints.ListEndpoints(
        endpoint_pb.ListEndpointsRequest(parent=SHOP, page_size=1000)
    )
    return [one.name.rpartition("/")[2] for one in answer.endpoints]


async def test_every_row_of_an_awkward_file_is_imported_or_refused_with_its_line(
    room: Room,
) -> None:
    job = await room.imported(awkward())

    assert job.state == Job.SUCCEEDED
    assert await room.failures(job.name) == AWKWARD_FAILURES
    assert (job.imported_count, job.failed_count) == (5, len(AWKWARD_FAILURES))
    assert job.processed_bytes == job.total_bytes == len(awkward())
    assert await listed(room) == ["line-break", "mail", "plain", "quoted", "two lines"]
    plain = await room.read("plain")
    assert list(plain.attributes["interest"].values) == ["golf", "chess"]
    assert list((await room.read("line-break")).attributes["interest"].values) == ["two\r\nlines"]
    quoted = await room.read("quoted")
    assert (quoted.address, quoted.location.country) == ("+14155550101", "US")
    assert (await room.read("mail")).address == "Ünï@example.com"


@pytest.mark.parametrize("lines", [1, 2, 7])
async def test_it_does_not_matter_where_a_file_is_cut(
    room: Room, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "LINES", lines)

    job = await room.imported(awkward(), size=100)

    assert await room.failures(job.name) == AWKWARD_FAILURES
    assert job.imported_count == 5


async def test_pinpoints_export_loads_as_it_is(room: Room) -> None:
    exported = [
        {
            "ApplicationId": "4fd1",
            "Id": "endpoint-1",
            "ChannelType": "GCM",
            "Address": "token",
            "EndpointStatus": "ACTIVE",
            "OptOut": "ALL",
            "RequestId": "r",
            "CohortId": "39",
            "CreationDate": "2023-01-01T00:00:00.000Z",
            "EffectiveDate": "2023-01-01T00:00:00.000Z",
            "Attributes": {"interest": ["golf", "chess"], "none": []},
            "Metrics": {"age": 31.0, "visits": "12"},
            "Demographic": {"Make": "LG", "Timezone": "Europe/Berlin"},
            "Location": {"City": "Berlin", "Country": "DEU", "Latitude": "52.5", "Longitude": 13.4},
            "User": {"UserId": "u1", "UserAttributes": {"first": ["Ann"], "single": "one"}},
        },
        {"ChannelType": "SMS", "Address": "+16045550182", "Location": {"Country": "CA"}},
    ]
    bad = ["[]", '{"Addres": "x"}', '{"Address": 5}', '{"Id": "\\ud800"', "{}", "\xff"]
    data = "\n".join([*map(json.dumps, exported), "", *bad]).encode("latin-1")

    job = await room.imported(data, file_name="export.json")

    first = await room.read("endpoint-1")
    assert (job.imported_count, job.failed_count) == (2, 6)
    assert first.channel_type == 3
    assert first.opt_out == endpoint_pb2.Endpoint.ALL
    assert dict(first.metrics) == {"age": 31.0, "visits": 12.0}
    assert sorted(first.attributes) == ["interest"]
    assert list(first.user.attributes["single"].values) == ["one"]
    assert (first.location.country, first.location.latitude) == ("DE", 52.5)
    assert await room.failures(job.name) == [
        (4, "", "JSON_INVALID"),
        (5, "", "JSON_INVALID"),
        (6, "Address", "JSON_INVALID"),
        (7, "", "JSON_INVALID"),
        (8, "ChannelType", "CHANNEL_TYPE_MISSING"),
        (9, "", "JSON_INVALID"),
    ]


async def test_importing_a_file_again_changes_nothing_but_times(room: Room) -> None:
    first = await room.imported(people(300))
    again = await room.imported(people(300))

    assert (first.created_count, again.created_count) == (300, 0)
    assert (again.imported_count, again.deactivated_count) == (300, 0)
    read = await room.read("e7")
    assert (read.etag, list(read.user.attributes["name"].values)) == ('"2"', ["name 7"])


async def test_rows_without_an_id_are_the_same_endpoints_each_time(room: Room) -> None:
    data = b"ChannelType,Address\nSMS,+14155550123\nSMS,+1 415 555 0123\nEMAIL,a@b.io\n"
    await room.imported(data)
    await room.imported(data)

    assert len(await listed(room)) == 2


async def test_a_row_with_an_id_alone_updates_what_is_there(room: Room) -> None:
    await room.write("e1", channel_type=3, address="t", metrics={"kept": 1})
    job = await room.imported(b"Id,Metrics.age\ne1,31\nnobody,31\n")

    assert dict((await room.read("e1")).metrics) == {"kept": 1, "age": 31}
    assert await room.failures(job.name) == [(3, "ChannelType", "CHANNEL_TYPE_MISSING")]


async def test_imported_endpoints_take_addresses_and_say_so_once_a_chunk(room: Room) -> None:
    for index in range(3):
        await room.write(f"old{index}", channel_type=1, address=f"+1415{5_000_000 + index}")
    job = await room.imported(people(5))

    (event,) = await room.announced(events_pb2.AddressesClaimed)
    assert job.deactivated_count == 3
    assert {(one.former_endpoint, one.endpoint) for one in event.claims} == {
        (name(f"old{index}"), name(f"e{index}")) for index in range(3)
    }
    assert (await room.read("old0")).status == endpoint_pb2.Endpoint.INACTIVE


async def test_the_last_row_of_an_address_has_it(room: Room) -> None:
    rows = "".join(f"SMS,+14155550123,e{index}\n" for index in range(4))
    job = await room.imported(f"ChannelType,Address,Id\n{rows}".encode())

    statuses = [(await room.read(f"e{index}")).status for index in range(4)]
    assert statuses == [endpoint_pb2.Endpoint.INACTIVE] * 3 + [endpoint_pb2.Endpoint.ACTIVE]
    assert (job.imported_count, job.deactivated_count) == (4, 3)


async def test_an_operation_ends_with_the_job_and_the_end_is_announced(room: Room) -> None:
    operation = await room.upload(people(10))
    assert not operation.done

    await room.work()

    ended = await room.operations.GetOperation(
        operations_pb2.GetOperationRequest(name=operation.name)
    )
    job = Job()
    assert ended.done
    assert ended.response.Unpack(job)
    assert (job.imported_count, job.operation) == (10, operation.name)
    assert job == await room.transfers.GetImportJob(pb.GetImportJobRequest(name=job.name))
    (event,) = await room.announced(events_pb2.ImportFinished)
    assert (event.import_job, event.succeeded, event.imported_count) == (job.name, True, 10)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "HEADER_INVALID"),
        (b"\xef\xbb\xbf\n\n", "HEADER_INVALID"),
        (b"Adress,ChannelTyp\nx,y\n", "HEADER_INVALID"),
        (b"ChannelType;Address\nSMS;+14155550123\n", "HEADER_INVALID"),
        (b"Address,Address,ChannelType\n", "HEADER_INVALID"),
        (b"Address,Attributes.x\n", "HEADER_INVALID"),
        (b"Metrics.\n", "HEADER_INVALID"),
        (b"\x1f\x8b\x08rest", "IMPORT_FORMAT_UNSUPPORTED"),
        (b"PK\x03\x04rest", "IMPORT_FORMAT_UNSUPPORTED"),
        ("Id,Address\n".encode("utf-16"), "IMPORT_FORMAT_UNSUPPORTED"),
        (b"Id,Metrics.a\n" + b"x" * (UPLOAD_BYTES_MAX - 20), "ROW_TOO_LONG"),
    ],
)
async def test_a_file_that_is_none_fails_as_a_whole_with_a_reason(
    room: Room, data: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audience.transfers.lines.LINE_BYTES_MAX", 100_000)
    job = await room.imported(data)

    assert job.state == Job.FAILED
    assert status.to_error(job.error).reason == reason
    assert job.HasField("end_time")


async def test_a_misspelt_header_gets_a_hint(room: Room) -> None:
    job = await room.imported(b"Adress,ChannelType\n")

    assert "did you mean Address?" in job.error.message


async def test_a_killed_job_goes_on_from_its_last_committed_line(
    room: Room, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "LINES", 50)
    operation = await room.upload(people(2000))
    first = asyncio.create_task(room.worker.step())
    await eventually(lambda: _moved(room, operation))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    before = await room.job(operation)

    await Worker(database_url, room.sessions, room.now).step()

    job = await room.job(operation)
    assert 0 < before.imported_count < 2000
    assert before.state == Job.RUNNING
    assert (job.state, job.imported_count, job.created_count) == (Job.SUCCEEDED, 2000, 2000)


async def _moved(room: Room, operation: operations_pb2.Operation) -> bool:
    return (await room.job(operation)).imported_count > 0


async def test_a_job_has_one_worker(
    room: Room, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "LINES", 50)
    operation = await room.upload(people(1000))
    workers = [Worker(database_url, room.sessions, room.now) for _ in range(3)]

    ran = await asyncio.gather(*(worker.step() for worker in workers))

    job = await room.job(operation)
    assert ran.count(True) == 1
    assert (job.state, job.created_count) == (Job.SUCCEEDED, 1000)


async def test_a_stopped_job_keeps_what_it_imported(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "LINES", 50)
    operation = await room.upload(people(2000))
    running = asyncio.create_task(room.worker.step())
    await eventually(lambda: _moved(room, operation))
    asked = operations_pb2.CancelOperationRequest(name=operation.name)
    await room.operations.CancelOperation(asked)
    await running

    job = await room.job(operation)
    ended = await room.operations.GetOperation(
        operations_pb2.GetOperationRequest(name=operation.name)
    )
    assert job.state == Job.CANCELLED
    assert 0 < job.imported_count < 2000
    assert ended.error.code == status.from_error(_cancelled()).code


def _cancelled() -> Error:
    from audience.transfers.jobs import cancelled

    return cancelled()


async def test_a_waiting_job_is_cancelled_at_once(room: Room) -> None:
    job = await room.job(await room.upload(people(10)))
    cancelled = await room.transfers.CancelImportJob(pb.CancelImportJobRequest(name=job.name))
    await room.work()

    assert cancelled.state == Job.CANCELLED
    assert await listed(room) == []


async def test_a_job_that_never_gets_on_is_given_up(
    room: Room, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr("audience.transfers.importing.write_many", broken)
    operation = await room.upload(people(10))
    for _ in range(5):
        with pytest.raises(RuntimeError):
            await room.worker.step()
    await room.worker.step()

    job = await room.job(operation)
    assert job.state == Job.FAILED
    assert status.to_error(job.error).reason == "IMPORT_ABANDONED"
    assert not await room.worker.step()


async def test_a_file_of_the_open_folder_is_read(room: Room) -> None:
    _file(room, "shop/people.csv", people(3))
    operation = await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent=SHOP, path="people.csv")
    )
    await room.work()

    job = await room.job(operation)
    assert (job.state, job.source, job.imported_count) == (Job.SUCCEEDED, "people.csv", 3)


@pytest.mark.parametrize("path", ["../other/people.csv", "/etc/passwd", "link.csv"])
async def test_a_path_out_of_the_open_folder_is_refused(room: Room, path: str) -> None:
    outside = _file(room, "other/people.csv", people(3))
    _file(room, "shop/people.csv", people(3)).with_name("link.csv").symlink_to(outside)

    with pytest.raises(PermissionDenied) as refusal:
        await room.transfers.ImportEndpoints(pb.ImportEndpointsRequest(parent=SHOP, path=path))
    assert refusal.value.reason == "IMPORT_PATH_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["missing.csv", "folder"])
async def test_a_file_that_cannot_be_read_is_refused_at_once(room: Room, path: str) -> None:
    (room.import_folder / "shop" / "folder").mkdir(parents=True)

    with pytest.raises(Error) as refusal:
        await room.transfers.ImportEndpoints(pb.ImportEndpointsRequest(parent=SHOP, path=path))
    assert refusal.value.reason == "IMPORT_FILE_UNREADABLE"


async def test_a_file_that_changed_meanwhile_is_not_read(room: Room) -> None:
    _file(room, "shop/people.csv", people(3))
    operation = await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent=SHOP, path="people.csv")
    )
    _file(room, "shop/people.csv", people(4))
    await room.work()

    job = await room.job(operation)
    assert status.to_error(job.error).reason == "IMPORT_FILE_CHANGED"


async def test_an_upload_that_breaks_leaves_nothing(room: Room) -> None:
    sent = asyncio.Event()

    async def requests() -> AsyncIterator[pb.UploadEndpointsRequest]:
        yield pb.UploadEndpointsRequest(parent=SHOP, header={"file_name": "people.csv"})
        yield pb.UploadEndpointsRequest(parent=SHOP, chunk=people(10))
        sent.set()
        await asyncio.Event().wait()

    async def upload() -> None:
        await room.transfers.UploadEndpoints(requests())

    uploading = asyncio.create_task(upload())
    await sent.wait()
    uploading.cancel()
    await asyncio.gather(uploading, return_exceptions=True)

    await room.work()
    jobs = await room.transfers.ListImportJobs(pb.ListImportJobsRequest(parent=SHOP))
    assert not jobs.import_jobs


async def test_an_upload_beyond_the_limit_is_refused(room: Room) -> None:
    with pytest.raises(ResourceExhausted) as refusal:
        await room.upload(b"x" * (UPLOAD_BYTES_MAX + 1), size=300_000)

    assert refusal.value.reason == "UPLOAD_TOO_LARGE"


@pytest.mark.parametrize("order", [["chunk"], ["header", "header"], []])
async def test_an_upload_begins_with_one_header(room: Room, order: list[str]) -> None:
    payloads = {"chunk": {"chunk": b"Id\n"}, "header": {"header": {}}}

    async def requests() -> AsyncIterator[pb.UploadEndpointsRequest]:
        for kind in order:
            yield pb.UploadEndpointsRequest(parent=SHOP, **payloads[kind])

    with pytest.raises(InvalidArgument) as refusal:
        await room.transfers.UploadEndpoints(requests())
    assert refusal.value.reason == "UPLOAD_OUT_OF_ORDER"


async def test_uploading_is_safe_to_repeat(room: Room) -> None:
    first = await room.upload(people(10), request_id="r1")
    again = await room.upload(people(10), request_id="r1")

    jobs = await room.transfers.ListImportJobs(pb.ListImportJobsRequest(parent=SHOP))
    assert first == again
    assert len(jobs.import_jobs) == 1


async def test_jobs_and_failures_are_listed_in_pages(room: Room) -> None:
    for index in range(3):
        await room.imported(b"Id,Metrics.a\n" + b"e,x\n" * 3, file_name=f"{index}.csv")
    first = await room.transfers.ListImportJobs(pb.ListImportJobsRequest(parent=SHOP, page_size=2))
    rest = await room.transfers.ListImportJobs(
        pb.ListImportJobsRequest(parent=SHOP, page_size=2, page_token=first.next_page_token)
    )
    job = first.import_jobs[0].name
    failures = await room.transfers.ListImportFailures(
        pb.ListImportFailuresRequest(parent=job, page_size=2)
    )
    last = await room.transfers.ListImportFailures(
        pb.ListImportFailuresRequest(parent=job, page_size=2, page_token=failures.next_page_token)
    )

    assert [one.source for one in (*first.import_jobs, *rest.import_jobs)] == [
        *("2.csv", "1.csv", "0.csv")
    ]
    assert [one.line for one in (*failures.import_failures, *last.import_failures)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"format": "PARQUET"}, "spec.format"),
        ({"compression": "GZIP"}, "spec.compression"),
        ({"skip_endpoints": True}, "spec.skip_endpoints"),
        ({"segment_id": "s"}, "spec.segment_id"),
    ],
)
async def test_what_imports_cannot_do_is_refused_with_its_name(
    room: Room, spec: dict[str, Any], field: str
) -> None:
    with pytest.raises(Unimplemented) as refusal:
        await room.transfers.ImportEndpoints(
            pb.ImportEndpointsRequest(parent=SHOP, path="people.csv", spec=spec)
        )

    assert refusal.value.violations[0].field == field


async def test_an_object_store_is_refused(room: Room) -> None:
    with pytest.raises(Unimplemented):
        await room.transfers.ImportEndpoints(
            pb.ImportEndpointsRequest(parent=SHOP, uri="s3://bucket/people.csv")
        )


def _file(room: Room, path: str, data: bytes) -> Path:
    file = room.import_folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


async def test_an_empty_list_in_a_line_takes_the_attribute_away(room: Room) -> None:
    lines = [
        {"Id": "e1", "ChannelType": "GCM", "Address": "t", "Attributes": {"a": ["1"], "b": ["2"]}},
        {"Id": "e1", "Attributes": {"a": []}},
    ]
    data = "\n".join(map(json.dumps, lines)).encode()
    await room.imported(data, file_name="people.jsonl")

    assert list((await room.read("e1")).attributes) == ["b"]
