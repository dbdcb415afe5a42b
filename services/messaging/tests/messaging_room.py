"""The service at work, for its tests: what surrounds it, and what goes through it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from heliograph import subjects
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.endpoint_service_pb2 import (
    BatchGetEndpointsResponse,
    FindEndpointsResponse,
)
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.messaging.v1 import channel_service_pb2
from heliograph.messaging.v1.channel_pb2 import Channel, SmppProvider
from heliograph.messaging.v1.channel_service_pb2_grpc import ChannelServiceStub
from heliograph.messaging.v1.events_pb2 import MessageEvent, MessagesChanged
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceStub
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.messaging.v1.suppression_service_pb2_grpc import SuppressionServiceStub
from heliograph.messaging.v1.template_service_pb2_grpc import TemplateServiceStub
from heliograph.twoway.v1.opt_out_service_pb2 import CheckConsentResponse
from heliograph.twoway.v1.pool_service_pb2 import BatchSelectOriginationIdentitiesResponse
from localmesh.peers.remote import RemotePeer
from localmesh.peers.running import PeerProcess
from mesh.errors import NotFound, Unavailable
from mesh.eventing import publisher
from mesh.testkit.bus import last_published, published
from mesh.testkit.waiting import eventually
from messaging.assembly import Assembly
from messaging.ledger.rows import SELECTED, Row, of_record
from messaging.settings import Settings
from messaging_samples import APPLICATION

UNFINISHED = ("ACCEPTED", "HANDING", "UNKNOWN", "SENT")


class OptOuts:
    """Twoway's opt-out lists: whoever is in `numbers` has said STOP."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()
        self.away = False
        self.asked: list[tuple[str, list[str]]] = []

    async def CheckConsent(self, request: Any, context: Any) -> CheckConsentResponse:
        if self.away:
            raise Unavailable("AWAY", "nobody answers")
        asked = list(request.destination_addresses)
        self.asked.append((request.origination_identity, asked))
        return CheckConsentResponse(
            opted_out_addresses=[number for number in asked if number in self.numbers]
        )


class Pools:
    """Twoway's pools: the member for a destination, of a pool by name; no name is all numbers."""

    def __init__(self) -> None:
        self.members: dict[str, dict[str, str]] = {}
        self.away = False
        self.asked: list[Any] = []

    async def BatchSelectOriginationIdentities(
        self, request: Any, context: Any
    ) -> BatchSelectOriginationIdentitiesResponse:
        if self.away:
            raise Unavailable("AWAY", "nobody answers")
        self.asked.append(request)
        if request.pool and request.pool not in self.members:
            raise NotFound("POOL_NOT_FOUND", f"{request.pool} does not exist", pool=request.pool)
        members = self.members.get(request.pool, {})
        answer = BatchSelectOriginationIdentitiesResponse(candidate_count=len(members))
        for address in request.destination_addresses:
            answer.selections.add(
                origination_identity=members.get(address, ""), explanation="1 only simulated"
            )
        return answer


class Endpoints:
    """Audience's endpoints, by name."""

    def __init__(self) -> None:
        self.known: dict[str, Endpoint] = {}
        self.away = False
        self.finds = 0

    async def BatchGetEndpoints(self, request: Any, context: Any) -> BatchGetEndpointsResponse:
        if self.away:
            raise Unavailable("AWAY", "nobody answers")
        return BatchGetEndpointsResponse(
            endpoints=[self.known[name] for name in request.names if name in self.known],
            missing=[name for name in request.names if name not in self.known],
        )

    async def FindEndpoints(self, request: Any, context: Any) -> FindEndpointsResponse:
        if self.away:
            raise Unavailable("AWAY", "nobody answers")
        self.finds += 1
        known = self.known.values()
        return FindEndpointsResponse(
            endpoints=[one for one in known if one.address in request.addresses]
        )


@dataclass(frozen=True)
class CarrierAccount:
    """An account at a carrier that other tests use too, and where its journal stood before."""

    process: PeerProcess
    system_id: str
    begun: int

    @classmethod
    async def open(cls, process: PeerProcess, system_id: str) -> "CarrierAccount":
        """A new account; receipts come soon."""
        await process.remote.behave(
            accounts={system_id: "secret"}, receipts={"delay_seconds_max": 0.02}
        )
        return cls(process, system_id, sum((await process.remote.count()).values()))

    @property
    def port(self) -> int:
        """Where it speaks SMPP."""
        return self.process.ports["smpp"]

    @property
    def remote(self) -> RemotePeer:
        """Its control door."""
        return self.process.remote


@dataclass
class Room:
    """The service at work, and everything around it."""

    database_url: str
    js: Any
    carrier: CarrierAccount
    opt_outs: OptOuts
    pools: Pools
    endpoints: Endpoints
    settings: Settings
    assembly: Assembly
    address: str
    channel: grpc.aio.Channel
    connect: Callable[..., grpc.aio.Channel]
    pool: Any

    @property
    def messages(self) -> Any:
        return MessageServiceStub(self.channel)

    @property
    def channels(self) -> Any:
        return ChannelServiceStub(self.channel)

    @property
    def templates(self) -> Any:
        return TemplateServiceStub(self.channel)

    @property
    def suppressions(self) -> Any:
        return SuppressionServiceStub(self.channel)

    @staticmethod
    def stub_of(channel: grpc.aio.Channel) -> Any:
        """MessageService over another channel."""
        return MessageServiceStub(channel)

    async def open_channel(self, application: str = APPLICATION, **fields: Any) -> Channel:
        """An SMS channel to the carrier; on return it is bound."""
        made = await self.create_channel(application, **fields)
        await self.bound(application)
        return made

    async def create_channel(
        self,
        application: str = APPLICATION,
        channel_id: str = "sms",
        system_id: str = "",
        **fields: Any,
    ) -> Channel:
        """An SMS channel to the carrier, bound once the service is at work."""
        smpp = SmppProvider(
            host="127.0.0.1",
            port=self.carrier.port,
            system_id=system_id or self.carrier.system_id,
            password="secret",
        )
        channel = Channel(
            channel_type=ChannelType.SMS,
            enabled=True,
            smpp=smpp,
            **{"default_origination_identity": "+12065550100", **fields},
        )
        made: Channel = await self.channels.CreateChannel(
            channel_service_pb2.CreateChannelRequest(
                parent=f"applications/{application}", channel_id=channel_id, channel=channel
            )
        )
        return made

    async def bound(self, application: str = APPLICATION) -> None:
        """Waits until the channel could send."""

        def ready() -> bool:
            found = self.assembly.connections.get(application, ChannelType.SMS)
            return found is not None and found.driver.ready

        await eventually(ready)

    @asynccontextmanager
    async def another_process(self) -> AsyncIterator[Assembly]:
        """A second replica, on the same database and bus."""
        async with AsyncExitStack() as stack:
            other = await Assembly.make(self.settings, stack)
            await other.start(stack)
            yield other

    async def publish(self, sent: SendBatch, lane: str = subjects.BULK, msg_id: str = "") -> None:
        """Puts a batch on the bus."""
        await publisher.publish(self.js, sent, sent.application, suffix=lane, msg_id=msg_id or None)

    async def rows(self) -> list[Row]:
        """The whole ledger."""
        records = await self.pool.fetch(f"SELECT {SELECTED} FROM messages ORDER BY endpoint_id")
        return [of_record(record) for record in records]

    async def states(self) -> dict[str, str]:
        """State or reason of every message, by endpoint or address."""
        return {row.endpoint_id or row.address: word(row) for row in await self.rows()}

    async def settled(self, count: int) -> dict[str, str]:
        """Waits until so many messages are in final states, and nothing else is."""

        async def probe() -> dict[str, str]:
            rows = await self.rows()
            assert len(rows) == count, f"{len(rows)} rows, not {count}"
            waiting = [row for row in rows if word(row) in UNFINISHED]
            assert not waiting, f"{len(waiting)} not final, as {waiting[0]}"
            return {row.endpoint_id or row.address: word(row) for row in rows}

        return await eventually(probe)

    async def drained(self) -> None:
        """Waits until every batch is done with: the last record of one follows its receipts."""

        async def is_empty() -> bool:
            return (await self.js.stream_info(subjects.SENDS.name)).state.messages == 0

        await eventually(is_empty)

    async def arrived(self) -> list[dict[str, Any]]:
        """What the carrier has taken, in its own words."""
        log = self.carrier.remote.log(self.carrier.begun, "message")
        return [entry async for entry in log]

    async def erasure_report(self) -> ErasureReport:
        """What the service says once it has erased what it was ordered to erase."""
        subject = subjects.subject(ErasureReport, APPLICATION)

        async def told() -> ErasureReport | None:
            return await last_published(self.js, subjects.AUDIENCE.name, subject, ErasureReport)

        report = await eventually(told)
        assert report is not None
        return report

    async def events(self) -> list[MessageEvent]:
        """Every message event on the bus, each once."""
        everyones = subjects.subject(MessagesChanged, "*")
        told = await published(self.js, subjects.MESSAGES.name, everyones, MessagesChanged)
        return list({event.event_id: event for one in told for event in one.events}.values())

    async def told(self, count: int) -> list[MessageEvent]:
        """Waits until so many message events are on the bus, which they reach after the ledger."""

        async def enough() -> list[MessageEvent]:
            found = await self.events()
            assert len(found) >= count, f"{len(found)} events, not {count}"
            return found

        await self.drained()
        return await eventually(enough)


def word(row: Row) -> str:
    """A row's reason, or its state without one."""
    return Reason.Name(row.reason) if row.reason else Message.State.Name(row.state)
