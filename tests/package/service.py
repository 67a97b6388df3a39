#!/usr/bin/python3
"""The packages in a Debian of their own, whose systemd boots in a container (systemd-nspawn): the service as the unit has it writes
commands, reads its tokens again, stops, is killed and comes back, and what it answered is there. By hand, as root.

usage: service.py SOURCE_DIR BUILD_DIR ROOT [--commands 10000]

BUILD_DIR was configured with -DCMAKE_INSTALL_PREFIX=/usr. ROOT is made by debootstrap where there is none, and kept."""
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

NEEDED = ("debootstrap", "systemd-nspawn", "nsenter", "dpkg-deb", "dpkg-shlibdeps")
INCLUDE = "systemd,systemd-sysv,dbus,python3-minimal,liblmdb0,libjansson4,libmicrohttpd12,libsodium23,libutf8proc2"
SOCKET = "/run/jangbud/jangbud.sock"
LINES = 1000
failures = []


def run(*args, **kw):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800, check=False, **kw)
    if p.returncode != 0:
        raise SystemExit(f"{' '.join(args)[:300]}: {p.returncode}: {p.stdout[-3000:]}")
    return p.stdout


def check(what, ok, detail=""):
    print(f"{'well' if ok else 'FAILED'}: {what}" + (f": {detail}" if detail != "" else ""))
    if not ok:
        failures.append(what)


def made(source, build, root):
    """ROOT with the packages of this build installed, as apt would."""
    if not os.path.isdir(os.path.join(root, "usr")):
        run("debootstrap", "--variant=minbase", f"--include={INCLUDE}", "bookworm", root)
    with tempfile.TemporaryDirectory() as debs:
        run(os.path.join(source, "tools/packages-deb"), build, debs)
        into = os.path.join(root, "root")
        for name in ("libjangbu0", "libjangbu-json0", "jangbu", "jangbud"):
            shutil.copy(glob.glob(f"{debs}/{name}_*.deb")[0], os.path.join(into, name + ".deb"))
        run("chroot", root, "sh", "-ec", "dpkg -i /root/libjangbu0.deb /root/libjangbu-json0.deb /root/jangbu.deb /root/jangbud.deb")
    for name in ("var/lib/jangbu", "etc/systemd/system/multi-user.target.wants/jangbud.service"):
        path = os.path.join(root, name)
        (shutil.rmtree if os.path.isdir(path) else lambda p: os.path.lexists(p) and os.remove(p))(path)


class Booted:
    """The container; `pid` is its process 1."""

    def __init__(self, root):
        self.nspawn = subprocess.Popen(["systemd-nspawn", "--quiet", "-D", root, "--boot", "--register=no", "--keep-unit", "--console=pipe"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = None
        for _ in range(600):
            children = open(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children", encoding="ascii").read().split()
            if children and "systemd" in os.readlink(f"/proc/{children[0]}/exe"):
                self.pid = int(children[0])
                if self.inside("systemctl is-system-running", may_fail=True).strip() in ("running", "degraded"):
                    return
            time.sleep(0.1)
        raise SystemExit("systemd did not boot")

    def inside(self, command, may_fail=False):
        p = subprocess.run(["nsenter", "-t", str(self.pid), "-a", "env", "-i", "PATH=/usr/bin:/usr/sbin:/bin:/sbin", "sh", "-c", command],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        if p.returncode != 0 and not may_fail:
            raise SystemExit(f"{command}: {p.returncode}: {p.stdout[-2000:]}")
        return p.stdout

    def ask(self, method, path, body=None, kind="application/json"):
        """Over the service's socket, as root, whom its file of tokens knows."""
        class Unix(http.client.HTTPConnection):
            def connect(this):
                this.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                this.sock.settimeout(60)
                this.sock.connect(f"/proc/{self.pid}/root{SOCKET}")
        connection = Unix("localhost")
        connection.request(method, path, body=body, headers={"Content-Type": kind} if body else {})
        got = connection.getresponse()
        return got.status, got.read().decode()

    def main_pid(self):
        return int(self.inside("systemctl show jangbud -p MainPID --value"))

    def end(self):
        self.nspawn.send_signal(signal.SIGTERM)
        try:
            self.nspawn.wait(60)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()


def consumption(n):
    return json.dumps({"op": "consume", "wallet": "W1", "usage": f"U{n}", "amount": 1, "key": f"U{n}"})


def write(c, commands):
    """Half of them one a request, half as lines."""
    status, said = c.ask("POST", "/v1/commands", json.dumps({"op": "wallet.create", "wallet": "W1", "kind": "PERSONAL", "name": "w", "key": "w"}))
    status2, said2 = c.ask("POST", "/v1/commands", json.dumps({"op": "charge", "wallet": "W1", "charge": "C", "amount": 10 * commands, "key": "c"}))
    check("a wallet and a charge", (status, status2) == (200, 200), (said, said2))
    began = time.monotonic()
    single = min(commands // 2, 2000)
    done = sum(c.ask("POST", "/v1/commands", consumption(n))[0] == 200 for n in range(single))
    for first in range(single, commands, LINES):
        lines = "\n".join(consumption(n) for n in range(first, min(first + LINES, commands)))
        done += c.ask("POST", "/v1/commands", lines, "application/x-ndjson")[1].count('"ok":true')
    check(f"{commands} commands under the unit", done == commands, f"{done} in {time.monotonic() - began:.1f} s")


def documented(c, source):
    """The commands of docs/operating.md that are a service's."""
    page = subprocess.run([sys.executable, os.path.join(source, "tests/docs/check_operating.py"), source, "--marked", "service"], capture_output=True, text=True, check=True)
    for line in page.stdout.splitlines():
        said = c.inside(f"cd /root; {line}; echo \"exit $?\"", may_fail=True)
        check(f"docs/operating.md: {line}", said.rstrip().endswith("exit 0"), said[-300:].strip() if not said.rstrip().endswith("exit 0") else "")


def settings(c):
    """What the unit asks for holds for the process that runs."""
    status = open(f"/proc/{next(iter(pids(c)))}/status", encoding="ascii").read()
    read = lambda name: re.search(rf"^{name}:\s+(\S+)", status, re.M)[1]
    check("no capabilities, no new privileges, a filter of system calls", (int(read("CapEff"), 16), int(read("CapBnd"), 16), read("NoNewPrivs"), read("Seccomp")) == (0, 0, "1", "2"),
          {n: read(n) for n in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Seccomp_filters")})
    said = c.inside("systemd-analyze security jangbud --no-pager", may_fail=True)
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    check("its exposure where it runs", level is not None and float(level[1]) <= 1.5, level and level[1])
    check("it writes nowhere else", "Read-only" in c.inside(f"nsenter -t {c.main_pid()} -m touch /etc/x /usr/x 2>&1", may_fail=True))
    check("its files are its own", c.inside("stat -c '%U %a' /var/lib/jangbu /var/lib/jangbu/ledger/log.mdb").split() == ["jangbu", "700", "jangbu", "600"])


def pids(c):
    """The daemon's ids as this side sees them."""
    for path in glob.glob("/proc/[0-9]*/exe"):
        try:
            if os.readlink(path).endswith("/usr/bin/jangbud") and os.readlink(path.replace("exe", "ns/pid")) == os.readlink(f"/proc/{c.pid}/ns/pid"):
                yield int(path.split("/")[2])
        except OSError:
            continue


def lives(c, commands):
    """Reload, kill, stop, start: as operators do it."""
    c.inside("systemctl reload jangbud")
    check("it reads its tokens again", '"event":"tokens"' in c.inside("sleep 0.5; journalctl -u jangbud --no-pager -o cat"))
    before = c.main_pid()
    c.inside(f"kill -9 {before}")
    for _ in range(100):
        if c.main_pid() not in (0, before) and c.inside("systemctl is-active jangbud", may_fail=True).strip() == "active":
            break
        time.sleep(0.1)
    status, said = c.ask("GET", "/v1/wallets/W1")
    check("killed, it comes back with all that it answered", status == 200 and json.loads(said)["paid"] == 9 * commands, said)
    status, said = c.ask("POST", "/v1/commands", consumption(0))
    check("and a key gives its first answer", status == 200 and '"duplicate":true' in said, said)
    said = c.inside("runuser -u jangbu -- jangbu stat /var/lib/jangbu/ledger --json")
    check("jangbu beside it", f'"events":{commands + 12},' in said, said[:80])
    c.inside("systemctl stop jangbud")
    check("a stop ends it well", c.inside("systemctl show jangbud -p Result,ExecMainStatus,ActiveState --value").split() == ["success", "0", "inactive"] or
          "inactive" in c.inside("systemctl show jangbud -p ActiveState --value"), c.inside("systemctl show jangbud -p Result,ExecMainStatus,ActiveState"))
    check("the audit verifies", "verified" in c.inside("runuser -u jangbu -- jangbu audit /var/lib/jangbu/ledger"))
    log = c.inside("journalctl -u jangbud --no-pager -o cat", may_fail=True)
    denied = [line for line in log.splitlines() if re.search(r"seccomp|SIGSYS|Operation not permitted|status=31/SYS|core-dump", line)]
    check("nothing was denied", not denied, denied)


def main():
    arguments = sys.argv[1:]
    commands = 10000
    if "--commands" in arguments:
        at = arguments.index("--commands")
        commands = int(arguments[at + 1])
        del arguments[at:at + 2]
    source, build, root = (os.path.abspath(a) for a in arguments)
    missing = [p for p in NEEDED if shutil.which(p) is None]
    if missing or os.geteuid() != 0:
        print("skipped: " + (f"no {', '.join(missing)}" if missing else "this takes root"))
        return 77
    made(source, build, root)
    c = Booted(root)
    try:
        c.inside("runuser -u jangbu -- true; install -d -o jangbu -g jangbu -m 700 /var/lib/jangbu")
        c.inside("runuser -u jangbu -- jangbu init /var/lib/jangbu/ledger")
        c.inside("runuser -u jangbu -- jangbud token new root --uid 0 --scope read,write,ops --tokens /var/lib/jangbu/tokens")
        c.inside("grep -q '^tokens' /etc/jangbu/jangbud.conf || echo 'tokens = /var/lib/jangbu/tokens' >>/etc/jangbu/jangbud.conf")
        c.inside("systemctl enable --now jangbud")
        check("the service runs", c.inside("systemctl is-active jangbud").strip() == "active")
        write(c, commands)
        settings(c)
        documented(c, source)
        lives(c, commands)
    finally:
        c.end()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
