"""Logs, traces and masks."""

import io
import json
import logging as stdlib
from itertools import pairwise

import pytest
import structlog
from mesh import errors
from mesh.telemetry import logging, masking, propagation, tracing
from mesh.testkit.waiting import eventually
from opentelemetry import trace
from opentelemetry.trace import SpanKind

NAME = "applications/a/books/1"


@pytest.fixture
def spans(recorded):
    """The spans of this test."""
    recorded.clear()
    return recorded


@pytest.fixture
def log_lines(monkeypatch):
    """Logging as a service has it; call it for the lines written so far."""
    root = stdlib.getLogger()
    handlers, level = root.handlers, root.level
    written = io.StringIO()
    monkeypatch.setattr("sys.stdout", written)
    logging.setup("sample", "info")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_a_log_line_is_json_with_the_trace_it_belongs_to(log_lines, recorded):
    with tracing.tracer.start_as_current_span("work"):
        logging.get("library").info("book.lent", book=NAME)
        trace_id = propagation.trace_id()
    logging.get("library").debug("not.shown")
    stdlib.getLogger("other").warning("of a %s", "library")
    ours, theirs = log_lines()
    assert {"event": "book.lent", "book": NAME, "level": "info", "service": "sample",
            "logger": "library", "trace_id": trace_id}.items() <= ours.items()  # fmt: skip
    assert (theirs["event"], theirs["level"], theirs["logger"]) == (
        "of a library", "warning", "other",
    )  # fmt: skip
    assert "trace_id" not in theirs


def test_a_traceback_is_one_line_of_json(log_lines):
    try:
        raise ValueError("wrong")
    except ValueError:
        logging.get("library").exception("book.lost")
    (line,) = log_lines()
    assert "ValueError: wrong" in line["exception"]


class Forwarding:
    """Asks itself a second question, as one service asks another."""

    def __init__(self, pb) -> None:
        self.pb = pb
        self.stub = None

    async def GetBook(self, request, context):
        if request.name.endswith("/missing"):
            raise errors.NotFound("BOOK_NOT_FOUND", "no such book")
        return self.pb.Book(title=propagation.trace_id())

    async def StreamBooks(self, request, context):
        yield await self.stub.GetBook(self.pb.GetBookRequest(name=NAME))


@pytest.fixture
async def stub(rpc_client, library):
    servicer = Forwarding(library.pb)
    channel = await rpc_client({library.service: servicer})
    servicer.stub = library.grpc.LibraryServiceStub(channel)
    return servicer.stub


async def ended(spans, count):
    """So many spans; a call's own ends a moment after its caller has heard."""

    def are_ended():
        found = spans.get_finished_spans()
        return found if len(found) >= count else None

    return await eventually(are_ended)


async def test_each_call_is_a_child_of_what_asked_for_it(stub, library, spans):
    with tracing.tracer.start_as_current_span("root"):
        trace_id = propagation.trace_id()
        request = library.pb.ListBooksRequest(parent="applications/a")
        titles = [book.title async for book in stub.StreamBooks(request)]
    assert titles == [trace_id]
    by_key = {
        (span.name.rpartition("/")[2], span.kind): span for span in await ended(spans, count=5)
    }
    chain = [
        by_key[key]
        for key in [
            ("root", SpanKind.INTERNAL),
            ("StreamBooks", SpanKind.CLIENT), ("StreamBooks", SpanKind.SERVER),
            ("GetBook", SpanKind.CLIENT), ("GetBook", SpanKind.SERVER),
        ]
    ]  # fmt: skip
    for parent, child in pairwise(chain):
        assert child.parent.span_id == parent.context.span_id
        assert child.context.trace_id == parent.context.trace_id


async def test_a_refused_call_carries_its_reason(stub, library, spans):
    with pytest.raises(errors.NotFound):
        await stub.GetBook(library.pb.GetBookRequest(name="applications/a/books/missing"))
    kinds = {span.kind: span.attributes for span in await ended(spans, count=2)}
    for kind in (SpanKind.CLIENT, SpanKind.SERVER):
        assert kinds[kind]["heliograph.error.reason"] == "BOOK_NOT_FOUND"
        assert kinds[kind]["rpc.grpc.status_code"] == "NOT_FOUND"


def test_a_trace_goes_through_headers(recorded):
    with tracing.tracer.start_as_current_span("sender") as sender:
        headers = propagation.inject({"Nats-Msg-Id": "1"})
    context = trace.get_current_span(propagation.extract(headers)).get_span_context()
    assert headers["Nats-Msg-Id"] == "1"
    assert context.span_id == sender.get_span_context().span_id
    assert not trace.get_current_span(propagation.extract({})).get_span_context().is_valid


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("+14155550123", "+1415*****23"),
        ("+491", "****"),
        ("ann@example.com", "a**@example.com"),
        ("@example.com", "@example.com"),
        ("0123456789abcdef", "012345…"),
        ("short", "*****"),
        ("", ""),
    ],
)
def test_addresses_are_masked(value, masked):
    assert masking.address(value) == masked
