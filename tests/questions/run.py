#!/usr/bin/python3
"""The answers to the ten questions: ledgers in several states, each answer compared whole, in both languages.

usage: run.py JANGBU FILE [--write]    --write: puts what is answered now into the file; then read it

A line of the file is {"init": [options]}: a new ledger; {"do": command}: it is carried out, and done, at its `at`;
{"ask": [wallet, number, options ...], "ko", "en", "events"}: what is answered, without what it is as of;
{"ask": ..., "fails": {"en", "ko"}, "exit"}: where there is no answer what is said, among other things, and the exit code;
{"#": text}: a remark. {"without": "key"}: the key file is removed, which `init` made at {key}.
A `seq` {"of": N} is that of the N-th `do` before.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

KO_AS_OF = re.compile(r" \(기준: [-0-9T:+.]+, 이벤트 (\d+)\)$")
EN_AS_OF = re.compile(r" \(As of [-0-9T:+.]+, event (\d+)\.\)$")


class Ledger:
    def __init__(self, jangbu, options):
        self.jangbu, self.dir, self.seqs = jangbu, tempfile.mkdtemp(prefix="jangbu-questions-") + "/ledger", []
        options = [option.replace("{key}", self.dir + ".key") for option in options]
        subprocess.run([jangbu, "init", self.dir, *options], check=True, capture_output=True)

    def do(self, command):
        if isinstance(command.get("seq"), dict):
            command = {**command, "seq": self.seqs[-command["seq"]["of"]]}
        out = subprocess.run([self.jangbu, "apply", self.dir, "--clock=at"], input=json.dumps(command), text=True, capture_output=True).stdout
        answer = json.loads(out)
        self.seqs.append(answer.get("seq"))
        return None if answer["ok"] else out

    def ask(self, asked, lang):
        wallet, number, *options = asked
        run = subprocess.run([self.jangbu, "answer", self.dir, wallet, "--question", str(number), *options, "--clock", "at", "--json", "--lang", lang],
                             text=True, capture_output=True)
        return json.loads(run.stdout) if run.returncode == 0 else None, run

    def log(self):
        out = subprocess.run([self.jangbu, "log", self.dir, "--json"], text=True, capture_output=True).stdout
        return {e["seq"]: e for e in map(json.loads, out.splitlines())}


def check_answer(ledger, row, write):
    """What is wrong with one row."""
    problems, last = [], None
    for lang, as_of in (("ko", KO_AS_OF), ("en", EN_AS_OF)):
        answer, run = ledger.ask(row["ask"], lang)
        if "fails" in row:
            if run.returncode != row["exit"] or run.stdout or row["fails"][lang] not in run.stderr:
                problems.append(f"{lang}: exit code {run.returncode}: {run.stdout}{run.stderr}")
            continue
        if answer is None:
            problems.append(f"{lang}: {run.stderr}")
            continue
        end = as_of.search(answer["text"])
        log = ledger.log()
        last = max(log)
        if end is None or int(end.group(1)) != answer["as_of"]["seq"] or answer["as_of"]["seq"] != last:
            problems.append(f"{lang}: it does not say of what moment it is: {answer['text']}")
            continue
        text = answer["text"][:end.start()]
        if write:
            row[lang], row["events"] = text, answer["events"]
        if text != row.get(lang):
            problems.append(f"{lang}: {text!r}\n    and not {row.get(lang)!r}")
        if answer["events"] != row.get("events"):
            problems.append(f"{lang}: events {answer['events']} and not {row.get('events')}")
        problems += [f"{lang}: event {seq} is not in the log" for seq in answer["events"] if seq not in log]
    return problems


def main():
    jangbu, path, write = sys.argv[1], sys.argv[2], "--write" in sys.argv
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    ledger, failed, asked, numbers = None, 0, 0, set()
    for at, row in enumerate(rows, 1):
        if "init" in row:
            ledger = Ledger(jangbu, row["init"])
        elif "do" in row:
            problem = ledger.do(row["do"])
            if problem:
                print(f"{path}:{at}: not done: {problem}")
                failed += 1
        elif "without" in row:
            os.remove(ledger.dir + "." + row["without"])
        elif "ask" in row:
            asked += 1
            numbers |= {row["ask"][1]} if "fails" not in row else set()
            for problem in check_answer(ledger, row, write):
                print(f"{path}:{at}: {row['ask']}: {problem}")
                failed += 1
    if write:
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"questions: {asked} answers in two languages, {failed} wrong")
    return 1 if failed or numbers != set(range(1, 11)) else 0


if __name__ == "__main__":
    sys.exit(main())
