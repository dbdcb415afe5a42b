"""The sample as import files: CSV with Pinpoint's dotted headers, JSON lines, a few bad rows."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localmesh.sample.people import SMS, Person

CSV_HEADER = (
    "Id",
    "ChannelType",
    "Address",
    "User.UserId",
    "User.UserAttributes.FirstName",
    "Attributes.Interest",
    "Attributes.Interest",
    "Attributes.Interest",
    "Metrics.Visits",
    "Metrics.Spent",
    "Demographic.Locale",
    "Demographic.Timezone",
    "Location.Country",
    "Location.City",
    "Location.Latitude",
    "Location.Longitude",
)
BAD_CSV_ROWS: Sequence[Sequence[str]] = (
    ("bad-1", "SMS", "not a number"),
    ("bad-2", "SMS", "+1"),
    ("bad-3", "PIGEON", "+12127370001"),
    ("bad-4", "SMS", ""),
    ("bad-5", "SMS", "+12127370002", "", "", "", "", "", "many"),
    ("bad-6", "SMS", "+12127370003", "", "", "", "", "", "", "", "", "Mars/Olympus"),
    ("bad-7", "SMS", "+12127370004", *([""] * 11), "91.5", "0"),
)
BAD_JSON_LINES = (
    '{"Id":"bad-8","ChannelType":"EMAIL","Address":"nobody"}',
    '{"Id":"bad-9","ChannelType":"EMAIL","Address":"a@example.com"',
    '{"Id":"bad-10","ChannelType":"EMAIL","Address":"a@example.com","Metrics":{"Visits":"many"}}',
    "[]",
)


@dataclass(frozen=True)
class Sample:
    """What was written, and what an import must make of it."""

    files: tuple[Path, ...]
    people: int
    bad_rows: int
    by_channel: dict[str, int]


def write(people: Iterable[Person], folder: Path) -> Sample:
    """Write the people into `folder`: who has a phone as CSV, the others as JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    phones, others = folder / "phones.csv", folder / "others.jsonl"
    with (
        phones.open("w", newline="", encoding="utf-8-sig") as csv_file,
        others.open("w", encoding="utf-8") as json_file,
    ):
        rows = csv.writer(csv_file)
        rows.writerow(CSV_HEADER)
        for person in people:
            counts[person.channel] += 1
            if person.channel == SMS:
                rows.writerow(_row(person))
            else:
                json_file.write(json.dumps(_object(person), ensure_ascii=False) + "\n")
            _spoil(counts.total(), rows, json_file)
    bad_rows = len(BAD_CSV_ROWS) + len(BAD_JSON_LINES)
    return Sample((phones, others), counts.total(), bad_rows, dict(counts))


def _spoil(position: int, rows: Any, json_file: Any) -> None:
    """Strew the bad rows among the good ones."""
    nth, remainder = divmod(position, 100)
    if remainder == 50 and nth < len(BAD_CSV_ROWS):
        padding = [""] * (len(CSV_HEADER) - len(BAD_CSV_ROWS[nth]))
        rows.writerow([*BAD_CSV_ROWS[nth], *padding])
    if remainder == 75 and nth < len(BAD_JSON_LINES):
        json_file.write(BAD_JSON_LINES[nth] + "\n")


def _row(person: Person) -> Iterator[object]:
    padding = [""] * (3 - len(person.interests))
    yield from (person.endpoint_id, person.channel, person.address, person.user_id, person.name)
    yield from (*person.interests, *padding, person.visits, person.spent)
    yield from (person.country.locale, person.zone, person.country.code, person.city)
    yield from (person.latitude, person.longitude)


def _object(person: Person) -> dict[str, object]:
    make, model, platform = person.device
    return {
        "Id": person.endpoint_id,
        "ChannelType": {"PUSH_FCM": "GCM"}.get(person.channel, person.channel),
        "Address": person.address,
        "User": {"UserId": person.user_id, "UserAttributes": {"FirstName": [person.name]}},
        "Attributes": {"Interest": list(person.interests)},
        "Metrics": {"Visits": person.visits, "Spent": person.spent},
        "Demographic": {
            "Locale": person.country.locale,
            "Timezone": person.zone,
            "Make": make,
            "Model": model,
            "Platform": platform,
        },
        "Location": {
            "Country": person.country.code,
            "City": person.city,
            "Latitude": person.latitude,
            "Longitude": person.longitude,
        },
    }
