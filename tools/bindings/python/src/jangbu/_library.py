"""libjangbu-json by ctypes: its calls take one text and give one text back, so there is nothing else to marshal."""
from __future__ import annotations

import ctypes
import os
import pathlib
import sys
import threading

from ._say import say
from .errors import LibraryNotFound

SONAME = "libjangbu-json.so.0"
_TEXT = ctypes.POINTER(ctypes.c_void_p)
_SIZE = ctypes.POINTER(ctypes.c_size_t)
_CALLS: dict[str, tuple[object, list[object]]] = {
    "jb_json_open": (ctypes.c_int, [ctypes.c_char_p, ctypes.c_char_p, _TEXT, _TEXT]),
    "jb_json_apply": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, _TEXT, _SIZE]),
    "jb_json_ask": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, _TEXT, _SIZE]),
    "jb_json_wait_end": (None, [ctypes.c_void_p]),
    "jb_json_close": (ctypes.c_void_p, [ctypes.c_void_p]),
    "jb_json_text_free": (None, [ctypes.c_void_p]),
}


class Library:
    """The calls, each of which leaves the interpreter to other threads while it runs."""

    def __init__(self, c: ctypes.CDLL, path: str, lang: str | None) -> None:
        self.path = path
        for name, (result, arguments) in _CALLS.items():
            try:
                function = getattr(c, name)
            except AttributeError:
                raise LibraryNotFound(say("symbols", lang, path=path, name=name)) from None
            function.restype, function.argtypes = result, arguments
        self._open, self._apply, self._ask = c.jb_json_open, c.jb_json_apply, c.jb_json_ask
        self.wait_end, self.close, self._free = c.jb_json_wait_end, c.jb_json_close, c.jb_json_text_free

    def _taken(self, text: ctypes.c_void_p, size: int = -1) -> str:
        """The text of a call, which is given back."""
        if not text.value:
            return ""
        try:
            return ctypes.string_at(text.value, size).decode("utf-8")
        finally:
            self._free(text)

    def open(self, directory: bytes, options: bytes) -> tuple[int, ctypes.c_void_p, str]:
        handle, text = ctypes.c_void_p(), ctypes.c_void_p()
        status = self._open(directory, options, ctypes.byref(handle), ctypes.byref(text))
        return status, handle, self._taken(text)

    def apply(self, handle: ctypes.c_void_p, lines: bytes, options: bytes | None) -> tuple[int, str]:
        text, size = ctypes.c_void_p(), ctypes.c_size_t()
        status = self._apply(handle, lines, len(lines), options, ctypes.byref(text), ctypes.byref(size))
        return status, self._taken(text, size.value)

    def ask(self, handle: ctypes.c_void_p, query: bytes) -> tuple[int, str]:
        text, size = ctypes.c_void_p(), ctypes.c_size_t()
        status = self._ask(handle, query, len(query), ctypes.byref(text), ctypes.byref(size))
        return status, self._taken(text, size.value)


_loaded: dict[str, Library] = {}
_loading = threading.Lock()


def _places() -> list[str]:
    """Where it is looked for: JANGBU_LIBRARY alone, or beside this package, as the loader finds it, and where `cmake --install` puts it."""
    said = os.environ.get("JANGBU_LIBRARY")
    if said:
        return [os.path.join(said, SONAME) if os.path.isdir(said) else said]
    beside = pathlib.Path(__file__).resolve().parent / SONAME
    prefixes = [p for p in (sys.prefix + "/lib", "/usr/local/lib") if os.path.exists(os.path.join(p, SONAME))]
    return [*([str(beside)] if beside.exists() else []), SONAME, *(os.path.join(p, SONAME) for p in prefixes)]


def library(lang: str | None = None) -> Library:
    """libjangbu-json, loaded when it is first asked for; once loaded it stays."""
    with _loading:
        why = ""
        for place in _places():
            found = _loaded.get(place)
            if found is not None:
                return found
            try:
                c = ctypes.CDLL(place)
            except OSError as error:
                why = why or str(error)
                continue
            found = _loaded[place] = Library(c, place, lang)
            return found
        raise LibraryNotFound(say("library", lang, soname=SONAME, why=why))
