"""Names follow patterns, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.aip import resource_names
from mesh.errors import InvalidArgument

BOOK = "applications/{application}/books/{book}"
IDS = st.text(st.characters(exclude_characters="/", codec="utf-8"), min_size=1)


@given(IDS, IDS)
def test_what_was_formatted_parses_to_the_same_ids(application, book):
    name = resource_names.format(BOOK, application=application, book=book)
    assert resource_names.parse(BOOK, name) == {"application": application, "book": book}


@pytest.mark.parametrize(
    "name",
    ["", "applications/a", "applications/a/books/", "applications//books/b", "x/a/books/b",
     "applications/a/books/b/c", "applications/a/books/b\n/"],
)  # fmt: skip
def test_a_name_of_another_form_is_refused_by_field(name):
    assert resource_names.match(BOOK, name) is None
    with pytest.raises(InvalidArgument) as refusal:
        resource_names.parse(BOOK, name, field="book.name")
    assert refusal.value.violations[0].field == "book.name"


@pytest.mark.parametrize("book", ["", "a/b"])
def test_an_id_is_never_empty_and_holds_no_slash(book):
    with pytest.raises(InvalidArgument):
        resource_names.format(BOOK, application="a", book=book)
