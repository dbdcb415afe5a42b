"""What can become of a message handed to a provider: four values, each says what is next."""

from dataclasses import dataclass

from heliograph.messaging.v1.reason_pb2 import Reason


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has taken it. Receipts will carry `provider_message_id`.

    For a message in several parts this is the id of the part whose receipt speaks for the whole.
    """

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider has refused it for good; sending the same again is useless.

    `code` and `words` are the provider's, for example `ESME_RINVDSTADR` or `550`. Receipts may
    still carry `provider_message_id`, where it has taken some part of the message.
    """

    code: str
    words: str = ""
    reason: Reason.ValueType = Reason.PROVIDER_REFUSED
    provider_message_id: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """The provider certainly has nothing of it: throttled, queue full, not connected.

    The message is never lost for it: it is handed over again after `retry_after_seconds`.
    """

    retry_after_seconds: float
    code: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether the provider has it, or all parts of it: the answer never came."""

    words: str = ""


Outcome = Sent | Refused | Later | Unknown
