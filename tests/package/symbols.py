#!/usr/bin/python3
"""A library exports exactly what its public headers declare with JB_API.

usage: symbols.py LIBRARY HEADERS...     a static library: what of it has names for others"""
import re
import subprocess
import sys


def declared(headers):
    names = set()
    for header in headers:
        with open(header, encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/", " ", f.read(), flags=re.S)
        for statement in re.findall(r"\bJB_API\b([^;{]*);", text):
            function = re.match(r"[^(]*?\b(jb_\w+)\s*\(", statement.replace("JB_NODISCARD", ""))
            if function:
                names.add(function.group(1))
            else:
                names.update(re.findall(r"\b(jb_\w+_names)\b", statement))
    return names


def exported(library):
    out = subprocess.run(["nm", "-g" if library.endswith(".a") else "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if len(line.split()) == 3 and line.split()[1] != "A"}


def main():
    want, have = declared(sys.argv[2:]), exported(sys.argv[1])
    for name in sorted(want - have):
        print(f"declared and not exported: {name}")
    for name in sorted(have - want):
        print(f"exported and not declared: {name}")
    print(f"{len(want & have)} symbols")
    return 0 if want == have else 1


if __name__ == "__main__":
    sys.exit(main())
