#!/usr/bin/python3
"""A device that fails. Each write and each sync of a program fails once with EIO, in turn: the same handle settles the same key; FAULT was there, and
went when the device had been read back; nothing is lost or done twice. A device that cannot be read back keeps everything from being written.

usage: device.py JANGBU RETRY SHIM"""
import concurrent.futures
import errno
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import preload, run  # noqa: E402

COMMANDS = 6


def direct_works(work):
    path = os.path.join(work, "probe")
    with open(path, "wb") as f:
        f.write(bytes(4096))
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECT))
    except OSError:
        return False
    return True


def consumed(jangbu, ledger):
    log = [json.loads(line) for line in run(jangbu, "log", ledger, "--json").stdout.splitlines()]
    return [e["key"] for e in log if e["type"] == "cash_consumed"]


def one(jangbu, retry, ledger, env, cursor):
    """One failure: the words of the program, none where it could not be opened; and whether there was no such call."""
    call, n = env["JB_SHIM_CALL"], int(env["JB_SHIM_FAIL"])
    copy = f"{ledger}-{n}"
    shutil.copytree(ledger, copy)
    count = copy + ".count"
    out = subprocess.run([retry, copy, str(COMMANDS), *cursor], capture_output=True, text=True, timeout=60,
                         env={**os.environ, **env, "JB_SHIM_ERRNO": str(errno.EIO), "JB_SHIM_COUNT": count})
    where = f"{call} {n}{cursor}: exit {out.returncode}: {out.stdout}{out.stderr}"
    over = False
    if out.returncode != 2:
        assert out.returncode == 0, where
        assert consumed(jangbu, copy) == ["U%d" % i for i in range(COMMANDS)], where
        assert not os.path.exists(os.path.join(copy, "FAULT")), where
        audit = run(jangbu, "audit", copy, "--json")
        assert json.loads(audit.stdout)["verdict"] == "verified", (where, audit.stdout)
        over = n > int(open(count).read())
    shutil.rmtree(copy)
    return out.stdout.split() if out.returncode != 2 else None, over


AT_ONCE = 8


def each(step, of):
    """of(n) for n = 1, 1 + step, ..., some at once, until one says that it is over."""
    told = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(1, 400, AT_ONCE * step):
            told += pool.map(of, range(first, first + AT_ONCE * step, step))
            if any(over for _, over in told):
                break
    return [words for words, _ in told if words is not None]


def main():
    jangbu, retry, shim = (os.path.abspath(p) for p in sys.argv[1:4])
    words = {}
    with tempfile.TemporaryDirectory() as work:
        if not direct_works(work):
            print("skipped: no reading past the page cache here")
            return 0
        ledger, copy = os.path.join(work, "l"), os.path.join(work, "copy")
        run(jangbu, "init", ledger)
        run(jangbu, "wallet", "create", ledger, "W", "--kind", "BUSINESS", "--name", "name")
        run(jangbu, "charge", ledger, "W", "C", "100000", "--method", "VIRTUAL_ACCOUNT")
        env = preload(shim, work)
        rounds = 0
        for cursor in ((), ("cursor",), ("behind",)):
            for call in ("sync", "write"):
                for said in each(3 if cursor == ("behind",) else 1, lambda n: one(jangbu, retry, ledger, {**env, "JB_SHIM_CALL": call, "JB_SHIM_FAIL": str(n)}, cursor)):
                    rounds += 1
                    for word in said:
                        words[word] = words.get(word, 0) + 1
        assert words.get("E_UNKNOWN") and words.get("E_IO"), words
        # FAULT is there when a command has failed, reading goes on, and the next command clears it.
        kept = 0
        for n in range(1, 40):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(ledger, copy)
            fault = os.path.join(copy, "FAULT")
            out = run(jangbu, "charge", copy, "W", "C2", "5000", "--method", "VIRTUAL_ACCOUNT", "--key", "k",
                      env={**env, "JB_SHIM_FAIL": str(n), "JB_SHIM_ERRNO": str(errno.EIO), "JB_SHIM_CALL": "sync"})
            if out.returncode == 3 and "log.mdb" in out.stderr + out.stdout:
                data = open(fault, "rb").read()
                assert len(data) == 64 and data[:8] == b"jangbuF1", data
                assert run(jangbu, "balance", copy, "W").returncode == 0 and os.path.exists(fault)
                out = run(jangbu, "charge", copy, "W", "C2", "5000", "--method", "VIRTUAL_ACCOUNT", "--key", "k")
                assert out.returncode == 0 and not os.path.exists(fault), out
                kept += 1
        assert kept >= 1, kept
        # Something that the device does not have: the mark alone keeps writers out until it has been read back.
        shutil.rmtree(copy)
        shutil.copytree(ledger, copy)
        fault = os.path.join(copy, "FAULT")
        with open(fault, "wb") as f:
            f.write(struct.pack(">8s", b"anything"))
        out = run(jangbu, "balance", copy, "W")
        assert out.returncode == 0 and os.path.exists(fault), out
        out = subprocess.run([retry, copy, "1"], capture_output=True, text=True,
                             env={**os.environ, **env, "JB_SHIM_FAIL": "1", "JB_SHIM_ERRNO": str(errno.EIO), "JB_SHIM_CALL": "sync"})
        assert "E_DEVICE" in out.stdout and "copy the log now" in out.stderr, out
        out = run(jangbu, "charge", copy, "W", "C2", "5000", "--method", "VIRTUAL_ACCOUNT")
        assert out.returncode == 0 and not os.path.exists(fault), out
    print(f"{rounds} failures of the device: each key was settled by the same handle ({', '.join(f'{w} {n}' for w, n in sorted(words.items()))})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
