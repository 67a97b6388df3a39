#!/usr/bin/python3
"""The Node binding, as python.py has Python's: every op and query with its types, the program's answers and log for random commands, what
is wrong, what runs together, kills, memory; TypeScript where tsc is. koffi comes from npm's registry once, into a directory of the build.

usage: node.py PROGRAM LIBRARY DIRECTORY [PART ...]"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests/bindings"), str(ROOT / "tests/witness"), str(ROOT / "tests")]
import answers  # noqa: E402
import generate  # noqa: E402
from checks import check, checks, skip  # noqa: E402

PACKAGE = ROOT / "tools/bindings/node"
OLDEST = 20
REGISTRY_SECONDS = 30

def prepare(directory):
    """A directory with node_modules: koffi from the registry, unless it is there, and the package's files."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            skip(f"there is no {program} (Debian: nodejs npm)")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST:
        skip(f"node is {version}; the binding needs {OLDEST} or later")
    package = json.loads((PACKAGE / "package.json").read_text())
    modules = directory / "node_modules"
    directory.mkdir(parents=True, exist_ok=True)
    if not (modules / "koffi/package.json").exists():
        (directory / "package.json").write_text("{}")
        try:
            done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1",
                                   f"koffi@{package['dependencies']['koffi'].lstrip('^')}"], cwd=directory, capture_output=True, text=True, timeout=REGISTRY_SECONDS)
        except subprocess.TimeoutExpired:
            skip("npm's registry does not answer")
        if done.returncode != 0:
            skip(f"koffi does not come from npm's registry: {done.stderr.strip().splitlines()[-1:]}")
    shutil.rmtree(modules / "jangbu", ignore_errors=True)
    (modules / "jangbu").mkdir()
    for name in ["package.json", *package["files"]]:
        shutil.copyfile(PACKAGE / name, modules / "jangbu" / name)
    return directory


class Node:
    def __init__(self, program, library, directory):
        self.program, self.directory = program, prepare(directory)
        self.environment = {**os.environ, "JANGBU_LIBRARY": library}
        shutil.copyfile(ROOT / "tests/bindings/node.mjs", directory / "test.mjs")

    def start(self, part, *arguments, **more):
        return subprocess.Popen(["node", "--expose-gc", "test.mjs", part, *arguments], cwd=self.directory, env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)

    def run(self, part, *arguments, feed=""):
        node = self.start(part, *arguments, stdin=subprocess.PIPE)
        out, err = node.communicate(feed)
        check(f"{part} of node.mjs", node.returncode == 0 and err == "", f"status {node.returncode}: {err}")
        return out

    def jangbu(self, *arguments, feed=""):
        return subprocess.run([self.program, *arguments], input=feed, capture_output=True, text=True).stdout


SAMPLE = {"wallet": "W", "kind": "PERSONAL", "name": "n", "charge": "C", "grant": "G", "usage": "U", "refund": "R", "amount": 1000,
          "expires_on": "2099-01-01", "seq": 1, "policy": "min_charge", "value": 1, "day": "2020-01-01",
          "person": "kim", "role": "GATEWAY", "channel": "cafe", "search_id": "cafe", "biz": "1112233333", "biz_name": "n",
          "representative": "r", "address": "a", "email": "a@b.kr", "agency": "A", "settlement": "PREPAID", "month": "2020-01",
          "reason": "ENTRY_ERROR", "invoice": 1, "result": "SENT", "why": "OTHER", "commands": [{"op": "wallet.off", "wallet": "W"}]}
ASKED = {"wallet": "W", "channel": "cafe", "actor": "kim", "day": "2020-01-01", "text": "W", "from_day": "2020-01-01",
         "to_day": "2020-01-01", "month": "2020-01", "question": 1, "invoice": 1, "after": 0}


def every(node, work):
    said = [json.loads(line) for line in node.run("every", work, json.dumps(SAMPLE), json.dumps(ASKED)).splitlines()]
    for one in said:
        name = one.get("op") or one["ask"]
        if "ask" in one and "answer" in one:
            given = one["answer"] if isinstance(one["answer"], list) else [one["answer"]]
            found = [f for g in given for f in answers.differences(answers.OF[name][0], g)]
        elif "error" in one:
            found = [] if one["error"]["status"] in ("E_NOTFOUND", "E_NOT_CLOSED") or name == "forget" else [one["error"]]
        else:
            found = answers.differences("Done", one["answer"]) if "answer" in one else answers.differences("Refusal", one["refusal"])
            found += [one] if one.get("refusal", {}).get("code") in ("MALFORMED", "AMOUNT_INVALID") else []
        check(f"{name}: its types", not found, found)
    check("all of them", len({o["op"] for o in said if "op" in o}) > 50 and {o["ask"] for o in said if "ask" in o} == set(answers.OF))


def once(pairs):
    if len({k for k, _ in pairs}) < len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


def taken(value):
    """Whether JavaScript's JSON.parse leaves a value as it is, and the binding takes it where it stands."""
    if isinstance(value, dict):
        return all(taken(v) for v in value.values()) and all(isinstance(v, int) and not isinstance(v, bool) for k, v in value.items() if k in ("amount", "seq", "expect", "limit", "invoice")) and all(
            isinstance(v, str) for k, v in value.items() if k in ("op", "wallet", "charge", "key", "usage", "grant", "refund", "name", "at", "clock", "note", "reason", "day", "kind", "expires_on"))
    if isinstance(value, list):
        return all(map(taken, value))
    return value is not None and not isinstance(value, float) and (not isinstance(value, int) or abs(value) < 2**53) and (not isinstance(value, str) or "\0" not in value and value.isprintable())


def stream(node, work):
    seed = int(os.environ.get("JANGBU_SEED", "20261128"))
    lines = list(generate.stream(seed, 1200, generate.init_events(node.program, *generate.INIT_OPTIONS)))
    by_program, by_binding = work + "/by-program", work + "/by-binding"
    node.jangbu("init", by_program, *generate.INIT_OPTIONS)
    shutil.copytree(by_program, by_binding)
    feed = ""
    for line in lines:
        try:
            command = json.loads(line, object_pairs_hook=once)
            feed += ("c" if isinstance(command, dict) and "op" in command and "actor" not in command and taken(command) else "t") + line + "\n"
        except (ValueError, RecursionError):
            feed += "t" + line + "\n"
    check("most are commands", feed.count("\nc") > len(lines) / 2, feed.count("\nc"))
    want = [json.loads(a) for a in node.jangbu("apply", by_program, "--clock=at", feed="".join(line + "\n" for line in lines)).splitlines()]
    have = [json.loads(a) for a in node.run("stream", by_binding, feed=feed).splitlines()]
    for answer in [*want, *have]:
        answer.pop("line", None)
    check(f"seed {seed}: the program's answers", have == want, [(a, b) for a, b in zip(have, want) if a != b][:1])
    check(f"seed {seed}: the program's log", node.jangbu("log", by_program, "--json") == node.jangbu("log", by_binding, "--json"))


def wrong(node, work):
    node.run("wrong", work)


def together(node, work):
    node.run("together", work)


def deep(node, work):
    node.run("deep", work)
    os.mkdir(work + "/late")
    node.run("deep", work + "/late", "late")


def memory(node, work):
    node.run("memory", work, "100000")


def kills(node, work):
    directory, told = work + "/kills", {}
    node.jangbu("init", directory)
    node.jangbu("wallet", "create", directory, "W", "--kind", "BUSINESS", "--name", "w")
    for turn in range(2):
        writer = node.start("writer", directory, str(turn * 10**5))
        lines = [writer.stdout.readline() for _ in range(5)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().splitlines()
        writer.communicate()
        told |= dict(pair.split(":") for line in lines for pair in line.split())
    feed = "".join(json.dumps({"op": "charge", "wallet": "W", "charge": key, "amount": 1000, "key": key}) + "\n" for key in told)
    again = [json.loads(a) for a in node.jangbu("apply", directory, feed=feed).splitlines()]
    check("killed: whatever was answered is there, once", len(told) >= 30 and all(a["duplicate"] and a["seq"] == int(told[a["key"]]) for a in again), told)


USER = '''import { Ledger, Refused, command } from "jangbu";
const ledger: Ledger = await Ledger.open("shop");
const total: number = (await ledger.balance({ wallet: "W1" })).total;
for await (const row of ledger.history({ wallet: "W1", limit: 2 })) { const effect: number = row.effect; console.log(effect); }
const many = await ledger.submit([command.charge({ wallet: "W1", charge: "C", amount: 5n })]);
for (const answer of many) { console.log(answer.ok, total); }
const big: bigint = (await (await Ledger.open("shop", { integers: "bigint" })).totals()).paid;
try { await ledger.walletOff({ wallet: "W1" }); } catch (e) { if (e instanceof Refused) { const code: string = e.code; console.log(code, big); } }
'''
BAD = ('await ledger.charge({ wallet: "W1", charge: "C", amount: "5" });', 'await ledger.charge({ wallet: "W1", chrge: "C", amount: 5 });',
       'const n: string = (await ledger.balance({ wallet: "W1" })).total;', 'await ledger.balance({ wallet: "W1" }).totl;', 'await ledger.walletCreate({ wallet: "W", kind: "SHOP", name: "n" });')


def types(node, work):
    tsc = shutil.which("tsc") or next((str(p) for p in [node.directory / "node_modules/.bin/tsc"] if p.exists()), None)
    if tsc is None:
        print("no tsc here: types are not looked at")
        return
    (node.directory / "user.mts").write_text(USER + "\n".join(BAD) + "\n")
    done = subprocess.run([tsc, "--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext", "user.mts"],
                          cwd=node.directory, capture_output=True, text=True)
    found = {int(line.split("(")[1].split(",")[0]) for line in done.stdout.splitlines() if line.startswith("user.mts(")}
    first = USER.count("\n") + 1
    check("the bad lines are found, and no others", found == set(range(first, first + len(BAD))) and "made.d.ts" not in done.stdout, done.stdout)


PARTS = [every, stream, wrong, together, deep, kills, memory, types]


def main():
    node = Node(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve())
    for part in PARTS:
        if len(sys.argv) > 4 and part.__name__ not in sys.argv[4:]:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="jangbu-node-") as work:
            part(node, work)
        print(f"{part.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    print(f"{checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
