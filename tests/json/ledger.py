"""libjangbu-json in Python: what a binding has to write, and no more."""
import ctypes
import json

HANDLE, TEXT, SIZE = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t


LINES = ("cash_day", "log")  # those whose answer is "lines", in the table of docs/json.md


class Failed(Exception):
    """The call did not work. `error` is what it says; `answers` are those of the lines that are done."""

    def __init__(self, status, error, answers):
        super().__init__(error["message"])
        self.status, self.error, self.answers = status, error, answers


class Library:
    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        self.c.jb_json_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(HANDLE), ctypes.POINTER(TEXT)]
        self.c.jb_json_apply.argtypes = [HANDLE, ctypes.c_char_p, SIZE, ctypes.c_char_p, ctypes.POINTER(TEXT), ctypes.POINTER(SIZE)]
        self.c.jb_json_ask.argtypes = [HANDLE, ctypes.c_char_p, SIZE, ctypes.POINTER(TEXT), ctypes.POINTER(SIZE)]
        self.c.jb_json_close.argtypes = [HANDLE]
        self.c.jb_json_close.restype = HANDLE
        self.c.jb_json_text_free.argtypes = [TEXT]
        self.c.jb_json_text_free.restype = None

    def text(self, status, pointer, size=None):
        """The text of a call, given back; Failed where it says so."""
        raw = ctypes.string_at(pointer.value)
        assert size is None or len(raw) == size.value, (raw, size)
        self.c.jb_json_text_free(pointer)
        text = raw.decode("utf-8")
        assert text == "" or text.endswith("\n"), text
        if status == 0:
            return text
        lines = text.splitlines()
        raise Failed(status, json.loads(lines[-1])["error"], [json.loads(line) for line in lines[:-1]])


def encoded(what):
    """Bytes and None as they are; anything else as JSON."""
    return what if what is None or isinstance(what, bytes) else json.dumps(what, ensure_ascii=False).encode()


class Ledger:
    def __init__(self, library, directory, options=None):
        self.library, self.handle = library, HANDLE()
        text = TEXT()
        status = library.c.jb_json_open(directory.encode(), encoded(options), ctypes.byref(self.handle), ctypes.byref(text))
        self.info = json.loads(library.text(status, text))

    def apply_text(self, lines, options=None):
        text, size = TEXT(), SIZE()
        status = self.library.c.jb_json_apply(self.handle, lines, len(lines), encoded(options), ctypes.byref(text), ctypes.byref(size))
        return self.library.text(status, text, size)

    def ask_text(self, query):
        text, size, query = TEXT(), SIZE(), encoded(query)
        status = self.library.c.jb_json_ask(self.handle, query, len(query), ctypes.byref(text), ctypes.byref(size))
        return self.library.text(status, text, size)

    def apply(self, *commands, **options):
        lines = b"".join(encoded(c) + b"\n" for c in commands)
        return [json.loads(line) for line in self.apply_text(lines, options or None).splitlines()]

    def ask(self, what, **members):
        """The answer, or a list of them where it is one of lines."""
        text = self.ask_text({"ask": what, **members})
        return [json.loads(line) for line in text.splitlines()] if what in LINES else json.loads(text)

    def close(self):
        self.handle = HANDLE(self.library.c.jb_json_close(self.handle))
