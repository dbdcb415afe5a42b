"""Masks copy exactly what they name, and refuse what cannot be written."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st
from mesh.aip import field_masks
from mesh.errors import InvalidArgument

OLD = {
    "name": "n", "title": "old", "pages": 3, "labels": {"a": "1", "b": "2"},
    "author": {"name": "Ann", "age": 4}, "tags": ["x"], "isbn": "i", "state": "LENT",
    "translators": {"fr": {"name": "F"}},
}  # fmt: skip

CASES = [
    # mask, source, what differs from OLD after
    (["title"], {"title": "new", "pages": 9}, {"title": "new"}),
    (["title"], {}, {"title": ""}),
    (["pages"], {}, {"pages": None}),
    (["pages"], {"pages": 0}, {"pages": 0}),
    (["tags"], {"tags": ["y", "z"]}, {"tags": ["y", "z"]}),
    (["labels"], {"labels": {"c": "3"}}, {"labels": {"c": "3"}}),
    (["labels.a"], {"labels": {"a": "9"}}, {"labels": {"a": "9", "b": "2"}}),
    (["labels.a"], {}, {"labels": {"b": "2"}}),
    (["translators.de"], {"translators": {"de": {"name": "D"}}},
     {"translators": {"fr": {"name": "F"}, "de": {"name": "D"}}}),
    (["author.name"], {"author": {"name": "Bob"}}, {"author": {"name": "Bob", "age": 4}}),
    (["author.age"], {}, {"author": {"name": "Ann"}}),
    (["author"], {"author": {"age": 1}}, {"author": {"age": 1}}),
    (["author"], {}, {"author": None}),
    (["author"], {"author": {}}, {"author": {}}),
    ([], {"title": "new", "tags": []}, {"title": "new"}),
    (["name", "state", "title"], {"name": "m", "title": "t"}, {"title": "t"}),
    (["isbn", "title"], {"isbn": "i", "title": "t"}, {"title": "t"}),
]  # fmt: skip


@pytest.mark.parametrize(("mask", "source", "changes"), CASES)
def test_a_mask_copies_what_it_names(library, mask, source, changes):
    target = library.pb.Book(**OLD)
    field_masks.apply(FieldMask(paths=mask), library.pb.Book(**source), target)
    assert target == library.pb.Book(**{**OLD, **changes})


def test_a_star_replaces_all_but_what_is_not_writable(library):
    target = library.pb.Book(**OLD)
    field_masks.apply(FieldMask(paths=["*"]), library.pb.Book(isbn="i", title="t"), target)
    assert target == library.pb.Book(name="n", title="t", isbn="i", state="LENT")


@pytest.mark.parametrize(
    "path", ["", "nothing", "title.x", "author.nothing", "tags.x", "labels.a.b", "*.title"]
)
def test_an_unknown_path_is_refused_by_name(library, path):
    with pytest.raises(InvalidArgument) as refusal:
        field_masks.apply(FieldMask(paths=[path, "title"]), library.pb.Book(), library.pb.Book())
    assert [violation.field for violation in refusal.value.violations] == [path]


@pytest.mark.parametrize(("path", "more"), [("isbn", ()), ("title", ("title",))])
def test_changing_an_immutable_field_is_refused(library, path, more):
    target = library.pb.Book(**OLD)
    with pytest.raises(InvalidArgument) as refusal:
        field_masks.apply(
            FieldMask(paths=[path]), library.pb.Book(isbn="j"), target, immutable=more
        )
    assert refusal.value.reason == "FIELD_IMMUTABLE"
    assert target == library.pb.Book(**OLD)


@given(st.sets(st.sampled_from(["title", "pages", "labels", "author", "tags"])))
def test_fields_outside_the_mask_stay(library, paths):
    target, source = library.pb.Book(**OLD), library.pb.Book(title="new", tags=["q"])
    field_masks.apply(
        FieldMask(paths=sorted(paths) or ["isbn"]),
        library.pb.Book(**{**OLD, "title": "new", "tags": ["q"]}),
        target,
    )
    assert (target.title == source.title) == ("title" in paths)
    assert (list(target.tags) == ["q"]) == ("tags" in paths)
    assert target.pages == 3
