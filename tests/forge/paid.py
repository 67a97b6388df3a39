"""docs/rules.md section 2: paid cash, consumptions, returns."""
from forgery import forgery, sound
from ledger import debt, epoch_day, grant, lapsed, lot

MANUAL = "policy.set day_close manual\n"
MOST = 999_999_999_999_999
WALLET = "wallet.create W\n"
THREE_LOTS = WALLET + "charge C1 1000\ncharge C2 2000\ncharge C3 500\n"
GRANTS = WALLET + """
charge C1 1000
free.grant G1 100 20
free.grant G2 200 10
free.grant G3 300 20
free.grant G4 400 5
free.activate G3
free.activate G1
free.activate G2
"""


def consumption(name, script, right, wrong, **more):
    @forgery("2", f"a consumption {name}", script)
    def _(log, lie):
        return log.add("cash_consumed", "W", parts=lie(right, wrong), **more)


# ---- the order of taking

consumption("takes the newest lot first", THREE_LOTS, [lot(1, 700)], [lot(3, 500), lot(1, 200)])
consumption("takes the newest lot alone", THREE_LOTS, [lot(1, 500)], [lot(3, 500)])
consumption("leaves something in an older lot", THREE_LOTS,
            [lot(1, 1000), lot(2, 500)], [lot(1, 999), lot(2, 501)])
consumption("leaves a lot out", THREE_LOTS, [lot(1, 1000), lot(2, 500)], [lot(1, 1000), lot(3, 500)])
consumption("takes lots in a wrong order", THREE_LOTS, [lot(1, 1000), lot(2, 500)],
            [lot(2, 500), lot(1, 1000)])
consumption("takes from one lot twice", THREE_LOTS, [lot(1, 700)], [lot(1, 300), lot(1, 400)])
consumption("takes more from a lot than it has", THREE_LOTS, [lot(1, 1000), lot(2, 1)], [lot(1, 1001)])
consumption("makes a debt though lots have something", THREE_LOTS,
            [lot(1, 1000), lot(2, 100)], [lot(1, 1000), debt(100)])
consumption("makes a debt of all of it", THREE_LOTS, [lot(1, 1000)], [debt(1000)])
consumption("makes a debt while the last lot has 1", THREE_LOTS,
            [lot(1, 1000), lot(2, 2000), lot(3, 500), debt(1)],
            [lot(1, 1000), lot(2, 2000), lot(3, 499), debt(2)])
consumption("has parts that do not add up", THREE_LOTS, [lot(1, 1000), lot(2, 5)],
            [lot(1, 1000), lot(2, 4)], amount=1005)
consumption("takes paid cash though free cash is there", GRANTS, [grant(2, 150)], [lot(1, 150)])
consumption("takes paid cash before the free cash is used up", GRANTS,
            [grant(2, 200), grant(3, 300), grant(1, 100), lot(1, 10)],
            [grant(2, 200), grant(3, 300), grant(1, 99), lot(1, 11)])
consumption("takes paid cash before free cash, in that order", GRANTS,
            [grant(2, 200), grant(3, 300), grant(1, 100), lot(1, 10)],
            [lot(1, 10), grant(2, 200), grant(3, 300), grant(1, 100)])
consumption("makes a debt though free cash is there", WALLET + "free.grant G1 9 9\nfree.activate G1",
            [grant(1, 9), debt(1)], [debt(10)])
consumption("makes a debt before free cash is used up",
            WALLET + "free.grant G1 9 9\nfree.activate G1", [grant(1, 9), debt(1)],
            [grant(1, 8), debt(2)])
consumption("takes the grant with the later deadline first", GRANTS, [grant(2, 150)], [grant(1, 100),
                                                                                     grant(2, 50)])
consumption("takes the grant that was granted, not activated, first", GRANTS,
            [grant(2, 200), grant(3, 50)], [grant(2, 200), grant(1, 50)])
consumption("leaves something in an earlier grant", GRANTS, [grant(2, 200), grant(3, 50)],
            [grant(2, 199), grant(3, 51)])
consumption("takes a grant that is dormant", GRANTS, [grant(2, 150)], [grant(4, 150)])
consumption("takes more from a grant than it has", GRANTS, [grant(2, 200), grant(3, 1)],
            [grant(2, 201)])
consumption("takes a grant that the wallet has not", GRANTS, [grant(2, 1)], [grant(5, 1)])
consumption("takes a lot that the wallet has not", THREE_LOTS, [lot(1, 1)], [lot(4, 1)])
consumption("lapses", GRANTS, [grant(2, 1)], [lapsed(2, 1)])

@forgery("2", "a consumption without anything in the wallet takes a lot", THREE_LOTS +
         "wallet.create V")
def _(log, lie):
    return log.add("cash_consumed", "V", parts=lie([debt(5)], [lot(1, 5)]))


@sound("2", "the same usage twice, and the whole wallet at once", GRANTS + "consume U1 5")
def _(log):
    log.add("cash_consumed", "W", usage="U1", parts=[grant(2, 195), grant(3, 300), grant(1, 100),
                                                     lot(1, 1000), debt(7)])


# ---- charges

def minimum(name, script, least, method="CREDIT_CARD", at=None):
    @forgery("2", f"a charge below min_charge: {name}", script)
    def _(log, lie):
        return log.add("charge_settled", "W", at, charge="CX", amount=lie(least, least - 1),
                       method=method)


for each in ("CREDIT_CARD", "KAKAOPAY_CARD", "VIRTUAL_ACCOUNT"):
    minimum(each, WALLET, 1000, each)
minimum("it was raised", WALLET + "policy.set min_charge 5000", 5000)
minimum("it was lowered, and raised again", WALLET + "policy.set min_charge 10\n"
        "policy.set min_charge 20", 20)
minimum("the raised one is in force", MANUAL + WALLET + "policy.set min_charge 5000 from=2_09:00",
        5000, at="2 09:00")
minimum("the lower one is not in force yet", MANUAL + WALLET +
        "policy.set min_charge 5 from=2_09:00", 1000, at="2 08:59:59.999999")
minimum("the later setting has an earlier from", MANUAL + WALLET +
        "policy.set min_charge 10 from=3_09:00\npolicy.set min_charge 20 from=2_09:00", 10,
        at="3 09:00")
minimum("of two with the same from the later one", MANUAL + WALLET +
        "policy.set min_charge 10 from=3_09:00\npolicy.set min_charge 20 from=3_09:00", 20,
        at="3 09:00")


@forgery("2", "a charge from before min_charge was raised, recorded behind it",
         WALLET + "= 1 09:10\npolicy.set min_charge 5000")
def _(log, lie):
    return log.add("charge_settled", "W", charge="CX", amount=lie(5000, 4999), method="CREDIT_CARD",
                   at="1 09:20", occurred="1 09:05")


@sound("2", "methods that min_charge does not bind", WALLET)
def _(log):
    for i, method in enumerate(("UNSPECIFIED", "KAKAOPAY_CARD_AUTO", "CREDIT_CARD_REGULAR",
                                "ADMIN_CASH", "ADV_RET_CASH")):
        log.add("charge_settled", "W", charge=f"X{i}", amount=1, method=method)


def amount_range(name, script, event, right, wrong, **more):
    @forgery("2", f"the range of amounts: {name}", script)
    def _(log, lie):
        more["amount" if isinstance(right, int) else "parts"] = lie(right, wrong)
        return log.add(event, "W", **more)


amount_range("a charge of 10^15", WALLET, "charge_settled", MOST, MOST + 1, charge="CX")
amount_range("a charge of 4.6e18", WALLET, "charge_settled", MOST, 4_611_686_018_427_387_903,
             charge="CX")
amount_range("charges that come to 10^15", WALLET + "charge C1 500000000000000", "charge_settled",
             MOST - 500_000_000_000_000, MOST - 500_000_000_000_000 + 1, charge="CX")
amount_range("a charge beside a refund that may come back",
             WALLET + f"charge C1 {MOST - 100}\nrefund.request R1\nrefund.approve R1",
             "charge_settled", 100, 101, charge="CX")
amount_range("a debt of 10^15", WALLET + f"consume U1 {MOST - 1} overdraft=true", "cash_consumed",
             [debt(1)], [debt(2)])
amount_range("a consumption of 10^15", WALLET + f"charge C1 {MOST}", "cash_consumed",
             [lot(1, MOST)], [lot(1, MOST), debt(1)])
amount_range("a reversal that makes a debt of 10^15",
             WALLET + f"charge C1 10\nconsume U1 {MOST} overdraft=true\n"
             "consume U2 5 overdraft=true", "charge_reversed", [debt(5)], [debt(6)], lot=1)
amount_range("grants that come to 10^15", WALLET + "free.grant G1 500000000000000 9", "free_granted",
             MOST - 500_000_000_000_000, MOST - 500_000_000_000_000 + 1, grant="GX",
             expires_on=epoch_day("9"))

DEBT = WALLET + "charge C1 100\nconsume U1 400 overdraft=true\n"


@forgery("2", "a repayment of more than the debt", DEBT)
def _(log, lie):
    return log.add("debt_repaid", "W", amount=lie(300, 301))


@forgery("2", "a repayment where there is no debt", DEBT + "debt.repay 299")
def _(log, lie):
    e = log.add("debt_repaid", "W", amount=1)
    return log.add("debt_repaid", "W", amount=1) if lie else e


def filled(name, amount, right, wrong):
    @forgery("2", f"a charge {name}", DEBT)
    def _(log, lie):
        return log.add("charge_settled", "W", charge="CX", amount=amount,
                       applied_to_debt=lie(right, wrong))


filled("leaves a debt open that it covers", 1000, 300, 0)
filled("fills part of the debt only", 1000, 300, 299)
filled("fills more than the debt", 1000, 300, 301)
filled("does not go into a larger debt whole", 200, 200, 199)


# ---- reversals of charges

def reversal(name, script, right, wrong, **more):
    @forgery("2", f"a reversal of a charge {name}", script)
    def _(log, lie):
        return log.add("charge_reversed", "W", parts=lie(right, wrong), **more)


reversal("takes another lot though its own has it", THREE_LOTS, [lot(1, 800)], [lot(2, 800)], lot=1)
reversal("leaves something in its own lot", THREE_LOTS + "consume U1 500",
         [lot(1, 500), lot(3, 500)], [lot(1, 499), lot(3, 500), lot(2, 1)], lot=1)
reversal("takes other lots oldest first", THREE_LOTS + "consume U1 1000",
         [lot(3, 500), lot(2, 500)], [lot(2, 1000)], lot=1)
reversal("takes its own lot last", THREE_LOTS + "consume U1 500", [lot(1, 500), lot(3, 500)],
         [lot(3, 500), lot(1, 500)], lot=1)
reversal("makes a debt though a lot has something", THREE_LOTS + "consume U1 1000", [lot(3, 100)],
         [debt(100)], lot=1)
reversal("takes free cash", GRANTS, [lot(1, 50)], [grant(2, 50)], lot=1)
reversal("takes more than the charge had", THREE_LOTS, [lot(3, 500)], [lot(3, 500), lot(2, 1)], lot=3)
reversal("takes more than was not reversed yet", THREE_LOTS + "charge.reverse C3 200", [lot(3, 300)],
         [lot(3, 300), lot(2, 1)], lot=3)
reversal("takes what was refunded of the charge",
         THREE_LOTS + "refund.request R1 200\nrefund.approve R1", [lot(3, 300)],
         [lot(3, 300), lot(2, 1)], lot=3)
reversal("names a lot that the wallet has not", THREE_LOTS, [lot(3, 5)], [lot(3, 5), debt(5)], lot=3)


@forgery("2", "a reversal of a repaid debt, which is no charge", DEBT + "debt.repay 300")
def _(log, lie):
    return log.add("charge_reversed", "W", lot=lie(1, 2), parts=[debt(50)])


@forgery("2", "a reversal of a charge that is not there", THREE_LOTS)
def _(log, lie):
    return log.add("charge_reversed", "W", lot=lie(3, 4), parts=[lot(3, 5)])


# ---- returns

TAKEN = WALLET + """
free.grant G1 100 20
free.grant G2 200 25
free.activate G1
free.activate G2
charge C1 1000
charge C2 2000
consume U1 1500
consume U2 100
"""  # U1: grants 1 and 2, lot 1 of 1000, 200 of lot 2; U2: 100 of lot 2


def returned(name, script, right, wrong, usage="U1", **more):
    @forgery("2", f"a return {name}", script)
    def _(log, lie):
        return log.add("consumption_reversed", "W", parts=lie(right, wrong),
                       consumption=log.find("cash_consumed", usage=usage), **more)


returned("goes to the lot that was taken first", TAKEN, [lot(2, 50)], [lot(1, 50)])
returned("of paid cash goes to a grant", TAKEN, [lot(2, 50)], [grant(1, 50)])
returned("of paid cash goes to the grant taken last", TAKEN, [lot(2, 50)], [grant(2, 50)])
returned("names its lots in a wrong order", TAKEN, [lot(2, 200), lot(1, 1000)],
         [lot(1, 1000), lot(2, 200)])
returned("gives free cash back before paid cash", TAKEN, [lot(2, 200), lot(1, 1000), grant(2, 50)],
         [grant(2, 50), lot(2, 200), lot(1, 1000)])
returned("gives to the grant that was taken first", TAKEN,
         [lot(2, 200), lot(1, 1000), grant(2, 50)], [lot(2, 200), lot(1, 1000), grant(1, 50)])
returned("gives free cash back though paid cash was left of it", TAKEN,
         [lot(2, 200), lot(1, 1000)], [lot(2, 200), lot(1, 900), grant(2, 100)])
returned("gives a lot more than it gave", TAKEN, [lot(2, 200), lot(1, 100)], [lot(2, 300)])
returned("gives a lot more than it gave in several returns", TAKEN + "consume.reverse U1 150",
         [lot(2, 50), lot(1, 50)], [lot(2, 100)])
returned("goes on where the last one began", TAKEN + "consume.reverse U1 1300",
         [grant(2, 100), grant(1, 50)], [grant(2, 50), grant(1, 100)])
returned("of more than was consumed", TAKEN + "consume.reverse U1 1000",
         [lot(1, 200), grant(2, 200), grant(1, 100)],
         [lot(1, 200), grant(2, 200), grant(1, 100), lot(2, 1)])
returned("of more than was consumed, at once", TAKEN, [lot(2, 100)], [lot(2, 101)], usage="U2")
returned("has parts that do not add up", TAKEN, [lot(2, 50)], [lot(2, 49)], amount=50)
returned("takes from a debt that is not there", TAKEN, [lot(2, 50)], [debt(50)])
returned("goes to the same lot twice", TAKEN, [lot(2, 50)], [lot(2, 20), lot(2, 30)])

FREE_ONLY = WALLET + """
free.grant G1 400 20
free.activate G1
charge C1 1000
consume U1 300
consume U2 500
"""
returned("of free cash goes to a lot: what cannot be refunded becomes what can", FREE_ONLY,
         [grant(1, 300)], [lot(1, 300)])
returned("of free cash goes to a lot in part", FREE_ONLY, [grant(1, 300)], [lot(1, 1), grant(1, 299)])
returned("of free cash lapses though the grant lives", FREE_ONLY, [grant(1, 300)], [lapsed(1, 300)])
returned("of free cash lapses in part", FREE_ONLY, [grant(1, 300)], [grant(1, 299), lapsed(1, 1)])
returned("of free cash fills a debt", FREE_ONLY + "consume U3 5000 overdraft=true", [grant(1, 300)],
         [debt(300)])

OWING = TAKEN + "consume U3 1720 overdraft=true\n"  # a debt of 20
returned("fills lots while a debt is open", OWING, [debt(20), lot(2, 30)], [lot(2, 50)])
returned("fills a debt in part only", OWING, [debt(20), lot(2, 30)], [debt(19), lot(2, 31)])
returned("fills more than the debt", OWING, [debt(20), lot(2, 30)], [debt(21), lot(2, 29)])
returned("fills the debt last", OWING, [debt(20), lot(2, 30)], [lot(2, 30), debt(20)])
returned("whose lot has no room any more goes to the oldest lot that has",
         WALLET + "charge C1 10\nconsume U1 10\ncharge C2 20\ncharge C3 20\n"
         "charge.reverse C1 10\ncharge.reverse C2 5\nconsume U2 20", [lot(3, 10)], [lot(2, 10)])

EXPIRED = MANUAL + """
wallet.create W
free.grant G1 100 3
free.activate G1
charge C1 1000
consume U1 300
= 4 09:00
charge C2 1000
"""
returned("to a grant past its deadline", EXPIRED, [lot(1, 200), lapsed(1, 100)],
         [lot(1, 200), grant(1, 100)])
returned("of a lapsed part to a lot", EXPIRED, [lot(1, 200), lapsed(1, 50)],
         [lot(1, 200), lot(2, 50)])


@forgery("2", "a return to a used-up grant on the day after its last", MANUAL + WALLET +
         "free.grant G1 300 3\nfree.activate G1\nconsume U1 300")
def _(log, lie):
    return log.add("consumption_reversed", "W", consumption=log.find("cash_consumed"),
                   parts=[grant(1, 300)], at=lie("3 23:59:59.999999", "4 00:00"))


@forgery("2", "a return lapses on the grant's last day", MANUAL + WALLET +
         "free.grant G1 300 3\nfree.activate G1\nconsume U1 300")
def _(log, lie):
    return log.add("consumption_reversed", "W", consumption=log.find("cash_consumed"),
                   parts=[lapsed(1, 300)], at=lie("4 00:00", "3 23:59:59.999999"))


@forgery("2", "a return leaves the return before it out", TAKEN + "consume.reverse U1 50")
def _(log, lie):
    e = log.add("consumption_reversed", "W", consumption=log.find("cash_consumed", usage="U1"),
                parts=[lot(2, 50)])
    e["before"] = lie(e["before"], 0)
    return e


@forgery("2", "a return names a return as its consumption", TAKEN + "consume.reverse U1 50")
def _(log, lie):
    return log.add("consumption_reversed", "W", parts=[lot(2, 50)],
                   consumption=lie(log.find("cash_consumed", usage="U1"),
                                   log.find("consumption_reversed")))


@forgery("2", "a return names the consumption of another wallet",
         TAKEN + "wallet.create V\ncharge C1 50 wallet=V\nconsume U1 50 wallet=V")
def _(log, lie):
    return log.add("consumption_reversed", "V", parts=[lot(1, 50)],
                   consumption=log.all("cash_consumed")[lie(2, 0)])


@forgery("2", "a return names a consumption behind itself", TAKEN)
def _(log, lie):
    later = log.find("cash_consumed", usage="U2")
    e = log.add("consumption_reversed", "W", parts=[lot(2, 50)],
                behind=lie(later, log.find("cash_consumed", usage="U1")), consumption=later)
    return e


# ---- refunds: where they take from, where they go back to

REQUESTED = THREE_LOTS + "refund.request R1 1200\n"
APPROVED = REQUESTED + "refund.approve R1\n"  # 500 of lot 3, 700 of lot 2


def legs(name, right, wrong, script=REQUESTED):
    @forgery("2", f"an approved refund {name}", script)
    def _(log, lie):
        return log.add("refund_approved", "W", refund_no=1, parts=lie(right, wrong))


legs("takes the oldest lot first", [lot(3, 500), lot(2, 700)], [lot(1, 1000), lot(2, 200)])
legs("takes its lots in a wrong order", [lot(3, 500), lot(2, 700)], [lot(2, 700), lot(3, 500)])
legs("leaves something in a newer lot", [lot(3, 500), lot(2, 700)], [lot(3, 499), lot(2, 701)])
legs("leaves a lot out", [lot(3, 500), lot(2, 700)], [lot(3, 500), lot(1, 700)])
legs("takes a grant", [lot(3, 500), lot(2, 700)], [lot(3, 500), lot(2, 600), grant(1, 100)],
     REQUESTED + "free.grant G1 100 9\nfree.activate G1")
legs("makes a debt", [lot(3, 500), lot(2, 700)], [lot(3, 500), debt(700)])
legs("names a lot twice", [lot(3, 500), lot(2, 700)], [lot(3, 500), lot(2, 300), lot(2, 400)])


def failed(name, script, right, wrong):
    @forgery("2", f"a failed refund {name}", script)
    def _(log, lie):
        return log.add("refund_failed", "W", refund_no=1, parts=lie(right, wrong))


failed("goes back in a wrong order", APPROVED, [lot(3, 500), lot(2, 700)],
       [lot(2, 700), lot(3, 500)])
failed("goes to a lot that gave nothing", APPROVED + "consume U1 1000", [lot(3, 500), lot(2, 700)],
       [lot(3, 500), lot(1, 700)])
failed("goes to the newest lot with room", APPROVED + "charge C4 400\nconsume U1 2700",
       [lot(3, 500), lot(2, 700)], [lot(4, 400), lot(3, 500), lot(2, 300)])
failed("fills lots while a debt is open", APPROVED + "consume U1 2400 overdraft=true",
       [debt(100), lot(3, 500), lot(2, 600)], [lot(3, 500), lot(2, 700)])
failed("fills the debt last", APPROVED + "consume U1 2400 overdraft=true",
       [debt(100), lot(3, 500), lot(2, 600)], [lot(3, 500), lot(2, 600), debt(100)])
failed("goes to a grant", APPROVED + "free.grant G1 1200 9\nfree.activate G1\nconsume U1 1200",
       [lot(3, 500), lot(2, 700)], [grant(1, 1200)])
failed("comes back with less than was approved", APPROVED, [lot(3, 500), lot(2, 700)],
       [lot(3, 500), lot(2, 699)])
