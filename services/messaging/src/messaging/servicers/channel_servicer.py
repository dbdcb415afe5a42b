"""heliograph.messaging.v1.ChannelService."""

from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import channel_service_pb2 as rpc
from heliograph.messaging.v1.channel_pb2 import Channel
from mesh.aip import etags, field_masks, pagination, request_ids, resource_names
from mesh.aip.tables import now
from mesh.errors import AlreadyExists, NotFound
from mesh.sealing import Sealer
from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from messaging import channel_configs, names, render
from messaging.connections import NOTIFICATION, Connections, opened, place
from messaging.tables import ACCOUNT_INDEX, ChannelRow


class ChannelServicer:
    """Channels: how an application reaches its people."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        sealer: Sealer,
        connections: Connections,
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._connections = connections

    async def GetChannel(self, request: rpc.GetChannelRequest, context: Any) -> Channel:
        async with self._sessions() as session:
            return render.channel(await _get(session, request.name))

    async def ListChannels(
        self, request: rpc.ListChannelsRequest, context: Any
    ) -> rpc.ListChannelsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, default_size=100, max_size=1000)
        query = select(ChannelRow).where(ChannelRow.application == application)
        if page.after is not None:
            query = query.where(col(ChannelRow.id) > page.after[0])
        async with self._sessions() as session:
            rows = (await session.exec(query.order_by(col(ChannelRow.id)).limit(page.limit))).all()
        rows, token = page.cut(rows, key=lambda row: [row.id])
        return rpc.ListChannelsResponse(
            channels=[render.channel(row) for row in rows], next_page_token=token
        )

    async def CreateChannel(self, request: rpc.CreateChannelRequest, context: Any) -> Channel:
        application = names.application_of(request.parent)
        async with self._sessions.begin() as session:

            async def create() -> Channel:
                row = ChannelRow(
                    application=application,
                    id=request.channel_id,
                    channel_type=request.channel.channel_type,
                    enabled=request.channel.enabled,
                    config=b"",
                )
                await _refuse_taken(session, row)
                self._fill(row, request.channel, {})
                await _save(session, row, request.channel)
                return render.channel(row)

            channel = await request_ids.once(session, request, application, create)
        await self._connections.refresh()
        return channel

    async def UpdateChannel(self, request: rpc.UpdateChannelRequest, context: Any) -> Channel:
        async with self._sessions.begin() as session:
            row = await _get(session, request.channel.name, lock=True)
            etags.check(row.revision, request.channel.etag)
            given = Channel()
            given.CopyFrom(request.channel)
            secrets = channel_configs.take_secrets(given)
            changed = render.channel(row)
            field_masks.apply(request.update_mask, given, changed)
            channel_configs.put_secrets(changed, secrets)
            old = opened(self._sealer, row.application, row.id, row.secrets)
            self._fill(row, changed, old)
            row.revision += 1
            row.update_time = now()
            await _save(session, row, changed)
            channel = render.channel(row)
        await self._connections.refresh()
        return channel

    async def DeleteChannel(self, request: rpc.DeleteChannelRequest, context: Any) -> Empty:
        async with self._sessions.begin() as session:
            row = await _get(session, request.name, lock=True)
            etags.check(row.revision, request.etag)
            await session.delete(row)
            await _notify(session)
        await self._connections.refresh()
        return Empty()

    async def VerifyChannel(
        self, request: rpc.VerifyChannelRequest, context: Any
    ) -> rpc.VerifyChannelResponse:
        async with self._sessions() as session:
            row = await _get(session, request.name)
        channel = Channel.FromString(row.config)
        secrets = opened(self._sealer, row.application, row.id, row.secrets)
        channel_configs.put_secrets(channel, secrets)
        words = await self._connections.make(row.application, row.id, channel).verify()
        return rpc.VerifyChannelResponse(verified=not words, detail=words)

    def _fill(self, row: ChannelRow, channel: Channel, old: dict[str, str]) -> None:
        """Takes a channel's settings into its row, its secrets sealed; those not given are kept."""
        config = Channel()
        config.CopyFrom(channel)
        channel_configs.check(config, self._connections.drivers)
        kept = {
            path: text for path, text in old.items() if path in channel_configs.secret_paths(config)
        }
        secrets = kept | channel_configs.take_secrets(config)
        clear = Channel()
        clear.CopyFrom(config)
        channel_configs.put_secrets(clear, secrets)
        # The driver refuses what it cannot do.
        self._connections.make(row.application, row.id, clear)
        for field in ("name", "create_time", "update_time", "etag"):
            config.ClearField(field)  # type: ignore[arg-type]  # a field's name
        row.account = _account(row, config)
        row.enabled = config.enabled
        row.config = config.SerializeToString()
        row.secrets = {
            path: self._sealer.seal(text, place(row.application, row.id, path))
            for path, text in secrets.items()
        }


async def _get(session: AsyncSession, name: str, *, lock: bool = False) -> ChannelRow:
    ids = resource_names.parse(names.CHANNEL, name)
    key = (ids["application"], ids["channel"])
    row = await session.get(ChannelRow, key, with_for_update=lock or None)
    if row is None:
        raise NotFound("CHANNEL_NOT_FOUND", f"{name} does not exist", channel=name)
    return row


async def _refuse_taken(session: AsyncSession, row: ChannelRow) -> None:
    query = select(ChannelRow).where(ChannelRow.application == row.application)
    for other in (await session.exec(query)).all():
        name = names.CHANNEL.format(application=other.application, channel=other.id)
        if other.id == row.id:
            raise AlreadyExists("CHANNEL_ALREADY_EXISTS", f"{name} exists", channel=name)
        if other.channel_type == row.channel_type:
            word = ChannelType.Name(ChannelType.ValueType(row.channel_type))
            raise AlreadyExists(
                "CHANNEL_TYPE_TAKEN",
                f"{name} reaches {word} already",
                channel=name,
                channel_type=word,
            )


def _account(row: ChannelRow, config: Channel) -> str | None:
    """The account that the channel claims; None if it has none.

    Channels that have shared one since before that was refused can be disabled, and moved.
    """
    account = channel_configs.account(config)
    shared = (
        row.account is None
        and row.config
        and account == channel_configs.account(Channel.FromString(row.config))
    )
    return None if shared and not config.enabled else account


async def _save(session: AsyncSession, row: ChannelRow, channel: Channel) -> None:
    """Writes the row and tells every replica; refuses an account that another channel has."""
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        cause = error.orig.__cause__ if error.orig else None
        if getattr(cause, "constraint_name", None) != ACCOUNT_INDEX:
            raise
        raise channel_configs.account_in_use(channel) from None
    await _notify(session)


async def _notify(session: AsyncSession) -> None:
    """Tells every replica, once the transaction commits."""
    await session.exec(select(func.pg_notify(NOTIFICATION, "")))
