#!/usr/bin/python3
"""Every route of jangbud with a request and its answer, asked of the daemon: the part of docs/gateway.md between its marks.

usage: document.py JANGBU JANGBUD docs/gateway.md          fails where the document says something else
       document.py JANGBU JANGBUD docs/gateway.md --write  writes it anew

Moments, days, months and numbers that are another ledger's every time are written as fixed ones."""
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from served import Served

BEGIN, END = "<!-- routes: tests/gateway/document.py writes them -->\n", "<!-- end of routes -->\n"
WIDTH, LINES = 92, 7
OLD = 40  # days: the month of that day is over, and can be invoiced


def at(days, hour="10:00:00"):
    return f"{day(days)}T{hour}+09:00"


def day(days):
    # Until it is due to be closed, ten minutes past midnight, a day is not over here.
    today = (datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9))) - datetime.timedelta(minutes=10)).date()
    return str(today - datetime.timedelta(days=days))


EARLIER = [
    {"op": "wallet.create", "wallet": "W1", "kind": "BUSINESS", "name": "수제공방", "master": "u1", "at": at(OLD)},
    {"op": "channel.create", "channel": "blog", "person": "u1", "channel_kind": "BUSINESS", "at": at(OLD)},
    {"op": "channel.connect", "wallet": "W1", "channel": "blog", "at": at(OLD)},
    {"op": "biz.request", "wallet": "W1", "biz": "1234567890", "biz_name": "수제공방", "representative": "홍길동", "address": "서울", "at": at(OLD)},
    {"op": "biz.approve", "wallet": "W1", "seq": 0, "at": at(OLD)},
    {"op": "charge", "wallet": "W1", "charge": "C1", "amount": 50000, "method": "CREDIT_CARD", "pg": "TOSS", "txn_ref": "T-1", "at": at(OLD)},
    {"op": "free.grant", "wallet": "W1", "grant": "G1", "amount": 3000, "expires_on": day(-20), "at": at(OLD)},
    {"op": "consume", "wallet": "W1", "usage": "U1", "amount": 12000, "channel": "blog", "at": at(OLD, "11:00:00")},
    {"op": "refund.request", "wallet": "W1", "refund": "R1", "amount": 5000, "at": at(OLD, "12:00:00")},
    {"op": "invoice.issue", "wallet": "W1", "month": day(OLD)[:7], "at": at(1)},
]
GRANT = {"op": "free.activate", "wallet": "W1", "grant": "G1", "key": "use-G1"}
CHARGE = {"op": "charge", "wallet": "W1", "charge": "C2", "amount": 20000}

# Path as the document has it, request, members of its head, lines of its body.
ASKED = [
    ("POST /v1/commands", "/v1/commands", {"Idempotency-Key": '"order-2-pay"'}, [CHARGE]),
    ("POST /v1/commands", "/v1/commands", {"Idempotency-Key": '"order-2-pay"'}, [CHARGE]),
    ("POST /v1/commands", "/v1/commands", {}, [{"op": "consume", "wallet": "W1", "usage": "U2", "amount": 900000, "key": "order-3"}]),
    ("POST /v1/commands", "/v1/commands?dry_run=1", {}, [{"op": "consume", "wallet": "W1", "usage": "U2", "amount": 1000}]),
    ("POST /v1/commands", "/v1/commands", {"Content-Type": "application/x-ndjson"},
     [GRANT, {"op": "consume", "wallet": "W1", "usage": "U3", "amount": 4000, "key": "order-4"}, {"op": "consume", "key": "order-5"}]),
    ("POST /v1/tickets", "/v1/tickets", {}, [{"wallet": "W1", "actor": "u1", "ttl": 60}]),
    ("POST /v1/commands", "/v1/commands", {"If-Match": '"3.0.0"'}, [{"op": "wallet.off", "wallet": "W1", "key": "off-1"}]),
]
PARAMETERS = {
    "/v1/wallets/{wallet}/may": "?actor=u1", "/v1/find": "?text=T-1", "/v1/wallets/{wallet}/history": "?limit=1", "/v1/wallets": "?total_min=1",
    "/v1/wallets/{wallet}/statement": f"?from_day={day(OLD)}&to_day={day(OLD)}", "/v1/wallets/{wallet}/report": f"?month={day(OLD)[:7]}",
    "/v1/wallets/{wallet}/cash-status": f"?from_day={day(OLD)}", "/v1/events": "?types=charge_settled", "/v1/log": "?from=2&limit=2",
    "/v1/wallets/{wallet}/events": "?limit=1", "/v1/wallets/{wallet}/feed": "?limit=1", "/v1/feed": "?after=60&limit=1", "/v1/channels/{channel}/events": "?limit=1", "/v1/wallets/{wallet}/charges": "?open=true",
}
PLACES = {"{wallet}": "W1", "{channel}": "blog", "{day}": day(OLD), "{from}": "2", "{question}": "3", "{invoice}": "1"}
HEADERS = ("ETag", "Idempotent-Replayed", "Jangbu-Seq", "Cache-Control")
OTHERS = ("/metrics",)  # said elsewhere: docs/operating.md


def fixed(text):
    """The same whenever it is asked."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?\+09:00", "2026-10-31T10:00:00.000000+09:00", text)
    text = re.sub(r"\b20\d\d-\d\d-\d\d\b", "2026-10-31", text)
    text = re.sub(r"\b20\d\d-\d\d\b(?!-)", "2026-10", text)
    text = re.sub(r'"(next|cursor)":"[0-9a-f]+"', r'"\1":"01..."', text)
    text = re.sub(r'"(chain|ledger_id)":"[0-9a-f]+"', r'"\1":"5c0f..."', text)
    text = re.sub(r'"(log_bytes|log_file_bytes|stored_seq|views_seq|past_day_open)":\w+', r'"\1":...', text)
    text = re.sub(r"\b20\d\d\.? ?년? ?\d\d?월 ?\d\d?일?", "2026년 10월 31일", text)
    text = re.sub(r'("ticket":"|\?ticket=|/enter/)[0-9A-Za-z_-]+', r"\1t0...", text)
    return re.sub(r'"(dir|key_file)":"[^"]*"', r'"\1":"/srv/shop"', text)


def wrapped(text):
    """Its first lines, none too wide."""
    out = []
    for line in fixed(text).splitlines():
        while len(line) > WIDTH:
            cut = max(line.rfind(",", 0, WIDTH) + 1, line.rfind(" ", 0, WIDTH) + 1)
            cut = cut if cut > WIDTH // 3 else WIDTH
            out.append(line[:cut].rstrip())
            line = line[cut:].lstrip()
        out.append(line)
    return out if len(out) <= LINES else out[:LINES - 1] + ["..."]


def shown(s, method, path, headers, body):
    text = "\n".join(json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in body)
    answer = s.ask(method, path, body=text or None, **{name.replace("-", "_"): value for name, value in headers.items()})
    lines = [f"{method} {fixed(path)}", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [line for command in text.splitlines() for line in wrapped(command)]
    lines += ["", str(answer.status)]
    lines += [f"{name}: {answer.headers[name]}" for name in HEADERS if answer.headers[name] and answer.headers[name] not in ("no-store", "private, no-cache")]
    lines += wrapped(answer.body.decode())
    return "".join(f"    {line}".rstrip() + "\n" for line in lines) + "\n"


def routes(s):
    document = s.get("/v1/openapi.json").json
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path in OTHERS:
                continue
            name = f"{method.upper()} {path}"
            yield f"### {name}\n\n"
            yield operation["summary"][0].upper() + operation["summary"][1:] + "."
            yield f" Query `{operation['x-jangbu-query']}`.\n\n" if "x-jangbu-query" in operation else "\n\n"
            mine = [a for a in ASKED if a[0] == name]
            if method == "get":
                asked = path
                for place, value in PLACES.items():
                    asked = asked.replace(place, value)
                mine = [(name, asked + PARAMETERS.get(path, ""), {}, [])]
            for _, asked, headers, body in mine:
                yield shown(s, method.upper(), asked, headers, body)
            if not mine:
                raise SystemExit(f"{name}: there is no example of it")


def earlier(jangbu, ledger):
    done = subprocess.run([jangbu, "init", ledger], capture_output=True)
    assert done.returncode == 0, done
    seq = None
    for command in EARLIER:
        command = {**command, "seq": seq} if command["op"] == "biz.approve" else command
        done = subprocess.run([jangbu, "apply", ledger, "--clock=at"], input=json.dumps(command).encode(), capture_output=True)
        answer = json.loads(done.stdout)
        assert answer["ok"], (command, answer)
        seq = answer["seq"]


def main():
    jangbu, jangbud, document = sys.argv[1:4]
    work = tempfile.mkdtemp(prefix="jangbud-")
    try:
        ledger = os.path.join(work, "shop")
        earlier(jangbu, ledger)
        with Served(jangbud, ledger) as s:
            for _ in range(400):  # it looks at the ledger first
                if s.get("/readyz").status == 200:
                    break
                time.sleep(0.05)
            text = "".join(routes(s))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    with open(document, encoding="utf-8") as f:
        whole = f.read()
    before, rest = whole.split(BEGIN)
    held, after = rest.split(END)
    if "--write" in sys.argv:
        with open(document, "w", encoding="utf-8") as f:
            f.write(before + BEGIN + "\n" + text + END + after)
        return 0
    if held.strip() == text.strip():
        return 0
    for have, want in zip(held.strip().splitlines() + [""], text.strip().splitlines() + [""]):
        if have != want:
            print(f"{document} has\n  {have}\nand jangbud says\n  {want}\nWrite it anew: tests/gateway/document.py ... --write")
            break
    return 1


if __name__ == "__main__":
    sys.exit(main())
