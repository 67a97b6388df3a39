#!/usr/bin/python3
"""init and backup that are killed, or fail, at each of their writes and syncs: what is left is a whole ledger or none, and in nobody's way.
And where a ledger may not lie: every file system of a network or a cluster.

usage: making.py JANGBU SHIM"""
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import check, checks, commands, preload, run  # noqa: E402

FEED = "\n".join(commands(60)) + "\n"
REFUSED = {"6969": "NFS", "ff534d42": "CIFS", "fe534d42": "SMB2", "517b": "SMB", "564c": "NCP", "5346414f": "AFS", "6b414653": "kAFS", "73757245": "Coda", "1021997": "9P",
           "c36400": "CephFS", "bd00bd0": "Lustre", "47504653": "GPFS", "19830326": "BeeGFS", "7461636f": "OCFS2", "1161970": "GFS2", "20030528": "OrangeFS"}
WARNED = {"65735546": "FUSE", "786f4256": "vboxsf", "53464846": "WSL"}
SILENT = ("ef53", "58465342", "9123683e", "1021994", "794c7630", "2fc12fc1")


def whole(jangbu, ledger, original=None):
    """A ledger with all that it had."""
    if run(jangbu, "audit", ledger).returncode != 0 or not os.path.exists(os.path.join(ledger, "secret")):
        return False
    return original is None or (run(jangbu, "log", ledger, "--json").stdout == run(jangbu, "log", original, "--json").stdout and
                                json.loads(run(jangbu, "balance", ledger, "W0", "--json").stdout)["name"] == "name of wallet 0")


def keyed(jangbu, words, dest):
    """Where names are sealed they can be read, from a key file that has its name; elsewhere there is none."""
    if "--operator" not in words:
        return not os.path.exists(dest + ".key") and not os.path.exists(dest + ".key.new")
    who = run(jangbu, "log", dest, "--people", "--json").stdout
    return '"root"' in who and os.path.exists(dest + ".key") and not os.path.exists(dest + ".key.new")


def remove(dest, key):
    shutil.rmtree(dest)
    for path in (key, key + ".new"):
        if os.path.exists(path):
            os.remove(path)


def key_files(jangbu, work):
    """Names that are taken, and by what."""
    dest, key = os.path.join(work, "keyed"), os.path.join(work, "keyed.key")
    init = ["init", "--roles=enforce", "--operator", "root", dest]

    def put(path, text="", mode=0o600):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    put(key, "mine")
    out = run(jangbu, *init)
    check("a key file is never written over", out.returncode == 1 and open(key).read() == "mine" and not os.path.exists(dest), out)
    os.remove(key)
    for title, text, mode in (("nothing", "", 0o600), ("half a line", "jangbu-key-1 00", 0o600), ("of another mode", "jangbu", 0o644), ("zeros", "\0" * 90, 0o600)):
        put(key + ".new", text, mode)
        out = run(jangbu, *init)
        check(f"what a killed one left, {title}, is written over", out.returncode == 0 and keyed(jangbu, init, dest) and os.stat(key).st_mode & 0o777 == 0o600, out)
        remove(dest, key)
    no_keys(jangbu, init, dest, key, put)
    # An init of another ledger is at it.
    with open(key + ".new", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        out = run(jangbu, *init)
        check("two at once", out.returncode == 3 and "another program" in out.stderr and not os.path.exists(dest), out)
    # A ledger that is there with its key's name still to get; and that of another ledger.
    other = os.path.join(work, "other")
    run(jangbu, *init)
    run(jangbu, *init[:-1], other)
    os.rename(key, key + ".new")
    check("whoever opens it gives it its name", keyed(jangbu, init, dest))
    os.remove(key)
    shutil.copy(other + ".key", key + ".new")
    out = run(jangbu, "charge", dest, "W", "C", "1000", "--actor", "root")
    check("another ledger's is not taken", out.returncode == 3 and "no key file" in out.stderr and os.path.exists(key + ".new"), out)
    remove(dest, key)
    remove(other, other + ".key")


def no_keys(jangbu, init, dest, key, put):
    """What lies under FILE.new and is no key is not touched, and said."""
    for title, make, remove_it in (("a text", lambda p: put(p, "mine\n"), os.remove), ("of another mode", lambda p: put(p, "x", 0o644), os.remove),
                                   ("a long one", lambda p: put(p, "jangbu-key-1 " + "x" * 2000), os.remove), ("a long one that begins with zeros", lambda p: put(p, "\0" * 4096 + "mine"), os.remove), ("a link", lambda p: os.symlink("elsewhere", p), os.remove),
                                   ("a directory", os.mkdir, os.rmdir), ("a pipe", os.mkfifo, os.remove)):
        made = key + ".new"
        make(made)
        before = os.lstat(made)
        for lang, words in (("en", "is no key"), ("ko", "키가 아닙니다")):
            out = run(jangbu, *init, "--lang", lang)
            check(f"{title} in the way, {lang}", out.returncode == 1 and words in out.stderr and made in out.stderr and not os.path.exists(dest) and
                  not os.path.exists(os.path.join(os.path.dirname(key), "elsewhere")), out)
        after = os.lstat(made)
        check(f"{title} is as it was", (before.st_ino, before.st_size, before.st_mode) == (after.st_ino, after.st_size, after.st_mode))
        remove_it(made)


def unopened(jangbu, work, name):
    """A ledger whose init was killed before its key had its name: the ledger, its id's first digits, its key file's text."""
    ledger, key = os.path.join(work, name), os.path.join(work, "k")
    run(jangbu, "init", "--roles=enforce", "--operator", "root", "--key-file", key, ledger)
    os.rename(key, key + ".new")
    with open(key + ".new", encoding="utf-8") as file:
        text = file.read()
    return ledger, text.split()[1][:8], text


def opens(jangbu, ledger, key):
    """Its names can be read, and a change of its key can be made."""
    shown = run(jangbu, "log", ledger, "--people", "--json", "--key-file", key).stdout
    return '"root"' in shown and run(jangbu, "people", "rotate", ledger, "--key-file", key).returncode == 0 and \
        '"root"' in run(jangbu, "log", ledger, "--people", "--json", "--key-file", key).stdout


def kept_keys(jangbu, shim, work):
    """A FILE.new may be the only key of a ledger that nobody has opened since: whoever finds it puts it aside, and its ledger finds it there."""
    key, env = os.path.join(work, "k"), preload(shim, work)
    init = ["init", "--roles=enforce", "--operator", "root", "--key-file", key]

    def clean():
        for name in os.listdir(work):
            if name == "k" or name.startswith("k."):
                os.remove(os.path.join(work, name))
        for name in ("one", "two"):
            shutil.rmtree(os.path.join(work, name), ignore_errors=True)

    one, digits, text = unopened(jangbu, work, "one")
    two = os.path.join(work, "two")
    out = run(jangbu, *init, two)
    check("an init beside another's key", out.returncode == 0 and open(f"{key}.new.{digits}").read() == text and not os.path.exists(key + ".new"), (out, os.listdir(work)))
    check("both open", opens(jangbu, two, key) and opens(jangbu, one, key) and opens(jangbu, two, key), os.listdir(work))
    check("the one that was put aside is used where it lies", json.loads(run(jangbu, "people", one, "--key-file", key, "--json").stdout)["key_file"] == f"{key}.new.{digits}")
    os.rename(key, key + ".gone")
    check("and gets its name where nobody has that", opens(jangbu, one, key) and os.path.exists(key) and not os.path.exists(f"{key}.new.{digits}"), os.listdir(work))
    clean()
    # Three of them, one after another; and one whose place is taken.
    one, digits, text = unopened(jangbu, work, "one")
    two, others, other_text = unopened(jangbu, work, "two")
    check("two that nobody opened", open(f"{key}.new.{digits}").read() == text and open(key + ".new").read() == other_text, os.listdir(work))
    shutil.copy(f"{key}.new.{digits}", f"{key}.new.{others}")
    out = run(jangbu, *init, os.path.join(work, "three"))
    check("a place aside that is taken", out.returncode == 1 and others in out.stderr and open(key + ".new").read() == other_text and open(f"{key}.new.{digits}").read() == text, out)
    shutil.copy(key + ".new", f"{key}.new.{others}")
    out = run(jangbu, *init, os.path.join(work, "three"))
    check("by the same key", out.returncode == 0 and opens(jangbu, two, key) and opens(jangbu, one, key), (out, os.listdir(work)))
    shutil.rmtree(os.path.join(work, "three"))
    clean()
    # Another ledger's FILE is there already: its changes of key do not remove what lies under FILE.new either.
    one, digits, text = unopened(jangbu, work, "one")
    os.rename(key + ".new", key + ".saved")
    run(jangbu, *init, two)
    os.rename(key + ".saved", key + ".new")
    check("a change of key beside another's", opens(jangbu, two, key) and open(f"{key}.new.{digits}").read() == text and opens(jangbu, one, key), os.listdir(work))
    os.rename(f"{key}.new.{digits}", key + ".new")
    check("under FILE.new, with another's FILE", opens(jangbu, one, key) and opens(jangbu, two, key), os.listdir(work))
    with open(key + ".new", "w", encoding="utf-8") as file:
        file.write("mine\n")
    out = run(jangbu, "people", "rotate", two, "--key-file", key)
    check("a change of key beside what is no key", out.returncode == 3 and "is no key" in out.stderr and open(key + ".new").read() == "mine\n", out)
    os.remove(key + ".new")
    check("and goes on without it", opens(jangbu, two, key))
    clean()
    # Killed at each call, and each call failing.
    for fault in ({"JB_SHIM_KILL": None}, {"JB_SHIM_FAIL": None, "JB_SHIM_ERRNO": "28"}, {"JB_SHIM_FAIL": None, "JB_SHIM_ERRNO": "5"}):
        for n in range(1, 300):
            one, digits, text = unopened(jangbu, work, "one")
            count = os.path.join(work, "count")
            out = run(jangbu, *init, two, env={**env, "JB_SHIM_COUNT": count, **{k: v or str(n) for k, v in fault.items()}})
            name = f"init beside another's key with {fault} at {n}"
            kept = [p for p in (key + ".new", f"{key}.new.{digits}") if os.path.exists(p) and open(p).read() == text]
            check(f"{name}: it is kept", kept != [], os.listdir(work))
            if not os.path.exists(os.path.join(two, "log.mdb")):
                again = run(jangbu, *init, two)
                check(f"{name}: the next one works", again.returncode == 0, again)
            check(f"{name}: both open", opens(jangbu, two, key) and opens(jangbu, one, key), os.listdir(work))
            clean()
            if out.returncode == 0 and n > int(open(count).read()):
                break


def at_each(jangbu, shim, work, original):
    env = preload(shim, work)
    for words in (["init"], ["init", "--roles=enforce", "--operator", "root"], ["backup", original]):
        dest = os.path.join(work, words[0])
        key = dest + ".key"
        for fault in ({"JB_SHIM_KILL": None}, {"JB_SHIM_FAIL": None, "JB_SHIM_ERRNO": "28"}, {"JB_SHIM_FAIL": None, "JB_SHIM_ERRNO": "5"}):
            n = 0
            while n < 300:
                n += 1
                count = os.path.join(work, "count")
                out = run(jangbu, *words, dest, env={**env, "JB_SHIM_COUNT": count, **{k: v or str(n) for k, v in fault.items()}})
                name = f"{words[0]} with {fault} at {n}"
                if out.returncode == 0:
                    check(f"{name}: its key", keyed(jangbu, words, dest), os.listdir(work))
                    check(f"{name}: whole", whole(jangbu, dest, original if words[0] == "backup" else None))
                    remove(dest, key)
                    if n <= int(open(count).read()):
                        continue  # a call that may fail: room for what is to come
                    break
                log = os.path.join(dest, "log.mdb")
                if "JB_SHIM_KILL" in fault:
                    check(f"{name}: killed", out.returncode == -9, (out.returncode, out.stderr))
                    if os.path.exists(log):
                        check(f"{name}: its key", keyed(jangbu, words, dest), os.listdir(work))
                        check(f"{name}: what has a log is whole", whole(jangbu, dest, original if words[0] == "backup" else None), os.listdir(dest))
                        remove(dest, key)
                        continue
                    check(f"{name}: no key has its name yet", not os.path.exists(key))
                    refused = run(jangbu, "balance", dest, "W0")
                    check(f"{name}: what has none is no ledger", refused.returncode == 3, (refused.returncode, refused.stderr))
                else:
                    check(f"{name}: said", out.returncode == 3 and out.stderr != "", (out.returncode, out.stderr))
                    check(f"{name}: nothing is left", not os.path.exists(dest), os.path.exists(dest) and os.listdir(dest))
                    check(f"{name}: no key is left", not os.path.exists(key) and not os.path.exists(key + ".new"), os.listdir(work))
                again = run(jangbu, *words, dest)
                check(f"{name}: the next one works", again.returncode == 0 and sorted(f for f in os.listdir(dest) if f.startswith(".")) == [], again.stderr)
                check(f"{name}: its key", keyed(jangbu, words, dest), os.listdir(work))
                check(f"{name}: and is whole", whole(jangbu, dest, original if words[0] == "backup" else None))
                remove(dest, key)
            check(f"{words[0]}: the faults were there, and an end of them", 5 < n < 300, n)


def in_the_way(jangbu, work, original):
    """What somebody else may have put there is not touched."""
    for content in (["secret"], ["people.mdb"], ["x"], [".making", "x"], ["log.mdb"]):
        dest = os.path.join(work, "in-the-way")
        os.mkdir(dest)
        for name in content:
            (os.mkdir if name == ".making" else lambda p: open(p, "w").close())(os.path.join(dest, name))
        before = sorted(os.listdir(dest))
        for words in (["init", dest], ["backup", original, dest]):
            out = run(jangbu, *words)
            check(f"{words[0]} beside {content}", out.returncode == 1 and sorted(os.listdir(dest)) == before, (out.returncode, out.stderr, os.listdir(dest)))
        shutil.rmtree(dest)
    dest = os.path.join(work, "at-once")
    os.mkdir(dest)
    outs = []
    threads = [threading.Thread(target=lambda: outs.append(run(jangbu, "init", dest).returncode)) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("of many inits at once one makes the ledger", outs.count(0) == 1 and set(outs) <= {0, 1, 3} and run(jangbu, "audit", dest).returncode == 0, outs)


def places(jangbu, shim, work, original):
    env = preload(shim, work)
    dest = os.path.join(work, "place")
    for kind, name in REFUSED.items():
        for words in (["init", dest], ["balance", original, "W0"], ["charge", original, "W0", "P" + kind, "5000"]):
            out = run(jangbu, *words, env={**env, "JB_SHIM_FSTYPE": kind})
            check(f"{words[0]} on {name}", out.returncode == 3 and f"({name})" in out.stderr and not os.path.exists(dest), (out.returncode, out.stderr))
    for kind, name in WARNED.items():
        for words in (["init", dest], ["balance", original, "W0"]):
            out = run(jangbu, *words, env={**env, "JB_SHIM_FSTYPE": kind})
            check(f"{words[0]} on {name} warns", out.returncode == 0 and "warning" in out.stderr and name in out.stderr, (out.returncode, out.stderr))
        shutil.rmtree(dest)
    for kind in SILENT:
        out = run(jangbu, "balance", original, "W0", env={**env, "JB_SHIM_FSTYPE": kind})
        check(f"a local file system ({kind})", out.returncode == 0 and out.stderr == "", (out.returncode, out.stderr))


def overlay(jangbu, work, original):
    """Who follows a log of a lower layer sees what is written after the first write has put it into the upper one."""
    lower, upper, space, place = (os.path.join(work, "overlay-" + n) for n in ("lower", "upper", "work", "place"))
    for path in (upper, space, place):
        os.mkdir(path)
    shutil.copytree(original, os.path.join(lower, "l"))
    options = f"lowerdir={lower},upperdir={upper},workdir={space}"
    if subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", place], capture_output=True).returncode != 0:
        checks["skipped"] += 1
        print("skipped: an overlay: no right to mount one here")
        return
    try:
        ledger = os.path.join(place, "l")
        follow = subprocess.Popen([jangbu, "log", ledger, "--follow", "--json"], stdout=subprocess.PIPE, text=True)
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(follow.stdout))
        reader.start()
        time.sleep(0.5)
        before = len(seen)
        out = run(jangbu, "charge", ledger, "W0", "O1", "5000")
        time.sleep(0.7)
        follow.kill()
        follow.wait()
        reader.join()
        check("a follower on an overlay sees what is written after it began", before > 0 and len(seen) > before and out.returncode == 0, (before, len(seen), out.stderr))
    finally:
        subprocess.run(["umount", place])


def main():
    jangbu, shim = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as work:
        original = os.path.join(work, "original")
        run(jangbu, "init", original)
        run(jangbu, "apply", original, "--clock=at", feed=FEED)
        at_each(jangbu, shim, work, original)
        in_the_way(jangbu, work, original)
        key_files(jangbu, work)
        kept_keys(jangbu, shim, work)
        places(jangbu, shim, work, original)
        overlay(jangbu, work, original)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**checks))
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
