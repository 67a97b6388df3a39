"""The answers about who: `who`, `may`, `channel`, `biz`, `can-delete`, as of any sequence number, folded from the events."""

import fold
import who
from figures import Unknown
from moment import day_of, instant_text

# What a state of the wallet allows, where not all do.
_STATES = {"charge": ("ACTIVE", "OFF"), "charge:admin": ("ACTIVE", "OFF"), "charge:auto": ("ACTIVE", "OFF"),
           "consume": ("ACTIVE",), "wallet.off": ("ACTIVE",), "wallet.on": ("OFF",),
           "wallet.suspend": ("ACTIVE", "OFF"), "wallet.lift": ("SUSPENDED",)}
_BUSINESS_ONLY = ("biz.request", "invoice.email")

# The rows of one wallet, with a member that the op needs to be judged as it would be.
_MAY = [row for row in who.MATRIX if row not in (
    "wallet.create", "channel.create", "channel.create:business", "policy.set", "role.give", "role.take", "day.close",
    "biz.request:channel", "manager.add", "manager.remove", "channel.transfer", "channel.close", "channel.search_id",
    "channel.mail_order", "sales.request", "member.accept", "member.leave")]


class WhoReading:
    """Beside figures.Reading: the world as of sequence number S, at t = recorded_at(S)."""

    def __init__(self, reading):
        self.reading = reading
        self.now = reading.at
        self.world = who.World(reading.events)

    def _state(self, wallet):
        return fold.fold(self.reading.events_of(wallet))

    def _as_of(self):
        return {"seq": self.reading.seq, "at": instant_text(self.reading.at)}

    def who(self, wallet):
        self.reading.events_of(wallet)
        master, right = self.world.master(wallet), self.world.right(wallet)
        return {"wallet": wallet, "master": None if master is None else {"id": master},
                "members": sorted(self.world.members_of(wallet)),
                "invited": {p: instant_text(t) for p, t in sorted(self.world.invited_to(wallet, self.now).items())},
                "channels": sorted(self.world.channels_of(wallet)),
                "agency": None if right is None else right.what, "as_of": self._as_of()}

    def channel(self, channel):
        if channel not in self.world.channels:
            raise Unknown(channel)
        found = self.world.channels[channel]
        return {"channel": channel, "kind": found.kind, "search_id": found.search_id, "mail_order": found.mail_order,
                "wallet": self.world.wallet_of(channel), "biz": self.world.number(("channel", channel)),
                "staff": dict(sorted(self.world.staff_of(channel).items())), "as_of": self._as_of()}

    def biz(self, holder):
        """What is shown of a wallet or channel: the newest approval of its number, whoever asked for it."""
        if holder[0] == "wallet":
            self.reading.events_of(holder[1])
        number = self.world.number(holder)
        seq, record = self.world.approval(number)
        pending = self.world.open_biz.get(holder)
        shown = None
        if record is not None:
            shown = {"number": number, "approved": seq,
                     **dict(zip(("biz_name", "representative", "address"), record))}
        history = [seq for seq, _ in self.world.approvals.get(number, ())]
        return {"number": number, "record": shown, "pending": pending and pending.seq, "history": history,
                "as_of": self._as_of()}

    def may(self, wallet, actor, channel=None):
        """{row: True, ROLE, STATE or KIND}"""
        state = self._state(wallet)
        trusted = [e.body["value"] for e in self.reading.events
                   if e.type == "policy_set" and e.body.get("policy") == "roles"]
        looked_at = trusted[-1] if trusted else self.reading.ledger.roles_at_first
        return {"ops": {row: self._may(row, wallet, state, actor, channel, looked_at) for row in _MAY}}

    def _may(self, row, wallet, state, actor, channel, looked_at):
        command = {"op": row.split(":")[0], "wallet": wallet}
        if channel is not None:
            command["channel"] = channel
        if looked_at and self._role(row, command, actor) is None:
            return "ROLE"
        if state.status not in _STATES.get(row, (state.status,)):
            return "STATE"
        kind = self.world.kinds[wallet]
        if row in _BUSINESS_ONLY and kind != "BUSINESS":
            return "KIND"
        if row == "master.transfer" and kind == "PERSONAL" and self.world.master(wallet) is not None:
            return "KIND"
        return True

    def _role(self, row, command, actor):
        had = self.world.roles_at(actor, command, self.now, self.now)
        for role in had:
            mark = who.MATRIX[row].get(role)
            if mark == "x" or (mark == "b" and {"MASTER", "CHANNEL_MASTER"} <= set(had)):
                return role
        return None

    def can_delete(self, wallet):
        """All conditions; of an unmet one its figure, and what to do."""
        state = self._state(wallet)
        unmet = dict(who.delete_conditions(self.world, wallet, state))
        today = day_of(self.now)
        forfeits = sum(g.remaining for g in state.grants if g.unfinished and g.expires_on >= today)
        rows = [{"name": name, "ok": name not in unmet, "figure": unmet.get(name),
                 "remedy": remedy(name, state) if name in unmet else None} for name in who.CONDITIONS]
        return {"wallet": wallet, "can_delete": not unmet, "conditions": rows, "forfeits": forfeits, "as_of": self._as_of()}


def remedy(name, state):
    """The op that is to come first."""
    if name == "not_off":
        return "wallet.lift" if state.status == "SUSPENDED" else "wallet.off"
    if name == "paid_not_zero":
        if state.paid > 0:
            return "refund.request"
        return "debt.repay" if state.status == "SUSPENDED" else "charge"
    if name == "refund_outstanding":
        requested = any(refund.state == "REQUESTED" for refund in state.refunds.values())
        return "refund.cancel" if requested else "refund.complete"
    return {"sales_right": "sales.release", "postpaid": "wallet.settlement"}[name]


def ask(ledger, words):
    """A question as scenarios write it."""
    import figures
    reading = figures.Reading(ledger, len(ledger.events))
    reader = WhoReading(reading)
    verb, about, *rest = words
    options = dict(zip(rest[::2], rest[1::2]))
    if verb == "balance":
        return reading.balance(about)
    if verb == "may":
        return reader.may(about, options["--actor"], options.get("--channel"))
    if verb == "biz":
        return reader.biz(("wallet", about))
    if verb in ("who", "channel", "can-delete"):
        return getattr(reader, verb.replace("-", "_"))(about)
    return None
