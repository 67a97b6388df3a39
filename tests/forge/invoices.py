"""docs/rules.md section 15: tax invoices and notices."""
from forgery import forgery, sound
from ledger import epoch_day

CONSUMED = """
! --invoice-from 2026-09
policy.set day_close manual
wallet.create W
wallet.create P kind=PERSONAL
biz.request 1234567891
biz.approve 14
invoice.email a@b.example
charge C1 100000
consume U1 11000
consume U2 5000
free.grant G1 500 11-20
= 11-01 09:00
consume U3 700
"""
OPEN = CONSUMED
CLOSED = CONSUMED + "day.close 10-31\n"
ISSUED = CLOSED + "invoice.issue 2026-10\n"
CONFIRMED = ISSUED + "invoice.confirm 1\n"
RETURNED = CONFIRMED + "consume.reverse U2 1000\n"
CORRECTED = CONFIRMED + "invoice.correct 1 ENTRY_ERROR\n"
TWICE = CONFIRMED + "invoice.correct 1 ISSUED_TWICE\n"


def usage(log, name):
    return log.seq(log.find("cash_consumed", usage=name))


def issued(log, **changes):
    """The ORIGINAL of October."""
    fields = {"invoice": 1, "kind": "ORIGINAL", "reason": "NONE", "month": 202610,
              "written_on": epoch_day("31"), "total": 16000, "vat": 1455, "after": 0,
              "through": usage(log, "U2"), "original": 0,
              "business": log.seq(log.find("biz_approved")),
              "email": log.find("invoice_email_set")["email"], **changes}
    return log.add("invoice_issued", "W", **fields)


def delta(log, **changes):
    """The DELTA behind RETURNED."""
    back = log.find("consumption_reversed")
    return issued(log, **{"invoice": 2, "kind": "DELTA", "reason": "AMOUNT_CHANGED",
                          "written_on": epoch_day("11-01"), "total": -1000, "vat": -91,
                          "after": usage(log, "U2"), "through": log.seq(back), "original": 1,
                          **changes})


def differs(what, make, script, **wrong):
    @forgery("15", what, script)
    def _(log, lie):
        return make(log, **lie({}, wrong))


differs("an invoice with a total that its rows are not", issued, CLOSED, total=16001)
differs("an invoice with other VAT", issued, CLOSED, vat=1454)
differs("an invoice with a number that leaves one out", issued, CLOSED, invoice=2)
differs("an invoice of another month", issued, CLOSED, month=202609)
differs("an invoice written on another day", issued, CLOSED, written_on=epoch_day("30"))
differs("a first invoice that says DELTA", issued, CLOSED, kind="DELTA")
differs("a first invoice with a reason", issued, CLOSED, reason="AMOUNT_CHANGED")
differs("a first invoice that goes with another", issued, CLOSED, original=1)
differs("an invoice that shows what was not approved", issued, CLOSED, business=14)
differs("an invoice for another address", issued, CLOSED, email=0)
differs("a delta of another amount", delta, RETURNED, total=-999)
differs("a delta with VAT of its own", delta, RETURNED, vat=-90)
differs("a delta that says ORIGINAL", delta, RETURNED, kind="ORIGINAL")
differs("a delta that says RESCINDED with something left", delta, RETURNED, reason="RESCINDED")
differs("a delta written on the month's last day", delta, RETURNED, written_on=epoch_day("31"))
differs("a delta that goes with itself", delta, RETURNED, original=2)


@forgery("15", "an invoice that begins behind its first row", CLOSED)
def _(log, lie):
    return issued(log, after=lie(0, usage(log, "U1")))


@forgery("15", "an invoice that leaves its last row out", CLOSED)
def _(log, lie):
    first = usage(log, "U1")
    return issued(log, **lie({}, {"through": first, "total": 11000, "vat": 1000}))


@forgery("15", "an invoice of a month that is not closed", OPEN)
def _(log, lie):
    for day in range(1, 1 if lie else 32):
        log.add("day_closed", day=epoch_day(str(day)))
    return issued(log)


@forgery("15", "a second invoice while the first is unconfirmed", ISSUED)
def _(log, lie):
    of = log.find("cash_consumed", usage="U2")
    confirmed = None if lie else log.add("invoice_confirmed", "W", invoice=1)
    back = log.add("consumption_reversed", "W", consumption=of, amount=1000, parts=[(1, 1, 1000)])
    made = delta(log)
    return made if lie else confirmed or back


def ending(what, script, event, right, wrong):
    @forgery("15", what, script)
    def _(log, lie):
        return log.add(event, "W", **lie(right, wrong))


ending("a confirmation of a document that is none", ISSUED, "invoice_confirmed", {"invoice": 1},
       {"invoice": 2})
ending("a failure of a document that is none", ISSUED, "invoice_failed",
       {"invoice": 1, "why": "OTHER"}, {"invoice": 0, "why": "OTHER"})


@forgery("15", "a confirmation of what was confirmed", ISSUED)
def _(log, lie):
    first = log.add("invoice_confirmed", "W", invoice=1)
    return log.add("invoice_confirmed", "W", invoice=1) if lie else first


@forgery("15", "a failure of what was confirmed", ISSUED)
def _(log, lie):
    if lie:
        log.add("invoice_confirmed", "W", invoice=1)
    return log.add("invoice_failed", "W", invoice=1, why="OTHER")


@forgery("15", "a confirmation on another wallet", ISSUED)
def _(log, lie):
    return log.add("invoice_confirmed", lie("W", "P"), invoice=1)


@forgery("15", "a mail to another address", ISSUED)
def _(log, lie):
    address = log.find("invoice_email_set")["email"]
    return log.add("invoice_mailed", "W", invoice=1, email=lie(address, 0), result="SENT")


for field, right, wrong in (("total", -16000, -15999), ("vat", -1455, -1454), ("original", 1, 0)):
    @forgery("15", f"a negative document with another {field}", TWICE)
    def _(log, lie, field=field, right=right, wrong=wrong):
        e = log.find("invoice_issued", kind="NEGATIVE")
        assert e[field] == right
        e[field] = lie(right, wrong)
        return e


@forgery("15", "a pair whose second document is missing", CORRECTED)
def _(log, lie):
    if lie:
        log.drop(log.find("invoice_issued", kind="CORRECTED"))
    return log.find("invoice_issued", kind="NEGATIVE")


for field, wrong in (("total", 15999), ("vat", 1454), ("through", 0), ("kind", "ORIGINAL")):
    @forgery("15", f"a corrected document with another {field}", CORRECTED)
    def _(log, lie, field=field, wrong=wrong):
        e = log.find("invoice_issued", kind="CORRECTED")
        e[field] = lie(e[field], wrong)
        return [log.find("invoice_issued", kind="NEGATIVE"), e] if field == "kind" else e


@forgery("15", "a notice of a grant that is none", CLOSED)
def _(log, lie):
    return log.add("notice_sent", "W", grant_no=lie(1, 2))


@forgery("15", "a first month that lies behind", "! --invoice-from none\n"
         "policy.set day_close manual\nwallet.create W\ncharge C1 100\nconsume U1 5\n")
def _(log, lie):
    return log.add("policy_set", policy="invoice_from", value=lie(202611, 202609),
                   **{"from": log.events[-1].recorded_at + 1_000_000})


@forgery("15", "a wallet is deleted before its consumption is invoiced", CLOSED + "consume U4 83300\n"
         "wallet.off\n")
def _(log, lie):
    if not lie:
        return None
    return log.add("wallet_deleted", "W")


for each in ("invoiced", "invoiced_vat", "held"):
    @forgery("15", f"a closed day has another total: {each}", ISSUED + "= 11-02 09:00\nday.close 11-01\n")
    def _(log, lie, each=each):
        e = log.find("day_closed", -1)
        e["totals"] = lie(None, {each: 1})
        return e


@sound("15", "an address that was taken away", ISSUED)
def _(log):
    return log.find("invoice_issued")
