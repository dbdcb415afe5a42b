"""What a proof did, as text."""

import time
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

HEAD = """\
# STOP means stop: a run of the proof

Made by `STOP_PROOF=services/twoway/docs/stop-proof.md pytest tests/stories/test_stop_proof.py`.
Back to [twoway](../README.md).

Two campaigns write to the same people while some of them say STOP: six phones at each step between
a STOP and its confirmation. When a process has come to the step, a lock in its database holds it
there, and both replicas of the service are killed (`kill -9`). What was not committed then never
happened; what was being committed is, and nobody lived to hear it. The witness is the carrier's own
journal.

"""


class Log:
    """Lines with the seconds since its beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lines: list[str] = []

    def say(self, text: str) -> None:
        """One more line."""
        self._lines.append(f"{time.monotonic() - self._began:6.1f} s  {text}")

    def conclude(
        self,
        confirmations: Counter[str],
        stopped: Sequence[str],
        late: Sequence[Any],
        told: Collection[str],
        messages: int,
    ) -> None:
        """What the carrier's journal says of the phones that said STOP."""
        times = Counter(confirmations[phone] for phone in stopped)
        self.say(f"the carrier accepted {messages} messages from this number")
        for count, phones in sorted(times.items()):
            self.say(f"phones with {count} confirmation{'s' * (count != 1)}: {phones}")
        self.say(f"confirmations to others: {len(confirmations.keys() - set(stopped))}")
        self.say(f"messages after a confirmation: {len(late)}")
        self.say(
            f"phones that said STOP and got the last campaign: {len(set(stopped) & set(told))}"
        )

    def write(self, path: Path) -> None:
        """Leave it as a page."""
        path.write_text(f"{HEAD}```\n" + "\n".join(self._lines) + "\n```\n")
