"""Nothing is asked of an application that is gone, wherever a request names it."""

import pytest
from mesh.errors import NotFound
from mesh.rpc.auth.gone import Gone, Services

BOOK = "applications/{}/books/1".format


def check(library, method, gone, **fields):
    descriptor = library.descriptor(method)
    gone.request_check(descriptor)(getattr(library.pb, descriptor.input_type.name)(**fields))


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GetBook", {"name": BOOK("b")}),
        ("ListBooks", {"parent": "applications/b"}),
        ("UpdateBook", {"book": {"name": BOOK("a"), "sequels": [BOOK("b")]}}),
    ],
)
def test_a_gone_application_is_refused_and_others_are_not(library, method, fields):
    check(library, method, Gone({"c"}), **fields)
    check(library, method, Gone(), **fields)
    with pytest.raises(NotFound) as refusal:
        check(library, method, Gone({"b"}), **fields)

    assert refusal.value.reason == "APPLICATION_DELETED"
    assert refusal.value.metadata["application"] == "b"


def test_a_method_may_be_asked_all_the_same(library):
    method = library.descriptor("GetBook")
    name = f"{method.containing_service.full_name}/GetBook"

    check(library, "GetBook", Gone({"b"}, frozenset({name})), name=BOOK("b"))


async def test_the_server_refuses_before_the_servicer_is_asked(library, shelf, rpc_client):
    service = library.descriptor("GetBook").containing_service
    gone: set[str] = set()
    channel = await rpc_client(Services({service.full_name: shelf}, Gone(gone)))
    request = library.pb.GetBookRequest(name=BOOK("a"))
    get = channel.unary_unary(
        f"/{service.full_name}/GetBook",
        request_serializer=library.pb.GetBookRequest.SerializeToString,
        response_deserializer=library.pb.Book.FromString,
    )
    assert (await get(request)).name

    gone.add("a")
    with pytest.raises(NotFound):
        await get(request)
