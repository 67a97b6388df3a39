"""What must hold after every command, recomputed from the plain lists: docs/rules.md sections 1, 6 and 9."""

import collections

import figures
import fold
import papers_invariants
import who
import who_invariants
from figures import FLOWS
from moment import day_of


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(part) for part in what))


def check(ledger):
    check_sequence(ledger)
    check_posting_days(ledger)
    for wallet in ledger.wallets.values():
        check_wallet(ledger, wallet)
    check_control_totals(ledger)
    check_who(ledger)
    papers_invariants.check(ledger)


def check_sequence(ledger):
    expect([e.seq for e in ledger.events] == list(range(1, len(ledger.events) + 1)), "gap in the sequence")
    times = [e.recorded_at for e in ledger.events if e.recorded_at is not None]
    expect(times == sorted(times), "recorded_at went backwards")
    for wallet in ledger.wallets.values():
        own = [e for e in ledger.events if e.wallet == wallet.id]
        expect(own == wallet.events, "the list of", wallet.id, "is not the ledger's")
        expect(fold.fold(own) == wallet.state, "the cached state of", wallet.id, "is not the fold")
    numbers = [w.number for w in ledger.wallets.values()]
    expect(numbers == list(range(1, len(numbers) + 1)), "wallet numbers are not dense")


def check_posting_days(ledger):
    """Nothing is posted to a closed day, so a published row never changes; days close in order, when over."""
    first_open = None
    for event in ledger.events:
        if event.recorded_at is None:
            continue
        today = day_of(event.recorded_at)
        first_open = today if first_open is None else first_open
        expect(first_open <= event.posted_on <= today, "posted out of the open days", event)
        if event.type == "day_closed":
            expect(event.body["day"] == first_open < today, "closed out of turn", event)
            first_open += 1
    expect(first_open == ledger.first_open, "first open day")


def check_wallet(ledger, wallet):
    state = wallet.state
    check_lots(wallet, state)
    check_grants(state)
    check_splits(wallet)
    check_consumption_states(wallet)
    check_refunds(state)
    check_against_sums(wallet, state)
    check_rows(wallet)
    check_reading(figures.Reading(ledger, len(ledger.events)), wallet.id)


def check_lots(wallet, state):
    remaining = sum(lot.remaining for lot in state.lots)
    expect(state.debt >= 0 and (state.debt == 0 or remaining == 0), "debt beside money", wallet.id)
    expect(remaining == max(state.paid, 0), "remainders and paid", wallet.id)
    for lot in state.lots:
        expect(lot.reversed + lot.refunded <= lot.amount, "more out of a lot than in", lot)
        expect(0 <= lot.remaining <= lot.capacity and lot.reversed >= 0 and lot.refunded >= 0, "lot", lot)


def check_grants(state):
    for grant in state.grants:
        expect(0 <= grant.remaining <= grant.amount, "grant", grant)
        expect(grant.amount == grant.consumed + grant.lost + grant.remaining, "grant is not conserved", grant)
        expect(not grant.ended or grant.remaining == 0, "ended with money", grant)


_RANK = {"free": 0, "paid": 1, "debt": 2}


def check_splits(wallet):
    for event in wallet.events:
        parts = event.body.get("parts")
        if parts is None or (event.type == "refund_failed" and not parts):
            continue
        expect(sum(p["amount"] for p in parts) == event.body["amount"], "split", event)
        expect(all(p["amount"] > 0 for p in parts), "empty part", event)
        if event.type == "cash_consumed":
            ranks = [_RANK[p["from"]] for p in parts]
            expect(ranks == sorted(ranks), "order of parts", event)
            for part in parts:
                if part["from"] == "free":
                    check_grant_was_usable(wallet, event, part["grant_no"])


def check_grant_was_usable(wallet, event, number):
    """Activation and last return were recorded at or before the usage; the deadline was not past."""
    before = [e for e in wallet.events if e.seq < event.seq]
    grant = fold.fold(before).grants[number - 1]
    touched = [e.recorded_at for e in before
               if (e.type == "free_activated" and e.body["grant_no"] == number)
               or (e.type == "consumption_reversed"
                   and any(p["to"] == "free" and p["grant_no"] == number for p in e.body["parts"]))]
    expect(touched and max(touched) <= event.occurred_at, "grant was not in use then", event)
    expect(day_of(event.recorded_at) <= grant.expires_on, "grant was past its deadline", event)


def check_consumption_states(wallet):
    """By the intervals known at the event's own sequence number."""
    transitions = []
    status_of = {"wallet_created": "ACTIVE", "wallet_turned_off": "OFF", "wallet_turned_on": "ACTIVE",
                 "wallet_suspended": "SUSPENDED", "wallet_deleted": "DELETED"}
    for event in wallet.events:
        if event.type == "suspension_lifted":
            transitions.append((event.recorded_at, event.body["status"]))
        elif event.type in status_of:
            transitions.append((event.recorded_at, status_of[event.type]))
        elif event.type == "cash_consumed":
            judged_at = min(event.occurred_at, event.recorded_at)
            then = [status for at, status in transitions if at <= judged_at]
            expect(then and then[-1] == "ACTIVE", "consumed when not active", event)
        elif event.type == "charge_settled":
            expect(transitions[-1][1] in ("ACTIVE", "OFF"), "charged when suspended", event)
        expect(transitions[-1][1] != "DELETED" or event.type == "wallet_deleted" or event.type.startswith("invoice_"),
               "after deletion", event)


def check_refunds(state):
    for refund in state.refunds.values():
        if refund.state in ("APPROVED", "COMPLETED"):
            expect(sum(leg["amount"] for leg in refund.legs) == refund.amount, "legs", refund)
    refunded = sum(r.amount for r in state.refunds.values() if r.state in ("APPROVED", "COMPLETED"))
    expect(sum(lot.refunded for lot in state.lots) == refunded, "refunded by lots and by refunds")


def check_against_sums(wallet, state):
    """The fold's balances against sums of what each event moved."""
    moved = [figures.movement(event) for event in wallet.events]
    in_use = sum(g.remaining for g in state.grants if g.state == "IN_USE")
    dormant = sum(g.remaining for g in state.grants if g.state == "DORMANT")
    expect(sum(m.paid for m in moved) == state.paid, "paid", wallet.id)
    expect(sum(m.free for m in moved) == in_use, "free", wallet.id)
    expect(sum(m.dormant for m in moved) == dormant, "dormant", wallet.id)
    expect(sum(m.transit for m in moved) == state.refunds_in("APPROVED"), "in transit", wallet.id)
    effects = sum(figures.effect(event) for event in wallet.events)
    expect(effects == state.paid + in_use, "effects", wallet.id)


def check_rows(wallet):
    totals = []
    for view in (figures.posted_on, figures.known_on):
        rows = figures.day_rows(wallet.events, view)
        for row in rows:
            expect(all(row[name] >= 0 for name in FLOWS), "negative flow", row)
            expect(view is figures.known_on or row["closing_free"] >= 0, "free cash below 0", row)
            expect(row["closing_total"] == row["closing_paid"] + row["closing_free"], "row", row)
        expect(figures.total_by_columns(rows) == rows[-1]["closing_total"], "columns and closings", wallet.id)
        totals.append(rows[-1]["closing_total"])
    expect(totals[0] == totals[1], "as posted and as known differ", wallet.id)


def check_reading(reading, wallet):
    explained = reading.explain(wallet)
    expect(explained["rest"] == 0, "rest", explained)
    balance = reading.balance(wallet)
    expect(balance["total"] == explained["total_now"], "total", balance, explained)
    rows = reading.cash_status(wallet)["rows"]
    published = rows[-1]["closing_total"] if rows else 0
    expect(published == explained["cash_status_total"], "published", explained)


def check_control_totals(ledger):
    """Every day_closed against all events of the ledger, without the running sums that wrote it."""
    by_day, sums, closed = collections.defaultdict(list), None, None
    for event in ledger.events:
        if event.recorded_at is not None:
            by_day[event.posted_on].append(event)
    days = sorted(by_day, reverse=True)
    for event in ledger.events:
        if event.type == "day_closed":
            day = event.body["day"]
            expect(closed is None or closed < day, "days close in their order", event)
            closed = day
            while days and days[-1] < day:
                sums = figures.day_totals(by_day[days.pop()], None, sums)
            expect(figures.day_totals(by_day.get(day, []), day, sums) == event.body["totals"], "control totals", event)


# ---- who

def check_who(ledger):
    expect(ledger.world.same_as(who.World(ledger.events)), "the cached world is not the fold")
    who_invariants.check(ledger)
