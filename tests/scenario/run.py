#!/usr/bin/python3
"""Runs scenario tables: JSON Lines, each a command or a query with what must come out beside it.

usage: run.py JANGBU FILE...       --coverage: also fail when a code of command.h is reached by no line that asserts its sentence

    {"init": ["--currency", "CZK"]}                          first line, optional
    {"#": "a comment"}
    {"at": "2026-10-01T09:00:00+09:00"}                      the clock from here on
    {"do": {...command...}, "expect": {...}}                 members that must be equal; without "expect": it must be ok
    {"do": {...}, "mark": "asked"}                           keeps the answer's seq: {"mark": "asked"} stands for it from there on
    {"ask": "balance W1", "expect": {...}}                   members; "W1" may carry options. Of a list as many, in their order
    {"ask": "cash-status W1", "row": {"day": "...", ...}}    a row with these members must be there
    {"ask": "explain W1", "causes": {"charged": 1000}}       causes by name, "late:" in front of late ones; exactly these
    {"ask": "may W1 --actor jin", "ops": {"charge": true}}   members of `ops`
    {"ask": "can-delete W1", "unmet": {"not_off": "ACTIVE"}} conditions that do not hold, with their figures; exactly these

At the end: the audit verifies, every explanation has rest 0, and every keyed line again gives its first result.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# Codes that no single command can get, and why.
NOT_REACHABLE = {"BATCH_TOO_LARGE": "tests/cli has it", "MALFORMED": "tests/cli has it",
                 "PERSON_HAS_ROLE": "tests/faults/forgetting.py has it", "RETENTION": "of a sealed ledger, as PERSON_HAS_ROLE",
                 "TOO_MANY_PARTS": "tests/unit/test_parts.c has it", "CLOCK_AHEAD": "tests/faults/clocks.py has it"}


# Queries that are of now.
NOW = ("audit", "stat", "who", "may", "roles", "channel", "biz", "can-delete", "due")

# What every remembered refusal says behind its own sentence.
REMEMBERED = ". This key keeps that answer; another try needs a new key"


class Failed(Exception):
    pass


class Ledger:
    def __init__(self, jangbu, where, options):
        self.jangbu, self.dir = jangbu, where
        subprocess.run([jangbu, "init", where, *options], check=True, capture_output=True)
        self.apply = subprocess.Popen([jangbu, "apply", where, "--clock=at"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def do(self, command):
        """Sends one line and waits for its result: it must come while the input is open."""
        self.apply.stdin.write(json.dumps(command, ensure_ascii=False) + "\n")
        self.apply.stdin.flush()
        return json.loads(self.apply.stdout.readline())

    def ask(self, words):
        name, *rest = shlex.split(words)
        if name in ("who", "channel", "biz"):
            rest += ["--people"]
        if "--as-of" not in rest and name not in NOW:
            rest += ["--as-of", str(self.ask("stat")["events"])]
        out = subprocess.run([self.jangbu, name, self.dir, *rest, "--json"], capture_output=True, text=True)
        if not out.stdout:
            return {"error": out.stderr.strip(), "exit": out.returncode}
        return json.loads(out.stdout)


def is_so(value, got):
    """An object has the members that are expected of it, and may have more."""
    if isinstance(value, dict) and isinstance(got, dict):
        return all(is_so(item, got.get(name)) for name, item in value.items())
    if isinstance(value, list) and isinstance(got, list):
        return len(value) == len(got) and all(map(is_so, value, got))
    return got == value


def compare(expected, got, where):
    for member, value in expected.items():
        whole = member in ("conditions", "unmet")
        if got.get(member) != value if whole else not is_so(value, got.get(member)):
            raise Failed(f"{where}: {member} is {json.dumps(got.get(member), ensure_ascii=False)}, expected {json.dumps(value, ensure_ascii=False)}\n  {json.dumps(got, ensure_ascii=False)}")


def speaks(got, where):
    """The sentence of a refusal says what a state means, not its word; and of an actor who has one of the roles, why that was not enough."""
    message = got.get("message", "")
    if got.get("code") in ("PERSON_STATE", "CHANNEL_STATE", "BIZ_STATE", "SALES_STATE") and re.search(rf"\b{got['state']}\b", message):
        raise Failed(f"{where}: the sentence has the word of the state: {message}")
    if got.get("code") == "ROLE" and set(got["have"]) & set(got["who"]) and ", and the actor is" in message:
        raise Failed(f"{where}: the sentence contradicts itself: {message}")


def filled(value, marks):
    """With the numbers in place of their marks."""
    if isinstance(value, dict):
        return marks[value["mark"]] if set(value) == {"mark"} else {name: filled(item, marks) for name, item in value.items()}
    return [filled(item, marks) for item in value] if isinstance(value, list) else value


def ask(ledger, line, where):
    got = ledger.ask(line["ask"])
    if "error" in line:
        if line["error"] not in got.get("error", ""):
            raise Failed(f"{where}: expected an error with {line['error']!r}, got {got}")
        return
    compare(line.get("expect", {}), got, where)
    compare(line.get("ops", {}), got.get("ops", {}), where)
    if "unmet" in line:
        compare({"unmet": line["unmet"]}, {"unmet": {c["name"]: c["figure"] for c in got["conditions"] if not c["ok"]}}, where)
    if "row" in line:
        rows = [r for r in got["rows"] if r["day"] == line["row"]["day"]]
        if not rows:
            raise Failed(f"{where}: no row of {line['row']['day']}")
        compare(line["row"], rows[0], where)
    if "causes" in line:
        have = {("late:" if c["late"] else "") + c["cause"]: c["amount"] for c in got["causes"]}
        if have != line["causes"] or got["rest"] != 0:
            raise Failed(f"{where}: causes {have}, rest {got['rest']}, expected {line['causes']}")


def run_file(jangbu, path, sentences):
    with open(path, encoding="utf-8") as f:
        lines = [(number, json.loads(text)) for number, text in enumerate(f, 1) if text.strip()]
    options = lines[0][1].get("init", ["--invoice-from", "none"])  # those that know invoices say from when on
    kept, clock, wallets, marks = [], None, set(), {}
    with tempfile.TemporaryDirectory() as work:
        ledger = Ledger(jangbu, os.path.join(work, "l"), options)
        for number, line in lines:
            where = f"{os.path.basename(path)}:{number}"
            if "at" in line:
                clock = line["at"]
            elif "do" in line:
                line = {**line, **{name: filled(line[name], marks) for name in ("do", "expect") if name in line}}
                command = dict(line["do"])
                if clock is not None:
                    command.setdefault("clock", clock)
                clock = command.get("clock", clock)
                got = ledger.do(command)
                expected = dict(line.get("expect", {"ok": True}))
                if "message" in expected and "key" in command and got.get("code") not in ("KEY_CONFLICT", "CLOCK_BEHIND", "MALFORMED"):
                    expected["message"] += REMEMBERED
                compare(expected, got, where)
                speaks(got, where)
                if "mark" in line:
                    marks[line["mark"]] = got["seq"]
                if "message" in line.get("expect", {}):
                    sentences.add(got["code"])
                if command["op"] == "wallet.create":
                    wallets.add(command["wallet"])
                if "key" in command and got.get("code") not in ("KEY_CONFLICT", "CLOCK_BEHIND") and "duplicate" not in got:
                    kept.append((command, got, where))
            elif "ask" in line:
                ask(ledger, filled(line, marks), where)
        for command, first, where in kept:
            again = ledger.do(command)
            again.pop("duplicate", None)
            again.pop("content_checked", None)  # of a sealed ledger, where a personal text of a refused command was kept nowhere
            again.pop("line"), first.pop("line")
            if again != first:
                raise Failed(f"{where}: again: {again}, first {first}")
        for wallet in sorted(wallets):
            x = ledger.ask("explain " + shlex.quote(wallet))
            if "rest" in x and x["rest"] != 0:
                raise Failed(f"{path}: explain {wallet}: rest {x['rest']}")
        audit = ledger.ask("audit")
        ledger.apply.stdin.close()
        ledger.apply.wait()
        if audit["verdict"] != "verified":
            raise Failed(f"{path}: audit: {audit}")
    return len(lines)


def main():
    jangbu, files = os.path.abspath(sys.argv[1]), [a for a in sys.argv[2:] if not a.startswith("--")]
    sentences, passed, failed = set(), 0, 0
    for path in files:
        try:
            lines = run_file(jangbu, path, sentences)
            print(f"{os.path.basename(path)}: {lines} lines")
            passed += 1
        except Failed as e:
            print(e)
            failed += 1
    if "--coverage" in sys.argv:
        with open(os.path.join(HERE, "../../core/include/jangbu/command.h"), encoding="utf-8") as f:
            codes = set(re.findall(r"X\(\d+, ([A-Z_]+)\)", f.read()))
        missing = codes - sentences - set(NOT_REACHABLE)
        if missing:
            print("codes whose sentence no line asserts:", ", ".join(sorted(missing)))
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
