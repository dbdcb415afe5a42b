"""Tokens for a mesh on this machine, whose signing key lies in its data folder."""

import re
from collections.abc import Iterable
from pathlib import Path

from heliograph.connection import NoMeshError
from mesh.rpc import auth

from localmesh.keys import Keys
from localmesh.layout import Layout

_APPLICATION_ID = re.compile(r"[a-z][a-z0-9-]{2,62}")
_EVERY = "*"
_HOUR_SECONDS = 3600.0
LONG_HOURS = 365 * 24.0
"""Longer than any mesh on one machine runs between two starts, each of which mints anew."""


def mint(
    folder: Path, applications: Iterable[str] | None, role: str, subject: str, hours: float
) -> str:
    """A token that the mesh in `folder` takes; without applications it is good for all of them.

    Raises NoMeshError when there has never been one, and ValueError for a name that no application
    can have: a token for it would open nothing.
    """
    named = [_application_id(name) for name in applications or [_EVERY]]
    layout = Layout(folder)
    if not layout.keys.exists():
        raise NoMeshError(f"there is no mesh in {folder}; start one with `heliograph up`")
    return mint_with(Keys(layout.keys), named, role, subject, hours)


def _application_id(name: str) -> str:
    """`shop`, also of `applications/shop`."""
    application = name.removeprefix("applications/")
    if application != _EVERY and not _APPLICATION_ID.fullmatch(application):
        raise ValueError(
            f"no application can be called {name!r}: an id is 3 to 63 lower-case letters, digits "
            "and hyphens, and begins with a letter, for example shop"
        )
    return application


def mint_with(
    keys: Keys, applications: Iterable[str], role: str, subject: str, hours: float
) -> str:
    """A token signed with these keys."""
    ttl_seconds = hours * _HOUR_SECONDS
    return auth.mint(keys.signing_key, subject, applications, [role], ttl_seconds)
