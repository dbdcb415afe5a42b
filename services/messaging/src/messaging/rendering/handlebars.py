"""Handlebars, behind guards: a template may neither run away nor reach anything but data."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from dotpromptz_handlebars import Handlebars, StrictModeError

from messaging.rendering import scopes
from messaging.rendering.engine import OUTPUT_LENGTH_MAX, Scope, Template, TemplateError
from messaging.rendering.plain import compile_plain

SOURCE_LENGTH_MAX = 600_000
LOOP_DEPTH_MAX = 2
"""Loops within loops; lists have up to 50 values, so two levels are 2,500 rounds."""

_BLOCK = re.compile(r"\{\{[{~]*\s*([#^/>])\s*(\*?)\s*([^\s}~]+)")
_NO_LOOPS = frozenset({"if", "unless", "with"})


class HandlebarsEngine:
    """Handlebars templates over Pinpoint's variables; plain ones take a short cut."""

    def compile(self, source: str, *, html: bool) -> Template:
        """Compiles a template; values are escaped if it is `html`. Raises TemplateError."""
        if len(source) > SOURCE_LENGTH_MAX:
            raise TemplateError(f"longer than {SOURCE_LENGTH_MAX} characters")
        return compile_plain(source, html=html) or self._compile_whole(source, html)

    def _compile_whole(self, source: str, html: bool) -> Template:
        _guard(source)
        lenient = _compiled(_language(html, False), source)
        strict = _compiled(_language(html, True), source)
        lenient({})

        def render(scope: Scope) -> str:
            context = scopes.tree(scope)
            try:
                return _bounded(strict(context))
            except StrictModeError as missing:
                scope.missing.append(missing.path)
            except (ValueError, TypeError, RecursionError) as error:
                raise TemplateError(str(error)) from None
            return _bounded(_call(lenient, context))

        return render


@cache
def _language(html: bool, strict: bool) -> Handlebars:
    language = Handlebars(escape_html=html, strict=strict)
    # It would print to standard output.
    language.unregister_helper("log")
    return language


def _compiled(language: Handlebars, source: str) -> Callable[[Any], str]:
    try:
        compiled = language.compile(source)
    except (ValueError, RecursionError) as error:
        raise TemplateError(str(error)) from None
    return lambda context: _call(compiled, context)


def _call(compiled: Callable[[Any], str], context: Any) -> str:
    try:
        return compiled(context)
    except StrictModeError:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise TemplateError(str(error)) from None


def _bounded(text: str) -> str:
    if len(text) > OUTPUT_LENGTH_MAX:
        raise TemplateError(f"the text is longer than {OUTPUT_LENGTH_MAX} characters")
    return text


def _guard(source: str) -> None:
    """Refuses what could run for ever: partials, and loops nested too deep."""
    open_blocks: list[str] = []
    for kind, star, name in _BLOCK.findall(source):
        if kind == ">" or star:
            raise TemplateError("partials are not supported")
        if kind == "/":
            if open_blocks:
                open_blocks.pop()
            continue
        if kind == "^" and name == "}}":
            continue
        open_blocks.append(name)
        depth = sum(block not in _NO_LOOPS for block in open_blocks)
        if depth > LOOP_DEPTH_MAX:
            raise TemplateError(f"loops nested deeper than {LOOP_DEPTH_MAX}")
