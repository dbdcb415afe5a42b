"""KeywordService: open, get, ask, commit, render."""

from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.twoway.v1 import inbound_message_pb2, keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from mesh.aip import etags, field_masks, pagination, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.intents import rule_sets, understand
from twoway.intents.normalization import normalize
from twoway.keywords import matching, render, store, words
from twoway.phone_numbers import store as phone_numbers
from twoway.tables import KeywordRow

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1_000


class KeywordServicer:
    """The keywords of numbers."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def GetKeyword(self, request: pb.GetKeywordRequest, context: Any) -> keyword_pb2.Keyword:
        application, number, _ = names.keyword_key(request.name)
        async with self._sessions() as session:
            await phone_numbers.get(session, names.phone_number(application, number))
            return render.keyword(await store.get(session, request.name))

    async def ListKeywords(
        self, request: pb.ListKeywordsRequest, context: Any
    ) -> pb.ListKeywordsResponse:
        key = names.phone_number_key(request.parent, "parent")
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            await phone_numbers.get(session, request.parent)
            rows = await store.of_number(session, *key)
        rest = [row for row in rows if row.keyword_id > after]
        rows, token = page.cut(rest[: page.limit], key=lambda row: [row.keyword_id])
        return pb.ListKeywordsResponse(keywords=map(render.keyword, rows), next_page_token=token)

    async def CreateKeyword(
        self, request: pb.CreateKeywordRequest, context: Any
    ) -> keyword_pb2.Keyword:
        application, number = names.phone_number_key(request.parent, "parent")
        row = _new(application, number, request)

        async with self._sessions.begin() as session:

            async def create() -> keyword_pb2.Keyword:
                # The lock on the number makes keywords of a number wait for each other.
                await phone_numbers.get(session, request.parent, lock=True)
                count = await store.count_custom(session, application, number)
                words.check_room(count, request.parent)
                await store.add(session, row)
                return render.keyword(row)

            return await request_ids.once(session, request, application, create)

    async def UpdateKeyword(
        self, request: pb.UpdateKeywordRequest, context: Any
    ) -> keyword_pb2.Keyword:
        wanted = request.keyword
        application, number, _ = names.keyword_key(wanted.name)
        async with self._sessions.begin() as session:
            await phone_numbers.get(session, names.phone_number(application, number), lock=True)
            row = await store.get(session, wanted.name, lock=True)
            etags.check(row.revision, wanted.etag)
            target = render.keyword(row)
            paths = field_masks.apply(request.update_mask, wanted, target)
            if paths:
                words.drop_stale_translations(row, target, paths)
                words.change(row, target)
                row.revision += 1
                row.update_time = clock.now()
                session.add(row)
            return render.keyword(row)

    async def DeleteKeyword(self, request: pb.DeleteKeywordRequest, context: Any) -> Empty:
        words.check_deletable(names.keyword_key(request.name)[2])
        async with self._sessions.begin() as session:
            row = await store.get(session, request.name, lock=True)
            etags.check(row.revision, request.etag)
            await session.delete(row)
        return Empty()

    async def ExplainText(
        self, request: pb.ExplainTextRequest, context: Any
    ) -> pb.ExplainTextResponse:
        application, number = names.phone_number_key(request.name)
        async with self._sessions() as session:
            row = await phone_numbers.get(session, request.name)
            rows = await store.of_number(session, application, number)
        meaning = understand(request.text, matching.custom(rows), rule_sets.of(row.rule_set))
        keyword_id = meaning.keyword_id
        return pb.ExplainTextResponse(
            intent=inbound_message_pb2.Intent.Value(meaning.intent),
            flagged=meaning.flagged,
            keyword=names.keyword(application, number, keyword_id) if keyword_id else "",
            normalized_text=normalize(request.text),
            reply_text=matching.reply_text(rows, meaning),
        )


def _new(application: str, number: str, request: pb.CreateKeywordRequest) -> KeywordRow:
    wanted, now = request.keyword, clock.now()
    keyword_id = request.keyword_id or words.id_of(wanted.keyword)
    words.check_id(keyword_id)
    row = KeywordRow(
        application=application,
        phone_number=number,
        keyword_id=keyword_id,
        keyword=wanted.keyword,
        words="",
        action="",
        create_time=now,
        update_time=now,
    )
    words.change(row, wanted)
    return row
