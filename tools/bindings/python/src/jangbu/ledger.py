"""A ledger, for programs with or without threads."""
from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

from . import answers as a
from ._answer import Answer
from ._library import Library, library
from ._made import Commands, Queries
from ._pages import Pages
from ._say import say
from ._text import command_lines, options_text, path_bytes, query_text
from .errors import Closed, Forked, Refused, Usage, failed

A = TypeVar("A", bound=Answer)
P = TypeVar("P", bound=Answer)
Lang = Literal["en", "ko"]
_PAGE = 1000
_SLICE_US = 250_000  # how long one call waits: in between, signals are heard


def objects(text: str) -> list[dict[str, Any]]:
    """The objects of a text that has one in each line; a newline stands nowhere else in it."""
    found: list[dict[str, Any]] = json.loads("[" + text[:-1].replace("\n", ",") + "]")
    return found


def answered(found: Mapping[str, Any]) -> a.Done | a.Refusal:
    return a.Done(found) if found["ok"] else a.Refusal(found)


def outcome(answer: a.Done | a.Refusal) -> a.Done:
    if isinstance(answer, a.Refusal):
        raise Refused(answer)
    return answer


def open_options(*, init: Mapping[str, Any] | None, **options: Any) -> dict[str, Any]:
    if init is not None:
        options["init"] = {k: v for k, v in init.items() if v is not None}
    return options


class Handle:
    """The handle of libjangbu-json: how many calls use it, so that it is closed when none does, and by which process it was opened."""

    def __init__(self, directory: str | os.PathLike[str], options: Mapping[str, Any]) -> None:
        self.lang: str | None = options["lang"] if options.get("lang") in ("en", "ko") else None
        path, text = path_bytes(directory, self.lang), options_text(options, self.lang) or b"{}"
        self.library: Library = library(self.lang)
        self.opener = os.getpid()
        self.calls, self.open, self.free, self.inside = 0, True, threading.Condition(), threading.local()
        status, self.c, said = self.library.open(path, text)
        if status != 0:
            self.open = False
            raise failed(json.loads(said)["error"])
        self.info = a.Info(json.loads(said))

    def look(self) -> None:
        """Closed, or Forked, where nothing can be asked any more."""
        if os.getpid() != self.opener:
            raise Forked({"status": "E_USAGE", "message": say("forked", self.lang, opener=self.opener)})
        if not self.open:
            raise Closed({"status": "E_USAGE", "message": say("closed", self.lang)})

    def __enter__(self) -> Handle:
        self.look()  # before the lock, which a forked child may never get
        self.inside.calls = getattr(self.inside, "calls", 0) + 1  # before the others: a signal may come between any two
        try:
            with self.free:
                self.look()
                self.calls += 1
        except BaseException:
            self.inside.calls -= 1
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self.free:
            self.calls -= 1
            if not self.open:
                self.free.notify_all()
        self.inside.calls -= 1

    def apply(self, lines: bytes, options: bytes | None) -> str:
        """The answers as text. Failed has those that are final."""
        with self:
            status, text = self.library.apply(self.c, lines, options)
        if status != 0:
            found = objects(text)
            raise failed(found[-1]["error"], [answered(f) for f in found[:-1]])
        return text

    def ask(self, query: bytes) -> str:
        with self:
            status, text = self.library.ask(self.c, query)
        if status != 0:
            raise failed(json.loads(text)["error"])
        return text

    def close(self) -> None:
        """Ends those who wait, lets the calls that run come to their end, and closes. In a forked child it does nothing."""
        if os.getpid() != self.opener:
            return
        if self.open and getattr(self.inside, "calls", 0) > 0:  # a signal's handler would wait for the call that it interrupts
            raise RuntimeError(say("inside", self.lang))
        with self.free:
            if not self.open:
                return
            self.open = False
            self.library.wait_end(self.c)
            while self.calls > 0:
                self.free.wait()
        self.library.close(self.c)


class Ledger(Commands[a.Done], Queries):
    """A ledger, open. One for all threads; not for a process that was forked from this one.

    A method for each op, with its members as keywords: it is done when it returns, or raises `Refused` with the rules' code, or `Failed`
    with the machine's status. A method for each query. `submit` takes commands as mappings, one or many in one commit."""

    def __init__(self, directory: str | os.PathLike[str], *, read_only: bool = False, caller: str | None = None,
                 lock_wait_us: int | None = None, accept_rollback: bool = False, accept_clock: bool = False, lang: Lang | None = None,
                 key_file: str | None = None, init: Mapping[str, Any] | None = None) -> None:
        """As `open`; `init` makes the ledger first, with the options of `Ledger.init` that it holds."""
        self._handle = Handle(directory, open_options(
            init=init, read_only=read_only, caller=caller, lock_wait_us=lock_wait_us, accept_rollback=accept_rollback,
            accept_clock=accept_clock, lang=lang, key_file=key_file))
        self.directory = os.fspath(directory)

    @classmethod
    def open(cls, directory: str | os.PathLike[str], *, read_only: bool = False, caller: str | None = None, lock_wait_us: int | None = None,
             accept_rollback: bool = False, accept_clock: bool = False, lang: Lang | None = None, key_file: str | None = None) -> Ledger:
        """Opens the ledger in a directory. `caller`: scope of keys. `lang`: of sentences, also of the errors. docs/json.md, Options."""
        return cls(directory, read_only=read_only, caller=caller, lock_wait_us=lock_wait_us, accept_rollback=accept_rollback,
                   accept_clock=accept_clock, lang=lang, key_file=key_file)

    @classmethod
    def init(cls, directory: str | os.PathLike[str], *, currency: str | None = None, exponent: int | None = None, utc_offset: str | None = None,
             key_file: str | None = None, caller: str | None = None, lock_wait_us: int | None = None, accept_clock: bool = False,
             lang: Lang | None = None) -> Ledger:
        """Makes a ledger and opens it. `key_file`: personal texts are sealed with a key that is made there."""
        return cls(directory, caller=caller, lock_wait_us=lock_wait_us, accept_clock=accept_clock, lang=lang,
                   init={"currency": currency, "exponent": exponent, "utc_offset": utc_offset, "key_file": key_file})

    # ---- commands

    def _command(self, op: str, members: Mapping[str, Any]) -> a.Done:
        return self.submit({"op": op, **{k: v for k, v in members.items() if v is not None}})

    @overload
    def submit(self, commands: Mapping[str, Any], *, dry_run: bool = False, clock: Literal["system", "at"] | None = None,
               caller: str | None = None, accept_clock: bool = False, lang: Lang | None = None) -> a.Done: ...

    @overload
    def submit(self, commands: Iterable[Mapping[str, Any]], *, dry_run: bool = False, clock: Literal["system", "at"] | None = None,
               caller: str | None = None, accept_clock: bool = False, lang: Lang | None = None) -> list[a.Done | a.Refusal]: ...

    def submit(self, commands: Any, *, dry_run: bool = False, clock: Literal["system", "at"] | None = None, caller: str | None = None,
               accept_clock: bool = False, lang: Lang | None = None) -> a.Done | list[a.Done | a.Refusal]:
        """Carries commands out: what is answered is on disk.

        One command (a mapping): its answer, or Refused. Several (an iterable of mappings): a list of answers in their order, `Done` or
        `Refusal`; `ok` tells which. They are independent (`atomic` is for those that are not), and share commits."""
        self._handle.look()
        options = options_text({"dry_run": dry_run, "clock": clock, "caller": caller, "accept_clock": accept_clock, "lang": lang}, self._handle.lang)
        one = isinstance(commands, Mapping)
        lines, n = command_lines([commands] if one else commands, self._handle.lang)
        found = [answered(f) for f in objects(self._handle.apply(lines, options))] if n > 0 else []
        return outcome(found[0]) if one else found

    def apply(self, lines: str | bytes, **options: Any) -> str:
        """Lines in, lines out, as `jangbu apply` has them, malformed ones too; options as in docs/json.md."""
        self._handle.look()
        text = options_text(options, self._handle.lang)
        return self._handle.apply(lines.encode("utf-8") if isinstance(lines, str) else lines, text)

    # ---- queries

    def _one(self, answer: type[A], ask: str, members: Mapping[str, Any]) -> A:
        self._handle.look()
        return answer(json.loads(self._handle.ask(query_text(ask, members, self._handle.lang))))

    def _list(self, answer: type[A], ask: str, members: Mapping[str, Any]) -> list[A]:
        self._handle.look()
        return [answer(found) for found in objects(self._handle.ask(query_text(ask, members, self._handle.lang)))]

    def _pages(self, page: type[P], rows: str, ask: str, members: Mapping[str, Any]) -> Pages[P, Any]:
        self._handle.look()
        query_text(ask, members, self._handle.lang)  # what is wrong with it is said here, not at the first row

        def asked(cursor: str | None) -> P:
            more = members if cursor is None else {**members, "cursor": cursor, "as_of": None}
            return self._one(page, ask, more)
        return Pages(rows, asked)

    @property
    def ledger_info(self) -> a.Info:
        """What never changes about the ledger, as it was when it was opened."""
        return self._handle.info

    def follow(self, after: int | None = None, *, cursor: str | None = None, wallet: str | None = None,
               people: bool | None = None) -> Iterator[a.FeedEvent]:
        """Every event behind number `after` (0: from the beginning; None: those that come from now on) or behind the `cursor` of an event
        that it gave before, in order, with its effect and the balance after it, as long as the ledger is open: it waits for the next.
        `stop_following`, or `close`, from another thread ends it."""
        if cursor is None:
            after = self.head().seq if after is None else after
        return self._follow(self.feed(after=after, cursor=cursor, wallet=wallet, people=people, limit=_PAGE), wallet, people)

    def _follow(self, page: a.Feed, wallet: str | None, people: bool | None) -> Iterator[a.FeedEvent]:
        while True:
            yield from page.rows
            try:
                if not page.more:
                    self.wait(after=page.through, timeout_us=_SLICE_US)
                page = self.feed(cursor=page.next, wallet=wallet, people=people, limit=_PAGE)
            except Usage:
                if self._ended or not self._handle.open:
                    return
                raise

    _ended = False

    def stop_following(self) -> None:
        """Ends every `follow` and `wait` of this ledger, those that begin later, too. All other calls go on."""
        with self._handle:
            self._ended = True
            self._handle.library.wait_end(self._handle.c)

    # ---- the end

    @property
    def closed(self) -> bool:
        return not self._handle.open

    def close(self) -> None:
        """Ends those who wait, lets calls of other threads come to their end, and closes. More than once is allowed. Within a call of the
        same thread (in a signal's handler) it is a RuntimeError: there `stop_following` ends who waits."""
        self._handle.close()

    def __enter__(self) -> Ledger:
        self._handle.look()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        # While the interpreter ends, threads may stand inside a call for ever: nothing is waited for. Nothing is lost by that.
        handle: Handle | None = self.__dict__.get("_handle")
        if handle is not None and handle.open and not sys.is_finalizing() and os.getpid() == handle.opener:
            warnings.warn(f"a ledger was not closed: {self.directory!r}", ResourceWarning, source=self, stacklevel=2)
            handle.close()

    def __repr__(self) -> str:
        return f"<jangbu.Ledger {self.directory!r}{' closed' if self.closed else ''}>"

    def __reduce__(self) -> Any:
        raise TypeError("a ledger cannot be pickled: open it where it is used")

