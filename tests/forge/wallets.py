"""docs/rules.md section 5: wallets, ids, keys, refusals, groups."""
from forgery import forgery, sound
from ledger import Format, debt, document, epoch_day, grant, instant, lapsed, lot

MANUAL = "policy.set day_close manual\n"
PLAIN = MANUAL + "wallet.create W\ncharge C1 1000\n"

# ---- every event in every state. The columns charge, consume and refund are those of the page

READY = MANUAL + """
wallet.create W
consume U0 7 overdraft=true
debt.repay 7
charge C1 1000
free.grant G1 100 9
free.activate G1
free.grant G2 50 9
consume U1 100
consume U2 50
refund.request R1 100
refund.request R2 100
refund.request R3 100
refund.approve R3
refund.request R4 100
"""


def page_matrix():
    """{state: the columns with a yes}, from the table of the page."""
    rows = [line for line in document("rules.md").split("\n") if line.startswith("|")]
    at = next(i for i, line in enumerate(rows) if line.startswith("| state"))
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in rows[at:at + 6]]
    return {row[0]: {column for column, cell in zip(cells[0], row) if cell == "yes"}
            for row in cells[2:]}


def returned_free(log):
    return {"consumption": log.find("cash_consumed", usage="U1"), "parts": [grant(1, 10)]}


EVENTS = {  # name: (the page's column, or the states that allow it; the fields)
    "charge_settled": ("charge", {"charge": "CX", "amount": 5}),
    "cash_consumed": ("consume", {"parts": [lot(2, 5)]}),
    "refund_requested": ("refund", {"refund": "RX", "amount": 5}),
    "wallet_turned_off": (("ACTIVE",), {}),
    "wallet_turned_on": (("OFF",), {}),
    "wallet_suspended": (("ACTIVE", "OFF"), {}),
    "suspension_lifted": (("SUSPENDED",), {}),
    "wallet_renamed": (("ACTIVE", "OFF", "SUSPENDED"), {"name": 1}),
    "charge_reversed": (("ACTIVE", "OFF", "SUSPENDED"), {"lot": 2, "parts": [lot(2, 5)]}),
    "free_granted": (("ACTIVE", "OFF", "SUSPENDED"),
                     {"grant": "GX", "amount": 5, "expires_on": epoch_day("9")}),
    "free_activated": (("ACTIVE", "OFF", "SUSPENDED"), {"grant_no": 2, "amount": 50}),
    "free_revoked": (("ACTIVE", "OFF", "SUSPENDED"), {"grant_no": 2, "amount": 50}),
    "consumption_reversed": (("ACTIVE", "OFF", "SUSPENDED"), returned_free),
    "refund_approved": (("ACTIVE", "OFF", "SUSPENDED"), {"refund_no": 1, "parts": [lot(2, 100)]}),
    "refund_rejected": (("ACTIVE", "OFF", "SUSPENDED"), {"refund_no": 1, "amount": 100}),
    "refund_cancelled": (("ACTIVE", "OFF", "SUSPENDED"), {"refund_no": 1, "amount": 100}),
    "refund_completed": (("ACTIVE", "OFF", "SUSPENDED"), {"refund_no": 3, "amount": 100}),
    "refund_failed": (("ACTIVE", "OFF", "SUSPENDED"), {"refund_no": 3, "parts": [lot(2, 100)]}),
}
WAYS = {"ACTIVE": (), "OFF": ("wallet_turned_off",), "SUSPENDED": ("wallet_suspended",),
        "SUSPENDED, before OFF": ("wallet_turned_off", "wallet_suspended")}
MATRIX = page_matrix()


def in_state(log, event, way, fields):
    for step in WAYS[way]:
        log.add(step, "W")
    return log.add(event, "W", **(fields(log) if callable(fields) else fields))


def cell(event, allows, fields, way):
    state = way.split(",")[0]
    if state in allows:
        @sound("5", f"{event} while {way}", READY)
        def _(log):
            in_state(log, event, way, fields)
        return

    @forgery("5", f"{event} while {way}", READY)
    def _(log, lie):
        right = next(w for w in WAYS if w.split(",")[0] in allows)
        return in_state(log, event, lie(right, way), fields)


def deleted(event, fields):
    """The wallet V is deleted; it has what W has, and nothing left."""
    @forgery("5", f"{event} of a deleted wallet", READY + "wallet.create V\nwallet.off wallet=V\n"
             "wallet.delete wallet=V")
    def _(log, lie):
        if lie:
            return log.add(event, "V", **(fields(log) if callable(fields) else fields))


for each, (column, what) in EVENTS.items():
    states = column if isinstance(column, tuple) else [s for s in MATRIX if column in MATRIX[s]]
    for each_way in WAYS:
        cell(each, states, what, each_way)
    deleted(each, what)
deleted("wallet_deleted", {"forfeited": 0})


@forgery("5", "a repayment of a deleted wallet", MANUAL + "wallet.create W\nwallet.off\nwallet.delete")
def _(log, lie):
    if lie:
        return log.add("debt_repaid", "W", amount=5)


@forgery("5", "a lifted suspension makes a wallet active that was off",
         PLAIN + "wallet.off\nwallet.suspend\nwallet.lift")
def _(log, lie):
    if not lie:
        log.add("wallet_turned_on", "W")
    return log.add("cash_consumed", "W", parts=[lot(1, 5)])


# ---- deletion

def undeletable(name, script, cure=()):
    @forgery("5", f"a wallet is deleted {name}", MANUAL + "wallet.create W\n" + script)
    def _(log, lie):
        for event, fields in () if lie else cure:
            log.add(event, "W", **fields)
        return log.add("wallet_deleted", "W")


undeletable("while it is active", "", [("wallet_turned_off", {})])
undeletable("while it is suspended", "wallet.suspend",
            [("suspension_lifted", {}), ("wallet_turned_off", {})])
undeletable("while it is suspended and was off", "wallet.off\nwallet.suspend",
            [("suspension_lifted", {})])
undeletable("with paid cash", "charge C1 5\nwallet.off", [("charge_reversed", {
    "lot": 1, "parts": [lot(1, 5)]})])
undeletable("with a debt", "consume U1 5 overdraft=true\nwallet.off", [("debt_repaid",
                                                                        {"amount": 5})])
undeletable("with a request of a refund", "charge C1 5\nrefund.request R1\ncharge.reverse C1 5\n"
            "wallet.off", [("refund_cancelled", {"refund_no": 1, "amount": 5})])
undeletable("with a refund that is on its way", "charge C1 5\nrefund.request R1\n"
            "refund.approve R1\nwallet.off", [("refund_completed", {"refund_no": 1, "amount": 5})])

# ---- ids

EVERYTHING = MANUAL + """
wallet.create W
charge C1 1000
free.grant G1 100 9
refund.request R1 10
wallet.create V
wallet.create GONE
wallet.off wallet=GONE
wallet.delete wallet=GONE
"""


@forgery("5", "a wallet's id is given twice", EVERYTHING)
def _(log, lie):
    return log.add("wallet_created", id=lie("NEW", "W"))


@forgery("5", "the id of a deleted wallet is given again", EVERYTHING)
def _(log, lie):
    return log.add("wallet_created", id=lie("NEW", "GONE"))


def twice(what, event, **fields):
    field = {"charge": "charge", "grant": "grant", "refund": "refund"}[what]

    @forgery("5", f"a {what}'s id is given twice in a wallet", EVERYTHING)
    def _(log, lie):
        used = {"charge": "C1", "grant": "G1", "refund": "R1"}[what]
        return log.add(event, "W", **{field: lie("NEW", used), **fields})

    @forgery("5", f"the id of a {what} that is over is given again", EVERYTHING + """
charge.reverse C1 1000
free.revoke G1
refund.cancel R1
charge C2 50""")
    def _(log, lie):
        used = {"charge": "C1", "grant": "G1", "refund": "R1"}[what]
        return log.add(event, "W", **{field: lie("NEW", used), **fields})


twice("charge", "charge_settled", amount=5)
twice("grant", "free_granted", amount=5, expires_on=epoch_day("9"))
twice("refund", "refund_requested", amount=5)


@sound("5", "ids that another wallet has, and ids of one kind for another", EVERYTHING)
def _(log):
    log.add("charge_settled", "V", charge="C1", amount=5)
    log.add("free_granted", "V", grant="G1", amount=5, expires_on=epoch_day("9"))
    log.add("refund_requested", "V", refund="R1", amount=5)
    log.add("charge_settled", "W", charge="G1", amount=5)
    log.add("cash_consumed", "W", usage="C1", parts=[lot(1, 5)])


LONG = "x" * 65
for field, event, given in (("charge", "charge_settled", {"amount": 5}),
                            ("usage", "cash_consumed", {"parts": [lot(1, 5)]}),
                            ("refund", "refund_requested", {"amount": 5}),
                            ("grant", "free_granted",
                             {"amount": 5, "expires_on": epoch_day("9")})):
    for what, wrong in (("white space", "a b"), ("a control character", "a\x07"), ("65 bytes", LONG),
                        ("nothing", "")):
        def id_case(event=event, field=field, given=given, wrong=wrong, what=what):
            @forgery("5", f"the id of a {field} has {what}", EVERYTHING)
            def _(log, lie):
                return log.add(event, "W", **{**given, field: lie(LONG[1:], wrong)})
        id_case()


@forgery("5", "the id of a wallet has white space", EVERYTHING)
def _(log, lie):
    return log.add("wallet_created", id=lie("a_b", "a b"))


@forgery("5", "a wallet's number leaves one out", EVERYTHING)
def _(log, lie):
    e = log.add("wallet_created", id="NEW")
    e.wallet += lie(0, 1)
    return e


@forgery("5", "a charge's lot leaves a number out", EVERYTHING)
def _(log, lie):
    return log.add("charge_settled", "W", charge="CX", amount=5, lot=lie(2, 3))


@forgery("5", "a charge has the lot of another", EVERYTHING)
def _(log, lie):
    return log.add("charge_settled", "W", charge="CX", amount=5, lot=lie(2, 1))


@forgery("5", "an event leaves its wallet's event before it out", EVERYTHING)
def _(log, lie):
    e = log.add("charge_settled", "W", charge="CX", amount=5)
    e.prev = lie(None, log.find("charge_settled"))
    return e


@forgery("5", "an event of a wallet that is not there", EVERYTHING)
def _(log, lie):
    return log.add("charge_settled", lie("V", 9), charge="CX", amount=5, lot=1)


@forgery("5", "an event of the ledger names a wallet", EVERYTHING)
def _(log, lie):
    e = log.add("policy_set", policy="vat_rate", value=1, at="1 10:00")
    e["from"], e.wallet = e.recorded_at, lie(0, 1)
    return e


@forgery("5", "a second ledger begins", EVERYTHING)
def _(log, lie):
    if not lie:
        return None
    first = log.events[0]
    e = log.add("ledger_created", **first.fields)
    return e


# ---- policies

def policy(name, word, right, wrong, sooner=0):
    @forgery("5", f"a policy {name}", EVERYTHING)
    def _(log, lie):
        e = log.add("policy_set", policy=word, value=lie(right, wrong))
        e["from"] = e.recorded_at - lie(0, sooner)
        return e


for each, least, most in (("vat_rate", 0, 100), ("min_charge", 0, 999_999_999_999_999),
                          ("day_close", 0, 1), ("day_close_grace", 0, 31_622_400),
                          ("clock_tolerance", 0, 3_155_760_000), ("grants_max", 0, 65_536),
                          ("empty_days_max", 0, 3_652_059)):
    policy(f"is out of its range: {each} {most + 1}", each, most, most + 1)
    policy(f"is out of its range: {each} below 0", each, least, -1)
policy("of 5000 per cent", "vat_rate", 10, 5000)
policy("is in force from a microsecond before it was recorded", "vat_rate", 11, 11, 1)
policy("changes years that are over", "vat_rate", 0, 0, 6 * 365 * 86_400_000_000)


@forgery("5", "a policy is in force from the beginning, and was set later", EVERYTHING)
def _(log, lie):
    e = log.add("policy_set", policy="vat_rate", value=1)
    e["from"] = lie(e.recorded_at, None)
    return e


# ---- keys

KEYED = MANUAL + """
wallet.create W
charge C1 1000 key=k1
consume U1 5000 key=k2
group k3: charge C2 5; charge C3 6"""


def key(name, used):
    @forgery("5", f"the same key twice: {name}", KEYED)
    def _(log, lie):
        return log.add("charge_settled", "W", charge="CX", amount=5).key(lie("new", used))


key("of a charge", "k1")
key("of a refusal", "k2")
key("of a group", "k3")


@forgery("5", "the key of an accepted command is refused later", KEYED)
def _(log, lie):
    refused = log.find("command_refused")
    e = log.add("command_refused", **{**refused.fields, "figures": [("available", 1011)]})
    e.extra = {"KEY": [lie("new", "k1"), "", 1]}
    return e


@sound("5", "the same key of another caller", KEYED)
def _(log):
    log.add("charge_settled", "W", charge="CX", amount=5).key("k1", "someone")


# ---- groups

GROUPED = MANUAL + """
wallet.create W
charge C1 1000
group g: charge C2 5; charge C3 6; consume U1 7"""


def group(name, change, key=None):
    @forgery("5", f"a group {name}", GROUPED)
    def _(log, lie):
        last = log.find("cash_consumed")
        members = log.events[log.index(last.group_first):log.index(last) + 1]
        extra = change(log, last, members) if lie else None
        return members + (extra or [])


def attributes(**values):
    def change(_log, last, _members):
        for name, value in values.items():
            setattr(last, name, value)
    return change


def commands(n):
    def change(_log, last, _members):
        last.extra["GROUP"][1] = n
    return change


def cut(log, last, _members):
    last.commit += 1


def another_time(log, last, _members):
    last.recorded_at += 1


def keyed_member(log, _last, members):
    members[0].key("own")


def closes_a_day(log, last, members):
    e = log.add("day_closed", day=epoch_day("1"), at="2 09:00", behind=members[0])
    for member in members + [e]:
        member.recorded_at = instant("2 09:00")
    last.extra["GROUP"][1] = 4
    return [e]


def has_a_refusal(log, last, members):
    e = log.add("command_refused", op="charge", code="WALLET_UNKNOWN", behind=members[0])
    e.key("r")
    last.extra["GROUP"][1] = 4
    return [e]


def within_another(log, last, members):
    members[1].group_first = members[0]
    members[1].extra["GROUP"] = [0, 2]


group("has more events than the log", attributes(group_events=5000))
group("begins before the ledger", attributes(group_events=0))
group("has 8,193 commands", commands(8193))
group("has more commands than events", commands(4))
group("has fewer commands than its events answer", commands(2))
group("has no commands", commands(0))
group("lies in two commits", cut)
group("was recorded at two times", another_time)
group("has a member with a key of its own", keyed_member)
group("closes a day", closes_a_day)
group("has a refusal in it", has_a_refusal)
group("lies within another", within_another)


@forgery("5", "a group reaches back into what stands before it", GROUPED)
def _(log, lie):
    last = log.find("cash_consumed")
    found = log.events[log.index(last.group_first) - 1:log.index(last) + 1]
    if lie:
        last.group_first = found[0]
    return found


@forgery("5", "a group reaches back into another group",
         GROUPED + "\ngroup h: charge C4 1; charge C5 1")
def _(log, lie):
    last, before = log.find("charge_settled", -1), log.find("cash_consumed")
    if lie:
        last.group_first, last.extra["GROUP"][1] = before, 3
    return [before] + log.events[-2:]


@sound("5", "a group that deletes: its expiries and forfeits are events of its commands", MANUAL + """
wallet.create W
free.grant G1 5 3
free.grant G2 6 9
= 4 09:00
group g: wallet.rename m; wallet.off; wallet.delete""")
def _(log):
    pass


# ---- flags of the envelope

@forgery("5", "an event of a known type that may be skipped", PLAIN)
def _(log, lie):
    e = log.find("charge_settled")
    if lie:
        e.extra["SKIPPABLE"] = []
    return e


@forgery("5", "an event of a subject, of a type that has none", PLAIN)
def _(log, lie):
    e = log.find("charge_settled")
    if lie:
        e.extra["SUBJECT"] = [9, 0]
    return e


# ---- remembered refusals

REFUSED = PLAIN + """
free.grant G1 100 9
free.activate G1
refund.request R1 300
refund.request R2 100
refund.cancel R2
"""
SUSPENDED = REFUSED + "wallet.suspend\n"


def refused(name, line, change, script=REFUSED):
    @forgery("5", f"a refusal {name}", script + line + " key=r")
    def _(log, lie):
        e = log.find("command_refused")
        if lie:
            change(log, e)
        return e


def code(word, *figures):
    def change(_log, e):
        e["code"], e["figures"] = word, list(figures)
    return change


def figure(value, nth=0):
    def change(_log, e):
        e["figures"][nth] = (e["figures"][nth][0], value)
    return change


def without(event):
    def change(log, _e):
        log.drop(log.find(event, -1))
    return change


def of_wallet(number, name):
    def change(_log, e):
        if "wallet_no" in e.fields:
            e.fields["wallet_no"], e.fields["wallet_id"] = number, name
    return change


def known(field, value):
    def change(_log, e):
        if field in e.fields:
            e.fields[field] = value
    return change


refused("has a code that is never remembered: CLOCK_BEHIND", "consume U9 5000",
        code("CLOCK_BEHIND", ("behind_us", 5), ("recorded_at", 6)))
for each in ("KEY_CONFLICT", "MALFORMED", "AMOUNT_INVALID", "BATCH_TOO_LARGE"):
    refused(f"has a code that is never remembered: {each}", "consume U9 5000", code(each))
refused("has a code that its command never gets", "consume U9 5000", code("DAY_NOT_OVER"))
refused("has a figure that its code does not have", "consume U9 5000",
        code("INSUFFICIENT_CASH", ("left", 1100)))
refused("has no figure though its code has one", "consume U9 5000", code("INSUFFICIENT_CASH"))


def of_version_1(_log, e):
    e.version = 1
    e.fields = {field: e.fields[field] for _, field, _ in e.form()}


refused("is of version 1 in a ledger of rules 2", "consume U9 5000", of_version_1)
refused("has no key", "consume U9 5000", lambda _, e: e.extra.pop("KEY"))
refused("says that less was available", "consume U9 5000", figure(1099))
refused("says that more was available", "consume U9 5000", figure(1101))
refused("says that enough was available", "consume U9 5000", figure(5000))
refused("has the code of another", "consume U9 5000", code("WALLET_UNKNOWN"))
refused("says that a wallet is unknown that is there", "charge CX 5 wallet=X", of_wallet(1, None))
refused("says that a wallet exists that does not", "wallet.create W", of_wallet(0, "NEW"))
refused("says that a wallet is deleted that is not", "consume U9 5000", code("WALLET_DELETED"))
refused("of a suspended wallet, which was not suspended", "charge CX 5", without("wallet_suspended"),
        SUSPENDED)
refused("says another state", "charge CX 5", figure(2), SUSPENDED)
refused("speaks of the money though the state comes first", "charge CX 5",
        code("MIN_CHARGE", ("min_charge", 1000)), SUSPENDED)
refused("of an id that exists, which does not", "charge C1 5", known("id", "NEW"))
refused("of a charge that is unknown, which is known", "charge.reverse CX 5", known("id", "C1"))
refused("says that less of a charge is left", "charge.reverse C1 1001", figure(999))
refused("of a reversal that the charge covers", "charge.reverse C1 1001", known("amount", 1000))
refused("says that more can be refunded", "refund.request RX 701", figure(701))
refused("says that less can be refunded", "refund.request RX 701", figure(699))
refused("of a refund that was covered", "refund.request RX 701", known("amount", 700))
refused("of a refund says another state", "refund.approve R2", figure(1))
refused("of a refund that could be approved", "refund.approve R2", known("id", "R1"))
refused("of a refund that is unknown, which is known", "refund.approve RX", known("id", "R1"))
refused("of a repayment says another debt", "debt.repay 5", figure(4))
refused("of a grant says another state", "free.activate G1", figure(4))
refused("of a grant that is unknown, which is known", "free.activate GX", known("id", "G1"))
refused("of a deletion leaves a condition out", "wallet.delete",
        lambda _, e: e["figures"].pop())
refused("of a deletion names a condition that holds", "wallet.delete",
        lambda _, e: e["figures"].append(("refund_outstanding", 0)), PLAIN)
refused("of a deletion says other paid cash", "wallet.delete", figure(999, 1))
refused("of a return of more than was consumed, which was not", "consume.reverse U1 6",
        known("amount", 5), REFUSED + "consume U1 5\n")
refused("says another minimum charge", "charge CX 5 method=CREDIT_CARD", figure(5000))
refused("of a charge that min_charge allows", "charge CX 5 method=CREDIT_CARD", known("amount", 1000))
refused("says another grants_max", "free.grant GX 5 9", figure(2),
        "policy.set grants_max 1\n" + REFUSED)
refused("says grants_max though there is room", "free.grant GX 5 9", without("policy_set"),
        REFUSED + "policy.set grants_max 1\n")
refused("of a policy in the past is ahead of it", "policy.set vat_rate 1 from=1_08:00",
        figure(instant("1 08:00")))
refused("of a day that is over, which is not", "day.close 9", figure(epoch_day("5")))
refused("says another last day", "free.activate G2", figure(epoch_day("2")), REFUSED +
        "free.grant G2 5 1\n= 2 09:00\n")
refused("of a grant whose last day is over says one that is not", "free.grant GX 5 1",
        figure(epoch_day("2")), REFUSED + "= 2 09:00\n")
refused("says that more of a consumption is left", "consume.reverse U1 6", figure(6),
        REFUSED + "consume U1 5\n")
refused("of too many days says fewer than the policy allows", "day.close 9", figure(2),
        "policy.set empty_days_max 2\n" + REFUSED + "= 10 09:00\n")
refused("of too many days says another empty_days_max", "day.close 9", figure(3, 1),
        "policy.set empty_days_max 2\n" + REFUSED + "= 10 09:00\n")
refused("of a time ahead says a clock ahead of the event", "consume U9 1 at=1_12:00",
        figure(instant("1 10:00")))
refused("of a time of its own, which its command may have", "wallet.off at=1_08:00",
        known("op", "charge"))
refused("of a command that is dated back, which has no time of its own, says a clock ahead",
        "wallet.off at=1_08:00", figure(instant("1 10:00")))
refused("of a charge that exists has a wallet that is not there", "charge C1 5", of_wallet(9, None))
refused("of an amount range says another limit", "charge CX 999999999999999", figure(10 ** 14))
refused("has a code for an `at` that is too old, and its command has no time of its own",
        "free.activate GX", code("AT_TOO_OLD"))


# ---- the form of a refused command: a malformed one leaves no trace

OFF = PLAIN + "wallet.off\n"
refused("has no id though its command needs one", "consume U9 5000", known("id", None))
refused("has an id though its command takes none", "wallet.off", known("id", "C1"), OFF)
refused("has an id with white space", "consume U9 5000", known("id", "a b"))
refused("has no amount though its command needs one", "charge C1 5", known("amount", 0))
refused("has an amount though its command takes none", "wallet.off", known("amount", 5), OFF)
refused("has an amount of 10^15", "charge C1 5", known("amount", 10 ** 15))
refused("has no wallet though its command needs one", "charge C1 5", of_wallet(0, None))
refused("has a wallet though its command takes none", "policy.set vat_rate 1 from=1_08:00",
        of_wallet(1, None))
refused("has a wallet's id with white space", "charge CX 5 wallet=X", of_wallet(0, "a b"))


# ---- what the state disproves, though the command is only in part in the event

refused("of a version that the wallet never had", "charge CX 5 expect=3",
        figure(10 ** 12))
refused("of a version before the wallet was there", "charge CX 5 expect=3", figure(1))
refused("of a wallet to be made, at a version that nothing has", "wallet.create X expect=3", figure(5))
refused("of a wallet to be made, which exists", "wallet.create X expect=3", of_wallet(1, None))
refused("of too many parts of a wallet with one lot", "consume U9 5000",
        code("TOO_MANY_PARTS", ("parts_max", 262144), ("most", 3)))
refused("of an amount that is out of range, and is not", "consume U9 5000",
        code("AMOUNT_RANGE", ("limit", 10 ** 15 - 1)))
for each in ("day.close", "atomic"):
    refused(f"is a {each} as a member of a group", "consume U9 5000",
            lambda _, e, op=each: e.fields.update(op=op, code="AT_IN_FUTURE", index=1, id=None, amount=0, wallet_no=0,
                                                  figures=[("now", e.recorded_at)]))

# ---- ids that show nothing

for what, name, more in (("wallet", "wallet_created", {}), ("charge", "charge_settled", {"amount": 5}),
                         ("grant", "free_granted", {"amount": 5, "expires_on": epoch_day("9")}),
                         ("refund", "refund_requested", {"amount": 5}),
                         ("usage", "cash_consumed", {"parts": [lot(1, 5)]})):
    for character in ("\u202e", "\u3164", "\u200b"):
        @forgery("5", f"a {what} with U+{ord(character):04X} in its id", PLAIN)
        def _(log, lie, what=what, name=name, more=more, character=character):
            field = "id" if what == "wallet" else what
            return log.add(name, None if what == "wallet" else "W", **{field: "N" + lie("", character)}, **more)

# ---- what init writes


def begins_with(what, field, value):
    @forgery("1", f"a ledger begins with {what}", PLAIN)
    def _(log, lie):
        if lie:
            log.events[0][field] = value
        return log.events[0]


begins_with("a currency that is no code", "currency", "K1\n")
begins_with("a currency in small letters", "currency", "krw")


@forgery("1", "rules 1 are set where rules 1 are in force", PLAIN)
def _(log, lie):
    log.drop(log.find("policy_set", policy="rules"))
    e = log.add("policy_set", policy="rules", value=lie(2, 1))
    e["from"] = e.recorded_at
    return e
