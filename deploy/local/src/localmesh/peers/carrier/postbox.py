"""What the carrier has for its customers: each waits for its time, a bind and its answer."""

import asyncio
import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from mesh.smpp import Answer, DeliverSm, Outcome, Session, Status

from localmesh.peers.carrier.reports import Report
from localmesh.peers.carrier.saying import Saying

_BATCH_MAX = 500
_ANSWER_SECONDS_MAX = 30.0
_GRAIN_SECONDS = 0.005
_PERMANENT = frozenset({Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN})


@dataclass(slots=True)
class Item:
    """A deliver_sm on its way, what it is about, and for which account, or number, it is."""

    pdu: DeliverSm
    about: Report | Saying
    owner: str
    attempts: int = 0


class Postbox:
    """Sends each item until it is acknowledged; all sessions of an account take from its queue.

    What is for a number goes to the account of that name, or else to those that are no numbers.
    Not acknowledged is: refused for now, unanswered, or written to a link that then broke. Such an
    item goes again, so the other side must expect it twice, as with any carrier.
    """

    def __init__(
        self,
        acknowledged: Callable[[Sequence[Item]], None],
        refused: Callable[[Sequence[Item]], None],
    ) -> None:
        self._acknowledged = acknowledged
        self._refused = refused
        self._loop = asyncio.get_running_loop()
        self._later: list[tuple[float, int, Item]] = []
        self._ready: dict[str, deque[Item]] = defaultdict(deque)
        self._accounts: set[str] = set()
        self._order = count()
        self._wakeup = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._carried = 0
        self.retry_seconds = 0.5

    def __len__(self) -> int:
        """How many items have not been acknowledged yet."""
        return len(self._later) + sum(map(len, self._ready.values())) + self._carried

    def put(self, item: Item, delay_seconds: float = 0.0) -> None:
        """Sends an item, after a delay if wanted."""
        if delay_seconds <= 0:
            self._ready[item.owner].append(item)
            self._wake_all()
            return
        due_seconds = self._loop.time() + delay_seconds
        heapq.heappush(self._later, (due_seconds, next(self._order), item))
        if self._timer is None or due_seconds < self._timer.when():
            self._plan(due_seconds)

    async def serve(self, session: Session) -> None:
        """Carries items over one bound session for as long as it lasts."""
        assert session.bind is not None
        account = session.bind.system_id
        self._accounts.add(account)
        while not session.lost.done():
            wakeup = self._wakeup
            batch = self._take(account)
            if batch:
                await self.carry(session, batch)
            else:
                await _something_or(wakeup, session.lost)

    async def carry(self, session: Session, batch: Sequence[Item]) -> None:
        """Sends items over one session now; those that do not arrive join the others."""
        self._carried += len(batch)
        answers: Sequence[Answer] = []
        try:
            answers = await session.exchange(
                [item.pdu for item in batch], timeout_seconds=_ANSWER_SECONDS_MAX
            )
        finally:
            self._carried -= len(batch)
            self._settle(batch, answers)

    def close(self) -> None:
        """Forgets the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _take(self, account: str) -> list[Item]:
        batch: list[Item] = []
        for owner, ready in self._ready.items():
            if self._serves(account, owner):
                batch += [ready.popleft() for _ in range(min(_BATCH_MAX - len(batch), len(ready)))]
        return batch

    def _serves(self, account: str, owner: str) -> bool:
        is_nobodys = owner not in self._accounts and not account.isdecimal()
        return account == owner or is_nobodys

    def _wake_all(self) -> None:
        """Only the sessions know for whom they are."""
        self._wakeup.set()
        self._wakeup = asyncio.Event()

    def _settle(self, batch: Sequence[Item], answers: Sequence[Answer]) -> None:
        arrived, refused = [], []
        for item, answer in zip(batch, answers, strict=False):
            item.attempts += answer.outcome is not Outcome.NOT_SENT
            if answer.outcome is Outcome.ACCEPTED:
                arrived.append(item)
            elif answer.status in _PERMANENT:
                refused.append(item)
            else:
                self.put(item, self.retry_seconds)
        self._acknowledged(arrived)
        self._refused(refused)

    def _plan(self, due_seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due_seconds, self._ripen)

    def _ripen(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._later and self._later[0][0] <= now:
            item = heapq.heappop(self._later)[2]
            self._ready[item.owner].append(item)
        self._wake_all()
        if self._later:
            self._plan(max(self._later[0][0], now + _GRAIN_SECONDS))


async def _something_or(wakeup: asyncio.Event, lost: asyncio.Future[str]) -> None:
    waking = asyncio.ensure_future(wakeup.wait())
    await asyncio.wait((waking, lost), return_when=asyncio.FIRST_COMPLETED)
    waking.cancel()
