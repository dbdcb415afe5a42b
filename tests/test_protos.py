"""The rules of the contract that `buf` cannot see, held by walking the descriptors."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import (
    Descriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)

PROTOS = Path(__file__).parents[1] / "protos"
SERVICES = ("audience", "campaign", "messaging", "analytics", "twoway")


def files() -> list[FileDescriptor]:
    return [
        import_module(
            str(path.relative_to(PROTOS).with_suffix("")).replace("/", ".") + "_pb2"
        ).DESCRIPTOR
        for path in sorted(PROTOS.glob("heliograph/*/v1/*.proto"))
    ]


def services() -> list[ServiceDescriptor]:
    return [service for file in files() for service in file.services_by_name.values()]


def methods() -> Iterator[MethodDescriptor]:
    for service in services():
        yield from service.methods


def named(*prefixes: str) -> list[MethodDescriptor]:
    return [method for method in methods() if method.name.startswith(prefixes)]


def resources() -> list[Descriptor]:
    return [
        message
        for file in files()
        for message in file.message_types_by_name.values()
        if message.GetOptions().Extensions[resource_pb2.resource].type
    ]


def behaviours(field: FieldDescriptor) -> list[int]:
    return list(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def identify(thing: object) -> str:
    return thing.full_name  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_a_contract(service):
    assert any(found.full_name.startswith(f"heliograph.{service}.v1.") for found in services())


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_one_file_holds_one_service(file):
    assert len(file.services_by_name) <= 1
    for name in file.services_by_name:
        assert file.name.endswith("_service.proto"), name


@pytest.mark.parametrize("method", named("List"), ids=identify)
def test_every_list_is_paged(method):
    request, response = method.input_type.fields_by_name, method.output_type.fields_by_name

    assert {"page_size", "page_token"} <= set(request)
    assert "next_page_token" in response
    assert response[method.output_type.fields[0].name].is_repeated


@pytest.mark.parametrize("resource", resources(), ids=identify)
def test_every_resource_begins_with_its_name(resource):
    first = resource.fields[0]

    assert (first.name, first.number) == ("name", 1)
    assert field_behavior_pb2.IDENTIFIER in behaviours(first)


@pytest.mark.parametrize("resource", resources(), ids=identify)
def test_every_resource_lives_in_an_application(resource):
    patterns = resource.GetOptions().Extensions[resource_pb2.resource].pattern

    assert patterns
    assert all(pattern.startswith("applications/{application}") for pattern in patterns)


@pytest.mark.parametrize("method", named("Update"), ids=identify)
def test_every_update_takes_a_mask_and_an_etag(method):
    fields = method.input_type.fields_by_name
    resource = method.input_type.fields[0].message_type

    assert fields["update_mask"].message_type.full_name == "google.protobuf.FieldMask"
    assert resource is not None
    assert "etag" in resource.fields_by_name


@pytest.mark.parametrize(
    "method", named("Create", "Send", "Import", "Export", "Launch"), ids=identify
)
def test_what_creates_or_sends_can_be_repeated_safely(method):
    assert "request_id" in method.input_type.fields_by_name


@pytest.mark.parametrize("method", list(methods()), ids=identify)
def test_every_request_names_an_application(method):
    if method.full_name.startswith("heliograph.audience.v1.ApplicationService."):
        return
    fields = method.input_type.fields_by_name
    nested = [field.message_type for field in method.input_type.fields if field.message_type]
    in_resource = any("name" in message.fields_by_name for message in nested)

    assert not {"name", "parent"}.isdisjoint(fields) or in_resource


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_zero_means_nothing_in_every_enum(file):
    messages = list(file.message_types_by_name.values())
    enums = list(file.enum_types_by_name.values())
    while messages:
        message = messages.pop()
        messages += message.nested_types
        enums += message.enum_types

    for enum in enums:
        assert enum.values[0].name.endswith("_UNSPECIFIED"), enum.full_name


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_lists_its_reasons(service):
    reasons = import_module(f"heliograph.{service}.v1.error_reason_pb2").ErrorReason

    assert len(reasons.keys()) > 1
