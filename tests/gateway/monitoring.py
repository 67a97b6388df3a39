#!/usr/bin/python3
"""The metrics of a real daemon, with every kind of series that it has: docs/operating.md names each family and each reason, each event of the
log and each thread; the alerts use none that is not there, and promtool (Debian: prometheus) finds nothing to complain of in them, nor in rules,
their tests, and the scrape configuration.

usage: monitoring.py JANGBU JANGBUD SOURCE_DIR"""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from served import Served, token

JANGBU, JANGBUD, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])
RULES = os.path.join(SOURCE, "tools/monitoring")
failures = []


def check(what, ok, detail=""):
    if not ok:
        failures.append(what)
        print(f"failed: {what}: {str(detail)[:900]}")


def metrics(work):
    """What the daemon says when each family has something to say."""
    ledger, tokens, audited = (os.path.join(work, name) for name in ("shop", "tokens", "audited"))
    subprocess.run([JANGBU, "init", ledger], check=True, capture_output=True)
    open(audited, "w", encoding="ascii").close()
    token(JANGBUD, tokens, "till", "--scope", "read,write,ops")
    with Served(JANGBUD, ledger, tokens, flags=["--audit-file", audited]) as s:
        for _ in range(100):
            if s.get("/readyz").status == 200:
                break
        s.post({"op": "wallet.create", "wallet": "W", "kind": "PERSONAL", "name": "w", "key": "w"})
        s.post({"op": "consume", "wallet": "W", "usage": "U", "amount": 1, "key": "u"})
        s.post({"op": "charge", "wallet": "W", "charge": "C", "amount": 5000, "key": "w"})
        refused = s.get("/v1/wallets/W", token="jbt_nobody")
        check("a token that is none", refused.status == 401, refused)
        said = s.get("/metrics").body.decode()
        threads(s)
    for route in ("/v1/commands", "/w/do", "/o/do"):
        for status in (503, 507):
            check(f"{route} {status} is there before it happens", re.search(rf'^jangbu_http_request_seconds_count\{{route="{route}",method="POST",status="{status}"\}} 0$', said, re.M), said)
    check("who is unknown is counted", "\njangbu_auth_refused_total 1\n" in said, said)
    return said


def documented(said):
    families = set(re.findall(r"^# TYPE (\S+)", said, re.M))
    reasons = set(re.findall(r'^jangbu_not_ready\{reason="(\w+)"\} \d$', said, re.M))
    with open(os.path.join(SOURCE, "docs/operating.md"), encoding="utf-8") as f:
        page = f.read()
    named = set(re.findall(r"`(jangbu_\w+)`", page[page.index("| metric |"):page.index("## Why it is not ready")]))
    check("each family is documented", named == families, sorted(named ^ families))
    table = set(re.findall(r"^\| `(\w+)` \|", page[page.index("| reason |"):page.index("## What clients get")], re.M))
    check("each reason is documented", table == reasons and len(reasons) >= 10, sorted(table ^ reasons))
    with open(os.path.join(RULES, "jangbud.rules.yml"), encoding="utf-8") as f:
        rules = f.read()
    used = {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"\bjangbu_\w+", rules)}
    check("alerts use what there is", used and used <= families, sorted(used - families))
    for name, labels in re.findall(r"\b(jangbu_\w+)\{([^}]*)\}", rules):
        for label in re.findall(r"(\w+)=~?", labels):
            check(f"{name} has the label {label}", re.search(rf"^{name}\{{[^}}]*\b{label}=", said, re.M), name)


def page(begin, end):
    """What docs/operating.md has between two texts."""
    with open(os.path.join(SOURCE, "docs/operating.md"), encoding="utf-8") as f:
        text = f.read()
    return text[text.index(begin):text.index(end)]


def library(name):
    """Whether a thread is the library's: those come when much is written."""
    return name.startswith("jangbu-")


def named(s):
    """The daemon's threads, by name and number."""
    found = collections.Counter()
    tasks = f"/proc/{s.process.pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/comm", encoding="ascii") as f:
            found[f.read().strip()] += 1
    return found


def named_once(s, well):
    """Whether the names are well: each thread takes its own as it begins, and has that of its maker until then."""
    for _ in range(200):
        if well(named(s)):
            return True
        time.sleep(0.05)
    return False


def threads(s):
    """Those that the page has. A second slow one begins when the first is at work."""
    table = re.findall(r"^\| `([\w-]+)` \| (\d+) \|", page("| thread |", "## Why it is not ready"), re.M)
    wanted = collections.Counter({name: int(n) for name, n in table})
    at_rest = {name: n for name, n in wanted.items() if not library(name)} | {"slow": 1}
    resting = named_once(s, lambda found: {name: n for name, n in found.items() if not library(name)} == at_rest)
    check("at rest there are twelve", resting and sum(at_rest.values()) == 12, (named(s), at_rest))
    s.lines([{"op": "charge", "wallet": "W", "charge": f"T{i}", "amount": 1, "key": f"t{i}"} for i in range(600)])
    check("each thread is documented", named_once(s, lambda found: found <= wanted), (named(s), wanted))
    lasting = sum(n for name, n in wanted.items() if name != "jangbu-fold")  # which ends with its piece of the log
    check("and how many there are", lasting <= 15 and wanted["jangbu-fold"] == 2, wanted)


def events():
    """Those of the log."""
    with open(os.path.join(SOURCE, "tools/gateway/log.c"), encoding="utf-8") as f:
        code = f.read()
    named = re.findall(r'\[LOG_\w+\] = "(\w+)"', code)
    table = re.findall(r"^\| `(\w+)` \|", page("| event |", "| thread |"), re.M)
    check("each event of the log is documented", sorted(table) == sorted(named) and len(named) >= 10, sorted(set(table) ^ set(named)))
    check("and named in no other place", code.count('"event"') == 1, code.count('"event"'))


def promtool(said):
    def run(*args, text=None):
        out = subprocess.run(["promtool", *args], cwd=RULES, input=text, capture_output=True, text=True, check=False)
        check(" ".join(args), out.returncode == 0 and not (text and (out.stdout + out.stderr).strip()), out.stdout + out.stderr)
    run("check", "metrics", text=said)
    run("check", "rules", "jangbud.rules.yml")
    run("check", "config", "prometheus.yml")
    run("test", "rules", "jangbud.rules.test.yml")


def main():
    with tempfile.TemporaryDirectory(prefix="jangbud-") as work:
        said = metrics(work)
    documented(said)
    events()
    there = shutil.which("promtool") is not None
    if there:
        promtool(said)
    print(f"monitoring: {len(failures)} failed")
    if not failures and not there:
        print("skipped: no promtool to look at metrics, rules and their tests (Debian: prometheus)")
        return 77
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
