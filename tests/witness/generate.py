"""Random command streams for `jangbu apply --clock=at`, from a seed.

The generator carries the model along. So it can aim (return what was consumed, approve what was requested, stand on
the exact boundary of an interval) and miss on purpose, and it can predict sequence numbers for `expect` and `seq`.

    python3 generate.py --seed 7 --commands 2000 --program JANGBU   prints the stream, for a ledger of `JANGBU init LEDGER --invoice-from none`
    python3 generate.py --seed 7 --commands 2000 --stats            its shares of acceptance by the model alone"""

import argparse
import collections
import json
import os
import random
import subprocess
import tempfile

import form
from model import Ledger
from moment import DAY, HOUR, LEDGER_OFFSET, MINUTE, SECOND, day_of, day_text, instant_text, parse_instant, start_of

INIT_OPTIONS = ["--invoice-from", "none"]  # of the ledger that a stream is for: it knows no invoices
INIT_EVENTS = 8       # of the model alone: ledger_created and seven policies
MOST_LIVE_WALLETS = 6
START = parse_instant("2026-10-01T09:00:00+09:00")

_WEIGHTS = {
    "consume": 24, "charge": 14, "consume_reverse": 13, "grant": 9, "activate": 8, "revoke": 1.5,
    "charge_reverse": 6, "debt_repay": 4, "refund_request": 8, "refund_approve": 7, "refund_complete": 1.5,
    "refund_fail": 3, "refund_cancel": 1, "refund_reject": 1, "state": 5, "create": 2, "rename": 1,
    "delete": 1, "policy": 2, "day_close": 3, "group": 5, "repeat": 6, "malformed": 2,
}
# Weights of the clock's steps: standing still, microseconds, minutes, hours, to a boundary, a day or two, more days.
_PACES = [[40, 20, 30, 7, 2, 0.5, 0.05], [25, 20, 30, 17, 6, 1.5, 0.2], [20, 15, 20, 25, 13, 6, 1]]
_IN_GROUPS = [name for name in _WEIGHTS if name not in ("day_close", "group", "repeat", "malformed")]


class Generator:
    WEIGHTS = _WEIGHTS
    IN_GROUPS = _IN_GROUPS

    def __init__(self, seed, init_events=INIT_EVENTS):
        self.rng = random.Random(seed)
        self.ledger = Ledger(init_events)
        self.now = START + self.rng.randrange(DAY)
        self.keyed = []           # commands with a key that the ledger may know
        self.next_key = 1
        self.draining = None      # the wallet that is being emptied for its deletion
        self.pace = self.rng.choice(_PACES)
        self.max_wallets = self.rng.randint(2, MOST_LIVE_WALLETS)

    # ---- one line

    def next(self):
        """(text, expected result); an empty line has no result: None."""
        if not self.ledger.wallets:
            command = self._decorate(self._create(None))
        else:
            self._tick()
            command = self._choose()
        text = command if isinstance(command, str) else self._text(command)
        result = self.ledger.apply_line(text)
        if isinstance(command, dict) and "key" in command and worth_repeating(result):
            self.keyed.append(command)
        return text, result

    def _text(self, command):
        items = list(command.items())
        if self._chance(0.3):
            self.rng.shuffle(items)
        return json.dumps(dict(items), ensure_ascii=self._chance(0.5))

    def _chance(self, share):
        return self.rng.random() < share

    # ---- clock

    def _tick(self):
        """Mixes standing still, tiny steps, jumps to just around midnight and the end of the grace, and days."""
        kind = self.rng.choices(["still", "tiny", "short", "hours", "boundary", "day", "days"], self.pace)[0]
        if kind == "still":
            step = 0
        elif kind == "tiny":
            step = self.rng.randint(1, 5)
        elif kind == "short":
            step = self.rng.randrange(1, 6 * MINUTE)
        elif kind == "hours":
            step = self.rng.randrange(MINUTE, 90 * MINUTE)
        elif kind == "boundary":
            step = self._to_boundary()
        elif kind == "day":
            step = self.rng.randrange(HOUR, 2 * DAY)
        else:
            step = self.rng.randrange(DAY, 8 * DAY)
        self.now += step

    def _to_boundary(self):
        midnight = start_of(day_of(self.now) + 1)
        grace = self.ledger.policy("day_close_grace", self.now) * SECOND
        target = midnight + self.rng.choice([0, 0, grace, grace, HOUR]) + self.rng.choice([-1, 0, 0, 1])
        return max(0, target - self.now)

    # ---- choosing

    def _choose(self):
        if self.draining and self._chance(0.4):
            step = self._drain_step()
            if step:
                return self._decorate(step)
        name = self.rng.choices(list(self.WEIGHTS), list(self.WEIGHTS.values()))[0]
        if name == "group":
            return self._group()
        if name == "repeat" and self.keyed:
            return self._repeat()
        if name == "malformed":
            return self._malformed()
        return self._aimed(name if name != "repeat" else "consume")

    def _aimed(self, name):
        """Most commands get further tries when they would be refused, so that the share of accepted ones stays high."""
        tries = self.rng.choice([1, 1, 3, 4, 5])
        for _ in range(tries):
            command = self._decorate(self._build(name))
            if self._would_pass(command):
                break
        return command

    def _would_pass(self, command):
        try:
            return self.ledger.dry(command)["ok"]
        except form.Malformed:
            return False

    def _build(self, name):
        if name == "policy":
            return self._policy()
        if name == "day_close":
            return self._day_close()
        if name == "create":
            return self._create(None)
        wallet = self._wallet()
        if wallet.state.status in ("OFF", "SUSPENDED") and wallet is not self.draining and self._chance(0.35):
            name = "state"
        return getattr(self, "_" + name)(wallet)

    def _wallet(self):
        live = [w for w in self.ledger.wallets.values() if w.state.status != "DELETED"]
        if not live or self._chance(0.02):
            return self.rng.choice(list(self.ledger.wallets.values()))
        return self.rng.choice(live)

    def _group(self):
        """Groups of members that pass together, of members picked blindly, and of both."""
        members, careful = [], self._chance(0.65)
        for _ in range(self.rng.choice([1, 2, 2, 3, 3, 4, 6])):
            for _ in range(3):
                member = self._member()
                trial = {"op": "atomic", "commands": members + [member], "clock": instant_text(self.now)}
                if not careful or self._would_pass(trial):
                    members.append(member)
                    break
        if not members:
            members = [self._member()]
        command = {"op": "atomic", "commands": members, "clock": instant_text(self.now)}
        if self._chance(0.1):
            command["at"] = instant_text(self.now - self.rng.randrange(5 * MINUTE))
        if self._chance(0.6):
            command["key"] = self._new_key()
        return command

    def _member(self):
        name = self.rng.choices(self.IN_GROUPS, [self.WEIGHTS[n] for n in self.IN_GROUPS])[0]
        if name == "policy":
            return {"op": "policy.set", "policy": "min_charge", "value": self.rng.choice([0, 5, 1000])}
        member = self._build(name)
        if member["op"] in form.BUSINESS_TIME and self._chance(0.2):
            member["at"] = self._instant(self._past(member))
        self._add_expect(member, 0.05)
        return member

    # ---- what every command may carry

    def _new_key(self):
        self.next_key += 1
        return f"k{self.next_key}"

    def _instant(self, instant):
        """One instant, many spellings."""
        text = instant_text(instant, self.rng.choice([LEDGER_OFFSET, LEDGER_OFFSET, 0, -7 * HOUR]))
        if text.endswith("+00:00") and self._chance(0.5):
            text = text[:-6] + "Z"
        if ".000000" in text and self._chance(0.5):
            text = text.replace(".000000", "")
        return text

    def _decorate(self, command):
        command = dict(command)
        self._add_time(command)
        self._add_expect(command, 0.08)
        if self._chance(0.45):
            command["key"] = self._new_key()
        if self._chance(0.05):
            command["actor"] = {"id": self.rng.choice(["op1", "op2"]), "role": "OPERATOR"}
        if self._chance(0.03):
            command["note"] = self.rng.choice(["메모", "a note"])
        return command

    def _add_time(self, command):
        if command["op"] in form.BUSINESS_TIME and self._chance(0.4):
            command["at"] = self._instant(self._past(command))
        elif self._chance(0.06):
            command["at"] = self._instant(self._near())
        if "at" not in command and self._chance(0.15):
            command["at"] = self._instant(self.now)  # `at` is the clock, too
            return
        clock = self.now
        if self._chance(0.02):
            clock -= self.rng.choice([1, MINUTE, 5 * MINUTE, 5 * MINUTE + 1, DAY])
        command["clock"] = self._instant(clock)

    def _near(self):
        tolerance = self.ledger.policy("clock_tolerance", self.now) * SECOND
        edges = [-tolerance, tolerance, 0]
        back = self.ledger.policy("at_back_max", self.now)
        if back < 366:
            edges.append(-back * DAY)
        edge = self.rng.choice(edges)
        return self.now + edge + self.rng.choice([-1, 0, 0, 1])

    def _past(self, command):
        """An `at` for a command with a business time: boundaries of the wallet, or some time ago."""
        dice = self.rng.random()
        wallet = self.ledger.wallets.get(command["wallet"])
        if dice < 0.2 or wallet is None:
            return self._near()
        if dice < 0.65:
            return min(self.now, self.rng.choice(self._boundaries(wallet)) + self.rng.choice([-1, 0, 0, 1, MINUTE]))
        return self.now - self.rng.choice([self.rng.randrange(HOUR), self.rng.randrange(HOUR),
                                           self.rng.randrange(DAY), self.rng.randrange(3 * DAY)])

    def _boundaries(self, wallet):
        """Where an answer may change: transitions, activations, last returns, midnights."""
        state = wallet.state
        found = [at for at, _ in state.transitions[-6:]] + [start_of(day_of(self.now)), self.ledger.last_recorded]
        for grant in state.grants[-4:]:
            found += [at for at in (grant.activated_at, grant.returned_at) if at is not None]
        return found

    def _add_expect(self, command, share):
        if "wallet" not in command or not self._chance(share):
            return
        wallet = self.ledger.wallets.get(command["wallet"])
        right = wallet.state.version if wallet else 0
        command["expect"] = self.rng.choice([right, right, right, right + 1, max(0, right - 1), 0])

    # ---- money commands of a wallet

    def _amount(self, near=None):
        """Tiny ones, sometimes around a figure that matters, rarely enormous."""
        dice = self.rng.random()
        if near and dice < 0.4:
            return max(1, near + self.rng.choice([-1, 0, 0, 1]))
        if dice < 0.992:
            return self.rng.choice([1, 2, 3, 4, 5, 7, 9, 12, 20, 50, self.rng.randint(1, 60)])
        return self.rng.choice([10**12, form.LIMIT - 1, form.LIMIT, form.LIMIT // 2])

    def _id(self, letter, known):
        """A new id, mostly; else one that is there."""
        if known and self._chance(0.06):
            return self.rng.choice(known)
        return f"{letter}{len(known) + 1}"

    def _known(self, letter, known):
        """One that is there, mostly, newer ones rather."""
        if not known or self._chance(0.03):
            return f"{letter}none"
        return self.rng.choice(known[-6:] if self._chance(0.7) else known)

    def _charge(self, wallet):
        charges = [lot.charge for lot in wallet.state.lots if lot.charge]
        command = {"op": "charge", "wallet": wallet.id, "charge": self._id("C", charges),
                   "amount": self._amount(wallet.state.debt)}
        if self._chance(0.4):
            command["method"] = self.rng.choice(
                ["CREDIT_CARD", "VIRTUAL_ACCOUNT", "KAKAOPAY_CARD", "ADMIN_CASH", "ADV_RET_CASH", "CREDIT_CARD_REGULAR"])
            if self._chance(0.4):
                command["amount"] = self.rng.choice([999, 1000, 1001, 5000])
        if self._chance(0.1):
            command["txn_ref"] = f"tx{self.rng.randrange(8)}"
            if self._chance(0.8):
                command["pg"] = self.rng.choice(["tosspayments", "inicis"])
        return command

    def _charge_reverse(self, wallet):
        charge = self._known("C", [lot.charge for lot in wallet.state.lots if lot.charge])
        lot = wallet.state.lot_of(charge)
        return {"op": "charge.reverse", "wallet": wallet.id, "charge": charge,
                "amount": self._amount(lot and self.rng.choice([lot.capacity, lot.remaining]))}

    def _debt_repay(self, wallet):
        return {"op": "debt.repay", "wallet": wallet.id, "amount": self._amount(wallet.state.debt)}

    def _consume(self, wallet):
        state = wallet.state
        free = state.free(day_of(self.now))
        near = self.rng.choice([max(state.paid, 0), free, free + max(state.paid, 0)])
        command = {"op": "consume", "wallet": wallet.id, "usage": f"U{self.rng.randint(1, 12)}",
                   "amount": self._amount(near)}
        if self._chance(0.45):
            command["overdraft"] = self._chance(0.85)
        return command

    def _consume_reverse(self, wallet):
        command = {"op": "consume.reverse", "wallet": wallet.id}
        open_ones = [c for c in wallet.state.consumptions if c.returned < c.amount]
        if not open_ones or self._chance(0.06):
            command.update(usage=f"U{self.rng.randint(1, 14)}", amount=self._amount())
            return command
        consumption = self.rng.choice(open_ones[-5:] if self._chance(0.7) else open_ones)
        names = self.rng.choice([("seq",), ("seq",), ("usage",), ("usage", "seq")])
        if "seq" in names:
            command["seq"] = consumption.seq if self._chance(0.97) else max(1, consumption.seq - 1)
        if "usage" in names:
            command["usage"] = consumption.usage if self._chance(0.97) else "U1"
        command["amount"] = self._amount(consumption.amount - consumption.returned)
        return command

    # ---- free cash

    def _grant(self, wallet):
        days = self.rng.choice([0, 0, 0, 1, 1, 1, 2, 3, 5, 9, 400, -1])
        command = {"op": "free.grant", "wallet": wallet.id,
                   "grant": self._id("G", [g.id for g in wallet.state.grants]), "amount": self._amount(),
                   "expires_on": day_text(day_of(self.now) + days)}
        if self._chance(0.2):
            command["origin"] = self.rng.choice(["PROMOTION", "EVENT", "UNSENT_SIMPLE", "OPERATOR"])
        return command

    def _with_grant(self, op, wallet):
        dormant = [g.id for g in wallet.state.grants if g.state == "DORMANT"]
        known = dormant if dormant and self._chance(0.85) else [g.id for g in wallet.state.grants]
        return {"op": op, "wallet": wallet.id, "grant": self._known("G", known)}

    def _activate(self, wallet):
        return self._with_grant("free.activate", wallet)

    def _revoke(self, wallet):
        return self._with_grant("free.revoke", wallet)

    # ---- refunds

    def _refund_request(self, wallet):
        command = {"op": "refund.request", "wallet": wallet.id, "refund": self._id("R", list(wallet.state.refunds))}
        if self._chance(0.6):
            command["amount"] = self._amount(wallet.state.refundable)
        return command

    def _with_refund(self, op, wallet, state):
        fitting = [r.id for r in wallet.state.refunds.values() if r.state == state]
        known = fitting if fitting and self._chance(0.9) else list(wallet.state.refunds)
        return {"op": op, "wallet": wallet.id, "refund": self._known("R", known)}

    def _refund_approve(self, wallet):
        return self._with_refund("refund.approve", wallet, "REQUESTED")

    def _refund_reject(self, wallet):
        return self._with_refund("refund.reject", wallet, "REQUESTED")

    def _refund_cancel(self, wallet):
        return self._with_refund("refund.cancel", wallet, "REQUESTED")

    def _refund_complete(self, wallet):
        return self._with_refund("refund.complete", wallet, "APPROVED")

    def _refund_fail(self, wallet):
        return self._with_refund("refund.fail", wallet, "APPROVED")

    # ---- states, wallets

    def _state(self, wallet):
        good = {"ACTIVE": ["wallet.off", "wallet.suspend"], "OFF": ["wallet.on", "wallet.on", "wallet.suspend"],
                "SUSPENDED": ["wallet.lift"]}
        ops = good.get(wallet.state.status, [])
        if not ops or self._chance(0.1):
            ops = ["wallet.off", "wallet.on", "wallet.suspend", "wallet.lift"]
        return {"op": self.rng.choice(ops), "wallet": wallet.id}

    def _create(self, _):
        wallets = self.ledger.wallets
        live = sum(1 for w in wallets.values() if w.state.status != "DELETED")
        if wallets and (live >= self.max_wallets or self._chance(0.1)):
            wallet_id = self.rng.choice(list(wallets))
        else:
            wallet_id = f"W{len(wallets) + 1}"
        return {"op": "wallet.create", "wallet": wallet_id, "name": self.rng.choice(["월렛", "ads"]),
                "kind": self.rng.choice(["PERSONAL", "BUSINESS", "OVERSEAS"])}

    def _rename(self, wallet):
        if self._chance(0.1):
            return {"op": "wallet.rename", "wallet": "Wnone", "name": "nobody"}
        return {"op": "wallet.rename", "wallet": wallet.id, "name": self.rng.choice(["새 이름", "ads 2"])}

    def _delete(self, wallet):
        if self.draining is None and self._chance(0.5):
            self.draining = wallet
        return {"op": "wallet.delete", "wallet": wallet.id}

    def _drain_step(self):
        """The next step towards the deletion of the wallet that is being emptied; None when it is gone."""
        wallet, state = self.draining, self.draining.state
        if state.status == "DELETED":
            self.draining = None
            return None
        named = {"wallet": wallet.id}
        for refund in state.refunds.values():
            if refund.state == "APPROVED":
                return {"op": "refund.complete", "refund": refund.id, **named}
            if refund.state == "REQUESTED":
                return {"op": self.rng.choice(["refund.approve", "refund.cancel"]), "refund": refund.id, **named}
        if state.paid > 0:
            return {"op": "refund.request", "refund": self._id("R", list(state.refunds)), **named}
        if state.paid < 0:
            return {"op": "debt.repay", "amount": min(state.debt, form.LIMIT), **named}
        if state.status == "SUSPENDED":
            return {"op": "wallet.lift", **named}
        if state.status == "ACTIVE":
            return {"op": "wallet.off", **named}
        return {"op": "wallet.delete", **named}

    # ---- ledger

    def _policy(self):
        policy, values = self.rng.choice([
            ("min_charge", [0, 5, 1000, 1000]), ("day_close", ["auto", "auto", "auto", "manual"]),
            ("day_close_grace", [0, 1, 600, 600, 3600, 90000]), ("grants_max", [1024, 1024, 3]),
            ("clock_tolerance", [300, 300, 300, 60]), ("at_back_max", [366, 366, 1, 2])])
        command = {"op": "policy.set", "policy": policy, "value": self.rng.choice(values)}
        if self._chance(0.3):
            command["from"] = self._instant(
                self.now + self.rng.choice([-DAY, -1, 0, 0, 1, HOUR, HOUR, start_of(day_of(self.now) + 1) - self.now]))
        return command

    def _day_close(self):
        """A closed, the first open, a past, or a future day; never one before the ledger's first: no rule for it."""
        first, today = self.ledger.first_open, day_of(self.now)
        known = list(self.ledger.closed)
        days = [first, max(first, today - 1), max(first, today - 1), self.rng.randint(first, today), today, today + 1]
        if known:
            days += [known[0], known[-1], self.rng.choice(known)]
        command = {"op": "day.close", "day": day_text(self.rng.choice(days))}
        if self._chance(0.1):
            command["force"] = self._chance(0.5)
        return command

    # ---- repeated keys

    def _repeat(self):
        """The same key again: the same content by meaning, or another."""
        command = json.loads(json.dumps(self.rng.choice(self.keyed[-40:] if self._chance(0.7) else self.keyed)))
        change = self.rng.choice(["none", "none", "none", "clock", "clock", "expect", "actor", "at", "note", "member"])
        if change == "clock" and "clock" in command:
            command["clock"] = self._instant(self.now)
        elif change == "expect" and "wallet" in command:
            command["expect"] = self.rng.choice([0, 1, 5])
        elif change == "actor":
            command["actor"] = {"id": "op9", "role": "OPERATOR"}
        elif change == "at":
            self._change_at(command)
        elif change == "note":
            command["note"] = "another note"
        elif change == "member":
            self._change_member(command)
        return command

    def _change_at(self, command):
        if "at" not in command:
            command["at"] = self._instant(parse_instant(command["clock"]))
        elif self._chance(0.5):
            command["at"] = self._instant(parse_instant(command["at"]))  # another spelling only: no conflict
        else:
            command["at"] = self._instant(parse_instant(command["at"]) + 1)

    def _change_member(self, command):
        if "amount" in command:
            command["amount"] = command["amount"] % form.LIMIT + 1
        elif "name" in command:
            command["name"] += "2"
        elif "commands" in command:
            command["commands"] = command["commands"] + command["commands"][:1]
        elif "overdraft" not in command and command["op"] == "consume":
            command["overdraft"] = False  # absent is not false

    # ---- lines that are no commands

    def _malformed(self):
        """One fault at a time: which of two is named is left open."""
        command = self._decorate(self._build(self.rng.choice(["consume", "charge", "grant"])))
        if self.keyed and self._chance(0.3):
            command["key"] = self.rng.choice(self.keyed)["key"]  # a malformed line never meets its key
        fault = self.rng.choice(["amount", "amount", "amount", "field", "op", "missing", "id", "time", "cut", "empty",
                                 "type", "group"])
        if fault == "amount":
            command["amount"] = self.rng.choice([0, -1, -5, 1.5, "5", form.LIMIT + 1, 2**63, None, True])
        elif fault == "field":
            command["colour"] = "blue"
        elif fault == "op":
            command["op"] = "charge.twice"
        elif fault == "missing":
            del command["wallet"]
            command.pop("expect", None)
        elif fault == "id":
            command["wallet"] = self.rng.choice(["", "W 1", "W" * 65, "W\t1", 7])
        elif fault == "time":
            command["at"] = self.rng.choice(["2026-10-01", "2026-13-01T00:00:00+09:00", "2026-10-01T09:00:00", 5])
        elif fault == "type":
            command["note"] = 5
        elif fault == "cut":
            return json.dumps(command)[:-self.rng.randint(1, 20)]
        elif fault == "empty":
            return ""
        elif fault == "group":
            members = self.rng.choice([[], [{"op": "day.close", "day": "2026-10-01"}], [{"op": "nothing"}],
                                       [{"op": "atomic", "commands": []}]])
            return {"op": "atomic", "commands": members, "clock": instant_text(self.now)}
        return command


def worth_repeating(result):
    """Remembered, or refused without a trace because of the clock, so that its key is still free."""
    return result["ok"] or "seq" in result or result["code"] == "CLOCK_BEHIND"


def init_events(program, *options):
    """How many events the program's `init` writes, so that the numbers of those behind them can be said in advance: it is tried."""
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "ledger")
        subprocess.run([program, "init", ledger, *options], check=True, stdout=subprocess.DEVNULL)
        return json.loads(subprocess.run([program, "stat", ledger, "--json"], check=True, capture_output=True).stdout)["events"]


def arguments_of(parser):
    """What all streams take. One that is printed is for a program's ledger."""
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=2000)
    parser.add_argument("--stats", action="store_true", help="shares of acceptance per op instead of the stream")
    parser.add_argument("--program", help="jangbu, whose `init` makes the ledger that the stream is for")
    arguments = parser.parse_args()
    if not arguments.stats and arguments.program is None:
        parser.error("--program is missing: a stream names events by their numbers, which begin behind those of `init`")
    return arguments


def stream(seed, commands, init_events=INIT_EVENTS):
    """Yields the lines of a stream of its own for each seed."""
    generator = Generator(seed, init_events)
    for _ in range(commands):
        yield generator.next()[0]


def print_shares(generator, commands):
    """Of each op how many there were, and how many of them were accepted; and how often each code."""
    shares, codes = collections.defaultdict(lambda: [0, 0]), collections.Counter()
    for _ in range(commands):
        text, result = generator.next()
        if result is None:
            continue
        try:
            op = json.loads(text).get("op", "?")
        except ValueError:
            op = "?"
        for name in (op, "all"):
            shares[name][0] += 1
            shares[name][1] += result["ok"]
        codes[result.get("code", "duplicate" if result.get("duplicate") else "ok")] += 1
    for name, (count, accepted) in sorted(shares.items()):
        print(f"{name:18} {count:7} {100 * accepted / count:6.1f} %")
    print(", ".join(f"{code} {count}" for code, count in codes.most_common()))


def _print_stats(seed, commands):
    generator = Generator(seed)
    print_shares(generator, commands)
    closings = sum(1 for e in generator.ledger.events if e.type == "day_closed")
    print(f"{len(generator.ledger.events)} events, {closings} days closed, {len(generator.ledger.wallets)} wallets")


def main():
    parser = argparse.ArgumentParser(description="random command streams")
    arguments = arguments_of(parser)
    if arguments.stats:
        _print_stats(arguments.seed, arguments.commands)
        return
    for line in stream(arguments.seed, arguments.commands, init_events(arguments.program, *INIT_OPTIONS)):
        print(line)


if __name__ == "__main__":
    main()
