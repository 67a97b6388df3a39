#!/usr/bin/python3
"""The binary interface of the public headers, as the compiler sees it, against what each released version had.

Lines are only ever added: a function keeps its prototype, an enumerator and a limit their value, a member its place and type; a
struct whose comment in the header begins with "Final" keeps its size. A release adds its own file: check.py --print SOURCE_DIR.

usage: check.py [--print] SOURCE_DIR"""
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# What says how many there are, or how new the headers are.
GROWS = re.compile(r"JB_(\w+_N|\w+_END|FIG_NAMES|SUBJECT_KINDS|EV_TYPES|EV_UNKNOWN_VERSION|EVF_ALL|OPS|POLICIES|CODES_END|PLACES|RULES|VERSION_\w+|API|NODISCARD)$")


def headers(source):
    found = sorted(glob.glob(source + "/*/include/jangbu/*.h") + glob.glob(source + "/*/*/include/jangbu/*.h"))
    return [h for h in found if "/build" not in h], sorted({os.path.dirname(os.path.dirname(h)) for h in found if "/build" not in h})


def compiled(source, work):
    paths, directories = headers(source)
    unit = os.path.join(work, "all.c")
    with open(unit, "w", encoding="utf-8") as f:
        f.writelines(f'#include "{h}"\n' for h in paths)
    gcc = ["gcc", "-std=c17", *(f"-I{d}" for d in directories)]
    run = lambda *args: subprocess.run([*gcc, *args], check=True, capture_output=True, text=True).stdout
    run("-g", "-fno-eliminate-unused-debug-types", "-c", unit, "-o", os.path.join(work, "all.o"))
    run("-fsyntax-only", "-aux-info", os.path.join(work, "functions"), unit)
    return paths, run("-E", "-dM", unit), run


def functions(work):
    with open(os.path.join(work, "functions"), encoding="utf-8") as f:
        for line in f:
            match = re.match(r"/\* .*?/jangbu/\w+\.h:\d+:\w+ \*/ extern (.*?);", line)
            if match:
                name = re.search(r"\b(jb_\w+) \(", match.group(1)).group(1)
                yield f"function {name}: {match.group(1)}"


def limits(macros, paths, run, work):
    """Object-like macros of our headers that are numbers."""
    names = [m.group(1) for m in re.finditer(r"^#define (JB_\w+) +\S", macros, re.M)]
    names = [n for n in names if not GROWS.match(n)]
    unit = os.path.join(work, "macros.c")
    with open(unit, "w", encoding="utf-8") as f:
        f.writelines(f'#include "{h}"\n' for h in paths)
        f.writelines(f'"{n}" {n}\n' for n in names)
    for name, value in re.findall(r'^"(\w+)" (.*)$', run("-E", "-P", unit), re.M):
        yield name, value


class Types:
    """What readelf says of a file's debugging information."""

    def __init__(self, path):
        out = subprocess.run(["readelf", "--debug-dump=info", "--wide", path], check=True, capture_output=True, text=True).stdout
        self.at, stack, entry = {}, [], None
        for line in out.splitlines():
            match = re.match(r" *<(\d+)><([0-9a-f]+)>: Abbrev Number: \d+ \((DW_TAG_\w+)\)", line)
            if match:
                depth = int(match.group(1))
                entry = {"tag": match.group(3)[7:], "children": []}
                self.at[match.group(2)] = entry
                del stack[depth:]
                if stack:
                    stack[-1]["children"].append(entry)
                stack.append(entry)
                continue
            match = re.match(r" *<[0-9a-f]+> +DW_AT_(\w+) *: (?:\(\w+\) )?(?:\([^)]*\): )?(.*?)\s*$", line)
            if match and entry is not None:
                entry[match.group(1)] = match.group(2)

    def target(self, entry):
        return self.at.get(re.sub(r"^<0x([0-9a-f]+)>.*", r"\1", entry.get("type", "")))

    def word(self, entry):
        if entry is None:
            return "void"
        tag, inner = entry["tag"], self.target(entry)
        if tag == "pointer_type":
            return self.word(inner) + " *"
        if tag == "const_type":
            return "const " + self.word(inner)
        if tag == "array_type":
            return self.word(inner) + "".join(f"[{int(c['upper_bound'], 0) + 1}]" for c in entry["children"] if "upper_bound" in c)
        if tag == "subroutine_type":
            return f"{self.word(inner)} (*)({', '.join(self.word(self.target(c)) for c in entry['children'])})"
        kind = {"structure_type": "struct ", "union_type": "union ", "enumeration_type": "enum "}.get(tag, "")
        return kind + entry.get("name", "")

    def members(self, entry, base=0):
        for child in entry["children"]:
            if child["tag"] != "member":
                continue
            at, inner = base + int(child.get("data_member_location", "0"), 0), self.target(child)
            if "name" in child:
                yield child["name"], at, self.word(inner)
            else:
                yield from self.members(inner, at)

    def bytes_of(self, entry):
        entry = entry or {}
        if entry.get("tag") == "array_type":
            n = 1
            for child in entry["children"]:
                n *= int(child.get("upper_bound", "0"), 0) + 1
            return n * self.bytes_of(self.target(entry))
        return int(entry["byte_size"], 0) if "byte_size" in entry else self.bytes_of(self.target(entry)) if "type" in entry else 0

    def padded(self, entry):
        """Structs that callers make begin with `size` and grow at their end."""
        members = [c for c in entry["children"] if c["tag"] == "member"]
        if members[0].get("name") != "size":
            return False
        last = members[-1]
        return int(last.get("data_member_location", "0"), 0) + self.bytes_of(self.target(last)) < int(entry["byte_size"], 0)

    def lines(self, final):
        for entry in self.at.values():
            name = entry.get("name", "")
            if entry["tag"] == "enumeration_type":
                for child in entry["children"]:
                    if child.get("name", "").startswith("JB_") and not GROWS.match(child["name"]):
                        yield f"number {child['name']} {int(child['const_value'], 0)}"
            elif entry["tag"] == "structure_type" and name.startswith("jb_") and "byte_size" in entry:
                if self.padded(entry):
                    yield f"problem {name}: padding behind its last member, where a new one would lie in old programs' garbage"
                for member, at, word in self.members(entry):
                    yield f"member {name}.{member} at {at}: {word}"
                if name in final:
                    yield f"size {name} {int(entry['byte_size'], 0)}"


def final_structs(paths):
    found = set()
    for path in paths:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for comment, name in re.findall(r"/\*((?:(?!\*/).)*)\*/\s*struct (jb_\w+) \{", text, re.S):
            if re.search(r"\bFinal\b", comment):
                found.add(name)
    return found


def interface(source):
    with tempfile.TemporaryDirectory() as work:
        paths, macros, run = compiled(source, work)
        lines = set(functions(work))
        lines.update(Types(os.path.join(work, "all.o")).lines(final_structs(paths)))
        numeric = re.compile(r"[-+()0-9a-zA-Z <]*\d[-+()0-9a-zA-Z <]*$")
        lines.update(f"limit {n} {v}" for n, v in limits(macros, paths, run, work) if numeric.match(v))
        return sorted(lines)


def main():
    source = os.path.abspath(sys.argv[-1])
    lines = interface(source)
    problems = [line for line in lines if line.startswith("problem ")]
    if problems:
        print("\n".join(problems))
        return 1
    if sys.argv[1] == "--print":
        print("\n".join(lines))
        return 0
    failed, have = 0, set(lines)
    records = sorted(glob.glob(os.path.join(HERE, "*.txt")))
    for record in records:
        with open(record, encoding="utf-8") as f:
            for line in f.read().splitlines():
                if line not in have:
                    failed += 1
                    print(f"{os.path.basename(record)} has, and the headers have no more: {line}")
    print(f"{len(lines)} lines, {len(records)} released versions")
    return 1 if failed or not records or len(lines) < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
