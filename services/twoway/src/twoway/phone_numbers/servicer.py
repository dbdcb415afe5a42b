"""PhoneNumberService: open, get, ask, commit, render."""

from functools import partial
from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.twoway.v1 import phone_number_pb2
from heliograph.twoway.v1 import phone_number_service_pb2 as pb
from mesh.aip import pagination, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.originations.identities import Identities
from twoway.phone_numbers import numbers, render, store
from twoway.pools import following, members
from twoway.tables import PhoneNumberRow
from twoway.webhooks import standing
from twoway.webhooks.rules import Webhooks

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1_000


class PhoneNumberServicer:
    """The numbers of applications."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], webhooks: Webhooks | None = None
    ) -> None:
        self._sessions = sessions
        self._webhooks = webhooks or Webhooks()
        self._held: Identities[PhoneNumberRow, phone_number_pb2.PhoneNumber] = Identities(
            names.phone_number_key,
            _locked,
            _rendered,
            partial(numbers.change, webhooks=self._webhooks),
            following.check_update,
        )

    async def GetPhoneNumber(
        self, request: pb.GetPhoneNumberRequest, context: Any
    ) -> phone_number_pb2.PhoneNumber:
        async with self._sessions() as session:
            return await _rendered(session, await store.get(session, request.name))

    async def ListPhoneNumbers(
        self, request: pb.ListPhoneNumbersRequest, context: Any
    ) -> pb.ListPhoneNumbersResponse:
        application = names.application_of(request.parent)
        pool = ""
        if request.pool:
            names.same_application(application, request.pool, "pool")
            pool = names.pool_key(request.pool, "pool")[1]
        opt_out_list = ""
        if request.opt_out_list:
            names.same_application(application, request.opt_out_list, "opt_out_list")
            opt_out_list = names.opt_out_list_key(request.opt_out_list, "opt_out_list")[1]
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.page(session, application, opt_out_list, pool, after, page.limit)
            rows, token = page.cut(rows, key=lambda row: [row.phone_number])
            found = [render.phone_number(row) for row in rows]
            await standing.tell(session, application, found)
        return pb.ListPhoneNumbersResponse(phone_numbers=found, next_page_token=token)

    async def CreatePhoneNumber(
        self, request: pb.CreatePhoneNumberRequest, context: Any
    ) -> phone_number_pb2.PhoneNumber:
        application = names.application_of(request.parent)
        number, wanted, now = request.phone_number_id, request.phone_number, clock.now()
        numbers.check_number(number)
        row = PhoneNumberRow(
            application=application,
            phone_number=number,
            type=phone_number_pb2.PhoneNumber.Type.Name(wanted.type)
            if wanted.type
            else numbers.type_of(number),
            country_code=wanted.country_code or numbers.country_of(number),
            create_time=now,
            update_time=now,
        )
        numbers.change(row, wanted, self._webhooks)

        async with self._sessions.begin() as session:

            async def create() -> phone_number_pb2.PhoneNumber:
                await store.add(session, row)
                return render.phone_number(row)

            return await request_ids.once(session, request, application, create)

    async def UpdatePhoneNumber(
        self, request: pb.UpdatePhoneNumberRequest, context: Any
    ) -> phone_number_pb2.PhoneNumber:
        async with self._sessions.begin() as session:
            return await self._held.update(session, request.update_mask, request.phone_number)

    async def DeletePhoneNumber(self, request: pb.DeletePhoneNumberRequest, context: Any) -> Empty:
        async with self._sessions.begin() as session:
            row = await self._held.held(session, request.name, request.etag)
            numbers.check_deletable(row)
            await members.release_number(session, row)
            await store.remove(session, row)
        return Empty()


async def _locked(session: AsyncSession, name: str) -> PhoneNumberRow:
    return await store.get(session, name, lock=True)


async def _rendered(session: AsyncSession, row: PhoneNumberRow) -> phone_number_pb2.PhoneNumber:
    number = render.phone_number(row)
    await standing.tell(session, row.application, [number])
    return number
