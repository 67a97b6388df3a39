"""What a power cut could have left: the writes and syncs of a run are recorded, and at crash points in it the files are made again from what was
synced, with what was not synced dropped, kept, or kept in part (pieces of 512 or 4,096 bytes in any combination)."""
import json
import os
import struct

from common import Failure, Feeder, check_acknowledged, check_balances, check_verified, events, fold, results, stream

ROWS = ("writes reordered",)
FILES = ("log.mdb", "people.mdb", "state.mdb", "views.mdb", "HEAD", "secret")
HEAD = struct.Struct("=c63sQQ")
POINTS = 6


def record(bench, rng, ledger, path):
    """The files before, the lines that were applied, and what the program did, in order."""
    bench.run("init", ledger, check=True)
    bench.run("apply", ledger, feed="\n".join(stream(rng, 12, "before")) + "\n", check=True)
    before = {}
    for name in FILES:
        where = os.path.join(ledger, name)
        before[name] = open(where, "rb").read() if os.path.exists(where) else b""
    lines = stream(rng, rng.randrange(15, 50), "k", create=False)
    p = Feeder(bench, ledger, lines, rng.choice((1, 2, 5, 20)), env={**bench.preload("librecord.so"), "JB_RECORD": path})
    p.end(may_be_killed=False)
    done, data, at = [], open(path, "rb").read(), 0
    while at < len(data):
        kind, name, offset, n = HEAD.unpack_from(data, at)
        at += HEAD.size
        done.append((kind.decode(), name.split(b"\0")[0].decode(), offset, data[at:at + n]))
        at += n
    return before, lines, done


def put(file, offset, data):
    if len(file) < offset:
        file.extend(bytes(offset - len(file)))
    file[offset:offset + len(data)] = data


class Disk:
    """What lies on the device for sure, and what may lie there."""

    def __init__(self, before):
        self.sure = {name: bytearray(data) for name, data in before.items()}
        self.maybe = {name: [] for name in before}

    def step(self, kind, name, offset, data):
        if name not in self.sure:
            return
        if kind == "F":
            self.maybe[name].append((offset, None))
        elif kind == "W":
            self.maybe[name].append((offset, data))
        elif kind == "S":
            for w in self.maybe[name]:
                self.apply(self.sure[name], *w)
            self.maybe[name] = []
        elif kind == "D":
            put(self.sure[name], offset, data)

    @staticmethod
    def apply(file, offset, data):
        if data is None:
            file.extend(bytes(max(0, offset - len(file))))
            del file[offset:]
        else:
            put(file, offset, data)

    def after(self, rng, how):
        files = {name: bytearray(data) for name, data in self.sure.items()}
        piece, share = rng.choice((512, 4096)), rng.choice((0.2, 0.5, 0.8))
        for name, writes in self.maybe.items():
            for offset, data in writes:
                if how == "kept" or (how == "parts" and data is None and rng.random() < share):
                    self.apply(files[name], offset, data)
                elif how == "parts" and data is not None:
                    for i in range(0, len(data), piece):
                        if rng.random() < share:
                            put(files[name], offset + i, data[i:i + piece])
        return files


def check_state(bench, files, told, ledger):
    os.makedirs(ledger)
    for name, data in files.items():
        if data:
            with open(os.path.join(ledger, name), "wb") as f:
                f.write(data)
    log = events(bench, ledger)
    check_acknowledged(fold(log)[1], told)
    check_balances(bench, ledger, log)
    check_verified(bench, ledger)


def one_round(bench, row, rng, work):
    before, lines, done = record(bench, rng, os.path.join(work, "l"), os.path.join(work, "record"))
    points = set(rng.sample(range(len(done) + 1), min(POINTS, len(done) + 1)))
    disk, printed, made = Disk(before), b"", 0
    for i in range(len(done) + 1):
        if i > 0:
            disk.step(*done[i - 1])
            printed += done[i - 1][3] if done[i - 1][0] == "A" else b""
        if i not in points:
            continue
        told = results(printed.decode())
        row.add("acknowledged", len(told))
        for how in ("dropped", "kept", "parts", "parts"):
            made += 1
            try:
                check_state(bench, disk.after(rng, how), told, os.path.join(work, "s%d" % made))
            except Failure as e:
                raise Failure(e.column, "after call %d of %d, what was not synced %s: %s" % (i, len(done), how, e)) from None
    row.add("rounds", made - 1)
