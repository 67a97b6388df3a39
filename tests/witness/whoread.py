"""The answers about who: `who`, `may`, `channel`, `biz`, `can-delete`, folded from the events."""

import fold
import form
import papersread
import who
from figures import Unknown
from model import OF_DELETED
from moment import day_of, instant_text

# What a state of the wallet allows, where not all do.
_STATES = {"charge": ("ACTIVE", "OFF"), "charge:admin": ("ACTIVE", "OFF"), "charge:auto": ("ACTIVE", "OFF"),
           "consume": ("ACTIVE",), "wallet.off": ("ACTIVE",), "wallet.on": ("OFF",),
           "wallet.suspend": ("ACTIVE", "OFF"), "wallet.lift": ("SUSPENDED",)}


def _of_wallet(row):
    op = row.split(":")[0]
    if op == "forget":
        return False
    if op.startswith("biz."):
        return row != "biz.request:channel"
    return "wallet" in form.FIELDS[op][0].split() and op != "wallet.create"


def _of_channel(row):
    """Those that name a channel, where one is named; what is asked of business information is the wallet's, but for one row."""
    op = row.split(":")[0]
    if op == "forget" or op.startswith("biz."):
        return row == "biz.request:channel"
    return op != "channel.create" and any("channel" in fields.split() for fields in form.FIELDS[op][:2])


class WhoReading:
    """Beside figures.Reading: the world as of sequence number S, and what time it is then."""

    def __init__(self, reading):
        self.reading = reading
        self.now = reading.at
        self.world = who.World(reading.events)

    def _state(self, wallet):
        return fold.fold(self.reading.events_of(wallet))

    def _as_of(self):
        return {"seq": self.reading.seq, "at": instant_text(self.now)}

    def who(self, wallet):
        state = self._state(wallet)
        right, (word, limit) = self.world.right(wallet), self.world.settlement(wallet)
        return {"wallet": wallet, "kind": self.world.kinds[wallet], "status": state.status, "settlement": word, "limit": limit,
                "master": self.world.master(wallet), "agency": None if right is None else right.what,
                "email": self.world.emails.get(wallet),
                "members": sorted([person] for person in self.world.members_of(wallet)),
                "invited": sorted([p, instant_text(until)] for p, until in self.world.invited_to(wallet, self.now).items()),
                "channels": sorted(self.world.channels_of(wallet)), "as_of": self._as_of()}

    def channel(self, channel):
        if channel not in self.world.channels:
            raise Unknown(channel)
        found = self.world.channels[channel]
        return {"channel": channel, "kind": found.kind, "search_id": found.search_id, "mail_order": found.mail_order,
                "wallet": self.world.wallet_of(channel), "biz": self.world.number(("channel", channel)),
                "staff": sorted([p, role] for p, role in self.world.staff_of(channel).items()), "as_of": self._as_of()}

    def biz(self, named):
        """What is shown of a wallet or channel: the newest approval of its number, whoever asked for it."""
        (of, name), = named.items()
        if of == "wallet":
            self.reading.events_of(name)
        elif name not in self.world.channels:
            raise Unknown(name)
        number = self.world.number((of, name))
        seq, record = self.world.approval(number)
        pending = self.world.open_biz.get((of, name))
        return {"number": number, "record": record and {"number": number, "approved": seq, **_record(record)},
                "pending": pending and {
                    "number": pending.biz, "request": pending.seq, "base": pending.base,
                    "stale": pending.base != self.world.approval(pending.biz)[0], **_record(pending.record)},
                "history": [e.seq for e in reversed(self.reading.events) if e.body.get("holder") == (of, name)],
                "as_of": self._as_of()}

    def may(self, wallet, actor, channel=None):
        """{row: True, ROLE, STATE or KIND}"""
        state = self._state(wallet)
        set_to = [e.body["value"] for e in self.reading.events if e.type == "policy_set" and e.body.get("policy") == "roles"]
        looked_at = set_to[-1] if set_to else self.reading.ledger.roles_at_first
        named = {} if channel is None else {"channel": channel}
        roles = self.world.roles_at(actor, {"op": "may", "wallet": wallet, **named}, self.now, self.now)
        return {"wallet": wallet, "channel": channel, "roles": roles, "as_of": self._as_of(),
                "ops": {row: self._may(row, wallet, state, actor, channel, looked_at) for row in who.MATRIX}}

    def _may(self, row, wallet, state, actor, channel, looked_at):
        if _of_wallet(row) and state.status == "DELETED" and row not in OF_DELETED:
            return "STATE"  # before anybody's role is looked at
        if looked_at and not self._carries(row, wallet, actor, channel):
            return "ROLE"
        if _of_wallet(row) and state.status not in _STATES.get(row, (state.status,)):
            return "STATE"
        if channel is not None and _of_channel(row) and self.world.channels[channel].closed is not None:
            return "STATE"
        return True if self._is_of_kind(row, wallet, channel) else "KIND"

    def _is_of_kind(self, row, wallet, channel):
        kind = self.world.kinds[wallet]
        basic = channel is not None and self.world.channels[channel].kind == "BASIC"
        if row == "biz.request" or row.startswith("invoice."):
            return kind == "BUSINESS"
        if row == "master.transfer":
            return kind != "PERSONAL" or self.world.master(wallet) is None
        if row == "channel.connect":
            return kind != "BUSINESS" or not basic
        return row not in ("channel.transfer", "channel.mail_order") or not basic

    def _carries(self, row, wallet, actor, channel):
        """As if the person that the command names were the actor himself."""
        request = self.world.open_biz.get(("wallet", wallet))
        if row == "biz.approve" and request is not None and request.by == actor:
            return False
        if row == "sales.request":  # for whatever agency he is with
            return any(who.now_of(spans) for (p, role, _), spans in self.world.roles.items() if (p, role) == (actor, "AGENCY"))
        named = {} if channel is None else {"channel": channel}
        command = {"op": row.split(":")[0], "wallet": wallet, "person": actor, **named}
        had = self.world.roles_at(actor, command, self.now, self.now)
        return any(role in had and (mark == "x" or {"MASTER", "CHANNEL_MASTER"} <= set(had))
                   for role, mark in who.MATRIX[row].items())

    def can_delete(self, wallet):
        """All conditions; of an unmet one its figure, and what to do."""
        state = self._state(wallet)
        won, papers_n, first_day = papersread.PapersReading(self.reading, self.now).uninvoiced(wallet)
        unmet = dict(who.delete_conditions(self.world, wallet, state, (won, papers_n)))
        today = day_of(self.now)
        forfeits = sum(g.remaining for g in state.grants if g.unfinished and g.expires_on >= today)
        rows = [] if state.status == "DELETED" else [
            {"name": name, "ok": name not in unmet, "figure": unmet.get(name),
             "remedy": remedy(name, state) if name in unmet else None} for name in who.CONDITIONS]
        if rows:
            rows[-1].update({"papers": papers_n, "from": first_day})
        return {"wallet": wallet, "can_delete": not unmet, "conditions": rows, "forfeits": forfeits, "as_of": self._as_of()}


def _record(record):
    return dict(zip(("biz_name", "representative", "address"), record))


def remedy(name, state):
    """The op that is to come first, how much of it, and who may."""
    amount = None
    if name == "not_off":
        op = "wallet.lift" if state.status == "SUSPENDED" else "wallet.off"
    elif name == "paid_not_zero":
        if state.refundable > 0:
            op, amount = "refund.request", state.refundable
        elif state.paid > 0:  # all of it is asked for already
            op, amount = "refund.approve", state.refunds_in("REQUESTED")
        else:
            op, amount = "debt.repay" if state.status == "SUSPENDED" else "charge", state.debt
    elif name == "refund_outstanding":
        requested = any(refund.state == "REQUESTED" for refund in state.refunds.values())
        op = "refund.cancel" if requested else "refund.complete"
    else:
        op = {"sales_right": "sales.release", "postpaid": "wallet.settlement", "uninvoiced": "invoice.issue"}[name]
    return {"op": op, "amount": amount,
            "who": [role for role in who.ROLES if any(role in marks for row, marks in who.MATRIX.items() if row.split(":")[0] == op)]}
