#!/usr/bin/python3
"""The image of tools/container/Containerfile, built and run by podman as docs/packages.md says: the ledger is made, a token, the daemon
answers over TCP, jangbu beside it in the same container, a second container refuses, a stop ends it well, the audit verifies. By hand, as
root. The base image is what debootstrap makes, where there is none: no registry is asked.

usage: container.py SOURCE_DIR [BASE_ROOT]      BASE_ROOT: a root that debootstrap made (--variant=minbase bookworm); kept"""
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

BASE = "docker.io/library/debian:12-slim"
SENTENCE = "the ledger is in use from another PID namespace (container)"
VOLUME, IMAGE, NAME, PORT = "jangbu-test-volume", "jangbu-test", "jangbu-test-one", 18420
# Machines whose groups of processes crun does not take, or whose limit of open files is below podman's, run it so.
WAYS = (([], []), (["--runtime", "/usr/sbin/runc"], ["--ulimit=nofile=1024:4096", "--ulimit=nproc=1024:4096"]))
before, behind = [], []
failures = []


def podman(*args, may_fail=False, timeout=3000):
    args = [*args[:1], *behind, *args[1:]] if args[0] == "run" else args
    p = subprocess.run(["podman", *before, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
    if p.returncode != 0 and not may_fail:
        raise SystemExit(f"podman {' '.join(args)[:200]}: {p.returncode}: {p.stdout[-3000:]}")
    return p


def check(what, ok, detail=""):
    print(f"{'well' if ok else 'FAILED'}: {what}" + (f": {detail}" if not ok else ""))
    if not ok:
        failures.append(what)


def base(root):
    if podman("image", "exists", BASE, may_fail=True).returncode == 0:
        return
    if not os.path.isdir(os.path.join(root, "usr")):
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", root], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as work:
        tar = os.path.join(work, "base.tar")
        subprocess.run(["tar", "-C", root, "--numeric-owner", "-cf", tar, "."], check=True)
        podman("import", tar, BASE)


def find_way():
    global before, behind
    for before, behind in WAYS:
        last = podman("run", "--rm", "--network=none", BASE, "true", may_fail=True)
        if last.returncode == 0:
            return
    print(f"skipped: podman runs nothing here: {last.stdout}")
    sys.exit(77)


def run(*args, may_fail=False, options=()):
    return podman("run", "--rm", "--network=none", *options, "-v", f"{VOLUME}:/var/lib/jangbu", IMAGE, *args, may_fail=may_fail, timeout=300)


def ask(method, path, token, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    headers = {"Authorization": f"Bearer {token}", **({"Content-Type": "application/json"} if body else {})}
    connection.request(method, path, body=json.dumps(body) if body else None, headers=headers)
    got = connection.getresponse()
    return got.status, got.read().decode()


def answers(token):
    for _ in range(100):
        try:
            return ask("GET", "/v1/ledger", token)
        except OSError:
            time.sleep(0.1)
    return None, podman("logs", NAME, may_fail=True).stdout[-800:]


def served(token):
    status, said = answers(token)
    check("it answers over TCP", status == 200, said)
    done = [ask("POST", "/v1/commands", token, body)[0] for body in ({"op": "wallet.create", "wallet": "W1", "kind": "PERSONAL", "name": "w", "key": "w"},
                                                                     {"op": "charge", "wallet": "W1", "charge": "C1", "amount": 5000, "key": "c"})]
    check("and writes", done == [200, 200], done)
    beside = podman("exec", NAME, "jangbu", "balance", "/var/lib/jangbu/ledger", "W1", "--json", may_fail=True)
    check("jangbu beside it", beside.returncode == 0 and json.loads(beside.stdout)["paid"] == 5000, beside.stdout)
    second = run("jangbu", "charge", "/var/lib/jangbu/ledger", "W1", "C2", "100", may_fail=True)
    check("a second container refuses: jangbu", second.returncode == 2 and SENTENCE in second.stdout, second.stdout)
    second = run("jangbud", "/var/lib/jangbu/ledger", "--listen", "none", "--listen-unix", "/tmp/s", may_fail=True)
    check("a second container refuses: jangbud", second.returncode == 3 and SENTENCE in second.stdout, second.stdout)
    who = podman("exec", NAME, "sh", "-c", "id -un; cat /proc/1/comm", may_fail=True).stdout.split()
    check("as its own user, as process 1", who == ["jangbu", "jangbud"], who)
    podman("stop", "-t", "30", NAME)
    code = podman("inspect", NAME, "--format", "{{.State.ExitCode}}").stdout.strip()
    check("a stop ends it well", code == "0", code)
    audit = run("jangbu", "audit", "/var/lib/jangbu/ledger", may_fail=True)
    check("the audit verifies", audit.returncode == 0, audit.stdout)


def main():
    source = os.path.abspath(sys.argv[1])
    missing = [p for p in ("podman", "debootstrap") if shutil.which(p) is None]
    if missing or os.geteuid() != 0:
        print("skipped: " + (f"no {', '.join(missing)}" if missing else "this takes root"))
        return 77
    base(os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else os.path.join(tempfile.mkdtemp(), "base"))
    find_way()
    podman("build", "--pull=never", "--network=host", "--isolation=chroot", "-f", os.path.join(source, "tools/container/Containerfile"), "-t", IMAGE, source)
    podman("volume", "rm", "-f", VOLUME, may_fail=True)
    try:
        run("jangbu", "init", "/var/lib/jangbu/ledger")
        said = run("jangbud", "token", "new", "till", "--tokens", "/var/lib/jangbu/tokens", "--scope", "read,write").stdout
        token = re.search(r"jbt_\S+", said)[0]
        podman("run", "-d", "--name", NAME, "-v", f"{VOLUME}:/var/lib/jangbu", "-p", f"127.0.0.1:{PORT}:8420", IMAGE)
        served(token)
    finally:
        podman("rm", "-f", NAME, may_fail=True)
        podman("volume", "rm", "-f", VOLUME, may_fail=True)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
