"""The sample's people: one after the other from a seed, so that every run makes the same ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from localmesh.sample.countries import COUNTRIES, Country

SMS, EMAIL, PUSH = "SMS", "EMAIL", "PUSH_FCM"
CHANNELS = (SMS, SMS, SMS, EMAIL, PUSH)
"""Three of five people by SMS, one by mail, one by push."""

NAMES = (
    "Ada", "Björn", "Chloé", "Dmitri", "Eva-Lena", "François", "Grace", "Hà My", "Ingrid", "José",
    "Kwame", "Łucja", "María José", "Noor", "Oisín", "Priya", "Quentin", "Renée", "Søren", "Tomás",
    "Uwe", "Vigdís", "Wei", "Ximena", "Yuki", "Zoë",
)  # fmt: skip
AWKWARD = (
    "O'Brien",
    'Robert "Bobby", Jr.',
    "Robert'); DROP TABLE endpoint;--",
    "李雷",
    "محمد",
    "Анна",
    "{{Address}}",
    "<b>Tom & Jerry</b>",
    "Zo\u0065\u0308",
    "🦊 Foxy",
    "  Spacey  ",
    "NULL",
    "x" * 100,
)
"""Names that break what is put together carelessly."""
INTERESTS = ("cycling", "cooking", "opera", "chess", "running", "gardening")
DEVICES = (
    ("Apple", "iPhone 17", "iOS"),
    ("Samsung", "S26", "Android"),
    ("Google", "Pixel 11", "Android"),
)
FIRST_SEEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """A person with the one address that the sample knows."""

    serial: int
    channel: str
    address: str
    name: str
    country: Country
    city: str
    zone: str
    latitude: float
    longitude: float
    interests: tuple[str, ...]
    visits: int
    spent: float
    device: tuple[str, str, str]
    first_seen: datetime

    @property
    def endpoint_id(self) -> str:
        """The endpoint's id in the import files."""
        return f"e{self.serial:06}"

    @property
    def user_id(self) -> str:
        """The user's id in the import files."""
        return f"u{self.serial:06}"


def people(count: int, seed: int = 1) -> Iterator[Person]:
    """`count` people; the same seed gives the same ones."""
    random = Random(seed)
    weights = [country.weight for country in COUNTRIES]
    serials = dict.fromkeys((country.code for country in COUNTRIES), 0)
    for serial in range(count):
        country = random.choices(COUNTRIES, weights)[0]
        city, zone, latitude, longitude = random.choice(country.places)
        channel = CHANNELS[serial % len(CHANNELS)]
        serials[country.code] += channel == SMS
        yield Person(
            serial=serial,
            channel=channel,
            address=_address(channel, serial, serials[country.code], country, random),
            name=random.choice(AWKWARD) if serial % 50 == 7 else random.choice(NAMES),
            country=country,
            city=city,
            zone=zone,
            latitude=latitude,
            longitude=longitude,
            interests=tuple(sorted(random.sample(INTERESTS, random.randint(1, 3)))),
            visits=random.randint(0, 60),
            spent=round(random.expovariate(1 / 40), 2),
            device=random.choice(DEVICES),
            first_seen=FIRST_SEEN + timedelta(minutes=random.randint(0, 400_000)),
        )


def _address(channel: str, serial: int, nth: int, country: Country, random: Random) -> str:
    if channel == SMS:
        return country.number(nth)
    if channel == EMAIL:
        return f"person{serial}@{country.code.lower()}.example.com"
    return f"token-{serial:06}-{random.getrandbits(128):032x}"
