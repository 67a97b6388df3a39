#!/usr/bin/python3
"""Takes the writer lock, and then the look-up of keys, out of a copy of core/: the races of racers.c must fail each time. Then what makes a closing
of days begin again after a failed commit: the test of it must fail, and the audit must refute the ledger that it leaves.

usage: planted.py SOURCE_DIR JANGBU"""
import concurrent.futures
import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "planted"))
import plant  # noqa: E402

PLANTS = [
    ("no writer lock", [
        ("core/storage/writer_lock.c", "    int64_t deadline;\n", "    (void)l; (void)wait_us; (void)waited_us; (void)err;\n    return JB_OK;\n    int64_t deadline;\n"),
        ("core/storage/writer_lock.c", "    struct named *n = &l->shared->of[name];\n    uint64_t taken", "    if (l != NULL) return;\n    struct named *n = &l->shared->of[name];\n    uint64_t taken")],
     ("processes", "winner")),
    ("no look-up of keys", [
        ("core/state/lookup.c", "    struct key_looked_for k = {b, caller, key, 0};\n",
         "    *ret = 0;\n    if (b != NULL) return JB_OK;\n    struct key_looked_for k = {b, caller, key, 0};\n")],
     ("threads", "processes", "winner")),
]


FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O1", "-w"]
LIBRARIES = ["-llmdb", "-lmsgpackc", "-lxxhash", "-lutf8proc", "-lsodium", "-lpthread"]


def compile_one(tree, source):
    """Its object; made once for all plants where the source is as it was."""
    made = source[:-2] + ".o"
    if not os.path.exists(made):
        subprocess.run(["gcc", *FLAGS, "-I" + tree + "/core/include", "-I" + tree + "/core", "-c", "-o", made, source], check=True)
    return made


def build(tree, program):
    sources = sorted(glob.glob(tree + "/core/*/*.c")) + [program + ".c"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda source: compile_one(tree, source), sources))
    subprocess.run(["gcc", "-o", program, *objects, *LIBRARIES], check=True)


@contextlib.contextmanager
def planted(tree, places):
    """(path, old, new) in the tree's sources, and their objects gone; after it all is as it was."""
    kept = {}
    try:
        for path, old, new in places:
            full = os.path.join(tree, path)
            with open(full, encoding="utf-8") as f:
                kept.setdefault(full, f.read())
            replace(full, old, new)
            forget(full)
        yield
    finally:
        for full, text in kept.items():
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
            forget(full)


def forget(source):
    with contextlib.suppress(FileNotFoundError):
        os.remove(source[:-2] + ".o")


def replace(path, old, new):
    assert plant.replace(path, old, new), f"{path}: the place to plant it is not there any more"


def fails(program, race):
    for _ in range(20):
        with tempfile.TemporaryDirectory() as scratch:  # a race that fails leaves its ledger behind
            p = subprocess.Popen([program, race], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": scratch}, process_group=0)
            try:
                if p.wait(timeout=30) != 0:
                    return True
            except subprocess.TimeoutExpired:
                return True
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(p.pid, signal.SIGKILL)  # its racers, too
                p.wait()
    return False


def closing(source, tree, jangbu):
    """Expiries that a failed commit took with it, and a closing that goes on behind them."""
    with open(source + "/tests/faults/closing.c", encoding="utf-8") as f, open(tree + "/closing.c", "w", encoding="utf-8") as copy:
        copy.write(f.read().replace('"../check.h"', f'"{source}/tests/check.h"'))
    with planted(tree, [("core/ledger/submit.c", "l->closing = false; /* the expiries", "/* the expiries")]):
        build(tree, tree + "/closing")
    noticed = subprocess.run([tree + "/closing", "full", tree + "/ledger"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0
    audit = subprocess.run([jangbu, "audit", tree + "/ledger"], capture_output=True, text=True)
    refuted = audit.returncode == 1 and "whose last day it was" in audit.stdout and "REFUTED" in audit.stdout
    print(f"no new beginning of a closing: {'the test fails, as it must' if noticed else 'NOT NOTICED'}; "
          f"{'the audit refutes the ledger' if refuted else 'NOT SEEN BY THE AUDIT: ' + audit.stdout[-500:] + audit.stderr}", flush=True)
    return noticed and refuted


def main():
    source, failed = os.path.abspath(sys.argv[1]), 0
    with tempfile.TemporaryDirectory() as tree:
        shutil.copytree(source + "/core", tree + "/core")
        shutil.copy(source + "/tests/concurrency/racers.c", tree)
        for name, places, races in PLANTS:
            with planted(tree, places):
                build(tree, tree + "/racers")
            for race in races:
                seen = fails(tree + "/racers", race)
                print(f"{name}, {race}: {'the race fails, as it must' if seen else 'NOT NOTICED'}", flush=True)
                failed += not seen
        failed += not closing(source, tree, sys.argv[2])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
