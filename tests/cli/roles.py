#!/usr/bin/python3
"""Each cell of the matrix that `jangbu roles` prints is tried from the command line, by a person who has exactly that role: who has it
is not refused for his role, everybody else is. `jangbu may` says the same, docs/vocabulary.md has the same table, and a ledger that
trusts refuses nobody for his role.

usage: roles.py JANGBU"""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LETTERS = {"M": "MASTER", "m": "MEMBER", "C": "CHANNEL_MASTER", "c": "MANAGER", "A": "AGENCY", "O": "OPERATOR", "G": "GATEWAY",
           "S": "SYSTEM", "P": "SELF"}
PEOPLE = {"MASTER": "jin", "MEMBER": "sol", "CHANNEL_MASTER": "boss", "MANAGER": "clerk", "AGENCY": "seller", "OPERATOR": "desk",
          "GATEWAY": "gate", "SYSTEM": "robot", "SELF": "nobody"}
BOTH = "owner"  # master of the wallet, and of the channel "own"
BIZ = {"biz": "1112233333", "biz_name": "n", "representative": "r", "address": "a"}
# What a command of the cell says beside its op; "person" is the actor where the role is SELF.
CELLS = {
    "wallet.create": {"wallet": "N", "kind": "BUSINESS", "name": "n", "channel": "K"},
    "wallet.rename": {"wallet": "W", "name": "x"},
    "charge:admin": {"wallet": "W", "charge": "c", "amount": 5000, "method": "ADMIN_CASH"},
    "charge:auto": {"wallet": "W", "charge": "c", "amount": 5000, "method": "KAKAOPAY_CARD_AUTO"},
    "charge": {"wallet": "W", "charge": "c", "amount": 5000, "method": "CREDIT_CARD", "channel": "K"},
    "charge.reverse": {"wallet": "W", "charge": "c", "amount": 1},
    "debt.repay": {"wallet": "W", "amount": 1},
    "free.grant:unsent": {"wallet": "W", "grant": "g", "amount": 1, "expires_on": "2099-01-01", "origin": "UNSENT_NORMAL"},
    "free.grant": {"wallet": "W", "grant": "g", "amount": 1, "expires_on": "2099-01-01"},
    "free.activate": {"wallet": "W", "grant": "g"}, "free.revoke": {"wallet": "W", "grant": "g"},
    "consume": {"wallet": "W", "usage": "u", "amount": 1, "channel": "K"},
    "consume.reverse": {"wallet": "W", "usage": "u", "amount": 1},
    "policy.set": {"policy": "grants_max", "value": 9}, "day.close": {"day": "2026-01-01"},
    "role.give": {"person": "third", "role": "SYSTEM"}, "role.take": {"person": "third", "role": "SYSTEM"},
    "channel.create:business": {"channel": "new", "person": "third", "channel_kind": "BUSINESS"},
    "channel.create": {"channel": "new", "person": "third"},
    "channel.search_id": {"channel": "K", "search_id": "a"}, "channel.mail_order": {"channel": "K", "mail_order": "1"},
    "channel.close": {"channel": "K"},
    "biz.request:channel": {"channel": "K", **BIZ}, "biz.request": {"wallet": "W", **BIZ},
    "biz.approve": {"wallet": "W", "seq": 1}, "biz.refuse": {"wallet": "W", "seq": 1},
    "invoice.email": {"wallet": "W", "email": "a@b.example"},
    "wallet.settlement": {"wallet": "W", "settlement": "PREPAID"},
    "forget": {"person": "third"},
}
for op in ("wallet.off", "wallet.on", "wallet.delete", "wallet.suspend", "wallet.lift", "sales.release"):
    CELLS[op] = {"wallet": "W"}
for op in ("refund.request", "refund.approve", "refund.reject", "refund.cancel", "refund.complete", "refund.fail"):
    CELLS[op] = {"wallet": "W", "refund": "r"}
for op in ("member.invite", "member.accept", "member.leave", "member.remove", "master.transfer"):
    CELLS[op] = {"wallet": "W", "person": "third"}
for op in ("manager.add", "manager.remove", "channel.transfer"):
    CELLS[op] = {"channel": "K", "person": "third"}
for op in ("channel.connect", "channel.disconnect"):
    CELLS[op] = {"wallet": "W", "channel": "K"}
for op in ("sales.request", "sales.accept", "sales.refuse"):
    CELLS[op] = {"wallet": "W", "agency": "A1"}

MADE = [
    ("desk", {"op": "role.give", "person": "gate", "role": "GATEWAY"}), ("desk", {"op": "role.give", "person": "robot", "role": "SYSTEM"}),
    ("desk", {"op": "role.give", "person": "seller", "role": "AGENCY", "agency": "A1"}),
    ("desk", {"op": "wallet.create", "wallet": "W", "kind": "BUSINESS", "name": "w", "master": "jin"}),
    ("desk", {"op": "wallet.create", "wallet": "X", "kind": "BUSINESS", "name": "x", "master": BOTH}),
    ("jin", {"op": "member.invite", "wallet": "W", "person": "sol"}), ("sol", {"op": "member.accept", "wallet": "W", "person": "sol"}),
    ("desk", {"op": "channel.create", "channel": "K", "person": "boss", "channel_kind": "BUSINESS"}),
    ("desk", {"op": "channel.create", "channel": "own", "person": BOTH, "channel_kind": "BUSINESS"}),
    ("boss", {"op": "manager.add", "channel": "K", "person": "clerk"}),
    ("desk", {"op": "channel.connect", "wallet": "W", "channel": "K"}),
    ("seller", {"op": "sales.request", "wallet": "W", "agency": "A1"}), ("jin", {"op": "sales.accept", "wallet": "W", "agency": "A1"}),
]


class Tried:
    def __init__(self, jangbu, work, name, *options):
        self.jangbu, self.ledger = jangbu, os.path.join(work, name)
        subprocess.run([jangbu, "init", self.ledger, *options], check=True, capture_output=True)
        for answer in self.apply([{**command, "actor": {"id": by}} for by, command in MADE]):
            assert answer["ok"], answer

    def apply(self, commands, *options):
        lines = "".join(json.dumps(command) + "\n" for command in commands)
        out = subprocess.run([self.jangbu, "apply", self.ledger, *options], input=lines, capture_output=True, text=True)
        return [json.loads(line) for line in out.stdout.splitlines()]

    def ask(self, name, *words):
        out = subprocess.run([self.jangbu, name, self.ledger, *words, "--json"], capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
        return json.loads(out.stdout)


def command_of(cell, role, by):
    """Nobody makes wallets for others but operators; SELF is named himself."""
    command = {"op": cell.split(":")[0], **CELLS[cell], "actor": {"id": by}}
    if cell == "wallet.create":
        command["master"] = by
    if role == "SELF" and "person" in command:
        command["person"] = by
    return command


def tried(ledger, cells):
    """{(cell, role): the code}"""
    pairs = [(cell["cell"], role) for cell in cells for role in PEOPLE]
    answers = ledger.apply([command_of(cell, role, PEOPLE[role]) for cell, role in pairs], "--dry-run")
    return {pair: (answer.get("code"), answer.get("message", "")) for pair, answer in zip(pairs, answers)}


def page():
    """{cell: the letters}, from docs/vocabulary.md: the page names several ops in a row, and what their commands are in words."""
    with open(os.path.join(HERE, "../../docs/vocabulary.md"), encoding="utf-8") as f:
        rows = f.read().split("<!-- table: matrix -->")[1].split("\n\n")[1].split("\n")
    head, found = [c.strip() for c in rows[0].strip("|").split("|")][1:], []
    for row in rows[2:]:
        what, *cells = [c.strip() for c in row.strip("|").split("|")]
        letters = {letter: cell for letter, cell in zip(head, cells) if cell}
        found += [(op, letters) for op in re.findall(r"`([a-z_.]+)`", what)]
    return found


def main():
    jangbu, bad = os.path.abspath(sys.argv[1]), []
    with tempfile.TemporaryDirectory() as work:
        ledger = Tried(jangbu, work, "enforced", "--roles=enforce", "--operator", "desk")
        trusting = Tried(jangbu, work, "trusting")
        cells = ledger.ask("roles")["cells"]
        missing = {c["cell"] for c in cells} ^ set(CELLS)
        assert not missing, missing
        codes = tried(ledger, cells)
        for (cell, role), (code, message) in codes.items():
            row = next(c for c in cells if c["cell"] == cell)
            may = role in row["roles"] and role not in row["both"]
            if "not carried out" not in message and (code != "ROLE") != may:
                bad.append(f"{cell} by {role}: {code}, {row}")
        both = {"op": "channel.connect", "wallet": "X", "channel": "own"}
        alone = [{**both, "channel": "K", "actor": {"id": BOTH}}, {**both, "actor": {"id": "jin"}}, {**both, "actor": {"id": BOTH}}]
        if [a.get("code") for a in ledger.apply(alone, "--dry-run")] != ["ROLE", "ROLE", None]:
            bad.append("channel.connect by who is both")
        for role, person in PEOPLE.items():
            said = ledger.ask("may", "W", "--actor", person, "--channel", "K")["ops"]
            for row in cells:
                may = (role in row["roles"] and role not in row["both"]) or "SELF" in row["roles"]
                if (said[row["cell"]] != "ROLE") != may:
                    bad.append(f"may {row['cell']} for {role}: {said[row['cell']]}")
        for (cell, role), (code, _) in tried(trusting, cells).items():
            if code == "ROLE":
                bad.append(f"{cell} by {role} in a ledger that trusts")
        have = sorted((op, sorted(letters.items())) for op, letters in page())
        want = sorted((c["op"], sorted((letter, "b" if word in c["both"] else "x") for letter, word in LETTERS.items() if word in c["roles"]))
                      for c in cells)
        if have != want:
            bad.append(f"docs/vocabulary.md: {[row for row in have if row not in want]}, the program: {[row for row in want if row not in have]}")
    print("\n".join(bad[:20] + [f"{len(codes)} cells and people tried, {len(bad)} wrong"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
