#!/usr/bin/python3
"""What the kernel sees of `jangbu apply`, by strace: one pair of syncs for each commit (LMDB's data, then its meta page through a descriptor that
syncs by itself), no commit of more than 8,192 events, and no result printed before the commit that it stands in is synced. And of `jangbu backup`:
its files and directories are synced.

usage: syncs.py JANGBU"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

WALLETS, LINES, COMMIT_EVENTS_MAX = 50, 30000, 8192
CALL = re.compile(r"^\d+ +(\w+)\((\d+)<([^>]*)>(?:, \"((?:\\x..)*)\")?")


def plain(text):
    """strace -xx writes all text as \\x41."""
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()


def calls(trace):
    """(call, descriptor, file's name, bytes) of each call in order of its end."""
    begun = {}
    with open(trace, encoding="ascii") as lines:
        for line in lines:
            thread = line.split(" ", 1)[0]
            if "<unfinished ...>" in line:
                begun[thread] = line.replace(" <unfinished ...>", "").rstrip("\n")
                continue
            if "resumed>" in line:
                line = begun.pop(thread) + line.split("resumed>", 1)[1]
            m = CALL.match(line)
            if m:
                yield m[1], int(m[2]), os.path.basename(plain(m[3]).decode()), plain(m[4] or "")


def main():
    jangbu, failed = os.path.abspath(sys.argv[1]), 0

    def check(what, ok, detail):
        nonlocal failed
        failed += not ok
        print(f"{what}: {detail}{'' if ok else ' -- NOT AS IT MUST BE'}")

    if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
        print("skipped: strace is not here, or may not trace")
        return 77
    with tempfile.TemporaryDirectory() as work:
        ledger, trace = os.path.join(work, "l"), os.path.join(work, "trace")
        subprocess.run([jangbu, "init", ledger], check=True, stdout=subprocess.DEVNULL)
        create = "".join('{"op":"wallet.create","wallet":"W%d","kind":"BUSINESS","name":"w"}\n' % i for i in range(WALLETS))
        subprocess.run([jangbu, "apply", ledger], input=create, text=True, check=True, stdout=subprocess.DEVNULL)
        before = json.loads(subprocess.run([jangbu, "stat", ledger, "--json"], capture_output=True, check=True).stdout)["events"]
        feed = "".join('{"op":"consume","wallet":"W%d","usage":"U%07d","amount":7,"overdraft":true}\n' % (i % WALLETS, i) for i in range(LINES))
        out = subprocess.run(["strace", "-f", "-y", "-xx", "-s", "1500000", "-e", "trace=write,pwrite64,pwritev,fsync,fdatasync,msync", "-o", trace, jangbu, "apply", ledger],
                             input=feed, text=True, capture_output=True)
        assert out.returncode == 0, out.stderr
        data_syncs = meta_writes = printed = 0
        growing, growths = set(), 0
        commits, early, seq, log_data_descriptor = [], 0, before, None
        for call, descriptor, name, data in calls(trace):
            if name == "log.mdb" and data and not data.strip(b"\0") and descriptor != log_data_descriptor:
                growing.add(descriptor)  # room for later commits, in zeros
            if descriptor in growing and name == "log.mdb":
                if call == "fdatasync":
                    growths += 1
                    growing.discard(descriptor)
                continue
            if name == "log.mdb" and call in ("fdatasync", "fsync", "msync"):
                data_syncs += 1
                log_data_descriptor = descriptor
            elif name == "log.mdb" and log_data_descriptor not in (None, descriptor):
                meta_writes += 1
            elif name == "HEAD" and call == "pwrite64":
                now = int.from_bytes(data[24:32], "big")
                commits.append(now - seq)
                seq = now
            elif call == "write" and data.startswith(b'{"ok":true'):
                numbers = [int(n) for n in re.findall(rb'"seq":(\d+)', data)]
                printed += len(numbers)
                early += any(n > seq for n in numbers)
        check("commits", len(commits) >= LINES / COMMIT_EVENTS_MAX and sum(commits) == LINES, f"{len(commits)} of {sum(commits)} events")
        check("times that the file grew", 0 < growths <= len(commits) + 1, growths)
        check("the largest", 0 < max(commits) <= COMMIT_EVENTS_MAX, max(commits))
        check("syncs of data, writes of the meta page", data_syncs == meta_writes == len(commits), (data_syncs, meta_writes))
        check("results printed before their commit was synced", early == 0 and printed == LINES, f"{early}, of {printed} results")
        copy = os.path.join(work, "copy")
        out = subprocess.run(["strace", "-f", "-y", "-xx", "-e", "trace=fsync", "-o", trace, jangbu, "backup", ledger, copy], capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
        synced = {name for _, _, name, _ in calls(trace)}
        wanted = {"log.mdb", "people.mdb", "secret", "copy", os.path.basename(work)}
        check("a backup syncs its files, its directory and the one above", wanted <= synced, sorted(synced & wanted))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
