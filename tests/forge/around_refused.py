"""docs/rules.md sections 9 and 10: remembered refusals of roles, members, channels and the rest."""
from forgery import forgery, sound
from ledger import epoch_day, instant
from around import ASKED, ASKING, POSTPAID, RIGHT, SEARCHED, TRUSTING, add, people, requested, approved
from wallets import code, figure, known

OPERATED = TRUSTING + "role.give O OPERATOR by=O\n"


def refused(name, line, change, script=ASKING):
    @forgery("10", f"a refusal {name}", script + line + " key=r")
    def _(log, lie):
        e = log.find("command_refused")
        if lie:
            change(log, e)
        return e


def actor(person, role=""):
    def change(log, e):
        e.extra["ACTOR"] = [people(log)[person], role]
    return change


def nobody(_log, e):
    e.extra.pop("ACTOR", None)


def also(event, who, **fields):
    """Something more happened before it."""
    def change(log, e):
        log.drop(e)
        add(log, event, fields.pop("wallet", None), who=who, **fields)
        e.recorded_at, e.commit = log.events[-1].recorded_at + 1_000_000, log.events[-1].commit + 1
        log.events.append(e)
    return change


# ---- roles come first

refused("for the money, of one without a role", "consume U9 9999 by=lee", actor("park"))
refused("for the money, of nobody", "consume U9 9999 by=lee", nobody)
refused("for the money, by a role that does not take it", "consume U9 9999 by=lee",
        actor("lee", "OPERATOR"))
refused("for the version, of one without a role", "wallet.off expect=3 by=kim", actor("lee"))
refused("for the state, of one without a role", "wallet.lift by=O", actor("kim"))
refused("for the day, of one without a role", "day.close 9 by=sys", actor("gate"))
refused("for the role, where none is asked", "consume U9 9999 by=lee",
        code("ROLE", ("have", 4), ("have_now", 4), ("who", 382)), TRUSTING)
refused("for the role, of one who had one", "wallet.off by=lee", actor("kim"))
refused("for the role says that he had one that he had not", "wallet.off by=lee", figure(64))
refused("for the role says that he had none", "wallet.off by=lee",
        code("ROLE", ("have", 0), ("have_now", 0), ("who", 2)))
refused("for the role says that he has another now", "wallet.off by=lee", figure(2, 1))
refused("for the role says that others may", "wallet.off by=lee", figure(66, 2))
refused("for the role has figures of another code", "wallet.off by=lee",
        code("ROLE", ("state", 2)))
refused("for the role, of a group", "wallet.off by=lee", known("op", "atomic"))

@sound("10", "a refusal for the role of one whom nobody knows, and who names one",
       ASKING + "member.accept gum by=gum/MEMBER key=r")
def _(_log):
    pass


refused("for an unknown channel, of a wallet that exists", "wallet.create N channel=X by=O",
        lambda _, e: e.fields.update(wallet_no=1, wallet_id=None))

# ---- members

refused("of an invitation that lapsed, which did not", "member.accept choi by=choi",
        figure(instant("8 09:00:18")), ASKING + "member.invite choi by=kim\n= 9 09:00\n")
refused("of an invitation that lapsed, which is to come", "member.accept choi by=choi",
        figure(instant("10 09:00")), ASKING + "member.invite choi by=kim\n= 9 09:00\n")
refused("says that one who was never invited was", "member.accept choi by=choi", figure(2))
refused("says another state of one who leaves", "member.leave choi by=choi", figure(3))
refused("says that nobody was invited, of a member", "member.invite lee by=kim", figure(1))
refused("says that somebody is invited, and nobody is", "member.invite lee by=kim", figure(2))
refused("says that a master was invited, of no master",
        "member.invite kim wallet=N by=kim", figure(5),
        TRUSTING + "wallet.create N by=O\nmember.invite kim wallet=N by=O\n")
refused("of a member to be removed says that he is one", "member.remove choi by=kim", figure(4))
refused("of a new master says that he is a member", "master.transfer choi by=kim", figure(4))
refused("of more people than members_max says another one", "member.invite choi by=kim", figure(3),
        "! --roles=enforce --operator O\npolicy.set members_max 2 by=O\n" +
        ASKING.split("\n", 1)[1])
refused("of more people than members_max, and there are not", "member.invite lee by=kim",
        code("MEMBERS_LIMIT", ("members_max", 1000)))
refused("needs a master, of one who is none", "member.leave kim by=kim", actor("lee"))
refused("needs a master for another figure", "policy.set roles 1 by=O", figure(2),
        OPERATED + "wallet.create N by=O\n")
refused("of the last operator, of two", "role.take O OPERATOR by=O",
        also("role_given", {"person": "kim"}, role="OPERATOR", by="O/OPERATOR"))
refused("of a role that is held, and nobody has any", "role.take kim SYSTEM by=O", figure(8))
refused("of a wallet's kind says another", "master.transfer lee wallet=P by=park", figure(3))
refused("of a wallet's kind says other kinds", "master.transfer lee wallet=P by=park", figure(2, 1))
refused("of a wallet's kind, which is right", "master.transfer choi by=kim",
        code("WALLET_KIND", ("kind", 2), ("kinds", 12)))

# ---- channels

refused("of a channel says that it is free, of one to be connected", "channel.connect C by=kim",
        figure(1))
refused("of a channel says that it is connected, of one to be used",
        "consume U9 5 channel=E by=kim", figure(2))
refused("of a channel's state, of business information of a wallet",
        "biz.request 1234567890 wallet=P by=park",
        code("CHANNEL_STATE", ("state", 4)))
refused("of a channel's kind says BUSINESS", "channel.mail_order D 1 by=park", figure(2))
refused("of a search id that was set, by another event", "channel.search_id E other by=kim",
        figure(3), "! --roles=enforce --operator O\n" + SEARCHED)
refused("of a search id that is taken, by an event to come", "channel.search_id C shop by=kim",
        figure(900), "! --roles=enforce --operator O\n" + SEARCHED)
refused("of a version that no channel has", "channel.close E expect=3 by=kim", figure(2))

# ---- business information, rights

refused("of a review that is stale, of one that refuses", "biz.refuse 3 by=O", figure(3))
refused("of a review that is stale, and nothing is open", "biz.approve 3 by=O", figure(3))
refused("of a right says that nobody asked, of an agency that asks", "sales.request A by=hong",
        figure(1), ASKED)
refused("of a right says that an agency has it, and none does", "sales.request A by=hong",
        figure(3), ASKED)
refused("of a right that nobody has, and one has", "sales.release by=kim",
        also("sales_accepted", {}, wallet="W", agency="A"), ASKED)
refused("of a wallet's kind, of one that may", "wallet.settlement PREPAID by=O",
        code("WALLET_KIND", ("kind", 2), ("kinds", 4)))
refused("of money leaves the limit out", "consume U9 9999 by=kim", lambda _, e: e["figures"].pop(),
        POSTPAID)
refused("of money says another limit", "consume U9 9999 by=kim", figure(99, 1), POSTPAID)
refused("of money counts the limit twice", "consume U9 9999 by=kim", figure(5200), POSTPAID)
refused("of money says a limit of a prepaid wallet", "consume U9 9999 by=kim",
        lambda _, e: e["figures"].append(("postpaid_limit", 0)))
refused("of a deletion leaves the sales right out", "wallet.delete by=kim",
        lambda _, e: e["figures"].pop(1), RIGHT)
refused("of a deletion says another event of the right", "wallet.delete by=kim", figure(5, 1), RIGHT)
refused("of a deletion leaves postpaid out", "wallet.delete by=kim", lambda _, e: e["figures"].pop(),
        POSTPAID)


@forgery("12", "a refusal of another number by an event that did not fix it",
         TRUSTING + "biz.request 1234567890 by=kim key=r\n")
def _(log, lie):
    first = log.find("biz_requested")
    ok = approved(log, first)
    e = log.add("command_refused", op="biz.request", code="BIZ_NUMBER", wallet_no=1,
                figures=[("seq", lie(log.seq(ok), log.seq(first)))])
    e.key("s")
    return e
