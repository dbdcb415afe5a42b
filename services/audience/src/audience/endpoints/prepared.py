"""A large write, merged ahead as if all of it were new: for an import it mostly is.

Making one costs most of the work and needs no connection, so it is done while the database is busy
with the write before.
"""

from collections.abc import Sequence
from datetime import datetime

from mesh.errors import Error

from audience.endpoints import records, store
from audience.endpoints.batches import Batch
from audience.endpoints.patches import Patch
from audience.endpoints.states import State
from audience.endpoints.user_limits import gains
from audience.users import store as users_store


class Prepared:
    """Patches to one application, and all that the statements need if none of it is stored yet."""

    def __init__(self, application: str, patches: Sequence[Patch], now: datetime) -> None:
        self.application = application
        self.patches = patches
        self.is_new = False
        """Whether none of it is stored yet: a guess, which saves reading; then the truth."""
        self.now = now
        self.batch = Batch(application, now, {}, {})
        self.outcomes = [self.batch.apply(patch) for patch in patches]
        self.refusals = refusals(self.outcomes)
        self.claims = self.batch.claims
        self.gained = gains(patches, {})
        self.taking = store.Taking(self.batch.active())
        self.endpoints = records.copy_text(record for _, record in self.batch.records())
        self.users = users_store.copy_text(record for _, record in self.batch.user_records())


def refusals(outcomes: Sequence[State | Error]) -> list[tuple[int, Error]]:
    """Which of the writes were refused, by their place, and why."""
    return [(index, one) for index, one in enumerate(outcomes) if isinstance(one, Error)]
