"""What is deployed, read as it would be run: every overlay rendered, and the compose file."""

import base64
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBECTL = Path(sys.executable).parent / "kubectl"
PREFIX = "HELIOGRAPH_"
SERVERS = {"postgres": 5432, "nats": 4222, "clickhouse": 8123, "otel-collector": 4317}
"""Ports that the servers' images listen on."""

Document = Mapping[str, Any]
Secrets = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Process:
    """A container of ours, with what it is told."""

    service: str
    command: str
    variables: Mapping[str, str]
    grace_seconds: float
    """From the signal to end until it is killed."""

    @property
    def settings(self) -> Mapping[str, str]:
        """What it is told, by the name of the field."""
        ours = (each for each in self.variables.items() if each[0].startswith(PREFIX))
        return {name.removeprefix(PREFIX).lower(): value for name, value in ours}

    @property
    def settings_class(self) -> Any:
        return import_module(f"{self.service}.settings").Settings

    def port(self, setting: str) -> int:
        """The port of an address among its settings."""
        return int(self.settings[setting].rpartition(":")[2])


@dataclass(frozen=True)
class Pod:
    """The template of a workload's pods."""

    name: str
    document: Document

    @property
    def spec(self) -> Document:
        return self.document["spec"]  # type: ignore[no-any-return]  # YAML

    @property
    def labels(self) -> Mapping[str, str]:
        return self.document["metadata"]["labels"]  # type: ignore[no-any-return]  # YAML

    @property
    def container(self) -> Document:
        (one,) = self.spec["containers"]
        return one  # type: ignore[no-any-return]  # YAML


class Place:
    """Somewhere that the mesh runs."""

    processes: list[Process]
    images: list[str]
    answering: Mapping[str, set[int]]
    """Ports by the name that they are dialled at."""

    @property
    def serving(self) -> list[Process]:
        return [process for process in self.processes if process.command == "serve"]


class Overlay(Place):
    """What one overlay renders to. `made` are the Secrets that it does not hold itself."""

    def __init__(self, documents: list[Document], made: Secrets) -> None:
        self.documents = documents
        self._made = made
        self.images = [pod.container["image"] for pod in self.pods]
        self.answering = {
            service["metadata"]["name"]: {port["port"] for port in service["spec"]["ports"]}
            for service in self.of("Service")
        }

    def of(self, *kinds: str) -> list[Document]:
        """Its documents of these kinds."""
        return [document for document in self.documents if document["kind"] in kinds]

    @cached_property
    def pods(self) -> list[Pod]:
        workloads = self.of("Deployment", "StatefulSet", "Job")
        return [Pod(each["metadata"]["name"], each["spec"]["template"]) for each in workloads]

    @cached_property
    def processes(self) -> list[Process]:
        return [self._process(pod) for pod in self.pods if pod.container["name"] == "service"]

    def _process(self, pod: Pod) -> Process:
        service, command = pod.container["args"]
        sleep = pod.container.get("lifecycle", {"preStop": {"sleep": {"seconds": 0}}})
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        grace -= sleep["preStop"]["sleep"]["seconds"]
        return Process(service, command, dict(self._variables(pod.container)), grace)

    def _variables(self, container: Document) -> Iterator[tuple[str, str]]:
        for source in container["envFrom"]:
            yield from self._named("ConfigMap", source["configMapRef"]["name"]).items()
        for variable in container["env"]:
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            value = self._secret(**secret) if secret else variable["value"]
            if value is not None:
                yield variable["name"], value

    def _secret(self, name: str, key: str, optional: bool = False) -> str | None:
        """What a key holds; None when it may be missing, and is."""
        made = not self.of("Secret")
        held = self._made[name] if made else self._named("Secret", name)
        if optional and key not in held:
            return None
        return held[key] if made else base64.b64decode(held[key]).decode()

    def _named(self, kind: str, name: str) -> Mapping[str, str]:
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"] == name)
        return found["data"]  # type: ignore[no-any-return]  # YAML


class Compose(Place):
    """What the compose file runs."""

    def __init__(self, document: Document, secrets: Secrets) -> None:
        self.containers: Mapping[str, Document] = document["services"]
        self._secrets = secrets
        self.images = [container["image"] for container in self.containers.values()]
        ours = (one for one in self.containers.values() if one["image"].startswith("heliograph:"))
        self.processes = [self._process(container) for container in ours]
        self.answering = {name: {port} for name, port in SERVERS.items() if name in self.containers}
        for process in self.serving:
            self.answering[process.service] = {process.port("listen")}

    def _process(self, container: Document) -> Process:
        variables: dict[str, str] = {}
        for path in container["env_file"]:
            variables |= self._secrets[Path(path).stem]
        for name, value in container.get("environment", {}).items():
            variables[name] = str(value)
        service, command = container["command"]
        grace = float(container["stop_grace_period"].removesuffix("s"))
        return Process(service, command, variables, grace)


@pytest.fixture(scope="session")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets as people make them."""
    folder = tmp_path_factory.mktemp("manifests") / "secrets"
    make = [sys.executable, ROOT / "deploy" / "make_secrets.py", folder]
    subprocess.run(make, check=True, timeout=60)
    return folder


@pytest.fixture(scope="session")
def secrets(secrets_folder: Path) -> Secrets:
    """The variables in each file of the folder."""
    return {path.stem: read_variables(path) for path in secrets_folder.glob("*.env")}


@pytest.fixture(scope="session")
def rendered(secrets_folder: Path, secrets: Secrets) -> Mapping[str, Any]:
    """Every place by its name; `base` is what all overlays share."""
    k8s = secrets_folder.parent / "k8s"
    shutil.copytree(ROOT / "k8s", k8s, ignore=shutil.ignore_patterns("secrets"))
    shutil.copytree(secrets_folder, k8s / "overlays" / "dev" / "secrets")
    folders = {path.name: path for path in (k8s / "overlays").iterdir()} | {"base": k8s / "base"}
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    overlays = {name: Overlay(render(folder), secrets) for name, folder in folders.items()}
    return overlays | {"compose": Compose(compose, secrets)}


@pytest.fixture
def place(rendered: Mapping[str, Any], request: pytest.FixtureRequest) -> Any:
    """The place that the test is parametrized with."""
    return rendered[request.param]


def read_variables(path: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in lines}


def render(folder: Path) -> list[Document]:
    command = [KUBECTL, "kustomize", folder]
    shown = subprocess.run(command, check=True, capture_output=True, timeout=60, text=True)
    assert not shown.stderr
    return list(yaml.safe_load_all(shown.stdout))
