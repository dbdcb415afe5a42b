"""Taking messages out of a stream for good: the server overwrites the bytes of each."""

from typing import Final

from mesh.eventing import dead_letters
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

MESSAGES_MAX: Final = 10_000


async def shred(js: JetStreamContext, stream: str, subject: str) -> int:
    """Overwrite every message of a subject, its dead letters included; how many there were."""
    await dead_letters.ensure_stream(js)
    letters = await _shred(js, dead_letters.STREAM, dead_letters.PREFIX + subject)
    return letters + await _shred(js, stream, subject)


async def _shred(js: JetStreamContext, stream: str, subject: str) -> int:
    for count in range(MESSAGES_MAX):
        try:
            # The stream's leader is asked: a copy may still have what it has deleted.
            message = await js.get_msg(stream, subject=subject)
        except NotFoundError:
            return count
        assert message.seq is not None
        # Without `no_erase`, the server writes random bytes over the message.
        await js.delete_msg(stream, message.seq)
    raise RuntimeError(f"{stream} has more than {MESSAGES_MAX} messages on {subject}")
