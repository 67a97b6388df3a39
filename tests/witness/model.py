"""A naive model of the ledger: plain lists of events, every figure folded or summed from them.

Written from the rules and docs/vocabulary.md, never from the C sources, so that it is a witness and not an echo.
`Ledger.apply_line(text)` gives the expected result of a line of `jangbu apply --clock=at`; figures.Reading gives the
expected answers of the queries as of any sequence number.

A state is cached per wallet and kept up by applying each new event; `check()` recomputes everything from the lists."""

import json

import figures
import fold
import form
import papers
import who
from moment import DAY, SECOND, day_of, day_text, instant_text, parse_day, parse_instant, start_of

ALWAYS = -10**18  # `from` of the policies that init writes
DEFAULT_POLICIES = {"min_charge": 1000, "day_close": "auto", "day_close_grace": 600, "grants_max": 1024,
                    "clock_tolerance": 300, "empty_days_max": 3660, "vat_rate": 10,  # of a KRW ledger
                    "at_back_max": 366,  # days; built in, as the rest
                    "roles": 0, "invite_days": 7, "members_max": 1000, "search_id_marks": 0,
                    "invoice_day": 3, "notice_days": 30, "receipt_tax": 0}

OF_DELETED = ("invoice.issue", "invoice.correct", "invoice.confirm", "invoice.fail", "invoice.mail")
PARTS_MAX = 262144  # of one event, but for a failed refund

# Where the rules are silent, the witness's choice; see README.md.
LIFT_RESTORES_OFF = True            # lifting a suspension leads back to the state before it
CLOSED_DAY_IS_DUPLICATE = True      # a day.close of a closed day is "an answer from memory"


class Any:
    """A member that must be there and whose value the rules leave open."""

    def __repr__(self):
        return "<any>"

    def __eq__(self, other):
        return isinstance(other, Any)

    def __deepcopy__(self, memo):
        return self


ANY = Any()


class Undecided(Exception):
    """The rules do not say; the generator stays away from it."""


class Refused(Exception):
    def __init__(self, code, **figures_):
        super().__init__(code)
        self.code = code
        self.figures = figures_


class Wallet:
    def __init__(self, wallet_id, number):
        self.id = wallet_id
        self.number = number
        self.events = []
        self._cached = None

    @property
    def state(self):
        if self._cached is None:
            self._cached = fold.fold(self.events)
        return self._cached

    def append(self, event):
        self.events.append(event)
        if self._cached is not None:
            fold.apply(self._cached, event)

    def pop(self):
        self.events.pop()
        self._cached = None


class Remembered:
    """What a key stands for: its content, its first result, and the event that has it."""

    def __init__(self, content, result, seq, presence):
        self.content = content
        self.presence = presence  # of personal text only that it was there
        self.result = result
        self.seq = seq


class Mark:
    """Where a command began, so that a refused one leaves nothing behind."""

    def __init__(self, ledger):
        self.events = len(ledger.events)
        self.first_open = ledger.first_open
        self.last_recorded = ledger.last_recorded
        self.world = ledger.world.mark()


class Ledger(who.Deciding, papers.Papering):
    Refused = Refused

    def __init__(self, init_events, operator=None, invoice_from=None):
        """With an operator it looks at roles from the beginning: `init --roles=enforce --operator ID`. `invoice_from`: the
        month of `init --invoice-from`, None of `none`."""
        self.events = [fold.Event(1, "ledger_created")]
        self.events += [fold.Event(seq, "policy_set") for seq in range(2, init_events + 1)]
        self.settings = [(name, ALWAYS, value) for name, value in DEFAULT_POLICIES.items()]
        self.settings.append(("invoice_from", ALWAYS, invoice_from))
        self.invoice_from_at_first = invoice_from
        if operator is not None:
            self.events[-2] = fold.Event(init_events - 1, "role_given",
                                         body={"person": operator, "role": "OPERATOR", "agency": None})
            self.settings.append(("roles", ALWAYS, 1))
        self.world = who.World(self.events)
        self.roles_at_first = int(operator is not None)
        self.sealed = operator is not None  # such an init makes a key for personal text
        self.actor = None        # of the command at work
        self.wallets = {}        # id -> Wallet, in order of creation
        self.posted = {}         # day -> its events
        self.closed = {}         # day -> its day_closed event
        self.keys = {}           # (caller, key) -> Remembered
        self.first_open = None
        self.last_recorded = None
        self.now = None          # recorded_at of the command at work
        self.clock = None        # its clock; behind `now` only for the way back from a jump
        self.written_by_closing = range(0)

    # ---- entry

    def apply_line(self, text, caller=""):
        """The expected result of one line; None for an empty one."""
        if not text.strip():
            return None
        try:
            command = json.loads(text)
        except ValueError:
            return {"ok": False, "code": "MALFORMED"}
        return self.apply(command, caller)

    def apply(self, command, caller=""):
        try:
            form.check(command)
        except form.Malformed as trouble:
            return {"ok": False, "code": trouble.code}
        result = self._answer(command, caller)
        if "key" in command:
            result["key"] = command["key"]
        return result

    def dry(self, command):
        """The verdict on a new command without writing; its sequence numbers are those that the real call would give."""
        form.check(command)
        if command["op"] == "day.close" and parse_day(command["day"]) in self.closed:
            return self._answer_closed_day(parse_day(command["day"]))
        clock = self._clock_of(command)
        if self._is_behind(command, clock):
            return {"ok": False, "code": "CLOCK_BEHIND"}
        mark = Mark(self)
        try:
            return self._perform(command, clock)
        except Refused as refusal:
            return {"ok": False, "code": refusal.code, **refusal.figures}
        finally:
            self._rollback(mark)

    def wallet_events(self, wallet):
        return self.wallets[wallet].events if wallet in self.wallets else []

    # ---- keys, clock, refusals

    def _answer(self, command, caller):
        name = (caller, command["key"]) if "key" in command else None
        known = self.keys.get(name)
        if known:
            return self._answer_from_memory(known, command)
        if command["op"] == "day.close" and parse_day(command["day"]) in self.closed:
            return self._answer_closed_day(parse_day(command["day"]))
        clock = self._clock_of(command)
        if self._is_behind(command, clock):
            return {"ok": False, "code": "CLOCK_BEHIND", "behind_us": self.last_recorded - clock,
                    "recorded_at": instant_text(self.last_recorded)}
        result = self._perform_or_refuse(command, clock, keyed=name is not None)
        if name:
            presence = self.sealed and not result["ok"]
            self.keys[name] = Remembered(form.content(command, presence), dict(result), len(self.events), presence)
        return result

    @staticmethod
    def _answer_from_memory(known, command):
        if known.content != form.content(command, known.presence):
            return {"ok": False, "code": "KEY_CONFLICT", "seq": known.seq}
        return {**known.result, "duplicate": True}

    def _answer_closed_day(self, day):
        result = {"ok": True, "seq": self.closed[day].seq, "day": day_text(day)}
        if CLOSED_DAY_IS_DUPLICATE:
            result["duplicate"] = True
        return result

    @staticmethod
    def _clock_of(command):
        """`--clock=at`: the line's `clock`, else its `at`."""
        return parse_instant(command.get("clock", command.get("at")))

    def _is_behind(self, command, clock):
        """The tolerance itself can be set by a clock that is behind: it is then recorded at the last time."""
        if (command["op"], command.get("policy")) == ("policy.set", "clock_tolerance"):
            return False
        return self.last_recorded is not None and clock < self.last_recorded

    def _perform_or_refuse(self, command, clock, keyed):
        mark = Mark(self)
        try:
            return self._perform(command, clock)
        except Refused as refusal:
            self._rollback(mark)
            result = {"ok": False, "code": refusal.code, **refusal.figures}
            if keyed:  # remembered for ever, so that a delayed duplicate can't succeed after a no
                event = self._emit("command_refused", None, {"code": refusal.code, "op": command["op"]})
                event.actor = command.get("actor")
                result.setdefault("seq", event.seq)  # a figure of that name goes before
            return result

    def _rollback(self, mark):
        while len(self.events) > mark.events:
            event = self.events.pop()
            self.posted[event.posted_on].pop()
            if event.wallet is not None:
                self.wallets[event.wallet].pop()
            if event.type == "wallet_created":
                del self.wallets[event.wallet]
            elif event.type == "policy_set":
                self.settings.pop()
            elif event.type == "day_closed":
                del self.closed[event.body["day"]]
        self.first_open = mark.first_open
        self.last_recorded = mark.last_recorded
        self.world.rollback(mark.world)

    # ---- one command

    def _perform(self, command, clock):
        """Writes an accepted command's events, or raises Refused (the caller rolls back)."""
        self.clock = clock
        self.now = clock if self.last_recorded is None else max(clock, self.last_recorded)
        self.written_by_closing = range(0)
        if command["op"] == "day.close":
            return self._close_by_command(command)
        before = len(self.events)
        self._close_due_days()
        self.written_by_closing = range(before + 1, len(self.events) + 1)
        if command["op"] == "atomic":
            return self._group(command)
        return self._one(command, command.get("at"), command.get("actor"))

    def _group(self, command):
        results = []
        for index, member in enumerate(command["commands"]):
            try:
                results.append(self._one(member, member.get("at", command.get("at")),
                                         member.get("actor", command.get("actor"))))
            except Refused as refusal:
                refusal.figures["index"] = index
                raise
        return {"ok": True, "seq": results[-1]["seq"], "results": results}

    def _one(self, command, at_text, actor):
        """In the order in which things are looked at: `at`, wallet, channel, role, expect, state, kind, ids, money."""
        op = command["op"]
        self.actor = actor
        at = self._check_at(op, at_text)
        occurred = at if op in form.BUSINESS_TIME and at is not None else self.now
        wallet = self._known_wallet(command)
        self._check_channel_known(command)
        role = self._check_role(command, actor, min(occurred, self.now))
        if op == "policy.set":
            event, members = self._policy_set(command)
        elif op == "wallet.create":
            event, members = self._wallet_create(command, actor, role)
        else:
            if wallet is not None:
                self._check_version(wallet, command)
                if wallet.state.status_at(min(occurred, self.now)) is None:
                    raise Refused("WALLET_UNKNOWN_THEN")
                self._write_due_expiries(wallet)
            decide = getattr(self, "_" + op.replace(".", "_"))
            event, members = decide(wallet, wallet and wallet.state, command, occurred)
        self._done_by(event, command, actor, role)
        if event.wallet is not None:
            members = {"wallet_version": event.seq, **members}
        return {"ok": True, "seq": event.seq, **members}

    @staticmethod
    def _done_by(event, command, actor, role):
        """A command's last event says who gave it, in the role that carried it."""
        event.actor = actor and {**actor, **({"role": role} if role else {})}
        event.row = who.row_of(command)

    def _check_at(self, op, at_text):
        at = parse_instant(at_text) if at_text is not None else None
        if at is None:
            return None
        tolerance = self.policy("clock_tolerance") * SECOND
        if at > self.clock + tolerance:
            raise Refused("AT_IN_FUTURE", now=instant_text(self.clock))
        if op not in form.BUSINESS_TIME and at < self.clock - tolerance:
            raise Refused("AT_NOT_ALLOWED", now=instant_text(self.clock))
        days = self.policy("at_back_max")
        if op in form.BUSINESS_TIME and at < self.clock - days * DAY:
            raise Refused("AT_TOO_OLD", now=instant_text(self.clock), days_max=days)
        return at

    @staticmethod
    def _check_parts(parts):
        if len(parts) > PARTS_MAX:
            raise Refused("TOO_MANY_PARTS", parts_max=PARTS_MAX, most=total(parts[:PARTS_MAX]))

    def _known_wallet(self, command):
        wallet = self.wallets.get(command.get("wallet"))
        if command["op"] == "wallet.create":
            if wallet is not None:
                raise Refused("WALLET_EXISTS")
            return None
        if "wallet" not in command:
            return None
        if wallet is None:
            raise Refused("WALLET_UNKNOWN")
        if wallet.state.status == "DELETED" and command["op"] not in OF_DELETED:
            raise Refused("WALLET_DELETED")
        return wallet

    def _check_version(self, wallet, command):
        version = self._version_for_expect(wallet)
        if command.get("expect", version) != version:
            raise Refused("EXPECT_MISMATCH", version=version)

    def _version_for_expect(self, wallet):
        """The version that a caller can know: expiries that closing days wrote for this command don't count."""
        return next(e.seq for e in reversed(wallet.events) if e.seq not in self.written_by_closing)

    def policy(self, name, instant=None):
        """The setting with the latest `from` not after the instant, among equal ones the later."""
        instant = self.now if instant is None else instant
        held = [(start, order, value) for order, (which, start, value) in enumerate(self.settings)
                if which == name and start <= instant]
        return max(held)[2]

    def _now_text(self):
        return instant_text(self.now)

    # ---- writing

    def _emit(self, type_, wallet, body, occurred=None):
        recorded = self.now
        occurred = recorded if occurred is None else occurred
        if self.first_open is None:
            self.first_open = day_of(recorded)
        posted = min(day_of(recorded), max(day_of(occurred), self.first_open))
        event = fold.Event(len(self.events) + 1, type_, wallet.id if wallet else None, recorded, occurred,
                           posted, body)
        self.events.append(event)
        self.posted.setdefault(posted, []).append(event)
        if wallet:
            wallet.append(event)
        self.world.apply(event)
        self.last_recorded = recorded
        return event

    def _expire(self, wallet, grant):
        self._emit("free_expired", wallet,
                   {"grant_no": grant.number, "amount": grant.remaining, "in_use": grant.active},
                   occurred=start_of(grant.expires_on + 1) - 1)

    @staticmethod
    def _due(wallet, last_day):
        return [grant for grant in wallet.state.grants if grant.unfinished and grant.expires_on <= last_day]

    def _write_due_expiries(self, wallet):
        due = self._due(wallet, day_of(self.now) - 1)
        for grant in sorted(due, key=lambda g: (g.expires_on, g.number)):
            self._expire(wallet, grant)

    # ---- days

    def _close_next_day(self):
        """Closes the first open day: its due expiries, then `day_closed`."""
        day = self.first_open
        due = [(grant.expires_on, wallet.number, grant.number, wallet, grant)
               for wallet in self.wallets.values() for grant in self._due(wallet, day)]
        for _, _, _, wallet, grant in sorted(due, key=lambda entry: entry[:3]):
            self._expire(wallet, grant)
        before = self.closed.get(day - 1)
        totals = figures.day_totals(self.posted.get(day, []), day, before and before.body["totals"])
        event = self._emit("day_closed", None, {"day": day, "totals": totals})
        self.closed[day] = event
        self.first_open = day + 1
        return event

    def _empty_days(self, days):
        return sum(1 for day in days if not self.posted.get(day))

    def _close_due_days(self):
        if self.first_open is None or self.policy("day_close") != "auto":
            return
        last_due = day_of(self.now - self.policy("day_close_grace") * SECOND) - 1
        days = range(self.first_open, last_due + 1)
        if self._empty_days(days) > self.policy("empty_days_max"):
            return
        for _ in days:
            self._close_next_day()

    def _close_by_command(self, command):
        self._check_at("day.close", command.get("at"))
        actor = command.get("actor")
        role = self._check_role(command, actor, self.now)
        day = parse_day(command["day"])
        today = day_of(self.now)
        first_open = today if self.first_open is None else self.first_open
        if day >= today:
            raise Refused("DAY_NOT_OVER", first_open_day=day_text(first_open))
        if day < first_open:
            raise Undecided("closing a day before the ledger's first one")
        empty = self._empty_days(range(first_open, day + 1))
        if empty > self.policy("empty_days_max") and not command.get("force"):
            raise Refused("TOO_MANY_DAYS", days=empty, empty_days_max=self.policy("empty_days_max"))
        while self.first_open <= day:
            event = self._close_next_day()
        self._done_by(event, command, actor, role)
        return {"ok": True, "seq": event.seq, "day": day_text(day)}

    # ---- commands without a wallet, and the one that makes it

    def _policy_set(self, command):
        start = parse_instant(command["from"]) if "from" in command else self.now
        if start < self.now:
            raise Refused("FROM_IN_PAST", now=instant_text(self.now))
        self._check_switch(command)
        self._check_invoice_from(command)
        value = papers.month_of_policy(command["value"]) if command["policy"] == "invoice_from" else command["value"]
        event = self._emit("policy_set", None, {"policy": command["policy"], "value": value, "from": start})
        self.settings.append((command["policy"], start, value))
        return event, {}

    def _wallet_create(self, command, actor, role):
        """A channel's master makes it for himself. Where roles count, somebody must be its master."""
        if command.get("expect", 0) != 0:
            raise Refused("EXPECT_MISMATCH", version=0)
        master = command.get("master")
        if self.policy("roles"):
            master = actor["id"] if role == "CHANNEL_MASTER" else master
        self._require_open(command)
        if "channel" in command and command["kind"] == "BUSINESS":
            self._require_channel_kind(command["channel"])
        if self.policy("roles") and master is None:
            raise Refused("MASTER_NEEDED")
        wallet = Wallet(command["wallet"], len(self.wallets) + 1)
        self.wallets[wallet.id] = wallet
        body = {"number": wallet.number, "kind": command["kind"], "master": master}
        return self._emit("wallet_created", wallet, body), {}

    # ---- states of a wallet. Each of the following gives (main event, members of the result).

    @staticmethod
    def _require_status(status, *good):
        if status not in good:
            raise Refused("WALLET_STATE", status=status, allows=ANY)

    def _wallet_rename(self, wallet, state, command, occurred):
        return self._emit("wallet_renamed", wallet, {}), {}

    def _wallet_off(self, wallet, state, command, occurred):
        self._require_status(state.status, "ACTIVE")
        return self._emit("wallet_turned_off", wallet, {}), {}

    def _wallet_on(self, wallet, state, command, occurred):
        self._require_status(state.status, "OFF")
        return self._emit("wallet_turned_on", wallet, {}), {}

    def _wallet_suspend(self, wallet, state, command, occurred):
        self._require_status(state.status, "ACTIVE", "OFF")
        return self._emit("wallet_suspended", wallet, {}), {}

    def _wallet_lift(self, wallet, state, command, occurred):
        self._require_status(state.status, "SUSPENDED")
        status = state.before_suspension if LIFT_RESTORES_OFF else "ACTIVE"
        return self._emit("suspension_lifted", wallet, {"status": status}), {}

    def _wallet_delete(self, wallet, state, command, occurred):
        unmet = dict(who.delete_conditions(self.world, wallet.id, state, self._uninvoiced(wallet)))
        if unmet:
            raise Refused("DELETE_CONDITIONS", conditions=unmet)
        forfeited = 0
        for grant in [g for g in state.grants if g.unfinished]:
            forfeited += grant.remaining
            self._emit("free_forfeited", wallet,
                       {"grant_no": grant.number, "amount": grant.remaining, "in_use": grant.active})
        return self._emit("wallet_deleted", wallet, {}), {"forfeited": forfeited}

    # ---- money in

    def _charge(self, wallet, state, command, occurred):
        amount = command["amount"]
        self._require_status(state.status, "ACTIVE", "OFF")
        self._check_channel_then(wallet, command, min(occurred, self.now))
        if state.lot_of(command["charge"]):
            raise Refused("ID_EXISTS")
        least = self.policy("min_charge")
        if command.get("method") in form.MIN_CHARGE_METHODS and amount < least:
            raise Refused("MIN_CHARGE", min_charge=least)
        if state.paid + state.refunds_in("APPROVED") + amount > form.LIMIT:
            raise Refused("AMOUNT_RANGE", limit=form.LIMIT)
        members = {"amount": amount, "applied_to_debt": min(state.debt, amount)}
        transaction = (command.get("pg"), command["txn_ref"]) if "txn_ref" in command else None
        before = [e.seq for e in self.events if e.type == "charge_settled" and e.body["transaction"] == transaction]
        body = {"charge": command["charge"], "transaction": transaction, "channel": command.get("channel"),
                **self._payment(command), **members}
        event = self._emit("charge_settled", wallet, body, occurred)
        return event, {**members, "same_txn": before[0]} if transaction and before else members

    @staticmethod
    def _payment(command):
        return {name: command.get(name) for name in ("method", "pg", "txn_ref", "approve_no")}

    def _debt_repay(self, wallet, state, command, occurred):
        if command["amount"] > state.debt:
            raise Refused("DEBT_EXCEEDS", debt=state.debt)
        members = {"amount": command["amount"]}
        return self._emit("debt_repaid", wallet, {**self._payment(command), **members}, occurred), members

    def _charge_reverse(self, wallet, state, command, occurred):
        lot, amount = state.lot_of(command["charge"]), command["amount"]
        if not lot:
            raise Refused("CHARGE_UNKNOWN")
        if amount > lot.capacity:
            raise Refused("REVERSAL_EXCEEDS", left=lot.capacity)
        others = [other for other in reversed(state.lots) if other is not lot]
        parts = take_from_lots([lot] + others, amount)
        hole = amount - total(parts)
        if state.debt + hole > form.LIMIT:
            raise Refused("AMOUNT_RANGE", limit=form.LIMIT)
        parts += debt_part("from", hole)
        self._check_parts(parts)
        event = self._emit("charge_reversed", wallet, {"lot": lot.number, "amount": amount, "parts": parts}, occurred)
        return event, {"amount": amount, "parts": parts}

    # ---- free cash

    def _free_grant(self, wallet, state, command, occurred):
        today, expires_on = day_of(self.now), parse_day(command["expires_on"])
        if state.grant_of(command["grant"]):
            raise Refused("ID_EXISTS")
        if expires_on < today:
            raise Refused("GRANT_EXPIRED", expires_on=command["expires_on"])
        most = self.policy("grants_max")
        if sum(1 for grant in state.grants if grant.unfinished) >= most:
            raise Refused("GRANTS_LIMIT", grants_max=most)
        if state.free(today) + state.dormant(today) + command["amount"] > form.LIMIT:
            raise Refused("AMOUNT_RANGE", limit=form.LIMIT)
        members = {"amount": command["amount"]}
        body = {"grant_id": command["grant"], "expires_on": expires_on, **members}
        return self._emit("free_granted", wallet, body), members

    def _dormant_grant(self, state, command):
        grant = state.grant_of(command["grant"])
        if not grant:
            raise Refused("GRANT_UNKNOWN")
        if grant.expires_on < day_of(self.now):
            raise Refused("GRANT_EXPIRED", expires_on=day_text(grant.expires_on))
        if grant.state != "DORMANT":
            raise Refused("GRANT_STATE", state=grant.state)
        return grant

    def _free_activate(self, wallet, state, command, occurred):
        grant = self._dormant_grant(state, command)
        event = self._emit("free_activated", wallet, {"grant_no": grant.number, "amount": grant.amount})
        return event, {"amount": grant.amount}

    def _free_revoke(self, wallet, state, command, occurred):
        grant = self._dormant_grant(state, command)
        body = {"grant_no": grant.number, "amount": grant.amount, "in_use": False}
        return self._emit("free_revoked", wallet, body), {"amount": grant.amount}

    # ---- consumption

    def _usable_grants(self, state, occurred):
        """In use now, and in use (and given back) already when it happened."""
        usable = [g for g in state.grants
                  if g.state == "IN_USE" and g.expires_on >= day_of(self.now)
                  and g.activated_at <= occurred and (g.returned_at is None or g.returned_at <= occurred)]
        return sorted(usable, key=lambda g: (g.expires_on, g.activated_seq))

    def _consume(self, wallet, state, command, occurred):
        self._require_status(state.status_at(min(occurred, self.now)), "ACTIVE")
        self._check_channel_then(wallet, command, min(occurred, self.now))
        amount = command["amount"]
        grants = self._usable_grants(state, occurred)
        settlement, limit = self.world.settlement(wallet.id)
        postpaid = {"postpaid_limit": limit} if settlement == "POSTPAID" else {}
        available = sum(g.remaining for g in grants) + max(state.paid + postpaid.get("postpaid_limit", 0), 0)
        if amount > available and not command.get("overdraft", False):
            raise Refused("INSUFFICIENT_CASH", available=available, **postpaid)
        parts = take_from_grants(grants, amount)
        parts += take_from_lots(state.lots, amount - total(parts))
        hole = amount - total(parts)
        if state.debt + hole > form.LIMIT:
            raise Refused("AMOUNT_RANGE", limit=form.LIMIT)
        parts += debt_part("from", hole)
        self._check_parts(parts)
        event = self._emit("cash_consumed", wallet,
                           {"usage": command["usage"], "amount": amount, "parts": parts,
                            "channel": command.get("channel")}, occurred)
        return event, {"amount": amount, "free": total(parts, "free"), "paid": total(parts, "paid"),
                       "debt": hole, "parts": parts}

    @staticmethod
    def _named_consumption(state, command):
        found = [c for c in state.consumptions if command.get("usage", c.usage) == c.usage
                 and command.get("seq", c.seq) == c.seq]
        if not found:
            raise Refused("USAGE_UNKNOWN")
        if len(found) > 1:
            raise Refused("AMBIGUOUS_USAGE")
        return found[0]

    def _consume_reverse(self, wallet, state, command, occurred):
        consumption, amount = self._named_consumption(state, command), command["amount"]
        left = consumption.amount - consumption.returned
        if amount > left:
            raise Refused("RETURN_EXCEEDS", left=left)
        back = taken_last(consumption.parts, consumption.returned, amount)
        money = total(back, "paid", "debt")
        parts = credit(state, money, [part for part in back if part["from"] == "paid"])
        parts += self._back_to_grants(state, [part for part in back if part["from"] == "free"])
        if len(parts) > PARTS_MAX:  # a smaller return may go to as many lots
            raise Refused("TOO_MANY_PARTS", parts_max=PARTS_MAX, most=ANY)
        event = self._emit("consumption_reversed", wallet,
                           {"of": consumption.seq, "amount": amount, "parts": parts}, occurred)
        return event, {"amount": amount, "parts": parts,
                       **{to: total(parts, to) for to in ("free", "paid", "debt", "lapsed")}}

    def _back_to_grants(self, state, parts):
        """What would go to a grant past its deadline lapses at once."""
        today = day_of(self.now)
        return [{"to": "lapsed" if state.grants[part["grant_no"] - 1].expires_on < today else "free",
                 "grant_no": part["grant_no"], "amount": part["amount"]} for part in parts]

    # ---- refunds

    def _refund_request(self, wallet, state, command, occurred):
        if command["refund"] in state.refunds:
            raise Refused("ID_EXISTS")
        refundable = state.refundable
        amount = command.get("amount", refundable)
        if "amount" not in command and refundable == 0:
            raise Refused("NOTHING_REFUNDABLE", refundable=0)
        if amount > refundable:
            raise Refused("REFUND_EXCEEDS", refundable=refundable)
        members = {"amount": amount, "scope": "PARTIAL" if "amount" in command else "FULL"}
        return self._emit("refund_requested", wallet, {"refund": command["refund"], **members}), members

    @staticmethod
    def _refund_that_is(state, command, good):
        refund = state.refunds.get(command["refund"])
        if not refund:
            raise Refused("REFUND_UNKNOWN")
        if refund.state != good:
            raise Refused("REFUND_STATE", state=refund.state)
        return refund

    def _refund_approve(self, wallet, state, command, occurred):
        """Decided by paid cash alone: covered, or failed for ever."""
        refund = self._refund_that_is(state, command, "REQUESTED")
        body = {"refund": refund.id, "amount": refund.amount}
        if state.paid < refund.amount:
            event = self._emit("refund_failed", wallet, {**body, "parts": []})
            return event, {"amount": refund.amount, "outcome": "FAILED", "why": "BALANCE", "parts": []}
        legs = take_from_lots(list(reversed(state.lots)), refund.amount)
        self._check_parts(legs)
        event = self._emit("refund_approved", wallet, {**body, "parts": legs})
        return event, {"amount": refund.amount, "outcome": "APPROVED", "parts": legs}

    def _refund_step(self, wallet, state, command, good, type_):
        refund = self._refund_that_is(state, command, good)
        body = {"refund": refund.id, "amount": refund.amount}
        return self._emit(type_, wallet, body), {"amount": refund.amount}

    def _refund_reject(self, wallet, state, command, occurred):
        return self._refund_step(wallet, state, command, "REQUESTED", "refund_rejected")

    def _refund_cancel(self, wallet, state, command, occurred):
        return self._refund_step(wallet, state, command, "REQUESTED", "refund_cancelled")

    def _refund_complete(self, wallet, state, command, occurred):
        return self._refund_step(wallet, state, command, "APPROVED", "refund_completed")

    def _refund_fail(self, wallet, state, command, occurred):
        refund = self._refund_that_is(state, command, "APPROVED")
        freed = {leg["lot"]: leg["amount"] for leg in refund.legs}  # no longer refunded: room to credit
        parts = credit(state, refund.amount, refund.legs, freed)
        event = self._emit("refund_failed", wallet, {"refund": refund.id, "amount": refund.amount, "parts": parts})
        return event, {"amount": refund.amount, "paid": total(parts, "paid"), "debt": total(parts, "debt"),
                       "parts": parts}

    # ---- checking oneself

    def check(self):
        import invariants  # only here: a model in use does not need them
        invariants.check(self)


# ---- how money moves

def total(parts, *kinds):
    return sum(part["amount"] for part in parts
               if not kinds or part.get("from", part.get("to")) in kinds)


def debt_part(word, amount):
    return [{word: "debt", "amount": amount}] if amount else []


def _take(sources, name, kind, amount):
    parts = []
    for source in sources:
        taken = min(source.remaining, amount)
        if taken:
            parts.append({"from": kind, name: source.number, "amount": taken})
            amount -= taken
    return parts


def take_from_lots(lots, amount):
    return _take(lots, "lot", "paid", amount)


def take_from_grants(grants, amount):
    return _take(grants, "grant_no", "free", amount)


def taken_last(parts, skip, amount):
    """The next `amount` of a consumption's parts in the reverse order of taking, after `skip` that came back before."""
    back = []
    for part in reversed(parts):
        passed = min(skip, part["amount"])
        skip -= passed
        piece = min(part["amount"] - passed, amount)
        amount -= piece
        if piece:
            back.append({**part, "amount": piece})
    return back


def credit(state, amount, named, freed=None):
    """Money coming back: open debt first, then each named lot (at most what it gave and has room for), then any lot
    with room, newest first, the named ones included. It always fits."""
    room = {lot.number: lot.capacity - lot.remaining + (freed or {}).get(lot.number, 0) for lot in state.lots}
    to_debt = min(state.debt, amount)
    parts, amount = debt_part("to", to_debt), amount - to_debt
    named_lots = [(part["lot"], part["amount"]) for part in named]
    newest_first = [(lot.number, form.LIMIT * 2) for lot in reversed(state.lots)]
    for lot, most in named_lots + newest_first:
        piece = min(room[lot], most, amount)
        if piece:
            parts.append({"to": "paid", "lot": lot, "amount": piece})
            room[lot] -= piece
            amount -= piece
    assert amount == 0, "money coming back did not fit"
    return parts
