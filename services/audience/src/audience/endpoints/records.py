"""Endpoints as rows of the table, both ways. JSON columns take text and give Python values."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec
from mesh.errors.refusals import invalid

from audience.endpoints.patches import Checked
from audience.endpoints.states import State

BYTES_MAX: Final = 15 * 1024
"""Pinpoint's limit of an endpoint, and here of what its user has beside that."""

_UTF8_BYTES_MAX: Final = 4

COLUMNS: Final = (
    "application",
    "endpoint",
    "channel_type",
    "address",
    "attributes",
    "metrics",
    "demographic",
    "location",
    "user_id",
    "opt_out",
    "status",
    "refused_topics",
    "create_time",
    "update_time",
    "revision",
)

Record: TypeAlias = tuple[Any, ...]

_encode = msgspec.json.Encoder().encode
SEPARATOR: Final = "\x1f"

_EMPTY: Final = "{}"


def record(application: str, state: State) -> Record:
    """The row of an endpoint; refuses one that is too large or cannot be stored."""
    attributes = json_text("attributes", state.attributes)
    metrics = json_text("metrics", state.metrics)
    demographic = json_text("demographic", state.demographic)
    location = json_text("location", state.location)
    topics = _topics(state.refused_topics)
    refuse_large("", attributes, metrics, demographic, location, topics, state.address)
    if "\0" in state.address:
        raise invalid("NUL_CHARACTER", "address", "U+0000 cannot be stored")
    return (
        application,
        state.endpoint,
        state.channel_type,
        state.address,
        attributes,
        metrics,
        demographic,
        location,
        state.user_id,
        state.opt_out,
        state.status,
        topics,
        state.create_time,
        state.update_time,
        state.revision,
    )


def refuse_large(field: str, *texts: str) -> None:
    """Refuse more than `BYTES_MAX` bytes of UTF-8 in all, saying how many there are."""
    characters = sum(map(len, texts))
    if characters * _UTF8_BYTES_MAX <= BYTES_MAX:
        return
    size = sum(len(text) if text.isascii() else len(text.encode()) for text in texts)
    if size > BYTES_MAX:
        subject = "the user's attributes have" if field else "the endpoint has"
        description = f"{subject} {size} bytes, more than {BYTES_MAX}"
        metadata = {"bytes": str(size), "bytes_max": str(BYTES_MAX)}
        raise invalid("ENDPOINT_TOO_LARGE", field, description, **metadata)


class Times(dict[datetime, str]):
    """Moments as text. The rows of a batch share theirs, so each is formatted once."""

    def __missing__(self, moment: datetime) -> str:
        text = self[moment] = moment.isoformat()
        return text


def copy_text(rows: Iterable[Record]) -> bytes:
    """Rows in the text form of COPY: one string a row costs less than encoding each value."""
    time = Times()
    return escaped(
        f"{row[0]}\t{row[1]}\t{row[2]}\t{row[3]}\t{row[4]}\t{row[5]}\t{row[6]}\t{row[7]}\t{row[8]}\t"
        f"{row[9]}\t{row[10]}\t{row[11]}\t{time[row[12]]}\t{time[row[13]]}\t{row[14]}\n"
        for row in rows
    )


def joined(texts: Iterable[str]) -> str:
    """Ids or addresses as one parameter, for `string_to_array`: none holds a control character.

    An array would be checked element by element by asyncpg, which costs more than the query.
    """
    return SEPARATOR.join(texts)


def escaped(lines: Iterable[str]) -> bytes:
    """Lines for COPY. No value holds a tab or a line break, so only backslashes are special."""
    return "".join(lines).replace("\\", "\\\\").encode()


def state(row: Sequence[Any]) -> State:
    """The endpoint of a row with the columns of `COLUMNS`, the application left out."""
    return State(
        endpoint=row[0],
        channel_type=row[1],
        address=row[2],
        attributes=row[3],
        metrics=row[4],
        demographic=row[5],
        location=row[6],
        user_id=row[7],
        opt_out=row[8],
        status=row[9],
        refused_topics=row[10],
        create_time=row[11],
        update_time=row[12],
        revision=row[13],
    )


def json_text(field: str, values: Mapping[str, object]) -> str:
    """A map as JSON; refuses U+0000 and lone surrogates, which PostgreSQL cannot store."""
    if not values:
        return _EMPTY
    if isinstance(values, Checked):
        return values.text
    try:
        text = _encode(values).decode()
    except (UnicodeError, msgspec.MsgspecError) as error:
        raise invalid("ENCODING_INVALID", field, "a text is not Unicode") from error
    # Only then is it worth looking whether it is the character, or its escape written out.
    if "\\u0000" in text and "\0" in _joined(values):
        raise invalid("NUL_CHARACTER", field, "U+0000 cannot be stored")
    return text


def _topics(topics: list[str]) -> str:
    return json_text("refused_topics", {"": topics})[len('{"":') : -1] if topics else "[]"


def _joined(values: Mapping[str, object]) -> str:
    parts = [*values]
    for value in values.values():
        parts += value if isinstance(value, list) else [str(value)]
    return "".join(parts)
