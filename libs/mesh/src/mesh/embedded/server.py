"""The life of a server in a folder: it has the folder for itself, and ends what died before it."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from mesh.embedded.errors import PortInUseError
from mesh.embedded.folder import DataFolder
from mesh.embedded.ports import LOOPBACK, is_free
from mesh.embedded.process import ChildProcess


class EmbeddedServer(ABC):
    """`async with` starts and stops it; each kind of server says how it begins."""

    CONTENT: ClassVar[str]
    """What lies in the folder, and of which version."""

    STOP_GRACE_SECONDS: ClassVar[float]
    """How long it may take to end by itself."""

    def __init__(
        self, data_dir: Path | str, port: int, log_path: Path | None, start_timeout_seconds: float
    ) -> None:
        self._folder = DataFolder(Path(data_dir), self.CONTENT)
        self._wanted_port = port
        self._log_path = log_path or self._folder.path / "log"
        self._start_timeout_seconds = start_timeout_seconds
        self._process: ChildProcess | None = None
        self.port = port

    @property
    def pid(self) -> int:
        """The server's process number."""
        assert self._process is not None
        return self._process.pid

    @property
    def process(self) -> ChildProcess | None:
        """The server; None before `start`."""
        return self._process

    async def start(self) -> None:
        """Start; ready for clients on return. Raises a CannotStartError that says what to do."""
        self._folder.claim()
        try:
            await self._folder.process_record.end_leftover()
            await self._begin()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server after what it is at, and after it has written what it holds."""
        if self._process is not None:
            await self._process.stop(grace_seconds=self.STOP_GRACE_SECONDS)
        self._folder.release()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @abstractmethod
    async def _begin(self) -> None:
        """Start the process and wait until it is ready."""

    async def _run(self, process: ChildProcess) -> None:
        """Start the server's process, which is ended with its folder's next owner at the latest."""
        self._process = process
        await process.start()
        self._folder.process_record.remember(process.pid)

    def _check_port(self, port: int) -> None:
        """Refuse (PortInUseError) a port that is taken."""
        if not is_free(port):
            raise PortInUseError(LOOPBACK, port)
