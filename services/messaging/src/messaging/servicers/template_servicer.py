"""heliograph.messaging.v1.TemplateService."""

from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.messaging.v1 import template_service_pb2 as rpc
from heliograph.messaging.v1.template_pb2 import Template, TemplateVersion
from mesh.aip import etags, field_masks, pagination, request_ids, resource_names
from mesh.errors import AlreadyExists, NotFound
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from messaging import names, previews, render, templates
from messaging.stored_templates import StoredTemplates
from messaging.tables import TemplateRow, TemplateVersionRow


class TemplateServicer:
    """Stored messages in versions, and previews."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], stored: StoredTemplates) -> None:
        self._sessions = sessions
        self._stored = stored

    async def GetTemplate(self, request: rpc.GetTemplateRequest, context: Any) -> Template:
        async with self._sessions() as session:
            row = await _get(session, request.name)
            return render.template(row, await _version(session, row, row.active_version))

    async def ListTemplates(
        self, request: rpc.ListTemplatesRequest, context: Any
    ) -> rpc.ListTemplatesResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, default_size=100, max_size=1000)
        query = (
            select(TemplateRow, TemplateVersionRow)
            .join(
                TemplateVersionRow,
                (col(TemplateVersionRow.application) == col(TemplateRow.application))
                & (col(TemplateVersionRow.template_id) == col(TemplateRow.id))
                & (col(TemplateVersionRow.version) == col(TemplateRow.active_version)),
            )
            .where(TemplateRow.application == application)
        )
        if request.prefix:
            query = query.where(col(TemplateRow.id).startswith(request.prefix, autoescape=True))
        if page.after is not None:
            query = query.where(col(TemplateRow.id) > page.after[0])
        async with self._sessions() as session:
            pairs = (
                await session.exec(query.order_by(col(TemplateRow.id)).limit(page.limit))
            ).all()
        pairs, token = page.cut(pairs, key=lambda pair: [pair[0].id])
        return rpc.ListTemplatesResponse(
            templates=[render.template(*pair) for pair in pairs], next_page_token=token
        )

    async def CreateTemplate(self, request: rpc.CreateTemplateRequest, context: Any) -> Template:
        application = names.application_of(request.parent)
        templates.check(request.template.content, "template.content")
        async with self._sessions.begin() as session:

            async def create() -> Template:
                await _refuse_taken(session, application, request.template_id)
                row = templates.first(application, request.template_id, request.template)
                version = templates.version(row, request.template)
                session.add(row)
                await session.flush()
                session.add(version)
                return render.template(row, version)

            return await request_ids.once(session, request, application, create)

    async def UpdateTemplate(self, request: rpc.UpdateTemplateRequest, context: Any) -> Template:
        async with self._sessions.begin() as session:
            row = await _get(session, request.template.name, lock=True)
            etags.check(row.revision, request.template.etag)
            latest = await _version(session, row, row.latest_version)
            changed = render.template(row, latest)
            field_masks.apply(request.update_mask, request.template, changed)
            templates.check(changed.content, "template.content")
            if request.create_new_version:
                templates.add_version(row)
                latest = templates.version(row, changed)
            templates.touch(row)
            latest.content = changed.content.SerializeToString()
            latest.description = row.description = changed.description
            latest.update_time = row.update_time
            row.tags = dict(changed.tags)
            session.add_all([row, latest])
            return render.template(row, latest)

    async def DeleteTemplate(self, request: rpc.DeleteTemplateRequest, context: Any) -> Empty:
        async with self._sessions.begin() as session:
            row = await _get(session, request.name, lock=True)
            etags.check(row.revision, request.etag)
            await session.delete(row)
        return Empty()

    async def GetTemplateVersion(
        self, request: rpc.GetTemplateVersionRequest, context: Any
    ) -> TemplateVersion:
        application, template_id, number = names.version_of(request.name)
        async with self._sessions() as session:
            row = await _get(session, _name(application, template_id))
            version = await _version(session, row, number)
            return render.template_version(version, row.active_version)

    async def ListTemplateVersions(
        self, request: rpc.ListTemplateVersionsRequest, context: Any
    ) -> rpc.ListTemplateVersionsResponse:
        page = pagination.Page(request, default_size=100, max_size=1000)
        async with self._sessions() as session:
            row = await _get(session, request.parent, field="parent")
            query = select(TemplateVersionRow).where(
                TemplateVersionRow.application == row.application,
                TemplateVersionRow.template_id == row.id,
            )
            if page.after is not None:
                query = query.where(col(TemplateVersionRow.version) < page.after[0])
            newest = query.order_by(col(TemplateVersionRow.version).desc())
            versions = (await session.exec(newest.limit(page.limit))).all()
        versions, token = page.cut(versions, key=lambda version: [version.version])
        return rpc.ListTemplateVersionsResponse(
            template_versions=[
                render.template_version(version, row.active_version) for version in versions
            ],
            next_page_token=token,
        )

    async def ActivateTemplateVersion(
        self, request: rpc.ActivateTemplateVersionRequest, context: Any
    ) -> Template:
        application, template_id, number = names.version_of(request.name)
        async with self._sessions.begin() as session:
            row = await _get(session, _name(application, template_id), lock=True)
            etags.check(row.revision, request.etag)
            version = await _version(session, row, number)
            row.active_version = number
            templates.touch(row)
            session.add(row)
            return render.template(row, version)

    async def RenderTemplate(
        self, request: rpc.RenderTemplateRequest, context: Any
    ) -> rpc.RenderTemplateResponse:
        application = names.application_of(request.parent)
        return await previews.render(self._stored, application, request)


async def _get(
    session: AsyncSession, name: str, *, lock: bool = False, field: str = "name"
) -> TemplateRow:
    ids = resource_names.parse(names.TEMPLATE, name, field=field)
    key = (ids["application"], ids["template"])
    row = await session.get(TemplateRow, key, with_for_update=lock or None)
    if row is None:
        raise NotFound("TEMPLATE_NOT_FOUND", f"{name} does not exist", template=name)
    return row


async def _version(session: AsyncSession, row: TemplateRow, number: int) -> TemplateVersionRow:
    version = await session.get(TemplateVersionRow, (row.application, row.id, number))
    if version is None:
        name = names.TEMPLATE_VERSION.format(
            application=row.application, template=row.id, version=number
        )
        raise NotFound("TEMPLATE_VERSION_NOT_FOUND", f"{name} does not exist", version=name)
    return version


async def _refuse_taken(session: AsyncSession, application: str, template_id: str) -> None:
    if await session.get(TemplateRow, (application, template_id)) is not None:
        name = _name(application, template_id)
        raise AlreadyExists("TEMPLATE_ALREADY_EXISTS", f"{name} exists", template=name)


def _name(application: str, template_id: str) -> str:
    return names.TEMPLATE.format(application=application, template=template_id)
