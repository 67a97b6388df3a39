#!/usr/bin/python3
"""Plants each bug of bugs.py in a copy of the tree, builds, and runs the witness: every bug must be found.

usage: run.py SOURCE_DIR [NAME ...]"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plant  # noqa: E402
from bugs import BUGS  # noqa: E402

SEEDS = range(1, 9)


def run(args, **kw):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


def build(tree):
    return run(["cmake", "--build", os.path.join(tree, "b"), "--target", "jangbu"])


def found_by_witness(source, program):
    for seed in SEEDS:
        r = run(["/usr/bin/python3", os.path.join(source, "tests/witness/run.py"), "--jangbu", program, "--seed", str(seed),
                 "--commands", "4000", "--batch", "random", "--shrink-seconds", "0"], env={**os.environ, "TMPDIR": os.path.dirname(program)})
        if r.returncode != 0:
            return seed, next((line for line in r.stdout.splitlines() if "DIFFERENCE" in line), "it failed")
    return None, ""


def main():
    source, only = os.path.abspath(sys.argv[1]), set(sys.argv[2:])
    failed = 0
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
        seed, what = found_by_witness(source, program)
        if seed is not None:
            print(f"the tree without a bug differs from the witness with seed {seed}: {what}")
            return 1
        for name, path, old, new, why in BUGS:
            if only and name not in only:
                continue
            full = os.path.join(tree, path)
            with open(full, encoding="utf-8") as f:
                text = f.read()
            if not plant.replace(full, old, new):
                print(f"{name}: the place to plant it is not there any more ({path})")
                failed += 1
                continue
            b = build(tree)
            seed, what = found_by_witness(source, program) if b.returncode == 0 else (None, "")
            print(f"{name}: {'found with seed %d: %s' % (seed, what) if seed is not None else 'NOT FOUND' if b.returncode == 0 else 'does not build'} ({why})", flush=True)
            failed += seed is None
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
    print(f"{len(only or BUGS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
