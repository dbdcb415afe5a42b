"""What cannot be undone is meant, or it is not done."""

import sys


def require(yes: bool, what: str) -> None:
    """End the command before its work, unless `--yes` was said; `what` says what it would do."""
    if not yes:
        sys.stderr.write(f"This {what}. Say --yes if that is meant.\n")
        sys.exit(2)
