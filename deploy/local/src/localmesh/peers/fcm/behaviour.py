"""How this FCM can be told to misbehave."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
ErrorCode = Literal[
    "UNREGISTERED",
    "INVALID_ARGUMENT",
    "SENDER_ID_MISMATCH",
    "QUOTA_EXCEEDED",
    "UNAVAILABLE",
    "INTERNAL",
    "THIRD_PARTY_AUTH_ERROR",
]


class FcmBehaviour(BaseModel):
    """All quiet at first: every well-formed message of a known caller is accepted at once."""

    model_config = ConfigDict(extra="forbid")

    errors_by_token: dict[str, ErrorCode] = {}
    """What each of these registration tokens is answered, always."""
    fail_next: int = Field(default=0, ge=0)
    """As many messages are answered with `fail_with`, whoever they are for."""
    fail_with: ErrorCode = "UNAVAILABLE"
    retry_after_seconds: float = Field(default=0, ge=0)
    """Goes with QUOTA_EXCEEDED and UNAVAILABLE; 0: the header is left out."""
    answer_delay_seconds: float = Field(default=0, ge=0)
    """Between taking a message and answering."""
    lose_answers: int = Field(default=0, ge=0)
    """As many messages are accepted, and the connection is cut instead of answering."""
    requests_per_connection: int = Field(default=0, ge=0)
    """A connection says GOAWAY at this request. 0: never."""
    access_token_seconds: int = Field(default=3600, ge=1)
    """How long an access token is good for, when it is issued."""
