"""JSON lines in the shape of Pinpoint's endpoints, as its exports are written."""

from typing import Any, Final

import msgspec
from mesh.errors import InvalidArgument, Violation

from audience.endpoints.patches import Patch
from audience.endpoints.states import Attributes
from audience.transfers import cells, headers
from audience.transfers.lines import BOM
from audience.transfers.rows import Collected, Rows

LINE_BYTES_MAX: Final = 64 * 1024

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
    UserAttributes: Lists | None = None


class Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Pinpoint `EndpointRequest` and `EndpointResponse`; what is not importable is read over."""

    Id: str | None = None
    ChannelType: str | None = None
    Address: str | None = None
    OptOut: str | None = None
    Attributes: Lists | None = None
    Metrics: dict[str, float] | None = None
    Demographic: DemographicPart | None = None
    Location: LocationPart | None = None
    User: UserPart | None = None
    ApplicationId: msgspec.Raw = msgspec.Raw()
    CohortId: msgspec.Raw = msgspec.Raw()
    CreationDate: msgspec.Raw = msgspec.Raw()
    EffectiveDate: msgspec.Raw = msgspec.Raw()
    EndpointStatus: msgspec.Raw = msgspec.Raw()
    RequestId: msgspec.Raw = msgspec.Raw()


# Numbers and booleans are also accepted as text, as spreadsheets and scripts write them.
_decode = msgspec.json.Decoder(Line, strict=False).decode
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

    def rows(self, lines: list[bytes], first_line: int, *, at_end: bool) -> Rows:
        """The rows of lines."""
        collected = Collected()
        for offset, line in enumerate(lines):
            number = first_line + offset
            if number == 1:
                line = line.removeprefix(BOM)
            if len(line) > LINE_BYTES_MAX:
                collected.refuse(number, "ROW_TOO_LONG", f"more than {LINE_BYTES_MAX} bytes")
            elif not line.isspace():
                collected.add(number, _patch, line)
        return collected.rows(len(lines))


def _patch(text: bytes) -> Patch:
    line = _line(text)
    user = line.User
    return Patch(
        endpoint=line.Id or "",
        channel_type=cells.channel_type(line.ChannelType or ""),
        address=line.Address or None,
        opt_out=cells.opt_out(line.OptOut or ""),
        attributes=_lists(line.Attributes),
        metrics=line.Metrics or None,  # type: ignore[arg-type]  # None values only clear
        demographic=_fields(line.Demographic, _DEMOGRAPHIC),
        location=_fields(line.Location, _LOCATION),
        user_id=(user.UserId or None) if user else None,
        user_attributes=_lists(user.UserAttributes) if user else None,
    )


def _line(text: bytes) -> Line:
    try:
        return _decode(text)
    except msgspec.ValidationError as error:
        description, _, path = str(error).partition(" - at ")
        field = path.strip("`").removeprefix("$").removeprefix(".")
        raise _invalid("JSON_INVALID", field, description) from None
    except msgspec.DecodeError as error:
        raise _invalid("JSON_INVALID", "", str(error)) from None
    except UnicodeDecodeError:
        raise _invalid("ENCODING_INVALID", "", "not UTF-8") from None


def _invalid(reason: str, field: str, description: str) -> InvalidArgument:
    violation = Violation(field, description, reason)
    return InvalidArgument(reason, description, violations=[violation])


def _lists(values: Lists | None) -> Attributes | None:
    if not values:
        return None
    return {name: [one] if isinstance(one, str) else one for name, one in values.items()}


def _fields(
    part: DemographicPart | LocationPart | None, names: dict[str, str]
) -> dict[str, Any] | None:
    if part is None:
        return None
    found = {}
    for field, name in names.items():
        value = getattr(part, field)
        if value is not None and value != "":
            found[name] = value
    return found or None
