#!/usr/bin/python3
"""Forgetting, another key, sealing: killed, or failing, at every call that changes a file or a name. After the next start nothing that was forgotten
can be read, with any key that is left, from any file, free pages and backups included; and nothing living is lost. Two processes, one of which has
another key file; key files that are not what they should be, from the command line.

Whether something can be read is tried and not believed: every place of every file is taken for a row of the tables of docs/format.md section 5.1.

usage: forgetting.py JANGBU SHIM"""
import base64
import errno
import glob
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

from nacl import exceptions
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as decrypt

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from support import check, checks, preload, run  # noqa: E402

PEOPLE = ["Zz-%s" % name for name in ("anna", "ben", "carl", "dora", "emil", "fritz")]
number = lambda n: struct.pack(">Q", n)
value = lambda b: struct.unpack(">Q", b)[0]
hashed = lambda n, key, text: hashlib.blake2b(text, digest_size=n, key=key).digest()


def command(op, **members):
    return json.dumps({"op": op, **members})


def feed():
    """Six people: anna is the master of a wallet that is deleted, ben wrote notes, carl and dora are masters, emil was a member, fritz an operator."""
    lines = [command("wallet.create", wallet="W%d" % i, kind="BUSINESS", name="Zz-wallet-%d" % i, master=master, note="Zz-note of %s by Zz-ben" % master,
                     actor={"id": "Zz-ben", "role": "MEMBER"}, key="w%d" % i) for i, master in enumerate(("Zz-anna", "Zz-carl", "Zz-dora"))]
    lines += [command("member.invite", wallet="W1", person="Zz-emil"), command("member.accept", wallet="W1", person="Zz-emil"),
              command("invoice.email", wallet="W1", email="Zz-mail@carl.example", actor={"id": "Zz-emil"}),
              command("member.leave", wallet="W1", person="Zz-emil", note="Zz-emil leaves"),
              command("biz.request", wallet="W2", biz="1234567890", biz_name="Zz-firm", representative="Zz-dora", address="Zz-street"),
              command("biz.refuse", wallet="W2", seq=-1, reason="Zz-unclear"),
              command("charge", wallet="W1", charge="C1", amount=5000, note="by the desk: Zz-desk", actor={"id": "Zz-fritz", "role": "OPERATOR"}),
              command("policy.set", policy="vat_rate", value=10, note="as the law says"),
              command("wallet.off", wallet="W0"), command("wallet.delete", wallet="W0", note="Zz-gone", key="d")]
    return lines


def apply(jangbu, ledger, *lines, env=None, args=()):
    return run(jangbu, "apply", ledger, *args, feed="\n".join(lines) + "\n", env=env)


def make(jangbu, ledger, *options):
    out = run(jangbu, "init", ledger, *options)
    assert out.returncode == 0, out
    lines = feed()
    request = [i for i, line in enumerate(lines) if "biz.refuse" in line][0]
    out = apply(jangbu, ledger, *lines[:request])
    assert out.returncode == 0, out
    seq = json.loads(out.stdout.splitlines()[-1])["seq"]
    out = apply(jangbu, ledger, lines[request].replace("-1", str(seq)), *lines[request + 1:])
    assert out.returncode == 0, out


def texts(jangbu, ledger, key):
    """What `log --people` shows, by (event, name): a text, or why there is none."""
    found = {}
    out = run(jangbu, "log", ledger, "--people", "--json", "--key-file", key)
    assert out.returncode == 0, out
    for line in out.stdout.splitlines():
        event = json.loads(line)
        for name, text in event["people"].items():
            found[event["seq"], name] = text if isinstance(text, str) else text["why"]
    return found


# ---- what can be read at all ----

def keys_in(*paths):
    """ledger id -> epoch -> what is made of the master key; of all key files, half ones too."""
    found = {}
    for path in paths:
        for line in open(path, encoding="ascii", errors="replace").read().split("\n"):
            parts = line.split(" ")
            if len(parts) == 4 and len(parts[3]) == 44:
                ledger, epoch, key = bytes.fromhex(parts[1]), int(parts[2]), base64.b64decode(parts[3])
                of = b"jangbuP2" + ledger + number(epoch)
                found.setdefault(ledger, {}).setdefault(epoch, []).append({c: hashed(32, key, of + c.encode()) for c in "WI"})
    return found


def readable(keys, *folders):
    """Every text that the keys open, wherever in whatever file it stands."""
    opened, data = set(), []
    for folder in folders:
        data += [open(path, "rb").read() for path in glob.glob(folder + "/**", recursive=True) if os.path.isfile(path)]
    for ledger, epochs in keys.items():
        owners = {}
        for raw in data:
            for epoch, masters in epochs.items():
                mark, at = number(epoch), -1
                while (at := raw.find(mark, at + 1)) >= 0:
                    owner, row = raw[at - 17:at - 8], raw[at - 8:at + 80]
                    if at < 17 or len(row) < 88 or owner[0] > 3:
                        continue
                    for master in masters:
                        try:
                            own = decrypt(row[40:], b"jangbuP2" + ledger + b"O" + owner + row[:16], row[16:40], master["W"])
                            owners[owner + row[:8]] = own
                        except exceptions.CryptoError:
                            pass
        for raw in data:
            for owner in owners:
                at = -1
                while (at := raw.find(owner, at + 1)) >= 0:
                    opened |= {t for t in texts_at(raw, at, owners, ledger) if t}
    return opened


def texts_at(raw, at, owners, ledger):
    """A text's row may begin one byte, or one byte and some owners, before that place; its node says how long it is."""
    for before in range(6):
        start = at - 1 - 17 * before
        if start < 16 or not before < raw[start] <= 6:
            continue
        n = raw[start]
        named = [raw[start + 1 + 17 * i:start + 18 + 17 * i] for i in range(n)]
        if any(o not in owners for o in named):
            continue
        ref, head = raw[start - 8:start], raw[start:start + 1 + 17 * n]
        key = hashed(32, b"", b"".join(owners[o] for o in named))
        size = struct.unpack("<HH", raw[start - 16:start - 12])
        length = size[0] | size[1] << 16
        box = raw[start + len(head):start + length]
        try:
            yield decrypt(box[24:], b"jangbuP2" + ledger + b"T" + ref + head, box[:24], key).decode()
        except (exceptions.CryptoError, ValueError, TypeError):
            pass


def key_files(key):
    return [p for p in (key, key + ".new") if os.path.exists(p)]


def lines_of(key):
    return open(key, encoding="ascii").read().count("\n")


# ---- at every call ----

DEAD = {"Zz-anna", "Zz-wallet-0", "Zz-note of Zz-anna by Zz-ben", "Zz-gone"}


def fresh(base, work):
    ledger, key = os.path.join(work, "l"), os.path.join(work, "l.key")
    shutil.rmtree(ledger, ignore_errors=True)
    for path in key_files(key):
        os.remove(path)
    shutil.copytree(base, ledger)
    for name in glob.glob(ledger + "/*lock"):
        os.remove(name)
    if os.path.exists(base + ".key"):
        shutil.copy(base + ".key", key)
    return ledger, key


def count(jangbu, args, env, work, feed=None):
    path = os.path.join(work, "count")
    out = run(jangbu, *args, feed=feed, env={**env, "JB_SHIM_COUNT": path})
    assert out.returncode == 0, out
    return int(open(path).read())


def faults(n):
    for i in range(1, n + 1):
        yield "killed at call %d" % i, {"JB_SHIM_KILL": str(i)}
    for code, name in ((errno.ENOSPC, "no space"), (errno.EIO, "a failing device")):
        for i in range(1, n + 1):
            yield "%s at call %d" % (name, i), {"JB_SHIM_FAIL": str(i), "JB_SHIM_ERRNO": str(code)}


def check_living(title, before, after, dead):
    wrong = {k: (before[k], after.get(k)) for k in before if after.get(k) != ("forgotten" if before[k] in dead else before[k])}
    check(f"{title}: the living are as they were, the dead are not", not wrong, wrong)


def forget_at_each(jangbu, work, base, env):
    backup = os.path.join(work, "backup")
    run(jangbu, "backup", base, backup)
    forget = command("forget", person="Zz-anna", key="f")
    ledger, key = fresh(base, work)
    before = texts(jangbu, ledger, key)
    old = shutil.copy(key, os.path.join(work, "old.key"))
    check("before: all of it can be found in the files", DEAD < readable(keys_in(key), ledger), readable(keys_in(key), ledger))
    n = count(jangbu, ["apply", ledger], env, work, forget + "\n")
    for title, fault in faults(n):
        ledger, key = fresh(base, work)
        out = run(jangbu, "apply", ledger, feed=forget + "\n", env={**env, **fault})
        in_log = any(json.loads(line)["type"] == "forgotten" for line in run(jangbu, "log", ledger, "--json").stdout.splitlines())
        said = '"ok":true' in out.stdout
        check(f"{title}: what was said is in the log", in_log or not said, out)
        # The next start, of whoever writes anything.
        next_ = apply(jangbu, ledger, command("charge", wallet="W1", charge="C2", amount=3000, key="c2"))
        check(f"{title}: the next start writes", next_.returncode == 0, next_)
        if in_log:
            found = readable(keys_in(*key_files(key)), ledger, backup)
            check(f"{title}: nothing forgotten can be read", not found & DEAD, found & DEAD)
            check(f"{title}: one key is left", lines_of(key) == 1)
        again = apply(jangbu, ledger, forget)
        check(f"{title}: the same again is answered", again.returncode == 0 and json.loads(again.stdout)["ok"], again)
        found = readable(keys_in(*key_files(key)), ledger, backup)
        check(f"{title}: nothing forgotten can be read at the end", not found & DEAD, found & DEAD)
        check(f"{title}: the living can", {v for v in before.values()} - DEAD <= found, {v for v in before.values()} - DEAD - found)
        check_living(title, before, texts(jangbu, ledger, key), DEAD)
        out = run(jangbu, "audit", ledger)
        check(f"{title}: the audit", out.returncode == 0, out)
    # The test can see what it looks for: the key that is gone opens all of it in the files of today.
    check("the old key opens them still, in free pages", DEAD & readable(keys_in(old), ledger, backup), "")
    return n


def rotate_at_each(jangbu, work, base, env):
    ledger, key = fresh(base, work)
    before = texts(jangbu, ledger, key)
    n = count(jangbu, ["people", "rotate", ledger], env, work)
    for title, fault in faults(n):
        ledger, key = fresh(base, work)
        run(jangbu, "people", "rotate", ledger, env={**env, **fault})
        check(f"rotate, {title}: all is there", texts(jangbu, ledger, key) == before)
        out = run(jangbu, "people", "rotate", ledger)
        check(f"rotate, {title}: again", out.returncode == 0 and lines_of(key) == 1, out)
        check(f"rotate, {title}: all is there at the end", texts(jangbu, ledger, key) == before)
    return n


def encrypt_at_each(jangbu, work, clear, env):
    ledger, key = fresh(clear, work)
    before = texts(jangbu, ledger, key)
    n = count(jangbu, ["people", "encrypt", ledger], env, work)
    for title, fault in faults(n):
        ledger, key = fresh(clear, work)
        run(jangbu, "people", "encrypt", ledger, env={**env, **fault})
        check(f"encrypt, {title}: all is there", texts(jangbu, ledger, key) == before or "EIO" in title)
        out = apply(jangbu, ledger, command("charge", wallet="W1", charge="C2", amount=3000, key="c2"))
        check(f"encrypt, {title}: the next start writes", out.returncode == 0, out)
        if json.loads(run(jangbu, "people", ledger, "--json").stdout)["layout"] == 1:
            out = run(jangbu, "people", "encrypt", ledger)
            check(f"encrypt, {title}: again", out.returncode == 0, out)
        check(f"encrypt, {title}: all is there at the end", texts(jangbu, ledger, key) == before)
        data = b"".join(open(p, "rb").read() for p in glob.glob(ledger + "/**", recursive=True) if os.path.isfile(p))
        check(f"encrypt, {title}: nothing is in clear", b"Zz-" not in data and not glob.glob(ledger + "/*.new"), glob.glob(ledger + "/*"))
        out = run(jangbu, "audit", ledger)
        check(f"encrypt, {title}: the audit", out.returncode == 0, out)
        out = apply(jangbu, ledger, command("forget", person="Zz-anna"))
        check(f"encrypt, {title}: people can be forgotten", out.returncode == 0 and not readable(keys_in(key), ledger) & DEAD, out)
    return n


# ---- by hand ----

def others(jangbu, work, base):
    ledger, key = fresh(base, work)
    plain = os.path.join(work, "plain")
    run(jangbu, "init", plain)
    out = apply(jangbu, plain, command("forget", person="Zz-anna"))
    check("forget in clear", out.returncode == 3 and "people encrypt" in out.stderr, out)
    # A process that has the ledger open while another one forgets.
    p = subprocess.Popen([jangbu, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        p.stdin.write(line + "\n")
        p.stdin.flush()
        return json.loads(p.stdout.readline())
    check("it is open", ask(command("charge", wallet="W1", charge="C7", amount=2000, actor={"id": "Zz-anna"}))["ok"])
    out = apply(jangbu, ledger, command("forget", person="Zz-anna"))
    check("another process forgets", out.returncode == 0, out)
    answer = ask(command("charge", wallet="W1", charge="C8", amount=2000, actor={"id": "Zz-anna"}))
    p.stdin.close()
    p.wait()
    shown = texts(jangbu, ledger, key)
    check("the same id is somebody new to it", answer["ok"] and shown[answer["seq"], "actor"] == "Zz-anna", shown)
    events = {json.loads(x)["seq"]: json.loads(x) for x in run(jangbu, "log", ledger, "--json").stdout.splitlines()}
    check("with a reference of its own", events[answer["seq"]]["actor_ref"] != events[answer["seq"] - 2]["actor_ref"])
    # With another key file it knows nothing of the new key.
    copy = shutil.copy(key, os.path.join(work, "copy.key"))
    check("rotated", run(jangbu, "people", "rotate", ledger).returncode == 0)
    out = run(jangbu, "charge", ledger, "W1", "C9", "2000", "--key-file", copy)
    check("an old copy of the key", out.returncode == 3 and "lies elsewhere" in out.stderr, out)
    out = run(jangbu, "balance", ledger, "W1", env={"JANGBU_KEY_FILE": copy})
    check("reading goes on, sealed", out.returncode == 0 and "(sealed)" in out.stdout and "9,000" in out.stdout, out)
    for title, change in (("missing", lambda: os.remove(copy)), ("of mode 0644", lambda: (shutil.copy(key, copy), os.chmod(copy, 0o644))),
                          ("of another ledger", lambda: (shutil.copy(base + "2.key", copy), os.chmod(copy, 0o600))),
                          ("half written", lambda: open(copy, "w").write(open(key).read()[:70]))):
        change()
        for args in (["charge", ledger, "W1", "C9", "2000"], ["charge", ledger, "W1", "C9", "2000", "--dry-run"], ["people", "rotate", ledger]):
            out = run(jangbu, *args, "--key-file", copy)
            check(f"a key {title}: {args[0]}", out.returncode == 3 and "key file" in out.stderr, out)
        stat = json.loads(run(jangbu, "people", ledger, "--json", "--key-file", copy).stdout)
        check(f"a key {title} is said", stat["sealed"] and stat["forgotten"] >= 2, stat)
    # An older people.mdb, and none.
    older = shutil.copy(os.path.join(ledger, "people.mdb"), os.path.join(work, "older.mdb"))
    run(jangbu, "wallet", "rename", ledger, "W1", "--name", "later")
    shutil.copy(older, os.path.join(ledger, "people.mdb"))
    out = run(jangbu, "charge", ledger, "W1", "C9", "2000")
    check("an older people.mdb", out.returncode == 3 and "people accept" in out.stderr, out)
    check("accepted", run(jangbu, "people", "accept", ledger).returncode == 0)
    out = run(jangbu, "charge", ledger, "W1", "C9", "2000")
    check("it writes again", out.returncode == 0, out)
    check("what it does not have is lost", "(damaged)" in run(jangbu, "balance", ledger, "W1").stdout)
    os.remove(os.path.join(ledger, "people.mdb"))
    os.remove(os.path.join(ledger, "people.mdb-lock"))
    out = run(jangbu, "charge", ledger, "W1", "C10", "2000")
    check("no people.mdb", out.returncode == 3 and "missing" in out.stderr and not os.path.exists(os.path.join(ledger, "people.mdb")), out)
    check("figures are there", run(jangbu, "balance", ledger, "W1").returncode == 0)
    # A log that was put back goes with the newest people.mdb.
    ledger, key = fresh(base, work)
    saved = os.path.join(work, "saved")
    run(jangbu, "backup", ledger, saved)
    apply(jangbu, ledger, command("forget", person="Zz-anna"), command("charge", wallet="W1", charge="C9", amount=2000))
    for name in ("people.mdb", "people.mdb-lock"):
        if os.path.exists(os.path.join(saved, name)):
            os.remove(os.path.join(saved, name))
    shutil.copy(os.path.join(ledger, "people.mdb"), saved)
    out = apply(jangbu, saved, command("charge", wallet="W1", charge="C9", amount=2000, note="Zz-after", actor={"id": "Zz-anna"}), args=("--key-file", key))
    check("an older log with the newest people.mdb", out.returncode == 0, out)
    shown = texts(jangbu, saved, key)
    check("who was forgotten stays so, and comes back as somebody new", sum(v == "Zz-anna" for v in shown.values()) == 1 and "forgotten" in shown.values(), shown)
    out = apply(jangbu, saved, command("forget", person="Zz-anna"), args=("--key-file", key))
    check("and can be forgotten again", out.returncode == 0 and "Zz-after" not in readable(keys_in(key), saved, ledger), out)
    check("the audit of it", run(jangbu, "audit", saved, "--key-file", key).returncode == 0)
    # Wallets and businesses.
    ledger, key = fresh(base, work)
    before = texts(jangbu, ledger, key)
    out = apply(jangbu, ledger, command("forget", wallet="W1"), command("forget", wallet="W0"), command("forget", biz="1234567890"),
                command("forget", biz="0000000000"), command("forget", person="Zz-carl"), command("forget", person="Zz-emil"), command("forget", person="Zz-emil"))
    codes = [json.loads(line).get("code") for line in out.stdout.splitlines()]
    check("who may be forgotten", codes == ["WALLET_STATE", None, None, "BIZ_STATE", "PERSON_HAS_ROLE", None, "PERSON_STATE"], codes)
    dead = {"Zz-wallet-0", "Zz-note of Zz-anna by Zz-ben", "Zz-gone", "Zz-firm", "Zz-dora", "Zz-street", "Zz-emil", "Zz-emil leaves", "Zz-mail@carl.example"}
    wrong = {k: (before[k], v) for k, v in texts(jangbu, ledger, key).items() if before.get(k) in dead - {"Zz-dora"} and v != "forgotten"}
    check("all that was theirs is forgotten", not wrong, wrong)
    check("in every file", not readable(keys_in(key), ledger) & (dead - {"Zz-dora"}), readable(keys_in(key), ledger) & dead)
    check("another business of that number is another one", apply(jangbu, ledger, command("biz.request", wallet="W2", biz="1234567890", biz_name="Zz-new", representative="Zz-x",
          address="Zz-y"), command("forget", person="Zz-ben")).returncode == 0 and "Zz-new" in texts(jangbu, ledger, key).values())


def main():
    jangbu, shim = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as work:
        env = {**preload(shim, work), "JB_SHIM_NAMES": "1"}
        base, clear = os.path.join(work, "base"), os.path.join(work, "clear")
        make(jangbu, base, "--key-file", base + ".key")
        make(jangbu, base + "2", "--key-file", base + "2.key")
        make(jangbu, clear)
        others(jangbu, work, base)
        n = [forget_at_each(jangbu, work, base, env), rotate_at_each(jangbu, work, base, env), encrypt_at_each(jangbu, work, clear, env)]
    print(f"calls: forget {n[0]}, rotate {n[1]}, encrypt {n[2]}")
    print(f"{checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
