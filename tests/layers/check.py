#!/usr/bin/python3
"""Holds every #include against the arrows of docs/architecture.md, and the pure layers against what makes a function impure.

usage: check.py [ROOT]        checks the tree
       check.py --selftest    checks the checker: one bad file a rule
"""
import os
import re
import sys
import tempfile

# layer -> the layers whose headers it may include (its own always).
MAY = {
    "core/base": set(),
    "core/event": {"core/base"},
    "core/storage": {"core/base"},
    "core/runs": {"core/base", "core/storage"},
    "core/log": {"core/base", "core/event", "core/storage"},
    "core/wallet": {"core/base", "core/event"},
    "core/rules": {"core/base", "core/event", "core/wallet"},
    "core/state": {"core/base", "core/event", "core/storage", "core/runs", "core/log", "core/wallet"},
    "core/personal": {"core/base", "core/storage"},
    "core/ledger": {"core/base", "core/event", "core/storage", "core/log", "core/wallet", "core/rules", "core/state",
                    "core/personal"},
    "projections": {"core/base", "core/event", "core/storage", "core/log", "core/ledger"},
    # The one folder of replay that may ask the rules: the fold, a rebuild and the questions know none.
    "replay/rules": {"core/base", "core/event", "core/wallet", "core/rules", "core/state", "replay"},
    "replay": {"core/base", "core/event", "core/storage", "core/runs", "core/log", "core/wallet", "core/state", "core/ledger", "core/personal", "projections",
               "replay/rules"},
}
# Headers of core/ledger that are meant for the layers above; the rest is its own.
LEDGER_FACES = {"ledger/requires.h", "ledger/secret.h", "ledger/reader.h", "ledger/rebuild.h"}
# The JSON library over the public headers: its own headers, which the program uses, too.
JSON = "tools/json"
# The daemon over both: its own headers, those of the JSON library, the public ones, and the pages' writer. One file knows HTTP's library.
GATEWAY = "tools/gateway"
GATEWAY_ALSO = {"html.h", "invoice_page.h"}
ONE_FILE = {"microhttpd.h": "tools/gateway/http.c", "libpq-fe.h": "tools/feed/postgres.c"}
PUBLIC_OWNER = {"base.h": "core", "event.h": "core", "command.h": "core", "ledger.h": "core", "projections.h": "projections", "replay.h": "replay",
                "json.h": JSON}
PUBLIC_MAY = {"core": {"core"}, "projections": {"core", "projections"}, "replay": {"core", "projections", "replay"}}
PURE = ("core/wallet", "core/rules")
IMPURE = re.compile(r"\b(time|clock_gettime|gettimeofday|localtime\w*|gmtime\w*|setlocale|getenv|rand|random|getrandom|printf|fopen|open|read|write|malloc|calloc)\s*\(")
# The fold makes a refund's legs, once per approval: not on the hot path.
IMPURE_ALLOWED = {("core/wallet/apply.c", "malloc"), ("core/wallet/wallet.c", "malloc"),
                  ("core/wallet/wallet.c", "calloc")}
BANNED = re.compile(r"\b(strcat|sprintf|vsprintf|gets|atoi|atol|strtol|strtoul|gmtime|localtime|rand|setenv|umask)\s*\(")
# A thread in which a fault's signal is blocked is ended without a word.
THREADS = "core/base/threads.h"
BLOCKS = re.compile(r"\b(pthread_create|sigfillset|pthread_sigmask|sigprocmask)\s*\(")
FLOAT = re.compile(r"\b(float|double)\b")
FUZZED = re.compile(r"(crash|leak|oom|slow-unit|timeout)-[0-9a-f]{40}$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"', re.S)


def layer_of(path):
    for layer in MAY:
        if path.startswith(layer + "/"):
            return layer
    for layer in (JSON, GATEWAY, "tools"):
        if path.startswith(layer + "/"):
            return layer
    return None


def resolve(included):
    """The layer that an internal include names."""
    first = included.split("/")[0]
    if included.startswith("replay/rules/"):
        return "replay/rules"
    if first in ("projections", "replay"):
        return first
    return "core/" + first if "core/" + first in MAY else None


def check_includes(path, layer, text, headers):
    for kind, included in INCLUDE.findall(text):
        if ".." in included.split("/"):
            yield f"{path}: #include of {included} climbs out of its layer"
        if included.startswith("jangbu/"):
            owner = PUBLIC_OWNER.get(included.split("/")[1])
            top = layer.split("/")[0]
            if owner is None or (top in PUBLIC_MAY and owner not in PUBLIC_MAY[top]):
                yield f"{path}: {layer} may not include <{included}>"
            continue
        if included in ONE_FILE and path != ONE_FILE[included]:
            yield f"{path}: {ONE_FILE[included]} alone may include {included}"
        if kind == "<":
            continue
        if layer in ("tools", JSON, GATEWAY):
            if "/" in included:
                yield f"{path}: tools see public headers only, not {included}"
            elif layer in headers and included not in headers[layer]:
                yield f"{path}: {layer} sees its own headers, those below it and the public ones, not {included}"
            continue
        target = resolve(included)
        if target is None:
            yield f'{path}: "{included}" names no layer'
        elif target != layer and target not in MAY[layer]:
            yield f"{path}: {layer} may not include {included}"
        elif target == "core/ledger" and layer != "core/ledger" and included not in LEDGER_FACES:
            yield f"{path}: {included} is the ledger's own; {layer} may include {sorted(LEDGER_FACES)}"


def check_file(path, text, headers):
    layer = layer_of(path)
    if layer is None:
        return
    yield from check_includes(path, layer, text, headers)
    code = COMMENT.sub(" ", text)
    for name in set(BANNED.findall(code)):
        yield f"{path}: {name}() is banned here"
    for name in set(BLOCKS.findall(code)) if layer not in ("tools", JSON, GATEWAY) and path != THREADS else ():
        yield f"{path}: {name}() is for {THREADS} alone"
    if layer not in ("tools", JSON, GATEWAY) and FLOAT.search(code):
        yield f"{path}: money and time are integers; no floating point below tools/"
    if layer in PURE:
        for name in set(IMPURE.findall(code)):
            if (path, name) not in IMPURE_ALLOWED:
                yield f"{path}: {layer} is pure; it may not call {name}()"


def headers_in(folder):
    return {name for _, _, names in os.walk(folder) for name in names if name.endswith((".h", ".def", ".inc"))}


def check_tree(root):
    problems = [f"{name}: a fuzzer left it; what replays clean belongs in tests/fuzz/corpus" for name in sorted(os.listdir(root)) if FUZZED.match(name)]
    headers = {JSON: headers_in(os.path.join(root, JSON))}
    headers[GATEWAY] = headers_in(os.path.join(root, GATEWAY)) | headers[JSON] | GATEWAY_ALSO
    for top in ("core", "projections", "replay", "tools"):
        for folder, _, files in os.walk(os.path.join(root, top)):
            for name in sorted(files):
                if name.endswith((".c", ".h", ".def")):
                    full = os.path.join(folder, name)
                    with open(full, encoding="utf-8") as f:
                        problems += check_file(os.path.relpath(full, root), f.read(), headers)
    return problems


BAD = {
    "core/base/a.c": '#include "log/log.h"\n',
    "core/rules/a.c": '#include "state/state.h"\n',
    "core/wallet/a.c": "void f(void) { time(0); }\n",
    "core/rules/b.c": "void *f(void) { return malloc(1); }\n",
    "core/log/a.c": "#include <jangbu/projections.h>\n",
    "core/event/a.c": "static double x;\n",
    "core/state/a.c": "int f(void) { return atoi(\"1\"); }\n",
    "core/runs/a.c": "void f(void *s) { sigfillset(s); }\n",
    "core/base/b.c": '#include "../x.h"\n',
    "projections/a.c": '#include "rules/decide.h"\n',
    "projections/b.c": '#include "ledger/internal.h"\n',
    "replay/a.c": '#include "rules/decide.h"\n',
    "replay/rules/a.c": '#include "ledger/reader.h"\n',
    "projections/c.c": '#include "replay/rules/rules.h"\n',
    "tools/a.c": '#include "state/state.h"\n',
    "tools/json/a.c": '#include "app.h"\n',
    "tools/json/b.c": '#include "state/state.h"\n',
    "core/log/b.c": "#include <jangbu/json.h>\n",
    "tools/gateway/a.c": '#include "app.h"\n',
    "tools/gateway/b.c": '#include "state/state.h"\n',
    "tools/gateway/c.c": "#include <microhttpd.h>\n",
    "tools/json/c.c": '#include "route.h"\n',
}


def selftest():
    failed = 0
    headers = {JSON: {"out.h"}, GATEWAY: {"out.h", "route.h"} | GATEWAY_ALSO}
    for path, text in BAD.items():
        if not list(check_file(path, text, headers)):
            print(f"selftest: {path} should have been refused: {text!r}")
            failed += 1
    with tempfile.TemporaryDirectory():
        good = list(check_file("core/rules/c.c", '#include "wallet/wallet.h"\n/* malloc( time( double */\n', headers))
        good += check_file("tools/gateway/http.c", '#include <microhttpd.h>\n#include "out.h"\n#include "route.h"\n', headers)
    failed += len(good)
    print(f"layers selftest: {len(BAD) + 2 - failed} passed, {failed} failed")
    return failed


def main():
    if "--selftest" in sys.argv:
        return 1 if selftest() else 0
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    problems = check_tree(root)
    print("\n".join(problems) if problems else "layers: every include goes along the arrows")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
