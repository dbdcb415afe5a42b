"""The carrier's doors: who may come in, what is nonsense, and how the process ends."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest
from localmesh.peers.remote import ControlRefusedError
from mesh.smpp import (
    BindRefusedError,
    Outcome,
)
from mesh.testkit.waiting import eventually


async def test_only_customers_may_bind(stage) -> None:
    stranger = stage.new_customer(password="wrong")

    async with stranger.esme:
        await eventually(lambda: stranger.esme.failure)
        with pytest.raises(BindRefusedError, match="ESME_RINVPASWD"):
            await stranger.esme.wait_bound(0)

    assert {entry["status"] for entry in await stage.log("bind")} == {"ESME_ROK", "ESME_RINVPASWD"}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/inbound", {"messages": [{"source": "me", "destination": "1", "text": ""}]}, "source"),
        ("/behaviour", {"rules": [{"status": "ESME_WHAT"}]}, "ESME_WHAT"),
        ("/behaviour", {"rules": [{"text": "("}]}, "text"),
        ("/behaviour", {"receipts": {"share": 2}}, "share"),
    ],
)
async def test_nonsense_is_refused(stage, path: str, body: dict, words: str) -> None:
    with pytest.raises(ControlRefusedError, match=words):
        await stage.remote.call("POST", path, body)


async def started(data: Path, ports_file: Path) -> tuple[asyncio.subprocess.Process, dict]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "localmesh.peers.carrier", "--data", str(data), "--ports-file", str(ports_file)),
    )
    await eventually(ports_file.exists)
    return process, orjson.loads(await asyncio.to_thread(ports_file.read_bytes))


async def test_a_killed_carrier_has_written_down_what_it_accepted(
    tmp_path: Path, customer_of
) -> None:
    process, ports = await started(tmp_path / "data", tmp_path / "ports.json")
    customer = customer_of(ports["smpp"])
    async with customer.esme:
        await customer.esme.wait_bound(60)
        outcomes = await customer.send(*["x"] * 100)
        process.kill()
        await process.wait()

    lines = (tmp_path / "data" / "journal.jsonl").read_bytes().splitlines()
    assert outcomes == [Outcome.ACCEPTED] * 100
    assert Counter(orjson.loads(line)["kind"] for line in lines)["message"] == 100


async def test_a_carrier_told_to_end_unbinds_and_ends(tmp_path: Path, customer_of) -> None:
    process, ports = await started(tmp_path / "data", tmp_path / "ports.json")
    customer = customer_of(ports["smpp"])
    async with customer.esme:
        await customer.esme.wait_bound(60)

        process.terminate()

        assert await asyncio.wait_for(process.wait(), 60) == 0
        await eventually(lambda: not customer.esme.is_bound)
