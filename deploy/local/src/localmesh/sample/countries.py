"""Where the sample's people live: zones, cities, and what mobile numbers look like there.

Each number pattern was checked against the numbering plans of libphonenumber; `#` is any digit.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """A country with its share of the sample."""

    code: str
    weight: int
    locale: str
    places: tuple[tuple[str, str, float, float], ...]
    """City, zone of the tz database, latitude, longitude."""
    numbers: tuple[str, ...]

    def number(self, serial: int) -> str:
        """An E.164 number of its own for each `serial` that the patterns have room for."""
        nth, chosen = divmod(serial, len(self.numbers))
        pattern = self.numbers[chosen]
        places = pattern.count("#")
        # A fixed odd multiplier permutes the serials, so that numbers differ and look unordered.
        mixed = nth * 7_919_317 % 10**places
        digits = iter(f"{mixed:0{places}}")
        return "".join(next(digits) if sign == "#" else sign for sign in pattern)


COUNTRIES = (
    Country(
        "US",
        36,
        "en_US",
        (
            ("New York", "America/New_York", 40.7, -74.0),
            ("Chicago", "America/Chicago", 41.9, -87.6),
            ("Denver", "America/Denver", 39.7, -105.0),
            ("Los Angeles", "America/Los_Angeles", 34.1, -118.2),
        ),
        ("+121273#####", "+131266#####", "+130344#####", "+121362#####", "+141598#####"),
    ),
    Country(
        "CA",
        8,
        "fr_CA",
        (
            ("Montréal", "America/Toronto", 45.5, -73.6),
            ("Calgary", "America/Edmonton", 51.0, -114.1),
        ),
        ("+151484#####", "+140326#####"),
    ),
    Country("GB", 12, "en_GB", (("London", "Europe/London", 51.5, -0.1),), ("+447400######",)),
    Country(
        "DE",
        10,
        "de_DE",
        (("Köln", "Europe/Berlin", 50.9, 7.0), ("München", "Europe/Berlin", 48.1, 11.6)),
        ("+4915123######",),
    ),
    Country(
        "FR", 8, "fr_FR", (("Nîmes", "Europe/Paris", 43.8, 4.4),), ("+336123#####", "+336223#####")
    ),
    Country("ES", 5, "es_ES", (("Málaga", "Europe/Madrid", 36.7, -4.4),), ("+34612######",)),
    Country("PL", 4, "pl_PL", (("Łódź", "Europe/Warsaw", 51.8, 19.5),), ("+48512######",)),
    Country("IN", 6, "en_IN", (("Pune", "Asia/Kolkata", 18.5, 73.9),), ("+919812######",)),
    Country("JP", 4, "ja_JP", (("大阪", "Asia/Tokyo", 34.7, 135.5),), ("+819012######",)),
    Country(
        "BR", 4, "pt_BR", (("São Paulo", "America/Sao_Paulo", -23.6, -46.6),), ("+55119912#####",)
    ),
    Country("AU", 3, "en_AU", (("Sydney", "Australia/Sydney", -33.9, 151.2),), ("+61412######",)),
)
