"""The front door of a service, on a real server: who gets in, and how failures leave."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from mesh import errors
from mesh.rpc.auth import caller
from mesh.rpc.server import rpc_server, unimplemented
from mesh.testkit import eventually
from mesh.testkit.rpc import RpcSettings
from prometheus_client import REGISTRY

NAME = "applications/a/books/{}".format


class Shelf:
    """Answers as its requests ask it to; a title starting with `fail` asks for a failure."""

    def __init__(self, pb):
        self.pb = pb
        self.cancelled = asyncio.Event()
        self.started = asyncio.Event()
        self.release = asyncio.Event()

    async def GetBook(self, request, context):
        book = request.name.rpartition("/")[2]
        if book == "missing":
            raise errors.NotFound("BOOK_NOT_FOUND", "no such book", book=request.name)
        if book == "bug":
            raise ZeroDivisionError("secret")
        if book == "wrong":
            return self.pb.Author(name="not a book")
        if book == "slow":
            await self._linger()
        return self.pb.Book(name=request.name, title=caller().subject)

    async def ListLibraries(self, request, context):
        return self.pb.ListBooksResponse()

    async def CreateBook(self, request, context):
        return request.book

    async def StreamBooks(self, request, context):
        for number in range(3):
            yield self.pb.Book(name=NAME(number))
        if request.filter == "fail":
            raise errors.ResourceExhausted("TOO_MANY", "enough", retry_after_seconds=1.5)
        if request.filter == "bug":
            raise ZeroDivisionError("secret")
        if request.filter == "slow":
            await self._linger()

    async def StreamUpdateBooks(self, request, context):
        return self.pb.ListBooksResponse(books=[each.book async for each in request])

    async def Converse(self, request, context):
        async for each in request:
            yield each.book

    async def _linger(self):
        self.started.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@pytest.fixture
def shelf(library):
    return Shelf(library.pb)


@pytest.fixture
async def address(rpc_serve, library, shelf):
    return await rpc_serve({library.service: shelf})


@pytest.fixture
def stub(address, rpc_connect, library, mint_token):
    token = mint_token(["a"], roles=["writer"], subject="ann")
    return library.grpc.LibraryServiceStub(rpc_connect(address, token=token))


async def test_a_call_is_answered_and_knows_its_caller(stub, library):
    book = await stub.GetBook(library.pb.GetBookRequest(name=NAME("1")))
    assert (book.name, book.title) == (NAME("1"), "ann")


async def test_an_error_arrives_as_it_was_raised_with_the_domain_of_the_service(stub, library):
    with pytest.raises(errors.NotFound) as refusal:
        await stub.GetBook(library.pb.GetBookRequest(name=NAME("missing")))
    error = refusal.value
    assert (error.reason, error.message) == ("BOOK_NOT_FOUND", "no such book")
    assert (error.metadata, error.domain) == ({"book": NAME("missing")}, "library.v1")


@pytest.mark.parametrize("book", ["bug", "wrong"])
async def test_a_bug_is_internal_and_says_nothing(stub, library, book):
    with pytest.raises(errors.Internal) as refusal:
        await stub.GetBook(library.pb.GetBookRequest(name=NAME(book)))
    assert (refusal.value.reason, refusal.value.message) == ("INTERNAL", "internal error")


async def test_a_failure_in_the_middle_of_a_stream_is_mapped_too(stub, library):
    for title, kind in (("fail", errors.ResourceExhausted), ("bug", errors.Internal)):
        stream = aiter(stub.StreamBooks(_listing(library, filter=title)))
        for _ in range(3):
            await anext(stream)
        with pytest.raises(kind) as refusal:
            await anext(stream)
        assert "secret" not in refusal.value.message


async def test_streams_flow_in_every_direction(stub, library):
    books = [library.pb.Book(title=title) for title in "abc"]
    requests = [library.pb.CreateBookRequest(parent="applications/a", book=book) for book in books]
    assert [book.name async for book in stub.StreamBooks(_listing(library))] == [
        NAME(number) for number in range(3)
    ]
    answer = await stub.StreamUpdateBooks(iter(requests))
    assert list(answer.books) == books
    assert [book async for book in stub.Converse(iter(requests))] == books
    call = stub.Converse()
    await call.write(requests[0])
    assert await call.read() == books[0]
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_each_request_of_a_stream_is_authorised_and_validated(stub, library):
    good = library.pb.CreateBookRequest(parent="applications/a", book={"title": "a"})
    foreign = library.pb.CreateBookRequest(book={"name": "applications/b/books/1"})
    invalid = library.pb.CreateBookRequest(book={"title": "x" * 41})
    for bad, kind in ((foreign, errors.PermissionDenied), (invalid, errors.InvalidArgument)):
        with pytest.raises(kind):
            await stub.StreamUpdateBooks(iter([good, bad]))
        with pytest.raises(kind):
            assert [book async for book in stub.Converse(iter([good, bad]))]


async def test_every_broken_rule_is_reported_by_field(stub, library):
    request = library.pb.CreateBookRequest(
        parent="applications/a", book={"title": "x" * 41, "labels": {"color": "yellow"}}
    )
    with pytest.raises(errors.InvalidArgument) as refusal:
        await stub.CreateBook(request)
    assert refusal.value.reason == "REQUEST_INVALID"
    assert [(found.field, found.reason) for found in refusal.value.violations] == [
        ("book.title", "string.max_len"),
        ('book.labels["color"]', "string.max_len"),
    ]


async def test_a_required_field_that_is_missing_is_reported(stub, library):
    with pytest.raises(errors.InvalidArgument) as refusal:
        await stub.CreateBook(library.pb.CreateBookRequest(parent="applications/a"))
    assert [found.field for found in refusal.value.violations] == ["book"]


async def test_bytes_that_are_no_request_are_refused(address, library, admin_token):
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(f"/{library.service}/GetBook")
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call(b"\xff\xff", metadata=[("authorization", f"Bearer {admin_token}")])
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("token", "kind"),
    [("", errors.Unauthenticated), ("nonsense", errors.Unauthenticated)],
)
async def test_without_a_good_token_nothing_is_answered(address, rpc_connect, library, token, kind):
    stub = library.grpc.LibraryServiceStub(rpc_connect(address, token=token))
    with pytest.raises(kind):
        await stub.GetBook(library.pb.GetBookRequest(name=NAME("1")))
    with pytest.raises(kind):
        await stub.DeleteBook(library.pb.GetBookRequest(name=NAME("1")))


async def test_a_token_of_another_application_is_refused_by_every_method(
    address, rpc_connect, library, mint_token
):
    stub = library.grpc.LibraryServiceStub(rpc_connect(address, token=mint_token(["b"])))
    pb = library.pb
    for method, request in [
        ("GetBook", pb.GetBookRequest(name=NAME("1"))),
        ("DeleteBook", pb.GetBookRequest(name=NAME("1"))),
        ("ListBooks", pb.ListBooksRequest(parent="applications/a")),
        ("CreateBook", pb.CreateBookRequest(parent="applications/a")),
        ("UpdateBook", pb.UpdateBookRequest(book={"name": NAME("1")})),
        ("BatchUpdateBooks", pb.BatchUpdateBooksRequest(parent="applications/a")),
    ]:
        with pytest.raises(errors.PermissionDenied):
            await getattr(stub, method)(request)


async def test_a_reader_reads_and_does_not_write(address, rpc_connect, library, mint_token):
    stub = library.grpc.LibraryServiceStub(
        rpc_connect(address, token=mint_token(["a"], roles=["reader"]))
    )
    await stub.GetBook(library.pb.GetBookRequest(name=NAME("1")))
    with pytest.raises(errors.PermissionDenied) as refusal:
        await stub.CreateBook(library.pb.CreateBookRequest(parent="applications/a"))
    assert refusal.value.reason == "ROLE_INSUFFICIENT"


async def test_methods_of_the_contract_without_code_say_so(stub, library, shelf):
    assert unimplemented({library.service: shelf}) == [
        f"{library.service}/{method}"
        for method in (
            "CreateLibrary", "ListBooks", "UpdateBook", "DeleteBook", "BurnBooks",
            "BatchUpdateBooks",
        )
    ]  # fmt: skip
    with pytest.raises(errors.Unimplemented) as refusal:
        await stub.DeleteBook(library.pb.GetBookRequest(name=NAME("1")))
    assert refusal.value.reason == "METHOD_NOT_IMPLEMENTED"
    assert refusal.value.metadata == {"method": f"{library.service}/DeleteBook"}
    with pytest.raises(errors.Unimplemented):
        async for _ in stub.BurnBooks(library.pb.GetBookRequest(name=NAME("1"))):
            pass


async def test_a_method_without_code_says_so_before_it_corrects_the_request(stub, library):
    wrong = library.pb.Book(name=NAME("1"), title="x" * 1000)
    with pytest.raises(errors.Unimplemented):
        await stub.UpdateBook(library.pb.UpdateBookRequest(book=wrong))


async def test_a_misspelt_method_or_service_stops_the_server_from_starting(
    library, auth_public_key
):
    class Misspelt:
        async def GetBok(self, request, context): ...

    for services in ({library.service: Misspelt()}, {"library.v1.Nothing": object()}):
        with pytest.raises(LookupError):
            async with rpc_server(RpcSettings(auth_public_key), services):
                pass


async def test_a_server_without_a_key_to_verify_with_does_not_start(library, shelf):
    with pytest.raises(ValueError, match="public key"):
        async with rpc_server(RpcSettings(""), {library.service: shelf}):
            pass


async def test_health_and_reflection_need_no_token(address, library):
    async with grpc.aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", library.service):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]))
        names = {found.name async for each in call for found in each.list_services_response.service}
    assert {library.service, "grpc.health.v1.Health"} <= names


async def test_a_caller_that_gives_up_cancels_the_work(stub, library, shelf):
    call = stub.GetBook(library.pb.GetBookRequest(name=NAME("slow")))
    await shelf.started.wait()
    call.cancel()
    await asyncio.wait_for(shelf.cancelled.wait(), 5)


async def test_a_deadline_that_passes_ends_the_work_on_both_sides(stub, library, shelf):
    with pytest.raises(errors.DeadlineExceeded):
        await stub.GetBook(library.pb.GetBookRequest(name=NAME("slow")), timeout=0.2)
    await asyncio.wait_for(shelf.cancelled.wait(), 5)


async def test_leaving_a_stream_early_cancels_the_work(stub, library, shelf):
    stream = aiter(stub.StreamBooks(_listing(library, filter="slow")))
    await anext(stream)
    await stream.aclose()
    await asyncio.wait_for(shelf.cancelled.wait(), 5)


async def test_a_server_that_stops_lets_calls_in_work_finish(
    library, shelf, auth_public_key, rpc_connect
):
    async with rpc_server(
        RpcSettings(auth_public_key, shutdown_grace_seconds=10), {library.service: shelf}
    ) as server:
        stub = library.grpc.LibraryServiceStub(rpc_connect(f"127.0.0.1:{server.port}"))
        call = asyncio.ensure_future(
            _await(stub.GetBook(library.pb.GetBookRequest(name=NAME("slow"))))
        )
        await shelf.started.wait()
        stopping = asyncio.create_task(server.stop(10))
        health = health_pb2_grpc.HealthStub(rpc_connect(f"127.0.0.1:{server.port}"))

        async def refused() -> bool:
            try:
                answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
            except (errors.Unavailable, errors.Cancelled):
                # The server closes the new connection; gRPC calls that one or the other.
                return True
            return answer.status == health_pb2.HealthCheckResponse.NOT_SERVING

        await eventually(refused)
        shelf.release.set()
        assert (await call).name == NAME("slow")
        await asyncio.wait_for(stopping, 5)
        await server.wait()


async def test_calls_are_measured_by_method_and_code(stub, library):
    def count(code: str) -> float:
        labels = {"service": library.service, "method": "GetBook", "code": code}
        return (
            REGISTRY.get_sample_value("heliograph_rpc_server_duration_seconds_count", labels) or 0
        )

    before = count("OK"), count("NOT_FOUND")
    await stub.GetBook(library.pb.GetBookRequest(name=NAME("1")))
    with pytest.raises(errors.NotFound):
        await stub.GetBook(library.pb.GetBookRequest(name=NAME("missing")))
    await eventually(lambda: (count("OK"), count("NOT_FOUND")) == (before[0] + 1, before[1] + 1))


def _listing(library, **fields):
    return library.pb.ListBooksRequest(parent="applications/a", **fields)


async def _await(call):
    return await call
