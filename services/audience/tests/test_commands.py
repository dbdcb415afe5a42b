"""The commands that move files, as processes of their own against this room."""

import asyncio
import csv
import gzip
import json
import os
import sys
import uuid
from asyncio import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from audience_files import AWKWARD_FAILURES, awkward, people
from audience_room import SHOP, Room
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.testkit.object_stores import S3Server
from mesh.testkit.tokens import MintToken

Command = Callable[..., Awaitable[tuple[int, str, str]]]
SERVICES = ("AUDIENCE", "CAMPAIGN", "MESSAGING", "ANALYTICS", "TWOWAY")
TIMEOUT_SECONDS = 60


@pytest_asyncio.fixture(loop_scope="session")
async def command(room: Room, mint_token: MintToken, tmp_path: Path) -> Command:
    """Run a command; its exit status, what it wrote and what it complained of."""
    addresses = {f"HELIOGRAPH_{service}_ADDRESS": room.address for service in SERVICES}
    environment = {**os.environ, **addresses, "HELIOGRAPH_TOKEN": mint_token()}

    async def run(*words: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "heliograph.cli", *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=tmp_path,
        )
        async with asyncio.timeout(TIMEOUT_SECONDS):
            out, complaints = await process.communicate()
        return process.returncode or 0, out.decode(), complaints.decode()

    return run


@pytest_asyncio.fixture(loop_scope="session")
async def heliograph(room: Room, command: Command) -> AsyncIterator[Command]:
    """Run a command while jobs are worked on."""
    working = [asyncio.create_task(worker.run()) for worker in room.workers()]
    yield command
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


async def test_every_bad_row_of_an_import_is_in_the_file_that_was_asked_for(
    heliograph: Command, tmp_path: Path
) -> None:
    packed = tmp_path / "people.csv.gz"
    packed.write_bytes(gzip.compress(awkward()))
    status, _, complaints = await heliograph(
        *("endpoints", "import", str(packed), "--app", "shop", "--failures", "bad.csv")
    )

    with (tmp_path / "bad.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert status == 0, complaints
    assert [(int(row["line"]), row["field"], row["reason"]) for row in rows] == AWKWARD_FAILURES
    assert {row["file"] for row in rows} == {"people.csv.gz"}
    assert all(row["description"] for row in rows)


async def test_an_import_that_fails_says_why_and_still_writes_its_bad_rows(
    heliograph: Command, tmp_path: Path
) -> None:
    cut_off = tmp_path / "people.csv.gz"
    cut_off.write_bytes(gzip.compress(people(100))[:-9])
    status, out, complaints = await heliograph(
        *("endpoints", "import", str(cut_off), "--app", "shop"),
        *("--failures", "bad.jsonl", "--json"),
    )

    assert status == 1
    assert json.loads(out)[0]["state"] == "FAILED"
    assert "people.csv.gz: the gzip file is cut off" in complaints
    assert (tmp_path / "bad.jsonl").read_text() == ""


async def test_endpoints_are_exported_to_a_folder_of_the_mesh_and_to_a_file_here(
    heliograph: Command, room: Room, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_bytes(people(100))
    await heliograph("endpoints", "import", "people.csv", "--app", "shop")
    await room.create_segment(
        {"metric": {"name": "age", "comparison": "LESS_THAN", "value": 10}}, "young"
    )
    there = await heliograph(
        *("endpoints", "export", "--app", "shop", "--segment", "young", "--folder", "out"),
        *("--format", "csv", "--compression", "gzip", "--per-file", "15", "--json"),
    )
    here = await heliograph("endpoints", "export", "all.jsonl.gz", "--app", "shop", "--json")
    shown = await heliograph("endpoints", "export", "young.jsonl", "--app", "shop")

    job = json.loads(there[1])
    assert (job["state"], job["exported_count"]) == ("SUCCEEDED", "20")
    assert job["files"] == ["part-00000.csv.gz", "part-00001.csv.gz"]
    assert json.loads(here[1]) == {"file": "all.jsonl.gz", "exported_count": 100}
    lines = gzip.decompress((tmp_path / "all.jsonl.gz").read_bytes()).splitlines()
    assert len({json.loads(line)["Id"] for line in lines}) == 100
    assert (shown[0], "100" in shown[1]) == (0, True)
    status, _, complaints = await heliograph("endpoints", "export", "--app", "shop")
    assert (status, "expected a file, or --folder" in complaints) == (1, True)


@pytest_asyncio.fixture(loop_scope="session")
async def stores(room: Room, s3_server: S3Server) -> str:
    """A folder of an object store, open for imports and for exports of `shop`."""
    folder = f"{uuid.uuid4().hex}/"
    for use in ("import", "export"):
        place = s3_server.place(use, f"s3://imports/{folder}{{application}}/")
        room.object_stores = (*room.object_stores, place)
    await room.restart()
    return f"s3://imports/{folder}shop/"


@pytest.mark.xdist_group("object_store")
async def test_objects_are_exported_and_imported_by_their_addresses(
    stores: str, heliograph: Command, room: Room
) -> None:
    await room.write("ann", channel_type="SMS", address="+14155550100")
    out = await heliograph(
        *("endpoints", "export", "--app", "shop", "--folder", f"{stores}all", "--json")
    )
    back = await heliograph(
        *("endpoints", "import", f"{stores}all/part-00000.jsonl", "--app", "shop", "--json")
    )
    none = await heliograph("endpoints", "import", f"{stores}none.csv", "--app", "shop")

    assert json.loads(out[1])["files"] == ["part-00000.jsonl"]
    (job,) = json.loads(back[1])
    assert (job["state"], job["imported_count"], job["created_count"]) == ("SUCCEEDED", "1", "0")
    assert (none[0], none[2].startswith("NOT_FOUND")) == (1, True)


async def test_applications_are_marked_and_limited_and_segments_changed(
    heliograph: Command, room: Room
) -> None:
    async def told(*words: str) -> Any:
        status, out, complaints = await heliograph(*words, "--json")
        assert status == 0, complaints
        return json.loads(out)

    await room.create_segment({"channel": {"operator": "INCLUSIVE", "channel_types": ["SMS"]}}, "s")
    await told("apps", "update", "shop", "--label", "team=crm", "--label", "tier=1")
    app, segment = await asyncio.gather(
        told(
            *("apps", "update", "shop", "--label", "tier=", "--endpoints-per-user-max", "2"),
            *("--endpoint-limit-policy", "refuse"),
        ),
        told(
            *("segments", "update", "s", "--app", "shop", "--display-name", "by phone"),
            '{"channel": {"operator": "INCLUSIVE", "channel_types": ["VOICE"]}}',
        ),
    )
    status, out, complaints = await heliograph("segments", "delete", "s", "--app", "shop", "--yes")
    gone, _, _ = await heliograph("segments", "show", "s", "--app", "shop")

    assert app["labels"] == {"team": "crm"}
    settings = app["settings"]
    assert (settings["endpoints_per_user_max"], settings["endpoint_limit_policy"]) == (2, "REFUSE")
    assert (segment["display_name"], segment["version"]) == ("by phone", "2")
    assert (status, out, complaints, gone) == (0, "", "", 1)


async def test_endpoints_change_their_users_and_attributes_are_taken_from_everybody(
    heliograph: Command, room: Room
) -> None:
    given = {"temp_a": {"values": ["1"]}, "color": {"values": ["red"]}}
    await room.write("e1", channel_type="SMS", address="+14155550100", attributes=given)
    words = ("--app", "shop", "--json")
    linked = await heliograph("users", "link", "ann", "e1", *words)
    had, (_, out, complaints) = await asyncio.gather(
        heliograph("users", "endpoints", "ann", *words),
        heliograph("endpoints", "remove-attributes", "temp_*", "--yes", *words),
    )
    unlinked = await heliograph("users", "unlink", "ann", "e1", *words)

    assert [one["name"] for one in json.loads(had[1])] == [f"{SHOP}/endpoints/e1"], linked[2]
    assert json.loads(out) == {"removed_attributes": ["temp_a"], "changed_count": "1"}, complaints
    left = json.loads(unlinked[1])
    assert ("user" in left, list(left["attributes"])) == (False, ["color"])


async def test_jobs_are_listed_held_gone_on_with_and_ended(command: Command, room: Room) -> None:
    """Nobody works on jobs here, so that none is done before it is held."""
    await asyncio.to_thread(write, room.import_folder / "shop" / "people.csv", people(3))
    operation = await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent="applications/shop", path="people.csv")
    )
    job = (await room.job(operation)).name
    told = []
    for words in (["pause", job], ["resume", job], ["cancel", job], ["list"]):
        status, out, complaints = await command("imports", *words, "--app", "shop", "--json")
        assert status == 0, complaints
        told.append(json.loads(out))

    states = [one["state"] for one in (*told[:3], *told[3])]
    assert states == ["PAUSED", "QUEUED", "CANCELLED", "CANCELLED"]
    _, _, complaints = await command("exports", "resume", "none", "--app", "shop")
    assert complaints.startswith("NOT_FOUND")


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


async def test_an_export_that_is_refused_says_why(heliograph: Command) -> None:
    for words in (["--folder", "../x"], ["--folder", "x", "--segment", "none"]):
        status, _, complaints = await heliograph("endpoints", "export", "--app", "shop", *words)

        assert status == 1
        assert complaints.startswith(("PERMISSION_DENIED", "NOT_FOUND"))
