"""What a mesh keeps in its folder: ports, keys and tokens."""

import socket
import stat
from pathlib import Path

import pytest
from heliograph.connection import NoMeshError
from localmesh.keys import Keys
from localmesh.layout import Layout
from localmesh.ports import PortBook
from localmesh.tokens import mint
from mesh.rpc.auth import ALL
from mesh.rpc.auth import keys as public
from mesh.rpc.auth.tokens import Verifier


def _book(folder: Path) -> tuple[PortBook, list[str]]:
    lines: list[str] = []
    return PortBook(folder / "ports.json", lines.append), lines


def test_a_port_is_chosen_once(tmp_path: Path) -> None:
    first, _ = _book(tmp_path)
    chosen = {name: first.port(name) for name in ("audience", "campaign")}
    again, lines = _book(tmp_path)
    assert {name: again.port(name) for name in chosen} == chosen
    assert len(set(chosen.values())) == 2
    assert lines == []
    assert again.moved == {}


def test_a_port_that_was_taken_meanwhile_is_reported_and_replaced(tmp_path: Path) -> None:
    first, _ = _book(tmp_path)
    port = first.port("audience")
    with socket.create_server(("127.0.0.1", port)):
        again, lines = _book(tmp_path)
        other = again.port("audience")
    assert other != port
    assert lines == [f"port {port} of audience is in use by another program; taking {other}"]
    assert again.moved == {"audience": port}
    assert _book(tmp_path)[0].port("audience") == other


@pytest.mark.parametrize("content", ["", "{", "[]", '{"audience": '])
def test_a_half_written_book_is_written_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)
    port = _book(tmp_path)[0].port("audience")
    assert _book(tmp_path)[0].port("audience") == port


def test_keys_are_made_once_and_are_nobody_elses_to_read(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    assert Keys(tmp_path / "keys").public_pem == keys.public_pem
    assert Keys(tmp_path / "keys").secrets_key == keys.secrets_key
    assert Keys(tmp_path / "keys").erasure_key == keys.erasure_key != keys.secrets_key
    for file in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_token_of_the_folder_verifies_with_its_public_key(tmp_path: Path) -> None:
    keys = Keys(Layout(tmp_path).keys)
    token = mint(tmp_path, ["shop"], "reader", "somebody", 1)
    verifier = Verifier(public.public_keys(keys.public_pem))
    caller = verifier.verify(token)
    assert (caller.subject, caller.applications, caller.roles) == (
        "somebody",
        frozenset({"shop"}),
        frozenset({"reader"}),
    )


@pytest.mark.parametrize(
    "name", ["Bad Name", "ab", "1shop", "shop\n", "", "applications/", "a" * 64]
)
def test_a_token_for_no_possible_application_is_refused(tmp_path: Path, name: str) -> None:
    Keys(tmp_path / "keys")

    with pytest.raises(ValueError, match="3 to 63 lower-case letters"):
        mint(tmp_path, ["shop", name], "reader", "somebody", 1)


@pytest.mark.parametrize(
    ("names", "good_for"),
    [(["shop", "applications/b-2"], {"shop", "b-2"}), (None, {"*"}), (["*"], {"*"})],
)
def test_a_token_names_the_ids_of_its_applications(tmp_path: Path, names, good_for) -> None:
    keys = Keys(tmp_path / "keys")

    token = mint(tmp_path, names, "reader", "somebody", 1)

    caller = Verifier(public.public_keys(keys.public_pem)).verify(token)
    assert caller.applications == (ALL if good_for == {"*"} else good_for)


def test_without_a_mesh_there_is_no_token(tmp_path: Path) -> None:
    with pytest.raises(NoMeshError, match="start one with"):
        mint(tmp_path / "none", None, "admin", "somebody", 1)
    assert not (tmp_path / "none").exists()
