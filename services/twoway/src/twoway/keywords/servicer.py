"""KeywordService: open, get, ask, commit, render."""

from typing import TYPE_CHECKING, Any

from google.protobuf.empty_pb2 import Empty
from heliograph.twoway.v1 import inbound_message_pb2, keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from mesh.aip import etags, field_masks, pagination, request_ids
from mesh.errors import Aborted
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

UPDATE_ATTEMPTS_MAX = 3
"""How often an update begins again because somebody else has changed the keyword meanwhile."""


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
        async with self._sessions() as session:
            answered = await request_ids.answered(
                session, request, application, keyword_pb2.Keyword
            )
            if answered is not None:
                return answered
            owner = await _owner(session, request.parent, "parent")
        # Messaging may take its time, and nobody is to wait for it with a lock.
        row = _new(application, owner.keeper, request)
        await checking.check(self._templates, render.keyword(row))
        async with self._sessions.begin() as session:

            async def create() -> keyword_pb2.Keyword:
                owner = await _held(session, request.parent, "parent")
                row = _new(application, owner.keeper, request)
                count = await store.count_custom(session, application, owner.keeper)
                words.check_room(count, request.parent)
                await store.add(session, row)
                return render.keyword(row)

            return await request_ids.once(session, request, application, create)

    async def UpdateKeyword(
        self, request: pb.UpdateKeywordRequest, context: Any
    ) -> keyword_pb2.Keyword:
        for _ in range(UPDATE_ATTEMPTS_MAX):
            checked = await self._checked(request)
            async with self._sessions.begin() as session:
                await _held(session, _parent(request.keyword.name))
                row = await _asked(session, request, lock=True)
                if row.revision == checked:
                    return _saved(session, row, request)
        name = request.keyword.name
        raise Aborted("KEYWORD_CHANGED", f"others are changing {name} just now", keyword=name)

    async def _checked(self, request: pb.UpdateKeywordRequest) -> int:
        """The revision of the keyword, once messaging can render what the request makes of it."""
        async with self._sessions() as session:
            await _owner(session, _parent(request.keyword.name))
            row = await _asked(session, request)
        if _change(row, request):
            await checking.check(self._templates, render.keyword(row))
        return row.revision

    async def DeleteKeyword(self, request: pb.DeleteKeywordRequest, context: Any) -> Empty:
        application, number, keyword_id = names.keyword_key(request.name)
        words.check_deletable(keyword_id)
        async with self._sessions.begin() as session:
            await _held(session, _parent(request.name))
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
    return await _owner(session, parent, field)


async def _owner(session: AsyncSession, parent: str, field: str = "name") -> owners.Owner:
    owner = await owners.get(session, parent, field)
    owners.check_changeable(owner)
    return owner


async def _asked(
    session: AsyncSession, request: pb.UpdateKeywordRequest, *, lock: bool = False
) -> KeywordRow:
    """The keyword that is to be changed, as it is."""
    row = await store.get(session, *names.keyword_key(request.keyword.name), lock=lock)
    etags.check(row.revision, request.keyword.etag)
    return row


def _change(row: KeywordRow, request: pb.UpdateKeywordRequest) -> bool:
    """Make the row what the request wants; False when it wants nothing."""
    target = render.keyword(row)
    paths = field_masks.apply(request.update_mask, request.keyword, target)
    if paths:
        words.drop_stale_translations(row, target, paths)
        words.change(row, target)
    return bool(paths)


def _saved(
    session: AsyncSession, row: KeywordRow, request: pb.UpdateKeywordRequest
) -> keyword_pb2.Keyword:
    if _change(row, request):
        row.revision += 1
        row.update_time = clock.now()
        session.add(row)
    return render.keyword(row)


def _parent(keyword: str) -> str:
    application, number, _ = names.keyword_key(keyword)
    return names.keywords_parent(application, number)


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
