#!/usr/bin/python3
"""The Python binding: every op and every query is reached and answers with what its types say; random commands give the answers and the
log that the program gives; threads, tasks, forks, kills; what is wrong is said before anything is done.

usage: python.py PROGRAM LIBRARY [PART ...]     JANGBU_SEED=N tries another stream, JANGBU_COMMANDS=N more of it"""
import asyncio
import datetime
import gc
import inspect
import json
import os
import pathlib
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tools/bindings/python/src"), str(ROOT / "tests/bindings"), str(ROOT / "tests/witness")]
import answers  # noqa: E402
import generate  # noqa: E402
import generate_papers  # noqa: E402
import generate_who  # noqa: E402
import jangbu  # noqa: E402
from jangbu import command  # noqa: E402
from jangbu._text import command_lines  # noqa: E402

PROGRAM, LIBRARY = None, None
SEED = int(os.environ.get("JANGBU_SEED", "20261127"))
COMMANDS = int(os.environ.get("JANGBU_COMMANDS", "1500"))
checks = {"passed": 0, "failed": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {str(detail)[:600]}")


def raises(name, kind, words, call, *args, **members):
    """The call raises that, and its sentence has the words."""
    try:
        check(name, False, f"no error, but {call(*args, **members)!r}")
    except Exception as e:
        check(name, isinstance(e, kind) and all(w in str(e) for w in words), repr(e))
        return e
    return None


def program(*args, feed=None):
    return subprocess.run([PROGRAM, *args], input=feed, capture_output=True).stdout.decode()


def new(work, name, **options):
    return jangbu.Ledger.init(os.path.join(work, name), **options)


def with_wallet(work, name, cash=0):
    ledger = new(work, name)
    ledger.wallet_create(wallet="W", kind="BUSINESS", name="커피")
    if cash:
        ledger.charge(wallet="W", charge="first", amount=cash)
    return ledger


# ---- every op, every query, every option

SAMPLE = {"wallet": "W", "kind": "PERSONAL", "name": "n", "charge": "C", "grant": "G", "usage": "U", "refund": "R", "amount": 1000,
          "expires_on": datetime.date(2099, 1, 1), "seq": 1, "policy": "min_charge", "value": 1, "day": datetime.date(2020, 1, 1),
          "person": "kim", "role": "GATEWAY", "channel": "cafe", "search_id": "cafe", "biz": "1112233333", "biz_name": "n",
          "representative": "r", "address": "a", "email": "a@b.kr", "agency": "A", "settlement": "PREPAID", "month": "2020-01",
          "reason": "ENTRY_ERROR", "invoice": 1, "result": "SENT", "why": "OTHER", "commands": [command.wallet_off(wallet="W")]}
ASKED = {"wallet": "W", "channel": "cafe", "actor": "kim", "day": "2020-01-01", "text": "W", "from_day": datetime.date(2020, 1, 1),
         "to_day": "2020-01-01", "month": "2020-01", "question": 1, "invoice": 1, "after": 0}


def every(work):
    ledger = with_wallet(work, "every", 100000)
    forms, asks = ledger.commands(), ledger.queries()
    for op in forms.ops:
        method = getattr(ledger, op.op.replace(".", "_"))
        members = {n: SAMPLE[n] for n in op.required} | ({"person": "lee"} if op.op == "forget" else {}) | ({"usage": "U"} if op.op == "consume.reverse" else {}) | (
            {"wallet": "W"} if op.op.startswith("biz.") else {})
        if op.op == "wallet.create":
            members["wallet"] = "V"
        try:
            done = method(**members)
            found = answers.differences("Done", done._asdict())
            check(f"{op.op}: its types", not found and isinstance(done, jangbu.Done), found)
        except jangbu.Refused as no:
            check(f"{op.op} is well formed", no.code not in ("MALFORMED", "AMOUNT_INVALID", "AMOUNT_RANGE") and not answers.differences("Refusal", no.refusal._asdict()), no)
        except jangbu.Failed as no:
            check(f"{op.op} does not work", op.op == "forget" and no.status == "E_KEY", no)
        parameters = [p.rstrip("_") for p in inspect.signature(method).parameters]
        check(f"{op.op}: its parameters", sorted(parameters) == sorted(op.required + op.optional), parameters)
    for query in asks.queries:
        method = getattr(ledger, query.ask)
        try:
            given = method(**{n: ASKED[n] for n in query.required}, **({"wallet": "W"} if query.ask == "biz" else {}))
            given = given.first() if isinstance(given, jangbu.Pages) else given
            name, rows = (*answers.OF[query.ask], None)[:2]
            found = [f for g in (given if query.answer == "lines" else [given]) for f in answers.differences(name, g._asdict())]
            check(f"{query.ask}: its types", not found and (rows is None or isinstance(given[rows], list)), found)
        except jangbu.Failed as no:
            check(f"{query.ask} is well formed", no.status in ("E_NOTFOUND", "E_NOT_CLOSED"), no)
        parameters = [p.rstrip("_") for p in inspect.signature(method).parameters]
        check(f"{query.ask}: its parameters", sorted(parameters) == sorted(query.required + query.optional), parameters)
    options = asks.options
    for call, want in ((jangbu.Ledger.open, {o.name for o in options.open} - {"init"}), (jangbu.AsyncLedger.open, {o.name for o in options.open} - {"init"}),
                       (jangbu.Ledger.init, ({o.name for o in options.open} | {o.name for o in options.init}) - {"init", "read_only", "accept_rollback"}),
                       (jangbu.Ledger.submit, {o.name for o in options.apply} - {"line"})):
        have = set(inspect.signature(call).parameters) - {"self", "directory", "commands", "readers"}
        check(f"{call.__qualname__}: the options", have == want, have ^ want)
    check("every status has its error", {c.STATUS for c in all_errors(jangbu.Failed)} - {""} == statuses(), statuses())
    ledger.close()


def all_errors(kind):
    return {kind, *(c for k in kind.__subclasses__() for c in all_errors(k))}


def statuses():
    table = (ROOT / "docs/errors.md").read_text(encoding="utf-8").split("<!-- table: statuses -->")[1].split("##")[0]
    return set(re.findall(r"^\|[^|]+\| `JB_(E_\w+)`", table, re.M))


# ---- beside the program

def stream(work, name, options, lines):
    """The lines through the binding: as commands where they are some that it takes, else as text. The answers and the log are the program's."""
    by_program, by_binding = os.path.join(work, name + "-program"), os.path.join(work, name)
    subprocess.run([PROGRAM, "init", by_program, *options], check=True, capture_output=True)
    shutil.copytree(by_program, by_binding)
    if os.path.exists(by_program + ".key"):
        shutil.copyfile(by_program + ".key", by_binding + ".key")
        os.chmod(by_binding + ".key", 0o600)
    want = [json.loads(a) for a in program("apply", by_program, "--clock=at", feed="".join(line + "\n" for line in lines).encode()).splitlines()]
    kinds = {"commands": 0, "texts": 0}
    with jangbu.Ledger(by_binding) as ledger:
        have = through(ledger, lines, kinds)
        again = through(ledger, lines, kinds)
        check(f"{name}: every answer has its types", not (found := types_of(have)), found[:3])
        asked = ask_all(ledger)
        check(f"{name}: every query has its types", not asked, asked[:3])
    for a in [*want, *have, *again]:
        a.pop("line", None)
    check(f"{name}: the program's answers", have == want, [(a, b) for a, b in zip(have, want) if a != b][:1])
    check(f"{name}: most are commands", kinds["commands"] > kinds["texts"], kinds)
    first = {a["key"]: a for a in reversed(have) if "key" in a and "seq" in a and a.get("code") != "KEY_CONFLICT"}
    drop = ("duplicate", "message", "content_checked")
    same = [({k: v for k, v in a.items() if k not in drop}, {k: v for k, v in first[a["key"]].items() if k not in drop})
            for a in again if a.get("key") in first and a.get("duplicate") and a.get("code") != "KEY_CONFLICT"]
    check(f"{name}: retried keys are answered as at first", len(same) > 100 and all(a == b for a, b in same), [p for p in same if p[0] != p[1]][:1])
    program("apply", by_program, "--clock=at", feed="".join(line + "\n" for line in lines).encode())
    check(f"{name}: the program's log", program("log", by_binding, "--json") == program("log", by_program, "--json"))
    check(f"{name}: the audit verifies it", "verified" in program("audit", by_binding))


def once(pairs):
    if len({k for k, _ in pairs}) < len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


def through(ledger, lines, kinds):
    """What each line gets; batches of several sizes."""
    found, batch, rng = [], [], random.Random(SEED)
    size = 1

    def flush():
        if batch:
            found.extend(a._asdict() for a in ledger.submit(batch, clock="at"))
            batch.clear()
    for line in lines:
        try:
            one = json.loads(line, object_pairs_hook=once)
            command_lines([one], None)
            batch.append(one)
            kinds["commands"] += 1
        except (TypeError, ValueError, RecursionError):
            flush()
            found += [json.loads(a) for a in ledger.apply(line, clock="at").splitlines()]
            kinds["texts"] += 1
        if len(batch) >= size:
            flush()
            size = rng.choice([1, 2, 7, 100, 400])
    flush()
    return found


def types_of(found):
    return [f for a in found for f in answers.differences("Done" if a["ok"] else "Refusal", a)]


def ask_all(ledger):
    """Each query of each wallet: what of its answer is not as its types say."""
    bad = []
    wallets = [w.wallet for w in ledger.wallets(limit=100)]
    through_day = ledger.stat().closed_through
    actors = {"actor": "kim", "text": "W1", "day": through_day, "from_day": through_day, "to_day": through_day, "month": "2026-10", "after": 0}
    for query in ledger.queries().queries:
        name = answers.OF[query.ask][0]
        for wallet in wallets[:4] if "wallet" in query.required + query.optional else [None]:
            members = {n: actors.get(n, wallet) for n in query.required if n not in ("question", "invoice", "channel")}
            members |= {"wallet": wallet} if query.ask == "biz" else {}
            ways = [members | {"question": n} for n in range(1, 11)] if query.ask == "answer" else [members]
            ways = [{"invoice": n} for n in range(1, 6)] if query.ask == "invoice" else ways
            ways = [{"channel": c} for c in channels(ledger)] if query.ask == "channel" else ways
            ways += [w | {"people": True} for w in ways] if "people" in query.optional else []
            for way in ways:
                try:
                    given = getattr(ledger, query.ask)(**way)
                except jangbu.Failed as no:
                    bad += [] if no.status in ("E_NOTFOUND", "E_NOT_CLOSED") else [f"{query.ask} {way}: {no}"]
                    continue
                try:
                    given = given.first() if isinstance(given, jangbu.Pages) else given
                except jangbu.Failed as no:
                    bad += [] if no.status == "E_NOTFOUND" else [f"{query.ask} {way}: {no}"]
                    continue
                bad += [f for g in (given if isinstance(given, list) else [given]) for f in answers.differences(name, g._asdict())]
    return bad


def channels(ledger):
    return [e.channel for e in ledger.events(types=["channel_created"]) if "channel" in e][:3]


def streams(work):
    events = generate.init_events(PROGRAM, *generate.INIT_OPTIONS)
    for n in range(max(1, COMMANDS // 1500)):
        stream(work, f"money-{n}", generate.INIT_OPTIONS, list(generate.stream(SEED + n, 1500, events)))
    options = ["--roles=enforce", "--operator", generate_who.OPERATOR]
    papers = generate_papers.PapersGenerator(SEED, "enforce", "all", generate.init_events(PROGRAM, *options))
    stream(work, "papers", options, [papers.next()[0] for _ in range(800)])


# ---- answers as objects

def objects(work):
    ledger = with_wallet(work, "objects", 50000)
    balance = ledger.balance("W")
    check("attributes, items, membership", (balance.total, balance["total"], "total" in balance, balance.get("nothing"), balance.get("total")) ==
          (50000, 50000, True, None, 50000))
    check("objects inside are objects", isinstance(balance.as_of, jangbu.answers.Moment) and balance.as_of.seq == ledger.head().seq and balance["as_of"] is balance.as_of)
    check("as a dict, and back", balance._asdict()["as_of"] == balance.as_of._asdict() and balance == jangbu.answers.Balance(balance._asdict()) and balance == balance._asdict())
    check("pickled", pickle.loads(pickle.dumps(balance)) == balance and type(pickle.loads(pickle.dumps(balance))) is jangbu.answers.Balance)
    raises("a member that is not there", AttributeError, ["has no nothing", "total"], lambda: balance.nothing)
    raises("a member that is changed", AttributeError, [], setattr, balance, "total", 1)
    members = jangbu.answers.Balance({"total": 1, "of_later": {"x": [{"y": 2}]}})
    check("members that are not known", members.of_later.x[0].y == 2 and members.of_later["x"][0].y == 2)
    stat = ledger.stat()
    check("members whose names a dict would take", stat.keys == 0 and isinstance(stat.policies, jangbu.answers.Policies))
    check("members that are words of Python", ledger.totals().from_ == ledger.totals()["from"])
    for i in range(25):
        ledger.consume(wallet="W", usage=f"U{i}", amount=7)
    rows = list(ledger.history("W", limit=4))
    check("rows of all pages", len(rows) == 27 and [r.seq for r in rows] == sorted((r.seq for r in rows), reverse=True) and rows[0].effect == -7)
    pages = list(ledger.history("W", limit=10).pages())
    check("pages", [len(p.rows) for p in pages] == [10, 10, 7] and pages[-1].next is None and all(isinstance(r, jangbu.answers.HistoryRow) for r in pages[0].rows))
    check("once more", len(list(ledger.history("W", as_of=ledger.head().seq, limit=10))) == 27)
    check("the first only", len(ledger.history("W", limit=3).first().rows) == 3)
    log = ledger.log(limit=10000)
    feed, last = [], log[-1].seq
    for event in ledger.follow(after=0):
        feed.append(event)
        if event.seq == last:
            break
    check("the feed", [e.seq for e in feed] == [e.seq for e in log] and feed[-1].balance.total == ledger.balance("W").total and isinstance(feed[-1], jangbu.answers.FeedEvent))
    check("on from a cursor", next(ledger.follow(cursor=feed[-3].cursor)).seq == last - 1 and next(ledger.follow(after=0, wallet="W")).type == "wallet_created")
    raises("a cursor that is none", jangbu.Failed, ["cursor"], ledger.follow, cursor="x")
    check("the log", [e.seq for e in log] == list(range(1, len(log) + 1)) and list(ledger.events()) == log)
    check("a refusal", raises("refused", jangbu.Refused, ["INSUFFICIENT_CASH"], ledger.consume, wallet="W", usage="U", amount=10**9).refusal.available == 50000 - 175)
    done = ledger.submit([command.charge(wallet="W", charge="a", amount=1000), command.charge(wallet="W", charge="a", amount=1000)])
    check("several", [a.ok for a in done] == [True, False] and done[1].code == "ID_EXISTS" and isinstance(done[1], jangbu.Refusal), done)
    check("none", ledger.submit([]) == [] and ledger.submit(iter(())) == [])
    head = ledger.head().seq
    check("a dry run", ledger.submit(command.charge(wallet="W", charge="b", amount=1000), dry_run=True).balance.total == ledger.balance("W").total + 1000 and ledger.head().seq == head)
    group = ledger.atomic(commands=[command.charge(wallet="W", charge="g1", amount=1000), command.consume(wallet="W", usage="g", amount=500)])
    check("a group", [r.amount for r in group.results] == [1000, 500] and all(isinstance(r, jangbu.Done) for r in group.results))
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9)))
    check("times and days", ledger.charge(wallet="W", charge="t", amount=1000, at=now).ok and ledger.balance("W", as_of=datetime.datetime.now(now.tzinfo)).total > 0)
    check("lines in, lines out", [json.loads(a)["code"] for a in ledger.apply('x\n\n{"op":"wallet.off","wallet":"N"}').splitlines()] == ["MALFORMED", "WALLET_UNKNOWN"])
    check("an error is pickled", str(pickle.loads(pickle.dumps(raises("n", jangbu.Failed, [], ledger.balance, "N")))) == "E_NOTFOUND: there is no wallet N")
    ledger.close()


# ---- what is wrong is said before anything is done

def wrong(work):
    ledger = with_wallet(work, "wrong", 50000)
    head = ledger.head().seq
    ok = command.charge(wallet="W", charge="ok", amount=1000)

    def charge(**members):
        return {"op": "charge", "wallet": "W", "charge": "C", "amount": 1000, **members}
    for name, kind, words, bad in (
            ("a float", TypeError, ["amount", "1000.0", "whole"], charge(amount=1000.0)), ("NaN", TypeError, ["amount", "nan"], charge(amount=float("nan"))),
            ("infinity", TypeError, ["amount", "inf"], charge(amount=float("inf"))), ("a truth value for money", TypeError, ["amount", "bool True"], charge(amount=True)),
            ("a text for money", TypeError, ["amount", "str '5'"], charge(amount="5")), ("nothing for money", TypeError, ["amount"], charge(amount=None)),
            ("2^64", ValueError, ["amount", "64 bits"], charge(amount=2**64)), ("a number of 9,000 digits", ValueError, ["amount", "64 bits"], charge(amount=10**9000)),
            ("a surrogate", ValueError, ["charge", "surrogate"], charge(charge="\ud800")), ("NUL", ValueError, ["charge", "NUL"], charge(charge="a\0b")),
            ("bytes", TypeError, ["wallet", "bytes"], charge(wallet=b"W")), ("a number for a text", TypeError, ["wallet", "int 5"], charge(wallet=5)),
            ("a time without an offset", ValueError, ["at", "offset"], charge(at=datetime.datetime(2026, 11, 1))), ("a float in what is not known", TypeError, ["extra.x[1]"], charge(extra={"x": [1, 1.5]})),
            ("an actor that is a text", TypeError, ["actor"], charge(actor="kim")), ("an actor of numbers", TypeError, ["actor.id"], charge(actor={"id": 5})),
            ("a name that is none", TypeError, ["names of members"], {**charge(), 5: 1}), ("a set", TypeError, ["extra"], charge(extra={1})),
            ("what is nested without end", ValueError, ["deep"], charge(extra=endless())), ("a group in itself without end", ValueError, ["deep"], in_itself()), ("no op", TypeError, ["op"], {"wallet": "W"}), ("a member of a group", TypeError, ["commands[1].amount"], command.atomic(commands=[ok, charge(amount=1.5)])),
            ("a group that is none", TypeError, ["commands"], {"op": "atomic", "commands": "x"})):
        raises(name, kind, words, ledger.submit, bad)
        raises(f"{name} behind a good one", kind, [], ledger.submit, [ok, bad])
        raises(f"{name}, in a dry run", kind, words, ledger.submit, bad, dry_run=True)
    raises("no mapping", TypeError, ["mapping"], ledger.submit, [5])
    raises("a text", TypeError, ["mapping"], ledger.submit, "charge")
    raises("nothing", TypeError, [], ledger.submit, None)
    raises("a member that is none", TypeError, ["chrge"], ledger.charge, chrge="C")
    raises("a member missing", TypeError, ["amount"], ledger.charge, wallet="W", charge="C")
    raises("a member misspelt in a mapping", jangbu.Refused, ["MALFORMED", "amount"], ledger.submit, {**charge(), "amonut": 5})
    raises("a question of a float", TypeError, ["limit"], ledger.history, "W", limit=1.5)
    raises("a question of a text for a list", TypeError, ["types"], ledger.events, types="charge_settled")
    raises("a question of a surrogate", ValueError, ["wallet"], ledger.balance, "\udfff")
    raises("a moment without an offset", ValueError, ["as_of"], ledger.balance, "W", as_of=datetime.datetime(2026, 1, 1))
    raises("an option that is none", jangbu.Failed, ["E_USAGE", "lang"], ledger.submit, ok, lang="de")
    raises("a lang that is no text", jangbu.Failed, ["E_USAGE"], ledger.submit, ok, lang=5)
    raises("a caller with a surrogate", ValueError, ["caller"], ledger.submit, ok, caller="\ud800")
    raises("a directory that is none", TypeError, ["directory"], jangbu.Ledger, 5)
    raises("a directory with NUL", ValueError, ["directory"], jangbu.Ledger, "a\0b")
    check("and nothing was done", ledger.head().seq == head)
    raises("an amount that is too large", jangbu.Refused, ["AMOUNT_RANGE"], ledger.submit, charge(amount=10**15))
    ledger.close()
    raises("a closed ledger: a query", jangbu.Closed, ["closed"], ledger.balance, "W")
    raises("a closed ledger: a command", jangbu.Closed, ["closed"], ledger.charge, wallet="W", charge="C", amount=1000)
    raises("a closed ledger: a list", jangbu.Closed, ["closed"], ledger.history, "W")
    raises("a closed ledger: entered", jangbu.Closed, ["closed"], ledger.__enter__)
    ledger.close()
    raises("pickled", TypeError, ["pickled"], pickle.dumps, ledger)
    raises("no ledger", jangbu.errors.NotFound, ["E_NOTFOUND"], jangbu.Ledger, os.path.join(work, "none"))
    raises("a ledger that is there", jangbu.errors.Exists, ["E_EXISTS"], new, work, "wrong")
    with jangbu.Ledger(os.path.join(work, "wrong"), read_only=True) as reader:
        no = raises("written to for reading", jangbu.errors.ReadOnly, ["E_READONLY"], reader.submit, [ok, ok])
        check("no line is done", no.lines_done == 0 and no.answers == [])
    with jangbu.Ledger(os.path.join(work, "wrong"), lang="ko") as korean:
        check("Korean: a refusal", hangul(raises("ko", jangbu.Refused, [], korean.wallet_off, wallet="N")))
        check("Korean: an error", hangul(raises("ko", jangbu.Failed, [], korean.balance, "N")))
        check("Korean: the binding's own", hangul(raises("ko", TypeError, ["amount"], korean.submit, charge(amount=1.5))))
    check("Korean: closed", hangul(raises("ko", jangbu.Closed, [], korean.balance, "N")))
    leaked = new(work, "leaked")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        del leaked
        gc.collect()
    check("one that is forgotten is closed, and said", [w.category for w in said] == [ResourceWarning], said)
    library_wrong(work)


def endless():
    value = []
    value.append(value)
    return value


def in_itself():
    group = {"op": "atomic", "commands": []}
    group["commands"].append(group)
    return group


def hangul(error):
    return error is not None and any("가" <= c <= "힣" for c in str(error))


def library_wrong(work):
    """A library that is missing, or another one, is said with the way to get it."""
    for name, path, words in (("missing", os.path.join(work, "none.so"), ["JANGBU_LIBRARY", "cmake --install"]), ("a directory without it", work, ["JANGBU_LIBRARY"]),
                              ("another library", "libc.so.6", ["no libjangbu-json", "jb_json_open"])):
        out = subprocess.run([sys.executable, "-c", "import jangbu; jangbu.Ledger('x')"], capture_output=True, text=True,
                             env={**os.environ, "JANGBU_LIBRARY": path, "PYTHONPATH": str(ROOT / "tools/bindings/python/src")})
        check(f"the library: {name}", "LibraryNotFound" in out.stderr and all(w in out.stderr for w in words), out.stderr)


# ---- threads, forks, kills, memory

def threads(work):
    ledger = with_wallet(work, "threads")
    seen = []

    def write(number):
        for i in range(20):
            done = ledger.charge(wallet="W", charge=f"{number}-{i}", amount=1000 + i, key=f"{number}-{i}")
            seen.append((done.seq, ledger.balance("W").total >= done.amount))
    all_of = [threading.Thread(target=write, args=(n,)) for n in range(32)]
    for t in all_of:
        t.start()
    for t in all_of:
        t.join()
    check("32 threads", len({s for s, _ in seen}) == 640 and all(ok for _, ok in seen) and ledger.balance("W").total == 32 * sum(range(1000, 1020)))
    got = [[], [], []]
    followers = [threading.Thread(target=lambda seqs: seqs.extend(e.seq for e in ledger.follow(after=0)), args=(seqs,)) for seqs in got]
    for t in followers:
        t.start()
    time.sleep(0.05)
    last = ledger.charge(wallet="W", charge="last", amount=1000).seq
    waiter = threading.Thread(target=lambda: raises("a wait is ended", jangbu.Failed, ["E_USAGE"], ledger.wait, after=last, timeout_us=10**8))
    waiter.start()
    time.sleep(0.05)
    until(lambda: all(seqs and seqs[-1] >= last for seqs in got))
    ledger.close()  # beside all of them
    for t in [*followers, waiter]:
        t.join(120)
    check("close ends who follows and waits", all(not t.is_alive() for t in [*followers, waiter]))
    check("who follows has every event once, in order", got == [list(range(1, last + 1))] * 3, [len(g) for g in got])


def closing(work):
    """Closed while eight threads ask and write: whatever runs comes to its end, and what comes later is told."""
    with_wallet(work, "closing", 50000).close()
    for turn in range(8):
        ledger, ended, rows = jangbu.Ledger(os.path.join(work, "closing")), [], []

        def use(number):
            try:
                for i in range(10**6):
                    if number % 4 == 0:
                        ledger.charge(wallet="W", charge=f"{turn}-{number}-{i}", amount=1000)
                    else:
                        rows.append(len(ledger.history("W", limit=200).first().rows))
            except jangbu.Closed:
                ended.append(number)
        threads_of = [threading.Thread(target=use, args=(n,)) for n in range(8)]
        for t in threads_of:
            t.start()
        time.sleep(0.004 * turn)
        ledger.close()
        for t in threads_of:
            t.join(120)
        check("closed beside eight threads", sorted(ended) == list(range(8)), ended)


def until(true):
    deadline = time.monotonic() + 120
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)


def forks(work):
    ledger = with_wallet(work, "forks", 5000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        good = False
        try:
            ledger.balance("W")
        except jangbu.Forked as e:
            good = "fork" in str(e)
        try:
            ledger.charge(wallet="W", charge="C", amount=1000)
            good = False
        except jangbu.Forked:
            pass
        ledger.close()
        with jangbu.Ledger(ledger.directory) as own:
            good = good and own.balance("W").total == 5000
        os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    check("a forked child is told, and opens its own", status == 0, status)
    check("and its parent goes on", ledger.charge(wallet="W", charge="C", amount=1000).ok)
    ledger.close()


LEAVER = """
import asyncio, sys, threading, jangbu
ledger = jangbu.Ledger(sys.argv[1])
threading.Thread(target=lambda: list(ledger.follow(after=0)), daemon=True).start()
threading.Thread(target=lambda: [ledger.stat() for _ in range(10**6)], daemon=True).start()
async def main():
    other = await jangbu.AsyncLedger.open(sys.argv[1])
    asyncio.create_task(other.balance("W"))
    asyncio.create_task(other.charge(wallet="W", charge="C", amount=1000, key="k"))
    async for event in other.follow(after=0):
        break
    asyncio.create_task(follow(other))
    await asyncio.sleep(0.1)
async def follow(other):
    async for event in other.follow(after=0):
        pass
asyncio.run(main())
print("over")
"""


def leaving(work):
    """A program that closes nothing, with threads inside, ends."""
    with_wallet(work, "leaving").close()
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", LEAVER, os.path.join(work, "leaving")], capture_output=True, text=True, timeout=120,
                             env={**os.environ, "PYTHONPATH": str(ROOT / "tools/bindings/python/src")})
        check("a program that closes nothing ends", (out.returncode, out.stdout, out.stderr) == (0, "over\n", ""), (out.returncode, out.stderr))


WRITER = """
import sys, jangbu
ledger = jangbu.Ledger(sys.argv[1])
for i in range(int(sys.argv[2]), 10**6):
    done = ledger.submit([jangbu.command.charge(wallet="W", charge=f"{i}-{j}", amount=1000, key=f"{i}-{j}") for j in range(3)])
    print(*(f"{a.key}:{a.seq}" for a in done), flush=True)
"""


def kills(work):
    with_wallet(work, "kills").close()
    directory, told = os.path.join(work, "kills"), {}
    for turn in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, directory, str(turn * 10**5)], stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "PYTHONPATH": str(ROOT / "tools/bindings/python/src")})
        lines = [writer.stdout.readline() for _ in range(5 + turn)]
        time.sleep(0.013 * turn)
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().splitlines()
        writer.wait()
        told |= dict(pair.split(":") for line in lines for pair in line.split())
    with jangbu.Ledger(directory) as ledger:
        again = ledger.submit([command.charge(wallet="W", charge=key, amount=1000, key=key) for key in told])
        check("killed: whatever was answered is there, once", len(told) > 60 and all(a.duplicate and a.seq == int(told[a.key]) for a in again), len(told))
    check("killed: the audit verifies it", "verified" in program("audit", directory))


def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def memory(work):
    ledger = with_wallet(work, "memory", 50000)

    def ask(n):
        for i in range(n):
            ledger.head()
            if i % 10 == 0:
                ledger.balance("W")
                try:
                    ledger.balance("N")
                except jangbu.Failed:
                    pass
            if i % 1000 == 0:
                ledger.submit([command.consume(wallet="W", usage="U", amount=10**9) for _ in range(50)])
    ask(5000)
    before = resident()
    ask(100000)
    grown = resident() - before
    check("100,000 questions take no memory", grown < 2 << 20, f"{grown} bytes")
    ledger.close()


# ---- tasks

async def gathered(directory):
    async with jangbu.AsyncLedger.init(directory) as ledger:
        await ledger.wallet_create(wallet="W", kind="BUSINESS", name="w")

        async def write(number):
            return [await ledger.charge(wallet="W", charge=f"{number}-{i}", amount=1000, key=f"{number}-{i}") for i in range(20)]
        before = ledger._submitter.calls
        done = [d for some in await asyncio.gather(*(write(n) for n in range(64))) for d in some]
        calls = ledger._submitter.calls - before
        check("64 tasks share commits", len({d.seq for d in done}) == 1280 and calls < 320, calls)
        check("and each has its own answer", all(d.key in (f"{n // 20}-{n % 20}",) for n, d in enumerate(done)))
        lists = [[command.charge(wallet="W", charge=f"l{n}-{i}", amount=1000, key=f"l{n}-{i}") for i in range(n % 5)] for n in range(40)]
        listed = await asyncio.gather(*(ledger.submit(some) for some in lists))
        check("lists that share commits", [[a.key for a in some] for some in listed] == [[c["key"] for c in some] for some in lists])
        await ledger.submit([command.charge_reverse(wallet="W", charge=c["charge"], amount=1000) for some in lists for c in some])
        check("a question", (await ledger.balance("W")).total == 1280000)
        rows = [row.seq async for row in ledger.history("W", limit=500)]
        pages = [len(page.rows) async for page in ledger.history("W", limit=1000).pages()]
        check("rows and pages", len(rows) == 1441 and pages == [1000, 441] and len((await ledger.history("W", limit=5).first()).rows) == 5, pages)
        mixed = await asyncio.gather(ledger.consume(wallet="W", usage="U", amount=10**9), ledger.submit(command.charge(wallet="W", charge="dry", amount=1000), dry_run=True),
                                     ledger.submit([command.charge(wallet="W", charge="x", amount=1000), command.wallet_off(wallet="N")]), ledger.submit([]),
                                     ledger.submit({"op": "charge", "amount": 1.5}), ledger.submit(command.wallet_off(wallet="N"), lang="de"), return_exceptions=True)
        check("each its own outcome", [type(m) for m in mixed] == [jangbu.Refused, jangbu.Done, list, list, TypeError, jangbu.errors.Usage] and mixed[1].dry_run and
              [a.ok for a in mixed[2]] == [True, False], mixed)
        check("lines", json.loads(await ledger.apply('{"op":"wallet.off","wallet":"N"}'))["code"] == "WALLET_UNKNOWN")
        tasks = [asyncio.create_task(ledger.charge(wallet="W", charge=f"c{i}", amount=1000)) for i in range(50)]
        await asyncio.sleep(0)
        for t in tasks[::2]:
            t.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        check("those that are not cancelled are answered", all(isinstance(e, jangbu.Done) for e in ended[1::2]) and all(isinstance(e, asyncio.CancelledError) for e in ended[::2]))
        seen = [[] for _ in range(20)]
        followers = [asyncio.create_task(follow(ledger, seqs)) for seqs in seen]
        await asyncio.sleep(0.05)
        last = (await ledger.charge(wallet="W", charge="end", amount=1000)).seq
        for _ in range(2000):
            if all(seqs and seqs[-1] >= last for seqs in seen):
                break
            await asyncio.sleep(0.01)
        late = asyncio.gather(*(ledger.charge(wallet="W", charge=f"late{i}", amount=1000) for i in range(30)))
        await asyncio.sleep(0)
    check("what was submitted before the end is answered", all(d.ok for d in await late))
    await asyncio.wait_for(asyncio.gather(*followers), 10)
    check("20 follow with one thread", all(g[:last] == list(range(1, last + 1)) for g in seen), [len(g) for g in seen])
    try:
        await ledger.balance("W")
        check("a closed ledger", False)
    except jangbu.Closed:
        check("a closed ledger", True)
    await ledger.close()
    again = await jangbu.AsyncLedger.open(directory, read_only=True)
    try:
        await asyncio.gather(again.wallet_off(wallet="W"), again.wallet_on(wallet="W"))
        check("written to for reading", False)
    except jangbu.errors.ReadOnly as no:
        check("written to for reading", no.lines_done == 0)
    await again.close()
    return ledger


async def follow(ledger, seqs):
    async for event in ledger.follow(after=0):
        seqs.append(event.seq)


async def faults(directory):
    """A fault stays with the task that has it; who follows is told of one, and may follow on; nobody is cancelled by the end."""
    ledger = await jangbu.AsyncLedger.init(directory, readers=1)
    await ledger.wallet_create(wallet="W", kind="BUSINESS", name="w")
    charge, forget = (lambda name: command.charge(wallet="W", charge=name, amount=1000)), command.forget(person="lee")
    each = await asyncio.gather(*(ledger.submit(c) for c in (charge("f1"), forget, charge("f2"), [charge("f3"), forget, charge("f4")], [charge("f5")])), return_exceptions=True)
    check("a fault stays with the one that has it", [type(e) for e in each[:3]] == [jangbu.Done, type(each[3]), jangbu.Done] and all(each[i].status == "E_KEY" for i in (1, 3)) and
          len(each[3].answers) == 1 and each[4][0].ok, each)
    check("and each is done once", [row.charge async for row in ledger.charges("W")] == ["f1", "f2", "f3", "f5"])

    ask, struck = ledger._handle.ask, []
    for error in (jangbu.errors.failed({"status": "E_IO", "message": "broken"}), MemoryError("none")):
        def failing(query, error=error):
            if b'"wait"' in query and error not in struck:
                struck.append(error)
                time.sleep(0.1)
                raise error
            return ask(query)
        ledger._handle.ask = failing
        ended = await asyncio.wait_for(asyncio.gather(*(follow(ledger, []) for _ in range(3)), return_exceptions=True), 20)
        check("who follows is told what is wrong", all(type(e) is type(error) for e in ended), ended)
        seqs = []
        again = asyncio.create_task(follow(ledger, seqs))
        await asyncio.sleep(0.1)
        last = (await ledger.charge(wallet="W", charge=f"g{len(struck)}", amount=1000)).seq
        for _ in range(500):
            if seqs and seqs[-1] >= last:
                break
            await asyncio.sleep(0.01)
        check("and may follow on", seqs == list(range(1, last + 1)) and not again.done(), seqs[-3:])
        again.cancel()
    asked = [asyncio.create_task(ledger.history("W", limit=200).first()) for _ in range(40)]
    waiting = asyncio.create_task(ledger.wait(after=10**9, timeout_us=30 * 10**6))
    await asyncio.sleep(0)
    began = time.monotonic()
    await ledger.close()
    ended = await asyncio.gather(*asked, waiting, return_exceptions=True)
    check("what was asked before the end is answered", not any(isinstance(e, BaseException) for e in ended[:-1]), ended[:2])
    check("and a wait is ended", isinstance(ended[-1], jangbu.errors.Usage) and time.monotonic() - began < 10, ended[-1])


HANDLER = """
import signal, sys, jangbu
ledger = jangbu.Ledger(sys.argv[1])
def handler(*_):
    if sys.argv[2] == "close":
        ledger.close()
    else:
        ledger.stop_following()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    for event in ledger.follow():
        pass
    print("ended")
except RuntimeError as e:
    print("stop_following" in str(e))
ledger.close()
"""


def handlers(work):
    """A signal's handler closes while its own thread is inside a call."""
    with_wallet(work, "handlers").close()
    for what, said in (("close", "True\n"), ("stop", "ended\n")):
        for _ in range(2):
            out = subprocess.run([sys.executable, "-c", HANDLER, os.path.join(work, "handlers"), what], capture_output=True, text=True, timeout=30,
                                 env={**os.environ, "PYTHONPATH": str(ROOT / "tools/bindings/python/src")})
            check(f"{what} in a handler", (out.returncode, out.stdout) == (0, said), (out.returncode, out.stdout, out.stderr))


def tasks(work):
    asyncio.run(gathered(os.path.join(work, "tasks")))
    asyncio.run(faults(os.path.join(work, "faults")))

    async def other(ledger):
        try:
            await ledger.balance("W")
            check("another loop", False)
        except RuntimeError as e:
            check("another loop", "loop" in str(e), e)
    loop = asyncio.new_event_loop()

    async def made():
        return await jangbu.AsyncLedger.open(os.path.join(work, "tasks"))
    ledger = loop.run_until_complete(made())
    asyncio.run(other(ledger))
    loop.run_until_complete(ledger.close())
    loop.close()


def hints(work):
    """The annotations name things that are there."""
    for kind in (jangbu.Ledger, jangbu.AsyncLedger):
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                check(f"{kind.__name__}.{name} is annotated and described", typing.get_type_hints(method).get("return") is not None and (method.__doc__ or "").strip(), name)


PARTS = [every, streams, objects, wrong, threads, closing, forks, leaving, kills, memory, tasks, handlers, hints]


def main():
    global PROGRAM, LIBRARY
    PROGRAM, LIBRARY = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    os.environ["JANGBU_LIBRARY"] = LIBRARY
    for part in PARTS:
        if len(sys.argv) > 3 and part.__name__ not in sys.argv[3:]:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="jangbu-bindings-") as work:
            part(work)
        print(f"{part.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    print(f"seed {SEED}: {checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
