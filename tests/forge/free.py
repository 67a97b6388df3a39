"""docs/rules.md section 3: free cash."""
from forgery import forgery, sound
from ledger import SECOND, epoch_day, grant, lot

MANUAL = "policy.set day_close manual\n"
DORMANT = MANUAL + "wallet.create W\nfree.grant G1 100 3\n"
IN_USE = DORMANT + "free.activate G1\n"
OFF_AND_EMPTY = MANUAL + """
wallet.create W
free.grant G1 10 9
free.grant G2 20 9
free.activate G2
wallet.off
"""


def granted(name, script, right, wrong, at=None):
    @forgery("3", f"a grant {name}", script)
    def _(log, lie):
        fields = {"grant": "GX", "amount": 5, "expires_on": epoch_day("9"), **lie(right, wrong)}
        return log.add("free_granted", "W", at, **fields)


granted("whose last day is over", DORMANT, {"expires_on": epoch_day("1")},
        {"expires_on": epoch_day("9-30")})
granted("whose last day is over since midnight", MANUAL + "wallet.create W",
        {"expires_on": epoch_day("2")}, {"expires_on": epoch_day("1")}, at="2 00:00")
granted("out of its number", DORMANT, {}, {"grant_no": 3})
granted("with the number of another", DORMANT, {}, {"grant_no": 1})


@forgery("3", "more unfinished grants than grants_max", "policy.set grants_max 2\n" + DORMANT)
def _(log, lie):
    log.add("free_granted", "W", grant="GX", amount=5, expires_on=epoch_day("9"))
    if not lie:
        log.add("free_revoked", "W", grant_no=1, amount=100)
    return log.add("free_granted", "W", grant="GY", amount=5, expires_on=epoch_day("9"))


@forgery("3", "more grants than a grants_max that is in force by now",
         "policy.set grants_max 1 from=1_10:00\n" + DORMANT)
def _(log, lie):
    return log.add("free_granted", "W", grant="GX", amount=5, expires_on=epoch_day("9"),
                   at=lie("1 09:59:59.999999", "1 10:00"))


@forgery("3", "the 1,025th grant", MANUAL + "wallet.create W\n" +
         "".join(f"free.grant G{i} 1 9\n" for i in range(1024)))
def _(log, lie):
    if not lie:
        log.add("free_revoked", "W", grant_no=7, amount=1)
    return log.add("free_granted", "W", grant="GX", amount=5, expires_on=epoch_day("9"))


# ---- activation, revocation

def changed(event, name, script, right, wrong, at=(None, None)):
    @forgery("3", f"{event} {name}", script)
    def _(log, lie):
        fields = {"grant_no": 1, "amount": 100, **lie(right, wrong)}
        return log.add(event, "W", lie(*at), **fields)


for each in ("free_activated", "free_revoked"):
    changed(each, "after the grant's last day", DORMANT, {}, {}, ("3 23:59:59.999999", "4 00:00"))
    changed(each, "with less than the grant has", DORMANT, {}, {"amount": 99})
    changed(each, "of a grant that is not there", DORMANT, {}, {"grant_no": 2})
    changed(each, "of a grant in use", IN_USE + "free.grant G2 100 3", {"grant_no": 2}, {})
    changed(each, "of a revoked grant", DORMANT + "free.revoke G1\nfree.grant G2 100 3",
            {"grant_no": 2}, {})
    changed(each, "of a grant that was used up", IN_USE + "consume U1 100\nfree.grant G2 100 3",
            {"grant_no": 2}, {})
    changed(each, "of an expired grant", DORMANT + "= 4 09:00\nfree.grant G2 100 9",
            {"grant_no": 2}, {})


# ---- which grants a late usage may use

def late(name, script, right, wrong, at="1 09:30", parts=((grant(1, 50),), (grant(1, 50),))):
    @forgery("3", f"a late usage takes a grant {name}", script)
    def _(log, lie):
        return log.add("cash_consumed", "W", at, occurred=lie(right, wrong), parts=list(lie(*parts)))


ACTIVATED_AT_TEN_PAST = DORMANT + "= 1 09:10\nfree.activate G1\ncharge C1 1000\n"
late("that was activated after it", ACTIVATED_AT_TEN_PAST, "1 09:10", "1 09:09:59.999999")
late("that came back after it", IN_USE + """
charge C1 1000
consume U1 100
= 1 09:10
consume.reverse U1 100""", "1 09:10", "1 09:09:59.999999")
late("that was not usable then instead of paid cash", ACTIVATED_AT_TEN_PAST, "1 09:09", "1 09:09",
     parts=((lot(1, 50),), (grant(1, 50),)))
late("not though it was usable then", ACTIVATED_AT_TEN_PAST, "1 09:10", "1 09:10",
     parts=((grant(1, 50),), (lot(1, 50),)))


@forgery("3", "a usage of the last day, recorded on the next, takes the grant",
         IN_USE + "charge C1 1000\nconsume U1 50")
def _(log, lie):
    at = lie("3 23:59:59.999999", "4 00:01")
    if lie:
        log.add("free_expired", "W", at=at, grant_no=1, amount=50)
    return log.add("cash_consumed", "W", at, occurred="3 23:59", parts=[grant(1, 50)])


@forgery("3", "a consumption takes a grant past its deadline, whose expiry is not written", IN_USE)
def _(log, lie):
    return log.add("cash_consumed", "W", parts=[grant(1, 50)],
                   at=lie("3 23:59:59.999999", "4 00:00"))


# ---- forfeits

@forgery("3", "a grant is forfeited without a deletion", OFF_AND_EMPTY)
def _(log, lie):
    e = log.add("free_forfeited", "W", grant_no=1, amount=10, in_use=0)
    other = log.add("free_forfeited", "W", grant_no=2, amount=20, at=e.recorded_at)
    if not lie:
        log.add("wallet_deleted", "W", forfeited=30, at=e.recorded_at)
    return [e, other]


@forgery("3", "a forfeit is not followed by the deletion but by another event", OFF_AND_EMPTY)
def _(log, lie):
    e = log.add("free_forfeited", "W", grant_no=1, amount=10, in_use=0)
    other = log.add("free_forfeited", "W", grant_no=2, amount=20, at=e.recorded_at)
    found = [e, other]
    if lie:
        found.append(log.add("wallet_renamed", "W", name=1, at=e.recorded_at))
    found.append(log.add("wallet_deleted", "W", forfeited=lie(30, 0), at=e.recorded_at))
    return found


@forgery("3", "an event of another wallet stands between the forfeits and the deletion",
         OFF_AND_EMPTY + "wallet.create V")
def _(log, lie):
    e = log.add("free_forfeited", "W", grant_no=1, amount=10, in_use=0)
    other = log.add("free_forfeited", "W", grant_no=2, amount=20, at=e.recorded_at)
    found = [e, other]
    if lie:
        found.append(log.add("wallet_renamed", "V", name=1, at=e.recorded_at))
    return found + [log.add("wallet_deleted", "W", forfeited=30, at=e.recorded_at)]


@forgery("3", "the forfeit of one wallet, the deletion of another",
         OFF_AND_EMPTY + "wallet.create V\nwallet.off wallet=V")
def _(log, lie):
    e = log.add("free_forfeited", "W", grant_no=1, amount=10, in_use=0)
    other = log.add("free_forfeited", "W", grant_no=2, amount=20, at=e.recorded_at)
    return [e, other, log.add("wallet_deleted", lie("W", "V"), forfeited=30, at=e.recorded_at)]


def forfeited(name, **how):
    @forgery("3", f"a deletion {name}", OFF_AND_EMPTY)
    def _(log, lie):
        numbers, said, apart, less = (how.get(k, v) for k, v in (
            ("numbers", (1, 2)), ("said", 30), ("apart", 0), ("less", 0)))
        events, at = [], "1 09:30"
        for number in lie((1, 2), numbers):
            e = log.add("free_forfeited", "W", at, grant_no=number, in_use=number - 1,
                        amount=number * 10 - (lie(0, less) if number == 2 else 0))
            events.append(e)
        e = log.add("wallet_deleted", "W", at, forfeited=lie(30, said))
        e.recorded_at += lie(0, apart)
        return events + [e]


forfeited("says that it forfeited more than it did", said=31)
forfeited("says that it forfeited nothing", said=0)
forfeited("forfeits out of the order of granting", numbers=(2, 1))
forfeited("leaves a grant in use", numbers=(1,), said=10)
forfeited("leaves a dormant grant", numbers=(2,), said=20)
forfeited("leaves something of a grant", less=1, said=29)
forfeited("forfeits a grant twice", numbers=(1, 2, 2), said=50)
forfeited("is recorded a second behind its forfeits", apart=SECOND)


@forgery("3", "a deletion is in another commit than its forfeits", OFF_AND_EMPTY)
def _(log, lie):
    at = "1 09:30"
    events = [log.add("free_forfeited", "W", at, grant_no=1, amount=10, in_use=0),
              log.add("free_forfeited", "W", at, grant_no=2, amount=20)]
    events.append(log.add("wallet_deleted", "W", at, forfeited=30))
    for e in events:
        e.recorded_at, e.commit = events[0].recorded_at, events[0].commit
    events[2].commit += lie(0, 1)
    return events


@forgery("3", "a deletion forfeits what is past its deadline and should expire",
         MANUAL + "wallet.create W\nfree.grant G1 10 3\nwallet.off")
def _(log, lie):
    at = "4 09:00"
    e = log.add(lie("free_expired", "free_forfeited"), "W", at, grant_no=1, amount=10, in_use=0)
    return [e, log.add("wallet_deleted", "W", at, forfeited=lie(0, 10))]


@sound("3", "a deletion with nothing to forfeit", MANUAL + "wallet.create W\nwallet.off")
def _(log):
    log.add("wallet_deleted", "W", forfeited=0)
