#!/usr/bin/python3
"""Real data with its own totals: 49,102 transactions of a Czech bank go in, and the bank's own balances must come out.

usage: check.py JANGBU [DATA]     DATA: trans.asc.xz; default: ../shared/data/czech-bank-1993 beside the checkout
"""
import collections
import csv
import io
import json
import lzma
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
CENT_LIMIT = 100  # 1.00 CZK
LAST_DAY = "1994-03-31"  # the file is cut in the middle of it: rows of 28 accounts are missing


def bank(path):
    """Credits, debits, and for each account and day the balances that the bank recorded."""
    credits, debits = [0, 0], [0, 0]
    recorded = collections.defaultdict(set)
    with lzma.open(path, "rt", encoding="latin-1") as lines:
        next(lines)
        for line in lines:
            cells = [c.strip('"') for c in line.rstrip("\r\n").split(";")]
            if len(cells) != 10:
                continue
            amount = round(float(cells[5]) * 100)
            side = credits if cells[3] == "PRIJEM" else debits
            side[0] += 1
            side[1] += amount
            day = "19%s-%s-%s" % (cells[2][:2], cells[2][2:4], cells[2][4:6])
            recorded["A" + cells[1], day].add(round(float(cells[6]) * 100))
    return credits, debits, recorded


def jangbu_lines(jangbu, *args):
    out = subprocess.run([jangbu, *args], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def expect(what, have, want):
    if have != want:
        print(f"{what}: {have}, expected {want}")
        return 1
    print(f"{what}: {have}")
    return 0


def main():
    jangbu = os.path.abspath(sys.argv[1])
    data = sys.argv[2] if len(sys.argv) > 2 else os.path.join(TOP, "..", "shared/data/czech-bank-1993/trans.asc.xz")
    if not os.path.exists(data):
        print(f"skipped: {os.path.normpath(data)} is not here (the data is not part of the project)")
        return 77
    failed = 0
    credits, debits, recorded = bank(data)
    failed += expect("credits", tuple(credits), (22994, 17736629630))
    failed += expect("debits", tuple(debits), (26108, 13812015350))
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "bank")
        subprocess.run([jangbu, "init", ledger, "--currency", "CZK", "--exponent", "2", "--offset", "+01:00"], check=True, stdout=subprocess.DEVNULL)
        convert = subprocess.Popen([os.path.join(TOP, "tools/czech/convert"), data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        apply = subprocess.run([jangbu, "apply", ledger, "--clock=at"], stdin=convert.stdout, capture_output=True, text=True)
        complaint = convert.stderr.read()
        failed += expect("exit code of the converter", convert.wait(), 1)
        failed += expect("the converter reports the bad last line", complaint.startswith("line 49104 is skipped") and complaint.count("\n") == 1, True)
        failed += expect("exit code of apply", apply.returncode, 0)
        failed += expect("refused lines", sum('"ok":false' in line for line in apply.stdout.splitlines()), 0)
        failed += expect("closed by the import through", jangbu_lines(jangbu, "stat", ledger, "--json")[0]["closed_through"], "1994-03-30")
        last = subprocess.run([jangbu, "day", "close", ledger, LAST_DAY, "--accept-clock"], capture_output=True, text=True)
        failed += expect("exit code of closing the last day", last.returncode, 0)
        stat = jangbu_lines(jangbu, "stat", ledger, "--json")[0]
        failed += expect("closed through", stat["closed_through"], LAST_DAY)
        failed += expect("wallets", stat["wallets"], 1229)

        rows = list(csv.DictReader(io.StringIO(subprocess.run([jangbu, "export", ledger, "--format", "csv"], check=True, capture_output=True, text=True).stdout)))
        for what, kind, want in (("credits in the ledger", "charge_settled", credits), ("debits in the ledger", "cash_consumed", debits)):
            amounts = [int(row["amount"]) for row in rows if row["type"] == kind]
            failed += expect(what, (len(amounts), sum(amounts)), tuple(want))
        failed += expect("days closed", sum(row["type"] == "day_closed" for row in rows), 455)
        below = collections.Counter()
        close = exact = far = 0
        wallets = {wallet for wallet, _ in recorded}
        for wallet in sorted(wallets):
            rows = jangbu_lines(jangbu, "cash-status", ledger, wallet, "--json")[0]["rows"]
            for row in rows:
                if row["day"] == LAST_DAY:
                    continue
                balances = recorded.get((wallet, row["day"]))
                below[wallet] += row["closing_total"] < 0
                if balances is None:
                    print(f"{wallet} {row['day']}: a row that the bank does not have")
                    failed += 1
                    continue
                off = min(abs(row["closing_total"] - b) for b in balances)
                close += off <= CENT_LIMIT
                exact += off == 0
                far += off > CENT_LIMIT
        failed += expect("account-days within 1.00 CZK of the bank", close, 38821)
        failed += expect("account-days exactly equal", exact, 23125)
        failed += expect("account-days further off", far, 0)
        print("accounts below zero at the end of a day:", sum(n > 0 for n in below.values()))
        total = sum(b["total"] for b in jangbu_lines(jangbu, "balance", ledger, "--all", "--json"))
        failed += expect("sum of all balances", total, credits[1] - debits[1])
        audit = jangbu_lines(jangbu, "audit", ledger, "--json")[0]
        failed += expect("audit", audit["verdict"], "verified")
        again = subprocess.run([os.path.join(TOP, "tools/czech/convert"), data], capture_output=True, text=True).stdout
        second = subprocess.run([jangbu, "apply", ledger, "--clock=at"], input=again, capture_output=True, text=True).stdout
        strip = [line.replace(',"duplicate":true', "") for line in second.splitlines()]
        failed += expect("applied again: the same results from memory", strip == apply.stdout.splitlines(), True)
        export = subprocess.run(["/usr/bin/python3", os.path.join(HERE, "../export/check.py"), jangbu, ledger], text=True, capture_output=True)
        print(export.stdout, end="")
        if export.returncode != 77:  # it says what is not installed
            failed += expect("exports: exit code of their check", export.returncode, 0)
            print(export.stderr[-2000:], end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
