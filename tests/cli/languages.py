#!/usr/bin/python3
"""The program in Korean and English: how the language is chosen, help and an error of every sub-command, refusals, tables, and what is
the same in both.

usage: languages.py JANGBU"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata

JANGBU = None
VOCABULARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/vocabulary.md")
HANGUL = re.compile("[가-힣]")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("LC_") and k != "LANG"}
checks = {"passed": 0, "failed": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {str(detail)[:700]}")


def run(*args, lang=None, feed="", **environment):
    words = [*(["--lang", lang] if lang else []), *args]
    out = subprocess.run([JANGBU, *words], input=feed.encode(), capture_output=True, env={**ENVIRONMENT, **environment}, check=False)
    out.stdout, out.stderr = out.stdout.decode(), out.stderr.decode()
    return out


def is_korean(text):
    return HANGUL.search(text) is not None


def sub_commands():
    return re.findall(r"^  ([a-z-]+)  ", run("help").stdout, re.M)


# ---- how it is chosen ----

def choosing():
    def said(*args, **environment):
        return is_korean(run(*args, **environment).stdout)
    for name, environment, korean in (
            ("nothing", {}, False), ("C", {"LC_ALL": "C"}, False), ("LANG", {"LANG": "ko_KR.UTF-8"}, True), ("ko alone", {"LANG": "ko"}, True),
            ("LC_MESSAGES before LANG", {"LC_MESSAGES": "ko_KR.UTF-8", "LANG": "en_US.UTF-8"}, True),
            ("LC_ALL before both", {"LC_ALL": "en_US.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8", "LANG": "ko_KR.UTF-8"}, False),
            ("what is empty is not set", {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ko_KR.UTF-8"}, True),
            ("another", {"LANG": "ja_JP.UTF-8"}, False), ("LC_TIME", {"LC_TIME": "ko_KR.UTF-8"}, False)):
        check(f"environment: {name}", said("help", **environment) == korean)
    korean = {"LANG": "ko_KR.UTF-8"}
    for words in (["--lang", "en", "help"], ["--lang=en", "help"], ["help", "--lang", "en"], ["help", "--lang=en"], ["help", "balance", "--lang", "en"],
                  ["balance", "--help", "--lang", "en"], ["--lang", "en", "balance", "--help"], ["--lang", "en", "--help"]):
        out = run(*words, **korean)
        check(f"--lang before the environment: {words}", out.returncode == 0 and not is_korean(out.stdout), out)
        check(f"and the other way round: {words}", said(*[w.replace("en", "ko") if w in ("en", "--lang=en") else w for w in words]))
    for words in (["--lang", "de", "help"], ["help", "--lang", "de"], ["stat", "X", "--lang", "ko", "--lang", "ko"], ["--lang", "ko", "stat", "X", "--lang=en"],
                  ["stat", "X", "--lang"], ["--lang", "de", "stat", "X"], ["stat", "--lang", "", "X"]):
        check(f"no language: {words}", run(*words).returncode == 2, run(*words))
    check("a word that looks like one, behind --", run("stat", "--", "--lang").returncode == 3, run("stat", "--", "--lang"))


# ---- help and errors of every sub-command ----

def helping():
    for name in sub_commands():
        english, korean = run("help", name), run("help", name, lang="ko")
        check(f"help {name}", english.returncode == korean.returncode == 0 and not is_korean(english.stdout), english)
        check(f"help {name}: --help is the same", run(name, "--help", lang="ko").stdout == korean.stdout)
        usage = re.compile(r"  jangbu |      \[|      ")
        for line in korean.stdout.splitlines():
            words = [w for w in line.split() if re.fullmatch(r"[a-z]{3,}[,.;]?", w)]
            if not is_korean(line) and not usage.match(line) and len(words) > 3:
                check(f"help {name}: a line in English", False, line)
        for line in english.stdout.splitlines() + korean.stdout.splitlines():
            check(f"help {name}: within 80 columns", width(line) <= 80, line)
    check("the list", len(sub_commands()) > 25 and all(is_korean(line) for line in run("help", lang="ko").stdout.splitlines() if line.startswith("  ")))


def words_of_help(ledger):
    """Whatever word a command or a policy takes is in its help, and in the refusal of another word."""
    table = re.findall(r"^\| (`[a-z_.` ]+`) \|(.*)$", open(VOCABULARY, encoding="utf-8").read(), re.M)
    given = {(op, word) for ops, fields in table for op in re.findall("[a-z_.]+", ops)
             for said in re.findall(r"\w+ \(((?:`[A-Z_]+` ?)+)\)", fields) for word in re.findall("[A-Z_]+", said)}
    policies = list(json.loads(run("stat", ledger, "--json").stdout)["policies"])
    said = run("policy", "set", ledger, "no_such_one", "1").stderr
    check("words and policies", len(given) > 20 and len(policies) > 15, (given, policies))
    for lang in ("en", "ko"):
        for op, word in sorted(given):
            text = run("help", re.split("[._]", op)[0], lang=lang).stdout
            check(f"help of {op}, {lang}: {word}", re.search(rf"\b{word}\b", text, re.A), text)
        text = run("help", "policy", lang=lang).stdout
        for policy in policies:
            check(f"help policy, {lang}: {policy}", re.search(rf"\b{policy}\b", text, re.A), text)
    for policy in policies:
        check(f"no such policy: {policy}", policy in re.findall(r"\w+", said), said)
    check("help ends with its last word", "2: exempt)" in " ".join(run("help", "policy").stdout.split()))


def failing(ledger):
    for name in sub_commands():
        for args in ([name, "--no-such-option"], [name, *["x"] * 9], [name, "/nowhere/at/all"], [name, "/nowhere/at/all", "W1"]):
            english, korean = run(*args), run(*args, lang="ko")
            check(f"{args}: the same exit code", english.returncode == korean.returncode, (english, korean))
            check(f"{args}: in English", not is_korean(english.stderr), english.stderr)
            check(f"{args}: in Korean", korean.stderr == "" or is_korean(korean.stderr), korean.stderr)
            if korean.stderr == "":
                check(f"{args}: an error says something", english.returncode == 0 or is_korean(korean.stdout), korean)
    check("no such sub-command", is_korean(run("balanc", lang="ko").stderr) and is_korean(run("list", lang="ko").stderr) and is_korean(run("xyzzy", lang="ko").stderr))
    for args in (["balance", ledger, "V"], ["history", ledger, "V"], ["lots", ledger, "V"], ["refused", ledger, "V"], ["log", ledger, "--wallet", "V"],
                 ["balance", ledger, "W1", "--as-of", "99999"], ["balance", ledger, "W1", "--as-of", "yesterday"], ["wallets", ledger, "--cursor", "x"],
                 ["cash-status", ledger, "W1", "--as-of", "2999-01-01"], ["cash-status", ledger, "--all", "--day", "2999-01-01"],
                 ["init", ledger], ["backup", ledger, ledger], ["export", ledger, "--format", "csv", "-o", ledger], ["events", ledger, "--type", "charge"],
                 ["apply", ledger, "/nowhere"], ["charge", ledger, "W1", "C9", "1.5"], ["charge", ledger, "W1", "C9", "-5"], ["policy", "set", ledger, "x", "1"]):
        english, korean = run(*args), run(*args, lang="ko")
        check(f"{args}: an error in both", english.returncode == korean.returncode != 0 and not is_korean(english.stderr + english.stdout)
              and is_korean(korean.stderr + korean.stdout), (english, korean))


# ---- refusals ----

COMMANDS = [
    {"op": "wallet.create", "wallet": "W1", "kind": "PERSONAL", "name": "x"}, {"op": "wallet.off", "wallet": "V"}, {"op": "wallet.on", "wallet": "W1"},
    {"op": "wallet.lift", "wallet": "W1"}, {"op": "wallet.delete", "wallet": "W1"}, {"op": "charge.reverse", "wallet": "W1", "charge": "X", "amount": 5},
    {"op": "free.activate", "wallet": "W1", "grant": "X"}, {"op": "refund.approve", "wallet": "W1", "refund": "X"},
    {"op": "consume.reverse", "wallet": "W1", "usage": "X", "amount": 5}, {"op": "charge", "wallet": "W1", "charge": "C1", "amount": 5000},
    {"op": "consume", "wallet": "W1", "usage": "X", "amount": 10**9}, {"op": "refund.request", "wallet": "W1", "refund": "R9", "amount": 10**9},
    {"op": "debt.repay", "wallet": "W1", "amount": 5}, {"op": "charge.reverse", "wallet": "W1", "charge": "C1", "amount": 10**9},
    {"op": "charge", "wallet": "W1", "charge": "C2", "amount": 5, "method": "CREDIT_CARD"}, {"op": "charge", "wallet": "W1", "charge": "C2", "amount": 0},
    {"op": "charge", "wallet": "W1", "charge": "C2", "amount": 10**15}, {"op": "charge", "wallet": "W1", "charge": "C2", "amount": 5, "at": "2999-01-01T00:00:00Z"},
    {"op": "charge", "wallet": "W1", "charge": "C2", "amount": 5, "at": "1999-01-01T00:00:00Z"}, {"op": "wallet.off", "wallet": "W1", "at": "1999-01-01T00:00:00Z"},
    {"op": "free.grant", "wallet": "W1", "grant": "G9", "amount": 5, "expires_on": "1999-01-01"}, {"op": "day.close", "day": "2999-01-01"},
    {"op": "policy.set", "policy": "min_charge", "value": 5, "from": "1999-01-01T00:00:00Z"}, {"op": "wallet.off", "wallet": "W1", "expect": 9999},
    {"op": "wallet.of"}, {"op": "consume"}, {}, {"op": "atomic", "commands": []}, {"op": "atomic", "commands": [{"op": "wallet.off", "wallet": "V"}]},
    {"op": "wallet.rename", "wallet": "W1", "name": "x" * 30}, {"op": "wallet.off", "wallet": "W1", "caller": "x"}, {"op": "wallet.off", "wallet": "W1", "actor": {"id": "a b"}},
]


def refusals(ledger):
    feed = "".join(json.dumps(c) + "\n" for c in COMMANDS) + "[]\n{\n\"x\"\n"
    answers = {}
    for lang in ("en", "ko"):
        out = run("apply", ledger, "--dry-run", lang=lang, feed=feed)
        answers[lang] = [json.loads(line) for line in out.stdout.splitlines()]
        check(f"{lang}: refused", out.returncode == 1 and is_korean(out.stderr) == (lang == "ko"), out.stderr)
    check("each line has its answer", len(answers["en"]) == len(answers["ko"]) == len(COMMANDS) + 3, answers)
    for english, korean in zip(answers["en"], answers["ko"]):
        check("in English", not is_korean(english["message"]), english)
        check("in Korean", is_korean(korean["message"]), korean)
        check("else the same", without_sentences(english) == without_sentences(korean), (english, korean))
    check("a member, and what is wrong with it", any(a["message"].startswith("name: ") for a in answers["ko"]) and
          any(a["message"].startswith("caller: ") for a in answers["ko"]), answers["ko"])
    check("an amount has its unit", any("원입니다" in a["message"] for a in answers["ko"]), answers["ko"])
    check("of many codes", len({a["code"] for a in answers["en"]}) >= 18, {a["code"] for a in answers["en"]})


# ---- what is the same in both ----

SENTENCES = {"message", "text", "not_checked", "notes", "warning"}


def without_sentences(value):
    """And without the clock's times, which are each call's own."""
    if isinstance(value, dict):
        return {k: v["seq"] if k == "as_of" else without_sentences(v) for k, v in value.items() if k not in SENTENCES and k != "now"}
    return [without_sentences(v) for v in value] if isinstance(value, list) else value


def queries(ledger):
    page = ["wallets", ledger], ["lots", ledger, "W1"], ["grants", ledger, "W1"], ["refunds", ledger, "W1"], ["history", ledger, "W1"], ["refused", ledger, "W1"]
    return [*page, ["balance", ledger, "W1"], ["balance", ledger, "--all"], ["cash-status", ledger, "W1"], ["cash-status", ledger, "W1", "--view", "known"],
            ["explain", ledger, "W1"], ["receipts", ledger, "W1"], ["totals", ledger], ["expiring", ledger], ["events", ledger], ["log", ledger], ["stat", ledger], ["audit", ledger]]


def same(ledger):
    for args in queries(ledger):
        english, korean = run(*args, "--json", lang="en"), run(*args, "--json", lang="ko")
        try:
            both = [[without_sentences(json.loads(line)) for line in out.stdout.splitlines()] for out in (english, korean)]
        except json.JSONDecodeError as e:
            both = [e, english.stdout]
        check(f"{args} --json", english.returncode == korean.returncode == 0 and both[0] == both[1], (english, korean))
    for form in ("csv", "jsonl", "hledger", "ledger", "beancount"):
        check(f"export {form}", run("export", ledger, "--format", form, lang="ko").stdout == run("export", ledger, "--format", form, lang="en").stdout)
    check("--version", run("--version", lang="ko").stdout == run("--version").stdout)


# ---- tables ----

def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def gaps(line):
    """The columns at which blanks of at least two stand."""
    columns = "".join(c + "\0" if width(c) == 2 else c for c in line)
    return {m for gap in re.finditer("  +", columns) for m in range(gap.start(), gap.end())}, len(columns)


def tables(ledger):
    for args in queries(ledger):
        english, korean = run(*args, lang="en").stdout.splitlines(), run(*args, lang="ko").stdout.splitlines()
        check(f"{args}: as many lines", len(english) == len(korean), (english, korean))
        if args[0] in ("log", "audit"):
            continue
        check(f"{args}: headers", is_korean(korean[0]) and not is_korean(english[0]), korean)
        rows = [line for line in korean if re.match(r" *[0-9W]|[0-9]{4}-", line) or line is korean[0]]
        if args[0] in ("balance", "lots", "history", "cash-status"):
            check(f"{args}: the last column ends where its header does", (len(rows) > 1 or args[0] == "cash-status") and len({width(r) for r in rows}) == 1, "\n".join(rows))
        common = None
        for row in rows:
            at, n = gaps(row)
            at |= set(range(n, 400))
            common = at if common is None else common & at
        ends = sum(1 for c in common if c + 1 not in common)
        check(f"{args}: columns stay apart", ends >= len(re.findall(r"\S+(?: \S+)*", korean[0])) - 1 or args[0] in ("stat", "explain"), "\n".join(rows))


def filled(directory):
    ledger = os.path.join(directory, "ledger")
    run("init", ledger)
    for args in (["wallet", "create", ledger, "W1", "--kind", "BUSINESS", "--name", "한글 월렛", "--actor", "m:MASTER", "--note", "처음"],
                 ["charge", ledger, "W1", "C1", "1,234,567", "--pg", "toss", "--txn-ref", "T1"], ["grant", ledger, "W1", "G1", "10,000", "--expires-on", "2999-01-01"],
                 ["consume", ledger, "W1", "U1", "20,000"], ["consume", ledger, "W1", "U2", "99,999,999", "--key", "k1"], ["activate", ledger, "W1", "G1"],
                 ["consume", ledger, "W1", "U3", "15,000"], ["consume", "reverse", ledger, "W1", "U1", "5,000"], ["refund", "request", ledger, "W1", "R1", "1,000"],
                 ["refund", "approve", ledger, "W1", "R1"], ["charge", "reverse", ledger, "W1", "C1", "1,000"]):
        english = run(*args, "--dry-run")
        korean = run(*args, lang="ko")
        check(f"{args[:2]}: said in both", not is_korean(english.stdout) and is_korean(korean.stdout) and english.returncode == korean.returncode, (english, korean))
    return ledger


def main():
    global JANGBU
    JANGBU = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        ledger = filled(work)
        choosing()
        helping()
        words_of_help(ledger)
        failing(ledger)
        refusals(ledger)
        same(ledger)
        tables(ledger)
    print(f"{checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
