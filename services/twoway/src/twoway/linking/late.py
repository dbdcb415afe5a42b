"""Texts that came while messaging was away are linked when it is back."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway.conversations.tables import MessageAnswerRow
from twoway.inbound import texts
from twoway.linking import recording
from twoway.linking.asking import Asking
from twoway.tables import InboundMessageRow

POLL_SECONDS = 5.0
BATCH_MAX = 500

Pending = tuple[InboundMessageRow, MessageAnswerRow]


class Linker:
    """Asks again, the oldest first; any number of replicas may do so."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], asking: Asking) -> None:
        self._sessions = sessions
        self._asking = asking

    async def step(self) -> int:
        """Ask about some texts; how many were settled."""
        settled = 0
        async with self._sessions.begin() as session:
            pending = await _claim(session)
            by_application = sorted(pending, key=_application)
            for application, part in groupby(by_application, key=_application):
                settled += await self._link(session, application, list(part))
        return settled

    async def _link(
        self, session: AsyncSession, application: str, pending: Sequence[Pending]
    ) -> int:
        asked = [texts.of_row(text) for text, _ in pending]
        found = await self._asking.find(application, asked)
        settled = [one for one in pending if one[0].inbound_message in found]
        for text, row in settled:
            recording.fill(row, found[text.inbound_message])
            if not row.message:
                await session.delete(row)
        links = {row.inbound_message: row for _, row in settled}
        recording.announce(session, application, [text for text, _ in settled], links)
        return len(settled)


def _application(pending: Pending) -> str:
    return pending[0].application


async def _claim(session: AsyncSession) -> Sequence[Pending]:
    row = MessageAnswerRow
    query = (
        select(InboundMessageRow, row)
        .join(
            row,
            and_(
                col(row.application) == InboundMessageRow.application,
                col(row.inbound_message) == InboundMessageRow.inbound_message,
            ),
        )
        .where(col(row.pending))
        .order_by(col(row.receive_time))
        .limit(BATCH_MAX)
        .with_for_update(of=row, skip_locked=True)
    )
    return (await session.exec(query)).all()
