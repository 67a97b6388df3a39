#!/usr/bin/python3
"""Forged ledgers: each breaks one rule of docs/rules.md once, in events that are canonical, numbered,
chained and summed up as they should be, and the audit must refute it at that event. And for each its
sound twin, made in the same way without the lie, which the audit must verify.

usage: run.py JANGBU [--both PROGRAM] [WORDS]
                                  PROGRAM (both.c) looks at each of them, too; WORDS: only forgeries whose name has the words; then what the audit says, too
       run.py JANGBU --list       the table of forgeries

How to add one: say in a script what happened before (script.py: one command a line), and write a
function in the file of its section:

    @forgery("2", "lots are taken newest first", THREE_LOTS)
    def _(log, lie):
        return log.add("cash_consumed", "W", parts=lie([lot(1, 700)], [lot(3, 700)]))

`log` has the events of the ledger that the program made of the script. log.add, drop, move and swap
change them; e["amount"] is a field, e.recorded_at, occurred_at, posted_on, prev, extra are the
envelope. lie(RIGHT, WRONG) is the one place where the twins differ; the function gives the event that
the audit must name. Everything that follows from the events (numbers, prev, posting days, totals,
frames, chain) is made right behind it, and what is not to be right is said: e.prev = 3.
"""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
import ledger
import script as scripts
from forgery import CASES, Feed, Lie
import chance, free, paid, refunds, rows, times, wallets  # noqa: F401 they fill CASES
import around, around_refused, invoices  # noqa: F401
import usual

DERIVED = ("HEAD", "lock", "log.mdb", "state.mdb", "views.mdb")  # made again, or witnesses of the log


def feed_of(script):
    if isinstance(script, bytes):
        return script
    if isinstance(script, Feed):
        with open(os.path.join(HERE, script.path), "rb") as file:
            return file.read()
    return "".join(json.dumps(c) + "\n" for c in scripts.commands(script)).encode()


class Ledgers:
    """Sound ledgers by script, each made once by the program."""

    def __init__(self, jangbu, work):
        self.jangbu, self.work, self.made = jangbu, work, {}
        os.mkdir(work)

    def of(self, script):
        if script not in self.made:
            self.made[script] = self._make(script, os.path.join(self.work, f"l{len(self.made)}"))
        return self.made[script]

    def _make(self, script, where):
        options = script.options if isinstance(script, Feed) else \
            scripts.options(script) if isinstance(script, str) else ()
        feed = feed_of(script)
        subprocess.run([self.jangbu, "init", where, *options], check=True, capture_output=True)
        out = subprocess.run([self.jangbu, "apply", where, "--clock=at"], input=feed,
                             capture_output=True)
        results = [json.loads(line) for line in out.stdout.splitlines()]
        refused = [r for r in results if not r["ok"] and "key" not in r]
        if isinstance(script, str) and (refused or out.returncode not in (0, 1)):
            raise SystemExit(f"a script does not do what it says:\n{script}\n{refused}{out.stderr}")
        return where


def audit(jangbu, where):
    out = subprocess.run([jangbu, "audit", where, "--json"], capture_output=True, text=True)
    if not out.stdout.startswith("{"):
        return {"verdict": "none", "problems": [], "error": out.stderr}
    return json.loads(out.stdout)


class Audits:
    """What the audit says of a log, asked once: many sound twins are the script's own log."""

    def __init__(self, jangbu, both):
        self.jangbu, self.both, self.known = jangbu, both, {}

    def of(self, source, where):
        log = source, tuple(ledger.values(os.path.join(where, "log.mdb")))
        if log not in self.known:
            self.known[log] = audit(self.jangbu, where)
            if self.both:
                subprocess.run([self.both, where], check=True)
        return self.known[log]


def copy(source, where, log):
    """The ledger with another log, and without what is made from the log."""
    os.mkdir(where)
    for name in os.listdir(source):
        if name not in DERIVED and not name.endswith(("-lock", "-users")) and os.path.isfile(os.path.join(source, name)):
            shutil.copy(os.path.join(source, name), where)
    log.write(os.path.join(where, "log.mdb"))


def numbers(log, guilty):
    events = guilty if isinstance(guilty, list) else [guilty] if guilty is not None else []
    return sorted(log.seq(e) for e in events)


class Trial:
    def __init__(self, case, lies):
        self.case, self.lies, self.expected, self.report = case, lies, [], None

    def run(self, audits, source, where):
        log = ledger.Log(os.path.join(source, "log.mdb"))
        guilty = self.case.build(log, Lie(self.lies))
        if self.lies:
            self.expected = numbers(log, guilty)
            assert self.expected, f"{self.case}: no event is named"
        copy(source, where, log)
        self.report = audits.of(source, where)
        shutil.rmtree(where)
        return self

    def try_run(self, *where):
        try:
            return self.run(*where)
        except Exception as error:
            raise RuntimeError(f"{self.case}, {'forged' if self.lies else 'sound'}") from error

    def first(self):
        return min((p["seq"] for p in self.report["problems"] if p["seq"]), default=0)

    def outcome(self):
        """refuted, at the right event; elsewhere, at another; else what the audit said."""
        verdict = self.report["verdict"]
        if verdict != "refuted":
            return verdict
        return "refuted" if self.first() in self.expected else "elsewhere"

    def text(self):
        says = [f"        {p['seq']}: {p['text']}" for p in self.report["problems"]]
        at = f", expected at {self.expected}" if self.lies else ""
        return "\n".join([f"    {self.outcome()}{at}: {self.case}"] + says +
                         ([self.report["error"]] if "error" in self.report else []))


def run_all(jangbu, both, cases, work):
    ledgers, audits = Ledgers(jangbu, os.path.join(work, "made")), Audits(jangbu, both)
    trials = [Trial(case, lies) for case in cases for lies in (False, True)
              if (case.lies if lies else case.twin)]
    sources = [ledgers.of(t.case.script) for t in trials]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(t.try_run, audits, source, os.path.join(work, f"t{i}"))
                for i, (t, source) in enumerate(zip(trials, sources))]
        return [job.result() for job in jobs]


def read_missed():
    path = os.path.join(HERE, "missed.txt")
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as file:
        return {line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")}


MANY_GRANTS = "".join(f"wallet.create W{w}\n" + "".join(
    f"free.grant G{g} 1 1 wallet=W{w}\n" for g in range(900)) for w in range(10)) + \
    "= 2 09:00\nwallet.create W\n"  # a closing that takes two commits


def unchanged(jangbu, work):
    """A log that is read and written again without a change is the same, event for event, and sound:
    what is derived here is what the program derives."""
    feeds = {"every type": times.EVERY_TYPE, "roles": around.RIGHT, "no roles": around.TRUSTING,
             "month": Feed("../../tools/example/month.jsonl", "--roles=enforce", "--operator", "op-7"),
             "a closing of 9,000 expiries": MANY_GRANTS}
    feeds.update((f"stream {seed}", feed) for seed, feed in chance.STREAMS.items())
    made = Ledgers(jangbu, os.path.join(work, "feeds"))
    for name, feed in feeds.items():
        source, again = made.of(feed), os.path.join(work, "again")
        log = ledger.Log(os.path.join(source, "log.mdb"))
        copy(source, again, log)
        if ledger.commits(os.path.join(source, "log.mdb")) != \
                ledger.commits(os.path.join(again, "log.mdb")):
            raise SystemExit(f"{name}: a log that was written again unchanged is not the same")
        report = audit(jangbu, again)
        if report["verdict"] != "verified":
            raise SystemExit(f"{name}: a sound ledger is refuted: {report}")
        shutil.rmtree(again)


def verdict(trials, missed):
    """What is wrong with the outcomes."""
    wrong = []
    for t in trials:
        right = "refuted" if t.lies else "verified"
        if t.outcome() != right and not (t.lies and str(t.case) in missed):
            wrong.append(t.text())
    return wrong


def main():
    jangbu, both, words = os.path.abspath(sys.argv[1]), None, sys.argv[2:]
    if words[:1] == ["--both"]:
        both, words = os.path.abspath(words[1]), words[2:]
    if words == ["--list"]:
        print("\n".join(f"{'forgery' if c.lies else 'sound'}  {c}" for c in CASES))
        return 0
    cases = [c for c in CASES if all(w in str(c) for w in words if w != "--write-missed")]
    assert len({str(c) for c in cases}) == len(cases), "two have the same name"
    missed = read_missed()
    with tempfile.TemporaryDirectory() as work:
        unchanged(jangbu, work)
        if both:
            usual.look(Ledgers(jangbu, os.path.join(work, "usual")), both, copy, work)
        trials = run_all(jangbu, both, cases, work)
    wrong = verdict(trials, missed)
    if words and words != ["--write-missed"]:
        print("\n".join(t.text() for t in trials))
    elif wrong:
        print("wrong:\n" + "\n".join(wrong))
    lies = [t for t in trials if t.lies]
    not_found = [str(t.case) for t in lies if t.outcome() != "refuted"]
    if words == ["--write-missed"]:
        with open(os.path.join(HERE, "missed.txt"), "w", encoding="utf-8") as file:
            file.write("# Forgeries that the audit does not find yet: run.py PROGRAM --write-missed\n")
            file.write("".join(name + "\n" for name in not_found))
    found_now = sorted(missed - set(not_found)) if not words else []
    if found_now:
        print("found by now, to be taken off missed.txt:\n    " + "\n    ".join(found_now))
    print(f"{len(lies)} forgeries, {len(lies) - len(not_found)} refuted at their event, "
          f"{len(not_found)} missed; {len(trials) - len(lies)} sound ledgers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
