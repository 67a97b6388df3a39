"""What always holds of roles, channels and business information, seen from the events alone.

Not by the spans of who.World: what was so at a time is what the last event said that had been recorded by then."""

import fold
from moment import DAY
from who import MATRIX, REPORTING

SILENT = object()  # the event says nothing of it


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(part) for part in what))


def last_word(events, about, at=None):
    """What the last event said that was recorded at `at` or before; `about(event, value so far)`."""
    value = None
    for event in events:
        if at is None or event.recorded_at is None or event.recorded_at <= at:
            said = about(event, value)
            value = value if said is SILENT else said
    return value


def master_of(wallet):
    def about(event, _):
        if event.wallet != wallet:
            return SILENT
        return {"wallet_created": event.body.get("master"), "master_transferred": event.body.get("to"),
                "wallet_deleted": None}.get(event.type, SILENT)
    return about


def membership(wallet, person):
    def about(event, _):
        body = event.body
        if event.wallet != wallet:
            return SILENT
        if event.type == "wallet_deleted":
            return False
        if event.type in ("member_joined", "member_left") and body["person"] == person:
            return event.type == "member_joined"
        if event.type == "master_transferred" and person in (body["from"], body["to"]):
            return body["from"] == person
        return SILENT
    return about


def staff_role(channel, person):
    def about(event, value):
        body = event.body
        if body.get("channel") != channel:
            return SILENT
        if event.type == "channel_created":
            return "CHANNEL_MASTER" if body["master"] == person else None
        if event.type == "channel_closed":
            return None
        if event.type != "channel_staffed":
            return SILENT
        if body["person"] == person:
            return None if body["role"] == "NONE" else body["role"]
        if body["role"] == "CHANNEL_MASTER" and value == "CHANNEL_MASTER":
            return "MANAGER"  # the one before him stays
        return SILENT
    return about


def wallet_of_channel(channel):
    def about(event, value):
        if event.type == "wallet_deleted" and event.wallet == value:
            return None
        if event.type in ("channel_connected", "channel_disconnected") and event.body["channel"] == channel:
            return event.wallet if event.type == "channel_connected" else None
        return SILENT
    return about


def right_of(wallet):
    def about(event, _):
        if event.wallet != wallet:
            return SILENT
        return {"sales_accepted": event.body.get("agency"), "sales_released": None,
                "wallet_deleted": None}.get(event.type, SILENT)
    return about


def role_of_ledger(person, role, agency=None):
    def about(event, _):
        if event.type in ("role_given", "role_taken"):
            if (event.body["person"], event.body["role"], event.body["agency"]) == (person, role, agency):
                return event.type == "role_given"
        return SILENT
    return about


def says_of_looking(event):
    return event.body["value"] if event.type == "policy_set" and event.body.get("policy") == "roles" else SILENT


# ---- one event

def held(events, event, role):
    """Whether the event's actor had the role that it names, at the time by which it is judged."""
    person, wallet, channel = event.actor["id"], event.wallet, event.body.get("channel")
    at = min(event.occurred_at, event.recorded_at)
    if channel is None and event.body.get("holder", ("",))[0] == "channel":
        channel = event.body["holder"][1]
    if role in REPORTING:
        return last_word(events, role_of_ledger(person, role)) is True
    if role == "SELF":
        return person in (event.body.get("person"), event.body.get("master"))
    if role == "MASTER":
        return last_word(events, master_of(wallet), at) == person
    if role == "MEMBER":
        return last_word(events, membership(wallet, person), at) is True
    if role == "AGENCY":
        agency = event.body["agency"] if event.type == "sales_requested" else last_word(events, right_of(wallet), at)
        return last_word(events, role_of_ledger(person, "AGENCY", agency), at) is True
    if event.row == "wallet.create":
        return event.body["master"] == person  # by a channel that its event does not name
    if event.type in ("charge_settled", "cash_consumed"):
        expect(last_word(events, wallet_of_channel(channel), at) == wallet, "a channel's role without its connection", event)
    return last_word(events, staff_role(channel, person), at) == role


def check_actor(events, event, requests):
    if event.row is None:
        return  # expiries, forfeits, closings, what init wrote, refusals
    expect(event.actor is not None, "nobody did it", event)
    role = event.actor.get("role")
    expect(role in MATRIX[event.row], "not in the row", event)
    expect(held(events, event, role), "did not have the role", event)
    if event.row == "channel.connect" and role == "MASTER":
        staff = last_word(events, staff_role(event.body["channel"], event.actor["id"]))
        expect(staff == "CHANNEL_MASTER", "connected a channel that is not his", event)
    if event.type == "biz_approved":
        expect(requests[event.body["request"]].body["by"] != event.actor["id"], "approved his own", event)


# ---- the ledger

class Walk:
    """One pass over the events, with the few plain sets that the rules are about."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.kinds, self.open, self.wallets_of_channels = {}, {}, {}
        self.channels, self.numbers, self.search_ids, self.requests, self.approved = {}, {}, {}, {}, {}
        self.settlements, self.wallet_rights, self.asked = {}, {}, set()
        self.operators = set()

    def run(self):
        events = self.ledger.events
        looked_at = self.ledger.roles_at_first  # what the last event said that said anything of it
        for number, event in enumerate(events):
            if looked_at and event.recorded_at is not None:
                check_actor(events[:number], event, self.requests)
            step = getattr(self, "_" + event.type, None)
            if step:
                step(event, event.body)
            said = says_of_looking(event)
            looked_at = looked_at if said is SILENT else said
            if looked_at and event.type in ("role_taken", "policy_set") and event.recorded_at is not None:
                expect(self.operators, "no operator is left", event)

    def _role_given(self, event, body):
        if body["role"] == "OPERATOR":
            self.operators.add(body["person"])

    def _role_taken(self, event, body):
        if body["role"] == "OPERATOR":
            self.operators.discard(body["person"])

    def _wallet_created(self, event, body):
        self.kinds[event.wallet] = body["kind"]

    def _member_invited(self, event, body):
        expect((event.wallet, body["person"]) not in self.open
               or self.open[event.wallet, body["person"]] <= event.recorded_at, "invited twice", event)
        self.open[event.wallet, body["person"]] = body["until"]
        expect((body["until"] - event.recorded_at) % DAY == 0, "an invitation of odd length", event)

    def _member_joined(self, event, body):
        until = self.open.pop((event.wallet, body["person"]), None)
        expect(until is not None and event.recorded_at < until, "joined without an open invitation", event)

    def _member_left(self, event, body):
        until = self.open.pop((event.wallet, body["person"]), None)
        expect((until is not None) == (body["why"] in ("DECLINED", "WITHDRAWN")), "why did he leave", event)

    def _master_transferred(self, event, body):
        for key in [key for key in self.open if key[0] == event.wallet]:
            del self.open[key]
        expect(body["from"] is None or self.kinds[event.wallet] != "PERSONAL", "a personal wallet changed hands", event)

    def _channel_created(self, event, body):
        expect(body["channel"] not in self.channels, "a channel twice", event)
        self.channels[body["channel"]] = body["kind"]

    def _channel_connected(self, event, body):
        expect(body["channel"] not in self.wallets_of_channels, "a channel of two wallets", event)
        expect(self.kinds[event.wallet] != "BUSINESS" or self.channels[body["channel"]] == "BUSINESS", "kinds", event)
        self.wallets_of_channels[body["channel"]] = event.wallet

    def _channel_disconnected(self, event, body):
        expect(self.wallets_of_channels.pop(body["channel"], None) == event.wallet, "was not connected", event)

    def _channel_closed(self, event, body):
        expect(body["channel"] not in self.wallets_of_channels, "closed while connected", event)

    def _search_id_set(self, event, body):
        text = body["search_id"]
        expect(text not in self.search_ids and body["channel"] not in self.search_ids.values(), "search id", event)
        expect(1 <= len(text) <= 15, "length of a search id", event)
        self.search_ids[text] = body["channel"]

    def _mail_order_set(self, event, body):
        expect(self.channels[body["channel"]] == "BUSINESS", "mail-order number of a basic channel", event)

    def _biz_requested(self, event, body):
        expect(self.numbers.get(body["holder"], body["biz"]) == body["biz"], "another number", event)
        expect(body["base"] == self.approved.get(body["biz"], 0), "base", event)
        self.requests[event.seq] = event

    def _biz_approved(self, event, body):
        request = self.requests[body["request"]].body
        later = [e for e in self.requests.values() if e.body["holder"] == body["holder"] and e.seq > body["request"]]
        expect(request["holder"] == body["holder"] and not later, "not the open request", event)
        expect(request["base"] == self.approved.get(request["biz"], 0), "a stale request", event)
        self.approved[request["biz"]] = event.seq
        self.numbers.setdefault(body["holder"], request["biz"])
        if body["holder"][0] == "channel":
            self.channels[body["holder"][1]] = "BUSINESS"

    def _sales_requested(self, event, body):
        self.asked.add((event.wallet, body["agency"]))

    def _sales_refused(self, event, body):
        self.asked.remove((event.wallet, body["agency"]))

    def _sales_accepted(self, event, body):
        self.asked.remove((event.wallet, body["agency"]))
        expect(self.wallet_rights.get(event.wallet) != body["agency"], "has it already", event)
        self.wallet_rights[event.wallet] = body["agency"]

    def _sales_released(self, event, body):
        expect(self.wallet_rights.pop(event.wallet) == body["agency"], "released another's", event)

    def _settlement_changed(self, event, body):
        expect(body["settlement"] != "POSTPAID" or self.kinds[event.wallet] == "BUSINESS", "postpaid", event)
        expect(self.settlements.get(event.wallet, ("PREPAID", 0)) != (body["settlement"], body["limit"]), "unchanged", event)
        self.settlements[event.wallet] = (body["settlement"], body["limit"])

    def _charge_settled(self, event, body):
        self._named_channel(event)

    def _cash_consumed(self, event, body):
        self._named_channel(event)

    def _named_channel(self, event):
        if event.body["channel"] is not None:
            before, at = self.ledger.events[:event.seq - 1], min(event.occurred_at, event.recorded_at)
            expect(last_word(before, wallet_of_channel(event.body["channel"]), at) == event.wallet, "channel", event)

    def _wallet_deleted(self, event, body):
        wallet = event.wallet
        state = fold.fold([e for e in self.ledger.wallets[wallet].events if e.seq < event.seq])
        expect(state.status == "OFF" and state.paid == 0, "deleted with money or not off", event)
        expect(not any(r.state in ("REQUESTED", "APPROVED") for r in state.refunds.values()), "refunds open", event)
        expect(wallet not in self.wallet_rights, "an agency has the right", event)
        expect(self.settlements.get(wallet, ("PREPAID", 0))[0] == "PREPAID", "postpaid", event)
        self.wallets_of_channels = {c: w for c, w in self.wallets_of_channels.items() if w != wallet}
        self.open = {key: until for key, until in self.open.items() if key[0] != wallet}
        self.asked = {key for key in self.asked if key[0] != wallet}


def check(ledger):
    Walk(ledger).run()
    for wallet in ledger.wallets.values():
        if ledger.policy("roles", 10**18) and wallet.state.status != "DELETED":
            expect(last_word(wallet.events, master_of(wallet.id)) is not None, "nobody is master of", wallet.id)
