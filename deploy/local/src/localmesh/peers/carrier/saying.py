"""What a phone says."""

from dataclasses import dataclass


@dataclass(slots=True)
class Saying:
    """A text from a phone to a number; `open` counts the parts without an acknowledgement."""

    source: str
    destination: str
    text: str
    said_time: float = 0.0
    parts: int = 0
    open: int = 0
