#!/usr/bin/python3
"""Each function that the libraries export has a page of its own, which mandoc accepts and which has the function's declaration.

usage: man3.py SOURCE_DIR LIBRARY..."""
import os
import re
import subprocess
import sys
import tempfile


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r" T (jb_\w+)", out))


def main():
    source, libraries = sys.argv[1], sys.argv[2:]
    functions = set().union(*(exported(library) for library in libraries))
    with tempfile.TemporaryDirectory() as to:
        subprocess.run([os.path.join(source, "tools/man3"), source, to], check=True)
        pages = {name[:-2]: os.path.join(to, name) for name in os.listdir(to)}
        wrong = [f"{f}: no page" for f in sorted(functions - set(pages))] + [f"{p}: no such function" for p in sorted(set(pages) - functions)]
        for name, path in sorted(pages.items()):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            synopsis = text[text.index(".Sh SYNOPSIS"):text.index(".Sh DESCRIPTION")]
            if f"{name}(" not in synopsis or len(text[text.index(".Sh DESCRIPTION"):text.index(".Sh SEE ALSO")].split()) < 5:
                wrong.append(f"{name}: it says too little")
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *sorted(pages.values())], capture_output=True, text=True)
        if lint.returncode != 0:
            wrong.append(lint.stdout[:2000])
    print("\n".join([*wrong, f"{len(pages)} pages"]))
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
