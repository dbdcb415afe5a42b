"""OptOutService: lists, who is on them, and the question of consent."""

from datetime import datetime
from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.twoway.v1 import opt_out_list_pb2
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.aip import etags, field_masks, pagination, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, clock, locks, metrics, names
from twoway.consent import checking, numbers, render, store, summarizing, writing
from twoway.exports.servicer import Exporting
from twoway.imports.servicer import Importing
from twoway.places import Places
from twoway.tables import OptOutListRow
from twoway.wakeups import Wakeups

LISTS_DEFAULT, NUMBERS_DEFAULT, PAGE_SIZE_MAX = 50, 100, 1_000


class OptOutServicer(Importing, Exporting):
    """Opt-out lists. `pool` leads to the primary, as consent is asked of it."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        pool: Any,
        wakeups: Wakeups,
        places: Places | None = None,
    ) -> None:
        self._sessions = sessions
        self._wakeups = wakeups
        self._pool = pool
        self._places = places or Places()

    async def GetOptOutList(
        self, request: pb.GetOptOutListRequest, context: Any
    ) -> opt_out_list_pb2.OptOutList:
        async with self._sessions.begin() as session:
            return render.opt_out_list(await store.get_list(session, request.name))

    async def ListOptOutLists(
        self, request: pb.ListOptOutListsRequest, context: Any
    ) -> pb.ListOptOutListsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, LISTS_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions.begin() as session:
            rows = await store.page_lists(session, application, after, page.limit)
        rows, token = page.cut(rows, key=lambda row: [row.opt_out_list])
        return pb.ListOptOutListsResponse(
            opt_out_lists=map(render.opt_out_list, rows), next_page_token=token
        )

    async def CreateOptOutList(
        self, request: pb.CreateOptOutListRequest, context: Any
    ) -> opt_out_list_pb2.OptOutList:
        application, now = names.application_of(request.parent), clock.now()
        row = OptOutListRow(
            application=application,
            opt_out_list=request.opt_out_list_id,
            display_name=request.opt_out_list.display_name,
            create_time=now,
            update_time=now,
        )

        async with self._sessions.begin() as session:

            async def create() -> opt_out_list_pb2.OptOutList:
                await store.add_list(session, row)
                return render.opt_out_list(row)

            return await request_ids.once(session, request, application, create)

    async def UpdateOptOutList(
        self, request: pb.UpdateOptOutListRequest, context: Any
    ) -> opt_out_list_pb2.OptOutList:
        wanted = request.opt_out_list
        async with self._sessions.begin() as session:
            row = await store.get_list(session, wanted.name, lock=True)
            etags.check(row.revision, wanted.etag)
            target = render.opt_out_list(row)
            if field_masks.apply(request.update_mask, wanted, target):
                row.display_name = target.display_name
                row.revision += 1
                row.update_time = clock.now()
            return render.opt_out_list(row)

    async def DeleteOptOutList(self, request: pb.DeleteOptOutListRequest, context: Any) -> Empty:
        async with self._sessions.begin() as session:
            # Nobody is put on the list between its end and the time that is told of it.
            await locks.hold(session, names.application_in(request.name))
            row = await store.get_list(session, request.name, lock=True)
            etags.check(row.revision, request.etag)
            await store.remove_list(session, row)
            writing.announce_deleted(session, row)
        return Empty()

    async def GetOptedOutNumber(
        self, request: pb.GetOptedOutNumberRequest, context: Any
    ) -> opt_out_list_pb2.OptedOutNumber:
        async with self._sessions() as session:
            return render.opted_out_number(await numbers.get(session, request.name))

    async def ListOptedOutNumbers(
        self, request: pb.ListOptedOutNumbersRequest, context: Any
    ) -> pb.ListOptedOutNumbersResponse:
        key = names.opt_out_list_key(request.parent, "parent")
        page = pagination.Page(request, NUMBERS_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions.begin() as session:
            await store.get_list(session, request.parent)
            rows = await store.page_numbers(session, *key, after, page.limit)
        rows, token = page.cut(rows, key=lambda row: [row.phone_number])
        return pb.ListOptedOutNumbersResponse(
            opted_out_numbers=map(render.opted_out_number, rows), next_page_token=token
        )

    async def PutOptedOutNumber(
        self, request: pb.PutOptedOutNumberRequest, context: Any
    ) -> opt_out_list_pb2.OptedOutNumber:
        async with self._sessions.begin() as session:
            row = await numbers.put_one(
                session, request.parent, request.phone_number, request.comment
            )
            return render.opted_out_number(row)

    async def BatchPutOptedOutNumbers(
        self, request: pb.BatchPutOptedOutNumbersRequest, context: Any
    ) -> pb.BatchPutOptedOutNumbersResponse:
        async with self._sessions.begin() as session:
            results = await numbers.put_each(
                session, request.parent, request.phone_numbers, request.comment
            )
        return pb.BatchPutOptedOutNumbersResponse(results=results)

    async def DeleteOptedOutNumber(
        self, request: pb.DeleteOptedOutNumberRequest, context: Any
    ) -> Empty:
        async with self._sessions.begin() as session:
            await numbers.take_off(session, request.name, request.comment)
        return Empty()

    async def CheckConsent(
        self, request: pb.CheckConsentRequest, context: Any
    ) -> pb.CheckConsentResponse:
        found = await checking.opted_out(
            self._pool,
            names.application_of(request.parent),
            request.origination_identity,
            request.destination_addresses,
        )
        metrics.CONSENT_ADDRESSES.labels("opted_out").inc(len(found))
        metrics.CONSENT_ADDRESSES.labels("clear").inc(
            len(request.destination_addresses) - len(found)
        )
        return pb.CheckConsentResponse(opted_out_addresses=found)

    async def ListConsentChanges(
        self, request: pb.ListConsentChangesRequest, context: Any
    ) -> pb.ListConsentChangesResponse:
        application = names.application_of(request.parent)
        opt_out_list = ""
        if request.opt_out_list:
            names.same_application(application, request.opt_out_list, "opt_out_list")
            opt_out_list = names.opt_out_list_key(request.opt_out_list, "opt_out_list")[1]
        page = pagination.Page(request, NUMBERS_DEFAULT, PAGE_SIZE_MAX)
        before = None
        if page.after:
            before = (datetime.fromisoformat(str(page.after[0])), str(page.after[1]))
        person = addresses.canonical(request.destination_address)
        async with self._sessions() as session:
            rows = await store.page_changes(
                session, application, opt_out_list, person, before, page.limit
            )
        rows, token = page.cut(
            rows, key=lambda row: [row.change_time.isoformat(), row.consent_change]
        )
        return pb.ListConsentChangesResponse(
            consent_changes=map(render.consent_change, rows), next_page_token=token
        )

    async def SummarizeConsentChanges(
        self, request: pb.SummarizeConsentChangesRequest, context: Any
    ) -> pb.SummarizeConsentChangesResponse:
        rows = await summarizing.summarize(self._pool, request)
        return pb.SummarizeConsentChangesResponse(rows=rows)
