import csv
import json

import phonenumbers
from localmesh.sample.countries import COUNTRIES
from localmesh.sample.files import BAD_CSV_ROWS, BAD_JSON_LINES, write
from localmesh.sample.people import SMS, people


def test_the_same_seed_makes_the_same_people():
    assert list(people(500)) == list(people(500))
    assert list(people(500)) != list(people(500, seed=2))


def test_every_address_is_somebodys_own():
    addresses = [person.address for person in people(50_000)]

    assert len(set(addresses)) == len(addresses)


def test_every_phone_number_is_valid_in_its_country():
    phones = [person for person in people(3_000) if person.channel == SMS]

    for person in phones:
        number = phonenumbers.parse(person.address)
        assert phonenumbers.is_valid_number(number), person.address
        assert phonenumbers.region_code_for_number(number) == person.country.code
    assert {person.country.code for person in phones} == {country.code for country in COUNTRIES}


def test_the_files_hold_everybody_and_the_bad_rows(tmp_path):
    sample = write(people(2_000), tmp_path)

    with sample.files[0].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    lines = sample.files[1].read_text().splitlines()
    assert len(rows) - 1 == sample.by_channel[SMS] + len(BAD_CSV_ROWS)
    assert len(lines) == 2_000 - sample.by_channel[SMS] + len(BAD_JSON_LINES)
    assert json.loads(lines[0])["ChannelType"] == "EMAIL"
    assert sample.bad_rows == len(BAD_CSV_ROWS) + len(BAD_JSON_LINES)
