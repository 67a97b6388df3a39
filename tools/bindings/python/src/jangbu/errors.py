"""What can go wrong. A refusal is the rules' answer (`Refused`, with a code); an error is the machine's or the program's (`Failed`,
with a status). docs/errors.md has every code and status."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from .answers import Done, Refusal


class JangbuError(Exception):
    """All that this package raises, but for TypeError and ValueError, which are about arguments."""

    message: str

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(JangbuError):
    """The answer is no. `code` says why (docs/errors.md), `refusal` has all that was answered."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.code: str = refusal.code

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.refusal,)


class Failed(JangbuError):
    """The call did not work. `status` is its word, like E_BUSY; `error` all that was said (field, column, os_errno, ...).

    Of commands: `answers` are those of the first ones, which are final, and `lines_done` says how many lines that are; where it is
    None, that is not known. The others are to be submitted again, with the same keys."""

    STATUS: ClassVar[str] = ""

    def __init__(self, error: Mapping[str, Any], answers: Sequence[Done | Refusal] = ()) -> None:
        super().__init__(error["message"])
        self.error = dict(error)
        self.status: str = error["status"]
        self.answers = list(answers)
        self.lines_done: int | None = error.get("lines_done")
        self.field: str | None = error.get("field")

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.error, self.answers)


class Usage(Failed):
    """A query, an option or a call that is wrong: correct the program. Nothing was done."""
    STATUS = "E_USAGE"


class Closed(Usage):
    """The ledger is closed."""


class Forked(Usage):
    """The process was forked after the ledger was opened: open it anew in the child."""


class NoMemory(Failed):
    """No memory: free some, try again with the same key."""
    STATUS = "E_NOMEM"


class InputOutput(Failed):
    """The operating system refused (`error["os_errno"]`): try again with the same key."""
    STATUS = "E_IO"


class Busy(Failed):
    """The writer lock was not free before the deadline: continue or end the process named, try again."""
    STATUS = "E_BUSY"


class Full(Failed):
    """No space on the disk: make room, try again with the same key."""
    STATUS = "E_FULL"


class Corrupt(Failed):
    """The log or a store contradicts itself: `jangbu audit`, restore a backup."""
    STATUS = "E_CORRUPT"


class Format(Failed):
    """Written by a newer version, or not a ledger."""
    STATUS = "E_FORMAT"


class NotFound(Failed):
    """No such ledger, wallet, day or event."""
    STATUS = "E_NOTFOUND"


class ReadOnly(Failed):
    """Opened for reading, or a file system that is."""
    STATUS = "E_READONLY"


class Exists(Failed):
    """There is a ledger already, or the directory is not empty."""
    STATUS = "E_EXISTS"


class RolledBack(Failed):
    """The log was longer once: find the newer log, or `jangbu rebuild --accept-rollback`."""
    STATUS = "E_ROLLBACK"


class Unknown(Failed):
    """A fault while committing: perhaps done. Ask again with the same keys."""
    STATUS = "E_UNKNOWN"


class Stale(Failed):
    """A store is damaged or foreign: stop the others, run `jangbu rebuild`."""
    STATUS = "E_STALE"


class NotClosed(Failed):
    """The day asked for is not closed yet."""
    STATUS = "E_NOT_CLOSED"


class Key(Failed):
    """The key to the personal texts is not there, or cannot be used."""
    STATUS = "E_KEY"


class Device(Failed):
    """The device failed while the ledger was written: restore a backup, or copy the log now."""
    STATUS = "E_DEVICE"


class Engine(Failed):
    """The log is kept by several machines, and this program has no engine for it."""
    STATUS = "E_ENGINE"


class Range(Failed):
    """A sum of the answer is larger than a number of 64 bits; the log is sound: ask about less."""
    STATUS = "E_RANGE"


class LibraryNotFound(JangbuError, OSError):
    """libjangbu-json is not there, or is another one. The sentence says how to get it."""


_BY_STATUS: dict[str, type[Failed]] = {c.STATUS: c for c in (
    Usage, NoMemory, InputOutput, Busy, Full, Corrupt, Format, NotFound, ReadOnly, Exists, RolledBack, Unknown, Stale, NotClosed, Key,
    Device, Engine, Range)}


def failed(error: Mapping[str, Any], answers: Sequence[Done | Refusal] = ()) -> Failed:
    return _BY_STATUS.get(error["status"], Failed)(error, answers)
