#!/usr/bin/python3
"""Where a ledger may lie and what may have happened to its files: a full disk, a read-only file system, projections that are gone, foreign or
damaged, an older log put back, a lost secret, other time zones, little address space.

usage: places.py JANGBU"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

import lmdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import check, checks, commands, figures, results, run  # noqa: E402

FEED = "\n".join(commands(120)) + "\n"


def new(jangbu, work, name):
    ledger = os.path.join(work, name)
    run(jangbu, "init", ledger)
    out = run(jangbu, "apply", ledger, "--clock=at", feed=FEED)
    return ledger, results(out.stdout), figures(jangbu, ledger)


def mount(kind, options, source, target):
    return subprocess.run(["mount", "-t", kind, "-o", options, source, target], capture_output=True).returncode == 0


def full_disk(jangbu, work):
    place = os.path.join(work, "small")
    os.mkdir(place)
    if not mount("tmpfs", "size=1m", "none", place):
        checks["skipped"] += 1
        print("skipped: full disk: no right to mount")
        return
    try:
        ledger = os.path.join(place, "l")
        run(jangbu, "init", ledger)
        first = run(jangbu, "apply", ledger, "--clock=at", feed=FEED)
        acknowledged = results(first.stdout)
        more = "\n".join(json.dumps({"op": "consume", "wallet": "W0", "usage": "F%d" % i + "x" * 50, "amount": 1, "overdraft": True, "key": "full-%d" % i,
                                     "at": "2026-11-01T00:00:00+09:00"}) for i in range(20000)) + "\n"
        out = run(jangbu, "apply", ledger, "--clock=at", feed=more)
        acknowledged.update(results(out.stdout))
        check("a full disk ends with 3 and a sentence", out.returncode == 3 and "no space left" in out.stderr, (out.returncode, out.stderr))
        log = [json.loads(line) for line in run(jangbu, "log", ledger, "--json").stdout.splitlines()]
        seqs = {e["key"]: e["seq"] for e in log if "key" in e}
        lost = [k for k, r in acknowledged.items() if "seq" in r and seqs.get(k) != r["seq"]]
        check("nothing acknowledged is lost on a full disk", not lost and len(acknowledged) > len(FEED.splitlines()) // 2, lost[:3])
        subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
        out = run(jangbu, "apply", ledger, "--clock=at", feed=more)
        check("with room again the same input settles", out.returncode == 0 and len(results(out.stdout)) == 20000, (out.returncode, out.stderr))
        check("and the audit agrees", run(jangbu, "audit", ledger).returncode == 0)
    finally:
        subprocess.run(["umount", place])


def read_only(jangbu, work):
    ledger, _, before = new(jangbu, work, "ro")
    place = os.path.join(work, "mnt")
    os.mkdir(place)
    if subprocess.run(["mount", "--bind", ledger, place], capture_output=True).returncode != 0 or subprocess.run(
            ["mount", "-o", "remount,ro,bind", place], capture_output=True).returncode != 0:
        checks["skipped"] += 1
        print("skipped: read-only file system: no right to mount")
        return
    try:
        check("reads work on a read-only file system", figures(jangbu, place) == before)
        out = run(jangbu, "consume", place, "W0", "U", "1")
        check("writes say why they do not", out.returncode == 3 and "read" in out.stderr, (out.returncode, out.stderr))
        check("audit works there", run(jangbu, "audit", place).returncode == 0)
    finally:
        subprocess.run(["umount", place])


def projections(jangbu, work):
    ledger, _, before = new(jangbu, work, "views")
    other, _, _ = new(jangbu, work, "other")
    for files in (["views.mdb", "views.mdb-lock"], ["state.mdb", "state.mdb-lock"], ["views.mdb", "views.mdb-lock", "state.mdb", "state.mdb-lock", "HEAD"]):
        for name in files:
            os.remove(os.path.join(ledger, name))
        check("deleted between two uses: " + files[0], figures(jangbu, ledger) == before)
        run(jangbu, "rebuild", ledger)
    for name in ("views.mdb", "state.mdb"):
        shutil.copy(os.path.join(other, name), os.path.join(ledger, name))
        check("another ledger's " + name, figures(jangbu, ledger) == before)
        check("audit names it: " + name, run(jangbu, "audit", ledger).returncode in (0, 1))
        out = run(jangbu, "rebuild", ledger)
        check("rebuild mends it: " + name, out.returncode == 0 and run(jangbu, "audit", ledger).returncode == 0, out.stdout + out.stderr)
        with open(os.path.join(ledger, name), "wb") as f:
            f.write(os.urandom(40000))
        check("garbage as " + name, figures(jangbu, ledger) == before, run(jangbu, "balance", ledger, "W0").stderr)
        out = run(jangbu, "rebuild", ledger)
        check("rebuild mends garbage: " + name, out.returncode == 0 and run(jangbu, "audit", ledger).returncode == 0, out.stdout + out.stderr)


def rollback(jangbu, work):
    ledger = os.path.join(work, "back")
    run(jangbu, "init", ledger)
    lines = FEED.splitlines()
    run(jangbu, "apply", ledger, "--clock=at", feed="\n".join(lines[:60]) + "\n")
    old = os.path.join(work, "old.mdb")
    subprocess.run(["mdb_copy", "-n", os.path.join(ledger, "log.mdb"), old], check=True)
    run(jangbu, "apply", ledger, "--clock=at", feed=FEED)
    for gone in ((), ("views.mdb", "views.mdb-lock", "state.mdb", "state.mdb-lock")):
        shutil.copy(old, os.path.join(ledger, "log.mdb"))
        os.remove(os.path.join(ledger, "log.mdb-lock"))
        for name in gone:
            os.remove(os.path.join(ledger, name))
        out = run(jangbu, "consume", ledger, "W0", "U", "1")
        check("an older log is noticed" + (" by HEAD alone" if gone else ""), out.returncode == 3 and "--accept-rollback" in out.stderr, out.stderr)
        check("the audit says so", run(jangbu, "audit", ledger).returncode == 1)
        for words in (("stat", ledger), ("log", ledger), ("backup", ledger, ledger + "-" + str(len(gone)))):
            out = run(jangbu, *words)
            check(f"{words[0]} warns of an older log", "put back to an older state" in out.stderr, (out.returncode, out.stderr))
        out = run(jangbu, "rebuild", ledger, "--accept-rollback")
        check("the operator accepts it", out.returncode == 0, out.stdout + out.stderr)
        again = run(jangbu, "apply", ledger, "--clock=at", feed=FEED)
        check("and the ledger goes on", again.returncode in (0, 1) and run(jangbu, "audit", ledger).returncode == 0, again.stderr)


def secret(jangbu, work):
    ledger, first, _ = new(jangbu, work, "secret")
    os.remove(os.path.join(ledger, "secret"))
    out = [json.loads(line) for line in run(jangbu, "apply", ledger, "--clock=at", feed=FEED).stdout.splitlines()]
    check("without the secret known keys get their first result", all(r.get("content_checked") is False for r in out) and len(out) == len(first), out[0])
    out = run(jangbu, "audit", ledger, "--json")
    check("and the audit could not tell", json.loads(out.stdout)["verdict"] == "unknown" and out.returncode == 3, out.stdout[:200])
    other, _, _ = new(jangbu, work, "secret-other")
    with open(os.path.join(other, "secret"), "rb") as f:
        foreign = f.read()
    for name, content in (("empty", b""), ("cut short", foreign[:96]), ("damaged", os.urandom(len(foreign))), ("another ledger's", foreign)):
        ledger, first, _ = new(jangbu, work, "secret-" + name.replace(" ", "-"))
        with open(os.path.join(ledger, "secret"), "wb") as f:
            f.write(content)
        out = [json.loads(line) for line in run(jangbu, "apply", ledger, "--clock=at", feed=FEED).stdout.splitlines()]
        check(f"a secret that is {name} is as a lost one", all(r.get("content_checked") is False for r in out) and len(out) == len(first), out[0])
        out = run(jangbu, "audit", ledger)
        check(f"and the audit says so ({name})", out.returncode == 3 and "damaged, or another ledger's" in out.stdout, out.stdout)
        out = run(jangbu, "backup", ledger, ledger + "-copy")
        check(f"and the backup does not say that it has it ({name})", out.returncode == 0 and "not copied: secret" in out.stdout, out.stdout)


def empty_files(jangbu, work):
    """A file of no bytes is one that is not there."""
    for name in ("views.mdb", "state.mdb", "people.mdb"):
        ledger, _, before = new(jangbu, work, "empty-" + name)
        with open(os.path.join(ledger, name), "wb"):
            pass
        after = figures(jangbu, ledger)
        check(f"an empty {name} changes no figure", after == before, after)
        out = run(jangbu, "audit", ledger)
        check(f"and the audit passes ({name})", out.returncode == 0 and "Bad file" not in out.stdout + out.stderr, out.stdout + out.stderr)
        with open(os.path.join(ledger, name), "wb"):
            pass
        out = run(jangbu, "audit", ledger)
        check(f"also before anything else has read it ({name})", out.returncode == 0 and "Bad file" not in out.stdout + out.stderr, out.stdout + out.stderr)


def older_stores(jangbu, work):
    """state.mdb and views.mdb as an earlier version wrote them: not read, not called damaged, made again by the next who writes."""
    ledger, _, before = new(jangbu, work, "older")
    ledger_id = bytes.fromhex(json.loads(run(jangbu, "log", ledger, "--json").stdout.splitlines()[0])["ledger_id"])
    for name in ("state.mdb", "views.mdb"):
        for end in ("", "-lock"):
            os.remove(os.path.join(ledger, name + end))
        with lmdb.open(os.path.join(ledger, name), subdir=False, max_dbs=4) as env, env.begin(write=True) as txn:
            txn.put(b"meta", struct.pack(">II16sQ16s", 1, 0, ledger_id, 5, bytes(16)))
            txn.put(b"g", b"x", db=env.open_db(b"0/globals", txn=txn))
    out = run(jangbu, "audit", ledger)
    check("an older version's stores are not checked", out.returncode == 0 and "of another version" in out.stdout, out.stdout + out.stderr)
    check("and not read", figures(jangbu, ledger) == before, figures(jangbu, ledger))
    out = run(jangbu, "charge", ledger, "W0", "new", "5000", "--accept-clock")
    check("who writes makes them again", out.returncode == 0, out.stdout + out.stderr)
    out = run(jangbu, "audit", ledger)
    check("and they are checked", out.returncode == 0 and "state.mdb" not in out.stdout, out.stdout)


def another_user(jangbu, work):
    """A ledger is private to its owner, and says so."""
    ledger, _, _ = new(jangbu, work, "private")
    modes = {name: oct(os.stat(os.path.join(ledger, name)).st_mode & 0o777) for name in os.listdir(ledger) if name != "state"}
    check("nobody else can read a file of it", set(modes.values()) == {"0o600"}, modes)
    if os.getuid() != 0:
        print("skipped: another user: only root can become one")
        checks["skipped"] += 1
        return
    os.chmod(work, 0o755)
    program = os.path.join(work, "jangbu")
    shutil.copy(jangbu, program)
    for mode, part in ((0o755, "user who owns its files"), (0o700, "not allowed to look into")):
        os.chmod(ledger, mode)
        try:
            out = subprocess.run([program, "balance", ledger, "W0"], capture_output=True, text=True, user="nobody")
        except PermissionError:
            print(f"skipped: another user: nobody cannot get to {work}")
            checks["skipped"] += 1
            return
        check("another user is told why not, and what to do", out.returncode == 3 and part in out.stderr and "auditor a backup" in out.stderr, out.stderr)


def people(jangbu, work):
    ledger, _, before = new(jangbu, work, "people")
    run(jangbu, "grant", ledger, "W0", "GX", "5", "--expires-on", "2099-01-01", "--reason", "reason in words", "--actor", "operator-by-name:OPERATOR")
    personal = [b"name of wallet 0", b"master-of-wallet-3", b"note on wallet 1", b"reason in words", b"operator-by-name"]
    before = figures(jangbu, ledger)
    files = {n: open(os.path.join(ledger, n), "rb").read() for n in os.listdir(ledger) if n != "state"}
    check("personal text is in people.mdb", all(text in files["people.mdb"] for text in personal))
    check("and in no other file", not any(text in data for n, data in files.items() if n != "people.mdb" for text in personal))
    os.remove(os.path.join(ledger, "people.mdb"))
    os.remove(os.path.join(ledger, "people.mdb-lock"))
    check("forgetting everyone changes no figure", figures(jangbu, ledger) == before)
    name = json.loads(run(jangbu, "balance", ledger, "W0", "--json").stdout)["name"]
    check("a forgotten name is said to be one", name is None and "(forgotten)" in run(jangbu, "balance", ledger, "W0").stdout)
    check("and new people can be known", run(jangbu, "wallet", "create", ledger, "WX", "--kind", "PERSONAL", "--name", "new").returncode == 0)
    modes = {n: oct(os.stat(os.path.join(ledger, n)).st_mode & 0o777) for n in os.listdir(ledger) if n != "state"}
    check("files are for their owner alone", set(modes.values()) == {"0o600"}, modes)


def zones(jangbu, work):
    logs = []
    for zone in ("Asia/Seoul", "America/St_Johns", "UTC"):
        ledger = os.path.join(work, "tz" + zone.replace("/", ""))
        run(jangbu, "init", ledger, env={"TZ": zone})
        run(jangbu, "apply", ledger, "--clock=at", feed=FEED, env={"TZ": zone})
        events = [json.loads(line) for line in run(jangbu, "log", ledger, "--json", env={"TZ": zone}).stdout.splitlines()]
        logs.append(events[1:])  # the first holds the random id
    check("time zones of the machine do not matter", logs[0] == logs[1] == logs[2])


def pools(pid):
    """What glibc has set aside for threads of their own: 64 MiB of addresses at a multiple of that, part of it in use."""
    size, found, before = 64 << 20, [], (0, 0)
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        for line in f:
            span, _, _, _, inode = line.split()[:5]
            first, end = (int(n, 16) for n in span.split("-"))
            if inode == "0" and before[0] % size == 0 and before[1] == first and end - before[0] == size:
                found.append(line)
            before = first, end
    return found


def limited(jangbu, work):
    """Address space is limited (ulimit -v): less is reserved, what can be done is done, and what cannot is said."""
    with open(jangbu, "rb") as f:
        program = f.read()
    if b"__asan_init" in program or b"__tsan_init" in program:
        checks["skipped"] += 1
        print("skipped: limited address space: a sanitizer needs it all")
        return
    ledger, _, expected = new(jangbu, work, "limited")
    script = 'ulimit -v 400000; "$1" charge "$2" W0 small 5000 --at 2026-10-06T00:00:00+09:00 --dry-run >&2; "$1" audit "$2" && "$1" rebuild "$2" && "$1" balance "$2" --all --json'
    out = run("sh", "-c", script, "sh", jangbu, ledger)
    check("a limited address space does", out.returncode == 0 and "verified: form, sums, rules" in out.stdout and "rebuild: identical" in out.stdout, out.stdout + out.stderr)
    apply = subprocess.Popen(["sh", "-c", 'ulimit -v 300000; exec "$1" apply "$2" --dry-run', "sh", jangbu, ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    apply.stdin.write(json.dumps({"op": "consume", "wallet": "W0", "usage": "pools", "amount": 1, "overdraft": True}) + "\n")
    apply.stdin.flush()
    apply.stdout.readline()
    check("threads set none of it aside for themselves", not pools(apply.pid), pools(apply.pid))
    apply.communicate()
    for limit in (300000, 208000, 104000):
        lines = "".join(json.dumps({"op": "consume", "wallet": "W0", "usage": "v%d" % limit, "amount": 1, "overdraft": True}) + "\n" for _ in range(3))
        copy = os.path.join(work, "limited-%d" % limit)
        # The stacks of the threads that a copy needs: with 104 MB they are a matter of chance, and so it is not asked.
        backup = ' && "$1" backup "$2" "$3"' if limit > 200000 else ""
        script = f'ulimit -v {limit}; "$1" apply "$2" && "$1" rebuild "$2"{backup}'
        out = run("sh", "-c", script, "sh", jangbu, ledger, copy, feed=lines)
        check(f"{limit} kB are enough for apply, rebuild and, above 200 MB, backup", out.returncode == 0, out.stdout + out.stderr)
    expected = figures(jangbu, ledger)
    for limit in (20000, 8000, 6000, 5000, 4000):
        out = run("sh", "-c", f'ulimit -v {limit}; "$1" balance "$2" W0', "sh", jangbu, ledger)
        check(f"one too small is said to be ({limit} kB)", out.returncode in (0, 1, 3, 127) and (out.returncode == 0 or out.stderr.strip() != ""), (out.returncode, out.stdout + out.stderr))
    check("and nothing is lost", figures(jangbu, ledger) == expected)


def main():
    jangbu = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        for part in (full_disk, read_only, projections, rollback, secret, empty_files, older_stores, another_user, people, zones, limited):
            part(jangbu, work)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**checks))
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
