"""Two PID namespaces write one ledger (two containers on a volume), and writers in them are killed: what was acknowledged is there, or the second one
was refused before it wrote anything."""
import os
import shutil
import subprocess

from common import Failure, Feeder, Skip, check_settled, nap, stream

ROWS = ("PID namespaces",)


def one_round(bench, row, rng, work):
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-pf", "--kill-child", "true"], capture_output=True).returncode != 0:
        raise Skip("unshare -p is not allowed here")
    ledger = os.path.join(work, "l")
    bench.run("init", ledger, check=True)
    head = stream(rng, 4, "h")
    told = dict(Feeder(bench, ledger, head, 1).end(may_be_killed=False))
    lines = stream(rng, 150, "n", create=False)
    wrap = ("unshare", "-pf", "--kill-child")
    processes = [Feeder(bench, ledger, lines if i == 0 else rng.sample(lines, len(lines)), rng.choice((1, 1, 3)), wrap=wrap) for i in range(rng.randrange(2, 5))]
    victims = processes[1:][:rng.randrange(0, len(processes))]
    for p in victims:
        nap(rng.random() * 0.05)
        p.kill()
    for p in processes:
        mine = p.end(may_be_killed=True)
        if p.code not in (0, 1, 2, 3, -9):
            raise Failure("other", "apply ended with %d: %s" % (p.code, p.errors[-300:]))
        row.add("acknowledged", len(mine))
        for key, result in mine.items():
            if told.setdefault(key, result) != result:
                raise Failure("doubled", "key %s was answered %s and %s" % (key, told[key], result))
    check_settled(bench, ledger, head + lines, told)
