"""A child process that writes to a log file and never outlives its parent."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mesh.embedded.errors import CannotStartError

_TAIL_BYTES = 2000
_POLL_SECONDS = 0.01


class ChildProcess:
    """One run of a program.

    `death_signal` is what the kernel sends it when this process dies without having stopped it
    (PR_SET_PDEATHSIG, prctl(2)); the thread that calls `start` must live as long as the child.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        log_path: Path,
        *,
        environment: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
        stop_signal: signal.Signals = signal.SIGTERM,
        privileges: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.log_path = log_path
        self._argv = [*_wrapper(death_signal, privileges), *map(str, argv)]
        self._environment = environment
        self._stop_signal = stop_signal
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process number; valid after `start`."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the program; readiness is the caller's to await."""
        environment = {**os.environ, **_bytecode(), **(self._environment or {})}
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    async def wait(self) -> int:
        """The exit status, once there is one."""
        assert self._process is not None
        return await self._process.wait()

    async def run(self) -> int:
        """Start and await the end; the exit status. Called off, it leaves no process."""
        await self.start()
        try:
            return await self.wait()
        finally:
            await self.kill()

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """Ask the program to end, and kill it when it has not done so after `grace_seconds`."""
        if not self.running:
            return
        self.signal(self._stop_signal)
        try:
            async with asyncio.timeout(grace_seconds):
                await self.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL, as the kernel would when memory runs out."""
        self.signal(signal.SIGKILL)
        await self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process has ended."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def ready_file(self, path: Path, timeout_seconds: float, *, holding: str = "") -> str:
        """The content of `path` once the program has written it and it contains `holding`.

        Raises CannotStartError with the end of the log when the program ends first or is too late.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while self.running:
                    content = _read(path)
                    if content and holding in content:
                        return content
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise self.failure(f"was not ready after {timeout_seconds:g} s") from None
        raise self.failure(f"ended with status {await self.wait()} before it was ready")

    def log_tail(self) -> str:
        """The last lines that the program wrote."""
        with self.log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return log.read().decode(errors="replace")

    def failure(self, what: str) -> CannotStartError:
        """The error to raise when the program did not do its work, with the end of its log."""
        return CannotStartError(
            f"{self.name} {what}; its log {self.log_path} ends:\n{self.log_tail()}"
        )


def _wrapper(death_signal: signal.Signals, privileges: Sequence[str]) -> list[str]:
    """setpriv(1) sets the death signal after it has changed the user, which would clear it."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if privileges:
            raise CannotStartError(
                "PostgreSQL refuses root, and setpriv, which changes the user, is missing; "
                "install util-linux or start as another user"
            )
        return []
    return [setpriv, "--pdeathsig", death_signal.name.removeprefix("SIG"), *privileges, "--"]


def _bytecode() -> dict[str, str]:
    """Where bytecode beside the sources is forbidden, it goes beside the interpreter.

    Compiling everything at each start takes a Python service longer than all that it does then.
    """
    if not os.environ.get("PYTHONDONTWRITEBYTECODE"):
        return {}
    folder = str(Path(sys.prefix) / "bytecode")
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
