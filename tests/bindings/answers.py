"""What tools/bindings/answers.txt says that answers are made of, held against answers."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAIN = {"text": str, "int": int, "wide": int, "bool": bool, "null": type(None)}


def read():
    """({object: ({member: (kinds, optional)}, whether it may have others)}, {query: (object, list that its rows are)})"""
    objects, of = {}, {}
    for line in (ROOT / "tools/bindings/answers.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            ask, name, *rows = line[2:].split()
            of[ask] = (name, *rows)
        elif line and not line.startswith("#"):
            name, members = line.split(": ", 1)
            members = members.split()
            split = [m.partition(":")[::2] for m in members if m != "..."]
            objects[name] = ({m.rstrip("?"): (kind.split("|"), m.endswith("?")) for m, kind in split}, "..." in members)
    return objects, of


OBJECTS, OF = read()


def _is(value, kind, where):
    if kind == "any":
        return []
    if kind.endswith("[]"):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [found for v in value for found in _is(v, kind[:-2], where + "[]")]
    if kind in PLAIN:
        return [] if type(value) is PLAIN[kind] else [f"{where}: {value!r} is no {kind}"]
    return differences(kind, value, where)


def differences(name, value, where=None):
    """Where an answer is another one than the table says; nothing is right."""
    where = where or name
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no object"]
    members, others = OBJECTS[name]
    found = [f"{where}: {m} is missing" for m, (_, optional) in members.items() if not optional and m not in value]
    for m, v in value.items():
        if m not in members:
            found += [] if others else [f"{where}: {m} ({v!r}) is not in tools/bindings/answers.txt"]
            continue
        tried = [_is(v, kind, f"{where}.{m}") for kind in members[m][0]]
        if all(tried):
            found += tried[0]
    return found
