#!/usr/bin/python3
"""Each cell of the matrix of roles: a command of that cell, by somebody who has exactly that role and no other.

docs/rules.md section 10 says which cells carry; `jangbu roles` must print the same, and the ledger must do the same. Everything is
tried with --dry-run on one ledger, so that a cell that carries changes nothing for the next.

usage: roles.py JANGBU SOURCE_DIR"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROLES = ["MASTER", "MEMBER", "CHANNEL_MASTER", "MANAGER", "AGENCY", "OPERATOR", "GATEWAY", "SYSTEM", "SELF"]
CLOCK = "2026-10-01T09:00:00+09:00"
RECORD = {"biz": "1234567890", "biz_name": "n", "representative": "r", "address": "a"}
# Who has which role of wallet W, which channel H of them is connected with, and of the ledger.
PEOPLE = {"MASTER": "master", "MEMBER": "member", "CHANNEL_MASTER": "owner", "MANAGER": "manager", "AGENCY": "staff", "OPERATOR": "op",
          "GATEWAY": "gateway", "SYSTEM": "system"}
W, H, P = {"wallet": "W"}, {"channel": "H"}, {"person": "somebody"}
CELLS = {
    "wallet.create": {"wallet": "new", "kind": "PERSONAL", "name": "n", **H}, "wallet.rename": {**W, "name": "n"}, "wallet.off": W,
    "wallet.on": W, "wallet.suspend": W, "wallet.lift": W, "wallet.delete": W,
    "charge:admin": {**W, **H, "charge": "c", "amount": 1, "method": "ADMIN_CASH"},
    "charge:auto": {**W, **H, "charge": "c", "amount": 1, "method": "KAKAOPAY_CARD_AUTO"},
    "charge": {**W, **H, "charge": "c", "amount": 1, "method": "CREDIT_CARD"}, "charge.reverse": {**W, "charge": "c", "amount": 1},
    "debt.repay": {**W, "amount": 1}, "free.grant": {**W, "grant": "g", "amount": 1, "expires_on": "2027-01-01"},
    "free.grant:unsent": {**W, "grant": "g", "amount": 1, "expires_on": "2027-01-01", "origin": "UNSENT_SIMPLE"},
    "free.activate": {**W, "grant": "g"}, "free.revoke": {**W, "grant": "g"},
    "consume": {**W, **H, "usage": "u", "amount": 1}, "consume.reverse": {**W, "usage": "u", "amount": 1},
    "refund.request": {**W, "refund": "r"}, "refund.approve": {**W, "refund": "r"}, "refund.reject": {**W, "refund": "r"},
    "refund.cancel": {**W, "refund": "r"}, "refund.complete": {**W, "refund": "r"}, "refund.fail": {**W, "refund": "r"},
    "policy.set": {"policy": "grants_max", "value": 9}, "day.close": {"day": "2026-09-30"},
    "role.give": {**P, "role": "SYSTEM"}, "role.take": {**P, "role": "SYSTEM"},
    "member.invite": {**W, **P}, "member.accept": {**W, **P}, "member.leave": {**W, **P}, "member.remove": {**W, **P},
    "master.transfer": {**W, **P}, "channel.create": {"channel": "new", **P},
    "channel.create:business": {"channel": "new", **P, "channel_kind": "BUSINESS"}, "manager.add": {**H, **P}, "manager.remove": {**H, **P},
    "channel.transfer": {**H, **P}, "channel.connect": {**W, **H}, "channel.disconnect": {**W, **H}, "channel.close": H,
    "channel.search_id": {**H, "search_id": "shop"}, "channel.mail_order": {**H, "mail_order": "1"},
    "biz.request": {**W, **RECORD}, "biz.request:channel": {**H, **RECORD}, "biz.approve": {**W, "seq": 1}, "biz.refuse": {**W, "seq": 1},
    "invoice.email": {**W, "email": "a@b.example"}, "sales.request": {**W, "agency": "A"}, "sales.accept": {**W, "agency": "A"},
    "sales.refuse": {**W, "agency": "A"}, "sales.release": W, "wallet.settlement": {**W, "settlement": "POSTPAID", "limit": 1},
    "forget": P, "notice.send": {**W, "grant": "g"}, "invoice.issue": {**W, "month": "2026-08"}, "invoice.correct": {**W, "invoice": 1, "reason": "ENTRY_ERROR"},
    "invoice.confirm": {**W, "invoice": 1}, "invoice.fail": {**W, "invoice": 1, "why": "OTHER"}, "invoice.mail": {**W, "invoice": 1, "result": "SENT"},
}


def documented(source):
    """Cell -> (roles, those of which one alone is not enough)."""
    with open(os.path.join(source, "docs/rules.md"), encoding="utf-8") as f:
        table = f.read().split("<!-- table: matrix 1 -->")[1].split("\n\nM MASTER")[0]
    cells = {}
    for name, marks in re.findall(r"^\| `([a-z._:]+)` \|(.*)\|$", table, re.M):
        marks = [m.strip() for m in marks.split("|")]
        cells[name] = ([r for r, m in zip(ROLES, marks) if m], [r for r, m in zip(ROLES, marks) if m == "b"])
    return cells


class Ledger:
    def __init__(self, jangbu, where):
        self.jangbu, self.where = jangbu, where
        subprocess.run([jangbu, "init", where, "--roles=enforce", "--operator", "op"], check=True, capture_output=True)

    def apply(self, commands, *options):
        lines = "".join(json.dumps({"clock": CLOCK, **c}) + "\n" for c in commands)
        done = subprocess.run([self.jangbu, "apply", self.where, "--clock=at", *options], input=lines, capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def furnish(self):
        op = {"actor": {"id": "op"}}
        roles = [{"op": "role.give", "person": PEOPLE[r], "role": r, **op} for r in ("GATEWAY", "SYSTEM")]
        results = self.apply([
            *roles, {"op": "role.give", "person": "staff", "role": "AGENCY", "agency": "A", **op},
            {"op": "channel.create", "channel": "H", "person": "owner", "channel_kind": "BUSINESS", **op},
            {"op": "manager.add", "channel": "H", "person": "manager", "actor": {"id": "owner"}},
            {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "master", **op},
            {"op": "channel.connect", **W, **H, **op},
            {"op": "member.invite", **W, "person": "member", **op}, {"op": "member.accept", **W, "person": "member", "actor": {"id": "member"}},
            {"op": "sales.request", **W, "agency": "A", "actor": {"id": "staff"}},
            {"op": "sales.accept", **W, "agency": "A", "actor": {"id": "master"}},
            {"op": "channel.create", "channel": "H2", "person": "both", "channel_kind": "BUSINESS", **op},
            {"op": "wallet.create", "wallet": "W2", "kind": "BUSINESS", "name": "w", "master": "both", **op}])
        assert all(r["ok"] for r in results), results


def tries(cells):
    """(cell, role, command, whether the role carries it), for every cell."""
    for cell, (roles, both) in cells.items():
        for role in ROLES:
            who = CELLS[cell].get("person", "self") if role == "SELF" else PEOPLE[role]
            yield cell, role, {"op": cell.split(":")[0], **CELLS[cell], "actor": {"id": who}}, role in roles and role not in both
        yield cell, "nobody", {"op": cell.split(":")[0], **CELLS[cell]}, False
        yield cell, "a stranger", {"op": cell.split(":")[0], **CELLS[cell], "actor": {"id": "stranger"}}, False
        if both:
            yield cell, "both", {"op": cell, "wallet": "W2", "channel": "H2", "actor": {"id": "both"}}, True


def main():
    jangbu, source = sys.argv[1:]
    cells = documented(source)
    # What is not carried out by this program cannot be tried.
    with tempfile.TemporaryDirectory() as where:
        ledger = Ledger(jangbu, os.path.join(where, "l"))
        ledger.furnish()
        printed = json.loads(subprocess.run([jangbu, "roles", ledger.where, "--json"], check=True, capture_output=True, text=True).stdout)
        wrong = [f"jangbu roles prints {c} otherwise than docs/rules.md" for c in printed["cells"]
                 if cells.get(c["cell"]) != (c["roles"], c["both"])]
        wrong += [f"no command for {cell}" for cell in set(cells) ^ set(CELLS)]
        wrong += [f"{cell} is not printed" for cell in set(cells) - {c["cell"] for c in printed["cells"]}]
        all_tries = list(tries(cells))
        for (cell, role, command, carries), result in zip(all_tries, ledger.apply([t[2] for t in all_tries], "--dry-run"), strict=True):
            refused = result.get("code") == "ROLE"
            if result.get("code") == "MALFORMED" and cell != "forget":
                wrong.append(f"{cell}: {result['message']}")
            elif refused == carries and result.get("code") != "MALFORMED":
                wrong.append(f"{cell} by {role}: {result}")
            elif refused and sorted(result["who"]) != sorted(cells[cell][0]):
                wrong.append(f"{cell} by {role}: who may is {result['who']}")
        print("\n".join(wrong))
        print(f"{len(all_tries)} tries of {len(cells)} cells, {len(wrong)} wrong")
        sys.exit(1 if wrong else 0)


main()
