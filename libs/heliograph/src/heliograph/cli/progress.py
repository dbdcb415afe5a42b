"""Progress of long work, on standard error so that pipes stay clean."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(label: str, *, quiet: bool) -> Iterator[Callable[[float, float], None]]:
    """A progress bar; call what it yields with (done, total)."""
    if quiet:
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=None)

        def advance(done: float, total: float) -> None:
            progress.update(task, completed=done, total=total or None)

        yield advance
