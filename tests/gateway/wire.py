#!/usr/bin/python3
"""What comes over a wire: framings that hide a request in another, heads and bodies that come slowly, are cut, doubled, or stand in
one packet. There is one answer to each request, none to what is none, and the daemon lives.

usage: wire.py JANGBU JANGBUD [--seed N]"""
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from served import Served, check, checks

JANGBU, JANGBUD = sys.argv[1:3]
SEED = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 20261127
HEAD_S, BODY_S, IDLE_S = 0.6, 0.9, 1.2
FLAGS = ["--head-time", f"{int(HEAD_S * 1000)}ms", "--body-time", f"{int(BODY_S * 1000)}ms", "--idle-time", f"{int(IDLE_S * 1000)}ms"]


class Wire:
    """A socket of which every byte is ours."""

    def __init__(self, served, unix=False, timeout=5):
        self.socket = socket.socket(socket.AF_UNIX if unix else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(served.unix if unix else served.address)

    def send(self, data):
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def rest(self, timeout=5):
        """All that comes until the other side ends, or None for the end where it does not."""
        got = b""
        self.socket.settimeout(timeout)
        try:
            while True:
                part = self.socket.recv(65536)
                if not part:
                    return got, True
                got += part
        except ConnectionResetError:
            return got, True
        except (TimeoutError, socket.timeout):
            return got, False

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def answers(data):
    """Status and body of each answer; raises where something is none."""
    found = []
    while data:
        head, blank, data = data.partition(b"\r\n\r\n")
        line = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        if not blank or line is None:
            raise ValueError(f"no answer: {head[:100]!r}")
        if line.group(1) == b"100":
            found.append((100, b""))
            continue
        length = re.search(rb"\r\nContent-Length: (\d+)", head, re.I)
        n = int(length.group(1)) if length else 0
        found.append((int(line.group(1)), data[:n]))
        data = data[n:]
    return found


def statuses(data):
    return [status for status, _ in answers(data)]


PING = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
POST = b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"

# Refused: whatever stands behind them is no request.
BAD = {
    "Content-Length twice": POST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
    "Content-Length twice, the same": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "Content-Length twice, 0 first": POST + b"Content-Length: 0\r\nContent-Length: 34\r\n\r\n",
    "Content-Length as a list": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "Content-Length of a GET, twice": b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
    "Content-Length and Transfer-Encoding": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding and Content-Length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding unknown": POST + b"Transfer-Encoding: gzip\r\n\r\n",
    "Transfer-Encoding: identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "Transfer-Encoding as a list": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding chunked twice in one": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding nearly chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding with a control character": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding in HTTP/1.0": b"POST /v1/commands HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a value that goes on": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
    "a value that goes on with a tab": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\r\n\tb\r\n\r\n",
    "a length that goes on": POST + b"Content-Length: 1\r\n 0\r\n\r\n0123456789",
    "a length behind a line that goes on": POST + b"X-A: a\r\n Content-Length: 10\r\n\r\n",
    "an encoding that goes on": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare LF behind the request line": b"GET /healthz HTTP/1.1\nHost: x\r\n\r\n",
    "bare LF behind a header": b"GET /healthz HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n",
    "bare LF, an empty line of it": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\n",
    "bare LF all over": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a length behind a bare CR": POST + b"X-A: a\rContent-Length: 10\r\n\r\n",
    "no Host": b"GET /healthz HTTP/1.1\r\nX-A: b\r\n\r\n",
    "no header at all": b"GET /healthz HTTP/1.1\r\n\r\n",
    "Host twice": b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "space before the colon": POST + b"Content-Length : 5\r\n\r\nhello",
    "tab before the colon": POST + b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "space before a name": b"GET /healthz HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n",
    "no colon": b"GET /healthz HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n",
    "an empty name": b"GET /healthz HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
    "a name that is none": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX(A): y\r\n\r\n",
    "a NUL in a value": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
    "a NUL in a name": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX\x00A: b\r\n\r\n",
    "a length that is negative": POST + b"Content-Length: -5\r\n\r\nhello",
    "a length with a plus": POST + b"Content-Length: +5\r\n\r\nhello",
    "a length that is empty": POST + b"Content-Length: \r\n\r\n",
    "a length in hex": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "a length of 20 digits": POST + b"Content-Length: 99999999999999999999\r\n\r\nhello",
    "a length of 2^64": POST + b"Content-Length: 18446744073709551616\r\n\r\nhello",
    "a chunk that is larger than 2^64": POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
    "a chunk of 2^64 + 5": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    "a chunk that is negative": POST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk without a number": POST + b"Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
    "a chunk that is longer than it says": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    "a version that is none": b"GET /healthz HTTP/1.x\r\nHost: x\r\n\r\n",
    "a blank in the target": b"GET /healthz /x HTTP/1.1\r\nHost: x\r\n\r\n",
    "two blanks before the target": b"GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "two blanks behind the target": b"GET /healthz  HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tab behind the target": b"GET /healthz\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in the target": b"GET /healthz\x00/x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in the query": b"GET /healthz?a=\x00b HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in the method": b"GET\x00X /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a control character in the target": b"GET /healthz?a=\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "DEL in the target": b"GET /healthz?a=\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
}

# More than there is room for, in heads that are no larger than is allowed: one answer, of 431 (400 for parameters that are too many).
MANY = {
    **{f"{n} cookies": b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: " + b"a=b; " * n + b"\r\n\r\n" for n in (150, 200, 250, 300, 600, 1200, 1600)},
    **{f"{n} headers with cookies": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"Cookie: a=b\r\n" * n + b"\r\n" for n in (60, 100, 150, 200, 400, 600)},
    **{f"{n} headers": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * n + b"\r\n" for n in (150, 200, 250, 600, 1300)},
    **{f"{n} parameters": b"GET /healthz?" + b"a&" * n + b" HTTP/1.1\r\nHost: x\r\n\r\n" for n in (150, 200, 250, 600, 3000)},
    **{f"a cookie of {n} bytes": b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: a=" + b"b" * n + b"\r\n\r\n" for n in (4000, 6000, 7000, 8000)},
    "a target of 7,000 bytes, and cookies": b"GET /healthz?a=" + b"b" * 7000 + b" HTTP/1.1\r\nHost: x\r\nCookie: " + b"a=b; " * 190 + b"\r\n\r\n",
}


def framings(s):
    """One answer at most, of 4xx (505 for a version), and the end."""
    for name, data in BAD.items():
        w = Wire(s)
        w.send(data + HIDDEN + LAST)
        got, closed = w.rest(3)
        w.close()
        try:
            found = statuses(got)
        except ValueError as e:
            found = str(e)
        check(name, closed and found in ([400], [413], [505], []), (found, closed, got[:200]))
        # What hangs in the air is told nothing; where it can be told, it is.
        silent = name in ("a version that is none", "a blank in the target", "two blanks behind the target", "a NUL in the method") or "chunk" in name
        check(name + ": told", silent or found != [], got)


def many(s):
    for name, data in MANY.items():
        w = Wire(s)
        w.send(data + LAST)
        got, closed = w.rest(3)
        w.close()
        try:
            found = statuses(got)
        except ValueError as e:
            found = str(e)
        check(name, closed and found in ([431], [200, 200], [400, 200]), (found, closed, got[:200]))


# Taken: as many answers as there are requests. Behind chunks there is no other.
GOOD = {
    "chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1),
    "chunks in capitals": (POST + b"TRANSFER-ENCODING: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1),
    "chunk extensions": (POST + b"Transfer-Encoding: chunked\r\n\r\n5;a=b;c\r\nhello\r\n0;d\r\n\r\n", 1),
    "a trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: b\r\n\r\n", 1),
    "chunks with bare LF": (POST + b"Transfer-Encoding: chunked\r\n\r\n5;a\nhello\n0\nX: y\n\n", 1),
    "a request behind a trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\n\r\n\r\n" + HIDDEN, 1),
    "a request in a body": (POST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 1),
    "a request in a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n", 1),
    "a body of a GET": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 1),
    "empty lines before it": (b"\r\n\r\n" + PING, 1),
    "no blank behind the colon": (b"GET /healthz HTTP/1.1\r\nHost:x\r\nX-A:\r\n\r\n", 1),
    "many blanks behind the colon": (b"GET /healthz HTTP/1.1\r\nHost: \t  x\r\n\r\n", 1),
    "bytes above 127": ("GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: 월렛\r\n\r\n".encode(), 1),
    "a hundred headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(100)) + b"\r\n", 1),
    "cookies": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: a=b; c=\"d\"\r\nCookie: e\r\n\r\n", 1),
    "a proxy's form": (b"GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 1),
    "HEAD": (b"HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 1),
    "doubled": (PING * 2, 2),
    "pipelined": (PING * 50, 50),
}


def bodiless(data, n):
    """The statuses, where the first answer is one to HEAD, and has no body."""
    head, _, rest = data.partition(b"\r\n\r\n")
    return [int(head[9:12])] + statuses(rest)


def taken(s):
    for name, (data, n) in GOOD.items():
        w = Wire(s)
        w.send(data + LAST)
        got, closed = w.rest(3)
        w.close()
        try:
            found = bodiless(got, n) if name == "HEAD" else statuses(got)
        except ValueError as e:
            found = [str(e)]
        ends = b"transfer-encoding" in data.lower()
        check(name, closed and len(found) == (n if ends else n + 1) and (ends or found[-1] == 200), (found, closed))
        check(name + ": it ends", not ends or b"\r\nConnection: close\r\n" in got, got)
        if b"/hidden" in data:
            check(name + ": it stays hidden", 404 not in found, found)


def drip(w, data, pause):
    """Byte by byte; the seconds until the other side ended it, or None."""
    began = time.monotonic()
    w.socket.settimeout(0.001)
    for i in range(len(data)):
        if not w.send(data[i:i + 1]):
            return time.monotonic() - began
        time.sleep(pause)
        try:
            if w.socket.recv(1000) == b"":
                return time.monotonic() - began
        except (TimeoutError, socket.timeout):
            pass
        except OSError:
            return time.monotonic() - began
    return None


HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 100


def slow_head(s):
    lasted = drip(Wire(s), HEAD, 0.02)
    check("a slow head is cut", lasted is not None and HEAD_S * 0.5 < lasted < HEAD_S + 1.5, lasted)


def slow_body(s):
    w = Wire(s)
    w.send(POST + b"Content-Length: 1000\r\n\r\n")
    lasted = drip(w, b"x" * 200, 0.02)
    check("a slow body is cut", lasted is not None and BODY_S * 0.5 < lasted < BODY_S + 1.5, lasted)


def slow_chunks(s):
    w = Wire(s)
    w.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    lasted = drip(w, b"1\r\nx\r\n" * 60, 0.02)
    check("a slow body in chunks is cut", lasted is not None and BODY_S * 0.5 < lasted < BODY_S + 1.5, lasted)


def slow_second_head(s):
    """A request line that comes slowly falls under the time between two requests."""
    w = Wire(s)
    w.send(PING)
    time.sleep(0.1)
    w.socket.recv(4096)
    lasted = drip(w, HEAD, 0.03)
    check("a slow second head is cut", lasted is not None and lasted < IDLE_S + HEAD_S + 1.5, lasted)


def at_rest(s):
    w = Wire(s)
    w.send(PING)
    began = time.monotonic()
    got, closed = w.rest(IDLE_S + 3)
    check("a connection at rest is ended", closed and statuses(got) == [200] and time.monotonic() - began > IDLE_S * 0.5, got)


def byte_by_byte(s):
    for _ in range(20):
        w, began = Wire(s), time.monotonic()
        fast = drip(w, PING[:-2], 0.002)
        if time.monotonic() - began < HEAD_S / 2:
            break  # else this machine has no time for it: it was late by itself
    w.socket.settimeout(5)
    w.send(b"\r\n")
    got = w.socket.recv(4096)
    check("a head byte by byte, in time", fast is None and statuses(got) == [200], (fast, got))


def slow(s):
    each = [threading.Thread(target=f, args=(s,)) for f in (slow_head, slow_body, slow_chunks, slow_second_head, at_rest, byte_by_byte)]
    for t in each:
        t.start()
    for t in each:
        t.join()


def cut(s):
    """Ended anywhere, in both ways."""
    whole = POST + b"Content-Length: 30\r\n\r\n" + b'{"op":"consume","wallet":"W1"}'
    for at in range(1, len(whole), 3):
        w = Wire(s)
        w.send(whole[:at])
        if at % 2 == 0:
            w.close()
        else:
            w.reset()
    for _ in range(20):  # and while the answer is on its way
        w = Wire(s)
        w.send(PING * 20)
        w.reset()
    w = Wire(s)
    w.send(LAST)
    got, closed = w.rest()
    check("it lives behind cuts", closed and statuses(got) == [200], got)


def expects(s):
    w = Wire(s)
    w.send(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
    time.sleep(0.1)
    first = w.socket.recv(4096)
    check("100 Continue", first.startswith(b"HTTP/1.1 100"), first)
    w.send(b"hello")
    got, closed = w.rest()
    check("and its answer", closed and len(statuses(got)) == 1, got)
    w = Wire(s)
    w.send(POST + b"Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n")
    got, closed = w.rest()
    check("none for a body that is too large", closed and statuses(got) == [413], got)


def large(s):
    w = Wire(s)
    w.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n" + LAST)
    got, closed = w.rest()
    check("a head of 9,000 bytes", closed and statuses(got) == [431], got[:200])
    w = Wire(s)
    w.send(b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    got, closed = w.rest()
    check("an address of 40,000 bytes", closed and got == b"" or statuses(got) in ([414], [431]), got[:200])
    w = Wire(s)
    w.send(POST + b"Content-Length: 100000\r\n\r\n" + b" " * 100000 + LAST)
    got, closed = w.rest()
    check("a body of 100,000 bytes", closed and len(statuses(got)) == 2 and statuses(got)[1] == 200, got[:200])
    w = Wire(s)
    w.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    sent = sum(1 for _ in range(400) if w.send(chunk))
    got, closed = w.rest()
    check("chunks without end", closed and sent < 400, (sent, got[:200]))


def methods(s):
    for method, path, status in ((b"OPTIONS", b"/healthz", 405), (b"DELETE", b"/healthz", 405), (b"get", b"/healthz", 405), (b"FOO", b"/healthz", 405),
                                 (b"POST", b"/healthz", 405), (b"TRACE", b"/nothing", 404), (b"OPTIONS", b"*", 404), (b"GET", b"/healthz/", 404),
                                 (b"GET", b"//healthz", 404), (b"GET", b"/%68ealthz", 404), (b"GET", b"/healthz?a=%zz", 400), (b"GET", b"/healthz?a=%00", 400),
                                 (b"GET", b"/healthz?a=%ff", 400), (b"GET", b"/healthz?" + b"a&" * 70, 400), (b"GET", b"/healthz?a=%ec%9b%94", 200),
                                 (b"PUT", b"/v1/commands", 405), (b"PUT", b"/v1/tickets", 405), (b"GET", b"/v1/tickets", 405), (b"GET", b"http://h?x=/healthz", 404),
                                 (b"GET", b"http://h?x=/v1/ledger", 404), (b"GET", b"http://h/healthz?x=/", 200), (b"GET", b"http://h", 404)):
        w = Wire(s)
        w.send(method + b" " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        got, closed = w.rest()
        check(f"{method} {path[:40]}", closed and statuses(got) == [status], got[:300])
        allow = {b"/v1/commands": b"GET, HEAD, POST", b"/v1/tickets": b"POST"}.get(path, b"GET, HEAD")
        check(f"{method} {path[:40]}: Allow", status != 405 or b"\r\nAllow: " + allow + b"\r\n" in got, got[:300])
    w = Wire(s)
    w.send(b"GET /healthz HTTP/1.0\r\n\r\n")
    got, closed = w.rest()
    check("HTTP/1.0", closed and len(re.findall(rb"^HTTP/1", got)) == 1 and b" 200 " in got, got[:200])
    for name, data in (("HTTP/0.9", b"GET /healthz\r\n"), ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200)):
        w = Wire(s)
        w.send(data)
        got, closed = w.rest()
        check(name, closed and b" 200 " not in got, got[:200])


def at_once(s):
    """Many requests that are all there when the loops look: as many as they take at a time, one less, one more."""
    for n in (*range(253, 262), 512):
        wires = [Wire(s) for _ in range(n)]
        for w in wires:
            w.send(PING)
        check(f"{n} connections", all(statuses(w.socket.recv(4096)) == [200] for w in wires))
        os.kill(s.process.pid, signal.SIGSTOP)
        for w in wires:
            w.send(PING)
        os.kill(s.process.pid, signal.SIGCONT)
        began = time.monotonic()
        try:
            found = [statuses(w.socket.recv(4096)) for w in wires]
        except OSError as e:
            found = e
        check(f"{n} requests at once", found == [[200]] * n, (found, time.monotonic() - began))
        for w in wires:
            w.close()


def mutated(s):
    """Requests of which some bytes are others: whatever comes back is made of whole answers, and never more than there were lines that
    could begin a request."""
    dice = random.Random(SEED)
    seeds = [data for data, _ in GOOD.values() if len(data) < 600] + [data for data in BAD.values()]
    for i in range(400):
        data = bytearray(dice.choice(seeds) + LAST)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(data))
            what = dice.randrange(4)
            if what == 0:
                data[at] = dice.choice(b"\r\n \t:;,0123456789\0\x7f\xff/")
            elif what == 1:
                del data[at:at + dice.randint(1, 8)]
            elif what == 2:
                data[at:at] = dice.choice([b"\r\n", b"\n", b" ", b"\r\n\r\n", b"0\r\n\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"])
            else:
                data[at:at] = data[at:at + dice.randint(1, 40)]
        w = Wire(s)
        w.send(bytes(data))
        w.socket.shutdown(socket.SHUT_WR)
        got, closed = w.rest(4)
        w.close()
        try:
            found = answers(got) if b"HEAD" not in data else []
        except ValueError as e:
            found = e
        most = len(re.findall(rb" HTTP/1", bytes(data)))
        if not closed or isinstance(found, ValueError) or len(found) > 2 * most + 1:
            check(f"mutation {i}", False, (bytes(data), got[:300], closed))
            return
    check("mutations", True)


def counted(s):
    """What libmicrohttpd answers, or is answered in its place, is in the metrics and in the log like all else."""
    def so_far():
        found = re.findall(rb'^jangbu_http_request_seconds_count\{route="none",method="none",status="(\d+)"\} (\d+)', s.get("/metrics").body, re.M)
        return {int(status): int(n) for status, n in found}

    line, post = b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"POST /v1/commands HTTP/1.1\r\nHost: x\r\n"
    for name, request in {"a length that is none": post + b"Content-Length: abc\r\n\r\n", "one that is too long": post + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
                          "many cookies": line + b"Cookie: " + b";".join(b"a%d=1" % i for i in range(280)) + b"\r\n\r\n",
                          "many parameters": b"GET /healthz?" + b"a&" * 260 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                          "more of them": b"GET /healthz?" + b"a&" * 600 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                          "many headers": line + b"".join(b"a%d: 1\r\n" % i for i in range(600)) + b"\r\n",
                          "a long head": line + b"A: " + b"x" * 30000 + b"\r\n\r\n", "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
                          "another version": b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", "a chunk of no size": post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                          "a chunk that is too large": post + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 20 + b"\r\n"}.items():
        before = so_far()
        w = Wire(s)
        w.send(request)
        got = statuses(w.rest()[0])
        w.close()
        for _ in range(40):
            grown = {status: n - before.get(status, 0) for status, n in so_far().items() if n != before.get(status, 0)}
            if grown:
                break
            time.sleep(0.05)
        check(f"{name} is answered once, and counted so", len(got) == 1 and grown == {got[0]: 1}, (got, grown))


def tried(ledger, flags, parts):
    with Served(JANGBUD, ledger, flags=flags) as s:
        for part in parts:
            part(s)
            check(f"it lives behind {part.__name__}", s.process.poll() is None)
        left = None
        for _ in range(60):  # they are ended by the loops
            left = int(re.search(rb"^jangbu_http_connections (\d+)", s.get("/metrics").body, re.M).group(1))
            if left == 1:
                break
            time.sleep(0.1)
        check("no connection is left", left == 1, left)
        check("it ends well", s.stop() == 0)


def main():
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "ledger")
        subprocess.run([JANGBU, "init", ledger], check=True, capture_output=True)
        # Hundreds of connections would be cut by short times where this machine is slow, and not they.
        tried(ledger, FLAGS, (framings, many, taken, methods, expects, large, counted, cut, slow, mutated))
        tried(ledger, [], (at_once,))
    print(f"wire: {checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
