"""Time zones of postal codes, for countries that have several and whose codes follow places.

Of the United States the first three digits, of Canada the first letter. Codes that span a border
of zones are left out: telling nothing is better than telling what is wrong.
"""

import re
from functools import cache
from typing import Final

_UNITED_STATES: Final = """
America/Puerto_Rico 006-009
America/New_York 005 010-089 100-219 220-268 270-323 326-339 341-349 374 376-379 398-418 425
    430-462 465-474 478 480-497
America/Chicago 324-325 350-372 375 380-397 420-424 463-464 476-477 500-567 570-574 580-584 587-588
    600-658 660-676 680-689 700-797
America/Denver 577 590-599 693 799-816 820-834 836-837 840-847 870-885
America/Phoenix 850-853 855-857 859 863-864
America/Los_Angeles 838 889-897 900-961 970-978 980-994
America/Anchorage 995-999
Pacific/Honolulu 967-968
"""
_CANADA: Final = {
    **{"A": "America/St_Johns", "B": "America/Halifax", "C": "America/Halifax"},
    **{"E": "America/Halifax", "R": "America/Winnipeg", "S": "America/Regina"},
    **{"T": "America/Edmonton", "V": "America/Vancouver", "Y": "America/Whitehorse"},
    **dict.fromkeys("GHJKLMN", "America/Toronto"),
}
# Labrador, the Magdalen Islands, Lloydminster, the Kootenays and the Peace River.
_CANADA_ELSEWHERE: Final = re.compile("A0P|A0R|A2V|G4T|S9V|V0[A-C]|V1A|V1C|V1G|V1J")

_ZIP: Final = re.compile(r"(\d{3})\d{2}(?:-?\d{4})?")
_CANADIAN: Final = re.compile(r"([ABCEGHJ-NPRSTVXY]\d[A-Z]) ?\d[A-Z]\d")


def zone(country: str, postal_code: str) -> str:
    """The zone of a postal code in a country (ISO 3166-1 alpha-2); empty when it tells none."""
    code = postal_code.strip().upper()
    if country == "US" and (found := _ZIP.fullmatch(code)):
        return _zip_zones().get(found[1], "")
    if country == "CA" and (found := _CANADIAN.fullmatch(code)):
        return "" if _CANADA_ELSEWHERE.match(found[1]) else _CANADA.get(found[1][0], "")
    return ""


@cache
def _zip_zones() -> dict[str, str]:
    zones = {}
    zone = ""
    for word in _UNITED_STATES.split():
        if not word[0].isdigit():
            zone = word
            continue
        first, _, last = word.partition("-")
        for number in range(int(first), int(last or first) + 1):
            zones[f"{number:03}"] = zone
    return zones
