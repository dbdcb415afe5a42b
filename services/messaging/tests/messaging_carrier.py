"""A carrier that answers as it is told."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from heliograph.messaging.v1.channel_pb2 import Channel, SmppProvider
from mesh.smpp import Answer, Bind, DeliverSm, Reply, Session, Smsc, Status, SubmitSm
from mesh.sms import Concatenation, segment, udh


class Carrier:
    """Takes messages, and answers each with what `statuses` has for it, in turn."""

    def __init__(self) -> None:
        self.submitted: list[SubmitSm] = []
        self.by_session: Counter[int] = Counter()
        self.statuses: list[Status | None] = []
        self.answering = asyncio.Event()
        self.answering.set()
        self.smsc = Smsc(authenticate=self._authenticate, submitted=self._submitted)
        self.port = 0

    def _authenticate(self, bind: Bind) -> Status:
        return Status.ESME_ROK if bind.password == "right" else Status.ESME_RINVPASWD

    async def _submitted(
        self, session: Session, pdus: Sequence[SubmitSm]
    ) -> Sequence[Reply | None]:
        replies = []
        for pdu in pdus:
            self.submitted.append(pdu)
            self.by_session[id(session)] += 1
            status = self.statuses.pop(0) if self.statuses else Status.ESME_ROK
            reply = Reply(status, f"id-{len(self.submitted)}") if status is not None else None
            replies.append(reply)
        await self.answering.wait()
        return replies

    async def exchange(self, *pdus: DeliverSm) -> list[Answer]:
        return await self.smsc.sessions[0].exchange(pdus)

    async def deliver(self, *pdus: DeliverSm) -> list[int]:
        return [answer.status for answer in await self.exchange(*pdus)]

    def channel(self, password: str = "right", **provider: object) -> Channel:
        smpp = SmppProvider(host="127.0.0.1", port=self.port, system_id="us", password=password)
        smpp.MergeFrom(SmppProvider(**provider))
        return Channel(smpp=smpp)


def parts(words: str, reference: int = 9, source: str = "491700000001") -> list[DeliverSm]:
    """A long text to a short code, in its parts."""
    cut = segment(words)
    return [
        DeliverSm(
            source,
            "12345",
            udh.encode(Concatenation(reference, len(cut.parts), number)) + octets,
            cut.encoding.data_coding,
            esm_class=0x40,
            dest_addr_ton=3,
        )
        for number, octets in enumerate(cut.parts, start=1)
    ]
