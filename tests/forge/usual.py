"""Usual events (replay/usual.c) among others, changed in each way in which they may not be usual: an
audit says of each log, to the word, what one says that looks at every event in full. What the right
answer is the other forgeries say; here two ways to it are compared."""
import os
import random
import shutil
import subprocess

import lmdb

import ledger
from ledger import debt, grant, lot

WALLETS, TIMES, MIXED = 5, 3, 20


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
    lines += ["wallet.create V", "free.grant F 5 20 wallet=V", "wallet.off wallet=V", "= 5 10:00",
              "wallet.delete wallet=V"] + [f"consume Z{w} 1 wallet=W{w}" for w in range(WALLETS)]  # what was due has expired
    return "\n".join(lines) + "\n"


# Where roles are asked: without its actor a consumption has the form of a usual one.
ASKING = """
! --roles=enforce --operator O
wallet.create W master=kim by=O
charge A 1000 by=kim
""" + "".join(f"consume U{i} 1 by=kim\n" for i in range(9))


def of_one_lot(log):
    return [e for e in log.all("cash_consumed") if len(e["parts"]) == 1 and e["parts"][0][0] == ledger.LOT]


# Each gets where chance comes from, the log, a consumption out of one lot, and another.
CHANGES = []


def change(function):
    CHANGES.append(function)
    return function


def sets(name, *values):
    CHANGES.append(lambda chance, log, e, other: e.fields.update({name: chance.choice(values)}))


@change
def amount(chance, log, e, other):
    e["amount"] += chance.choice([-1, 1, 10 ** 9])
    e["parts"] = [lot(1, e["amount"])]


@change
def the_key_of_another(chance, log, e, other):
    keyed = chance.choice([x for x in of_one_lot(log) if "KEY" in x.extra and x is not e])
    e.key(*keyed.extra["KEY"])


@change
def the_key_of_another_by_somebody_else(chance, log, e, other):
    keyed = chance.choice([x for x in of_one_lot(log) if "KEY" in x.extra and x is not e])
    e.key(keyed.extra["KEY"][0], "else", 7)


@change
def no_fingerprint(chance, log, e, other):
    e.key("new", chance.choice(["", "c"]), 0)


@change
def a_key_that_is_none(chance, log, e, other):
    e.key(chance.choice(["", "a b", "k" * 300]), chance.choice(["", "c d"]), 0)


@change
def another_time(chance, log, e, other):
    e.recorded_at += chance.choice([-1, 1, 10 ** 6, 10 ** 11])


@change
def out(chance, log, e, other):
    log.drop(e)


@change
def elsewhere(chance, log, e, other):
    log.move(e, other)


@change
def in_each_others_place(chance, log, e, other):
    log.swap(e, other)


@change
def another_lot(chance, log, e, other):
    e["parts"] = [lot(chance.randint(1, 3), e["amount"])]


@change
def paid_before_free(chance, log, e, other):
    e = chance.choice([x for x in log.all("cash_consumed") if x["parts"][0][0] == ledger.GRANT])
    e["parts"] = [lot(1, e["amount"])]


@change
def out_of_what_it_has_not(chance, log, e, other):
    e["parts"] = [chance.choice([grant(1, e["amount"]), debt(e["amount"])])]


sets("usage", "\u200b", "\u202ea")
sets("usage", "a b", "x" * 64, "x" * 65, "\ud55c\uae00", "e\u0301")


@change
def another_event_before(chance, log, e, other):
    e.prev = chance.randint(1, 30)


@change
def another_wallet(chance, log, e, other):
    e.wallet = chance.randint(1, WALLETS)


@change
def another_posting_day(chance, log, e, other):
    e.posted_on = ledger.epoch_day("1")


@change
def it_occurred_before(chance, log, e, other):
    e.occurred_at = e.recorded_at - 10 ** 7


@change
def an_actor(chance, log, e, other):
    e.extra["ACTOR"] = [chance.randint(0, 1), "MEMBER"]


@change
def in_a_group(chance, log, e, other):
    """What is before the last of a group has no key of its own."""
    first = log.index(e)
    log.group(e, log.events[min(first + chance.randint(1, 3), len(log.events) - 1)])


@change
def the_first_day_does_not_close(chance, log, e, other):
    log.drop(log.find("day_closed"))


@change
def the_last_day_does_not_close(chance, log, e, other):
    log.drop(log.find("day_closed", -1))


@change
def forfeits_and_no_deletion(chance, log, e, other):
    log.drop(log.find("wallet_deleted"))


@change
def expiries_that_nothing_follows(chance, log, e, other):
    """A closing's, and the usual events come before it closes."""
    log.move(log.all("free_expired")[0], chance.choice(of_one_lot(log)[-WALLETS:]))


@change
def no_expiry(chance, log, e, other):
    log.drop(log.all("free_expired")[0])


def at_random(chance, log, function):
    e, other = chance.choice(of_one_lot(log)), chance.choice(log.all("cash_consumed"))
    function(chance, log, e, other)


def nobody(chance, log):
    chance.choice(log.all("cash_consumed")).extra.pop("ACTOR")


def lies_about_offsets(path):
    """The last place of the first table of offsets is another one, and the chain follows from it.
    Returns whether there is a table."""
    env = lmdb.open(path, subdir=False, map_size=1 << 24, sync=False, lock=False)
    with env.begin(write=True) as txn:
        rows, chain, told = [(bytes(k), bytes(v)) for k, v in txn.cursor()], None, False
        for key, value in rows:
            if not told and int.from_bytes(value[2:4], "big") & ledger.FRAME_OFFSETS:
                value, told = value[:-1] + bytes([value[-1] ^ 1]), True
            if told and chain is not None:
                value = value[:32] + ledger.xxh3_128(chain + value[:32] + value[48:]) + value[48:]
                txn.put(key, value)
            chain = value[32:48]
    env.close()
    return told


def logs(source, asking):
    """[(the ledger, its log)]"""
    for i, function in enumerate(CHANGES * TIMES):
        chance, log = random.Random(i), ledger.Log(os.path.join(source, "log.mdb"))
        at_random(chance, log, function)
        yield source, log
    for i in range(MIXED):
        chance, log = random.Random(-i), ledger.Log(os.path.join(source, "log.mdb"))
        for _ in range(1 + i % 3):
            at_random(chance, log, chance.choice(CHANGES))
        yield source, log
    log = ledger.Log(os.path.join(asking, "log.mdb"))
    nobody(random.Random(0), log)
    yield asking, log


def look(made, both, copy, work):
    source, changed = made.of(script()), []
    for i, (of, log) in enumerate(logs(source, made.of(ASKING))):
        changed.append(os.path.join(work, f"usual{i}"))
        copy(of, changed[-1], log)
    log = ledger.Log(os.path.join(source, "log.mdb"))
    for e in log.events[1:]:  # in one commit, so that its frame is long
        e.commit = 1
    changed.append(os.path.join(work, "usual-offsets"))
    copy(source, changed[-1], log)
    assert lies_about_offsets(os.path.join(changed[-1], "log.mdb")), "no frame is long"
    subprocess.run([both, *changed], check=True)
    for where in changed:
        shutil.rmtree(where)
