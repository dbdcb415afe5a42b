"""Rendered manifests and the compose file agree with the services' settings, ports and images."""

import ast
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import kubernetes_validate
import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("audience", "campaign", "messaging", "analytics", "twoway")
PREFIX = "HELIOGRAPH_"
TO_SERVE = {"database_url", "nats_url", "auth_public_key", "service_token", "listen"}
TO_MIGRATE = {"database_url", "clickhouse_url"}
OF_ONE = {"secrets_key", "erasure_key", "clickhouse_url"}
SECRET = OF_ONE | {"database_url", "nats_url", "service_token"}
PINNED = re.compile(r".+(:\d+\.\d+[^:/]*|@sha256:[0-9a-f]{64})")

overlays = pytest.mark.parametrize("place", ["dev", "production"], indirect=True)
places = pytest.mark.parametrize("place", ["dev", "production", "compose"], indirect=True)


def variable(setting: str) -> str:
    return f"{PREFIX}{setting}".upper()


@overlays
def test_every_document_is_valid(place):
    for document in place.documents:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


@places
def test_every_service_serves_and_migrates_once(place):
    run = sorted((process.service, process.command) for process in place.processes)
    assert run == sorted((name, command) for name in SERVICES for command in ("serve", "migrate"))


@places
def test_every_setting_is_one_that_the_service_reads(place, monkeypatch):
    for inherited in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(inherited)
    for process in place.processes:
        read = process.settings_class.model_fields.keys()
        assert process.settings.keys() <= read, process.service
        with monkeypatch.context() as given:
            for name, value in process.variables.items():
                given.setenv(name, value)
            process.settings_class()


@places
def test_every_setting_that_a_service_needs_is_given(place):
    for process in place.processes:
        read = process.settings_class.model_fields.keys()
        neighbours = {name for name in read if name.endswith("_address")}
        to_serve = TO_SERVE | neighbours | (OF_ONE & read)
        needed = to_serve if process.command == "serve" else TO_MIGRATE & read
        given = {name for name, value in process.settings.items() if value}
        assert needed <= given, (process.service, process.command)


@places
def test_every_neighbour_is_dialled_where_all_its_replicas_answer(place):
    for process in place.serving:
        for name, value in process.settings.items():
            if name.endswith("_address"):
                service, _, port = value.removeprefix("dns:///").rpartition(":")
                assert f"{service}_address" == name
                assert value.startswith("dns:///")
                assert int(port) in place.answering[service], (process.service, name)


@pytest.mark.parametrize("place", ["dev", "compose"], indirect=True)
def test_every_server_is_dialled_where_it_answers(place):
    for process in place.processes:
        for name, value in process.settings.items():
            if name.endswith(("_url", "_endpoint")):
                dialled = urlsplit(value)
                assert dialled.port in place.answering[dialled.hostname], (process.service, name)


@overlays
def test_every_probe_and_port_is_one_that_the_container_listens_on(place):
    pods = {pod.name: pod for pod in place.pods}
    for process in place.serving:
        pod = pods[process.service]
        listening = {
            "grpc": process.port("listen"),
            "health": process.port("health_listen"),
            "metrics": int(process.settings["metrics_port"]),
        }
        ports = pod.container["ports"]
        assert {port["name"]: port["containerPort"] for port in ports} == listening
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert pod.container[probe]["grpc"] == {"port": listening["health"]}
        annotations = pod.document["metadata"]["annotations"]
        assert int(annotations["prometheus.io/port"]) == listening["metrics"]


@overlays
def test_every_service_leads_to_one_workload_that_has_its_ports(place):
    for service in place.of("Service"):
        wanted = service["spec"]["selector"].items()
        (pod,) = (pod for pod in place.pods if wanted <= pod.labels.items())
        assert pod.name == service["metadata"]["name"]
        named = {port["name"] for port in pod.container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
        assert service["spec"]["clusterIP"] == "None"


@places
def test_a_service_has_time_to_end_by_itself(place):
    for process in place.serving:
        # Once for the calls in work, once for all the rest.
        assert process.grace_seconds > 2 * float(process.settings["shutdown_grace_seconds"])


@overlays
def test_every_pod_is_bounded_and_has_no_privileges(place):
    for pod in place.pods:
        resources = pod.container["resources"]
        assert resources["limits"].keys() == {"cpu", "memory"}, pod.name
        assert resources["requests"].keys() == {"cpu", "memory"}, pod.name
        assert pod.spec["securityContext"]["runAsNonRoot"], pod.name
        assert not pod.spec["automountServiceAccountToken"], pod.name
        assert pod.container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_every_container_of_the_compose_file_is_bounded(rendered):
    for name, container in rendered["compose"].containers.items():
        assert {"mem_limit", "cpus"} <= container.keys(), name
        assert container["read_only"] is True, name
        assert container["cap_drop"] == ["ALL"], name


@places
def test_every_image_is_pinned(place):
    assert [image for image in place.images if not PINNED.fullmatch(image)] == []


@pytest.mark.parametrize("place", ["base", "production"], indirect=True)
def test_what_is_public_holds_no_secret(place):
    assert not place.of("Secret")
    secret = {variable(name) for name in SECRET}
    for config in place.of("ConfigMap"):
        assert not secret & config["data"].keys()
    for pod in place.pods:
        assert not secret & {each["name"] for each in pod.container["env"] if "value" in each}


@overlays
def test_migrations_can_be_applied_before_the_services(place):
    component = "app.kubernetes.io/component"
    labelled = [(each["metadata"].get("labels", {}), each["kind"]) for each in place.documents]
    components = {(kind, labels.get(component)) for labels, kind in labelled if component in labels}
    assert components == {("Deployment", "server"), ("Job", "migration")}


def test_production_survives_the_loss_of_a_node(rendered):
    budgets = rendered["production"].of("PodDisruptionBudget")
    guarded = [budget["spec"]["selector"]["matchLabels"] for budget in budgets]
    for deployment in rendered["production"].of("Deployment"):
        assert deployment["spec"]["replicas"] >= 2
        labels = deployment["spec"]["template"]["metadata"]["labels"].items()
        assert len([wanted for wanted in guarded if wanted.items() <= labels]) == 1


def test_production_encrypts_what_it_says_and_stores(rendered):
    for process in rendered["production"].serving:
        assert process.settings["tls_certificate_file"]
        assert process.settings["tls_authority_file"]
        assert process.variables["PGSSLMODE"] == "verify-full"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_shows_its_certificate_to_every_neighbour(service):
    for path in (ROOT / "services" / service / "src").rglob("*.py"):
        code = path.read_text()
        if "from mesh.rpc.channel import channel" in code:
            calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
            opening = [call for call in calls if opens_a_channel(call)]
            assert opening, path
            for call in opening:
                assert "credentials" in {keyword.arg for keyword in call.keywords}, path


def opens_a_channel(call: ast.Call) -> bool:
    """`channel(…)`, or `partial(channel, …)` to be called later."""
    named = [node.id for node in (call.func, *call.args[:1]) if isinstance(node, ast.Name)]
    return named[:1] == ["channel"] or named == ["partial", "channel"]
