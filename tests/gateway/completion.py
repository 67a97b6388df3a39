#!/usr/bin/python3
"""Completion of jangbud in bash and, where it is there, zsh: each flag of `jangbud --help` is offered, the words that one takes, those
of `jangbud token`; nothing that stands on the line is carried out.

usage: completion.py JANGBUD SOURCE_DIR"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

JANGBUD, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
BASH = "source {file}\nCOMP_WORDS=({words})\nCOMP_CWORD={at}\n_jangbud\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
# What zsh would offer: in the place of its own builtins, those that match what is typed.
ZSH = """compadd() {{ [[ $1 == -a ]] && offer "${{(@P)2}}" }}
_files() {{ offer *(DN) }}
offer() {{ local word; for word in "$@"; do [[ -n $word && $word == "${{words[CURRENT]}}"* ]] && print -r -- "$word"; done; true }}
words=({words})
CURRENT={at}+1
source {file}
"""
SHELLS = {"bash": (["bash", "-c"], BASH, "jangbud.bash"), "zsh": (["zsh", "-f", "-c"], ZSH, "_jangbud")}
failures = []


def offered(shell, work, *line):
    command, script, name = SHELLS[shell]
    file = shlex.quote(os.path.join(SOURCE, "tools/completion", name))
    words = ["jangbud", *line]
    text = script.format(file=file, words=" ".join(shlex.quote(w) for w in words), at=len(words) - 1)
    env = {**os.environ, "PATH": os.path.dirname(JANGBUD) + ":" + os.environ["PATH"]}
    out = subprocess.run([*command, text], capture_output=True, text=True, cwd=work, env=env, check=False)
    check(f"{shell} says nothing else", out.stderr == "", out.stderr)
    return out.stdout.split("\n")[:-1]


def check(what, ok, detail):
    if not ok:
        failures.append(what)
        print(f"failed: {what}: {str(detail)[:600]}")


def completion(shell, work):
    said = subprocess.run([JANGBUD, "--help"], capture_output=True, text=True, check=True).stdout
    settings = re.findall(r"^  ([a-z][a-z-]*)  ", said.split("Settings:")[1], re.M)
    flags = {"--" + name for name in settings} | {"--config", "--check", "--openapi", "--example", "--version", "--help"}
    got = offered(shell, work, "--")
    check(f"{shell}: flags", set(got) == flags and len(got) == len(flags) > 20, sorted(set(got) ^ flags))
    for name, words in re.findall(r"^  ([a-z-]+) .*; ([a-z]+\|[a-z|]+)", said, re.M):
        got = offered(shell, work, "shop", "--" + name, "")
        check(f"{shell}: words of --{name}", got == words.split("|"), got)
    check(f"{shell}: the first word", set(offered(shell, work, "")) == {"token", "ledger"}, offered(shell, work, ""))
    check(f"{shell}: the second", offered(shell, work, "token", "") == ["new"], offered(shell, work, "token", ""))
    got = offered(shell, work, "token", "new", "till", "--")
    check(f"{shell}: flags of token", {"--scope", "--caller", "--role", "--wallets", "--rate", "--uid", "--tokens", "--config", "--help"} == set(got), got)
    got = offered(shell, work, "token", "new", "till", "--scope", "")
    check(f"{shell}: scopes", {"read", "page", "consume", "refund.request"} <= set(got) and len(got) > 30, got)
    check(f"{shell}: files", offered(shell, work, "--config", "led") == ["ledger"], offered(shell, work, "--config", "led"))
    for hostile in ("--x/;e touch made;s/", "$(touch made)", "`touch made`"):
        offered(shell, work, hostile, "")
        offered(shell, work, "token", hostile)
    check(f"{shell}: nothing on the line is carried out", os.listdir(work) == ["ledger"], os.listdir(work))


def main():
    shells = [shell for shell in SHELLS if shutil.which(shell)]
    for shell in shells:
        with tempfile.TemporaryDirectory() as work:
            os.mkdir(os.path.join(work, "ledger"))
            completion(shell, work)
    print(f"{', '.join(shells)}: {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
