"""When it is said that something is away, and that it is back."""

from collections.abc import Callable

from consumer_words import SOON, SUBJECT, Heard, all_done, hearer, publish
from google.protobuf.wrappers_pb2 import StringValue
from mesh.errors import Unavailable
from mesh.eventing.absences import Absences
from mesh.eventing.consumer import Consumer, Delivery
from mesh.eventing.put_offs import TELL_EVERY_SECONDS
from mesh.testkit import eventually
from nats.js import JetStreamContext
from structlog.testing import capture_logs


def test_an_absence_is_told_at_once_and_then_once_a_minute() -> None:
    absences = Absences()

    assert absences.add("AWAY", 1, 100.0) == 1
    assert absences.add("AWAY", 2, 101.0) is None
    assert absences.add("AWAY", 3, 100.0 + TELL_EVERY_SECONDS) == 5


def test_a_return_is_told_once_with_how_long_it_took() -> None:
    absences = Absences()
    absences.add("AWAY", 1, 100.0)
    absences.add("AWAY", 1, 100.0 + TELL_EVERY_SECONDS)

    assert absences.end(200.0) == {"AWAY": 100.0}
    assert absences.end(201.0) == {}


def test_what_comes_and_goes_is_told_once_a_minute() -> None:
    absences = Absences()
    absences.add("AWAY", 1, 100.0)
    absences.end(101.0)

    assert absences.add("AWAY", 1, 102.0) is None
    assert absences.end(103.0) == {}
    assert absences.add("AWAY", 1, 100.0 + TELL_EVERY_SECONDS) == 2


async def test_consumers_that_need_the_same_tell_of_it_once(js: JetStreamContext) -> None:
    heard, absences, is_away = Heard(), Absences(), True

    def needing(process: int) -> Callable[[Delivery], object]:
        async def handler(delivery: Delivery) -> None:
            heard.tries[f"{process} {delivery.parse(StringValue).value}"] += 1
            if is_away:
                raise Unavailable("STORE_AWAY", "the store is away")
            await heard.each(delivery)

        return handler

    def consumer(number: int) -> Consumer:
        return Consumer(
            js,
            "WORDS",
            f"hearer-{number}",
            SUBJECT,
            needing(number),
            absences=absences,
            backoff=SOON,
        )

    with capture_logs() as lines:
        async with consumer(1), consumer(2):
            await publish(js, "a", "b", "c")
            await eventually(lambda: len([n for n in heard.tries.values() if n > 2]) == 6)
            is_away = False
            await eventually(all_done(heard, 6))

    told = [
        (line["event"], line["log_level"], line["reason"]) for line in lines if "reason" in line
    ]
    assert told == [
        ("messages wait", "warning", "STORE_AWAY"),
        ("messages wait no longer", "info", "STORE_AWAY"),
    ]
    assert not [line for line in lines if line["event"] == "message not handled"]


async def test_a_failure_of_the_message_is_told_each_time(js: JetStreamContext) -> None:
    heard = Heard({"stubborn": iter([KeyError("a"), KeyError("b")])})

    with capture_logs() as lines:
        async with hearer(js, heard.each):
            await publish(js, "stubborn")
            await eventually(all_done(heard, 1))

    assert [line["event"] for line in lines].count("message not handled") == 2
