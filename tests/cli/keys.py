#!/usr/bin/python3
"""Whatever keeps the key of a sealed ledger from being used, a query warns of it with the sentence that a command fails with, in both
languages; a forget says that the key is another one now; where it cannot be, what stands before it is done; a people.mdb that is older says so; an --actor
that was left out spends no key; and what is typed for a person's id is not taken for an id with a role.

usage: keys.py JANGBU"""
import os
import shutil
import subprocess
import sys
import tempfile

CHARGE = ("charge", "l", "W", "C", "1000", "--actor", "jin")
FAILED = []


def check(what, ok, *shown):
    if not ok:
        FAILED.append(what)
        print(f"{what}: not so", *shown)


class Program:
    def __init__(self, jangbu, where):
        self.jangbu, self.where = jangbu, where

    def __call__(self, *args, text=None):
        env = {k: v for k, v in os.environ.items() if k != "JANGBU_KEY_FILE"}
        return subprocess.run([self.jangbu, *args], capture_output=True, text=True, cwd=self.where, input=text, env=env)


def write(path, content, mode=0o600):
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, mode)


def troubles(run, at):
    """Name, what makes it, and the options that then say where the key is."""
    with open(at("l.key"), "rb") as f:
        key = f.read()
    run("init", "other", "--roles=enforce", "--operator", "root")
    run("backup", "l", "before")
    run("people", "rotate", "l")
    with open(at("l.key"), "rb") as f:
        newer = f.read()
    yield "no key file", lambda: os.unlink(at("l.key")), ()
    yield "others may read it", lambda: write(at("l.key"), newer, 0o644), ()
    yield "a damaged one", lambda: write(at("l.key"), newer[:40]), ()
    yield "one of another ledger", lambda: shutil.copy(at("other.key"), at("l.key")), ()
    yield "an older one", lambda: write(at("l.key"), key), ()
    yield "a directory", lambda: (os.unlink(at("l.key")), os.mkdir(at("l.key"))), ()
    yield "inside of the ledger", lambda: (os.rmdir(at("l.key")), write(at("l/k"), newer)), ("--key-file", "l/k")
    yield "an older people.mdb", lambda: (write(at("l.key"), newer), os.unlink(at("l/k")), shutil.copy(at("before/people.mdb"), at("l/people.mdb"))), ()
    yield "no people.mdb", lambda: os.unlink(at("l/people.mdb")), ()


def reasons(run, at):
    for what, make, options in troubles(run, at):
        make()
        for lang in ("en", "ko"):
            failed = run(*CHARGE, *options, "--lang", lang)
            sentence = failed.stderr.strip().split("\n")[-1].removeprefix("jangbu: ").rstrip(".")
            check(f"{what}, {lang}: a command fails", failed.returncode == 3 and sentence != "", failed)
            for query in (("balance", "l", "W"), ("people", "l"), ("who", "l", "W", "--people"), ("answer", "l", "W", "--question", "7")):
                asked = run(*query, *options, "--lang", lang)
                check(f"{what}, {lang}: {query[0]} works", asked.returncode == 0, asked)
                check(f"{what}, {lang}: {query[0]} says the same", sentence in asked.stderr and "(null)" not in asked.stderr, sentence, asked.stderr)


def forgetting(run):
    lines = ('{"op":"role.give","person":"su","role":"SYSTEM","actor":{"id":"root"}}\n{"op":"role.take","person":"su","role":"SYSTEM","actor":{"id":"root"}}\n')
    forget = '{"op":"forget","person":"su","key":"f","actor":{"id":"root"}}\n'
    check("without a forget nothing is said of the key", "key" not in run("apply", "l", text=lines).stderr)
    check("nor by a trial", "l.key" not in run("apply", "l", "--dry-run", text=forget).stderr)
    check("a forget says that the key changed", "l.key" in run("apply", "l", text=forget).stderr)
    check("once", "l.key" not in run("apply", "l", text=forget).stderr)
    run("apply", "l", text=lines)
    check("by a single command, too", "l.key" in run("forget", "l", "--person", "su", "--actor", "root").stderr)


def way_back(run):
    """Where roles are asked the command that takes something back names who does it."""
    done = run("wallet", "off", "l", "W", "--actor", "jin").stdout.splitlines()
    back = [line.split(": ", 1)[1].split()[1:] for line in done if line.startswith("to take it back: ")]
    check("a way back", len(back) == 1 and back[0][-2:] == ["--actor", "jin"], done)
    p = run(*back[0])
    check("and it is one", p.returncode == 0, p)
    # Who may not take it back is not told how.
    for words in (("charge", "l", "W", "no-way-back", "5000"), ("consume", "l", "W", "no-way-back", "10")):
        p = run(*words, "--actor", "jin")
        check(f"no way back of {words[0]} for the master", p.returncode == 0 and "balance now" in p.stdout and "to take it back" not in p.stdout, p)


def persons(run):
    for words in (("may", "l", "W", "--actor", "jin:MASTER"), ("operator", "l", "jin:OPERATOR"),
                  ("init", "new", "--roles=enforce", "--operator", "root:OPERATOR")):
        p = run(*words)
        check(f"{words[0]} takes an id without a role", p.returncode == 2 and "without a role" in p.stderr, p)
    check("an id may have a colon", "without a role" not in run("may", "l", "W", "--actor", "a:b").stderr)
    check("no name is no key file", run("balance", "l", "W", "--key-file=").returncode == 2)
    check("a ledger that trusts says so", "nobody is asked for a role" in run("init", "trust").stdout)
    p = run("people", "encrypt", "l", "--lang", "ko")
    check("what is sealed already is said in Korean", "sealed" not in p.stderr and p.returncode == 2, p)


def in_clear(run, at):
    """Nobody can be forgotten there: what stands before that is done, what stands behind it is not, and both are said."""
    run("init", "clear")
    made = ['{"op":"wallet.create","wallet":"W","kind":"PERSONAL","name":"n","master":"jin","key":"a"}', '{"op":"charge","wallet":"W","charge":"C","amount":5000,"key":"b"}']
    ended = ['{"op":"member.invite","wallet":"W","person":"su","key":"c"}', '{"op":"member.leave","wallet":"W","person":"su","key":"d"}']
    behind = ['{"op":"charge","wallet":"W","charge":"D","amount":7000,"key":"e"}']
    lines = "".join(line + "\n" for line in made + ended + ['{"op":"forget","person":"su","key":"f"}'] + behind)
    for lang, words in (("en", "Lines up to 4 are done"), ("ko", "4번째 줄까지")):
        p = run("apply", "clear", "--lang", lang, text=lines)
        check(f"a forget in clear, {lang}", p.returncode == 3 and "people encrypt" in p.stderr and words in p.stderr and p.stdout.count('"ok":true') == 4, p)
        log = run("log", "clear", "--json").stdout
        check(f"what stood before is done, {lang}", log.count('"charge_settled"') == 1 and "member_left" in log, log)
    p = run("apply", "clear", "--dry-run", text=lines)
    check("a trial says the same", p.returncode == 3 and p.stdout.count('"ok":true') == 4, p)
    p = run("forget", "clear", "--person", "su")
    check("and a single command", p.returncode == 3 and "people encrypt" in p.stderr, p)
    run("people", "encrypt", "clear")
    p = run("apply", "clear", text=lines)
    check("then the same input is done", p.returncode == 0 and p.stdout.count('"ok":true') == 6 and run("log", "clear", "--json").stdout.count('"charge_settled"') == 2, p)


def slips(run):
    """Who types a command and leaves --actor out has not spent the key; a program's line has."""
    for lang in ("en", "ko"):
        before = run("log", "l").stdout
        p = run("charge", "l", "W", "K" + lang, "1000", "--key", "slip" + lang, "--lang", lang)
        check(f"a slip is refused, {lang}", p.returncode == 1 and "ROLE" in p.stdout and "--actor" in p.stderr and run("log", "l").stdout == before, p)
        p = run("charge", "l", "W", "K" + lang, "1000", "--key", "slip" + lang, "--actor", "jin", "--lang", lang)
        check(f"and the key is free, {lang}", p.returncode == 0, p)
        p = run("charge", "l", "W", "K" + lang, "1000", "--key", "slip" + lang, "--lang", lang)
        check(f"a repetition is answered to everybody, {lang}", p.returncode == 0 and p.stderr == "", p)
    p = run("wallet", "off", "l", "none", "--key", "other")
    check("what is refused for something else is remembered", "WALLET_UNKNOWN" in p.stdout and p.stderr == "" and '"other"' in run("log", "l", "--json").stdout, p)
    line = '{"op":"wallet.off","wallet":"W","key":"line"%s}\n'
    check("a line without an actor is remembered", '"ROLE"' in run("apply", "l", text=line % "").stdout and
          '"ROLE"' in run("apply", "l", text=line % ',"actor":{"id":"jin"}').stdout)
    p = run("wallet", "off", "l", "W", "--key", "line")
    check("and then it is said of the single command, too", p.returncode == 1 and "nothing was written" not in p.stderr, p)


def older(run, at):
    """What `people` says of a people.mdb that does not know all whom the log names."""
    for lang, words in (("en", "older than the log"), ("ko", "로그보다 오래된")):
        check(f"a people.mdb of now, {lang}", words not in run("people", "l", "--lang", lang).stdout and '"older":false' in run("people", "l", "--json").stdout)
    shutil.copy(at("l/people.mdb"), at("people.then"))
    p = run("apply", "l", text='{"op":"wallet.rename","wallet":"W","name":"later","actor":{"id":"jin"}}\n')
    check("a text more", p.returncode == 0, p)
    shutil.copy(at("l/people.mdb"), at("people.now"))
    shutil.copy(at("people.then"), at("l/people.mdb"))
    for lang, words in (("en", "older than the log"), ("ko", "로그보다 오래된")):
        check(f"an older one, {lang}", words in run("people", "l", "--lang", lang).stdout and '"older":true' in run("people", "l", "--json").stdout, run("people", "l"))
    shutil.copy(at("people.now"), at("l/people.mdb"))
    check("and the newest again", '"older":false' in run("people", "l", "--json").stdout and run(*CHARGE, "--dry-run").returncode == 0)


def main():
    with tempfile.TemporaryDirectory() as work:
        run = Program(os.path.abspath(sys.argv[1]), work)
        made = run("init", "l", "--roles=enforce", "--operator", "root")
        check("init says who the operator is", "the operator is root" in made.stdout, made)
        p = run("wallet", "create", "l", "W", "--kind", "BUSINESS", "--name", "shop", "--master", "jin", "--actor", "root")
        check("a wallet", p.returncode == 0, p)
        forgetting(run)
        way_back(run)
        persons(run)
        slips(run)
        older(run, lambda name: os.path.join(work, name))
        in_clear(run, lambda name: os.path.join(work, name))
        reasons(run, lambda name: os.path.join(work, name))
    print(f"keys: {len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
