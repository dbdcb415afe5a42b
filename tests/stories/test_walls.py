"""Every RPC of the contract, called from outside: tenants are walls, what is missing says so."""

import asyncio
import re
from importlib import import_module
from pathlib import Path

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from heliograph.client import Client
from heliograph.connection import SERVICES, Connection
from heliograph.errors import HeliographError
from localmesh import tokens

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "protos"


def methods():
    for path in sorted(PROTOS.glob("heliograph/*/v1/*_service.proto")):
        name = str(path.relative_to(PROTOS).with_suffix("")).replace("/", ".") + "_pb2"
        for service in import_module(name).DESCRIPTOR.services_by_name.values():
            yield from service.methods


METHODS = {method.full_name: method for method in methods()}


def is_updated_resource(method, field):
    single = field.message_type and not field.is_repeated
    named = single and "name" in field.message_type.fields_by_name
    return named and method.name.startswith("Update")


def request(method, application):
    """A request that names an application wherever the contract asks for a name."""
    made = message_factory.GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
            if field.name in ("parent", "name"):
                setattr(made, field.name, f"applications/{application}")
        elif is_updated_resource(method, field):
            getattr(made, field.name).name = f"applications/{application}/things/x"
    return made


async def call(client: Client, method, application, timeout_seconds=60.0):
    """Call any method with a request of ours; what it failed with, or None."""
    service = method.containing_service
    channel = client._channels[service.full_name.split(".")[1]]
    path = f"/{service.full_name}/{method.name}"
    output = message_factory.GetMessageClass(method.output_type)
    kind = ("stream" if method.client_streaming else "unary") + (
        "_stream" if method.server_streaming else "_unary"
    )
    stub = getattr(channel, kind)(
        path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=output.FromString,
    )
    made = request(method, application)

    async def one():
        yield made

    try:
        answer = stub(one() if method.client_streaming else made, timeout=timeout_seconds)
        if method.server_streaming:
            async for _ in answer:
                break
        else:
            await answer
    except HeliographError as error:
        return error
    return None


@pytest.fixture
async def stranger(local_mesh, client):
    token = tokens.mint(local_mesh.layout.root, ["elsewhere"], "writer", "stranger", 1.0)
    async with Client(Connection(client.connection.addresses, token)) as stranger:
        yield stranger


@pytest.mark.parametrize("name", METHODS)
async def test_a_foreign_token_opens_nothing(stranger, name):
    if name == "heliograph.audience.v1.ApplicationService.ListApplications":
        pytest.skip("lists what the token may touch; the test below looks at it")

    refusal = await call(stranger, METHODS[name], "home")

    assert refusal is not None
    assert refusal.code == "PERMISSION_DENIED", refusal


async def test_a_foreign_token_lists_no_applications(stranger, shop):
    from heliograph.audience.v1.application_service_pb2 import ListApplicationsRequest

    found = await stranger.applications.ListApplications(ListApplicationsRequest())

    assert list(found.applications) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_without_a_token_nothing_answers(local_mesh, client, service):
    async with Client(Connection(client.connection.addresses, "")) as nobody:
        method = next(m for m in METHODS.values() if f".{service}." in m.full_name)

        refusal = await call(nobody, method, "home")

    assert refusal is not None
    assert refusal.code == "UNAUTHENTICATED"


async def test_design_lists_what_is_not_built(client):
    design = (ROOT / "DESIGN.md").read_text()
    listed = design.partition("<!-- unimplemented: begin -->")[2].partition(
        "<!-- unimplemented: end"
    )[0]
    listed_methods = set(re.findall(r"`([a-z]+\.v1\.\w+\.\w+)`", listed))

    # Streams that wait for news are the only ones that do not answer at once.
    refusals = await asyncio.gather(
        *(
            call(client, method, "home", timeout_seconds=5.0 if method.server_streaming else 60.0)
            for method in METHODS.values()
        )
    )

    missing = {
        name.removeprefix("heliograph.")
        for name, refusal in zip(METHODS, refusals, strict=True)
        if refusal is not None and refusal.reason == "METHOD_NOT_IMPLEMENTED"
    }
    difference = {"to be listed": missing - listed_methods, "built": listed_methods - missing}
    assert difference == {"to be listed": set(), "built": set()}, "\n".join(
        f"{what}: {name}" for what, names in difference.items() for name in sorted(names)
    )


async def test_reflection_and_health_answer_anybody(client):
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    for address in client.connection.addresses.values():
        async with grpc.aio.insecure_channel(address) as channel:
            health = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest()
            )
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            stream = stub.ServerReflectionInfo()
            await stream.write(reflection_pb2.ServerReflectionRequest(list_services=""))
            answer = await stream.read()
            await stream.done_writing()

        assert health.status == health_pb2.HealthCheckResponse.SERVING
        names = [service.name for service in answer.list_services_response.service]
        assert any(name.startswith("heliograph.") for name in names)
