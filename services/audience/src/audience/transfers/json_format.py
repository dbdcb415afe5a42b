"""JSON lines in the shape of Pinpoint's endpoints, as its exports are written."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from mesh.errors import InvalidArgument, Violation

from audience.endpoints import checks
from audience.endpoints.patches import Patch
from audience.transfers import cells, headers
from audience.transfers.kept import Kept
from audience.transfers.lines import BOM
from audience.transfers.rows import Collected, Rows

LINE_BYTES_MAX: Final = 64 * 1024

_ONE_A_LINE: Final = "one object a line is expected, and no array around them"

Decoded = TypeVar("Decoded")
Lists = dict[str, list[str] | str]


class DemographicPart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Pinpoint `EndpointDemographic`."""

    AppVersion: str | None = None
    Locale: str | None = None
    Make: str | None = None
    Model: str | None = None
    ModelVersion: str | None = None
    Platform: str | None = None
    PlatformVersion: str | None = None
    Timezone: str | None = None


class LocationPart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Pinpoint `EndpointLocation`."""

    City: str | None = None
    Country: str | None = None
    Latitude: float | None = None
    Longitude: float | None = None
    PostalCode: str | None = None
    Region: str | None = None


class UserPart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Pinpoint `EndpointUser`."""

    UserId: str | None = None
    UserAttributes: msgspec.Raw = msgspec.Raw()


class Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Pinpoint `EndpointRequest` and `EndpointResponse`; what nobody can set is read over.

    `RefusedTopics` is our own: what an export of ours says beyond Pinpoint.
    """

    Id: str | None = None
    ChannelType: str | None = None
    Address: str | None = None
    OptOut: str | None = None
    EndpointStatus: str | None = None
    RefusedTopics: list[str] | None = None
    Attributes: msgspec.Raw = msgspec.Raw()
    Metrics: msgspec.Raw = msgspec.Raw()
    Demographic: msgspec.Raw = msgspec.Raw()
    Location: msgspec.Raw = msgspec.Raw()
    User: UserPart | None = None
    ApplicationId: msgspec.Raw = msgspec.Raw()
    CohortId: msgspec.Raw = msgspec.Raw()
    CreationDate: msgspec.Raw = msgspec.Raw()
    EffectiveDate: msgspec.Raw = msgspec.Raw()
    RequestId: msgspec.Raw = msgspec.Raw()


# Numbers and booleans are also accepted as text, as spreadsheets and scripts write them.
_decode_line = msgspec.json.Decoder(Line, strict=False).decode
_decode_list = msgspec.json.Decoder(list[str] | str, strict=False).decode
_decode_number = msgspec.json.Decoder(float, strict=False).decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_lists = msgspec.json.Decoder(Lists | None, strict=False).decode
_decode_numbers = msgspec.json.Decoder(dict[str, float] | None, strict=False).decode
_decode_demographic = msgspec.json.Decoder(DemographicPart | None, strict=False).decode
_decode_location = msgspec.json.Decoder(LocationPart | None, strict=False).decode
_DEMOGRAPHIC: Final = {
    field: headers.DEMOGRAPHIC[f"demographic.{field.casefold()}"]
    for field in DemographicPart.__struct_fields__
}
_LOCATION: Final = {
    field: headers.LOCATION[f"location.{field.casefold()}"]
    for field in LocationPart.__struct_fields__
}


class JsonFormat:
    """Endpoints as one JSON object a line."""

    header_lines: int = 0

    def __init__(self, country: str = "") -> None:
        self.country = country
        self._attributes = Kept("attributes", partial(_lists, "Attributes"))
        self._user_attributes = Kept("user.attributes", partial(_lists, "User.UserAttributes"))
        self._metrics = Kept("metrics", _numbers)
        self._demographic = Kept("demographic", _demographic)
        self._location = Kept("location", _location)

    def rows(self, lines: list[bytes], first_line: int, *, at_end: bool) -> Rows:
        """The rows of lines."""
        collected = Collected(self.country)
        for number, line in enumerate(lines, first_line):
            text = line.removeprefix(BOM) if number == 1 else line
            if len(text) > LINE_BYTES_MAX:
                collected.refuse(number, "ROW_TOO_LONG", _too_long(text))
            elif not text.isspace():
                collected.add(number, self._patch, text)
        return collected.rows(len(lines))

    def _patch(self, text: bytes) -> Patch:
        line = _line(text)
        user = line.User
        return Patch(
            endpoint=line.Id or "",
            channel_type=cells.channel_type(line.ChannelType or ""),
            address=line.Address or None,
            opt_out=cells.opt_out(line.OptOut or ""),
            status=cells.status(line.EndpointStatus or ""),
            refused_topics=line.RefusedTopics,
            attributes=_kept(self._attributes, line.Attributes),
            metrics=_kept(self._metrics, line.Metrics),
            demographic=_kept(self._demographic, line.Demographic),
            location=_kept(self._location, line.Location),
            user_id=(user.UserId or None) if user else None,
            user_attributes=_kept(self._user_attributes, user.UserAttributes) if user else None,
        )


def _kept(kept: Kept, raw: msgspec.Raw) -> dict[str, Any] | None:
    text = bytes(raw)
    return kept.get(text) if text else None


def _too_long(text: bytes) -> str:
    description = f"more than {LINE_BYTES_MAX} bytes"
    return f"{description}: {_ONE_A_LINE}" if text.lstrip().startswith(b"[") else description


def _line(text: bytes) -> Line:
    """Decode a line; one that is no whole object is refused with what is expected."""
    try:
        return _read(_decode_line, text, "")
    except InvalidArgument as error:
        stripped = text.strip()
        is_whole = stripped.startswith(b"{") and stripped.endswith(b"}")
        if is_whole or error.reason != "JSON_INVALID":
            raise
        raise _invalid("JSON_INVALID", "", f"{error.message}: {_ONE_A_LINE}") from None


def _read_map(
    decode: Callable[[bytes], Decoded], decode_one: Callable[[bytes], Any], text: bytes, place: str
) -> Decoded:
    """Decode a map; refuses with the name of what is wrong in it."""
    try:
        return _read(decode, text, place)
    except InvalidArgument:
        for name, one in _parts(text).items():
            if checks.is_name(name):
                _read(decode_one, bytes(one), f"{place}.{name}")
        raise


def _parts(text: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _decode_parts(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _read(decode: Callable[[bytes], Decoded], text: bytes, place: str) -> Decoded:
    """Decode; refuses with the path of what is wrong, `place` being where the text stands."""
    try:
        return decode(text)
    except msgspec.ValidationError as error:
        description, _, path = str(error).partition(" - at ")
        inner = path.strip("`").removeprefix("$")
        raise _invalid("JSON_INVALID", f"{place}{inner}".removeprefix("."), description) from None
    except msgspec.DecodeError as error:
        raise _invalid("JSON_INVALID", place, str(error)) from None
    except UnicodeDecodeError:
        raise _invalid("ENCODING_INVALID", place, "not UTF-8") from None


def _invalid(reason: str, field: str, description: str) -> InvalidArgument:
    violation = Violation(field, description, reason)
    return InvalidArgument(reason, description, violations=[violation])


def _lists(place: str, text: bytes) -> dict[str, Any]:
    """Lists of values; a single text stands for a list of one, an empty list takes away."""
    values = _read_map(_decode_lists, _decode_list, text, place) or {}
    return {name: [one] if isinstance(one, str) else one for name, one in values.items()}


def _numbers(text: bytes) -> dict[str, Any]:
    return _read_map(_decode_numbers, _decode_number, text, "Metrics") or {}


def _demographic(text: bytes) -> dict[str, Any]:
    return _fields(_read(_decode_demographic, text, "Demographic"), _DEMOGRAPHIC)


def _location(text: bytes) -> dict[str, Any]:
    return _fields(_read(_decode_location, text, "Location"), _LOCATION)


def _fields(part: DemographicPart | LocationPart | None, names: dict[str, str]) -> dict[str, Any]:
    found = {name: getattr(part, field, None) for field, name in names.items()}
    return {name: value for name, value in found.items() if value is not None and value != ""}
