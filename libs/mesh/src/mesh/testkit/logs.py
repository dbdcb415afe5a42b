"""How tests log: in plain words."""

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback


def configure() -> None:
    """Show a traceback as Python does.

    Drawn with every frame's variables, one takes a second in which nothing else happens, and what
    has to happen in time does not.
    """
    before = structlog.get_config()["processors"][:-1]
    plain = ConsoleRenderer(exception_formatter=plain_traceback)
    structlog.configure(processors=[*before, plain])
