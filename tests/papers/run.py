#!/usr/bin/python3
"""Receipts, statements, totals and grants about to lapse from outside: made again from `jangbu log --json` by other hands, and compared.

usage: run.py JANGBU [SEED]"""
import csv
import datetime
import html.parser
import io
import json
import os
import random
import subprocess
import sys
import tempfile

JANGBU = None
checks = {"passed": 0, "failed": 0}
KST = datetime.timezone(datetime.timedelta(hours=9))
FIRST = datetime.date(2026, 9, 20)
DAYS = 40
FLOWS = ("charged charge_reversed free_activated consumed_paid consumed_free returned refunded refund_failed debt_repaid expired "
         "forfeited").split()
HOSTILE = ["<script>alert(1)</script>", "\"onload='x'&amp;", "</td></table>", "=1+1", "‮evil", "a,b;\"c\""]


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {str(detail)[:900]}")


def run(*args, feed=None, env=None):
    out = subprocess.run([JANGBU, *args], input=feed, capture_output=True, env={**os.environ, **(env or {})})
    out.stdout, out.stderr = out.stdout.decode(), out.stderr.decode()
    return out


def ask(*args):
    out = run(*args, "--json")
    return json.loads(out.stdout) if out.returncode == 0 else out


# ---- a ledger with everything in it ----

def hostile(rng, name):
    return name if rng.randrange(3) else name + rng.choice(HOSTILE)


def commands(rng, manual):
    """manual: days are closed hours after they are over, so that two of them are open at once."""
    wallets, charges, usages, n = ["W1", "W2", HOSTILE[0]], {}, {}, 0
    when = datetime.datetime.combine(FIRST, datetime.time(9), KST)
    at = [when]

    def line(op, **members):
        at[0] += datetime.timedelta(minutes=rng.randrange(1, 9))
        return {"op": op, **members, "clock": at[0].isoformat()}

    if manual:
        yield line("policy.set", policy="day_close", value="manual")
    for i, wallet in enumerate(wallets):
        yield line("wallet.create", wallet=wallet, kind="BUSINESS", name=f"</title><b>{i}&'", master="u1")
    for day in range(DAYS):
        at[0] = max(at[0], datetime.datetime.combine(FIRST + datetime.timedelta(days=day), datetime.time(rng.randrange(0, 6), 10), KST))
        count = rng.randrange(4, 16)
        for i in range(count):
            n += 1
            if manual and day > 0 and i == count // 2:
                yield line("day.close", day=(FIRST + datetime.timedelta(days=day - 1)).isoformat())
            wallet = rng.choice(wallets)
            what = rng.randrange(20)
            if what < 3:
                charge = hostile(rng, f"C{n}")
                line_of = {"charge": charge, "amount": rng.randrange(1000, 90000)}
                method = rng.choice(["CREDIT_CARD", "KAKAOPAY_CARD", "VIRTUAL_ACCOUNT", "ADMIN_CASH", "ADV_RET_CASH", None])
                if method:
                    line_of["method"] = method
                if rng.randrange(4):
                    line_of["pg"] = rng.choice(["toss", "TossPayments", "lgu", "inicis", "KGINICIS", "danal", "<b>"])
                if rng.randrange(2):
                    line_of["approve_no"] = f"3004{n}"
                if rng.randrange(2):
                    line_of["txn_ref"] = f"tx\"{n}"
                charges.setdefault(wallet, []).append(charge)
                yield line("charge", wallet=wallet, **line_of)
            elif what < 10:
                usage = hostile(rng, f"U{n}")
                usages.setdefault(wallet, []).append(usage)
                late = {}
                if rng.randrange(2 if manual else 4) == 0:
                    late["at"] = (at[0] - datetime.timedelta(hours=rng.randrange(1, 60))).isoformat()
                amount = rng.randrange(1, 9000)
                yield {**line("consume", wallet=wallet, usage=usage, amount=amount, overdraft=rng.randrange(2) == 0), **late}
            elif what < 12 and usages.get(wallet):
                yield line("consume.reverse", wallet=wallet, usage=rng.choice(usages[wallet]), amount=rng.randrange(1, 3000))
            elif what < 14:
                last = (at[0].date() + datetime.timedelta(days=rng.randrange(0, 60))).isoformat()
                yield line("free.grant", wallet=wallet, grant=f"G{n}", amount=rng.randrange(100, 9000), origin="PROMOTION", reason="r", expires_on=last)
                if rng.randrange(3):
                    yield line("free.activate", wallet=wallet, grant=f"G{n}")
            elif what < 16:
                yield line("refund.request", wallet=wallet, refund=f"R{n}", amount=rng.randrange(100, 20000))
                yield line("refund.approve", wallet=wallet, refund=f"R{n}")
                yield line(rng.choice(["refund.complete", "refund.fail", "refund.complete"]), wallet=wallet, refund=f"R{n}")
            elif what < 18 and charges.get(wallet):
                yield line("charge.reverse", wallet=wallet, charge=rng.choice(charges[wallet]), amount=rng.randrange(1, 20000), reason="PG_CANCEL")
            else:
                yield line("debt.repay", wallet=wallet, amount=rng.randrange(1, 4000), **({"pg": "toss", "txn_ref": f"d{n}"} if rng.randrange(2) else {}))
    at[0] = datetime.datetime.combine(FIRST + datetime.timedelta(days=DAYS), datetime.time(11), KST)
    yield line("consume", wallet="W1", usage="last", amount=1, overdraft=True)  # closes the days before
    if manual:
        yield line("day.close", day=(FIRST + datetime.timedelta(days=DAYS - 1)).isoformat())


def make(work, rng, manual=False):
    ledger = os.path.join(work, "manual" if manual else "ledger")
    run("init", ledger)
    feed = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in commands(rng, manual))
    out = run("apply", ledger, "--clock=at", feed=feed.encode())
    done = [json.loads(line) for line in out.stdout.splitlines()]
    check("most commands were done", sum(a["ok"] for a in done) > len(done) * 6 // 10, [a for a in done if not a["ok"]][:3])
    return ledger, [json.loads(line) for line in run("log", ledger, "--json").stdout.splitlines()]


# ---- by other hands ----

def parts(e, kinds):
    return sum(p["amount"] for p in e.get("parts") or () if p.get("from", p.get("to")) in kinds)


def flows(e):
    """What an event moves, as the table of docs/rules.md section 6 says."""
    t, a = e["type"], e.get("amount", 0)
    if t == "charge_settled":
        return {"charged": a}
    if t == "charge_reversed":
        return {"charge_reversed": a}
    if t == "debt_repaid":
        return {"debt_repaid": a}
    if t == "free_activated":
        return {"free_activated": a}
    if t == "free_expired" and e["in_use"]:
        return {"expired": a}
    if t == "free_forfeited" and e["in_use"]:
        return {"forfeited": a}
    if t == "cash_consumed":
        free = parts(e, {"free"})
        return {k: v for k, v in (("consumed_free", free), ("consumed_paid", a - free)) if v}
    if t == "consumption_reversed":
        lapsed = parts(e, {"lapsed"})
        return {k: v for k, v in (("returned", a), ("expired", lapsed)) if v}
    if t == "refund_approved":
        return {"refunded": a}
    if t == "refund_failed" and e.get("parts"):
        return {"refund_failed": a}
    return {}


IN = {"charged", "debt_repaid", "free_activated", "returned", "refund_failed"}


def effect(e):
    return sum(v if k in IN else -v for k, v in flows(e).items())


def statement(log, wallet, first, last):
    mine = [e for e in log if e["wallet"] == wallet and flows(e)]
    balance = sum(effect(e) for e in mine if e["posted_on"] < first)
    sums, rows, opening = dict.fromkeys(FLOWS, 0), [], balance
    for e in sorted((e for e in mine if first <= e["posted_on"] <= last), key=lambda e: (e["posted_on"], e["seq"])):
        balance += effect(e)
        rows.append((e["seq"], e["posted_on"], effect(e), balance))
        for k, v in flows(e).items():
            sums[k] += v
    return opening, rows, sums, balance


class Page(html.parser.HTMLParser):
    """A page that is well formed: each element is closed; the cells of its tables."""
    VOID = {"meta"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.bad, self.rows, self.cell, self.tags, self.title = [], [], [], None, set(), ""
        self.feed(text)
        self.close()
        self.bad += self.stack

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        allowed = {"class", "colspan", "rowspan", "lang", "charset", "http-equiv", "content", "name", "xmlns", "viewbox", "font-size", "x", "y", "x1", "x2",
                   "y1", "y2", "width", "height", "fill", "stroke", "stroke-width", "text-anchor", "d"}
        self.bad += [f"{tag} has {name}" for name, _ in attrs if name not in allowed]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.cell = ""
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.stack.pop()

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.bad.append(f"</{tag}>")
        if tag in ("td", "th"):
            self.rows[-1].append(self.cell.strip())
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data
        if self.stack and self.stack[-1] == "title" and "svg" not in self.stack:
            self.title += data


def number_in(text):
    return int(text.replace(",", "")) if text else 0


def check_page(name, ledger, log, wallet, first, last, lang):
    opening, rows, sums, closing = statement(log, wallet, first, last)
    out = run("statement", ledger, wallet, first, last, "--html", "--lang", lang)
    page = Page(out.stdout)
    check(f"{name}: well formed", out.returncode == 0 and not page.bad and not page.stack, (page.bad[:5], out.stderr))
    check(f"{name}: nothing from elsewhere", not page.tags & {"script", "img", "link", "iframe", "a", "object"} and "url(" not in out.stdout and
          out.stdout.count("http://") == 1, page.tags)
    check(f"{name}: its language", f'<html lang="{lang}">' in out.stdout and ("거래" in page.title) == (lang == "ko"), page.title)
    table = [r for r in page.rows if len(r) == 7 and r[0][:2] == "20"]
    got = [(int(r[3]), r[0], number_in(r[4]) - number_in(r[5]), number_in(r[6])) for r in table]
    check(f"{name}: rows", got == rows, (got[:3], rows[:3]))
    ends = [number_in(r[2]) for r in page.rows if len(r) == 3 and r[0][:2] == "20"]
    check(f"{name}: opening and closing", ends == [opening, closing], (ends, opening, closing))
    total = [r for r in page.rows if len(r) == 3 and r[0] in ("in all", "합계")]
    check(f"{name}: sums", len(total) == 1 and number_in(total[0][1]) == sum(sums[k] for k in IN) and
          number_in(total[0][2]) == sum(sums[k] for k in FLOWS if k not in IN), (total, sums))


def check_statement(ledger, log, wallet, first, last):
    name = f"{wallet} {first} {last}"
    opening, rows, sums, closing = statement(log, wallet, first, last)
    s = ask("statement", ledger, wallet, first, last)
    got = [(r["seq"], r["posted_on"], r["effect"], r["balance"]) for r in s["rows"]]
    check(f"{name}: rows", got == rows, (got[:4], rows[:4]))
    check(f"{name}: opening and closing", (s["opening"]["total"], s["closing"]["total"]) == (opening, closing), (s["opening"], s["closing"], opening, closing))
    check(f"{name}: sums", s["sums"] == sums, (s["sums"], sums))
    for end in ("opening", "closing"):
        check(f"{name}: {end} adds up", s[end]["total"] == s[end]["paid"] + s[end]["free"], s[end])
    status = ask("cash-status", ledger, wallet, "--from", first, "--to", last)["rows"]
    check(f"{name}: the cash status closes with it", not status or status[-1]["closing_total"] == closing, status[-1:])
    check(f"{name}: the cash status sums up to it", all(sum(r[k] for r in status) == sums[k] for k in FLOWS))
    table = list(csv.DictReader(io.StringIO(run("statement", ledger, wallet, first, last, "--csv").stdout)))
    check(f"{name}: CSV", [(int(r["seq"]), r["posted_on"], int(r["effect"]), int(r["balance"])) for r in table[1:-1]] == rows and
          [(r["type"], int(r["balance"])) for r in (table[0], table[-1])] == [("opening", opening), ("closing", closing)], table[:2])
    text = run("statement", ledger, wallet, first, last)
    check(f"{name}: text", text.returncode == 0 and f"{closing:,}" in text.stdout, text.stdout[-300:])
    return s


def closed_at(log, day):
    return next(e["seq"] for e in log if e["type"] == "day_closed" and e["day"] == day)


def day_of(n):
    return (FIRST + datetime.timedelta(days=n)).isoformat()


def statements(ledger, log, rng):
    wallets = ["W1", "W2", HOSTILE[0]]
    for wallet in wallets:
        check_statement(ledger, log, wallet, day_of(0), day_of(DAYS - 1))
        check_statement(ledger, log, wallet, "2026-08-01", "2026-10-01")
    for _ in range(12):
        a, b = sorted(rng.randrange(DAYS) for _ in range(2))
        check_statement(ledger, log, rng.choice(wallets), day_of(a), day_of(b))
    for wallet in wallets:
        for lang in ("ko", "en"):
            check_page(f"page of {wallet}, {lang}", ledger, log, wallet, day_of(3), day_of(30), lang)
    # As of the moment that closed its last day it says the same; before that it is not closed.
    last = day_of(20)
    seq = closed_at(log, last)
    now, then = ask("statement", ledger, "W1", day_of(5), last), ask("statement", ledger, "W1", day_of(5), last, "--as-of", str(seq))
    check("as of its closing", {**now, "as_of": 0} == {**then, "as_of": 0}, then)
    check("as of a day", {**ask("statement", ledger, "W1", day_of(5), last, "--as-of", last), "as_of": 0} == {**now, "as_of": 0})
    for name, args in (("before its closing", ["--as-of", str(seq - 1)]), ("an open day", [])):
        day = last if args else day_of(DAYS)
        for form in ([], ["--json"], ["--csv"], ["--html"]):
            out = run("statement", ledger, "W1", day_of(5), day, *args, *form)
            check(f"{name} {form}", out.returncode == 1 and out.stdout == "" and "not closed yet; the last closed day is 2" in out.stderr, (out.returncode, out.stderr, out.stdout[:99]))
    for name, args, code, said in (("backwards", ["W1", day_of(6), day_of(5)], 2, "after the last"), ("no wallet", ["W9", day_of(5), day_of(6)], 1, "no wallet"),
                                   ("before the wallet", ["W1", "2026-01-01", "2026-01-31"], 1, "did not exist"), ("no day", ["W1", "x", day_of(5)], 2, "a day"),
                                   ("two forms", ["W1", day_of(5), day_of(6), "--csv", "--html"], 2, "one of"),
                                   ("a supplier without a page", ["W1", day_of(5), day_of(6), "--supplier", "x"], 2, "--html")):
        out = run("statement", ledger, *args)
        check(name, out.returncode == code and said in out.stderr and out.stdout == "", (out.returncode, out.stderr))


def supplier(work, ledger):
    path = os.path.join(work, "supplier.json")
    args = ("statement", ledger, "W1", day_of(5), day_of(6), "--html", "--as-of", day_of(6))

    def write(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    write(json.dumps({"name": "(주)<공급>", "number": "120-81-47521"}, ensure_ascii=False))
    out = run(*args, "--supplier", path)
    check("a supplier", "120-81-47521" in out.stdout and "(주)&lt;공급&gt;" in out.stdout and not Page(out.stdout).bad, out.stderr)
    check("a supplier of the environment", run(*args, env={"JANGBU_SUPPLIER": path}).stdout == out.stdout)
    check("no supplier", "120-81-47521" not in run(*args).stdout)
    for text, said in (('{"nmae":"x"}', "takes no nmae"), ("[]", "must be a JSON object"), ('{"name":5}', "must be a text"), ("{", "supplier")):
        write(text)
        out = run(*args, "--supplier", path)
        check(f"supplier {text}", out.returncode == 2 and said in out.stderr and path in out.stderr and "?." not in out.stderr and out.stdout == "", out.stderr)
    out = run(*args, "--supplier", path + ".none")
    check("no such file", out.returncode == 1 and "none" in out.stderr, out.stderr)


def many(work):
    """A day with more rows of one wallet than are kept at once, and other wallets' between them."""
    ledger = os.path.join(work, "many")
    run("init", ledger)
    at = "2026-10-01T09:00:00+09:00"
    lines = [{"op": "wallet.create", "wallet": w, "kind": "PERSONAL", "name": "n", "clock": at} for w in ("W", "V")]
    lines += [{"op": "charge", "wallet": w, "charge": "C", "amount": 10**9, "clock": at} for w in ("W", "V")]
    lines += [{"op": "consume", "wallet": "V" if i % 7 == 0 else "W", "usage": f"U{i}", "amount": 1 + i % 50, "clock": at} for i in range(14000)]
    lines += [{"op": "day.close", "day": "2026-10-01", "clock": "2026-10-02T00:00:01+09:00"}]
    run("apply", ledger, "--clock=at", feed="".join(json.dumps(c) + "\n" for c in lines).encode())
    log = [json.loads(line) for line in run("log", ledger, "--json").stdout.splitlines()]
    s = check_statement(ledger, log, "W", "2026-10-01", "2026-10-01")
    check("a day of many rows", len(s["rows"]) == 12001, len(s["rows"]))


# ---- receipts ----

TOSS, INICIS = {"toss", "tosspayments", "lgu"}, {"inicis", "kginicis"}


def look_up(e):
    day = e["occurred_at"][:10]
    plain, account = {"amount": e["amount"], "day": day}, {"by": "account", "amount": e["amount"], "day": day, "bank": None, "account": None}
    method, number = e.get("method", "UNSPECIFIED"), {"approve_no": e["approve_no"]} if e.get("approve_no") else {}
    card = []
    if e["pg"].lower() in TOSS:
        card = ([{"by": "card", **number}] if number else []) + [{"by": "card", "email": None}]
    else:
        card = [{"by": "card", **number, **plain}]
    if method == "VIRTUAL_ACCOUNT":
        return [account]
    if method == "UNSPECIFIED":
        return card + [account]
    return card + [{"by": "issuer", **number, **plain}]


def expected_receipts(log, wallet, seq):
    mine = [e for e in log if e["wallet"] == wallet and e["seq"] <= seq]
    approved = {e["refund_no"]: e for e in mine if e["type"] == "refund_approved"}
    rows, reversed_, refunded = [], {}, {}
    for e in mine:
        if e["type"] == "charge_reversed":
            reversed_[e["lot"]] = reversed_.get(e["lot"], 0) + e["amount"]
        back = e["type"] == "refund_failed" and e.get("parts")
        if e["type"] == "refund_approved" or back:
            for p in approved[e["refund_no"]]["parts"]:
                refunded[p["lot"]] = refunded.get(p["lot"], 0) + (-p["amount"] if back else p["amount"])
    for e in mine:
        if e["type"] in ("charge_settled", "debt_repaid") and e.get("pg") and e.get("method") not in ("ADMIN_CASH", "ADV_RET_CASH"):
            pg = e["pg"].lower()
            rows.append({"seq": e["seq"], "gateway": "TOSS" if pg in TOSS else "INICIS" if pg in INICIS else "OTHER",
                         "where": "tosspayments.com" if pg in TOSS else "inicis.com/payment_view" if pg in INICIS else None,
                         "look_up": look_up(e), "amount": e["amount"], "cancelled": reversed_.get(e["lot"], 0), "refunded": refunded.get(e["lot"], 0),
                         "charge": e.get("charge"), "paid_at": e["occurred_at"]})
    return rows


def lang_of_none(title):
    return "no payment went through a gateway, so there is no receipt" if title.isascii() else "PG사를 통한 결제가 없어 영수증이 없습니다"


def receipts_page(name, out, title, want):
    """Each payment with its sentence beneath, and the sums of all."""
    page = Page(out.stdout)
    check(f"{name}: well formed", out.returncode == 0 and not page.bad and page.title == title, (page.bad, page.title, out.stderr))
    rows = [r for r in page.rows if len(r) == 6 and r[2].isdigit()]
    got = [(r[0], r[1], int(r[2]), *map(number_in, r[3:])) for r in rows]
    paid = [(r["paid_at"][:10], r.get("charge") or "", r["seq"], r["amount"], r["cancelled"], r["refunded"]) for r in want]
    check(f"{name}: rows", [g[:1] + g[2:] for g in got] == [p[:1] + p[2:] for p in paid] and all(p[1] in g[1] for g, p in zip(got, paid)), (got, paid))
    beneath = [page.rows[i + 1] for i, r in enumerate(page.rows) if len(r) == 6 and r[2].isdigit()]
    check(f"{name}: sentences", beneath == [[r["text"].strip()] for r in want], (beneath, want))
    sums = [list(map(number_in, r[1:])) for r in page.rows if len(r) == 4]
    check(f"{name}: sums", sums == [[sum(p[i] for p in paid) for i in (3, 4, 5)]] if paid else sums == [], sums)
    check(f"{name}: nothing is said", bool(paid) or (lang_of_none(title),) in [tuple(r) for r in page.rows], page.rows)


def receipts(ledger, log):
    kinds = set()
    for wallet in ("W1", "W2", HOSTILE[0]):
        for seq in (len(log), len(log) * 2 // 3, len(log) // 3):
            want = expected_receipts(log, wallet, seq)
            got = ask("receipts", ledger, wallet, "--as-of", str(seq))["rows"]
            check(f"receipts of {wallet} as of {seq}", [{k: r.get(k) for k in want[0]} for r in got] == want if want else got == [],
                  [(g, w) for g, w in zip(got, want) if {k: g.get(k) for k in w} != w][:1] or (len(got), len(want)))
            kinds |= {(r["gateway"], r["type"], r["cancelled"] > 0, r["refunded"] > 0) for r in want and got}
        pages, cursor = [], None
        while True:
            page = ask("receipts", ledger, wallet, "--limit", "3", *(["--cursor", cursor] if cursor else []))
            pages, cursor = pages + page["rows"], page["next"]
            if cursor is None:
                break
        check(f"receipts of {wallet} in pages", pages == ask("receipts", ledger, wallet)["rows"])
        text = run("receipts", ledger, wallet, "--lang", "ko").stdout
        check(f"receipts of {wallet} in words", all(f"이벤트 {r['seq']}:" in text for r in pages) and ("PG사" in text) == bool(pages), text[:300])
        texts, cursor = [], None
        while cursor is not None or not texts:
            texts.append(run("receipts", ledger, wallet, "--limit", "1", *(["--cursor", cursor] if cursor else [])).stdout)
            cursor = dict(line.split(" --cursor ") for line in texts[-1].splitlines() if line.startswith("more: ")).get("more:")
        check(f"receipts of {wallet}: what is behind the last one", ("no payment" in "".join(texts)) == (not pages), texts[-1])
        text = run("receipts", ledger, wallet, "--limit", "2").stdout
        check(f"receipts of {wallet}: a page is filled", all(f"event {r['seq']}:" in text for r in pages[:2]) and text.count("\nevent") + 1 == 2, text)
        for lang, title in (("en", "Payments and their receipts"), ("ko", "결제와 영수증")):
            for seq in (len(log), len(log) // 3):
                out = run("receipts", ledger, wallet, "--html", "--lang", lang, "--as-of", str(seq))
                receipts_page(f"receipts of {wallet} as a page, {lang}, as of {seq}", out, title,
                              ask("receipts", ledger, wallet, "--as-of", str(seq), "--lang", lang)["rows"])
        newest = ask("answer", ledger, wallet, "--question", "5", "--clock", "at")
        check(f"question 5 of {wallet}: the newest", newest["events"] == [pages[-1]["seq"]] and newest["text"].startswith(pages[-1]["text"]), newest)
        for row in [r for r in pages if r.get("charge")][:6]:
            one = ask("answer", ledger, wallet, "--question", "5", "--charge", row["charge"], "--clock", "at")
            check(f"question 5 of {row['charge']}", one["events"] == [row["seq"]] and one["text"].startswith(row["text"]), (one, row["text"]))
    check("every kind of receipt was looked at", len(sys.argv) > 2 or {k[0] for k in kinds} == {"TOSS", "INICIS", "OTHER"} and {k[1] for k in kinds} == {"charge_settled", "debt_repaid"}
          and any(k[2] for k in kinds) and any(k[3] for k in kinds), kinds)


# ---- totals ----

def slips(work):
    """What the policy said when it was paid, not what it says now."""
    ledger = os.path.join(work, "slips")
    run("init", ledger)
    lines = [{"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "n"}]
    for i, value in enumerate((None, 2, 1, 0)):
        lines += [{"op": "policy.set", "policy": "receipt_tax", "value": value}] if value is not None else []
        lines += [{"op": "charge", "wallet": "W", "charge": f"C{i}", "amount": 5000, "method": "CREDIT_CARD", "pg": "toss"}]
    run("apply", ledger, "--clock=at", feed="".join(json.dumps({**c, "clock": f"2026-03-{i + 1:02}T09:00:00+09:00"}) + "\n" for i, c in enumerate(lines)).encode())
    rows = ask("receipts", ledger, "W")["rows"]
    check("how slips are taxed", [r["tax"] for r in rows] == [None, "EXEMPT", "TAXABLE", None], rows)
    for lang, words in (("en", (None, "exempt from VAT", "a taxable one", None)), ("ko", (None, "면세로", "과세로", None))):
        for i, word in enumerate(words):
            answer = ask("answer", ledger, "W", "--question", "5", "--charge", f"C{i}", "--clock=at", "--lang", lang)["text"]
            check(f"slip of C{i}, {lang}", (word in answer) if word else not ({"VAT", "taxable"} & set(answer.split()) or "세로" in answer), answer)
    check("as of before the policy was set again", [r["tax"] for r in ask("receipts", ledger, "W", "--as-of", str(rows[1]["seq"]))["rows"]] == [None, "EXEMPT"])


def totals(ledger, log):
    for seq in (len(log), len(log) // 2):
        t = ask("totals", ledger, "--as-of", str(seq))
        balances = [json.loads(line) for line in run("balance", ledger, "--all", "--json", "--as-of", str(seq)).stdout.splitlines()]
        want = {"paid": sum(max(b["paid"], 0) for b in balances), "debt": sum(b["debt"] for b in balances), "free": sum(b["free"] for b in balances),
                "free_dormant": sum(b["free_dormant"] for b in balances), "refund_in_transit": sum(b["refund_in_transit"] for b in balances),
                "wallets": len(balances), "wallets_in_debt": sum(b["debt"] > 0 for b in balances), "held": 0}
        made = {(e["wallet"], e["lot"]): e for e in log if e["type"] == "charge_settled"}
        all_, credits = 0, 0
        for e in log[:seq]:
            if e["type"] in ("charge_settled", "charge_reversed"):
                amount = e["amount"] if e["type"] == "charge_settled" else -e["amount"]
                credit = made[e["wallet"], e["lot"]]["method"] in ("ADMIN_CASH", "ADV_RET_CASH")
                all_, credits = all_ + amount, credits + (amount if credit else 0)
        want.update({"charged_12m": all_, "charged_12m_without_credits": all_ - credits})
        check(f"totals as of {seq}", {k: t[k] for k in want} == want, (t, want))
    check("credits were among them", all_ != 0 and credits != 0)
    first = ask("totals", ledger, "--as-of", "1")
    check("totals before anything has happened", first["from"] is None and first["to"] is None and first["charged_12m"] == 0, first)
    said = {lang: subprocess.run([JANGBU, "totals", ledger, "--as-of", "1", "--lang", lang], capture_output=True, text=True).stdout for lang in ("en", "ko")}
    check("and says so, without days", "no charge yet" in said["en"] and "충전도 없었" in said["ko"] and not any(" - " in s or "-부터" in s for s in said.values()), said)
    month = ask("totals", ledger, "--month", "2026-09")
    check("totals of a month", month == ask("totals", ledger, "--as-of", "2026-09-30") and month["to"] == "2026-09-30" and month["from"] == "2025-10-01", month)
    for args, code in ((["--month", "2026-13"], 2), (["--month", "2026-12"], 1), (["--month", "2026-09", "--as-of", "5"], 2)):
        check(f"totals {args}", run("totals", ledger, *args).returncode == code)
    text = run("totals", ledger, "--lang", "ko").stdout
    check("totals in words", f"{ask('totals', ledger)['charged_12m']:,}" in text and "유상캐시" in text, text)


def twelve_months(work):
    """(D - 1 year, D]: that day of the year before is out, the next one in; a leap day, too."""
    ledger = os.path.join(work, "twelve")
    run("init", ledger)
    days = ["2023-02-27", "2023-02-28", "2023-03-01", "2024-02-28", "2024-02-29", "2024-03-01", "2025-02-28", "2025-03-01"]
    lines = [{"op": "wallet.create", "wallet": "W", "kind": "PERSONAL", "name": "n", "clock": "2023-02-27T08:00:00+09:00"}]
    lines += [{"op": "charge", "wallet": "W", "charge": f"C{i}", "amount": 10000 + (1 << i), "clock": f"{day}T09:00:00+09:00"} for i, day in enumerate(days)]
    run("apply", ledger, "--clock=at", feed="".join(json.dumps(c) + "\n" for c in lines).encode())
    for to, first in (("2024-02-28", "2023-03-01"), ("2024-02-29", "2023-03-01"), ("2025-02-28", "2024-02-29")):
        t = ask("totals", ledger, "--as-of", to)
        want = sum(10000 + (1 << i) for i, day in enumerate(days) if first <= day <= to)
        check(f"twelve months to {to}", (t["from"], t["charged_12m"]) == (first, want), (t, want))
    check("totals of a ledger without wallets", run("init", ledger + "2").returncode == 0 and ask("totals", ledger + "2")["paid"] == 0)


# ---- tax invoices ----

def invoice_commands():
    at = ["2026-03-10T10:00:00+09:00"]

    def line(op, clock=None, **members):
        at[0] = clock or at[0]
        return {"op": op, "wallet": "W", **members, "clock": at[0]}

    yield line("wallet.create", kind="BUSINESS", name="n")
    yield line("biz.request", biz="1208147521", biz_name=HOSTILE[0], representative=HOSTILE[2], address="서울특별시 강남구 & <서초구>")
    yield line("biz.approve", seq="asked")
    yield line("invoice.email", email="tax@example.com")
    yield line("charge", charge="C1", amount=100000, method="CREDIT_CARD", pg="toss")
    yield line("charge", charge="1", amount=1000)
    for i, usage in enumerate(h for h in HOSTILE if h.isprintable()):
        yield line("consume", usage=usage, amount=9026 + i, overdraft=True)
    yield line("invoice.issue", "2026-04-03T09:00:00+09:00", month="2026-03")
    yield line("invoice.confirm", invoice=1, approve_no="20260403410000001")
    yield line("invoice.mail", invoice=1, result="SENT")
    yield line("consume.reverse", usage=HOSTILE[1], amount=1000)
    yield line("invoice.issue", "2026-04-20T09:00:00+09:00", month="2026-03")


def invoices(work):
    """An invoice as a page and as CSV is what its JSON says, in both languages, with boxes that are empty or the supplier's."""
    ledger, asked = os.path.join(work, "invoices"), None
    run("init", ledger)
    for c in invoice_commands():
        c = {**c, "seq": asked} if c.get("seq") == "asked" else c
        answer = json.loads(run("apply", ledger, "--clock=at", feed=json.dumps(c).encode()).stdout)
        asked = answer.get("seq") if c["op"] == "biz.request" else asked
        check(f"{c['op']} is done", answer["ok"], answer)
    us = os.path.join(work, "us.json")
    with open(us, "w", encoding="utf-8") as f:
        json.dump({"name": "(주)공급", "number": "220-81-62517", "address": HOSTILE[2]}, f)
    titles = {("ko", 1): "전자세금계산서", ("ko", 2): "수정전자세금계산서", ("en", 1): "Electronic tax invoice", ("en", 2): "Amended tax invoice"}
    for number in (1, 2):
        one = ask("invoice", ledger, str(number))
        want = [(r["seq"], r["usage"], r["amount"]) for r in one["rows"]]
        for lang in ("ko", "en"):
            for given in ([], ["--supplier", us]):
                out = run("invoice", ledger, str(number), "--html", "--lang", lang, *given)
                page, name = Page(out.stdout), f"invoice {number} {lang} {given}"
                cells = [cell for row in page.rows for cell in row]
                check(f"{name}: well formed", out.returncode == 0 and not page.bad and page.title == titles[lang, number], (page.bad, page.title, out.stderr))
                got = [(int(r[2]), r[1].strip(), number_in(r[3])) for r in page.rows if len(r) == 4 and r[0][:4] == "2026" and r[2].isdigit()]
                check(f"{name}: rows", got == want, (got, want))
                check(f"{name}: figures", all(f"{one[k]:,}" in cells for k in ("supply", "vat", "total")), cells)
                check(f"{name}: recipient", {"120-81-47521", HOSTILE[0], HOSTILE[2], "tax@example.com"} <= set(cells), cells)
                check(f"{name}: supplier", ("220-81-62517" in cells) == bool(given) and ("--supplier" in out.stderr) == (not given), (cells, out.stderr))
        table = list(csv.DictReader(io.StringIO(run("invoice", ledger, str(number), "--csv").stdout)))
        for lang, line, none in (("en", "recipient 120-81-47521, approval number %s, mail %s", "none yet"), ("ko", "공급받는 자 120-81-47521, 승인번호 %s, 메일 %s", "아직 없음")):
            text = run("invoice", ledger, str(number), "--lang", lang).stdout
            check(f"invoice {number}: what became of it, {lang}", line % (one["approve_no"] or none, (one["mail"] or {"result": none})["result"]) in text, text)
        check(f"invoice {number}: CSV", [(int(r["seq"]), int(r["amount"])) for r in table] == [(w[0], w[2]) for w in want], table[:2])
    log = [json.loads(line) for line in run("log", ledger, "--json").stdout.splitlines()]
    for number in ("1", "2", "3"):
        want = [(e["seq"], e["type"]) for e in reversed(log) if str(e.get("invoice", e.get("charge"))) == number]
        got = ask("find", ledger, number)
        rows = got["rows"] if isinstance(got, dict) else []
        check(f"find invoice {number}", [(r["seq"], r["type"]) for r in rows] == want and len(want) == (4, 1, 0)[int(number) - 1], (rows, want))
        check(f"invoice {number} is the wallet's", all(r["what"] == ["charge" if r["type"] == "charge_settled" else "invoice"] and r["belongs_to"] == "W" for r in rows), rows)
    check("find by the tax office's number", [r["type"] for r in ask("find", ledger, "20260403410000001")["rows"]] == ["invoice_confirmed"])
    pages, cursor = [], None
    while cursor is not None or not pages:
        page = ask("find", ledger, "1", "--limit", "1", *(["--cursor", cursor] if cursor else []))
        pages, cursor = pages + page["rows"], page["next"]
    check("in pages", pages == ask("find", ledger, "1")["rows"], pages)
    issued = next(e["seq"] for e in log if e["type"] == "invoice_issued")
    charged = next(e["seq"] for e in log if e.get("charge") == "1")
    check("as of before it was confirmed", [r["seq"] for r in ask("find", ledger, "1", "--as-of", str(issued))["rows"]] == [issued, charged])
    check("as of before it was issued", [r["seq"] for r in ask("find", ledger, "1", "--as-of", str(issued - 1))["rows"]] == [charged])
    check("no invoice yet", run("find", ledger, "1", "--as-of", str(charged - 1)).returncode == 1)
    check("an invoice that is none", run("invoice", ledger, "9", "--html").returncode == 1)
    nobody = {"op": "wallet.create", "wallet": "E", "kind": "PERSONAL", "name": "e", "clock": "2026-04-20T09:00:00+09:00"}
    check("a wallet without payments", b'"ok":true' in run("apply", ledger, "--clock=at", feed=json.dumps(nobody).encode()).stdout.encode())
    for lang, title in (("en", "Payments and their receipts"), ("ko", "결제와 영수증")):
        receipts_page(f"no receipts, {lang}", run("receipts", ledger, "E", "--html", "--lang", lang), title, [])
    for args in (["W", "--html", "--json"], ["W", "--html", "--limit", "5"], ["W", "--html", "--cursor", "x"]):
        check(f"receipts {args}", run("receipts", ledger, *args).returncode == 2)
    check("receipts of nobody", run("receipts", ledger, "X", "--html").returncode == 1)
    check("two forms of an invoice", run("invoice", ledger, "1", "--html", "--csv").returncode == 2)


# ---- grants about to lapse ----

def expiring(ledger, log):
    wallets = ["W1", "W2", HOSTILE[0]]
    seen = 0
    for as_of in (["--as-of", str(len(log) * 3 // 4)], ["--as-of", day_of(25)], ["--as-of", str(len(log))]):
        for days in (0, 7, 30, 36500):
            got = ask("expiring", ledger, "--days", str(days), *as_of)
            today = datetime.date.fromisoformat(got["as_of"]["at"][:10])
            want = []
            for wallet in wallets:
                for g in ask("grants", ledger, wallet, "--open", *as_of)["rows"]:
                    left = (datetime.date.fromisoformat(g["expires_on"]) - today).days
                    if 0 <= left <= days:
                        want.append((wallet, g["grant"], g["state"], g["left"], g["expires_on"], left))
            have = [(r["wallet"], r["grant"], r["state"], r["left"], r["expires_on"], r["days"]) for r in got["rows"]]
            check(f"expiring within {days} {as_of}", have == want, (have[:3], want[:3]))
            seen += len(want)
            one = ask("expiring", ledger, "--days", str(days), "--wallet", "W2", *as_of)["rows"]
            check(f"expiring of one {days} {as_of}", one == [r for r in got["rows"] if r["wallet"] == "W2"])
    pages, cursor = [], None
    while True:
        page = ask("expiring", ledger, "--days", "400", "--limit", "2", *(["--cursor", cursor] if cursor else ["--as-of", str(len(log))]))
        pages, cursor = pages + page["rows"], page["next"]
        if cursor is None:
            break
    check("expiring in pages", pages == got["rows"] and len(pages) > 4, len(pages))
    check("grants were about to lapse", seen > 10, seen)
    check("a cursor of another list", run("expiring", ledger, "--cursor", ask("receipts", ledger, "W1", "--limit", "1")["next"]).returncode == 2)
    text = run("expiring", ledger, "--as-of", str(len(log)), "--days", "400").stdout
    check("expiring in words", all(r["grant"] in text for r in pages), text)


def main():
    global JANGBU
    JANGBU = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261127
    with tempfile.TemporaryDirectory() as work:
        rng = random.Random(seed)
        ledger, log = make(work, rng, True)
        days = [e["posted_on"] for e in log if e["wallet"] == "W1" and flows(e)]
        check("days were open at once", len(sys.argv) > 2 or sum(a > b for a, b in zip(days, days[1:])) > 3, days)
        statements(ledger, log, rng)
        ledger, log = make(work, rng)
        check("hostile ids", len(sys.argv) > 2 or sum("<" in str(e.get("charge", e.get("usage"))) for e in log) > 20)
        statements(ledger, log, rng)
        supplier(work, ledger)
        many(work)
        receipts(ledger, log)
        slips(work)
        totals(ledger, log)
        twelve_months(work)
        expiring(ledger, log)
        invoices(work)
    print(f"papers, seed {seed}: {checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
