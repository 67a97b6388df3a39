"""One flipped bit of a file of the ledger. log.mdb: the audit finds it, or no event is touched; never a hang, never a signal. state.mdb and
views.mdb: the answer is the log's, or an error, and never decides anything."""
import json
import os

from common import Failure, copy_ledger, events, stream

ROWS = ("bits of log.mdb", "bits of state.mdb", "bits of views.mdb")
AUDIT_SECONDS = 30


def base_of(bench, work):
    """A ledger that is made once; the same commands every time, so that a round is one place in one file."""
    import random
    base = os.path.join(bench.work, "bits-base")
    if not os.path.exists(base):
        made = base + ".new"
        bench.run("init", made, check=True)
        bench.run("apply", made, feed="\n".join(stream(random.Random(1), 120, "b")) + "\n", check=True)
        bench.run("rebuild", made, check=True)
        os.rename(made, base)
    return base


def flip(path, rng):
    with open(path, "r+b") as f:
        data = f.read()
        while True:
            place = rng.randrange(len(data))
            # Most of a sparse page is zeros that nothing reads: places with something in them are tried more often.
            if data[place] != 0 or rng.random() < 0.05:
                break
        bit = rng.randrange(8)
        f.seek(place)
        f.write(bytes([data[place] ^ 1 << bit]))
    return "bit %d of byte %d of %s" % (bit, place, os.path.basename(path))


def of_log(bench, base, ledger, rng):
    for name in ("state.mdb", "views.mdb"):
        if rng.random() < 0.5:
            os.unlink(os.path.join(ledger, name))
    out = bench.run("audit", ledger, "--json", seconds=AUDIT_SECONDS)
    verdict = json.loads(out.stdout)["verdict"] if out.stdout.strip() else None
    if out.returncode == 0:
        if verdict != "verified" or events(bench, ledger) != events(bench, base):
            raise Failure("unseen", "the audit says %s, and the events are not those that were written" % verdict)
    elif out.returncode not in (1, 3):
        raise Failure("other", "audit ends with %d: %s" % (out.returncode, out.stderr[-300:]))


def of_store(bench, base, ledger):
    wanted = events(bench, base)
    seq = str(wanted[-1]["seq"])
    for args in (("balance", "--all", "--json"), ("cash-status", "W0", "--json"), ("history", "W1", "--json")):
        good = bench.run(args[0], base, *args[1:], "--as-of", seq, check=True)
        out = bench.run(args[0], ledger, *args[1:], "--as-of", seq, seconds=AUDIT_SECONDS)
        if out.returncode == 0 and out.stdout != good.stdout:
            raise Failure("unseen", "`%s` has other figures and exit 0" % args[0])
    line = json.dumps({"op": "consume", "wallet": "W0", "usage": "after", "amount": 1, "overdraft": True, "key": "after"}) + "\n"
    out = bench.run("apply", ledger, feed=line, seconds=AUDIT_SECONDS)
    if out.returncode in (0, 1) and '"ok":true' not in out.stdout:
        raise Failure("unseen", "a command was decided otherwise: %s" % out.stdout[:300])
    if events(bench, ledger)[:len(wanted)] != wanted:
        raise Failure("lost", "the events before are others")


def one_round(bench, row, rng, work):
    base, ledger = base_of(bench, work), os.path.join(work, "l")
    copy_ledger(base, ledger)
    name = row.name.split()[-1]
    what = flip(os.path.join(ledger, name), rng)
    try:
        if name == "log.mdb":
            of_log(bench, base, ledger, rng)
        else:
            of_store(bench, base, ledger)
    except Failure as e:
        raise Failure(e.column, "%s: %s" % (what, e)) from None
