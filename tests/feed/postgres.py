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
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import check, checks, skip  # noqa: E402

WALLETS = 12

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
    all = []

    def __init__(self, program, conninfo, ledger, *options):
        self.process = subprocess.Popen([program, "postgres", conninfo, ledger, *options], stderr=subprocess.PIPE, text=True)
        self.all.append(self.process)

    def end(self, how):
        """Exit status and last words."""
        if how is not None:
            self.process.send_signal(how)
        _, words = self.process.communicate(timeout=20)
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


class Proxy(threading.Thread):
    """Between the program and the server; `cut` takes the program's side away, and the server does not hear of it."""

    def __init__(self, work, server):
        super().__init__(daemon=True)
        self.directory, self.server, self.clients, self.kept, self.cutting = os.path.join(work, "way"), server, [], [], False
        os.mkdir(self.directory)
        self.conninfo = server.conninfo.replace(f"host={server.directory}", f"host={self.directory}")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(f"{self.directory}/.s.PGSQL.5432")
        self.listener.listen()
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            there.connect(f"{self.server.directory}/.s.PGSQL.5432")
            self.clients.append(client)
            self.kept.append(there)
            for a, b in ((client, there), (there, client)):
                threading.Thread(target=self.carry, args=(a, b, b is there), daemon=True).start()

    def carry(self, a, b, up):
        """Until a ends; then b hears of it, but for the server of what was cut."""
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        try:
            if not (up and self.cutting):
                b.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended, too

    def cut(self):
        self.cutting = True
        for client in self.clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # one that has ended
        time.sleep(0.2)
        self.cutting = False


def cut_in_commit(a, server, work):
    """The connection breaks while the server commits: it does so after the place was read again, and that is nobody else."""
    ledger, proxy = os.path.join(work, "cut"), Proxy(work, server)
    subprocess.run([a.jangbu, "init", ledger], check=True, stdout=subprocess.DEVNULL)
    server.ask("CREATE SCHEMA cut")
    conninfo = f"{proxy.conninfo} options='-c search_path=cut'"
    check("tables behind a proxy", Feed(a.feed, conninfo, ledger, "--once").end(None) == (0, ""))
    server.ask("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END'", schema="cut")
    server.ask("CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON jangbu_feed DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()", schema="cut")
    lines = b'{"op":"wallet.create","wallet":"W","kind":"PERSONAL","name":"w"}\n{"op":"charge","wallet":"W","charge":"c","amount":1000}\n'
    subprocess.run([a.jangbu, "apply", ledger, "--json"], input=lines, check=True, stdout=subprocess.DEVNULL)
    feed = Feed(a.feed, conninfo, ledger, "--once")
    committing = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE jangbu_feed%COMMIT%' AND wait_event = 'PgSleep'"
    end = time.monotonic() + 20
    while server.ask(committing) != "1" and time.monotonic() < end:
        time.sleep(0.02)
    proxy.cut()
    code, said = feed.end(None)
    check("cut off in a commit that is done", code == 0 and "after all" in said, (code, said))
    head = str(json.loads(subprocess.run([a.jangbu, "stat", ledger, "--json"], capture_output=True, check=True).stdout)["events"])
    check("each event is there once", server.ask("SELECT count(*), max(seq), (SELECT seq FROM jangbu_feed) FROM jangbu_events", schema="cut") == f"{head}|{head}|{head}")


def not_let_in(a, server, work):
    """What no other try will mend ends it; what may pass is tried again."""
    ledger = os.path.join(work, "cut")
    server.ask("CREATE ROLE locked LOGIN PASSWORD 'right'")
    with open(f"{server.directory}/data/pg_hba.conf") as f:
        rules = f.read()
    with open(f"{server.directory}/data/pg_hba.conf", "w") as f:
        f.write("local all locked scram-sha-256\n" + rules)
    server.ask("SELECT pg_reload_conf()")
    time.sleep(0.3)
    locked = server.conninfo.replace("user=feed", "user=locked")
    for name, conninfo, words in (("no such database", server.conninfo.replace("postgres", "none"), "does not exist"), ("no such user", server.conninfo.replace("user=feed", "user=none"), "none"),
                                  ("a wrong password", f"{locked} password=wrong", "password"), ("no password", f"{locked} passfile=/nowhere", "password"),
                                  ("no conninfo", f"{server.conninfo} hots=x", "hots"), ("a setting that is none", f"{server.conninfo} options='-c nothing=1'", "nothing")):
        feed = Feed(a.feed, conninfo, ledger, "--once")
        try:
            code, said = feed.end(None)
        except subprocess.TimeoutExpired:
            code, said = feed.end(signal.SIGKILL)
        check(name, code == 1 and words in said and said.count("\n") == 1, (code, said))


def documented(server, head):
    """What docs/operating.md asks of the server says how far the copy is."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    page = subprocess.run([sys.executable, f"{top}/tests/docs/check_operating.py", top, "--marked", "postgres"], capture_output=True, text=True, check=True).stdout
    check("a page's query", page.startswith("SELECT seq") and server.ask(page).startswith(head + "|"), page)


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
        documented(server, head)
        same_as_the_log(a, server, ledger)
        cut_in_commit(a, server, work)
        not_let_in(a, server, work)
        refusals(a, server, work, ledger, backup)
    finally:
        for process in Feed.all:  # of a test that died
            if process.poll() is None:
                process.kill()
                process.wait()
        if writer is not None:
            writer.go_on = False
            writer.join()
        server.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{checks['passed']} passed, {checks['failed']} failed (seed {a.seed})")
    sys.exit(checks["failed"] != 0)


main()
