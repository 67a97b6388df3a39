"""Usual events (replay/usual.c) among others, changed at random: an audit says of each log, to the
word, what one says that looks at every event in full. What the right answer is the other forgeries
say; here two ways to it are compared."""
import os
import random
import shutil
import subprocess

import ledger
from ledger import debt, grant, lot

WALLETS, CHANGED = 5, 60


def script():
    lines = ["! --roles=trust --operator O"]
    for w in range(WALLETS):
        lines += [f"wallet.create W{w} kind={'BUSINESS' if w == 3 else 'PERSONAL'}",
                  f"charge A 3000 wallet=W{w}", f"charge B 100000 wallet=W{w}"]
    lines += ["free.grant G 50 6 wallet=W1", "free.activate G wallet=W1", "free.grant D 5 3 wallet=W4",
              "policy.set day_close_grace 3600"]
    for day in range(1, 4):
        lines.append(f"= {day} 10:00")
        for i in range(60):
            key = f" key=K{day}-{i}" if i % 3 == 0 else ""
            lines.append(f"consume U{day}-{i} {i % 7 + 1} wallet=W{i % WALLETS}{key}")
        lines += [f"consume L{day} 2 wallet=W2 at={day}_10:00", f"wallet.off wallet=W{day % 2}", f"wallet.on wallet=W{day % 2}",
                  f"consume.reverse U{day}-2 1 wallet=W2", f"consume over{day} 200000 overdraft=true wallet=W0",
                  f"charge C{day} 300000 wallet=W0"]
    return "\n".join(lines) + "\n"


def change(chance, log):
    """One thing of one event that is, or nearly is, a usual one."""
    e = chance.choice(log.all("cash_consumed"))
    other = chance.choice(log.all("cash_consumed"))

    def amount():
        e["amount"] += chance.choice([-1, 1, 10 ** 9])
        e["parts"] = [lot(1, e["amount"])]

    def key():
        keyed = chance.choice([x for x in log.all("cash_consumed") if "KEY" in x.extra])
        e.key(*keyed.extra["KEY"])

    def another_time():
        e.recorded_at += chance.choice([-1, 1, 10 ** 6, 10 ** 11])

    def drop():
        log.drop(e)

    def move():
        log.move(e, other)

    def set_to(name, value):
        e[name] = value

    chance.choice([
        amount, key, key, another_time, drop, move, lambda: log.swap(e, other),
        lambda: set_to("parts", [lot(chance.randint(1, 3), e["amount"])]),
        lambda: set_to("parts", [grant(1, e["amount"])]), lambda: set_to("parts", [debt(e["amount"])]),
        lambda: set_to("usage", chance.choice(["a b", "\u200b", "x" * 64, "\ud55c\uae00"])),
        lambda: setattr(e, "prev", chance.randint(1, 30)),
        lambda: setattr(e, "wallet", chance.randint(1, WALLETS)),
        lambda: setattr(e, "posted_on", ledger.epoch_day("1")),
        lambda: setattr(e, "occurred_at", e.recorded_at - 10 ** 7),
        lambda: e.extra.update({"ACTOR": [chance.randint(0, 1), "MEMBER"]}),
        lambda: e.key(chance.choice(["", "a b", "k" * 300]), chance.choice(["", "c d"]), 0)])()


def look(made, both, copy, work):
    source, changed = made.of(script()), []
    for seed in range(CHANGED):
        chance = random.Random(seed)
        log = ledger.Log(os.path.join(source, "log.mdb"))
        for _ in range(1 + seed % 3):
            change(chance, log)
        changed.append(os.path.join(work, f"usual{seed}"))
        copy(source, changed[-1], log)
    subprocess.run([both, *changed], check=True)
    for where in changed:
        shutil.rmtree(where)
