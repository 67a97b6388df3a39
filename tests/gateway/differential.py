#!/usr/bin/python3
"""The same random commands through jangbud one by one, through jangbud as lines, and through `jangbu apply`: the same answers, and the
same log.

usage: differential.py JANGBU JANGBUD [--commands N] [--seed S] [--who MODE]

The streams are those of tests/witness. They are for a clock that goes through years; here it is the machine's, which all three ways
have in common but for moments: `at`, `clock` and `from` are left out, days are put around today, and what says when is not compared."""
import argparse
import concurrent.futures
import datetime
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "witness"))
import generate  # noqa: E402
import generate_who  # noqa: E402
from served import Served  # noqa: E402

MOMENTS = {"recorded_at", "occurred_at", "posted_on", "now", "until", "chain", "ledger_id", "behind_us", "message", "detail"}
DAYS = {"expires_on", "day"}


def moved(command, today):
    """The command as it is given now."""
    if not isinstance(command, dict):
        return command
    out = {}
    for name, value in command.items():
        if name in ("at", "clock", "from", "caller"):
            continue
        if name in DAYS and isinstance(value, str):
            try:
                value = str(today + datetime.timedelta(days=datetime.date.fromisoformat(value).toordinal() % 40 - 5))
            except ValueError:
                pass
        if name == "commands" and isinstance(value, list):
            value = [moved(c, today) for c in value]
        out[name] = value
    return out


def stream(seed, n, mode):
    """n lines of text. The generator aims by a model of its own: what it does not hit is refused, here as there."""
    g = generate.Generator(seed) if mode == "none" else generate_who.WhoGenerator(seed, mode)
    today = datetime.date.today()
    lines = []
    while len(lines) < n:
        text, _ = g.next()
        text = text.rstrip("\n")
        if not text or "\n" in text:
            continue
        try:
            command = json.loads(text)
            text = json.dumps(moved(command, today), ensure_ascii=False) if isinstance(command, dict) else text
        except ValueError:
            pass
        lines.append(text.encode())
    return lines


def bare(node):
    """Without what differs from run to run."""
    if isinstance(node, dict):
        return {name: bare(value) for name, value in node.items() if name not in MOMENTS and not (name == "from" and "T" in str(value))}
    return [bare(x) for x in node] if isinstance(node, list) else node


def made(jangbu, work, name, mode):
    os.makedirs(os.path.join(work, name))
    ledger = os.path.join(work, name, "ledger")
    roles = ["--roles=enforce", "--operator", generate_who.OPERATOR] if mode == "enforce" else []
    subprocess.run([jangbu, "init", ledger, *generate.INIT_OPTIONS, *roles], check=True, capture_output=True)
    return ledger


def by_program(jangbu, ledger, lines):
    done = subprocess.run([jangbu, "apply", ledger], input=b"\n".join(lines) + b"\n", capture_output=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_problem(answer):
    """What `apply` would have printed."""
    p = answer.json
    if "answer" in p:
        return p["answer"]
    return {"ok": False, "code": p["code"], **{name: p[name] for name in ("column", "field") if name in p}}


def one_by_one(jangbud, ledger, lines):
    answers = []
    with Served(jangbud, ledger) as s:
        connection = s.connection(unix=True)
        for line in lines:
            a = s.ask("POST", "/v1/commands", body=line, connection=connection)
            answers.append(a.json if a.status == 200 else of_problem(a))
            if (a.headers["Idempotent-Replayed"] == "true") != ("duplicate" in answers[-1]):
                raise SystemExit(f"Idempotent-Replayed says otherwise than the answer: {a}")
        if s.stop() != 0:
            raise SystemExit("jangbud did not end well")
    return answers


def as_lines(jangbud, ledger, lines):
    answers = []
    with Served(jangbud, ledger) as s:
        at = 0
        for size in itertools.cycle((1, 2, 7, 300, 1000)):
            if at >= len(lines):
                break
            part = lines[at:at + size]
            at += size
            a = s.lines(part)
            if a.status != 200 or len(a.lines) != len(part):
                raise SystemExit(f"{len(part)} lines: {a}")
            answers += a.lines
        if s.stop() != 0:
            raise SystemExit("jangbud did not end well")
    return answers


def log_of(jangbu, ledger):
    done = subprocess.run([jangbu, "log", ledger, "--json"], capture_output=True, check=True)
    return [bare(json.loads(line)) for line in done.stdout.splitlines()]


def compared(name, lines, want, got, keyed):
    """Whether they are the same; says where not. keyed: an answer without its place says its key only where there is one."""
    for line, a, b in itertools.zip_longest(lines, want, got):
        a, b = (bare({k: v for k, v in (x or {}).items() if k != "line" and (keyed or k != "key")}) for x in (a, b))
        if a != b:
            print(f"{name}: {(line or b'').decode()}\n  apply: {a}\n  {name}: {b}")
            return False
    return True


def compared_logs(name, want, got):
    for a, b in itertools.zip_longest(want, got):
        if a != b:
            print(f"{name}: the log\n  apply: {a}\n  {name}: {b}")
            return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jangbu")
    parser.add_argument("jangbud")
    parser.add_argument("--commands", type=int, default=250)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--who", action="append", choices=["none", *generate_who.MODES], help="whether roles are asked; none and enforce")
    a = parser.parse_args()
    return max(three_times(a, mode) for mode in a.who or ["none", "enforce"])


def three_times(a, mode):
    lines = stream(a.seed, a.commands, mode)
    work = tempfile.mkdtemp(prefix="jangbud-")
    ways = {"apply": (by_program, a.jangbu), "one by one": (one_by_one, a.jangbud), "as lines": (as_lines, a.jangbud)}
    try:
        ledgers = {name: made(a.jangbu, work, name.replace(" ", "-"), mode) for name in ways}
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            running = {name: pool.submit(way, program, ledgers[name], lines) for name, (way, program) in ways.items()}
            answers = {name: r.result() for name, r in running.items()}
        logs = {name: log_of(a.jangbu, ledger) for name, ledger in ledgers.items()}
    finally:
        shutil.rmtree(work, ignore_errors=True)
    ok = True
    for name in ("one by one", "as lines"):
        ok = compared(name, lines, answers["apply"], answers[name], name == "as lines") and compared_logs(name, logs["apply"], logs[name]) and ok
    done = sum(x.get("ok") is True for x in answers["apply"])
    codes = {x["code"] for x in answers["apply"] if "code" in x}
    print(f"roles {mode}: {len(lines)} commands, {done} done, {len(logs['apply'])} events, {len(codes)} codes: {'the same' if ok else 'not the same'} three times")
    if done < len(lines) // 5 or len(codes) < 5:
        print("too little of it was done to say anything")
        return 1
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
