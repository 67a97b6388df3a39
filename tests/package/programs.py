#!/usr/bin/python3
"""Each program that people type says what it is (--help, --version: 0, on standard output), refuses an option that it does not have (2, by
name, and what it may have meant), and says of a ledger that is not there where it looked (3, as docs/errors.md has it).

usage: programs.py PROGRAM..."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import check, checks  # noqa: E402

# What a program takes before the ledger, and behind it.
LEDGERS = {"jangbu": (["balance"], ["W1"]), "jangbud": ([], []), "jangbu-feed": (["postgres", "dbname=none"], [])}
MISTYPED = {"jangbu": (["wallets", "L", "--jsn"], "--json"), "jangbud": (["L", "--lisen", "none"], "--listen"), "jangbu-feed": (["postgres", "", "L", "--onec"], "--once"),
            "bench": (["--quik"], "--quik"), "bench_budget": (["--quik"], "--quik")}


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=20, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})


def main():
    with tempfile.TemporaryDirectory() as work:
        for program in sys.argv[1:]:
            name = os.path.basename(program)
            said, version = run(program, "--help"), run(program, "--version")
            check(f"{name} --help", said.returncode == 0 and name in said.stdout and len(said.stdout) > 20 and said.stderr == "", said)
            check(f"{name} --version", version.returncode == 0 and version.stdout.startswith(name + " ") and version.stderr == "", version)
            words, meant = MISTYPED.get(name, ([], name))
            wrong = run(program, *words)
            check(f"{name} {words}", wrong.returncode == 2 and meant in wrong.stderr and wrong.stdout == "", wrong)
            if name in LEDGERS:
                before, behind = LEDGERS[name]
                helped = run(program, *before, os.path.join(work, "shpo"), *behind, "--help")
                check(f"{name} --help behind words", helped.returncode == 0 and helped.stdout != "" and helped.stderr == "", helped)
                gone = run(program, *before, os.path.join(work, "shpo"), *behind)
                check(f"{name} of no ledger", gone.returncode == 3 and os.path.join(work, "shpo") in gone.stderr and gone.stdout == "", gone)
                check(f"{name} made nothing", os.listdir(work) == [], os.listdir(work))
    print(f"{checks['passed']} checks passed, {checks['failed']} failed")
    return 1 if checks["failed"] or not checks["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
