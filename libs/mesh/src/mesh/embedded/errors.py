"""What keeps an embedded server from starting; every message ends with the next step."""


class CannotStartError(RuntimeError):
    """The server did not become ready."""


class PortInUseError(CannotStartError):
    """Somebody else listens on the port that was asked for."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is in use by another program; "
            f"stop that program or start with another port (0 picks a free one)"
        )
        self.port = port


class FolderInUseError(CannotStartError):
    """Another process works in the data folder."""


class ForeignFolderError(CannotStartError):
    """The data folder holds something that this server did not write."""
