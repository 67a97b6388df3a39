#!/usr/bin/python3
"""libjangbu-json from Python, beside the program: the same commands give the same answers and the same log, the same questions the same
bytes; wrong texts are answered by name; many threads use one handle.

usage: run.py JANGBU LIBRARY"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "witness"))
import generate  # noqa: E402
from ledger import Failed, Ledger, Library  # noqa: E402

JANGBU = None
LIBRARY = None
checks = {"passed": 0, "failed": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {str(detail)[:600]}")


def run(*args, feed=None):
    out = subprocess.run([JANGBU, *args], input=feed, capture_output=True)
    return out.stdout.decode()


def made(work, name, *options):
    ledger = os.path.join(work, name)
    subprocess.run([JANGBU, "init", ledger, *options], check=True, capture_output=True)
    return ledger


def wallet(name, **members):
    return {"op": "wallet.create", "wallet": name, "kind": "BUSINESS", "name": name, **members}


def charge(name, number, amount, **members):
    return {"op": "charge", "wallet": name, "charge": number, "amount": amount, **members}


def consume(name, number, amount, **members):
    return {"op": "consume", "wallet": name, "usage": number, "amount": amount, **members}


def failure(name, status, words, call, *args, **members):
    """The call fails with that status, and the sentence has the words."""
    try:
        check(name, False, call(*args, **members))
    except Failed as e:
        ok = e.error["status"] == status and all(w in e.error["message"] for w in words)
        check(name, ok, e.error)
        return e
    return None


# ---- the same as the program ----

def same_commands(work):
    """Two copies of one empty ledger: so the ledger's id and secret are the same, and all else is as well."""
    by_program, by_library = made(work, "program", *generate.INIT_OPTIONS), os.path.join(work, "library")
    shutil.copytree(by_program, by_library)
    lines = [line.encode() for line in generate.stream(20261127, 1000, generate.init_events(JANGBU, *generate.INIT_OPTIONS))]
    whole = b"".join(line + b"\n" for line in lines)
    want = run("apply", by_program, "--clock=at", feed=whole)
    ledger = Ledger(LIBRARY, by_library)
    have, number = "", 1
    for batch in (1, 1, 7, 100, 391, 500):
        text = b"".join(line + b"\n" for line in lines[number - 1:number - 1 + batch])
        have += ledger.apply_text(text, {"clock": "at", "line": number})
        number += batch
    check("1,000 commands: the same answers", have == want, [(a, b) for a, b in zip(have.splitlines(), want.splitlines()) if a != b][:1])
    again = ledger.apply_text(whole, {"clock": "at"})
    check("again: keyed ones are answered as before", again == run("apply", by_program, "--clock=at", feed=whole))
    same_questions(ledger, by_program)
    the_feed(ledger)
    ledger.close()
    check("the same log", run("log", by_program, "--json", "--people") == run("log", by_library, "--json", "--people"))
    check("the audit verifies what the library wrote", "verified" in run("audit", by_library))


def same_questions(ledger, directory):
    """Every query that the program has, for every wallet, now and in the past."""
    balances = run("balance", directory, "--all", "--json")
    wallets = [json.loads(line)["wallet"] for line in balances.splitlines()]
    events = json.loads(run("stat", directory, "--json"))["events"]
    moments = [None, events // 2, "2026-12-01T00:00:00+09:00"]
    for name in wallets:
        for moment in moments:
            past = [] if moment is None else ["--as-of", str(moment)]
            at = {} if moment is None else {"as_of": moment}
            for ask, words, members in (
                    ("balance", ["balance"], {}), ("explain", ["explain"], {}),
                    ("cash_status", ["cash-status"], {}), ("cash_status", ["cash-status", "--view", "known"], {"view": "known"}),
                    ("history", ["history"], {}), ("history", ["history", "--type", "refund", "--limit", "3"], {"type": "refund", "limit": 3}),
                    ("history", ["history", "--people"], {"people": True}), ("lots", ["lots"], {}), ("grants", ["grants", "--open"], {"open": True}),
                    ("refunds", ["refunds", "--limit", "2"], {"limit": 2})):
                want = run(words[0], directory, name, *words[1:], *past, "--json")
                try:
                    have = ledger.ask_text({"ask": ask, "wallet": name, **members, **at})
                except Failed:
                    have = ""  # the wallet was not there then
                # A cursor names the frames of its log, and these two ledgers were cut into other ones.
                have, want = (re.sub(r'"next":"[0-9a-f]+"', '"next":"..."', text) for text in (have, want))
                check(f"{ask} of {name} as of {moment}", have == want, (have, want))
        for number, lang in ((n, lang) for n in range(1, 11) for lang in ("ko", "en")):
            answers = [ledger.ask("answer", wallet=name, question=number, lang=lang),
                       json.loads(run("answer", directory, name, "--question", str(number), "--lang", lang, "--json"))]
            for a in answers:  # asked at two moments
                a["text"] = re.sub(r"(기준: |As of )[-0-9T:.+]+", "...", a["text"])
                a["as_of"].pop("at")
            check(f"question {number} about {name} in {lang}", answers[0] == answers[1] and answers[0]["text"], answers)
        check(f"refused of {name}", ledger.ask_text({"ask": "refused", "wallet": name}) == run("refused", directory, name, "--json"))
    day = json.loads(run("stat", directory, "--json"))["closed_through"]
    check("cash_day", ledger.ask_text({"ask": "cash_day", "day": day}) == run("cash-status", directory, "--all", "--day", day, "--json"))
    log = run("log", directory, "--json", "--people").splitlines(keepends=True)
    check("log", ledger.ask_text({"ask": "log", "limit": 10000, "people": True}) == "".join(log))
    check("log from a number", ledger.ask_text({"ask": "log", "from": 5, "limit": 3}) ==
          "".join(run("log", directory, "--json", "--from", "5").splitlines(keepends=True)[:3]))
    check("log as a list", ledger.ask("log", limit=10000, people=True) == [json.loads(line) for line in log] and ledger.ask("log", **{"from": events + 1}) == [])
    lines = [q["ask"] for q in ledger.ask("queries")["queries"] if q["answer"] == "lines"]
    check("which answers are lines", sorted(lines) == ["cash_day", "log"] and ledger.ask("cash_day", day=day)[0]["day"] == day, lines)
    check("log beyond its end", ledger.ask_text({"ask": "log", "from": events + 1}) == "")
    volatile = ("log_bytes", "log_file_bytes", "stored_seq", "views_seq", "frames", "chain")
    have, want = ledger.ask("stat"), json.loads(run("stat", directory, "--json"))
    check("stat", list(have) == list(want) and all(have[k] == want[k] for k in have if k not in volatile), (have, want))
    check("head", ledger.ask("head")["seq"] == events and ledger.ask("policies") == have["policies"])
    check("info", ledger.ask("info") == ledger.info and ledger.info["ledger_id"] == have["ledger_id"])


def the_feed(ledger):
    """Each event as in the log, with its balance as of its number; of a wallet likewise."""
    events = {e["seq"]: e for e in ledger.ask("log", limit=10000, people=True)}
    whole, page = [], {"more": True, "through": 0, "next": ""}
    while page["more"]:
        page = ledger.ask("feed", limit=37, people=True, **({"cursor": page["next"]} if whole else {"after": 0}))
        whole += page["rows"]
        check("a page's end", page["through"] == whole[-1]["seq"] and page["next"] == whole[-1]["cursor"] and page["head"] == len(events), page["through"])
    check("each event once", [row["seq"] for row in whole] == list(events))
    for row in whole:
        added = {name: row[name] for name in ("effect", "balance", "late", "cursor")}
        check("a row is the event", {**events[row["seq"]], **added} == row, row)
        if row["wallet"] is None:
            check("no balance", row["balance"] is None and row["effect"] == 0, row)
        elif row["seq"] % 5 == 0:
            balance = ledger.ask("balance", wallet=row["wallet"], as_of=row["seq"])
            check("a row's balance", all(balance[name] == value for name, value in row["balance"].items()), (row, balance))
    name = next(row["wallet"] for row in whole if row["wallet"] is not None)
    mine = ledger.ask("feed", wallet=name, limit=10000, people=True)
    check("of a wallet", mine["rows"] == [row for row in whole if row["wallet"] == name] and mine["through"] == len(events) and not mine["more"])
    check("in clear only with people", "people" not in ledger.ask("feed", limit=1)["rows"][0])


def around(work):
    """What stands around the money: the library says what the program prints."""
    directory = made(work, "around")
    ledger = Ledger(LIBRARY, directory)
    answers = ledger.apply(wallet("W", master="jin"), {"op": "channel.create", "channel": "cafe", "person": "jin", "channel_kind": "BUSINESS"},
                           {"op": "channel.connect", "wallet": "W", "channel": "cafe"}, {"op": "member.invite", "wallet": "W", "person": "sol"},
                           {"op": "biz.request", "wallet": "W", "biz": "1112233333", "biz_name": "n", "representative": "r", "address": "a"},
                           charge("W", "C", 5000, channel="cafe"))
    check("commands about people", all(a["ok"] for a in answers), answers)
    for ask, words, members in (("who", ["who", "W"], {"wallet": "W"}), ("who", ["who", "W", "--people"], {"wallet": "W", "people": True}),
                                ("may", ["may", "W", "--actor", "jin"], {"wallet": "W", "actor": "jin"}),
                                ("may", ["may", "W", "--actor", "jin", "--channel", "cafe", "--people"],
                                 {"wallet": "W", "actor": "jin", "channel": "cafe", "people": True}),
                                ("roles", ["roles"], {}), ("channel", ["channel", "cafe", "--people"], {"channel": "cafe", "people": True}),
                                ("biz", ["biz", "W", "--people"], {"wallet": "W", "people": True}), ("biz", ["biz", "--channel", "cafe"], {"channel": "cafe"}),
                                ("can_delete", ["can-delete", "W"], {"wallet": "W"}), ("events", ["events", "--channel", "cafe"], {"channel": "cafe"})):
        want = json.loads(run(words[0], directory, *words[1:], "--json"))
        have = ledger.ask(ask, **members)
        moment = have.pop("as_of", None), want.pop("as_of", None)  # of now
        check(f"{ask} {members}", have == want and (ask == "roles" or moment[0]["seq"] == moment[1]["seq"]), (have, want))
    failure("biz of both", "E_USAGE", "of a wallet or of a channel", ledger.ask, "biz", wallet="W", channel="cafe")
    failure("biz of none", "E_USAGE", "of a wallet or of a channel", ledger.ask, "biz")
    failure("may of whom", "E_USAGE", "`actor`", ledger.ask, "may", wallet="W")
    failure("no such channel", "E_NOTFOUND", "no channel X", ledger.ask, "channel", channel="X")
    failure("now and then", "E_USAGE", "as_of", ledger.ask, "who", wallet="W", as_of=3)
    ledger.close()


def papers(work):
    """Tax invoices: the library says what the program prints, now and in the past."""
    directory = made(work, "papers")
    ledger = Ledger(LIBRARY, directory)
    at = "2026-03-%02dT10:00:00+09:00"
    lines = [wallet("W", master="jin", at=at % 2), {"op": "biz.request", "wallet": "W", "biz": "1112233333", "biz_name": "n", "representative": "r", "address": "a", "at": at % 2}]
    answers = [json.loads(a) for a in ledger.apply_text("".join(json.dumps(line) + "\n" for line in lines).encode(), {"clock": "at"}).splitlines()]
    lines = [{"op": "biz.approve", "wallet": "W", "seq": answers[1]["seq"], "at": at % 3}, charge("W", "C", 5000, at=at % 3), consume("W", "U1", 1100, at=at % 4),
             consume("W", "U2", 1100, at=at % 5), {"op": "free.grant", "wallet": "W", "grant": "G", "amount": 5, "expires_on": "2026-04-20", "at": at % 5},
             {"op": "day.close", "day": "2026-04-02", "at": "2026-04-03T10:00:00+09:00"}]
    ledger.apply_text("".join(json.dumps(line) + "\n" for line in lines).encode(), {"clock": "at"})
    due = json.loads(run("due", directory, "--clock=at", "--json"))
    check("what is due", [c["op"] for c in due["commands"]] == ["invoice.issue", "notice.send"] and due["blocked"] == [] and due["late"] == [], due)
    done = ledger.apply_text("".join(json.dumps({**c, "clock": "2026-04-03T11:00:00+09:00"}) + "\n" for c in due["commands"]).encode(), {"clock": "at"})
    done = [json.loads(line) for line in done.splitlines()]
    check("what is due is done", [a["ok"] for a in done] == [True, True] and done[0]["total"] == 2200 and done[0]["vat"] == 200, done)
    lines = [{"op": "invoice.confirm", "wallet": "W", "invoice": 1, "at": "2026-04-03T12:00:00+09:00"},
             {"op": "consume.reverse", "wallet": "W", "usage": "U2", "amount": 100, "at": "2026-04-04T12:00:00+09:00"},
             {"op": "invoice.issue", "wallet": "W", "month": "2026-03", "at": "2026-04-05T12:00:00+09:00"}]
    ledger.apply_text("".join(json.dumps(line) + "\n" for line in lines).encode(), {"clock": "at"})
    for ask, words, members in (("invoices", ["invoices", "W"], {"wallet": "W"}), ("invoices", ["invoices", "W", "--month", "2026-04"], {"wallet": "W", "month": "2026-04"}),
                                ("invoice", ["invoice", "2", "--people"], {"invoice": 2, "people": True}), ("due", ["due", "--outside"], {"outside": True}),
                                ("due", ["due", "--kind", "day"], {"kind": "day"}), ("invoice", ["invoice", "1", "--as-of", str(done[0]["seq"])], {"invoice": 1, "as_of": done[0]["seq"]})):
        want = json.loads(run(words[0], directory, *words[1:], "--json"))
        have = ledger.ask(ask, **members)
        moment = have.pop("as_of", None), want.pop("as_of", None)  # of now
        check(f"{ask} {members}", have == want and moment[0]["seq"] == moment[1]["seq"], (have, want))
    rows = ledger.ask("invoice", invoice=2)["rows"]
    check("rows of a delta", [(r["usage"], r["amount"]) for r in rows] == [("U2", -100)], rows)
    check("a month's papers", [(r["kind"], r["state"], r["total"], r["vat"]) for r in in_pages(ledger, "invoices", 1, wallet="W")] ==
          [("ORIGINAL", "CONFIRMED", 2200, 200), ("DELTA", "ISSUED", -100, -9)])
    check("as it was", ledger.ask("invoice", invoice=1, as_of=done[0]["seq"])["state"] == "ISSUED")
    failure("no such invoice", "E_NOTFOUND", "no invoice number 3", ledger.ask, "invoice", invoice=3)
    failure("not yet", "E_NOTFOUND", "no invoice number 1", ledger.ask, "invoice", invoice=1, as_of=done[0]["seq"] - 1)
    failure("a month", "E_USAGE", "month", ledger.ask, "invoices", wallet="W", month="2026-13")
    ledger.close()
    subprocess.run([JANGBU, "init", os.path.join(work, "none"), "--invoice-from", "none"], check=True, capture_output=True)
    ledger = Ledger(LIBRARY, os.path.join(work, "none"))
    ledger.apply(wallet("W"))
    for ask, members in (("invoices", {"wallet": "W"}), ("invoice", {"invoice": 1}), ("due", {})):
        failure(f"{ask} of none", "E_NOTFOUND", "no invoices: invoice_from is not set", ledger.ask, ask, **members)
    ledger.close()


def the_words(ledger):
    """What the query "commands" says is whole: every member has a kind, and is one of some op."""
    said = ledger.ask("commands")
    members = {m["name"]: m for m in said["members"]}
    check("a kind of each member", all(isinstance(m["kind"], str) for m in members.values()), [m for m in members.values() if not m["kind"]])
    used = {name for op in said["ops"] for name in op["required"] + op["optional"]}
    check("the members of the ops", used == set(members), used ^ set(members))
    check("words of each word", all(m.get("words") for m in members.values() if m["kind"] == "word"))
    check("roles that can be given", members["role"]["words"] == ["AGENCY", "OPERATOR", "GATEWAY", "SYSTEM"], members["role"])


def in_pages(ledger, ask, limit, **members):
    rows, cursor = [], None
    for _ in range(1000):
        page = ledger.ask(ask, limit=limit, **members, **({"cursor": cursor} if cursor else {}))
        rows, cursor = rows + page["rows"], page["next"]
        if cursor is None:
            return rows
    return None


def flags_given_as_false(ledger):
    """What is true unless given otherwise can be given otherwise: false is never taken for true. Elsewhere it is as if it were not there."""
    about = {"wallet": "W", "channel": "C", "actor": "A", "question": 2, "text": "W", "day": "2026-01-01", "month": "2026-01", "invoice": 1, "after": 0,
             "from_day": "2026-01-01", "to_day": "2026-01-01"}
    table = ledger.ask("queries")
    flags = {m["name"] for m in table["members"] if m["kind"] == "boolean"}
    looked = set()
    for q in table["queries"]:
        for flag in flags & set(q["optional"]):
            def answer(**more):
                try:
                    return re.sub(r'"(at|next)":"[^"]*"|As of [-0-9T:.+]+', "", ledger.ask_text({"ask": q["ask"], **{m: about[m] for m in q["required"]}, **more}))
                except Failed as e:
                    return e.error["status"]
            plain, no, yes = answer(), answer(**{flag: False}), answer(**{flag: True})
            looked.add(flag)
            check(f"{flag} of {q['ask']} given as false", no == plain or (no != yes and plain == yes), (plain, no, yes))
    check("each flag was looked at", looked == flags, flags - looked)


def pages(work):
    """Each list, page by page, is the whole; and its figures are those of the balance."""
    directory = made(work, "pages")
    ledger = Ledger(LIBRARY, directory)
    commands = [wallet(name) for name in ("W", "V", "U")]
    for i in range(25):
        commands += [charge("W", f"C{i}", 1000 + i), {"op": "free.grant", "wallet": "W", "grant": f"G{i}", "amount": 10 + i, "expires_on": "2099-01-01"},
                     {"op": "refund.request", "wallet": "W", "refund": f"R{i}", "amount": 5}, consume("W", f"U{i}", 7), consume("W", f"X{i}", 10**9, key=f"k{i}")]
        commands += [{"op": "free.activate", "wallet": "W", "grant": f"G{i}"}, {"op": "refund.reject", "wallet": "W", "refund": f"R{i}"}] if i % 2 else []
    answers = ledger.apply(*commands)
    the_words(ledger)
    check("commands for pages", sum(not a["ok"] for a in answers) == 25, [a for a in answers if not a["ok"]][:1])
    whole = {}
    for ask in ("wallets", "lots", "grants", "refunds", "history", "refused", "events"):
        about = {} if ask in ("wallets", "events") else {"wallet": "W"}
        whole[ask] = ledger.ask(ask, limit=10000, **about)["rows"]
        check(f"{ask} in pages", in_pages(ledger, ask, 2 if ask == "wallets" else 7, **about) == whole[ask] and len(whole[ask]) >= 3, len(whole[ask]))
    balance = ledger.ask("balance", wallet="W")
    everybody = [json.loads(line) for line in run("balance", directory, "--all", "--json").splitlines()]
    check("wallets", [{k: w[k] for k in everybody[0] if k != "as_of"} for w in whole["wallets"]] ==
          [{k: v for k, v in w.items() if k != "as_of"} for w in everybody])
    check("lots are the paid cash", sum(r["left"] for r in whole["lots"]) == balance["paid"] and whole["lots"][0]["charge"] == "C0", whole["lots"][:1])
    check("grants are the free cash", sum(r["left"] for r in whole["grants"] if r["state"] == "IN_USE") == balance["free"] and
          sum(r["left"] for r in whole["grants"] if r["state"] == "DORMANT") == balance["free_dormant"] and not whole["grants"][0]["due"], whole["grants"][:1])
    open_ones = ledger.ask("refunds", wallet="W", open=True)["rows"]
    check("open refunds", open_ones == [r for r in whole["refunds"] if r["state"] == "REQUESTED"] and sum(r["amount"] for r in open_ones) == balance["refund_pending"])
    flags_given_as_false(ledger)
    log = [json.loads(line) for line in run("log", directory, "--json").splitlines()]
    check("events are the log", whole["events"] == log)
    check("events, newest first", in_pages(ledger, "events", 13, newest_first=True) == log[::-1])
    some = ledger.ask("events", types=["charge_settled", "free_granted"], since=20, until=60, wallet="W")["rows"]
    check("some events", some == [e for e in log if e["type"] in ("charge_settled", "free_granted") and 20 <= e["seq"] <= 60] and len(some) > 5)
    check("events of all days", ledger.ask("events", since="0001-01-01", until="9999-12-31", limit=10000)["rows"] == [e for e in log if e["recorded_at"] is not None])
    early, late = log[40]["recorded_at"], log[-1]["recorded_at"]
    check("events by time", ledger.ask("events", since=early, until=late, limit=10000)["rows"] ==
          [e for e in log if e["recorded_at"] is not None and early <= e["recorded_at"] < late])
    for name, members, words in (("a type that is none", {"types": ["charged"]}, ["there is no type charged"]), ("a type that is a number", {"types": ["charge_settled", 5]}, ["not 5"]), ("too many types", {"types": ["charge_settled"] * 200}, ["not a list of 200"]),
                                 ("types that are no list", {"types": "charge_settled"}, ["a list"]),
                                 ("no types", {"types": []}, ["a list"]), ("a bound that is none", {"since": "2026-10-01T00:00:00"}, ["since must be"]),
                                 ("an order that is none", {"newest_first": "up"}, ["true or false"]), ("an event before the first", {"until": 0}, ["from 1"])):
        failure(name, "E_USAGE", words, ledger.ask, "events", **members)
    page = ledger.ask("lots", wallet="W", limit=3)
    failure("a cursor of another list", "E_USAGE", [], ledger.ask, "grants", wallet="W", cursor=page["next"])
    check("a list of what is not there", "rows" not in str(failure("no such wallet", "E_NOTFOUND", ["N"], ledger.ask, "lots", wallet="N")))
    more = ledger.ask("wait", after=len(log))
    check("waiting in vain", more == {"seq": len(log), "more": False}, more)
    waiter = threading.Thread(target=lambda: check("waiting", ledger.ask("wait", after=len(log), timeout_us=10**7) == {"seq": len(log) + 1, "more": True}))
    waiter.start()
    first = ledger.ask("wallets", limit=1)
    ledger.apply(charge("V", "C", 1000))
    waiter.join()
    second = ledger.ask("wallets", limit=100, cursor=first["next"])
    check("wallets in pages are of one moment", first["rows"] + second["rows"] == whole["wallets"] and first["as_of"] == second["as_of"])
    ledger.close()


# ---- what is wrong is said by name ----

def wrong_lines(work):
    ledger = Ledger(LIBRARY, made(work, "wrong"))
    text = b'\xef\xbb\xbf{"op":"wallet.create","wallet":"W","kind":"BUSINESS","name":"w"}\r\n\n  \nnothing\n{"op":"chrge"}\n[]\n' + \
        b'{"op":"consume","wallet":"W\xff","usage":"U","amount":1}\n{"op":"charge","wallet":"W","charge":"C","amount":1000}'
    want = run("apply", made(work, "wrong2"), feed=text)
    have = ledger.apply_text(text)
    check("malformed lines are answered at their lines", have == want and len(have.splitlines()) == 7, (have, want))
    long = b'{"op":"' + b"x" * (4 << 20) + b'"}\n'
    answers = [json.loads(line) for line in ledger.apply_text(long + b'{"op":"wallet.off","wallet":"W"}').splitlines()]
    check("a line of more than 4 MiB", [a.get("code") for a in answers] == ["BATCH_TOO_LARGE", None] and answers[1]["line"] == 2, answers)
    hangul = ledger.apply({"op": "가" * 30}, {"op": "consume", "wallet": "W", "가" * 30: 1}, {"op": "consume", "wallet": "W", "usage": "U", "amount": "하" * 40})
    check("a text that is cut in a sentence stays UTF-8", all("가" in a["message"] or "하" in a["message"] for a in hangul), hangul)
    check("nothing", ledger.apply_text(b"") == "" and ledger.apply_text(b"\n\n") == "")
    big = ledger.apply(*[charge("W", f"B{i}", 1000) for i in range(20000)])
    check("more than one batch", len(big) == 20000 and all(a["ok"] for a in big) and big[-1]["line"] == 20000)
    ledger.close()


def wrong_queries(work):
    ledger = Ledger(LIBRARY, made(work, "queries"))
    ledger.apply(wallet("W"))
    for name, query, words in (
            ("no such query", {"ask": "balnce", "wallet": "W"}, ["no query balnce", "do you mean balance?"]),
            ("no ask", {"wallet": "W"}, ["a query is a JSON object"]),
            ("a list", ["balance"], ["a query is a JSON object"]),
            ("a member that it does not take", {"ask": "balance", "wallet": "W", "limit": 5}, ["balance takes no limit"]),
            ("a member misspelt", {"ask": "balance", "walet": "W"}, ["takes no walet", "do you mean wallet?"]),
            ("a member missing", {"ask": "balance"}, ["balance needs `wallet`"]),
            ("a number missing", {"ask": "wait"}, ["wait needs `after`"]),
            ("a cursor and a moment", {"ask": "history", "wallet": "W", "cursor": "x", "as_of": 5}, ["leave as_of out"]),
            ("a type that is none", {"ask": "events", "types": ["charge_settled", "charge"]}, ["there is no type charge; do you mean charge_settled?"]),
            ("a type like none", {"ask": "events", "types": ["xyzzy"]}, ["there is no type xyzzy"]),
            ("a wallet that is a number", {"ask": "balance", "wallet": 5}, ["wallet must be a text; not 5"]),
            ("a limit of 0", {"ask": "history", "wallet": "W", "limit": 0}, ["from 1 to 10000; not 0"]),
            ("a limit beyond 64 bits", {"ask": "history", "wallet": "W", "limit": 2**70}, ["from 1 to 10000; not a number of more than 64 bits"]),
            ("a limit of 0 beside that", {"ask": "history", "limit": 0, "wallet": "W", "cursor": 2**70}, ["from 1 to 10000; not 0"]),
            ("a limit with a fraction", {"ask": "history", "wallet": "W", "limit": 1.5}, ["not a number with a fraction"]),
            ("a moment that is none", {"ask": "balance", "wallet": "W", "as_of": "yesterday"}, ["as_of must be", "yesterday"]),
            ("a moment below 0", {"ask": "balance", "wallet": "W", "as_of": -1}, ["as_of must be", "not -1"]),
            ("a view that is none", {"ask": "cash_status", "wallet": "W", "view": "all"}, ["one of posted, known"]),
            ("a day that does not exist", {"ask": "cash_day", "day": "2026-02-30"}, ["day must be a day"]),
            ("a cursor of nothing", {"ask": "history", "wallet": "W", "cursor": "x"}, ["cursor"]),
            ("no JSON", b"balance", ["this is not JSON"]), ("no text", b"", ["the query is cut short"]), ("cut short", b'{"ask":"stat"', ["the query is cut short"]),
            ("not UTF-8", b'{"ask":"\xff"}', ["the query is not UTF-8"]),
            ("a member twice", b'{"ask":"stat","ask":"stat"}', ["twice"]), ("NUL", b'{"ask":"stat\\u0000"}', ["NUL"])):
        failure(name, "E_USAGE", words, ledger.ask_text, query)
    failure("a wallet that is not there", "E_NOTFOUND", ["V"], ledger.ask, "balance", wallet="V")
    failure("a moment that is not there", "E_NOTFOUND", [], ledger.ask, "balance", wallet="W", as_of=10**6)
    failure("a day that is open", "E_NOT_CLOSED", [], ledger.ask, "cash_day", day="2999-01-01")
    for name, options, words in (
            ("an option misspelt", {"dryrun": True}, ["apply takes no dryrun", "dry_run"]),
            ("a clock that is none", {"clock": "mine"}, ["one of system, at"]),
            ("two options that contradict", {"clock": "at", "accept_clock": True}, ["accept_clock is about"]),
            ("options that are no object", [1], ["must be a JSON object"]), ("no JSON", b"{", ["the text of the options is cut short"])):
        failure(name, "E_USAGE", words, ledger.apply_text, b'{"op":"wallet.off","wallet":"W"}', options)
    check("and nothing was done", ledger.ask("balance", wallet="W")["version"] == ledger.ask("head")["seq"])
    ledger.close()


HANGUL = re.compile("[가-힣]")


def languages(work):
    """Sentences in both languages, by handle and by call; all else is the same."""
    directory = os.path.join(work, "languages")
    english = Ledger(LIBRARY, directory, {"init": {}})
    korean = Ledger(LIBRARY, directory, {"lang": "ko"})
    refused, bad = {"op": "wallet.off", "wallet": "V"}, {"op": "wallet.of", "wallet": "V"}
    for command in (refused, bad):
        answers = [english.apply(command)[0], korean.apply(command)[0], english.apply(command, lang="ko")[0], korean.apply(command, lang="en")[0]]
        said = [a.pop("message") for a in answers]
        check("each in its language", [bool(HANGUL.search(s)) for s in said] == [False, True, True, False], said)
        check("and else the same", all(a == answers[0] for a in answers), answers)
    for name, call, *args in (("no wallet", korean.ask, "balance"), ("no query", korean.ask, "balanc"), ("no text", korean.ask_text, b"{"),
                              ("no option", korean.apply_text, b"", {"lin": 1})):
        try:
            call(*args, **({"wallet": "V"} if name == "no wallet" else {}))
            check(f"{name}: refused", False)
        except Failed as e:
            check(f"{name}: in Korean", HANGUL.search(e.error["message"]), e.error)
    for options, is_korean in (({"lang": "ko", "clock": 1}, True), ({"lang": "en", "clock": 1}, False), ({"clock": 1}, False), ({"lang": "de"}, False)):
        try:
            Ledger(LIBRARY, directory, options)
            check(f"{options}: refused", False)
        except Failed as e:
            check(f"{options}: in its language", bool(HANGUL.search(e.error["message"])) == is_korean, e.error)
    english.close()
    korean.close()


def opening(work):
    directory = os.path.join(work, "by-library")
    failure("no ledger", "E_NOTFOUND", [], Ledger, LIBRARY, directory)
    for name, options, words in (
            ("a caller that is too long", {"caller": "x" * 33}, ["at most 32 bytes"]), ("a caller with a space", {"caller": "a b"}, ["white space"]),
            ("no time to wait", {"lock_wait_us": 0}, ["lock_wait_us must be"]), ("a clock", {"clock": "at"}, ["open takes no clock"]),
            ("made for reading", {"read_only": True}, ["with read_only nothing is written"]), ("a currency in small letters", {"init": {"currency": "krw"}}, ["three capital letters"]),
            ("a currency without decimals", {"init": {"currency": "XXX"}}, ["exponent"]), ("an exponent of 7", {"init": {"exponent": 7}}, ["from 0 to 6"]),
            ("a day that begins elsewhere", {"init": {"utc_offset": "+19:00"}}, ["offset"])):
        failure(name, "E_USAGE", words, Ledger, LIBRARY, directory, {"init": {}, **options})
        check(f"{name}: nothing was made", not os.path.exists(directory) and os.listdir(work).count("by-library") == 0)
    for name, options, words in (
            ("an option misspelt", {"readonly": True}, ["open takes no readonly", "read_only"]),
            ("an option of init misspelt", {"init": {"curency": "KRW"}}, ["init takes no curency", "currency"]),
            ("an offset that is none", {"init": {"utc_offset": "9"}}, ["utc_offset must be"]),
            ("a caller that is too long", {"caller": "x" * 33}, ["at most 32 bytes"]), ("no JSON", b"x", [])):
        failure(name, "E_USAGE", words, Ledger, LIBRARY, directory, options)
    ledger = Ledger(LIBRARY, directory, {"init": {"currency": "USD", "utc_offset": "-05:00"}, "caller": "gateway"})
    check("made by the library", (ledger.info["currency"], ledger.info["exponent"], ledger.info["utc_offset"]) == ("USD", 2, "-05:00"), ledger.info)
    ledger.apply(wallet("W", key="1"))
    check("until the last day of all", len(ledger.ask("events", until="9999-12-31")["rows"]) == ledger.ask("head")["seq"])
    check("the caller of the options", json.loads(ledger.ask_text({"ask": "log", "from": ledger.ask("head")["seq"]}))["caller"] == "gateway")
    done = ledger.apply(charge("W", "C", 1000), dry_run=True)[0]
    check("a dry run", done["dry_run"] and done["balance"]["total"] == 1000 and ledger.ask("balance", wallet="W")["total"] == 0, done)
    failure("made once more", "E_EXISTS", [], Ledger, LIBRARY, directory, {"init": {}})
    ledger.close()
    ledger = Ledger(LIBRARY, directory, {"read_only": True})
    e = failure("written to for reading", "E_READONLY", [], ledger.apply, {"op": "wallet.off", "wallet": "W"})
    check("no line is done", e is not None and e.error["lines_done"] == 0 and e.answers == [])
    off = b'{"op":"wallet.off","wallet":"W"}\n'
    e = failure("a later part of an input", "E_READONLY", [], ledger.apply_text, off * 3, {"line": 1001})
    check("the lines of the parts before are done", e is not None and e.error["lines_done"] == 1000 and e.answers == [])
    e = failure("of which two lines are answered", "E_READONLY", [], ledger.apply_text, b"x\n\n{}\n" + off, {"line": 1001})
    check("the last of them", e is not None and e.error["lines_done"] == 1003 and [a["line"] for a in e.answers] == [1001, 1003])
    for options in ({"lin": 1001}, {"line": 0}, {"line": 2**52}, {"line": 2**63}, {"line": 2**64}, b"{"):
        e = failure(f"options {options}", "E_USAGE", [], ledger.apply_text, off, options)
        check("which line was the first is not known", e is not None and "lines_done" not in e.error and e.answers == [])
    last = json.loads(ledger.apply_text(b"x", {"line": 2**52 - 1}))
    check("the last number of a line", last["line"] == 2**52 - 1, last)
    check("read for reading", ledger.ask("balance", wallet="W")["total"] == 0 and ledger.info["read_only"])
    ledger.close()
    check("closed twice", LIBRARY.c.jb_json_close(None) is None)


def unkeyed(work):
    """`info` says why there is no usable key, in the language of the handle, as a command that fails does."""
    directory, key = os.path.join(work, "unkeyed"), os.path.join(work, "unkeyed.key")
    whole = Ledger(LIBRARY, directory, {"init": {"key_file": key}})
    check("a usable key", (whole.ask("info")["sealed"], whole.ask("info")["sealed_why"]) == (False, None), whole.ask("info"))
    whole.close()
    os.chmod(key, 0o644)
    for lang in ("en", "ko"):
        ledger = Ledger(LIBRARY, directory, {"lang": lang})
        info, failed = ledger.ask("info"), failure(f"a command without a key, {lang}", "E_KEY", [key], ledger.apply, wallet("W"))
        check(f"why there is no usable key, {lang}", info["sealed"] and info["sealed_why"] == failed.error["message"], info)
        ledger.close()


def forked(work):
    """A handle does not survive fork: the child is told so by each call, and the parent goes on."""
    ledger = Ledger(LIBRARY, made(work, "forked"))
    waiter = threading.Thread(target=lambda: ledger.ask("wait", after=1000, timeout_us=10**6))
    waiter.start()
    time.sleep(0.2)  # now it waits, in the parent
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # not for ever
        told = 0
        for call in (lambda: ledger.ask("head"), lambda: ledger.apply(wallet("W")), lambda: ledger.ask("wait", after=1000, timeout_us=10**7)):
            try:
                call()
            except Failed as e:
                told += e.error["status"] == "E_USAGE" and "fork" in e.error["message"]
        ledger.close()
        os._exit(0 if told == 3 else 1)
    check("a child's handle", os.waitpid(child, 0)[1] == 0)
    waiter.join()
    check("the parent's", ledger.apply(wallet("W"))[0]["ok"] and ledger.ask("balance", wallet="W")["version"] > 0)
    ledger.close()


# ---- many threads ----

def threads(work):
    """Two write and two ask, all by one handle: no answer is another's."""
    ledger = Ledger(LIBRARY, made(work, "threads"))
    ledger.apply(*[wallet(f"W{i}") for i in range(4)])
    wrong = []

    def write(name):
        for i in range(200):
            answer = ledger.apply(charge(name, f"C{i}", 1000 + i, key=f"{name}-{i}"))[0]
            if answer["key"] != f"{name}-{i}" or answer["amount"] != 1000 + i:
                wrong.append(answer)

    def ask(name):
        last = 0
        for _ in range(200):
            answer = ledger.ask("balance", wallet=name)
            if answer["wallet"] != name or answer["total"] < last:
                wrong.append(answer)
            last = answer["total"]

    crowd = [threading.Thread(target=what, args=(name,)) for what, name in ((write, "W0"), (ask, "W0"), (write, "W1"), (ask, "W1"))]
    for t in crowd:
        t.start()
    for t in crowd:
        t.join()
    want = sum(1000 + i for i in range(200))
    check("four threads", wrong == [] and all(ledger.ask("balance", wallet=f"W{i}")["total"] == want for i in (0, 1)), wrong[:2])
    ledger.close()


def main():
    global JANGBU, LIBRARY
    JANGBU, LIBRARY = os.path.abspath(sys.argv[1]), Library(os.path.abspath(sys.argv[2]))
    with tempfile.TemporaryDirectory() as work:
        for part in (same_commands, pages, around, papers, wrong_lines, wrong_queries, opening, languages, unkeyed, forked, threads):
            part(work)
    print(f"{checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
