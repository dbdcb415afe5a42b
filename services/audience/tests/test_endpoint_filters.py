"""`ListEndpoints` with filters: case by case, and against a plain evaluator on random data."""

import operator
import re
from datetime import datetime
from typing import Any

import asyncpg
import audience_samples as samples
import pytest
from audience.endpoints import queries, store, writing
from audience.endpoints.states import State
from audience_room import SHOP, Room, name, values
from heliograph.audience.v1 import endpoint_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mesh.aip import filters
from mesh.errors import InvalidArgument

COUNT = 150
ORDER = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


async def found(room: Room, asked: str) -> list[str]:
    request = pb.ListEndpointsRequest(parent=SHOP, filter=asked)
    answer = await room.endpoints.ListEndpoints(request)
    return [one.name.rpartition("/")[2] for one in answer.endpoints]


async def people(room: Room) -> None:
    await room.write(
        "ann",
        channel_type=1,
        address="+14155550101",
        attributes=values(color=["red", "blue"], **{"a.b": ["x"]}),
        metrics={"age": 31},
        user={"user_id": "u1", "attributes": values(tier=["gold"])},
        demographic={"make": "LG", "timezone": "Europe/Berlin"},
        location={"city": "São Paulo", "country": "BR", "latitude": -23.5, "longitude": -46.6},
    )
    await room.write(
        "bob",
        channel_type=2,
        address="bob@example.com",
        opt_out="ALL",
        refused_topics=["news"],
        user={"user_id": "u2"},
    )
    await room.write("cas", channel_type=3, address="token", status="INACTIVE")


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("", "ann bob cas"),
        ("channel_type = SMS", "ann"),
        ("channel_type != SMS", "bob cas"),
        ("channel_type = GCM", "cas"),
        ('address = "+14155550101"', "ann"),
        ('address = "bob@EXAMPLE.com"', "bob"),
        ('address = "Bob@example.com"', ""),
        ('address != "bob@EXAMPLE.com"', "ann cas"),
        ('address = "+1 (415) 555-0101"', "ann"),
        ('address = " bob@Example.com "', "bob"),
        ("address = token", "cas"),
        ("address = +14155550101 AND status = ACTIVE", "ann"),
        ("status = INACTIVE", "cas"),
        ("NOT status = INACTIVE", "ann bob"),
        ("opt_out = ALL", "bob"),
        ("refused_topics:news", "bob"),
        ("refused_topics:*", "bob"),
        ('user.user_id = "u1" OR user.user_id = "u2"', "ann bob"),
        ("user.user_id:*", "ann bob"),
        ("-user:*", "cas"),
        ("user.attributes.tier = gold", "ann"),
        ("user.attributes:tier", "ann"),
        ("attributes.color = blue", "ann"),
        ("attributes.color:blue", "ann"),
        ("attributes.color != blue", "bob cas"),
        ('attributes."a.b":x', "ann"),
        ("attributes:color", "ann"),
        ("attributes.color:*", "ann"),
        ("metrics.age >= 31", "ann"),
        ("metrics.age > 31", ""),
        ("metrics.age != 31", "bob cas"),
        ("metrics:age", "ann"),
        ("demographic.make = LG", "ann"),
        ('demographic.timezone = "Europe/Berlin"', "ann"),
        ("demographic.make:*", "ann"),
        ('location.city = "São Paulo" location.country = BR', "ann"),
        ("location.latitude < -23.4", "ann"),
        ("location.longitude:*", "ann"),
        ("create_time > 2020-01-01", "ann bob cas"),
        ("update_time < 2020-01-01T00:00:00Z", ""),
        (f'name = "{name("bob")}"', "bob"),
        ('name = "applications/other/endpoints/bob"', ""),
        (f'name != "{name("bob")}"', "ann cas"),
    ],
)
async def test_a_filter_finds_what_it_says(room: Room, asked: str, wanted: str) -> None:
    await people(room)

    assert await found(room, asked) == wanted.split()


@pytest.mark.parametrize(
    ("asked", "position", "words"),
    [
        ("color = red", 1, "'color' is no field"),
        ("status = ACTIVE AND etag = 1", 21, "'etag' is no field"),
        ("channel_type = FAX", 16, "'FAX' is none of SMS, EMAIL"),
        ("status > ACTIVE", 1, "cannot be compared by >"),
        ("metrics.age = old", 15, "'old' is not a number"),
        ("metrics.age = 1_000", 15, "is not a number"),
        ("metrics.age:31", 1, "cannot be compared by :"),
        ("create_time > yesterday", 15, "is no ISO 8601 instant"),
        ('create_time >  "2026-13-01"', 16, "'2026-13-01' is no ISO 8601 instant"),
        ("demographic.size = 1", 1, "demographic.size is no field"),
        ("demographic = 1", 1, "demographic is no field"),
        ("address.x = 1", 1, "address.x is no field"),
        ("user.name = x", 1, "only user_id and attributes"),
        ("address = 'a\0b'", 11, "U+0000"),
        ("name = e1", 8, "applications/{application}/endpoints/{endpoint}"),
        ("status = ", 10, "a value is missing"),
    ],
)
async def test_a_filter_that_cannot_be_asked_is_refused_with_its_place(
    room: Room, asked: str, position: int, words: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await found(room, asked)

    assert refusal.value.reason == "FILTER_INVALID"
    assert refusal.value.metadata["position"] == str(position)
    assert f"at character {position}: " in str(refusal.value)
    assert words in str(refusal.value)


async def test_pages_of_a_filter_belong_to_it(room: Room) -> None:
    for index in range(9):
        make = "LG" if index % 2 else "Apple"
        await room.write(
            f"e{index}", channel_type=3, address=f"t{index}", demographic={"make": make}
        )
    asked = {"parent": SHOP, "page_size": 3, "filter": "demographic.make = LG"}
    first = await room.endpoints.ListEndpoints(pb.ListEndpointsRequest(**asked))
    rest = await room.endpoints.ListEndpoints(
        pb.ListEndpointsRequest(**asked, page_token=first.next_page_token)
    )

    assert [one.name for one in (*first.endpoints, *rest.endpoints)] == [
        name(f"e{index}") for index in (1, 3, 5, 7)
    ]
    with pytest.raises(InvalidArgument):
        await room.endpoints.ListEndpoints(
            pb.ListEndpointsRequest(parent=SHOP, page_token=first.next_page_token)
        )


def quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def equality(path: str, texts: Any) -> Any:
    return st.builds(
        lambda comparator, text: f"{path} {comparator} {quoted(text)}",
        st.sampled_from(["=", "!="]),
        texts,
    )


def order(path: str, numbers: Any) -> Any:
    return st.builds(
        lambda comparator, number: f"{path} {comparator} {number}",
        st.sampled_from([*ORDER, "!="]),
        numbers,
    )


days = st.integers(-1, 6)
names = st.sampled_from(samples.NAMES)
texts = st.sampled_from(samples.TEXTS)
restrictions = st.one_of(
    equality("channel_type", st.sampled_from(["SMS", "EMAIL", "PUSH_FCM"])),
    equality("status", st.sampled_from(["ACTIVE", "INACTIVE"])),
    equality("opt_out", st.sampled_from(["ALL", "NONE"])),
    equality("user.user_id", st.sampled_from([*samples.USERS, ""])),
    equality("demographic.make", st.sampled_from([*samples.MAKES, "x"])),
    equality("location.city", st.sampled_from(samples.CITIES)),
    st.builds(lambda key, text: f"attributes.{quoted(key)}:{quoted(text)}", names, texts),
    st.builds(lambda key, text: f"user.attributes.{quoted(key)}={quoted(text)}", names, texts),
    st.builds(lambda key: f"attributes.{quoted(key)}:*", names),
    st.builds(lambda key: f"metrics.{key}:*", st.sampled_from(samples.METRICS)),
    order("metrics.age", st.sampled_from(samples.NUMBERS)),
    order("location.latitude", st.sampled_from([-23.5, 0, 52.5])),
    order(
        "update_time", st.integers(-1, 6).map(lambda day: quoted(samples.moment(day).isoformat()))
    ),
)
trees = st.recursive(
    restrictions,
    lambda inner: st.one_of(
        st.builds(lambda one: f"NOT ({one})", inner),
        st.builds(lambda one, two: f"({one}) AND ({two})", inner, inner),
        st.builds(lambda one, two: f"({one}) OR ({two})", inner, inner),
    ),
    max_leaves=6,
)


def holds(tree: filters.Filter, state: State, users: dict[str, Any]) -> bool:
    """The filter in plain Python."""
    if isinstance(tree, filters.Not):
        return not holds(tree.inner, state, users)
    if isinstance(tree, filters.And):
        return all(holds(part, state, users) for part in tree.parts)
    if isinstance(tree, filters.Or):
        return any(holds(part, state, users) for part in tree.parts)
    if tree.comparator == "!=":
        return not compared(tree, "=", state, users)
    return compared(tree, tree.comparator, state, users)


def compared(asked: filters.Restriction, comparator: str, state: State, users: Any) -> bool:
    head, last = asked.path[0], asked.path[-1]
    if head in ("channel_type", "status", "opt_out"):
        field = endpoint_pb2.Endpoint.DESCRIPTOR.fields_by_name[head]
        return bool(getattr(state, head) == field.enum_type.values_by_name[asked.value].number)
    if asked.path == ("user", "user_id"):
        return state.user_id == asked.value != ""
    if "attributes" in asked.path:
        listed = state.attributes if head == "attributes" else users.get(state.user_id, {})
        return last in listed if asked.presence else asked.value in listed.get(last, [])
    if head == "update_time":
        return ORDER[comparator](state.update_time, datetime.fromisoformat(asked.value))
    value = getattr(state, head).get(last)
    if asked.presence or value is None:
        return asked.presence and value is not None
    return ORDER[comparator](
        value, float(asked.value) if head == "metrics" or last == "latitude" else asked.value
    )


async def test_the_sql_of_a_filter_agrees_with_a_plain_evaluator(
    database_url: str, reading: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    async with reading.acquire() as connection:
        await samples.open_application(connection, "shop")
        for index, patch in enumerate(samples.patches(5, COUNT)):
            async with connection.transaction():
                await writing.write_few(connection, "shop", [patch], samples.moment(index))
        ids = await connection.fetch("SELECT endpoint FROM endpoint")
        states = await store.read(connection, "shop", [row[0] for row in ids])
        rows = await connection.fetch("SELECT user_id, attributes FROM user_profile")
    users = {row[0]: row[1] for row in rows}
    given_trees: list[str] = []

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(trees)
    def gather(text: str) -> None:
        given_trees.append(text)

    gather()
    for text in given_trees:
        tree = filters.parse(text)
        assert tree is not None
        page = await queries.page(reading, "shop", asked=text, after="", limit=COUNT)
        wanted = sorted(key for key, state in states.items() if holds(tree, state, users))
        assert [row[0] for row in page] == wanted, text
