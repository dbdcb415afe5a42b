"""Freshness of a resource as an etag over its revision number (AIP-154)."""

from mesh.errors import Aborted


def render(revision: int) -> str:
    """The etag of a revision: its number in quotes, as HTTP wants a strong etag."""
    return f'"{revision}"'


def check(revision: int, etag: str) -> None:
    """Refuse (ABORTED, ETAG_MISMATCH) an etag of another revision. No etag asks for no check."""
    current = render(revision)
    if etag and etag != current:
        raise Aborted(
            "ETAG_MISMATCH",
            f"the resource has changed: its etag is {current}, not {etag}",
            etag=etag,
            current_etag=current,
        )
