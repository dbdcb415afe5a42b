"""The front door of a service, on a real server: how answers and failures leave."""

import grpc
import pytest
from mesh import errors
from mesh.rpc.server import rpc_server, unimplemented
from mesh.testkit import eventually
from mesh.testkit.rpc import RpcSettings
from prometheus_client import REGISTRY
from rpc_shelf import NAME, listing


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
        stream = aiter(stub.StreamBooks(listing(library, filter=title)))
        for _ in range(3):
            await anext(stream)
        with pytest.raises(kind) as refusal:
            await anext(stream)
        assert "secret" not in refusal.value.message


async def test_streams_flow_in_every_direction(stub, library):
    books = [library.pb.Book(title=title) for title in "abc"]
    requests = [library.pb.CreateBookRequest(parent="applications/a", book=book) for book in books]
    assert [book.name async for book in stub.StreamBooks(listing(library))] == [
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
