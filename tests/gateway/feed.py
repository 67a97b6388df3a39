#!/usr/bin/python3
"""The feed over HTTP: many that listen beside writers, by events and by lines, of all and of one wallet, some cut off and coming back, while the
daemon is killed once: each gets each event once and in order. Pages, and pages that wait; cursors that are none; limits; who may.

usage: feed.py JANGBU JANGBUD [--subscribers N] [--events N] [--seed N]
       feed.py JANGBU JANGBUD --measure          what an event costs the daemon for each that listens (processor's time)"""
import argparse
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

from served import Served, check, checks, token

WALLETS = 8

# ---- who listens


class Listener:
    """One stream; what it got is kept over reconnects."""
    FRAME = re.compile(rb'id: ([0-9a-f]+)\ndata: (\{"seq":(\d+),.*\})\n\n')
    LINE = re.compile(rb'(\{"seq":(\d+),.*"cursor":"([0-9a-f]+)"\})\n')

    def __init__(self, number, rng, whole):
        self.number, self.rng, self.whole, self.after = number, rng, whole, 0
        self.lines, self.people = number % 5 == 1, number % 10 == 2
        self.wallet = f"W{number % WALLETS}" if number % 10 in (3, 8) else None
        self.seqs, self.rows, self.cursor, self.reconnects = [], [], "", 0
        self.sock, self.raw, self.text, self.headed, self.patience = None, b"", b"", False, 0

    def connect(self, path):
        query = ["people=true"] if self.people else []
        query += [f"cursor={self.cursor}"] if self.lines and self.cursor else []
        query += [f"after={self.after}"] if self.after and not self.cursor else []
        target = (f"/v1/wallets/{self.wallet}/feed" if self.wallet else "/v1/feed") + ("?" + "&".join(query) if query else "")
        head = f"GET {target} HTTP/1.1\r\nHost: x\r\nAccept: {'application/x-ndjson' if self.lines else 'text/event-stream'}\r\n"
        head += f"Last-Event-ID: {self.cursor}\r\n" if self.cursor and not self.lines else ""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(path)
        self.sock.sendall(head.encode() + b"\r\n")
        self.sock.setblocking(False)
        self.raw, self.text, self.headed = b"", b"", False
        self.patience = self.rng.randrange(40, 4000)

    def close(self):
        self.sock.close()
        self.sock = None

    def chunks(self):
        """Takes whole chunks out of what came."""
        while True:
            end = self.raw.find(b"\r\n")
            if end < 0:
                return
            size = int(self.raw[:end], 16)
            if len(self.raw) < end + 2 + size + 2:
                return
            self.text += self.raw[end + 2:end + 2 + size]
            self.raw = self.raw[end + 4 + size:]

    def got(self, data):
        self.raw += data
        if not self.headed:
            head, found, rest = self.raw.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                raise AssertionError(f"{head!r} {rest!r}")
            self.headed, self.raw = True, rest
        self.chunks()
        end = self.text.rfind(b"\n" if self.lines else b"\n\n") + (1 if self.lines else 2)
        if end < 2:
            return
        for match in (self.LINE if self.lines else self.FRAME).finditer(self.text[:end]):
            if self.lines:
                row, seq, cursor = match.groups()
            else:
                cursor, row, seq = match.groups()
            self.seqs.append(int(seq))
            self.cursor = cursor.decode()
            if self.whole:
                self.rows.append(row)
            self.patience -= 1
        self.text = self.text[end:]


class Listeners(threading.Thread):
    """All of them in one thread, until each has the last event that it is to have."""

    def __init__(self, n, path, seed, restless=True, whole=False, plain=False):
        super().__init__()
        rng = random.Random(seed)
        self.path, self.restless, self.until, self.failed = path, restless, None, None
        self.all = [Listener(10 * i if plain else i, random.Random(rng.random()), whole) for i in range(n)]
        self.selector = selectors.DefaultSelector()

    def go(self, listener):
        """Connects, as soon as somebody is there."""
        end = time.monotonic() + 60
        while True:
            try:
                listener.connect(self.path)
                break
            except (ConnectionError, FileNotFoundError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.selector.register(listener.sock, selectors.EVENT_READ, listener)

    def leave(self, listener):
        self.selector.unregister(listener.sock)
        listener.close()

    def take(self, listener):
        try:
            data = listener.sock.recv(65536)
        except ConnectionError:
            data = b""
        if data:
            listener.got(data)
        if not data or (self.restless and listener.patience < 0):
            self.leave(listener)
            listener.reconnects += 1
            self.go(listener)

    def done(self):
        return self.until is not None and all((l.seqs or [0])[-1] >= self.until.get(l.wallet, 0) for l in self.all)

    def run(self):
        try:
            for listener in self.all:
                self.go(listener)
            end = time.monotonic() + 150
            while not self.done():
                if time.monotonic() > end:
                    raise AssertionError("somebody does not get all of it")
                for key, _ in self.selector.select(0.05):
                    self.take(key.data)
        except Exception as e:  # said by who joins
            self.failed = e
        for listener in self.all:
            if listener.sock is not None:
                self.leave(listener)


# ---- who writes


class Writer(threading.Thread):
    """Batches of lines, each given again until it is answered."""

    def __init__(self, served, number, batches, size, rest):
        super().__init__()
        self.served, self.number, self.batches, self.size, self.rest, self.failed = served, number, batches, size, rest, None

    def batch(self, i):
        out = []
        for k in range(self.size):
            name = f"{self.number}-{i}-{k}"
            wallet = f"W{(self.number + i + k) % WALLETS}"
            if k % 5 == 0:
                out.append({"op": "charge", "wallet": wallet, "charge": f"c{name}", "amount": 5000, "key": f"c{name}", "note": "적요"})
            elif k % 5 == 1:
                out.append({"op": "atomic", "key": f"g{name}", "commands": [{"op": "consume", "wallet": wallet, "usage": f"a{name}", "amount": 10},
                                                                              {"op": "consume", "wallet": wallet, "usage": f"b{name}", "amount": 10}]})
            else:
                out.append({"op": "consume", "wallet": wallet, "usage": f"u{name}", "amount": 100, "key": f"u{name}"})
        return out

    def give(self, lines):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                answer = self.served().lines(lines)
                if answer.status == 200 and len(answer.lines) == len(lines):
                    return
            except (OSError, ValueError, AttributeError) as e:
                last = e
            except Exception as e:  # http.client's, where the daemon was killed
                last = e
            time.sleep(0.02)
        raise AssertionError(f"not answered: {last!r}")

    def run(self):
        try:
            for i in range(self.batches):
                self.give(self.batch(i))
                time.sleep(self.rest)
        except Exception as e:
            self.failed = e


def make(jangbu, work):
    ledger = os.path.join(work, "ledger")
    subprocess.run([jangbu, "init", ledger], check=True, capture_output=True)
    return ledger


def wallets(s):
    s.lines([{"op": "wallet.create", "wallet": f"W{n}", "kind": "PERSONAL", "name": f"이름{n}", "key": f"w{n}"} for n in range(WALLETS)])


def log_of(jangbu, ledger):
    return [json.loads(line) for line in subprocess.run([jangbu, "log", ledger, "--json"], capture_output=True, check=True).stdout.splitlines()]


def many(a, work):
    ledger = make(a.jangbu, work)
    flags = ("--log", "off")
    now = [Served(a.jangbud, ledger, flags=flags)]
    wallets(now[0])
    listeners = Listeners(a.subscribers, now[0].unix, a.seed, whole=True)
    listeners.start()
    batches = max(1, a.events // 3 // 24)
    writers = [Writer(lambda: now[0], n, batches, 20, 0.01) for n in range(3)]
    for w in writers:
        w.start()
    time.sleep(0.6)
    now[0].kill()
    now[0] = Served(a.jangbud, ledger, flags=flags)
    for w in writers:
        w.join()
    check("all was answered", not any(w.failed for w in writers), [w.failed for w in writers])
    log = log_of(a.jangbu, ledger)
    listeners.until = {None: len(log), **{f"W{n}": max(e["seq"] for e in log if e["wallet"] == f"W{n}") for n in range(WALLETS)}}
    listeners.join()
    check("each has all of it", listeners.failed is None, repr(listeners.failed))
    people = 0
    for l in listeners.all:
        want = [e for e in log if l.wallet is None or e["wallet"] == l.wallet]
        have = [json.loads(row) for row in l.rows]
        check(f"{l.number}: each event once, in order", l.seqs == [e["seq"] for e in want], (l.reconnects, len(l.seqs), len(want)))
        check(f"{l.number}: as the log has it", all({**row, **e} == row for row, e in zip(have, want)))
        check(f"{l.number}: personal texts where they are asked for", all(("people" in row) == l.people for row in have))
        people += l.people
        sums = {}
        for row in have:
            if row["balance"] is not None:
                sums[row["wallet"]] = sums.get(row["wallet"], 0) + row["effect"]
                if sums[row["wallet"]] != row["balance"]["total"]:
                    check(f"{l.number}: the sum of effects is the balance", False, row)
                    break
    print(f"{len(log)} events, {len(listeners.all)} listeners ({people} with personal texts), {sum(l.reconnects for l in listeners.all)} reconnects")
    return now[0], log


def pages(s, log):
    got, cursor = [], ""
    while True:
        page = s.get(f"/v1/feed?limit=100&cursor={cursor}" if cursor else "/v1/feed?limit=100").json
        got += page["rows"]
        cursor = page["next"]
        if not page["more"]:
            break
    check("in pages", [row["seq"] for row in got] == [e["seq"] for e in log])
    begun = time.monotonic()
    empty = s.get(f"/v1/feed?cursor={cursor}&wait=1")
    check("a wait that ends", empty.json["rows"] == [] and empty.json["next"] == cursor and time.monotonic() - begun > 0.9, empty)
    answers = []
    waiting = [threading.Thread(target=lambda path=path: answers.append(s.get(path).json)) for path in
               [f"/v1/feed?cursor={cursor}&wait=15"] * 5 + [f"/v1/wallets/W1/feed?after={len(log)}&wait=15"]]
    for t in waiting:
        t.start()
    time.sleep(0.3)
    s.post({"op": "charge", "wallet": "W0", "charge": "other", "amount": 10, "key": "other"})
    time.sleep(0.3)
    check("of a wallet it waits on", len(answers) == 5, len(answers))
    s.post({"op": "charge", "wallet": "W1", "charge": "mine", "amount": 10, "key": "mine"})
    for t in waiting:
        t.join(20)
    check("a wait that an event ends", sorted(a["rows"][0]["charge"] for a in answers) == ["mine"] + ["other"] * 5, answers)


def refused(s, a, work):
    def problem(name, answer, status, code):
        check(name, answer.status == status and answer.json["code"] == code, answer)
    other = Served(a.jangbud, make(a.jangbu, os.path.join(work, "other")), flags=("--subscribers", "3", "--log", "off"))
    with other:
        cursor = other.get("/v1/feed?limit=1").json["next"]
        for accept in ("application/json", "text/event-stream", "application/x-ndjson"):
            problem(f"another ledger's cursor, {accept}", s.get(f"/v1/feed?cursor={cursor}", Accept=accept), 400, "E_USAGE")
            problem(f"ahead, {accept}", s.get("/v1/feed?after=99999999", Accept=accept), 409, "CURSOR_AHEAD")
            problem(f"no such wallet, {accept}", s.get("/v1/wallets/nobody/feed", Accept=accept), 404, "E_NOTFOUND")
        problem("a foreign Last-Event-ID", s.get("/v1/feed", Accept="text/event-stream", Last_Event_ID=cursor), 400, "E_USAGE")
        for n in (300, 4000):
            problem(f"a Last-Event-ID of {n}", s.get("/v1/feed", Accept="text/event-stream", Last_Event_ID="a" * n), 400, "BAD_REQUEST")
        for wait in ("31", "x", "-1", "1.5", "", "999"):
            problem(f"wait={wait}", s.get(f"/v1/feed?wait={wait}"), 400, "PARAMETER")
        problem("a filter that it does not have", s.get("/v1/feed?types=charge_settled"), 400, "PARAMETER")
        streams = [Listener(0, random.Random(1), False) for _ in range(3)]
        for l in streams:
            l.connect(other.unix)
        time.sleep(0.3)
        problem("as many as there may be", other.get("/v1/feed", Accept="text/event-stream"), 503, "SLOW_FULL")
        check("and pages go on", other.get("/v1/feed").status == 200)
        streams[0].close()
        end, status = time.monotonic() + 10, 503
        while status == 503 and time.monotonic() < end:
            other.post({"op": "wallet.create", "wallet": f"N{time.monotonic_ns()}", "kind": "PERSONAL", "name": "n", "key": str(time.monotonic_ns())})
            l = Listener(0, random.Random(1), False)
            l.connect(other.unix)
            l.sock.settimeout(5)
            status = int(l.sock.recv(4096)[9:12])
            l.close()
        check("who goes makes room", status == 200, status)
        begun = time.monotonic()
        poll = threading.Thread(target=lambda: other.get("/v1/feed?after=10&wait=30"))
        poll.start()
        time.sleep(0.2)
        check("ends in order, with streams and waits", other.stop() == 0 and time.monotonic() - begun < 10)
        poll.join()
    tokens = os.path.join(work, "tokens")
    some = token(a.jangbud, tokens, "some", "--scope", "read", "--wallets", "W1")
    none = token(a.jangbud, tokens, "none", "--scope", "read:balance")
    with Served(a.jangbud, make(a.jangbu, os.path.join(work, "third")), tokens=tokens, flags=("--log", "off")) as t:
        wallets(t)
        for accept in ("application/json", "text/event-stream"):
            problem(f"all, with a prefix, {accept}", t.get("/v1/feed", token=some, Accept=accept), 403, "FORBIDDEN")
            problem(f"another's wallet, {accept}", t.get("/v1/wallets/W2/feed", token=some, Accept=accept), 403, "FORBIDDEN")
            problem(f"personal texts, {accept}", t.get("/v1/wallets/W1/feed?people=true", token=some, Accept=accept), 403, "FORBIDDEN")
            problem(f"no feed, {accept}", t.get("/v1/wallets/W1/feed", token=none, Accept=accept), 403, "FORBIDDEN")
            problem(f"nobody, {accept}", t.get("/v1/feed", token="x" * 43, Accept=accept), 401, "UNAUTHENTICATED")
        check("one's own", t.get("/v1/wallets/W1/feed", token=some).json["rows"][0]["wallet"] == "W1")


def fair(a, work):
    """Many that are far behind and fast: whoever came first is not left behind by those that came later."""
    ledger = make(a.jangbu, os.path.join(work, "fair"))
    with Served(a.jangbud, ledger, flags=("--log", "off")) as s:
        wallets(s)
        for n in range(12):
            s.lines([{"op": "consume", "wallet": "W0", "usage": f"u{n}-{i}", "amount": 100000, "key": f"u{n}-{i}", "note": "n"} for i in range(800)])
        head = s.get("/v1/ledger/head").json["seq"]
        listeners = Listeners(0, s.unix, a.seed, restless=False)
        listeners.until = {None: head}
        listeners.all = [Listener(2, random.Random(n), False) for n in range(6)]
        first = listeners.all[0]
        behind, take = [], listeners.take

        def looked(listener):
            take(listener)
            if listener is not first and listener.seqs and listener.seqs[-1] >= head and not behind:
                behind.append((first.seqs or [0])[-1])
        listeners.take = looked
        listeners.start()
        listeners.join()
        check("all have all", listeners.failed is None, listeners.failed)
        check("who came first is not left behind", behind and behind[0] > head * 3 // 4, (behind, head))


# ---- what it costs


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(a, work):
    ledger = make(a.jangbu, work)
    with Served(a.jangbud, ledger, flags=("--log", "off")) as s:
        wallets(s)
        costs, writer = {}, 0
        for n in (0, a.subscribers, 0, a.subscribers):
            listeners = Listeners(n, s.unix, a.seed, restless=False, plain=True)
            for l in listeners.all:
                l.after = s.get("/v1/ledger/head").json["seq"]
            listeners.start()
            time.sleep(1.5)
            before, begun, head = cpu(s.process.pid), time.monotonic(), s.get("/v1/ledger/head").json["seq"]
            writer += 1
            w = Writer(lambda: s, 100 + writer, a.events // 24, 20, 0)
            w.start()
            w.join()
            end = s.get("/v1/ledger/head").json["seq"]
            listeners.until = {None: end}
            listeners.join()
            if w.failed or listeners.failed:
                sys.exit(f"{w.failed!r} {listeners.failed!r}")
            cost = cpu(s.process.pid) - before
            costs.setdefault(n, []).append(cost / (end - head))
            print(f"{n:4} listeners: {end - head} events in {time.monotonic() - begun:.1f} s, {cost * 1e6 / (end - head):.1f} us of the daemon's time an event")
        alone, with_all = min(costs[0]), min(costs[a.subscribers])
        print(f"{(with_all - alone) * 1e6 / a.subscribers:.2f} us an event and listener")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jangbu")
    parser.add_argument("jangbud")
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--events", type=int, default=900)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--measure", action="store_true")
    a = parser.parse_args()
    work = tempfile.mkdtemp(prefix="jangbu-feed-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        if a.measure:
            return measure(a, work)
        for name in ("other", "third", "fair"):
            os.mkdir(os.path.join(work, name))
        served, log = many(a, work)
        with served:
            pages(served, log)
            refused(served, a, work)
        fair(a, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{checks['passed']} passed, {checks['failed']} failed (seed {a.seed})")
    return checks["failed"] != 0


sys.exit(main())
