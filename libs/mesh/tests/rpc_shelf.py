"""A servicer that behaves as it is asked to."""

import asyncio

from mesh import errors
from mesh.rpc.auth import caller

NAME = "applications/a/books/{}".format


class Shelf:
    """Answers as its requests ask it to; a title starting with `fail` asks for a failure."""

    def __init__(self, pb):
        self.pb = pb
        self.cancelled = asyncio.Event()
        self.started = asyncio.Event()
        self.release = asyncio.Event()

    async def GetBook(self, request, context):
        book = request.name.rpartition("/")[2]
        if book == "missing":
            raise errors.NotFound("BOOK_NOT_FOUND", "no such book", book=request.name)
        if book == "bug":
            raise ZeroDivisionError("secret")
        if book == "wrong":
            return self.pb.Author(name="not a book")
        if book == "slow":
            await self._linger()
        return self.pb.Book(name=request.name, title=caller().subject)

    async def ListLibraries(self, request, context):
        return self.pb.ListBooksResponse()

    async def CreateBook(self, request, context):
        return request.book

    async def StreamBooks(self, request, context):
        for number in range(3):
            yield self.pb.Book(name=NAME(number))
        if request.filter == "fail":
            raise errors.ResourceExhausted("TOO_MANY", "enough", retry_after_seconds=1.5)
        if request.filter == "bug":
            raise ZeroDivisionError("secret")
        if request.filter == "slow":
            await self._linger()

    async def StreamUpdateBooks(self, request, context):
        return self.pb.ListBooksResponse(books=[each.book async for each in request])

    async def Converse(self, request, context):
        async for each in request:
            yield each.book

    async def _linger(self):
        self.started.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def listing(library, **fields):
    return library.pb.ListBooksRequest(parent="applications/a", **fields)
