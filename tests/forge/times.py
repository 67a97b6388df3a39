"""docs/rules.md section 1: time, days, closing."""
from forgery import Feed, forgery, sound
from ledger import SECOND, epoch_day, grant, instant, lot

EVERY_TYPE = Feed("../format/every-type.jsonl", "--offset", "-03:30")
MANUAL = "policy.set day_close manual\n"
PLAIN = "wallet.create W\ncharge C1 1000\n"
OPEN_DAYS = MANUAL + PLAIN

# ---- days that a command closes by itself


@sound("1", "a command's own expiry makes its days few enough to be due", """
policy.set empty_days_max 3
wallet.create W
free.grant G1 100 2
= 6 09:00
charge C1 1000
= 6 10:00
charge C2 1000
""")
def _(log):
    assert len(log.all("day_closed")) == 5 and log.find("free_expired").commit == log.find("charge_settled").commit


# ---- two times


@forgery("1", "recorded_at goes back", PLAIN + "charge C2 1000")
def _(log, lie):
    e = log.add("charge_settled", "W", charge="CX", amount=500)
    e.recorded_at += lie(0, -2 * SECOND)
    return e


@forgery("1", "a charge lies further ahead than clock_tolerance", PLAIN)
def _(log, lie):
    e = log.add("charge_settled", "W", charge="CX", amount=500)
    e.occurred_at = e.recorded_at + 300 * SECOND + lie(0, 1)
    return e


@forgery("1", "a consumption lies further ahead than a smaller clock_tolerance",
         PLAIN + "policy.set clock_tolerance 10")
def _(log, lie):
    e = log.add("cash_consumed", "W", parts=[lot(1, 5)])
    e.occurred_at = e.recorded_at + lie(10, 11) * SECOND
    return e


@forgery("1", "a charge lies ahead by a clock_tolerance that is not in force yet",
         OPEN_DAYS + "policy.set clock_tolerance 3600 from=2_09:00")
def _(log, lie):
    e = log.add("charge_settled", "W", charge="CX", amount=5, at=lie("2 09:00", "2 08:59:59.999999"))
    e.occurred_at = e.recorded_at + 3600 * SECOND
    return e


@forgery("1", "a usage lies a year ahead", PLAIN)
def _(log, lie):
    return log.add("cash_consumed", "W", parts=[lot(1, 5)], at="1 09:30",
                   occurred=lie("1 09:30", "2027-10-1 09:30"))


NO_TIME_OF_THEIR_OWN = [
    "wallet_created", "wallet_renamed", "wallet_turned_off", "wallet_turned_on", "wallet_suspended",
    "suspension_lifted", "wallet_deleted", "free_granted", "free_activated", "free_revoked",
    "free_forfeited", "refund_requested", "refund_cancelled", "refund_rejected", "refund_approved",
    "refund_completed", "refund_failed", "policy_set", "day_closed", "command_refused"]


def dated_back(name):
    @forgery("1", f"{name} has a time of its own, a second back", EVERY_TYPE)
    def _(log, lie):
        e = log.find(name, -1)
        e.occurred_at = lie(None, e.recorded_at - SECOND)
        return e

    @forgery("1", f"{name} has a time of its own, a second ahead", EVERY_TYPE)
    def _(log, lie):
        e = log.find(name, -1)
        e.occurred_at = lie(None, e.recorded_at + SECOND)
        return e


for each in NO_TIME_OF_THEIR_OWN:
    dated_back(each)


@forgery("1", "an approval of a refund is dated back to a day that is still open",
         OPEN_DAYS + "refund.request R1 300")
def _(log, lie):
    return log.add("refund_approved", "W", refund_no=1, parts=[lot(1, 300)], at="9 09:00",
                   occurred=lie(None, "2 09:00"))


@forgery("1", "a grant is dated back to a day that is still open", OPEN_DAYS)
def _(log, lie):
    return log.add("free_granted", "W", grant="GX", amount=300, expires_on=epoch_day("9"),
                   at="9 09:00", occurred=lie(None, "2 09:00"))


@forgery("1", "an event without a time comes after one that has a time", PLAIN)
def _(log, lie):
    e = log.add("policy_set", policy="vat_rate", value=10, at="1 09:30")
    e["from"] = instant("1 09:30")
    if lie:
        e.recorded_at = None
    return e


# ---- posting day

@forgery("1", "a late usage is posted to today though its day is open", OPEN_DAYS)
def _(log, lie):
    e = log.add("cash_consumed", "W", parts=[lot(1, 5)], at="2 00:05", occurred="1 23:59")
    e.posted_on = lie(None, epoch_day("2"))
    return e


@forgery("1", "an event is posted to an open day before it happened", OPEN_DAYS)
def _(log, lie):
    e = log.add("charge_settled", "W", charge="CX", amount=5, at="3 09:00", occurred="2 09:00")
    e.posted_on = lie(None, epoch_day("1"))
    return e


@forgery("1", "an event is posted to a closed day", OPEN_DAYS + "= 2 09:00\nday.close 1")
def _(log, lie):
    e = log.add("cash_consumed", "W", parts=[lot(1, 5)], at="2 10:00", occurred="1 23:59")
    e.posted_on = lie(None, epoch_day("1"))
    return e


# ---- closing

NEXT_DAY = PLAIN + "= 2 00:10\ncharge C2 1000"


def closing_left_out(name, script, op="charge_settled", which=-1):
    @forgery("1", f"an accepted command leaves a day open that is due: {name}", script)
    def _(log, lie):
        if lie:
            log.drop(log.find("day_closed", -1))
        return log.find(op, which)


closing_left_out("a charge", NEXT_DAY)
closing_left_out("the second day of two", PLAIN + "= 3 09:00\ncharge C2 1000")
closing_left_out("a command without a wallet", PLAIN + "= 2 09:00\npolicy.set vat_rate 11",
                 "policy_set")
closing_left_out("a new wallet", PLAIN + "= 2 09:00\nwallet.create V", "wallet_created")
closing_left_out("a shorter day_close_grace",
                 "policy.set day_close_grace 60\n" + PLAIN + "= 2 00:01\ncharge C2 1000")
closing_left_out("day_close is manual only later",
                 "policy.set day_close manual from=3_09:00\n" + PLAIN + "= 3 08:59\ncharge C2 1")
closing_left_out("day_close is auto again", MANUAL + PLAIN +
                 "= 2 00:09\npolicy.set day_close auto\n= 2 00:11\ncharge C2 1000")
closing_left_out("as many empty days as empty_days_max",
                 "policy.set empty_days_max 2\n" + PLAIN + "= 4 09:00\ncharge C2 1000")
closing_left_out("a group", PLAIN + "= 2 09:00\ngroup: charge C2 1000; charge C3 1", which=-2)


@forgery("1", "the grace is over and the day not closed", "policy.set day_close_grace 7200\n" + PLAIN)
def _(log, lie):
    return log.add("charge_settled", "W", charge="CX", amount=5,
                   at=lie("2 01:59:59.999999", "2 02:00"))


@forgery("1", "a day is closed before it is over", OPEN_DAYS)
def _(log, lie):
    return log.add("day_closed", day=epoch_day("1"), at=lie("2 00:00", "1 23:59:59.999999"))


@forgery("1", "a later day is closed before an earlier one", OPEN_DAYS)
def _(log, lie):
    return log.add("day_closed", day=epoch_day(lie("1", "2")), at="3 09:00")


@forgery("1", "a day is closed twice", OPEN_DAYS + "= 4 09:00\nday.close 1")
def _(log, lie):
    return log.add("day_closed", day=epoch_day(lie("2", "1")), at="4 10:00")


@forgery("1", "a day before the ledger's first is closed", OPEN_DAYS)
def _(log, lie):
    return log.add("day_closed", day=epoch_day(lie("1", "09-30")), at="4 10:00")


TWO_WALLETS = MANUAL + """
wallet.create W
wallet.create V
free.grant G1 10 1 wallet=W
free.grant G2 20 1 wallet=W
free.grant G3 30 1 wallet=V
free.activate G2 wallet=W
= 2 09:00
day.close 1"""


@forgery("1", "a closing writes expiries out of the order of wallets", TWO_WALLETS)
def _(log, lie):
    first, _, third = log.all("free_expired")
    if lie:
        log.swap(first, third)
    return [third, first]


@forgery("1", "a closing writes expiries out of the order of granting", TWO_WALLETS)
def _(log, lie):
    first, second, _ = log.all("free_expired")
    if lie:
        log.swap(first, second)
    return [second, first]


@forgery("1", "a closing leaves an expiry out", TWO_WALLETS)
def _(log, lie):
    if lie:
        log.drop(log.find("free_expired"))
    return log.find("day_closed")


@forgery("1", "a closing leaves the expiry of a dormant grant out", TWO_WALLETS)
def _(log, lie):
    if lie:
        log.drop(log.find("free_expired", -1))
    return log.find("day_closed")


@forgery("1", "a closing expires what another day closes", MANUAL + """
wallet.create W
free.grant G1 10 1
free.grant G2 20 2
= 3 09:00
day.close 1""")
def _(log, lie):
    e = log.add("free_expired", "W", grant_no=2, amount=20, in_use=0, at="3 09:00",
                behind=log.find("free_expired"))
    if not lie:
        log.move(e, log.find("day_closed"))
        log.add("day_closed", day=epoch_day("2"), at="3 09:00")
    return [e, log.find("day_closed")]


# ---- deadlines

IN_USE_TO_THE_THIRD = MANUAL + """
wallet.create W
charge C1 1000
free.grant G1 10 3
free.activate G1"""


@forgery("1", "a grant expires on its last day", IN_USE_TO_THE_THIRD)
def _(log, lie):
    at = lie("4 00:00", "3 23:59:59.999999")
    e = log.add("free_expired", "W", grant_no=1, amount=10, at=at)
    log.add("charge_settled", "W", charge="CX", amount=5, at=at)
    return e


@forgery("1", "a grant expires days before its last day", IN_USE_TO_THE_THIRD)
def _(log, lie):
    at = lie("4 09:00", "2 09:00")
    e = log.add("free_expired", "W", grant_no=1, amount=10, at=at)
    e.occurred_at = lie(e.occurred_at, e.recorded_at)
    log.add("charge_settled", "W", charge="CX", amount=5, at=at)
    return e


@forgery("1", "an expiry happens when it is recorded, not when the grant's last day ends",
         IN_USE_TO_THE_THIRD)
def _(log, lie):
    e = log.add("free_expired", "W", grant_no=1, amount=10, at="4 09:00")
    e.occurred_at = lie(e.occurred_at, e.recorded_at)
    log.add("charge_settled", "W", charge="CX", amount=5, at="4 09:00")
    return e


@forgery("1", "a grant expires with less than it has", IN_USE_TO_THE_THIRD)
def _(log, lie):
    e = log.add("free_expired", "W", grant_no=1, amount=lie(10, 9), at="4 09:00")
    log.add("charge_settled", "W", charge="CX", amount=5, at="4 09:00")
    return e


@forgery("1", "a dormant grant expires as one in use", MANUAL + "wallet.create W\nfree.grant G1 10 3")
def _(log, lie):
    e = log.add("free_expired", "W", grant_no=1, amount=10, in_use=lie(0, 1), at="4 09:00")
    log.add("charge_settled", "W", charge="CX", amount=5, at="4 09:00")
    return e


def expiry_left_out(name, script, op):
    @forgery("1", f"a command on a wallet leaves its due expiry out: {name}", script)
    def _(log, lie):
        e = log.find(op, -1)
        if lie:
            for expired in log.all("free_expired"):
                log.drop(expired)
        return e


DUE = IN_USE_TO_THE_THIRD + "\nfree.grant G2 5 9\n= 4 09:00\n"
expiry_left_out("a charge", DUE + "charge C2 1000", "charge_settled")
expiry_left_out("a renaming", DUE + "wallet.rename m", "wallet_renamed")
expiry_left_out("a grant", DUE + "free.grant G3 5 9", "free_granted")
expiry_left_out("an activation", DUE + "free.activate G2", "free_activated")
expiry_left_out("a request of a refund", DUE + "refund.request R1 5", "refund_requested")
expiry_left_out("a consumption", DUE + "consume U1 5", "cash_consumed")
expiry_left_out("a suspension", DUE + "wallet.suspend", "wallet_suspended")
expiry_left_out("before the day is closed", IN_USE_TO_THE_THIRD.replace(MANUAL, "") +
                "\n= 4 00:05\ncharge C2 1000", "charge_settled")


@forgery("1", "a wallet's due expiries are not written by last day", MANUAL + """
wallet.create W
free.grant G1 10 2
free.grant G2 20 1
= 4 09:00
charge C1 1000""")
def _(log, lie):
    first, second = log.all("free_expired")
    if lie:
        log.swap(first, second)
    return [second, first]


@forgery("1", "a due expiry is written behind the command", DUE + "charge C2 1000")
def _(log, lie):
    charge = log.find("charge_settled", -1)
    if lie:
        log.move(log.find("free_expired"), charge)
    return charge


# ---- states in time

SUSPENDED_FOR_A_WHILE = PLAIN + """
= 1 09:10
wallet.suspend
= 1 09:20
wallet.lift
= 1 09:30
charge C2 1000"""


@forgery("1", "a usage while the wallet was suspended, recorded later", SUSPENDED_FOR_A_WHILE)
def _(log, lie):
    return log.add("cash_consumed", "W", parts=[lot(1, 5)], at="1 09:40",
                   occurred=lie("1 09:20", "1 09:19:59.999999"))


@forgery("1", "a usage recorded while suspended happened then, too",
         PLAIN + "= 1 09:10\nwallet.suspend")
def _(log, lie):
    return log.add("cash_consumed", "W", parts=[lot(1, 5)], at="1 09:15",
                   occurred=lie("1 09:09:59.999999", "1 09:10"))


@forgery("1", "a charge from before the wallet was made", PLAIN)
def _(log, lie):
    e = log.add("charge_settled", "W", charge="CX", amount=500)
    e.occurred_at = log.find("wallet_created").recorded_at - lie(0, 1)
    return e


@forgery("1", "a repayment from before the wallet was made", PLAIN + "consume U1 1300 overdraft=true")
def _(log, lie):
    e = log.add("debt_repaid", "W", amount=50)
    e.occurred_at = log.find("wallet_created").recorded_at - lie(0, 1)
    return e


YEAR = PLAIN + "= 2027-10-8 12:00\ncharge C2 1000"


@forgery("1", "a charge further back than at_back_max", YEAR)
def _(log, lie):
    e = log.add("charge_settled", "W", charge="CX", amount=500, at="2027-10-8 12:30")
    e.occurred_at = e.recorded_at - 366 * 86400 * SECOND - lie(0, 1)
    return e


@forgery("1", "a usage from before the wallet was made", PLAIN)
def _(log, lie):
    return log.add("cash_consumed", "W", parts=[lot(1, 5)], at="1 09:15",
                   occurred=lie("1 09:00", "1 08:59:59.999999"))


@forgery("1", "a charge while suspended is judged by the state at its own time",
         PLAIN + "= 1 09:10\nwallet.suspend\n= 1 09:20\nwallet.rename m")
def _(log, lie):
    if not lie:
        log.add("suspension_lifted", "W", at="1 09:21")
    return log.add("charge_settled", "W", charge="CX", amount=5, at="1 09:30", occurred="1 09:05")


@forgery("1", "a usage ahead of the clock is judged by the state then",
         MANUAL + "wallet.create W\ncharge C1 1000\nfree.grant G1 50 1\nfree.activate G1")
def _(log, lie):
    parts = [grant(1, 50)]
    return log.add("cash_consumed", "W", parts=lie(parts, [lot(1, 50)]), at="1 23:59",
                   occurred="2 00:01")


@forgery("1", "a usage while the wallet was off, recorded later",
         PLAIN + "= 1 09:10\nwallet.off\n= 1 09:20\nwallet.on")
def _(log, lie):
    return log.add("cash_consumed", "W", parts=[lot(1, 5)], at="1 09:40",
                   occurred=lie("1 09:20", "1 09:19:59.999999"))


# ---- near misses

@sound("1", "more empty days than empty_days_max are not closed",
       "policy.set empty_days_max 2\n" + PLAIN)
def _(log):
    log.add("charge_settled", "W", charge="CX", amount=5, at="5 09:00")



@sound("1", "a day closed by hand at 00:00, before the grace is over", PLAIN)
def _(log):
    log.add("day_closed", day=epoch_day("1"), at="2 00:00")
    log.add("charge_settled", "W", charge="CX", amount=5, at="2 00:01")


@sound("1", "a day closed by hand on a later day, with nothing behind it", PLAIN)
def _(log):
    log.add("day_closed", day=epoch_day("1"), at="2 12:00")
    log.add("day_closed", day=epoch_day("2"), at="9 12:00")


@sound("1", "a charge a microsecond before the grace is over", PLAIN)
def _(log):
    log.add("charge_settled", "W", charge="CX", amount=5, at="2 00:09:59.999999")


@sound("1", "a command at the very time of the one before", PLAIN)
def _(log):
    log.add("charge_settled", "W", charge="CX", amount=5, at=log.events[-1].recorded_at)


@sound("1", "expiries of a closing that was cut, and a command of another wallet between", TWO_WALLETS)
def _(log):
    first = log.find("free_expired")
    e = log.add("wallet_created", id="X", behind=first)
    e.recorded_at = first.recorded_at
