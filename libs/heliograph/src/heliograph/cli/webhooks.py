"""`heliograph webhooks`: where texts are posted, and how those addresses answer."""

from typing import TYPE_CHECKING

from cyclopts import App
from heliograph.cli import output, resources
from heliograph.cli.names import application
from heliograph.cli.numbers import NUMBER

if TYPE_CHECKING:
    from heliograph.twoway.v1.phone_number_pb2 import PhoneNumber

app = App(
    name="webhooks",
    help="Webhooks of numbers: list. They are set by numbers update and pools update --webhook.",
)

COLUMNS = {
    "number": "name",
    "webhook": "two_way_webhook.uri",
    "since": "two_way_webhook.standing.failing_time",
    "failed rounds": "two_way_webhook.standing.failed_rounds",
    "last failure": "two_way_webhook.standing.failure",
    "at": "two_way_webhook.standing.failure_time",
    "asked again": "two_way_webhook.standing.attempt_time",
    "last taken": "two_way_webhook.standing.taken_time",
}
NUMBERS_MAX = 10_000


@app.command(name="list")
def list_(*, app: str, failing: bool = False, json: bool = False) -> None:
    """List the numbers whose texts are posted, and since when and why nobody takes them over.

    Parameters
    ----------
    failing
        Only those whose address takes nothing over at present.
    """
    numbers = resources.found(NUMBER, application(app), NUMBERS_MAX)
    shown = [one for one in numbers if one.two_way_webhook.uri and (is_failing(one) or not failing)]
    output.print_messages(shown, COLUMNS, as_json=json)


def is_failing(number: "PhoneNumber") -> bool:
    """Whether the address of its webhook takes nothing over at present."""
    return number.two_way_webhook.standing.HasField("failing_time")
