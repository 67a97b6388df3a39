#!/usr/bin/python3
"""jangbu restore: what it says beforehand is what is so afterwards; what was there is kept; what is in use, another ledger's, or no
backup is refused and nothing changed; a ledger that cannot be read, one that is behind, one that went another way; people.mdb and its key;
files that are damaged; links; a restore that is killed at any call.

usage: restore.py PROGRAM"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

JANGBU = os.path.abspath(sys.argv[1])
failures = []
# Who is traced cannot be looked at for leaks, and ends with an error where that is asked for.
TRACED = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def check(what, ok, detail=""):
    if not ok:
        failures.append(what)
        print(f"failed: {what}: {str(detail)[:700]}")


class Place:
    """A directory of its own."""

    def __init__(self, work, name):
        self.at = os.path.join(work, name)
        os.mkdir(self.at)

    def run(self, *args, text=None):
        return subprocess.run([JANGBU, *args], cwd=self.at, capture_output=True, text=True, input=text, check=False)

    def json(self, *args):
        done = self.run(*args, "--json")
        return json.loads(done.stdout) if done.stdout else {"rc": done.returncode, "stderr": done.stderr}

    def made(self, *init):
        self.run("init", "l", *init)
        self.run("wallet", "create", "l", "W1", "--kind", "PERSONAL", "--name", "first")
        self.run("charge", "l", "W1", "C1", "50000", "--key", "c1")
        self.run("backup", "l", "b")
        return self

    def more(self):
        self.run("consume", "l", "W1", "U1", "20000", "--key", "u1")
        self.run("wallet", "create", "l", "W2", "--kind", "PERSONAL", "--name", "second")
        self.run("charge", "l", "W2", "C2", "7000")
        return self

    def files(self):
        return sorted(os.listdir(self.at))


def figures(place, ledger):
    totals, head = place.json("totals", ledger), place.json("stat", ledger)
    return {"seq": head["events"], "recorded_at": head["recorded_at"], "wallets": totals["wallets"], "paid": totals["paid"], "debt": totals["debt"],
            "free": totals["free"], "free_dormant": totals["free_dormant"], "refund_in_transit": totals["refund_in_transit"]}


def plain(work):
    p = Place(work, "plain").made().more()
    before, of_backup = figures(p, "l"), figures(p, "b")
    said = p.json("restore", "l", "b", "--dry-run")
    check("the preview", said["now"] == before and said["backup"] == of_backup and said["events_lost"] == 3 and said["keys_lost"] == 1 and said["wallets_changed"] == 2
          and said["events_gained"] == 0 and said["history"] == "same" and said["replaced"] is None and said["dry_run"] is True, said)
    check("changes nothing", p.files() == ["b", "l"] and figures(p, "l") == before, p.files())
    text = p.run("restore", "l", "b", "--dry-run").stdout
    check("and in words", "lost: 3 event(s), all after event 12, of 2 wallet(s); 1 of them have a key" in text and "37,000" in text and "50,000" in text, text)
    check("in Korean", "사라지는 이벤트: 3건" in p.run("restore", "l", "b", "--dry-run", "--lang", "ko").stdout)
    done = p.json("restore", "l", "b")
    check("it is what was said", figures(p, "l") == of_backup and done["events_lost"] == 3 and done["replaced"].endswith("l.replaced"), done)
    check("what was there is kept", figures(p, "l.replaced") == before and p.files() == ["b", "l", "l.replaced"], p.files())
    check("the audit verifies", p.run("audit", "l").returncode == 0)
    again = json.loads(p.run("apply", "l", text='{"op":"consume","wallet":"W1","usage":"U1","amount":20000,"key":"u1"}\n').stdout)
    check("the key that is lost is done anew", again["ok"] and "duplicate" not in again, again)
    known = json.loads(p.run("apply", "l", text='{"op":"charge","wallet":"W1","charge":"C1","amount":50000,"key":"c1"}\n').stdout)
    check("the key from before keeps its answer", known.get("duplicate") is True, known)
    second = p.run("restore", "l", "b")
    check("a second one keeps the first's", second.returncode == 1 and "l.replaced is there" in second.stderr and p.files() == ["b", "l", "l.replaced"], second)


def refused(work):
    p = Place(work, "refused").made().more()
    before = figures(p, "l")
    other = Place(work, "other").made()
    for what, args, code, words in (("another ledger's", ("l", other.at + "/b"), 1, "backup of another ledger"), ("none", ("l", "nothing"), 1, "nothing is not there"),
                                    ("no ledger", ("l", "."), 1, "is not a ledger"), ("one argument", ("l",), 2, "takes the place"), ("itself", ("l", "l"), 1, "the ledger itself")):
        out = p.run("restore", *args,)
        check(f"refused: {what}", out.returncode == code and words in out.stderr, out)
    holder = subprocess.Popen([JANGBU, "log", "l", "--follow"], cwd=p.at, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    holder.stdout.readline()
    out = p.run("restore", "l", "b")
    check("in use", out.returncode == 1 and "in use" in out.stderr, out)
    check("the preview needs no end of it", p.run("restore", "l", "b", "--dry-run").returncode == 0)
    for name in ("state.mdb", "state.mdb-users", "state.mdb-lock"):
        os.remove(os.path.join(p.at, "l", name))
    out = p.run("restore", "l", "b")
    check("in use by who has no state.mdb", out.returncode == 1 and "in use" in out.stderr, out)
    holder.terminate()
    holder.wait()
    check("nothing changed", figures(p, "l") == before and p.files() == ["b", "l"], p.files())


def others(work):
    p = Place(work, "new").made()
    check("into a new place", p.json("restore", "elsewhere", "b")["now"] is None and figures(p, "elsewhere") == figures(p, "b") and "elsewhere.replaced" not in p.files(), p.files())
    p = Place(work, "behind").made().more()
    p.run("backup", "l", "late")
    p.run("restore", "l", "b")
    shutil.rmtree(os.path.join(p.at, "l.replaced"))
    said = p.json("restore", "l", "late")
    check("one that is behind", said["events_gained"] == 3 and said["events_lost"] == 0 and said["history"] == "same" and figures(p, "l") == figures(p, "late"), said)
    p.run("restore", "l", "b")
    shutil.rmtree(os.path.join(p.at, "l.replaced"))
    p.run("restore", "l", "b")
    p.run("wallet", "create", "l", "W7", "--kind", "PERSONAL", "--name", "another", "--key", "w7")
    p.run("charge", "l", "W1", "C9", "900", "--key", "c9")
    said, text = p.json("restore", "l", "late", "--dry-run"), p.run("restore", "l", "late", "--dry-run").stdout
    check("one that went another way", said["history"] == "other" and "different ways" in text and said["people"] == "backup" and said["people_why"] == "other", said)
    check("and what that costs", said["events_lost"] == 2 and said["keys_lost"] == 2 and said["wallets_changed"] == 2 and said["events_gained"] == 3
          and "lost: 2 event(s), all after event 12" in text, (said, text))


def people(work):
    """people.mdb is the one that goes with the log that is there afterwards."""
    p = Place(work, "ahead").made()
    shutil.copytree(os.path.join(p.at, "b"), os.path.join(p.at, "old"))
    p.more().run("backup", "l", "late")
    wanted = p.run("log", "l", "--people").stdout
    shutil.rmtree(os.path.join(p.at, "l"))
    p.run("restore", "l", "old")
    said, text = p.json("restore", "l", "late", "--dry-run"), p.run("restore", "l", "late", "--dry-run").stdout
    check("behind the backup: the backup's", said["people"] == "backup" and said["people_why"] == "behind" and "what is there is behind it" in text, said)
    p.run("restore", "l", "late")
    check("behind the backup: who they are is known", p.run("log", "l", "--people").stdout == wanted and "second" in wanted, p.run("log", "l", "--people"))
    p = Place(work, "unlike").made()
    p.run("people", "encrypt", "l")
    check("another layout: it is sealed", p.json("people", "l")["layout"] == 2, p.json("people", "l"))
    said = p.json("restore", "l", "b")
    again = json.loads(p.run("apply", "l", text='{"op":"charge","wallet":"W1","charge":"C1","amount":50000,"key":"c1"}\n').stdout)
    check("another layout: the backup's", said["people"] == "backup" and said["people_why"] == "layout" and p.json("people", "l")["layout"] == 1, said)
    check("another layout: a key has its answer", again.get("duplicate") is True, again)
    check("another layout: it can be sealed again", p.run("people", "encrypt", "l").returncode == 0 and p.run("audit", "l").returncode == 0)


def spoil(path):
    """Bytes in every page behind the first two, which say where the others are."""
    with open(path, "r+b") as f:
        for at in range(2 * 4096, os.path.getsize(path), 4096):
            f.seek(at)
            f.write(b"\xa5" * 600)


def damaged(work):
    other = Place(work, "mistyped").made()
    for name in ("log.mdb", "people.mdb", "state.mdb", "views.mdb"):
        p = Place(work, "damaged-" + name).made().more()
        p.run("rebuild", "l")
        spoil(os.path.join(p.at, "l", name))
        out = p.run("restore", "l", other.at + "/b")
        check(f"damaged {name}: another's is refused", out.returncode == 1 and "backup of another ledger" in out.stderr + "backup of another ledger" * ("Nothing in" in out.stderr)
              and p.files() == ["b", "l"], out)
        text = p.run("restore", "l", "b", "--dry-run")
        said = p.json("restore", "l", "b")
        check(f"damaged {name}: restored", "rc" not in said and figures(p, "l") == figures(p, "b") and p.files() == ["b", "l", "l.replaced"], (said, text))
        if "rc" not in said and said["now"] is None:
            check(f"damaged {name}: nothing is said to be known", said["now_why"] and said["events_lost"] is None and said["keys_lost"] is None
                  and said["wallets_changed"] is None and said["people_why"] == "unread" and "nobody knows what is lost" in text.stdout, (said, text))
        elif "rc" not in said:
            check(f"damaged {name}: the log is read", said["events_lost"] == 3 and said["people"] == "now" and (said["now"]["paid"] is None) == bool(said["now_why"]), said)
        check(f"damaged {name}: the audit verifies", p.run("audit", "l").returncode == 0)
    p = Place(work, "nameless").made()
    spoil(os.path.join(p.at, "l/log.mdb"))
    os.remove(os.path.join(p.at, "l/HEAD"))
    out = p.run("restore", "l", "b")
    check("whose it is cannot be told", out.returncode == 1 and "Nothing in" in out.stderr and p.files() == ["b", "l"], out)
    os.rename(os.path.join(p.at, "l"), os.path.join(p.at, "away"))
    check("and goes when it is moved away", p.run("restore", "l", "b").returncode == 0)


def places(work):
    p = Place(work, "link").made().more()
    os.mkdir(os.path.join(p.at, "disk"))
    os.rename(os.path.join(p.at, "l"), os.path.join(p.at, "disk/real"))
    os.symlink("disk/real", os.path.join(p.at, "l"))
    said = p.json("restore", "l", "b")
    check("a link stays a link", os.path.islink(os.path.join(p.at, "l")) and sorted(os.listdir(os.path.join(p.at, "disk"))) == ["real", "real.replaced"]
          and figures(p, "l") == figures(p, "b") and said["replaced"].endswith("disk/real.replaced"), (said, p.files()))
    p = Place(work, "mounted").made().more()
    out = subprocess.run(["unshare", "-rm", "sh", "-c", 'mount --bind l l && exec "$0" restore l b', JANGBU], cwd=p.at, capture_output=True, text=True, check=False)
    check("a mount point", out.returncode != 0 and ("is a mount point" in out.stderr or "unshare:" in out.stderr or "mount:" in out.stderr) and p.files() == ["b", "l"], out)
    if os.geteuid() == 0:
        os.chown(os.path.join(p.at, "l"), 1234, -1)
        out = p.run("restore", "l", "b")
        check("another user's", out.returncode == 1 and "belongs to another user" in out.stderr and p.files() == ["b", "l"], out)
    p = Place(work, "theirs").made().more()
    for what in ("l.restoring", "l.restoring/ledger"):
        shutil.rmtree(os.path.join(p.at, "l.restoring"), ignore_errors=True)
        shutil.copytree(os.path.join(p.at, "l"), os.path.join(p.at, what))
        files = sorted(os.listdir(os.path.join(p.at, what)))
        out = p.run("restore", "l", "b")
        check(f"what is not its own stays: {what}", out.returncode == 1 and "in the way" in out.stderr and sorted(os.listdir(os.path.join(p.at, what))) == files, out)


def meanwhile(work):
    """What is answered while a restore is at work is in one of the two ledgers, and was counted."""
    if shutil.which("strace") is None:
        return
    for n, (call, when) in enumerate((("wait4", 1), ("renameat2", 2))):
        p = Place(work, "meanwhile-" + call).made()
        with subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:delay_exit=400000:when={when}", JANGBU, "restore", "l", "b", "--json"],
                              cwd=p.at, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=TRACED) as restore:
            for _ in range(400 if n == 1 else 0):
                if os.path.exists(os.path.join(p.at, "l.restoring")) or restore.poll() is not None:
                    break
                time.sleep(0.005)
            time.sleep(0.2 if n == 0 else 0)
            answered = p.run("charge", "l", "W1", "C8", "800").returncode == 0
            out, _ = restore.communicate()
        said = json.loads(out) if out else None
        there = "C8" in p.run("log", "l").stdout
        check(f"meanwhile at {call}: nothing answered is lost unsaid", not answered or there or (said is not None and said["events_lost"] == 1), (answered, there, said))


def killed(work):
    """By strace at each call that changes a name or a file: what is at the ledger's name is the one or the other, and a second restore goes through."""
    if shutil.which("strace") is None:
        return
    p = Place(work, "killed").made().more()
    before, after = figures(p, "l"), figures(p, "b")
    for call, n in [("mkdir", 1), ("rename", 1), ("rename", 2), ("mkdirat", 1), ("mkdirat", 2), ("renameat2", 1), ("renameat2", 2), ("renameat2", 3), ("fsync", 1), ("fsync", 2)]:
        subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}", JANGBU, "restore", "l", "b"],
                       cwd=p.at, capture_output=True, check=False, env=TRACED)
        found = figures(p, "l")
        check(f"killed at {call} {n}: one of both", found in (before, after), found)
        if "l.replaced" in p.files():
            shutil.rmtree(os.path.join(p.at, "l.replaced"))
        again = p.run("restore", "l", "b")
        check(f"killed at {call} {n}: again", again.returncode == 0 and p.files() == ["b", "l", "l.replaced"] and figures(p, "l") == after, (again, p.files()))
        shutil.rmtree(os.path.join(p.at, "l.replaced"))
        p.more()
        before = figures(p, "l")


def no_exchange(work):
    """A file system where two directories cannot change places: said before anything is copied, and it goes by hand."""
    if shutil.which("strace") is None:
        return
    p = Place(work, "no-exchange").made().more()
    before = figures(p, "l")
    inject = ["strace", "-f", "-qq", "-o", "made", "-e", "trace=renameat2,openat", "-e", "inject=renameat2:error=EINVAL", JANGBU, "restore", "l", "b"]
    out = subprocess.run(inject, cwd=p.at, capture_output=True, text=True, check=False, env=TRACED)
    with open(os.path.join(p.at, "made"), encoding="utf-8") as f:
        copied = "l.restoring/ledger/" in f.read()
    check("no change of places: refused, and nothing is copied", out.returncode == 1 and "change places" in out.stderr and not copied
          and p.files() == ["b", "l", "made"] and figures(p, "l") == before, (out, p.files()))
    os.rename(os.path.join(p.at, "l"), os.path.join(p.at, "away"))
    out = subprocess.run(inject, cwd=p.at, capture_output=True, text=True, check=False, env=TRACED)
    check("into the empty place it goes", out.returncode == 0 and figures(p, "l") == figures(p, "b"), out)


def secret(work):
    """The one of now is taken where the backup has none and people.mdb stays; whose it is is said."""
    p = Place(work, "secret").made().more()
    with open(os.path.join(p.at, "l/secret"), "rb") as f:
        wanted = f.read()
    check("the backup's", p.json("restore", "l", "b", "--dry-run")["secret"] == "backup")
    os.remove(os.path.join(p.at, "b/secret"))
    traced = ["strace", "-f", "-y", "-qq", "-o", "made", "-e", "trace=openat,fsync,renameat2"] if shutil.which("strace") else []
    out = subprocess.run([*traced, JANGBU, "restore", "l", "b", "--json"], cwd=p.at, capture_output=True, text=True, check=False, env=TRACED)
    said = json.loads(out.stdout)
    if traced:
        with open(os.path.join(p.at, "made"), encoding="utf-8") as f:
            calls = list(f)
        found = lambda *words: next((i for i in range(len(calls) - 1, -1, -1) if all(w in calls[i] for w in words)), -1)
        check("its name is on the disk before they change places", 0 <= found("l.restoring/ledger/secret", "O_CREAT") < found(" fsync(", "/l.restoring/ledger>")
              < found("l.restoring/ledger\"", "renameat2"), calls)
    path = os.path.join(p.at, "l/secret")
    kept = os.path.exists(path) and open(path, "rb").read() == wanted
    check("the backup has none: the one that is there", said["secret"] == "now" and kept, said)
    out = p.run("charge", "l", "W1", "C1", "50001", "--key", "c1")
    check("and a key is compared", out.returncode == 1 and "KEY_CONFLICT" in out.stdout + out.stderr, out)
    shutil.rmtree(os.path.join(p.at, "l.replaced"))
    os.remove(path)
    text, said = p.run("restore", "l", "b", "--dry-run").stdout, p.json("restore", "l", "b")
    check("neither has one: it is said", said["secret"] is None and "has no `secret`" in text and not os.path.exists(path), (said, text))


def sealed(work):
    """Who was forgotten after the backup stays so, and the key that was changed opens what is there."""
    p = Place(work, "sealed").made("--roles=enforce", "--operator", "boss")
    p.run("role", "give", "l", "kim", "OPERATOR", "--actor", "boss")
    shutil.rmtree(os.path.join(p.at, "b"))
    p.run("backup", "l", "b")
    p.run("role", "take", "l", "kim", "OPERATOR", "--actor", "boss")
    p.run("forget", "l", "--person", "kim", "--actor", "boss")
    said = p.json("restore", "l", "b")
    people = p.json("people", "l")
    check("people.mdb stays", said["people"] == "now" and people["sealed"] is False and people["forgotten"] == 1, (said, people))
    known = [json.loads(line).get("people", {}) for line in p.run("log", "l", "--people", "--json").stdout.splitlines()]
    check("who was forgotten stays so", any(who.get("why") == "forgotten" for people in known for who in people.values() if isinstance(who, dict)), known)
    check("the ledger goes on", p.run("role", "give", "l", "lee", "OPERATOR", "--actor", "boss").returncode == 0)
    check("and goes with the log", p.run("audit", "l").returncode == 0 and "kim" not in p.run("log", "l", "--people").stdout, p.run("audit", "l"))
    os.remove(os.path.join(p.at, "l.replaced/people.mdb"))
    shutil.rmtree(os.path.join(p.at, "l"))
    shutil.rmtree(os.path.join(p.at, "l.replaced"))
    out = p.run("restore", "l", "b")
    check("without the newest it is said", out.returncode == 0 and "copy the newest people.mdb over it" in out.stdout, out)


def main():
    with tempfile.TemporaryDirectory() as work:
        for part in (plain, refused, others, people, damaged, places, meanwhile, killed, no_exchange, secret, sealed):
            part(work)
    print(f"restore: {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
