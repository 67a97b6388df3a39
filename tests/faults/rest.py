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

DAY_ROW_NUMBERS, WALLET_NUMBERS = 5 + 11, 27  # projections/rows.h, core/state/record.c
HERE = os.path.dirname(os.path.abspath(__file__))


def ask(jangbu, *args):
    out = subprocess.run([jangbu, *args, "--json"], capture_output=True, text=True)
    return out.returncode, json.loads(out.stdout) if out.stdout else {"rest": None, "said": out.stderr}


def bytes_of(first):
    """How long a number is (core/base/numbers.h): a byte for each one that it begins with, and one."""
    return 9 - (first ^ 0xff).bit_length()


def add(value, at, count, which, by):
    """Adds to one of a list of numbers that begins there, twice as much, since it has its sign as its last bit."""
    number_at = at + (count + 7) // 8
    there = int.from_bytes(value[at:number_at], "little")
    for i in range(which):
        number_at += bytes_of(value[number_at]) if there >> i & 1 else 0
    n = bytes_of(value[number_at])
    number = int.from_bytes(value[number_at:number_at + n], "big") + 2 * by
    assert there >> which & 1 and bytes_of(number >> 8 * (n - 1)) == n
    return value[:number_at] + number.to_bytes(n, "big") + value[number_at + n:]


def day_row(ledger):
    """The paid cash of a day's row, its first number; the total is made of it."""
    day = (datetime.date(2026, 10, 30) - datetime.date(1970, 1, 1)).days
    key = struct.pack(">II", 1, day + (1 << 31))
    change(os.path.join(ledger, "views.mdb"), 0, lambda k: k == key, lambda value: add(value, 0, DAY_ROW_NUMBERS, 0, 7))


def state_value(ledger):
    """The paid cash of a wallet, the eighth number of its record. It is the first of a page of the newest run; before its record stand its
    number and the record's length."""
    def edit(value):
        record = bytes_of(value[0])
        return add(value, record + bytes_of(value[record]), WALLET_NUMBERS, 7, 5)
    change(os.path.join(ledger, "state.mdb"), 1, lambda k: k[4:] == struct.pack(">I", 1), edit)


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
