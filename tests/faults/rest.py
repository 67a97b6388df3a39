#!/usr/bin/python3
"""`rest` must be able to fail: a stored day row, a value of the state, and an event's amount are damaged in turn; a wrong stored value
makes the rest of `explain` something else than 0, a damaged event is not believed at all, and the audit names each.

usage: rest.py JANGBU"""
import datetime
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from blocks import change  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def ask(jangbu, *args):
    out = subprocess.run([jangbu, *args, "--json"], capture_output=True, text=True)
    return out.returncode, json.loads(out.stdout) if out.stdout else {"rest": None, "said": out.stderr}


def add(path, table, key, offset, by):
    """Adds to an 8-byte number of a stored row."""
    def edit(value):
        number = struct.unpack(">q", value[offset:offset + 8])[0]
        return value[:offset] + struct.pack(">q", number + by) + value[offset + 8:]
    change(path, table, key, edit)


def day_row(ledger):
    day = (datetime.date(2026, 10, 30) - datetime.date(1970, 1, 1)).days
    add(os.path.join(ledger, "views.mdb"), 0, struct.pack(">II", 1, day + (1 << 31)), 0, 7)


def bytes_of(first):
    """How long a number is (core/base/numbers.h): a byte for each one that it begins with, and one."""
    return 9 - (first ^ 0xff).bit_length()


def state_value(ledger):
    """The paid cash of a wallet, the eighth number of its record, whose first 27 numbers have a bit each."""
    def edit(value):
        at = 4
        for i in range(7):
            at += bytes_of(value[at]) if value[0] >> i & 1 else 0
        n = bytes_of(value[at])
        number = int.from_bytes(value[at:at + n], "big") + 2 * 5
        assert value[0] >> 7 == 1 and bytes_of(number >> 8 * (n - 1)) == n
        return value[:at] + number.to_bytes(n, "big") + value[at + n:]
    change(os.path.join(ledger, "state.mdb"), 1, struct.pack(">I", 1), edit)


def event_amount(ledger):
    path = os.path.join(ledger, "log.mdb")
    data = bytearray(open(path, "rb").read())
    found = 0
    for lot in range(1, 9):  # charge C3 of 20,000, whatever its lot's number
        whole = b"\xa2C3" + bytes([lot]) + b"\xcd\x4e\x20"
        at = data.find(whole)
        while at >= 0:
            data[at + len(whole) - 1] = 0x21
            found += 1
            at = data.find(whole, at + 1)
    assert found, "the event is not where it should be"
    open(path, "wb").write(data)


def main():
    jangbu, failed = os.path.abspath(sys.argv[1]), 0
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "l")
        subprocess.run([jangbu, "init", ledger, "--roles=enforce", "--operator", "op-7"], check=True, capture_output=True)
        subprocess.run([jangbu, "apply", ledger, os.path.join(HERE, "../../tools/example/month.jsonl"), "--clock=at"], capture_output=True)
        subprocess.run([jangbu, "rebuild", ledger], check=True, capture_output=True)
        code, x = ask(jangbu, "explain", ledger, "W1")
        assert code == 0 and x["rest"] == 0, x
        for damage, rest, named in ((day_row, -7, "views"), (state_value, 5, "state"), (event_amount, None, "chain")):
            copy = os.path.join(work, damage.__name__)
            shutil.copytree(ledger, copy)
            damage(copy)
            code, x = ask(jangbu, "explain", copy, "W1")
            told = (code == 1 and x["rest"] == rest) if rest is not None else (code == 3 and "chain of the log breaks" in x["said"])
            code, report = ask(jangbu, "audit", copy)
            found = code == 1 and any(p["check"] == named for p in report["problems"])
            print(f"{damage.__name__}: rest {x['rest']}; audit: {report['problems'][0]['text'] if report['problems'] else 'nothing'}")
            failed += not (told and found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
