"""Why there is no link; each names what somebody can do about it."""

from mesh.smpp import status


class LinkError(Exception):
    """There is no bound session."""


class UnreachableError(LinkError):
    """Nobody answers at the address."""

    def __init__(self, host: str, port: int, cause: object) -> None:
        super().__init__(f"no SMPP server at {host}:{port} ({cause}); check host and port")


class BindUnansweredError(LinkError):
    """Somebody accepts connections, but does not answer a bind."""

    def __init__(self, host: str, port: int, cause: object) -> None:
        super().__init__(
            f"{host}:{port} accepts connections but did not answer the bind ({cause}); "
            "check that it speaks SMPP, and whether it wants TLS"
        )


class BindRefusedError(LinkError):
    """The peer answered, and said no."""

    def __init__(self, host: str, port: int, system_id: str, code: int) -> None:
        self.status = code
        self.is_about_credentials = code in status.WRONG_CREDENTIALS
        advice = (
            "check system_id, password and system_type"
            if self.is_about_credentials
            else "the carrier may still hold an earlier bind, or be out of order"
        )
        super().__init__(
            f"{host}:{port} refused the bind of {system_id!r} with {status.name(code)}; {advice}"
        )


class LinkLostError(LinkError):
    """The connection ended while something was asked."""
