"""A carrier's account belongs to one channel: whoever is bound to it gets what people answer."""

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import channel_service_pb2 as rpc
from heliograph.messaging.v1.channel_pb2 import Channel, SmppProvider
from mesh.errors import FailedPrecondition

REASON = "PROVIDER_ACCOUNT_IN_USE"


def sms(application="shop", enabled=False, **account):
    account = {"host": "smpp.example.com", "system_id": "acme", **account}
    return Channel(
        name=f"applications/{application}/channels/sms",
        channel_type=ChannelType.SMS,
        enabled=enabled,
        smpp=SmppProvider(password="pw", **account),
    )


async def create(room, application="shop", **account):
    request = rpc.CreateChannelRequest(
        parent=f"applications/{application}", channel_id="sms", channel=sms(application, **account)
    )
    return await room.channels.CreateChannel(request)


async def update(room, channel, *paths):
    mask = FieldMask(paths=paths) if paths else None
    return await room.channels.UpdateChannel(
        rpc.UpdateChannelRequest(channel=channel, update_mask=mask)
    )


@pytest.mark.parametrize(
    "account",
    [
        {},
        {"host": "SMPP.Example.COM"},
        {"host": "smpp.example.com."},
        {"port": 2775},
        {"tls": True},
        {"system_type": "VMA"},
    ],
)
async def test_an_account_is_refused_to_a_second_application(make_room, account):
    room = await make_room()
    await create(room, "first-tenant")

    with pytest.raises(FailedPrecondition) as refused:
        await create(room, "store", **account)

    assert refused.value.reason == REASON
    assert [violation.field for violation in refused.value.violations] == ["channel.smpp.system_id"]
    assert "ask the provider for another account" in refused.value.message
    assert "first-tenant" not in f"{refused.value.message} {refused.value.metadata}"
    assert await room.pool.fetchval("SELECT count(*) FROM channels") == 1


@pytest.mark.parametrize(
    "account", [{"host": "smpp2.example.com"}, {"port": 2776}, {"system_id": "Acme"}]
)
async def test_another_account_is_not_refused(make_room, account):
    room = await make_room()
    await create(room)

    assert await create(room, "store", **account)


async def test_of_many_creates_at_once_one_gets_the_account(make_room):
    room = await make_room()

    outcomes = await asyncio.gather(
        *(create(room, f"tenant-{number}") for number in range(8)), return_exceptions=True
    )

    refusals = [outcome for outcome in outcomes if not isinstance(outcome, Channel)]
    assert [refusal.reason for refusal in refusals] == [REASON] * 7
    assert await room.pool.fetchval("SELECT count(*) FROM channels") == 1


async def test_a_channel_does_not_move_to_an_account_in_use_and_keeps_its_own(make_room):
    room = await make_room()
    await create(room)
    await create(room, "store", system_id="other")

    with pytest.raises(FailedPrecondition) as refused:
        await update(room, sms("store"), "smpp.system_id")

    assert refused.value.reason == REASON
    kept = await room.channels.GetChannel(
        rpc.GetChannelRequest(name="applications/store/channels/sms")
    )
    assert kept.smpp.system_id == "other"
    with pytest.raises(FailedPrecondition):
        await create(room, "third", system_id="other")


async def test_a_channel_may_name_its_own_account_again(make_room):
    room = await make_room()
    await create(room)

    await update(room, sms(host="SMPP.example.com", port=2775))
    changed = await update(room, sms(), "smpp.host")

    assert changed.smpp.host == "smpp.example.com"


async def test_a_disabled_channel_keeps_its_account_and_a_deleted_or_moved_one_frees_it(make_room):
    room = await make_room()
    await create(room)
    with pytest.raises(FailedPrecondition):
        await create(room, "store")

    await update(room, sms(system_id="moved"), "smpp.system_id")
    await create(room, "store")
    await room.channels.DeleteChannel(
        rpc.DeleteChannelRequest(name="applications/store/channels/sms")
    )

    await create(room, "third")


async def test_channels_that_share_an_account_of_old_can_be_disabled_and_not_enabled(make_room):
    room = await make_room()
    await create(room)
    await create(room, "store", system_id="other")
    # As if the two had been made before this was refused.
    await room.pool.execute(
        "UPDATE channels SET account = NULL, config = (SELECT config FROM channels "
        "WHERE application = 'shop') WHERE application = 'store'"
    )

    await update(room, Channel(name=sms("store").name, enabled=False), "enabled")

    with pytest.raises(FailedPrecondition):
        await update(room, Channel(name=sms("store").name, enabled=True), "enabled")
    await update(room, sms("store", system_id="other"), "smpp.system_id")
    with pytest.raises(FailedPrecondition):
        await create(room, "third", system_id="other")
