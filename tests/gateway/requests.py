#!/usr/bin/python3
"""The gateway over real sockets: each status, header, scope, key, batch, dry run, ETag, prefix of wallets, role, personal text, and
sentences in both languages; and what the threats of a network get.

usage: requests.py JANGBU JANGBUD"""
import concurrent.futures
import functools
import http.client
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import urllib.parse

from served import Served, check, checks, ledger_in, token

JANGBU, JANGBUD = sys.argv[1:3]
made = functools.partial(ledger_in, JANGBU)


def jangbu(*args, feed=None):
    return subprocess.run([JANGBU, *args], input=feed, capture_output=True)


def wallet(name, **more):
    return {"op": "wallet.create", "wallet": name, "kind": "PERSONAL", "name": "지갑 " + name, **more}


def charge(name, number, amount, **more):
    return {"op": "charge", "wallet": name, "charge": number, "amount": amount, **more}


def consume(name, number, amount, **more):
    return {"op": "consume", "wallet": name, "usage": number, "amount": amount, **more}


def problem(name, answer, status, code, *words):
    """It is that problem, and says so in every place."""
    try:
        p = answer.json
    except ValueError:
        return check(name, False, answer)
    check(name, answer.status == status and answer.headers["Content-Type"] == "application/problem+json" and p["code"] == code
          and p["status"] == status and p["type"] == "https://jangbu.invalid/codes/" + code and p["title"] and p["detail"]
          and all(word in p["detail"] for word in words), answer)


# ---- commands


def commands(s):
    a = s.post(wallet("W1", key="w1"))
    check("created", a.status == 200 and a.json == {"ok": True, "key": "w1", "seq": a.json["seq"], "wallet_version": a.json["wallet_version"]}, a)
    check("its headers", a.headers["Jangbu-Seq"] == str(a.json["seq"]) and len(a.headers["Jangbu-Ledger"]) == 32
          and a.headers["Content-Type"] == "application/json" and a.headers["Idempotent-Replayed"] is None, a)
    first = s.post(charge("W1", "C1", 50000), Idempotency_Key='"c1"')
    check("key in the head", first.status == 200 and first.json["key"] == "c1", first)
    again = s.post(charge("W1", "C1", 50000, key="c1"))
    check("replayed", again.status == 200 and again.headers["Idempotent-Replayed"] == "true" and again.json["seq"] == first.json["seq"]
          and again.json["duplicate"] is True, again)
    check("bare, and in both places", s.post(charge("W1", "C1", 50000, key="c1"), Idempotency_Key="c1").status == 200)
    problem("other content", s.post(charge("W1", "C1", 50001, key="c1")), 422, "KEY_CONFLICT")
    problem("keys differ", s.post(charge("W1", "C2", 1000, key="a"), Idempotency_Key="b"), 400, "KEY_DIFFERS")
    for bad in ('"', '""', '"a', 'a"b', '"a\\b"', "x" * 900):
        problem(f"no key: {bad[:9]}", s.post(charge("W1", "C2", 1000), Idempotency_Key=bad), 400, "BAD_REQUEST")
    escaped = s.post(charge("W1", "C9", 1000), Idempotency_Key='"a\\"b\\\\c"')
    check("escaped key", escaped.status == 200 and escaped.json["key"] == 'a"b\\c', escaped)
    refused = s.post(consume("W1", "U1", 900000, key="u1"))
    problem("refused", refused, 422, "INSUFFICIENT_CASH", "51,000" if "51,000" in refused.json["detail"] else "")
    check("with its figures", refused.json["answer"]["available"] == 51000 and refused.json["answer"]["ok"] is False, refused)
    replay = s.post(consume("W1", "U1", 900000, key="u1"))
    check("a refusal is replayed with its status", replay.status == 422 and replay.headers["Idempotent-Replayed"] == "true", replay)
    problem("malformed", s.post('{"op":"consume"'), 400, "MALFORMED")
    problem("unknown member", s.post(consume("W1", "U2", 1, key="z", walet="W1")), 400, "MALFORMED", "walet")
    problem("unknown op", s.post({"op": "consum", "key": "z"}), 400, "MALFORMED", "consume")
    problem("no amount", s.post(consume("W1", "U2", 0, key="z")), 400, "AMOUNT_INVALID")
    problem("two objects", s.post(b"{}{}"), 400, "MALFORMED")
    problem("empty", s.post(b""), 400, "BAD_REQUEST")
    problem("caller in the body", s.post(consume("W1", "U2", 1, key="z", caller="other")), 400, "MALFORMED", "token")
    problem("clock in the body", s.post(consume("W1", "U2", 1, key="z", clock="2026-10-01T00:00:00+09:00")), 400, "MALFORMED", "clock")
    problem("media type", s.post(consume("W1", "U2", 1, key="z"), Content_Type="text/plain"), 415, "MEDIA_TYPE", "not text/plain")
    problem("an address that is none", s.get("/v1/walets/W1"), 404, "NOT_FOUND", "openapi.json")
    problem("a parameter that was meant", s.get("/v1/wallets/W1/history?limt=3"), 400, "PARAMETER", "do you mean limit?")
    problem("deep", s.post(b"[" * 60000), 400, "MALFORMED")
    problem("too large", s.post(b" " * 70000), 413, "TOO_LARGE")
    problem("wallet unknown", s.post(consume("W0", "U2", 1, key="z2")), 422, "WALLET_UNKNOWN")
    problem("ahead of time", s.post(consume("W1", "U2", 1, key="z3", at="2099-01-01T00:00:00+09:00")), 422, "AT_IN_FUTURE")
    group = {"op": "atomic", "key": "g1", "commands": [charge("W1", "C3", 1000), consume("W1", "U3", 52000)]}
    a = s.post(group)
    check("a group", a.status == 200 and len(a.json["results"]) == 2, a)
    group = {"op": "atomic", "key": "g2", "commands": [charge("W1", "C4", 1000), consume("W1", "U4", 90000)]}
    a = s.post(group)
    problem("a group is all or nothing", a, 422, "INSUFFICIENT_CASH")
    check("and says which", a.json["answer"]["index"] == 1, a)
    check("nothing of it", s.get("/v1/wallets/W1").json["paid"] == 0)


def conditions(s):
    w = s.get("/v1/wallets/W1")
    version = w.json["version"]
    check("etag", w.headers["ETag"] == f'"{version}.{w.json["free"]}.{w.json["free_dormant"]}"', w)
    for tag, status in ((w.headers["ETag"], 304), ("W/" + w.headers["ETag"], 304), ('"0.0.0", ' + w.headers["ETag"], 304), ("*", 304),
                        ('"0.0.0"', 200), (w.headers["ETag"][:-1], 200)):
        a = s.get("/v1/wallets/W1", If_None_Match=tag)
        check(f"if-none-match {tag}", a.status == status and (a.body == b"") == (status == 304) and a.headers["ETag"] == w.headers["ETag"], a)
    problem("if-match", s.post(charge("W1", "C5", 2000, key="m1"), If_Match='"1.0.0"'), 412, "EXPECT_MISMATCH")
    check("if-match that holds", s.post(charge("W1", "C5", 2000, key="m2"), If_Match=w.headers["ETag"]).status == 200)
    problem("if-match and expect", s.post(charge("W1", "C6", 2000, key="m3", expect=1), If_Match='"2"'), 400, "BAD_REQUEST")
    problem("if-match of nothing", s.post({"op": "day.close", "day": "2020-01-01", "key": "m4"}, If_Match='"2"'), 400, "BAD_REQUEST")
    for bad in ("*", "2", '"12.x"', '"12", "13"', '"12.0.0", "13.0.0"', '"12.0"', '"12.0.0.0"', '"12..0"', '"12.-1.0"', '"x"', 'W/"2"', '"2', '"99999999999999999999999"'):
        problem(f"if-match {bad}", s.post(charge("W1", "C6", 2000, key="m5"), If_Match=bad), 400, "BAD_REQUEST")


def dry_run(s):
    before = s.get("/v1/ledger/head").json["seq"]
    a = s.post(charge("W1", "C7", 3000), path="/v1/commands?dry_run=1")
    check("dry run", a.status == 200 and a.json["dry_run"] is True and a.json["balance"]["paid"] == 5000 and "seq" not in a.json, a)
    problem("dry refusal", s.post(consume("W1", "U9", 10**9), path="/v1/commands?dry_run=true"), 422, "INSUFFICIENT_CASH")
    a = s.lines([charge("W1", "C7", 3000), consume("W1", "U9", 10**9)], path="/v1/commands?dry_run=1")
    check("dry lines", [x["ok"] for x in a.lines] == [True, False] and all("seq" not in x for x in a.lines), a)
    check("nothing was written", s.get("/v1/ledger/head").json["seq"] == before)
    for bad in ("dry_run=2", "dry_run=1&dry_run=1", "dryrun=1", "dry_run"):
        problem(bad, s.post(charge("W1", "C7", 3000, key="d"), path="/v1/commands?" + bad), 400, "PARAMETER")


def batches(s):
    a = s.lines([wallet("W2", key="b1"), b"", b"nonsense", charge("W2", "C1", 9000, key="b2"), consume("W2", "U1", 10000, key="b3"),
                 consume("W2", "U2", 1, key="b4", caller="x")])
    got = a.lines
    check("lines", a.status == 200 and a.headers["Content-Type"] == "application/x-ndjson"
          and [(x["line"], x["ok"]) for x in got] == [(1, True), (3, False), (4, True), (5, False), (6, False)], a)
    check("their codes", [x.get("code") for x in got] == [None, "MALFORMED", None, "INSUFFICIENT_CASH", "MALFORMED"], a)
    check("lines again", [x.get("duplicate") for x in s.lines([wallet("W2", key="b1"), charge("W2", "C1", 9000, key="b2")]).lines] == [True] * 2)
    a = s.lines([b"nonsense"] * 3)
    check("no command among them", a.status == 200 and [x["code"] for x in a.lines] == ["MALFORMED"] * 3, a)
    problem("no lines", s.lines([]), 400, "BAD_REQUEST")
    a = s.lines([charge("W2", f"L{i}", 1000, key=f"l{i}") for i in range(8192)])
    check("8,192 lines", a.status == 200 and len(a.lines) == 8192 and all(x["ok"] for x in a.lines), a)
    problem("8,193 lines", s.lines([b"{}"] * 8193), 413, "TOO_LARGE")
    problem("4 MiB", s.lines([b" " * 1000] * 4500), 413, "TOO_LARGE")
    problem("a key in the head", s.ask("POST", "/v1/commands", body=b"{}\n", Content_Type="application/x-ndjson", Idempotency_Key="k"), 400, "BAD_REQUEST")


def at_once(s):
    """Of many that bring one key at once, one does it and all get its answer."""
    def one(i):
        return s.post(charge("W2", "ONE", 1000, key="one"))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(one, range(32)))
    check("one key at once", all(a.status == 200 for a in got) and len({a.json["seq"] for a in got}) == 1
          and sum(a.headers["Idempotent-Replayed"] is None for a in got) == 1, got)


def one_at_fault(s):
    """Of requests that are carried out together one fails the call: the others are done."""
    def one(i):
        if i % 4 == 0:
            return s.post({"op": "forget", "person": "nobody", "key": f"forget-{i}"})  # the texts of this ledger are in clear
        return s.post(charge("W2", f"F{i}", 1000, key=f"fault-{i}"))
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        got = list(pool.map(one, range(120)))
    check("those that can be done are", all(a.status == 200 for i, a in enumerate(got) if i % 4), [a for i, a in enumerate(got) if i % 4 and a.status != 200][:2])
    check("those that cannot say why", all(a.status == 409 and a.json["code"] == "E_KEY" and "Retry-After" not in a.headers for a in got[::4]), got[::4][:2])


# ---- reads

READS = [
    ("/v1/wallets", "rows"), ("/v1/wallets?limit=1&statuses=ACTIVE,OFF&kinds=PERSONAL&total_min=0", "rows"), ("/v1/wallets/W1", "total"),
    ("/v1/wallets/W1/cash-status?view=known", "rows"), ("/v1/wallets/W1/history?limit=2&type=charge&oldest_first=true", "rows"),
    ("/v1/wallets/W1/history?types=charge_settled,cash_consumed", "rows"), ("/v1/wallets/W1/explain", "total_now"), ("/v1/wallets/W1/refused", "rows"),
    ("/v1/wallets/W1/charges?open=true", "rows"), ("/v1/wallets/W1/lots", "rows"), ("/v1/wallets/W1/grants", "rows"),
    ("/v1/wallets/W1/refunds", "rows"), ("/v1/wallets/W1/receipts", "rows"), ("/v1/wallets/W1/invoices", "rows"),
    ("/v1/wallets/W1/expiring?days=5", "rows"), ("/v1/wallets/W1/who", "members"), ("/v1/wallets/W1/may?actor=u1", "ops"),
    ("/v1/wallets/W1/can-delete", "conditions"), ("/v1/wallets/W1/answers/2", "text"),
    ("/v1/wallets/W1/events?newest_first=true&limit=3", "rows"), ("/v1/events?since=2", "rows"), ("/v1/events/1", "type"),
    ("/v1/find?text=C1", "rows"), ("/v1/due", "commands"), ("/v1/refunds", "rows"), ("/v1/expiring", "rows"), ("/v1/totals", "wallets"), ("/v1/ledger", "currency"),
    ("/v1/ledger/head", "seq"), ("/v1/ledger/stat", "events"), ("/v1/policies", "policies"), ("/v1/roles", "cells"),
    ("/v1/commands", "ops"), ("/v1/queries", "queries"), ("/v1/openapi.json", "openapi"), ("/healthz", "live"),
]


def reads(s):
    for path, member in READS:
        a = s.get(path)
        check(f"GET {path}", a.status == 200 and a.headers["Content-Type"] == "application/json" and (member in a.json or member == "policies"), a)
    a = s.get("/v1/log?from=2&limit=3")
    check("log", a.headers["Content-Type"] == "application/x-ndjson" and [e["seq"] for e in a.lines] == [2, 3, 4], a)
    problem("no event", s.get("/v1/events/99999999"), 404, "NOT_FOUND")
    problem("no wallet", s.get("/v1/wallets/nobody"), 404, "E_NOTFOUND")
    problem("no channel", s.get("/v1/channels/nobody"), 404, "E_NOTFOUND")
    problem("no route", s.get("/v1/nothing"), 404, "NOT_FOUND")
    a = s.ask("DELETE", "/v1/wallets/W1")
    problem("no method", a, 405, "METHOD")
    problem("a day that is not closed", s.get("/v1/days/2099-01-01/cash-status"), 409, "E_NOT_CLOSED")
    problem("an open day as of", s.get("/v1/wallets/W1?as_of=2099-01-01"), 409, "E_NOT_CLOSED")
    for query, word in (("limit=0", "limit"), ("limit=1001", "1000"), ("limit=x", "limit"), ("limit=1&limit=2", "twice"), ("wallet=W2", "wallet"),
                        ("lim=1", "lim"), ("open=yes", "open"), ("cursor=1&as_of=2", "as_of"), ("view=posted", "view"), ("%00=1", "")):
        problem(f"charges?{query}", s.get("/v1/wallets/W1/charges?" + query), 400, "PARAMETER", word)
    check("a history may be long", s.get("/v1/wallets/W1/history?limit=10000").status == 200)
    problem("a needed parameter", s.get("/v1/find"), 400, "PARAMETER", "text")
    problem("a word", s.get("/v1/wallets/W1/history?type=charges"), 400, "PARAMETER", "charge")
    problem("a foreign cursor", s.get("/v1/wallets/W1/history?cursor=abc"), 400, "E_USAGE")
    page = s.get("/v1/wallets/W2/history?limit=1000").json
    problem("another wallet's cursor", s.get("/v1/wallets/W1/history?cursor=" + page["next"]), 400, "E_USAGE")
    check("the next page", s.get("/v1/wallets/W2/history?limit=1000&cursor=" + page["next"]).json["as_of"] == page["as_of"])
    old, now = s.get("/v1/wallets/W1/history?as_of=20"), s.get("/v1/wallets/W1/history")
    check("as of a number it never changes", "immutable" in old.headers["Cache-Control"] and "private" in old.headers["Cache-Control"]
          and old.headers["Jangbu-Seq"] == "20", old)
    check("now it does", "immutable" not in now.headers["Cache-Control"], now)
    check("ahead of the log it is refused", s.get("/v1/wallets/W1/history?as_of=99999999").status in (400, 404))
    check("personal texts are no figures", "immutable" not in s.get("/v1/wallets/W1/history?as_of=20&people=true").headers["Cache-Control"])


def odd_ids(s):
    """Any id can be named in a path."""
    for name in ("a/b", "..", "가나", "a%2Fb", "a+b", "a?b#c", "x:y;z", "{wallet}", "history", "\\", '"'):
        a = s.post(wallet(name, key="odd-" + urllib.parse.quote(name, safe="")))
        check(f"made: {name}", a.status == 200, a)
        path = "/v1/wallets/" + urllib.parse.quote(name, safe="")
        got, more = s.get(path), s.get(path + "/history")
        check(f"named: {name}", got.status == 200 and got.json["wallet"] == name and more.status == 200 and more.json["wallet"] == name, (got, more))
    for bad in ("%", "%z", "%zz", "%ff", "a%00b"):
        for path in ("/v1/wallets/" + bad, "/v1/wallets/" + bad + "/history", "/v1/wallets?name=" + bad, "/v1/wallets/W1/history?kind=" + bad, "/healthz?" + bad):
            problem(f"no text: {path}", s.get(path), 400, "PARAMETER")
    for path in ("/v1/wallets/", "/v1//wallets", "/v1/wallets/W1/", "//v1/wallets/W1", "/v1/wallets/W1/history/x"):
        check(f"no route: {path}", s.get(path).status == 404, path)


def same_as_the_program(s):
    """What a route says is what the program says."""
    for path, args in (("/v1/wallets/W1/history", ["history", s.ledger, "W1"]), ("/v1/wallets/W1/charges", ["charges", s.ledger, "W1"]),
                       ("/v1/wallets/W1/explain", ["explain", s.ledger, "W1"]), ("/v1/wallets/W1", ["balance", s.ledger, "W1"])):
        told, said = s.get(path).json, json.loads(jangbu(*args, "--json").stdout.splitlines()[0])
        told.get("as_of", {}).pop("at", None), said.get("as_of", {}).pop("at", None)
        check(f"{path} is `{args[0]}`", told == said, (told, said))


def languages(s):
    en, ko = s.post(consume("W1", "UL", 10**9, key="lang")), s.post(consume("W1", "UL", 10**9, key="lang"), Accept_Language="ko-KR,ko;q=0.9,en;q=0.1")
    check("Korean", ko.json["code"] == en.json["code"] and ko.json["detail"] != en.json["detail"] and any("가" <= c <= "힣" for c in ko.json["detail"])
          and any("가" <= c <= "힣" for c in ko.json["title"]), (en, ko))
    for path in ("/v1/wallets/W1/charges?limit=0", "/v1/nothing", "/v1/events/99999999", "/v1/wallets?limit=1001"):
        ko = s.get(path, Accept_Language="ko")
        check(f"Korean {path}", any("가" <= c <= "힣" for c in ko.json["detail"]), ko)
    for path in ("/v1/wallets/NOBODY", "/v1/wallets/NOBODY/history", "/v1/wallets/W1?as_of=2099-01-01", "/v1/wallets/W1/charges?cursor=x", "/v1/feed?after=99999"):
        for lang, hangul in (("ko", True), ("en", False)):
            said = s.get(path, Accept_Language=lang)
            check(f"what the library says of {path}, {lang}", said.status >= 400 and any("가" <= c <= "힣" for c in said.json["detail"]) == hangul, said)
    ko = s.lines([b"nonsense", consume("W1", "UM", 1, key="x", caller="y")], path="/v1/commands")
    ko2 = s.ask("POST", "/v1/commands", body=b'nonsense\n{"op":"day.close","day":"2020-01-01","key":"x","caller":"y"}\n', Content_Type="application/x-ndjson", Accept_Language="ko")
    check("Korean lines", all(any("가" <= c <= "힣" for c in x["message"]) for x in ko2.lines)
          and not any("가" <= c <= "힣" for x in ko.lines for c in x["message"]), ko2)


def example(schema):
    """A value that the schema accepts."""
    if "oneOf" in schema or schema.get("type") in ("array", ["integer", "string"]):
        return 1
    kinds = {"string": "x@y" if schema.get("minLength") == 3 else "x", "integer": schema.get("minimum", 1), "boolean": True, "object": {"id": "x"}}
    formats = {"date": "2026-01-01", "date-time": "2026-01-01T00:00:00+09:00"}
    patterns = {"^[0-9]{10}$": "1208612345", "^[0-9]{4}-[0-9]{2}$": "2026-01"}
    return schema.get("const") or schema.get("enum", [None])[0] or patterns.get(schema.get("pattern")) or formats.get(schema.get("format")) or kinds[schema["type"]]


def lengths(s):
    """The schema refuses no text that the ledger takes: its maxLength counts characters. Where bytes count it says so, and one more is MALFORMED."""
    schemas = s.get("/v1/openapi.json").json["components"]["schemas"]
    looked = set()
    for name, schema in schemas.items():
        members = schema.get("properties", {})
        for member, of in members.items():
            if not name.startswith("command.") or "maxLength" not in of or member in looked:
                continue
            looked.add(member)
            base = {m: example(members[m]) for m in schema["required"]}
            most, begin = of["maxLength"], "a@" if of["minLength"] == 3 else ""

            def refused(value):
                a = s.post({**base, member: value}, path="/v1/commands?dry_run=1")
                return a.status in (400, 422) and a.json["code"] in ("MALFORMED", "SEARCH_ID_INVALID") and member in a.json["detail"]

            for letters in ("a", "가", "e\u0301", "\u1100\u1161\u11a8"):
                value = (begin + letters * (most + 1))[:most + 1]
                check(f"{member} of {most + 1} {letters[0]!r}", refused(value), value)
            if "bytes" in of["description"]:
                whole = (most - len(begin)) // 3
                check(f"{member}: bytes", str(most) in of["description"] and not refused(begin + "가" * whole) and refused(begin + "가" * (whole + 1)), of)
            elif member != "search_id":
                check(f"{member}: code points", not refused("e\u0301" * {"name": 20, "mail_order": 40, "address": 200}.get(member, 60)), of)
    check("a search id that is taken apart", not (lambda a: a.json["code"] == "SEARCH_ID_INVALID")(
        s.post({"op": "channel.search_id", "channel": "C", "search_id": "\u1100\u1161\u11a8" * 15}, path="/v1/commands?dry_run=1")))
    check("texts of all kinds", {"wallet", "key", "name", "note", "pg", "txn_ref", "email", "search_id", "address"} <= looked, looked)
    for id in ("가" * 21, "가" * 22):
        a = s.ask("POST", "/v1/tickets", {"wallet": id})
        check("a ticket's wallet", a.json["code"] == ("E_NOTFOUND" if len(id) == 21 else "BAD_REQUEST"), a)


def open_refunds(work):
    """The refunds of all wallets that are open, in pages of any size, now and as of earlier: those that each wallet says."""
    rng, ledger = random.Random(7), made(work, "refunds")
    lines = [wallet(f"W{i}") for i in range(9)] + [charge(f"W{i}", "C", 10**6) for i in range(9)]
    refunds = []
    for i in range(120):
        if refunds and rng.random() < 0.5:
            w, r = rng.choice(refunds)
            lines.append({"op": "refund." + rng.choice(("approve", "complete", "reject", "cancel", "fail")), "wallet": w, "refund": r})
        else:
            refunds.append((f"W{rng.choice((0, 1, 4, 4, 4, 8))}", f"R{i}"))
            lines.append({"op": "refund.request", "wallet": refunds[-1][0], "refund": refunds[-1][1], "amount": rng.randrange(1, 9000)})
    jangbu("apply", ledger, feed="".join(json.dumps(line) + "\n" for line in lines).encode())
    with Served(JANGBUD, ledger) as s:
        head = s.get("/v1/ledger/head").json["seq"]
        seen = set()
        for at in [head, *(rng.randrange(12, head) for _ in range(6))]:
            each = []
            for i in range(9):
                got = s.get(f"/v1/wallets/W{i}/refunds?open=true&as_of={at}")
                each += [{**row, "wallet": f"W{i}"} for row in got.json["rows"]] if got.status == 200 else []
            for limit in (1, 2, 3, 5, 1000):
                rows, cursor, pages = [], "", 0
                while pages == 0 or cursor:
                    page = s.get(f"/v1/refunds?limit={limit}&" + (f"cursor={cursor}" if cursor else f"as_of={at}")).json
                    if "rows" not in page:
                        check(f"a page of open refunds as of {at}", False, page)
                        return
                    rows, cursor, pages = rows + page["rows"], page["next"], pages + 1
                    check("no page is longer than asked for", len(page["rows"]) <= limit, page)
                check(f"open refunds as of {at}, {limit} a page", rows == each and pages <= len(each) // limit + 1, (pages, rows, each))
            seen |= {(row["wallet"], row["state"]) for row in each}
        check("of several wallets, in both states", len({w for w, _ in seen}) >= 4 and {state for _, state in seen} == {"REQUESTED", "APPROVED"}, seen)
        told = [json.loads(line) for line in jangbu("refunds", ledger, "--json").stdout.splitlines()]
        check("the program says the same", told[0]["rows"] == s.get("/v1/refunds").json["rows"] and jangbu("refunds", ledger, "--limit", "2").stdout.count(b"W0") >= 1, told)
        problem("a cursor of one wallet's", s.get("/v1/refunds?cursor=" + s.get("/v1/wallets/W4/refunds?limit=1").json["next"]), 400, "E_USAGE")
        check("open, said or not", s.get("/v1/refunds?open=true").json["rows"] == s.get("/v1/refunds").json["rows"])
        problem("of all wallets, those that are not open", s.get("/v1/refunds?open=false"), 400, "E_USAGE", "name a wallet")
        check("of one all", s.get("/v1/wallets/W4/refunds?open=false").json["rows"] == s.get("/v1/wallets/W4/refunds").json["rows"])
        page = s.get("/v1/refunds", token=None)
        check("all of it is of this moment", page.json["as_of"]["seq"] == head, page)


def too_large(work):
    """Sums that 64 bits do not hold: a sound ledger, and the answer says which of the two it is."""
    ledger, most = made(work, "large"), 10**15 - 1
    lines = [line for i in range(9300) for line in (wallet(f"W{i}"), charge(f"W{i}", "C", most))]
    jangbu("apply", ledger, feed="".join(json.dumps(line) + "\n" for line in lines).encode())
    said = jangbu("totals", ledger, "--json")
    check("the program says that it is too large", said.returncode == 1 and b"64 bits" in said.stderr, said)
    with Served(JANGBUD, ledger) as s:
        problem("totals that are too large", s.get("/v1/totals"), 422, "E_RANGE")
        check("and all else is as ever", s.get("/v1/wallets/W1").status == 200 and s.get("/readyz").status == 200)
    check("the ledger is sound", jangbu("audit", ledger).returncode == 0)


# ---- who


def principals(work):
    ledger, tokens = made(work, "who"), os.path.join(work, "tokens")
    full = token(JANGBUD, tokens, "full", "--scope", "read,write,people")
    check("mode of the file", stat.S_IMODE(os.stat(tokens).st_mode) == 0o600)
    check("the token stands nowhere", full not in open(tokens).read() and len(full) == 47)
    reader = token(JANGBUD, tokens, "reader", "--scope", "read", "--scope", "keyless")
    shop = token(JANGBUD, tokens, "shop", "--scope=read,consume,charge,wallet.create", "--wallets", "shop-", "--caller", "till", "--role", "MASTER")
    balance = token(JANGBUD, tokens, "balance", "--scope", "read:balance,keyless,write")
    slow = token(JANGBUD, tokens, "slow", "--scope", "read,write", "--rate", "5")
    grouped, lined = (token(JANGBUD, tokens, name, "--scope", "read,write", "--rate", "5") for name in ("grouped", "lined"))
    for args in (["full", "--scope", "read"], ["x"], ["x", "--scope", "nothing"], ["x", "--scope", "read", "--rate", "-1"], ["x y", "--scope", "read"],
                 ["x", "--scope", "read", "--caller", "c" * 33], ["n" * 64, "--scope", "read"], ["x", "--scope", "read", "--uid", "root"]):
        done = subprocess.run([JANGBUD, "token", "new", *args, "--tokens", tokens], capture_output=True, text=True)
        check(f"token new {args}", done.returncode == 2 and done.stdout == "" and done.stderr.startswith("jangbud: "), done)
    with Served(JANGBUD, ledger, tokens) as s:
        admitted(s, full)
        scopes(s, full, reader, balance)
        prefix(s, full, shop)
        roles(s, shop)
        rates(s, slow, grouped, lined)
        private(s, full, reader)
        reloaded(s, tokens, full)
        text = json.dumps(s.log, ensure_ascii=False)
        check("no secret and no name in the log", full not in text and shop not in text and "지갑" not in text and "홍길동" not in text, text)
        check("who asked is in it", any(e.get("principal") == "shop" for e in s.log), s.log[-3:])
    os.chmod(tokens, 0o640)
    check("a file that others read is none", subprocess.run([JANGBUD, "--ledger", ledger, "--listen", "127.0.0.1:0", "--tokens", tokens],
                                                            capture_output=True).returncode != 0)
    os.chmod(tokens, 0o600)


def operations(work):
    """Who asks how it is: known over the Unix socket, too, and with its scope; anybody at `ops-listen`, where there is nothing else."""
    ledger, tokens = made(work, "operations"), os.path.join(work, "operations", "tokens")
    reader = token(JANGBUD, tokens, "reader", "--scope", "read,write,people")
    both = token(JANGBUD, tokens, "both", "--scope", "read,ops")
    alone = token(JANGBUD, tokens, "alone", "--scope", "ops")
    shop = token(JANGBUD, tokens, "shop", "--scope", "read,ops", "--wallets", "shop-")
    with Served(JANGBUD, ledger, tokens, flags=["--owner", "no", "--ops-listen", "127.0.0.1:0", "--connections", "4"]) as s:
        kept = {unix: s.connection(unix) for unix in (True, False)}  # one that was closed has its place until the daemon has seen that
        for path in ("/v1/people", "/metrics", "/readyz", "/v1/ledger", "/v1/wallets/W"):
            problem(f"{path}, nobody over the Unix socket", s.get(path, connection=kept[True]), 401, "UNAUTHENTICATED")
        for path, name, asks, status in (("/v1/people", "reader", reader, 403), ("/v1/people", "ops alone", alone, 403), ("/v1/people", "of some wallets", shop, 403),
                                         ("/v1/people", "both", both, 200), ("/metrics", "reader", reader, 403), ("/metrics", "ops", alone, 200)):
            for unix in (True, False):
                a = s.get(path, asks, connection=kept[unix])
                check(f"{path}, {name}, unix={unix}", a.status == status, a)
        entry = next(e for e in s.log if e.get("event") == "listening")
        ops = entry["operations"].rsplit(":", 1)
        def at_ops(path):
            return s.get(path, connection=http.client.HTTPConnection(ops[0], int(ops[1]), timeout=10)).status
        check("the operations' listener", [at_ops(p) for p in ("/healthz", "/metrics", "/v1/people", "/v1/ledger")] == [200, 200, 404, 404])
        held = [s.connection() for _ in range(4)]
        for c in held:
            s.get("/healthz", connection=c)
        check("it has places of its own", at_ops("/healthz") == 200)
        for c in [*held, *kept.values()]:
            c.close()


def cut_files(work):
    """A file of tokens that is cut, or says a thing in two ways, is none: what is missing may be what takes something away."""
    ledger, path = made(work, "cut"), os.path.join(work, "cut", "tokens")
    token(JANGBUD, path, "a", "--scope", "read")
    secret = token(JANGBUD, path, "shop", "--scope", "read", "--wallets", "shop-", "--role", "MASTER", "--rate", "1000")
    whole = open(path).read()
    last = whole.rstrip("\n").rsplit("\n", 1)[1]
    bad = {f"cut {n} bytes before its end": whole[:-n] for n in range(1, len(last) - len("shop sha256:") - 64)}
    bad |= {"a NUL": whole.replace(" wallets=", "\0wallets="), "a NUL behind it": whole + "\0\n", "a # in a word": whole.replace("wallets=shop-", "wallets=s#hop-"),
            **{f"{word} twice": whole[:-1] + f" {word}\n" for word in ("wallets=", "wallets=s", "role=MEMBER", "rate=5", "scopes=read", "caller=x") if "=" in word},
            "caller twice": whole[:-1] + " caller=x caller=x\n"}
    del bad["caller=x twice"]
    with Served(JANGBUD, ledger, path) as s:
        for name, text in bad.items():
            with open(path, "w") as f:
                f.write(text)
            before = sum(e.get("event") == "tokens_not_read" for e in s.log)
            s.reload()
            for _ in range(200):
                if sum(e.get("event") == "tokens_not_read" for e in s.log) > before:
                    break
                time.sleep(0.005)
            else:
                check(name, False, [e for e in s.log if "event" in e][-2:])
        check("the old one stays", s.get("/v1/wallets/other", secret).status == 403)
        for good in (whole, whole[:-1] + " # a remark\n", "# a#b\n" + whole, ""):
            with open(path, "w") as f:
                f.write(good)
            before = sum(e.get("event") == "tokens" for e in s.log)
            s.reload()
            for _ in range(200):
                if sum(e.get("event") == "tokens" for e in s.log) > before:
                    break
                time.sleep(0.005)
            else:
                check(f"good: {good}", False, [e for e in s.log if "event" in e][-2:])
        check("nobody is in an empty one", s.get("/v1/wallets/other", secret).status == 401)


def admitted(s, full):
    check("owner over the Unix socket", s.post(wallet("own", key="k")).status == 200)
    tcp = s.connection()
    for name, headers in (("nothing", {}), ("a wrong token", {"Authorization": "Bearer " + "x" * 47}), ("a short one", {"Authorization": "Bearer x"}),
                          ("half of one", {"Authorization": f"Bearer {full[:20]}"}), ("basic", {"Authorization": "Basic " + full}),
                          ("no scheme", {"Authorization": full}), ("a blank behind it", {"Authorization": f"Bearer {full} x"})):
        for method, path in (("GET", "/v1/wallets/own"), ("POST", "/v1/commands"), ("GET", "/v1/wallets/nobody")):
            a = s.ask(method, path, body=b"{}" if method == "POST" else None, connection=tcp, **headers)
            problem(f"{name}: {method} {path}", a, 401, "UNAUTHENTICATED")
            check("says no more than that", a.headers["WWW-Authenticate"].startswith("Bearer") and a.json["detail"] == a.json["title"], a)
    tcp.close()
    check("a wrong token over the Unix socket is not its user", s.ask("GET", "/v1/wallets/own", connection=s.connection(unix=True), Authorization="Bearer x").status == 401)
    check("health asks nobody", s.get("/healthz", connection=s.connection()).status == 200)
    check("the document asks nobody", s.get("/v1/openapi.json", connection=s.connection()).status == 200)


def scopes(s, full, reader, balance):
    check("full writes", s.post(wallet("shop-1", key="s1"), full).status == 200)
    problem("a reader does not", s.post(wallet("R", key="r"), reader), 403, "FORBIDDEN", "scope")
    check("it reads", s.get("/v1/wallets/shop-1/history", reader).status == 200)
    check("read:balance", s.get("/v1/wallets/shop-1", balance).status == 200)
    problem("and no more", s.get("/v1/wallets/shop-1/history", balance), 403, "FORBIDDEN", "lacks the scope")
    problem("a key is wanted", s.post(charge("shop-1", "C0", 1000), full), 400, "KEY_REQUIRED")
    check("of each line", [x.get("code") for x in s.lines([charge("shop-1", "C0", 1000), charge("shop-1", "C0", 1000, key="c0")], full).lines] == ["KEY_REQUIRED", None])
    check("but in a dry run", s.post(charge("shop-1", "C", 1000), full, path="/v1/commands?dry_run=1").status == 200)
    check("but of who may leave it out", s.post(charge("shop-1", "C00", 1000), balance).status == 200)


def prefix(s, full, shop):
    check("its wallet", s.post(wallet("shop-2", key="p1"), shop).status == 200 and s.get("/v1/wallets/shop-2", shop).status == 200)
    problem("another's", s.get("/v1/wallets/own", shop), 403, "FORBIDDEN")
    problem("whether it exists is not said", s.get("/v1/wallets/nobody", shop), 403, "FORBIDDEN")
    problem("a longer way to it", s.get("/v1/wallets/%6Fwn", shop), 403, "FORBIDDEN")
    for path in ("/v1/wallets", "/v1/find?text=C1", "/v1/events", "/v1/log", "/v1/totals", "/v1/days/2026-01-01/cash-status", "/v1/invoices/1", "/v1/due", "/v1/channels/c"):
        problem(f"all: {path}", s.get(path, shop), 403, "FORBIDDEN")
    problem("writing to another's", s.post(charge("own", "C", 1000, key="p2"), shop), 403, "FORBIDDEN")
    problem("within a group", s.post({"op": "atomic", "key": "p3", "commands": [charge("shop-2", "C", 1000), charge("own", "C", 1000)]}, shop), 403, "FORBIDDEN")
    problem("an op that it may not give", s.post({"op": "wallet.off", "wallet": "shop-2", "key": "p4"}, shop), 403, "FORBIDDEN")
    problem("nor in a group", s.post({"op": "atomic", "key": "p5", "commands": [{"op": "wallet.off", "wallet": "shop-2"}]}, shop), 403, "FORBIDDEN")
    lines = s.lines([charge("own", "C", 1000, key="p6"), charge("shop-2", "C", 1000, key="p7")], shop).lines
    check("a line of another's", [x.get("code") for x in lines] == ["FORBIDDEN", None], lines)
    check("keys are the caller's", s.post(charge("shop-1", "P7", 1000, key="p7"), full).status == 200)
    a = s.post(charge("shop-2", "C", 1000, key="p7"), shop)
    check("and stay it", a.headers["Idempotent-Replayed"] == "true", a)


def roles(s, shop):
    def acted(key, **actor):
        return s.post(charge("shop-2", "R" + key, 1000, key="r" + key, actor={"id": "u1", **actor}), shop)

    def word(answer):
        return s.get(f"/v1/events/{answer.json['seq']}").json.get("role")
    check("the role comes with the token", word(acted("1")) == "MASTER", acted("1"))
    check("less than it", word(acted("2", role="MEMBER")) == "MEMBER")
    for more in ("OPERATOR", "SYSTEM", "GATEWAY", "CHANNEL_MASTER", "master", "NONSENSE"):
        problem(f"more: {more}", acted("3", role=more), 403, "FORBIDDEN")
    problem("within a group", s.post({"op": "atomic", "key": "r4", "actor": {"id": "u1", "role": "OPERATOR"}, "commands": [charge("shop-2", "R4", 1000)]}, shop), 403, "FORBIDDEN")


def rates(s, slow, grouped, lined):
    first = last = s.get("/v1/wallets/own", slow)
    for _ in range(300):  # a slow machine lets more of them pass
        if last.status == 200:
            last = s.get("/v1/wallets/own", slow)
    check("as often as it may", first.status == 200 and first.headers["RateLimit-Policy"] == '"default";q=5;w=1' and first.headers["RateLimit"].startswith('"default";r=4'), first)
    problem("and no more", last, 429, "RATE")
    check("with the time", int(last.headers["Retry-After"]) == 1 and last.headers["RateLimit"].startswith('"default";r=0'), last)
    time.sleep(1.05)
    check("a moment later", s.get("/v1/wallets/own", slow).status == 200)
    check("lines count", s.lines([wallet(f"Z{i}", key=f"z{i}") for i in range(60)], slow).status == 200)
    late = s.get("/v1/wallets/own", slow)
    check("they are paid off later", late.status == 429 and int(late.headers["Retry-After"]) >= 1, late)
    group = {"op": "atomic", "commands": [consume("Z0", f"G{i}", 1) for i in range(60)], "key": "g"}
    for n, ask in (("a group", lambda: s.post(group, grouped)), ("lines of groups", lambda: s.lines([group], lined))):
        a, late = ask(), None
        late = s.get("/v1/wallets/own", grouped if n == "a group" else lined)
        check(f"{n} counts as its commands", a.status in (200, 422) and late.status == 429 and int(late.headers["Retry-After"]) >= 5, (a, late))


def private(s, full, reader):
    s.post(charge("shop-1", "PP", 1000, key="pp", note="<script>alert('홍길동')</script>", actor={"id": "홍길동"}), full)
    a = s.get("/v1/wallets/shop-1/history?people=true", full)
    check("who may read them", "홍길동" in a.body.decode() and "<script>" in json.dumps(a.json, ensure_ascii=False), a)
    for path in ("/v1/wallets/shop-1/history?people=true", "/v1/wallets/shop-1/who?people=true", "/v1/events?people=true", "/v1/find?text=PP&people=true"):
        problem(f"who may not: {path}", s.get(path, reader), 403, "FORBIDDEN")
    check("a name is one, too", s.get("/v1/wallets/shop-1", full).json["name"] == "지갑 shop-1" and "name" not in s.get("/v1/wallets/shop-1", reader).json)
    problem("nor is it guessed", s.get("/v1/wallets", reader, query={"name": "지갑"}), 403, "FORBIDDEN")
    problem("nor whose a wallet is", s.get("/v1/wallets", reader, query={"master": "홍길동"}), 403, "FORBIDDEN")
    check("who may, may", s.get("/v1/wallets", full, query={"master": "홍길동"}).status in (200, 404))
    for path, _ in READS:
        if "W1" in path:
            a = s.get(path.replace("W1", "shop-1"), reader)
            check(f"no name in {path}", "홍길동" not in a.body.decode() and "지갑" not in a.body.decode(), a)


def reloaded(s, tokens, full):
    text = open(tokens).read()
    open(tokens, "w").write(text.replace("full sha256", "gone sha256", 1) + "nonsense\n")
    s.reload()
    time.sleep(0.3)
    check("a bad file changes nothing", s.get("/v1/wallets/own", full).status == 200)
    open(tokens, "w").write("".join(line for line in text.splitlines(True) if not line.startswith("full ")))
    s.reload()
    for _ in range(50):
        if s.get("/v1/wallets/own", full).status == 401:
            break
        time.sleep(0.05)
    check("a token that was taken away", s.get("/v1/wallets/own", full).status == 401)
    open(tokens, "w").write(text)


def put_back(work):
    """A log that was put back to an older state: who knew more of it is told so."""
    ledger, copy = made(work, "back"), os.path.join(work, "copy")
    with Served(JANGBUD, ledger) as s:
        s.lines([wallet("W", key="w"), *(charge("W", f"C{i}", 1000, key=f"c{i}") for i in range(5))])
        check("backup", jangbu("backup", ledger, copy).returncode == 0)
        s.lines([charge("W", f"D{i}", 1000, key=f"d{i}") for i in range(5)])
        cursor = s.get("/v1/wallets/W/charges?limit=2").json["next"]
        check("the cursor holds", s.get("/v1/wallets/W/charges?limit=2&cursor=" + cursor).status == 200)
    shutil.rmtree(ledger)
    shutil.copytree(copy, ledger)
    with Served(JANGBUD, ledger) as s:
        problem("a cursor ahead of the log", s.get("/v1/wallets/W/charges?limit=2&cursor=" + cursor), 409, "CURSOR_AHEAD")
        s.lines([charge("W", f"E{i}", 1000, key=f"e{i}") for i in range(9)])
        problem("of another history", s.get("/v1/wallets/W/charges?limit=2&cursor=" + cursor), 409, "CURSOR_AHEAD")
        problem("as of an event that is not there", s.get("/v1/wallets/W?as_of=9999"), 404, "E_NOTFOUND")


def full_queue(work):
    """More than may wait is refused, and what was accepted is done."""
    ledger = made(work, "queue")
    with Served(JANGBUD, ledger, flags=["--queue", "20"]) as s:
        a = s.lines([wallet(f"Q{i}", key=f"q{i}") for i in range(21)])
        problem("more than may ever wait", a, 413, "TOO_LARGE")
        check("no time to come again", "Retry-After" not in a.headers, a)
        group = {"op": "atomic", "commands": [consume("Q0", f"G{i}", 1) for i in range(20)], "key": "g"}
        problem("nor in a group", s.post(group), 413, "TOO_LARGE")
        check("as many as may wait", all(x["ok"] for x in s.lines([wallet(f"Q{i}", key=f"q{i}") for i in range(20)]).lines))
    with Served(JANGBUD, ledger, flags=["--slow-queue", "1"]) as s:
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            flood = [pool.submit(s.get, "/v1/wallets") for _ in range(200)]
            many = [s.lines([charge("Q0", f"M{i}-{j}", 1000, key=f"m{i}-{j}") for j in range(300)]) for i in range(5)]
            got = [f.result() for f in flood]
        check("many commands beside them", [a.status for a in many] == [200] * 5, many[:1])
        check("long reads end in an answer", {a.status for a in got} <= {200, 503} and any(a.status == 200 for a in got), {a.status for a in got})


def stopping(work):
    """What was accepted is answered, whatever comes in between."""
    ledger = made(work, "stopping")
    with Served(JANGBUD, ledger) as s:
        s.post(wallet("W", key="w"))

        def writes(i):
            done, connection = [], s.connection(unix=True)
            try:
                for k in range(100000):
                    a = s.post(charge("W", f"{i}-{k}", 1000, key=f"{i}-{k}"), connection=connection)
                    if a.status != 200:
                        break
                    done.append(a.json["seq"])
            except OSError:
                pass
            except Exception as e:  # noqa: BLE001 (the connection was closed in between)
                if type(e).__module__ != "http.client":
                    raise
            return done
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            running = [pool.submit(writes, i) for i in range(8)]
            time.sleep(0.5)
            status = s.stop()
            done = [seq for r in running for seq in r.result()]
    check("ends well", status == 0, status)
    held = {json.loads(line)["seq"] for line in jangbu("log", ledger, "--json").stdout.splitlines()}
    check("each that was answered is there", len(done) > 8 and set(done) <= held, (len(done), len(held)))


def main():
    work = tempfile.mkdtemp(prefix="jangbud-")
    try:
        with Served(JANGBUD, made(work, "one")) as s:
            for test in (commands, conditions, dry_run, batches, at_once, one_at_fault, reads, odd_ids, same_as_the_program, languages, lengths):
                test(s)
        open_refunds(work)
        too_large(work)
        principals(work)
        operations(work)
        cut_files(work)
        put_back(work)
        full_queue(work)
        stopping(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{checks['passed']} checks passed, {checks['failed']} failed")
    return 1 if checks["failed"] or checks["passed"] < 200 else 0


if __name__ == "__main__":
    sys.exit(main())
