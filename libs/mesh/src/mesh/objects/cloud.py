"""Buckets of S3 and all that speak like it, of Google Cloud, and containers of Azure."""

import http
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import obstore
from mesh.errors import Error
from mesh.objects import refusals
from mesh.objects.places import ObjectPlace
from mesh.objects.stores import Object, Patience
from mesh.objects.uris import Uri
from mesh.telemetry import logging
from obstore import exceptions, store
from obstore.store import ObjectStore

UPLOAD_PART_BYTES: Final = 8 * 1024 * 1024
"""10,000 parts of it, as S3 takes, are 80 GB."""

UPLOADS_AT_ONCE: Final = 2
SAID_CHARACTERS_MAX: Final = 600
LIST_PAGE: Final = 1000
DELETE_PAGE: Final = 1000

_STATUS: Final = re.compile(r"status code: (\d{3})")
_QUERY: Final = re.compile(r"\?\S*")
_REDIRECTED: Final = "Received redirect without LOCATION"
_ENDPOINT: Final = {"s3": "aws_endpoint", "az": "azure_endpoint", "gs": "google_base_url"}

_log = logging.get(__name__)


class CloudStore:
    """One bucket or container, by obstore."""

    def __init__(self, place: ObjectPlace, uri: Uri, patience: Patience) -> None:
        self._store = _opened(place, uri, patience)
        self._root = f"{uri.scheme}://{uri.bucket}/"

    async def head(self, key: str) -> Object:
        """The object of a key."""
        with _told(self._root + key):
            return _object(await obstore.head_async(self._store, key))

    async def read(self, found: Object, start: int, end: int) -> bytes:
        """Bytes of an object; OBJECT_CHANGED when it is another one by now."""
        options: Any = {"range": (start, end), "if_match": found.etag or None}
        with _told(self._root + found.key):
            got = await obstore.get_async(self._store, found.key, options=options)
            if got.meta["size"] != found.size_bytes:
                raise refusals.changed(self._root + found.key)
            return bytes(await got.bytes_async())

    async def below(self, prefix: str, most: int) -> list[Object]:
        """Objects below a prefix by key, at most so many."""
        found: list[Object] = []
        with _told(self._root + prefix):
            async for page in obstore.list(self._store, prefix or None, chunk_size=LIST_PAGE):
                found += map(_object, page)
                if len(found) >= most:
                    break
        return sorted(found)[:most]

    async def put(self, key: str, file: Path) -> None:
        """Store a file; nobody sees it before it is whole."""
        with _told(self._root + key):
            await obstore.put_async(
                *(self._store, key, file),
                chunk_size=UPLOAD_PART_BYTES,
                max_concurrency=UPLOADS_AT_ONCE,
            )

    async def delete(self, keys: list[str]) -> None:
        """Delete objects."""
        with _told(self._root):
            for begin in range(0, len(keys), DELETE_PAGE):
                await obstore.delete_async(self._store, keys[begin : begin + DELETE_PAGE])


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Turns what the library raises into errors of ours; its own words name hosts and requests."""
    try:
        yield
    except FileNotFoundError:
        raise refusals.of_status(uri, http.HTTPStatus.NOT_FOUND) from None
    except exceptions.PreconditionError:
        raise refusals.changed(uri) from None
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        _note(uri, error)
        raise refusals.of_status(uri, http.HTTPStatus.FORBIDDEN) from None
    except exceptions.BaseError as error:
        _note(uri, error)
        raise _of_words(uri, str(error)) from None


def _note(uri: str, error: Exception) -> None:
    """For the operator alone: what the store said, without queries, which may hold a signature."""
    said = _QUERY.sub("?…", str(error).partition("\n\nDebug source")[0])
    _log.warning("object_store.refused", uri=uri, said=said[:SAID_CHARACTERS_MAX])


def _of_words(uri: str, said: str) -> Error:
    """What the library says of answers that it has no exception for."""
    if found := _STATUS.search(said):
        return refusals.of_status(uri, int(found[1]))
    if _REDIRECTED in said:
        return refusals.of_status(uri, http.HTTPStatus.MOVED_PERMANENTLY)
    return refusals.unavailable(uri)


def _opened(place: ObjectPlace, uri: Uri, patience: Patience) -> ObjectStore:
    kind: Any = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}[uri.scheme]
    options = {name: value.get_secret_value() for name, value in place.options.items()}
    if place.endpoint:
        options[_ENDPOINT[uri.scheme]] = place.endpoint
    opened: ObjectStore = kind(
        uri.bucket,
        config=options,
        client_options=_client(place, patience),
        retry_config={
            "max_retries": patience.retries_max,
            "retry_timeout": timedelta(seconds=patience.retry_seconds),
        },
    )
    return opened


def _client(place: ObjectPlace, patience: Patience) -> dict[str, Any]:
    client: dict[str, Any] = {
        "connect_timeout": timedelta(seconds=patience.connect_seconds),
        "timeout": timedelta(seconds=patience.request_seconds),
        "allow_http": place.endpoint.startswith("http://"),
    }
    if place.authority_file:
        client["root_certificate"] = Path(place.authority_file).read_bytes()
    return client


def _object(meta: Any) -> Object:
    return Object(meta["path"], meta["size"], _quoted(meta["e_tag"] or ""))


def _quoted(etag: str) -> str:
    """As `If-Match` wants it (RFC 9110, section 8.8.3); Azure lists them without the quotes."""
    return f'"{etag}"' if etag and '"' not in etag else etag
