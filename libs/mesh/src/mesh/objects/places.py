"""Which places in object stores are open, for what and to whom: the operator says so, no caller."""

import re
from itertools import permutations
from typing import Final, Literal

from mesh.objects import uris
from mesh.objects.uris import Uri
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

PLACEHOLDER: Final = "{application}"
SAMPLE: Final = "application"
_ID: Final = "[a-z][a-z0-9-]{2,62}"

Use = Literal["import", "export"]


class ObjectPlace(BaseModel):
    """Everything below `prefix`, for one use."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    use: Use
    prefix: str
    """`s3://bucket/{application}/`: with an application's id in it, or for one alone."""
    application: str = ""
    """The only application that may use a prefix without `{application}`."""
    endpoint: str = ""
    """Where the store answers, when it is not the provider's own: `https://minio.internal:9000`."""
    options: dict[str, SecretStr] = Field(default_factory=dict)
    """Region, credentials and the like, by the names of obstore: `aws_region`, …; what is missing
    is taken from the environment, as the provider's own tools do."""
    authority_file: str = ""
    """PEM authority that the store or web server is verified with, beside the system's."""
    private_addresses: bool = False
    """Whether a web server may be at an address that is not on the internet."""

    @model_validator(mode="after")
    def _check(self) -> "ObjectPlace":
        if not self.prefix.endswith("/"):
            raise ValueError("prefix must end in a slash")
        if self.prefix.count(PLACEHOLDER) + bool(self.application) != 1:
            raise ValueError("expected {application} once in prefix, or application, but not both")
        scheme = uris.parse(self.prefix.replace(PLACEHOLDER, SAMPLE)).scheme
        if scheme == "https" and self.use == "export":
            raise ValueError("nothing can be exported to https")
        return self

    def root(self, application: str) -> str:
        """The prefix of an application; empty when it has none here."""
        if self.application:
            return self.prefix if self.application == application else ""
        return self.prefix.replace(PLACEHOLDER, application)


class ObjectPlaces:
    """All places that are open."""

    def __init__(self, places: tuple[ObjectPlace, ...] = ()) -> None:
        self._places = places

    def of(self, use: Use, application: str) -> list[tuple[ObjectPlace, str]]:
        """The places of an application with its prefixes, the longest first."""
        mine = [(one, one.root(application)) for one in self._places if one.use == use]
        return sorted(((one, root) for one, root in mine if root), key=lambda pair: -len(pair[1]))

    def samples(self) -> list[tuple[ObjectPlace, str]]:
        """Every place, with a prefix as it could be."""
        return [(one, one.root(one.application or SAMPLE)) for one in self._places]

    def find(self, use: Use, application: str, uri: Uri) -> ObjectPlace | None:
        """The place that an application may use an address by; None when there is none."""
        text = str(uri)
        return next((one for one, root in self.of(use, application) if text.startswith(root)), None)


def refuse_overlaps(places: tuple[ObjectPlace, ...]) -> tuple[ObjectPlace, ...]:
    """Refuse places of which one would open to an application what another one is for."""
    for one, other in permutations(places, 2):
        if _reaches(one, other):
            raise ValueError(
                f"{one.prefix} would let an application read what {other.prefix} keeps for others"
            )
    return places


def _reaches(one: ObjectPlace, other: ObjectPlace) -> bool:
    """Whether some application's prefix in `one` is above another application's in `other`."""
    outer = one.prefix.split("/")[:-1]
    inner = other.prefix.split("/")[: len(outer)]
    pairs = list(zip(outer, inner, strict=False))
    is_above = len(inner) == len(outer) and all(_may_be_same(*pair) for pair in pairs)
    return is_above and not _same_tenant(one, other, pairs)


def _may_be_same(one: str, other: str) -> bool:
    """Whether two segments are the same one for some applications."""
    if PLACEHOLDER in one and PLACEHOLDER in other:
        return True
    pattern, text = (one, other) if PLACEHOLDER in one else (other, one)
    return re.fullmatch(re.escape(pattern).replace(re.escape(PLACEHOLDER), _ID), text) is not None


def _same_tenant(one: ObjectPlace, other: ObjectPlace, pairs: list[tuple[str, str]]) -> bool:
    """Whether, where the prefixes are the same, it is one application that both are for."""
    if one.application and other.application:
        return one.application == other.application
    owner = one.application or other.application or PLACEHOLDER
    return any(
        PLACEHOLDER in a + b and a.replace(PLACEHOLDER, owner) == b.replace(PLACEHOLDER, owner)
        for a, b in pairs
    )
