"""Etags are revisions in quotes."""

import pytest
from mesh.aip import etags
from mesh.errors import Aborted


@pytest.mark.parametrize("etag", ["", '"7"'])
def test_the_current_etag_or_none_passes(etag):
    etags.check(7, etag)


@pytest.mark.parametrize("etag", ['"6"', "7", "*"])
def test_any_other_etag_aborts(etag):
    with pytest.raises(Aborted) as refusal:
        etags.check(7, etag)
    assert refusal.value.metadata == {"etag": etag, "current_etag": '"7"'}
