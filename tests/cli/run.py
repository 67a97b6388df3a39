#!/usr/bin/python3
"""The program from outside: bad input gets a clear answer and writes nothing, results appear while input is open, tables line up, exit codes hold.

usage: run.py JANGBU"""
import datetime
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from checks import has_terminals  # noqa: E402

JANGBU = None
SANITIZED = False  # a sanitizer takes memory of its own
checks = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {str(detail)[:600]}")


def run(*args, feed=None, **kw):
    if isinstance(feed, str):
        feed = feed.encode()
    out = subprocess.run([JANGBU, *args], input=feed, capture_output=True, **kw)
    out.stdout, out.stderr = out.stdout.decode(errors="replace"), out.stderr.decode(errors="replace")
    return out


def apply(ledger, *lines, args=()):
    """Results of raw lines, bytes or objects."""
    raw = b"".join(line if isinstance(line, bytes) else (json.dumps(line, ensure_ascii=False) + "\n").encode() for line in lines)
    return [json.loads(text) for text in run("apply", ledger, *args, feed=raw).stdout.splitlines()]


def events(ledger):
    return json.loads(run("stat", ledger, "--json").stdout)["events"]


def bad_lines(ledger):
    consume = {"op": "consume", "wallet": "W", "usage": "U", "amount": 1}
    charge = {"op": "charge", "wallet": "W", "charge": "C", "amount": 1000}

    def with_(base, **members):
        return {**base, **members}

    raw = [
        # (name, line, code, a part of the message)
        ("amount 0", with_(consume, amount=0), "AMOUNT_INVALID", "from 1 on"),
        ("amount negative", with_(consume, amount=-5), "AMOUNT_INVALID", "from 1 on"),
        ("amount fractional", b'{"op":"consume","wallet":"W","usage":"U","amount":1.5}\n', "AMOUNT_INVALID", "whole number"),
        ("amount 1.0", b'{"op":"consume","wallet":"W","usage":"U","amount":1.0}\n', "AMOUNT_INVALID", "whole number"),
        ("amount 1e3", b'{"op":"consume","wallet":"W","usage":"U","amount":1e3}\n', "AMOUNT_INVALID", "whole number"),
        ("amount as a text", with_(consume, amount="5"), "AMOUNT_INVALID", "without quotes"),
        ("amount true", with_(consume, amount=True), "AMOUNT_INVALID", "whole number"),
        ("amount null", with_(consume, amount=None), "AMOUNT_INVALID", "whole number"),
        ("amount above the limit", with_(charge, amount=10**15), "AMOUNT_RANGE", "999999999999999"),
        ("amount above 64 bits", with_(charge, amount=10**30), "AMOUNT_RANGE", "999999999999999"),
        ("amount below 64 bits", with_(charge, amount=-(10**30)), "AMOUNT_INVALID", "from 1 on"),
        ("amount above 64 bits behind a good number", {"op": "consume", "expect": 624, "wallet": "W", "usage": "U", "amount": 2**63}, "AMOUNT_RANGE", "999999999999999"),
        ("expect above 64 bits", with_(consume, expect=2**64), "MALFORMED", "below 2^63"),
        ("a value above 64 bits", {"op": "policy.set", "policy": "vat_rate", "value": 2**64}, "MALFORMED", "whole number"),
        ("amount beyond every number", b'{"op":"consume","wallet":"W","usage":"U","amount":1e999}\n', "MALFORMED", "beyond every limit"),
        ("an amount above 64 bits in a field that takes none", {"op": "wallet.off", "wallet": 2**70}, "MALFORMED", "must be a text"),
        ("unknown op", {"op": "chrge"}, "MALFORMED", "do you mean charge?"),
        ("no op", {"wallet": "W"}, "MALFORMED", "no op"),
        ("unknown field", with_(consume, walet="W"), "MALFORMED", "do you mean wallet?"),
        ("a field of another op", with_(consume, charge="C"), "MALFORMED", "takes no charge"),
        ("a missing field", {"op": "consume", "wallet": "W", "amount": 1}, "MALFORMED", "needs usage"),
        ("a key twice", b'{"op":"consume","wallet":"W","wallet":"W","usage":"U","amount":1}\n', "MALFORMED", "duplicate"),
        ("not UTF-8", b'{"op":"consume","wallet":"W\xff","usage":"U","amount":1}\n', "MALFORMED", "UTF-8"),
        ("NUL in a name", b'{"op":"wallet.rename","wallet":"W","name":"a\\u0000b"}\n', "MALFORMED", "NUL"),
        ("a name of 21", {"op": "wallet.rename", "wallet": "W", "name": "가" * 21}, "MALFORMED", "20 characters"),
        ("an empty name", {"op": "wallet.rename", "wallet": "W", "name": ""}, "MALFORMED", "20 characters"),
        ("an id of 65 bytes", with_(consume, usage="u" * 65), "MALFORMED", "64 bytes"),
        ("an id with a space", with_(consume, usage="a b"), "MALFORMED", "white space"),
        ("a note of 501", with_(consume, note="n" * 501), "MALFORMED", "500 characters"),
        ("a day that does not exist", {"op": "day.close", "day": "2026-02-30"}, "MALFORMED", "a day that exists"),
        ("a time without an offset", with_(consume, at="2026-10-01T09:00:00"), "MALFORMED", "offset"),
        ("overdraft as a text", with_(consume, overdraft="yes"), "MALFORMED", "true or false"),
        ("a word that is none", with_(charge, method="CARD"), "MALFORMED", "CREDIT_CARD"),
        ("an actor without an id", with_(consume, actor={"role": "X"}), "MALFORMED", "actor needs an id"),
        ("expect below 0", with_(consume, expect=-1), "MALFORMED", "from 0 on"),
        ("no object", b"[1,2]\n", "MALFORMED", ""),
        ("no JSON", b"consume W 5\n", "MALFORMED", "not JSON"),
        ("cut short", b'{"op":"consume","wallet":"W"\n', "MALFORMED", ""),
        ("two on a line", b'{"op":"wallet.off","wallet":"W"}{"op":"wallet.off","wallet":"W"}\n', "MALFORMED", "not JSON"),
        ("over 64 KiB", with_(consume, note="x" * 66000), "MALFORMED", "at most 65536"),
        ("a group in a group", {"op": "atomic", "commands": [{"op": "atomic", "commands": []}]}, "MALFORMED", "cannot stand in a group"),
        ("an empty group", {"op": "atomic", "commands": []}, "MALFORMED", "at least one"),
        ("a key in a group", {"op": "atomic", "commands": [with_(consume, key="k")]}, "MALFORMED", "no key"),
        ("day.close in a group", {"op": "atomic", "commands": [{"op": "day.close", "day": "2026-01-01"}]}, "MALFORMED", "cannot stand in a group"),
        ("a group of 8,193", {"op": "atomic", "commands": [consume] * 8193}, "BATCH_TOO_LARGE", "8192"),
        ("over 4 MiB", b'{"op":"consume","note":"' + b"x" * (5 << 20) + b'"}\n', "BATCH_TOO_LARGE", "4 MiB"),
        ("white space only", b"  \t \n", "MALFORMED", "white space only"),
        ("a method that only events have", with_(charge, method="UNSPECIFIED"), "MALFORMED", "CREDIT_CARD"),
        ("nested too deep", b'{"op":' + b"[" * 5000 + b"]" * 5000 + b"}\n", "MALFORMED", "deeper"),
        ("a word for a number", {"op": "policy.set", "policy": "vat_rate", "value": "auto"}, "MALFORMED", "whole number"),
        ("a number for a word", {"op": "policy.set", "policy": "day_close", "value": 1}, "MALFORMED", "manual"),
        ("a policy value", {"op": "policy.set", "policy": "vat_rate", "value": 101}, "MALFORMED", "0 to 100"),
    ]
    before = events(ledger)
    got = apply(ledger, *[line for _, line, _, _ in raw], {"op": "wallet.rename", "wallet": "W", "name": "good"})
    check("one result a line", len(got) == len(raw) + 1, len(got))
    for (name, _, code, part), result in zip(raw, got):
        check(name, result["ok"] is False and result["code"] == code and part in result["message"], result)
    check("the line behind them all is done", got[-1]["ok"] and got[-1]["line"] == len(raw) + 1, got[-1])
    check("bad lines wrote nothing", events(ledger) == before + 1, (before, events(ledger)))
    keyed = [with_(consume, amount=0, key="free"), with_(consume, amount=1, key="free", overdraft=True)]
    got = apply(ledger, *keyed)
    check("a malformed line does not take its key", got[0]["ok"] is False and got[1]["ok"] is True and "duplicate" not in got[1], got)


def lines_and_ends(ledger):
    rename = b'{"op":"wallet.rename","wallet":"W","name":"x"}'
    got = apply(ledger, b"\n\n" + rename + b"\r\n" + b"\n" + rename)
    check("empty lines count and are skipped, CRLF and a missing last newline are taken", [r["line"] for r in got] == [3, 5] and all(r["ok"] for r in got), got)
    got = apply(ledger, b"\xef\xbb\xbf" + rename + b"\n")
    check("a byte order mark", got[0]["ok"], got)
    got = apply(ledger, rename + b"\n" + rename[:20])
    check("a last line cut short is one refused result", [r["ok"] for r in got] == [True, False] and got[1]["code"] == "MALFORMED", got)
    p = subprocess.Popen([JANGBU, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for _ in range(3):
        p.stdin.write(rename + b"\n")
        p.stdin.flush()
        check("a result while the input is open", json.loads(p.stdout.readline())["ok"])
    p.stdin.close()
    check("exit 0", p.wait() == 0)


def groups(ledger):
    before = events(ledger)
    lines = b"".join(b'{"op":"consume","wallet":"W","usage":"A%d","amount":1,"overdraft":true}\n' % i for i in range(3))
    out = run("apply", ledger, "--atomic", "--key", "g", feed=lines)
    check("--atomic", out.returncode == 0 and len(json.loads(out.stdout)["results"]) == 3, out.stdout)
    out = run("apply", ledger, "--atomic", "--key", "g", feed=lines)
    check("--atomic again", json.loads(out.stdout)["duplicate"] and len(json.loads(out.stdout)["results"]) == 3, out.stdout)
    out = run("apply", ledger, "--atomic", feed=lines + b'{"op":"wallet.off","wallet":"nope"}\n')
    check("--atomic refused", out.returncode == 1 and json.loads(out.stdout)["index"] == 3 and "command 4 of the group (index 3)" in out.stdout, out.stdout)
    out = run("apply", ledger, feed=b'{"op":"atomic","commands":[{"op":"wallet.off","wallet":"W"},{"op":"chrge"}]}\n')
    check("a bad member", "command 2 of the group (index 1): there is no op" in out.stdout, out.stdout)
    out = run("apply", ledger, "--atomic", feed=lines + b"nonsense\n")
    check("--atomic with a bad line", out.returncode == 1 and "none of the input was done" in out.stdout, out.stdout)
    check("refused groups wrote nothing", events(ledger) == before + 3, events(ledger) - before)
    before = events(ledger)
    out = run("consume", ledger, "W", "D", "5", "--overdraft", "--dry-run", "--json")
    check("a dry run", json.loads(out.stdout)["dry_run"] and "balance" in json.loads(out.stdout) and events(ledger) == before, out.stdout)
    real = json.loads(run("consume", ledger, "W", "D", "5", "--overdraft", "--json").stdout)
    dry = json.loads(out.stdout)
    check("it agrees with the real one", all(dry[k] == real[k] for k in ("ok", "amount", "paid", "debt", "parts")), (dry, real))


def usage(ledger, work):
    rows = [
        (("frobnicate",), 2, "no sub-command"), (("balanc", ledger), 2, "do you mean balance?"), (("balance",), 2, "takes a ledger"),
        (("balance", ledger, "W", "--jsn"), 2, "do you mean --json?"), (("balance", ledger, "W", "--as-of", "soon"), 2, "--as-of takes"),
        (("balance", ledger, "nope"), 1, "nope"), (("history", ledger, "W", "--type", "gifts"), 2, "--type is"), (("history", ledger, "W", "--limit", "0"), 2, "--limit"),
        (("history", ledger, "W", "--cursor", "12-34"), 2, ""), (("cash-status", ledger, "W", "--view", "x"), 2, "--view is"),
        (("cash-status", ledger, "--all", "--day", "2020-01-01"), 1, ""), (("cash-status", ledger, "W", "--from", "soon"), 2, "--from is a day"),
        (("cash-status", ledger, "--all", "--day", "2020-01-01", "--to", "2020-01-01"), 2, "--from and --to"), (("balance", ledger, "W", "--as-of", "99999999"), 1, ""),
        (("balance", work + "/nothing", "W"), 3, "there is no ledger"), (("balance", "W", ledger), 3, "is a ledger: it stands first"), (("export", ledger, "--format", "xml"), 2, "--format is"), (("init", ledger), 1, "already"),
        (("init", work + "/x", "--currency", "won"), 2, "ISO 4217"), (("init", work + "/x", "--offset", "+99:00"), 2, "--offset"),
        (("balance", ledger, "W", "--caller", "me"), 2, "takes no --caller"), (("audit", ledger, "--as-of", "5"), 2, "takes no --as-of"),
        (("export", ledger, "--format", "csv", "--json"), 2, "takes no --json"), (("refund", "aprove", ledger, "W", "R"), 2, "approve, reject, cancel"),
        (("wallet", "frobnicate", ledger, "W"), 2, "settlement; not frobnicate"), (("wallet",), 2, "one more word"), (("stat", *[ledger] * 70), 2, "more than 64 arguments"),
        (("charge", ledger, "W", "C", "1000", "--key", "a", "--key", "b"), 2, "--key is given twice"),
        (("balance", ledger, "W", "--as-of", "1"), 1, "the wallet W did not exist yet at event 1"),
        (("charge", ledger, "W", "C", "99999999999999999999"), 2, "AMOUNT_RANGE"), (("charge", ledger, "W", "C", "1000", "--clock", "2026-01-01T00:00:00Z"), 2, "no option"),
        (("charge", ledger, "W", "C", "1000", "--caller", "me"), 2, "caller is the scope of a key"), (("wallet", "off", ledger, "W", "--caller", "me", "--json"), 2, ""),
        *[((command, __file__, *more), 3, "it is not a directory") for command, more in (("audit", ()), ("balance", ("W",)), ("rebuild", ()), ("stat", ()), ("backup", (work + "/x",)))],
        (("log", ledger, "--from", "99999999"), 1, "there is no event 99999999: the log ends with"),
        (("init", ledger + "/sub"), 2, "inside of the ledger"), (("init", ledger + "/./sub/"), 2, "inside of the ledger"), (("backup", ledger, ledger + "/in"), 2, "inside of the ledger"),
        (("consume", ledger, "W", "U"), 2, "takes 4 arguments, LEDGER WALLET USAGE AMOUNT, not 3"), (("refund", "request", ledger), 2, "LEDGER WALLET REFUND [AMOUNT]"),
        (("grant", ledger, "W", "G", "100"), 2, "jangbu grant needs --expires-on"), (("grant", ledger, "W", "G", "100", "--expires-on", "soon"), 2, "--expires-on must be a day"),
        (("charge", ledger, "W", "C9", "100", "--method", "CARD"), 2, "--method must be one of"), (("grant", "activate", ledger, "W", "G"), 2, "do you mean `jangbu activate LEDGER"),
        (("wallet", "list", ledger), 2, "`jangbu wallets LEDGER`"), (("history", ledger, "W", "--cursor", "x", "--as-of", "5"), 2, "leave --as-of out"),
        (("events", ledger, "--type", "charge"), 2, "do you mean one of these: charge_settled"), (("charge", ledger, "W", "C9", "0"), 2, "above 0;"),
        (("charge", ledger, "W", "C9", "1,000,000,000,000,000"), 2, "at most 999,999,999,999,999;"), (("charge", ledger, "W", "C9", "-5"), 2, "above 0; not -5"),
        (("export", ledger, "--format", "csv", "-o", work + "/no/x"), 1, "cannot make"), (("backup", ledger, work + "/no/x"), 1, "cannot make"), (("init", work + "/no/x"), 1, "cannot make"),
        (("balance", ledger, "W", "--as-of", "2999-01-01"), 1, "Close it, or give a time"), (("consume", ledger, "W", "U", "1.5"), 2, "not 1.5"),
    ]
    for args, code, part in rows:
        out = run(*args)
        said = "--json" in args and out.stdout.startswith("{") or out.stderr.startswith("jangbu: ")
        check(" ".join(args[:1] + args[2:]), out.returncode == code and part in out.stderr and said, (out.returncode, out.stderr))
    check("nothing was made in a ledger", not os.path.exists(ledger + "/sub") and not os.path.exists(ledger + "/in"))
    check("help", run("help").returncode == 0 and "explain" in run("help").stdout)
    for name in re.findall(r"^  ([a-z-]+) ", run("help").stdout, re.M):
        lines = run("help", name).stdout.splitlines() + run("help").stdout.splitlines()
        check(f"help {name} fits a terminal", all(len(line) <= 80 for line in lines), max(lines, key=len))
        check("help " + name, run("help", name).returncode == 0 and name in run(name, "--help").stdout)


def amounts(work):
    """An amount is typed as it is printed; what could be two amounts is refused, and both are named."""
    won, dollar = work + "/won", work + "/dollar"
    for ledger, currency in ((won, "KRW"), (dollar, "USD")):
        run("init", ledger, "--currency", currency)
        run("wallet", "create", ledger, "W", "--kind", "PERSONAL", "--name", "n")
    rows = [
        (won, "50000", 50000), (won, "50,000", 50000), (won, "1,234,567", 1234567), (won, "007", 7), (won, "5,00", None), (won, "50,0000", None),
        (won, "50.00", None), (won, ",500", None), (won, "500,", None), (won, "5 000", None), (won, "", None), (won, "x", None),
        (dollar, "50.00", 5000), (dollar, "1,234.50", 123450), (dollar, "0.05", 5), (dollar, "50", "50.00 or 0.50 USD"),
        (dollar, "1,000", "1,000.00 or 10.00 USD"), (dollar, "50.0", None), (dollar, "50.000", None), (dollar, ".50", None), (dollar, "50.", None),
        (dollar, "0.00", "above 0.00;"), (dollar, "-5.00", "above 0.00; not -5.00"), (dollar, "10,000,000,000,000.00", "at most 9,999,999,999,999.99;"),
        (dollar, "99999999999999999999.00", "at most 9,999,999,999,999.99;"),
    ]
    for n, (ledger, text, want) in enumerate(rows):
        out = run("charge", ledger, "W", f"C{n}", text, "--json")
        if isinstance(want, int):
            check(f"amount {text}", out.returncode == 0 and json.loads(out.stdout)["amount"] == want, (out.stdout, out.stderr))
        else:
            check(f"amount {text}", out.returncode == 2 and (want or "written as it is printed") in out.stderr, (out.returncode, out.stderr))
    printed = run("balance", dollar, "W").stdout
    check("printed amounts can be typed", "1,284.55" in printed and run("consume", dollar, "W", "U", "1,284.55").returncode == 0, printed)
    out = run("policy", "set", dollar, "min_charge", "10")
    check("the minimum charge is an amount", out.returncode == 2 and "10.00 or 0.10" in out.stderr, out.stderr)


def summary(work):
    """apply ends with one sentence on standard error; its results stay alone on standard output."""
    ledger = work + "/summary"
    run("init", ledger)
    lines = b'{"op":"wallet.create","wallet":"W","kind":"PERSONAL","name":"n"}\n{"op":"consume","wallet":"W","usage":"U","amount":5}\n[1]\n'
    out = run("apply", ledger, feed=lines)
    check("a summary", out.returncode == 1 and out.stderr == "jangbu: 1 command done, 2 refused, the first in line 2 (INSUFFICIENT_CASH).\n", out.stderr)
    lines = b'{"op":"wallet.rename","wallet":"W","name":"n","key":"a"}\n{"op":"consume","wallet":"W","usage":"U","amount":5,"key":"b"}\n'
    run("apply", ledger, feed=lines)
    out = run("apply", ledger, feed=lines + b'{"op":"wallet.rename","wallet":"W","name":"m"}\n')
    check("a summary of what was done before", out.returncode == 1
          and out.stderr == "jangbu: 1 command done, 1 done before, 1 refused before, the first in line 2 (INSUFFICIENT_CASH).\n", out.stderr)
    for text, part in ((b"[{}]", "one command a line"), (b"a,b", "a line begins with {"), (b"{", "write it on one line"), (b'{"op":"x",}', "a comma with nothing")):
        message = json.loads(run("apply", ledger, feed=text + b"\n").stdout)["message"]
        check(f"a hint for {text}", part in message, message)


def sentences(work):
    """Tables and sentences say what happened, with its figures, wallet and days."""
    ledger = work + "/sentences"
    run("init", ledger, "--currency", "USD")
    lines = [{"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "n", "clock": "2026-11-20T09:00:00+09:00"},
             {"op": "charge", "wallet": "W", "charge": "C", "amount": 51000, "at": "2026-11-20T10:00:00+09:00"},
             {"op": "consume", "wallet": "W", "usage": "U", "amount": 70000, "key": "k", "at": "2026-11-20T11:00:00+09:00"},
             {"op": "consume", "wallet": "V", "usage": "U", "amount": 70000, "key": "l", "at": "2026-11-20T12:00:00+09:00"}]
    apply(ledger, *lines, args=("--clock=at",))
    rows = run("events", ledger, "--type", "command_refused").stdout.splitlines()
    check("refused in events", "W       n     U   700.00  consume: INSUFFICIENT_CASH, available 510.00" in rows[1] and "V             U   700.00  consume: WALLET_UNKNOWN" in rows[2], rows)
    rows = run("log", ledger).stdout
    check("refused in the log", "W  consume  700.00  U  INSUFFICIENT_CASH  available 510.00" in rows and "V  consume" in rows, rows)
    check("refused with its figure", "available 510.00" in run("refused", ledger, "W").stdout)
    check("refused of none", run("refused", ledger, "W9").returncode == 1 and "there is no wallet W9" in run("refused", ledger, "W9").stderr)
    run("wallet", "create", ledger, "E", "--kind", "PERSONAL", "--name", "n")
    check("an empty list of refusals", "none: only refusals of commands with a key are kept" in run("refused", ledger, "E").stdout)
    for more, words in (["--dry-run"], "would be done"), ([], "done"):
        out = run("policy", "set", ledger, "min_charge", "5.00", *more).stdout
        check(f"policy set {more}", out.startswith(words + ": policy_set min_charge 5.00 from 20"), out)
    check("a policy in the log and in stat", "policy_set            -  min_charge 5.00 from 20" in run("log", ledger).stdout and ["min_charge", "5.00"] in [line.split()[-2:] for line in run("stat", ledger).stdout.splitlines()])
    check("help of min_charge", "min_charge (an AMOUNT" in run("help", "policy").stdout)
    closing = work + "/closing"
    run("init", closing)
    apply(closing, {"op": "policy.set", "policy": "day_close", "value": "manual", "clock": "2026-11-20T08:00:00+09:00"}, lines[0], lines[1], args=("--clock=at",))
    for more, words in (["--dry-run"], "would be done"), ([], "done"):
        out = run("day", "close", closing, "2026-11-24", *more).stdout
        check(f"day close {more}", out.startswith(words + ": day_closed: closed 2026-11-20 to 2026-11-24"), out)
    out = run("day", "close", closing, "2999-01-01").stdout
    check("which day can be closed", re.search("the last one that can be closed now is 2\\d{3}-\\d\\d-\\d\\d", out) is not None, out)
    check("a closed day in the log", "day_closed            -  2026-11-22" in run("log", closing).stdout)


def not_approved(work):
    """An approval that finds the money gone is none, and says so; once more as well."""
    ledger = work + "/unapproved"
    run("init", ledger)
    run("wallet", "create", ledger, "W", "--kind", "PERSONAL", "--name", "n")
    run("charge", ledger, "W", "C", "5000")
    for refund in ("R1", "R2"):
        run("refund", "request", ledger, "W", refund, "1000")
    out = run("refund", "approve", ledger, "W", "R2")
    check("an approval", out.returncode == 0 and out.stdout.startswith("done: refund_approved"), out)
    run("charge", "reverse", ledger, "W", "C", "4000")
    for more, words in (["--dry-run"], "would not be approved: "), (["--key", "k"], "not approved: "), (["--key", "k"], "not approved before: "):
        out = run("refund", "approve", ledger, "W", "R1", *more)
        check(words, out.returncode == 1 and out.stdout.startswith(words) and "done" not in out.stdout, out)
    out = run("refund", "approve", ledger, "W", "R1", "--key", "k", "--json")
    check("not approved, as JSON", out.returncode == 1 and json.loads(out.stdout)["outcome"] == "FAILED", out)


def imports(work):
    """What happened before needs its own clock: who forgets it is told, with a dry run before anything is kept."""
    old = '"at":"2020-03-01T09:00:00+09:00"'
    make = '{"op":"wallet.create","wallet":"W","kind":"PERSONAL","name":"n"%s}\n'
    charge = '{"op":"charge","wallet":"W","charge":"C","amount":5000,%s}\n' % old
    lately = (datetime.datetime.now().astimezone() - datetime.timedelta(days=9)).isoformat()
    for made, lines, code in (("", make % ("," + old), "AT_NOT_ALLOWED"), (make % "", charge, "AT_TOO_OLD"),
                              (make % "", charge.replace(old, f'"at":"{lately}"'), "WALLET_UNKNOWN_THEN")):
        ledger = f"{work}/import-{code}"
        run("init", ledger)
        run("apply", ledger, feed=made)
        for more, keys in (["--dry-run"], False), ([], True), (["--atomic"], True):
            if more == ["--atomic"] and code == "AT_NOT_ALLOWED":
                continue  # no member of a group has such an `at`
            out = run("apply", ledger, *more, feed=lines)
            check(f"an import: {code} {more}", out.returncode == 1 and code in out.stdout and "jangbu apply --clock=at" in out.stderr and ("new keys" in out.stderr) == keys, out)
    ledger = work + "/import"
    run("init", ledger)
    out = run("apply", ledger, "--clock=at", feed=make % ("," + old) + charge)
    check("an import with its clock", out.returncode == 0 and "--clock" not in out.stderr, out)
    out = run("apply", ledger, "--clock=at", feed=charge.replace("2020-03-01", "2019-03-01"))
    check("and no hint where the clock is that of the lines", out.returncode == 1 and "--clock" not in out.stderr, out)


def people(work):
    """Personal texts can be read, and a forgotten one says that it is."""
    ledger = work + "/people"
    run("init", ledger)
    run("wallet", "create", ledger, "W", "--kind", "PERSONAL", "--name", "\u1100\u1161 \ucee4\ud53c", "--master", "kim", "--actor", "lee:OPERATOR", "--note", "first\nnote")
    event = json.loads(run("log", ledger, "--people", "--json").stdout.splitlines()[-1])
    check("people as JSON", event["people"] == {"actor": "lee", "note": "first\nnote", "name": "\uac00 \ucee4\ud53c", "master": "kim"}, event)
    line = run("log", ledger, "--people").stdout.splitlines()[-1]
    check("people on a line", "actor lee" in line and "note first note" in line and "master kim" in line, line)
    row = json.loads(run("history", ledger, "W", "--people", "--json").stdout)["rows"][0]
    check("people in a history", row["people"]["master"] == "kim", row)
    check("not without being asked", "people" not in json.loads(run("log", ledger, "--json").stdout.splitlines()[-1]))
    os.remove(ledger + "/people.mdb")
    os.remove(ledger + "/people.mdb-lock")
    check("forgotten", "name (forgotten, reference 1)" in run("log", ledger, "--people").stdout, run("log", ledger, "--people"))


def on_terminal(*args, columns=80):
    """Lines that a terminal of so many columns is sent."""
    import fcntl
    import pty
    import struct
    import termios
    main_end, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    p = subprocess.Popen([JANGBU, *args], stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    text = b""
    try:
        while chunk := os.read(main_end, 4096):
            text += chunk
    except OSError:
        pass  # the terminal is closed and read to its end
    p.wait()
    return re.sub("\033\\[[0-9]*m", "", text.decode()).split("\r\n")


def narrow(work):
    """On a terminal nothing is wider than it; columns that are all 0, or can be done without, are left out, and said."""
    ledger = work + "/narrow"
    run("init", ledger)
    run("wallet", "create", ledger, "W", "--kind", "PERSONAL", "--name", "n")
    run("charge", ledger, "W", "C", "5,000")
    lines = on_terminal("balance", ledger, "W")
    check("a narrow table", lines[0].startswith("(0 in every row, and left out: ") and max(map(len, lines)) <= 80 and "5,000" in lines[2], lines)
    wide = run("balance", ledger, "W").stdout
    check("lines of the log", max(map(len, on_terminal("log", ledger))) <= 80, on_terminal("log", ledger))
    check("a file has all columns", "left out" not in wide and "in transit" in wide, wide)
    ledger = work + "/narrow2"
    run("init", ledger, "--currency", "EUR", "--offset", "+05:30")
    wallets = ["W1", "wallet-2026-000123", "지갑하나-2026"]
    lines, day = [], 0

    def at(more, **members):
        nonlocal day
        day += 1
        t = f"2026-{9 + day // 25:02}-{1 + day % 25:02}T10:00:00.{day:06}+05:30"
        lines.append({"key": f"k{day}", "clock": t, **({"at": t} if more else {}), **members})

    for w in wallets:
        at(0, op="wallet.create", wallet=w, kind="BUSINESS", name="가나다라마바사아자차카타파하")
        for i in range(2):
            at(1, op="charge", wallet=w, charge=f"3f2504e0-4f89-11d3-9a0c-0305e82c33{i:02}", amount=123456789012, method="CREDIT_CARD_REGULAR")
        at(0, op="free.grant", wallet=w, grant="grant-2026-10-000123", amount=987654, expires_on="2026-12-30", origin="UNSENT_NORMAL")
        at(0, op="free.activate", wallet=w, grant="grant-2026-10-000123")
        at(1, op="consume", wallet=w, usage="usage-2026-10-000001", amount=23456789)
        lines.append({"op": "consume", "wallet": w, "usage": "late", "amount": 77, "at": "2026-09-26T00:00:00+05:30", "clock": lines[-1]["clock"]} if w == wallets[2] else
                     {"op": "consume", "wallet": w, "usage": "u", "amount": 77, "clock": lines[-1]["clock"]})
        at(1, op="consume.reverse", wallet=w, usage="usage-2026-10-000001", amount=23456000)
        at(1, op="charge.reverse", wallet=w, charge="3f2504e0-4f89-11d3-9a0c-0305e82c3300", amount=456)
        at(0, op="refund.request", wallet=w, refund="refund-2026-000001", amount=5555)
        at(0, op="refund.approve", wallet=w, refund="refund-2026-000001")
        at(0, op="consume", wallet=w, usage="too-much", amount=10**14)
    results = apply(ledger, *lines, args=("--clock=at",))
    check("a ledger with everything", [r["ok"] for r in results].count(False) == 3, [r for r in results if not r["ok"]])
    queries = [("balance", "--all"), ("wallets",), ("wallets", "--as-of", "30"), ("events",), ("stat",), ("audit",), ("cash-status", "--all", "--day", "2026-09-20")]
    for w in wallets:
        queries += [("balance", w), ("lots", w), ("grants", w), ("refunds", w), ("cash-status", w), ("cash-status", w, "--view", "known"), ("history", w),
                    ("history", w, "--type", "return"), ("refused", w), ("explain", w), ("explain", w, "--as-of", "2026-10-04T00:00:00Z")]
    for query in queries:
        for columns in (80, 132):
            lines = on_terminal(query[0], ledger, *query[1:], columns=columns)
            check(f"{' '.join(query)} on {columns} columns", len(lines) > 2 and max(map(width, lines)) <= columns, (max(lines, key=width), lines[:4]))
        piped = run(query[0], ledger, *query[1:])
        check(f"{' '.join(query)} in a pipe", piped.returncode == 0 and "left out" not in piped.stdout and not re.search(r"\d:\d\d\.\d{6}", piped.stdout.split("as of event")[0].split("last event")[0]), piped.stdout)
    for words in (("init", "narrow-with-a-long-name"), ("backup", "narrow2", "narrow-with-a-long-name-too"), ("rebuild", "narrow2")):
        lines = on_terminal(words[0], *(f"{work}/{name}" for name in words[1:]))
        check(f"{words[0]} on 80 columns", lines[0] and max(map(width, lines)) <= 80, lines)
    figures = lambda lines: sorted(re.findall(r"-?[\d,]+\.\d\d\b", "\n".join(lines)))
    for query in (("lots", wallets[1]), ("balance", wallets[1])):
        printed, all_of_it = figures(on_terminal(query[0], ledger, *query[1:])), figures(run(query[0], ledger, *query[1:]).stdout.splitlines())
        check(f"no figure but 0 is lost: {query[0]}", [f for f in printed if f != "0.00"] == [f for f in all_of_it if f != "0.00"], (printed, all_of_it))
    rows = json.loads(run("cash-status", ledger, "W1", "--view", "known", "--json").stdout)["rows"]
    known = run("cash-status", ledger, "W1", "--view", "known").stdout
    check("the known view says its last day", f"the last is {rows[-1]['day']}" in known, known)
    some = json.loads(run("cash-status", ledger, "W1", "--from", rows[1]["day"], "--to", rows[2]["day"], "--json").stdout)["rows"]
    check("cash-status from and to", some == rows[1:3] and all(row["day"] in known for row in some), some)
    part = run("cash-status", ledger, "W1", "--from", rows[1]["day"], "--to", rows[2]["day"]).stdout
    check("and in the table", [line[:10] for line in part.splitlines() if line.startswith("2026-")] == [row["day"] for row in some], part)
    header = part.splitlines()[0]
    check("consumed cash is used, not paid out", "used paid" in header and "used free" in header and "paid out" not in header, header)
    still_open = re.search(r"jangbu day close (\S+) (\S+)`", part)
    check("an open day says what closes it", still_open and run("day", "close", *still_open.groups(), "--force").returncode == 0, part)
    check("wallets have names", "가나다라마바사아자차카타파하" in run("wallets", ledger).stdout)
    os.remove(ledger + "/people.mdb")
    os.remove(ledger + "/people.mdb-lock")
    check("and forgotten ones", run("wallets", ledger).stdout.count("(forgotten)") == 3, run("wallets", ledger))


def permanent(work):
    """What never changes is said when a ledger is made; what is most likely a slip gets a warning."""
    rows = [((), ()), (("--currency", "USD", "--exponent", "2"), ()), (("--currency", "XAU", "--exponent", "4"), ()), (("--offset", "+14:00"), ()), (("--offset", "-12:00"), ()),
            (("--currency", "USD", "--exponent", "0"), ("gives USD 2 decimals, and this ledger has 0",)), (("--offset", "+14:01"), ("no time zone",)), (("--offset", "-13:00"), ("no time zone",)),
            (("--exponent", "2", "--offset", "+17:00"), ("gives KRW 0 decimals, and this ledger has 2", "no time zone"))]
    for n, (options, warnings) in enumerate(rows):
        out = run("init", f"{work}/permanent{n}", *options)
        check(f"init {options}", out.returncode == 0 and "can never be changed" in out.stdout and out.stderr.count("warning:") == len(warnings) and all(w in out.stderr for w in warnings), out)


def not_ledgers(ledger, work):
    empty = os.path.join(work, "empty")
    os.mkdir(empty)
    out = run("balance", empty, "W")
    check("an empty directory", out.returncode == 3 and "not a ledger" in out.stderr, out.stderr)
    with open(os.path.join(empty, "log.mdb"), "wb") as f:
        f.write(os.urandom(20000))
    out = run("balance", empty, "W")
    check("random bytes as log.mdb", out.returncode == 3 and "log.mdb" in out.stderr, (out.returncode, out.stderr))
    newer = os.path.join(work, "newer")
    subprocess.run(["cp", "-r", ledger, newer], check=True)
    path = os.path.join(newer, "log.mdb")
    data = bytearray(open(path, "rb").read())
    dump = subprocess.run(["mdb_dump", "-n", path], capture_output=True, text=True).stdout.splitlines()
    first = bytes.fromhex([line for line in dump if line.startswith(" ")][1])
    at = data.find(first)
    while at >= 0:  # the page that is in use, and older copies of it
        data[at + 1] = 2
        at = data.find(first, at + 1)
    open(path, "wb").write(data)
    out = run("balance", newer, "W")
    check("a newer format", out.returncode == 3 and "newer" in out.stderr, out.stderr)
    short = os.path.join(work, "short")
    subprocess.run(["cp", "-r", ledger, short], check=True)
    os.truncate(os.path.join(short, "log.mdb"), 8192)
    out = run("balance", short, "W")
    check("log.mdb cut short", out.returncode == 3 and "cut short" in out.stderr, (out.returncode, out.stderr))
    out = run("audit", short)
    check("the audit says so, too, and what to do", out.returncode == 1 and out.stdout.splitlines()[-1].startswith("what to do: write nothing more to " + short)
          and "restore a backup" in out.stdout, out.stdout)
    older = os.path.join(work, "older")
    run("init", older)
    os.rename(os.path.join(older, "log.mdb"), os.path.join(older, "kept"))
    subprocess.run(["cp", os.path.join(older, "kept"), os.path.join(older, "log.mdb")], check=True)
    run("wallet", "create", older, "W", "--kind", "PERSONAL", "--name", "n")
    os.rename(os.path.join(older, "kept"), os.path.join(older, "log.mdb"))
    accept = f"`jangbu rebuild {older} --accept-rollback`"
    out = run("audit", older)
    check("an older log: the audit says what to do", out.returncode == 1 and accept in out.stdout.splitlines()[-1], out.stdout)
    out = run("balance", older, "W")
    check("an older log: a query says it", accept in out.stderr, out.stderr)
    out = run("wallet", "create", older, "V", "--kind", "PERSONAL", "--name", "n")
    check("an older log: a command says it", out.returncode == 3 and accept in out.stderr, out.stderr)


def outputs(ledger):
    out = subprocess.run(f"'{JANGBU}' log '{ledger}' --json | head -1", shell=True, capture_output=True)
    check("a closed pipe", b"Segmentation" not in out.stderr)
    with open("/dev/full", "w") as full:
        out = subprocess.run([JANGBU, "log", ledger, "--json"], stdout=full, stderr=subprocess.PIPE)
    check("a full standard output", out.returncode == 3 and b"cannot write" in out.stderr, (out.returncode, out.stderr))
    for args in (("balance", ledger, "W"), ("balance", ledger, "--all"), ("cash-status", ledger, "W"), ("history", ledger, "W"), ("explain", ledger, "W"), ("stat", ledger),
                 ("log", ledger), ("audit", ledger)):
        out = run(*args, "--json")
        check("--json of " + args[0], out.returncode == 0 and all(json.loads(line) is not None for line in out.stdout.splitlines()), out.stderr)
        out = run(*args)
        check("no colour into a pipe: " + args[0], "\033" not in out.stdout)
    script = subprocess.run(["script", "-qec", f"'{JANGBU}' balance '{ledger}' W", "/dev/null"], capture_output=True, text=True)
    if script.returncode == 0:
        check("colour on a terminal", "\033[1m" in script.stdout, script.stdout)
        script = subprocess.run(["script", "-qec", f"NO_COLOR=1 '{JANGBU}' balance '{ledger}' W", "/dev/null"], capture_output=True, text=True)
        check("never with NO_COLOR", "\033" not in script.stdout, script.stdout)


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def tables(ledger):
    run("wallet", "create", ledger, "지갑하나", "--kind", "PERSONAL", "--name", "이름")
    run("charge", ledger, "지갑하나", "C1", "1234567")
    lines = run("balance", ledger, "--all").stdout.splitlines()[:-1]
    check("columns line up with Hangul", len({width(line) for line in lines}) == 1, lines)
    check("thousands have separators", any("1,234,567" in line for line in lines), lines)


def named(ledger):
    """What an event has only a number for is shown by the id that the caller gave."""
    lines = [{"op": "wallet.create", "wallet": "N", "kind": "BUSINESS", "name": "이름", "master": "m"}, {"op": "charge", "wallet": "N", "charge": "C", "amount": 9000},
             {"op": "free.grant", "wallet": "N", "grant": "G1", "amount": 100, "expires_on": "2099-01-01"}, {"op": "free.activate", "wallet": "N", "grant": "G1"},
             {"op": "free.grant", "wallet": "N", "grant": "G2", "amount": 100, "expires_on": "2099-01-01"}, {"op": "free.revoke", "wallet": "N", "grant": "G2"},
             {"op": "consume", "wallet": "N", "usage": "U", "amount": 500}, {"op": "consume.reverse", "wallet": "N", "usage": "U", "amount": 500},
             {"op": "charge.reverse", "wallet": "N", "charge": "C", "amount": 1000}, {"op": "refund.request", "wallet": "N", "refund": "R", "amount": 50},
             {"op": "refund.approve", "wallet": "N", "refund": "R"}, {"op": "refund.complete", "wallet": "N", "refund": "R"}, {"op": "wallet.off", "wallet": "N"}]
    check("a wallet with everything", all(r["ok"] for r in apply(ledger, *lines)))
    rows = json.loads(run("history", ledger, "N", "--json").stdout)["rows"]
    ids = [next((row[k] for k in ("charge", "grant", "usage", "refund") if k in row), None) for row in reversed(rows)]
    check("history names charges, grants, usages and refunds", ids == [None, "C", "G1", "G1", "G2", "G2", "U", "U", "C", "R", "R", "R", None], ids)
    check("and its table does", [line.split()[4] for line in run("history", ledger, "N").stdout.splitlines()[2:5]] == ["R", "R", "R"])
    explained = run("explain", ledger, "N").stdout
    check("so does explain", re.search(r"event \d+, R ", explained) and re.search(r"event \d+, G1 ", explained), explained)
    check("explain names causes in words", all(f"  {cause}, 1 event " in explained for cause in ("charged", "charge reversed", "free cash activated", "refunded")) and "_" not in explained, explained)
    check("so does the CSV export", [row.split(",")[3] for row in run("export", ledger, "--format", "csv").stdout.splitlines() if "charge_reversed,N," in row] == ["C"])
    check("so does the log", "charge_reversed       N  1,000  C" in run("log", ledger).stdout)
    check("balance names the wallet", json.loads(run("balance", ledger, "N", "--json").stdout)["name"] == "이름" and "이름" in run("balance", ledger, "N").stdout)


def decimals(work):
    """A currency with decimals has them in tables and sentences; JSON stays in the minor unit."""
    ledger = os.path.join(work, "eur")
    run("init", ledger, "--currency", "EUR", "--offset", "-03:30")
    apply(ledger, {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w"}, {"op": "charge", "wallet": "W", "charge": "C", "amount": 123405})
    refused = apply(ledger, {"op": "consume", "wallet": "W", "usage": "U", "amount": 200000}, {"op": "wallet.delete", "wallet": "W"},
                    {"op": "refund.request", "wallet": "W", "refund": "R", "amount": 123406}, {"op": "charge.reverse", "wallet": "W", "charge": "C", "amount": 123406})
    check("sentences", [part in r["message"] for r, part in zip(refused, ("only 1,234.05 is available", "paid cash is 1,234.05 and", "only 1,234.05 is refundable", "only 1,234.05 of the charge"))]
          == [True] * 4 and refused[0]["available"] == 123405, refused)
    check("tables", "1,234.05" in run("balance", ledger, "W").stdout and "1,234.05" in run("explain", ledger, "W").stdout)
    check("offset", run("balance", ledger, "W").stdout.splitlines()[-1].endswith("-03:30"))


def history(ledger):
    whole = json.loads(run("history", ledger, "W", "--limit", "10000", "--json").stdout)["rows"]
    rows, cursor = [], None
    while True:
        page = json.loads(run("history", ledger, "W", "--limit", "3", "--json", *(["--cursor", cursor] if cursor else [])).stdout)
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            break
        last = cursor
    check("pages make the whole", rows == whole and len(rows) > 5, (len(rows), len(whole)))
    altered = last[:-1] + ("0" if last[-1] != "0" else "1")
    check("an altered cursor", run("history", ledger, "W", "--cursor", altered).returncode == 2)
    check("another wallet's cursor", run("history", ledger, "지갑하나", "--cursor", last).returncode == 2)
    check("the newest running balance is the total", whole[0]["balance"] == json.loads(run("balance", ledger, "W", "--json").stdout)["total"])


def lists(work):
    """Lists in pages: what a wallet has several of, all wallets, events."""
    ledger = os.path.join(work, "lists")
    run("init", ledger)
    apply(ledger, *[{"op": "wallet.create", "wallet": w, "kind": "BUSINESS", "name": "n"} for w in "ABC"],
          *[{"op": "charge", "wallet": "A", "charge": f"c{i}", "amount": 1000 + i, "method": "ADMIN_CASH"} for i in range(5)],
          {"op": "free.grant", "wallet": "A", "grant": "g1", "amount": 70, "expires_on": "2099-01-01"},
          {"op": "free.grant", "wallet": "A", "grant": "g2", "amount": 30, "expires_on": "2099-01-02"}, {"op": "free.activate", "wallet": "A", "grant": "g1"},
          {"op": "consume", "wallet": "A", "usage": "u", "amount": 2100}, {"op": "refund.request", "wallet": "A", "refund": "r1", "amount": 100},
          {"op": "refund.request", "wallet": "A", "refund": "r2", "amount": 50}, {"op": "refund.cancel", "wallet": "A", "refund": "r1"})

    def pages(*arguments):
        rows, cursor = [], None
        while True:
            page = json.loads(run(*arguments, "--json", "--limit", "2", *(["--cursor", cursor] if cursor else [])).stdout)
            rows, cursor = rows + page["rows"], page["next"]
            if cursor is None:
                return rows

    rows = pages("wallets", ledger)
    check("wallets", [(r["wallet"], r["paid"], r["free"]) for r in rows] == [("A", 2980, 0), ("B", 0, 0), ("C", 0, 0)], rows)
    check("wallets are those of balance --all", [{k: v for k, v in json.loads(line).items() if k != "as_of"} for line in
                                                 run("balance", ledger, "--all", "--json").stdout.splitlines()] ==
          [{k: v for k, v in r.items() if k not in ("kind", "name_ref", "master_ref", "used_at")} for r in rows], rows)
    rows = pages("lots", ledger, "A")
    check("lots", [(r["charge"], r["left"]) for r in rows] == [("c0", 0), ("c1", 0), ("c2", 973), ("c3", 1003), ("c4", 1004)], rows)
    check("open lots", pages("lots", ledger, "A", "--open") == rows[2:], rows)
    check("lots of a moment", [r["left"] for r in pages("lots", ledger, "A", "--as-of", str(rows[1]["seq"]))] == [1000, 1001])
    rows = pages("grants", ledger, "A")
    check("grants", [(r["grant"], r["state"], r["left"]) for r in rows] == [("g1", "USED_UP", 0), ("g2", "DORMANT", 30)], rows)
    check("open grants", pages("grants", ledger, "A", "--open") == rows[1:], rows)
    rows = pages("refunds", ledger, "A")
    check("refunds", [(r["refund"], r["state"], r["amount"]) for r in rows] == [("r1", "CANCELLED", 100), ("r2", "REQUESTED", 50)], rows)
    check("open refunds", pages("refunds", ledger, "A", "--open") == rows[1:], rows)
    log = [json.loads(line) for line in run("log", ledger, "--json").stdout.splitlines()]
    check("events are those of log", pages("events", ledger) == log and pages("events", ledger, "--newest-first") == log[::-1])
    check("events of a wallet", pages("events", ledger, "--wallet", "A") == [e for e in log if e["wallet"] == "A"])
    check("events of types", pages("events", ledger, "--type", "free_granted,cash_consumed") == [e for e in log if e["type"] in ("free_granted", "cash_consumed")])
    check("events between", pages("events", ledger, "--since", "12", "--until", "14") == log[11:14])
    moment = log[13]["recorded_at"]
    check("events by time", pages("events", ledger, "--until", moment) == [e for e in log if (e["recorded_at"] or "") < moment]
          and pages("events", ledger, "--since", moment) == [e for e in log if (e["recorded_at"] or "") >= moment])
    check("events by day", pages("events", ledger, "--since", moment[:10], "--until", moment[:10]) == [e for e in log if e["recorded_at"]])
    for bad in (["events", ledger, "--type", "charge"], ["events", ledger, "--since", "yesterday"], ["events", ledger, "--since", "0"],
                ["events", ledger, "--limit", "0"], ["lots", ledger], ["wallets", ledger, "A"], ["wallets", ledger, "--cursor", "x"],
                ["grants", ledger, "A", "--open=1"], ["events", ledger, "--people"]):
        check(f"wrong usage: {bad[0]} {bad[2:]}", run(*bad).returncode == 2)
    cursor = json.loads(run("lots", ledger, "A", "--limit", "2", "--json").stdout)["next"]
    for other in (["lots", ledger, "B"], ["lots", ledger, "A", "--open"], ["grants", ledger, "A"], ["wallets", ledger], ["events", ledger, "--wallet", "A"]):
        check(f"a cursor of another list: {other[0]} {other[2:]}", run(*other, "--cursor", cursor).returncode == 2)
    table = run("lots", ledger, "A", "--limit", "2").stdout
    check("a page says how to go on", table.splitlines()[-1].startswith("more: --cursor ") and table.splitlines()[-1].split()[-1] and "c1" in table, table)
    apply(ledger, *[{"op": "consume", "wallet": "A", "usage": f"v{i}", "amount": 10**9, "key": f"v{i}"} for i in range(5)])  # refused

    def printed_pages(*arguments):
        """How many rows each page has for people, whichever their cells are."""
        sizes, cursor = [], None
        while len(sizes) < 100:
            lines = run(*arguments, "--limit", "2", *(["--cursor", cursor] if cursor else [])).stdout.splitlines()
            sizes.append(len([line for line in lines[1:] if not line.startswith(("as of ", "more: "))]))
            if not lines[-1].startswith("more: "):
                return sizes
            cursor = lines[-1].split()[-1]
        return sizes

    for arguments in (["wallets", ledger], ["lots", ledger, "A"], ["charges", ledger, "A"], ["grants", ledger, "A"], ["refunds", ledger, "A"], ["events", ledger],
                      ["history", ledger, "A"], ["history", ledger, "A", "--oldest-first"], ["refused", ledger, "A"], ["find", ledger, "c1"], ["expiring", ledger, "--days", "36500"]):
        whole, sizes = pages(*arguments), printed_pages(*arguments)
        check(f"pages for people: {' '.join(arguments)}", sum(sizes) == len(whole) > 0 and max(sizes) <= 2, (sizes, len(whole)))
    check("an unknown wallet", run("lots", ledger, "nobody").returncode == 1)
    for word, meant in (("charge", "do you mean one of these: charge_settled, charge_reversed?"), ("cash_consumd", "do you mean one of these: cash_consumed?"),
                        ("gift", "docs/format.md, section 3, has them all")):
        out = run("events", ledger, "--type", word)
        check(f"what type {word} may mean", out.returncode == 2 and meant in out.stderr, out.stderr)


def refused(work):
    """A refused command is found by its wallet, also of a wallet that there is not."""
    ledger = os.path.join(work, "refused")
    run("init", ledger)
    run("wallet", "create", ledger, "W", "--kind", "BUSINESS", "--name", "n")
    run("wallet", "create", ledger, "V", "--kind", "BUSINESS", "--name", "n")
    consume = {"op": "consume", "wallet": "W", "usage": "U1", "amount": 70}
    no_refund = {"op": "refund.request", "wallet": "W", "refund": "R1"}
    apply(ledger, {**consume, "key": "a"}, {**consume, "wallet": "nobody", "key": "b"}, {**no_refund, "key": "c"}, consume,
          {"op": "atomic", "commands": [{"op": "wallet.rename", "wallet": "V", "name": "x"}, {**consume, "usage": "U2"}], "key": "d"},
          {"op": "atomic", "commands": [{"op": "wallet.create", "wallet": "new", "kind": "BUSINESS", "name": "n"}, {**consume, "wallet": "new"}], "key": "e"},
          {"op": "policy.set", "policy": "vat_rate", "value": 5, "from": "2020-01-01T00:00:00+09:00", "key": "f"})

    def of(wallet):
        out = run("log", ledger, "--wallet", wallet, "--json")
        return out.returncode, [json.loads(line) for line in out.stdout.splitlines()]

    def what(wallet):
        return [(e["key"], e["op"], e["index"], e["wallet_no"], e["wallet_id"], e["id"], e["amount"]) for e in of(wallet)[1] if e["type"] == "command_refused"]

    check("refused: of a wallet", what("W") == [("a", "consume", None, 1, "W", "U1", 70), ("c", "refund.request", None, 1, "W", "R1", 0),
                                                  ("d", "consume", 1, 1, "W", "U2", 70)], what("W"))
    check("refused: not of another", what("V") == [] and of("V")[0] == 0, what("V"))
    check("refused: of a wallet that there is not", what("nobody") == [("b", "consume", None, 0, "nobody", "U1", 70)], what("nobody"))
    check("refused: of one that the refused group had made", what("new") == [("e", "consume", 1, 0, "new", "U1", 70)], what("new"))
    check("refused: of none", of("never")[0] == 1 and of("never")[1] == [], of("never"))
    out = run("log", ledger, "--wallet", "W")
    check("refused: as a line", "consume  70  U1  INSUFFICIENT_CASH" in out.stdout, out.stdout)
    def listed(wallet, *more):
        out = run("refused", ledger, wallet, "--json", *more)
        found = json.loads(out.stdout)
        return [(e["key"], e["code"]) for e in found["rows"]], found["next"]

    for stored in range(2):  # of the fold, and of the store
        check("refused: the list of a wallet", listed("W") == ([("d", "INSUFFICIENT_CASH"), ("c", "NOTHING_REFUNDABLE"), ("a", "INSUFFICIENT_CASH")], None), listed("W"))
        check("refused: the list of an id without a wallet", listed("nobody") == ([("b", "WALLET_UNKNOWN")], None), listed("nobody"))
        check("refused: an empty list", listed("V") == ([], None) and listed("never") == ([], None), listed("V"))
        (first, next_page), (second, end) = listed("W", "--limit", "2"), listed("W", "--limit", "2", "--cursor", listed("W", "--limit", "2")[1])
        check("refused: in pages", len(first) == 2 and next_page and [k for k, _ in second] == ["a"] and end is None, (first, second))
        run("rebuild", ledger)
    check("refused: found by a wallet that came later", apply(ledger, {"op": "wallet.create", "wallet": "nobody", "kind": "BUSINESS", "name": "n"},
                                                              {**consume, "wallet": "nobody", "key": "z"})[0]["ok"]
          and [k for k, _ in listed("nobody")[0]] == ["z", "b"] and [w[0] for w in what("nobody")] == ["b", "z"], (listed("nobody"), what("nobody")))
    check("refused: the stores are sound", run("audit", ledger).returncode == 0)
    history = run("history", ledger, "W", "--json").stdout
    check("refused: in no history, and no version", "command_refused" not in history and "refused" not in history, history)
    other = [e for e in map(json.loads, run("log", ledger, "--json").stdout.splitlines()) if e.get("key") == "f"][0]
    check("refused: a command without a wallet", (other["wallet_no"], other["wallet_id"], other["id"], other["amount"]) == (0, None, None, 0), other)


def memory(ledger):
    """A stream of 300,000 lines, one of them of 40 MiB, in bounded memory."""
    def lines():
        for i in range(300):
            yield b'{"op":"consume","wallet":"W","usage":"M","amount":1,"overdraft":true}\n' * 1000
            if i == 150:
                yield b'{"op":"consume","note":"' + b"y" * (40 << 20) + b'"}\n'
    p = subprocess.Popen([JANGBU, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    for chunk in lines():
        p.stdin.write(chunk)
    p.stdin.close()
    p.wait()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    check("memory does not grow with the input", peak < 300 * 1024 or SANITIZED, f"{peak} KiB")


def main():
    global JANGBU, SANITIZED
    JANGBU = os.path.abspath(sys.argv[1])
    with open(JANGBU, "rb") as program:
        code = program.read()
    SANITIZED = b"__asan_init" in code or b"__tsan_init" in code
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "l")
        run("init", ledger)
        run("wallet", "create", ledger, "W", "--kind", "BUSINESS", "--name", "first")
        run("charge", ledger, "W", "C0", "1000")
        bad_lines(ledger)
        lines_and_ends(ledger)
        groups(ledger)
        usage(ledger, work)
        not_ledgers(ledger, work)
        tables(ledger)
        named(ledger)
        decimals(work)
        amounts(work)
        summary(work)
        not_approved(work)
        sentences(work)
        imports(work)
        people(work)
        if has_terminals():
            narrow(work)
        else:
            checks["skipped"] += 1
        permanent(work)
        outputs(ledger)
        history(ledger)
        lists(work)
        refused(work)
        memory(ledger)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**checks))
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
