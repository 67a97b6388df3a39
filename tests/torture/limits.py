"""Too little of something: descriptors, address space, file size (ulimit -n, -v, -f), and a full tmpfs. No signal, no hang; what was acknowledged
stays; an audit that cannot be made is not a refuted ledger; with room again the same input settles all of it."""
import json
import os
import resource
import subprocess

from common import Failure, Skip, check_settled, results, stream

ROWS = ("limits", "full disk")


def limited(which, value):
    def set_it():
        resource.setrlimit(which, (value, value))
    return set_it


def everything(bench, row, ledger, work, lines, limits, what):
    """Each sub-command that matters under the limit; returns what apply acknowledged."""
    out = bench.run("apply", ledger, feed="\n".join(lines) + "\n", limits=limits)
    told = results(out.stdout)
    row.add("acknowledged", len(told))
    for args in (("balance", ledger, "--all", "--json"), ("log", ledger, "--json"), ("audit", ledger, "--json"), ("rebuild", ledger),
                 ("export", ledger, "--format", "csv"), ("backup", ledger, os.path.join(work, "copy"))):
        out = bench.run(*args, limits=limits)
        if args[0] == "audit" and out.returncode == 1:
            raise Failure("other", "%s: a sound ledger is refuted: %s" % (what, out.stdout[:400]))
    return told


def under_a_limit(bench, row, rng, work):
    ledger = os.path.join(work, "l")
    first, lines = stream(rng, 30, "a"), stream(rng, 30, "b", create=False)
    bench.run("init", ledger, check=True)
    told = results(bench.run("apply", ledger, feed="\n".join(first) + "\n", check=True).stdout)
    which, value, what = rng.choice((
        (resource.RLIMIT_NOFILE, rng.randrange(3, 33), "ulimit -n"),
        (resource.RLIMIT_AS, rng.choice((8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 400, 512, 1024, 4096)) << 20, "ulimit -v"),
        (resource.RLIMIT_FSIZE, rng.randrange(0, 50) * 4096, "ulimit -f (in bytes)")))
    what = "%s %d" % (what, value)
    told.update(everything(bench, row, ledger, work, lines, limited(which, value), what))
    check_settled(bench, ledger, first + lines, told)


def on_a_full_disk(bench, row, rng, work):
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    place, size = os.path.join(work, "mnt"), rng.randrange(4, 190) * 4
    os.mkdir(place)
    out = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk" % size, "none", place], capture_output=True, text=True)
    if out.returncode != 0:
        raise Skip("mount: " + out.stderr.strip())
    try:
        ledger, lines, told = os.path.join(place, "l"), stream(rng, 60, "a"), {}
        if bench.run("init", ledger).returncode == 0:
            told = everything(bench, row, ledger, work, lines, None, "tmpfs of %d KiB" % size)
        subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
        if not told and bench.run("stat", ledger, "--json").returncode != 0:
            out = bench.run("init", ledger)
            if out.returncode != 0:
                raise Failure("other", "init failed for want of room and cannot be repeated: %s" % out.stderr[-300:])
        check_settled(bench, ledger, lines, told)
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def one_round(bench, row, rng, work):
    (under_a_limit if row.name == ROWS[0] else on_a_full_disk)(bench, row, rng, work)
