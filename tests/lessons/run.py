#!/usr/bin/python3
"""Bugs that other ledgers had, each tried here from outside. The functions' names say which.

usage: run.py JANGBU GENERATOR (tests/witness/generate.py: random commands, made without knowing any query)"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

JANGBU = None
failures = []


def check(what, ok, detail=""):
    if not ok:
        failures.append(what)
        print(f"failed: {what}: {str(detail)[:800]}")


def run(*args, feed=None, env=None):
    return subprocess.run([JANGBU, *args], input=feed, capture_output=True, text=True, env={**os.environ, **(env or {})})


def ask(*args):
    return json.loads(run(*args, "--json").stdout)


def apply(ledger, *commands, clock_at=True):
    feed = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in commands)
    return [json.loads(line) for line in run("apply", ledger, *(["--clock=at"] if clock_at else []), feed=feed).stdout.splitlines()]


def at(day, time="12:00:00"):
    return f"2026-10-{day:02d}T{time}+09:00"


def made(work, name, *commands):
    ledger = os.path.join(work, name)
    assert run("init", ledger).returncode == 0
    results = apply(ledger, {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "at": at(1)}, *commands)
    assert all(r["ok"] for r in results), results
    return ledger


def everything(ledger, as_of):
    """All that users can ask of wallet W, as text."""
    return [run(*query, "--json", "--as-of", str(as_of)).stdout
            for query in (("balance", ledger, "W"), ("cash-status", ledger, "W"), ("cash-status", ledger, "W", "--view", "known"), ("history", ledger, "W"), ("explain", ledger, "W"))]


def a_late_fact_behind_a_stored_snapshot(work):
    """The views are stored, days close, and then something of before comes in: it is in no snapshot, and must not be missed in the tail."""
    ledger = made(work, "late", {"op": "charge", "wallet": "W", "charge": "C", "amount": 10000, "at": at(1)},
                  {"op": "consume", "wallet": "W", "usage": "U1", "amount": 100, "at": at(2)}, {"op": "day.close", "day": "2026-10-04", "at": at(5)})
    assert run("rebuild", ledger).returncode == 0  # state.mdb and views.mdb are stored at this event
    stored = {name: open(os.path.join(ledger, name), "rb").read() for name in ("state.mdb", "views.mdb")}
    late = apply(ledger, {"op": "consume", "wallet": "W", "usage": "U2", "amount": 30, "at": at(2, "23:59:59"), "clock": at(5)})[0]
    check("a late usage is taken", late["ok"], late)
    seq = late["seq"]
    fresh = everything(ledger, seq)
    for name, data in stored.items():  # as a crash before the next writing behind leaves them
        with open(os.path.join(ledger, name), "wb") as f:
            f.write(data)
    check("the same from the snapshots of before the late fact", everything(ledger, seq) == fresh)
    for name in stored:
        os.remove(os.path.join(ledger, name))
    check("the same from nothing but the log", everything(ledger, seq) == fresh)
    explained = ask("explain", ledger, "W")
    check("explain names it as late", [(c["cause"], c["late"], c["amount"], c["events"]) for c in explained["causes"]] == [("consumed", True, -30, [seq])], explained)
    known = {row["day"]: row["consumed_paid"] for row in ask("cash-status", ledger, "W", "--view", "known")["rows"]}
    posted = {row["day"]: row["consumed_paid"] for row in ask("cash-status", ledger, "W")["rows"]}
    check("known shows it on its day, posted on none that is closed", known["2026-10-02"] == 130 and posted["2026-10-02"] == 100, (known, posted))
    apply(ledger, {"op": "day.close", "day": "2026-10-05", "at": at(6)})
    posted = {row["day"]: row["consumed_paid"] for row in ask("cash-status", ledger, "W")["rows"]}
    check("and on the first open day once that closes", posted["2026-10-02"] == 100 and posted["2026-10-05"] == 30, posted)


def the_machine_s_time_zone(work):
    """No figure depends on TZ: America/St_Johns is half an hour off, Asia/Seoul is the ledger's own."""
    seen = []
    for zone in ("UTC", "Asia/Seoul", "America/St_Johns"):
        env = {"TZ": zone}
        ledger = os.path.join(work, "tz-" + zone.replace("/", "-"))
        run("init", ledger, env=env)
        lines = [{"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "at": at(1, "23:59:59.999999")},
                 {"op": "charge", "wallet": "W", "charge": "C", "amount": 1000, "at": at(2, "00:00:00")},
                 {"op": "consume", "wallet": "W", "usage": "U", "amount": 5, "at": at(2, "14:59:59"), "clock": at(3, "08:00:00")}]
        feed = "".join(json.dumps(line) + "\n" for line in lines)
        out = run("apply", ledger, "--clock=at", feed=feed, env=env).stdout
        for query in (("balance",), ("cash-status",), ("history",), ("explain",)):
            out += run(*query, ledger, "W", "--as-of", "12", env=env).stdout + run(*query, ledger, "W", "--as-of", "12", "--json", env=env).stdout
        seen.append((out + run("log", ledger, env=env).stdout).replace(ledger, "LEDGER"))
    check("the same in every zone", seen[0] == seen[1] == seen[2] and "posted" in seen[0])


def cannot_know_answered_as_nothing(work):
    """What cannot be known is an error on standard error, never 0 and never an empty list."""
    ledger = made(work, "unknown", {"op": "charge", "wallet": "W", "charge": "C", "amount": 10000, "at": at(2)})
    asked = [("balance", ledger, "X"), ("cash-status", ledger, "X"), ("history", ledger, "X"), ("explain", ledger, "X"), ("log", ledger, "--wallet", "X"),
             ("history", ledger, "W", "--type", "gift"), ("cash-status", ledger, "W", "--view", "other"), ("balance", ledger, "W", "--as-of", "999"),
             ("balance", ledger, "W", "--as-of", "2026-10-02"), ("balance", ledger, "W", "--as-of", "2020-01-01T00:00:00Z"), ("explain", ledger, "W", "--as-of", "2026-10-09"),
             ("cash-status", ledger, "--all", "--day", "2026-10-02"), ("cash-status", ledger, "--all", "--day", "2026-10-31"), ("cash-status", ledger, "--all", "--day", "2026-10-01", "--as-of", "9"), ("balance", ledger, "W", "--as-of", "3"),
             ("export", ledger, "--format", "csv", "--as-of", "999"), ("balance", os.path.join(work, "none"), "W")]
    for query in asked:
        for form in ((), ("--json",)) if query[0] != "export" else ((),):
            out = run(*query, *form)
            check(" ".join(query[:1] + query[2:] + form), out.returncode != 0 and out.stdout == "" and out.stderr.startswith("jangbu: "), (out.returncode, out.stdout, out.stderr))


def two_write_paths_of_which_one_loses_a_field(work):
    """Each command with every member it may have: as a line, as a member of a group, and as a sub-command. The events are the same."""
    actor = {"actor": {"id": "op1", "role": "OPERATOR"}, "note": "note"}
    words = ["--actor", "op1:OPERATOR", "--note", "note"]
    rows = [
        ({"op": "wallet.create", "wallet": "W", "kind": "OVERSEAS", "name": "이름", "master": "m1"}, ["wallet", "create", "W", "--kind", "OVERSEAS", "--name", "이름", "--master", "m1"]),
        ({"op": "charge", "wallet": "W", "charge": "C", "amount": 5000, "method": "VIRTUAL_ACCOUNT", "pg": "inicis", "txn_ref": "T", "approve_no": "A"},
         ["charge", "W", "C", "5000", "--method", "VIRTUAL_ACCOUNT", "--pg", "inicis", "--txn-ref", "T", "--approve-no", "A"]),
        ({"op": "free.grant", "wallet": "W", "grant": "G1", "amount": 70, "origin": "EVENT", "reason": "why", "expires_on": "2099-01-02"},
         ["grant", "W", "G1", "70", "--origin", "EVENT", "--reason", "why", "--expires-on", "2099-01-02"]),
        ({"op": "free.activate", "wallet": "W", "grant": "G1"}, ["activate", "W", "G1"]),
        ({"op": "free.grant", "wallet": "W", "grant": "G2", "amount": 70, "expires_on": "2099-01-02"}, ["grant", "W", "G2", "70", "--expires-on", "2099-01-02"]),
        ({"op": "free.revoke", "wallet": "W", "grant": "G2"}, ["grant", "revoke", "W", "G2"]),
        ({"op": "consume", "wallet": "W", "usage": "U", "amount": 5100, "overdraft": True}, ["consume", "W", "U", "5100", "--overdraft"]),
        ({"op": "debt.repay", "wallet": "W", "amount": 30, "pg": "toss", "txn_ref": "R"}, ["repay", "W", "30", "--pg", "toss", "--txn-ref", "R"]),
        ({"op": "consume.reverse", "wallet": "W", "usage": "U", "amount": 40, "reason": "INVALID_CLICK"}, ["consume", "reverse", "W", "U", "40", "--reason", "INVALID_CLICK"]),
        ({"op": "consume.reverse", "wallet": "W", "usage": "U", "seq": "the consumption", "amount": 40, "reason": "in words"},
         ["consume", "reverse", "W", "U", "40", "--seq", "the consumption", "--reason", "in words"]),
        ({"op": "charge.reverse", "wallet": "W", "charge": "C", "amount": 30, "reason": "CHARGEBACK"}, ["charge", "reverse", "W", "C", "30", "--reason", "CHARGEBACK"]),
        ({"op": "refund.request", "wallet": "W", "refund": "R1", "amount": 5}, ["refund", "request", "W", "R1", "5"]),
        ({"op": "refund.reject", "wallet": "W", "refund": "R1"}, ["refund", "reject", "W", "R1"]),
        ({"op": "refund.request", "wallet": "W", "refund": "R2", "amount": 5}, ["refund", "request", "W", "R2", "5"]),
        ({"op": "refund.approve", "wallet": "W", "refund": "R2"}, ["refund", "approve", "W", "R2"]),
        ({"op": "refund.fail", "wallet": "W", "refund": "R2"}, ["refund", "fail", "W", "R2"]),
        ({"op": "policy.set", "policy": "min_charge", "value": 7, "from": "2099-01-01T00:00:00+09:00"}, ["policy", "set", "min_charge", "7", "--from", "2099-01-01T00:00:00+09:00"]),
        ({"op": "wallet.rename", "wallet": "W", "name": "new"}, ["wallet", "rename", "W", "--name", "new"]),
        ({"op": "wallet.off", "wallet": "W"}, ["wallet", "off", "W"]),
    ]
    ledgers = {way: os.path.join(work, "way-" + way) for way in ("line", "member", "words")}
    for ledger in ledgers.values():
        run("init", ledger)
    consumption = None
    for i, (command, argv) in enumerate(rows):
        command = {**command, **actor}
        if command["op"] == "consume.reverse" and "seq" in command:
            command["seq"] = consumption
            argv = [str(consumption) if word == "the consumption" else word for word in argv]
        key = f"k{i}"
        line = apply(ledgers["line"], {**command, "key": key}, clock_at=False)[0]
        member = apply(ledgers["member"], {"op": "atomic", "key": key, "commands": [command]}, clock_at=False)[0]
        n = 2 if len(argv) > 1 and argv[0] + " " + argv[1] in ("wallet create", "wallet rename", "wallet off", "charge reverse", "consume reverse", "grant revoke", "refund request",
                                                               "refund reject", "refund approve", "refund fail", "policy set") else 1
        words_out = run(*argv[:n], ledgers["words"], *argv[n:], *words, "--key", key, "--json")
        check("all three do " + command["op"], line["ok"] and member["ok"] and words_out.returncode == 0, (line, member, words_out))
        if command["op"] == "consume":
            consumption = line["seq"]
    written = {}
    for way, ledger in ledgers.items():
        events = [json.loads(text) for text in run("log", ledger, "--json").stdout.splitlines()]
        for event in events:
            for member in ("ledger_id", "recorded_at", "occurred_at", "posted_on", "group_events", "group_commands"):
                event.pop(member, None)
        written[way] = events
    check("as many events as commands", len(written["line"]) == 10 + len(rows), len(written["line"]))
    for way in ("member", "words"):
        for one, other in zip(written["line"], written[way], strict=True):
            check(f"a line and {way} write the same", one == other, (one, other))
    names = {way: ask("balance", ledger, "W")["name"] for way, ledger in ledgers.items()}
    check("the names, too", set(names.values()) == {"new"}, names)


def the_same_key_twice_in_one_batch(work):
    ledger = made(work, "twice", {"op": "charge", "wallet": "W", "charge": "C", "amount": 1000, "at": at(1)})
    usage = {"op": "consume", "wallet": "W", "usage": "U", "amount": 600, "key": "k", "at": at(1)}
    refused = {"op": "consume", "wallet": "W", "usage": "V", "amount": 600, "key": "r", "at": at(1)}
    got = apply(ledger, usage, usage, {**usage, "amount": 601}, refused, refused, {"op": "charge", "wallet": "W", "charge": "D", "amount": 1000, "at": at(1)}, refused)
    check("done once, then from memory, then a conflict", got[0]["ok"] and got[1] == {**got[0], "line": 2, "duplicate": True} and got[2]["code"] == "KEY_CONFLICT", got)
    check("refused once, then from memory, also when it could succeed by now", got[3]["code"] == "INSUFFICIENT_CASH" and got[4] == {**got[3], "line": 5, "duplicate": True}
          and got[6] == {**got[3], "line": 7, "duplicate": True}, got)
    check("one consumption", ask("balance", ledger, "W")["paid"] == 1400)


def a_group_glued_to_the_command_after_it(work):
    """A group and its neighbours share a commit; each stands or falls alone."""
    ledger = made(work, "glued", {"op": "charge", "wallet": "W", "charge": "C", "amount": 1000, "at": at(1)})

    def use(usage, amount):
        return {"op": "consume", "wallet": "W", "usage": usage, "amount": amount}
    got = apply(ledger, {"op": "atomic", "at": at(1), "commands": [use("A", 100), use("B", 100)]}, {**use("C", 5000), "at": at(1)}, {**use("D", 100), "at": at(1)},
                {"op": "atomic", "at": at(1), "commands": [use("E", 100), use("F", 5000)]}, {**use("G", 100), "at": at(1)})
    check("good group, bad command, good command, bad group, good command", [r["ok"] for r in got] == [True, False, True, False, True] and got[3]["index"] == 1, got)
    done = [json.loads(line).get("usage") for line in run("log", ledger, "--json", "--wallet", "W").stdout.splitlines()]
    check("exactly those are in the log", [u for u in done if u] == ["A", "B", "D", "G"], done)
    check("and in the balance", ask("balance", ledger, "W")["paid"] == 600)


def a_tail_larger_than_any_buffer(work):
    """state.mdb and views.mdb are put back to before 90,000 events: the tail is many times what a batch, a commit or a frame holds."""
    ledger = made(work, "tail", {"op": "charge", "wallet": "W", "charge": "C", "amount": 10**9, "at": at(1)})
    run("rebuild", ledger)
    stored = {name: open(os.path.join(ledger, name), "rb").read() for name in ("state.mdb", "views.mdb")}
    feed = "".join('{"op":"consume","wallet":"W","usage":"U%d","amount":%d,"at":"%s"}\n' % (i, i % 7 + 1, at(1 + i // 30000, "13:00:00")) for i in range(90000))
    subprocess.run([JANGBU, "apply", ledger, "--clock=at"], input=feed.encode(), stdout=subprocess.DEVNULL, check=True)
    seq = ask("stat", ledger)["events"]
    before = everything(ledger, seq)
    for name, data in stored.items():
        with open(os.path.join(ledger, name), "wb") as f:
            f.write(data)
    check("the same after the tail is folded", everything(ledger, seq) == before)
    expected = 10**9 - sum(i % 7 + 1 for i in range(90000))
    check("to the last won", ask("balance", ledger, "W")["paid"] == expected)
    check("and the next command goes on from there", apply(ledger, {"op": "consume", "wallet": "W", "usage": "Z", "amount": 1, "at": at(9)})[0]["ok"])
    check("audit", ask("audit", ledger)["verdict"] == "verified")


def a_query_right_only_on_its_own_examples(work, generator):
    """Random commands, made by what knows no query; every query against a naive scan of the log."""
    ledger = os.path.join(work, "naive")
    run("init", ledger, "--invoice-from", "none")
    feed = subprocess.run([sys.executable, generator, "--seed", "11", "--commands", "3000", "--program", JANGBU], capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in run("apply", ledger, "--clock=at", feed=feed).stdout.splitlines()]
    guessed = [answer for line, answer in zip(filter(None, feed.splitlines()), answers) if '"expect"' in line]
    right = sum(answer["ok"] for answer in guessed)
    check("the stream knows the numbers of this ledger's events", 3 * right > len(guessed) > 50, (right, len(guessed)))
    events = [json.loads(line) for line in run("export", ledger, "--format", "jsonl").stdout.splitlines()]
    events.sort(key=lambda e: e["seq"])
    kinds = {"charge": ("charge_", "debt_repaid", "free_"), "consumption": ("cash_consumed",), "return": ("consumption_reversed",), "refund": ("refund_",)}
    wallets = sorted({e["wallet"] for e in events if e["wallet"]})
    check("there is something to compare", len(wallets) >= 3 and len(events) > 1500, (len(wallets), len(events)))
    totals = {w["wallet"]: w for w in map(json.loads, run("balance", ledger, "--all", "--json").stdout.splitlines())}
    check("every wallet is in --all, none twice", sorted(totals) == wallets)
    through = ask("stat", ledger)["closed_through"]
    for wallet in wallets:
        own = [e for e in events if e["wallet"] == wallet]
        running, rows = 0, []
        for e in own:
            running += e["effect"]
            rows.append((e["seq"], e["type"], e["effect"], running))
        whole = [(r["seq"], r["type"], r["effect"], r["balance"]) for r in ask("history", ledger, wallet, "--limit", "10000")["rows"]]
        check("history of " + wallet, whole == rows[::-1], (whole[:2], rows[-2:]))
        for kind, starts in kinds.items():
            some = [(r["seq"], r["balance"]) for r in ask("history", ledger, wallet, "--limit", "10000", "--type", kind)["rows"]]
            check(f"history of {wallet}, {kind}", some == [(r[0], r[3]) for r in rows[::-1] if r[1].startswith(starts)])
        explained = ask("explain", ledger, wallet)
        due = sum(c["amount"] for c in explained["causes"] if c["cause"] == "expiry_due")
        check("total of " + wallet, totals[wallet]["total"] == running + due == explained["total_now"] and explained["rest"] == 0, (totals[wallet], running, due))
        check("cash status of " + wallet, explained["cash_status_total"] == sum(e["effect"] for e in own if e["posted_on"] <= through))
        days = {}
        for e in own:
            if e["posted_on"] <= through and e["effect"]:
                days[e["posted_on"]] = days.get(e["posted_on"], 0) + e["effect"]
        closing, status = 0, {r["day"]: r["closing_total"] for r in ask("cash-status", ledger, wallet)["rows"]}
        for day in sorted(days):
            closing += days[day]
            check(f"closing of {wallet} on {day}", status.get(day) == closing, (status.get(day), closing))


def one_moment_named_in_several_ways(work):
    """An event's number and its time give the same figures; a closed day gives the sum of what was posted up to it, whatever came later."""
    ledger, rng = os.path.join(work, "naive"), random.Random(3)
    events = [json.loads(line) for line in run("export", ledger, "--format", "jsonl").stdout.splitlines()]
    wallets = sorted({e["wallet"] for e in events if e["wallet"]})
    timed = [e for e in events if e["recorded_at"]]
    for event in rng.sample(timed, 15):
        when = event["recorded_at"]
        seq, wallet = max(e["seq"] for e in timed if e["recorded_at"] <= when), rng.choice(wallets)
        for query in (("balance",), ("explain",), ("history",), ("cash-status",), ("cash-status", "--view", "known")):
            answers = [run(query[0], ledger, wallet, *query[1:], "--as-of", moment, "--json") for moment in (when, str(seq))]
            texts = [out.stdout.split('"as_of"')[0] for out in answers]
            check(f"{query} of {wallet} as of {when} and of event {seq}", answers[0].returncode == answers[1].returncode and texts[0] == texts[1], texts)
    days = sorted(e["day"] for e in events if e["type"] == "day_closed")
    for day in rng.sample(days, 12):
        for wallet in wallets:
            total = sum(e["effect"] for e in timed if e["wallet"] == wallet and e["posted_on"] <= day)
            out = run("explain", ledger, wallet, "--as-of", day, "--json")
            if out.returncode == 0:
                got = json.loads(out.stdout)
                check(f"{wallet} at the close of {day}", got["total_now"] == got["cash_status_total"] == total and got["rest"] == 0, (got, total))
            else:
                check(f"{wallet} is not there at the close of {day}", all(e["posted_on"] > day for e in timed if e["wallet"] == wallet), out.stderr)


def a_refused_command_that_left_a_trace(work):
    """The digest of the whole state is the same before and after refusals of every kind."""
    ledger = made(work, "trace", {"op": "charge", "wallet": "W", "charge": "C", "amount": 1000, "at": at(1)},
                  {"op": "free.grant", "wallet": "W", "grant": "G", "amount": 10, "expires_on": "2026-10-20", "at": at(1)}, {"op": "day.close", "day": "2026-10-01", "at": at(2)})
    before = ask("rebuild", ledger)["state_digest"]
    usage = {"op": "consume", "wallet": "W", "usage": "U", "amount": 10}
    refused = [{**usage, "amount": 5000}, {**usage, "amount": 0}, {**usage, "wallet": "X"}, {**usage, "expect": 1}, {"op": "charge", "wallet": "W", "charge": "C", "amount": 1000},
               {"op": "charge", "wallet": "W", "charge": "D", "amount": 1, "method": "CREDIT_CARD"}, {"op": "free.activate", "wallet": "W", "grant": "H"},
               {"op": "refund.request", "wallet": "W", "refund": "R", "amount": 5000}, {"op": "refund.approve", "wallet": "W", "refund": "R"}, {"op": "wallet.delete", "wallet": "W"},
               {"op": "wallet.on", "wallet": "W"}, {"op": "debt.repay", "wallet": "W", "amount": 5}, {"op": "charge.reverse", "wallet": "W", "charge": "C", "amount": 5000},
               {"op": "consume.reverse", "wallet": "W", "usage": "none", "amount": 5}, {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "again", "master": "nobody"},
               {"op": "policy.set", "policy": "vat_rate", "value": 5, "from": at(1)}, {"op": "day.close", "day": "2026-10-02"},
               {"op": "atomic", "commands": [usage, {"op": "wallet.create", "wallet": "Y", "kind": "BUSINESS", "name": "y"}, {**usage, "amount": 5000}]}]
    got = apply(ledger, *[{**command, "at": at(2, "12:30:00")} for command in refused])
    check("all are refused", len(got) == len(refused) and not any(r["ok"] for r in got), [r for r in got if r["ok"]])
    after = ask("rebuild", ledger)
    check("no trace", after["state_digest"] == before and after["state"] == "identical", after)
    check("a dry run leaves none either", run("consume", ledger, "W", "U", "10", "--dry-run").returncode == 0 and ask("rebuild", ledger)["state_digest"] == before)


def main():
    global JANGBU
    JANGBU = os.path.abspath(sys.argv[1])
    work = tempfile.mkdtemp()
    tests = [a_late_fact_behind_a_stored_snapshot, the_machine_s_time_zone, cannot_know_answered_as_nothing, two_write_paths_of_which_one_loses_a_field,
             the_same_key_twice_in_one_batch, a_group_glued_to_the_command_after_it, a_tail_larger_than_any_buffer, a_refused_command_that_left_a_trace]
    for test in tests:
        test(work)
    a_query_right_only_on_its_own_examples(work, sys.argv[2])
    one_moment_named_in_several_ways(work)
    shutil.rmtree(work)
    print(f"{len(tests) + 2} lessons, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
