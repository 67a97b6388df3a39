"""Random command streams with tax invoices, from a seed: some two years of a few wallets, in steps of hours and days, with
business information that changes, usage that comes late over a month's end, returns of old usage, documents that are
confirmed, refused and corrected, and commands that clumsy and hostile people give.

    python3 generate_papers.py --seed 7 --commands 2000 [--mode trust|enforce] [--since all|later|none] [--stats]"""

import argparse
import collections

import generate
import generate_who
import papers
from generate_who import WhoGenerator
from model import Ledger
from moment import DAY, HOUR, MINUTE, SECOND, day_of, instant_text, start_of

SINCE = ["all", "all", "all", "later", "none"]   # what invoice_from is at the beginning
NOT_MONTHS = ["2026-13", "2026-00", "202610", "2026-1", "0000-01", "", 202610, None, "2026-10-01"]

_WEIGHTS = {
    "consume": 22, "charge": 9, "consume_reverse": 12, "grant": 3, "activate": 3, "revoke": 0.5, "charge_reverse": 1.5,
    "debt_repay": 2, "refund_request": 1.5, "refund_approve": 1.5, "refund_complete": 1, "refund_fail": 0.5,
    "state": 1.5, "create": 1, "delete": 1, "policy": 2, "day_close": 2, "group": 4, "repeat": 5, "malformed": 1.5,
    "biz_request": 4, "biz_answer": 5, "email": 1.5, "role": 0.5, "channel_create": 0.5, "connect": 0.5, "settlement": 0.5,
    "issue": 20, "confirm": 14, "fail": 5, "mail": 3, "correct": 7, "notice": 3, "give_all_back": 2,
}
_IN_GROUPS = [name for name in _WEIGHTS if name not in ("day_close", "group", "repeat", "malformed", "role")]
# Weights of the clock's steps, as in generate.py: a month in some 150 commands, in 80, in 40.
_PACES = [[26, 8, 24, 26, 6, 6, 0.5], [22, 6, 22, 24, 9, 12, 1.5], [18, 5, 20, 18, 12, 18, 6]]


class PapersGenerator(WhoGenerator):
    WEIGHTS = _WEIGHTS
    IN_GROUPS = _IN_GROUPS

    def __init__(self, seed, mode="trust", since=None, init_events=None):
        super().__init__(seed, mode, init_events)
        self.pace = self.rng.choice(_PACES)
        self.since = self.rng.choice(SINCE) if since is None else since
        begin = papers.month_of(day_of(self.now))
        month = {"all": papers.ALL_MONTHS, "none": None, "later": papers.next_month(begin)}[self.since]
        count = len(self.ledger.events) + (1 + (month is not None) if init_events is None else 0)  # the rules' number, too
        self.ledger = Ledger(count, generate_who.OPERATOR if mode == "enforce" else None, month)

    @property
    def init_option(self):
        """What `init --invoice-from` says; None: it is left out."""
        month = self.ledger.invoice_from_at_first
        return None if month == papers.ALL_MONTHS else "none" if month is None else papers.month_text(month)

    # ---- choosing

    def _choose(self):
        """New wallets get their business information soon."""
        for wallet in self.ledger.wallets.values():
            if self._lacks_business(wallet) and self._chance(0.12):
                request = self.world.open_biz.get(("wallet", wallet.id))
                if request is None:
                    return self._decorate({**self._who_biz_request(), "wallet": wallet.id})
                return self._decorate({"op": "biz.approve", "wallet": wallet.id, "seq": request.seq})
        if self._two_days_open() and self._chance(0.4):
            return self._aimed(self.rng.choice(["consume", "consume_reverse", "consume_reverse"]))
        return super()._choose()

    def _two_days_open(self):
        """Posting days go to and fro between yesterday and today."""
        return self.ledger.first_open is not None and self.ledger.first_open < day_of(self.now)

    def _lacks_business(self, wallet):
        """But for each fourth, whose months end without it."""
        return (wallet.number % 4 != 3 and self.world.kinds[wallet.id] == "BUSINESS" and wallet.state.status != "DELETED"
                and self.world.number(("wallet", wallet.id)) is None)

    def _holder(self, good=None):
        """Wallets, mostly."""
        found = super()._holder(good)
        return found if "wallet" in found or self._chance(0.2) else {"wallet": self._wallet_id()}

    def _to_boundary(self):
        """To the end of a month, its grace, and the days on which something becomes due."""
        if self._chance(0.75):
            return super()._to_boundary()
        month = papers.next_month(papers.month_of(day_of(self.now)))
        begin = start_of(papers.first_day(month))
        grace = self.ledger.policy("day_close_grace", self.now) * 10**6
        target = begin + self.rng.choice([0, 0, grace, grace, 5 * MINUTE, HOUR, 2 * DAY, 2 * DAY + grace, 9 * DAY, -SECOND, -4 * MINUTE])
        return max(0, target + self.rng.choice([-1, 0, 0, 1]) - self.now)

    def _past(self, command):
        """Over the end of a month: this one's beginning, an earlier one's, and in the middle of them."""
        if not self._chance(0.45):
            return super()._past(command)
        month = papers.month_of(day_of(self.now))
        behind = start_of(papers.first_day(papers.next_month(month)))
        if behind - self.now < 5 * MINUTE and self._chance(0.7):
            return behind + self.rng.choice([-1, 0, 0, 1, SECOND])  # ahead of the clock
        for _ in range(self.rng.choice([0, 0, 0, 1, 1, 2, 3, 11])):
            month = month - 1 if month % 100 > 1 else (month // 100 - 1) * 100 + 12
        edge = start_of(papers.first_day(month))
        step = self.rng.choice([-1, -1, 0, 1, -MINUTE, MINUTE, -self.rng.randrange(9 * DAY)])
        return min(self.now, edge + step)

    def _create(self, _):
        command = super()._create(None)
        if not self.ledger.wallets or self._chance(0.6):
            command["kind"] = "BUSINESS"
        return command

    def _build(self, name):
        if all(w.state.status == "DELETED" for w in self.ledger.wallets.values()):
            name = "create"
        return super()._build(name)

    # ---- documents

    def _business_wallet(self, good=None):
        """With what is looked for, mostly; deleted ones, too."""
        wallets = [w for w in self.ledger.wallets.values() if self.world.kinds[w.id] == "BUSINESS"]
        fitting = [w for w in wallets if good is not None and good(papers.Papers(w.events))]
        if fitting and self._chance(0.92):
            return self.rng.choice(fitting)
        return self.rng.choice(wallets) if wallets and self._chance(0.9) else self._wallet()

    def _open_months(self, found):
        return found.open_months(self.ledger.policy("invoice_from", self.now) or papers.ALL_MONTHS)

    def _who_issue(self):
        wallet = self._business_wallet(self._open_months)
        found, this_month = papers.Papers(wallet.events), papers.month_of(day_of(self.now))
        open_months = [month for month in self._open_months(found) if month < this_month or self._chance(0.1)]
        if open_months and self._chance(0.9):
            month = self.rng.choice([open_months[0], open_months[-1], self.rng.choice(open_months)])
        else:
            month = self.rng.choice([this_month, papers.next_month(this_month), 202609, this_month - 1 or this_month])
            month = month if 1 <= month % 100 <= 12 else this_month
        command = {"op": "invoice.issue", "wallet": wallet.id, "month": papers.month_text(month)}
        if found.net(month) == 0 and self._chance(0.6):
            command["reason"] = "RESCINDED"
        elif self._chance(0.06):
            command["reason"] = self.rng.choice([*papers.CHANGES, *papers.CHANGES, *papers.CORRECTIONS])
        return command

    def _documents(self, good):
        return lambda found: [d for d in found.documents.values() if good(d)]

    def _with_invoice(self, op, good):
        wallet = self._business_wallet(self._documents(good))
        mine = papers.Papers(wallet.events).documents
        fitting = [d.number for d in mine.values() if good(d)]
        if fitting and self._chance(0.93):
            number = self.rng.choice(fitting)
        else:
            count = sum(1 for e in self.ledger.events if e.type == "invoice_issued")
            number = self.rng.choice([*mine, 0, count + 1, self.rng.randint(1, count + 1)])
        return {"op": op, "wallet": wallet.id, "invoice": number}

    def _who_confirm(self):
        command = self._with_invoice("invoice.confirm", lambda d: d.state == "ISSUED")
        if self._chance(0.5):
            command["approve_no"] = f"{command['invoice']:024d}"
        return command

    def _who_fail(self):
        command = self._with_invoice("invoice.fail", lambda d: d.state == "ISSUED")
        return {**command, "why": self.rng.choice(papers.WHY)}

    def _who_mail(self):
        command = self._with_invoice("invoice.mail", lambda d: True)
        return {**command, "result": self.rng.choice(["SENT", "SENT", "BOUNCED"])}

    def _who_correct(self):
        command = self._with_invoice("invoice.correct", lambda d: d.state == "CONFIRMED" and d.kind != "NEGATIVE")
        command["reason"] = self.rng.choice(["ENTRY_ERROR"] * 6 + ["ISSUED_TWICE"] * 4 + ["AMOUNT_CHANGED", "RESCINDED"][:self._chance(0.3) + 1])
        if self._chance(0.3):
            command["ref"] = "20261001-41000000-00000001"
        return command

    def _notice(self, wallet):
        unfinished = [g.id for g in wallet.state.grants if g.unfinished]
        known = unfinished if unfinished and self._chance(0.9) else [g.id for g in wallet.state.grants]
        return {"op": "notice.send", "wallet": wallet.id, "grant": self._known("G", known)}

    def _grant(self, wallet):
        command = super()._grant(wallet)
        if self._chance(0.5):
            days = self.rng.choice([7, 29, 30, 31, 45, 90, 200])
            command["expires_on"] = instant_text(start_of(day_of(self.now) + days))[:10]
        return command

    def _consume(self, wallet):
        """Where much was consumed little more is returned; amounts around the steps of the VAT."""
        command = super()._consume(wallet)
        if self._chance(0.3):
            command["amount"] = self.rng.choice([1, 5, 6, 11, 16, 17, 110, 99_999])
        if self._chance(0.7):
            command["overdraft"] = True
        return command

    def _who_give_all_back(self):
        """What is left of a consumption, so that now and then nothing of a month is left."""
        open_ones = [(w, c) for w in self.ledger.wallets.values() for c in w.state.consumptions if c.returned < c.amount]
        if not open_ones:
            return self._build("consume")
        wallet, consumption = self.rng.choice(open_ones)
        return {"op": "consume.reverse", "wallet": wallet.id, "seq": consumption.seq, "amount": consumption.amount - consumption.returned}

    # ---- the way to a deletion

    def _drain_step(self):
        wallet = self.draining
        since = self.ledger.policy("invoice_from", self.now)
        step = super()._drain_step()
        if step is None or step["op"] != "wallet.delete" or since is None:
            return step
        found = papers.Papers(wallet.events)
        for document in found.documents.values():
            if document.state == "ISSUED":
                return {"op": "invoice.confirm", "wallet": wallet.id, "invoice": document.number}
        for first in [first for month in found.months(since) for first in found.firsts(month)]:
            if found.gap(first.number):
                return {"op": "invoice.correct", "wallet": wallet.id, "invoice": first.number, "reason": "ENTRY_ERROR"}
        closed = [month for month in found.open_months(since) if papers.last_day(month) < day_of(self.now)]
        if closed and self.world.kinds[wallet.id] == "BUSINESS":
            return {"op": "invoice.issue", "wallet": wallet.id, "month": papers.month_text(closed[0])}
        return step

    # ---- ledger

    def _policy(self):
        dice = self.rng.random()
        if dice < 0.3:
            return super()._policy()
        if dice < 0.55:
            this_month = papers.month_of(day_of(self.now))
            later = papers.next_month(this_month)
            return {"op": "policy.set", "policy": "invoice_from",
                    "value": self._month_value(self.rng.choice([this_month, later, later, papers.next_month(later), 202610]))}
        policy, values = self.rng.choice([("vat_rate", [10, 10, 0, 5, 11])] * 3 + [("invoice_day", [3, 3, 1, 10]),
                                          ("notice_days", [30, 30, 0, 7]), ("receipt_tax", [0, 1, 2])])
        command = {"op": "policy.set", "policy": policy, "value": self.rng.choice(values)}
        if policy == "vat_rate" and self._chance(0.6):
            month = papers.next_month(papers.month_of(day_of(self.now)))
            command["from"] = self._instant(start_of(papers.first_day(month)) + self.rng.choice([-1, 0, 0, 1]))
        return command

    def _month_value(self, month):
        return papers.month_text(month) if self._chance(0.7) else month

    # ---- lines that are no commands

    def _malformed(self):
        if self._chance(0.5):
            return super()._malformed()
        command = self.rng.choice([
            {"op": "invoice.issue", "wallet": "W1", "month": self.rng.choice(NOT_MONTHS)},
            {"op": "invoice.issue", "wallet": "W1"},
            {"op": "invoice.issue", "month": "2026-10"},
            {"op": "invoice.issue", "wallet": "W1", "month": "2026-10", "reason": "because"},
            {"op": "invoice.issue", "wallet": "W1", "month": "2026-10", "amount": 5},
            {"op": "invoice.correct", "wallet": "W1", "invoice": 1},
            {"op": "invoice.correct", "wallet": "W1", "invoice": 1, "reason": "entry error"},
            {"op": "invoice.correct", "wallet": "W1", "invoice": -1, "reason": "ENTRY_ERROR"},
            {"op": "invoice.confirm", "wallet": "W1", "invoice": self.rng.choice([-1, "1", 1.5, True, None])},
            {"op": "invoice.fail", "wallet": "W1", "invoice": 1},
            {"op": "invoice.fail", "wallet": "W1", "invoice": 1, "why": "SENT"},
            {"op": "invoice.mail", "wallet": "W1", "invoice": 1, "result": "LOST"},
            {"op": "notice.send", "wallet": "W1"},
            {"op": "policy.set", "policy": "invoice_from", "value": self.rng.choice([202613, 202600, 5, -1, "", None, "x"])},
            {"op": "policy.set", "policy": "invoice_from", "value": "2030-01", "from": instant_text(self.now + HOUR)},
            {"op": "policy.set", "policy": "receipt_tax", "value": 3},
        ])
        return {**command, "clock": instant_text(self.now), "actor": {"id": "op1"}}


def stream(seed, commands, mode="trust", since=None, init_events=None):
    generator = PapersGenerator(seed, mode, since, init_events)
    for _ in range(commands):
        yield generator.next()[0]


def _print_stats(seed, commands, mode, since):
    generator = PapersGenerator(seed, mode, since)
    generate.print_shares(generator, commands)
    types = collections.Counter(e.type for e in generator.ledger.events)
    print(", ".join(f"{name} {count}" for name, count in types.most_common()))
    kinds = collections.Counter((e.body["kind"], e.body["reason"]) for e in generator.ledger.events if e.type == "invoice_issued")
    print(kinds, generator.since, "until", instant_text(generator.now))


def main():
    parser = argparse.ArgumentParser(description="random command streams with tax invoices")
    parser.add_argument("--mode", choices=generate_who.MODES, default="trust")
    parser.add_argument("--since", choices=["all", "later", "none"], help="invoice_from at the beginning; else by the seed")
    arguments = generate.arguments_of(parser)
    if arguments.stats:
        _print_stats(arguments.seed, arguments.commands, arguments.mode, arguments.since)
        return
    since = PapersGenerator(arguments.seed, arguments.mode, arguments.since).init_option
    options = [o for o in generate_who.init_options(arguments.mode) if o not in generate.INIT_OPTIONS] + (["--invoice-from", since] if since else [])
    count = generate.init_events(arguments.program, *options)
    for line in stream(arguments.seed, arguments.commands, arguments.mode, arguments.since, count):
        print(line)


if __name__ == "__main__":
    main()
