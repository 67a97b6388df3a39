"""Random streams of the witness with one event changed in a way for which no rule has room: another
split of the same amount, a time of its own, an id that was given before. The seeds are fixed."""
import os
import random
import sys

from forgery import CASES, Case
from ledger import DEBT, SECOND

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../witness"))
import generate

SEEDS, COMMANDS, CHANGES = (1, 2, 3), 1500, 35
OWN_TIME = ("charge_settled", "charge_reversed", "debt_repaid", "cash_consumed",
            "consumption_reversed", "free_expired")
ID = {"charge_settled": "charge", "free_granted": "grant", "refund_requested": "refund"}


def stream(seed):
    return "".join(line + "\n" for line in generate.stream(seed, COMMANDS)).encode()


STREAMS = {seed: stream(seed) for seed in SEEDS}

# ---- changes; each gives None where the event is not one for it


def swapped(rng, parts):
    a, b = sorted(rng.sample(range(len(parts)), 2))
    parts[a], parts[b] = parts[b], parts[a]


def shifted(rng, parts):
    a, b = rng.sample(range(len(parts)), 2)
    by = rng.randint(1, parts[a][2] - 1)
    parts[a] = parts[a][:2] + (parts[a][2] - by,)
    parts[b] = parts[b][:2] + (parts[b][2] + by,)


def divided(rng, parts):
    a = rng.randrange(len(parts))
    first = rng.randint(1, parts[a][2] - 1)
    kind, ordinal, amount = parts[a]
    parts[a:a + 1] = [(kind, ordinal, first), (kind, ordinal, amount - first)]


def elsewhere(rng, parts):
    a = rng.randrange(len(parts))
    kind, ordinal, amount = parts[a]
    kind = rng.choice([k for k in range(4) if k != kind])
    parts[a] = (kind, 0 if kind == DEBT else max(1, ordinal), amount)


def another_ordinal(rng, parts):
    a = rng.randrange(len(parts))
    kind, ordinal, amount = parts[a]
    parts[a] = (kind, ordinal + rng.choice([-1, 1]), amount)


def other_parts(change):
    def changed(rng, e, _log):
        parts = list(e.fields.get("parts", []))
        try:
            change(rng, parts)
        except (ValueError, IndexError):
            return False  # too few of them, or too little in them
        possible = all((kind == DEBT) == (ordinal == 0) for kind, ordinal, _ in parts)
        if not possible or parts == e.fields.get("parts"):
            return False
        e["parts"] = parts
        return True
    return changed


def dated(rng, e, _log):
    if e.recorded_at is None or e.name in OWN_TIME:
        return False
    e.occurred_at = e.recorded_at + rng.choice([-1, 1]) * rng.randint(1, 290 * SECOND)
    return True


def given_before(rng, e, log):
    field = ID.get(e.name)
    before = [x[field] for x in log.events[:log.index(e)] if x.name == e.name and
              x.wallet == e.wallet] if field else []
    if before:
        e[field] = rng.choice(before)
    return bool(before)


WAYS = [("parts in another order", other_parts(swapped)), ("parts of other sizes",
                                                          other_parts(shifted)),
        ("a part in two", other_parts(divided)), ("a part of another kind", other_parts(elsewhere)),
        ("a part of another number", other_parts(another_ordinal)), ("a time of its own", dated),
        ("an id that was given before", given_before)]


def changed(seed, number, way):
    def build(log, _lie):
        rng = random.Random(f"{seed} {number}")
        for _ in range(10_000):
            e = rng.choice(log.events[10:])
            if way(rng, e, log):
                return e
        raise AssertionError("no event for it")
    return build


for each_seed in SEEDS:
    for n in range(CHANGES):
        word, way = WAYS[n % len(WAYS)]
        CASES.append(Case("2" if "part" in word else "1" if "time" in word else "5",
                          f"by chance: {word} (stream {each_seed}, change {n})",
                          STREAMS[each_seed], changed(each_seed, n, way), twin=False))
