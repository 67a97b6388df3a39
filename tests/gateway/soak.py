#!/usr/bin/python3
"""Minutes of load on jangbud from many connections at once: commands with keys, lines of commands, reads, pages, streams of the feed. Meanwhile
the daemon is killed (kill -9) or stopped (SIGTERM) at random moments and started again, and whoever has no answer sends the same again.

Held to: what was answered is in the log, under the number that the answer said, once, and nothing else is; whatever is sent again, at once or
minutes later, gets the first answer; a balance knows what was answered before it was asked for; streams have each event once and in order;
SIGTERM ends with 0; the audit verifies. The memory of the daemon is looked at each second, and is flat.

usage: soak.py JANGBU JANGBUD [--connections N] [--minutes M] [--every S] [--seed N] [--dir DIR] [--grows MIB]
"""
import argparse
import array
import collections
import errno
import heapq
import json
import os
import random
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from served import Served, keyed, token

PATIENCE = 60  # seconds in which whoever asks has to be answered, the daemon's starts included
STOP_TIME = 5  # seconds, of the daemon
LINES = 20  # of a request with many commands
# Memory is flat where the most in the last fifth of the time is at most that of the middle fifth times SLACK, SPARE_MIB, and what the keys that came
# in between may take: of the files in `state`, which have KEY_BYTES a key, 256 MiB at most are in memory (docs/operating.md). It can be said once so
# many commands are done at the middle: by then what grows to a bound has come to it, or near.
SLACK, SPARE_MIB, KEY_BYTES, ENOUGH = 1.15, 4, 20, 200_000
STREAMS = 4
ANSWER = re.compile(rb'"seq":(\d+)')
VERSION = re.compile(rb'"version":(\d+)')
EVENT = re.compile(rb'\{"seq":(\d+),"type"')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
KEY = re.compile(rb'"key":"(\d+)-(\d+)"')


class Load:
    """The loop over all connections, and what they share."""

    def __init__(self, a, work):
        self.a, self.rng, self.work = a, random.Random(a.seed), work
        self.ledger, self.tokens = os.path.join(work, "ledger"), os.path.join(work, "tokens")
        self.selector, self.timers, self.count = selectors.DefaultSelector(), [], 0
        self.ending, self.faults, self.counts = False, [], collections.Counter()
        self.served, self.clients, self.writers = None, [], []

    def fault(self, text):
        self.counts["faults"] += 1
        if len(self.faults) < 20:
            self.faults.append(text)
            print(text, flush=True)

    def later(self, seconds, what):
        self.count += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.count, what))

    def turn(self):
        for key, mask in self.selector.select(0.02):
            key.data.ready(mask)
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)[2]()


class Client:
    """A connection with one request at a time, which is sent again until it is answered."""
    patience = PATIENCE

    def __init__(self, load, number):
        self.load, self.number, self.sock, self.asked = load, number, None, None
        self.out, self.raw, self.since, self.tcp = b"", b"", time.monotonic(), number % 4 != 0
        load.later(load.rng.random(), self.go)

    def head(self, method, path, body=b"", kind="application/json", more=""):
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}"
        if self.tcp and "Cookie" not in more:
            head += f"Authorization: Bearer {self.load.token}\r\n"
        if body:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    def go(self):
        """The next request, or what waits."""
        if self.asked is None:
            self.asked = self.next()
            self.since = time.monotonic()
        if self.asked is None:
            return
        if time.monotonic() - self.since > PATIENCE:
            self.load.fault(f"{type(self).__name__} {self.number}: no answer for {PATIENCE} s to {self.asked[:200]!r}")
            self.since = time.monotonic()
        try:
            if self.sock is None:
                self.connect()
            self.out, self.raw = self.asked, b""
            self.write()
        except OSError:
            self.lost()

    def connect(self):
        if self.tcp:
            self.sock = socket.create_connection(self.load.served.address, timeout=5)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(5)
            self.sock.connect(self.load.served.unix)
        self.sock.setblocking(False)
        self.load.selector.register(self.sock, selectors.EVENT_READ, self)

    def close(self):
        if self.sock is not None:
            try:
                self.load.selector.unregister(self.sock)
            except KeyError:
                pass
            self.sock.close()
            self.sock = None

    def lost(self):
        self.close()
        self.load.counts["tries without an answer"] += 1
        self.load.later(0.02 + self.load.rng.random() * 0.2, self.go)

    def write(self):
        while self.out:
            try:
                n = self.sock.send(self.out)
            except BlockingIOError:
                break
            self.out = self.out[n:]
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0)
        self.load.selector.modify(self.sock, mask, self)

    def ready(self, mask):
        try:
            if mask & selectors.EVENT_WRITE:
                self.write()
            if mask & selectors.EVENT_READ:
                got = self.sock.recv(1 << 18)
                if not got:
                    raise ConnectionResetError(errno.ECONNRESET, "closed")
                self.raw += got
                self.look()
        except BlockingIOError:
            return
        except OSError:
            if self.asked is None:
                self.close()
            else:
                self.lost()

    def look(self):
        end = self.raw.find(b"\r\n\r\n")
        if end < 0 or self.asked is None:
            return
        status = int(self.raw[9:12])
        length = LENGTH.search(self.raw, 0, end)
        body = end + 4 + (int(length.group(1)) if length and status != 304 else 0)
        if len(self.raw) < body:
            return
        head, text, self.raw = self.raw[:end], self.raw[end + 4:body], b""
        closes = b"\r\nconnection: close" in head.lower()
        if closes:
            self.close()
        self.load.counts[f"{type(self).__name__} {status}"] += 1
        wait = self.answered(status, head, text)
        if wait is None:
            self.asked = None
            wait = self.pause()
        if wait > 0:
            self.load.later(wait, self.go)
        else:
            self.go()

    def pause(self):
        return 0

    def next(self):
        """The request; None: there is none any more."""
        raise NotImplementedError

    def answered(self, status, head, body):
        """None: that was it; else seconds after which the same is sent again."""
        raise NotImplementedError


class Writer(Client):
    """Charges and consumes in its wallet; now and then it asks again for what was answered before."""

    def __init__(self, load, number, lines):
        super().__init__(load, number)
        self.lines, self.seqs, self.again = lines, array.array("Q"), None

    def request(self, first, n):
        body = b"\n".join(json.dumps(keyed(self.number, i, 8)).encode() for i in range(first, first + n))
        if self.lines:
            return self.head("POST", "/v1/commands", body + b"\n", "application/x-ndjson")
        return self.head("POST", "/v1/commands", body)

    def next(self):
        n = LINES if self.lines else 1
        if self.load.ending:
            return None
        if len(self.seqs) >= n and self.load.rng.random() < 0.02:
            self.again = self.load.rng.randrange(len(self.seqs) - n + 1)
            return self.request(self.again, n)
        return self.request(len(self.seqs), n)

    def answered(self, status, head, body):
        if status == 503:
            return 0.05 + self.load.rng.random() * 0.1
        n = LINES if self.lines else 1
        seqs = [int(s) for s in ANSWER.findall(body)] if status == 200 else []
        if self.lines and b'{"error":' in body:
            return 0.1
        if len(seqs) != n or b'"ok":false' in body:
            self.load.fault(f"writer {self.number}: {status} {body[:500]!r}")
            return 1
        if self.again is not None:
            first = list(self.seqs[self.again:self.again + n])
            if seqs != first or body.count(b'"duplicate":true') != n or (not self.lines and b"\r\nIdempotent-Replayed: true" not in head):
                self.load.fault(f"{self.number}-{self.again} was answered {first}, and again {body[:300]!r}")
            self.again = None
            return None
        self.seqs.extend(seqs)
        return None


class Reader(Client):
    """Asks for what writers have; a balance knows what was answered before."""
    paths = ("", "", "", "", "/history?limit=20", "/charges?limit=20", "/explain", "/cash-status", "/events?limit=20")

    def next(self):
        rng = self.load.rng
        writer = rng.choice(self.load.writers)
        self.known = writer.seqs[-1] if writer.seqs else 0
        self.path = rng.choice(self.paths)
        path = f"/v1/wallets/W{writer.number}{self.path}"
        if self.known == 0 or rng.random() < 0.1:
            self.known, path = 0, rng.choice(["/v1/wallets?limit=50", "/v1/ledger/head", "/v1/ledger/stat", "/v1/totals", "/v1/due"])
        return None if self.load.ending else self.head("GET", path)

    def answered(self, status, head, body):
        if status not in (200, 503):
            self.load.fault(f"{self.asked[:100]!r}: {status} {body[:300]!r}")
        elif status == 200 and self.known and self.path == "" and int(VERSION.search(body).group(1)) < self.known:
            self.load.fault(f"{self.asked[:100]!r}: event {self.known} was answered before, and it says {body[:300]!r}")
        return None

    def pause(self):
        return self.load.rng.random() * 0.1


class Viewer(Client):
    """Looks at pages, as a holder or an operator; where his session is gone he signs in again."""
    holder = ("/w", "/w/status", "/w/history", "/w/free", "/w/refunds", "/w/papers", "/w/people", "/w/questions", "/w/questions?q=3")
    operator = ("/o", "/o/wallets", "/o/refunds", "/o/due", "/o/commands", "/o/find?ref=W1")

    def __init__(self, load, number):
        super().__init__(load, number)
        self.tcp, self.cookie, self.path, self.operates = True, None, None, number % 4 == 1

    def next(self):
        if self.load.ending or not all(w.seqs for w in self.load.writers):
            if not self.load.ending:
                self.load.later(0.5, self.go)
            return None
        if self.path is not None:
            path, self.path = self.path, None
            return self.head("GET", path, more="Cookie: x=y\r\nSec-Fetch-Site: same-origin\r\n")
        if self.cookie is None:
            who = {"operator": True} if self.operates else {"wallet": f"W{self.load.rng.choice(self.load.writers).number}"}
            return self.head("POST", "/v1/tickets", json.dumps({**who, "actor": "a"}).encode())
        more = f"Cookie: __Host-jangbu={self.cookie}\r\n"
        return self.head("GET", self.load.rng.choice(self.operator if self.operates else self.holder), more=more)

    def answered(self, status, head, body):
        given = re.search(rb"Set-Cookie: __Host-jangbu=([^;]*)", head)
        onward = re.search(rb'content="0;url=([^"]*)"', body)
        if given:
            self.cookie = given.group(1).decode()
        elif self.asked.startswith(b"POST") and status == 200:
            self.path = json.loads(body)["path"]
        elif onward and status == 200:
            self.path = onward.group(1).decode().replace("&amp;", "&")
        elif status in (303, 403):  # the session, or the ticket, went with the daemon
            self.cookie = None
        elif status not in (200, 429, 503):
            self.load.fault(f"{self.asked[:100]!r}: {status} {body[:300]!r}")
        elif status == 200 and not body.rstrip().endswith(b"</html>"):
            self.load.fault(f"{self.asked[:100]!r}: a page that ends early: {body[-200:]!r}")
        return None

    def pause(self):
        return 0.05 + self.load.rng.random() * 0.1


class Stream(Client):
    """Follows the feed, over all that happens to the daemon."""

    def __init__(self, load, number):
        super().__init__(load, number)
        self.seq, self.begun, self.text = 0, False, b""

    def next(self):
        self.begun, self.text = False, b""
        return self.head("GET", f"/v1/feed?after={self.seq}", more="Accept: application/x-ndjson\r\n")

    def lost(self):
        self.asked = None  # it is asked for anew, from where it is
        if self.load.ending:
            self.close()  # and by who waits for the end
            return
        super().lost()

    def look(self):
        self.since = time.monotonic()
        if not self.begun:
            end = self.raw.find(b"\r\n\r\n")
            if end < 0:
                return
            if int(self.raw[9:12]) != 200:
                raise ConnectionResetError(errno.ECONNRESET, "not now")
            self.begun, self.raw = True, self.raw[end + 4:]
        self.chunks()
        cut = self.text.rfind(b"\n") + 1
        for seq in map(int, EVENT.findall(self.text, 0, cut)):
            if seq != self.seq + 1:
                self.load.fault(f"stream {self.number}: event {seq} behind {self.seq}")
            self.seq = seq
        self.text = self.text[cut:]

    def chunks(self):
        """What came whole is taken from raw into text."""
        at = 0
        while True:
            end = self.raw.find(b"\r\n", at)
            size = int(self.raw[at:end], 16) if end > at else 0
            if end < 0 or len(self.raw) < end + size + 4:
                break
            self.text += self.raw[end + 2:end + 2 + size]
            at = end + size + 4
            if size == 0:
                raise ConnectionResetError(errno.ECONNRESET, "the stream ended")
        self.raw = self.raw[at:]


class Daemon(threading.Thread):
    """Ends the daemon again and again, and starts it; looks at its memory meanwhile."""

    def __init__(self, load):
        super().__init__(daemon=True)
        self.load, self.samples, self.lives, self.ends, self.slowest, self.slowest_stop = load, [], 0, collections.Counter(), 0.0, 0.0
        self.rng, self.over, self.began = random.Random(load.a.seed + 1), threading.Event(), time.monotonic()
        self.start_daemon()

    def start_daemon(self):
        began = time.monotonic()
        self.load.served = Served(self.load.a.jangbud, self.load.ledger, tokens=self.load.tokens, flags=["--log", "off"], timeout=30)
        self.slowest, self.lives = max(self.slowest, time.monotonic() - began), self.lives + 1

    def sample(self):
        try:
            with open(f"/proc/{self.load.served.process.pid}/status") as f:
                found = dict(line.split(":", 1) for line in f)
            files = len(os.listdir(f"/proc/{self.load.served.process.pid}/fd"))
            kib = [int(found[name].split()[0]) for name in ("RssAnon", "VmRSS")]
        except (OSError, KeyError):
            return
        self.samples.append((time.monotonic() - self.began, self.lives, *kib, int(found["Threads"]), files, sum(len(w.seqs) for w in self.load.writers)))

    def end(self):
        served = self.load.served
        if self.rng.random() < 0.5:
            self.ends["kill -9"] += 1
            served.kill()
            return
        self.ends["SIGTERM"] += 1
        began = time.monotonic()
        status = served.stop()
        took = time.monotonic() - began
        self.slowest_stop = max(self.slowest_stop, took)
        if status == 3 and took > STOP_TIME:  # the disk did not answer for so long: docs/gateway.md, Limits
            self.ends["SIGTERM, and the disk took longer than stop-time"] += 1
        elif status != 0:
            self.load.fault(f"SIGTERM ended it with {status} after {took:.1f} s")

    def run(self):
        try:
            every = self.load.a.every
            next_end = time.monotonic() + self.rng.expovariate(1 / every) if every else float("inf")
            while not self.over.wait(min(1.0, max(0.0, next_end - time.monotonic()))):
                self.sample()
                if self.load.served.process.poll() is not None:
                    self.load.fault(f"the daemon ended by itself: {self.load.served.process.returncode}, {self.load.served.log[-3:]}")
                    self.start_daemon()
                elif time.monotonic() >= next_end:
                    self.end()
                    self.start_daemon()
                    next_end = time.monotonic() + 0.2 + self.rng.expovariate(1 / every)
        except Exception as e:  # noqa: BLE001
            self.load.fault(f"ending and starting: {e!r}")


def prepare(load):
    subprocess.run([load.a.jangbu, "init", load.ledger], check=True, capture_output=True)
    load.token = token(load.a.jangbud, load.tokens, "soak", "--scope", "read,write,people,page,ops")


def people(load, n):
    """Who has the connections."""
    viewers, readers = max(2, n // 16), max(2, n // 8)
    writers = n - viewers - readers - STREAMS
    load.writers = [Writer(load, i, i % 24 == 5) for i in range(writers)]
    load.clients = load.writers + [Reader(load, i) for i in range(readers)] + [Viewer(load, i) for i in range(viewers)]
    load.clients += [Stream(load, i) for i in range(STREAMS)]


def run(load, daemon):
    until = time.monotonic() + load.a.minutes * 60
    while time.monotonic() < until and load.counts["faults"] < 20:
        load.turn()
    daemon.over.set()
    daemon.join()
    load.ending = True
    until = time.monotonic() + PATIENCE
    while any(c.asked is not None for c in load.clients if not isinstance(c, Stream)) and time.monotonic() < until:
        load.turn()
    last = max(max(w.seqs, default=0) for w in load.writers)
    streams = [c for c in load.clients if isinstance(c, Stream)]
    before = 0
    until = time.monotonic() + PATIENCE
    while any(s.seq < last for s in streams) and time.monotonic() < until:
        load.turn()
        if sum(s.seq for s in streams) > before:
            before, until = sum(s.seq for s in streams), time.monotonic() + PATIENCE
        for s in streams:
            if s.sock is None and not any(t[2] == s.go for t in load.timers):
                load.later(0.05, s.go)
    for s in streams:
        if s.seq < last:
            load.fault(f"stream {s.number} ends at event {s.seq}, and {last} was answered")
    for c in load.clients:
        c.close()
        if c.asked is not None and not isinstance(c, Stream):
            load.fault(f"{type(c).__name__} {c.number} has no answer to {c.asked[:200]!r}")


def in_log(load):
    """Each answer is there under its number, and no key twice or unanswered."""
    seen = [bytearray(len(w.seqs)) for w in load.writers]
    log = subprocess.Popen([load.a.jangbu, "log", load.ledger, "--json"], stdout=subprocess.PIPE)
    for line in log.stdout:
        key = KEY.search(line)
        if key is None:
            continue
        w, n, seq = int(key.group(1)), int(key.group(2)), int(ANSWER.match(line, 1).group(1))
        if n >= len(seen[w]):
            load.fault(f"{w}-{n} is in the log and was never answered")
        elif seen[w][n]:
            load.fault(f"{w}-{n} is in the log twice")
        else:
            seen[w][n] = 1
            if load.writers[w].seqs[n] != seq:
                load.fault(f"{w}-{n} was answered as event {load.writers[w].seqs[n]}, and is {seq}")
    if log.wait() != 0:
        load.fault("the log cannot be read")
    for w, marks in enumerate(seen):
        for n in (i for i, mark in enumerate(marks) if not mark):
            load.fault(f"{w}-{n} was answered, and is not in the log")


def audited(load):
    done = subprocess.run([load.a.jangbu, "audit", load.ledger], capture_output=True, text=True)
    if done.returncode != 0:
        load.fault(f"audit: {done.stdout[-500:]}{done.stderr[-500:]}")


def memory(daemon, grows):
    """By time: own is RssAnon; the rest is of files that are mapped, and the kernel's to take. False: it grew."""
    samples = daemon.samples
    print(f"{'minute':>7} {'own MiB':>8} {'all MiB':>8} {'threads':>8} {'files':>6} {'commands':>9}")
    step = max(1, len(samples) // 11)
    for s in samples[step - 1::step]:
        print(f"{s[0] / 60:7.1f} {s[2] / 1024:8.1f} {s[3] / 1024:8.1f} {s[4]:8d} {s[5]:6d} {s[6]:9d}")
    fifth = max(1, len(samples) // 5)
    middle, end = samples[2 * fifth:3 * fifth] or samples, samples[-fifth:]
    had, has = (max(s[2] for s in part) / 1024 for part in (middle, end))
    keys = end[-1][6] - middle[0][6]
    enough = middle[0][6] >= ENOUGH
    most = had * SLACK + SPARE_MIB + keys * KEY_BYTES / (1 << 20) if enough else had + grows
    print(f"memory of its own, {daemon.lives} lives: in the middle {had:.1f} MiB, at the end {has:.1f}, {keys} commands later; "
          f"{most:.1f} would be too much{'' if enough else ' (too few commands to say that it is flat)'}")
    return has <= most


def end_all(load, daemon):
    """Nothing is left that runs, and nobody who starts it again."""
    daemon.over.set()
    if daemon.ident is not None:
        daemon.join()
    load.served.kill()


def soak(a, work):
    load = Load(a, work)
    prepare(load)
    daemon = Daemon(load)
    try:
        people(load, a.connections)
        daemon.start()
        run(load, daemon)
    except BaseException:
        end_all(load, daemon)
        raise
    if load.served.stop() != 0:
        load.fault("jangbud did not end well")
    in_log(load)
    audited(load)
    counts = load.counts
    done = sum(len(w.seqs) for w in load.writers)
    print(f"{a.connections} connections, {a.minutes:g} minutes, seed {a.seed}: {done} commands answered "
          f"({done / a.minutes / 60:.0f} a second), {counts['tries without an answer']} tries that were not")
    print(", ".join(f"{name} {n}" for name, n in sorted(counts.items()) if name[-1].isdigit()))
    if daemon.lives > 1:
        print(f"ended {sum(daemon.ends.values())} times: {dict(daemon.ends)}; longest start {daemon.slowest:.2f} s, "
              f"longest end by SIGTERM {getattr(daemon, 'slowest_stop', 0.0):.2f} s")
    if not memory(daemon, a.grows):
        load.fault("its memory grew")
    print(f"{counts['faults']} faults", flush=True)
    return 1 if counts["faults"] or done < a.connections else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jangbu")
    parser.add_argument("jangbud")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=0.05)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two ends of the daemon, in the mean; 0: none")
    parser.add_argument("--grows", type=float, default=64.0, help="MiB by which its own memory may grow where too little is done to say more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", help="where the ledger is made for the time; the temporary directory unless given")
    a = parser.parse_args()
    work = tempfile.mkdtemp(prefix="jangbud-", dir=a.dir)
    try:
        return soak(a, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
