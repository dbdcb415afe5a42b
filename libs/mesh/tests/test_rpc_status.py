"""google.rpc.Status and back, without loss."""

import grpc
import pytest
from google.rpc import code_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st
from mesh import errors
from mesh.errors import Violation
from mesh.rpc import status

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
ERRORS = st.builds(
    lambda kind, reason, message, violations, retry, metadata: kind(
        reason, message, violations=violations, retry_after_seconds=retry, **metadata
    ),
    st.sampled_from(list(errors.BY_CODE.values())),
    st.text(st.sampled_from("ABC_"), min_size=1, max_size=20),
    TEXT,
    st.lists(st.builds(Violation, TEXT, TEXT, TEXT), max_size=3),
    st.none() | st.integers(0, 10_000).map(lambda millis: millis / 1000),
    st.dictionaries(st.sampled_from(["book", "shelf"]), TEXT),
)


@given(ERRORS)
def test_an_error_survives_the_way_there_and_back(error: errors.Error):
    back = status.to_error(status.from_error(error, "library.v1"))
    assert type(back) is type(error)
    assert (back.reason, back.message, back.violations) == (
        error.reason,
        error.message,
        error.violations,
    )
    assert (back.retry_after_seconds, back.metadata) == (error.retry_after_seconds, error.metadata)
    assert back.domain == "library.v1"


def test_an_error_of_another_service_keeps_its_domain():
    error = status.to_error(status.from_error(errors.NotFound("X", "x"), "library.v1"))
    assert status.to_error(status.from_error(error, "shop.v1")).domain == "library.v1"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (code_pb2.UNAVAILABLE, errors.Unavailable),
        (code_pb2.UNKNOWN, errors.Internal),
        (code_pb2.DATA_LOSS, errors.Internal),
        (99, errors.Internal),
    ],
)
def test_a_status_without_details_or_of_a_rare_code_is_still_an_error(code, kind):
    error = status.to_error(status_pb2.Status(code=code, message="m"))
    assert type(error) is kind
    assert error.reason == kind.code


def test_a_call_that_reached_no_server_is_an_error_too():
    empty = grpc.aio.Metadata()
    failure = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, empty, empty, "no route")
    assert isinstance(status.from_rpc_error(failure), errors.Unavailable)
