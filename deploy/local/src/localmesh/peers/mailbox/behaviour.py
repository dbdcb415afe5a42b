"""How the mail server can be told to misbehave."""

from pydantic import BaseModel, ConfigDict, Field


class MailboxBehaviour(BaseModel):
    """All quiet at first: every mail to everybody is accepted at once, without a login."""

    model_config = ConfigDict(extra="forbid")

    refuse: list[str] = []
    """Recipients that do not exist, as patterns: `gone@example.com`, `*@gone.example`. 550."""
    defer: list[str] = []
    """Recipients that are to be tried again later, as patterns. 451."""
    defer_first: int = Field(default=0, ge=0)
    """Every recipient is deferred this many times before the first acceptance (greylisting)."""
    fail_next: int = Field(default=0, ge=0)
    """As many mails are answered with `fail_with` after their content has arrived."""
    fail_with: str = Field(default="451 4.3.0 Try again later", pattern=r"^[45]\d\d .+")
    answer_delay_seconds: float = Field(default=0, ge=0)
    """Between taking a mail and answering."""
    lose_answers: int = Field(default=0, ge=0)
    """As many mails are accepted, and the connection is cut instead of answering."""
    username: str = ""
    """Who must log in before sending; empty: nobody."""
    password: str = ""
