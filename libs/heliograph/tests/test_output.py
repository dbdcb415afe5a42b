import json

from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.cli import output
from heliograph.messaging.v1.message_pb2 import Message

COLUMNS = {"message": "name", "state": "state", "reason": "reason", "address": "address"}
SENT = Message(name="applications/shop/messages/m1", state=Message.SENT, address="[bold]+1[/bold]")


def test_a_table_shows_ids_and_leaves_out_what_is_not_stated(capsys):
    output.print_messages([SENT], COLUMNS, as_json=False)

    row = capsys.readouterr().out.splitlines()[3].split()
    assert row == ["m1", "SENT", "[bold]+1[/bold]"]


def test_json_is_for_programs_and_holds_every_field(capsys):
    output.print_messages([SENT], COLUMNS, as_json=True)

    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "applications/shop/messages/m1"
    assert row["reason"] == "REASON_UNSPECIFIED"


def test_one_message_is_shown_by_its_stated_fields(capsys):
    endpoint = Endpoint(name="applications/shop/endpoints/e1", address="+14155550123")
    endpoint.attributes["Interest"].values.append("chess")

    output.print_message(endpoint, as_json=False)

    shown = capsys.readouterr().out
    assert "+14155550123" in shown
    assert "chess" in shown
    assert "UNSPECIFIED" not in shown


def test_what_a_resource_does_not_state_is_not_shown(capsys):
    output.print_message(Campaign(name="applications/shop/campaigns/c1"), as_json=False)

    shown = capsys.readouterr().out
    assert "c1" in shown
    assert "holdout" not in shown
