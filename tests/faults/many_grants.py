#!/usr/bin/python3
"""Many grants that stay for years, and a day closed after the other: the audit's processor time is of the kind of that which made the ledger, as it is not
where what is due is sorted anew for each day.

usage: many_grants.py JANGBU"""
import datetime
import json
import os
import resource
import subprocess
import sys
import tempfile

WALLETS, GRANTS, DAYS = 100, 1000, 400


def processor_time():
    """Of the children so far, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    jangbu = sys.argv[1]
    noon = datetime.datetime(2026, 1, 1, 12)
    lines = []

    def add(day, op, **members):
        lines.append(json.dumps({"op": op, **members, "at": (noon + datetime.timedelta(days=day)).isoformat() + "+09:00"}))

    for w in range(WALLETS):
        add(0, "wallet.create", wallet=f"W{w}", kind="BUSINESS", name="w")
        for g in range(GRANTS):
            add(0, "free.grant", wallet=f"W{w}", grant=f"G{g}", amount=10, expires_on="2036-12-31" if g % 2 else "2026-12-31")
    for day in range(1, DAYS):
        add(day, "charge", wallet="W0", charge=f"C{day}", amount=1000)
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "l")
        subprocess.run([jangbu, "init", ledger], check=True, stdout=subprocess.DEVNULL)
        start = processor_time()
        subprocess.run([jangbu, "apply", ledger, "--clock=at"], input="\n".join(lines) + "\n", text=True, check=True, stdout=subprocess.DEVNULL)
        applied = processor_time() - start
        start = processor_time()
        out = subprocess.run([jangbu, "audit", ledger], capture_output=True, text=True)
        audited = processor_time() - start
        expired = sum('"free_expired"' in line for line in subprocess.run([jangbu, "log", ledger, "--json"], capture_output=True, text=True).stdout.splitlines())
    print(f"apply {applied:.2f} s, audit {audited:.2f} s, {expired} grants expired")
    if out.returncode != 0 or expired != WALLETS * GRANTS // 2:
        print("failed:", out.stdout[-500:], out.stderr)
        return 1
    if audited > 4 * applied:
        print("failed: the audit takes four times what it took to make the ledger")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
