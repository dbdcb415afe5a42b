"""Lists of many pages as one."""

from collections.abc import AsyncIterator, Callable
from typing import Any


async def pages(method: Callable[..., Any], request: Any) -> AsyncIterator[Any]:
    """The answers of a List method, page after page."""
    following = type(request)()
    following.CopyFrom(request)
    while True:
        page = await method(following)
        yield page
        if not page.next_page_token:
            return
        following.page_token = page.next_page_token


async def collect(
    method: Callable[..., Any], request: Any, field: str, limit: int | None = None
) -> list[Any]:
    """What a List method finds, from repeated `field` of its pages; at most `limit` of it."""
    found: list[Any] = []
    async for page in pages(method, request):
        found += getattr(page, field)
        if limit is not None and len(found) >= limit:
            return found[:limit]
    return found
