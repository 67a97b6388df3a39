"""Scripts: what the program is told before anything is forged. One command a line:

    charge C1 1000 method=CREDIT_CARD      the members that it needs, in order, then others by name
    = 3 09:00                              the clock; each command takes a second. From 1 09:00 on
    group KEY: charge C1 5; consume U1 5   an atomic command, with a key or without
    ! --roles=enforce --operator O         options of `init`
    charge C1 5 by=kim                     the actor; with a role of his own word: by=kim/MEMBER

The wallet is W where none is named, and days are those of October 2026."""
import datetime
import re

from ledger import OFFSET_S, SECOND, epoch_day, instant

MEMBERS = {"wallet.create": "wallet", "charge": "charge amount", "charge.reverse": "charge amount",
           "debt.repay": "amount", "free.grant": "grant amount expires_on",
           "free.activate": "grant", "free.revoke": "grant", "consume": "usage amount",
           "consume.reverse": "usage amount", "policy.set": "policy value", "day.close": "day",
           "wallet.rename": "name", "refund.request": "refund amount",
           "role.give": "person role", "role.take": "person role", "channel.create": "channel person",
           "channel.connect": "channel", "channel.disconnect": "channel", "channel.close": "channel",
           "channel.search_id": "channel search_id", "channel.mail_order": "channel mail_order",
           "biz.request": "biz", "biz.approve": "seq", "biz.refuse": "seq",
           "invoice.email": "email", "invoice.issue": "month",
           "invoice.correct": "invoice reason", "invoice.confirm": "invoice",
           "invoice.fail": "invoice why", "invoice.mail": "invoice result",
           "notice.send": "grant", "wallet.settlement": "settlement limit"}
MEMBERS.update(("refund." + step, "refund")
               for step in ("approve", "reject", "cancel", "complete", "fail"))
MEMBERS.update(("member." + step, "person") for step in ("invite", "accept", "leave", "remove"))
MEMBERS.update(("sales." + step, "agency") for step in ("request", "accept", "refuse"))
MEMBERS.update((op, "channel person") for op in ("manager.add", "manager.remove",
                                                 "channel.transfer"))
MEMBERS["master.transfer"] = "person"
WITHOUT_WALLET = ("policy.set", "day.close", "atomic", "role.give", "role.take", "channel.create",
                  "manager.add", "manager.remove", "channel.transfer", "channel.close",
                  "channel.search_id", "channel.mail_order")
RECORD = {"biz_name": "n", "representative": "r", "address": "a"}


def rfc3339(t):
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=t, seconds=OFFSET_S)
    return moment.isoformat(timespec="microseconds") + "+09:00"


def value_of(member, word):
    if member in ("expires_on", "day"):
        return (datetime.date(1970, 1, 1) + datetime.timedelta(epoch_day(word))).isoformat()
    if member in ("at", "from"):
        return rfc3339(instant(word.replace("_", " ")))
    if member in ("amount", "value", "seq", "expect", "limit", "invoice") and word.isdigit():
        return int(word)
    return {"true": True, "false": False}.get(word, word)


def command(text):
    op, *words = text.split()
    names = MEMBERS.get(op, "").split()
    named = dict(word.split("=", 1) for word in words if re.match(r"[a-z_]+=", word))
    plain = [word for word in words if not re.match(r"[a-z_]+=", word)]
    assert len(plain) <= len(names), text
    named.update(zip(names, plain))
    actor = named.pop("by", None)
    members = {"op": op, **{m: value_of(m, w) for m, w in named.items()}}
    if op not in WITHOUT_WALLET and not (op.startswith("biz.") and "channel" in members):
        members.setdefault("wallet", "W")
    if actor is not None:
        members["actor"] = dict(zip(("id", "role"), actor.split("/")))
    if op == "biz.request":
        members = {**RECORD, **members}
    if op == "wallet.create":
        members = {"kind": "BUSINESS", "name": "n", **members}
    return members


def options(script):
    """What `init` is told: without tax invoices, unless the script says so."""
    words = [word for line in script.split("\n") if line.strip().startswith("!")
             for word in line.strip()[1:].split()]
    return words if "--invoice-from" in words else words + ["--invoice-from", "none"]


def commands(script):
    """The commands of a script, as `jangbu apply` reads them."""
    clock, found = instant("1 09:00"), []
    for line in filter(None, (line.strip() for line in script.split("\n"))):
        if line.startswith("!"):
            continue
        if line.startswith("="):
            clock = instant(line[1:].strip())
            continue
        if line.startswith("group"):
            head, members = line.split(":", 1)
            c = {"op": "atomic", "commands": [command(m) for m in members.split(";")]}
            c.update({"key": head.split()[1]} if len(head.split()) > 1 else {})
        else:
            c = command(line)
        found.append({**c, "clock": rfc3339(clock)})
        clock += SECOND
    return found
