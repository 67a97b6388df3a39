#!/usr/bin/python3
"""The examples of docs/papers.md run as they stand, in the order of the page, on the ledger that it makes.

usage: check_papers.py SOURCE_DIR PROGRAM"""
import os
import re
import subprocess
import sys
import tempfile

WITHOUT = ("chromium ", "$ ")  # what no test needs to have
SAID = ("month 2026-10", "supply 45,455, VAT 4,545, total 50,000; invoice 2, written with it, takes 1 back", "closing balance                50,000")


def examples(path):
    """Each block of lines that begin with four blanks, as a script; what shows its output as well
    ("$ ") is run by tests/papers/worked.py."""
    with open(path, encoding="utf-8") as f:
        blocks = re.findall(r"(?:^    .*\n)+", f.read(), re.M)
    for block in blocks:
        lines = [line[4:] for line in block.split("\n") if line]
        if not lines[0].startswith(WITHOUT):
            yield "\n".join(lines) + "\n"


def main():
    source, program = sys.argv[1], os.path.abspath(sys.argv[2])
    path = os.path.dirname(program) + ":" + os.environ["PATH"]
    done = failed = 0
    said = ""
    with tempfile.TemporaryDirectory() as work:
        for script in examples(f"{source}/docs/papers.md"):
            out = subprocess.run(["sh", "-e", "-c", script], cwd=work, env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"},
                                 capture_output=True, text=True, check=False)
            done += 1
            said += out.stdout
            if out.returncode != 0 or '"ok":false' in out.stdout:
                failed += 1
                print(f"{script}exit {out.returncode}\n{out.stdout}{out.stderr}")
        pages = [name for name in os.listdir(work) if name.endswith((".html", ".csv")) and os.path.getsize(f"{work}/{name}") > 0]
    for text in SAID:
        if text not in said:
            failed += 1
            print(f"nothing says: {text}")
    print(f"{done} examples, {failed} failed, {len(pages)} files made")
    return 1 if failed or done < 8 or len(pages) < 4 else 0


if __name__ == "__main__":
    sys.exit(main())
