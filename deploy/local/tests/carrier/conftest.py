"""A carrier with its two doors open, whoever directs it, and a customer."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from localmesh.peers.carrier.doors import Doors
from localmesh.peers.remote import RemotePeer
from mesh.smpp import (
    Bind,
    Carrier,
    DeliverSm,
    Esme,
    Limits,
    Outcome,
    SubmitSm,
    Tag,
    long_messages,
    receipts,
)
from mesh.sms import data_coding, segment
from mesh.testkit.waiting import eventually


class Customer:
    """An ESME that keeps what it gets."""

    def __init__(
        self,
        port: int,
        password: str = "secret",
        account: str = "heliograph",
        response_timeout_seconds: float = 60.0,
    ) -> None:
        self.account = account
        self.received: list[DeliverSm] = []
        self.failing = False
        self.esme = Esme(
            Carrier(
                "127.0.0.1",
                port,
                Bind(account, password),
                limits=Limits(response_timeout_seconds=response_timeout_seconds),
                reconnect_seconds_min=0.01,
            ),
            self._take,
        )

    async def _take(self, pdus: Sequence[DeliverSm]) -> None:
        if self.failing:
            raise OSError("the database is away")
        self.received += pdus

    async def send(self, *texts: str, destination: str = "491700000001") -> list[Outcome]:
        pdus = [pdu for text in texts for pdu in self.parts(text, destination)]
        return [answer.outcome for answer in await self.esme.submit_many(pdus)]

    @staticmethod
    def parts(text: str, destination: str = "491700000001", reference: int = 7) -> list[SubmitSm]:
        template = SubmitSm(
            "12345",
            destination,
            registered_delivery=1,
            tlvs={Tag.USER_MESSAGE_REFERENCE: reference.to_bytes(2, "big")},
            source_addr_ton=3,
        )
        return list(long_messages.parts(template, segment(text), reference))

    def texts(self) -> list[str]:
        return [
            data_coding.decode(pdu.short_message, pdu.data_coding)
            for pdu in self.received
            if not receipts.is_receipt(pdu)
        ]

    def receipts(self) -> list[receipts.Receipt]:
        read = [receipts.parse(pdu) for pdu in self.received if receipts.is_receipt(pdu)]
        return [receipt for receipt in read if receipt]


class Stage:
    """A carrier, whoever directs it, and a customer."""

    def __init__(
        self, remote: RemotePeer, customer: Customer, new_customer: Callable[..., Customer]
    ) -> None:
        self.remote, self.customer, self.new_customer = remote, customer, new_customer

    async def log(self, kind: str) -> list[dict]:
        return [entry async for entry in self.remote.log(kind=kind)]

    async def quiet(self) -> None:
        async def is_quiet() -> bool:
            return (await self.remote.call("GET", "/pending"))["deliveries"] == 0

        await eventually(is_quiet)


Opened = tuple[RemotePeer, Callable[..., Customer]]


@pytest.fixture
def open_carrier() -> Callable[[Path], AbstractAsyncContextManager[Opened]]:
    """Opens a carrier on a folder: whoever directs it, and a maker of customers."""

    @asynccontextmanager
    async def opened(folder: Path) -> AsyncIterator[Opened]:
        doors = Doors(folder)
        ports = await doors.start()
        yield RemotePeer(f"127.0.0.1:{ports['control']}"), partial(Customer, ports["smpp"])
        await doors.stop()

    return opened


@pytest.fixture
async def stage(
    tmp_path: Path, open_carrier: Callable[[Path], AbstractAsyncContextManager[Opened]]
) -> AsyncIterator[Stage]:
    async with open_carrier(tmp_path) as (remote, new_customer):
        await remote.behave(retry_seconds=0.05, receipts={"delay_seconds_max": 0.02})
        customer = new_customer()
        async with customer.esme:
            await customer.esme.wait_bound(60)
            yield Stage(remote, customer, new_customer)


@pytest.fixture
def customer_of() -> type[Customer]:
    """Makes a customer of a carrier at a port."""
    return Customer
