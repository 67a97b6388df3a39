"""Who: roles, channels, business information, the sales right, settlement. What the events say of them (World), who may
do what (MATRIX, carrying), and what each command needs (Deciding, a part of model.Ledger).

Written from the rules of roles and channels, never from the C sources."""

from dataclasses import dataclass, replace

import form
from moment import DAY, instant_text

ALWAYS = -10**18  # since when the operators of `init` are

ROLES = ["MASTER", "MEMBER", "CHANNEL_MASTER", "MANAGER", "AGENCY", "OPERATOR", "GATEWAY", "SYSTEM", "SELF"]
REPORTING = ("OPERATOR", "GATEWAY", "SYSTEM")  # judged by now: they report what has happened

# Matrix 1. x: the role carries the row. b: master of the wallet and of the channel, in one person.
_TABLE = """
wallet.create channel.transfer                                          ..x..x...
wallet.rename member.invite member.remove master.transfer               x....x...
wallet.off wallet.on wallet.delete biz.request sales.accept sales.refuse sales.release  x........
wallet.suspend wallet.lift charge:admin free.grant free.revoke policy.set role.give role.take  .....x...
biz.approve biz.refuse wallet.settlement forget                         .....x...
charge                                                                  xxxx..x..
charge:auto                                                             ......xx.
charge.reverse debt.repay                                               .....xx..
free.grant:unsent consume.reverse refund.approve refund.reject day.close channel.create:business  .....x.x.
free.activate invoice.email                                             xx.......
consume                                                                 xxxxx..x.
refund.request refund.cancel                                            xx...x...
refund.complete refund.fail                                             .....xxx.
member.accept member.leave                                              ........x
channel.create                                                          .....x.xx
manager.add channel.close                                               ..x..x.x.
manager.remove                                                          ..x..x.xx
channel.connect                                                         b.b..x...
channel.disconnect                                                      x.x..x...
channel.search_id                                                       ..xx.x...
channel.mail_order                                                      ..xx.....
biz.request:channel                                                     ..x......
sales.request                                                           ....x....
invoice.issue invoice.confirm invoice.fail invoice.mail notice.send     .....x.x.
invoice.correct                                                         .....x...
"""


def _matrix():
    rows = {}
    for line in _TABLE.strip().splitlines():
        *names, marks = line.split()
        for name in names:
            rows[name] = {role: mark for role, mark in zip(ROLES, marks) if mark != "."}
    return rows


MATRIX = _matrix()

# Where the rules are silent, the witness's choice; see README.md.
SELF_IS_HAD = True             # `have` names SELF where the actor is the person named
CLOSING_ENDS_STAFF = True      # nobody has a role in a closed channel


def row_of(command):
    """The name of the command's row."""
    op = command["op"]
    if op == "charge":
        method = command.get("method", "")
        if method in ("ADMIN_CASH", "ADV_RET_CASH"):
            return "charge:admin"
        return "charge:auto" if method.endswith(("_AUTO", "_REGULAR")) else op
    if op == "free.grant" and command.get("origin", "").startswith("UNSENT_"):
        return "free.grant:unsent"
    if op == "channel.create" and command.get("channel_kind") == "BUSINESS":
        return "channel.create:business"
    if op == "biz.request" and "channel" in command:
        return "biz.request:channel"
    return op


# ---- what the events say

@dataclass(frozen=True)
class Span:
    """`what` was so from `start` on, until before `end` (None: it still is)."""
    what: object
    start: int
    end: int = None
    seq: int = None

    def holds(self, at):
        return self.start <= at and (self.end is None or at < self.end)


@dataclass(frozen=True)
class Channel:
    id: str
    number: int
    kind: str
    closed: int = None        # when
    search_id: str = None
    search_id_seq: int = None
    mail_order: str = None


@dataclass(frozen=True)
class Request:
    """Of business information; `base`: the approval of its number that was in force."""
    seq: int
    biz: str
    base: int
    by: str                   # the actor, None: nobody said
    record: tuple


def at_of(spans, at):
    return [span.what for span in spans if span.holds(at)]


def now_of(spans):
    return [span.what for span in spans if span.end is None]


class World:
    """Tables of immutable values, so that what a refused command did can be undone table by table."""

    TABLES = ("roles", "masters", "members", "invitations", "channels", "staff", "links", "asked", "rights", "open_biz",
              "numbers", "approvals", "search_ids", "settlements", "kinds", "emails")

    def __init__(self, events=()):
        self.roles = {}         # (person, role, agency): spans
        self.masters = {}       # wallet: spans of persons
        self.members = {}       # (wallet, person): spans
        self.invitations = {}   # (wallet, person): until, None: none
        self.channels = {}      # id: Channel
        self.staff = {}         # (channel, person): spans of roles
        self.links = {}         # channel: spans of wallets
        self.asked = {}         # (wallet, agency): seq of the request, None: none
        self.rights = {}        # wallet: spans of agencies
        self.open_biz = {}      # holder: Request, None: none
        self.numbers = {}       # holder: (biz, seq of the approval that fixed it)
        self.approvals = {}     # biz: ((seq, record), ...)
        self.search_ids = {}    # search id: (channel, seq)
        self.settlements = {}   # wallet: (word, limit)
        self.kinds = {}         # wallet: kind
        self.emails = {}        # wallet: e-mail
        self._undo = []
        for event in events:
            self.apply(event)

    def same_as(self, other):
        return all(getattr(self, name) == getattr(other, name) for name in self.TABLES)

    # -- writing

    def mark(self):
        return len(self._undo)

    def rollback(self, mark):
        while len(self._undo) > mark:
            table, key, had, old = self._undo.pop()
            if had:
                table[key] = old
            else:
                del table[key]

    def _set(self, table, key, value):
        self._undo.append((table, key, key in table, table.get(key)))
        table[key] = value

    def _begin(self, table, key, what, event):
        self._set(table, key, table.get(key, ()) + (Span(what, _time(event), None, event.seq),))

    def _end(self, table, key, event):
        if any(span.end is None for span in table.get(key, ())):
            self._set(table, key, tuple(replace(span, end=_time(event)) if span.end is None else span
                                        for span in table[key]))

    def _channel(self, channel, **changes):
        self._set(self.channels, channel, replace(self.channels[channel], **changes))

    def apply(self, event):
        how = getattr(self, "_on_" + event.type, None)
        if how:
            how(event, event.body)

    def _on_wallet_created(self, event, body):
        self._set(self.kinds, event.wallet, body["kind"])
        if body.get("master") is not None:
            self._begin(self.masters, event.wallet, body["master"], event)

    def _on_wallet_deleted(self, event, body):
        wallet = event.wallet
        self._end(self.masters, wallet, event)
        self._end(self.rights, wallet, event)
        for table in (self.members, self.invitations, self.asked):
            for key in [key for key in table if key[0] == wallet]:
                if table is self.members:
                    self._end(table, key, event)
                else:
                    self._set(table, key, None)
        self._set(self.open_biz, ("wallet", wallet), None)
        for channel in self.channels_of(wallet):
            self._end(self.links, channel, event)

    def _on_role_given(self, event, body):
        self._begin(self.roles, (body["person"], body["role"], body["agency"]), body["role"], event)

    def _on_role_taken(self, event, body):
        self._end(self.roles, (body["person"], body["role"], body["agency"]), event)

    def _on_member_invited(self, event, body):
        self._set(self.invitations, (event.wallet, body["person"]), body["until"])

    def _on_member_joined(self, event, body):
        key = (event.wallet, body["person"])
        self._set(self.invitations, key, None)
        self._begin(self.members, key, "MEMBER", event)

    def _on_member_left(self, event, body):
        key = (event.wallet, body["person"])
        self._set(self.invitations, key, None)
        self._end(self.members, key, event)

    def _on_master_transferred(self, event, body):
        wallet, old, new = event.wallet, body["from"], body["to"]
        self._end(self.masters, wallet, event)
        self._end(self.members, (wallet, new), event)
        self._begin(self.masters, wallet, new, event)
        if old is not None:
            self._begin(self.members, (wallet, old), "MEMBER", event)
        for key in [key for key in self.invitations if key[0] == wallet]:
            self._set(self.invitations, key, None)

    def _on_channel_created(self, event, body):
        channel = body["channel"]
        self._set(self.channels, channel, Channel(channel, len(self.channels) + 1, body["kind"]))
        self._begin(self.staff, (channel, body["master"]), "CHANNEL_MASTER", event)

    def _on_channel_staffed(self, event, body):
        channel, person = body["channel"], body["person"]
        old = self.channel_master(channel)
        self._end(self.staff, (channel, person), event)
        if body["role"] == "CHANNEL_MASTER":
            self._end(self.staff, (channel, old), event)
            self._begin(self.staff, (channel, old), "MANAGER", event)
        if body["role"] != "NONE":
            self._begin(self.staff, (channel, person), body["role"], event)

    def _on_channel_connected(self, event, body):
        self._begin(self.links, body["channel"], event.wallet, event)

    def _on_channel_disconnected(self, event, body):
        self._end(self.links, body["channel"], event)

    def _on_channel_closed(self, event, body):
        channel = body["channel"]
        self._channel(channel, closed=_time(event))
        self._set(self.open_biz, ("channel", channel), None)
        for key in [key for key in self.staff if key[0] == channel] if CLOSING_ENDS_STAFF else []:
            self._end(self.staff, key, event)

    def _on_search_id_set(self, event, body):
        self._channel(body["channel"], search_id=body["search_id"], search_id_seq=event.seq)
        self._set(self.search_ids, body["search_id"], (body["channel"], event.seq))

    def _on_mail_order_set(self, event, body):
        self._channel(body["channel"], mail_order=body["mail_order"])

    def _on_biz_requested(self, event, body):
        request = Request(event.seq, body["biz"], body["base"], body["by"], body["record"])
        self._set(self.open_biz, body["holder"], request)

    def _on_biz_approved(self, event, body):
        holder = body["holder"]
        request = self.open_biz[holder]
        self._set(self.open_biz, holder, None)
        self._set(self.approvals, request.biz, self.approvals.get(request.biz, ()) + ((event.seq, request.record),))
        if holder not in self.numbers:
            self._set(self.numbers, holder, (request.biz, event.seq))
        if holder[0] == "channel":
            self._channel(holder[1], kind="BUSINESS")

    def _on_biz_refused(self, event, body):
        self._set(self.open_biz, body["holder"], None)

    def _on_invoice_email_set(self, event, body):
        self._set(self.emails, event.wallet, body["email"])

    def _on_sales_requested(self, event, body):
        self._set(self.asked, (event.wallet, body["agency"]), event.seq)

    def _on_sales_accepted(self, event, body):
        self._set(self.asked, (event.wallet, body["agency"]), None)
        self._end(self.rights, event.wallet, event)
        self._begin(self.rights, event.wallet, body["agency"], event)

    def _on_sales_refused(self, event, body):
        self._set(self.asked, (event.wallet, body["agency"]), None)

    def _on_sales_released(self, event, body):
        self._end(self.rights, event.wallet, event)

    def _on_settlement_changed(self, event, body):
        self._set(self.settlements, event.wallet, (body["settlement"], body["limit"]))

    # -- reading

    def master(self, wallet):
        return next(iter(now_of(self.masters.get(wallet, ()))), None)

    def members_of(self, wallet):
        return [person for (of, person), spans in self.members.items() if of == wallet and now_of(spans)]

    def invited_to(self, wallet, now):
        """{person: until} of the invitations that are open."""
        return {person: until for (of, person), until in self.invitations.items()
                if of == wallet and until is not None and now < until}

    def people_n(self, wallet, now):
        """How many are in it, with its master and those who are invited."""
        return len(self.members_of(wallet)) + len(self.invited_to(wallet, now)) + (self.master(wallet) is not None)

    def person_in_wallet(self, wallet, person, now):
        if self.master(wallet) == person:
            return "MASTER"
        if now_of(self.members.get((wallet, person), ())):
            return "MEMBER"
        until = self.invitations.get((wallet, person))
        if until is None:
            return "NONE"
        return "INVITED" if now < until else "LAPSED"

    def staff_of(self, channel):
        """{person: role}"""
        return {person: now_of(spans)[0] for (of, person), spans in self.staff.items() if of == channel and now_of(spans)}

    def channel_master(self, channel):
        return next((person for person, role in self.staff_of(channel).items() if role == "CHANNEL_MASTER"), None)

    def channels_of(self, wallet):
        return [channel for channel, spans in self.links.items() if wallet in now_of(spans)]

    def wallet_of(self, channel):
        return next(iter(now_of(self.links.get(channel, ()))), None)

    def operators(self):
        return [person for (person, role, _), spans in self.roles.items() if role == "OPERATOR" and now_of(spans)]

    def right(self, wallet):
        """The span of the agency that holds the sales right, or None."""
        return next((span for span in self.rights.get(wallet, ()) if span.end is None), None)

    def settlement(self, wallet):
        return self.settlements.get(wallet, ("PREPAID", 0))

    def limit(self, wallet):
        word, limit = self.settlement(wallet)
        return limit if word == "POSTPAID" else 0

    def number(self, holder):
        return self.numbers.get(holder, (None, None))[0]

    def approval(self, biz):
        """(seq, record) of the newest, (0, None): none."""
        return self.approvals.get(biz, ((0, None),))[-1]

    # -- roles

    def roles_at(self, person, command, at, now):
        """All that `person` is to what the command names, at its time; who reports is judged by now."""
        wallet, channel = command.get("wallet"), command.get("channel")
        had = set()
        if wallet is not None:
            if person in at_of(self.masters.get(wallet, ()), at):
                had.add("MASTER")
            had.update(at_of(self.members.get((wallet, person), ()), at))
        if channel is not None and self._channel_counts(command, at):
            had.update(at_of(self.staff.get((channel, person), ()), at))
        agencies = [command["agency"]] if command["op"] == "sales.request" else at_of(self.rights.get(wallet, ()), at)
        if any(at_of(self.roles.get((person, "AGENCY", agency), ()), at) for agency in agencies):
            had.add("AGENCY")
        had.update(role for role in REPORTING if at_of(self.roles.get((person, role, None), ()), now))
        if SELF_IS_HAD and command.get("person") == person:
            had.add("SELF")
        return [role for role in ROLES if role in had]

    def _channel_counts(self, command, at):
        """Money is moved in the name of a channel that was connected then."""
        if command["op"] not in ("charge", "consume"):
            return True
        return command["wallet"] in at_of(self.links.get(command["channel"], ()), at)

    def carrying(self, command, actor, at, now):
        """The role by which the actor may, or None."""
        row, person, named = MATRIX[row_of(command)], actor.get("id"), actor.get("role")
        had = self.roles_at(person, command, at, now) if person is not None else []
        counted = [role for role in had if named in (None, role)]
        if command.get("person") == person is not None and "SELF" not in counted and named in (None, "SELF"):
            counted.append("SELF")
        for role in counted:
            if self._carries(role, row.get(role), command, person, had):
                return role
        return None

    def _carries(self, role, mark, command, person, had):
        if mark is None or (mark == "b" and not {"MASTER", "CHANNEL_MASTER"} <= set(had)):
            return False
        if command["op"] == "wallet.create" and role == "CHANNEL_MASTER":
            return command.get("master", person) == person  # for himself only
        if command["op"] == "biz.approve":
            request = self.open_biz.get(holder_of(command))
            return request is None or request.seq != command.get("seq") or request.by != person
        return True


def _time(event):
    return ALWAYS if event.recorded_at is None else event.recorded_at


def holder_of(command):
    return ("channel", command["channel"]) if "channel" in command else ("wallet", command["wallet"])


# ---- deciding

class Deciding:
    """The part of model.Ledger that decides these commands. `self.Refused` is how it says no."""

    def _check_role(self, command, actor, at):
        """The role that carries the command, None in a ledger that trusts."""
        if self.policy("roles") == 0:
            return (actor or {}).get("role")
        actor = actor or {}
        role = self.world.carrying(command, actor, at, self.now)
        if role is None:
            have, have_now = ([] if actor.get("id") is None else self.world.roles_at(actor["id"], command, moment, self.now)
                              for moment in (at, self.now))
            raise self.Refused("ROLE", have=have, have_now=have_now,
                               who=[role for role in ROLES if role in MATRIX[row_of(command)]])
        return role

    def _check_channel_known(self, command):
        if "channel" in command and command["op"] != "channel.create" and command["channel"] not in self.world.channels:
            raise self.Refused("CHANNEL_UNKNOWN")

    def _require_kind(self, wallet, *kinds):
        kind = self.world.kinds[wallet.id]
        if kind not in kinds:
            raise self.Refused("WALLET_KIND", kind=kind, kinds=list(kinds))

    def _require_channel_kind(self, channel):
        kind = self.world.channels[channel].kind
        if kind != "BUSINESS":
            raise self.Refused("CHANNEL_KIND", channel_kind=kind)

    def _require_open(self, command):
        if "channel" in command and self.world.channels[command["channel"]].closed is not None:
            raise self.Refused("CHANNEL_STATE", state="CLOSED")

    def _check_channel_then(self, wallet, command, at):
        """What a channel pays for, it paid while it was connected."""
        if "channel" not in command:
            return
        channel = self.world.channels[command["channel"]]
        if wallet.id in at_of(self.world.links.get(channel.id, ()), at):
            return
        linked = self.world.wallet_of(channel.id)
        raise self.Refused("CHANNEL_STATE", state="CLOSED" if channel.closed is not None
                           else "FREE" if linked in (None, wallet.id) else "ELSEWHERE")

    # -- roles of the ledger

    def _role_give(self, wallet, state, command, occurred):
        person, role, agency = command["person"], command["role"], command.get("agency")
        if now_of(self.world.roles.get((person, role, agency), ())):
            raise self.Refused("PERSON_STATE", state="HOLDS")
        return self._emit("role_given", None, {"person": person, "role": role, "agency": agency}), {}

    def _role_take(self, wallet, state, command, occurred):
        person, role, agency = command["person"], command["role"], command.get("agency")
        if not now_of(self.world.roles.get((person, role, agency), ())):
            raise self.Refused("PERSON_STATE", state="NONE")
        if role == "OPERATOR" and self.world.operators() == [person]:
            raise self.Refused("LAST_OPERATOR")
        return self._emit("role_taken", None, {"person": person, "role": role, "agency": agency}), {}

    def _check_switch(self, command):
        """Roles are looked at from now on: somebody must be left who may."""
        if command["policy"] != "roles" or command["value"] == 0:
            return
        if not self.world.operators():
            raise self.Refused("LAST_OPERATOR")
        orphans = sum(1 for w in self.wallets.values() if w.state.status != "DELETED" and self.world.master(w.id) is None)
        if orphans:
            raise self.Refused("MASTER_NEEDED", wallets=orphans)

    # -- members and master

    def _member_invite(self, wallet, state, command, occurred):
        person = command["person"]
        self._require_person(wallet, person, "NONE", "LAPSED")
        most = self.policy("members_max")
        if self.world.people_n(wallet.id, self.now) >= most:
            raise self.Refused("MEMBERS_LIMIT", members_max=most)
        until = self.now + self.policy("invite_days") * DAY
        event = self._emit("member_invited", wallet, {"person": person, "until": until})
        return event, {"until": instant_text(until)}

    def _require_person(self, wallet, person, *good):
        found = self.world.person_in_wallet(wallet.id, person, self.now)
        if found not in good:
            raise self.Refused("PERSON_STATE", state=found)
        return found

    def _member_accept(self, wallet, state, command, occurred):
        person = command["person"]
        if self._require_person(wallet, person, "INVITED", "LAPSED") == "LAPSED":
            raise self.Refused("INVITE_EXPIRED", until=instant_text(self.world.invitations[wallet.id, person]))
        return self._emit("member_joined", wallet, {"person": person}), {}

    def _member_goes(self, wallet, person, why):
        found = self._require_person(wallet, person, "MASTER", "MEMBER", "INVITED")
        if found == "MASTER":
            raise self.Refused("MASTER_NEEDED")
        return self._emit("member_left", wallet, {"person": person, "why": why[found]}), {}

    def _member_leave(self, wallet, state, command, occurred):
        return self._member_goes(wallet, command["person"], {"MEMBER": "LEFT", "INVITED": "DECLINED"})

    def _member_remove(self, wallet, state, command, occurred):
        return self._member_goes(wallet, command["person"], {"MEMBER": "REMOVED", "INVITED": "WITHDRAWN"})

    def _master_transfer(self, wallet, state, command, occurred):
        """From nobody to anybody; else to a member, who agreed."""
        old = self.world.master(wallet.id)
        if old is not None:
            self._require_kind(wallet, "BUSINESS", "OVERSEAS")
            self._require_person(wallet, command["person"], "MEMBER")
        return self._emit("master_transferred", wallet, {"from": old, "to": command["person"]}), {}

    # -- channels

    def _channel_create(self, wallet, state, command, occurred):
        if command["channel"] in self.world.channels:
            raise self.Refused("CHANNEL_EXISTS")
        return self._emit("channel_created", None, {"channel": command["channel"], "master": command["person"],
                                                    "kind": command.get("channel_kind", "BASIC")}), {}

    def _staff(self, command, role):
        return self._emit("channel_staffed", None, {"channel": command["channel"], "person": command["person"], "role": role}), {}

    def _require_staff(self, command, good):
        found = self.world.staff_of(command["channel"]).get(command["person"], "NONE")
        if found != good:
            raise self.Refused("PERSON_STATE", state=found)

    def _manager_add(self, wallet, state, command, occurred):
        self._require_open(command)
        self._require_staff(command, "NONE")
        most = self.policy("members_max")
        if len(self.world.staff_of(command["channel"])) >= most:
            raise self.Refused("MEMBERS_LIMIT", members_max=most)
        return self._staff(command, "MANAGER")

    def _manager_remove(self, wallet, state, command, occurred):
        self._require_open(command)
        if self.world.channel_master(command["channel"]) == command["person"]:
            raise self.Refused("MASTER_NEEDED")
        self._require_staff(command, "MANAGER")
        return self._staff(command, "NONE")

    def _channel_transfer(self, wallet, state, command, occurred):
        self._require_open(command)
        self._require_channel_kind(command["channel"])
        self._require_staff(command, "MANAGER")
        return self._staff(command, "CHANNEL_MASTER")

    def _channel_connect(self, wallet, state, command, occurred):
        self._require_open(command)
        linked = self.world.wallet_of(command["channel"])
        if linked is not None:
            raise self.Refused("CHANNEL_STATE", state="CONNECTED" if linked == wallet.id else "ELSEWHERE")
        if self.world.kinds[wallet.id] == "BUSINESS":
            self._require_channel_kind(command["channel"])
        return self._emit("channel_connected", wallet, {"channel": command["channel"]}), {}

    def _channel_disconnect(self, wallet, state, command, occurred):
        self._require_open(command)
        linked = self.world.wallet_of(command["channel"])
        if linked != wallet.id:
            raise self.Refused("CHANNEL_STATE", state="FREE" if linked is None else "ELSEWHERE")
        return self._emit("channel_disconnected", wallet, {"channel": command["channel"]}), {}

    def _channel_close(self, wallet, state, command, occurred):
        self._require_open(command)
        if self.world.wallet_of(command["channel"]) is not None:
            raise self.Refused("CHANNEL_STATE", state="CONNECTED")
        return self._emit("channel_closed", None, {"channel": command["channel"]}), {}

    def _channel_search_id(self, wallet, state, command, occurred):
        self._require_open(command)
        text, marks = form.composed(command["search_id"]), self.policy("search_id_marks")
        if ("-" in text and not marks & 1) or ("_" in text and not marks & 2):
            raise self.Refused("SEARCH_ID_INVALID")
        channel = self.world.channels[command["channel"]]
        if channel.search_id is not None:
            raise self.Refused("SEARCH_ID_SET", seq=channel.search_id_seq)
        if text in self.world.search_ids:
            raise self.Refused("SEARCH_ID_TAKEN", seq=self.world.search_ids[text][1])
        return self._emit("search_id_set", None, {"channel": channel.id, "search_id": text}), {}

    def _channel_mail_order(self, wallet, state, command, occurred):
        self._require_open(command)
        self._require_channel_kind(command["channel"])
        channel = self.world.channels[command["channel"]]
        if command.get("mail_order") == channel.mail_order:
            raise self.Refused("UNCHANGED")
        return self._emit("mail_order_set", None, {"channel": channel.id, "mail_order": command.get("mail_order")}), {}

    # -- business information

    def _require_business_holder(self, wallet, command):
        self._require_open(command)
        if wallet is not None:
            self._require_kind(wallet, "BUSINESS")

    def _biz_request(self, wallet, state, command, occurred):
        self._require_business_holder(wallet, command)
        holder, biz = holder_of(command), command["biz"]
        fixed, fixed_by = self.world.numbers.get(holder, (biz, None))
        if fixed != biz:
            raise self.Refused("BIZ_NUMBER", seq=fixed_by)
        body = {"holder": holder, "biz": biz, "base": self.world.approval(biz)[0], "by": (self.actor or {}).get("id"),
                "record": tuple(command[name] for name in ("biz_name", "representative", "address"))}
        return self._emit("biz_requested", wallet, body), {}

    def _open_request(self, command):
        self._require_open(command)
        request = self.world.open_biz.get(holder_of(command))
        if request is None or request.seq != command["seq"]:
            raise self.Refused("BIZ_STATE", state="NONE")
        return request

    def _biz_approve(self, wallet, state, command, occurred):
        request = self._open_request(command)
        if request.base != self.world.approval(request.biz)[0]:
            raise self.Refused("BIZ_STATE", state="STALE")
        return self._emit("biz_approved", wallet, {"holder": holder_of(command), "request": request.seq}), {}

    def _biz_refuse(self, wallet, state, command, occurred):
        request = self._open_request(command)
        return self._emit("biz_refused", wallet, {"holder": holder_of(command), "request": request.seq}), {}

    # -- what else a wallet has

    def _invoice_email(self, wallet, state, command, occurred):
        self._require_kind(wallet, "BUSINESS")
        if self.world.emails.get(wallet.id) == command["email"]:
            raise self.Refused("UNCHANGED")
        return self._emit("invoice_email_set", wallet, {"email": command["email"]}), {}

    def _sales_state(self, wallet, agency):
        right = self.world.right(wallet.id)
        if right is not None and right.what == agency:
            return "HELD"
        return "NONE" if self.world.asked.get((wallet.id, agency)) is None else "REQUESTED"

    def _sales(self, wallet, command, good, type_):
        found = self._sales_state(wallet, command["agency"])
        if found != good:
            raise self.Refused("SALES_STATE", state=found)
        return self._emit(type_, wallet, {"agency": command["agency"]}), {}

    def _sales_request(self, wallet, state, command, occurred):
        return self._sales(wallet, command, "NONE", "sales_requested")

    def _sales_accept(self, wallet, state, command, occurred):
        return self._sales(wallet, command, "REQUESTED", "sales_accepted")

    def _sales_refuse(self, wallet, state, command, occurred):
        return self._sales(wallet, command, "REQUESTED", "sales_refused")

    def _sales_release(self, wallet, state, command, occurred):
        right = self.world.right(wallet.id)
        if right is None:
            raise self.Refused("SALES_STATE", state="NONE")
        return self._emit("sales_released", wallet, {"agency": right.what}), {}

    def _wallet_settlement(self, wallet, state, command, occurred):
        word, limit = command["settlement"], command.get("limit", self.world.settlement(wallet.id)[1])
        if word == "POSTPAID":
            self._require_kind(wallet, "BUSINESS")
        if (word, limit) == self.world.settlement(wallet.id):
            raise self.Refused("UNCHANGED")
        return self._emit("settlement_changed", wallet, {"settlement": word, "limit": limit}), {}


CONDITIONS = ["not_off", "sales_right", "paid_not_zero", "postpaid", "refund_outstanding", "uninvoiced"]


def delete_conditions(world, wallet, state, uninvoiced):
    """[(name, figure)] of all that keeps a wallet from being deleted. `uninvoiced`: (won, papers)."""
    unmet = []
    if state.status != "OFF":
        unmet.append(("not_off", state.status))
    right = world.right(wallet)
    if right is not None:
        unmet.append(("sales_right", right.seq))
    if state.paid != 0:
        unmet.append(("paid_not_zero", state.paid))
    word, limit = world.settlement(wallet)
    if word == "POSTPAID":
        unmet.append(("postpaid", limit))
    outstanding = sum(1 for refund in state.refunds.values() if refund.state in ("REQUESTED", "APPROVED"))
    if outstanding:
        unmet.append(("refund_outstanding", outstanding))
    won, missing = uninvoiced
    if missing:
        unmet.append(("uninvoiced", won))
    return unmet
