"""Lists that come in pages: rows one after the other, and nothing is asked before it is wanted."""
from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, TypeVar

from ._answer import Answer

P = TypeVar("P", bound=Answer)
R = TypeVar("R", bound=Answer)


class Pages(Generic[P, R]):
    """`for row in pages`: the rows of all pages, which are of one moment. `pages.pages()`: page by page, `pages.first()`: the first.
    Each iteration asks anew, and `limit` says how many rows are asked for at once."""

    def __init__(self, rows: str, ask: Callable[[str | None], P]) -> None:
        self._rows, self._ask = rows, ask

    def first(self) -> P:
        return self._ask(None)

    def pages(self) -> Iterator[P]:
        cursor: str | None = None
        while True:
            page = self._ask(cursor)
            yield page
            cursor = page["next"]
            if cursor is None:
                return

    def __iter__(self) -> Iterator[R]:
        for page in self.pages():
            rows: list[R] = page[self._rows]
            yield from rows


class AsyncPages(Generic[P, R]):
    """`async for row in pages`, `async for page in pages.pages()`, `await pages.first()`: as Pages."""

    def __init__(self, rows: str, ask: Callable[[str | None], Awaitable[P]]) -> None:
        self._rows, self._ask = rows, ask

    async def first(self) -> P:
        return await self._ask(None)

    async def pages(self) -> AsyncIterator[P]:
        cursor: str | None = None
        while True:
            page = await self._ask(cursor)
            yield page
            cursor = page["next"]
            if cursor is None:
                return

    async def __aiter__(self) -> AsyncIterator[R]:
        async for page in self.pages():
            rows: list[Any] = page[self._rows]
            for row in rows:
                yield row
