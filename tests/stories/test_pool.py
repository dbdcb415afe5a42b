"""A pool writes to each person from the number that is theirs, and is one to whoever answers."""

import re
from collections import defaultdict

import pytest
from google.protobuf.json_format import ParseDict
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1.endpoint_service_pb2 import BatchUpdateEndpointsRequest
from heliograph.messaging.v1.content_pb2 import TRANSACTIONAL
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.message_service_pb2 import GetMessageRequest, SendMessagesRequest
from heliograph.messaging.v1.reason_pb2 import OPTED_OUT
from heliograph.twoway.v1 import pool_service_pb2 as pools
from heliograph.twoway.v1.keyword_pb2 import Keyword
from heliograph.twoway.v1.keyword_service_pb2 import CreateKeywordRequest
from heliograph.twoway.v1.phone_number_pb2 import PhoneNumber
from heliograph.twoway.v1.phone_number_service_pb2 import CreatePhoneNumberRequest
from heliograph.twoway.v1.sender_id_pb2 import SenderId
from heliograph.twoway.v1.sender_id_service_pb2 import CreateSenderIdRequest
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

AMERICANS = 8


class Pool:
    """Two American numbers, a British one, and a German sender id."""

    def __init__(self, shop):
        self.shop = shop
        self.name = f"{shop.parent}/pools/offers"
        serial = shop.number[-3:]
        self.americans = {shop.number, f"+12125551{serial}"}
        self.briton = f"+442079460{serial}"
        self.phones = {
            "US": list(shop.phones),
            "GB": [f"+4479115{serial}0{one}" for one in range(2)],
            "DE": [f"+49151234{serial}0{one}" for one in range(2)],
        }

    @property
    def everybody(self):
        return [phone for phones in self.phones.values() for phone in phones]

    async def open(self):
        """Registers its members and makes it; the carrier knows whose numbers they are."""
        client, parent = self.shop.client, self.shop.parent
        others = {*self.americans, self.briton} - {self.shop.number}
        account = self.shop.number.lstrip("+")
        await self.shop.carrier.behave(numbers=dict.fromkeys(others, account))
        names = [f"{parent}/phoneNumbers/{number}" for number in (self.shop.number, *others)]
        for number in others:
            kind = PhoneNumber.TEN_DLC if number in self.americans else PhoneNumber.LONG_CODE
            registered = PhoneNumber(type=kind, two_way_enabled=True)
            await client.phone_numbers.CreatePhoneNumber(
                CreatePhoneNumberRequest(
                    parent=parent, phone_number_id=number, phone_number=registered
                )
            )
        sender_id = await client.sender_ids.CreateSenderId(
            CreateSenderIdRequest(parent=parent, sender_id_id="DE-ACME", sender_id=SenderId())
        )
        first, *joining = *names, sender_id.name
        await client.pools.CreatePool(
            pools.CreatePoolRequest(parent=parent, pool_id="offers", origination_identity=first)
        )
        for member in joining:
            await client.pools.AddPoolMember(
                pools.AddPoolMemberRequest(name=self.name, origination_identity=member)
            )
        hours = Keyword(keyword="HOURS", reply_text="9 to 5")
        await client.keywords.CreateKeyword(CreateKeywordRequest(parent=self.name, keyword=hours))

    async def import_foreigners(self):
        """The shop has American endpoints already."""
        foreigners = [*self.phones["GB"], *self.phones["DE"]]
        request = BatchUpdateEndpointsRequest(parent=self.shop.parent)
        for phone in foreigners:
            name = f"{self.shop.parent}/endpoints/{phone.lstrip('+')}"
            endpoint = {"name": name, "channel_type": "SMS", "address": phone}
            ParseDict({"endpoint": endpoint, "allow_missing": True}, request.requests.add())
        await self.shop.client.endpoints.BatchUpdateEndpoints(request)

    async def send(self, text, phones, origination=""):
        """A direct message to each; their names."""
        request = SendMessagesRequest(parent=self.shop.parent, purpose=TRANSACTIONAL)
        request.content.sms.body = text
        request.content.sms.origination_identity = origination or self.name
        for phone in phones:
            request.recipients.add(address={"channel_type": channels.SMS, "address": phone})
        answer = await self.shop.client.messages.SendMessages(request)
        return [result.message for result in answer.results]

    async def heard(self, text, phones):
        """From whom each of the phones has got such a text, once all have, each once."""

        async def all_have():
            sources = defaultdict(list)
            async for entry in self.shop.carrier.log(after=self.shop.log_begin, kind="message"):
                if re.search(text, entry["text"]):
                    sources[entry["destination"]].append(entry["source"])
            assert set(sources) == set(phones), text
            assert {len(one) for one in sources.values()} == {1}
            return {phone: source for phone, (source,) in sources.items()}

        return await eventually(all_have)


async def test_everybody_hears_from_their_number_and_answers_to_any(local_mesh, shop, tmp_path):
    await shop.import_phones(AMERICANS, tmp_path)
    pool = Pool(shop)
    await pool.open()
    await pool.import_foreigners()

    run = await shop.launch("offers", "Sale today", origination=pool.name)
    await shop.finished(run)
    of_campaign = await pool.heard("Sale today", pool.everybody)
    await pool.send("Your parcel is here", pool.everybody)
    of_service = await pool.heard("Your parcel", pool.everybody)

    assert {of_campaign[phone] for phone in pool.phones["US"]} <= pool.americans
    assert {of_campaign[phone] for phone in pool.phones["GB"]} == {pool.briton}
    assert {of_campaign[phone] for phone in pool.phones["DE"]} == {"ACME"}
    assert of_service == of_campaign

    ann, ben, *_ = pool.phones["US"]
    cleo, dora = pool.phones["GB"]
    await shop.say([ben], "hours?")
    await shop.say([cleo], "HOURS", to=pool.briton)
    # Not the number that Ann hears from: a pool is one.
    await shop.say([ann], "STOP", to=pool.briton)
    assert await pool.heard("9 to 5", [ben, cleo]) == {ben: shop.number, cleo: pool.briton}
    assert await pool.heard("opted out", [ann]) == {ann: pool.briton}

    refused = await pool.send("After all", [ann])
    refused += await pool.send("After all", [ann], origination=of_campaign[ann])
    await pool.send("After all", [ben, cleo, dora])
    await pool.heard("After all", [ben, cleo, dora])
    for name in refused:
        assert await eventually(lambda name=name: _end(shop, name)) == OPTED_OUT


async def _end(shop, name):
    """The reason why a message was skipped, once it was."""
    message = await shop.client.messages.GetMessage(GetMessageRequest(name=name))
    return message.reason if message.state == Message.SKIPPED else None
