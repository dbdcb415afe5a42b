"""KeywordService: open, get, ask, commit, render."""

from typing import TYPE_CHECKING, Any

from google.protobuf.empty_pb2 import Empty
from heliograph.twoway.v1 import inbound_message_pb2, keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from mesh.aip import etags, field_masks, pagination, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, locks, names
from twoway.intents import rule_sets, understand
from twoway.intents.normalization import normalize
from twoway.keywords import checking, matching, owners, render, store, words
from twoway.keywords.tables import KeywordRow

if TYPE_CHECKING:
    from heliograph.messaging.v1.template_service_pb2_grpc import TemplateServiceAsyncStub

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1_000


class KeywordServicer:
    """The keywords of numbers and pools."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        templates: "TemplateServiceAsyncStub",
    ) -> None:
        """`templates` are messaging's, which renders what keywords answer."""
        self._sessions = sessions
        self._templates = templates

    async def GetKeyword(self, request: pb.GetKeywordRequest, context: Any) -> keyword_pb2.Keyword:
        application, number, keyword_id = names.keyword_key(request.name)
        async with self._sessions() as session:
            owner = await owners.get(session, names.keywords_parent(application, number))
            row = await store.get(session, application, owner.keeper, keyword_id)
            return render.keyword(row, owner.named)

    async def ListKeywords(
        self, request: pb.ListKeywordsRequest, context: Any
    ) -> pb.ListKeywordsResponse:
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            owner = await owners.get(session, request.parent, "parent")
            rows = await store.of_number(session, owner.application, owner.keeper)
        rest = [row for row in rows if row.keyword_id > after]
        rows, token = page.cut(rest[: page.limit], key=lambda row: [row.keyword_id])
        keywords = [render.keyword(row, owner.named) for row in rows]
        return pb.ListKeywordsResponse(keywords=keywords, next_page_token=token)

    async def CreateKeyword(
        self, request: pb.CreateKeywordRequest, context: Any
    ) -> keyword_pb2.Keyword:
        application = names.application_in(request.parent)

        async with self._sessions.begin() as session:

            async def create() -> keyword_pb2.Keyword:
                owner = await _held(session, request.parent, "parent")
                row = _new(application, owner.keeper, request)
                await checking.check(self._templates, render.keyword(row))
                count = await store.count_custom(session, application, owner.keeper)
                words.check_room(count, request.parent)
                await store.add(session, row)
                return render.keyword(row)

            return await request_ids.once(session, request, application, create)

    async def UpdateKeyword(
        self, request: pb.UpdateKeywordRequest, context: Any
    ) -> keyword_pb2.Keyword:
        wanted = request.keyword
        application, number, keyword_id = names.keyword_key(wanted.name)
        async with self._sessions.begin() as session:
            await _held(session, names.keywords_parent(application, number))
            row = await store.get(session, application, number, keyword_id, lock=True)
            etags.check(row.revision, wanted.etag)
            target = render.keyword(row)
            paths = field_masks.apply(request.update_mask, wanted, target)
            if paths:
                words.drop_stale_translations(row, target, paths)
                words.change(row, target)
                await checking.check(self._templates, target)
                row.revision += 1
                row.update_time = clock.now()
                session.add(row)
            return render.keyword(row)

    async def DeleteKeyword(self, request: pb.DeleteKeywordRequest, context: Any) -> Empty:
        application, number, keyword_id = names.keyword_key(request.name)
        words.check_deletable(keyword_id)
        async with self._sessions.begin() as session:
            await _held(session, names.keywords_parent(application, number))
            row = await store.get(session, application, number, keyword_id, lock=True)
            etags.check(row.revision, request.etag)
            await session.delete(row)
        return Empty()

    async def ExplainText(
        self, request: pb.ExplainTextRequest, context: Any
    ) -> pb.ExplainTextResponse:
        async with self._sessions() as session:
            owner = await owners.get(session, request.name)
            rows = await store.of_number(session, owner.application, owner.keeper)
        meaning = understand(
            request.text,
            matching.in_force(matching.custom(rows), clock.now()),
            rule_sets.of(owner.rule_set),
        )
        keyword_id = meaning.keyword_id
        return pb.ExplainTextResponse(
            intent=inbound_message_pb2.Intent.Value(meaning.intent),
            flagged=meaning.flagged,
            keyword=names.keyword(owner.application, owner.named, keyword_id) if keyword_id else "",
            normalized_text=normalize(request.text),
            reply_text=matching.reply_text(rows, meaning),
        )


async def _held(session: AsyncSession, parent: str, field: str = "name") -> owners.Owner:
    """The owner of keywords that nobody else changes until the transaction ends."""
    await locks.hold_identities(session, names.application_in(parent))
    owner = await owners.get(session, parent, field)
    owners.check_changeable(owner)
    return owner


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
