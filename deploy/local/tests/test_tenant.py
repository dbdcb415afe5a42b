"""An application on the peers of a mesh: made once, and led to a peer that has moved."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from heliograph.audience.v1.application_pb2 import Application
from heliograph.audience.v1.application_service_pb2 import CreateApplicationRequest
from heliograph.client import Client
from heliograph.connection import local
from heliograph.errors import HeliographError
from heliograph.messaging.v1.channel_service_pb2 import GetChannelRequest
from localmesh import tenant
from localmesh.supervisor import LocalMesh

pytestmark = pytest.mark.xdist_group("local mesh")

NUMBER = "+12125550100"


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    folder: Path = tmp_path_factory.mktemp("mesh")
    async with (
        LocalMesh(folder, report=[].append, durable=False),
        Client(local(folder)) as client,
    ):
        yield client


async def test_connecting_again_leads_channels_to_where_the_peers_are_now(client: Client) -> None:
    await client.applications.CreateApplication(
        CreateApplicationRequest(application_id="shop", application=Application())
    )
    before = client.connection.providers
    moved = {**before, "smpp": {**before["smpp"], "port": 29_999}}

    names = await tenant.connect(client, "applications/shop", before, NUMBER)
    again = await tenant.connect(client, "applications/shop", moved, NUMBER)

    channel = await client.channels.GetChannel(
        GetChannelRequest(name="applications/shop/channels/sms")
    )
    assert names == again
    assert channel.smpp.port == 29_999
    assert channel.default_origination_identity == NUMBER


async def test_a_second_application_does_not_get_the_texts_of_the_first(client: Client) -> None:
    for application in ("first", "second"):
        await client.applications.CreateApplication(
            CreateApplicationRequest(application_id=application, application=Application())
        )
    providers, number = client.connection.providers, "+12125550101"
    await tenant.connect(client, "applications/first", providers, number)

    with pytest.raises(HeliographError) as refused:
        await tenant.connect(client, "applications/second", providers, number)

    assert refused.value.reason == "PROVIDER_ACCOUNT_IN_USE"
