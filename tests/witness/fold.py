"""A wallet's state as the fold of its events, and nothing else.

`apply` believes what stands in the event (splits, parts, legs) and decides nothing."""

from dataclasses import dataclass, field

from moment import day_of


@dataclass
class Event:
    seq: int
    type: str
    wallet: str = None        # its id, None for events of the ledger
    recorded_at: int = None   # None: written by init
    occurred_at: int = None
    posted_on: int = None
    body: dict = field(default_factory=dict)
    actor: dict = None        # who did it, in which role; of a command's main event
    row: str = None           # of the table of permissions; likewise

    @property
    def late(self):
        return self.posted_on > day_of(self.occurred_at)

    @property
    def known_on(self):
        """The day of the row in the view "as known now"."""
        return None if self.recorded_at is None else min(day_of(self.occurred_at), day_of(self.recorded_at))


@dataclass
class Lot:
    """Paid cash by one charge or one repayment of debt."""
    number: int
    charge: str   # None for a repayment
    amount: int
    remaining: int
    reversed: int = 0
    refunded: int = 0

    @property
    def capacity(self):
        return self.amount - self.reversed - self.refunded


@dataclass
class Grant:
    number: int
    id: str
    amount: int
    remaining: int
    expires_on: int
    ended: str = None         # EXPIRED, REVOKED, FORFEITED
    activated_seq: int = None
    activated_at: int = None  # recorded
    returned_at: int = None   # when its last return was recorded
    consumed: int = 0         # net of returns, lapsed ones included
    lost: int = 0             # expired, lapsed, revoked, forfeited

    @property
    def active(self):
        return self.activated_seq is not None

    @property
    def state(self):
        if self.ended:
            return self.ended
        if not self.active:
            return "DORMANT"
        return "IN_USE" if self.remaining else "USED_UP"

    @property
    def unfinished(self):
        return self.state in ("DORMANT", "IN_USE")


@dataclass
class Consumption:
    seq: int
    usage: str
    amount: int
    parts: list
    returned: int = 0


@dataclass
class Refund:
    id: str
    amount: int
    state: str
    legs: list = field(default_factory=list)


@dataclass
class State:
    number: int = 0
    status: str = None
    before_suspension: str = None
    transitions: list = field(default_factory=list)  # (recorded_at, status), in order
    lots: list = field(default_factory=list)
    grants: list = field(default_factory=list)
    debt: int = 0
    consumptions: list = field(default_factory=list)
    refunds: dict = field(default_factory=dict)
    version: int = 0

    @property
    def paid(self):
        return sum(lot.remaining for lot in self.lots) - self.debt

    def free(self, day):
        return sum(g.remaining for g in self.grants if g.state == "IN_USE" and g.expires_on >= day)

    def dormant(self, day):
        return sum(g.remaining for g in self.grants if g.state == "DORMANT" and g.expires_on >= day)

    def expiry_due(self, day):
        """What is in use by the events, but past its deadline by the clock."""
        return sum(g.remaining for g in self.grants if g.state == "IN_USE" and g.expires_on < day)

    def refunds_in(self, state):
        return sum(r.amount for r in self.refunds.values() if r.state == state)

    @property
    def refundable(self):
        return max(0, self.paid - self.refunds_in("REQUESTED"))

    def lot_of(self, charge):
        return next((lot for lot in self.lots if lot.charge == charge), None)

    def grant_of(self, grant):
        return next((g for g in self.grants if g.id == grant), None)

    def status_at(self, instant):
        """None: the wallet was not there yet. Among equal instants the later transition holds."""
        for recorded_at, status in reversed(self.transitions):
            if recorded_at <= instant:
                return status
        return None


def _set_status(state, event, status):
    state.status = status
    state.transitions.append((event.recorded_at, status))


def _created(state, event):
    state.number = event.body["number"]
    _set_status(state, event, "ACTIVE")


def _suspended(state, event):
    state.before_suspension = state.status
    _set_status(state, event, "SUSPENDED")


def _charge_settled(state, event):
    body = event.body
    state.debt -= body["applied_to_debt"]
    state.lots.append(Lot(len(state.lots) + 1, body["charge"], body["amount"],
                          body["amount"] - body["applied_to_debt"]))


def _take(state, parts):
    for part in parts:
        if part["from"] == "free":
            grant = state.grants[part["grant_no"] - 1]
            grant.remaining -= part["amount"]
            grant.consumed += part["amount"]
        elif part["from"] == "paid":
            state.lots[part["lot"] - 1].remaining -= part["amount"]
        else:
            state.debt += part["amount"]


def _put_back(state, event):
    for part in event.body["parts"]:
        if part["to"] == "debt":
            state.debt -= part["amount"]
        elif part["to"] == "paid":
            state.lots[part["lot"] - 1].remaining += part["amount"]
        else:
            grant = state.grants[part["grant_no"] - 1]
            grant.consumed -= part["amount"]
            if part["to"] == "free":
                grant.remaining += part["amount"]
                grant.returned_at = event.recorded_at
            else:
                grant.lost += part["amount"]


def _charge_reversed(state, event):
    _take(state, event.body["parts"])
    state.lots[event.body["lot"] - 1].reversed += event.body["amount"]


def _debt_repaid(state, event):
    state.debt -= event.body["amount"]
    state.lots.append(Lot(len(state.lots) + 1, None, event.body["amount"], 0))


def _granted(state, event):
    body = event.body
    state.grants.append(Grant(len(state.grants) + 1, body["grant_id"], body["amount"], body["amount"],
                              body["expires_on"]))


def _activated(state, event):
    grant = state.grants[event.body["grant_no"] - 1]
    grant.activated_seq = event.seq
    grant.activated_at = event.recorded_at


def _grant_ended(how):
    def end(state, event):
        grant = state.grants[event.body["grant_no"] - 1]
        grant.remaining -= event.body["amount"]
        grant.lost += event.body["amount"]
        grant.ended = how
    return end


def _consumed(state, event):
    body = event.body
    _take(state, body["parts"])
    state.consumptions.append(Consumption(event.seq, body["usage"], body["amount"], body["parts"]))


def _consumption_reversed(state, event):
    _put_back(state, event)
    consumption = next(c for c in state.consumptions if c.seq == event.body["of"])
    consumption.returned += event.body["amount"]


def _refund_requested(state, event):
    body = event.body
    state.refunds[body["refund"]] = Refund(body["refund"], body["amount"], "REQUESTED")


def _refund_is(status):
    def change(state, event):
        state.refunds[event.body["refund"]].state = status
    return change


def _refund_approved(state, event):
    refund = state.refunds[event.body["refund"]]
    refund.state = "APPROVED"
    refund.legs = event.body["parts"]
    _take(state, refund.legs)
    for leg in refund.legs:
        state.lots[leg["lot"] - 1].refunded += leg["amount"]


def _refund_failed(state, event):
    refund = state.refunds[event.body["refund"]]
    refund.state = "FAILED"
    for leg in refund.legs:  # none where it failed at approval
        state.lots[leg["lot"] - 1].refunded -= leg["amount"]
    _put_back(state, event)


_HOW = {
    "wallet_created": _created,
    "wallet_renamed": lambda state, event: None,
    "wallet_turned_off": lambda state, event: _set_status(state, event, "OFF"),
    "wallet_turned_on": lambda state, event: _set_status(state, event, "ACTIVE"),
    "wallet_suspended": _suspended,
    "suspension_lifted": lambda state, event: _set_status(state, event, event.body["status"]),
    "wallet_deleted": lambda state, event: _set_status(state, event, "DELETED"),
    "charge_settled": _charge_settled,
    "charge_reversed": _charge_reversed,
    "debt_repaid": _debt_repaid,
    "free_granted": _granted,
    "free_activated": _activated,
    "free_revoked": _grant_ended("REVOKED"),
    "free_expired": _grant_ended("EXPIRED"),
    "free_forfeited": _grant_ended("FORFEITED"),
    "cash_consumed": _consumed,
    "consumption_reversed": _consumption_reversed,
    "refund_requested": _refund_requested,
    "refund_cancelled": _refund_is("CANCELLED"),
    "refund_rejected": _refund_is("REJECTED"),
    "refund_approved": _refund_approved,
    "refund_completed": _refund_is("COMPLETED"),
    "refund_failed": _refund_failed,
    **{name: lambda state, event: None for name in (  # see who.py
        "member_invited", "member_joined", "member_left", "master_transferred", "channel_connected",
        "channel_disconnected", "biz_requested", "biz_approved", "biz_refused", "invoice_email_set", "sales_requested",
        "sales_accepted", "sales_refused", "sales_released", "settlement_changed",
        "invoice_issued", "invoice_confirmed", "invoice_failed", "invoice_mailed", "notice_sent")},  # see papers.py
}


def apply(state, event):
    _HOW[event.type](state, event)
    state.version = event.seq


def fold(events):
    state = State()
    for event in events:
        apply(state, event)
    return state
