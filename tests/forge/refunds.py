"""docs/rules.md section 4: refunds."""
from forgery import forgery, sound
from ledger import lot

PAID = "wallet.create W\ncharge C1 1000\n"
REQUESTED = PAID + "refund.request R1 1000\n"
APPROVED = REQUESTED + "refund.approve R1\n"

# ---- every event in every state

STATES = {
    "REQUESTED": REQUESTED,
    "APPROVED": APPROVED,
    "COMPLETED": APPROVED + "refund.complete R1",
    "REJECTED": REQUESTED + "refund.reject R1",
    "CANCELLED": REQUESTED + "refund.cancel R1",
    "FAILED (BALANCE)": REQUESTED + "consume U1 1\nrefund.approve R1\nconsume.reverse U1 1",
    "FAILED (AFTER_APPROVAL)": APPROVED + "refund.fail R1",
    "not there": PAID,
}
# So that the money would be there, whatever the state: 2,500 or more in lot 2, and room for as much.
TAIL = "charge C2 5000\nconsume U2 2500\n"
EVENTS = {"approved": "refund_approved", "failed for BALANCE": "refund_failed",
          "failed AFTER_APPROVAL": "refund_failed", "rejected": "refund_rejected",
          "cancelled": "refund_cancelled", "completed": "refund_completed"}
ALLOWED = {"REQUESTED": ("approved", "rejected", "cancelled"),
           "APPROVED": ("completed", "failed AFTER_APPROVAL")}


def fields_of(state, word, amount=1000):
    if word == "failed for BALANCE":
        return {"amount": amount, "why": "BALANCE"}
    if word in ("approved", "failed AFTER_APPROVAL"):
        back = state == "APPROVED" and word != "approved"
        return {"parts": [lot(1 if back else 2, amount)]}
    return {"amount": amount}


def step(state, word):
    script = STATES[state] + "\n" + TAIL
    if word in ALLOWED.get(state, ()):
        @sound("4", f"a refund that is {state} is {word}", script)
        def _(log):
            log.add(EVENTS[word], "W", refund_no=1, **fields_of(state, word))

        @forgery("4", f"a refund is {word} with another amount than was asked for", script)
        def _(log, lie):
            return log.add(EVENTS[word], "W", refund_no=1,
                           **fields_of(state, word, lie(1000, 999)))
        return

    @forgery("4", f"a refund that is {state} is {word}", script)
    def _(log, lie):
        if lie:
            return log.add(EVENTS[word], "W", refund_no=1, **fields_of(state, word))


for each in STATES:
    for way in EVENTS:
        step(each, way)


# ---- the outcome of an approval

@forgery("4", "a covered refund fails for BALANCE: the customer is not paid", REQUESTED)
def _(log, lie):
    if not lie:
        log.add("cash_consumed", "W", parts=[lot(1, 1)])
    return log.add("refund_failed", "W", refund_no=1, why="BALANCE", amount=1000)


@forgery("4", "a refund that is not covered is approved", PAID + "charge C2 5\nrefund.request R1")
def _(log, lie):
    parts = [lot(2, 5), lot(1, 1000)]
    if lie:
        log.add("cash_consumed", "W", parts=[lot(1, 1)])
    return log.add("refund_approved", "W", refund_no=1, parts=parts)


@forgery("4", "a refund that is not covered fails AFTER_APPROVAL", REQUESTED + "consume U1 1")
def _(log, lie):
    return log.add("refund_failed", "W", refund_no=1, amount=1000,
                   why=lie("BALANCE", "AFTER_APPROVAL"))


@forgery("4", "money that comes back after the approval is said to fail for BALANCE", APPROVED)
def _(log, lie):
    return log.add("refund_failed", "W", refund_no=1, parts=[lot(1, 1000)],
                   why=lie("AFTER_APPROVAL", "BALANCE"))


@forgery("4", "a refund is not approved because other requests are open",
         PAID + "refund.request R1 600\nrefund.request R2 400")
def _(log, lie):
    if not lie:
        log.add("cash_consumed", "W", parts=[lot(1, 401)])
    return log.add("refund_failed", "W", refund_no=1, why="BALANCE", amount=600)


@sound("4", "open requests exceed paid cash, one is approved and the other is not covered",
       PAID + "refund.request R1 600\nrefund.request R2 400\nconsume U1 300")
def _(log):
    log.add("refund_approved", "W", refund_no=1, parts=[lot(1, 600)])
    log.add("refund_failed", "W", refund_no=2, why="BALANCE", amount=400)


# ---- the amount

def asked(name, script, right, wrong):
    @forgery("4", f"a request {name}", script)
    def _(log, lie):
        return log.add("refund_requested", "W", refund="RX", **lie(right, wrong))


asked("of far more than there is", PAID, {"amount": 1000}, {"amount": 10 ** 9})
asked("of more than is refundable", PAID, {"amount": 1000}, {"amount": 1001})
asked("of what another request has", PAID + "refund.request R1 600", {"amount": 400},
      {"amount": 401})
asked("of all says less than all", PAID, {"amount": 1000, "scope": "FULL"},
      {"amount": 999, "scope": "FULL"})
asked("of all says what another request has", PAID + "refund.request R1 600",
      {"amount": 400, "scope": "FULL"}, {"amount": 1000, "scope": "FULL"})
asked("of a part says that it is all", PAID, {"amount": 600}, {"amount": 600, "scope": "FULL"})
asked("out of its number", PAID, {"amount": 5}, {"amount": 5, "refund_no": 2})
asked("with the number of another", PAID + "refund.request R1 5", {"amount": 5},
      {"amount": 5, "refund_no": 1})


@forgery("4", "a request where nothing is refundable", PAID + "refund.request R1 600")
def _(log, lie):
    if lie:
        log.add("cash_consumed", "W", parts=[lot(1, 500)])
    return log.add("refund_requested", "W", refund="RX", amount=1)


@forgery("4", "a request of free cash", "wallet.create W\nfree.grant G1 500 9\nfree.activate G1\n"
         "charge C1 100")
def _(log, lie):
    return log.add("refund_requested", "W", refund="RX", amount=lie(100, 101))


@sound("4", "a request of a part that is all", PAID)
def _(log):
    log.add("refund_requested", "W", refund="RX", amount=1000, scope="PARTIAL")
