#!/usr/bin/python3
"""What is due: in pages of any size, as a stream for `apply`, and as of past moments, where it must be what was told then.

usage: due.py JANGBU [SEED]"""
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile

import run as papers
from run import KST, ask, check, run

WALLETS = 40


class Applying:
    """One `apply`, asked a command at a time."""

    def __init__(self, ledger):
        self.ledger, self.at, self.newest = ledger, datetime.datetime(2026, 1, 1, 9, tzinfo=KST), 0
        self.p = subprocess.Popen([papers.JANGBU, "apply", ledger, "--clock=at"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def __call__(self, op, wallet=None, **members):
        self.at += datetime.timedelta(seconds=1)
        command = {"op": op, **({"wallet": wallet} if wallet else {}), **members, "clock": self.at.isoformat()}
        self.p.stdin.write(json.dumps(command) + "\n")
        self.p.stdin.flush()
        answer = json.loads(self.p.stdout.readline())
        self.newest = answer.get("invoice", self.newest) if answer["ok"] else self.newest
        return answer

    def end(self):
        self.p.stdin.close()
        self.p.wait()


def business(do, wallet, n):
    asked = do("biz.request", wallet, biz=f"{1208147000 + n}", biz_name="n", representative="r", address=f"a{do.at}")
    do("biz.approve", wallet, seq=asked.get("seq", 1))


def told(ledger, *args):
    d = ask("due", ledger, "--json", "--outside", "--limit", "10000", *args)
    check("all on one page", d["next"] is None)
    return d


def grow(do, rng, remember):
    for i in range(WALLETS):
        do("wallet.create", f"W{i}", kind="PERSONAL" if i % 9 == 8 else "BUSINESS", name="n")
        do("charge", f"W{i}", charge="C", amount=10**7)
        if i % 7:
            business(do, f"W{i}", i)
        if i % 2:
            do("invoice.email", f"W{i}", email="a@example.com")
    for n in range(900):
        wallet = f"W{rng.randrange(WALLETS)}"
        what = rng.randrange(20)
        if what < 9:
            do("consume", wallet, usage=f"U{n}", amount=rng.randrange(1, 9999))
        elif what < 11:
            last = do.at.date() + datetime.timedelta(days=rng.randrange(1, 70))
            do("free.grant", wallet, grant=f"G{n}", amount=100, expires_on=last.isoformat())
        elif what < 14:
            do("invoice.issue", wallet, month=rng.choice(["2026-01", "2026-02", "2026-03"]))
        elif what < 18 and do.newest:
            number = rng.randrange(max(1, do.newest - 6), do.newest + 1)
            op = rng.choice(["invoice.confirm", "invoice.fail", "invoice.mail"])
            more = {"invoice.fail": {"why": "OTHER"}, "invoice.mail": {"result": "SENT"}}.get(op, {})
            for i in range(WALLETS):  # whose it is
                if do(op, f"W{i}", invoice=number, **more).get("code") != "INVOICE_UNKNOWN":
                    break
        elif what == 18:
            business(do, wallet, int(wallet[1:]))
        else:
            do.at += datetime.timedelta(hours=rng.randrange(1, 60))
        if n % 60 == 59:
            if rng.randrange(3):
                do("day.close", day=(do.at.date() - datetime.timedelta(days=1)).isoformat())
            remember()


def in_pages(ledger, limit, *args):
    whole, cursor, longest = {"commands": [], "blocked": [], "outside": [], "late": []}, None, 0
    while True:
        d = ask("due", ledger, "--json", "--outside", "--limit", str(limit), *(["--cursor", cursor] if cursor else []),
                *([] if cursor and "--as-of" in args else args))
        whole["late"] += [len(whole["commands"]) + i for i in d["late"]]
        for k in ("commands", "blocked", "outside"):
            whole[k] += d[k]
        longest = max(longest, sum(len(d[k]) for k in ("commands", "blocked", "outside")))
        cursor = d["next"]
        if cursor is None:
            return whole, longest


def addresses(work):
    """A document that can be mailed to nobody asks for an address: where none was set, and where whoever set it is forgotten."""
    ledger = os.path.join(work, "addresses")
    run("init", ledger, "--key-file", os.path.join(work, "addresses.key"))
    do = Applying(ledger)
    for n, wallet in enumerate(("W1", "W2")):
        do("wallet.create", wallet, kind="BUSINESS", name="n", master="m1")
        business(do, wallet, n)
        do("consume", wallet, usage="U", amount=1100, overdraft=True)
    do("member.invite", "W1", person="m2")
    do("member.accept", "W1", actor={"id": "m2"})
    do("invoice.email", "W1", email="m2@example.com", actor={"id": "m2", "role": "MEMBER"})
    do.at = datetime.datetime(2026, 2, 4, 9, tzinfo=KST)
    for n, wallet in enumerate(("W1", "W2"), 1):
        do("invoice.issue", wallet, month="2026-01")

    def outside():
        return [(x["op"], x["invoice"], x.get("why")) for x in told(ledger, "--clock=at")["outside"]]
    check("to be transmitted", outside() == [("invoice.confirm", 1, None), ("invoice.confirm", 2, None)], outside())
    for n, wallet in enumerate(("W1", "W2"), 1):
        do("invoice.confirm", wallet, invoice=n)
    check("no address was set", outside() == [("invoice.mail", 1, None), ("invoice.email", 2, "NO_ADDRESS")], outside())
    do("member.leave", "W1", actor={"id": "m2"})
    forgotten = do("forget", person="m2")
    check("who set it is forgotten", forgotten["ok"] and outside()[0] == ("invoice.email", 1, "FORGOTTEN"), (forgotten, outside()))
    text = run("due", ledger, "--outside", "--clock=at", "--lang", "en").stdout
    check("in words", "the address can be read no more" in text and "no address is set" in text, text)
    do("invoice.email", "W1", email="m1@example.com", actor={"id": "m1"})
    do("invoice.email", "W2", email="m1@example.com", actor={"id": "m1"})
    check("another one is set", outside() == [("invoice.mail", 1, None), ("invoice.mail", 2, None)], outside())
    out = run("invoices", ledger, "W2", "--as-of", "12")
    check("invoices of a wallet that there was not yet", out.returncode == 1 and "W2 did not exist yet at event 12" in out.stderr, out)
    do.end()


def main():
    papers.JANGBU = os.path.abspath(sys.argv[1])
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20261127)
    with tempfile.TemporaryDirectory() as work:
        ledger, then = os.path.join(work, "ledger"), []
        run("init", ledger)
        do = Applying(ledger)
        grow(do, rng, lambda: then.append(told(ledger, "--clock=at")))
        do.at = datetime.datetime(2026, 5, 4, 9, tzinfo=KST)
        do("day.close", day="2026-05-03")
        now = told(ledger, "--clock=at")
        check("something of each is due", all(len(now[k]) > 5 for k in ("commands", "blocked", "outside", "late")) and {c["op"] for c in now["commands"]} ==
              {"invoice.issue", "notice.send"}, {k: len(v) for k, v in now.items() if isinstance(v, list)})
        check("days were open, too", len({tuple(sorted({c["op"] for c in d["commands"]})) for d in then}) >= 2)
        for i, d in enumerate(rng.sample(then, len(then)) + [now]):
            past = told(ledger, "--as-of", str(d["as_of"]["seq"]))
            check(f"as of {d['as_of']}", past == d, (past, d))
        for limit in (1, 3, 1000):
            pages, longest = in_pages(ledger, limit, "--clock=at")
            check(f"pages of {limit}", all(pages[k] == now[k] for k in pages) and longest <= limit, (longest, {k: (pages[k], now[k]) for k in pages if pages[k] != now[k]}))
            some = then[len(then) // 2]
            pages, longest = in_pages(ledger, limit, "--as-of", str(some["as_of"]["seq"]))
            check(f"pages of {limit}, as of a past moment", all(pages[k] == some[k] for k in pages) and longest <= limit, longest)
        for kind, ops in (("invoice", {"invoice.issue", "invoice.confirm", "invoice.mail", "invoice.email"}), ("notice", {"notice.send"}), ("day", set())):
            some = told(ledger, "--kind", kind, "--clock=at")
            check(f"of kind {kind}", {x["op"] for k in ("commands", "blocked", "outside") for x in some[k]} <= ops and
                  some["commands"] == [c for c in now["commands"] if c["op"] in ops], some)
        lines = run("due", ledger, "--commands", "--clock=at").stdout
        check("a stream of commands", [json.loads(line) for line in lines.splitlines()] == now["commands"], lines[:300])
        text = run("due", ledger, "--clock=at", "--limit", "5").stdout
        check("a page in words", "more: --cursor " in text and text.count("\n") == 8, text)
        page = ask("due", ledger, "--json", "--limit", "1", "--clock=at")
        for args in (["--cursor", page["next"], "--outside"], ["--cursor", page["next"], "--kind", "notice"], ["--commands", "--json"], ["--commands", "--limit", "5"],
                     ["--limit", "0"], ["--cursor", page["next"], "--as-of", "50"]):
            check(f"due {args}", run("due", ledger, *args).returncode == 2)
        # What is done between two pages is not told again, and nothing else is left out.
        first = ask("due", ledger, "--json", "--limit", "5", "--clock=at")
        done = [do(**{k: v for k, v in c.items()}) for c in first["commands"]]
        check("what is due is done", all(a["ok"] for a in done), [a for a in done if not a["ok"]])
        rest = ask("due", ledger, "--json", "--limit", "10000", "--clock=at", "--cursor", first["next"])
        everything = first["commands"] + rest["commands"]
        check("pages of now", [(c["op"], c["wallet"]) for c in everything] == [(c["op"], c["wallet"]) for c in now["commands"]], (len(everything), len(now["commands"])))
        seq = next(e["seq"] for e in map(json.loads, run("log", ledger, "--json").stdout.splitlines()) if e["type"] == "policy_set" and e["policy"] == "invoice_from")
        for args, code, said in ((["--as-of", str(seq - 1)], 1, "invoice_from is not set"), (["--as-of", "999999"], 1, "999999")):
            out = run("due", ledger, *args)
            check(f"due {args}", out.returncode == code and said in out.stderr, out)
        check("as of before anything has happened", ask("due", ledger, "--json", "--as-of", str(seq))["today"] is None)
        do.end()
        addresses(work)
    print(f"{papers.checks['passed']} passed, {papers.checks['failed']} failed")
    return papers.checks["failed"] != 0


if __name__ == "__main__":
    sys.exit(main())
