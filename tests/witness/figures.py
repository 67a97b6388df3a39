"""Every figure that is read: summed from plain lists of events, as of (sequence number S, time t).

Three independent ways lead to a wallet's total: the fold of its state (fold.py), the columns of its
day rows, and d(e), the effect of each event. `explain` needs all three, or its rest would prove nothing."""

from collections import defaultdict
from dataclasses import dataclass, field

import fold
from moment import day_of, day_text, instant_text

FLOWS = ["charged", "charge_reversed", "free_activated", "consumed_paid", "consumed_free", "returned",
         "refunded", "refund_failed", "debt_repaid", "expired", "forfeited"]
# How a column moves the total. consumed_paid includes debt, expired includes what lapsed on its return.
_SIGN = {"charged": 1, "charge_reversed": -1, "free_activated": 1, "consumed_paid": -1, "consumed_free": -1,
         "returned": 1, "refunded": -1, "refund_failed": 1, "debt_repaid": 1, "expired": -1, "forfeited": -1}
_HELD = ["held", "released", "held_returned", "closing_held"]  # of money that is not taken yet
_DORMANT = ["dormant_granted", "dormant_expired", "dormant_revoked"]


class Unknown(Exception):
    """What cannot be known is an error, never 0 and never an empty list."""


@dataclass
class Movement:
    """What one event moves. `flows` are the row's columns; the rest are signed sums."""
    flows: dict = field(default_factory=dict)
    paid: int = 0
    free: int = 0
    dormant: int = 0
    transit: int = 0
    wallets: int = 0
    dormant_flows: dict = field(default_factory=dict)
    papers: dict = field(default_factory=dict)


def _parts(event, word, *targets):
    return sum(part["amount"] for part in event.body["parts"] if part[word] in targets)


def _consumed(event):
    free = _parts(event, "from", "free")
    money = _parts(event, "from", "paid", "debt")
    return Movement({"consumed_free": free, "consumed_paid": money}, paid=-money, free=-free)


def _returned(event):
    free, lapsed = _parts(event, "to", "free"), _parts(event, "to", "lapsed")
    money = _parts(event, "to", "paid", "debt")
    return Movement({"returned": free + lapsed + money, "expired": lapsed}, paid=money, free=free)


def _activated(event):
    amount = event.body["amount"]
    return Movement({"free_activated": amount}, free=amount, dormant=-amount)


def _granted(event):
    amount = event.body["amount"]
    return Movement(dormant=amount, dormant_flows={"dormant_granted": amount})


def _ended(column, dormant_column):
    def movement(event):
        amount = event.body["amount"]
        if event.body["in_use"]:
            return Movement({column: amount}, free=-amount)
        return Movement(dormant=-amount, dormant_flows={dormant_column: amount})
    return movement


def _approved(event):
    amount = event.body["amount"]
    return Movement({"refunded": amount}, paid=-amount, transit=amount)


def _failed(event):
    amount = _parts(event, "to", "paid", "debt")  # 0 where it failed at approval
    return Movement({"refund_failed": amount}, paid=amount, transit=-amount)


def _money(column, sign):
    return lambda event: Movement({column: event.body["amount"]}, paid=sign * event.body["amount"])


def _invoiced(sign):
    return lambda event: Movement(papers={"invoiced": sign * event.body["total"], "invoiced_vat": sign * event.body["vat"]})


_MOVEMENTS = {
    "invoice_issued": _invoiced(1),
    "invoice_failed": _invoiced(-1),
    "wallet_created": lambda event: Movement(wallets=1),
    "wallet_deleted": lambda event: Movement(wallets=-1),
    "charge_settled": _money("charged", 1),
    "charge_reversed": _money("charge_reversed", -1),
    "debt_repaid": _money("debt_repaid", 1),
    "free_granted": _granted,
    "free_activated": _activated,
    "free_revoked": _ended(None, "dormant_revoked"),
    "free_expired": _ended("expired", "dormant_expired"),
    "free_forfeited": _ended("forfeited", "dormant_forfeited"),
    "cash_consumed": _consumed,
    "consumption_reversed": _returned,
    "refund_approved": _approved,
    "refund_completed": lambda event: Movement(transit=-event.body["amount"]),
    "refund_failed": _failed,
}


def movement(event):
    make = _MOVEMENTS.get(event.type)
    return make(event) if make else Movement()


# ---- control totals of a day

def day_totals(events, day, before=None):
    """The control totals of `day` over all wallets, from the events posted to it and the totals of the day
    before (None: nothing was before)."""
    totals = dict.fromkeys(FLOWS + _DORMANT + _HELD + ["invoiced", "invoiced_vat"], 0)
    sums = {name: before[name] if before else 0
            for name in ("closing_paid", "closing_free", "closing_dormant", "refunds_in_transit", "wallets")}
    for event in events:
        if event.type not in _MOVEMENTS:
            continue
        moved = movement(event)
        for flows in (moved.flows, moved.dormant_flows, moved.papers):
            for name, amount in flows.items():
                if name in totals:
                    totals[name] += amount
        sums["closing_paid"] += moved.paid
        sums["closing_free"] += moved.free
        sums["closing_dormant"] += moved.dormant
        sums["refunds_in_transit"] += moved.transit
        sums["wallets"] += moved.wallets
    return {**totals, **sums, "events_posted": len(events)}


# ---- rows

def day_rows(events, day_of_event):
    """All days with any event, in order, with closings; `day_of_event` chooses the view."""
    by_day = defaultdict(list)
    for event in events:
        by_day[day_of_event(event)].append(event)
    rows, paid, free = [], 0, 0
    for day in sorted(by_day):
        row = dict.fromkeys(FLOWS, 0)
        for event in by_day[day]:
            if event.type not in _MOVEMENTS:
                continue
            moved = movement(event)
            for name, amount in moved.flows.items():
                row[name] += amount
            paid += moved.paid
            free += moved.free
        rows.append({"day": day, **row, "closing_total": paid + free, "closing_paid": paid, "closing_free": free})
    return rows


def posted_on(event):
    return event.posted_on


def known_on(event):
    return event.known_on


def total_by_columns(rows):
    return sum(_SIGN[name] * row[name] for row in rows for name in FLOWS)


def _shown(rows):
    return [{**row, "day": day_text(row["day"])} for row in rows if any(row[name] for name in FLOWS)]


# ---- explain

_CAUSE = {"charge_settled": "charged", "charge_reversed": "charge_reversed", "debt_repaid": "debt_repaid",
          "free_activated": "free_activated", "cash_consumed": "consumed", "consumption_reversed": "returned",
          "free_expired": "expired", "free_forfeited": "forfeited", "refund_approved": "refunded",
          "refund_failed": "refund_failed"}


def effect(event):
    """d(e) of docs/rules.md section 6, on paid cash plus all grants in use."""
    body = event.body
    if event.type in ("charge_settled", "debt_repaid", "free_activated"):
        return body["amount"]
    if event.type in ("charge_reversed", "cash_consumed", "refund_approved"):
        return -body["amount"]
    if event.type == "consumption_reversed":
        return body["amount"] - sum(p["amount"] for p in body["parts"] if p["to"] == "lapsed")
    if event.type in ("free_expired", "free_forfeited") and body["in_use"]:
        return -body["amount"]
    if event.type == "refund_failed" and body["parts"]:
        return body["amount"]
    return 0


def causes_after(events, closed_through):
    """{(cause, late): [amount, [seq, ...]]} of the events posted after the last closed day."""
    cells = {}
    for event in events:
        if (closed_through is None or event.posted_on > closed_through) and effect(event):
            cell = cells.setdefault((_CAUSE[event.type], event.late), [0, []])
            cell[0] += effect(event)
            cell[1].append(event.seq)
    return cells


# ---- reads

# What a wallet has several of, and the members of a row that are compared; whether it is open follows them in Reading's.
LISTS = {"lots": ("charge", "amount", "left", "reversed", "refunded"), "grants": ("grant", "amount", "left", "state", "due"),
         "refunds": ("refund", "amount", "state")}


class Reading:
    """The ledger as of sequence number S, at t = recorded_at(S)."""

    def __init__(self, ledger, seq):
        self.seq = seq
        self.ledger = ledger
        self.at = ledger.events[seq - 1].recorded_at
        if self.at is None:
            raise Unknown("before the first command")
        self.today = day_of(self.at)
        self.events = ledger.events[:seq]

    def wallets(self):
        return [e.wallet for e in self.events if e.type == "wallet_created"]

    def closed_through(self):
        days = [e.body["day"] for e in self.events if e.type == "day_closed"]
        return days[-1] if days else None

    def events_of(self, wallet):
        events = [e for e in self.ledger.wallet_events(wallet) if e.seq <= self.seq]
        if not events:
            raise Unknown(wallet)
        return events

    def _as_of(self):
        return {"seq": self.seq, "at": instant_text(self.at)}

    def balance(self, wallet):
        state = fold.fold(self.events_of(wallet))
        free = state.free(self.today)
        return {
            "wallet": wallet, "status": state.status, "paid": state.paid, "free": free,
            "free_dormant": state.dormant(self.today), "total": state.paid + free,
            "refundable": state.refundable, "refund_pending": state.refunds_in("REQUESTED"),
            "refund_in_transit": state.refunds_in("APPROVED"), "debt": max(0, -state.paid),
            "version": state.version, "as_of": self._as_of()}

    def rows_posted(self, wallet):
        """Published rows only: through the last closed day."""
        through = self.closed_through()
        rows = day_rows(self.events_of(wallet), posted_on)
        return [row for row in rows if through is not None and row["day"] <= through]

    def cash_status(self, wallet, view="posted"):
        if view == "posted":
            return {"wallet": wallet, "through": day_text(self.closed_through()),
                    "rows": _shown(self.rows_posted(wallet))}
        return {"wallet": wallet, "rows": _shown(day_rows(self.events_of(wallet), known_on))}

    def lots(self, wallet):
        """(charge, amount, left, reversed, refunded, open) of each."""
        return [(lot.charge, lot.amount, lot.remaining, lot.reversed, lot.refunded, lot.remaining > 0)
                for lot in fold.fold(self.events_of(wallet)).lots]

    def grants(self, wallet):
        """(grant, amount, left, state, due, open) of each."""
        rows = []
        for g in fold.fold(self.events_of(wallet)).grants:
            over = g.expires_on < self.today
            rows.append((g.id, g.amount, g.remaining, g.state, g.unfinished and over, g.unfinished and not over))
        return rows

    def refunds(self, wallet):
        """(refund, amount, state, open) of each."""
        return [(r.id, r.amount, r.state, r.state in ("REQUESTED", "APPROVED"))
                for r in fold.fold(self.events_of(wallet)).refunds.values()]

    def explain(self, wallet):
        events = self.events_of(wallet)
        state = fold.fold(events)
        total_now = state.paid + state.free(self.today)
        published = total_by_columns(self.rows_posted(wallet))
        cells = causes_after(events, self.closed_through())
        due = state.expiry_due(self.today)
        if due:
            cells["expiry_due", False] = [-due, []]
        difference = total_now - published
        return {
            "wallet": wallet, "total_now": total_now, "cash_status_total": published,
            "through": day_text(self.closed_through()), "difference": difference,
            "causes": [{"cause": cause, "late": late, "amount": amount, "events": seqs}
                       for (cause, late), (amount, seqs) in sorted(cells.items())],
            "outside": [{"what": "free_dormant", "amount": state.dormant(self.today)},
                        {"what": "refund_in_transit", "amount": state.refunds_in("APPROVED")},
                        {"what": "deposit_held", "amount": 0}],
            "rest": difference - sum(amount for amount, _ in cells.values()),
            "as_of": self._as_of()}


def log_line(event):
    return {"seq": event.seq, "type": event.type, "wallet": event.wallet,
            "recorded_at": instant_text(event.recorded_at), "occurred_at": instant_text(event.occurred_at),
            "posted_on": day_text(event.posted_on)}
