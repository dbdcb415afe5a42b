"""What people type wrongly, and what they read then."""

from pathlib import Path

import pytest
from heliograph import connection
from heliograph.audience.v1.application_service_pb2 import ServiceErasure
from heliograph.audience.v1.import_job_pb2 import ImportFailure
from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.cli import (
    applications,
    importing,
    labels,
    limits,
    refused_rows,
    segments,
    users,
)
from heliograph.cli.__main__ import app
from heliograph.cli.session import refusal
from heliograph.errors import HeliographError, Violation


def test_an_unknown_operator_is_answered_with_those_there_are():
    filter_tree = '{"location": {"field": "COUNTRY", "operator": "FUZZY", "values": ["US"]}}'

    with pytest.raises(SystemExit, match="Expected one of INCLUSIVE, EXCLUSIVE"):
        segments.parse(filter_tree)


@pytest.mark.parametrize("text", ["tomorrow", "2026-12-24", "2026-12-24T18:00:00", "24.12.2026"])
def test_a_time_that_is_none_is_answered_with_an_example(text):
    with pytest.raises(SystemExit, match="expected --at as 2026-12-24T18:00:00Z"):
        limits.moment(text, "--at")


@pytest.mark.parametrize("words", [["--role", "king"], ["--hours", "-1"], ["--hours", "soon"]])
def test_a_token_that_nobody_could_use_is_not_made(words, capsys):
    with pytest.raises(SystemExit) as ended:
        app(["token", *words])

    assert ended.value.code != 0
    assert words[0] in "".join(capsys.readouterr())


def test_a_token_is_not_made_for_what_no_application_is_called():
    with pytest.raises(SystemExit, match="no application can be called 'Bad Name': an id is"):
        app(["token", "--app", "shop", "--app", "Bad Name"])


def test_a_refusal_says_the_same_only_once():
    error = HeliographError(
        "INVALID_ARGUMENT",
        "campaign.segment: is required",
        violations=(
            Violation("campaign.segment", "is required"),
            Violation("parent", "is required"),
        ),
    )

    assert refusal(error) == (
        "INVALID_ARGUMENT: campaign.segment: is required\n  parent: is required\n"
    )


def test_half_a_description_of_a_mesh_is_told_from_none(tmp_path):
    (tmp_path / "mesh.json").write_text('{"addr')

    with pytest.raises(connection.NoMeshError, match="`make up` writes it anew"):
        connection.local(tmp_path)


def test_a_mesh_that_does_not_answer_is_said_to_be_silent():
    error = HeliographError(
        "UNAVAILABLE", "connections to all backends failing; last error: Connection refused"
    )

    assert refusal(error).startswith(
        "UNAVAILABLE: the mesh does not answer: Connection refused\n  Is the mesh up?"
    )


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        (Segment(filter={"group": {"operator": "ALL"}}), "whoever matches its filter"),
        (Segment(imported={"endpoint_count": 1204}), "a list: 1,204 endpoints"),
        (
            Segment(imported={"endpoint_count": 2, "user_count": 1}),
            "a list: 2 endpoints and 1 user ids",
        ),
        (Segment(imported={}), "a list: nobody"),
    ],
)
def test_a_segment_says_how_it_has_its_members(segment, words):
    assert segments.members(segment) == words


def test_settings_that_are_given_are_changed_and_empty_ones_taken_back():
    request = applications.changes(
        "applications/shop",
        {
            "quiet_time": "22:00-06:00",
            "missing_time_zone_policy": "use-default",
            "default_time_zone": None,
            "message_limits.daily_max": 0,
            "message_limits.run_duration_max": "90m",
            "endpoints_per_user_max": 3,
            "endpoint_limit_policy": "evict-push-refuse-others",
        },
    )

    settings = request.application.settings
    assert list(request.update_mask.paths) == [
        "settings.quiet_time",
        "settings.missing_time_zone_policy",
        "settings.message_limits.daily_max",
        "settings.message_limits.run_duration_max",
        "settings.endpoints_per_user_max",
        "settings.endpoint_limit_policy",
    ]
    assert (settings.quiet_time.start, settings.quiet_time.end) == ("22:00", "06:00")
    assert settings.missing_time_zone_policy == settings.USE_DEFAULT
    assert settings.message_limits.run_duration_max.seconds == 5400
    assert settings.endpoints_per_user_max == 3
    assert settings.endpoint_limit_policy == settings.EVICT_PUSH_REFUSE_OTHERS


def test_a_change_of_nothing_changes_nothing():
    with pytest.raises(SystemExit, match="nothing is to be changed"):
        applications.changes("applications/shop", {"quiet_time": None})


def test_the_readme_names_every_word_of_the_command():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    rows = [line.split("|")[1] for line in readme.splitlines() if line.startswith("| `")]
    groups = {group: app[group] for group in app if not group.startswith("-")}

    for group, words in groups.items():
        wanted = [f"`{word}`" for word in (group, *words) if not word.startswith("-")]
        assert any(all(word in row for word in wanted) for row in rows), wanted


def test_labels_are_set_and_ended_one_by_one():
    assert labels.changed({"team": "crm", "tier": "1"}, ["team=", "cost=a=b"]) == {
        "tier": "1",
        "cost": "a=b",
    }


@pytest.mark.parametrize("text", ["team", "=crm", ""])
def test_a_label_that_is_none_is_answered_with_examples(text):
    with pytest.raises(SystemExit, match="as team=crm, or team= to end it"):
        labels.changed({}, [text])


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["apps", "delete", "shop"], "erases all of shop for good"),
        (["users", "delete", "ann", "--app", "shop"], "erases ann everywhere for good"),
        (["segments", "delete", "old", "--app", "shop"], "deletes segment old of shop"),
        (["campaigns", "delete", "old", "--app", "shop"], "deletes campaign old of shop"),
        (
            ["endpoints", "remove-attributes", "temp_*", "--app", "shop"],
            "removes attributes temp_* from everybody in shop",
        ),
    ],
)
def test_what_cannot_be_undone_is_not_done_before_it_is_meant(words, what, capsys):
    with pytest.raises(SystemExit) as ended:
        app(words)

    assert ended.value.code == 2
    assert capsys.readouterr().err == f"This {what}. Say --yes if that is meant.\n"


def test_a_segment_that_is_given_no_change_is_not_changed():
    with pytest.raises(SystemExit, match="nothing is to be changed"):
        app(["segments", "update", "young", "--app", "shop"])


@pytest.mark.parametrize("text", ["90", "m", "1.5h", "1w"])
def test_a_duration_that_is_none_is_answered_with_examples(text):
    with pytest.raises(SystemExit, match="as 90m, 2h or 1d"):
        limits.duration(text)


def test_hours_that_are_none_are_answered_with_an_example():
    with pytest.raises(SystemExit, match="as 22:00-06:00"):
        limits.hours("22:00")


def test_who_waits_waits_for_the_end_of_something():
    with pytest.raises(SystemExit, match="--hold says what happens in --quiet-time"):
        limits.check_hold(True, None)


@pytest.mark.parametrize(
    "words", [["--format", "csv"], ["--compression", "zstd"], ["--per-file", "10"]]
)
def test_what_a_file_here_cannot_be_is_not_ignored(words, tmp_path):
    target = tmp_path / "everyone.csv"

    with pytest.raises(SystemExit, match=f"{words[0]} only with --folder"):
        app(["endpoints", "export", str(target), "--app", "shop", *words])


@pytest.mark.parametrize("reason", ["IMPORT_PATH_NOT_ALLOWED", "EXPORT_PATH_NOT_ALLOWED"])
def test_a_place_that_is_not_opened_is_not_a_matter_of_tokens(reason):
    error = HeliographError("PERMISSION_DENIED", "'s3://b/c': not opened", reason=reason)

    assert "HELIOGRAPH_OBJECT_STORES" in refusal(error)
    assert "heliograph token" not in refusal(error)


def test_a_store_that_is_silent_is_not_taken_for_the_mesh():
    error = HeliographError("UNAVAILABLE", "silent", reason="OBJECT_STORE_UNAVAILABLE")

    assert refusal(error) == "UNAVAILABLE: silent\n"


def test_a_proof_says_of_every_service_what_went_and_when(capsys):
    when = {"seconds": 1_795_316_400}
    proof = [
        ServiceErasure(service="audience", erased_rows={"endpoint": 2, "x": 0}, erase_time=when),
        ServiceErasure(service="campaign", erased_rows={"run": 0}, erase_time=when),
    ]

    users.print_proof(proof)
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "2026" in line]

    assert rows == [
        ["audience", "endpoint", "2", "2026-11-22T03:00:00Z"],
        ["campaign", "0", "2026-11-22T03:00:00Z"],
    ]


@pytest.mark.parametrize(
    ("count", "shown", "words"),
    [(1, 1, "1 bad row"), (7, 7, "7 bad rows"), (70, 20, "70 bad rows, the first 20")],
)
def test_bad_rows_are_counted_in_words(count, shown, words):
    assert importing._shown(count, shown) == words


def test_a_row_that_lacks_a_segment_is_told_of_the_option():
    said = "the row is a user alone, as segments have them: spec.segment_id is not given"
    row = ImportFailure(line=2, reason="CHANNEL_TYPE_MISSING", description=said)

    assert refused_rows.why(row).endswith("as segments have them: --segment is not given")


def test_a_folder_to_import_is_not_said_to_be_missing(tmp_path):
    with pytest.raises(SystemExit, match=r"expected files, not folders: .* as in .*csv"):
        app(["endpoints", "import", str(tmp_path), "--app", "shop"])


def test_what_is_not_there_cannot_be_imported(tmp_path):
    with pytest.raises(SystemExit, match=r"not there: .*users\.csv"):
        app(["endpoints", "import", str(tmp_path / "users.csv"), "--app", "shop"])


def test_an_import_of_nothing_is_told_what_it_lacks(tmp_path):
    file = tmp_path / "users.csv"
    file.write_text("User.UserId\nann\n")

    with pytest.raises(SystemExit, match="expected --segment"):
        app(["endpoints", "import", str(file), "--app", "shop", "--skip-endpoints"])


def test_who_erases_a_person_is_told_how_long_it_takes(capsys):
    with pytest.raises(SystemExit):
        app(["users", "delete", "--help"])

    assert "about 70 seconds" in capsys.readouterr().out
