"""kill -9 of one to four processes that carry out the same keyed commands, at random moments."""
import os
import time

from common import Failure, Feeder, check_settled, nap, stream

ROWS = ("kills",)


def one_round(bench, row, rng, work):
    ledger = os.path.join(work, "l")
    bench.run("init", ledger, check=True)
    told, whole = {}, []
    for generation in range(rng.randrange(1, 4)):
        lines = stream(rng, rng.randrange(15, 60), "r%d" % generation, create=generation == 0)
        whole += lines
        processes = []
        for i in range(rng.choice((1, 1, 2, 3, 4))):
            head = 4 if generation == 0 else 0
            mine = lines if i == 0 else lines[:head] + rng.sample(lines[head:], len(lines) - head)
            processes.append(Feeder(bench, ledger, mine, rng.choice((1, 1, 3, 10, 200))))
        began = time.monotonic()
        victims = processes[:rng.randrange(1, len(processes) + 1)]
        for moment, p in sorted(((rng.random() * 0.04 * len(processes), p) for p in victims), key=lambda x: x[0]):
            nap(max(0.0, began + moment - time.monotonic()))
            p.kill()
        for p in processes:
            mine = p.end(may_be_killed=p in victims)
            if p.code not in (0, 1, -9):
                raise Failure("other", "apply ended with %d: %s" % (p.code, p.errors[-300:]))
            row.add("acknowledged", len(mine))
            for key, result in mine.items():
                if told.setdefault(key, result) != result:
                    raise Failure("doubled", "key %s was answered %s and %s" % (key, told[key], result))
    check_settled(bench, ledger, whole, told)
