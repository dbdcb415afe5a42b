"""AIP-160 filters: what is read, and what is refused at which character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.aip import filters
from mesh.aip.filters import And, Filter, Not, Or, Restriction
from mesh.errors import InvalidArgument


def one(path: str, comparator: str, value: str, position: int, *, presence: bool = False) -> Filter:
    return Restriction(tuple(path.split(".")), comparator, value, presence, position)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        ("  \n", None),
        ("a = 1", one("a", "=", "1", 1)),
        ("a=1", one("a", "=", "1", 1)),
        ("a.b >= -1.5", one("a.b", ">=", "-1.5", 1)),
        ("a:*", one("a", ":", "*", 1, presence=True)),
        ('a:"*"', one("a", ":", "*", 1)),
        ("a = 2026-03-01T10:30:00Z", one("a", "=", "2026-03-01T10:30:00Z", 1)),
        (r'a = "x \" \\ y"', one("a", "=", 'x " \\ y', 1)),
        ('a."b c.d" : x', Restriction(("a", "b c.d"), ":", "x", False, 1)),
        ("NOT a = 1", Not(one("a", "=", "1", 5))),
        ("-a = 1", Not(one("a", "=", "1", 2))),
        ("a = 1 AND b = 2", And((one("a", "=", "1", 1), one("b", "=", "2", 11)))),
        ("a = 1 b = 2", And((one("a", "=", "1", 1), one("b", "=", "2", 7)))),
        (
            "a = 1 AND b = 2 OR c = 3",
            And(
                (one("a", "=", "1", 1), Or((one("b", "=", "2", 11), one("c", "=", "3", 20)))),
            ),
        ),
        (
            "(a = 1 AND b = 2) OR c = 3",
            Or((And((one("a", "=", "1", 2), one("b", "=", "2", 12))), one("c", "=", "3", 22))),
        ),
        ("ANDY = ORB", one("ANDY", "=", "ORB", 1)),
    ],
)
def test_a_filter_is_read_as_its_tree(text: str, tree: Filter | None) -> None:
    assert filters.parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position"),
    [("a=1", 3), ("a =  1", 6), ('a = "x"', 5), ("  a.b:*", 7), ("NOT (a != '')", 11)],
)
def test_a_comparison_says_where_its_value_begins(text: str, position: int) -> None:
    tree = filters.parse(text)
    found = tree.inner if isinstance(tree, Not) else tree

    assert isinstance(found, Restriction)
    assert found.value_position == position


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a", 2),
        ("a =", 4),
        ("= 1", 1),
        ("a = 1 AND", 10),
        ("a = 1 OR AND b = 1", 10),
        ("(a = 1", 7),
        ("a = 1)", 6),
        ("a. = 1", 4),
        ('a = "x', 5),
        ("a = 'it''", 9),
        ("f(x) = 1", 2),
        ("a = (1)", 5),
        ("(" * 17 + "a=1" + ")" * 17, 17),
        ("a=1 " * 101, 401),
        ("x" * 5000, 4096),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, position: int) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        filters.parse(text)

    assert refusal.value.reason == "FILTER_INVALID"
    assert refusal.value.metadata["position"] == str(position)
    assert refusal.value.violations[0].field == "filter"


@given(st.text("ab.:=<>!()\"'\\-* ANDORT1", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    position = 1
    try:
        filters.parse(text)
    except InvalidArgument as refusal:
        position = int(refusal.metadata["position"])
    assert 1 <= position <= len(text) + 1
