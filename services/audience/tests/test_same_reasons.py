"""The same fault has the same reason in a call, a batch, a stream, and files of each kind."""

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from audience_room import SHOP, Room, name, values
from google.protobuf import json_format
from heliograph.audience.v1 import endpoint_pb2, user_service_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from mesh.errors import Error, InvalidArgument
from mesh.rpc import status

PHONE = {"channel_type": 1, "address": "+14155550123"}
LONG = "x" * 101
Fault = tuple[dict[str, Any], str, str]

# What is wrong, in the contract's words; the reason and the field that it is refused with.
FAULTS: list[Fault] = [
    ({**PHONE, "name": name("e" * 201)}, "ENDPOINT_ID_INVALID", "endpoint.name"),
    ({"channel_type": 1}, "ADDRESS_MISSING", "address"),
    ({"address": "+14155550123"}, "CHANNEL_TYPE_MISSING", "channel_type"),
    ({"channel_type": 1, "address": "555"}, "ADDRESS_INVALID", "address"),
    ({"channel_type": 2, "address": "ann@"}, "ADDRESS_INVALID", "address"),
    ({"channel_type": 2, "address": f"{'a' * 65}@a.org"}, "ADDRESS_INVALID", "address"),
    ({"channel_type": 3, "address": "a b"}, "ADDRESS_INVALID", "address"),
    ({"channel_type": 3, "address": "t" * 4097}, "ADDRESS_INVALID", "address"),
    ({**PHONE, "channel_type": 99}, "CHANNEL_TYPE_INVALID", "channel_type"),
    ({**PHONE, "opt_out": 99}, "OPT_OUT_INVALID", "opt_out"),
    ({**PHONE, "status": 99}, "STATUS_INVALID", "status"),
    ({**PHONE, "attributes": values(a=["x"] * 50, b=["y\0"])}, "NUL_CHARACTER", "attributes"),
    ({**PHONE, "attributes": values(**{"": ["x"]})}, "ATTRIBUTE_NAME_INVALID", "attributes"),
    ({**PHONE, "attributes": values(**{"n" * 51: ["x"]})}, "ATTRIBUTE_NAME_INVALID", "attributes"),
    ({**PHONE, "attributes": values(a=[LONG])}, "ATTRIBUTE_VALUE_TOO_LONG", "attributes.a"),
    ({**PHONE, "attributes": values(a=["x"] * 51)}, "ATTRIBUTE_VALUES_TOO_MANY", "attributes.a"),
    (
        {**PHONE, "attributes": values(**{f"a{index}": ["x"] for index in range(251)})},
        *("ATTRIBUTES_TOO_MANY", "attributes"),
    ),
    (
        {**PHONE, "attributes": values(**{f"a{i}": [f"{i:03}" * 33] * 4 for i in range(40)})},
        *("ENDPOINT_TOO_LARGE", ""),
    ),
    ({**PHONE, "metrics": {"m": float("nan")}}, "METRIC_INVALID", "metrics.m"),
    ({**PHONE, "metrics": {"n" * 51: 1.0}}, "ATTRIBUTE_NAME_INVALID", "metrics"),
    ({**PHONE, "demographic": {"make": LONG}}, "VALUE_TOO_LONG", "demographic.make"),
    (
        {**PHONE, "demographic": {"timezone": "Mars/Olympus"}},
        *("TIMEZONE_INVALID", "demographic.timezone"),
    ),
    ({**PHONE, "location": {"city": LONG}}, "VALUE_TOO_LONG", "location.city"),
    ({**PHONE, "location": {"country": "Germany"}}, "COUNTRY_INVALID", "location.country"),
    ({**PHONE, "location": {"latitude": 1.0}}, "COORDINATE_INCOMPLETE", "location"),
    (
        {**PHONE, "location": {"latitude": 90.1, "longitude": 0.0}},
        *("COORDINATE_INVALID", "location.latitude"),
    ),
    (
        {**PHONE, "location": {"latitude": 0.0, "longitude": -181.0}},
        *("COORDINATE_INVALID", "location.longitude"),
    ),
    ({**PHONE, "user": {"attributes": values(a=["b"])}}, "USER_ID_MISSING", "user.user_id"),
    ({**PHONE, "user": {"user_id": "a/b"}}, "USER_ID_INVALID", "user.user_id"),
    ({**PHONE, "user": {"user_id": "u" * 201}}, "USER_ID_INVALID", "user.user_id"),
    (
        {**PHONE, "user": {"user_id": "u", "attributes": values(a=[LONG])}},
        *("ATTRIBUTE_VALUE_TOO_LONG", "user.attributes.a"),
    ),
    ({**PHONE, "refused_topics": ["x"] * 51}, "ATTRIBUTE_VALUES_TOO_MANY", "refused_topics"),
    ({**PHONE, "refused_topics": [LONG]}, "VALUE_TOO_LONG", "refused_topics"),
]

Told = list[str]


def id_of(index: int, fields: dict[str, Any]) -> str:
    return str(fields.get("name", f"e{index}").rpartition("/")[2])


def message(index: int, fields: dict[str, Any]) -> endpoint_pb2.Endpoint:
    return endpoint_pb2.Endpoint(**{"name": name(f"e{index}"), **fields})


def upsert(index: int, fields: dict[str, Any]) -> pb.UpdateEndpointRequest:
    return pb.UpdateEndpointRequest(endpoint=message(index, fields), allow_missing=True)


async def by_update(room: Room, faults: list[dict[str, Any]]) -> Told:
    return [
        (await refused(room.endpoints.UpdateEndpoint(upsert(index, one)))).reason
        for index, one in enumerate(faults)
    ]


async def by_creation(room: Room, faults: list[dict[str, Any]]) -> Told:
    return [
        (
            await refused(
                room.endpoints.CreateEndpoint(
                    pb.CreateEndpointRequest(
                        parent=SHOP, endpoint_id=id_of(index, one), endpoint=one
                    )
                )
            )
        ).reason
        for index, one in enumerate(faults)
    ]


async def by_batch(room: Room, faults: list[dict[str, Any]]) -> Told:
    requests = [upsert(index, one) for index, one in enumerate(faults)]
    answer = await room.endpoints.BatchUpdateEndpoints(
        pb.BatchUpdateEndpointsRequest(parent=SHOP, requests=requests)
    )
    return [status.to_error(one.error).reason for one in answer.results]


async def by_stream(room: Room, faults: list[dict[str, Any]]) -> Told:
    async def requests() -> AsyncIterator[pb.StreamUpdateEndpointsRequest]:
        endpoints = [message(index, one) for index, one in enumerate(faults)]
        yield pb.StreamUpdateEndpointsRequest(parent=SHOP, endpoints=endpoints)

    answer = await room.endpoints.StreamUpdateEndpoints(requests())
    refusals = sorted(answer.refusals, key=lambda one: one.index)
    return [status.to_error(one.error).reason for one in refusals]


async def by_json(room: Room, faults: list[dict[str, Any]]) -> Told:
    lines = [json.dumps(as_pinpoint(index, one)) for index, one in enumerate(faults)]
    return await by_file(room, "\n".join(lines).encode(), "people.jsonl")


async def by_csv(room: Room, faults: list[dict[str, Any]]) -> Told:
    """A file for each, as their headers differ."""
    return [
        reason
        for index, one in enumerate(faults)
        for reason in await by_file(room, as_csv(flat(as_pinpoint(index, one))), "people.csv")
    ]


async def by_file(room: Room, data: bytes, file_name: str) -> Told:
    job = await room.imported(data, file_name=file_name)
    assert job.imported_count == 0
    return [reason for _, _, reason in await room.failures(job.name)]


def as_pinpoint(index: int, fields: dict[str, Any]) -> dict[str, Any]:
    """What a line of Pinpoint's says for it; a number that is no word's is no word there."""
    given = json_format.MessageToDict(endpoint_pb2.Endpoint(**fields))
    user = given.pop("user", {})
    line: dict[str, Any] = {"Id": id_of(index, fields)}
    given.pop("name", "")
    for key, value in given.items():
        line[_HEADERS.get(key, key[0].upper() + key[1:])] = _plain(key, value)
    if user:
        line["User"] = {
            "UserId": user.get("userId", ""),
            "UserAttributes": _plain("attributes", user.get("attributes", {})),
        }
    return line


_HEADERS = {"status": "EndpointStatus"}


def _plain(key: str, value: Any) -> Any:
    if key == "attributes":
        return {one: texts["values"] for one, texts in value.items()}
    if key in ("demographic", "location"):
        return {one[0].upper() + one[1:]: text for one, text in value.items()}
    return str(value) if isinstance(value, int) else value


def flat(line: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Headers with cells; several values are several columns of a name."""
    cells: list[tuple[str, str]] = []
    for key, value in line.items():
        if isinstance(value, dict):
            cells += flat(value, f"{before}{key}.")
        else:
            texts = value if isinstance(value, list) else [value]
            cells += [(before + key, str(text)) for text in texts]
    return cells


def as_csv(cells: list[tuple[str, str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(zip(*cells, strict=True))
    return written.getvalue().encode()


async def refused(call: Awaitable[Any]) -> Error:
    with pytest.raises(InvalidArgument) as refusal:
        await call
    return refusal.value


DOORS: list[Callable[[Room, list[dict[str, Any]]], Awaitable[Told]]] = [
    *(by_update, by_creation, by_batch, by_stream, by_json, by_csv),
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
async def test_the_same_fault_has_the_same_reason_at_every_door(room: Room, door: Any) -> None:
    # CSV has names in its header: with a bad one, the whole file is refused.
    unsaid = "ATTRIBUTE_NAME_INVALID" if door is by_csv else ""
    faults = [one for one in FAULTS if one[1] != unsaid]

    told = await door(room, [fields for fields, _, _ in faults])

    assert told == [reason for _, reason, _ in faults]


async def test_a_refused_call_names_the_field(room: Room) -> None:
    for index, (fields, _, field) in enumerate(FAULTS):
        refusal = await refused(room.endpoints.UpdateEndpoint(upsert(index, fields)))

        assert refusal.violations[0].field == field


@pytest.mark.parametrize(
    ("user", "attributes", "reason"),
    [
        ("u" * 201, values(a=["x"]), "USER_ID_INVALID"),
        ("u", values(a=[LONG]), "ATTRIBUTE_VALUE_TOO_LONG"),
        ("u", values(a=["x"] * 51), "ATTRIBUTE_VALUES_TOO_MANY"),
    ],
)
async def test_a_user_is_refused_for_what_an_endpoint_with_it_is(
    room: Room, user: str, attributes: dict[str, Any], reason: str
) -> None:
    profile = {"name": f"{SHOP}/users/{user}", "attributes": attributes}
    request = user_service_pb2.UpdateUserRequest(user=profile, allow_missing=True)

    assert (await refused(room.users.UpdateUser(request))).reason == reason
