"""What a template engine is to the rest: text in, a function of a scope out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from heliograph.audience.v1.endpoint_pb2 import Endpoint

from messaging.rendering.paths import Path

Texts = Mapping[Path, str]
"""Values by path."""

OUTPUT_LENGTH_MAX = 1_000_000


@dataclass(slots=True)
class Scope:
    """Where a template's variables get their values: substitutions, then endpoint, then defaults.

    Variables that were printed and had none are collected in `missing`.
    """

    endpoint: Endpoint
    substitutions: Texts = field(default_factory=dict)
    defaults: Texts = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


class TemplateError(Exception):
    """The template cannot be compiled, or cannot be rendered; the message says why."""


class Template(Protocol):
    """A compiled template."""

    def __call__(self, scope: Scope) -> str:
        """The text for one recipient. Raises TemplateError."""


class TemplateEngine(Protocol):
    """A template language."""

    def compile(self, source: str, *, html: bool) -> Template:
        """Compiles a template; values are escaped if it is `html`. Raises TemplateError."""
