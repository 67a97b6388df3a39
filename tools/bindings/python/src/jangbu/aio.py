"""A ledger for asyncio: what many tasks submit at once goes into one commit, and questions do not stop the loop."""
from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

from . import answers as a
from ._answer import Answer
from ._made import AsyncQueries, Commands
from ._pages import AsyncPages
from ._say import say
from ._text import command_lines, options_text, query_text
from .errors import Closed, Failed, Usage
from .ledger import Handle, Lang, answered, objects, open_options, outcome

A = TypeVar("A", bound=Answer)
P = TypeVar("P", bound=Answer)
T = TypeVar("T")
Answers = list[a.Done | a.Refusal]
_MOST = 8192  # commands of one call, as the library commits them
_PAGE = 1000  # events of one question of who follows
_WAIT_US = 1_000_000


@dataclass(slots=True)
class _Request:
    lines: bytes
    n: int
    options: bytes | None
    future: asyncio.Future[Answers]


@dataclass(slots=True)
class _Result:
    future: asyncio.Future[Answers]
    answers: Answers = field(default_factory=list)
    error: BaseException | None = None


class _Submitter(threading.Thread):
    """The thread that submits: it takes all that waits, one call for those with the same options, and then what came meanwhile."""

    def __init__(self, handle: Handle, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name="jangbu-submit", daemon=True)
        self.handle, self.loop = handle, loop
        self.waiting: deque[_Request] = deque()
        self.some = threading.Condition()
        self.ending = False
        self.calls = 0  # how many there were, for who wants to see that commands are gathered

    def put(self, request: _Request) -> None:
        with self.some:
            self.waiting.append(request)
            self.some.notify()

    def end(self) -> None:
        """What waits is still submitted."""
        with self.some:
            self.ending = True
            self.some.notify()

    def _take(self) -> list[_Request]:
        with self.some:
            while not self.waiting and not self.ending:
                self.some.wait()
            taken: list[_Request] = []
            n = 0
            while self.waiting:
                first = self.waiting[0]
                if taken and (n + first.n > _MOST or first.options != taken[0].options):
                    break
                self.waiting.popleft()
                if not first.future.cancelled():
                    taken.append(first)
                    n += first.n
            return taken

    def run(self) -> None:
        while True:
            taken = self._take()
            if taken:
                results = self._submit(taken)
                alone = [i for i, result in enumerate(results) if len(taken) > 1 and _alone(result)]
                for i in alone:  # each for itself, so that the fault stays with the one that has it
                    results[i] = self._submit([taken[i]])[0]
                self._tell(results)
            elif self.ending and not self.waiting:
                return

    def _submit(self, taken: list[_Request]) -> list[_Result]:
        self.calls += 1
        answers: Answers = []
        error: BaseException | None = None
        try:
            answers = [answered(f) for f in objects(self.handle.apply(b"".join([r.lines for r in taken]), taken[0].options))]
        except Failed as failure:
            answers, error = failure.answers, failure
        except BaseException as other:  # whoever waits is told, whatever it is
            error = other
        results, place = [], 0
        for request in taken:
            own = answers[place:place + request.n]
            place += request.n
            results.append(_Result(request.future, own, None if len(own) == request.n else _part(error, own)))
        return results

    def _tell(self, results: list[_Result]) -> None:
        try:
            self.loop.call_soon_threadsafe(_settle, results)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more


def _alone(result: _Result) -> bool:
    """One command of the call is at fault, perhaps another's; nothing of this request is done."""
    return isinstance(result.error, Failed) and not result.answers and result.error.status in ("E_USAGE", "E_KEY")


def _part(error: BaseException | None, own: Answers) -> BaseException:
    """The error of one request: its lines are counted for itself."""
    if not isinstance(error, Failed):
        return error or RuntimeError("an answer is missing")
    said = dict(error.error)
    if "lines_done" in said:
        said["lines_done"] = len(own)
    return type(error)(said, own)


def _settle(results: list[_Result]) -> None:
    for result in results:
        if result.future.done():
            continue  # it was cancelled; what was done stays done
        if result.error is not None:
            result.future.set_exception(result.error)
        else:
            result.future.set_result(result.answers)


class _Watcher(threading.Thread):
    """The one thread that waits for the log to grow, for all who follow it, until it is told to end or cannot: `failed`."""

    def __init__(self, handle: Handle, tell: Callable[[int, BaseException | None], object], loop: asyncio.AbstractEventLoop, seq: int) -> None:
        super().__init__(name="jangbu-follow", daemon=True)
        self.handle, self.tell, self.loop, self.seq = handle, tell, loop, seq

    def run(self) -> None:
        while True:
            failed: BaseException | None = None
            try:
                grown = json.loads(self.handle.ask(query_text("wait", {"after": self.seq, "timeout_us": _WAIT_US}, None)))
                if not grown["more"]:
                    continue
                self.seq = grown["seq"]
            except BaseException as error:  # whoever follows is told, whatever it is
                failed = error
            try:
                self.loop.call_soon_threadsafe(self.tell, self.seq, failed)
            except RuntimeError:
                return  # the loop is closed: nobody follows any more
            if failed is not None:
                return


class _Opening:
    """`await AsyncLedger.open(...)`, or `async with AsyncLedger.open(...) as ledger`."""

    def __init__(self, directory: str | os.PathLike[str], options: Mapping[str, Any], readers: int) -> None:
        self._directory, self._options, self._readers = directory, options, readers
        self._ledger: AsyncLedger | None = None

    async def _open(self) -> AsyncLedger:
        loop = asyncio.get_running_loop()
        handle = await loop.run_in_executor(None, Handle, self._directory, self._options)
        return AsyncLedger(handle, loop, self._readers, os.fspath(self._directory))

    def __await__(self) -> Generator[Any, None, AsyncLedger]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncLedger:
        self._ledger = await self._open()
        return self._ledger

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._ledger is not None:
            await self._ledger.close()


class AsyncLedger(Commands[Coroutine[Any, Any, a.Done]], AsyncQueries):
    """A ledger in one event loop: the methods of Ledger, to be awaited.

    One thread submits: it takes whatever tasks have given it meanwhile into one call, so a thousand tasks share one sync of the disk.
    Questions are asked by a pool of threads. A task that is cancelled while it waits takes nothing back: with a key, ask again."""

    def __init__(self, handle: Handle, loop: asyncio.AbstractEventLoop, readers: int, directory: str | bytes) -> None:
        """Not to be called: `AsyncLedger.open` and `AsyncLedger.init` make one."""
        self._handle, self._loop, self.directory = handle, loop, directory
        self._submitter = _Submitter(handle, loop)
        self._submitter.start()
        self._readers = ThreadPoolExecutor(readers, "jangbu-ask")
        self._watcher: _Watcher | None = None
        self._grown: set[asyncio.Future[None]] = set()
        self._seq, self._ended, self._closing = 0, False, False

    @classmethod
    def open(cls, directory: str | os.PathLike[str], *, read_only: bool = False, caller: str | None = None, lock_wait_us: int | None = None,
             accept_rollback: bool = False, accept_clock: bool = False, lang: Lang | None = None, key_file: str | None = None,
             readers: int = 4) -> _Opening:
        """As `Ledger.open`, to be awaited or entered. `readers`: threads that ask."""
        return _Opening(directory, open_options(
            init=None, read_only=read_only, caller=caller, lock_wait_us=lock_wait_us, accept_rollback=accept_rollback,
            accept_clock=accept_clock, lang=lang, key_file=key_file), readers)

    @classmethod
    def init(cls, directory: str | os.PathLike[str], *, currency: str | None = None, exponent: int | None = None, utc_offset: str | None = None,
             key_file: str | None = None, caller: str | None = None, lock_wait_us: int | None = None, accept_clock: bool = False,
             lang: Lang | None = None, readers: int = 4) -> _Opening:
        """As `Ledger.init`, to be awaited or entered."""
        return _Opening(directory, open_options(
            init={"currency": currency, "exponent": exponent, "utc_offset": utc_offset, "key_file": key_file},
            caller=caller, lock_wait_us=lock_wait_us, accept_clock=accept_clock, lang=lang), readers)

    def _look(self) -> None:
        self._handle.look()
        if self._closing:
            raise Closed({"status": "E_USAGE", "message": say("closed", self._handle.lang)})
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError(say("other_loop", self._handle.lang))

    # ---- commands

    def _command(self, op: str, members: Mapping[str, Any]) -> Coroutine[Any, Any, a.Done]:
        return self.submit({"op": op, **{k: v for k, v in members.items() if v is not None}})

    @overload
    async def submit(self, commands: Mapping[str, Any], *, dry_run: bool = False, clock: Literal["system", "at"] | None = None,
                     caller: str | None = None, accept_clock: bool = False, lang: Lang | None = None) -> a.Done: ...

    @overload
    async def submit(self, commands: Iterable[Mapping[str, Any]], *, dry_run: bool = False, clock: Literal["system", "at"] | None = None,
                     caller: str | None = None, accept_clock: bool = False, lang: Lang | None = None) -> Answers: ...

    async def submit(self, commands: Any, *, dry_run: bool = False, clock: Literal["system", "at"] | None = None, caller: str | None = None,
                     accept_clock: bool = False, lang: Lang | None = None) -> a.Done | Answers:
        """As `Ledger.submit`; what other tasks submit meanwhile shares its commit."""
        self._look()
        options = options_text({"dry_run": dry_run, "clock": clock, "caller": caller, "accept_clock": accept_clock, "lang": lang}, self._handle.lang)
        one = isinstance(commands, Mapping)
        lines, n = command_lines([commands] if one else commands, self._handle.lang)
        if n == 0:
            return []
        request = _Request(lines, n, options, self._loop.create_future())
        self._submitter.put(request)
        found = await request.future
        return outcome(found[0]) if one else found

    async def apply(self, lines: str | bytes, **options: Any) -> str:
        """As `Ledger.apply`."""
        self._look()
        text = options_text(options, self._handle.lang)
        given = lines.encode("utf-8") if isinstance(lines, str) else lines
        return await self._loop.run_in_executor(self._readers, self._handle.apply, given, text)

    # ---- queries

    async def _asked(self, query: bytes) -> str:
        return await self._loop.run_in_executor(self._readers, self._handle.ask, query)

    async def _one(self, answer: type[A], ask: str, members: Mapping[str, Any]) -> A:
        self._look()
        return answer(json.loads(await self._asked(query_text(ask, members, self._handle.lang))))

    async def _list(self, answer: type[A], ask: str, members: Mapping[str, Any]) -> list[A]:
        self._look()
        return [answer(found) for found in objects(await self._asked(query_text(ask, members, self._handle.lang)))]

    def _pages(self, page: type[P], rows: str, ask: str, members: Mapping[str, Any]) -> AsyncPages[P, Any]:
        self._look()
        query_text(ask, members, self._handle.lang)

        async def asked(cursor: str | None) -> P:
            more = members if cursor is None else {**members, "cursor": cursor, "as_of": None}
            return await self._one(page, ask, more)
        return AsyncPages(rows, asked)

    @property
    def ledger_info(self) -> a.Info:
        """What never changes about the ledger, as it was when it was opened."""
        return self._handle.info

    async def follow(self, after: int | None = None, *, cursor: str | None = None, wallet: str | None = None,
                     people: bool | None = None) -> AsyncIterator[a.FeedEvent]:
        """As `Ledger.follow`. However many follow, one thread waits. `close` and `stop_following` end it."""
        if cursor is None:
            after = (await self.head()).seq if after is None else after
        while not self._closing and not self._ended:
            try:
                page = await self.feed(after=after, cursor=cursor, wallet=wallet, people=people, limit=_PAGE)
            except Closed:
                return
            for event in page.rows:
                yield event
            after, cursor = None, page.next
            if not page.more:
                await self._more(page.through)

    async def _more(self, seq: int) -> None:
        """Returns when the log is longer, or nobody waits any more."""
        if self._watcher is None:
            self._seq = max(self._seq, seq)
            self._watcher = _Watcher(self._handle, self._tell, self._loop, self._seq)
            self._watcher.start()
        while self._seq <= seq and not self._closing and not self._ended:
            grown: asyncio.Future[None] = self._loop.create_future()
            self._grown.add(grown)
            try:
                await grown
            finally:
                self._grown.discard(grown)

    def _tell(self, seq: int, failed: BaseException | None) -> None:
        """From the watcher. Where it has failed, all who wait are told; who follows after that begins another one."""
        self._seq = max(self._seq, seq)
        if failed is not None:
            self._watcher = None
            if isinstance(failed, Usage):  # no more waits: stop_following, or close
                self._ended, failed = True, None
        self._wake(failed)

    def _wake(self, failed: BaseException | None = None) -> None:
        for grown in self._grown:
            if grown.done():
                continue
            if failed is not None:
                grown.set_exception(type(failed)(dict(failed.error)) if isinstance(failed, Failed) else failed)
            else:
                grown.set_result(None)

    def stop_following(self) -> None:
        """Ends every `follow` of this ledger, those that begin later, too."""
        with self._handle:
            self._handle.library.wait_end(self._handle.c)
        self._ended = True
        self._wake()

    # ---- the end

    @property
    def closed(self) -> bool:
        return self._closing or not self._handle.open

    async def close(self) -> None:
        """What was submitted is carried out, questions that run are answered, who follows is ended. More than once is allowed."""
        if self._closing:
            return
        self._closing = True
        self._wake()
        await self._loop.run_in_executor(None, self._end)

    def _end(self) -> None:
        watcher = self._watcher
        self._submitter.end()
        self._submitter.join()
        try:
            with self._handle:
                self._handle.library.wait_end(self._handle.c)  # who waits is no question that will be answered
        except Usage:
            return  # of a forked child: it is the parent's
        self._readers.shutdown(wait=True)  # what was asked before is answered
        self._handle.close()
        if watcher is not None:
            watcher.join()

    async def __aenter__(self) -> AsyncLedger:
        self._look()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<jangbu.AsyncLedger {self.directory!r}{' closed' if self.closed else ''}>"

