#!/usr/bin/python3
"""The commands of docs/operating.md run as they stand, in the order of the page, in one shell; the codes that it names are those of
docs/errors.md. What is marked for a service or a database is run by tests/package/service.py and tests/feed/postgres.py.

usage: check_operating.py SOURCE_DIR JANGBU JANGBUD
       check_operating.py SOURCE_DIR --marked MARK         prints the commands that are marked so"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

PAGE = "docs/operating.md"
LEAST = 60  # commands


def blocks(source):
    """Each block of commands: its mark ("": none), its lines."""
    with open(os.path.join(source, PAGE), encoding="utf-8") as f:
        text = f.read()
    for mark, block in re.findall(r"(?:<!-- (\w+)[^\n]*-->\n\n)?((?:^ {4,}[^ \n].*\n)+)", text, re.M):
        yield mark, [line.strip() for line in block.splitlines()]


def marked(source, mark):
    return [line for found, lines in blocks(source) if found == mark for line in lines]


def checked(line):
    """A line ends with 0, or as its `# exit N` says; `set -e` would let `false && true` pass."""
    wanted = re.search(r"# exit (\d+)$", line)
    return f"r=0\n{{ {line}\n}} || r=$?\n[ $r = {wanted[1] if wanted else 0} ] || exit 9"


def undone(source):
    """Policies that one block sets twice: the second undoes the first at once."""
    for _, lines in blocks(source):
        names = re.findall(r"policy set \S+ (\w+)", "\n".join(lines))
        yield from (name for name in set(names) if names.count(name) > 1)


def script(source):
    """Each line says that it begins."""
    return [step for line in marked(source, "") for step in (f"echo {shlex.quote('@@ ' + line)}", checked(line))]


def run(source, programs):
    """Every line, and nothing that it started stays."""
    path = ":".join([*(os.path.dirname(os.path.abspath(p)) for p in programs), os.environ["PATH"]])
    text = "\n".join(script(source))
    with tempfile.TemporaryDirectory(prefix="jangbu-operating-") as work:
        shell = subprocess.Popen(["bash", "-c", text], cwd=work, env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            said, _ = shell.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            said = "it did not end"
        finally:
            try:
                os.killpg(shell.pid, 9)
            except ProcessLookupError:
                pass
            shell.wait()
    return shell.returncode, said


def unknown_codes(source):
    """Words in capitals of the page that are no code of docs/errors.md."""
    with open(os.path.join(source, PAGE), encoding="utf-8") as f:
        named = set(re.findall(r"`([A-Z][A-Z_]{3,})`", f.read())) - {"HEAD", "FAULT"}
    with open(os.path.join(source, "docs/errors.md"), encoding="utf-8") as f:
        known = f.read()
    return sorted(word for word in named if not re.search(rf"\b(JB_)?{word}\b", known))


def main():
    source = os.path.abspath(sys.argv[1])
    if sys.argv[2] == "--marked":
        print("\n".join(marked(source, sys.argv[3])))
        return 0
    for line, passes in (("false && true", False), ("true && false", False), ("true", True), ("false    # exit 1", True), ("true    # exit 1", False)):
        if (subprocess.run(["bash", "-c", checked(line)], check=False).returncode == 0) != passes:
            print(f"`{line}` is not looked at")
            return 1
    code, said = run(source, sys.argv[2:])
    for name in undone(source):
        print(f"{PAGE}: {name} is set twice in one block")
        code = 1
    done = said.count("@@ ")
    if code != 0:
        print(f"{PAGE}: exit {code} at\n{said[said.rfind('@@ '):][-2000:]}")
    unknown = unknown_codes(source)
    if unknown:
        print(f"{PAGE} has codes that docs/errors.md does not: {unknown}")
    if "nothing was changed: --dry-run" not in said or "lost: 1 event(s)" not in said:
        print("the preview of the restore did not say what is lost")
        code = 1
    if "does not open with the key" in said:
        print("a restore of the page did not find its key")
        code = 1
    print(f"{done} commands")
    return 1 if code != 0 or unknown or done < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
