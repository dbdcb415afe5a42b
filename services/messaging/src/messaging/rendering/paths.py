"""Paths of variables, as `User.UserAttributes.[Last Name].[0]`: parsed once, then walked. Pure."""

from functools import lru_cache

Path = tuple[str, ...]

_NAME_FORBIDDEN = frozenset("!\"#%&'()*+,/;<=>@[\\]^`{|}~. \t\r\n")


@lru_cache(maxsize=4096)
def parse(text: str) -> Path | None:
    """The segments of a plain path; None for anything that is more than a path.

    Segments in brackets may hold any character but `]`; `this.` and `./` in front mean nothing.
    """
    rest = text.strip()
    for lead in ("this.", "this/", "./"):
        rest = rest.removeprefix(lead)
    segments: list[str] = []
    while rest:
        segment, rest = _bracketed(rest) if rest[0] == "[" else _named(rest)
        if not segment:
            return None
        segments.append(segment)
    return tuple(segments) if segments and segments != ["this"] else None


def without_index(path: Path) -> Path:
    """The path of the whole list, where the path names one of its values."""
    return path[:-1] if len(path) > 1 and path[-1].isdecimal() else path


def show(path: Path) -> str:
    """The path as it is written in a template."""
    return ".".join(map(_shown, path))


def _bracketed(text: str) -> tuple[str, str]:
    end = text.find("]")
    if end < 0:
        return "", ""
    return text[1:end], _after_separator(text[end + 1 :])


def _named(text: str) -> tuple[str, str]:
    end = next((i for i, char in enumerate(text) if char in "./["), len(text))
    name = text[:end]
    if name.isdecimal() or not _NAME_FORBIDDEN.isdisjoint(name):
        return "", ""
    return name, _after_separator(text[end:])


def _after_separator(rest: str) -> str:
    """What follows a separator; a trailing separator, which is an error, stays."""
    if rest[:1] in (".", "/") and len(rest) > 1:
        return rest[1:]
    return rest


def _shown(segment: str) -> str:
    plain = not segment.isdecimal() and _NAME_FORBIDDEN.isdisjoint(segment)
    return segment if plain else f"[{segment}]"
