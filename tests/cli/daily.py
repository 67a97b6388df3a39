#!/usr/bin/python3
"""What somebody types all day: the ledger by JANGBU_LEDGER; the balance after a change, and the command that takes it back, which
works as it stands; names in lists; tables that fit 80 columns; long answers through a pager; completion.

usage: daily.py JANGBU ROOT"""
import fcntl
import json
import os
import re
import pty
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from checks import has_terminals  # noqa: E402

JANGBU = ROOT = None
bad = []


def check(name, ok, detail=""):
    if not ok:
        bad.append(f"{name}: {str(detail)[:600]}")


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("JANGBU_") and k not in ("PAGER", "LESS", "LANG", "LC_ALL", "LC_MESSAGES")}
    return {**env, "LC_ALL": "C.UTF-8", **more}


def run(*args, feed=None, **env):
    return subprocess.run([JANGBU, *args], input=feed, capture_output=True, text=True, env=environment(**env))


def terminal(args, rows, columns, **env):
    """What a terminal of that size shows, and the exit code."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    child = subprocess.Popen([JANGBU, *args], stdin=follower, stdout=follower, stderr=follower, env=environment(NO_COLOR="1", **env),
                             start_new_session=True)
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(leader)
    return shown.decode("utf-8").replace("\r\n", "\n"), child.wait()


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def by_environment(ledger, work):
    here = {"JANGBU_LEDGER": ledger}
    plain = run("balance", ledger, "W1", "--json").stdout
    cut = lambda text: {k: v for k, v in json.loads(text).items() if k != "as_of"}
    check("the ledger of the environment", cut(run("balance", "W1", "--json", **here).stdout) == cut(plain), run("balance", "W1", **here))
    check("one that is written goes before", cut(run("balance", ledger, "W1", "--json", JANGBU_LEDGER="/nowhere").stdout) == cut(plain))
    check("apply takes it, too", run("apply", feed='{"op":"wallet.create","wallet":"E1","kind":"PERSONAL","name":"e"}\n', **here).returncode == 0)
    check("one command", run("charge", "E1", "CE", "5000", **here).returncode == 0)
    check("the words of people", "clear" in run("people", **here).stdout and run("people", "accept", **here).returncode != 2, run("people", "accept", **here))
    other = os.path.join(work, "other")
    check("init makes what it is told", run("init", other, **here).returncode == 0 and os.path.exists(other + "/log.mdb"))
    check("a backup", run("backup", os.path.join(work, "copy"), **here).returncode == 0)
    check("empty is not set", run("balance", "W1", JANGBU_LEDGER="").returncode == 2)
    check("one that is none is said", run("balance", "W1", JANGBU_LEDGER="/nowhere").returncode == 3)


FLOW = [  # each with what its answer says of the way back: None, nothing
    (["wallet", "create", "L", "W1", "--kind", "BUSINESS", "--name", "가게 하나"], None),
    (["charge", "L", "W1", "C;rm", "50,000", "--pg", "toss", "--txn-ref", "T1"], "charge reverse"),
    (["charge", "L", "W1", "C2", "90000", "--pg", "toss", "--txn-ref", "T2"], "charge reverse"),
    (["consume", "L", "W1", "U'1", "1000"], "consume reverse"),
    (["consume", "L", "W1", "U'1", "1000"], "consume reverse"),
    (["grant", "L", "W1", "G1", "700", "--expires-on", "2099-01-01"], "grant revoke"),
    (["refund", "request", "L", "W1", "R1", "1000"], "refund cancel"),
    (["refund", "request", "L", "W1", "R2", "1000"], "refund cancel"),
    (["refund", "approve", "L", "W1", "R2"], "refund fail"),
    (["wallet", "off", "L", "W1"], "wallet on"),
    (["wallet", "suspend", "L", "W1"], "wallet lift"),
    (["wallet", "rename", "L", "W1", "--name", "가게 둘"], None),
]


def steps_back(ledger):
    """Each step is taken, and where its answer says how, taken back by what it says; a copy goes on with it untaken."""
    for words, back in FLOW:
        out = run(*[ledger if w == "L" else w for w in words])
        lines = out.stdout.splitlines()
        way = [line[len("to take it back: "):] for line in lines if line.startswith("to take it back: ")]
        now = [line for line in lines if line.startswith("balance now: ")]
        if not out.stdout.startswith("done"):
            check(f"{words}", False, out)
            continue
        check(f"{words}: a way back", (not way) == (back is None) and (back is None or way[0].startswith(f"jangbu {back} ")), lines)
        balance = json.loads(run("balance", ledger, "W1", "--json").stdout)
        said = f"balance now: paid {balance['paid']:,}, free {balance['free']:,}, total {balance['total']:,}"
        check(f"{words}: the balance", not now or now == [said], (now, said))
        dry = run(*[ledger if w == "L" else w for w in words], "--dry-run").stdout
        check(f"{words}: a dry run has no way back", "to take it back" not in dry and "balance now" not in dry, dry)
        if way and words[:2] != ["refund", "request"] and words[1] != "suspend":
            copy = tempfile.mkdtemp()
            shutil.rmtree(copy)
            run("backup", ledger, copy)
            argv = shlex.split(way[0].replace(ledger, copy))
            undone = run(*argv[1:])
            check(f"{words}: {way[0]}", undone.returncode == 0 and undone.stdout.startswith("done"), undone)
            shutil.rmtree(copy)
    check("Korean", "되돌리려면: jangbu " in run("wallet", "lift", ledger, "W1", "--lang", "ko").stdout)
    check("JSON stays one object", len(run("consume", ledger, "W1", "U9", "10", "--json", "--overdraft").stdout.splitlines()) == 1)


def least_amounts(ledger):
    """Help says which methods have a least amount; those have one, and the others, and none at all, have none."""
    told = " ".join(run("help", "charge").stdout.split("--method M")[-1].split("--reason")[0].split())
    least, free = (re.findall(r"[A-Z_]{5,}", part) for part in told.split("min_charge"))
    small = lambda *more: run("charge", ledger, "W1", "small", "1", "--dry-run", *more).stdout
    check("methods of help", len(least) == 3 and len(free) == 4 and "without it" in told, told)
    for method in least + free:
        check(f"1 by {method}", ("MIN_CHARGE" in small("--method", method)) == (method in least), small("--method", method))
    check("1 by no method", small().startswith("would be done"), small())


def lists(ledger):
    for words in (("events", ledger), ("find", ledger, "C2"), ("wallets", ledger), ("find", ledger, "W1")):
        check(f"names in {words[0]}", "가게 둘" in run(*words).stdout, run(*words))
    for words in (("events",), ("find", "C2"), ("wallets",), ("charges", "W1"), ("lots", "W1"), ("grants", "W1"), ("refunds", "W1"), ("history", "W1"),
                  ("cash-status", "W1", "--view", "known"), ("explain", "W1"), ("explain", "W1", "--since", "12"), ("refused", "W1"), ("balance", "W1")):
        shown, code = terminal([words[0], ledger, *words[1:]], 500, 80)
        wide = [line for line in shown.splitlines() if width(line) > 80 and not line.startswith("more: --cursor")]
        check(f"{words} fits 80 columns", code == 0 and shown and not wide, wide or shown)
    for columns in range(40, 121, 8):
        shown, code = terminal(["explain", ledger, "W1", "--since", "12"], 500, columns)
        lines = shown.splitlines()
        behind = [lines[i + 1] for i, line in enumerate(lines[:-1]) if line.startswith("(")]
        check(f"{columns} columns: no blank line above the heads", code == 0 and len(lines) > 5 and all(line.strip() for line in behind), shown)


def pages(ledger):
    upper = {"JANGBU_PAGER": "tr a-z A-Z"}
    shown, code = terminal(["events", ledger], 10, 200, **upper)
    check("what is long goes through the pager", code == 0 and "WALLET_CREATED" in shown and "wallet_created" not in shown, shown)
    shown, code = terminal(["log", ledger], 10, 200, **upper)
    check("the log, too", code == 0 and "WALLET_CREATED" in shown, shown)
    shown, code = terminal(["balance", ledger, "W1"], 10, 200, **upper)
    check("what is short does not", code == 0 and "wallet" in shown, shown)
    shown, code = terminal(["events", ledger, "--json"], 10, 200, **upper)
    check("nor JSON", code == 0 and "wallet_created" in shown, shown)
    shown, code = terminal(["events", ledger], 10, 200, JANGBU_PAGER="")
    check("nor where there is to be none", code == 0 and "wallet_created" in shown, shown)
    shown, code = terminal(["events", ledger], 10, 200, PAGER="tr a-z A-Z")
    check("PAGER", code == 0 and "WALLET_CREATED" in shown, shown)
    shown, code = terminal(["events", ledger], 10, 200, JANGBU_PAGER="head -n 1")
    check("a reader who has seen enough", code == 0 and "wallet_created" not in shown and shown, (shown, code))
    for words in ("X=1 tr a-z A-Z", "cat | tr a-z A-Z", "{ tr a-z A-Z; }", "tr a-z A-Z #" + "x" * 5000):
        shown, code = terminal(["events", ledger], 10, 200, PAGER=words)
        check(f"a pager is a line for the shell: {words[:20]}", code == 0 and "WALLET_CREATED" in shown, shown)
    for words in ("no-such-pager", "/etc/passwd", "X=1 no-such-pager -r"):
        shown, code = terminal(["events", ledger], 10, 200, PAGER=words)
        check(f"a pager that is not there: {words}", code == 0 and "wallet_created" in shown, shown)
    ctrl_c = '''sh -c "trap '' INT; kill -INT 0; sleep 0.3; tr a-z A-Z"'''
    shown, code = terminal(["events", ledger], 10, 200, PAGER=ctrl_c)
    check("Ctrl-C is the pager's", code == 0 and "WALLET_CREATED" in shown, (shown, code))
    check("a pipe has none", "wallet_created" in run("events", ledger, **upper).stdout)


def complete_bash(words, cwd, **env):
    script = f"source {shlex.quote(ROOT + '/tools/completion/jangbu.bash')}\nCOMP_WORDS=({' '.join(shlex.quote(w) for w in words)})\n" \
             f"COMP_CWORD={len(words) - 1}\n_jangbu\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    return completed(["bash", "-c", script], cwd, env)


# What zsh would offer: in the place of its own builtins, those that match what is typed.
ZSH = """compadd() { [[ $1 == -a ]] && offer "${(@P)2}" }
_files() { offer *(DN) }
offer() { local word; for word in "$@"; do [[ -n $word && $word == "${words[CURRENT]}"* ]] && print -r -- "$word"; done; true }
"""


def complete_zsh(words, cwd, **env):
    script = f"{ZSH}words=({' '.join(shlex.quote(w) for w in words)})\nCURRENT={len(words)}\nsource {shlex.quote(ROOT + '/tools/completion/_jangbu')}\n"
    return completed(["zsh", "-f", "-c", script], cwd, env)


def completed(command, cwd, env):
    out = subprocess.run(command, capture_output=True, text=True, cwd=cwd,
                         env=environment(PATH=os.path.dirname(JANGBU) + ":" + os.environ["PATH"], **env))
    check(f"{command[0]} says nothing else", out.stderr == "", out.stderr)
    return out.stdout.split("\n")[:-1]


def typed_zsh(work):
    """In a terminal, with zsh's own completion: the line as it stands behind each Tab."""
    script = """zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1= RPS1=; fpath=($COMPLETION $fpath); autoload -Uz compinit; compinit -u -D; print ${(U):-ready}'
zpty -r z text '*READY*'
zpty -w -n z $'jangbu cash-\t--lang k\t; print ${(U):-end}\n'
zpty -r z text '*END*'
print -r -- "$text"
"""
    out = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, cwd=work, timeout=60,
                         env=environment(PATH=os.path.dirname(JANGBU) + ":" + os.environ["PATH"], TERM="dumb",
                                         COMPLETION=ROOT + "/tools/completion"))
    check("in a terminal of zsh", re.search("cash-status [\b ]*--lang ko", out.stdout) is not None, out)


def completions(ledger, work):
    completion("bash", complete_bash, ledger, work)
    if shutil.which("zsh"):
        completion("zsh", complete_zsh, ledger, work)
        if has_terminals():
            typed_zsh(work)
    else:
        print("zsh is not installed: its completion is not tested (tools/setup test)")


def completion(shell, complete, ledger, work):
    names = complete(["jangbu", ""], work)
    listed = [line.split()[0] for line in run("help").stdout.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    check(f"{shell}: sub-commands", sorted(names) == sorted(listed) and len(names) > 30, (names, listed))
    check(f"{shell}: by their beginning", complete(["jangbu", "cash"], work) == ["cash-status"], complete(["jangbu", "cash"], work))
    for name in listed:
        if name != "help":
            options = complete(["jangbu", name, ledger, "--"], work)
            check(f"{shell}: options of {name}", "--lang" in options and set(options) <= set(run("help", name).stdout.replace("[", " ").replace("]", " ")
                  .replace("=", " ").replace(",", " ").split()) | set(options), options)
    check(f"{shell}: words of an option", sorted(complete(["jangbu", "cash-status", ledger, "W1", "--view", ""], work)) == ["known", "posted"],
          complete(["jangbu", "cash-status", ledger, "W1", "--view", ""], work))
    check(f"{shell}: the second word", "suspend" in complete(["jangbu", "wallet", "sus"], work), complete(["jangbu", "wallet", "sus"], work))
    for command, word in (("member", "invite"), ("role", "give"), ("channel", "search-id"), ("biz", "approve"), ("sales", "release"), ("wallet", "settlement")):
        found = complete(["jangbu", command, word[:3]], work)
        check(f"{shell}: the second word of {command}", word in found, found)
    check(f"{shell}: its options", "--biz-name" in complete(["jangbu", "biz", "request", ledger, "--biz"], work), complete(["jangbu", "biz", "request", ledger, "--biz"], work))
    check(f"{shell}: wallets", "W1" in complete(["jangbu", "balance", ledger, "W"], work), complete(["jangbu", "balance", ledger, "W"], work))
    check(f"{shell}: wallets of the environment's ledger", "W1" in complete(["jangbu", "balance", "W"], work, JANGBU_LEDGER=ledger))
    # An id is a stranger's text: it is completed as it stands, and nothing in it is carried out.
    hostile = ["$(touch${IFS}made)", "`touch${IFS}made`", "'$(touch${IFS}made)", "${HOME}", "~", "*"]
    other = os.path.join(work, "hostile-" + shell)
    run("init", other)
    made = [run("wallet", "create", other, wallet, "--kind", "PERSONAL", "--name", "x").returncode for wallet in hostile]
    found = complete(["jangbu", "balance", other, ""], work)
    check(f"{shell}: ids are completed as they stand", made == [0] * len(hostile) and all(w in found for w in hostile), (made, found))
    check(f"{shell}: and are not carried out", not os.path.exists(os.path.join(work, "made")), os.listdir(work))
    for words in (["jangbu", "x/;e touch made;s/", ""], ["jangbu", "balance", "--x/;e touch made;s/", ""]):
        complete(words, work)
    check(f"{shell}: nor is what stands on the line", not os.path.exists(os.path.join(work, "made")), os.listdir(work))
    check(f"{shell}: files", "ledger" in complete(["jangbu", "balance", "led"], work), complete(["jangbu", "balance", "led"], work))


def main():
    global JANGBU, ROOT
    JANGBU, ROOT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "ledger")
        run("init", ledger)
        steps_back(ledger)
        least_amounts(ledger)
        by_environment(ledger, work)
        if has_terminals():
            lists(ledger)
            pages(ledger)
        completions(ledger, work)
    for line in bad:
        print(line)
    print(f"daily: {'failed' if bad else 'all as it should be'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
