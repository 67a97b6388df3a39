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


def ahead(ledger):
    """A clock that jumped ahead once would close the days up to there and shut the ledger until then: it is refused unless the caller vouches for
    it. And there is a way back when he was wrong, which leaves the log as it is."""
    def run(utc, *args):
        return result(at(utc, *args, "--json", zone="UTC0"))

    at("2026-10-01 00:00:00", "init", ledger, zone="UTC0")
    run("2026-10-01 00:00:00", "wallet", "create", ledger, "W", "--kind", "BUSINESS", "--name", "w")
    taken = run("2027-01-02 00:00:00", "charge", ledger, "W", "C1", "1000")
    check("93 days ahead: taken", taken["ok"], taken)
    seq = run("2027-01-02 00:00:00", "stat", ledger)["events"]
    out = at("2027-04-05 00:00:01", "charge", ledger, "W", "C2", "1000", "--key", "k", "--json", zone="UTC0")
    refused = result(out)
    check("a second more: refused", out.returncode == 1 and refused["code"] == "CLOCK_AHEAD" and refused["days_max"] == 93
          and refused["ahead_us"] == (93 * 86400 + 1) * 1_000_000 and refused["recorded_at"] == "2027-01-02T09:00:00.000000+09:00", refused)
    check("and it says what to do", "--accept-clock" in refused["message"], refused)
    dry = run("2027-04-05 00:00:01", "charge", ledger, "W", "C2", "1000", "--dry-run")
    check("a dry run says the same", dry.get("code") == "CLOCK_AHEAD", dry)
    check("nothing was written", run("2027-01-02 00:00:00", "stat", ledger)["events"] == seq)
    later = run("2027-04-05 00:00:00", "charge", ledger, "W", "C2", "1000", "--key", "k")
    check("nor remembered: the same key with the clock set right is done", later["ok"] and "duplicate" not in later, later)
    known = run("2036-04-05 00:00:00", "charge", ledger, "W", "C2", "1000", "--key", "k")
    check("a known key is answered whatever the clock says", known["ok"] and known["duplicate"], known)
    lines = os.path.join(os.path.dirname(ledger), "lines")
    with open(lines, "w") as f:
        f.write('{"op":"charge","wallet":"W","charge":"C3","amount":1}\n')
    out = at("2036-04-05 00:00:00", "apply", ledger, lines, zone="UTC0")
    check("apply, too", out.returncode == 1 and result(out)["code"] == "CLOCK_AHEAD", out.stdout)
    out = at("2036-04-05 00:00:00", "apply", ledger, lines, "--accept-clock", "--clock=at", zone="UTC0")
    check("--accept-clock is about the system's clock", out.returncode == 2, out.stderr)
    out = at("2036-04-05 00:00:00", "apply", ledger, lines, "--accept-clock", zone="UTC0")
    check("vouched for: taken", out.returncode == 0 and result(out)["ok"], out.stdout + out.stderr)
    jumped = run("2036-04-05 00:00:00", "stat", ledger)
    for what, args in (("a charge", ("charge", ledger, "W", "C4", "1")), ("another policy", ("policy", "set", ledger, "grants_max", "9"))):
        behind = run("2027-04-06 00:00:00", *args)
        check(f"the clock is right again: {what} waits", behind.get("code") == "CLOCK_BEHIND", behind)
    back = run("2027-04-06 00:00:00", "policy", "set", ledger, "clock_tolerance", str(20 * 366 * 86400))
    check("but the tolerance can be set", back["ok"], back)
    for args in (("charge", ledger, "W", "C4", "1"), ("consume", ledger, "W", "U1", "1"),
                 ("charge", ledger, "W", "C5", "1", "--at", "2027-04-05T09:00:00+09:00")):
        out = run("2027-04-06 00:00:00", *args)
        check("and the ledger goes on", out["ok"], out)
    events = [json.loads(line) for line in at("2027-04-06 00:00:00", "log", ledger, "--json", zone="UTC0").stdout.splitlines()]
    check("all of it recorded at the last time", {e["recorded_at"] for e in events[-4:]} == {"2036-04-05T09:00:00.000000+09:00"}, events[-4:])
    check("the log is as it was, and longer", len(events) == jumped["events"] + 4, len(events))
    out = at("2027-04-06 00:00:00", "audit", ledger, zone="UTC0")
    check("audit of all that", out.returncode == 0, out.stdout + out.stderr)


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
    with tempfile.TemporaryDirectory() as work:
        ahead(os.path.join(work, "l"))
    check("the same events in every zone", logs[0] == logs[1] == logs[2])
    print(f"three time zones, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
