"""The `heliograph` command, as a stranger would use it, against the mesh."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

ROOT = Path(__file__).parents[2]
FEW = ROOT / "deploy" / "local" / "few.csv"


@pytest.fixture
def heliograph(local_mesh):
    """Run the command; exit status, standard output and standard error."""

    async def run(*arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "heliograph.cli",
            *arguments,
            env={**os.environ, "HELIOGRAPH_DATA": str(local_mesh.layout.root), "COLUMNS": "200"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        assert "Traceback" not in err.decode(), err.decode()
        return process.returncode, out.decode(), err.decode()

    return run


async def test_the_quick_start_of_the_readme(heliograph):
    async def ok(*arguments):
        status, out, err = await heliograph(*arguments)
        assert status == 0, err
        return out

    await ok("apps", "create", "readme")
    await ok("setup", "--app", "readme", "--number", "+12125550900", "--number", "+14165550900")
    imported = json.loads(await ok("endpoints", "import", str(FEW), "--app", "readme", "--json"))
    assert (imported[0]["imported_count"], imported[0]["failed_count"]) == ("4", "1")
    assert imported[0]["failures"][0]["line"] == "6"
    phones = '{"channel": {"operator": "INCLUSIVE", "channel_types": ["SMS"]}}'
    await ok("segments", "create", "everyone", phones, "--app", "readme")
    counted = json.loads(await ok("segments", "count", "everyone", "--app", "readme", "--json"))
    assert counted["total"] == "3"
    assert "+12127370101" in await ok("segments", "preview", "everyone", "--app", "readme")
    await ok(
        *("campaigns", "create", "hello", "--app", "readme", "--segment", "everyone"),
        *("--sms", "Hello {{User.UserAttributes.FirstName.[0]}}!", "--sms", "Hi!"),
    )
    await ok("campaigns", "launch", "hello", "--app", "readme")
    run = json.loads(await ok("campaigns", "watch", "hello", "--app", "readme", "--json"))
    assert run["state"] == "COMPLETED"
    assert sum(int(row["count"]) for row in run["counts"]) == 3
    await ok("inbound", "STOP", "--source", "+12127370101", "--to", "+12125550900")

    async def heard():
        return "OPT_OUT" in await ok("inbound", "--app", "readme")

    await eventually(heard)
    await ok("inbound", "Aide", "--source", "+14165550901", "--to", "+14165550900")

    async def helped():
        _, out, _ = await heliograph("conversations", "show", "+14165550901", "--app", "readme")
        return "DELIVERED" in out

    await eventually(helped)
    await ok("pools", "create", "hats", "--app", "readme", "--first", "+14165550900")
    await ok("send", "+14165550902", "--app", "readme", "--sms", "Hats!", "--from", "pool:hats")

    async def sent_from_the_pool():
        listed = await ok("messages", "--app", "readme", "--to", "+14165550902", "--json")
        return [row["origination_identity"] for row in json.loads(listed)] == ["+14165550900"]

    await eventually(sent_from_the_pool)
    await ok("send", "+12127370101", "--app", "readme", "--sms", "Not after STOP", "--promotional")

    async def refused():
        listed = await ok("messages", "--app", "readme", "--to", "+12127370101", "--json")
        return any(row["reason"] == "OPTED_OUT" for row in json.loads(listed))

    await eventually(refused)
    told = await ok("endpoints", "explain", "e1", "--app", "readme", "--campaign", "hello")
    assert "OPTED_OUT" in told
    await ok("events", "put", "cart.add", "--app", "readme", "--endpoint", "e1")
    report = json.loads(await ok("report", "hello", "--app", "readme", "--json"))
    assert report["campaign"] == "applications/readme/campaigns/hello"
    (begun,) = json.loads(await ok("campaigns", "runs", "hello", "--app", "readme", "--json"))
    assert (begun["name"], begun["state"]) == (run["name"], "COMPLETED")
    assert "hello" in await ok("campaigns", "show", "hello", "--app", "readme")
    assert await ok("campaigns", "delete", "hello", "--app", "readme", "--yes") == ""


async def test_opt_outs_of_another_platform_are_brought_over_and_taken_out(heliograph, tmp_path):
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    theirs.write_text("phone_number,opt_out_time\n+12127370171,2024-05-01T10:00:00Z\nnobody,\n")

    told, out, err = await heliograph(
        *("opt-outs", "import", str(theirs), "--app", "moved", "--comment", "moved", "--json")
    )
    taken, _, _ = await heliograph("opt-outs", "export", str(ours), "--app", "moved")
    there, files, err = await heliograph(
        *(
            "opt-outs",
            "export",
            "--folder",
            "all",
            "--compression",
            "gzip",
            "--app",
            "moved",
            "--json",
        )
    )
    assert there == 0, err
    (uri,) = json.loads(files)["uris"]
    back, _, whence = await heliograph("opt-outs", "import", uri, "--app", "moved")
    counted, counts, _ = await heliograph("opt-outs", "count", "--app", "moved", "--by", "campaign")
    refused, _, why = await heliograph(
        *("opt-outs", "import", str(theirs), "--app", "moved", "--list", "nowhere")
    )

    assert (told, taken, counted, refused) == (0, 0, 0, 1), err
    assert json.loads(out)["opted_out_count"] == "1"
    assert json.loads(out)["refusals"][0]["line"] == "3"
    header, line = ours.read_text().splitlines()
    assert line == "+12127370171,2024-05-01T10:00:00Z,false"
    assert header.startswith("phone_number,opt_out_time")
    # What is exported lies in another folder than what is imported.
    assert back == 1
    assert "No such file" in whence
    assert "campaign" in counts
    assert "NOT_FOUND" in why


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["segments", "count", "nothing", "--app", "nowhere"], "NOT_FOUND"),
        (["segments", "create", "x", "{}", "--app", "nowhere"], "INVALID_ARGUMENT"),
        (
            ["segments", "create", "x", '{"nonsense": 1}', "--app", "nowhere"],
            "not a segment filter",
        ),
        (["endpoints", "import", "missing.csv", "--app", "nowhere"], "missing.csv"),
        (["campaigns", "launch", "nothing", "--app", "nowhere"], "NOT_FOUND"),
        (["campaigns", "create", "c", "--app", "x", "--segment", "s"], "--sms, --email or --push"),
        (["apps", "create", "Not An Id"], "application_id"),
        (["send", "+1", "--app", "nowhere"], "--sms, --email and --push"),
        (["inbound", "STOP"], "--source"),
    ],
)
async def test_a_mistake_is_answered_with_a_sentence(heliograph, arguments, said):
    status, _, err = await heliograph(*arguments)

    assert status != 0
    assert said in err


async def test_a_token_for_one_application_opens_no_other(heliograph, shop, monkeypatch):
    status, token, _ = await heliograph("token", "--app", "elsewhere")
    monkeypatch.setenv("HELIOGRAPH_TOKEN", token.strip())

    refused, _, err = await heliograph("segments", "count", "everybody", "--app", shop.app)

    assert status == 0
    assert refused != 0
    assert "PERMISSION_DENIED" in err


async def test_without_a_mesh_the_command_says_how_to_start_one(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliograph.cli", "apps", "list"),
        env={**os.environ, "HELIOGRAPH_DATA": str(tmp_path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()

    assert process.returncode != 0
    assert "make up" in err.decode()


async def test_an_application_is_deleted_when_that_is_meant(heliograph):
    await heliograph("apps", "create", "unwanted")
    await heliograph("endpoints", "import", str(FEW), "--app", "unwanted")

    unsure = await heliograph("apps", "delete", "unwanted")
    status, out, err = await heliograph("apps", "delete", "unwanted", "--yes", "--json")
    again = await heliograph("apps", "show", "unwanted")

    assert unsure[0] == 2
    assert status == 0, err
    erased = {one["service"]: one["erased_rows"] for one in json.loads(out)}
    assert erased.keys() == {"audience", "campaign", "messaging", "analytics", "twoway"}
    assert erased["audience"]["endpoint"] == "4"
    assert again[0] == 1
    assert "was deleted" in again[2]
