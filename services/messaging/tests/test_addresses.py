"""Addresses by channel: tables of cases, and what holds for all."""

import pytest
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from hypothesis import given
from hypothesis import strategies as st
from messaging import addresses

SMS, EMAIL, APNS, FCM = (
    ChannelType.SMS,
    ChannelType.EMAIL,
    ChannelType.PUSH_APNS,
    ChannelType.PUSH_FCM,
)


@pytest.mark.parametrize(
    ("channel_type", "given_address", "normal"),
    [
        (SMS, "+14155550123", "+14155550123"),
        (SMS, "+1 (415) 555-0123", "+14155550123"),
        (SMS, "+49.170/1234567", "+491701234567"),
        (SMS, "14155550123", None),
        (SMS, "+04155550123", None),
        (SMS, "+1415", None),
        (SMS, "+12345678901234567", None),
        (SMS, "+1415555O123", None),
        (SMS, "", None),
        (EMAIL, "Ann@Example.COM", "Ann@example.com"),
        (EMAIL, " ann@example.com ", "ann@example.com"),
        (EMAIL, "ann+tag@mail.example.co.uk", "ann+tag@mail.example.co.uk"),
        (EMAIL, "jürgen@bücher.example", "jürgen@bücher.example"),
        (EMAIL, "ann@localhost", None),
        (EMAIL, "ann@@example.com", None),
        (EMAIL, "ann..b@example.com", None),
        (EMAIL, ".ann@example.com", None),
        (EMAIL, "ann@-example.com", None),
        (EMAIL, "ann@example.com\nBcc: x@example.com", None),
        (EMAIL, "a" * 65 + "@example.com", None),
        (APNS, "ab" * 32, "ab" * 32),
        (APNS, "xy" * 32, None),
        (FCM, "token:abc_-", "token:abc_-"),
        (FCM, "to ken", None),
        (FCM, "x" * 4097, None),
    ],
)
def test_an_address_is_taken_as_it_is_sent_to_or_not_at_all(channel_type, given_address, normal):
    assert addresses.normalize(channel_type, given_address) == normal


@given(st.text(max_size=40), st.sampled_from([SMS, EMAIL, APNS, FCM]))
def test_normalizing_twice_changes_nothing(text, channel_type):
    once = addresses.normalize(channel_type, text)

    assert once is None or addresses.normalize(channel_type, once) == once


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+14155550123", "US"),
        ("+16045550123", "CA"),
        ("+491701234567", "DE"),
        ("+447400123456", "GB"),
        ("+447911123456", "GG"),
        ("+79161234567", "RU"),
        ("+77011234567", "KZ"),
        ("+3531234567", "IE"),
        ("+88312345678", ""),
        ("+9991234567", ""),
    ],
)
def test_a_number_has_its_country(number, country):
    assert addresses.country(SMS, number) == country


def test_only_phone_numbers_have_a_country():
    assert addresses.country(EMAIL, "ann@example.de") == ""


def test_a_number_that_is_called_and_texted_is_no_duplicate():
    number = "+14155550123"

    assert addresses.digest_in_run(SMS, number) != addresses.digest_in_run(
        ChannelType.VOICE, number
    )
