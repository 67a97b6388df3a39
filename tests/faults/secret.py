#!/usr/bin/python3
"""`secret` and HEAD: only a `secret` that is not there is lost. Whatever keeps it from being read for a moment (too few descriptors, an interrupted
call, a device, a length that is not there) either fails the command or leaves the fingerprint as it is: no event with a key is ever written without
one. A damaged HEAD is said.

usage: secret.py JANGBU SHIM"""
import errno
import json
import os
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import preload, run  # noqa: E402

failed = 0


def check(name, ok, detail=""):
    global failed
    if not ok:
        failed += 1
        print(f"failed: {name}: {detail}")


def no_fingerprint(jangbu, ledger):
    report = json.loads(run(jangbu, "audit", ledger, "--json").stdout)
    return [s for s in report["not_checked"] if "no fingerprint" in s], report


def charge(jangbu, ledger, name, env=None, limit=None):
    before = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))) if limit else None
    return subprocess.run([jangbu, "charge", ledger, "W1", name, "5000", "--method", "VIRTUAL_ACCOUNT", "--key", name, "--json"],
                          capture_output=True, text=True, preexec_fn=before, env={**os.environ, **(env or {})})


def main():
    jangbu, shim = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "l")
        run(jangbu, "init", ledger)
        out = run(jangbu, "wallet", "create", ledger, "W1", "--kind", "BUSINESS", "--name", "first")
        assert out.returncode == 0, out
        assert charge(jangbu, ledger, "C0").returncode == 0
        done = refused = 0
        for limit in range(4, 40):
            out = charge(jangbu, ledger, "L%d" % limit, limit=limit)
            done, refused = done + (out.returncode == 0), refused + (out.returncode != 0)
        check("some limits are too small and some are not", done > 0 and refused > 0, (done, refused))
        for code in (errno.EMFILE, errno.EIO, errno.ENOMEM, errno.EACCES, 0):
            out = charge(jangbu, ledger, "E%d" % code, env={**preload(shim, work), "JB_SHIM_SECRET": str(code)})
            check(f"errno {code} fails the command", out.returncode == 3 and "/secret" in out.stderr + out.stdout, (out.returncode, out.stdout, out.stderr))
        out = charge(jangbu, ledger, "again", env={**preload(shim, work), "JB_SHIM_SECRET": str(errno.EINTR)})
        check("an interrupted call is tried again", out.returncode == 0 and "warning" not in out.stderr, out)
        os.rename(os.path.join(ledger, "secret"), os.path.join(work, "kept"))
        os.mkdir(os.path.join(ledger, "secret"))
        out = charge(jangbu, ledger, "directory")
        check("a directory is not a lost secret", out.returncode == 3, (out.returncode, out.stdout, out.stderr))
        os.rmdir(os.path.join(ledger, "secret"))
        said, report = no_fingerprint(jangbu, ledger)
        check("no event is without a fingerprint", not said, said)

        out = charge(jangbu, ledger, "lost")
        check("a lost one is said", out.returncode == 0 and "secret is missing" in out.stderr, out)
        os.rename(os.path.join(work, "kept"), os.path.join(ledger, "secret"))
        said, report = no_fingerprint(jangbu, ledger)
        check("the audit counts what was written without it", len(said) == 1 and " 1 command" in said[0] and report["verdict"] == "verified", report)

        head = os.path.join(ledger, "HEAD")
        whole = open(head, "rb").read()
        check("HEAD is whole", len(whole) == 64 and not any("HEAD" in s for s in report["not_checked"]), report)
        for bit in range(0, 512, 5):
            data = bytearray(whole)
            data[bit // 8] ^= 1 << bit % 8
            open(head, "wb").write(data)
            if bit % 25 == 0:
                said = json.loads(run(jangbu, "audit", ledger, "--json").stdout)["not_checked"]
                check(f"the audit says that HEAD is damaged (bit {bit})", any("HEAD is damaged" in s for s in said), said)
        out = run(jangbu, "balance", ledger, "W1")
        check("a query says it, too", out.returncode == 0 and "HEAD is damaged" in out.stderr, out)
        open(head, "wb").write(whole[:17])
        out = charge(jangbu, ledger, "last")
        check("and the next commit makes it again", out.returncode == 0 and len(open(head, "rb").read()) == 64, out)
        report = json.loads(run(jangbu, "audit", ledger, "--json").stdout)
        check("and all is well", report["verdict"] == "verified" and not any("HEAD" in s for s in report["not_checked"]), report)
    print("secret and HEAD: %d failed" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
