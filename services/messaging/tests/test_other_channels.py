"""Mail and push through the same pipeline as text messages."""

from collections import Counter

from google.protobuf.json_format import ParseDict
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import channel_service_pb2
from heliograph.messaging.v1.channel_pb2 import Channel, FcmProvider, SmtpProvider
from heliograph.messaging.v1.content_pb2 import EmailContent, MessageContent, PushContent
from heliograph.messaging.v1.message_pb2 import Message
from localmesh.peers.running import PeerProcess
from mesh.testkit.waiting import eventually
from messaging_samples import PARENT, batch, endpoint, number, send_request, to

MAIL = MessageContent(
    email=EmailContent(
        subject="Hi {{User.UserAttributes.FirstName.[0]}}",
        text_body="Hello {{Address}}",
        html_body="<p>Hello <b>{{User.UserAttributes.FirstName.[0]}}</b></p>",
    )
)
PUSH = MessageContent(push=PushContent(title="Hi {{User.UserId}}", body="news", data={"a": "b"}))


async def open_channel(room, channel_id, channel):
    channel.enabled = True
    await room.channels.CreateChannel(
        channel_service_pb2.CreateChannelRequest(
            parent=PARENT, channel_id=channel_id, channel=channel
        )
    )
    kind = channel.channel_type
    await eventually(lambda: room.assembly.connections.get("shop", kind).driver.ready)


async def sent(room, count):
    async def probe():
        rows = await room.rows()
        return len(rows) == count and {row.state for row in rows} == {Message.SENT}

    await eventually(probe)


async def test_mails_reach_their_mailboxes_without_asking_for_opt_outs(make_room, tmp_path):
    room = await make_room()
    async with PeerProcess("mailbox", tmp_path) as mailbox:
        smtp = ParseDict(
            {"host": "127.0.0.1", "port": mailbox.ports["smtp"], "security": "PLAINTEXT"},
            SmtpProvider(),
        )
        await open_channel(
            room,
            "email",
            Channel(
                channel_type=ChannelType.EMAIL,
                smtp=smtp,
                default_origination_identity="Shop <shop@example.com>",
            ),
        )
        people = [
            endpoint(i, channel_type=ChannelType.EMAIL, address=f"p{i}@example.org")
            for i in range(50)
        ]
        made = batch(people)
        made.treatments[0].content.CopyFrom(MAIL)

        await room.publish(made)

        await sent(room, 50)
        mails = await mailbox.remote.count()
    assert max(mails.values()) >= 50
    assert room.opt_outs.asked == []
    assert {row.origination for row in await room.rows()} == {"Shop <shop@example.com>"}


async def test_pushes_reach_their_devices(make_room, tmp_path, monkeypatch):
    room = await make_room()
    async with PeerProcess("fcm", tmp_path) as fcm:
        monkeypatch.setenv("SSL_CERT_FILE", str(fcm.data_dir / "ca.pem"))
        provider = FcmProvider(
            service_account_json=(fcm.data_dir / "service_account.json").read_text(),
            base_url=f"https://127.0.0.1:{fcm.ports['https']}",
        )
        await open_channel(room, "push", Channel(channel_type=ChannelType.PUSH_FCM, fcm=provider))
        people = [
            endpoint(i, channel_type=ChannelType.PUSH_FCM, address=f"token-{i}") for i in range(20)
        ]
        made = batch(people)
        made.treatments[0].content.CopyFrom(PUSH)

        await room.publish(made)

        await sent(room, 20)
        accepted = [entry["message"] async for entry in fcm.remote.log(kind="accepted")]
    assert Counter(one["token"] for one in accepted) == {f"token-{i}": 1 for i in range(20)}


async def test_each_recipient_gets_the_part_of_its_channel(room):
    content = MessageContent()
    content.MergeFrom(MAIL)
    content.sms.body = "text"

    answer = await room.messages.SendMessages(
        send_request(to(number(1)), to("ann@example.org", ChannelType.EMAIL), content=content)
    )

    assert [result.state for result in answer.results] == [Message.ACCEPTED] * 2
    states = await room.settled(2)
    assert states == {number(1): "DELIVERED", "ann@example.org": "CHANNEL_NOT_CONFIGURED"}
