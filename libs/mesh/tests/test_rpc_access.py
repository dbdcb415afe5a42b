"""Which methods a role may call, and which fields of a request name applications."""

import pytest
from mesh.errors import InvalidArgument, PermissionDenied
from mesh.rpc.auth import Caller, access, fields

ANN = Caller("ann", frozenset({"a"}), frozenset({"writer"}))
BOOK = "applications/{}/books/1".format

READING = {"ListLibraries", "GetBook", "ListBooks", "StreamBooks"}


def test_verbs_tell_reading_from_writing(library):
    methods = library.descriptor("GetBook").containing_service.methods
    assert {method.name for method in methods if access.reads_only(method)} == READING


@pytest.mark.parametrize(
    ("roles", "reads", "writes"),
    [(["reader"], True, False), (["writer"], True, True), (["admin"], True, True),
     (["service"], True, True), ([], False, False)],
)  # fmt: skip
def test_the_role_table(library, roles, reads, writes):
    known = Caller("ann", frozenset(), frozenset(roles))
    for method, allowed in (("GetBook", reads), ("CreateBook", writes)):
        permitted = access.allowed_roles(library.descriptor(method))
        if allowed:
            access.check_role(permitted, known, method)
        else:
            with pytest.raises(PermissionDenied):
                access.check_role(permitted, known, method)


CASES = [
    ("GetBook", {"name": BOOK("b")}, "name"),
    ("ListBooks", {"parent": "applications/b"}, "parent"),
    ("CreateBook", {"parent": "applications/b"}, "parent"),
    ("CreateBook", {"parent": "applications/a", "book": {"name": BOOK("b")}}, "book.name"),
    ("UpdateBook", {"book": {"name": BOOK("b")}}, "book.name"),
    ("UpdateBook", {"book": {"name": BOOK("a"), "sequels": [BOOK("a"), BOOK("b")]}},
     "book.sequels"),
    ("UpdateBook", {"book": {"name": BOOK("a"), "part": {"parts": [{}, {"parts": [
        {"book": BOOK("b")}]}]}}}, "book.part.parts.parts.book"),
    ("BatchUpdateBooks", {"parent": "applications/a", "requests": [
        {"book": {"name": BOOK("a")}}, {"book": {"name": BOOK("b")}}]}, "requests.book.name"),
    ("BatchUpdateBooks", {"parent": "applications/a", "extras": {"x": {"name": BOOK("b")}}},
     "extras.name"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "request_fields", "path"), CASES)
def test_a_name_of_a_foreign_application_is_found_wherever_it_stands(
    library, method, request_fields, path
):
    descriptor = library.descriptor(method)
    request = getattr(library.pb, descriptor.input_type.name)(**request_fields)
    check = access.request_check(descriptor)
    with pytest.raises(PermissionDenied) as refusal:
        check(ANN, request, True)
    assert refusal.value.metadata["application"] == "b"
    named = fields.names(fields.plan(descriptor.input_type), request)
    assert path in {found.path for found in named if "/b" in found.name}
    check(Caller("ann", frozenset({"a", "b"}), frozenset()), request, True)


def test_names_that_are_no_resource_names_are_left_alone(library):
    request = library.pb.UpdateBookRequest(
        book={"name": BOOK("a"), "author": {"name": "Ann"}, "labels": {"x": BOOK("b")}}
    )
    access.request_check(library.descriptor("UpdateBook"))(ANN, request, True)


@pytest.mark.parametrize("method", ["GetBook", "ListBooks", "CreateBook", "UpdateBook"])
def test_a_request_that_should_name_an_application_and_does_not_is_refused(library, method):
    descriptor = library.descriptor(method)
    request = getattr(library.pb, descriptor.input_type.name)()
    check = access.request_check(descriptor)
    with pytest.raises(InvalidArgument):
        check(ANN, request, True)


def test_of_a_stream_of_requests_only_the_first_must_name_one(library):
    check = access.request_check(library.descriptor("StreamUpdateBooks"))
    check(ANN, library.pb.CreateBookRequest(), False)
    with pytest.raises(PermissionDenied):
        check(ANN, library.pb.CreateBookRequest(book={"name": BOOK("b")}), False)


def test_a_request_that_can_name_no_application_passes(library):
    access.request_check(library.descriptor("ListLibraries"))(
        ANN, library.pb.ListLibrariesRequest(), True
    )


@pytest.mark.parametrize(("roles", "allowed"), [(["writer"], False), (["admin"], True)])
def test_creating_what_has_no_parent_needs_the_role_admin(library, roles, allowed):
    check = access.request_check(library.descriptor("CreateLibrary"))
    known = Caller("ann", frozenset({"a"}), frozenset(roles))
    if allowed:
        check(known, library.pb.CreateLibraryRequest(), True)
    else:
        with pytest.raises(PermissionDenied):
            check(known, library.pb.CreateLibraryRequest(), True)
