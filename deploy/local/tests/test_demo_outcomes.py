import pytest
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import HOLDOUT, OPTED_OUT, PROVIDER_REFUSED, UNDELIVERABLE
from localmesh.demo import outcomes
from localmesh.demo.account import Account


def text(phone, words):
    return {"destination": phone, "text": words}


@pytest.mark.parametrize(
    ("said", "offended"),
    [
        ([text("1", "hello"), text("1", "bye")], []),
        ([text("1", "bye"), text("1", "hello")], ["1"]),
        ([text("1", "bye"), text("2", "hello")], []),
        ([text("1", "bye"), text("1", "help")], []),
        ([text("1", "bye"), text("1", "welcome"), text("1", "hello")], []),
        ([text("1", "bye"), text("1", "bye")], ["1"]),
        ([text("1", "bye"), text("1", "welcome"), text("1", "bye"), text("1", "x")], ["1"]),
    ],
)
def test_after_stop_only_help_and_a_new_start_are_allowed(said, offended):
    assert outcomes.after_stop(said, "bye", "welcome", "help") == offended


def test_a_run_is_sorted_into_sent_and_left_out():
    run = Run(
        counts=[
            Run.Count(treatment="a", state=Message.DELIVERED, count=5),
            Run.Count(treatment="a", state=Message.SENT, count=1),
            Run.Count(treatment="b", state=Message.FAILED, reason=UNDELIVERABLE, count=2),
            Run.Count(treatment="b", state=Message.FAILED, reason=PROVIDER_REFUSED, count=3),
            Run.Count(state=Message.SKIPPED, reason=HOLDOUT, count=4),
            Run.Count(treatment="b", state=Message.SKIPPED, reason=OPTED_OUT, count=1),
            Run.Count(treatment="b", state=Message.UNKNOWN, count=7),
        ]
    )

    found = outcomes.outcome(run)

    assert (found.members, found.sent, found.delivered, found.undeliverable) == (23, 8, 5, 2)
    assert found.under_way == 7
    assert found.skipped == {"PROVIDER_REFUSED": 3, "HOLDOUT": 4, "OPTED_OUT": 1}
    assert found.sent_by_treatment == {"a": 6, "b": 2}


def test_a_difference_ends_the_demo_with_a_failure(tmp_path, capsys):
    account = Account()
    account.expect("phones", 1, 1)
    assert account.conclude(tmp_path / "demo.json") == 0

    account.expect("phones", 1, 2)

    assert account.conclude(tmp_path / "demo.json") == 1
    assert "phones: expected 2, found 1" in capsys.readouterr().out
