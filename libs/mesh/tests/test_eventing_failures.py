"""What a consumer could not handle: tried again, waited for, or buried with its reason."""

import asyncio

from consumer_words import SOON, SUBJECT, Heard, all_done, buried, dead, hearer, publish, settled
from google.protobuf.wrappers_pb2 import StringValue
from mesh.backoff import Backoff
from mesh.errors import InvalidArgument, Unavailable
from mesh.eventing import dead_letters, headers, jetstream
from mesh.eventing.consumer import Consumer, Later
from mesh.testkit import eventually
from nats.js import JetStreamContext
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

MUCH_LATER = Backoff(first_seconds=3600.0, max_seconds=3600.0)


async def test_a_handler_that_fails_some_times_succeeds_in_the_end(js: JetStreamContext) -> None:
    heard = Heard({"stubborn": iter([KeyError("a"), KeyError("b")])})

    async with hearer(js, heard.each):
        await publish(js, "stubborn", "easy")
        await eventually(all_done(heard, 2))
        await eventually(lambda: settled(js))

    assert heard.tries == {"stubborn": 3, "easy": 1}
    assert await dead(js) == []


async def test_what_can_never_succeed_becomes_an_explained_dead_letter(
    js: JetStreamContext,
) -> None:
    heard = Heard({"poison": iter([InvalidArgument("WORD_FORBIDDEN", "not this word")])})

    async with hearer(js, heard.each):
        await publish(js, "poison", "fine")
        await eventually(all_done(heard, 1))
        await eventually(lambda: settled(js))

    [(subject, body, explained)] = await dead(js)
    assert subject == "dead.google.protobuf.StringValue.shop"
    assert StringValue.FromString(body).value == "poison"
    assert explained[headers.DEAD_REASON] == "WORD_FORBIDDEN"
    assert explained[headers.DEAD_MESSAGE] == "not this word"
    assert explained[headers.DEAD_SUBJECT] == "google.protobuf.StringValue.shop"
    assert explained[headers.DEAD_STREAM] == "WORDS"
    assert explained[headers.DEAD_CONSUMER] == "hearer"
    assert explained[headers.DEAD_DELIVERIES] == "1"
    assert explained[headers.DEAD_ID] == "poison"
    assert headers.EVENT_TIME in explained
    assert heard.tries == {"poison": 1, "fine": 1}


async def test_a_body_that_does_not_parse_is_a_dead_letter(js: JetStreamContext) -> None:
    heard = Heard()

    async with hearer(js, heard.each):
        await js.publish("google.protobuf.StringValue.shop", b"\xff\xff")
        await eventually(lambda: buried(js, 1))

    [(_, body, explained)] = await dead(js)
    assert body == b"\xff\xff"
    assert explained[headers.DEAD_REASON] == "MESSAGE_MALFORMED"


async def test_a_message_that_always_fails_is_given_up_after_its_deliveries(
    js: JetStreamContext,
) -> None:
    heard = Heard({"cursed": iter([KeyError("x")] * 99)})

    async with hearer(js, heard.each):
        await publish(js, "cursed")
        await eventually(lambda: buried(js, 1))
        await eventually(lambda: settled(js))

    [(_, _, explained)] = await dead(js)
    # A slow machine may deliver it once more before the server has heard that it is given up.
    assert heard.tries["cursed"] in (3, 4)
    assert explained[headers.DEAD_REASON] == "KeyError"
    assert explained[headers.DEAD_DELIVERIES] == "3"


async def test_an_absence_longer_than_max_deliver_costs_no_message(js: JetStreamContext) -> None:
    heard = Heard({"patient": iter([Unavailable("AWAY", "away")] * 8)})

    async with hearer(js, heard.each):
        await publish(js, "patient", "other")
        await eventually(all_done(heard, 2))
        await eventually(lambda: settled(js))

    assert heard.tries == {"patient": 9, "other": 1}
    assert await dead(js) == []


async def test_a_whole_batch_waits_while_something_is_away(js: JetStreamContext) -> None:
    heard = Heard({"0": iter([Unavailable("AWAY", "away")] * 3)})
    await publish(js, *(str(n) for n in range(10)))

    async with Consumer(js, "WORDS", "hearer", SUBJECT, heard.batch, batch=10, backoff=SOON):
        await eventually(all_done(heard, 10))

    assert heard.tries["0"] == 4
    assert await dead(js) == []


async def test_a_success_brings_forward_all_that_wait(js: JetStreamContext) -> None:
    words = [str(number) for number in range(20)]
    heard = Heard({word: iter([Unavailable("AWAY", "away")]) for word in words})
    async with Consumer(
        js, "WORDS", "hearer", SUBJECT, heard.batch, batch=10, concurrency=1, backoff=MUCH_LATER
    ):
        for word in words:
            await publish(js, word)
            await eventually(lambda word=word: heard.tries[word])
        assert heard.done == []

        await publish(js, "back")

        await eventually(all_done(heard, 21))
        await eventually(lambda: settled(js))
    assert set(heard.tries.values()) == {1, 2}
    assert heard.batches[-3:] == [1, 10, 10]


async def test_what_was_brought_forward_in_vain_waits_its_time(js: JetStreamContext) -> None:
    heard = Heard({"stubborn": iter([Unavailable("AWAY", "away")] * 50)})
    async with hearer(js, heard.each, backoff=MUCH_LATER):
        await publish(js, "stubborn")
        await eventually(lambda: heard.tries["stubborn"] == 1)
        await publish(js, "first")
        await eventually(lambda: heard.tries["stubborn"] == 2)

        await publish(js, *(str(number) for number in range(20)))

        await eventually(all_done(heard, 21))
    assert heard.tries["stubborn"] == 2


async def test_one_poisonous_message_does_not_spoil_its_batch(js: JetStreamContext) -> None:
    heard = Heard({"7": iter([InvalidArgument("WORD_FORBIDDEN", "no")] * 99)})
    await publish(js, *(str(n) for n in range(20)))

    async with Consumer(js, "WORDS", "hearer", SUBJECT, heard.batch, batch=20):
        await eventually(all_done(heard, 19))
        await eventually(lambda: buried(js, 1))

    assert sorted(heard.done, key=int) == [str(n) for n in range(20) if n != 7]


async def test_later_delivers_again_after_the_time_asked_for(js: JetStreamContext) -> None:
    heard = Heard({"sleepy": iter([Later(0.3)])})
    started = asyncio.get_running_loop().time()

    async with hearer(js, heard.each):
        await publish(js, "sleepy")
        await eventually(all_done(heard, 1))

    assert asyncio.get_running_loop().time() - started > 0.3


async def test_why_a_message_is_put_off_is_logged_once_and_counted(js: JetStreamContext) -> None:
    away, full = Later(0.01, "channel away"), Later(0.01, "carrier full")
    heard = Heard({"sleepy": iter([away, away, full, away])})

    with capture_logs() as lines:
        async with hearer(js, heard.each):
            await publish(js, "sleepy")
            await eventually(all_done(heard, 1))

    told = [line for line in lines if line["event"] == "message put off"]
    assert [(line["log_level"], line["reason"]) for line in told] == [
        ("info", "channel away"),
        ("info", "carrier full"),
    ]
    assert (told[0]["event_id"], told[0]["num_delivered"]) == ("sleepy", 1)
    labels = {"consumer": "hearer", "reason": "channel away"}
    assert REGISTRY.get_sample_value("heliograph_consumer_put_off_total", labels) == 3


async def test_a_dead_letter_that_cannot_be_stored_is_kept(js: JetStreamContext) -> None:
    heard = Heard({"poison": iter([InvalidArgument("WORD_FORBIDDEN", "no")] * 99)})

    async with hearer(js, heard.each):
        await jetstream.wait_for_stream(js, dead_letters.STREAM)
        await js.delete_stream(dead_letters.STREAM)
        await publish(js, "poison")
        await eventually(lambda: heard.tries["poison"] > 1)
        await dead_letters.ensure_stream(js)
        await eventually(lambda: buried(js, 1))
