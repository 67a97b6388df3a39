#!/usr/bin/python3
"""The examples of docs/bindings.md, in one language: each runs in an empty directory and prints what the page says.

usage: examples.py LANGUAGE LIBRARY [MORE ...]     python; node: the directory of node_modules; go: the directories of the headers"""
import os
import pathlib
import re
import shutil
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


def node(text, work, more):
    """In the directory in which node.py put the packages."""
    modules = pathlib.Path(more[0]).resolve() / "node_modules"
    if not (modules / "jangbu/package.json").exists() or shutil.which("node") is None:
        skip("there is no node with koffi: see what the test bindings-node says")
    (work / "example.mjs").write_text(text, encoding="utf-8")
    (work / "node_modules").symlink_to(modules)
    return ["node", "example.mjs"], {}


def go(text, work, more):
    """Its form is always looked at. Compiling Go's own library the first time takes 10 to 20 s of the processor: where that is asked for."""
    if shutil.which("go") is None:
        skip("there is no go")
    (work / "main.go").write_text(text, encoding="utf-8")
    formatted = subprocess.run(["gofmt", "-l", "main.go"], cwd=work, capture_output=True, text=True) if shutil.which("gofmt") else None
    if formatted is not None and (formatted.stdout or formatted.returncode != 0):
        print(f"docs/bindings.md: the Go example is not as gofmt has it: {formatted.stderr}")
        sys.exit(1)
    if os.environ.get("JANGBU_GO") != "1":
        skip("go compiles its library for 10 to 20 s: JANGBU_GO=1 does")
    libraries, headers = os.path.dirname(os.path.abspath(sys.argv[2])), " ".join(f'"-I{os.path.abspath(d)}"' for d in more)
    (work / "go.mod").write_text("module tour\n\ngo 1.19\n")
    return ["go", "run", "."], {"CGO_ENABLED": "1", "CGO_CFLAGS": headers, "CGO_LDFLAGS": f'"-L{libraries}"', "GOFLAGS": "-mod=mod", "LD_LIBRARY_PATH": libraries,
                                "GOTOOLCHAIN": "local"}


LANGUAGES = {"python": python, "node": node, "go": go}


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
