#!/usr/bin/python3
"""docs/openapi.json is what the daemon says of itself; every reference in it leads somewhere; openapi-spec-validator accepts it, which
comes from PyPI once, into DIRECTORY, with what it needs, as openapi-requirements.txt has them.

usage: openapi.py JANGBUD docs/openapi.json DIRECTORY"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

JANGBUD, DOCUMENT, DIRECTORY = sys.argv[1:4]
WANTED = pathlib.Path(__file__).with_name("openapi-requirements.txt")
REGISTRY_SECONDS = 120


def fetched():
    """Whether the validator is there now."""
    done = pathlib.Path(DIRECTORY, WANTED.name)
    if not done.exists() or done.read_bytes() != WANTED.read_bytes():
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        try:
            p = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--retries", "1", "--target", DIRECTORY,
                                "--requirement", WANTED], capture_output=True, text=True, timeout=REGISTRY_SECONDS, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})
        except subprocess.TimeoutExpired:
            return False
        if p.returncode != 0:
            print(p.stderr.strip()[-600:])
            return False
        shutil.copy(WANTED, done)
    sys.path.insert(0, DIRECTORY)
    return True


def references(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def once(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"twice: {names}"
    return dict(pairs)


def wrong(text):
    """What is wrong with the document."""
    d = json.loads(text, object_pairs_hook=once)
    for reference in set(references(d)):
        at = d
        for part in reference.removeprefix("#/").split("/"):
            at = at.get(part) if isinstance(at, dict) else None
        if at is None:
            yield f"{reference} leads nowhere"
    ids = [op["operationId"] for path in d["paths"].values() for op in path.values()]
    if len(ids) != len(set(ids)):
        yield f"an operationId stands there twice: {sorted(ids)}"
    for path, operations in d["paths"].items():
        for method, op in operations.items():
            named = {p["name"] for p in op["parameters"] if p["in"] == "path"}
            if named != set(re.findall(r"{(\w+)}", path)):
                yield f"{method} {path}: its path names others than {named}"
            body = op.get("requestBody", {"content": {}})
            schemas = [c["schema"]["$ref"].rsplit("/", 1)[1] for c in body["content"].values()]
            if "requestBody" in op and (not body.get("required") or not schemas or "Object" in schemas):
                yield f"{method} {path}: its body has no schema: {schemas}"
    for code, status in d["components"]["schemas"]["Problem"]["x-jangbu-status"].items():
        listed = [str(status) in op["responses"] for path in d["paths"].values() for op in path.values()]
        if not any(listed) and code not in ("METHOD",):
            yield f"no route lists {status}, the status of {code}"


def main():
    said = subprocess.run([JANGBUD, "--openapi"], capture_output=True, check=True).stdout.decode()
    with open(DOCUMENT, encoding="utf-8") as f:
        if f.read() != said:
            print(f"{DOCUMENT} is not what `jangbud --openapi` says: write it anew")
            return 1
    faults = list(wrong(said))
    for fault in faults:
        print(fault)
    if faults:
        return 1
    if not fetched():
        print("the document is sound; openapi-spec-validator does not come from PyPI to say more")
        return 77
    import openapi_spec_validator
    openapi_spec_validator.validate(json.loads(said))
    print("openapi-spec-validator accepts it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
