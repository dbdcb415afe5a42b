"""The walls between applications in object stores, and between them and what is not theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.objects import uris
from mesh.objects.https import is_public
from mesh.objects.opening import Objects
from mesh.objects.places import ObjectPlace, ObjectPlaces, refuse_overlaps
from pydantic import SecretStr, ValidationError

APPLICATIONS = st.from_regex(r"[a-z][a-z0-9-]{2,8}", fullmatch=True)
TEMPLATES = st.sampled_from(
    [
        *("s3://b/{application}/", "s3://b/in/{application}/", "s3://{application}/"),
        *(
            "gs://b/a-{application}/",
            "az://{application}-files/in/",
            "https://h.example/{application}/",
        ),
        "https://{application}.files.example/",
    ]
)
# Everything that may be taken for a way out, and some that is none.
PIECES = st.sampled_from(
    ["..", ".", "", "a", "shop", "%2e%2e", "%2F", "\\", "#", "?", "@", ":", "ü", " ", "\n", "//"]
)


def place(prefix: str, use: str = "import", application: str = "") -> ObjectPlace:
    return ObjectPlace.model_validate({"use": use, "prefix": prefix, "application": application})


@given(TEMPLATES, APPLICATIONS, APPLICATIONS, st.lists(PIECES, max_size=6))
def test_no_address_leads_to_another_application(
    template: str, mine: str, other: str, pieces: list[str]
) -> None:
    places = ObjectPlaces((place(template),))
    text = template.replace("{application}", mine) + "/".join([*pieces, other, "file.csv"])
    try:
        uri = uris.parse(text)
    except ValueError:
        return
    segments = uri.key.split("/")

    assert str(uri) == text
    assert not {"", ".", ".."} & set(segments)
    assert uri.scheme != "https" or not {"%2e%2e", "%2f"} & set(segments)
    assert (places.find("import", mine, uri) is not None) == text.startswith(
        template.replace("{application}", mine)
    )
    if other != mine:
        assert places.find("import", other, uri) is None
    assert places.find("export", mine, uri) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "people.csv", "s3://bucket", "s3:///key", "S3://bucket/key", "ftp://host/file"),
        *("file:///etc/passwd", "http://host/file", "https://user@host/file", "https://HOST/file"),
        *("https://host:port/file", "https://host/a?b", "https://host/a#b", "https://host/ü"),
        *("https://host/%2e%2e/a", "https://host/a%2Fb", "https://host/a b", "https://host/a%5cb"),
        *("s3://bucket//key", "s3://bucket/a/../b", "s3://bucket/a/./b", "s3://bucket/a\\b"),
        *("s3://bucket/a\nb", "s3://bucket/a\0b", "s3://buc ket/a", "s3://bucket/" + "a" * 2048),
    ],
)
def test_what_could_be_read_in_two_ways_is_no_address(text: str) -> None:
    with pytest.raises(ValueError):
        uris.parse(text)


@pytest.mark.parametrize(
    "prefix",
    [
        *("s3://bucket/", "s3://bucket/{application}", "s3://{application}/{application}/"),
        *("s3://bucket/../{application}/", "http://host/{application}/", "{application}/", ""),
    ],
)
def test_a_place_is_of_one_application_each(prefix: str) -> None:
    with pytest.raises(ValidationError):
        place(prefix)


def test_a_place_may_be_of_one_application_alone() -> None:
    places = ObjectPlaces((place("s3://shop-files/", application="shop"),))
    uri = uris.parse("s3://shop-files/a/b.csv")

    assert places.find("import", "shop", uri) is not None
    assert places.find("import", "other", uri) is None
    with pytest.raises(ValidationError):
        place("s3://bucket/{application}/", application="shop")
    with pytest.raises(ValidationError):
        place("https://files.example/{application}/", use="export")


@pytest.mark.parametrize(
    ("one", "other", "is_refused"),
    [
        # An application named `files` would read those of all.
        (("s3://b/{application}/", ""), ("s3://b/files/{application}/", ""), True),
        (("s3://{application}/", ""), ("s3://files/{application}/", ""), True),
        (("s3://b/", "shop"), ("s3://b/{application}/", ""), True),
        (("s3://b/{application}/", ""), ("s3://b/other/", "shop"), True),
        (("s3://b/x/", "shop"), ("s3://b/x/y/", "other"), True),
        (("s3://b/{application}/", ""), ("s3://b/shop/", "shop"), False),
        (("s3://b/{application}/", ""), ("s3://b/{application}/in/", ""), False),
        (("s3://b/in/{application}/", ""), ("s3://b/out/{application}/", ""), False),
        (("s3://b/{application}/", ""), ("gs://b/files/{application}/", ""), False),
        (("s3://b/{application}/", ""), ("s3://c/{application}/", ""), False),
        (("s3://b/X/{application}/", ""), ("s3://b/{application}/", ""), False),
    ],
)
def test_places_that_open_what_others_keep_are_refused(
    one: tuple[str, str], other: tuple[str, str], is_refused: bool
) -> None:
    places = (place(one[0], application=one[1]), place(other[0], "export", other[1]))
    for order in (places, places[::-1]):
        if is_refused:
            with pytest.raises(ValueError, match="would let"):
                refuse_overlaps(order)
        else:
            assert refuse_overlaps(order) == order


def test_a_store_that_cannot_be_opened_is_told_when_the_service_starts() -> None:
    unknown = {"options": {"aws_regoin": SecretStr("hush")}}
    missing = {"authority_file": "/none.pem"}
    for fields in (unknown, missing):
        wrong = place("s3://b/{application}/").model_copy(update=fields)
        with pytest.raises(
            ValueError, match=r"s3://b/\{application\}/.*(aws_regoin|none.pem)"
        ) as told:
            Objects((wrong,)).check()
        assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        *(("93.184.216.34", True), ("2606:2800:220:1::1", True), ("::ffff:93.184.216.34", True)),
        *(("127.0.0.1", False), ("10.0.0.1", False), ("192.168.1.1", False), ("0.0.0.0", False)),
        *(("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False)),
        *(("::1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("::", False)),
        *(("::ffff:10.0.0.1", False), ("2002:7f00:1::", False), ("64:ff9b::a9fe:a9fe", False)),
        *(("ff02::1", False), ("64:ff9b::5db8:d822", True)),
    ],
)
def test_an_address_of_the_internet_is_told_from_others(address: str, expected: bool) -> None:
    assert is_public(address) == expected
