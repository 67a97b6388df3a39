#!/usr/bin/python3
"""The version stands the same wherever it stands: CMake, the headers, the packages of Debian, Python and Node, the manuals' source,
the changelog, what the programs say. Between two releases it is that of the next with "-dev" behind it, in each one's own form.

usage: version.py SOURCE_DIR PROGRAM..."""
import os
import re
import subprocess
import sys

# A version behind -dev: below the release, as Debian, Python (PEP 440) and npm (semantic versioning) have it.
FORMS = {"headers": "-dev", "node": "-dev", "debian": "~dev", "python": ".dev0"}


def first(path, pattern):
    with open(path, encoding="utf-8") as f:
        found = re.search(pattern, f.read(), re.M)
    return found[1] if found else f"nothing like {pattern} in {path}"


def told(program, flag="--version"):
    return subprocess.run([program, flag], capture_output=True, text=True, check=False).stdout


def debian(source):
    """What tools/packages-deb would write, by its own words."""
    script = "import importlib.machinery as m, importlib.util as u, sys; sys.dont_write_bytecode = True\n" \
             f"l = m.SourceFileLoader('p', {os.path.join(source, 'tools/packages-deb')!r}); k = u.module_from_spec(u.spec_from_loader('p', l))\n" \
             "l.exec_module(k); print(k.upstream_version())"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stdout.strip()


def main():
    source, programs = sys.argv[1], sys.argv[2:]
    at = lambda path: os.path.join(source, path)
    release = first(at("CMakeLists.txt"), r"^project\(jangbu VERSION (\d+\.\d+\.\d+) ")
    headers = at("core/include/jangbu/base.h")
    text = first(headers, r'^#define JB_VERSION_STRING "(.*)"$')
    dev = text.endswith("-dev")
    want = {kind: release + (suffix if dev else "") for kind, suffix in FORMS.items()}
    have = [("JB_VERSION_STRING", text, want["headers"]),
            ("JB_VERSION_*", ".".join(first(headers, rf"^#define JB_VERSION_{part} (\d+)$") for part in ("MAJOR", "MINOR", "PATCH")), release),
            ("package.json", first(at("tools/bindings/node/package.json"), r'^  "version": "(.*)",$'), want["node"]),
            ("pyproject.toml", first(at("tools/bindings/python/pyproject.toml"), r'^version = "(.*)"$'), want["python"]),
            ("jangbu.__version__", first(at("tools/bindings/python/src/jangbu/__init__.py"), r'^__version__ = "(.*)"$'), want["python"]),
            ("openapi.json", first(at("docs/openapi.json"), r'^  "version": "(.*)",$'), want["headers"]),
            ("tools/packages-deb", debian(source), want["debian"]),
            ("CHANGELOG.md", first(at("CHANGELOG.md"), r"^## (.*)$").split(" - ")[0], f"Unreleased ({release})" if dev else release)]
    for program in programs:
        name = os.path.basename(program)
        have.append((f"{name} --version", re.sub(r" \(.*", "", told(program).strip()), f"{name} {want['headers']}"))
    wrong = [f"{what} says {said!r}, and not {right!r}" for what, said, right in have if said != right]
    print("\n".join(wrong or [f"{text} in {len(have)} places"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
