"""The service as a process: migrate, serve, stop."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from analytics.settings import Settings
from analytics_samples import event
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1.event_service_pb2_grpc import EventServiceStub
from heliograph.analytics.v1.event_stream_service_pb2 import ListEventStreamsRequest
from heliograph.analytics.v1.event_stream_service_pb2_grpc import EventStreamServiceStub
from mesh.errors import Unimplemented
from mesh.service.settings import table
from mesh.testkit import eventually

README = Path(__file__).parents[1] / "README.md"


async def run(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "analytics", *arguments), env={**os.environ, **environment}
    )


async def test_the_service_migrates_serves_and_stops(
    database, clickhouse_server, nats_url, auth_public_key, rpc_connect, tmp_path
) -> None:
    ports_file = tmp_path / "ports.json"
    environment = {
        "HELIOGRAPH_DATABASE_URL": database,
        "HELIOGRAPH_CLICKHOUSE_URL": clickhouse_server.url_for("process"),
        "HELIOGRAPH_NATS_URL": nats_url,
        "HELIOGRAPH_AUTH_PUBLIC_KEY": auth_public_key,
        "HELIOGRAPH_PORTS_FILE": str(ports_file),
    }
    migrating = await run("migrate", **environment)
    assert await migrating.wait() == 0
    serving = await run("serve", **environment)
    try:
        await eventually(ports_file.exists)
        port = json.loads(ports_file.read_text())["grpc"]
        channel = rpc_connect(f"127.0.0.1:{port}")
        events = EventServiceStub(channel)
        sent = event(event_time=None)
        sent.event_time.GetCurrentTime()

        answer = await events.PutEvents(
            pb.PutEventsRequest(parent="applications/shop", events=[sent])
        )

        assert answer.accepted_count == 1
        listing = pb.ListEventsRequest(parent="applications/shop")

        async def stored() -> bool:
            return len((await events.ListEvents(listing)).events) == 1

        await eventually(stored)
        with pytest.raises(Unimplemented):
            await EventStreamServiceStub(channel).ListEventStreams(
                ListEventStreamsRequest(parent="applications/shop")
            )
    finally:
        serving.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(serving.wait(), 60)
    assert status == 0


def test_the_readme_names_every_setting_of_its_own() -> None:
    inherited = {name for name, *_ in table(Settings.__base__)}  # type: ignore[arg-type]
    own = {name for name, *_ in table(Settings)} - inherited

    text = README.read_text()

    assert own
    assert all(f"`{name}`" in text for name in own)
