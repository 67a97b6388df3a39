"""docs/rules.md sections 6 and 9: control totals; and section 8: no text stands in an event."""
from forgery import Feed, forgery
from ledger import Format

MANUAL = "policy.set day_close manual\n"
A_DAY = Feed("../format/every-type.jsonl", "--offset", "-03:30")


def total(name):
    @forgery("6", f"a closed day has another total: {name}", A_DAY)
    def _(log, lie):
        e = log.find("day_closed")
        e["totals"] = lie(None, {name: 1})
        return e


for each in Format.totals[:22]:
    total(each)

REVERSED = MANUAL + "wallet.create W\ncharge C1 1000\ncharge.reverse C1 5 reason="


def reason(name, script, right, wrong, event="charge_reversed"):
    @forgery("8", f"a reversal {name}", script)
    def _(log, lie):
        e = log.find(event)
        e["reason"], e["reason_text"] = lie(right, wrong)
        return e


reason("has a code for a reason and a text", REVERSED + "CHARGEBACK", ("CHARGEBACK", 0),
       ("CHARGEBACK", 1))
reason("has words for a reason and no text", REVERSED + "somebody_asked", ("TEXT", 2), ("TEXT", 0))
reason("has no reason and a text", REVERSED + "CHARGEBACK", ("NONE", 0), ("NONE", 1))


@forgery("8", "a wallet has no name", MANUAL + "wallet.create W")
def _(log, lie):
    return log.add("wallet_created", id="X", name=lie(1, 0))


@forgery("8", "a wallet is renamed to no name", MANUAL + "wallet.create W")
def _(log, lie):
    return log.add("wallet_renamed", "W", name=lie(1, 0))
