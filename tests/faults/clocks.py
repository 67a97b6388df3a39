#!/usr/bin/python3
"""The program under other clocks, by faketime: the day closes by itself after midnight and grace, a clock that went back is refused beyond the
tolerance and waited out within it, and a machine's time zone means nothing.

usage: clocks.py JANGBU"""
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile

JANGBU = None
failures = []


def check(what, ok, detail=""):
    if not ok:
        failures.append(what)
        print(f"failed: {what}: {str(detail)[:600]}")


# As POSIX writes them, so that no time zone data is needed: the offset from UTC has the other sign.
ZONES = {"UTC0": 0, "KST-9": 9 * 60, "NST3:30": -3 * 60 - 30}


def at(utc, *args, zone):
    """jangbu with the clock standing at that time of UTC. faketime reads the local time of the zone."""
    local = datetime.datetime.fromisoformat(utc) + datetime.timedelta(minutes=ZONES[zone])
    env = {**os.environ, "TZ": zone, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return subprocess.run(["faketime", "-f", local.isoformat(" "), JANGBU, *args], capture_output=True, text=True, env=env)


def result(out):
    return json.loads(out.stdout) if out.stdout.startswith("{") else {"stderr": out.stderr}


def days(ledger, zone):
    """2026-10-02 00:00 at +09:00 is 15:00 of UTC; the grace is ten minutes."""
    check("init", at("2026-10-01 14:00:00", "init", ledger, zone=zone).returncode == 0)
    at("2026-10-01 14:00:00", "wallet", "create", ledger, "W", "--kind", "BUSINESS", "--name", "w", zone=zone)
    first = result(at("2026-10-01 14:59:59", "charge", ledger, "W", "C1", "1000", "--json", zone=zone))
    check("before midnight", first["ok"], first)
    stat = result(at("2026-10-01 15:05:00", "stat", ledger, "--json", zone=zone))
    check("past midnight, within the grace: said and not closed", stat["closed_through"] is None and stat["past_day_open"] is True, stat)
    second = result(at("2026-10-01 15:09:59", "charge", ledger, "W", "C2", "1000", "--json", zone=zone))
    check("one second before the grace is over", second["seq"] == first["seq"] + 1, second)
    third = result(at("2026-10-01 15:10:00", "charge", ledger, "W", "C3", "1000", "--json", zone=zone))
    check("the grace is over: the day is closed first", third["seq"] == second["seq"] + 2, third)
    check("through 1 October", result(at("2026-10-01 15:10:01", "stat", ledger, "--json", zone=zone))["closed_through"] == "2026-10-01")
    rows = result(at("2026-10-01 15:10:01", "cash-status", ledger, "W", "--json", zone=zone))["rows"]
    check("with one charge", [(row["day"], row["charged"]) for row in rows] == [("2026-10-01", 1000)], rows)


def backwards(ledger, zone):
    seq = result(at("2026-10-01 15:20:00", "charge", ledger, "W", "C4", "1000", "--json", zone=zone))["seq"]
    within = result(at("2026-10-01 15:15:00", "charge", ledger, "W", "C5", "1000", "--json", zone=zone))
    check("five minutes back: taken", within["ok"] and within["seq"] == seq + 1, within)
    events = [json.loads(line) for line in at("2026-10-01 15:20:00", "log", ledger, "--json", zone=zone).stdout.splitlines()]
    check("and recorded no earlier than the event before", events[-1]["recorded_at"] == events[-2]["recorded_at"], events[-2:])
    out = at("2026-10-01 15:14:59", "charge", ledger, "W", "C6", "1000", "--key", "k", "--json", zone=zone)
    check("more: refused", out.returncode == 1 and result(out)["code"] == "CLOCK_BEHIND" and result(out)["behind_us"] == 301_000_000, out.stdout)
    later = result(at("2026-10-01 15:30:00", "charge", ledger, "W", "C6", "1000", "--key", "k", "--json", zone=zone))
    check("and not remembered: the same key later is done", later["ok"] and "duplicate" not in later, later)
    future = result(at("2026-10-01 15:30:00", "charge", ledger, "W", "C7", "1000", "--at", "2026-10-02T00:35:00.000001+09:00", "--json", zone=zone))
    check("an `at` over five minutes ahead", future.get("code") == "AT_IN_FUTURE", future)
    future = result(at("2026-10-01 15:30:00", "charge", ledger, "W", "C7", "1000", "--at", "2026-10-02T00:35:00+09:00", "--json", zone=zone))
    check("five minutes ahead: taken", future["ok"], future)


def main():
    global JANGBU
    JANGBU = os.path.abspath(sys.argv[1])
    if shutil.which("faketime") is None:
        print("skipped: faketime is not installed")
        return 77
    logs = []
    for zone in ZONES:
        with tempfile.TemporaryDirectory() as work:
            ledger = os.path.join(work, "l")
            days(ledger, zone)
            backwards(ledger, zone)
            check("audit", at("2026-10-01 15:31:00", "audit", ledger, zone=zone).returncode == 0)
            logs.append([{k: v for k, v in json.loads(line).items() if k != "ledger_id"} for line in at("2026-10-01 15:31:00", "log", ledger, "--json", zone=zone).stdout.splitlines()])
    check("the same events in every zone", logs[0] == logs[1] == logs[2])
    print(f"three time zones, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
