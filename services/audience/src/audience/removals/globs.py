"""Globs of attribute names: `*` stands for any characters, `?` for one."""


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name fits; no pattern takes longer than its length times the name's."""
    at = place = 0
    star, tried = -1, 0
    while place < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, tried = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", name[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            # The last star takes one character more; earlier ones need never be tried again.
            tried += 1
            at, place = star + 1, tried
        else:
            return False
    return all(character == "*" for character in pattern[at:])
