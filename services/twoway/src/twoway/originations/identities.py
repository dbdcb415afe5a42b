"""What numbers, sender ids and pools have in common: one changes them at a time, while fresh."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from mesh.aip import etags, field_masks
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, locks
from twoway.consent import lists
from twoway.tables import PhoneNumberRow, PoolRow, SenderIdRow

Row = TypeVar("Row", PhoneNumberRow, SenderIdRow, PoolRow)
Resource = TypeVar("Resource")


@dataclass(frozen=True)
class Identities(Generic[Row, Resource]):
    """Identities of one kind."""

    key: Callable[[str], tuple[str, str]]
    """Application and id in the name of one."""
    get: Callable[[AsyncSession, str], Awaitable[Row]]
    """The one of that name, or NOT_FOUND."""
    render: Callable[[AsyncSession, Row], Awaitable[Resource]]
    change: Callable[[Row, Resource], None]
    """Makes the row what the resource says, or refuses it."""
    follow: Callable[[AsyncSession, Row], Awaitable[None]]
    """Called when the row is changed: refuses what its neighbours forbid, or changes them too."""

    async def held(self, session: AsyncSession, name: str, etag: str = "") -> Row:
        """One that nobody else changes until the transaction ends.

        Raises NOT_FOUND, and ABORTED for an etag of another revision.
        """
        await locks.hold_identities(session, self.key(name)[0])
        row = await self.get(session, name)
        etags.check(row.revision, etag)
        return row

    async def update(self, session: AsyncSession, mask: FieldMask, wanted: Any) -> Resource:
        """Change what the mask names; the resource as it is then."""
        row = await self.held(session, wanted.name, wanted.etag)
        target: Any = await self.render(session, row)
        if field_masks.apply(mask, wanted, target):
            self.change(row, target)
            await lists.require(session, row.application, row.opt_out_list)
            await self.follow(session, row)
            row.revision += 1
            row.update_time = clock.now()
        return await self.render(session, row)
