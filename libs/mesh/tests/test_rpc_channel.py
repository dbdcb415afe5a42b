"""What a client adds to its calls: retries, request ids, tokens, deadlines, errors."""

import asyncio
import json

import grpc
import pytest
from mesh import errors
from mesh.rpc import deadlines, retries
from mesh.rpc.auth import Caller, acting_as
from mesh.rpc.channel import channel
from mesh.rpc.outgoing import with_request_id

NAME = "applications/a/books/1"


class Flaky:
    """Fails UNAVAILABLE a number of times, and remembers what it was asked."""

    def __init__(self, pb, failures: int) -> None:
        self.pb = pb
        self.failures = failures
        self.requests = []

    async def GetBook(self, request, context):
        return self._answer(request)

    async def CreateBook(self, request, context):
        return self._answer(request)

    async def UpdateBook(self, request, context):
        return self._answer(request)

    async def StreamBooks(self, request, context):
        yield self._answer(request)

    def _answer(self, request):
        self.requests.append(request)
        if len(self.requests) <= self.failures:
            raise errors.Unavailable("TRY_AGAIN", "not now")
        return self.pb.Book(name=NAME)


@pytest.fixture
def connect(rpc_client, library):
    """Serves a flaky servicer; returns it with a stub for it."""

    async def make(failures: int):
        flaky = Flaky(library.pb, failures)
        return flaky, library.grpc.LibraryServiceStub(await rpc_client({library.service: flaky}))

    return make


async def test_a_read_is_repeated_until_it_succeeds(connect, library):
    flaky, stub = await connect(failures=2)
    assert (await stub.GetBook(library.pb.GetBookRequest(name=NAME))).name == NAME
    assert len(flaky.requests) == 3


async def test_a_stream_that_fails_before_its_first_response_is_repeated(connect, library):
    flaky, stub = await connect(failures=2)
    request = library.pb.ListBooksRequest(parent="applications/a")
    assert len([book async for book in stub.StreamBooks(request)]) == 1
    assert len(flaky.requests) == 3


async def test_repeating_ends_after_four_attempts(connect, library):
    flaky, stub = await connect(failures=9)
    with pytest.raises(errors.Unavailable) as refusal:
        await stub.GetBook(library.pb.GetBookRequest(name=NAME))
    assert refusal.value.reason == "TRY_AGAIN"
    assert len(flaky.requests) == retries.ATTEMPTS_MAX == 4


async def test_a_write_is_not_repeated(connect, library):
    flaky, stub = await connect(failures=1)
    with pytest.raises(errors.Unavailable):
        await stub.UpdateBook(library.pb.UpdateBookRequest(book={"name": NAME}))
    assert len(flaky.requests) == 1


async def test_a_write_with_a_request_id_is_repeated_with_the_same_one(connect, library):
    flaky, stub = await connect(failures=1)
    request = library.pb.CreateBookRequest(parent="applications/a", book={"title": "a"})
    await stub.CreateBook(request)
    first, second = flaky.requests
    assert first.request_id == second.request_id != ""
    assert request.request_id == "", "the caller's own message is left alone"


def test_a_request_id_of_the_caller_is_kept(library):
    request = library.pb.CreateBookRequest(request_id="mine")
    assert with_request_id(request) is request
    assert with_request_id(library.pb.GetBookRequest()).DESCRIPTOR.name == "GetBookRequest"


def test_the_policy_stands_inside_method_config(library):
    config = json.loads(retries.service_config())
    assert set(config) == {"loadBalancingConfig", "methodConfig", "retryThrottling"}
    (method_config,) = config["methodConfig"]
    names = {name["method"] for name in method_config["name"] if name["service"] == library.service}
    assert names == {"ListLibraries", "GetBook", "ListBooks", "StreamBooks", "CreateBook"}


async def test_without_a_token_of_its_own_a_channel_forwards_the_callers(
    rpc_serve, library, mint_token
):
    address = await rpc_serve({library.service: Flaky(library.pb, 0)})
    async with channel(address) as opened:
        stub = library.grpc.LibraryServiceStub(opened)
        with pytest.raises(errors.Unauthenticated):
            await stub.GetBook(library.pb.GetBookRequest(name=NAME))
        ann = Caller("ann", frozenset("a"), frozenset({"reader"}), mint_token(["a"]))
        with acting_as(ann):
            await stub.GetBook(library.pb.GetBookRequest(name=NAME))


class Waiting:
    """Tells how long its caller waits."""

    def __init__(self, pb) -> None:
        self.pb = pb

    async def GetBook(self, request, context):
        return self.pb.Book(pages=int(context.time_remaining()))


async def test_a_call_lasts_thirty_seconds_or_what_is_left_of_the_request_in_work(
    rpc_client, library
):
    stub = library.grpc.LibraryServiceStub(await rpc_client({library.service: Waiting(library.pb)}))
    request = library.pb.GetBookRequest(name=NAME)

    async def inside(remaining_seconds: float | None) -> int:
        deadlines.enter(remaining_seconds)
        return (await stub.GetBook(request)).pages

    assert 20 <= await asyncio.create_task(inside(None)) <= 30
    assert 20 <= await asyncio.create_task(inside(500)) <= 30
    assert 0 <= await asyncio.create_task(inside(8)) <= 8
    assert 90 <= (await stub.GetBook(request, timeout=100)).pages <= 100


async def test_a_server_that_is_not_there_is_unavailable(library, rpc_connect):
    stub = library.grpc.LibraryServiceStub(rpc_connect("127.0.0.1:1"))
    with pytest.raises(errors.Unavailable):
        await stub.GetBook(library.pb.GetBookRequest(name=NAME))


async def test_a_message_past_sixteen_mebibytes_is_refused(connect, library):
    _, stub = await connect(failures=0)
    with pytest.raises(errors.ResourceExhausted):
        await stub.GetBook(library.pb.GetBookRequest(name=NAME + "x" * (16 << 20)))


async def test_the_state_of_a_channel_can_be_watched(rpc_serve, library):
    address = await rpc_serve({library.service: Flaky(library.pb, 0)})
    opened = channel(address)
    await asyncio.wait_for(opened.channel_ready(), 60)
    assert opened.get_state() is grpc.ChannelConnectivity.READY
    await opened.close()
