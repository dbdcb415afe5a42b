"""What messages wait for: told at once, then once a minute, and when it is back.

What is away keeps hundreds of messages waiting, each tried again and again; a line for every
attempt would hide all others.
"""

from mesh.eventing.put_offs import PutOffs


class Absences:
    """What is away. Consumers that need the same thing share one of these, so it is told once."""

    def __init__(self) -> None:
        self._reasons = PutOffs()
        self._since: dict[str, float] = {}

    def add(self, reason: str, deliveries: int, now_seconds: float) -> int | None:
        """How many deliveries to tell of now, counted since it was last told; None: not now."""
        told = self._reasons.add(reason, deliveries, now_seconds)
        if told is not None:
            self._since.setdefault(reason, now_seconds)
        return told

    def end(self, now_seconds: float) -> dict[str, float]:
        """Everything that was told of is back: reasons, and the seconds since they were told first.

        One that goes away again within the minute is told when that is over.
        """
        over, self._since = self._since, {}
        return {reason: now_seconds - since for reason, since in over.items()}
