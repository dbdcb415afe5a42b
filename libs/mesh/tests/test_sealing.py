"""Secrets at rest."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.sealing import Sealer

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


@given(st.text(max_size=200), st.text(max_size=50))
def test_a_sealed_secret_opens_in_its_place(secret, place):
    sealer = Sealer(NEW)

    sealed = sealer.seal(secret, place)

    assert sealer.open(sealed, place) == secret
    assert len(secret) < 4 or secret not in sealed


def test_the_same_secret_is_sealed_differently_each_time():
    sealer = Sealer(NEW)

    assert sealer.seal("x", "a|b|c") != sealer.seal("x", "a|b|c")


@pytest.mark.parametrize("place", ["other|sms|smpp.password", "shop|sms|smtp.password", ""])
def test_a_secret_opens_nowhere_else(place):
    sealed = Sealer(NEW).seal("x", "shop|sms|smpp.password")

    with pytest.raises(ValueError, match="another key"):
        Sealer(NEW).open(sealed, place)


def test_a_new_key_in_front_keeps_the_old_secrets():
    sealed = Sealer(OLD).seal("x", "p")

    assert Sealer(f"{NEW},{OLD}").open(sealed, "p") == "x"
    with pytest.raises(ValueError, match="another key"):
        Sealer(NEW).open(sealed, "p")


@pytest.mark.parametrize("keys", ["", "short", "a" * 44, f"{NEW},"])
def test_a_key_that_is_none_is_refused(keys):
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(keys)
