"""Pages follow keys, and a token belongs to one request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.aip import pagination
from mesh.errors import InvalidArgument


def read(page: pagination.Page, rows: list[int]) -> list[int]:
    """What a query would read: the rows after the key, limited."""
    after = -1 if page.after is None else page.after[0]
    return [row for row in rows if row > after][: page.limit]


@given(st.integers(0, 30), st.integers(1, 10))
def test_following_the_tokens_reads_every_row_once(library, count, size):
    request = library.pb.ListBooksRequest(parent="applications/a", page_size=size)
    rows, seen, pages = list(range(count)), [], 0
    while True:
        page = pagination.Page(request, default_size=5, max_size=10)
        got, request.page_token = page.cut(read(page, rows), key=lambda row: [row])
        seen, pages = seen + got, pages + 1
        assert len(got) <= size
        if not request.page_token:
            break
    assert seen == rows
    assert pages == max(1, -(-count // size))


@pytest.mark.parametrize(("asked", "size"), [(0, 5), (3, 3), (11, 10)])
def test_a_page_has_the_asked_size_within_bounds(library, asked, size):
    page = pagination.Page(library.pb.ListBooksRequest(page_size=asked), 5, 10)
    assert (page.size, page.limit) == (size, size + 1)


def test_a_negative_size_is_refused(library):
    with pytest.raises(InvalidArgument, match="page_size"):
        pagination.Page(library.pb.ListBooksRequest(page_size=-1), 5, 10)


def test_only_the_page_size_may_change_between_pages(library):
    request = library.pb.ListBooksRequest(parent="applications/a", filter="x", page_size=2)
    token = pagination.encode(request, ["k", 1, None])
    request.page_size = 9
    assert pagination.decode(request, token) == ["k", 1, None]
    request.filter = "y"
    with pytest.raises(InvalidArgument) as refusal:
        pagination.decode(request, token)
    assert refusal.value.reason == "PAGE_TOKEN_MISMATCH"


@given(st.text())
def test_nonsense_is_refused_as_a_token(library, token):
    with pytest.raises(InvalidArgument) as refusal:
        pagination.decode(library.pb.ListBooksRequest(), token)
    assert refusal.value.reason == "PAGE_TOKEN_INVALID"
