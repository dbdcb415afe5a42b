"""What a test reads from a stream is all that was there."""

from consumer_words import SUBJECT, publish
from google.protobuf.wrappers_pb2 import StringValue
from mesh.testkit.bus import last_published, published
from nats.js import JetStreamContext


async def words(js: JetStreamContext, subject: str = SUBJECT) -> list[str]:
    return [one.value for one in await published(js, "WORDS", subject, StringValue)]


async def test_all_that_was_published_is_read_in_its_order(js: JetStreamContext) -> None:
    numbers = [str(number) for number in range(700)]
    await publish(js, *numbers)

    assert sorted(await words(js), key=int) == numbers
    assert await words(js) == await words(js)


async def test_only_what_is_on_the_subject_is_read(js: JetStreamContext) -> None:
    await publish(js, "one")

    assert await words(js, "google.protobuf.StringValue.elsewhere") == []
    assert await words(js, "google.protobuf.StringValue.shop") == ["one"]


async def test_the_last_is_read_or_nothing(js: JetStreamContext) -> None:
    assert await last_published(js, "WORDS", SUBJECT, StringValue) is None

    await publish(js, "one")
    await publish(js, "two")

    last = await last_published(js, "WORDS", SUBJECT, StringValue)
    assert last is not None
    assert last.value == "two"
