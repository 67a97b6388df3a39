"""Random command streams with roles, channels, business information and the sales right, from a seed: of ledgers that
trust, of such that look at roles from the beginning, and of such that are switched over; some go to and fro.

    python3 generate_who.py --seed 7 --commands 2000 [--mode enforce|trust|switch] [--stats]"""

import argparse
import collections
import json
import unicodedata

import form
import generate
import who
from generate import INIT_EVENTS, Generator
from model import Ledger
from moment import DAY, HOUR, instant_text, parse_instant

OPERATOR = "op1"       # of `init`
MODES = ["enforce", "trust", "switch"]
INIT_EVENTS_ENFORCED = INIT_EVENTS + 2
USERS = [f"u{n}" for n in range(1, 8)]
STAFF = [("op1", "OPERATOR", None), ("op2", "OPERATOR", None), ("sys1", "SYSTEM", None), ("gw1", "GATEWAY", None),
         ("ag1", "AGENCY", "A1"), ("ag2", "AGENCY", "A2"), ("ag3", "AGENCY", "A1"), ("ag3", "AGENCY", "A2")]
PEOPLE = USERS + ["op1", "op2", "sys1", "gw1", "ag1", "ag2", "ag3", "stranger"]
AGENCIES = ["A1", "A2"]
NUMBERS = ["1000000001", "1000000002", "1000000003"]
SEARCH_IDS = ["가게", "shop1", "a", "b-1", "c_2", "한글_1", "x" * 15, "q", "7", "가나다"]
NO_SEARCH_IDS = ["ABC", "a b", "x" * 16, "ㄱ", "", "é"]

_WEIGHTS = {
    **generate._WEIGHTS, "create": 3, "state": 4, "delete": 1.5, "rename": 2,
    "role": 5, "invite": 6, "accept": 5, "goes": 3, "transfer": 2, "channel_create": 3, "manager": 4, "channel_transfer": 1.5,
    "connect": 6, "disconnect": 1.5, "close": 1, "search_id": 3, "mail_order": 2, "biz_request": 5, "biz_answer": 5,
    "email": 1, "sales": 7, "settlement": 3,
}
_IN_GROUPS = [name for name in _WEIGHTS if name not in ("day_close", "group", "repeat", "malformed")]


class WhoGenerator(Generator):
    WEIGHTS = _WEIGHTS
    IN_GROUPS = _IN_GROUPS

    def __init__(self, seed, mode="enforce", init_events=None):
        super().__init__(seed, INIT_EVENTS if init_events is None else init_events)
        self.mode = mode
        self.opening = []
        if mode == "switch":
            self.opening = [{"op": "role.give", "person": OPERATOR, "role": "OPERATOR"},
                            {"op": "policy.set", "policy": "roles", "value": 1}]
        self.hint = None          # whose role begins or ends at the `at` that was chosen
        if mode == "enforce":
            self.ledger = Ledger(INIT_EVENTS_ENFORCED if init_events is None else init_events, OPERATOR)

    def next(self):
        if not self.opening:
            return super().next()
        text = json.dumps({**self.opening.pop(0), "clock": instant_text(self.now)})
        return text, self.ledger.apply_line(text)

    @property
    def world(self):
        return self.ledger.world

    def _looked_at(self):
        return self.ledger.policy("roles", self.now) != 0

    # ---- who does it

    def _decorate(self, command):
        command = super()._decorate(command)
        command.pop("actor", None)
        actor = self._actor_for(command)
        if actor is not None:
            command["actor"] = actor
        return command

    def _member(self):
        member = super()._member()
        actor = self._actor_for(member)
        if actor is not None and self._chance(0.8):
            member["actor"] = actor
        return member

    def _group(self):
        command = super()._group()
        if self._chance(0.7):
            command["actor"] = {"id": self.rng.choice(["op1", "op1", "op2", *PEOPLE])}
        return command

    def _actor_for(self, command):
        """Mostly one who may, sometimes nobody, anybody, or somebody in another role."""
        dice = self.rng.random()
        if dice < 0.03 or (not self._looked_at() and dice < 0.5):
            return None
        actor = {"id": self.rng.choice(PEOPLE)}
        at, hint, self.hint = self._judged_at(command), self.hint, None
        if hint is not None and self._chance(0.6):
            return {"id": hint}
        if self._looked_at() and dice > 0.1:
            able = [person for person in PEOPLE if self.world.carrying(command, {"id": person}, at, self.now)]
            if able and dice > 0.22:
                actor["id"] = self.rng.choice(able)
            else:
                actor["id"] = self.rng.choice(self._nearly(command, at, able) or PEOPLE)
        if self._chance(0.12):
            right = self.world.carrying(command, actor, at, self.now)
            actor["role"] = right if right and self._chance(0.7) else self.rng.choice(who.ROLES + ["BOSS"])
        return actor

    def _nearly(self, command, at, able):
        """Those who have another role, had one until just now, or asked for it themselves."""
        near = [person for person in PEOPLE if person not in able and any(
            self.world.roles_at(person, command, moment, self.now) for moment in (at, at - 1, self.now))]
        request = self.world.open_biz.get(who.holder_of(command)) if command["op"] == "biz.approve" else None
        return near + [request.by] * 3 if request is not None and request.by is not None else near

    def _judged_at(self, command):
        if command["op"] in form.BUSINESS_TIME and "at" in command:
            return min(parse_instant(command["at"]), self.now)
        return self.now

    # ---- choosing

    def _to_boundary(self):
        """To the end of an invitation, now and then."""
        ends = [until for until in self.world.invitations.values() if until is not None and until > self.now]
        if ends and self._chance(0.5):
            return min(ends) - self.now - self.rng.choice([0, 0, 0, 1])
        return super()._to_boundary()

    def _choose(self):
        ending = [key for key, until in self.world.invitations.items() if until in (self.now, self.now + 1)]
        if ending and self._chance(0.7):
            wallet, person = self.rng.choice(ending)
            return self._decorate({"op": "member.accept", "wallet": wallet, "person": person})
        return super()._choose()

    def _past(self, command):
        """Where somebody's role begins or ends, to the microsecond."""
        wallet = self.ledger.wallets.get(command["wallet"])
        if wallet is None or not self._chance(0.35):
            return super()._past(command)
        back = min(5, self.ledger.policy("at_back_max", self.now)) * DAY
        edges = [edge for edge in self._edges(wallet.id, command.get("channel")) if edge[0] > self.now - back]
        if not edges:
            return super()._past(command)
        at, self.hint = self.rng.choice(edges)
        return min(self.now, at + self.rng.choice([0, 0, 0, -1, 1]))

    def _edges(self, wallet, channel):
        """[(instant, whose role begins or ends there)]"""
        found = [(span.what, span) for span in self.world.masters.get(wallet, ())]
        found += [(person, span) for table, of in ((self.world.members, wallet), (self.world.staff, channel))
                  for (key, person), spans in table.items() if key == of for span in spans]
        found += [(self.rng.choice([p for p, role, agency in STAFF if agency == span.what]), span)
                  for span in self.world.rights.get(wallet, ())]
        found += [(self.rng.choice([p for (c, p) in self.world.staff if c == channel]), span)
                  for span in self.world.links.get(channel, ()) if span.what == wallet]
        return [(at, person) for person, span in found for at in (span.start, span.end, span.end) if at is not None]

    def _build(self, name):
        build = getattr(self, "_who_" + name, None)
        return build() if build else super()._build(name)

    def _wallet_id(self):
        return self._wallet().id if self.ledger.wallets else "W1"

    def _person(self):
        return self.rng.choice(self.rng.choices([USERS, ["op1", "op2"], PEOPLE], [75, 14, 11])[0])

    def _channel(self, good=None):
        """One that is there, open mostly; `good` narrows."""
        channels = list(self.world.channels)
        if not channels or self._chance(0.02):
            return "Cnone"
        live = [c for c in channels if self.world.channels[c].closed is None]
        fitting = [c for c in live if good is None or good(c)]
        if fitting and self._chance(0.9):
            return self.rng.choice(fitting)
        return self.rng.choice(live if live and self._chance(0.9) else channels)

    def _boundaries(self, wallet):
        found = super()._boundaries(wallet)
        spans = list(self.world.masters.get(wallet.id, ())) + list(self.world.rights.get(wallet.id, ()))
        spans += [s for (of, _), some in self.world.members.items() if of == wallet.id for s in some]
        for channel, links in self.world.links.items():
            mine = [s for s in links if s.what == wallet.id]
            if mine:
                spans += mine + [s for (of, _), some in self.world.staff.items() if of == channel for s in some]
        edges = [at for s in spans for at in (s.start, s.end) if at is not None]
        return found + (self.rng.sample(edges, min(len(edges), 8)))

    # ---- wallets and money

    def _create(self, _):
        command = super()._create(None)
        command["kind"] = self.rng.choice(["BUSINESS", "BUSINESS", "BUSINESS", "OVERSEAS", "PERSONAL"])
        if self._chance(0.4) and self.world.channels:
            command["channel"] = self._channel()
        if self._chance(0.6):
            command["master"] = self._person()
            if "channel" in command and self._chance(0.4):
                self.hint = self.world.channel_master(command["channel"])  # for somebody else
        return command

    def _in_a_channel(self, command):
        if self._chance(0.35):
            linked = [c for c, spans in self.world.links.items() if any(s.what == command["wallet"] for s in spans)]
            if linked and self._chance(0.9):
                command["channel"] = self.rng.choice(linked)
            elif self.world.channels:
                command["channel"] = self._channel()
        return command

    def _charge(self, wallet):
        return self._in_a_channel(super()._charge(wallet))

    def _consume(self, wallet):
        command = super()._consume(wallet)
        limit = self.world.limit(wallet.id)
        if limit and self._chance(0.5):
            command.pop("overdraft", None)
            command["amount"] = self._amount(max(1, wallet.state.paid + limit))
        return self._in_a_channel(command)

    def _who_settlement(self):
        command = {"op": "wallet.settlement", "wallet": self._wallet_id(),
                   "settlement": self.rng.choice(["POSTPAID", "POSTPAID", "PREPAID"])}
        if self._chance(0.7):
            command["limit"] = self.rng.choice([0, 5, 20, 100, 100])
        return command

    def _drain_step(self):
        wallet = self.draining
        if wallet.state.status not in ("DELETED", "SUSPENDED"):
            if self.world.right(wallet.id) is not None:
                return {"op": "sales.release", "wallet": wallet.id}
            if self.world.settlement(wallet.id)[0] == "POSTPAID":
                return {"op": "wallet.settlement", "wallet": wallet.id, "settlement": "PREPAID"}
        return super()._drain_step()

    def _policy(self):
        if self._chance(0.55):
            return super()._policy()
        policy, values = self.rng.choice([
            ("invite_days", [7, 7, 1, 0]), ("members_max", [1000, 1000, 2, 3, 3]), ("search_id_marks", [0, 3, 3, 1, 2]),
            ("roles", [1, 1, 0] if self.mode == "trust" else [1, 1, 1, 1, 1, 0])])
        return {"op": "policy.set", "policy": policy, "value": self.rng.choice(values)}

    # ---- roles of the ledger

    def _who_role(self):
        if len(self.world.operators()) == 1 and self._chance(0.08):
            return {"op": "role.take", "person": self.world.operators()[0], "role": "OPERATOR"}
        missing = [staff for staff in STAFF if not who.now_of(self.world.roles.get(staff, ()))]
        take = self._chance(0.15)
        person, role, agency = self.rng.choice(STAFF if take or not missing or self._chance(0.1) else missing)
        command = {"op": "role.take" if take else "role.give", "person": person, "role": role}
        if agency:
            command["agency"] = agency
        return command

    # ---- members

    def _who_invite(self):
        wallet = self._wallet_id()
        if self.ledger.policy("members_max", self.now) < 10 and self.ledger.wallets and self._chance(0.7):
            live = [w for w, found in self.ledger.wallets.items() if found.state.status != "DELETED"]
            wallet = max(live, key=self._people_of, default=wallet)
        return {"op": "member.invite", "wallet": wallet, "person": self._person()}

    def _people_of(self, wallet):
        return len(self.world.members_of(wallet)) + len(self.world.invited_to(wallet, self.now))

    def _one_of(self, people):
        people = list(people)
        return self.rng.choice(people) if people and self._chance(0.9) else self._person()

    def _wallet_with(self, table):
        """A wallet for which the table has something, mostly."""
        wallets = [of for (of, _), value in table.items() if value and (table is not self.world.members or who.now_of(value))]
        return self.rng.choice(wallets) if wallets and self._chance(0.85) else self._wallet_id()

    def _who_accept(self):
        wallet = self._wallet_with(self.world.invitations)
        invited = [p for (of, p), until in self.world.invitations.items() if of == wallet and until is not None]
        return {"op": "member.accept", "wallet": wallet, "person": self._one_of(invited)}

    def _who_goes(self):
        wallet = self._wallet_with(self.world.members)
        people = self.world.members_of(wallet) * 2 + list(self.world.invited_to(wallet, self.now))
        person = self._one_of(people) if self._chance(0.9) else self.world.master(wallet) or self._person()
        return {"op": self.rng.choice(["member.leave", "member.remove"]), "wallet": wallet, "person": person}

    def _who_transfer(self):
        wallet = self._wallet_with(self.world.members)
        return {"op": "master.transfer", "wallet": wallet, "person": self._one_of(self.world.members_of(wallet))}

    # ---- channels

    def _who_channel_create(self):
        known = list(self.world.channels)
        channel = self.rng.choice(known) if known and self._chance(0.08) else f"C{len(known) + 1}"
        command = {"op": "channel.create", "channel": channel, "person": self._person()}
        if self._chance(0.5):
            command["channel_kind"] = self.rng.choice(["BASIC", "BUSINESS", "BUSINESS", "BUSINESS"])
        return command

    def _who_manager(self):
        channel = self._channel()
        managers = [p for p, role in self.world.staff_of(channel).items() if role == "MANAGER"]
        if self._chance(0.4):
            return {"op": "manager.remove", "channel": channel, "person": self._one_of(managers)}
        return {"op": "manager.add", "channel": channel, "person": self._person()}

    def _who_channel_transfer(self):
        channel = self._channel(lambda c: len(self.world.staff_of(c)) > 1 and self.world.channels[c].kind == "BUSINESS")
        managers = [p for p, role in self.world.staff_of(channel).items() if role == "MANAGER"]
        return {"op": "channel.transfer", "channel": channel, "person": self._one_of(managers)}

    def _who_connect(self):
        return {"op": "channel.connect", "wallet": self._wallet_id(),
                "channel": self._channel(lambda c: self.world.wallet_of(c) is None)}

    def _who_disconnect(self):
        channel = self._channel(lambda c: self.world.wallet_of(c) is not None)
        wallet = self.world.wallet_of(channel)
        return {"op": "channel.disconnect", "channel": channel,
                "wallet": wallet if wallet and self._chance(0.9) else self._wallet_id()}

    def _who_close(self):
        return {"op": "channel.close", "channel": self._channel(lambda c: self.world.wallet_of(c) is None)}

    def _who_search_id(self):
        text = self.rng.choice(NO_SEARCH_IDS if self._chance(0.06) else SEARCH_IDS)
        closed = [t for t, (channel, _) in self.world.search_ids.items() if self.world.channels[channel].closed is not None]
        if closed and self._chance(0.15):
            text = self.rng.choice(closed)
        elif text in self.world.search_ids and self._chance(0.7):
            text = f"s{self.rng.randrange(1000)}"
        if self._chance(0.3):
            text = unicodedata.normalize("NFD", text)
        return {"op": "channel.search_id", "search_id": text,
                "channel": self._channel(lambda c: self.world.channels[c].search_id is None)}

    def _who_mail_order(self):
        command = {"op": "channel.mail_order", "channel": self._channel(lambda c: self.world.channels[c].kind == "BUSINESS")}
        if self._chance(0.75):
            command["mail_order"] = self.rng.choice(["2026-서울강남-0123", "2026-1"])
        return command

    # ---- business information

    def _holder(self, good=None):
        """A wallet or a channel: a fitting one mostly."""
        holders = [holder for holder in [*self.world.open_biz, *self.world.numbers] if good is not None and good(holder)]
        if holders and self._chance(0.9):
            return dict([self.rng.choice(holders)])
        if self._chance(0.5):
            return {"channel": self._channel()}
        return {"wallet": self._wallet_id()}

    def _who_biz_request(self):
        holder = self._holder()
        fixed = self.world.number(next(iter(holder.items())))
        number = fixed if fixed and self._chance(0.85) else self.rng.choice(NUMBERS)
        return {"op": "biz.request", **holder, "biz": number, "biz_name": self.rng.choice(["상호", "firm", "another firm"]),
                "representative": self.rng.choice(["대표", "r"]), "address": "addr"}

    def _who_biz_answer(self):
        own = self._chance(0.4)  # of an operator, who may approve, but not that
        holder = self._holder(lambda h: self.world.open_biz.get(h) is not None
                              and (not own or self.world.open_biz[h].by in self.world.operators()))
        request = self.world.open_biz.get(next(iter(holder.items())))
        seq = request.seq if request and self._chance(0.93) else self.rng.randint(1, len(self.ledger.events) + 1)
        if self._chance(0.7):
            return {"op": "biz.approve", **holder, "seq": seq}
        command = {"op": "biz.refuse", **holder, "seq": seq}
        if self._chance(0.4):
            command["reason"] = "서류 미비"
        return command

    def _who_email(self):
        return {"op": "invoice.email", "wallet": self._wallet_id(), "email": self.rng.choice(["a@shop.example", "b@shop.example"])}

    # ---- sales right

    def _who_sales(self):
        dice = self.rng.random()
        if dice < 0.35:
            return {"op": "sales.request", "wallet": self._wallet_id(), "agency": self.rng.choice(AGENCIES)}
        if dice < 0.85:
            asked = [key for key, seq in self.world.asked.items() if seq is not None]
            wallet, agency = self.rng.choice(asked) if asked and self._chance(0.9) else (self._wallet_id(), "A1")
            return {"op": self.rng.choice(["sales.accept", "sales.accept", "sales.refuse"]), "wallet": wallet, "agency": agency}
        held = [wallet for wallet in self.world.rights if self.world.right(wallet)]
        return {"op": "sales.release", "wallet": self.rng.choice(held) if held and self._chance(0.85) else self._wallet_id()}

    # ---- lines that are no commands

    def _malformed(self):
        if self._chance(0.6):
            command = super()._malformed()
            if isinstance(command, dict):
                command.pop("actor", None)
            return command
        command = self.rng.choice([
            {"op": "role.give", "person": "u1", "role": "AGENCY"},
            {"op": "role.give", "person": "u1", "role": "OPERATOR", "agency": "A1"},
            {"op": "role.give", "person": "u1", "role": "MASTER"},
            {"op": "policy.set", "policy": "roles", "value": 2},
            {"op": "policy.set", "policy": "roles", "value": 0, "from": instant_text(self.now + HOUR)},
            {"op": "policy.set", "policy": "search_id_marks", "value": 4},
            {"op": "channel.search_id", "channel": "C1", "search_id": "Shop"},
            {"op": "biz.request", "wallet": "W1", "channel": "C1", "biz": NUMBERS[0], "biz_name": "n", "representative": "r",
             "address": "a"},
            {"op": "biz.request", "biz": NUMBERS[0], "biz_name": "n", "representative": "r", "address": "a"},
            {"op": "biz.request", "wallet": "W1", "biz": "123", "biz_name": "n", "representative": "r", "address": "a"},
            {"op": "biz.approve", "wallet": "W1"},
            {"op": "channel.connect", "channel": "C1"},
            {"op": "wallet.settlement", "wallet": "W1", "settlement": "LATER"},
            {"op": "channel.create", "channel": "C 1", "person": "u1"},
        ])
        return {**command, "clock": instant_text(self.now), "actor": {"id": "op1"}}


def init_options(mode):
    """Of the ledger that a stream is for."""
    return generate.INIT_OPTIONS + (["--roles=enforce", "--operator", OPERATOR] if mode == "enforce" else [])


def stream(seed, commands, mode="enforce", init_events=None):
    generator = WhoGenerator(seed, mode, init_events)
    for _ in range(commands):
        yield generator.next()[0]


def _print_stats(seed, commands, mode):
    generator = WhoGenerator(seed, mode)
    generate.print_shares(generator, commands)
    types = collections.Counter(e.type for e in generator.ledger.events)
    print(", ".join(f"{name} {count}" for name, count in types.most_common()))


def main():
    parser = argparse.ArgumentParser(description="random command streams with roles")
    parser.add_argument("--mode", choices=MODES, default="enforce")
    arguments = generate.arguments_of(parser)
    if arguments.stats:
        _print_stats(arguments.seed, arguments.commands, arguments.mode)
        return
    count = generate.init_events(arguments.program, *init_options(arguments.mode))
    for line in stream(arguments.seed, arguments.commands, arguments.mode, count):
        print(line)


if __name__ == "__main__":
    main()
