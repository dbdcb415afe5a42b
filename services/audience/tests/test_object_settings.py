"""Places in object stores as the operator writes them."""

import pytest
from audience.settings import Settings
from pydantic import ValidationError


def test_settings_name_what_is_wrong_with_a_place_and_not_its_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = '{"use": "import", "prefix": "s3://b/{application}/", "options": {"aws_region": "hush"}}'
    monkeypatch.setenv("HELIOGRAPH_OBJECT_STORES", f"[{good}]")
    assert Settings().object_stores[0].options["aws_region"].get_secret_value() == "hush"
    monkeypatch.setenv("HELIOGRAPH_OBJECT_STORES", f"[{good.replace('n}/', 'n}')}]")
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert "prefix must end in a slash" in str(refusal.value)
    assert "hush" not in str(refusal.value)
