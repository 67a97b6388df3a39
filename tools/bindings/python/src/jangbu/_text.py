"""Commands, queries and options as JSON text. Whatever no ledger could take is said here, by name, before anything is done: a float
(money is an int), NaN, an int beyond 64 bits, a text that is none, a time without an offset."""
from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from ._made import COMMAND_KINDS, QUERY_KINDS
from ._say import say, want

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False).encode
_LIMIT = 1 << 63
# Which types each kind of member takes as they are.
_EXACT: dict[str, tuple[type, ...]] = {
    "text": (str,), "int": (int,), "bool": (bool,), "day": (str,), "instant": (str,), "when": (int, str), "actor": (), "value": (int, str),
    "list": ()}
_COMMAND_TYPES = {name: _EXACT[kind] for name, kind in COMMAND_KINDS.items()}
_DEEPEST = 100


def _bad(error: type[Exception], what: str, lang: str | None, member: str, given: object = "", **figures: object) -> Exception:
    return error(say(what, lang, member=member, given=given, **figures))


def _shown(value: object) -> str:
    shown = repr(value)
    return f"{type(value).__name__} {shown if len(shown) <= 60 else shown[:57] + '...'}"


def _free(value: Any, path: str, lang: str | None, depth: int = 0) -> Any:
    """A value of which nothing is known but that it will be JSON."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -_LIMIT <= value < _LIMIT:
            raise _bad(ValueError, "range", lang, path)
        return int(value)
    if isinstance(value, str):
        return _text(value, path, lang)
    if isinstance(value, float):
        raise _bad(TypeError, "float", lang, path, repr(value))
    if depth == _DEEPEST:
        raise _bad(ValueError, "deep", lang, path)
    if isinstance(value, Mapping):
        return {_name(k, lang): _free(v, f"{path}.{k}", lang, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_free(v, f"{path}[{i}]", lang, depth + 1) for i, v in enumerate(value)]
    return _time(value, path, lang, "text")


def _name(name: object, lang: str | None) -> str:
    if not isinstance(name, str):
        raise TypeError(say("name", lang, given=_shown(name)))
    return _text(name, "name", lang)


def _text(value: str, path: str, lang: str | None) -> str:
    if "\0" in value:
        raise _bad(ValueError, "nul", lang, path)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _bad(ValueError, "surrogate", lang, path) from None
    return value


def _time(value: object, path: str, lang: str | None, kind: str) -> str:
    """A day or an instant, where the member takes one."""
    if isinstance(value, datetime) and kind in ("instant", "when", "text"):
        if value.utcoffset() is None:
            raise _bad(ValueError, "naive", lang, path, value.isoformat())
        return value.isoformat()
    if isinstance(value, date) and not isinstance(value, datetime) and kind in ("day", "when", "text"):
        return value.isoformat()
    if isinstance(value, float):
        raise _bad(TypeError, "float", lang, path, repr(value))
    raise _bad(TypeError, "type", lang, path, _shown(value), want=want(kind, lang or "en"))


def _known(kind: str, value: Any, path: str, lang: str | None) -> Any:
    """A value of a member of that kind."""
    exact = _EXACT[kind]
    if isinstance(value, exact) and (not isinstance(value, bool) or bool in exact):
        return _free(value, path, lang)
    if kind == "actor" and isinstance(value, Mapping):
        return {_name(k, lang): _known("text", v, f"{path}.{k}", lang) for k, v in value.items()}
    if kind == "list" and isinstance(value, (list, tuple, set, frozenset)):
        return [_free(v, f"{path}[{i}]", lang) for i, v in enumerate(value)]
    return _time(value, path, lang, kind)


def _command(command: object, path: str, lang: str | None, depth: int = 0) -> dict[str, Any]:
    if not isinstance(command, Mapping):
        raise TypeError(say("mapping", lang, given=_shown(command)))
    if type(command.get("op")) is not str:
        raise TypeError(say("op", lang))
    made: dict[str, Any] = {}
    for name, value in command.items():
        where = f"{path}{name}"
        if name == "commands":
            if not isinstance(value, (list, tuple)):
                raise _bad(TypeError, "type", lang, where, _shown(value), want=want("list", lang or "en"))
            if depth == _DEEPEST:
                raise _bad(ValueError, "deep", lang, where)
            made[name] = [_command(c, f"{where}[{i}].", lang, depth + 1) for i, c in enumerate(value)]
            continue
        kind = COMMAND_KINDS.get(name) if isinstance(name, str) else None
        made[_name(name, lang)] = _free(value, where, lang) if kind is None else _known(kind, value, where, lang)
    return made


def _plain(command: object) -> bool:
    """Whether a command can be written as it is: the common case, looked at quickly."""
    if type(command) is not dict or type(command.get("op")) is not str:
        return False
    for name, value in command.items():
        kind = type(value)
        if kind not in _COMMAND_TYPES.get(name, ()) and name != "op":
            return False
        if kind is int and not -_LIMIT <= value < _LIMIT:
            return False
    return True


def _lines(commands: list[Any]) -> str:
    return "".join([_encode(c) + "\n" for c in commands])


def command_lines(commands: Iterable[object], lang: str | None) -> tuple[bytes, int]:
    """The commands as lines, and how many there are. TypeError or ValueError name the command (from 0) and the member."""
    given = list(commands)
    try:
        if all(map(_plain, given)):
            text = _lines(given)
            if "\\u0000" not in text:
                return text.encode("utf-8"), len(given)
    except UnicodeEncodeError:
        pass  # which of them it is, is found below
    alone = len(given) == 1
    return _lines([_command(c, "" if alone else f"[{i}].", lang) for i, c in enumerate(given)]).encode("utf-8"), len(given)


def query_text(ask: str, members: Mapping[str, Any], lang: str | None) -> bytes:
    query: dict[str, Any] = {"ask": ask}
    for name, value in members.items():
        if value is not None:
            query[name] = _known(QUERY_KINDS[name], value, name, lang)
    return _encode(query).encode("utf-8")


def options_text(options: Mapping[str, Any], lang: str | None) -> bytes | None:
    """Options that are None, or False, are left out."""
    said = {k: _free(v, k, lang) for k, v in options.items() if v is not None and v is not False}
    return _encode(said).encode("utf-8") if said else None


def path_bytes(directory: str | os.PathLike[str], lang: str | None) -> bytes:
    try:
        path = os.fsencode(directory)
    except TypeError:
        raise _bad(TypeError, "type", lang, "directory", _shown(directory), want=want("path", lang or "en")) from None
    if b"\0" in path:
        raise _bad(ValueError, "nul", lang, "directory")
    return path
