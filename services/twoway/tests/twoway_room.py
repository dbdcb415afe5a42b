"""This room in one process: its front door, its stubs, its receiver."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import twoway_templates
from google.longrunning import operations_pb2_grpc
from heliograph.messaging.v1 import (
    events_pb2,
    message_service_pb2_grpc,
    template_service_pb2_grpc,
)
from heliograph.twoway.v1 import (
    conversation_service_pb2_grpc,
    keyword_service_pb2,
    keyword_service_pb2_grpc,
    opt_out_service_pb2_grpc,
    phone_number_pb2,
    phone_number_service_pb2,
    phone_number_service_pb2_grpc,
    pool_service_pb2_grpc,
    sender_id_service_pb2_grpc,
)
from mesh.eventing.consumer import Delivery
from mesh.eventing.outbox import OutboxRow
from mesh.testkit.rpc import RpcClient
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from twoway.imports.importing import Importer
from twoway.inbound.receiving import Receiver
from twoway.linking.asking import Asking
from twoway.places import Places
from twoway.services import services
from twoway.wakeups import Wakeups
from twoway.webhooks.rules import Webhooks
from twoway_messaging import SERVICE, MessageServicer
from twoway_templates import TemplateServicer

SHOP = "applications/shop"
NUMBER = "+12065550100"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Room:
    """`async with Room(…)`: stubs behind real interceptors, wake-ups by the real database."""

    def __init__(
        self,
        database_url: str,
        sessions: async_sessionmaker[AsyncSession],
        asking: Any,
        rpc_client: RpcClient,
        places: Places | None = None,
        webhooks: Webhooks | None = None,
    ) -> None:
        self.sessions = sessions
        self.wakeups = Wakeups()
        self.places = places or Places()
        self.importer = Importer(sessions, self.wakeups, self.places.objects)
        self._database_url = database_url
        self.asking = asking
        self._webhooks = webhooks
        self._rpc_client = rpc_client
        self.messaging = MessageServicer()

    async def __aenter__(self) -> Self:
        self._waking = asyncio.create_task(self.wakeups.run(self._database_url))
        self.templates = TemplateServicer()
        neighbour = await self._rpc_client(
            {SERVICE: self.messaging, twoway_templates.SERVICE: self.templates}
        )
        stub: Any = message_service_pb2_grpc.MessageServiceStub(neighbour)
        self.template_stub: Any = template_service_pb2_grpc.TemplateServiceStub(neighbour)
        self.linking = Asking(stub, timeout_seconds=60.0)
        self._receiver = Receiver(self.asking, self.linking)
        self.messaging_stub = stub
        self.services = services(
            *(self.sessions, self.asking, self.wakeups, self.places),
            messaging=stub,
            templates=self.template_stub,
            webhooks=self._webhooks,
        )
        await self.enter()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._waking.cancel()
        await asyncio.wait([self._waking])

    async def enter(self, token: str | None = None) -> None:
        """Take the stubs of a caller with this token; by default those of an administrator."""
        channel = await self._rpc_client(self.services, token=token)
        self.numbers: Any = phone_number_service_pb2_grpc.PhoneNumberServiceStub(channel)
        self.keywords: Any = keyword_service_pb2_grpc.KeywordServiceStub(channel)
        self.consent: Any = opt_out_service_pb2_grpc.OptOutServiceStub(channel)
        self.pools: Any = pool_service_pb2_grpc.PoolServiceStub(channel)
        self.sender_ids: Any = sender_id_service_pb2_grpc.SenderIdServiceStub(channel)
        self.operations: Any = operations_pb2_grpc.OperationsStub(channel)
        self.conversations: Any = conversation_service_pb2_grpc.ConversationServiceStub(channel)

    async def register(self, number: str = NUMBER, **settings: Any) -> phone_number_pb2.PhoneNumber:
        """Register a number whose two-way switch is on."""
        settings.setdefault("two_way_enabled", True)
        request = phone_number_service_pb2.CreatePhoneNumberRequest(
            parent=SHOP,
            phone_number_id=number,
            phone_number=phone_number_pb2.PhoneNumber(**settings),
        )
        registered: phone_number_pb2.PhoneNumber = await self.numbers.CreatePhoneNumber(request)
        return registered

    async def explain(
        self, text: str, number: str = NUMBER
    ) -> keyword_service_pb2.ExplainTextResponse:
        """What a text to a number would do."""
        request = keyword_service_pb2.ExplainTextRequest(
            name=f"{SHOP}/phoneNumbers/{number}", text=text
        )
        explained: keyword_service_pb2.ExplainTextResponse = await self.keywords.ExplainText(
            request
        )
        return explained

    async def receive(self, *messages: events_pb2.InboundSms, application: str = "shop") -> None:
        """Take texts in as the consumer does."""
        await self._receiver.handle([delivery(messages, application)])


def sms(
    text: str,
    source: str = "+12065550199",
    destination: str = NUMBER,
    *,
    inbound_id: str = "",
    at_seconds: float = 0,
) -> events_pb2.InboundSms:
    """A text, received so many seconds after noon."""
    received = NOON + timedelta(seconds=at_seconds)
    message = events_pb2.InboundSms(
        inbound_id=inbound_id or f"in-{source}-{at_seconds}-{text}".replace(" ", "_")[:100],
        source_address=source,
        destination_address=destination,
        text=text,
        parts=1,
        connection="carrier",
    )
    message.receive_time.FromDatetime(received)
    return message


def inbound(
    messages: Iterable[events_pb2.InboundSms], application: str = "shop"
) -> events_pb2.InboundSmsReceived:
    """The bus message that carries texts."""
    return events_pb2.InboundSmsReceived(application=application, messages=messages)


def delivery(messages: Iterable[events_pb2.InboundSms], application: str = "shop") -> Delivery:
    """A bus message as a handler gets it."""
    return Delivery(
        data=inbound(messages, application).SerializeToString(),
        subject=f"heliograph.messaging.v1.InboundSmsReceived.{application}",
        headers={},
        num_delivered=1,
        stream="INBOUND",
        sequence=1,
        receive_time=NOON,
    )


async def announced(room: Room, kind: Any) -> list[Any]:
    """Events of a kind of `shop` that wait to be published, in their order."""
    async with room.sessions() as session:
        rows = (await session.exec(select(OutboxRow).order_by(col(OutboxRow.id)))).all()
    subject = f"{kind.DESCRIPTOR.full_name}.shop"
    return [kind.FromString(row.payload) for row in rows if row.subject == subject]
