"""Asking messaging which messages texts answer: once for a batch, and never for long.

The ledger is messaging's, so nothing of it is copied here: of a campaign of a million, only those
who answer are ever asked about. While messaging is away, texts are taken in all the same.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.messaging.v1 import message_service_pb2 as pb
from mesh.errors import Error
from mesh.telemetry import logging

from twoway import clock
from twoway.inbound.texts import Text

if TYPE_CHECKING:
    from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceAsyncStub

log = logging.get(__name__)

TIMEOUT_SECONDS = 1.0
"""A STOP must not wait longer than this for what it might answer."""

REST_SECONDS = 2.0
"""How long nobody is asked after messaging did not answer."""

ADDRESS_CHARACTERS_MAX = 400
"""What is longer is nobody's number, and messaging takes no more."""

HOPELESS = frozenset({"INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION"})
"""Codes that the same question gets for ever, for example of an application that is deleted."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The message that a text answers, as resource names; `message` is empty for none."""

    message: str = ""
    run: str = ""
    endpoint: str = ""


Found = Mapping[str, Answered]
"""What the texts of an application answer, by their ids; a text that is missing is to be asked
about again."""


class Asking:
    """Asks; after a failure, answers at once for a while that it does not know."""

    def __init__(
        self,
        messaging: "MessageServiceAsyncStub",
        timeout_seconds: float = TIMEOUT_SECONDS,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self._messaging = messaging
        self._timeout_seconds = timeout_seconds
        self._rest_seconds = rest_seconds
        self._resting_until = 0.0

    async def find(self, application: str, texts: Sequence[Text]) -> Found:
        """What up to 2,000 texts answer; nothing about them when messaging does not say."""
        now = asyncio.get_running_loop().time()
        if now < self._resting_until:
            return {}
        try:
            response = await self._messaging.FindAnsweredMessages(
                request(application, texts), timeout=self._timeout_seconds
            )
        except Error as error:
            log.warning(
                "answers.unknown", application=application, texts=len(texts), error=str(error)
            )
            if error.code in HOPELESS:
                return {text.inbound_id: Answered() for text in texts}
            self._resting_until = now + self._rest_seconds
            return {}
        return {
            text.inbound_id: Answered(found.message, found.run, found.endpoint)
            for text, found in zip(texts, response.answered_messages, strict=True)
            if not found.undecided
        }


def request(application: str, texts: Sequence[Text]) -> pb.FindAnsweredMessagesRequest:
    """The question about texts."""
    return pb.FindAnsweredMessagesRequest(
        parent=f"applications/{application}",
        texts=[
            pb.FindAnsweredMessagesRequest.Text(
                source_address=text.source[:ADDRESS_CHARACTERS_MAX],
                destination_address=text.destination[:ADDRESS_CHARACTERS_MAX],
                receive_time=clock.stamp(text.receive_time),
            )
            for text in texts
        ],
    )
