"""Faults about who, to plant in the model: the streams of generate_who.py must tell each from the honest one.

    python3 who_faults.py [--seeds N] [--commands N]        how soon each is found"""

from unittest import mock

import form
import generate_who
import model
import planting
import who
from generate_who import INIT_EVENTS_ENFORCED, OPERATOR
from planting import method

SEEDS, COMMANDS = 24, 600

FAULTS = {}


def fault(make):
    FAULTS[make.__name__] = make
    return make


def _cell(row, role, mark):
    changed = {**who.MATRIX[row], role: mark} if mark else {r: m for r, m in who.MATRIX[row].items() if r != role}
    return mock.patch.dict(who.MATRIX, {row: changed})


for _row, _role, _mark in [("charge:admin", "MASTER", "x"), ("charge:auto", "MEMBER", "x"), ("consume", "AGENCY", None),
                           ("consume", "OPERATOR", "x"), ("wallet.off", "OPERATOR", "x"), ("wallet.rename", "MEMBER", "x"),
                           ("refund.approve", "MASTER", "x"), ("free.grant:unsent", "SYSTEM", None),
                           ("refund.complete", "GATEWAY", None), ("channel.search_id", "MANAGER", None),
                           ("manager.remove", "SELF", None), ("sales.accept", "OPERATOR", "x"), ("biz.request", "MEMBER", "x"),
                           ("channel.connect", "CHANNEL_MASTER", "x"), ("invoice.email", "MEMBER", None),
                           ("policy.set", "MASTER", "x")]:
    FAULTS[f"cell {_row} {_role}"] = lambda row=_row, role=_role, mark=_mark: _cell(row, role, mark)


@fault
def end_is_inside():
    return mock.patch.object(who.Span, "holds", lambda s, at: s.start <= at and (s.end is None or at <= s.end))


@fault
def start_is_outside():
    return mock.patch.object(who.Span, "holds", lambda s, at: s.start < at and (s.end is None or at < s.end))


@fault
def judged_by_now():
    return method(who.Deciding, "_check_role", lambda honest: lambda self, c, actor, at: honest(self, c, actor, self.now))


@fault
def reporting_judged_by_at():
    return method(who.World, "carrying", lambda honest: lambda self, c, actor, at, now: honest(self, c, actor, at, at))


@fault
def any_channel_counts():
    return mock.patch.object(who.World, "_channel_counts", lambda self, command, at: True)


@fault
def channel_named_need_not_be_connected():
    return mock.patch.object(who.Deciding, "_check_channel_then", lambda self, wallet, command, at: None)


@fault
def own_request_approved():
    return method(who.World, "_carries", lambda honest: lambda self, role, mark, c, p, had:
                   honest(self, role, mark, {**c, "op": "biz.refuse"} if c["op"] == "biz.approve" else c, p, had))


@fault
def channel_master_makes_wallets_for_others():
    return method(who.World, "_carries", lambda honest: lambda self, role, mark, c, p, had:
                   honest(self, role, mark, {**c, "master": p} if c["op"] == "wallet.create" else c, p, had))


@fault
def invitation_holds_at_its_end():
    return method(who.World, "person_in_wallet", lambda honest: lambda self, w, p, now: honest(self, w, p, now - 1))


@fault
def transfer_leaves_invitations():
    def make(honest):
        def transferred(self, event, body):
            kept = dict(self.invitations)
            honest(self, event, body)
            for key, until in kept.items():
                self._set(self.invitations, key, until)
        return transferred
    return method(who.World, "_on_master_transferred", make)


@fault
def transfer_to_anybody():
    def make(honest):
        def transfer(self, wallet, state, command, occurred):
            old = self.world.master(wallet.id)
            return self._emit("master_transferred", wallet, {"from": old, "to": command["person"]}), {}
        return transfer
    return method(who.Deciding, "_master_transfer", make)


@fault
def old_master_goes():
    def make(honest):
        def transferred(self, event, body):
            honest(self, event, body)
            self._end(self.members, (event.wallet, body["from"]), event)
        return transferred
    return method(who.World, "_on_master_transferred", make)


@fault
def deletion_keeps_channels():
    def make(honest):
        def deleted(self, event, body):
            kept = dict(self.links)
            honest(self, event, body)
            for channel, spans in kept.items():
                self._set(self.links, channel, spans)
        return deleted
    return method(who.World, "_on_wallet_deleted", make)


def _without(*names):
    return method(who, "delete_conditions", lambda honest: lambda *args: [c for c in honest(*args) if c[0] not in names])


@fault
def deletion_forgets_the_sales_right():
    return _without("sales_right")


@fault
def postpaid_is_a_figure():
    return method(who, "delete_conditions",
                   lambda honest: lambda *args: [c for c in honest(*args) if c != ("postpaid", 0)])


@fault
def limit_of_prepaid_counts():
    return mock.patch.object(who.World, "settlement", lambda self, w: ("POSTPAID", self.settlements.get(w, (0, 0))[1]))


@fault
def limit_is_forgotten_by_prepaid():
    def make(honest):
        def changed(self, event, body):
            honest(self, event, {**body, "limit": body["limit"] if body["settlement"] == "POSTPAID" else 0})
        return changed
    return method(who.World, "_on_settlement_changed", make)


@fault
def stale_request_approved():
    return method(who.World, "apply", lambda honest: lambda self, event: honest(
        self, event) if event.type != "biz_approved" else _approved_for_all(self, event, honest))


def _approved_for_all(world, event, honest):
    honest(world, event)
    number = world.numbers[event.body["holder"]][0]
    for holder, request in list(world.open_biz.items()):
        if request is not None and request.biz == number:
            world._set(world.open_biz, holder, who.replace(request, base=event.seq))


@fault
def number_is_not_fixed():
    def make(honest):
        def approved(self, event, body):
            honest(self, event, body)
            self._set(self.numbers, body["holder"], self.numbers[body["holder"]])
            del self.numbers[body["holder"]]
            self._undo.append((self.numbers, body["holder"], False, None))
            self.numbers[body["holder"]] = (None, None)
        return approved
    return method(who.World, "_on_biz_approved", make)


@fault
def request_does_not_replace():
    def make(honest):
        def requested(self, event, body):
            if self.open_biz.get(body["holder"]) is None:
                honest(self, event, body)
        return requested
    return method(who.World, "_on_biz_requested", make)


@fault
def approval_leaves_the_channel_basic():
    def make(honest):
        def approved(self, event, body):
            kind = self.channels[body["holder"][1]].kind if body["holder"][0] == "channel" else None
            honest(self, event, body)
            if kind:
                self._channel(body["holder"][1], kind=kind)
        return approved
    return method(who.World, "_on_biz_approved", make)


@fault
def search_id_is_not_composed():
    return mock.patch.object(form, "composed", lambda text: text)


@fault
def all_marks_are_good():
    return method(model.Ledger, "policy", lambda honest: lambda self, name, at=None:
                   3 if name == "search_id_marks" else honest(self, name, at))


@fault
def search_id_free_again_when_closed():
    def make(honest):
        def closed(self, event, body):
            honest(self, event, body)
            mine = self.channels[body["channel"]].search_id
            if mine is not None:
                self._set(self.search_ids, mine, None)
                del self.search_ids[mine]
        return closed
    return method(who.World, "_on_channel_closed", make)


@fault
def second_agency_beside_the_first():
    def make(honest):
        def accepted(self, event, body):
            self._set(self.asked, (event.wallet, body["agency"]), None)
            self._begin(self.rights, event.wallet, body["agency"], event)
        return accepted
    return method(who.World, "_on_sales_accepted", make)


@fault
def invited_are_not_counted():
    return mock.patch.object(who.World, "invited_to", lambda self, wallet, now: {})


@fault
def last_operator_goes():
    return mock.patch.object(who.World, "operators", lambda self: ["one", "two"])


@fault
def no_effect_is_a_command():
    return method(who.World, "settlement", lambda honest: lambda self, w: _Unequal(honest(self, w)))


class _Unequal(tuple):
    def __eq__(self, other):
        return False

    __hash__ = tuple.__hash__


@fault
def version_before_role():
    def make(honest):
        def check(self, command, actor, at):
            if "wallet" in command and command["op"] != "wallet.create":
                self._check_version(self.wallets[command["wallet"]], command)
            return honest(self, command, actor, at)
        return check
    return method(who.Deciding, "_check_role", make)


@fault
def role_named_is_not_looked_at():
    return method(who.World, "carrying", lambda honest: lambda self, c, actor, at, now:
                   honest(self, c, {"id": actor.get("id")}, at, now))


@fault
def members_actor_is_the_groups():
    def make(honest):
        def group(self, command):
            members = [{**m, "actor": command["actor"]} if "actor" in command else m for m in command["commands"]]
            return honest(self, {**command, "commands": members})
        return group
    return method(model.Ledger, "_group", make)


# ---- finding them

def recorded(seeds=SEEDS, commands=COMMANDS):
    """[(mode, [(line, expected)])] of the honest model."""
    streams = []
    for seed in range(seeds):
        mode = "trust" if seed % 4 == 3 else "enforce"
        generator = generate_who.WhoGenerator(7000 + seed, mode)
        streams.append((mode, [generator.next() for _ in range(commands)]))
    return streams


def found(streams):
    """After how many commands the model, as it is now, differs from what was recorded; None: it does not."""
    count = 0
    for mode, lines in streams:
        ledger = model.Ledger(INIT_EVENTS_ENFORCED, OPERATOR) if mode == "enforce" else model.Ledger(generate_who.INIT_EVENTS)
        different = planting.first_difference(ledger, lines)
        if different is not None:
            return count + different
        count += len(lines)
    return None


if __name__ == "__main__":
    planting.main(FAULTS, recorded, found, SEEDS, COMMANDS)
