#!/usr/bin/python3
"""What stands around a wallet, asked by the program: can-delete, the dry run and the real wallet.delete agree in every state that is
reached; who, channel and biz say what the commands made; the tables fit a terminal; what is not there is said.

usage: around.py JANGBU"""
import csv
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile

JANGBU = None
bad = []


def check(name, ok, detail=""):
    if not ok:
        bad.append(f"{name}: {str(detail)[:400]}")


def run(*args, feed=None):
    return subprocess.run([JANGBU, *args], input=feed, capture_output=True, text=True)


def apply(ledger, *commands, dry=False):
    lines = "".join(json.dumps(command, ensure_ascii=False) + "\n" for command in commands)
    out = run("apply", ledger, *(["--dry-run"] if dry else []), feed=lines)
    return [json.loads(line) for line in out.stdout.splitlines()]


def ask(ledger, name, *words):
    out = run(name, ledger, *words, "--json")
    assert out.returncode == 0, (name, words, out.stderr)
    return json.loads(out.stdout)


STEPS = {  # what puts a condition in the way, and what the remedy must be
    "paid": ([{"op": "charge", "wallet": "W", "charge": "C", "amount": 1000}], "paid_not_zero", "refund.request"),
    "debt": ([{"op": "wallet.on", "wallet": "W"}, {"op": "consume", "wallet": "W", "usage": "U", "amount": 7, "overdraft": True},
              {"op": "wallet.off", "wallet": "W"}], "paid_not_zero", "charge"),
    "right": ([{"op": "sales.request", "wallet": "W", "agency": "A1"}, {"op": "sales.accept", "wallet": "W", "agency": "A1"}],
              "sales_right", "sales.release"),
    "limit": ([{"op": "wallet.settlement", "wallet": "W", "settlement": "POSTPAID", "limit": 0}], "postpaid", "wallet.settlement"),
    "on": ([{"op": "wallet.on", "wallet": "W"}], "not_off", "wallet.off"),
    "suspended": ([{"op": "wallet.suspend", "wallet": "W"}], "not_off", "wallet.lift"),
    "refund": ([{"op": "charge", "wallet": "W", "charge": "D", "amount": 1000}, {"op": "refund.request", "wallet": "W", "refund": "R"}],
               "refund_outstanding", "refund.cancel"),
}


def deletions(work):
    chosen = [c for n in range(4) for c in itertools.combinations(STEPS, n)]
    for number, names in enumerate(chosen):
        if {"paid", "debt"} <= set(names) or {"debt", "refund"} <= set(names) or {"on", "suspended"} <= set(names):
            continue
        ledger = os.path.join(work, f"d{number}")
        run("init", ledger)
        first = [{"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "m"}, {"op": "wallet.off", "wallet": "W"},
                 {"op": "free.grant", "wallet": "W", "grant": "G", "amount": 40, "expires_on": "2099-01-01"},
                 {"op": "free.grant", "wallet": "W", "grant": "H", "amount": 2, "expires_on": "2099-01-01"},
                 {"op": "free.activate", "wallet": "W", "grant": "H"}]
        steps = [step for name in sorted(names, key=lambda n: n in ("on", "suspended")) for step in STEPS[name][0]]
        answers = apply(ledger, *first, *steps)
        assert all(a["ok"] for a in answers), (names, answers)
        said = ask(ledger, "can-delete", "W")
        unmet = {c["name"]: c for c in said["conditions"] if not c["ok"]}
        dry, = apply(ledger, {"op": "wallet.delete", "wallet": "W"}, dry=True)
        real, = apply(ledger, {"op": "wallet.delete", "wallet": "W"})
        for how, answer in (("dry run", dry), ("real", real)):
            check(f"{names} {how}", answer["ok"] == said["can_delete"], (said, answer))
            check(f"{names} {how}: conditions", answer.get("conditions", {}) == {name: c["figure"] for name, c in unmet.items()}, (unmet, answer))
        if said["can_delete"]:
            check(f"{names}: forfeits", real["forfeited"] == said["forfeits"], (said, real))
        for name in names:
            _, condition, remedy = STEPS[name]
            check(f"{names}: {condition}", condition in unmet, unmet)
            if condition in unmet and not {"paid", "refund"} <= set(names):
                ops = {"refund.request", "refund.approve"} if name == "paid" else {remedy, "debt.repay"} if name == "debt" else {remedy}
                check(f"{names}: remedy of {condition}", unmet[condition]["remedy"]["op"] in ops, unmet[condition])
        refund = {c["name"]: c for c in said["conditions"]}["refund_outstanding"]
        check(f"{names}: both ways out of a refund that is asked for", refund.get("or") == (
            {"op": "refund.approve", "who": ["OPERATOR", "SYSTEM"]} if not refund["ok"] else None), refund)
        for lang, words in (("en", "leaves it in the wallet"), ("ko", "월렛에 남습니다")):
            table = run("can-delete", ledger, "W", "--lang", lang).stdout
            check(f"{names}: and the table, {lang}", said["status"] == "DELETED" or ("refund.approve" in table and words in table) == (not refund["ok"]) or "paid" in names, table)
        check(f"{names}: met ones ask for nothing", all(c["remedy"] is None for c in said["conditions"] if c["ok"]))


PEOPLE = {"MASTER": "jin", "MEMBER": "sol", "CHANNEL_MASTER": "boss", "MANAGER": "clerk", "AGENCY": "seller", "OPERATOR": "desk",
          "GATEWAY": "gate", "SYSTEM": "robot", "SELF": "nobody"}
MADE = [
    ("desk", {"op": "role.give", "person": "gate", "role": "GATEWAY"}), ("desk", {"op": "role.give", "person": "robot", "role": "SYSTEM"}),
    ("desk", {"op": "role.give", "person": "seller", "role": "AGENCY", "agency": "A1"}),
    ("desk", {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "jin"}),
    ("desk", {"op": "wallet.create", "wallet": "X", "kind": "BUSINESS", "name": "x", "master": "owner"}),
    ("jin", {"op": "member.invite", "wallet": "W", "person": "sol"}), ("sol", {"op": "member.accept", "wallet": "W", "person": "sol"}),
    ("desk", {"op": "channel.create", "channel": "K", "person": "boss", "channel_kind": "BUSINESS"}),
    ("desk", {"op": "channel.create", "channel": "own", "person": "owner", "channel_kind": "BUSINESS"}),
    ("boss", {"op": "manager.add", "channel": "K", "person": "clerk"}),
    ("desk", {"op": "channel.connect", "wallet": "W", "channel": "K"}),
    ("seller", {"op": "sales.request", "wallet": "W", "agency": "A1"}), ("jin", {"op": "sales.accept", "wallet": "W", "agency": "A1"}),
]


def permitted(work):
    """may says ROLE of exactly those cells that the person's one role does not carry."""
    ledger = os.path.join(work, "r")
    run("init", ledger, "--roles=enforce", "--operator", "desk")
    answers = apply(ledger, *[{**command, "actor": {"id": by}} for by, command in MADE])
    assert all(a["ok"] for a in answers), answers
    cells = ask(ledger, "roles")["cells"]
    for role, person in PEOPLE.items():
        said = ask(ledger, "may", "W", "--actor", person, "--channel", "K")
        check(f"roles of {person}", said["roles"] == ([role] if role != "SELF" else []), said)
        for row in cells:
            may = (role in row["roles"] and role not in row["both"]) or "SELF" in row["roles"]
            check(f"may {row['cell']} for {role}", (said["ops"][row["cell"]] != "ROLE") == may, said["ops"][row["cell"]])
    owner = ask(ledger, "may", "X", "--actor", "owner", "--channel", "own")["ops"]
    check("who is both", owner["channel.connect"] is True and ask(ledger, "may", "X", "--actor", "owner")["ops"]["channel.connect"] == "ROLE", owner)
    for by, command in (("boss", {"op": "channel.disconnect", "wallet": "W", "channel": "K"}), ("desk", {"op": "wallet.suspend", "wallet": "W"})):
        used = [{"op": "charge", "wallet": "W", "charge": "c", "amount": 5000, "channel": "K"}, {"op": "consume", "wallet": "W", "usage": "u", "amount": 1, "channel": "K"}]
        for person in PEOPLE.values():
            said = ask(ledger, "may", "W", "--actor", person, "--channel", "K")["ops"]
            codes = [a.get("code") for a in apply(ledger, *[{**c, "actor": {"id": person}} for c in used], dry=True)]
            check(f"who uses a wallet before {command['op']}: {person}", [code == "ROLE" for code in codes] == [said[c["op"]] == "ROLE" for c in used], (said, codes))
        answer, = apply(ledger, {**command, "actor": {"id": by}})
        assert answer["ok"], answer
    later = "2031-10-02T09:00:00+09:00"  # of the ledger's clock, not of this one
    late, = [json.loads(run("apply", ledger, "--clock=at", feed=json.dumps({"op": "role.give", "person": "late", "role": "SYSTEM",
                                                                          "actor": {"id": "desk"}, "clock": later})).stdout)]
    check("a role that was recorded is held", late["ok"] and ask(ledger, "may", "W", "--actor", "late")["roles"] == ["SYSTEM"], late)


def business(work):
    ledger = os.path.join(work, "b")
    run("init", ledger)
    biz = {"op": "biz.request", "biz": "1112233333", "biz_name": "가게", "representative": "r", "address": "서울"}
    made = [{"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "jin"},
            {"op": "member.invite", "wallet": "W", "person": "sol"}, {"op": "member.accept", "wallet": "W", "person": "sol"},
            {"op": "member.invite", "wallet": "W", "person": "min"},
            {"op": "channel.create", "channel": "cafe", "person": "jin", "channel_kind": "BUSINESS"},
            {"op": "manager.add", "channel": "cafe", "person": "clerk"}, {"op": "channel.connect", "wallet": "W", "channel": "cafe"},
            {"op": "channel.search_id", "channel": "cafe", "search_id": "카페1"}, {"op": "channel.mail_order", "channel": "cafe", "mail_order": "2026-1"},
            {"op": "invoice.email", "wallet": "W", "email": "a@b.example"},
            {"op": "charge", "wallet": "W", "charge": "C", "amount": 5000, "channel": "cafe"}]
    answers = apply(ledger, *made)
    assert all(a["ok"] for a in answers), answers
    invited = answers[3]["until"]
    who = ask(ledger, "who", "W", "--people")
    names = lambda rows: [row["id"] for row in rows]
    check("who", (who["master"]["id"], names(who["members"]), names(who["invited"]), who["channels"], who["agency"], who["email"]) ==
          ("jin", ["sol"], ["min"], ["cafe"], None, "a@b.example") and who["invited"][0]["until"] == invited, who)
    check("who without people", "id" not in ask(ledger, "who", "W")["master"])
    channel = ask(ledger, "channel", "cafe", "--people")
    check("channel", (channel["kind"], channel["search_id"], channel["mail_order"], channel["wallet"], channel["biz"],
                      [(p["id"], p["role"]) for p in channel["staff"]]) ==
          ("BUSINESS", "카페1", "2026-1", "W", None, [("jin", "CHANNEL_MASTER"), ("clerk", "MANAGER")]), channel)
    asked, = apply(ledger, {**biz, "wallet": "W"})
    said = ask(ledger, "biz", "W", "--people")
    check("asked for", said["number"] is None and said["record"] is None and said["pending"]["request"] == asked["seq"] and
          said["pending"]["biz_name"] == "가게", said)
    approved, late = apply(ledger, {"op": "biz.approve", "wallet": "W", "seq": asked["seq"]}, {**biz, "wallet": "W", "biz_name": "새 가게"})
    other, = apply(ledger, {**biz, "channel": "cafe", "biz_name": "카페"})
    apply(ledger, {"op": "biz.approve", "channel": "cafe", "seq": other["seq"]})
    said, shown = ask(ledger, "biz", "W", "--people"), ask(ledger, "biz", "--channel", "cafe", "--people")
    check("all holders show the newest approval", said["record"]["biz_name"] == shown["record"]["biz_name"] == "카페" and
          said["number"] == shown["number"] == "1112233333", (said, shown))
    check("what was asked before it is stale", said["pending"]["request"] == late["seq"] and said["pending"]["stale"] and shown["pending"] is None, said)
    rows, cursor = [], []
    while True:
        page = ask(ledger, "biz", "W", "--limit", "1", *cursor)
        rows += page["history"]
        if page["next"] is None:
            break
        cursor = ["--cursor", page["next"]]
    check("history in pages", [r["seq"] for r in rows] == [late["seq"], approved["seq"], asked["seq"]], rows)
    of_channel = [e for e in map(json.loads, run("log", ledger, "--json").stdout.splitlines()) if e.get("subject", {}).get("id") == "cafe"]
    for order in ([], ["--newest-first"]):
        rows, cursor = [], []
        while True:
            page = ask(ledger, "events", "--channel", "cafe", "--limit", "2", *order, *cursor)
            rows += page["rows"]
            if page["next"] is None:
                break
            cursor = ["--cursor", page["next"]]
        check(f"events of a channel {order}", rows == (of_channel[::-1] if order else of_channel), [r["seq"] for r in rows])
    early = ask(ledger, "events", "--channel", "cafe", "--as-of", str(of_channel[2]["seq"]))["rows"]
    check("events of a channel as of then", early == of_channel[:3], early)
    charged = [e for e in map(json.loads, run("log", ledger, "--json").stdout.splitlines()) if e["type"] == "charge_settled"]
    check("a charge in a channel's name", charged[0]["channel"] == "cafe" and "subject" not in charged[0], charged)
    check("log in words", "channel cafe" in run("log", ledger).stdout and "person #" in run("log", ledger).stdout)
    of_channels(ledger, other)
    tables(ledger)
    wrong(ledger)
    verdict = run("audit", ledger)
    check("the audit", verdict.returncode == 0, verdict.stdout)


def of_channels(ledger, asked):
    """Question 6 of a channel: its own business information and mail-order number, with the events behind them; and since when an agency is there."""
    by_type = {e["type"]: e["seq"] for e in map(json.loads, run("log", ledger, "--json").stdout.splitlines()) if e.get("subject", {}).get("id") == "cafe"}
    apply(ledger, {"op": "channel.create", "channel": "bare", "person": "jin"}, {"op": "channel.create", "channel": "shop", "person": "jin", "channel_kind": "BUSINESS"},
          {"op": "biz.request", "channel": "shop", "biz": "1112233333", "biz_name": "n", "representative": "r", "address": "a"},
          {"op": "sales.request", "wallet": "W", "agency": "A1"}, {"op": "sales.accept", "wallet": "W", "agency": "A1"})
    for lang, known, none, review in (("en", "(number 1112233333): approved", "no approved business information", "1 in review"),
                                      ("ko", "(등록번호 1112233333)", "승인된 사업자정보가 없습니다", "심사 중 1건")):
        say = lambda channel: json.loads(run("answer", ledger, "W", "--question", "6", "--channel", channel, "--lang", lang, "--json").stdout)  # noqa: E731
        cafe, shop, bare = say("cafe"), say("shop"), say("bare")
        check(f"question 6 of a channel, {lang}", known in cafe["text"] and "2026-1" in cafe["text"] and "cafe" in cafe["text"], cafe)
        check(f"and its events, {lang}", {asked["seq"], by_type["biz_approved"], by_type["mail_order_set"]} <= set(cafe["events"]), (cafe, by_type))
        check(f"of one that asks, {lang}", none in shop["text"] and review in shop["text"] and "shop" in shop["text"], shop)
        check(f"of a basic one, {lang}", none in bare["text"] and "ail-order" not in bare["text"] and "통신판매" not in bare["text"], bare)
        check(f"of the wallet it is as before, {lang}", json.loads(run("answer", ledger, "W", "--question", "6", "--lang", lang, "--json").stdout)["events"] != cafe["events"])
    out = run("answer", ledger, "W", "--question", "6", "--channel", "nowhere")
    check("question 6 of no channel", out.returncode == 1 and "no channel nowhere" in out.stderr, out)
    check("no other question is of a channel", run("answer", ledger, "W", "--question", "7", "--channel", "cafe").returncode == 2)
    accepted = [e for e in map(json.loads, run("log", ledger, "--json").stdout.splitlines()) if e["type"] == "sales_accepted"][-1]
    row = next(line for line in run("who", ledger, "W").stdout.splitlines() if line.startswith("agency"))
    check("since when an agency has the right", accepted["recorded_at"][:19] in row and str(accepted["seq"]) in row, row)


def tables(ledger):
    for words in (["who", ledger, "W", "--people"], ["channel", ledger, "cafe", "--people"], ["biz", ledger, "W", "--people"],
                  ["can-delete", ledger, "W"], ["may", ledger, "W", "--actor", "sol"], ["roles", ledger]):
        for lang in ("en", "ko"):
            out = run(*words, "--lang", lang)
            lines = out.stdout.splitlines()
            check(f"{words[0]} as a table", out.returncode == 0 and len(lines) > 2, out.stderr)
    check("people in a table", "sol (#" in run("who", ledger, "W", "--people").stdout and "sol" not in run("who", ledger, "W").stdout)
    check("a table of can-delete", "wallet.off" in run("can-delete", ledger, "W").stdout)
    for lang, words in (("en", "nobody in this ledger has the id lsol"), ("ko", "이 장부에 없는 사람입니다: lsol")):
        told = run("may", ledger, "W", "--actor", "lsol", "--lang", lang).stdout
        check(f"somebody unknown, {lang}", words in told and words.rstrip("lsol") not in run("may", ledger, "W", "--actor", "sol", "--lang", lang).stdout, told)
    check("a trusting ledger says so", "checks no roles" in run("may", ledger, "W", "--actor", "sol").stdout and "checks no roles" in run("roles", ledger).stdout)


def wrong(ledger):
    for words, code, part in ((["who", ledger, "X"], 1, "no wallet X"), (["channel", ledger, "X"], 1, "no channel X"), (["biz", ledger], 2, "--channel"),
                              (["biz", ledger, "--channel", "X"], 1, "no channel X"), (["may", ledger, "W"], 2, "--actor"),
                              (["may", ledger, "W", "--actor", "sol", "--channel", "X"], 1, "no channel X"), (["can-delete", ledger, "X"], 1, "no wallet X"),
                              *[([*words, "--as-of", "12"], 2, "what is so now") for words in
                                (["who", ledger, "W"], ["may", ledger, "W", "--actor", "sol"], ["roles", ledger], ["channel", ledger, "cafe"], ["biz", ledger, "W"],
                                 ["can-delete", ledger, "W"], ["people", ledger], ["answer", ledger, "W", "--question", "1"])], (["events", ledger, "--channel", "cafe", "--wallet", "W"], 2, "not of both")):
        out = run(*words)
        check(f"{words[0]} {words[2:]}", out.returncode == code and part in out.stderr and out.stdout == "", (out.returncode, out.stderr))
    nobody = ask(ledger, "may", "W", "--actor", "somebody-else")
    check("may of nobody", nobody["actor"]["ref"] is None and nobody["roles"] == [], nobody)


def forgotten(work):
    """What is refused of forgetting is remembered, and the audit takes it; who and biz then say why a text is not there."""
    ledger = os.path.join(work, "f")
    run("init", ledger, "--key-file", ledger + ".key")
    made = [{"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "jin"},
            {"op": "wallet.create", "wallet": "V", "kind": "BUSINESS", "name": "v", "master": "sol"},
            {"op": "biz.request", "wallet": "W", "biz": "1112233333", "biz_name": "n", "representative": "r", "address": "a"}]
    answers = apply(ledger, *made)
    assert all(a["ok"] for a in answers), answers
    refused = apply(ledger, *[{"op": "forget", "key": f"f{i}", **what} for i, what in enumerate(
        ({"wallet": "W"}, {"wallet": "X"}, {"person": "jin"}, {"person": "nobody"}, {"biz": "1112233333"}, {"biz": "9999999999"}))])
    check("forgetting refused", [a.get("code") for a in refused] ==
          ["WALLET_STATE", "WALLET_UNKNOWN", "PERSON_HAS_ROLE", "PERSON_STATE", "BIZ_STATE", "BIZ_STATE"], refused)
    check("the sentence of a wallet that lives", "only a deleted one can be forgotten" in refused[0]["message"], refused[0])
    ended = apply(ledger, {"op": "wallet.off", "wallet": "W"}, {"op": "wallet.delete", "wallet": "W"}, {"op": "forget", "person": "jin", "key": "g"})
    check("forgotten", all(a["ok"] for a in ended), ended)
    os.rename(ledger + ".key", ledger + ".away")
    who = ask(ledger, "who", "V", "--people")
    check("sealed", who["master"]["id"] is None and who["master"]["why"] == "sealed", who)
    check("sealed in a table", "sealed (#" in run("who", ledger, "V", "--people").stdout, run("who", ledger, "V", "--people").stdout)
    os.rename(ledger + ".away", ledger + ".key")
    verdict = run("audit", ledger)
    check("the audit of what was not forgotten", verdict.returncode == 0, verdict.stdout + verdict.stderr)
    again = apply(ledger, {"op": "forget", "wallet": "W", "key": "h"}, {"op": "forget", "wallet": "W", "key": "h2"})
    check("a wallet that went with its last master can be named once", [a.get("code") for a in again] == [None, "UNCHANGED"], again)
    ended = apply(ledger, {"op": "wallet.off", "wallet": "V"}, {"op": "wallet.delete", "wallet": "V"})
    out = run("forget", ledger, "--wallet", "V", "--dry-run")
    check("a single command says which wallet is forgotten", out.stdout.splitlines()[0] == "would be done: forgotten V", out)
    ended += apply(ledger, {"op": "forget", "wallet": "V", "key": "i"})
    gone = [line.split() for line in run("events", ledger, "--type", "forgotten").stdout.splitlines() if " forgotten " in line]
    shown = [line.split() for line in run("log", ledger, "--type", "forgotten").stdout.splitlines() if " forgotten " in line]
    check("log says the id of a wallet that was forgotten", [[w for w in words if w in ("V", "W")] for words in shown] == [[w for w in words if w in ("V", "W")] for words in gone] == [[], ["W"], ["V"]], (shown, gone, ended))
    check("and no name", "wallet_no" not in run("log", ledger).stdout)
    out = run("forget", ledger, "--wallet", "V", "--note", "x")
    check("forget has no --note", out.returncode == 2 and "--note" in out.stderr and "--note" not in run("help", "forget").stdout, out)
    noted, = apply(ledger, {"op": "forget", "wallet": "V", "note": "x"})
    check("nor a note", noted["code"] == "MALFORMED", noted)
    verdict = run("audit", ledger)
    check("the audit of what was forgotten", verdict.returncode == 0, verdict.stdout + verdict.stderr)


def exported(work):
    """Personal texts are in an export where --people is said, and in no other; guarded like all texts, and what is gone says so."""
    ledger = os.path.join(work, "x")
    run("init", ledger, "--key-file", ledger + ".key")
    long = "=" + "말" * 340
    answers = apply(ledger, {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "=1+1", "master": "Zz-jin", "actor": {"id": "Zz-su"}, "note": long},
                    {"op": "charge", "wallet": "W", "charge": "C", "amount": 1000, "actor": {"id": "Zz-min"}, "note": 'two\nlines, "quoted"'},
                    {"op": "forget", "person": "Zz-min", "key": "f"})
    assert all(a["ok"] for a in answers), answers
    rows = lambda *more: list(csv.DictReader(io.StringIO(run("export", ledger, "--format", "csv", *more).stdout, newline="")))  # noqa: E731
    plain, full = rows(), rows("--people")
    check("an export without people has none", not any("Zz-" in v or "말" in v for row in plain for v in row.values()))
    check("and is otherwise the same", [{k: v for k, v in row.items() if k not in ("wallet_name", "actor", "note")} for row in full] == plain)
    made, charged = (next(row for row in full if row["type"] == name) for name in ("wallet_created", "charge_settled"))
    check("its people", (made["wallet_name"], made["actor"], made["note"]) == ("'=1+1", "Zz-su", "'" + long), made)
    check("what is gone", (charged["wallet_name"], charged["actor"], charged["note"]) == ("'=1+1", "(forgotten)", "(forgotten)"), charged)
    check("who has no wallet", all(row["wallet_name"] == "" for row in full if row["wallet"] == ""))
    people = {e["seq"]: e["people"] for e in map(json.loads, run("log", ledger, "--json", "--people").stdout.splitlines())}
    lines = [json.loads(line) for line in run("export", ledger, "--format", "jsonl", "--people").stdout.splitlines()]
    check("jsonl", {e["seq"]: e["people"] for e in lines} == people and '"people":' not in run("export", ledger, "--format", "jsonl").stdout, people)
    os.rename(ledger + ".key", ledger + ".away")
    check("sealed", next(row for row in rows("--people") if row["type"] == "wallet_created")["actor"] == "(sealed)")
    out = run("export", ledger, "--format", "hledger", "--people")
    check("books name nobody", out.returncode == 2 and "books name nobody" in out.stderr and out.stdout == "", out)


def places(work):
    """Somebody invited who is forgotten takes no place; what is forgotten is not forgotten again, and what is so is not set again."""
    ledger = os.path.join(work, "p")
    run("init", ledger, "--key-file", ledger + ".key")
    code = lambda command: apply(ledger, command)[0].get("code")  # noqa: E731
    made = apply(ledger, {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "jin"}, {"op": "policy.set", "policy": "members_max", "value": 2},
                 {"op": "member.invite", "wallet": "W", "person": "sol"})
    check("invited", all(a["ok"] for a in made), made)
    check("full", code({"op": "member.invite", "wallet": "W", "person": "han"}) == "MEMBERS_LIMIT")
    check("forgotten", code({"op": "forget", "person": "sol"}) is None)
    check("who of the forgotten", ask(ledger, "who", "W")["invited"] == [], ask(ledger, "who", "W"))
    check("his place is free", code({"op": "member.invite", "wallet": "W", "person": "han"}) is None)
    check("one place", code({"op": "member.invite", "wallet": "W", "person": "sun"}) == "MEMBERS_LIMIT")
    check("a person again", code({"op": "forget", "person": "sol"}) == "PERSON_STATE")
    mail = {"op": "invoice.email", "wallet": "W", "email": "a@b.example"}
    check("an address", [code(mail), code({**mail, "key": "k"}), code({**mail, "email": "c@b.example"}), code(mail)] == [None, "UNCHANGED", None, None])
    group = {"op": "atomic", "commands": [{**mail, "email": "d@b.example"}, {**mail, "email": "d@b.example"}]}
    check("an address in a group", apply(ledger, group)[0].get("index") == 1, apply(ledger, group))
    asked, = apply(ledger, {"op": "biz.request", "wallet": "W", "biz": "1112233333", "biz_name": "n", "representative": "r", "address": "a"})
    refuse = {"op": "biz.refuse", "wallet": "W", "seq": asked["seq"]}
    made = apply(ledger, refuse, {"op": "forget", "biz": "1112233333"}, {"op": "wallet.off", "wallet": "W"}, {"op": "wallet.delete", "wallet": "W"},
                 {"op": "forget", "wallet": "W"})
    check("a business and a wallet", all(a["ok"] for a in made), made)
    events = ask(ledger, "stat")["events"]
    check("the business again", code({"op": "forget", "biz": "1112233333", "key": "b"}) == "UNCHANGED")
    check("the wallet again", code({"op": "forget", "wallet": "W"}) == "UNCHANGED")
    check("no second event", ask(ledger, "stat")["events"] == events + 1)  # the refusal with a key
    apply(ledger, {"op": "channel.create", "channel": "cafe", "person": "min"})
    again, = apply(ledger, {"op": "biz.request", "channel": "cafe", "biz": "1112233333", "biz_name": "n", "representative": "r", "address": "a"})
    made = apply(ledger, {"op": "biz.refuse", "channel": "cafe", "seq": again["seq"]}, {"op": "forget", "biz": "1112233333"}, {"op": "forget", "biz": "1112233333"})
    check("one that came back is forgotten once more", [a.get("code") for a in made] == [None, None, "UNCHANGED"], made)
    verdict = run("audit", ledger)
    check("the audit of places", verdict.returncode == 0, verdict.stdout + verdict.stderr)


def words_and_not_numbers(work):
    """What is nothing, all, or an event's number is said so, in both languages."""
    ledger, none = os.path.join(work, "n"), os.path.join(work, "none")
    run("init", ledger)
    run("init", none, "--invoice-from", "none")
    for lang, all_months, no, nothing, due, lapses in (("en", "always", "none", "there is nothing to list", "nothing is due", "no free cash lapses"),
                                              ("ko", "모든 달", "없음", "해당하는 항목이 없습니다", "지금 처리할 일이 없습니다", "만료되는 무상캐시가 없습니다")):
        for where, word in ((ledger, all_months), (none, no)):
            row, = (line for line in run("stat", where, "--lang", lang).stdout.splitlines() if "invoice_from" in line)
            check(f"{lang}: invoice_from", row.split("  ")[-1].strip() == word, row)
        run("wallet", "create", none, "W", "--kind", "PERSONAL", "--name", "w")
        lists = [("history", ["W", "--type", "refund"]), ("lots", ["W"]), ("grants", ["W"]), ("refunds", ["W"]), ("charges", ["W"]),
                 ("events", ["--type", "refund_failed"]), ("wallets", ["--status", "OFF"])]
        for where, name, words, part in ((ledger, "due", [], due), (ledger, "expiring", ["--days", "3"], lapses), *((none, name, words, nothing) for name, words in lists)):
            lines = run(name, where, *words, "--lang", lang).stdout.splitlines()
            check(f"{lang}: {name} of nothing", len(lines) == 2 and part in lines[0], lines)
    apply(ledger, {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "jin"},
          {"op": "biz.request", "wallet": "W", "biz": "1048612345", "biz_name": "n", "representative": "r", "address": "a"},
          {"op": "charge", "wallet": "W", "charge": "104-86-54321", "amount": 1000},
          {"op": "sales.request", "wallet": "W", "agency": "A1"}, {"op": "sales.accept", "wallet": "W", "agency": "A1"})
    for typed, found in (("1048612345", ["biz_requested"]), ("104-86-12345", ["biz_requested"]), ("104-86-54321", ["charge_settled"]), ("1048654321", []),
                         ("104-8612345", []), ("104-86-1234", []), ("104-86-123456", []), ("104-86-", [])):
        got = [row["type"] for row in ask(ledger, "find", typed)["rows"]] if found else run("find", ledger, typed).stdout
        check(f"find {typed}", got == found if found else "nothing has " + typed in got, got)
        check(f"find {typed} as a table", all(type in run("find", ledger, typed).stdout for type in found))
    accepted = [e["seq"] for e in map(json.loads, run("log", ledger, "--json").stdout.splitlines()) if e["type"] == "sales_accepted"][0]
    for lang, event, hint in (("en", f"event {accepted} ", "where the channel is named (--channel)"), ("ko", f"이벤트 {accepted} ", "--channel로 채널을")):
        check(f"{lang}: since which event", event in run("can-delete", ledger, "W", "--lang", lang).stdout)
        may = ["may", ledger, "W", "--actor", "sol", "--lang", lang]
        check(f"{lang}: where roles of a channel count", hint in run(*may).stdout)
    apply(ledger, {"op": "channel.create", "channel": "cafe", "person": "min"})
    check("not where it is named", "(--channel)" not in run("may", ledger, "W", "--actor", "sol", "--channel", "cafe").stdout)


def sentences(work):
    """What a refusal is about, in both languages."""
    ledger = os.path.join(work, "s")
    run("init", ledger, "--roles=enforce", "--operator", "root")
    apply(ledger, {"op": "channel.create", "channel": "cafe", "person": "min", "actor": {"id": "min"}})
    operator = {"actor": {"id": "root"}}
    asked = {"op": "biz.request", "channel": "cafe", "biz": "1112233333", "biz_name": "n", "representative": "r", "address": "a", "expect": 1, "actor": {"id": "min"}}
    cases = [({"op": "channel.close", "channel": "cafe", "expect": 1, **operator}, "the channel is at version", "채널의 현재 버전"),
             (asked, "the channel is at version", "채널의 현재 버전"),
             ({"op": "channel.create", "channel": "bar", "person": "min", "expect": 1, **operator}, "the channel is at version", "채널의 현재 버전"),
             ({"op": "wallet.create", "wallet": "W", "kind": "PERSONAL", "name": "w", "expect": 1, **operator}, "the wallet is at version", "월렛의 현재 버전"),
             ({"op": "channel.close", "channel": "cafe"}, "nobody is named who does it; say who (--actor ID)", "--actor 아이디"),
             ({"op": "atomic", "commands": [{"op": "channel.close", "channel": "cafe"}]}, "(--actor ID)", "--actor 아이디"),
             ({"op": "channel.close", "channel": "cafe", "actor": {"id": "nobody"}}, "the actor has no role here", "처리자에게는"),
             ({"op": "atomic", "commands": [{"op": "channel.close", "channel": "cafe"}], "actor": {"id": "nobody"}}, "the actor has no role here", "처리자에게는")]
    run("wallet", "create", ledger, "H", "--kind", "PERSONAL", "--name", "h", "--master", "min", "--actor", "root")
    run("channel", "connect", ledger, "H", "cafe", "--actor", "root")
    run("manager", "add", ledger, "cafe", "han", "--actor", "min")
    for lang, part in (("en", "counts where the channel is named: --channel"), ("ko", "채널을 지정해야 인정됩니다: --channel")):
        charge = ["charge", ledger, "H", "C", "1000", "--method", "CREDIT_CARD", "--actor", "han", "--dry-run", "--lang", lang]
        check(f"{lang}: a manager is told to name the channel", part in run(*charge).stdout and "ROLE" not in run(*charge, "--channel", "cafe").stdout, run(*charge))
        out = run("policy", "set", ledger, "invoice_from", "2999-01", "--actor", "root", "--lang", lang)
        check(f"{lang}: why invoice_from stays", "FROM_IN_PAST" in out.stdout and "invoice_from" in out.stdout.splitlines()[1], out)
        check(f"{lang}: not where none can be named", part not in run("wallet", "off", ledger, "H", "--actor", "han", "--lang", lang).stdout)
    for command, english, korean in cases:
        for lang, part in (("en", english), ("ko", korean)):
            keyed = json.dumps({**command, "key": f"{english}{lang}{json.dumps(command)}"[:120].replace(" ", "")})
            for time in ("first", "again"):
                out = run("apply", ledger, "--lang", lang, feed=keyed + "\n")
                check(f"{lang}, {time}: {command}", part in json.loads(out.stdout)["message"], out.stdout)


VALUES = {"WALLET": "W", "CHANNEL": "cafe", "PERSON": "sol", "ROLE": "GATEWAY", "AGENCY": "Nuri", "SEARCH-ID": "shop", "EMAIL": "a@b.example", "SETTLEMENT": "POSTPAID",
          "LIMIT": "5,000", "SEQ": "7", "BIZ": "1112233333", "BIZ-NAME": "n", "REPRESENTATIVE": "r", "ADDRESS": "a", "CHANNEL-KIND": "BUSINESS", "MAIL-ORDER": "12",
          "REASON": "no", "GRANT": "G1", "MONTH": "2026-03", "INVOICE": "3", "REF": "R-1", "APPROVE-NO": "A-1", "WHY": "OTHER", "RESULT": "SENT"}


def single(work):
    """Each op has a command line, which help shows, and which is the same as its line of JSON."""
    ledger = os.path.join(work, "o")
    run("init", ledger, "--key-file", ledger + ".key")
    apply(ledger, {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "jin"}, {"op": "channel.create", "channel": "cafe", "person": "jin"})
    ops = list(dict.fromkeys(row["cell"].split(":")[0] for row in ask(ledger, "roles")["cells"]))
    ops = ops[ops.index("role.give"):]
    check("all of them", len(ops) == 32, ops)
    for op in ops:
        words = op.replace("_", "-").split(".")
        usage = " ".join(run("help", words[0]).stdout.split())
        begin = "jangbu " + " ".join(words) + " LEDGER"
        if begin not in usage:
            check(f"{op}: help", False, usage)
            continue
        form = usage[usage.index(begin) + len(begin):].split(" jangbu ")[0].split()
        form = form[:next((i for i, w in enumerate(form) if w.strip("[]") not in VALUES and not w.strip("[]").startswith("--")), len(form))]
        members, line, name = {"op": op}, [], None
        for word in form:
            plain = word.strip("[]")
            if plain.startswith("--"):
                name = plain
            elif (op.startswith("biz.") and name == "--channel") or (op == "forget" and name != "--person"):
                name = None  # of one alone
            elif name is None and any(w.startswith("--") for w in line):
                break  # the explanation
            else:
                line += [VALUES[plain]] if name is None else [name, VALUES[plain]]
                number = plain in ("SEQ", "LIMIT", "INVOICE")
                members[plain.lower().replace("-", "_")] = int(VALUES[plain].replace(",", "")) if number else VALUES[plain]
                name = None
        if op == "role.give":
            members.pop("agency"), line.remove("--agency"), line.remove("Nuri")
        if op == "role.take":
            members["role"], line[line.index("GATEWAY")] = "AGENCY", "AGENCY"
        want, = apply(ledger, members, dry=True)
        out = run(*words, ledger, *line, "--dry-run", "--json") if len(words) == 2 else run(op, ledger, *line, "--dry-run", "--json")
        got = json.loads(out.stdout) if out.stdout else out.stderr
        want.pop("line", None)
        drop = lambda a: {k: v for k, v in a.items() if k not in ("line", "at", "recorded_at", "until")} if isinstance(a, dict) else a  # noqa: E731
        check(f"{op}: {line}", drop(got) == drop(want), (members, want, got))
        check(f"{op}: its form is right", want.get("code") != "MALFORMED", want)
    for words, code, part in ((["channel", "creat", ledger, "x"], 2, ""), (["member"], 2, "invite, accept, leave, remove"), (["channel", "close", ledger], 2, "LEDGER CHANNEL"),
                              (["channel", ledger, "cafe"], 0, ""), (["channel", "search_id", ledger, "cafe", "a-b"], 1, ""), (["sales", "request", ledger, "W"], 2, "AGENCY"),
                              (["channel", "close", ledger, "cafe", "--caller", "x", "--key", "k"], 0, ""), (["channel", ledger, "cafe", "--caller", "x"], 2, "takes no --caller")):
        out = run(*words)
        check(f"{words}", out.returncode == code and part in out.stderr, out)


def main():
    global JANGBU
    JANGBU = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        deletions(work)
        permitted(work)
        business(work)
        forgotten(work)
        exported(work)
        places(work)
        words_and_not_numbers(work)
        sentences(work)
        single(work)
    print("\n".join(bad[:20] + [f"{len(bad)} wrong"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
