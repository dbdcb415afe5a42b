"""From the address that a caller names to the store behind it, if it is open to the application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from mesh.errors import Error
from mesh.objects import refusals, uris
from mesh.objects.places import ObjectPlace, ObjectPlaces, Use
from mesh.objects.stores import Patience, Store
from mesh.objects.uris import Uri

STORES_KEPT: Final = 64
CALL_SECONDS: Final = 20.0
"""For which a call waits for a store; a job waits longer."""


class Objects:
    """The stores that are open, opened when they are first needed."""

    def __init__(
        self, places: tuple[ObjectPlace, ...] = (), patience: Patience | None = None
    ) -> None:
        self._places = ObjectPlaces(places)
        self._patience = patience or Patience()
        self._stores: dict[tuple[str, str], Store] = {}

    def find(self, use: Use, application: str, text: str) -> tuple[Store, Uri]:
        """The store and the key of an address.

        Refuses an address that is none (OBJECT_URI_INVALID), or not open to the application for
        this use (IMPORT_PATH_NOT_ALLOWED, EXPORT_PATH_NOT_ALLOWED), before anybody is asked.
        """
        try:
            uri = uris.parse(text)
        except ValueError as error:
            raise refusals.malformed(str(error)) from None
        place = self._places.find(use, application, uri)
        if place is None:
            raise _not_open(use, text)
        return self._store(place, uri), uri

    def check(self) -> None:
        """Open every place once; ValueError says which one cannot be, before anybody asks."""
        for place, root in self._places.samples():
            try:
                self._store(place, uris.parse(root))
            except Exception as error:
                said = str(error).splitlines()[0]
                raise ValueError(f"{place.prefix}: {said}") from None

    def roots(self, use: Use, application: str) -> list[str]:
        """What is open to an application."""
        return [root for _, root in self._places.of(use, application)]

    def _store(self, place: ObjectPlace, uri: Uri) -> Store:
        key = (f"{place.use} {place.prefix} {place.application}", f"{uri.scheme}://{uri.bucket}")
        if key not in self._stores:
            if len(self._stores) >= STORES_KEPT:
                del self._stores[next(iter(self._stores))]
            self._stores[key] = _opened(place, uri, self._patience)
        return self._stores[key]


def _opened(place: ObjectPlace, uri: Uri, patience: Patience) -> Store:
    if uri.scheme == "https":
        from mesh.objects.https import WebStore

        return WebStore(place, uri, patience)
    # Here, as most replicas need no store, and this one takes 7 MB.
    from mesh.objects.cloud import CloudStore

    return CloudStore(place, uri, patience)


@asynccontextmanager
async def waited(uri: str) -> AsyncIterator[None]:
    """A bound for a call that asks a store."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            yield
    except TimeoutError:
        raise refusals.unavailable(uri) from None


def _not_open(use: Use, text: str) -> Error:
    description = f"the operator has not opened it for {use}s of this application"
    return refusals.not_allowed(f"{use.upper()}_PATH_NOT_ALLOWED", text, description)
