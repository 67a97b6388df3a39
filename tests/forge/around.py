"""docs/rules.md sections 10 to 13: roles, members, channels, business information, rights."""
from forgery import forgery, sound
from ledger import Format, debt, epoch_day, instant, lot

ENFORCE = "! --roles=enforce --operator O\n"
PEOPLE = """
policy.set day_close manual by=O
role.give gate GATEWAY by=O
role.give sys SYSTEM by=O
role.give hong AGENCY agency=A by=O
role.give kang AGENCY agency=B by=O
wallet.create W master=kim by=O
wallet.create P kind=PERSONAL master=park by=O
member.invite lee by=kim
member.accept lee by=lee
member.invite lee wallet=P by=park
member.accept lee wallet=P by=lee
channel.create C kim channel_kind=BUSINESS by=O
channel.create D park by=O
channel.create E kim channel_kind=BUSINESS by=O
manager.add C choi by=kim
channel.connect C by=kim
charge C1 5000 by=kim
"""
ASKING = ENFORCE + PEOPLE  # the same ledger, where roles are asked and where they are not
TRUSTING = PEOPLE
CHANNEL = {"C": 1, "D": 2, "E": 3}


def people(log):
    """References by name: from the events of PEOPLE, in which each comes first once."""
    given = {e["agency"] or e["role"]: e["person"] for e in log.all("role_given")
             if e["how"] == "GIVEN"}
    masters = [e["master"] for e in log.all("wallet_created")]
    return {"gate": given["GATEWAY"], "sys": given["SYSTEM"], "hong": given["A"],
            "kang": given["B"], "kim": masters[0], "park": masters[1],
            "lee": log.find("member_invited")["person"],
            "choi": log.find("channel_staffed")["person"],
            "O": log.find("role_given", role="GATEWAY").extra["ACTOR"][0], "nobody": 999}


def add(log, event, wallet=None, /, by="kim/MASTER", of=None, mention=None, who=None, **fields):
    """Like log.add. by: the actor and his role's word; of: the channel that it belongs to; mention:
    one that it names; who: fields that are people, by their names."""
    known = people(log)
    fields.update((field, known[person]) for field, person in (who or {}).items())
    e = log.add(event, wallet, **fields)
    if by:
        person, role = by.split("/")
        e.extra["ACTOR"] = [known[person], role]
    if of:
        e.extra["SUBJECT"] = [CHANNEL.get(of, of) * 8 + Format.subjects["CHANNEL"], 0]
    if mention:
        e.extra["CHANNEL"] = [CHANNEL.get(mention, mention)]
    return e


def differs(section, what, script, event, wallet, right, wrong, **both):
    """The event with what both have and with `right`, or with `wrong`."""
    @forgery(section, what, script)
    def _(log, lie):
        return add(log, event, wallet, **both, **lie(right, wrong))


CHARGED = {"charge": "CX", "amount": 5}
USED = {"parts": [lot(1, 5)]}

# ---- who may

differs("10", "a charge by nobody", ASKING, "charge_settled", "W", {"by": "kim/MASTER"},
        {"by": None}, **CHARGED)
for each in ("MEMBER", "", "OPERATOR", "chief"):
    differs("10", f"a charge by the master as {each or 'nothing'}", ASKING, "charge_settled", "W",
            {"by": "kim/MASTER"}, {"by": "kim/" + each}, **CHARGED)
differs("10", "a charge by a stranger", ASKING, "charge_settled", "W", {"by": "lee/MEMBER"},
        {"by": "park/MASTER"}, **CHARGED)
differs("10", "a charge by one whom nobody knows", ASKING, "charge_settled", "W",
        {"by": "lee/MEMBER"}, {"by": "nobody/MASTER"}, **CHARGED)
differs("10", "a charge by an operator", ASKING, "charge_settled", "W", {"by": "gate/GATEWAY"},
        {"by": "O/OPERATOR"}, **CHARGED)
differs("10", "a charge by hand, by the master", ASKING, "charge_settled", "W",
        {"by": "O/OPERATOR"}, {"by": "kim/MASTER"}, method="ADMIN_CASH", **CHARGED)
differs("10", "cash given back, by the gateway", ASKING, "charge_settled", "W",
        {"by": "O/OPERATOR"}, {"by": "gate/GATEWAY"}, method="ADV_RET_CASH", **CHARGED)
differs("10", "a charge that runs by itself, by the master", ASKING, "charge_settled", "W",
        {"by": "sys/SYSTEM"}, {"by": "kim/MASTER"}, method="CREDIT_CARD_REGULAR", charge="CX",
        amount=1000)
differs("10", "a grant by the master", ASKING, "free_granted", "W", {"by": "O/OPERATOR"},
        {"by": "kim/MASTER"}, grant="G", amount=5, expires_on=epoch_day("9"))
differs("10", "a grant of any origin by the system", ASKING, "free_granted", "W",
        {"origin": "UNSENT_SIMPLE"}, {"origin": "PROMOTION"}, by="sys/SYSTEM", grant="G", amount=5,
        expires_on=epoch_day("9"))
for name, right, wrong in (("wallet_suspended", "O/OPERATOR", "kim/MASTER"),
                           ("wallet_turned_off", "kim/MASTER", "O/OPERATOR"),
                           ("wallet_turned_off", "kim/MASTER", "lee/MEMBER")):
    differs("10", f"{name} by {wrong}", ASKING, name, "W", {"by": right}, {"by": wrong})
differs("10", "a policy set by the master of a wallet", ASKING, "policy_set", None,
        {"by": "O/OPERATOR"}, {"by": "kim/MASTER"}, policy="vat_rate", value=5,
        **{"from": instant("1 10:00")})
differs("10", "a role given by a gateway", ASKING, "role_given", None, {"by": "O/OPERATOR"},
        {"by": "gate/GATEWAY"}, who={"person": "park"}, role="OPERATOR")
differs("10", "a day closed by the master of a wallet", ASKING, "day_closed", None,
        {"by": "sys/SYSTEM"}, {"by": "kim/MASTER"}, day=epoch_day("1"), at="2 09:00")
differs("10", "a manager's consumption that names no channel", ASKING, "cash_consumed", "W",
        {"mention": "C"}, {}, by="choi/MANAGER", **USED)
differs("10", "a consumption by a manager at a time when the channel was not connected", ASKING,
        "cash_consumed", "W", {"occurred": "1 09:00:15"}, {"occurred": "1 09:00:14.999999"},
        by="choi/MANAGER", mention="C", **USED)
differs("10", "a manager of one channel in the name of another", ASKING, "search_id_set", None,
        {"of": "C"}, {"of": "E"}, by="choi/MANAGER", search_id="shop")
ASKED = ASKING + "sales.request A by=hong\n"
RIGHT = ASKED + "sales.accept A by=kim\n"
differs("10", "a consumption by an agency that nobody accepted", ASKED, "cash_consumed", "W",
        {"by": "kim/MASTER"}, {"by": "hong/AGENCY"}, **USED)
differs("10", "a consumption by another agency than that with the right", RIGHT, "cash_consumed",
        "W", {"by": "hong/AGENCY"}, {"by": "kang/AGENCY"}, **USED)
differs("10", "a consumption by an agency before it was accepted", RIGHT, "cash_consumed", "W",
        {"occurred": "1 09:00:18"}, {"occurred": "1 09:00:17.999999"}, by="hong/AGENCY", **USED)
differs("10", "an agency asks in the name of another", ASKING, "sales_requested", "W",
        {"agency": "A"}, {"agency": "B"}, by="hong/AGENCY")
differs("10", "somebody else accepts an invitation", ASKING + "member.invite choi by=kim",
        "member_joined", "W", {"by": "choi/SELF"}, {"by": "kim/SELF"}, who={"person": "choi"})
differs("10", "a channel is connected by the master of the wallet alone",
        ASKING + "channel.create F park channel_kind=BUSINESS by=O", "channel_connected", "W",
        {"by": "O/OPERATOR"}, {"by": "kim/MASTER"}, of=4)
differs("10", "a channel is connected by the master of both, as a member", ASKING,
        "channel_connected", "W", {"by": "kim/MASTER"}, {"by": "kim/MEMBER"}, of="E")


@forgery("10", "a channel's master makes a wallet for another", ASKING)
def _(log, lie):
    return add(log, "wallet_created", by="kim/CHANNEL_MASTER", mention="C", id="N",
               who={"master": lie("kim", "lee")})


@forgery("10", "a wallet without a master, while roles are asked", ASKING)
def _(log, lie):
    return add(log, "wallet_created", by="O/OPERATOR", id="N", **lie({"who": {"master": "lee"}}, {}))


@forgery("10", "a member of a group by nobody", ASKING)
def _(log, lie):
    first = add(log, "charge_settled", "W", **CHARGED)
    last = add(log, "cash_consumed", "W", parts=[lot(1, 5)])
    log.group(first, last)
    if lie:
        first.extra.pop("ACTOR")
    return first


# ---- when a role was held

LEFT = ASKING + "member.leave lee by=lee\n"  # at 1 09:00:17


def held(name, script, right, wrong, by="lee/MEMBER", **more):
    @forgery("10", f"a role that {name}", script)
    def _(log, lie):
        at, occurred = lie(right, wrong)
        return add(log, "cash_consumed", "W", by=by, at=at, occurred=occurred, **USED, **more)


held("was not held yet", ASKING, (None, "1 09:00:08"), (None, "1 09:00:07.999999"))
held("ended in the same instant", LEFT, (None, "1 09:00:16.999999"), (None, "1 09:00:17"))
held("is over", LEFT, (None, "1 09:00:10"), (None, None))
held("its holder has again, in between", LEFT + "member.invite lee by=kim\n= 1 10:00\n"
     "member.accept lee by=lee\n", (None, "1 10:00"), (None, "1 09:30"))


@forgery("10", "the system reports what happened while it had its role, and has it no more",
         ASKING + "role.take gate GATEWAY by=O\n")
def _(log, lie):
    return add(log, "charge_settled", "W", by=lie("kim/MASTER", "gate/GATEWAY"),
               occurred="1 09:00:16", **CHARGED)


@sound("10", "a new system reports what happened before it had its role",
       ASKING + "= 1 10:00\nrole.give choi SYSTEM by=O\n")
def _(log):
    add(log, "cash_consumed", "W", by="choi/SYSTEM", occurred="1 09:30", **USED)


@sound("10", "the first of several roles by the actor's own word", ASKING)
def _(log):
    known = people(log)
    log.add("role_given", person=known["kim"], role="OPERATOR").extra["ACTOR"] = [known["O"],
                                                                                 "OPERATOR"]
    add(log, "refund_requested", "W", by="kim/MASTER", refund="R1", amount=5)
    add(log, "refund_requested", "W", by="kim/OPERATOR", refund="R2", amount=5)


# ---- roles of the ledger

differs("10", "a role is given again", TRUSTING, "role_given", None, {"who": {"person": "kim"}},
        {"who": {"person": "gate"}}, role="GATEWAY")
differs("10", "a role is taken that is not held", TRUSTING, "role_taken", None,
        {"who": {"person": "gate"}}, {"who": {"person": "kim"}}, role="GATEWAY")
differs("10", "staff of no agency", TRUSTING, "role_given", None, {"agency": "A"}, {},
        who={"person": "kim"}, role="AGENCY")
differs("10", "a gateway of an agency", TRUSTING, "role_given", None, {}, {"agency": "A"},
        who={"person": "kim"}, role="GATEWAY")
differs("10", "a role that nobody gives", TRUSTING, "role_given", None, {"role": "SYSTEM"},
        {"role": "MASTER"}, who={"person": "kim"})
differs("10", "a role given as by init, later", ASKING, "role_given", None, {"how": "GIVEN"},
        {"how": "INIT"}, by="O/OPERATOR", who={"person": "kim"}, role="OPERATOR")
differs("10", "a gateway is recovered", ASKING, "role_given", None, {"role": "OPERATOR"},
        {"role": "GATEWAY"}, by=None, how="RECOVERED", who={"person": "kim"})
differs("10", "an operator is given by nobody", ASKING, "role_given", None, {"how": "RECOVERED"},
        {"how": "GIVEN"}, by=None, role="OPERATOR", who={"person": "kim"})


@forgery("10", "the last operator is taken", ASKING)
def _(log, lie):
    if not lie:
        add(log, "role_given", by="O/OPERATOR", role="OPERATOR", who={"person": "kim"})
    return add(log, "role_taken", by="O/OPERATOR", role="OPERATOR", who={"person": "O"})


OPERATED = TRUSTING + "role.give O OPERATOR by=O\n"


def switched(name, script, lied, value=1, later=0):
    @forgery("10", f"roles are asked {name}", script)
    def _(log, lie):
        if lie and lied:
            log.drop(log.find("role_given", -1))
        e = log.add("policy_set", policy="roles", value=lie(1, value))
        e["from"] = e.recorded_at + lie(0, later)
        return e


switched("without an operator", OPERATED, True)
switched("by a matrix that there is not", OPERATED, False, value=2)
switched("from a later time on", OPERATED, False, later=1)


@forgery("10", "roles are asked with a wallet without a master", OPERATED + "wallet.create N")
def _(log, lie):
    if not lie:
        add(log, "master_transferred", "N", **{"from": 0}, who={"to": "lee"})
    e = log.add("policy_set", policy="roles", value=1)
    e["from"] = e.recorded_at
    return e


@forgery("10", "init lets roles be asked and makes no operator", ENFORCE)
def _(log, lie):
    if lie:
        log.drop(log.find("role_given"))
    return log.find("policy_set", policy="roles")


# ---- members

INVITED = ASKING + "member.invite choi by=kim\n"  # at 1 09:00:17, for seven days
differs("10", "an invitation that lapsed in the same instant", INVITED, "member_joined", "W",
        {"at": "8 09:00:16.999999"}, {"at": "8 09:00:17"}, by="choi/SELF", who={"person": "choi"})
differs("10", "a member joins who was not invited", INVITED, "member_joined", "W",
        {"by": "choi/SELF", "who": {"person": "choi"}}, {"by": "park/SELF", "who": {"person": "park"}})
differs("10", "an invitation for longer than the policy says", ASKING, "member_invited", "W",
        {"until": instant("8 10:00")}, {"until": instant("8 10:00") + 1}, at="1 10:00",
        who={"person": "choi"})
differs("10", "a member is invited", ASKING, "member_invited", "W", {"who": {"person": "choi"}},
        {"who": {"person": "lee"}}, at="1 10:00", until=instant("8 10:00"))
differs("10", "somebody is invited twice", INVITED, "member_invited", "W",
        {"who": {"person": "park"}}, {"who": {"person": "choi"}}, at="1 10:00",
        until=instant("8 10:00"))


@forgery("10", "more people than members_max", "policy.set members_max 2 by=O\n".join(("", PEOPLE)))
def _(log, lie):
    if not lie:
        add(log, "member_left", "W", why="LEFT", who={"person": "lee"}, at="1 09:30")
    return add(log, "member_invited", "W", at="1 10:00", until=instant("8 10:00"),
               who={"person": "park"})


@forgery("10", "a member joins by an invitation of a former master", INVITED)
def _(log, lie):
    known = people(log)
    if lie:
        add(log, "master_transferred", "W", **{"from": known["kim"]}, who={"to": "lee"})
    return add(log, "member_joined", "W", by="choi/SELF", who={"person": "choi"})


@forgery("10", "a member joins by an invitation that was withdrawn", INVITED)
def _(log, lie):
    if lie:
        add(log, "member_left", "W", why="WITHDRAWN", who={"person": "choi"})
    return add(log, "member_joined", "W", by="choi/SELF", who={"person": "choi"})


differs("10", "a master leaves", ASKING, "member_left", "W",
        {"by": "lee/SELF", "who": {"person": "lee"}}, {"by": "kim/SELF", "who": {"person": "kim"}},
        why="LEFT")
differs("10", "a member is removed as if he had left", ASKING, "member_left", "W",
        {"why": "REMOVED"}, {"why": "LEFT"}, who={"person": "lee"})
differs("10", "a member declines", ASKING, "member_left", "W", {"why": "LEFT"},
        {"why": "DECLINED"}, by="lee/SELF", who={"person": "lee"})
differs("10", "an invited person leaves", INVITED, "member_left", "W", {"why": "DECLINED"},
        {"why": "LEFT"}, by="choi/SELF", who={"person": "choi"})
differs("10", "a wallet goes to one who is no member", ASKING, "master_transferred", "W",
        {"who": {"from": "kim", "to": "lee"}}, {"who": {"from": "kim", "to": "choi"}})
differs("10", "a wallet goes to one who is invited only", INVITED, "master_transferred", "W",
        {"who": {"from": "kim", "to": "lee"}}, {"who": {"from": "kim", "to": "choi"}})
differs("10", "a wallet goes over from one who is not its master", ASKING, "master_transferred",
        "W", {"who": {"from": "kim", "to": "lee"}}, {"who": {"from": "park", "to": "lee"}},
        by="O/OPERATOR")
differs("10", "a master passes himself over", ASKING, "master_transferred", "W",
        {"who": {"from": "kim", "to": "lee"}}, {"from": 0, "who": {"to": "lee"}})


@forgery("10", "a PERSONAL wallet gets another master", ASKING)
def _(log, lie):
    known = people(log)
    return add(log, "master_transferred", lie("W", "P"), by="O/OPERATOR",
               **{"from": known[lie("kim", "park")]}, who={"to": "lee"})


# ---- channels

PAIR = TRUSTING + "wallet.create V master=kim by=O\n"
differs("11", "a channel has two wallets", PAIR, "channel_connected", "V", {"of": "E"}, {"of": "C"})
differs("11", "a channel is connected again", PAIR, "channel_connected", "W", {"of": "E"},
        {"of": "C"})
differs("11", "a business wallet has a BASIC channel", PAIR, "channel_connected", "V", {"of": "E"},
        {"of": "D"})


@sound("11", "a PERSONAL wallet has a BUSINESS channel, and one of a deleted wallet", PAIR)
def _(log):
    add(log, "channel_connected", "P", of="E")
    add(log, "channel_connected", "P", of="D")
    add(log, "channel_disconnected", "P", of="E")
    add(log, "channel_connected", "V", of="E")
    add(log, "wallet_turned_off", "V")
    add(log, "wallet_deleted", "V")
    add(log, "channel_connected", "P", of="E")


differs("11", "a consumption names a channel that is not connected", PAIR, "cash_consumed", "W",
        {"mention": "C"}, {"mention": "E"}, **USED)
differs("11", "a charge names a channel of another wallet", PAIR + "channel.connect E wallet=V by=kim",
        "charge_settled", "W", {"mention": "C"}, {"mention": "E"}, **CHARGED)
differs("11", "a consumption names a channel that was connected later", PAIR, "cash_consumed", "W",
        {"occurred": "1 09:00:15"}, {"occurred": "1 09:00:14.999999"}, mention="C", **USED)
differs("11", "a consumption names a channel that there is not", PAIR, "cash_consumed", "W",
        {"mention": "C"}, {"mention": 9}, **USED)
differs("11", "a wallet of business is made in the name of a BASIC channel", PAIR, "wallet_created",
        None, {"mention": "C"}, {"mention": "D"}, id="N", who={"master": "kim"})
differs("11", "a renaming names a channel", PAIR, "wallet_renamed", "W", {}, {"mention": "C"},
        name=1)
differs("11", "a role belongs to a channel", PAIR, "role_given", None, {}, {"of": "C"},
        role="SYSTEM", who={"person": "lee"})
differs("11", "a search id belongs to no channel", PAIR, "search_id_set", None, {"of": "C"}, {},
        search_id="shop")
differs("11", "a channel's event belongs to a channel that there is not", PAIR, "mail_order_set",
        None, {"of": "C"}, {"of": 7}, mail_order="1")


@forgery("11", "a channel's event names another as the one before", PAIR)
def _(log, lie):
    e = add(log, "mail_order_set", of="C", mail_order="1")
    if lie:
        e.subject_prev = log.find("channel_created")
    return e


differs("11", "a channel's id is given twice", PAIR, "channel_created", None, {"channel": "N"},
        {"channel": "C"}, of=4, kind="BASIC", who={"master": "kim"})
differs("11", "a channel is numbered with a gap", PAIR, "channel_created", None, {"of": 4},
        {"of": 5}, channel="N", kind="BASIC", who={"master": "kim"})
differs("11", "a connected channel is closed", PAIR, "channel_closed", None, {"of": "E"},
        {"of": "C"})


@forgery("11", "a closed channel gets a search id", PAIR)
def _(log, lie):
    if lie:
        add(log, "channel_closed", of="E")
    return add(log, "search_id_set", of="E", search_id="shop")


differs("11", "a manager is added again", PAIR, "channel_staffed", None, {"who": {"person": "lee"}},
        {"who": {"person": "choi"}}, of="C", role="MANAGER")
differs("11", "one is taken off who is no manager", PAIR, "channel_staffed", None,
        {"who": {"person": "choi"}}, {"who": {"person": "lee"}}, of="C", role="NONE")
differs("11", "a channel's master is taken off", PAIR, "channel_staffed", None,
        {"who": {"person": "choi"}}, {"who": {"person": "kim"}}, of="C", role="NONE")
differs("11", "a channel goes to one who is no manager", PAIR, "channel_staffed", None,
        {"who": {"person": "choi"}}, {"who": {"person": "lee"}}, of="C", role="CHANNEL_MASTER")
differs("11", "a BASIC channel gets another master",
        PAIR + "manager.add D choi by=park", "channel_staffed", None, {"of": "C"}, {"of": "D"},
        role="CHANNEL_MASTER", who={"person": "choi"})
SEARCHED = PAIR + "channel.search_id E shop by=kim\n"
differs("11", "a search id is set again", SEARCHED, "search_id_set", None, {"of": "C"}, {"of": "E"},
        search_id="other")
differs("11", "a search id is given twice", SEARCHED, "search_id_set", None, {"search_id": "other"},
        {"search_id": "shop"}, of="C")
for what, word in (("decomposed", "\u1112\u1161\u11ab\u1100\u1173\u11af"), ("with a mark", "a-b"),
                   ("with another mark", "a_b"), ("in capitals", "Shop"), ("of 16", "a" * 16),
                   ("of nothing", ""), ("with a blank", "a b")):
    differs("11", f"a search id {what}", PAIR, "search_id_set", None, {"search_id": "한글"},
            {"search_id": word}, of="C")
differs("11", "a mark that the policy does not allow",
        "policy.set search_id_marks 1 by=O\n".join(("", PAIR)), "search_id_set", None,
        {"search_id": "a-b"}, {"search_id": "a_b"}, of="C")


@forgery("11", "the search id of a closed channel is given again", SEARCHED)
def _(log, lie):
    add(log, "channel_closed", of="E")
    return add(log, "search_id_set", of="C", search_id=lie("other", "shop"))


differs("11", "a mail-order number of a BASIC channel", PAIR, "mail_order_set", None, {"of": "C"},
        {"of": "D"}, mail_order="1")
differs("11", "a mail-order number that is there", PAIR + "channel.mail_order C 1 by=kim",
        "mail_order_set", None, {"mail_order": "2"}, {"mail_order": "1"}, of="C")

for what, number in (("of 41 characters", "1" * 41), ("with a line's end", "1\n2")):
    differs("11", f"a mail-order number {what}", PAIR, "mail_order_set", None,
            {"mail_order": "1" * 40}, {"mail_order": number}, of="C")

# ---- business information


def requested(log, holder="W", **more):
    place = {"of": holder} if holder in CHANNEL else {}
    return add(log, "biz_requested", None if place else holder, **place, **more)


def approved(log, request, holder="W", name="biz_approved", **more):
    place = {"of": holder} if holder in CHANNEL else {}
    more.setdefault("by", "O/OPERATOR")
    return add(log, name, None if place else holder, request=request, **place, **more)


@forgery("12", "a registration number changes", ASKING)
def _(log, lie):
    approved(log, requested(log))
    e = requested(log, biz=lie("1234567890", "1234567891"),
                  base=lie(log.events[-1], 0))
    return [e, approved(log, e)]


@forgery("12", "an approval that undoes a newer one", ASKING)
def _(log, lie):
    old, new = requested(log), requested(log, "C", by="kim/CHANNEL_MASTER")
    if lie:
        approved(log, new, "C")
    return approved(log, old)


@forgery("12", "somebody approves what he asked for", ASKING)
def _(log, lie):
    known = people(log)
    add(log, "role_given", by="O/OPERATOR", role="OPERATOR", who={"person": "kim"})
    return approved(log, requested(log), by=lie("O/OPERATOR", "kim/OPERATOR"))


@forgery("12", "an approval of a request that another one replaced", ASKING)
def _(log, lie):
    old, new = requested(log), requested(log)
    return approved(log, lie(new, old))


@forgery("12", "a refusal of a request that was refused", ASKING)
def _(log, lie):
    old = requested(log)
    if lie:
        approved(log, old, name="biz_refused")
    return approved(log, old, name="biz_refused")


@forgery("12", "a request against an approval that is not in force", ASKING)
def _(log, lie):
    first = approved(log, requested(log))
    return requested(log, base=lie(first, 0))


@forgery("12", "the approval of another holder's request", ASKING)
def _(log, lie):
    first, other = requested(log), requested(log, "C", by="kim/CHANNEL_MASTER")
    return approved(log, lie(first, other))


for what, number in (("nine digits", "123456789"), ("letters", "123456789a"), ("dashes", "123-45-678")):
    differs("12", f"a registration number with {what}", ASKING, "biz_requested", "W", {},
            {"biz": number})


@forgery("12", "business information of a PERSONAL wallet", TRUSTING)
def _(log, lie):
    return requested(log, lie("W", "P"))


@sound("12", "a channel becomes BUSINESS, several ask for one number, an older approval is named",
       ASKING)
def _(log):
    first = requested(log)
    other = requested(log, "D", by="park/CHANNEL_MASTER")
    approved(log, other, "D")
    approved(log, first, name="biz_refused")
    again = requested(log, base=log.find("biz_approved"))
    approved(log, again)
    add(log, "mail_order_set", of="D", by="park/CHANNEL_MASTER", mail_order="1")


for each in ("name", "representative", "address"):
    differs("12", f"a record without {each}", ASKING, "biz_requested", "W", {each: 1}, {each: 0})
differs("12", "an invoice e-mail that is none", ASKING, "invoice_email_set", "W", {"email": 1},
        {"email": 0})


@forgery("12", "an invoice e-mail of a PERSONAL wallet", TRUSTING)
def _(log, lie):
    return add(log, "invoice_email_set", lie("W", "P"), email=1)


# ---- the sales right, settlement, deletion

differs("13", "a right for an agency that did not ask", ASKED, "sales_accepted", "W",
        {"agency": "A"}, {"agency": "B"})
differs("13", "an agency is refused that did not ask", ASKED, "sales_refused", "W", {"agency": "A"},
        {"agency": "B"})
differs("13", "an agency asks again", ASKED, "sales_requested", "W",
        {"agency": "B", "by": "kang/AGENCY"}, {"agency": "A", "by": "hong/AGENCY"})
differs("13", "an agency asks for what it has", RIGHT, "sales_requested", "W",
        {"agency": "B", "by": "kang/AGENCY"}, {"agency": "A", "by": "hong/AGENCY"})
differs("13", "a right is released that another has", RIGHT, "sales_released", "W",
        {"agency": "A"}, {"agency": "B"})
differs("13", "a right is released that nobody has", ASKED, "sales_accepted", "W", {"agency": "A"},
        {"agency": "C"})
POSTPAID = TRUSTING + "wallet.settlement POSTPAID 100 by=O\n"


@forgery("13", "a PERSONAL wallet is POSTPAID", TRUSTING)
def _(log, lie):
    return add(log, "settlement_changed", lie("W", "P"), settlement="POSTPAID", limit=100)


differs("13", "a settlement that was so already", POSTPAID, "settlement_changed", "W",
        {"limit": 99}, {"limit": 100}, settlement="POSTPAID")
differs("13", "a limit above all amounts", POSTPAID, "settlement_changed", "W",
        {"limit": 10 ** 15 - 1}, {"limit": 10 ** 15}, settlement="POSTPAID")
EMPTY = PEOPLE.replace("charge C1 5000 by=kim\n", "") + "wallet.settlement POSTPAID 0 by=O\n" \
    "sales.request A by=hong\nsales.accept A by=kim\nwallet.off by=kim\n"


def deleted(name, *cures):
    @forgery("13", f"a wallet is deleted {name}", EMPTY)
    def _(log, lie):
        for i, (event, fields) in enumerate((
                ("sales_released", {"agency": "A"}),
                ("settlement_changed", {"settlement": "PREPAID"}))):
            if not lie or i in cures:
                add(log, event, "W", **fields)
        return add(log, "wallet_deleted", "W")


deleted("with a sales right and postpaid")
deleted("with a sales right", 1)
deleted("postpaid, with a limit of 0", 0)

# ---- who is forgotten

OVER = ASKING + "member.remove lee by=kim\nmember.remove lee wallet=P by=park\n" \
    "wallet.create X kind=PERSONAL master=park by=O\nwallet.off wallet=X by=park\n" \
    "wallet.delete wallet=X by=park\n"
differs("8", "a master is forgotten", OVER, "forgotten", None, {"who": {"person": "lee"}},
        {"who": {"person": "kim"}}, by="O/OPERATOR", wallet_no=0, biz=None)
differs("8", "a channel's manager is forgotten", OVER, "forgotten", None,
        {"who": {"person": "lee"}}, {"who": {"person": "choi"}}, by="O/OPERATOR", wallet_no=0,
        biz=None)
differs("8", "an operator is forgotten", OVER, "forgotten", None, {"who": {"person": "lee"}},
        {"who": {"person": "O"}}, by="O/OPERATOR", wallet_no=0, biz=None)
differs("8", "somebody is forgotten by a master", OVER, "forgotten", None, {"by": "O/OPERATOR"},
        {"by": "kim/MASTER"}, who={"person": "lee"}, wallet_no=0, biz=None)
differs("8", "a wallet is forgotten that is in use", OVER, "forgotten", None, {"wallet_no": 3},
        {"wallet_no": 1}, by="O/OPERATOR", person=0, biz=None)
differs("8", "nobody is forgotten", OVER, "forgotten", None, {"wallet_no": 3}, {"wallet_no": 0},
        by="O/OPERATOR", person=0, biz=None)
differs("8", "two are forgotten at once", OVER, "forgotten", None, {"wallet_no": 0},
        {"wallet_no": 3}, by="O/OPERATOR", who={"person": "lee"}, biz=None)
differs("8", "a business is forgotten that somebody asks for",
        OVER + "biz.request 1234567890 by=kim\n", "forgotten", None, {"biz": "2222222222"},
        {"biz": "1234567890"}, by="O/OPERATOR", person=0, wallet_no=0)
differs("8", "people.mdb is sealed with a layout that is not sealed", TRUSTING,
        "people_encrypted", None, {"layout": 2}, {"layout": 1}, by=None)
