"""Texts made comparable: what looks the same to a reader is the same here.

Applying it twice changes nothing, and invisible characters change nothing.
"""

import re
import unicodedata
from functools import lru_cache

CHARACTERS_MAX = 2_000
"""More than this of a text decides nothing; a text of any length costs the same."""

# Unicode's Default_Ignorable_Code_Point: joiners, directions, variation selectors, fillers, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Accents on Latin, Greek and Cyrillic letters; marks of other scripts carry meaning and stay.
_ACCENT = re.compile("[\u0300-\u036f]")
_PLAIN = re.compile(r"[a-z0-9 ]*")

# Dropped inside a word ("don't" is "dont"), where other punctuation parts words.
_APOSTROPHES = frozenset("'`´\u2018\u2019\u201a\u201b\u2032\u02bc\u02b9\u02b0\uff07\ua78c")

# Letters of other alphabets that a reader takes for Latin ones (Unicode TR 39), lower case.
_LOOK_ALIKES = str.maketrans(
    "аеорсухкмтвнѕіјԁԛԝҽһӏոսցօɡıɑʏαεικνορτυχʟ",
    "aeopcyxkmtbhsijdqwehlnugogiayaeikvoptuxl",
)


def normalize(text: str) -> str:
    """The words of a text, lower case, single spaces between, no accents, no punctuation."""
    visible = _INVISIBLE.sub("", text)[:CHARACTERS_MAX]
    plain = visible.lower()
    if _PLAIN.fullmatch(plain):
        return " ".join(plain.split())
    words = map(_latin, _parted(_folded(visible)).split())
    # One character may become many: cut again, so that a second time changes nothing.
    return " ".join(words)[:CHARACTERS_MAX].rstrip()


def _folded(text: str) -> str:
    """One spelling for one reading: compatibility forms, case, accents (UAX 15, UAX 31)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    bare = _ACCENT.sub("", unicodedata.normalize("NFD", folded))
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", bare))


def _parted(text: str) -> str:
    return "".join(map(_kept, text))


@lru_cache(maxsize=4096)
def _kept(character: str) -> str:
    """The character itself, nothing for an apostrophe, or the space that parts words."""
    if character in _APOSTROPHES:
        return ""
    return character if unicodedata.category(character)[0] in "LNM" else " "


def _latin(word: str) -> str:
    """The Latin word that a word made of look-alikes shows; other words stay as they are."""
    if word.isascii():
        return word
    shown = word.translate(_LOOK_ALIKES)
    return shown if shown.isascii() else word
