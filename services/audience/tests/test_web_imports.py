"""Imports from web servers, on a real one with TLS; and what the requests to other stores are."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from audience_files import people
from audience_room import SHOP, Room
from audience_web import WebServer, web_serving
from heliograph.audience.v1 import import_job_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import Error, PermissionDenied
from mesh.objects.opening import Objects
from mesh.objects.places import ObjectPlace
from mesh.objects.stores import Patience
from mesh.rpc import status
from mesh.testkit.object_stores import HURRIED
from pydantic import SecretStr

Job = import_job_pb2.ImportJob
SECRET = base64.b64encode(b"secret").decode()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    """A server with a certificate that nobody but its own authority vouches for."""
    with web_serving(tmp_path / "web") as serving:
        yield serving


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[WebServer]:
    """A server that stands in the place of an object store, and tells what it was asked."""
    with web_serving(tmp_path / "web", tls=False) as serving:
        yield serving


def opened(web: WebServer, **fields: Any) -> tuple[ObjectPlace, ...]:
    """The server's folders are open, also at this machine's own address."""
    given = {"private_addresses": True, "authority_file": web.authority_file, **fields}
    return (ObjectPlace(use="import", prefix=f"https://{web.host}/{{application}}/", **given),)


async def refusal(places: tuple[ObjectPlace, ...], uri: str, patience: Patience = HURRIED) -> Error:
    """What asking for an object is answered with."""
    store, found = Objects(places, patience).find("import", "shop", uri)
    with pytest.raises(Error) as refused:
        await store.head(found.key)
    return refused.value


async def test_a_file_of_a_web_server_is_read_by_ranges(
    room: Room, web: WebServer, database_url: str
) -> None:
    room.object_stores = opened(web)
    await room.serve()
    room.worker = room.another_worker(database_url)
    web.files["/shop/people.csv"] = people(3_000)
    uri = f"https://{web.host}/shop/people.csv"
    operation = await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent=SHOP, uri=uri)
    )
    await room.work()
    changed = await room.transfers.ImportEndpoints(pb.ImportEndpointsRequest(parent=SHOP, uri=uri))
    web.files["/shop/people.csv"] = people(3_000).replace(b"name 1", b"name 2")
    await room.work()

    job, later = await room.job(operation), await room.job(changed)
    assert (job.state, job.source, job.imported_count) == (Job.SUCCEEDED, uri, 3_000)
    assert (later.state, status.to_error(later.error).reason) == (Job.FAILED, "OBJECT_CHANGED")
    assert all(headers["Range"].startswith("bytes=") for _, _, headers in web.requests)


async def test_an_empty_file_is_empty(web: WebServer) -> None:
    web.files["/shop/none.csv"] = b""
    store, uri = Objects(opened(web)).find("import", "shop", f"https://{web.host}/shop/none.csv")

    assert (await store.head(uri.key)).size_bytes == 0


async def test_a_host_that_is_not_on_the_internet_is_not_asked(web: WebServer) -> None:
    uri = f"https://{web.host}/shop/people.csv"
    error = await refusal(opened(web, private_addresses=False), uri)

    assert (type(error), error.reason) == (PermissionDenied, "OBJECT_ADDRESS_NOT_ALLOWED")
    assert web.requests == []


async def test_a_redirect_is_not_followed(web: WebServer) -> None:
    web.answers["/shop/people.csv"] = 302
    web.headers["Location"] = f"https://{web.host}/other/people.csv"
    web.files["/other/people.csv"] = people(3)
    error = await refusal(opened(web), f"https://{web.host}/shop/people.csv")

    assert (error.reason, error.metadata["status"]) == ("OBJECT_STORE_REFUSED", "302")
    assert [path for _, path, _ in web.requests] == ["/shop/people.csv"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        *((404, "OBJECT_NOT_FOUND"), (403, "OBJECT_STORE_DENIED"), (401, "OBJECT_STORE_DENIED")),
        *((500, "OBJECT_STORE_UNAVAILABLE"), (429, "OBJECT_STORE_UNAVAILABLE")),
        (400, "OBJECT_STORE_REFUSED"),
    ],
)
async def test_a_no_is_told_precisely(web: WebServer, answer: int, reason: str) -> None:
    web.answers["/shop/a.csv"] = answer

    assert (await refusal(opened(web), f"https://{web.host}/shop/a.csv")).reason == reason


async def test_a_server_without_ranges_or_with_another_certificate_is_refused(
    web: WebServer,
) -> None:
    uri = f"https://{web.host}/shop/a.csv"
    web.files["/shop/a.csv"] = people(3)
    unknown = await refusal(opened(web, authority_file=""), uri)
    web.has_ranges = False
    whole = await refusal(opened(web), uri)

    assert {unknown.reason, whole.reason} == {"OBJECT_STORE_REFUSED"}
    assert "certificate" in unknown.message


# The stores themselves are others'; these are their answers to a bucket of another region.
@pytest.mark.parametrize("answer", [301, 307, 400])
async def test_a_bucket_of_another_region_is_told(plain: WebServer, answer: int) -> None:
    plain.answers["/imports/shop/a.csv"] = answer
    place = _cloud(
        plain, "s3://imports/{application}/", aws_access_key_id="a", **_key("aws_secret")
    )
    error = await refusal((place,), "s3://imports/shop/a.csv")

    assert error.reason == "OBJECT_STORE_REFUSED"
    assert "region" in error.message


async def test_the_log_says_what_the_store_said_and_keeps_its_signatures(
    plain: WebServer, capsys: pytest.CaptureFixture[str]
) -> None:
    plain.answers["/imports/shop/a.csv"] = 403
    place = _cloud(
        *(plain, "az://imports/{application}/"),
        azure_storage_account_name="acme",
        azure_storage_sas_key="sv=2022-11-02&sig=hush",
    )
    error = await refusal((place,), "az://imports/shop/a.csv")

    logged = "".join(capsys.readouterr())
    assert error.reason == "OBJECT_STORE_DENIED"
    assert "sig=hush" in plain.requests[0][1]
    assert "403 Forbidden" in logged
    assert "hush" not in logged + error.message


async def test_a_store_that_never_answers_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        web = WebServer(silent.getsockname()[1], Path())
        place = _cloud(
            web, "s3://imports/{application}/", aws_access_key_id="a", **_key("aws_secret")
        )
        hurried = Patience(0.2, 0.2, 1, 1)

        error = await refusal((place,), "s3://imports/shop/a.csv", hurried)
    assert error.reason == "OBJECT_STORE_UNAVAILABLE"


async def test_google_and_azure_are_asked_for_the_object_with_the_operators_key(
    plain: WebServer,
) -> None:
    google = _cloud(plain, "gs://imports/{application}/", google_skip_signature="true")
    azure = _cloud(
        *(plain, "az://imports/{application}/"),
        azure_storage_account_name="acme",
        azure_storage_account_key=SECRET,
    )
    for place, uri in ((google, "gs://imports/shop/a b.csv"), (azure, "az://imports/shop/a b.csv")):
        assert (await refusal((place,), uri)).reason == "OBJECT_NOT_FOUND"

    assert [unquote(path) for _, path, _ in plain.requests] == ["/imports/shop/a b.csv"] * 2
    headers = plain.requests[1][2]
    assert headers["authorization"].startswith("SharedKey acme:")


def _cloud(web: WebServer, prefix: str, **options: str) -> ObjectPlace:
    endpoint = f"http://{web.host.replace('localhost', '127.0.0.1')}"
    secret = {name: SecretStr(value) for name, value in options.items()}
    return ObjectPlace(use="import", prefix=prefix, endpoint=endpoint, options=secret)


def _key(name: str) -> dict[str, str]:
    return {f"{name}_access_key": "secret"}
