#!/usr/bin/python3
"""Plants each bug of bugs.py in a copy of the tree, builds, and looks who finds it: the audit, of a ledger that the
sound program made, or the witness. Every bug must be found, those of core/ by the witness.

usage: run.py SOURCE_DIR [--who] [NAME ...]       --who: those about roles and channels, by the witness alone"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plant  # noqa: E402
from bugs import BUGS, FOLD_BUGS, WHO_BUGS  # noqa: E402

SEEDS = range(1, 9)


def run(args, **kw):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


def build(tree):
    return run(["cmake", "--build", os.path.join(tree, "b"), "--target", "jangbu"])


def found_by_witness(source, program, more=()):
    for seed in SEEDS:
        r = run(["/usr/bin/python3", os.path.join(source, "tests/witness/run.py"), "--jangbu", program, "--seed", str(seed),
                 "--commands", "4000", "--batch", "random", "--shrink-seconds", "0", *more], env={**os.environ, "TMPDIR": os.path.dirname(program)})
        if r.returncode != 0:
            return seed, next((line for line in r.stdout.splitlines() if "DIFFERENCE" in line), "it failed")
    return None, ""


def make_ledger(source, program, ledger):
    """A ledger of the sound program, without what was derived from its log."""
    lines = run(["/usr/bin/python3", os.path.join(source, "tests/witness/generate.py"), "--seed", "3", "--commands", "4000"]).stdout
    run([program, "init", ledger], check=True)
    run([program, "apply", ledger, "--clock=at"], input=lines)
    for name in ("state.mdb", "views.mdb"):
        os.remove(os.path.join(ledger, name))


def found_by_audit(program, ledger):
    """The first problem that the audit finds in a sound ledger; None: it says that all is well."""
    r = run([program, "audit", ledger, "--json"])
    try:
        problems = json.loads(r.stdout)["problems"]
    except ValueError:
        return r.stdout.strip()[:200] or "it ended"
    return problems[0]["text"] if problems else None


def look_who(source, program):
    """Which seed of the streams about who finds it."""
    for mode in ("enforce", "switch", "trust"):
        seed, difference = found_by_witness(source, program, ["--who", mode])
        if seed is not None:
            return [f"by the witness, {mode}, with seed {seed}: {difference}"]
    return []


def look(source, program, ledger, by_witness):
    """Who finds the bug that program has: sentences."""
    who = []
    what = found_by_audit(program, ledger)
    if what is not None:
        who.append("by the audit: " + what)
    if by_witness or not who:
        seed, difference = found_by_witness(source, program)
        if seed is not None:
            who.append(f"by the witness with seed {seed}: {difference}")
        elif by_witness:
            who = []
    return who


def main():
    about_who = "--who" in sys.argv
    source, only = os.path.abspath(sys.argv[1]), set(sys.argv[2:]) - {"--who"}
    failed = done = 0
    with tempfile.TemporaryDirectory() as tree:
        for name in ("CMakeLists.txt", "core", "projections", "replay", "tools", "docs"):
            copy = shutil.copytree if os.path.isdir(os.path.join(source, name)) else shutil.copy
            copy(os.path.join(source, name), os.path.join(tree, name))
        run(["cmake", "-S", tree, "-B", os.path.join(tree, "b"), "-G", "Ninja", "-DJANGBU_TESTS=OFF"], check=True)
        program = os.path.join(tree, "b/tools/jangbu/jangbu")
        b = build(tree)
        if b.returncode != 0:
            print("the tree without a bug does not build:\n" + b.stdout)
            return 1
        ledger = os.path.join(tree, "ledger")
        make_ledger(source, program, ledger)
        sound = look(source, program, ledger, False)
        if sound:
            print(f"the tree without a bug is found {sound[0]}")
            return 1
        for name, path, old, new, why in WHO_BUGS if about_who else BUGS + FOLD_BUGS:
            if only and name not in only:
                continue
            done += 1
            full = os.path.join(tree, path)
            with open(full, encoding="utf-8") as f:
                text = f.read()
            if not plant.replace(full, old, new):
                print(f"{name}: the place to plant it is not there any more ({path})")
                failed += 1
                continue
            b = build(tree)
            who = []
            if b.returncode == 0:
                who = look_who(source, program) if about_who else look(source, program, ledger, path.startswith("core/"))
            print(f"{name}: {'found ' + ', and '.join(who) if who else 'NOT FOUND' if b.returncode == 0 else 'does not build'} ({why})", flush=True)
            failed += not who
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
    print(f"{done - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
