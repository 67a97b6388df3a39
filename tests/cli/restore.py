#!/usr/bin/python3
"""jangbu restore: what it says beforehand is what is so afterwards; what was there is kept; what is in use, another ledger's, or no
backup is refused and nothing changed; a ledger that cannot be read, one that is behind, one that went another way; people.mdb and its key.

usage: restore.py PROGRAM"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

JANGBU = os.path.abspath(sys.argv[1])
failures = []


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
    check("and in words", "lost: 3 events behind 12, of 2 wallets, 1 of them with a key" in text and "37,000" in text and "50,000" in text, text)
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
                                    ("no ledger", ("l", "."), 1, "is not a ledger"), ("one argument", ("l",), 2, "takes the place"), ("itself", ("l", "l"), 0, None)):
        out = p.run("restore", *args, *(["--dry-run"] if what == "itself" else []))
        check(f"refused: {what}", out.returncode == code and (words is None or words in out.stderr), out)
    holder = subprocess.Popen([JANGBU, "log", "l", "--follow"], cwd=p.at, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    holder.stdout.readline()
    out = p.run("restore", "l", "b")
    check("in use", out.returncode == 1 and "in use" in out.stderr, out)
    check("the preview needs no end of it", p.run("restore", "l", "b", "--dry-run").returncode == 0)
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
    p.run("charge", "l", "W1", "C9", "900")
    said = p.json("restore", "l", "late", "--dry-run")
    check("one that went another way", said["history"] == "other" and "different ways" in p.run("restore", "l", "late", "--dry-run").stdout, said)
    p = Place(work, "damaged").made().more()
    with open(os.path.join(p.at, "l/log.mdb"), "r+b") as f:
        f.write(b"\0" * 4096 * 3)
    said = p.json("restore", "l", "b")
    check("one that cannot be read", said["now"] is None and said["now_why"] and figures(p, "l") == figures(p, "b") and "l.replaced" in p.files(), said)


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
    out = p.run("restore", "l", "b")
    check("without the newest it is said", out.returncode == 0 and "copy the newest people.mdb over it" in out.stdout, out)


def main():
    with tempfile.TemporaryDirectory() as work:
        for part in (plain, refused, others, sealed):
            part(work)
    print(f"restore: {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
