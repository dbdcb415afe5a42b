"""The words of the command about numbers, pools, sender ids, keywords, opt-outs and alarms."""

import asyncio
import csv
import json
from pathlib import Path
from typing import Any

import pytest_asyncio
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.sealing import Sealer
from mesh.testkit.rpc import RpcServe
from mesh.testkit.tokens import MintToken
from twoway.imports.importing import Importer
from twoway.webhooks.rules import Webhooks
from twoway_commands import Commands, commands
from twoway_room import NUMBER, SHOP, Room, sms

APP = ["--app", "shop"]
JSON = [*APP, "--json"]
OTHER = "+12065550101"
PHONE = "+12065550191"
SEALED = Webhooks(Sealer("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))


@pytest_asyncio.fixture(loop_scope="session")
async def room(database_url: str, sessions: Any, asking: Any, rpc_client: Any) -> Any:
    async with Room(database_url, sessions, asking, rpc_client, webhooks=SEALED) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def heliograph(
    room: Room, rpc_serve: RpcServe, mint_token: MintToken, tmp_path: Path
) -> Commands:
    """Run commands; what each answered."""
    return commands(await rpc_serve(room.services), mint_token(), tmp_path)


async def test_a_number_is_registered_described_changed_and_released_with_every_setting(
    heliograph: Commands, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("correct horse battery staple\n")
    made, registered, listed, changed, refused, _, unsure, released, gone = await heliograph(
        ["opt-out-lists", "create", "marketing", *JSON],
        [
            *("numbers", "register", NUMBER, "--type", "ten-dlc", "--message-type", "promotional"),
            *("--two-way", "on", "--opt-out-list", "marketing", "--self-managed-opt-outs", "on"),
            *("--rule-set", "us", "--deletion-protection", "on", "--display-name", "Sales"),
            *("--capability", "sms", "--capability", "mms", "--webhook", "https://example.org/in"),
            *("--webhook-secret-file", "secret", *JSON),
        ],
        ["numbers", "list", "--opt-out-list", "marketing", *JSON],
        [
            *("numbers", "update", NUMBER, "--self-managed-opt-outs", "off", "--rule-set", ""),
            *("--webhook", "", *JSON),
        ],
        ["numbers", "release", NUMBER, *APP, "--yes"],
        ["numbers", "update", NUMBER, "--deletion-protection", "off", *APP],
        ["numbers", "release", NUMBER, *APP],
        ["numbers", "release", NUMBER, *APP, "--yes"],
        ["numbers", "show", NUMBER, *APP],
    )

    assert made.json()["name"] == f"{SHOP}/optOutLists/marketing"
    number = registered.json()
    assert (number["type"], number["message_type"]) == ("TEN_DLC", "PROMOTIONAL")
    assert (number["capabilities"], number["rule_set"]) == (["SMS", "MMS"], "US")
    assert number["two_way_enabled"]
    assert number["self_managed_opt_outs_enabled"]
    assert number["deletion_protection_enabled"]
    assert number["opt_out_list"] == f"{SHOP}/optOutLists/marketing"
    assert number["two_way_webhook"]["uri"] == "https://example.org/in"
    assert "horse" not in registered.out
    assert [one["name"] for one in listed.json()] == [number["name"]]
    after = changed.json()
    assert not after["self_managed_opt_outs_enabled"]
    assert (after["rule_set"], "two_way_webhook" in after) == ("RULE_SET_UNSPECIFIED", False)
    assert (after["two_way_enabled"], after["display_name"]) == (True, "Sales")
    assert (refused.status, "protected" in refused.err) == (1, True)
    assert (unsure.status, released.status, gone.status) == (2, 0, 1)
    assert "--yes" in unsure.err


async def test_a_pool_is_made_joined_asked_and_left(heliograph: Commands) -> None:
    answers = await heliograph(
        ["numbers", "register", NUMBER, "--two-way", "on", *APP],
        ["numbers", "register", OTHER, "--two-way", "on", *APP],
        ["sender-ids", "register", "DE-ACME", "--message-type", "transactional", *JSON],
        ["pools", "create", "support", "--first", NUMBER, "--rule-set", "us", *JSON],
        ["pools", "add", "support", OTHER, *APP],
        ["pools", "update", "support", "--rule-set", "us", *APP],
        ["numbers", "update", OTHER, "--rule-set", "us", *APP],
        ["pools", "add", "support", OTHER, *JSON],
        ["pools", "add", "support", "DE-ACME", *JSON],
        ["pools", "members", "support", *JSON],
        ["pools", "select", "+4915112345678", "--pool", "support", *JSON],
        ["numbers", "list", "--pool", "support", *APP],
        ["pools", "remove", "support", "DE-ACME", *JSON],
        ["pools", "delete", "support", *APP, "--yes"],
        ["sender-ids", "list", *JSON],
    )

    assert answers[2].json()["message_types"] == ["TRANSACTIONAL"]
    assert (answers[3].json()["member_count"], answers[3].json()["rule_set"]) == (1, "US")
    assert (answers[4].status, "rule" in answers[4].err.lower()) == (1, True)
    assert [answers[at].json()["member_count"] for at in (7, 8, 12)] == [2, 3, 2]
    assert len(answers[9].json()) == 3
    assert answers[10].json()["origination_identity"] == f"{SHOP}/senderIds/DE-ACME"
    assert OTHER in answers[11].out
    assert answers[13].status == 0
    assert answers[14].json()[0]["pools"] == []


async def test_a_keyword_asks_twice_in_two_languages_for_a_time(heliograph: Commands) -> None:
    _, made, shown, explained, changed, listed, unsure, deleted, mistake = await heliograph(
        ["numbers", "register", NUMBER, "--two-way", "on", *APP],
        [
            *("keywords", "create", "JOIN", "--of", NUMBER, "--action", "opt-in"),
            *("--reply", "Reply YES.", "--reply-in", "fr=Repondez OUI.", "--double-opt-in", "on"),
            *("--confirm-word", "yes", "--confirm-word", "oui", "--confirm-window", "2h"),
            *("--start", "2026-11-01T00:00:00Z", "--end", "2036-12-01T00:00:00Z", *JSON),
        ],
        ["keywords", "show", "join", "--of", NUMBER, *APP],
        ["keywords", "explain", "join us", "--of", NUMBER, *JSON],
        [
            *("keywords", "update", "join", "--of", NUMBER, "--end", ""),
            *("--reply-in", "de=Antworten Sie JA.", "--confirmed-reply", "Welcome!", *JSON),
        ],
        ["keywords", "list", "--of", NUMBER, *APP],
        ["keywords", "delete", "join", "--of", NUMBER, *APP],
        ["keywords", "delete", "join", "--of", NUMBER, *APP, "--yes"],
        ["keywords", "update", "stop", "--of", NUMBER, "--reply-in", "bonjour", *APP],
    )

    keyword = made.json()
    assert (keyword["action"], keyword["double_opt_in"]) == ("OPT_IN", True)
    assert keyword["localized_reply_texts"] == {"fr": "Repondez OUI."}
    assert keyword["double_opt_in_words"] == ["yes", "oui"]
    assert keyword["double_opt_in_window"] == "7200s"
    assert keyword["start_time"].startswith("2026-11-01")
    assert "Reply YES." in shown.out
    assert explained.json()["keyword"] == keyword["name"]
    after = changed.json()
    assert after["localized_reply_texts"] == {"de": "Antworten Sie JA."}
    assert (after["confirmed_reply_text"], "end_time" in after) == ("Welcome!", False)
    assert after["double_opt_in_words"] == ["yes", "oui"]
    assert {"STOP", "HELP", "START", "JOIN"} <= set(listed.out.split())
    assert (unsure.status, deleted.status, mistake.status) == (2, 0, 1)
    assert "--reply-in as fr=Bonjour!" in mistake.err


async def test_who_is_opted_out_is_listed_added_removed_and_remembered(
    heliograph: Commands, room: Room
) -> None:
    await room.register()
    await room.receive(sms("STOP please", PHONE))
    listed, added, removed, history, all_of_it = await heliograph(
        ["opt-outs", "list", *APP],
        ["opt-outs", "add", "+12065550192", "nobody", *APP, "--comment", "asked by phone"],
        ["opt-outs", "remove", PHONE, *APP, "--comment", "wrote to us"],
        ["opt-outs", "history", PHONE, *JSON],
        ["opt-outs", "history", *APP],
    )

    assert all(word in listed.out for word in (f" {PHONE} ", "KEYWORD", "STOP please"))
    assert added.status == 1
    assert "+12065550192" in added.out
    assert "nobody: " in added.err
    assert removed.status == 0, removed.err
    kinds = [(one["kind"], one["source"], one["comment"]) for one in history.json()]
    assert kinds == [("OPTED_IN", "API", "wrote to us"), ("OPTED_OUT", "KEYWORD", "")]
    assert "asked by phone" in all_of_it.out


async def test_a_text_that_only_mentions_stopping_is_read_and_settled(
    heliograph: Commands, room: Room
) -> None:
    await room.register()
    await room.receive(sms("stop by tomorrow", PHONE, inbound_id="m1"))
    listed, settled, again, none = await heliograph(
        ["reviews", "list", *APP],
        ["reviews", "settle", "m1", "--meant", "opt-out", *JSON],
        ["reviews", "settle", "m1", "--meant", "chatter", *APP],
        ["reviews", "list", *JSON],
    )

    assert all(said in listed.out for said in ("m1", PHONE, "stop by tomorrow", "AMBIGUOUS"))
    assert (settled.json()["intent"], settled.json()["consent_changed"]) == ("OPT_OUT", True)
    assert (again.status, none.json()) == (1, [])


async def test_every_bad_line_of_an_import_is_in_the_file_that_was_asked_for(
    heliograph: Commands, room: Room, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text(f"Phone,Phone Number\nAnn,{PHONE}\nBob,none\nCyd,\n")
    importing = asyncio.create_task(room.importer.run())
    told, operations = await heliograph(
        ["opt-outs", "import", "list.csv", "--failures", "bad.csv", *APP],
        ["operations", "list", "--service", "twoway", *JSON],
    )
    importing.cancel()
    await asyncio.wait([importing])

    assert told.status == 0, told.err
    (operation,) = operations.json()
    assert (operation["done"], operation["metadata"]["refused_count"]) == (True, "2")
    assert "PHONE_NUMBER_INVALID" in told.out
    with (tmp_path / "bad.csv").open(newline="") as opened:
        rows = [tuple(row.values())[:4] for row in csv.DictReader(opened)]
    assert rows == [
        ("list.csv", "3", "Phone Number", "PHONE_NUMBER_INVALID"),
        ("list.csv", "4", "Phone Number", "PHONE_NUMBER_MISSING"),
    ]


async def test_an_import_that_fails_still_tells_its_bad_lines(
    heliograph: Commands, room: Room, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text(f"phone_number\nnobody\n{PHONE}\n{'9' * 200_000}\n")
    importing = asyncio.create_task(Importer(room.sessions, room.wakeups, lines_max=1).run())
    (told,) = await heliograph(["opt-outs", "import", "list.csv", "--failures", "b.jsonl", *APP])
    importing.cancel()
    await asyncio.wait([importing])

    assert told.status == 1
    assert "is no CSV" in told.err
    (bad,) = map(json.loads, (tmp_path / "b.jsonl").read_text().splitlines())
    assert (bad["line"], bad["reason"]) == (2, "PHONE_NUMBER_INVALID")


async def test_an_import_is_seen_and_stopped_before_it_began(
    heliograph: Commands, room: Room
) -> None:
    request = pb.ImportOptedOutNumbersRequest(
        parent=f"{SHOP}/optOutLists/default", content=b"phone_number\n+12065550191\n"
    )
    name = (await room.consent.ImportOptedOutNumbers(request)).name.rpartition("/")[2]
    listed, stopped, shown = await heliograph(
        ["operations", "list", "--service", "twoway", *APP],
        ["operations", "cancel", name, "--service", "twoway", *JSON],
        ["operations", "show", name, *APP, "--service", "twoway"],
    )
    await room.importer.step()
    (ended,) = await heliograph(["operations", "show", name, "--service", "twoway", *JSON])

    assert name in listed.out
    assert not stopped.json()["done"]
    assert shown.status == 0
    assert "stopped" in ended.json()["error"]["message"]


async def test_an_alarm_is_made_seen_changed_and_deleted(heliograph: Commands) -> None:
    made, changed, listed, shown, nothing, mistake, deleted = await heliograph(
        [
            *("alarms", "create", "annoyed", "--rate-max", "2%", "--window", "1h"),
            *("--delivered-min", "500", "--pause", "on", *JSON),
        ],
        ["alarms", "update", "annoyed", "--campaign", "shoes", "--pause", "off", *JSON],
        ["alarms", "list", *APP],
        ["alarms", "show", "annoyed", *APP],
        ["alarms", "update", "annoyed", *APP],
        ["alarms", "create", "other", "--rate-max", "much", *APP],
        ["alarms", "delete", "annoyed", *APP, "--yes"],
    )

    alarm = made.json()
    assert (alarm["rate_max"], alarm["window"], alarm["delivered_min"]) == (0.02, "3600s", "500")
    assert (alarm["pause_campaign"], alarm["state"]) == (True, "OK")
    assert changed.json()["campaign"] == f"{SHOP}/campaigns/shoes"
    assert not changed.json()["pause_campaign"]
    assert all(word in listed.out for word in ("annoyed", "shoes", "0.02"))
    assert "rate_max" in shown.out
    assert "nothing is to be changed" in nothing.err
    assert "--rate-max as 2% or 0.02" in mistake.err
    assert deleted.status == 0, deleted.err
