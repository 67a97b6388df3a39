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


def script(source):
    """Each line says that it begins; one that ends with `# exit N` has to."""
    yield "set -e"
    for line in marked(source, ""):
        yield f"echo {shlex.quote('@@ ' + line)}"
        wanted = re.search(r"# exit (\d+)$", line)
        yield f"r=0; {{ {line[:wanted.start()]}; }} || r=$?; [ $r = {wanted[1]} ]" if wanted else line


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
    code, said = run(source, sys.argv[2:])
    done = said.count("@@ ")
    if code != 0:
        print(f"{PAGE}: exit {code} at\n{said[said.rfind('@@ '):][-2000:]}")
    unknown = unknown_codes(source)
    if unknown:
        print(f"{PAGE} has codes that docs/errors.md does not: {unknown}")
    if "nothing was changed: --dry-run" not in said or "lost: 1 events" not in said:
        print("the preview of the restore did not say what is lost")
        code = 1
    print(f"{done} commands")
    return 1 if code != 0 or unknown or done < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
