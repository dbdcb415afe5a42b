"""Every event that a service hears is announced, by one service, on one stream."""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from heliograph import subjects

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("audience", "campaign", "messaging", "analytics", "twoway")

services = pytest.mark.parametrize("service", SERVICES)


@cache
def events() -> dict[str, str]:
    """Every event with its owner: the messages of events.proto that are no part of another."""
    return {name: service for service in SERVICES for name in announced(service)}


def announced(service: str) -> list[str]:
    messages = import_module(f"heliograph.{service}.v1.events_pb2").DESCRIPTOR.message_types_by_name
    fields = (field for message in messages.values() for field in message.fields)
    parts = {field.message_type.name for field in fields if field.message_type}
    return [name for name in messages if name not in parts]


@cache
def syntax(service: str) -> list[ast.AST]:
    """Everything that is said in the code of a service."""
    paths = (ROOT / "services" / service / "src").rglob("*.py")
    return [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]


def name_of(node: ast.AST) -> str:
    """The last word of `name` and of `module.name`."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def named(service: str) -> set[str]:
    """Events that the code of a service uses, its own and others'."""
    return {name_of(node) for node in syntax(service)} & events().keys()


def heard(service: str) -> set[str]:
    """Events of others that it uses."""
    return {event for event in named(service) if events()[event] != service}


def streams(event: str) -> list[str]:
    """The streams that keep an event."""
    subject = f"heliograph.{events()[event]}.v1.{event}.shop"
    return [
        stream.name
        for stream in subjects.STREAMS
        if any(subject.startswith(pattern.removesuffix(">")) for pattern in stream.subjects)
    ]


def test_no_two_services_announce_events_of_one_name():
    assert len(events()) == sum(len(announced(service)) for service in SERVICES)


@services
def test_a_service_makes_no_event_of_another(service):
    calls = (node for node in syntax(service) if isinstance(node, ast.Call))
    made = {name_of(call.func) for call in calls} & events().keys()
    assert {event for event in made if events()[event] != service} == set()


@services
def test_what_a_service_hears_is_announced_by_its_owner(service):
    assert {event for event in heard(service) if event not in named(events()[event])} == set()


@services
def test_what_a_service_announces_or_hears_is_kept_by_one_stream(service):
    assert {event: streams(event) for event in named(service) if len(streams(event)) != 1} == {}


def test_events_are_heard():
    assert "MessagesChanged" in heard("analytics")
    assert "InboundSmsReceived" in heard("twoway")
