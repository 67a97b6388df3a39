#!/usr/bin/python3
"""What docs/operating.md says that jangbud needs, measured: RssAnon when it starts, of connections at rest, of wallets that are made and used
one after the other as quick as it goes, and a minute later, when what a burst left has gone back to the system.

usage: memory.py JANGBU JANGBUD [--connections N] [--wallets N]"""
import argparse
import sys
import tempfile
import time

from served import Served, ledger_in

LINES = 2000
AT_ONCE = 4000  # wallets a second, where they are used in quiet
MINUTE = 65


def own(s):
    """Bytes of its own."""
    with open(f"/proc/{s.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon")) * 1024


def say(what, n, each=0, of=""):
    print(f"{what:44} {n / 1e6:7.1f} MB{f', {n / each:.0f} bytes {of}' if each else ''}", flush=True)


def send(s, connection, commands):
    a = s.lines(commands, connection=connection)
    if a.status != 200 or b'"ok":false' in a.body:
        raise RuntimeError(a)


def made(i):
    wallet = f"W{i}"
    return [{"op": "wallet.create", "wallet": wallet, "kind": "PERSONAL", "name": wallet, "key": f"w{i}"},
            {"op": "charge", "wallet": wallet, "charge": "C", "amount": 1000, "key": f"c{i}"}]


def used(i, usage):
    return [{"op": "consume", "wallet": f"W{i}", "usage": usage, "amount": 10, "key": f"{usage}{i}"}]


def all_wallets(s, wallets, commands, rest=0.0):
    connection = s.connection(unix=True)
    for first in range(0, wallets, LINES):
        send(s, connection, [c for i in range(first, min(first + LINES, wallets)) for c in commands(i)])
        time.sleep(rest)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jangbu")
    parser.add_argument("jangbud")
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--wallets", type=int, default=100_000)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jangbud-") as work:
        ledger = ledger_in(a.jangbu, work, "memory")
        with Served(a.jangbud, ledger, flags=["--log", "off", "--idle-time", "600s"]) as s:
            time.sleep(2)
            began = own(s)
            say("started", began)
            held = [s.connection(unix=True) for _ in range(a.connections)]
            for connection in held:
                s.get("/healthz", connection=connection)
            say(f"{a.connections} connections at rest", own(s) - began, a.connections, "each")
        with Served(a.jangbud, ledger, flags=["--log", "off"]) as s:
            began = own(s)
            all_wallets(s, a.wallets, made)
            say(f"{a.wallets} wallets made", own(s) - began, a.wallets, "each")
        with Served(a.jangbud, ledger, flags=["--log", "off"]) as s:
            began = own(s)
            all_wallets(s, a.wallets, lambda i: used(i, "U"), LINES / AT_ONCE)
            quiet = own(s) - began
            say(f"{a.wallets} wallets used, {AT_ONCE} a second", quiet, a.wallets, "each")
        with Served(a.jangbud, ledger, flags=["--log", "off"]) as s:
            began = own(s)
            all_wallets(s, a.wallets, lambda i: used(i, "V"))
            burst = own(s) - began
            say(f"{a.wallets} wallets used at once", burst, a.wallets, "each")
            time.sleep(MINUTE)
            left = own(s) - began
            say("a minute later", left, a.wallets, "each")
    return 0 if left < 1.4 * quiet else 1


if __name__ == "__main__":
    sys.exit(main())
