"""A broken rule is answered in words: what is expected, with an example, and never a regex."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from heliograph.audience.v1 import segment_filter_pb2
from mesh.errors import InvalidArgument
from mesh.rpc.validation import request_check
from protovalidate import Validator

PROTOS = Path(__file__).parents[1] / "protos"
VALIDATOR = Validator()

# Field, what it takes, what it refuses, and some of the words of the refusal.
WORDINGS = [
    (
        "audience.v1.segment_service CreateSegmentRequest parent",
        ["applications/shop", f"applications/a{'b' * 62}"],
        ["shop", "applications/ab", "applications/Shop", "applications/shop/x"],
        "for example applications/shop",
    ),
    (
        "audience.v1.application_service CreateApplicationRequest application_id",
        ["shop", "a-2"],
        ["Bad Name", "ab", "1shop", "shop\n", "a" * 64],
        "3 to 63 lower-case letters",
    ),
    (
        "messaging.v1.channel_service CreateChannelRequest channel_id",
        ["a", "sms-2"],
        ["", "SMS", "2sms", "a" * 64],
        "must be 1 to 63 lower-case letters",
    ),
    (
        "audience.v1.segment_service CreateSegmentRequest segment_id",
        ["", "buyers"],
        ["Buyers", "a" * 64],
        "must be empty or 1 to 63",
    ),
    (
        "campaign.v1.campaign Treatment treatment",
        ["a", "a_b-1", "a" * 31],
        ["", "A", "_a", "a" * 32],
        "1 to 31 lower-case letters",
    ),
    (
        "messaging.v1.template_service CreateTemplateRequest template_id",
        ["Welcome_2", "0", "a" * 128],
        ["", "-a", "a b", "a" * 129],
        "1 to 128 letters",
    ),
    (
        "twoway.v1.keyword_service CreateKeywordRequest keyword_id",
        ["", "2", "stop"],
        ["-", "STOP"],
        "for example stop",
    ),
    (
        "twoway.v1.sender_id_service CreateSenderIdRequest sender_id_id",
        ["DE-ACME"],
        ["", "ACME", "de-ACME", "DE-ACMEACMEACME"],
        "for example DE-ACME",
    ),
    (
        "twoway.v1.phone_number_service CreatePhoneNumberRequest phone_number_id",
        ["+12065550100", "555"],
        ["", "12065550100", "+02065550100", "55"],
        "for example +12065550100",
    ),
    (
        "campaign.v1.schedule QuietTime start",
        ["00:00", "23:59"],
        ["", "24:00", "8:00", "20.00", "20:60"],
        "00:00 to 23:59, for example 20:00",
    ),
    (
        "audience.v1.application ApplicationSettings default_country",
        ["", "US"],
        ["us", "USA"],
        "for example US",
    ),
    (
        "messaging.v1.otp_service VerifyOtpRequest code",
        ["12345", "12345678"],
        ["", "1234", "123456789", "12a45"],
        "5 to 8 digits",
    ),
    (
        "twoway.v1.origination TwoWayWebhook uri",
        ["", "https://x", "http://x"],
        ["x", "ftp://x", "https://"],
        "begin with https://",
    ),
]


@pytest.mark.parametrize(("place", "taken", "refused", "words"), WORDINGS)
def test_a_refusal_says_what_is_expected(place, taken, refused, words):
    module, kind, field = place.split()
    message = getattr(import_module(f"heliograph.{module}_pb2"), kind)

    for value in taken:
        assert _said(message(**{field: value}), field) == []
    for value in refused:
        assert any(words in said for said in _said(message(**{field: value}), field)), value


def _said(message, field: str) -> list[str]:
    """What is said of one field."""
    broken = [rule.proto for rule in VALIDATOR.collect_violations(message)]
    return [rule.message for rule in broken if rule.field.elements[0].field_name == field]


def test_no_rule_answers_with_a_regular_expression():
    patterned = [field.full_name for field in _fields() if "pattern: " in str(field.GetOptions())]

    assert patterned == []


def test_one_rule_has_one_wording():
    wordings: dict[str, set[str]] = {}
    for field in _fields():
        for rule in _rules(field):
            wordings.setdefault(rule.id, set()).add(f"{rule.expression} {rule.message}")

    assert {rule: said for rule, said in wordings.items() if len(said) > 1} == {}


def _rules(field: FieldDescriptor) -> list:
    from buf.validate import validate_pb2

    return list(field.GetOptions().Extensions[validate_pb2.field].cel)


def _fields() -> Iterator[FieldDescriptor]:
    messages: list[Descriptor] = []
    for path in PROTOS.glob("heliograph/*/v1/*.proto"):
        module = str(path.relative_to(PROTOS).with_suffix("")).replace("/", ".")
        messages += import_module(f"{module}_pb2").DESCRIPTOR.message_types_by_name.values()
    while messages:
        message = messages.pop()
        messages += message.nested_types
        yield from message.fields


def test_a_choice_that_nobody_made_is_asked_for_in_words():
    recency = segment_filter_pb2.RecencyCondition(window={"seconds": 86_400})

    with pytest.raises(InvalidArgument) as refusal:
        request_check(segment_filter_pb2.RecencyCondition)(recency)

    assert str(refusal.value) == "activity: must be stated"
