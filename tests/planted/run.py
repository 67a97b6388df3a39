#!/usr/bin/python3
"""Plants each bug of bugs.py, who_bugs.py or papers_bugs.py in a copy of the tree, builds, and looks who finds it. money: the audit, of a ledger that the
sound program made, or the witness; those of core/ the witness. who: the audit, of ledgers with roles, or the scenarios of roles.
streams: the witness's streams with roles and channels. papers: the scenarios of papers, the audit of a ledger with
invoices, or the witness. Every bug must be found.

usage: run.py SOURCE_DIR money|who|streams|papers|all [--sixths] [NAME ...]
       run.py SOURCE_DIR --places     whether each place is still there; nothing is built

--sixths: builds and looks for a sixth of them, another sixth at each commit; of all others only that their places are still there."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import plant  # noqa: E402
from bugs import BUGS, FOLD_BUGS, STREAM_BUGS  # noqa: E402
from papers_bugs import PAPERS_BUGS  # noqa: E402
from turn import turn  # noqa: E402
from who_bugs import WHO_BUGS  # noqa: E402

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


STREAMS = {"money": [(["generate.py", "--seed", "3", "--commands", "4000"], ["--invoice-from", "none"])],
           "who": [(["generate_who.py", "--seed", "5", "--commands", "5000", "--mode", mode], options) for mode, options in
                   (("enforce", ["--invoice-from", "none", "--roles=enforce", "--operator", "op1"]), ("trust", ["--invoice-from", "none"]))],
           "papers": [(["generate_papers.py", "--seed", "3", "--commands", "1500", "--since", "all"], [])],
           "streams": []}
KINDS = {"money": BUGS + FOLD_BUGS, "who": WHO_BUGS, "streams": STREAM_BUGS, "papers": PAPERS_BUGS}
SCENARIOS = ("who.jsonl", "who-trust.jsonl", "who-limits.jsonl", "refusals-who.jsonl")
PAPERS_SCENARIOS = ("papers.jsonl", "papers-rules.jsonl", "papers-from.jsonl", "papers-due.jsonl")


def make_ledger(source, program, ledger, stream, options):
    """A ledger of the sound program, without what was derived from its log."""
    lines = run(["/usr/bin/python3", os.path.join(source, "tests/witness", stream[0]), *stream[1:], "--program", program]).stdout
    run([program, "init", ledger, *options], check=True)
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


def found_by_scenarios(source, program, tables=SCENARIOS):
    """Each table, until one says something else."""
    folder = os.path.join(source, "tests/scenario")
    for table in tables:
        r = run(["/usr/bin/python3", os.path.join(folder, "run.py"), program, os.path.join(folder, table)],
                env={**os.environ, "TMPDIR": os.path.dirname(program)})
        if r.returncode != 0:
            return table + ": " + next((line for line in r.stdout.splitlines() if "expect" in line or "failed" in line), "it failed")[:160]
    return None


def look_who(source, program, ledgers):
    for ledger in ledgers:
        what = found_by_audit(program, ledger)
        if what is not None:
            return ["by the audit: " + what]
    what = found_by_scenarios(source, program)
    return [] if what is None else ["by the scenarios: " + what]


def look_papers(source, program, ledger, by_witness):
    what = found_by_scenarios(source, program, PAPERS_SCENARIOS)
    if what is not None:
        return ["by the scenarios: " + what]
    what = found_by_audit(program, ledger)
    if what is not None:
        return ["by the audit: " + what]
    seed, difference = found_by_witness(source, program, ["--papers"]) if by_witness else (None, "")
    return [] if seed is None else [f"by the witness with seed {seed}: {difference}"]


def look_streams(source, program, modes):
    for mode in modes:
        seed, difference = found_by_witness(source, program, ["--who", mode])
        if seed is not None:
            return [f"by the witness, {mode}, with seed {seed}: {difference}"]
    return []


def look(source, program, ledgers, by_witness, kind):
    """Who finds the bug that program has: sentences."""
    who = []
    if kind == "streams":
        return look_streams(source, program, ["enforce", "switch", "trust"] if by_witness else [])
    if kind == "papers":
        return look_papers(source, program, ledgers[0], by_witness)
    if kind == "who":
        return look_who(source, program, ledgers)
    what = found_by_audit(program, ledgers[0])
    if what is not None:
        who.append("by the audit: " + what)
    if by_witness or not who:
        seed, difference = found_by_witness(source, program)
        if seed is not None:
            who.append(f"by the witness with seed {seed}: {difference}")
        elif by_witness:
            who = []
    return who


def sound_tree(source, tree):
    """A copy of the sources that is built; None, or why it is not."""
    for name in ("CMakeLists.txt", "core", "projections", "replay", "tools", "docs"):
        copy = shutil.copytree if os.path.isdir(os.path.join(source, name)) else shutil.copy
        copy(os.path.join(source, name), os.path.join(tree, name))
    # Built many times and run for seconds: what the compiler saves is worth more than what it makes of it.
    run(["cmake", "-S", tree, "-B", os.path.join(tree, "b"), "-G", "Ninja", "-DJANGBU_TESTS=OFF", "-DJANGBU_AS_ONE=OFF", "-DCMAKE_BUILD_TYPE=Release",
         "-DCMAKE_C_FLAGS_RELEASE=-O1"], check=True)
    b = build(tree)
    return None if b.returncode == 0 else "the tree without a bug does not build:\n" + b.stdout


class Planting:
    """The bugs of one kind, one after the other, in a tree that is sound again after each."""

    def __init__(self, source, tree, kind, sixth):
        self.source, self.tree, self.kind, self.sixth = source, tree, kind, sixth
        self.program = os.path.join(tree, "b/tools/jangbu/jangbu")
        self.ledgers = [os.path.join(tree, f"ledger-{kind}-{i}") for i in range(len(STREAMS[kind]))]
        self.found = self.failed = self.elsewhere = 0

    def run(self, only):
        b = build(self.tree)  # what the last kind planted is still in the program
        if b.returncode != 0:
            print("the tree that was sound again does not build:\n" + b.stdout)
            self.failed += 1
            return
        for ledger, (stream, options) in zip(self.ledgers, STREAMS[self.kind]):
            make_ledger(self.source, self.program, ledger, stream, options)
        sound = look(self.source, self.program, self.ledgers, False, self.kind)
        if sound:
            print(f"{self.kind}: the tree without a bug is found {sound[0]}")
            self.failed += 1
            return
        for i, bug in enumerate(KINDS[self.kind]):
            if not only or bug[0] in only:
                self.plant(i, *bug)

    def plant(self, i, name, path, old, new, why):
        full = os.path.join(self.tree, path)
        with open(full, encoding="utf-8") as f:
            text = f.read()
        if not plant.replace(full, old, new):
            print(f"{name}: the place to plant it is not there any more ({path})")
            self.failed += 1
        elif self.sixth is not None and i % 6 != self.sixth:
            self.elsewhere += 1
        else:
            b = build(self.tree)
            who = look(self.source, self.program, self.ledgers, path.startswith("core/"), self.kind) if b.returncode == 0 else []
            print(f"{name}: {'found ' + ', and '.join(who) if who else 'NOT FOUND' if b.returncode == 0 else 'does not build'} ({why})", flush=True)
            self.found += bool(who)
            self.failed += not who
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)


def look_at_places(source):
    missing, bugs = 0, [bug for kind in KINDS.values() for bug in kind]
    for name, path, old, new, _ in bugs:
        with tempfile.NamedTemporaryFile("w", suffix=".c", encoding="utf-8") as copy, open(os.path.join(source, path), encoding="utf-8") as f:
            copy.write(f.read())
            copy.flush()
            if not plant.replace(copy.name, old, new):
                print(f"{name}: the place to plant it is not there any more ({path})")
                missing += 1
    print(f"{len(bugs)} bugs, {missing} of them without a place")
    return 1 if missing else 0


def main():
    if sys.argv[2] == "--places":
        return look_at_places(sys.argv[1])
    source, which, only = os.path.abspath(sys.argv[1]), sys.argv[2], set(sys.argv[3:])
    sixth = turn(6, source) if "--sixths" in only else None
    only -= {"--sixths"}
    with tempfile.TemporaryDirectory() as tree:
        wrong = sound_tree(source, tree)
        if wrong:
            print(wrong)
            return 1
        kinds = [Planting(source, tree, kind, sixth) for kind in (KINDS if which == "all" else [which])]
        for kind in kinds:
            kind.run(only)
    found, failed, elsewhere = (sum(getattr(kind, what) for kind in kinds) for what in ("found", "failed", "elsewhere"))
    print(f"{found} passed, {failed} failed; {elsewhere} at other commits")
    return 1 if failed or found + elsewhere == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
