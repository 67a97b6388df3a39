#!/usr/bin/python3
"""The page over a real socket, as a browser without JavaScript uses it.

Every text is escaped, whoever gave it; forms are those of their session; a ticket works once; what is pressed twice is done once; the
lines between two totals add up; each state of a wallet has its page, in both languages.

usage: page.py JANGBU JANGBUD
"""
import collections
import concurrent.futures
import datetime
import html
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from served import Served

SCRIPT = "<script>x()</script>"
HOLDER = ["/w", "/w/status", "/w/history", "/w/history?kind=charge", "/w/history?kind=use", "/w/history?kind=refund", "/w/free", "/w/refunds",
          "/w/papers", "/w/people", "/w/questions"]
OPERATOR = ["/o", "/o/wallets", "/o/wallets?state=debt", "/o/wallets?state=SUSPENDED", "/o/refunds", "/o/due", "/o/commands", "/o/find?ref=C1"]
LONG = "가나다라마바사아자차카타파하가나다라마바"  # twenty signs: the longest name
KST = datetime.timezone(datetime.timedelta(hours=9))
ROOM = datetime.timedelta(minutes=5)  # what it takes at most, on a slow machine


def today():
    """The day that all of it happens on: what would not end before midnight begins behind it."""
    while (datetime.datetime.now(KST) + ROOM).date() != datetime.datetime.now(KST).date():
        time.sleep(1)
    return datetime.datetime.now(KST).date()


TODAY = today()


class Page(html.parser.HTMLParser):
    """What of a page is looked at: its tags, its text, its forms, the tables' figures."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.forms, self.lang, self.rows, self.cells = text, [], [], None, [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        assert re.fullmatch(r"[a-z -]*", attrs.get("class", "")), (tag, attrs)
        if tag == "html":
            self.lang = attrs.get("lang")
        elif tag == "form":
            self.forms.append({"action": attrs.get("action"), "fields": {}})
        elif tag == "input" and self.forms and "name" in attrs:
            self.forms[-1]["fields"][attrs["name"]] = attrs.get("value", "")
        elif tag == "tr":
            self.cells = []
        elif tag == "data" and self.cells is not None:
            self.cells.append(int(attrs["value"]))

    def handle_endtag(self, tag):
        if tag == "tr" and self.cells is not None:
            self.rows.append(self.cells)
            self.cells = None

    def form(self, op, **fields):
        """The form for that command, with those values among its fields."""
        for form in self.forms:
            if form["fields"].get("op") == op and all(form["fields"].get(k) == v for k, v in fields.items()):
                return form
        raise AssertionError(f"no form for {op} {fields}: {[f['fields'].get('op') for f in self.forms]}")


class Browser:
    """One that keeps its cookie."""

    def __init__(self, served):
        self.served, self.cookie, self.connection = served, None, served.connection()
        self.origin = "http://%s:%d" % served.address

    def get(self, path, **headers):
        return self.send("GET", path, None, headers)

    def send(self, method, path, body, headers):
        if self.cookie:
            headers.setdefault("Cookie", f"__Host-jangbu={self.cookie}")
        answer = self.served.ask(method, path, body, connection=self.connection, **headers)
        if answer.status >= 400 and answer.headers.get("Content-Type", "").startswith("text/html"):
            wrong = [attrs for _, attrs in Page(answer.body.decode()).tags if attrs.get("role") == "alert"]
            assert len(wrong) == 1 and "wrong" in wrong[0]["class"].split(), ("nothing says aloud what is wrong", answer)
        given = answer.headers.get("Set-Cookie")
        if given:
            self.cookie = re.match(r"__Host-jangbu=([^;]*)", given).group(1)
        return answer

    def page(self, path, status=200, **headers):
        answer = self.get(path, **headers)
        assert answer.status == status, (path, answer)
        check_headers(answer)
        return Page(answer.body.decode())

    def post(self, form, status=None, origin=None, **change):
        fields = {**form["fields"], **change}
        headers = {"Content_Type": "application/x-www-form-urlencoded", "Origin": origin or self.origin}
        answer = self.send("POST", form["action"], urllib.parse.urlencode(fields), headers)
        assert status is None or answer.status == status, (form, answer)
        return answer

    def do(self, form, **change):
        """Tries, confirms; the event's number."""
        looked = Page(self.post(form, 200, **change).body.decode())
        sure = looked.form(form["fields"]["op"])
        assert sure["fields"]["step"] == "do" and sure["fields"]["key"].startswith("page-"), sure
        done = self.post(sure, 303)
        return sure, int(re.search(r"done=(\d+)", done.headers["Location"]).group(1))


def check_headers(answer):
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy, policy
    assert len(set(answer.headers.keys())) == len(answer.headers.keys()), ("a header is there twice", answer)
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin" and answer.headers["X-Frame-Options"] == "DENY"


def ticket(served, token, **members):
    answer = served.ask("POST", "/v1/tickets", members, token=token)
    assert answer.status == 200, answer
    return answer.json["path"]


def signed_in(served, token, **members):
    browser = Browser(served)
    entered(browser, ticket(served, token, **members), 303)
    assert browser.cookie
    return browser


def entered(browser, path, status):
    """As a browser that comes from another site: what it gets first sends it on, and what follows comes from here."""
    first = browser.get(path, Sec_Fetch_Site="cross-site")
    assert first.status == 200 and "Set-Cookie" not in first.headers, first
    return browser.page(re.search(r'content="0;url=([^"]*)"', first.body.decode()).group(1).replace("&amp;", "&"), status, Sec_Fetch_Site="same-origin")


def at(days_ago, hour=10, minute=0):
    day = TODAY - datetime.timedelta(days=days_ago)
    return datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=KST).isoformat()


def commands():
    """A wallet for each state, over the last days, with markup in each text that somebody gives."""
    person = "<b>'\"&h"
    out, minute = [], [0]

    def add(op, days_ago=5, **members):
        minute[0] = 1 if days_ago < 5 else minute[0] + 1
        out.append({"op": op, "at": at(days_ago, 9 + minute[0] // 60, minute[0] % 60), "key": f"k{len(out)}", **members})

    for name in ("never", "debt", "susp", "off", "gone", "many", "post", "plant", "moves", "busy"):
        add("wallet.create", wallet=name, kind="BUSINESS" if name in ("post", "plant", "many") else "PERSONAL",
            name=LONG if name == "many" else "<script>x()</script>"[:20], master=person)
    add("charge", wallet="plant", charge="<i>C1", amount=50000, method="CREDIT_CARD", pg="<i>pg", txn_ref="<i>txn", approve_no="<i>ok",
        note=SCRIPT)
    add("free.grant", wallet="plant", grant="<i>G1", amount=7000, expires_on=str(TODAY + datetime.timedelta(days=9)), reason=SCRIPT, note=SCRIPT)
    add("free.grant", wallet="plant", grant="G2", amount=900, expires_on=str(TODAY + datetime.timedelta(days=9)))
    add("refund.request", wallet="plant", refund="<i>R1", amount=1000, note=SCRIPT)
    add("member.invite", wallet="plant", person="<script>x()</script>", actor={"id": person})
    add("biz.request", wallet="plant", biz="1208612345", biz_name=SCRIPT, representative=SCRIPT, address=SCRIPT)
    add("invoice.email", wallet="plant", email="<i>a@b")
    add("sales.request", wallet="plant", agency="<i>agency")
    add("sales.accept", wallet="plant", agency="<i>agency")
    add("charge", wallet="debt", charge="C1", amount=1000)
    add("consume", wallet="debt", usage="U1", amount=3000, overdraft=True)
    add("wallet.suspend", wallet="susp", note=SCRIPT)
    add("wallet.off", wallet="off")
    add("wallet.off", wallet="gone")
    add("wallet.delete", wallet="gone")
    add("wallet.settlement", wallet="post", settlement="POSTPAID", limit=50000)
    add("consume", wallet="post", usage="U1", amount=700)
    add("charge", wallet="many", charge="C1", amount=100000000)
    for i in range(2500):
        add("consume", days_ago=4, wallet="many", usage=f"u{i}", amount=10 + i % 7)
    add("charge", days_ago=1, wallet="many", charge="C2", amount=3000)
    return out


def applied(jangbu, ledger, given, refused=0):
    subprocess.run([jangbu, "init", ledger], check=True, stdout=subprocess.DEVNULL)
    lines = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in given)
    done = subprocess.run([jangbu, "apply", ledger, "-", "--clock=at"], input=lines, text=True, capture_output=True)
    bad = [line for line in done.stdout.splitlines() if '"ok":true' not in line]
    assert len(bad) == refused and done.returncode == (1 if refused else 0), (bad[:3], done.returncode, done.stderr)
    return ledger


def make(jangbu, directory):
    return applied(jangbu, os.path.join(directory, "ledger"), commands())


MOST = 999999999999999  # the largest amount
REFUSED = 1200


def large():
    """A day whose totals are wider than an amount; then a refusal or more, and behind them more events than one look sees."""
    early = datetime.datetime.combine(TODAY, datetime.time(0, 0, 1), KST).isoformat()
    yield {"op": "wallet.create", "wallet": "W", "kind": "PERSONAL", "name": "W", "at": at(2)}
    for i in range(9500):
        yield {"op": "charge", "wallet": "W", "charge": f"C{i}", "amount": MOST, "at": at(2)}
        yield {"op": "consume", "wallet": "W", "usage": f"U{i}", "amount": MOST, "at": at(2)}
    yield {"op": "charge", "wallet": "W", "charge": "now", "amount": 60000, "at": early}
    for i in range(REFUSED):
        yield {"op": "consume", "wallet": "W", "usage": f"R{i}", "amount": MOST, "key": f"R{i}", "at": early}
    for i in range(51000):
        yield {"op": "consume", "wallet": "W", "usage": f"N{i}", "amount": 1, "at": early}


def token_for(jangbud, tokens, name, *flags):
    made = subprocess.run([jangbud, "token", "new", name, "--tokens", tokens, *flags], check=True, capture_output=True, text=True)
    return made.stdout.strip()


# ---- what is tried ----


def escaped(page, path):
    scripts = [attrs for tag, attrs in page.tags if tag == "script"]
    assert all(set(a) == {"src", "defer"} for a in scripts), (path, scripts)
    assert not any(tag in ("i", "b") for tag, _ in page.tags), (path, "markup of somebody else's")
    assert not any(name.startswith("on") or name == "style" for _, attrs in page.tags for name in attrs), path


def cards(page, path):
    """On a telephone a row of many columns is a card."""
    for kind, head in re.findall(r'<table class="([^"]*)">.*?<thead>(.*?)</thead>', page.text, re.S):
        assert head.count("<th ") <= 3 or kind in ("list wide", "sum"), (path, kind, head)


def every_state(served, token):
    for wallet in ("never", "debt", "susp", "off", "gone", "many", "post", "plant"):
        for lang in ("ko", "en"):
            browser = signed_in(served, token, wallet=wallet, actor="h", lang=lang)
            for path in HOLDER:
                page = browser.page(path)
                assert page.lang == lang, (path, page.lang)
                escaped(page, path)
                cards(page, path)
    browser = signed_in(served, token, operator=True, actor="op")
    for path in OPERATOR + [f"/o/wallets/{w}" for w in ("never", "debt", "susp", "off", "gone", "many", "post", "plant")]:
        for lang in ("ko", "en"):
            page = browser.page(path + ("&" if "?" in path else "?") + "lang=" + lang)
            escaped(page, path)
            cards(page, path)
    seen = browser.page("/o/wallets/plant")
    assert "&lt;script&gt;x()&lt;/script&gt;" in seen.text and "&lt;i&gt;C1" in seen.text


def lines_add_up(served, token):
    for wallet in ("many", "debt", "plant", "post"):
        page = signed_in(served, token, wallet=wallet, actor="h").page("/w/status")
        table = page.rows[1:]  # behind its head
        end = next(i for i, r in enumerate(table) if i > 0 and sum(r[0] for r in table[:i]) == r[0])
        asked = served.ask("GET", f"/v1/wallets/{wallet}", token=token).json
        assert table[end] == [asked["total"]], (wallet, table[: end + 1], asked)


def days_are_named(served, token):
    """The last closed day, which is not yesterday here; and from when on which months can be invoiced."""
    browser = signed_in(served, token, wallet="many", actor="h", lang="en")
    through = served.get("/v1/wallets/many/explain", token=token).json["through"]
    assert through < str(TODAY - datetime.timedelta(days=1)), "yesterday is closed"
    assert f"whole days, through {through}. Between" in browser.page("/w").text
    assert f"Whole days through {through}, at most" in browser.page("/w/status").text
    conditions = served.get("/v1/wallets/many/can-delete", token=token).json["conditions"]
    left = next(c for c in conditions if c["name"] == "uninvoiced")
    people = browser.page("/w/people").text
    assert f"from {left['from']} on" in people and f"from {left['all_from']} on" in people, left


def commands_are_in_groups(served, token):
    """Each that may be given has one form, under a heading; under the last one what is no other's."""
    page = signed_in(served, token, operator=True, actor="op", lang="en").page("/o/commands")
    groups = {head: re.findall(r'name="op" value="([^"]*)"', body) for head, body in re.findall(r"<h2>([^<]*)</h2>(.*?)</section>", page.text, re.S)}
    given = [form["fields"]["op"] for form in page.forms if "op" in form["fields"]]
    assert sorted(given) == sorted(op for ops in groups.values() for op in ops) and len(set(given)) == len(given) > 40, given
    assert len(groups) == 6 and set(groups["Ledger"]) == {"day.close", "policy.set"}, groups


def history_goes_on(served, token):
    browser, path, rows = signed_in(served, token, wallet="many", actor="h"), "/w/history?kind=use", 0
    while path and rows < 250:
        page = browser.page(path)
        body = [r for r in page.rows if len(r) == 2]
        assert len(body) == 50 and all(a[1] - b[1] == a[0] for a, b in zip(body, body[1:])), path
        rows += len(body)
        path = next((a["href"] for t, a in page.tags if t == "a" and a.get("rel") == "next"), None)
    assert path, "2,500 rows end early"


def signing_in(served, token):
    path = ticket(served, token, wallet="plant", actor="h")
    browser = Browser(served)
    assert "Set-Cookie" not in browser.get(path + "&go=1", Sec_Fetch_Site="cross-site").headers, "the first step was left out"
    answer = browser.get(path + "&go=1")
    assert answer.headers["Set-Cookie"] == f"__Host-jangbu={browser.cookie}; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert answer.status == 303 and answer.headers["Location"] == "/w"
    assert Browser(served).get(path).status == 403, "a ticket worked twice"
    assert Browser(served).page("/w", 403) and Browser(served).get("/o").status == 303
    assert browser.get("/o/wallets").status == 303, "a holder saw the operator's page"
    assert browser.get("/w/events/2").status == 404, "a holder saw an event that is not of his wallet"
    out = browser.page("/w").forms[0]
    assert out["action"] == "/sign-out"
    assert browser.post({**out, "fields": {"csrf": "0" * 32}}, 403)
    kept = browser.cookie
    browser.post(out, 200)
    browser.cookie = kept
    assert browser.get("/w").status == 403, "the session lived on"


def accepted(schema, value):
    """Whether the schema, of the keywords that TicketRequest has, accepts the value."""
    if isinstance(schema, bool):
        return schema
    kinds = {"object": dict, "string": str, "integer": int, "boolean": bool}
    if "type" in schema and (not isinstance(value, kinds[schema["type"]]) or (schema["type"] == "integer" and isinstance(value, bool))):
        return False
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        return False
    if len(value if isinstance(value, str) else "") > schema.get("maxLength", 1000) or ("minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]):
        return False
    members = schema.get("properties", {})
    if set(schema.get("required", [])) - set(value if isinstance(value, dict) else []):
        return False
    if schema.get("additionalProperties") is False and set(value) - set(members):
        return False
    if any(not accepted(members[name], value[name]) for name in (value if isinstance(value, dict) else []) if name in members):
        return False
    return sum(accepted(s, value) for s in schema["oneOf"]) == 1 if "oneOf" in schema else True


def tickets_have_a_schema(served, token):
    """What it accepts the daemon accepts, and nothing else."""
    schemas = served.get("/v1/openapi.json", token=token).json["components"]["schemas"]
    values = {"wallet": ["plant", 5, None, "p" * 65], "operator": [True, False, 1], "actor": ["u1", "u" * 65, 7], "ttl": [1, 60, 0, 61, "5", True], "lang": ["ko", "en", "de", 1],
              "more": [1]}
    bodies = [{}, {"wallet": "plant", "operator": True}, {"wallet": "plant", "operator": False}, {"operator": True, "ttl": 5}, {"operator": False}]
    bodies += [{**base, name: value} for base in ({"wallet": "plant"}, {"operator": True}) for name, some in values.items() for value in some]
    for body in bodies:
        answer = served.ask("POST", "/v1/tickets", body, token=token)
        assert answer.status in (200, 400) and accepted(schemas["TicketRequest"], body) == (answer.status == 200), (body, answer)
        assert answer.status != 200 or accepted(schemas["Ticket"], answer.json), answer


def tickets_are_for_some(served, narrow, token):
    assert served.ask("POST", "/v1/tickets", {"wallet": "nope"}, token=token).status == 404
    assert served.ask("POST", "/v1/tickets", {"wallet": "plant", "ttl": 61}, token=token).status == 400
    assert served.ask("POST", "/v1/tickets", {"wallet": "plant", "more": 1}, token=token).status == 400
    assert served.ask("POST", "/v1/tickets", {"wallet": "plant"}, token="jbt_no").status == 401
    for members in ({"actor": "h"}, {}, {"operator": False}, {"wallet": "plant", "operator": True}, {"wallet": None}, {"operator": 1}):
        answer = served.ask("POST", "/v1/tickets", members, token=token)
        assert answer.status == 400, ("a wallet that was forgotten is no operator", members, answer)
    assert ticket(served, token, operator=True).startswith("/o?") and ticket(served, token, wallet="plant", operator=False).startswith("/w?")
    # The page shows what all queries say: who may ask some of them opens none of it.
    for members in ({"operator": True}, {"wallet": "plant"}):
        answer = served.ask("POST", "/v1/tickets", members, token=narrow)
        assert answer.status == 403, (members, answer)
    browser = Browser(served)
    assert browser.post(browser.page("/o/sign-in").forms[0], 401, token=narrow), "it reads one query, and saw all"


def looked_at(served, token):
    """Who looks at an address before its owner comes does not use it up."""
    path = ticket(served, token, wallet="plant", actor="h")
    for _ in range(2):
        answer = served.ask("HEAD", path, token=token)
        assert answer.status < 300 and "Set-Cookie" not in answer.headers, answer
        assert served.ask("HEAD", path + "&go=1").status < 300
    for header in ({"Sec_Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}):
        assert "Set-Cookie" not in Browser(served).get(path + "&go=1", **header).headers
    Browser(served).get(path)  # a scanner that follows no page
    plain = Browser(served).get(path, Accept="*/*")  # curl: where to go on is its last line
    assert plain.status == 200 and plain.headers["Content-Type"].startswith("text/plain") and "Set-Cookie" not in plain.headers, plain
    assert plain.body.decode().splitlines()[-1] == path.replace("?", "?go=1&"), plain
    assert entered(Browser(served), path, 303), "it was used up by who only looked"


def somebody_is_here(served, token):
    """An address with a ticket takes nobody's session from him, unless he says so; a session that another follows ends."""
    browser = signed_in(served, token, wallet="plant", actor="h", lang="en")
    before = browser.cookie
    for members in ({"wallet": "never", "actor": "h"}, {"wallet": "plant", "actor": "x"}, {"operator": True, "actor": "h"}):
        path = ticket(served, token, **members)
        asked = entered(browser, path, 200)
        assert browser.cookie == before and "50,000" in browser.page("/w").text, "another's address changed who is signed in"
        form = next(f for f in asked.forms if f["action"] == "/enter")
        assert browser.post(form, 403, csrf="0" * 32) and browser.post(form, 403, origin="http://evil.example")
        browser.page("/w")
    browser.post(form, 303)
    assert browser.cookie != before and browser.get("/o").status == 200
    gone = Browser(served)
    gone.cookie = before
    assert gone.get("/w").status == 403, "the former session lives on"
    assert browser.post(form, 403), "a ticket worked twice"
    # Who comes again is let in without a question; his former session, and that of who pastes a token, ends.
    again = signed_in(served, token, wallet="plant", actor="h")
    for _ in range(2):
        gone.cookie = again.cookie
        entered(again, ticket(served, token, wallet="plant", actor="h"), 303)
        assert gone.get("/w").status == 403 and again.page("/w")
    gone.cookie = again.cookie
    again.post(again.page("/o/sign-in").forms[-1], 303, token=token)
    assert gone.get("/w").status == 403 and again.page("/o")


def operators_paste_a_token(served, token, reader):
    browser = Browser(served)
    form = browser.page("/o/sign-in").forms[0]
    assert browser.post(form, 401, token="jbt_nothing")
    assert browser.post(form, 401, token=reader), "a token without the scope page opened it"
    assert browser.post(form, 403, token=token, origin="http://evil.example")
    browser.post(form, 303, token=token, actor="op-1")
    browser.page("/o")


def forms_are_of_their_session(served, token):
    one, two = (signed_in(served, token, wallet="plant", actor="h") for _ in range(2))
    use = one.page("/w/free").form("free.activate", grant="G2")
    assert one.post(use, 403, csrf="0" * 32) and one.post(use, 403, origin="http://evil.example") and one.post(use, 403, origin="null")
    assert two.post(use, 403), "a form of another session was taken"
    other = {"action": "/w/do", "fields": {**use["fields"], "op": "charge", "amount": "1", "charge": "X"}}
    assert one.post(other, 403), "a holder charged"
    theirs = {"action": "/w/do", "fields": {**use["fields"], "wallet": "many"}}
    assert one.post(theirs, 403), "a holder did something to another wallet"
    assert one.send("POST", "/w/do", "{}", {"Content_Type": "application/json"}).status == 415


def words_of_people(served, token):
    """In Korean each choice is Korean, but for the names of policies; what is in the way of a deletion has its name; an event's JSON is JSON."""
    operator = signed_in(served, token, operator=True, actor="op", lang="ko")
    chosen = re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', operator.page("/o/commands").text, re.S)
    for name, options in chosen:
        said = [html.unescape(text) for text in re.findall(r"<option[^>]*>([^<]+)</option>", options)]
        assert said and (name == "policy" or all(re.search("[가-힣]", text) for text in said)), (name, said)
    assert {"role", "settlement", "why", "result", "channel_kind", "method", "origin", "kind"} <= {name for name, _ in chosen}, chosen
    for command in ({"op": "wallet.create", "wallet": "sold", "kind": "BUSINESS", "name": "sold", "master": "h"}, {"op": "sales.request", "wallet": "sold", "agency": "adplus"},
                    {"op": "sales.accept", "wallet": "sold", "agency": "adplus"}):
        given = served.post({**command, "key": "sold-" + command["op"]}, token=token)
        assert given.status == 200, given
    row = next(r for r in re.findall(r"<tr>.*?</tr>", signed_in(served, token, wallet="sold", actor="h", lang="ko").page("/w/people").text, re.S) if "영업권 해제" in r)
    assert "adplus" in row and f"/events/{given.json['seq']}" in row, row
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", operator.page(f"/o/events/{given.json['seq']}").text, re.S)
    assert json.loads(html.unescape(shown.group(1)))["seq"] == given.json["seq"], shown.group(1)


def used_once(served, token):
    """사용하기: looked at, confirmed, pressed twice; one event."""
    browser = signed_in(served, token, wallet="plant", actor="h", lang="ko")
    before = served.ask("GET", "/v1/wallets/plant", token=token).json
    sure, seq = browser.do(browser.page("/w").form("free.activate", grant="<i>G1"))
    again = browser.post(sure, 303)
    assert f"done={seq}" in again.headers["Location"], again
    after = served.ask("GET", "/v1/wallets/plant", token=token).json
    assert after["total"] - before["total"] == 7000 and served.ask("GET", "/v1/ledger/head", token=token).json["seq"] == seq
    assert f"{seq}" in browser.page(again.headers["Location"]).text
    escaped(browser.page(f"/w/events/{seq}"), "event")
    refused = browser.post({"action": "/w/do", "fields": {**sure["fields"], "key": "page-other"}}, 422)
    taken = browser.page("/w").form("free.activate", grant="G2")
    browser.post(taken, 303, key="order-1", step="do")
    keys = [e["key"] for e in served.ask("GET", "/v1/events?types=free_activated", token=token).json["rows"]]
    assert len(keys) == 2 and all(k.startswith("page-") for k in keys), "a holder took a key of the service's"
    assert "GRANT_STATE" in refused.body.decode()


def pressed_at_once(served, browser, form, **change):
    """A confirmation that four connections send at the same time: one event. Its number."""
    sure = Page(browser.post(form, 200, **change).body.decode()).form(form["fields"]["op"])
    browsers = [Browser(served) for _ in range(4)]
    for other in browsers:
        other.cookie = browser.cookie
    before = served.ask("GET", "/v1/ledger/head", token=served.reads).json["seq"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = {b.headers["Location"] for b in pool.map(lambda b: b.post(sure, 303), browsers)}
    assert len(done) == 1 and served.ask("GET", "/v1/ledger/head", token=served.reads).json["seq"] == before + 1, done
    return before + 1


def refund_and_delete(served, token):
    holder, operator = signed_in(served, token, wallet="plant", actor="h", lang="en"), signed_in(served, token, operator=True, actor="op")
    seq = pressed_at_once(served, holder, holder.page("/w/refunds").form("refund.request"), amount="2,000")
    refund = served.ask("GET", f"/v1/events/{seq}", token=token).json
    assert refund["amount"] == 2000, refund
    name = refund["refund"]
    operator.do(operator.page("/o/refunds").form("refund.approve", refund=name))
    operator.do(operator.page("/o/refunds").form("refund.complete", refund=name))
    answer = holder.post(holder.page("/w/people").form("wallet.delete"), 422).body.decode()
    assert "DELETE_CONDITIONS" in answer and "Paid cash is 0" in answer and "No agency has the sales right" in answer
    operator.do(operator.page("/o/wallets/plant").form("charge"), amount="1,500")
    operator.do(operator.page("/o/wallets/plant").form("free.grant"), amount="500", expires_on=str(TODAY))
    for amount in ("1,5x", "1,50", "1,5000", ",500", "1500,", "1,,500", "1000,000", "0001,000"):
        assert operator.post(operator.page("/o/wallets/plant").form("charge"), 400, amount=amount)
    consume = operator.page("/o/wallets/plant").form("consume")
    assert operator.post(consume, 400, amount="1", overdraft="1") and operator.post(consume, 200, amount="1", overdraft="false")
    answer = operator.post(consume, 422, amount="9,000,000", overdraft="false").body.decode()
    assert "INSUFFICIENT_CASH" in answer, "false was shown, and true was meant"
    Page(answer)


def charged(served, token, wallet, number, amount):
    answer = served.post({"op": "charge", "wallet": wallet, "charge": number, "amount": amount, "key": number}, token=token)
    assert answer.status == 200, answer


def figure(served, token, wallet, name):
    return served.ask("GET", f"/v1/wallets/{wallet}", token=token).json[name]


def what_was_shown(served, token):
    """What is confirmed is what was shown: another thing is shown anew, the same thing is done though the wallet moved."""
    holder = signed_in(served, token, wallet="moves", actor="h", lang="en")
    charged(served, token, "moves", "M1", 5000)
    # All that can be refunded: 5,000 is shown, and 55,000 are there when it is confirmed.
    sure = Page(holder.post(holder.page("/w/refunds").form("refund.request"), 200).body.decode()).form("refund.request")
    charged(served, token, "moves", "M2", 50000)
    for _ in range(2):
        anew = Page(holder.post(sure, 200).body.decode())
        assert figure(served, token, "moves", "refund_pending") == 0, "more was done than was shown"
    assert "has changed since" in anew.text and "55,000" in anew.text
    again = anew.form("refund.request")
    assert again["fields"]["key"] != sure["fields"]["key"]
    seq = holder.post(again, 303).headers["Location"]
    assert holder.post(again, 303).headers["Location"] == seq
    assert figure(served, token, "moves", "refund_pending") == 55000
    # A charge of 700 stays one of 700, whatever came between: done, once, at whatever press.
    operator = signed_in(served, token, operator=True, actor="op")
    sure = Page(operator.post(operator.page("/o/wallets/moves").form("charge"), 200, amount="700").body.decode()).form("charge")
    before = figure(served, token, "moves", "paid")
    charged(served, token, "moves", "M3", 10)
    browsers = [Browser(served) for _ in range(4)]
    for other in browsers:
        other.cookie = operator.cookie
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = {b.headers["Location"] for b in pool.map(lambda b: b.post(sure, 303), browsers)}
    charged(served, token, "moves", "M4", 10)
    done.add(operator.post(sure, 303).headers["Location"])
    assert len(done) == 1 and figure(served, token, "moves", "paid") == before + 720, done


def not_too_often(served, token):
    """One session is held back where it asks without end, and others are not; its forms are taken all the same."""
    holder, other = (signed_in(served, token, wallet="never", actor="h", lang="en") for _ in range(2))
    rename = holder.page("/w/people").form("wallet.rename")
    seen = [holder.get("/w/questions?").status for _ in range(150)]
    assert set(seen) == {200, 429} and seen.index(429) >= 50, seen
    assert holder.get("/assets/page.css").status == 200 and other.get("/w").status == 200
    assert holder.post(rename, 200, name="새 이름")


def used_keys_are_done(served, token):
    """A form with a key that was used already, as those of what is due have, is no preview of what was done."""
    operator = signed_in(served, token, operator=True, actor="op")
    form = operator.page("/o/wallets/moves").form("charge")
    fields = {"amount": "30", "charge": "K1", "key": "due-charge-1"}
    first = operator.post(form, 303, step="do", **fields)
    looked = operator.post(form, **fields)
    assert looked.status == 303 and looked.headers["Location"] == first.headers["Location"], looked


def one_moment(served, token):
    """All figures of a page are of one moment, while charges come without end."""
    going, number = [True], [0]

    def write():
        connection = served.connection()
        while going[0]:
            number[0] += 1
            command = {"op": "charge", "wallet": "busy", "charge": f"B{number[0]}", "amount": 1 + number[0] % 9, "key": f"B{number[0]}"}
            assert served.post(command, token=token, connection=connection).status == 200

    writer = threading.Thread(target=write)
    writer.start()
    try:
        browser = signed_in(served, token, wallet="busy", actor="h")
        for _ in range(50):
            page = browser.page("/w")
            total = next(int(a["value"]) for t, a in page.tags if t == "data")
            lines, history = [r[0] for r in page.rows if len(r) == 1], [r for r in page.rows if len(r) == 2]
            explained = next(line for i, line in enumerate(lines) if i > 0 and sum(lines[:i]) == line)
            assert not history and total == 0 or history[0][1] == total == explained, ("figures of several moments", total, lines, history[:2])
    finally:
        going[0] = False
        writer.join()
    assert number[0] > 0, number


def workers_are_busy(served, token, browser):
    """While all workers are busy and their queue is full, who has no session is told so at once; who has one is asked to wait, by a page."""
    going = [True]

    def ask():
        connection = served.connection()
        while going[0]:
            assert served.ask("GET", "/v1/totals", token=token, connection=connection).status in (200, 422, 503)

    asking = [threading.Thread(target=ask) for _ in range(6)]
    for thread in asking:
        thread.start()
    try:
        stranger = Browser(served)
        seen = [stranger.get(path).status for _ in range(8) for path in ("/w", "/w/history", "/w/people")]
        assert set(seen) == {403}, ("a stranger had a place in the queue", seen)
        answers = [browser.get("/o/find") for _ in range(8)]
        assert {a.status for a in answers} <= {200, 503} and all(a.headers["Content-Type"].startswith("text/html") for a in answers), answers
    finally:
        going[0] = False
        for thread in asking:
            thread.join()


def refusals_on(page):
    """How many the operator's page says of each code, and whether it says that there may be more."""
    section = page.text[page.text.index("Refused today"):].split("</section>")[0]
    found = re.findall(r"<dt>([A-Z_]+)</dt>\s*<dd><bdi>([\d,]+)", section)
    return collections.Counter({code: int(n.replace(",", "")) for code, n in found}), "At least these" in section


def refused_today(served, token):
    """Of a day that one look sees whole: each refusal that is remembered, by its code."""
    for i in range(7):
        served.post({"op": "charge", "wallet": "nobody" if i < 4 else "many", "charge": "C1", "amount": 10**6, "key": f"no-{i}"}, token=token)
    rows = served.get(f"/v1/events?types=command_refused&limit=1000&since={TODAY}", token=token).json["rows"]
    there = collections.Counter(row["code"] for row in rows)
    seen, cut = refusals_on(signed_in(served, token, operator=True, actor="op").page("/o"))
    assert not cut and seen == there and there["WALLET_UNKNOWN"] == 4 and len(there) > 1, (seen, cut, there)


def much_happened(jangbu, jangbud, directory, tokens, token):
    """The last closed day and the refusals of today are found behind 50,000 events, and no total is left out for its width."""
    os.mkdir(os.path.join(directory, "much"))
    ledger = applied(jangbu, os.path.join(directory, "much", "ledger"), large(), REFUSED)
    with Served(jangbud, ledger, tokens, flags=["--slow-queue", "1"]) as served:
        browser = signed_in(served, token, operator=True, actor="op")
        page = browser.page("/o")
        workers_are_busy(served, token, browser)
    assert "No day is closed yet" not in page.text
    charged = 9500 * MOST
    assert f'<data value="{charged}">{charged:,}</data>' in page.text, "a total is left out"
    seen, cut = refusals_on(page)
    # A slow machine does not come to the end of today in the time that the page has for it: then it says so, and tells no more than there are.
    assert set(seen) <= {"INSUFFICIENT_CASH"} and "Nothing was refused" not in page.text, (seen, page.text)
    assert (0 <= seen["INSUFFICIENT_CASH"] <= REFUSED) if cut else seen["INSUFFICIENT_CASH"] == REFUSED, (seen, cut)


def who_goes_first(jangbud, ledger, tokens, token, second):
    """Where there is no room for a session, one of the token with the most of them goes: whose use lies back furthest, operators last."""
    with Served(jangbud, ledger, tokens, flags=["--page-sessions", "8"]) as served:
        operator, mine = signed_in(served, token, operator=True, actor="op"), signed_in(served, second, wallet="plant", actor="h")
        used, idle = (signed_in(served, token, wallet="plant", actor="h") for _ in range(2))
        used.page("/w")
        for _ in range(20):
            used.page("/w")
            signed_in(served, token, wallet="plant", actor="h")
        assert operator.get("/o").status == 200 and mine.get("/w").status == 200, "one token threw others out"
        assert idle.get("/w").status == 403


def main():
    jangbu, jangbud = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        tokens = os.path.join(directory, "tokens")
        token = token_for(jangbud, tokens, "shop", "--scope", "read,write,people,page")
        reader = token_for(jangbud, tokens, "reader", "--scope", "read")
        second = token_for(jangbud, tokens, "second", "--scope", "read,page")
        narrow = token_for(jangbud, tokens, "narrow", "--scope", "read:balance,write,page")
        with Served(jangbud, make(jangbu, directory), tokens) as served:
            served.reads = token
            every_state(served, token)
            lines_add_up(served, token)
            days_are_named(served, token)
            commands_are_in_groups(served, token)
            history_goes_on(served, token)
            signing_in(served, token)
            tickets_are_for_some(served, narrow, token)
            tickets_have_a_schema(served, token)
            looked_at(served, token)
            somebody_is_here(served, token)
            operators_paste_a_token(served, token, reader)
            forms_are_of_their_session(served, token)
            used_once(served, token)
            refund_and_delete(served, token)
            what_was_shown(served, token)
            used_keys_are_done(served, token)
            words_of_people(served, token)
            refused_today(served, token)
            not_too_often(served, token)
            one_moment(served, token)
            wrote = [e for e in served.log if e.get("op") == "refund.request" and e.get("status") == 303]
            assert wrote and all(e["principal"] == "shop" for e in wrote), "the log does not say who"
            status = served.stop()
            assert status == 0, (status, served.log[-20:])
            who_goes_first(jangbud, served.ledger, tokens, token, second)
        much_happened(jangbu, jangbud, directory, tokens, token)
    print("page: every state, both languages, forms, tickets, totals")


if __name__ == "__main__":
    main()
