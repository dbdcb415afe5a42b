"""A client in another language, against the mesh."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

ROOT = Path(__file__).parents[2]
NODE = ROOT / "tests" / "node"


async def run(*command: str, cwd: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


@pytest.fixture(scope="session")
async def node_folder(tmp_path_factory):
    """The client with its packages installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed on this machine")
    folder = tmp_path_factory.mktemp("node")
    for file in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(NODE / file, folder / file)
    status, out = await run("npm", "ci", "--no-audit", "--no-fund", cwd=folder)
    if status != 0:
        pytest.skip(f"no npm registry is reachable: {out[-300:]}")
    return folder


async def test_node_counts_a_segment(shop, node_folder, tmp_path):
    await shop.import_phones(7, tmp_path)
    segment = f"{shop.parent}/segments/everybody"
    address, token = shop.client.connection.addresses["audience"], shop.client.connection.token

    status, out = await run(
        *("node", "client.mjs", str(ROOT / "protos"), address, token, segment), cwd=node_folder
    )

    assert status == 0, out
    assert json.loads(out)["total"] == 7


async def test_node_is_told_what_is_wrong(shop, node_folder):
    address, token = shop.client.connection.addresses["audience"], shop.client.connection.token
    missing = f"{shop.parent}/segments/nothing"

    status, out = await run(
        *("node", "client.mjs", str(ROOT / "protos"), address, token, missing), cwd=node_folder
    )

    assert status == 1
    assert out.startswith("NOT_FOUND: ")
