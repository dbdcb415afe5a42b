"""Addresses made unreadable for logs, yet still comparable by eye."""

_PHONE_HEAD, _PHONE_TAIL = 5, 2
_TOKEN_HEAD = 6


def address(value: str) -> str:
    """A phone number, e-mail address or push token with its middle replaced by stars.

    `+14155550123` becomes `+1415*****23`, `ann@example.com` becomes `a**@example.com`.
    """
    local, at, domain = value.rpartition("@")
    if at:
        return f"{local[:1]}{'*' * (len(local) - 1)}@{domain}"
    if value.startswith("+"):
        return _middle(value, _PHONE_HEAD, _PHONE_TAIL)
    return value[:_TOKEN_HEAD] + "…" if len(value) > 2 * _TOKEN_HEAD else "*" * len(value)


def _middle(value: str, head: int, tail: int) -> str:
    hidden = len(value) - head - tail
    return value[:head] + "*" * hidden + value[-tail:] if hidden > 0 else "*" * len(value)
