#!/usr/bin/python3
"""The file `requires`, the file `cluster`, and the number of the rules: who may not write reads on and hears why, who may not read hears it first.

usage: requires.py JANGBU"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CREATE = '{"op":"wallet.create","wallet":"%s","kind":"BUSINESS","name":"n"}\n'
checks = {"passed": 0, "failed": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {detail}")


def main():
    jangbu = os.path.abspath(sys.argv[1])

    def run(*args, feed=None):
        return subprocess.run([jangbu, *args], input=feed, capture_output=True, text=True)

    def stat(ledger):
        return json.loads(run("stat", ledger, "--json").stdout)

    def put(ledger, name, text):
        with open(os.path.join(ledger, name), "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)

    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "l")
        run("init", ledger)
        check("a ledger without the file", run("apply", ledger, feed=CREATE % "A").returncode == 0)
        # (what stands in the file, may read, may write, what is said)
        for text, reads, writes, said in (("", True, False, "no line"), ("\n\n", True, False, "no line"), ("write journal\n", True, False, '"journal"'),
                                          ("read journal\n", False, False, '"journal"'), ("write a\nread b-2\n", False, False, '"b-2"'),
                                          ("nonsense\n", False, False, "nonsense"), ("read\n", False, False, "read"),
                                          ("write two words\n", False, False, "write two words"), ("write LOUD\n", False, False, "LOUD"),
                                          ("write " + "x" * 33 + "\n", False, False, "xxx"), ("write a\r\n", False, False, "write a"),
                                          ("\n" * 5000, False, False, "longer"),
                                          # Torn by a power cut, cut off, or with bytes that no text has.
                                          (bytes(32), False, False, "????"), ("\0write journal\n", False, False, "?write"), ("\n\0read x\n", False, False, "?read x"),
                                          ("write a\0\n", False, False, "write a?"), ("write a\n\0", False, False, "?"), ("write a", False, False, "write a"),
                                          ("write a\nread", False, False, "read"), (b"\xef\xbb\xbfwrite a\n", False, False, "???write a"),
                                          (b"\xff\n", False, False, "?"), ("write a\n" + "\n" * 4000 + "read b-2\n", False, False, '"b-2"')):
            put(ledger, "requires", text)
            before = stat(ledger)["events"] if reads else None
            for args, may in ((("balance", ledger, "A", "--json"), reads), (("audit", ledger, "--json"), reads), (("log", ledger), reads)):
                out = run(*args)
                check(f"{args[0]} with {text[:30]!r}", (out.returncode == 0) if may else (out.returncode == 3 and said in out.stderr + out.stdout),
                      (out.returncode, out.stdout[:200], out.stderr[:300]))
            for args, feed in ((("apply", ledger), CREATE % ("W" + str(checks["passed"]))), (("rebuild", ledger), None)):
                out = run(*args, feed=feed)
                check(f"{args[0]} with {text[:30]!r}", (out.returncode == 0) if writes else (out.returncode == 3 and said in out.stderr + out.stdout),
                      (out.returncode, out.stdout[:200], out.stderr[:300]))
            os.remove(os.path.join(ledger, "requires"))
            if reads and not writes:
                check(f"nothing was written with {text[:30]!r}", stat(ledger)["events"] == before)
        put(ledger, "cluster", "")
        check("a ledger of a cluster is read", run("balance", ledger, "A").returncode == 0)
        out = run("apply", ledger, feed=CREATE % "B")
        check("and not written to", out.returncode == 3 and "cluster" in out.stderr, (out.returncode, out.stderr))
        os.remove(os.path.join(ledger, "cluster"))

        # A name is there, whatever stands behind it.
        for name, reads in (("cluster", True), ("requires", False)):
            path = os.path.join(ledger, name)
            for make in (lambda: os.symlink("/nonexistent", path), lambda: os.symlink(name, path), lambda: os.mkdir(path), lambda: os.mkfifo(path)):
                make()
                out = run("balance", ledger, "A")
                fifo = not os.path.islink(path) and not os.path.isdir(path)
                check(f"{name} that is no file, reading", out.returncode == (0 if reads or fifo else 3), (out.returncode, out.stderr))
                out = run("apply", ledger, feed=CREATE % "B")
                check(f"{name} that is no file, writing", out.returncode == 3 and name in out.stderr, (out.returncode, out.stderr))
                os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)

        put(ledger, "requires", "write journal\n")
        check("a backup", run("backup", ledger, os.path.join(work, "copy")).returncode == 0)
        check("has no line about writing", not os.path.exists(os.path.join(work, "copy", "requires")))
        check("and can be written to", run("apply", os.path.join(work, "copy"), feed=CREATE % "B").returncode == 0)
        os.remove(os.path.join(ledger, "requires"))

        # A writer that has the ledger open finds a mark that comes later.
        writer = subprocess.Popen([jangbu, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)

        def one(wallet):
            writer.stdin.write(CREATE % wallet)
            writer.stdin.flush()
            return writer.stdout.readline()

        check("before the mark", '"ok":true' in one("C"))
        put(ledger, "requires", "write journal\n")
        time.sleep(1.2)
        line = one("D")
        writer.stdin.close()
        error = writer.stderr.read()
        writer.wait()
        check("after it", writer.returncode == 3 and '"ok":true' not in line and '"journal"' in error, (writer.returncode, line, error))
        os.remove(os.path.join(ledger, "requires"))
        check("and it was not done", run("balance", ledger, "D").returncode == 1)

        # Rules.
        check("a new ledger goes by rules 2", stat(ledger)["policies"]["rules"] == 2)
        old = os.path.join(work, "old")
        os.mkdir(old)
        for name in ("log.mdb", "secret"):
            shutil.copy(os.path.join(HERE, "../golden/v1", name), old)
        check("an old one by rules 1", stat(old)["policies"]["rules"] == 1)

        def rules(value, *more):
            out = run("policy", "set", old, "rules", str(value), *more, "--accept-clock", "--json")
            return json.loads(out.stdout)

        for value, more in ((1, ()), (3, ()), (0, ()), (2, ("--from", "2036-01-01T00:00:00+09:00"))):
            got = rules(value, *more)
            check(f"rules {value} {more}", got["ok"] is False and got["code"] == "MALFORMED", got)
        check("it stays there", stat(old)["policies"]["rules"] == 1)
        check("and is moved up", rules(2)["ok"] is True and stat(old)["policies"]["rules"] == 2)
        check("it can be said again", rules(2)["ok"] is True)
        check("it is sound", run("audit", old).returncode == 0)
    print("{passed} passed, {failed} failed".format(**checks))
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
