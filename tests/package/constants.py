#!/usr/bin/python3
"""What the public headers have as constants can be seen by bindings: enumerators where an int has room, and jb_limit gives the limits.

usage: constants.py SOURCE_DIR"""
import glob
import os
import re
import subprocess
import sys
import tempfile

# Macros by nature: what the preprocessor compares, words of the compiler, and how many microseconds there are.
MACROS = re.compile(r"JB_(VERSION_\w+|API|NODISCARD|US_PER_\w+)$")
LIMITS = re.compile(r"JB_(?!FIG_|POLICY_)\w+_(MAX|MIN|BYTES)$")


def headers(source):
    found = sorted(glob.glob(source + "/*/include/jangbu/*.h") + glob.glob(source + "/*/*/include/jangbu/*.h"))
    return [h for h in found if "/build" not in h]


def code(paths):
    text = ""
    for path in paths:
        with open(path, encoding="utf-8") as f:
            text += re.sub(r"/\*.*?\*/", " ", f.read(), flags=re.S)
    return text


def macros(text):
    """Object-like ones with a value."""
    names = re.findall(r"^[ \t]*#[ \t]*define[ \t]+(JB_\w+)[ \t]+\S", text, re.M)
    return sorted({n for n in names if not MACROS.match(n)})


def limits(text):
    found = re.search(r"#define JB_LIMITS\(X\)(.*?[^\\])\n", text, re.S).group(1)
    return {"JB_" + name for name in re.findall(r"X\(\d+, (\w+)\)", found)}


def enumerators(text):
    names = set()
    for body in re.findall(r"\benum(?:\s+\w+)?\s*\{(.*?)\}", text, re.S):
        names.update(re.findall(r"\b(JB_\w+)\s*=", body))
    return names


def small(paths, names):
    """Those that an int has room for."""
    with tempfile.TemporaryDirectory() as work:
        unit = os.path.join(work, "unit.c")
        with open(unit, "w", encoding="utf-8") as f:
            f.write("#include <limits.h>\n#include <stdio.h>\n")
            f.writelines(f'#include "{h}"\n' for h in paths)
            f.write("int main(void)\n{\n")
            f.writelines(f'    if ((long double)({n}) >= INT_MIN && (long double)({n}) <= INT_MAX) puts("{n}");\n' for n in names)
            f.write("    return 0;\n}\n")
        program = os.path.join(work, "unit")
        includes = {f"-I{os.path.dirname(os.path.dirname(h))}" for h in paths}
        subprocess.run(["gcc", "-std=c17", *sorted(includes), unit, "-o", program], check=True)
        return subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()


def main():
    paths = headers(os.path.abspath(sys.argv[1]))
    text = code(paths)
    failed = 0
    for name in small(paths, macros(text)):
        failed += 1
        print(f"{name} is a macro and an int has room for it: make it an enumerator")
    core = code(h for h in paths if "/core/" in h)
    for name in sorted(set(macros(core)) - limits(text)):
        failed += 1
        print(f"{name} is a macro that jb_limit does not give")
    for name in sorted({n for n in enumerators(core) if LIMITS.match(n)} - limits(text)):
        failed += 1
        print(f"{name} is a limit that jb_limit does not give")
    print(f"{len(limits(text))} limits, {len(macros(text))} macros")
    return 1 if failed or len(limits(text)) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
