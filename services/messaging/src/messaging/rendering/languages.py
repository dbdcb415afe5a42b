"""A text in several languages: whoever gets it decides which one. Pure."""

from collections.abc import Iterator, Mapping

from messaging.rendering.engine import Scope, Template


def choosing(localized: Mapping[str, Template], fallback: Template) -> Template:
    """The template of the recipient's locale, else of its language, else the fallback."""
    if not localized:
        return fallback
    by_tag = {_tag(language): template for language, template in localized.items()}

    def render(scope: Scope) -> str:
        locale = _tag(scope.endpoint.demographic.locale)
        chosen = next((by_tag[tag] for tag in _wider(locale) if tag in by_tag), fallback)
        return chosen(scope)

    return render


def _tag(locale: str) -> str:
    """One spelling of a BCP 47 tag; `fr_CA.UTF-8`, as systems write it, is `fr-ca`."""
    return locale.partition(".")[0].replace("_", "-").casefold()


def _wider(tag: str) -> Iterator[str]:
    """The tag, then what it is part of: `zh-hant-tw`, `zh-hant`, `zh` (RFC 4647, lookup)."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]
