#!/usr/bin/python3
"""tests/format/sealed_reader.py, which knows docs/format.md and nothing else, reads the same texts of a sealed people.mdb as `jangbu log --people`,
before and after another key, and after `people encrypt`; and finds that each has the owners that docs/rules.md section 8 gives it.

usage: sealed.py JANGBU"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def run(args, **kw):
    out = subprocess.run(args, capture_output=True, text=True, **kw)
    assert out.returncode == 0, (args, out.stdout, out.stderr)
    return out.stdout


def theirs(ledger, key):
    found = json.loads(run(["/usr/bin/python3", os.path.join(HERE, "sealed_reader.py"), ledger, key]))
    return {int(k): v for k, v in found["texts"].items()}, found


def ours(jangbu, ledger):
    texts = {}
    for line in run([jangbu, "log", ledger, "--people", "--json"]).splitlines():
        event = json.loads(line)
        for name, text in event["people"].items():
            assert isinstance(text, str), (name, text)
            ref = event[name + "_ref"]
            assert texts.setdefault(ref, text) == text, (ref, texts[ref], text)
    return texts


COMMANDS = """
{"op":"wallet.create","wallet":"W1","kind":"BUSINESS","name":"\uc6d4\ub81b \ud558\ub098","master":"anna","actor":{"id":"ben","role":"MEMBER"},"note":"anna wants one"}
{"op":"wallet.create","wallet":"W2","kind":"PERSONAL","name":"two","actor":{"id":"olga","role":"OPERATOR"},"note":"by the desk"}
{"op":"wallet.rename","wallet":"W2","name":"zwei"}
{"op":"free.grant","wallet":"W1","grant":"G1","amount":500,"expires_on":"2030-01-01","reason":"for anna's birthday"}
{"op":"charge","wallet":"W1","charge":"C1","amount":5000,"actor":{"id":"anna"}}
{"op":"charge.reverse","wallet":"W1","charge":"C1","amount":10,"reason":"CHARGEBACK"}
{"op":"charge.reverse","wallet":"W1","charge":"C1","amount":10,"reason":"ben said so","actor":{"id":"ben"}}
{"op":"policy.set","policy":"vat_rate","value":10,"note":"as the law says"}
{"op":"policy.set","policy":"min_charge","value":1000,"note":"ben asked","actor":{"id":"ben","role":"MEMBER"}}
"""


def check(jangbu, ledger, key):
    texts, found = theirs(ledger, key)
    mine = ours(jangbu, ledger)
    assert texts == mine, (texts, mine)
    ref = {text: r for r, text in texts.items()}
    assert found["ids"] == {i: ref[i] for i in ("anna", "ben", "olga")}, found["ids"]
    P, W, L = 1, 2, 0
    anna, ben = [P, ref["anna"]], [P, ref["ben"]]
    expected = {"\uc6d4\ub81b \ud558\ub098": [[W, 1]], "two": [[W, 2]], "zwei": [[W, 2]], "anna": [anna], "ben": [ben], "olga": [[P, ref["olga"]]],
                "anna wants one": [[W, 1], anna, ben], "by the desk": [[W, 2]], "for anna's birthday": [[W, 1], anna], "ben said so": [[W, 1], anna, ben],
                "as the law says": [[L, 0]], "ben asked": [ben]}
    for text, owners in expected.items():
        assert sorted(found["owners"][str(ref[text])]) == sorted(owners), (text, found["owners"][str(ref[text])], owners)
    assert set(expected) == set(ref), (expected, ref)


def main():
    jangbu = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        sealed, clear = os.path.join(work, "sealed"), os.path.join(work, "clear")
        run([jangbu, "init", sealed, "--key-file", sealed + ".key"])
        run([jangbu, "init", clear])
        for ledger in (sealed, clear):
            run([jangbu, "apply", ledger], input=COMMANDS)
        check(jangbu, sealed, sealed + ".key")
        run([jangbu, "people", "rotate", sealed])
        check(jangbu, sealed, sealed + ".key")
        run([jangbu, "people", "encrypt", clear])
        check(jangbu, clear, clear + ".key")
    print("a second reader reads a sealed people.mdb from the page alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
