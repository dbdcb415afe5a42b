"""The control door of a peer, over real HTTP."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from localmesh.peers.control import Control
from localmesh.peers.journal import Journal
from localmesh.peers.remote import ControlRefusedError, RemotePeer
from pydantic import BaseModel


class Mood(BaseModel):
    """What a peer might be told."""

    delay_seconds: float = 0.0
    refuse: list[str] = []


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[tuple[Control[Mood], RemotePeer]]:
    control = Control(tmp_path, Mood())
    port = await control.start()
    yield control, RemotePeer(f"127.0.0.1:{port}")
    await control.stop()


async def test_the_log_is_read_page_by_page_from_where_one_left_off(control) -> None:
    inside, outside = control
    inside.journal.extend("seen", [{"number": number} for number in range(25_000)])
    inside.journal.append("refused", why="mood")
    assert await outside.count() == {"seen": 25_000, "refused": 1}
    assert [e["number"] async for e in outside.log(after=24_998, kind="seen")] == [24_998, 24_999]
    assert sum([1 async for _ in outside.log()]) == 25_001


async def test_behaviour_changes_field_by_field_and_goes_back(control) -> None:
    inside, outside = control
    await outside.behave(delay_seconds=2)
    assert (await outside.behave(refuse=["x"])) == {"delay_seconds": 2.0, "refuse": ["x"]}
    assert inside.behaviour.delay_seconds == 2.0
    await outside.behave_normally()
    assert inside.behaviour == Mood()


@pytest.mark.parametrize("changes", [{"delay": 1}, {"delay_seconds": "soon"}])
async def test_what_the_peer_does_not_know_is_refused_by_name(control, changes) -> None:
    inside, outside = control
    with pytest.raises(ControlRefusedError, match="delay"):
        await outside.behave(**changes)
    assert inside.behaviour == Mood()


async def test_a_call_that_does_not_exist_names_those_that_do(control) -> None:
    _, outside = control
    with pytest.raises(ControlRefusedError, match="GET /count"):
        await outside.call("GET", "/counts")


async def test_a_nonsense_number_is_refused(control) -> None:
    _, outside = control
    with pytest.raises(ControlRefusedError, match="after is not a whole number"):
        await outside.call("GET", "/log?after=yesterday")


def test_a_journal_goes_on_where_a_killed_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = Journal(path)
    first.append("seen", number=1)
    first.close()
    with path.open("ab") as torn:
        torn.write(b'{"sequence": 2, "ki')
    again = Journal(path)
    assert again.append("seen", number=2)["sequence"] == 2
    assert [entry["number"] for entry in again.read(0, 10)] == [1, 2]
    assert again.counts == {"seen": 2}
    assert path.read_bytes().count(os.linesep.encode()) == 2
    again.close()


def test_fields_cannot_take_the_names_of_the_journal(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")

    journal.extend("part", [{"sequence": 7, "kind": "else"}, {"sequence": 1}])

    assert [(entry["sequence"], entry["kind"]) for entry in journal.read(0, 10)] == [
        (1, "part"),
        (2, "part"),
    ]
    journal.close()
