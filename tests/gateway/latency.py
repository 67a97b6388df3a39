#!/usr/bin/python3
"""How long each page of a holder and of an operator takes, from the request to its last byte: a ledger of many wallets is made, one of them with
many events, and each page is asked for again and again by one client, and by several at once that ask for all of them mixed.

usage: latency.py JANGBU JANGBUD [--wallets N] [--events M] [--today T] [--rounds R] [--clients 1,8] [--limit-ms L]
                  [--ledger DIR] [--backlog B] [--markdown]

Fails where the 99th percentile of a page is over the limit. --ledger: made there unless it is there, and kept. --backlog: so many commands are
given to the ledger first that no projection has seen, and the daemon is asked as soon as it listens.
"""
import argparse
import datetime
import http.client
import json
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from served import Served, token

BIG = "BIG"
CLIENT_S = 1800  # a client that says nothing for so long was ended
DAYS = 40  # over which it happened; the first of them is of a month that can be invoiced
KST = datetime.timezone(datetime.timedelta(hours=9))
SURNAMES = "김이박최정강조윤장임한오서신권황안송류홍"
GIVEN = "민서준우지아도윤하은시현수연주빈예원태호진영재혁승유나경미선희정"
HOLDER = ["/w", "/w/status", "/w/history", "/w/history?kind=charge", "/w/history?kind=use", "/w/history?kind=return", "/w/history?kind=refund",
          "/w/history next", "/w/free", "/w/refunds", "/w/papers", "/w/people", "/w/questions", "/w/events/{from}", "/w/invoices/{invoice}"]
QUESTIONS = [f"/w/questions?q={i}" for i in range(1, 11)]
OPERATOR = ["/o", "/o/wallets", "/o/wallets?state=debt", "/o/wallets?state=SUSPENDED", "/o/wallets?name=(many have it)",
            "/o/wallets?name=(one has it)", "/o/wallets?name=(nobody has it)", "/o/wallets next", "/o/wallets/{wallet}", "/o/wallets/{wallet}, the large one",
            "/o/find?ref=", "/o/refunds", "/o/due", "/o/commands", "/o/events/{from}", "/o/invoices/{invoice}"]
OTHERS = ["/", "/assets/page.css", "/o/sign-in"]


# ---- the ledger

def name(i):
    """Names as people have them; two wallets of a million have the last one."""
    if i % 500000 == 77:
        return "남궁가람"
    return SURNAMES[i % 20] + GIVEN[i // 20 % 31] + GIVEN[i // 620 % 31]


def business(day):
    """Its first lines: who is invoiced."""
    at = {"at": f"{day}T00:00:01+09:00"}
    return [{"op": "wallet.create", "wallet": BIG, "kind": "BUSINESS", "name": "수제공방", "master": "h", **at},
            {"op": "channel.create", "channel": "blog", "person": "h", "channel_kind": "BUSINESS", **at},
            {"op": "channel.connect", "wallet": BIG, "channel": "blog", **at},
            {"op": "biz.request", "wallet": BIG, "biz": "1234567890", "biz_name": "수제공방", "representative": "홍길동", "address": "서울", **at}]


def made(wallets, events, today_events):
    """Lines for `jangbu apply --clock=at`, in the order of time: wallets, each with a charge; and of one wallet all that happens."""
    now = datetime.datetime.now(KST) - datetime.timedelta(minutes=30)
    today = now.date()
    rng = random.Random(11)
    per_day = max(1, (events - today_events) // DAYS)
    number, wallet = 0, 0

    def line(op, at, **members):
        return json.dumps({"op": op, "at": at, **members}, ensure_ascii=False)

    for ago in range(DAYS, -1, -1):
        day = today - datetime.timedelta(days=ago)
        noon = f"{day}T10:00:00+09:00" if ago else f"{day}T00:00:01+09:00"
        if ago == DAYS:
            for i in range(20):
                yield line("member.invite", noon, wallet=BIG, person=f"m{i}", actor={"id": "h"})
        share = wallets // DAYS + 1
        for i in range(wallet, min(wallet + share, wallets) if ago else wallet):
            yield line("wallet.create", noon, wallet=f"W{i}", kind="PERSONAL", name=name(i), master=f"u{i}")
            yield line("charge", noon, wallet=f"W{i}", charge=f"W{i}-1", amount=1000 + i % 900 * 100, txn_ref=f"T-{i}")
            if i % 1000 == 3:
                yield line("consume", noon, wallet=f"W{i}", usage=f"W{i}-o", amount=200000, overdraft=True)
            if i % 1000 == 5:
                yield line("wallet.suspend", noon, wallet=f"W{i}")
            if i % 1000 == 7:
                yield line("refund.request", noon, wallet=f"W{i}", refund=f"W{i}-r", amount=500)
        wallet = min(wallet + share, wallets)
        yield line("charge", noon, wallet=BIG, charge=f"D{ago}", amount=60000000, method="CREDIT_CARD", pg="TOSS", txn_ref=f"B-{ago}")
        yield line("free.grant", noon, wallet=BIG, grant=f"G{ago}", amount=3000, expires_on=str(today + datetime.timedelta(days=30)))
        yield line("refund.request", noon, wallet=BIG, refund=f"R{ago}", amount=5000)
        for i in range(per_day if ago else today_events):
            number += 1
            if number % 997 == 0:
                yield line("charge", noon, wallet=BIG, charge=f"C{number}", amount=10000, method="CREDIT_CARD", pg="TOSS", txn_ref=f"N-{number}")
            elif number % 499 == 0 and (number - 1) % 997 != 0:
                yield line("consume.reverse", noon, wallet=BIG, usage=f"U{number - 1}", amount=1, reason="x")
            else:
                yield f'{{"op":"consume","at":"{noon}","wallet":"{BIG}","usage":"U{number}","amount":{rng.randrange(1, 2000)},"channel":"blog"}}'
        if ago == 0:
            month = str(today - datetime.timedelta(days=DAYS))[:7]
            yield line("invoice.issue", noon, wallet=BIG, month=month)


def apply(jangbu, ledger, lines, *flags):
    begun = time.monotonic()
    done = subprocess.Popen([jangbu, "apply", ledger, "-", *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if os.fork() == 0:
        done.stdout.close()
        n = 0
        batch = []
        for text in lines:
            batch.append(text)
            n += 1
            if len(batch) == 10000:
                done.stdin.write("\n".join(batch) + "\n")
                batch = []
        done.stdin.write("\n".join(batch) + "\n")
        done.stdin.close()
        os._exit(0)
    done.stdin.close()
    n, bad = 0, []
    for answer in done.stdout:
        n += 1
        if '"ok":true' not in answer and len(bad) < 5:
            bad.append(answer)
    os.wait()
    done.wait()
    for answer in bad:
        print(f"refused: {answer[:300]}", end="")
    return n, time.monotonic() - begun


def make(a, ledger):
    subprocess.run([a.jangbu, "init", ledger], check=True, capture_output=True)
    first = business(datetime.datetime.now(KST).date() - datetime.timedelta(days=DAYS))
    lines = "\n".join(json.dumps(c, ensure_ascii=False) for c in first)
    asked = subprocess.run([a.jangbu, "apply", ledger, "-", "--clock=at"], input=lines, capture_output=True, text=True, check=True)
    approved = {"op": "biz.approve", "wallet": BIG, "seq": json.loads(asked.stdout.splitlines()[-1])["seq"], "at": first[0]["at"]}
    apply(a.jangbu, ledger, [json.dumps(approved)], "--clock=at")
    n, took = apply(a.jangbu, ledger, made(a.wallets, a.events, a.today), "--clock=at")
    size = sum(os.path.getsize(os.path.join(ledger, f)) for f in os.listdir(ledger)) / 1e9
    print(f"{n} commands in {took:.0f} s: {ledger} has {size:.1f} GB", flush=True)


# ---- who asks

class Browser:
    """A session, over one connection."""

    def __init__(self, address, given, **who):
        self.connection, self.cookie = http.client.HTTPConnection(*address, timeout=60), None
        self.origin = "http://%s:%d" % address
        if who:
            _, body = self.send("POST", "/v1/tickets", json.dumps(who), {"Authorization": f"Bearer {given}", "Content-Type": "application/json"})
            _, body = self.send("GET", json.loads(body)["path"], headers={"Sec-Fetch-Site": "cross-site"})
            self.send("GET", re.search(r'content="0;url=([^"]*)"', body).group(1).replace("&amp;", "&"), headers={"Sec-Fetch-Site": "same-origin"})

    def send(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if self.cookie:
            headers["Cookie"] = f"__Host-jangbu={self.cookie}"
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        for given in answer.headers.get_all("Set-Cookie") or []:
            self.cookie = re.match(r"__Host-jangbu=([^;]*)", given).group(1)
        return answer.status, text

    def page(self, path):
        began = time.monotonic()
        status, text = self.send("GET", path)
        took = time.monotonic() - began
        if status == 503:  # not now; counted, and as slow as can be
            return float("inf"), text
        if status != 200:
            raise RuntimeError(f"{path}: {status} {re.sub('<[^>]*>', ' ', text)[-600:]}")
        return took, text

    def tried(self, text, op, **fields):
        """The form for that command, sent to be tried: what it would change."""
        for form in re.findall(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", text, re.S):
            values = dict(re.findall(r'name="([^"]*)"[^>]*? value="([^"]*)"', form[1]))
            if values.get("op") == op:
                headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
                began = time.monotonic()
                status, body = self.send("POST", form[0], urllib.parse.urlencode({**values, **fields}), headers)
                if status != 200:
                    raise RuntimeError(f"{op}: {status} {body[-300:]}")
                return time.monotonic() - began
        raise RuntimeError(f"no form for {op}")


class Walker:
    """Asks for a page by the name that the table has for it."""

    def __init__(self, address, given, wallets, seed):
        self.rng, self.wallets, self.next = random.Random(seed), wallets, {}
        self.nobody = Browser(address, given)
        self.big = Browser(address, given, wallet=BIG, actor="h")
        self.small = [Browser(address, given, wallet=f"W{self.rng.randrange(wallets)}", actor="h") for _ in range(8)]
        self.operator = Browser(address, given, operator=True, actor="op", lang="en")
        events = re.findall(r'/w/events/(\d+)"', self.big.page("/w/history")[1])
        self.events = [int(e) for e in events]

    def on(self, browser, path):
        """The page that follows the one before, from page to page."""
        found = re.search(r'rel="next" href="([^"]*)"', self.next.get(path, ""))
        took, text = browser.page(found.group(1).replace("&amp;", "&") if found else path)
        self.next[path] = text
        return took if found else self.on(browser, path)

    def ask(self, page):
        wallet = f"W{self.rng.randrange(self.wallets)}"
        if page in OTHERS:
            return self.nobody.send("GET", page) and self.timed(page)
        if page == "use (tried)":
            return self.big.tried(self.big.page("/w/free")[1], "free.activate")
        if page == "charge (tried)":
            return self.operator.tried(self.operator.page(f"/o/wallets/{wallet}")[1], "charge", amount="5000")
        if page.endswith(" next"):
            return self.on(self.operator if page.startswith("/o") else self.big, page[:-5])
        page = page.replace("{from}", str(self.rng.choice(self.events))).replace("{invoice}", "1").replace("{wallet}, the large one", BIG)
        page = page.replace("{wallet}", wallet).replace("?ref=", f"?ref=T-{self.rng.randrange(self.wallets)}")
        for word, part in (("(many have it)", "서준"), ("(one has it)", "남궁가람"), ("(nobody has it)", "독고탁")):
            page = page.replace(word, urllib.parse.quote(part))
        if page.endswith(", another wallet"):
            return self.rng.choice(self.small).page(page[:-16])[0]
        return (self.operator if page.startswith("/o") else self.big).page(page)[0]

    def timed(self, page):
        began = time.monotonic()
        self.nobody.send("GET", page)
        return time.monotonic() - began


PAGES = (HOLDER + QUESTIONS + [f"{page}, another wallet" for page in ("/w", "/w/status", "/w/history", "/w/people", "/w/questions?q=3")] + OPERATOR + OTHERS
         + ["use (tried)", "charge (tried)"])


def client(address, given, a, seed, rounds, out):
    try:
        walker, took = Walker(address, given, a.wallets, seed), {page: [] for page in PAGES}
        for _ in range(rounds):
            pages = list(PAGES)
            walker.rng.shuffle(pages)
            for page in pages:
                took[page].append(walker.ask(page))
        out.put((took, None))
    except Exception as e:  # noqa: BLE001
        out.put((None, f"{e!r}"))


def at_once(served, given, a, n):
    """What each page took, of n clients."""
    out, took = multiprocessing.Queue(), {page: [] for page in PAGES}
    rounds = a.rounds if n == 1 else max(1, a.rounds // 4)  # of each: all of them are there to the end
    clients = [multiprocessing.Process(target=client, args=(served.address, given, a, i, rounds, out), daemon=True) for i in range(n)]
    for c in clients:
        c.start()
    for _ in clients:
        found, wrong = out.get(timeout=CLIENT_S)
        if wrong:
            raise RuntimeError(wrong)
        for page, times in found.items():
            took[page] += times
    for c in clients:
        c.join()
    return took


def part(times, share):
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * share))] * 1000


def table(a, found):
    """Lines of the table; how many pages are over the limit."""
    over = 0
    head = ["page"] + [f"{what}, {n} at once" if n > 1 else what for n in found for what in ("p50", "p99", "longest")]
    form = "| " + " | ".join(["{}"] * len(head)) + " |" if a.markdown else "{:50s}" + "{:>12s}" * (len(head) - 1)
    print(form.format(*(h if a.markdown else h.replace(" at once", "") for h in head)))
    if a.markdown:
        print("|" + "---|" * len(head))
    for page in PAGES:
        late_n = sum(t == float("inf") for n in found for t in found[n][page])
        figures = [f([t for t in found[n][page] if t < float("inf")] or [float("inf")]) for n in found for f in (lambda t: part(t, 0.5), lambda t: part(t, 0.99), lambda t: max(t) * 1000)]
        late = any(part(found[n][page], 0.99) > a.limit_ms for n in found)
        over += late
        print(form.format(f"`{page}`" if a.markdown else page, *(f"{x:.1f}" for x in figures)) + (" !" if late else "") + (f" ({late_n} times 503)" if late_n else ""))
    return over


def backlog(a, served, given, begun):
    """How soon pages come where nothing is folded yet."""
    for path, who in (("/w", {"wallet": BIG, "actor": "h"}), ("/o", {"operator": True, "actor": "op"})):
        browser = Browser(served.address, given, **who)
        status, took = 0, []
        while status != 200 and time.monotonic() - begun < 60:
            t = time.monotonic()
            status, _ = browser.send("GET", path)
            took.append(round(time.monotonic() - t, 3))
        print(f"{path}: {status} after {time.monotonic() - begun:.2f} s, tries took {took[-5:]} s", flush=True)


def ready(served):
    """The projections have all of the log. Asked for again and again, for it says when and tells nobody."""
    until = time.monotonic() + served.timeout
    while (answer := served.get("/readyz")).status != 200:
        if time.monotonic() > until:
            raise RuntimeError(f"not ready: {answer}")
        time.sleep(0.05)


def run(a, ledger):
    if not os.path.exists(os.path.join(ledger, "log.mdb")):
        make(a, ledger)
    if a.backlog:
        now = datetime.datetime.now(KST).strftime("b%d%H%M%S")
        views, before = (os.path.join(ledger, name) for name in ("views.mdb", "views.before"))
        shutil.copyfile(views, before)
        lines = (f'{{"op":"charge","wallet":"W{i % a.wallets}","charge":"{now}-{i}","amount":1000}}' for i in range(a.backlog) if i % 1000 != 5)
        n, took = apply(a.jangbu, ledger, lines)
        os.replace(before, views)  # as after a loss of power: the projections are behind
        print(f"{n} commands more in {took:.0f} s, that no projection has", flush=True)
    tokens = os.path.join(ledger, "..", "latency.tokens")
    if os.path.exists(tokens):
        os.remove(tokens)
    given = token(a.jangbud, tokens, "latency", "--scope", "read,write,people,page")
    found, begun = {}, time.monotonic()
    with Served(a.jangbud, ledger, tokens=tokens, flags=["--log", "failures", "--page-rate", "100000", "--idle-time", "3600s"], timeout=120) as served:
        print(f"listens after {time.monotonic() - begun:.2f} s", flush=True)
        if a.backlog:
            quick = served.get("/v1/wallets/W1", token=given)
            print(f"GET /v1/wallets/W1: {quick.status} after {time.monotonic() - begun:.2f} s", flush=True)
            backlog(a, served, given, begun)
        ready(served)
        print(f"is ready after {time.monotonic() - begun:.2f} s", flush=True)
        for n in [int(n) for n in a.clients.split(",")]:
            found[n] = at_once(served, given, a, n)
        over = table(a, found)
        with open(f"/proc/{served.process.pid}/status") as f:
            status = dict(line.split(":", 1) for line in f)
        print(f"memory of its own {int(status['RssAnon'].split()[0]) / 1024:.0f} MiB")
    print(f"{a.wallets} wallets, one with {a.events} events, {a.today} of them today: {over} of {len(PAGES)} pages over {a.limit_ms:g} ms at the 99th percentile")
    return 1 if over else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jangbu")
    parser.add_argument("jangbud")
    parser.add_argument("--wallets", type=int, default=2000)
    parser.add_argument("--events", type=int, default=4000)
    parser.add_argument("--today", type=int, help="events of that wallet that are of today; a day's share unless given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", default="1")
    parser.add_argument("--limit-ms", type=float, default=1000)
    parser.add_argument("--ledger")
    parser.add_argument("--backlog", type=int, default=0)
    parser.add_argument("--markdown", action="store_true")
    a = parser.parse_args()
    a.today = a.today if a.today is not None else a.events // DAYS
    work = tempfile.mkdtemp(prefix="jangbud-")
    try:
        return run(a, a.ledger or os.path.join(work, "ledger"))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
