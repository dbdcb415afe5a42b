"""Child processes: what they leave in their log, and that nothing is left of them."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from mesh.embedded.errors import CannotStartError
from mesh.embedded.leftover import ProcessRecord, process_identity
from mesh.embedded.process import ChildProcess
from mesh.testkit.waiting import eventually

_SLEEPER = "import time; time.sleep(600)"
_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(600)"
)
_HEADLESS = (
    "import ctypes, threading, time; threading.Thread(target=time.sleep, args=[600]).start();"
    "print('on', flush=True); ctypes.CDLL(None).pthread_exit(None)"
)
"""Its first thread ends and another goes on, as for a moment in a process that was killed."""


def _python(program: str, folder: Path) -> ChildProcess:
    return ChildProcess("program", [sys.executable, "-c", program], folder / "log")


async def test_a_program_that_ends_too_soon_is_quoted(tmp_path: Path) -> None:
    child = _python("print('no disk'); raise SystemExit(3)", tmp_path)
    await child.start()
    with pytest.raises(CannotStartError, match=r"ended with status 3(.|\n)*no disk"):
        await child.ready_file(tmp_path / "ready", 30)


async def test_a_program_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    child = _python(_SLEEPER, tmp_path)
    await child.start()
    with pytest.raises(CannotStartError, match=r"was not ready after 0\.1 s"):
        await child.ready_file(tmp_path / "ready", 0.1)
    await child.stop()
    assert not child.running


async def test_a_program_that_does_not_hear_is_killed(tmp_path: Path) -> None:
    child = _python(_STUBBORN, tmp_path)
    await child.start()
    await child.ready_file(tmp_path / "log", 30, holding="deaf")
    await child.stop(grace_seconds=0.1)
    assert await child.wait() == -signal.SIGKILL


async def test_a_run_that_is_called_off_leaves_no_process(tmp_path: Path) -> None:
    child = _python("print('on', flush=True);" + _SLEEPER, tmp_path)
    run = asyncio.create_task(child.run())
    log = tmp_path / "log"
    await eventually(lambda: log.exists() and "on" in log.read_text())
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not child.running


async def test_a_leftover_is_ended_and_a_stranger_with_its_number_is_not(tmp_path: Path) -> None:
    child = _python(_SLEEPER, tmp_path)
    await child.start()
    record = ProcessRecord(tmp_path / "process.json")
    record.remember(child.pid)
    forged = (tmp_path / "process.json").read_text().replace('"identity": "', '"identity": "x')
    stranger = ProcessRecord(tmp_path / "forged.json")
    (tmp_path / "forged.json").write_text(forged)
    await stranger.end_leftover()
    assert process_identity(child.pid)
    await record.end_leftover()
    assert process_identity(child.pid) == ""
    assert await child.wait() == -signal.SIGKILL


async def test_a_process_is_there_until_its_last_thread_has_ended(tmp_path: Path) -> None:
    child = _python(_HEADLESS, tmp_path)
    await child.start()
    stat = Path(f"/proc/{child.pid}/stat")
    await eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z")
    assert process_identity(child.pid)
    record = ProcessRecord(tmp_path / "process.json")
    record.remember(child.pid)
    await record.end_leftover()
    assert process_identity(child.pid) == ""


@pytest.mark.parametrize("content", ["", "{", '{"pid": '])
async def test_a_torn_record_is_no_record(tmp_path: Path, content: str) -> None:
    (tmp_path / "process.json").write_text(content)
    await ProcessRecord(tmp_path / "process.json").end_leftover()
