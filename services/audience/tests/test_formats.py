"""CSV and JSON lines, pure: whatever is written is read, wherever it is cut."""

import csv
import io
import json
import re
from pathlib import Path

import audience
import pytest
from audience.endpoints.patches import Patch
from audience.transfers.csv_format import CsvFormat
from audience.transfers.failures import header_of
from audience.transfers.json_format import JsonFormat
from audience.transfers.lines import LineReader
from audience.transfers.rows import Format
from heliograph.audience.v1 import error_reason_pb2
from hypothesis import given
from hypothesis import strategies as st

texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8
) | st.sampled_from(['"', ",", "\r\n", "\n", "\r", "a,b", '"a"', " ", "\u2028", "\x85", "\x0b"])
rows = st.lists(
    st.fixed_dictionaries(
        {"first": texts, "second": texts, "plan": texts, "name": texts, "age": st.integers(-9, 99)}
    ),
    max_size=8,
)
HEADER = ("ChannelType", "Address", "Id", "User.UserId")


def cut_and_read(form: Format, lines: list[bytes], sizes: list[int]) -> list[Patch]:
    """Read lines in pieces, as a job does."""
    patches: list[Patch] = []
    position, waiting = form.header_lines, 0
    for size in [*sizes, len(lines)]:
        waiting += size
        end = min(position + waiting, len(lines))
        read = form.rows(lines[position:end], position + 1, at_end=end == len(lines))
        assert not read.failures
        patches += read.patches
        position += read.consumed
        waiting = waiting if not read.consumed else 0
    return patches


def expected(index: int, row: dict[str, object]) -> Patch:
    return Patch(
        endpoint=f"e{index}",
        channel_type=3,
        address="token",
        user_id="u",
        attributes={"interest": [row["first"], row["second"]], "plan": [row["plan"]]},
        metrics={"age": float(str(row["age"]))},
        user_attributes={"name": [row["name"]]},
    )


@given(given_rows=rows, sizes=st.lists(st.integers(1, 4), max_size=30))
def test_csv_is_read_as_it_was_written(
    given_rows: list[dict[str, object]], sizes: list[int]
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    interests = ("Attributes.interest", "Attributes.interest", "attributes.plan")
    writer.writerow((*HEADER, *interests, "METRICS.age", "User.UserAttributes.name"))
    for index, row in enumerate(given_rows):
        cells = (row[key] for key in ("first", "second", "plan", "age", "name"))
        writer.writerow(("PUSH_FCM", "token", f"e{index}", "u", *cells))
    lines = out.getvalue().encode().splitlines(keepends=True)

    patches = cut_and_read(CsvFormat(lines), lines, sizes)

    assert patches == [expected(index, row) for index, row in enumerate(given_rows)]


@given(given_rows=rows, sizes=st.lists(st.integers(1, 4), max_size=30))
def test_json_lines_are_read_as_they_were_written(
    given_rows: list[dict[str, object]], sizes: list[int]
) -> None:
    lines = [
        json.dumps(
            {
                "Id": f"e{index}",
                "ChannelType": "GCM",
                "Address": "token",
                "Attributes": {
                    "interest": [row["first"], row["second"]],
                    "plan": row["plan"],
                },
                "Metrics": {"age": str(row["age"])},
                "User": {"UserId": "u", "UserAttributes": {"name": [row["name"]]}},
            }
        ).encode()
        + b"\n"
        for index, row in enumerate(given_rows)
    ]

    patches = cut_and_read(JsonFormat(), lines, sizes)

    assert patches == [expected(index, row) for index, row in enumerate(given_rows)]


@given(data=st.binary(max_size=200), sizes=st.lists(st.integers(1, 7), min_size=1, max_size=9))
async def test_lines_join_to_the_file_wherever_it_is_cut(data: bytes, sizes: list[int]) -> None:
    async def blocks() -> object:
        position = 0
        for size in [*sizes, len(data)]:
            if data[position : position + size]:
                yield data[position : position + size]
            position += size

    reader = LineReader(blocks(), 1000)  # type: ignore[arg-type]
    taken = []
    while lines := await reader.take(3):
        taken += lines

    assert b"".join(taken) == data
    assert taken == data.splitlines(keepends=True)
    assert reader.is_done


@given(data=st.binary(max_size=300))
def test_rubbish_never_stops_the_reading(data: bytes) -> None:
    lines = data.splitlines(keepends=True)
    for form in (CsvFormat([b"Id,Attributes.a\n"]), JsonFormat()):
        read = form.rows(lines, 2, at_end=True)
        assert read.consumed == len(lines)
        assert all(2 <= line < 2 + len(lines) for line, *_ in read.failures)


@pytest.mark.parametrize(
    ("field", "header"),
    [
        ("address", "Address"),
        ("attributes.color", "Attributes.color"),
        ("user.attributes.tier", "User.UserAttributes.tier"),
        ("demographic.app_version", "Demographic.AppVersion"),
        ("location.postal_code", "Location.PostalCode"),
        ("location", "Location"),
        ("", ""),
    ],
)
def test_a_refused_field_is_named_as_in_the_file(field: str, header: str) -> None:
    assert header_of(field) == header


def test_every_reason_is_in_the_contract() -> None:
    sources = Path(audience.__file__).parent.rglob("*.py")
    words = re.compile(r'"([A-Z]{3,}(?:_[A-Z]+)+)"')
    used = {word for source in sources for word in words.findall(source.read_text())}
    contract = set(error_reason_pb2.ErrorReason.keys())
    others = {"SMS", "ALPHA_2", "SUBJECT_UNKNOWN", "BYTE_ARRAY", "NOT_FOUND"}
    others |= {"APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX"}

    assert used - others <= contract


@pytest.mark.parametrize("line", [b"[", b'{"Id":"e1"},', b"]", b'[{"Id":"e1"}]', b'{"Id":'])
def test_a_file_that_is_one_array_is_told_what_is_expected(line: bytes) -> None:
    ((_, field, reason, description),) = JsonFormat().rows([line], 1, at_end=True).failures

    assert (field, reason) == ("", "JSON_INVALID")
    assert description.endswith("one object a line is expected, and no array around them")


def test_an_array_in_one_long_line_is_told_what_is_expected() -> None:
    line = b"[" + b'{"Id":"e1"},' * 10_000
    (failure,) = JsonFormat().rows([line], 1, at_end=True).failures

    assert failure.reason == "ROW_TOO_LONG"
    assert "one object a line" in failure.description


def test_an_object_with_a_field_too_many_is_not_taken_for_an_array() -> None:
    (failure,) = JsonFormat().rows([b'{"Addres":"x"}'], 1, at_end=True).failures

    assert failure.description == "Object contains unknown field `Addres`"


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (b'"Metrics":{"age":31,"visits":"many"}', "Metrics.visits"),
        (b'"Metrics":{"age":null}', "Metrics.age"),
        (b'"Attributes":{"color":["red"],"size":{"a":1}}', "Attributes.size"),
        (b'"Attributes":{"color":["red",[]]}', "Attributes.color[1]"),
        (b'"User":{"UserId":"u","UserAttributes":{"tier":"7","a":{}}}', "User.UserAttributes.a"),
        (b'"Metrics":[1]', "Metrics"),
        (b'"Metrics":{"\\u0000":"x"}', "Metrics[...]"),
    ],
)
def test_a_bad_value_of_an_attribute_names_the_attribute(part: bytes, field: str) -> None:
    line = b'{"ChannelType":"SMS","Address":"+14155550123",' + part + b"}"
    (failure,) = JsonFormat().rows([line], 1, at_end=True).failures

    assert (failure.field, failure.reason) == (field, "JSON_INVALID")
