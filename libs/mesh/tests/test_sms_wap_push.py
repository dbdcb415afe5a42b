"""Notices of multimedia messages."""

import pytest
from mesh.sms import segment
from mesh.sms.wap_push import announces_mms

SHORT = bytes.fromhex("010603beaf848c829831323300")
IN_WORDS = b"\x01\x06\x22application/vnd.wap.mms-message\x00\xaf\x84"


@pytest.mark.parametrize(
    ("octets", "data_coding", "mms"),
    [
        (SHORT, 0x04, True),
        (SHORT, 0xF5, True),
        (IN_WORDS, 0x04, True),
        (SHORT, 0x08, False),
        (SHORT, 0x00, False),
        (SHORT.replace(b"\xbe", b"\xb0"), 0x04, False),
        (b"\x01\x07" + SHORT[2:], 0x04, False),
        (b"\x01\x06", 0x04, False),
        (b"", 0x04, False),
        (segment("où est mon colis ¾").parts[0], 0x08, False),
    ],
)
def test_a_push_of_a_multimedia_message_is_told(octets: bytes, data_coding: int, mms: bool) -> None:
    assert announces_mms(octets, data_coding) == mms
