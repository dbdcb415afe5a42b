"""Somebody who has opted out comes back by a question, and is spoken to by name and in French."""

import pytest
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.endpoint_service_pb2 import UpdateEndpointRequest
from heliograph.errors import HeliographError
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from heliograph.twoway.v1 import opt_out_service_pb2 as consent
from heliograph.twoway.v1.keyword_pb2 import Keyword
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

LONG = "ž" * 200
"""Three parts on its way in, and as many out."""

NAMED = "{{User.UserAttributes.FirstName}}"


async def with_keyword(shop, **fields):
    parent = f"{shop.parent}/phoneNumbers/{shop.number}"
    await shop.client.keywords.CreateKeyword(
        pb.CreateKeywordRequest(parent=parent, keyword=Keyword(**fields))
    )


async def heard(shop, phone, count):
    """What a phone has got, once it has got so many texts."""

    async def enough():
        texts = [one["text"] for one in await shop.texts() if one["destination"] == phone]
        return texts if len(texts) == count else None

    return await eventually(enough)


async def test_a_keyword_asks_waits_and_speaks_to_the_person(local_mesh, shop, tmp_path):
    await shop.import_phones(2, tmp_path)
    ann, ben = shop.phones
    person = Endpoint(name=f"{shop.parent}/endpoints/e000000")
    person.user.user_id = "ann"
    person.user.attributes["FirstName"].values.append("Ann")
    person.demographic.locale = "fr-CA"
    await shop.client.endpoints.UpdateEndpoint(UpdateEndpointRequest(endpoint=person))
    await with_keyword(
        shop,
        keyword="JOIN",
        action=Keyword.OPT_IN,
        double_opt_in=True,
        reply_text=f"{NAMED}, reply YES to join.",
        localized_reply_texts={"fr": f"{NAMED}, répondez OUI."},
        double_opt_in_words=["YES", "OUI"],
        default_substitutions={"User.UserAttributes.FirstName": "You"},
    )
    await with_keyword(
        shop,
        keyword="SIZE",
        reply_text=f"{{{{Text.Rest}}}} is kept, {NAMED}.",
        default_substitutions={"User.UserAttributes.FirstName": "You"},
    )
    hidden = "{{#if Metrics.wins}}{{Attribute.color}}{{/if}}"
    with pytest.raises(HeliographError) as unknown:
        await with_keyword(shop, keyword="WIN", reply_text=hidden)

    for count, words in enumerate(("STOP", "Join", "Oui !", "size 43, blue"), start=1):
        await shop.say([ann], words)
        await heard(shop, ann, count)
    await shop.say([ben], "JOIN")

    assert unknown.value.metadata["variable"] == "Attribute.color"
    stopped, asked, welcomed, kept = await heard(shop, ann, 4)
    assert stopped.startswith("Vous ne recevrez plus")
    assert asked == "Ann, répondez OUI."
    assert welcomed.startswith("Vous recevrez")
    assert kept == "43, blue is kept, Ann."
    assert await heard(shop, ben, 1) == ["You, reply YES to join."]
    await shop.say([ben], "size " + LONG)
    assert await heard(shop, ben, 2) == ["You, reply YES to join.", f"{LONG} is kept, You."]
    listed = await shop.client.opt_outs.ListConsentChanges(
        consent.ListConsentChangesRequest(parent=shop.parent)
    )
    joined = next(one for one in listed.consent_changes if one.requested_text)
    assert (joined.requested_text, joined.text) == ("Join", "Oui !")
