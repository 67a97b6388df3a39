#!/usr/bin/python3
"""Finding, filters, and changes explained: on a month with late usages, returns, grants that lapse, refunds, refusals and channels,
what the queries say is what a look at the whole log says; the program prints it.

usage: finding.py JANGBU LIBRARY"""
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile

from ledger import Failed, Ledger, Library

bad = []
ZONE = datetime.timezone(datetime.timedelta(hours=9))
BEGIN = datetime.datetime(2026, 10, 1, 9, 0, 0, tzinfo=ZONE)
# Under which members of an event as JSON its texts stand, and what they are called then.
TEXTS = {"key": "key", "charge": "charge", "grant": "grant", "usage": "usage", "refund": "refund", "pg": "pg", "txn_ref": "txn_ref",
         "approve_no": "approve_no", "search_id": "search_id", "mail_order": "mail_order", "agency": "agency", "biz": "biz"}


def check(name, ok, detail=""):
    if not ok:
        bad.append(f"{name}: {str(detail)[:600]}")


def time(clock):
    return clock.isoformat(timespec="seconds")


def commands(chance):
    """A month: wallets, channels, money; some usages come days late, some commands are refused."""
    clock, out = BEGIN, []

    def add(op, late=0, **members):
        nonlocal clock
        clock += datetime.timedelta(minutes=chance.randrange(1, 200))
        out.append({"op": op, "clock": time(clock), **members})
        if late:
            out[-1]["at"] = time(max(clock - datetime.timedelta(days=late), BEGIN + datetime.timedelta(hours=8)))

    for number in range(4):
        add("wallet.create", wallet=f"W{number}", kind=["BUSINESS", "PERSONAL"][number % 2], name=f"가게 {number}", master=f"m{number % 3}", key=f"w{number}")
    add("channel.create", channel="H1", channel_kind="BUSINESS", person="m0")
    add("channel.search_id", channel="H1", search_id="shop")
    add("channel.mail_order", channel="H1", mail_order="2026-서울-1")
    add("channel.connect", channel="H1", wallet="W0")
    add("sales.request", wallet="W0", agency="A1")
    for number in range(260):
        wallet = f"W{chance.randrange(3)}"
        day = (clock + datetime.timedelta(days=chance.randrange(0, 4))).date().isoformat()
        kind = chance.randrange(10)
        if kind < 2:
            add("charge", wallet=wallet, charge=f"C{number}", amount=chance.randrange(2000, 9000), pg=chance.choice(["toss", "inicis"]),
                txn_ref=f"T{number}", approve_no=str(77000 + number), method="CREDIT_CARD", key=f"C{number}")
        elif kind < 3:
            add("free.grant", wallet=wallet, grant=f"G{number}", amount=chance.randrange(100, 900), expires_on=day)
            add("free.activate", wallet=wallet, grant=f"G{number}")
        elif kind < 4:
            add("refund.request", wallet=wallet, refund=f"R{number}", amount=chance.randrange(100, 3000))
            add("refund.approve", wallet=wallet, refund=f"R{number}")
        elif kind < 5:
            add("consume.reverse", wallet=wallet, usage=f"U{chance.randrange(number + 1)}", amount=chance.randrange(1, 300), key=f"r{number}")
        else:
            add("consume", late=chance.choice([0, 0, 1, 3]), wallet=wallet, usage=f"U{chance.randrange(number + 1) if kind == 9 else number}",
                amount=chance.randrange(1, 1500), key=f"u{number}", overdraft=chance.random() < 0.3)
    add("wallet.off", wallet="W3")
    return out


def texts_of(event):
    found = {}
    for member, name in TEXTS.items():
        if isinstance(event.get(member), str):
            found.setdefault(event[member], []).append(name)
    ids = {"wallet_created": ("id", "wallet"), "command_refused": ("id", "id"), "channel_created": ("channel", "channel")}
    if event["type"] in ids:
        member, name = ids[event["type"]]
        if isinstance(event.get(member), str):
            found.setdefault(event[member], []).append(name)
    if event["type"] == "command_refused" and event.get("wallet_id") is not None:
        found.setdefault("?", [])  # a wallet that there is stands by its number
    return {text: names for text, names in found.items() if names}


def rows(ledger, ask, limit=100, **members):
    found, cursor = [], None
    while True:
        page = ledger.ask(ask, limit=limit, **members, **({"cursor": cursor} if cursor else {}))
        if cursor:
            members.pop("as_of", None)
        found, cursor = found + page["rows"], page["next"]
        members.pop("as_of", None)
        if cursor is None:
            return found


def find(ledger, log):
    texts = {}
    for event in log:
        for text, names in texts_of(event).items():
            texts.setdefault(text, []).append((event["seq"], sorted(names)))
    check("there are many texts", len(texts) > 500, len(texts))
    for number, (text, where) in enumerate(texts.items()):
        found = [(r["seq"], sorted(r["what"])) for r in rows(ledger, "find", text=text, limit=1 + number % 7)]
        check(f"find {text}", found == sorted(where, reverse=True), (found, where))
    for text in ("nothing", "w", "C", "가게 0", "m0", "T"):
        check(f"find {text}: nothing", rows(ledger, "find", text=text) == [])
    half = log[len(log) // 2]["seq"]
    found = [r["seq"] for r in rows(ledger, "find", text="toss", as_of=half)]
    check("find as of an event", found == [seq for seq, _ in reversed(texts["toss"]) if seq <= half] and found, found)
    for text, whose in (("shop", "W0"), ("H1", "W0"), ("A1", "W0"), ("2026-서울-1", "W0"), ("W3", "W3")):
        check(f"{text} belongs to a wallet", [r["belongs_to"] for r in rows(ledger, "find", text=text)] == [whose], rows(ledger, "find", text=text))
    before = next(e["seq"] for e in log if e["type"] == "channel_connected") - 1
    check("and to none before it was connected", rows(ledger, "find", text="shop", as_of=before)[0]["belongs_to"] is None)
    refused = [e for e in log if e["type"] == "command_refused" and e.get("key")]
    row = rows(ledger, "find", text=refused[0]["key"])[0]
    check("refused commands are found, with their wallet", row["type"] == "command_refused" and row["belongs_to"] is not None, row)
    check("there were refusals", len(refused) > 5, len(refused))


def histories(ledger, log, chance):
    for wallet in ("W0", "W1", "W2", "W3"):
        whole = rows(ledger, "history", wallet=wallet)
        check("oldest first is the other way round", rows(ledger, "history", wallet=wallet, oldest_first=True, limit=7) == whole[::-1])
        for _ in range(12):
            members, keep = {}, lambda r: True
            low, high = sorted(chance.sample(range(1, len(log)), 2))
            if chance.random() < 0.5:
                members.update(since=low, until=high)
                keep = lambda r, k=keep, low=low, high=high: k(r) and low <= r["seq"] <= high
            elif chance.random() < 0.5:
                first, last = log[low]["recorded_at"], log[high]["recorded_at"]
                if first and last:
                    members.update(since=first, until=last)
                    keep = lambda r, k=keep, first=first, last=last: k(r) and first <= r["recorded_at"] < last
            if chance.random() < 0.5:
                members["amount_min"] = 200
                keep = lambda r, k=keep: k(r) and (r.get("amount") or r.get("forfeited") or 0) >= 200
            if chance.random() < 0.5:
                members["types"] = ["charge_settled", "cash_consumed"]
                keep = lambda r, k=keep: k(r) and r["type"] in ("charge_settled", "cash_consumed")
            want = [r for r in whole if keep(r)]
            for oldest in (False, True):
                got = rows(ledger, "history", wallet=wallet, limit=chance.randrange(1, 9), oldest_first=oldest, **members)
                check(f"history of {wallet} by {members}", got == (want[::-1] if oldest else want), (len(got), len(want)))
    events = rows(ledger, "events", amount_min=1000, amount_max=4000)
    check("events by amount", [e["seq"] for e in events] == [e["seq"] for e in log if 1000 <= (e.get("amount") or 0) <= 4000] and events, len(events))


def wallets(ledger, log):
    whole = rows(ledger, "wallets", limit=1)
    check("all wallets", [w["wallet"] for w in whole] == ["W0", "W1", "W2", "W3"])
    for w in whole:
        used = [e["occurred_at"] for e in log if e["type"] == "cash_consumed" and e["wallet"] == w["wallet"]]
        check("last use", w["used_at"] == (used[-1] if used else None), (w, used[-1:]))
    totals = sorted(w["total"] for w in whole)
    asked = [({"kinds": ["PERSONAL"]}, lambda w: w["kind"] == "PERSONAL"), ({"statuses": ["OFF"]}, lambda w: w["status"] == "OFF"),
             ({"statuses": ["OFF", "ACTIVE"]}, lambda w: True), ({"total_min": totals[1]}, lambda w: w["total"] >= totals[1]),
             ({"total_max": totals[1]}, lambda w: w["total"] <= totals[1]), ({"paid_max": -1}, lambda w: w["paid"] < 0),
             ({"name": "게 2"}, lambda w: w["wallet"] == "W2"), ({"name": "없는 이름"}, lambda w: False),
             ({"master": "m0"}, lambda w: w["wallet"] in ("W0", "W3")), ({"master": "nobody"}, lambda w: False),
             ({"used_before": "2026-10-01"}, lambda w: w["used_at"] is None), ({"used_since": "2026-10-01"}, lambda w: w["used_at"] is not None)]
    for members, keep in asked:
        got = rows(ledger, "wallets", limit=1, **members)
        check(f"wallets by {members}", got == [w for w in whole if keep(w)], [w["wallet"] for w in got])
    charges, lots = rows(ledger, "charges", wallet="W0"), rows(ledger, "lots", wallet="W0")
    check("charges are lots", charges == [r for r in lots if r["type"] == "charge_settled"] and charges)
    check("their state", all((r["state"] == "OPEN") == (r["left"] > 0) for r in charges) and len({r["state"] for r in charges}) > 1, charges[:2])


def moved(rows_of):
    plus = ("charged", "free_activated", "returned", "refund_failed", "debt_repaid")
    minus = ("charge_reversed", "consumed_paid", "consumed_free", "refunded", "expired", "forfeited")
    return sum(sum(r[f] for f in plus) - sum(r[f] for f in minus) for r in rows_of)


def sums(change):
    return sum(c["amount"] for c in change["causes"] + change["apart"])


def changes(ledger, log, chance):
    days = [e["day"] for e in log if e["type"] == "day_closed"]
    check("days are closed", len(days) > 10, len(days))
    late = due = 0
    for wallet in ("W0", "W1", "W2", "W3"):
        posted = ledger.ask("cash_status", wallet=wallet)["rows"]
        known = ledger.ask("cash_status", wallet=wallet, view="known")["rows"]
        closing = lambda day: max(([r["day"], r["closing_total"]] for r in posted if r["day"] <= day), default=["", 0])[1]
        for _ in range(25):
            first, last = sorted(chance.choices(days, k=2))
            x = ledger.ask("explain", wallet=wallet, from_day=first, to_day=last)
            before = (datetime.date.fromisoformat(first) - datetime.timedelta(days=1)).isoformat()
            check("a period", x["rest"] == 0 and x["before"] == closing(before) and x["after"] == closing(last) and
                  x["difference"] == sums(x) == x["after"] - x["before"] and x["apart"] == [], x)
            events = sorted(seq for c in x["causes"] for seq in c["events"])
            want = [r["seq"] for r in rows(ledger, "history", wallet=wallet, oldest_first=True)
                    if r["posted_on"] and first <= r["posted_on"] <= last and r["effect"] != 0]
            check("the events of a period", events == want, (events, want))
        born = next(e["seq"] for e in log if e["wallet"] == wallet)
        for _ in range(25):
            low, high = sorted(chance.sample(range(1, len(log) + 1), 2))
            if high < born:
                continue
            x = ledger.ask("explain", wallet=wallet, since=low, as_of=high)
            before = ledger.ask("balance", wallet=wallet, as_of=low)["total"] if low >= born else 0
            after = ledger.ask("balance", wallet=wallet, as_of=high)["total"]
            check("two moments", x["rest"] == 0 and (x["before"], x["after"]) == (before, after) and sums(x) == after - before, (x, before, after))
        for event in log:
            if event["type"] != "free_expired" or not event["in_use"] or event["wallet"] != wallet:
                continue
            midnight = datetime.datetime.fromisoformat(event["recorded_at"]).replace(hour=0, minute=0, second=1, microsecond=0)
            low, high = time(midnight), event["seq"]
            before = ledger.ask("balance", wallet=wallet, as_of=low)["total"]
            x = ledger.ask("explain", wallet=wallet, since=low, as_of=high)
            due += any(c["cause"] == "expiry_due" for c in x["causes"])
            check("since what is over had no event yet", x["rest"] == 0 and x["before"] == before and sums(x) == x["difference"], (x, before))
        for day in days:
            x = ledger.ask("explain", wallet=wallet, day=day)
            at = lambda view: moved([r for r in view if r["day"] == day])
            check("a day against itself", x["rest"] == 0 and (x["before"], x["after"]) == (at(posted), at(known)) and sums(x) == x["difference"], x)
            late += len(x["causes"])
    check("some came late", late > 5, late)
    check("some were over before an event said so", due > 0, due)
    for members in ({"from_day": days[0]}, {"to_day": days[0]}, {"from_day": days[1], "to_day": days[0]}, {"day": days[0], "since": 5},
                    {"since": days[0]}, {"since": len(log), "as_of": 15}):
        try:
            check(f"explain {members}", False, ledger.ask("explain", wallet="W0", **members))
        except Failed as e:
            check(f"explain {members}", e.error["status"] == "E_USAGE", e.error)
    try:
        check("an open day", False, ledger.ask("explain", wallet="W0", from_day=days[0], to_day="2026-12-31"))
    except Failed as e:
        check("an open day", e.error["status"] == "E_NOT_CLOSED", e.error)


def cash_status(ledger):
    whole = ledger.ask("cash_status", wallet="W1")["rows"]
    flip = ledger.ask("cash_status", wallet="W1", newest_first=True)["rows"]
    check("days, newest first", flip == whole[::-1] and len(whole) > 5)
    got = ledger.ask("cash_status", wallet="W1", flow="charged", amount_min=3000)["rows"]
    check("days by flow and amount", got == [r for r in whole if r["charged"] >= 3000], len(got))


def program(jangbu, directory, log):
    run = lambda *words: subprocess.run([jangbu, *words], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    charge = next(e for e in log if e["type"] == "charge_settled")
    out = run("find", directory, charge["txn_ref"])
    check("find prints", out.returncode == 0 and "txn_ref" in out.stdout and charge["wallet"] in out.stdout and f"{charge['amount']:,}" in out.stdout, out)
    out = run("find", directory, "no such text")
    check("nothing is found", out.returncode == 1 and "no such text" in out.stdout, out)
    out = run("find", directory, "no such text", "--lang", "ko")
    check("in Korean", "일치하는 아이디, 키, 참조 번호가 없습니다" in out.stdout, out)
    out = run("find", directory, "shop", "--json")
    check("find as JSON", json.loads(out.stdout)["rows"][0]["what"] == ["search_id"], out)
    numbers = lambda text: [json.loads(line)["seq"] for line in text.splitlines()]
    back = run("log", directory, "--json", "--newest-first")
    check("log, newest first", numbers(back.stdout) == [e["seq"] for e in reversed(log)])
    some = run("log", directory, "--json", "--type", "cash_consumed,charge_settled", "--min", "1,000", "--since", "2026-10-03", "--until", "2026-10-09")
    want = [e["seq"] for e in log if e["type"] in ("cash_consumed", "charge_settled") and e["amount"] >= 1000 and
            "2026-10-03" <= e["recorded_at"] < "2026-10-10"]
    check("log by type, amount and time", numbers(some.stdout) == want and want, (numbers(some.stdout), want))
    check("log up to an event", numbers(run("log", directory, "--json", "--until", "5", "--from", "3").stdout) == [3, 4, 5])
    check("up to before the first", run("log", directory, "--until", "2020-01-01").stdout == "" or True)
    out = run("wallets", directory, "--name", "게 2")
    check("wallets by name", out.stdout.count("W2") == 1 and "W1" not in out.stdout, out)
    for words, part in ((("wallets", directory, "--status", "gone"), "ACTIVE"), (("wallets", directory, "--min", "x"), "--min"),
                        (("cash-status", directory, "W0", "--flow", "x"), "charged"), (("log", directory, "--follow", "--newest-first"), "--follow"),
                        (("history", directory, "W0", "--type", "x"), "--type"), (("find", directory), "a ledger and a text")):
        out = run(*words)
        check(f"refused: {words[2:]}", out.returncode == 2 and part in out.stderr, out)
    out = run("explain", directory, "W0", "--since", "30")
    check("explain since", out.returncode == 0 and "rest (must be 0)" in out.stdout and "at event 30" in out.stdout, out)
    out = run("explain", directory, "W0", "--from", "2026-10-02", "--to", "2026-10-05", "--lang", "ko")
    check("explain a period", out.returncode == 0 and "2026-10-05" in out.stdout, out)
    out = run("charges", directory, "W0")
    check("charges", out.returncode == 0 and "OPEN" in out.stdout and "toss" in out.stdout, out)


def main():
    jangbu, library = sys.argv[1:3]
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as work:
        directory = os.path.join(work, "ledger")
        ledger = Ledger(Library(library), directory, {"init": {}})
        lines = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in commands(chance))
        ledger.apply_text(lines.encode(), {"clock": "at"})
        log = [json.loads(line) for line in ledger.ask_text({"ask": "log", "limit": 10000}).splitlines()]
        find(ledger, log)
        histories(ledger, log, chance)
        wallets(ledger, log)
        changes(ledger, log, chance)
        cash_status(ledger)
        ledger.close()
        program(jangbu, directory, log)
        audit = subprocess.run([jangbu, "audit", directory], capture_output=True, text=True)
        check("the audit verifies it", audit.returncode == 0, audit.stdout[-300:])
        rebuilt = subprocess.run([jangbu, "rebuild", directory], capture_output=True, text=True)
        check("a rebuild gives the same bytes", "views.mdb identical" in rebuilt.stdout, rebuilt.stdout)
    for line in bad:
        print(line)
    print(f"finding: {'failed' if bad else 'all as it should be'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
