#!/usr/bin/python3
"""Makes ledgers of the witness's random commands (with groups, roles, papers) and has a program check the feed of each.

usage: random_ledgers.py JANGBU PROGRAM [--seed N] [--commands N]"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../witness"))
import generate
import generate_papers
import generate_who


def streams(program, seed, commands):
    """Of each kind: options of init, and the commands."""
    plain = generate.INIT_OPTIONS
    yield plain, generate.stream(seed, commands, generate.init_events(program, *plain))
    who = generate_who.init_options("enforce")
    yield who, generate_who.stream(seed + 1, commands, "enforce", generate.init_events(program, *who))
    since = generate_papers.PapersGenerator(seed + 2, "trust", None).init_option
    papers = [o for o in generate_who.init_options("trust") if o not in plain] + (["--invoice-from", since] if since else [])
    yield papers, generate_papers.stream(seed + 2, commands, "trust", None, generate.init_events(program, *papers))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jangbu")
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--commands", type=int, default=300)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jangbu-feed-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as work:
        for number, (options, lines) in enumerate(streams(a.jangbu, a.seed, a.commands)):
            ledger = os.path.join(work, f"l{number}")
            subprocess.run([a.jangbu, "init", ledger, *options], check=True, stdout=subprocess.DEVNULL)
            text = "".join(line + "\n" for line in lines)
            applied = subprocess.run([a.jangbu, "apply", ledger, "--clock=at", "--json"], input=text, text=True, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE)
            if applied.stderr and applied.returncode not in (0, 1):
                sys.exit(applied.stderr)
            done = subprocess.run([a.program, ledger], capture_output=True, text=True)
            print(" ".join(options), done.stdout.strip(), done.stderr.strip())
            if done.returncode != 0:
                sys.exit(f"the feed of a random ledger is not what it should be: seed {a.seed}")


main()
