#!/usr/bin/python3
"""The worked month of docs/papers.md: each line there that begins with `$` is run, and must print what stands below it.

usage: worked.py JANGBU SOURCE_DIR [--write]        --write: what is printed now is written into the document"""
import os
import shlex
import subprocess
import sys
import tempfile

SECTION = "## A month, worked\n"


def printed(command, work, program, source):
    """What the command prints, but for the line that says as of when; the program's folder is the first of PATH."""
    env = {**os.environ, "PATH": os.path.dirname(program) + os.pathsep + os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    command = command.replace("tools/example", shlex.quote(os.path.join(source, "tools/example")))
    out = subprocess.run(["sh", "-c", command], cwd=work, env=env, capture_output=True, text=True)
    return [line.rstrip() for line in out.stdout.splitlines() if not line.startswith("as of event ")]


def blocks(lines):
    """Runs of indented lines, and what stands between them."""
    run = []
    for line in lines:
        if run and line.startswith("    ") != run[-1].startswith("    "):
            yield run
            run = []
        run.append(line)
    yield run


def worked(block, work, program, source):
    """The block as it should be: its commands, each with what it prints."""
    if not block[0].startswith("    "):
        return block
    out = []
    for command in (line[6:] for line in block if line.startswith("    $ ")):
        out += [f"    $ {command}", *(("    " + line).rstrip() for line in printed(command, work, program, source))]
    return out


def main():
    program, source = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    path = os.path.join(source, "docs/papers.md")
    with open(path, encoding="utf-8") as file:
        before, section = file.read().split(SECTION)
    with tempfile.TemporaryDirectory() as work:
        right = "\n".join(line for block in blocks(section.split("\n")) for line in worked(block, work, program, source))
    if "--write" in sys.argv:
        with open(path, "w", encoding="utf-8") as file:
            file.write(before + SECTION + right)
    elif right != section:
        print("docs/papers.md says otherwise (tests/papers/worked.py ... --write):")
        print("\n".join(f"{a!r} {b!r}" for a, b in zip(section.split("\n"), right.split("\n")) if a != b))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
