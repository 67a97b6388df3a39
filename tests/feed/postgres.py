#!/usr/bin/python3
"""jangbu-feed into a PostgreSQL of its own: killed and cut off beside writers, each event is there once, and the sum of effects is the balance.

usage: postgres.py JANGBU JANGBU-FEED [--kills N] [--seed N]"""
import argparse
import collections
import glob
import json
import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

WALLETS = 12
checks = {"passed": 0, "failed": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {str(detail)[:600]}")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


# ---- a server of our own

def server_programs():
    """The directory of initdb and postgres; Debian's lie beside the path."""
    found = [os.path.dirname(p) for p in sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))]
    on_path = shutil.which("initdb")
    return found[-1] if found else os.path.dirname(on_path) if on_path else None


def as_somebody():
    """The server does not run as root: the words before its command, and whose its directory is."""
    if os.geteuid() != 0:
        return [], None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if shutil.which("setpriv"):
            return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user
    skip("the server does not run as root, and there is no user or no setpriv to run it as somebody else")


class Server:
    def __init__(self, work):
        self.programs, (self.before, user) = server_programs(), as_somebody()
        self.directory, self.log = os.path.join(work, "pg"), open(os.path.join(work, "pg.log"), "w+b")
        os.mkdir(self.directory, 0o700)
        if user:
            os.chmod(work, 0o755)
            os.chown(self.directory, user.pw_uid, user.pw_gid)
        made = subprocess.run([*self.before, f"{self.programs}/initdb", "-D", f"{self.directory}/data", "-A", "trust", "-U", "feed", "-N", "-E", "UTF8",
                               "--no-instructions", "--locale=C"], capture_output=True, text=True, cwd="/")
        if made.returncode != 0:
            sys.exit(f"initdb: {made.stderr}")
        self.conninfo = f"host={self.directory} user=feed dbname=postgres"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([*self.before, f"{self.programs}/postgres", "-D", f"{self.directory}/data", "-k", self.directory, "-h", "", "-F",
                                         "-c", "shared_buffers=16MB", "-c", "max_connections=20"], stdout=self.log, stderr=self.log, cwd="/")
        end = time.monotonic() + 60
        while self.ask("SELECT 1", must=False) != "1":
            if time.monotonic() > end or self.process.poll() is not None:
                self.log.seek(0)
                sys.exit(f"the server does not start: {self.log.read()[-800:].decode()}")
            time.sleep(0.05)

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.process.wait(60)

    def ask(self, statement, must=True, schema="public"):
        done = subprocess.run(["psql", "-XAtq", "-d", f"{self.conninfo} options='-c search_path={schema}'", "-v", "ON_ERROR_STOP=1", "-c", statement],
                              capture_output=True, text=True)
        if must and done.returncode != 0:
            raise AssertionError(f"{statement}: {done.stderr}")
        return done.stdout.strip()


# ---- a ledger that is written to

class Writer(threading.Thread):
    """Commands in batches and groups, as long as it is told."""

    def __init__(self, jangbu, ledger, seed):
        super().__init__()
        self.jangbu, self.ledger, self.random, self.go_on, self.number = jangbu, ledger, random.Random(seed), True, 0
        self.apply = None

    def command(self):
        self.number += 1
        wallet, what = f"W{self.random.randrange(WALLETS)}", self.random.randrange(10)
        if what < 2:
            return {"op": "charge", "wallet": wallet, "charge": f"c{self.number}", "amount": self.random.randrange(1000, 90000)}
        if what < 3:
            return {"op": "free.grant", "wallet": wallet, "grant": f"g{self.number}", "amount": 500, "expires_on": "9000-01-01"}
        return {"op": "consume", "wallet": wallet, "usage": f"u{self.number}", "amount": self.random.randrange(1, 900),
                "key": f"k{self.number}"}

    def lines(self):
        if self.random.randrange(4) == 0:
            members = [{k: v for k, v in self.command().items() if k != "key"} for _ in range(self.random.randrange(2, 9))]
            return [{"op": "atomic", "commands": members}]
        return [self.command() for _ in range(self.random.randrange(1, 60))]

    def write(self, lines):
        for line in lines:
            self.apply.stdin.write(json.dumps(line).encode() + b"\n")
        self.apply.stdin.flush()

    def run(self):
        self.apply = subprocess.Popen([self.jangbu, "apply", self.ledger, "--json"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.write([{"op": "wallet.create", "wallet": f"W{n}", "kind": "PERSONAL", "name": f"월렛 {n} \\ '\"", "actor": {"id": "kim", "role": "OPERATOR"}} for n in range(WALLETS)])
        while self.go_on:
            self.write(self.lines())
            time.sleep(0.008)
        self.apply.stdin.close()
        self.apply.wait(60)


class Feed:
    def __init__(self, program, conninfo, ledger, *options):
        self.process = subprocess.Popen([program, "postgres", conninfo, ledger, *options], stderr=subprocess.PIPE, text=True)

    def end(self, how):
        """Exit status and last words."""
        if how is not None:
            self.process.send_signal(how)
        _, words = self.process.communicate(timeout=60)
        return self.process.returncode, words


def whole(server, head):
    count, first, last, place = server.ask("SELECT count(*), min(seq), max(seq), (SELECT seq FROM jangbu_feed) FROM jangbu_events").split("|")
    check("no hole and nothing twice", (count, first, last, place) == (head, "1" if head else "", head, head), (count, first, last, place, head))


def caught_up(server):
    """At any moment rows and place agree: a transaction has both."""
    same = server.ask("SELECT coalesce(max(e.seq), 0) = f.seq AND count(e.seq) = f.seq FROM jangbu_events e RIGHT JOIN jangbu_feed f ON true GROUP BY f.seq")
    check("rows and place agree", same in ("t", ""), same)


def kills(a, server, ledger, rng):
    """The feed is killed, cut off from the server, and the server itself is stopped at once and started again."""
    for number in range(a.kills):
        feed = Feed(a.feed, server.conninfo, ledger)
        time.sleep(rng.uniform(0.03, 0.35))
        if number % 3 == 1:
            server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jangbu-feed'")
            time.sleep(0.4)
        if number % 5 == 2:
            server.stop(signal.SIGQUIT)
            server.start()
            time.sleep(0.4)
        check("it was at work when it was killed", feed.process.poll() is None, feed.process.returncode)
        feed.end(signal.SIGKILL)
        caught_up(server)


def same_as_the_log(a, server, ledger):
    log = [json.loads(line) for line in subprocess.run([a.jangbu, "log", ledger, "--json"], capture_output=True, text=True, check=True).stdout.splitlines()]
    rows = [json.loads(line) for line in server.ask("SELECT event FROM jangbu_events ORDER BY seq").splitlines()]
    check("each event is that of the log", len(log) == len(rows) and all({**row, **event} == row for row, event in zip(rows, log)))
    check("and the columns are its members", server.ask("""SELECT count(*) FROM jangbu_events WHERE seq <> (event->>'seq')::bigint OR type <> event->>'type'
        OR wallet IS DISTINCT FROM event->>'wallet' OR effect <> (event->>'effect')::bigint OR total IS DISTINCT FROM (event#>>'{balance,total}')::bigint
        OR recorded_at IS DISTINCT FROM (event->>'recorded_at')::timestamptz OR status IS DISTINCT FROM event#>>'{balance,status}'
        OR debt IS DISTINCT FROM (event#>>'{balance,debt}')::bigint OR posted_on IS DISTINCT FROM (event->>'posted_on')::date""") == "0")
    balances = {}
    for line in subprocess.run([a.jangbu, "balance", ledger, "--all", "--json"], capture_output=True, text=True, check=True).stdout.splitlines():
        balance = json.loads(line)
        balances[balance["wallet"]] = str(balance["total"])
    sums = dict(line.split("|") for line in server.ask("SELECT wallet, sum(effect) FROM jangbu_events WHERE wallet IS NOT NULL GROUP BY wallet").splitlines())
    last = dict(line.split("|") for line in server.ask("SELECT DISTINCT ON (wallet) wallet, total FROM jangbu_events WHERE wallet IS NOT NULL ORDER BY wallet, seq DESC").splitlines())
    check("the sum of effects is the balance", sums == balances and len(sums) == WALLETS, (sums, balances))
    check("and so is the last row's", last == balances, (last, balances))
    check("nothing personal", "월렛" not in server.ask("SELECT string_agg(event::text, '') FROM jangbu_events") and
          "kim" not in server.ask("SELECT string_agg(event::text, '') FROM jangbu_events"))
    print(f"{len(log)} events, {sum('group_events' in e for e in log)} groups, {dict(collections.Counter(e['type'] for e in log))}")


def refusals(a, server, work, ledger, backup):
    other = os.path.join(work, "other")
    subprocess.run([a.jangbu, "init", other], check=True, stdout=subprocess.DEVNULL)
    before = server.ask("SELECT * FROM jangbu_feed")
    for name, directory, words in (("another ledger's tables", other, "another ledger"), ("a log that was put back", backup, "put back")):
        code, said = Feed(a.feed, server.conninfo, directory, "--once").end(None)
        check(name, code == 1 and words in said, (code, said))
    check("and nothing was changed", server.ask("SELECT * FROM jangbu_feed") == before)
    server.ask("CREATE SCHEMA two")
    beside = f"{server.conninfo} options='-c search_path=two'"
    first, second = Feed(a.feed, beside, other), Feed(a.feed, beside, other)
    time.sleep(0.5)
    subprocess.run([a.jangbu, "apply", other, "--json"], input=b'{"op":"wallet.create","wallet":"W","kind":"PERSONAL","name":"w"}\n', check=True, stdout=subprocess.DEVNULL)
    time.sleep(0.7)
    ended = [feed for feed in (first, second) if feed.process.poll() is not None]
    check("of two at once one ends", len(ended) == 1 and ended[0].end(None)[0] == 1, len(ended))
    going = second if first in ended else first
    code, said = going.end(signal.SIGTERM)
    check("SIGTERM ends it in order", code == 0 and said == "", (code, said))
    check("and what it had is there", server.ask("SELECT count(*) = max(seq) AND max(seq) = (SELECT seq FROM jangbu_feed) FROM jangbu_events", schema="two") == "t")
    code, said = Feed(a.feed, "host=/nowhere dbname=x", other).process, None
    time.sleep(0.4)
    code.send_signal(signal.SIGTERM)
    check("a server that there is not is waited for", code.wait(30) == 0 and "connecting" in code.stderr.read())
    server.ask("UPDATE jangbu_feed SET version = 2")
    code, said = Feed(a.feed, server.conninfo, ledger, "--once").end(None)
    check("tables of a later version", code == 1 and "later version" in said, (code, said))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jangbu")
    parser.add_argument("feed")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20261127)
    a = parser.parse_args()
    if server_programs() is None or shutil.which("psql") is None:
        skip("PostgreSQL is not here (Debian: postgresql-15)")
    rng = random.Random(a.seed)
    writer = None
    work = tempfile.mkdtemp(prefix="jangbu-feed-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    server = Server(work)
    try:
        ledger, backup = os.path.join(work, "ledger"), os.path.join(work, "backup")
        subprocess.run([a.jangbu, "init", ledger], check=True, stdout=subprocess.DEVNULL)
        code, said = Feed(a.feed, server.conninfo, ledger, "--once").end(None)
        check("the tables are made", code == 0 and said == "", (code, said))
        writer = Writer(a.jangbu, ledger, a.seed)
        writer.start()
        kills(a, server, ledger, rng)
        subprocess.run([a.jangbu, "backup", ledger, backup], check=True, stdout=subprocess.DEVNULL)
        time.sleep(0.2)
        writer.go_on = False
        writer.join()
        code, said = Feed(a.feed, server.conninfo, ledger, "--once").end(None)
        check("to the end", code == 0 and said == "", (code, said))
        head = str(json.loads(subprocess.run([a.jangbu, "stat", ledger, "--json"], capture_output=True, check=True).stdout)["events"])
        whole(server, head)
        same_as_the_log(a, server, ledger)
        refusals(a, server, work, ledger, backup)
    finally:
        if writer is not None:
            writer.go_on = False
            writer.join()
        server.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{checks['passed']} passed, {checks['failed']} failed (seed {a.seed})")
    sys.exit(checks["failed"] != 0)


main()
