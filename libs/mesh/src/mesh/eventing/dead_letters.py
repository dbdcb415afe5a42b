"""Messages that can never be handled, kept with the reason, in a stream of their own."""

from datetime import UTC, datetime

from mesh.errors import Error
from mesh.eventing import headers, jetstream
from mesh.eventing.delivery import Delivery
from mesh.eventing.publisher import Outgoing, send
from nats.js import JetStreamContext
from nats.js.api import StreamInfo

STREAM = "DEAD_LETTERS"
PREFIX = "dead."
MAX_AGE_SECONDS = 30 * jetstream.DAY_SECONDS
SENTENCE_LENGTH_MAX = 1000


async def ensure_stream(js: JetStreamContext) -> StreamInfo:
    """The stream of dead letters; every consumer makes sure that it is there."""
    return await jetstream.ensure_stream(
        js, STREAM, [f"{PREFIX}>"], max_age_seconds=MAX_AGE_SECONDS
    )


async def bury(js: JetStreamContext, delivery: Delivery, consumer: str, error: Exception) -> None:
    """Publish the message as it came on `dead.<subject>`, explained by headers.

    Raises Unavailable when the stream does not acknowledge it: then the message must not be ended.
    It is one attempt, as the consumer holds the message and comes back with it.
    """
    await send(
        js,
        Outgoing(
            subject=PREFIX + delivery.subject,
            data=delivery.data,
            message_id=f"dead/{consumer}/{delivery.stream}/{delivery.sequence}",
            headers=_explained(delivery, consumer, error),
        ),
        attempts_max=1,
    )


def reason_of(error: Exception) -> str:
    """The error's reason, or its class when it is none of ours."""
    return error.reason if isinstance(error, Error) else type(error).__name__


def _explained(delivery: Delivery, consumer: str, error: Exception) -> dict[str, str]:
    # Nats-… headers are orders to the server, and the id has become another one's.
    kept = {key: value for key, value in delivery.headers.items() if not key.startswith("Nats-")}
    return {
        **kept,
        headers.DEAD_REASON: reason_of(error),
        headers.DEAD_MESSAGE: str(error)[:SENTENCE_LENGTH_MAX],
        headers.DEAD_ID: delivery.event_id,
        headers.DEAD_SUBJECT: delivery.subject,
        headers.DEAD_STREAM: delivery.stream,
        headers.DEAD_SEQUENCE: str(delivery.sequence),
        headers.DEAD_CONSUMER: consumer,
        headers.DEAD_DELIVERIES: str(delivery.num_delivered),
        headers.DEAD_TIME: datetime.now(UTC).isoformat(),
    }
