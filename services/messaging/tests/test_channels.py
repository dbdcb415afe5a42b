"""Channels: configuration, secrets, and connections that follow."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import channel_service_pb2 as rpc
from heliograph.messaging.v1.channel_pb2 import (
    AdmProvider,
    Channel,
    FcmProvider,
    SmppProvider,
    SmtpProvider,
)
from mesh.errors import Aborted, AlreadyExists, InvalidArgument, NotFound, Unimplemented
from mesh.testkit.waiting import eventually
from messaging import channel_configs
from messaging_samples import PARENT, batch, endpoint

NAME = f"{PARENT}/channels/sms"


def create(channel, channel_id="sms", **fields):
    return rpc.CreateChannelRequest(parent=PARENT, channel_id=channel_id, channel=channel, **fields)


def sms(**fields):
    fields.setdefault("smpp", SmppProvider(host="127.0.0.1", port=1, system_id="us", password="pw"))
    return Channel(channel_type=ChannelType.SMS, **fields)


async def test_a_secret_goes_in_and_never_comes_out(make_room):
    room = await make_room()

    made = await room.channels.CreateChannel(create(sms()))

    got = await room.channels.GetChannel(rpc.GetChannelRequest(name=NAME))
    listed = (await room.channels.ListChannels(rpc.ListChannelsRequest(parent=PARENT))).channels
    assert got == made == listed[0]
    assert made.smpp.system_id == "us"
    assert made.smpp.password == ""
    row = await room.pool.fetchrow("SELECT config, secrets FROM channels")
    assert b"pw" not in row["config"]
    assert list(row["secrets"]) == ["smpp.password"]
    assert "pw" not in row["secrets"]["smpp.password"]


async def test_a_secret_that_is_left_empty_stays_and_a_new_one_counts(room):
    assert (await verified(room)) == ""
    changed = Channel(name=NAME, default_origination_identity="55555")

    await room.channels.UpdateChannel(rpc.UpdateChannelRequest(channel=changed))
    await room.bound()
    assert (await verified(room)) == ""
    await room.channels.UpdateChannel(
        rpc.UpdateChannelRequest(
            channel=Channel(name=NAME, smpp=SmppProvider(password="wrong")),
            update_mask=FieldMask(paths=["smpp.password"]),
        )
    )

    assert "ESME_RINVPASWD" in await verified(room)


async def verified(room):
    answer = await room.channels.VerifyChannel(rpc.VerifyChannelRequest(name=NAME))
    assert answer.verified == (not answer.detail)
    return answer.detail


@pytest.mark.parametrize(
    ("channel", "error", "reason"),
    [
        (Channel(channel_type=ChannelType.SMS), InvalidArgument, "REQUEST_INVALID"),
        (sms(smpp=SmppProvider(system_id="us")), InvalidArgument, "REQUEST_INVALID"),
        (
            Channel(channel_type=ChannelType.SMS, smtp=SmtpProvider(host="h")),
            InvalidArgument,
            "PROVIDER_MISMATCH",
        ),
        (
            Channel(channel_type=ChannelType.PUSH_ADM, adm=AdmProvider(client_id="x")),
            Unimplemented,
            "FIELD_NOT_SUPPORTED",
        ),
    ],
)
async def test_a_channel_that_cannot_work_is_refused(make_room, channel, error, reason):
    room = await make_room()

    with pytest.raises(error) as refused:
        await room.channels.CreateChannel(create(channel))

    assert refused.value.reason == reason


async def test_an_application_has_one_channel_of_each_type(make_room):
    room = await make_room()
    await room.channels.CreateChannel(create(sms()))

    with pytest.raises(AlreadyExists) as taken:
        await room.channels.CreateChannel(create(sms(), "other"))
    with pytest.raises(AlreadyExists) as exists:
        await room.channels.CreateChannel(create(sms()))

    assert taken.value.reason == "CHANNEL_TYPE_TAKEN"
    assert exists.value.reason == "CHANNEL_ALREADY_EXISTS"


async def test_creating_again_with_the_same_request_id_answers_the_same(make_room):
    room = await make_room()

    first = await room.channels.CreateChannel(create(sms(), request_id="r"))
    again = await room.channels.CreateChannel(create(sms(), request_id="r"))

    assert first == again


async def test_a_stale_etag_changes_nothing(make_room):
    room = await make_room()
    made = await room.channels.CreateChannel(create(sms()))
    changed = Channel(name=NAME, display_name="new", etag=made.etag)
    await room.channels.UpdateChannel(rpc.UpdateChannelRequest(channel=changed))

    with pytest.raises(Aborted):
        await room.channels.UpdateChannel(rpc.UpdateChannelRequest(channel=changed))


async def test_a_disabled_or_deleted_channel_sends_nothing(room):
    await room.channels.UpdateChannel(
        rpc.UpdateChannelRequest(
            channel=Channel(name=NAME), update_mask=FieldMask(paths=["enabled"])
        )
    )
    await room.publish(batch([endpoint(1)]))
    assert await room.settled(1) == {"e1": "CHANNEL_NOT_CONFIGURED"}

    await room.channels.DeleteChannel(rpc.DeleteChannelRequest(name=NAME))

    with pytest.raises(NotFound):
        await room.channels.GetChannel(rpc.GetChannelRequest(name=NAME))


async def test_another_replica_hears_of_a_new_channel(make_room):
    room = await make_room()
    async with room.another_process() as other:
        await room.open_channel()

        await eventually(lambda: other.connections.get("shop", ChannelType.SMS))


async def test_a_channel_that_cannot_be_opened_leaves_the_others_open(room):
    await room.pool.execute(
        "INSERT INTO channels SELECT 'broken', id, channel_type, enabled, config, secrets, 1, "
        "create_time, update_time FROM channels"
    )

    await room.assembly.connections.refresh()

    assert room.assembly.connections.get("broken", ChannelType.SMS) is None
    assert room.assembly.connections.get("shop", ChannelType.SMS).driver.ready


def test_every_input_only_field_of_a_provider_is_a_secret():
    channel = Channel(
        smtp=SmtpProvider(password="a", dkim=SmtpProvider.Dkim(private_key="b", selector="s"))
    )

    secrets = channel_configs.take_secrets(channel)

    assert secrets == {"smtp.password": "a", "smtp.dkim.private_key": "b"}
    assert channel == Channel(smtp=SmtpProvider(dkim=SmtpProvider.Dkim(selector="s")))
    channel_configs.put_secrets(channel, secrets)
    assert channel.smtp.dkim.private_key == "b"
    assert channel_configs.secret_paths(Channel(fcm=FcmProvider())) == {"fcm.service_account_json"}
