"""A random audience with awkward values, the same for the same seed."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from audience.endpoints.patches import Patch
from heliograph.audience.v1.application_pb2 import ApplicationSettings

NAMES = ("color", "Color", "joined", "it's", "söme näme", "a.b")
TEXTS = (
    *("red", "Red", "blue", "", "%", "_", "'; DROP TABLE endpoint; --", "O'Brien", "日本", "🎈"),
    *("a\\b", '"quoted"', "null", "{}", "true", "1", "red,blue"),
)
INSTANTS = (
    *("2026-03-01T10:30:00Z", "2026-03-01", "2026-03-01T23:30:00-02:00", "2026-02-30", "tomorrow"),
    *(
        "2026-03-01 10:30",
        "2026-03-01T10:30:00.123456789Z",
        "2026-03-02T01:30:00+0330",
        "1999-12-31",
    ),
    *(
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:30:60Z",
        "2026-3-1",
        "infinity",
        "2026-03-01T10:30Z\n",
    ),
)
READABLE_INSTANTS = tuple(
    text for index, text in enumerate(INSTANTS) if index in {0, 1, 2, 5, 6, 7, 8}
)
METRICS = ("age", "spend")
NUMBERS = (0.0, -1.5, 0.1, 31.0, 1e300, 12.25)
CITIES = ("Berlin", "São Paulo", "O'Fallon")
ZONES = ("Europe/Berlin", "America/Sao_Paulo")
MAKES = ("LG", "Apple")
POINTS = ((52.5, 13.4), (-23.5, -46.6), (0.0, 180.0), (0.0, -180.0), (90.0, 0.0))
USERS = ("u1", "u2", "ü3", "u'4", "u5")
CHANNELS = (1, 2, 3)
START = datetime(2026, 1, 1, tzinfo=UTC)
APPLICATION = """
INSERT INTO application
    (application, display_name, labels, settings, revision, create_time, update_time)
VALUES ($1, '', '{}', $2, 1, $3, $3)
"""


def patches(seed: int, count: int) -> list[Patch]:
    """So many writes, each to an endpoint of its own."""
    chance = random.Random(seed)
    return [_patch(chance, index) for index in range(count)]


async def open_application(connection: Any, application: str) -> None:
    """An application whose users may have as many endpoints as the samples give them."""
    settings = ApplicationSettings(endpoints_per_user_max=1000).SerializeToString()
    await connection.execute(APPLICATION, application, settings, START)


def moment(index: int) -> datetime:
    """When the endpoint of that index is written."""
    return START + timedelta(days=index % 5)


def _patch(chance: random.Random, index: int) -> Patch:
    channel_type = chance.choice(CHANNELS)
    addresses = {1: f"+1415{5550000 + index}", 2: f"a{index}@example.com", 3: f"token{index}"}
    point = chance.choice((None, *POINTS))
    location: dict[str, str | float | None] = {}
    if point:
        location |= {"latitude": point[0], "longitude": point[1]}
    if chance.random() < 0.7:
        location |= {"city": chance.choice(CITIES), "country": chance.choice(("DE", "BR"))}
    user_id = chance.choice((None, *USERS))
    return Patch(
        endpoint=f"e{chance.randrange(10**6):06}-{index}",
        channel_type=channel_type,
        address=addresses[channel_type],
        attributes=_attributes(chance),
        metrics={name: chance.choice(NUMBERS) for name in METRICS if chance.random() < 0.6},
        demographic={
            "timezone": chance.choice(ZONES),
            **({"make": chance.choice(MAKES)} if chance.random() < 0.5 else {}),
        },
        location=location,
        user_id=user_id,
        user_attributes=_attributes(chance) if user_id else None,
        opt_out=chance.choice((0, 1, 2)),
        status=chance.choice((0, 1, 2)),
    )


def _attributes(chance: random.Random) -> dict[str, list[str]]:
    return {
        name: chance.sample(INSTANTS if name == "joined" else TEXTS, chance.randint(1, 3))
        for name in NAMES
        if chance.random() < 0.5
    }
