#!/usr/bin/python3
"""The examples of docs/bindings.md, in one language: each runs in an empty directory and prints what the page says.

usage: examples.py LANGUAGE LIBRARY [MORE ...]     python; node: the directory of node_modules; go: the directories of the headers"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = re.compile(r"<!-- example: (\w+) -->\n\n```\w+\n(.*?)```\n\n<!-- output -->\n\n```text\n(.*?)```\n", re.S)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def python(text, work, _):
    (work / "example.py").write_text(text, encoding="utf-8")
    return [sys.executable, "example.py"], {"PYTHONPATH": str(ROOT / "tools/bindings/python/src"), "PYTHONDONTWRITEBYTECODE": "1"}


LANGUAGES = {"python": python}


def main():
    language, library, more = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3:]
    examples = [(code, want) for name, code, want in EXAMPLE.findall((ROOT / "docs/bindings.md").read_text(encoding="utf-8")) if name == language]
    failed = not examples
    for number, (code, want) in enumerate(examples, 1):
        with tempfile.TemporaryDirectory(prefix="jangbu-example-") as work:
            command, environment = LANGUAGES[language](code, pathlib.Path(work), more)
            out = subprocess.run(command, cwd=work, capture_output=True, text=True, env={**os.environ, "JANGBU_LIBRARY": library, **environment})
            if out.returncode != 0 or out.stdout != want:
                failed = True
                print(f"docs/bindings.md, example {number} of {language}: status {out.returncode}\n--- said\n{out.stdout}--- the page\n{want}--- stderr\n{out.stderr}")
    print(f"{len(examples)} examples of {language}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
