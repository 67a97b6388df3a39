"""Checks the model alone: the example vectors V1 to V18, the rules' own examples, and every invariant after random commands.

    python3 tests/witness/selftest.py [--seeds N]"""

import collections
import copy
import itertools
import json
import os
import pickle
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import compare
import figures
import form
import generate
import generate_papers
import generate_who
import invariants
import model
import moment
import papers
import papers_faults
import papersread
import pretend
import serving
import who_faults

SEEDS = 20                # short streams, everything recomputed after each command
COMMANDS = 150
WHO_SEEDS = 12            # of each kind of ledger, with roles and channels
WHO_COMMANDS = 500
PAPERS_SEEDS = 8          # of ledgers with tax invoices, over years
PAPERS_COMMANDS = 700
LONG_SEEDS = 2            # long ones, recomputed now and then and read as of every hundredth event
LONG_COMMANDS = 2000
FAULT_COMMANDS = 400

COUNTS = collections.Counter()


class Story:
    """A ledger with a clock that is set by hand; W1 is made at the start."""

    def __init__(self, clock="2026-10-01T09:00:00+09:00", wallet=True):
        self.ledger = model.Ledger(generate.INIT_EVENTS)
        self.clock = clock
        if wallet:
            self.create("W1")

    def create(self, wallet):
        return self.do("wallet.create", wallet=wallet, kind="BUSINESS", name="a wallet")

    def at(self, text):
        """Sets the clock: `10-02 00:05` or a whole instant."""
        self.clock = text if "T" in text else f"2026-{text.replace(' ', 'T')}:00+09:00"
        return self

    def command(self, op, **members):
        if "wallet" in form.FIELDS[op][0].split():
            members.setdefault("wallet", "W1")
        members = {name.rstrip("_"): value for name, value in members.items()}
        return {"op": op, "clock": self.clock, **members}

    def send(self, command, caller=""):
        result = self.ledger.apply_line(json.dumps(command), caller)
        self.ledger.check()
        COUNTS["commands of stories"] += 1
        return result

    def do(self, op, **members):
        result = self.send(self.command(op, **members))
        assert result["ok"], (op, members, result)
        return result

    def refuse(self, op, **members):
        result = self.send(self.command(op, **members))
        assert not result["ok"], (op, members, result)
        return result

    def group(self, *members, **outer):
        inner = [{k: v for k, v in self.command(op, **m).items() if k != "clock"} for op, m in members]
        return self.send({"op": "atomic", "clock": self.clock, "commands": inner, **outer})

    def reading(self):
        return figures.Reading(self.ledger, len(self.ledger.events))

    def balance(self, wallet="W1"):
        return self.reading().balance(wallet)

    def figures(self, *names):
        balance = self.balance()
        return tuple(balance[name] for name in names)

    def rows(self, view="posted"):
        return {row["day"]: row for row in self.reading().cash_status("W1", view)["rows"]}

    def types(self):
        return [e.type for e in self.ledger.events[generate.INIT_EVENTS:]]

    def free(self, grant, amount, expires_on, activate=True):
        self.do("free.grant", grant=grant, amount=amount, expires_on=expires_on)
        if activate:
            self.do("free.activate", grant=grant)


def where(parts):
    """[("paid", 1, 20), ("debt", None, 5)]"""
    merged = [{**target, "amount": amount} for target, amount in compare.merged(parts)]
    return [(p.get("from", p.get("to")), p.get("lot", p.get("grant_no")), p["amount"]) for p in merged]


def usable(line):
    """Is the line a well-formed command?"""
    try:
        form.check(json.loads(line))
        return True
    except (ValueError, form.Malformed):
        return False


class DomainVectors(unittest.TestCase):
    """The example vectors V4 to V16 and V18, where they speak of these commands; V17 as posting."""

    @classmethod
    def tearDownClass(cls):
        COUNTS["domain vectors"] += 15

    def v4(self):
        story = Story()
        story.free("G1", 10000, "2026-10-31", activate=False)
        story.do("charge", charge="C1", amount=5000)
        return story

    def test_v4_dormant_free_cash_is_not_touched(self):
        story = self.v4()
        story.do("consume", usage="U1", amount=7000, overdraft=True)
        self.assertEqual(story.figures("paid", "free", "free_dormant", "total", "debt"), (-2000, 0, 10000, -2000, 2000))

    def test_v5_active_free_cash_goes_first(self):
        story = self.v4()
        story.do("free.activate", grant="G1")
        story.do("consume", usage="U1", amount=7000)
        self.assertEqual(story.figures("paid", "free", "total"), (5000, 3000, 8000))

    def test_v6_free_cash_does_not_fill_a_hole(self):
        story = self.v4()
        story.do("consume", usage="U1", amount=7000, overdraft=True)
        story.do("free.activate", grant="G1")
        self.assertEqual(story.figures("paid", "free", "total"), (-2000, 10000, 8000))

    def test_v7_charge_fills_the_hole(self):
        story = self.v4()
        story.do("consume", usage="U1", amount=7000, overdraft=True)
        self.assertEqual(story.do("charge", charge="C2", amount=1000)["applied_to_debt"], 1000)
        self.assertEqual(story.figures("paid"), (-1000,))

    def test_v8_last_instant_of_a_grant(self):
        for clock, available in (("2026-10-01T23:59:59+09:00", 50), ("2026-10-02T00:00:00+09:00", 0)):
            story = Story()
            story.free("G1", 50, "2026-10-01")
            story.at(clock)
            if available:
                story.do("consume", usage="U1", amount=50)
            else:
                self.assertEqual(story.refuse("consume", usage="U1", amount=50)["available"], 0)
                self.assertEqual(story.figures("free", "total"), (50, 50))  # as of an S before midnight
                story.do("wallet.rename", name="after midnight")
                self.assertEqual(story.figures("free", "total"), (0, 0))

    def test_v9_refund_fails_at_approval(self):
        story = Story()
        story.do("charge", charge="C1", amount=10000)
        story.do("refund.request", refund="R1")
        story.do("consume", usage="U1", amount=10001, overdraft=True)
        result = story.do("refund.approve", refund="R1")
        self.assertEqual((result["outcome"], result["why"]), ("FAILED", "BALANCE"))
        self.assertEqual(story.figures("paid", "refund_pending", "refund_in_transit"), (-1, 0, 0))

    def test_v10_refund_takes_newest_first(self):
        story = Story("2025-08-20T09:00:00+09:00")
        story.do("charge", charge="card-old", amount=50000)
        story.at("10-01 09:00")
        story.do("charge", charge="bank", amount=30000)
        story.do("charge", charge="card-new", amount=20000)
        used = story.do("consume", usage="U1", amount=60000)
        self.assertEqual(where(used["parts"]), [("paid", 1, 50000), ("paid", 2, 10000)])
        story.do("refund.request", refund="R1")
        legs = story.do("refund.approve", refund="R1")["parts"]
        self.assertEqual(where(legs), [("paid", 3, 20000), ("paid", 2, 20000)])

    def test_v11_reversed_deposit_goes_below_zero(self):
        story = Story()
        story.do("charge", charge="C1", amount=30000)
        story.do("consume", usage="U1", amount=30000)
        story.do("charge.reverse", charge="C1", amount=30000)
        self.assertEqual(story.figures("paid", "debt"), (-30000, 30000))

    def test_v12_one_charge_of_many_deliveries(self):
        story = Story()
        for _ in range(8):
            for kind in ("deposit", "status"):
                story.send(story.command("charge", charge="C1", amount=30000, key=f"{kind}-1"))
        self.assertEqual(story.types().count("charge_settled"), 1)
        self.assertEqual(story.types().count("command_refused"), 1)  # ID_EXISTS, for the other key, once

    def test_v13_suspended(self):
        story = Story()
        story.do("charge", charge="C1", amount=100)
        story.do("wallet.suspend")
        self.assertEqual(story.refuse("charge", charge="C2", amount=1)["code"], "WALLET_STATE")
        self.assertEqual(story.refuse("consume", usage="U1", amount=1)["status"], "SUSPENDED")
        story.do("refund.request", refund="R1")
        story.do("refund.approve", refund="R1")

    def test_v14_late_usage_around_off(self):
        story = Story().at("10-01 11:00")
        story.do("charge", charge="C1", amount=100)
        story.at("10-01 12:00").do("wallet.off")
        story.at("10-01 12:05")
        story.do("consume", usage="U1", amount=1, at="2026-10-01T11:59:00+09:00")
        story.do("consume", usage="U2", amount=1, at="2026-10-01T11:59:59.999999+09:00")
        for at in ("2026-10-01T12:00:00+09:00", "2026-10-01T12:01:00+09:00"):
            self.assertEqual(story.refuse("consume", usage="U3", amount=1, at=at)["status"], "OFF")
        result = story.refuse("consume", usage="U3", amount=1, at="2026-10-01T08:59:59.999999+09:00")
        self.assertEqual(result["code"], "WALLET_UNKNOWN_THEN")

    def test_v15_conditions_of_deletion(self):
        story = Story()
        story.do("charge", charge="C1", amount=10)
        story.do("refund.request", refund="R1", amount=4)
        self.assertEqual(story.refuse("wallet.delete")["conditions"],
                         {"not_off": "ACTIVE", "paid_not_zero": 10, "refund_outstanding": 1})
        story.do("refund.approve", refund="R1")
        story.do("consume", usage="U1", amount=6)
        story.do("wallet.off")
        self.assertEqual(story.refuse("wallet.delete")["conditions"], {"refund_outstanding": 1})
        story.do("refund.complete", refund="R1")
        story.do("wallet.on")
        self.assertEqual(story.refuse("wallet.delete")["conditions"], {"not_off": "ACTIVE"})
        story.do("consume", usage="U2", amount=1, overdraft=True)
        story.do("wallet.off")
        self.assertEqual(story.refuse("wallet.delete")["conditions"], {"paid_not_zero": -1})
        story.do("debt.repay", amount=1)
        self.assertEqual(story.do("wallet.delete")["forfeited"], 0)
        self.assertEqual(story.balance()["status"], "DELETED")
        self.assertEqual(story.refuse("charge", charge="C9", amount=1)["code"], "WALLET_DELETED")
        self.assertEqual(story.refuse("wallet.create", kind="BUSINESS", name="again")["code"], "WALLET_EXISTS")

    def test_v16_what_a_month_consumed(self):
        story = Story()
        story.do("charge", charge="C1", amount=100000)
        story.free("G1", 40000, "2026-10-31")
        result = story.do("consume", usage="U1", amount=145000, overdraft=True)
        self.assertEqual((result["free"], result["paid"], result["debt"]), (40000, 100000, 5000))
        row = story.rows("known")["2026-10-01"]
        self.assertEqual((row["consumed_paid"], row["consumed_free"]), (105000, 40000))

    def test_v17_usage_after_the_month_was_closed(self):
        story = Story("2026-03-31T20:00:00+09:00")
        story.do("charge", charge="C1", amount=100)
        story.at("04-12 10:00").do("wallet.rename", name="closes March")
        story.do("consume", usage="U1", amount=10, at="2026-03-31T23:00:00+09:00")
        event = story.ledger.events[-1]
        self.assertEqual((moment.day_text(event.posted_on), event.late), ("2026-04-12", True))
        self.assertEqual(story.rows("known")["2026-03-31"]["consumed_paid"], 10)
        self.assertEqual(story.rows()["2026-03-31"]["consumed_paid"], 0)

    def test_v18_todays_charge(self):
        story = Story()
        story.at("10-02 09:00").do("charge", charge="C1", amount=1000)
        explained = story.reading().explain("W1")
        self.assertEqual((explained["total_now"], explained["cash_status_total"], explained["difference"]), (1000, 0, 1000))
        self.assertEqual([(c["cause"], c["late"], c["amount"]) for c in explained["causes"]], [("charged", False, 1000)])


class TimeAndDays(unittest.TestCase):
    """docs/rules.md section 1."""

    def test_posting_before_and_after_the_close(self):
        story = Story().at("10-02 00:05")
        story.do("charge", charge="C1", amount=5, at="2026-10-01T23:59:00+09:00")
        event = story.ledger.events[-1]
        self.assertEqual((moment.day_text(event.posted_on), event.late), ("2026-10-01", False))
        story.at("10-02 00:10").do("charge", charge="C2", amount=7, at="2026-10-01T23:59:00+09:00")
        event = story.ledger.events[-1]
        self.assertEqual((moment.day_text(event.posted_on), event.late), ("2026-10-02", True))
        self.assertEqual([e.type for e in story.ledger.events[-2:]], ["day_closed", "charge_settled"])
        self.assertEqual(story.rows()["2026-10-01"]["closing_total"], 5)

    def test_grace_to_the_microsecond(self):
        story = Story().at("2026-10-02T00:09:59.999999+09:00")
        story.do("wallet.rename", name="a")
        self.assertNotIn("day_closed", story.types())
        story.at("2026-10-02T00:10:00+09:00").do("wallet.rename", name="b")
        self.assertIn("day_closed", story.types())

    def test_refused_commands_close_nothing(self):
        story = Story().at("10-03 09:00")
        story.refuse("free.activate", grant="Gx")
        story.refuse("free.activate", grant="Gx", key="k")
        self.assertEqual(story.types(), ["wallet_created", "command_refused"])

    def test_manual_closing(self):
        story = Story()
        story.do("policy.set", policy="day_close", value="manual")
        story.at("10-04 09:00").do("wallet.rename", name="a")
        self.assertNotIn("day_closed", story.types())
        refusal = story.refuse("day.close", day="2026-10-04")
        self.assertEqual((refusal["code"], refusal["first_open_day"]), ("DAY_NOT_OVER", "2026-10-01"))
        done = story.do("day.close", day="2026-10-02", key="close")
        self.assertEqual(story.types()[-2:], ["day_closed"] * 2)
        again = story.do("day.close", day="2026-10-01", key="other")
        self.assertEqual(again["seq"], done["seq"] - 1)
        self.assertTrue(story.do("day.close", day="2026-10-02", key="close")["duplicate"])
        story.do("wallet.rename", name="b", key="other")  # a closed day does not take its key

    def test_closed_day_is_answered_before_the_clock(self):
        story = Story().at("10-03 09:00")
        story.do("wallet.rename", name="a")
        story.at("10-01 09:00")
        self.assertEqual(story.refuse("wallet.rename", name="b")["code"], "CLOCK_BEHIND")
        self.assertTrue(story.do("day.close", day="2026-10-01")["ok"])

    def test_order_of_expiries_at_the_close(self):
        story = Story()
        story.create("W2")
        for wallet, grant, day in (("W2", "A", "10-01"), ("W1", "B", "10-02"), ("W1", "C", "10-01"),
                                   ("W2", "D", "10-02"), ("W1", "E", "10-01")):
            story.do("free.grant", wallet=wallet, grant=grant, amount=1, expires_on=f"2026-{day}")
        story.at("10-03 09:00").do("wallet.create", wallet="W3", kind="PERSONAL", name="x")
        written = [(e.type, e.wallet, e.body.get("grant_no")) for e in story.ledger.events[-8:-1]]
        self.assertEqual(written, [
            ("free_expired", "W1", 2), ("free_expired", "W1", 3), ("free_expired", "W2", 1), ("day_closed", None, None),
            ("free_expired", "W1", 1), ("free_expired", "W2", 2), ("day_closed", None, None)])
        expiry = story.ledger.events[-8]
        self.assertEqual(moment.instant_text(expiry.occurred_at), "2026-10-01T23:59:59.999999+09:00")
        self.assertEqual(moment.day_text(expiry.posted_on), "2026-10-01")

    def test_expiry_due_is_a_line_of_its_own(self):
        story = Story()
        story.create("W2")
        story.free("G1", 30, "2026-10-01")
        story.at("10-02 00:05").do("wallet.rename", wallet="W2", name="no close yet")
        explained = story.reading().explain("W1")
        self.assertEqual(explained["total_now"], 0)
        self.assertIn({"cause": "expiry_due", "late": False, "amount": -30, "events": []}, explained["causes"])
        self.assertEqual(explained["rest"], 0)
        result = story.do("wallet.rename", name="expiry first")
        self.assertEqual(story.types()[-2:], ["free_expired", "wallet_renamed"])
        self.assertEqual(result["seq"], len(story.ledger.events))

    def test_tolerance_of_at(self):
        clock = "2026-10-01T10:00:00+09:00"
        for at, op, code in (
                ("2026-10-01T10:05:00+09:00", "charge", None), ("2026-10-01T10:05:00.000001+09:00", "charge", "AT_IN_FUTURE"),
                ("2026-10-01T09:00:00+09:00", "charge", None),
                ("2026-10-01T08:59:59.999999+09:00", "charge", "WALLET_UNKNOWN_THEN"),
                ("2025-09-30T10:00:00+09:00", "charge", "WALLET_UNKNOWN_THEN"),
                ("2025-09-30T09:59:59.999999+09:00", "charge", "AT_TOO_OLD"), ("2026-10-01T09:55:00+09:00", "free.grant", None),
                ("2026-10-01T09:54:59.999999+09:00", "free.grant", "AT_NOT_ALLOWED")):
            story = Story().at(clock)
            members = {"charge": "C"} if op == "charge" else {"grant": "G", "expires_on": "2026-10-02"}
            result = story.send(story.command(op, amount=1, at=at, **members))
            self.assertEqual(result.get("code"), code, at)
            if op == "free.grant" and not code:
                self.assertEqual(story.ledger.events[-1].occurred_at, moment.parse_instant(clock))

    def test_at_ahead_of_the_clock_over_midnight(self):
        story = Story().at("2026-10-01T23:58:00+09:00")
        story.do("charge", charge="C1", amount=5, at="2026-10-02T00:01:00+09:00")
        event = story.ledger.events[-1]
        self.assertEqual(moment.day_text(event.posted_on), "2026-10-01")
        self.assertFalse(event.late)
        self.assertEqual(list(story.rows("known")), ["2026-10-01"])

    def test_first_open_day_begins_with_a_remembered_refusal(self):
        story = Story("2026-10-01T09:00:00+09:00", wallet=False)
        story.refuse("wallet.off", key="k")
        story.at("10-02 09:00").create("W1")
        self.assertEqual(story.types(), ["command_refused", "day_closed", "wallet_created"])
        self.assertEqual(story.ledger.events[-2].body["totals"]["events_posted"], 1)

    def test_no_clock_is_malformed(self):
        story = Story()
        command = story.command("wallet.rename", name="x")
        del command["clock"]
        self.assertEqual(story.send(command)["code"], "MALFORMED")


class Money(unittest.TestCase):
    """docs/rules.md sections 2, 3 and 4."""

    def test_return_fits_nowhere_but_in_c1(self):
        story = Story()
        story.do("charge", charge="C1", amount=4)
        story.do("consume", usage="U1", amount=2)
        story.do("consume", usage="U2", amount=4, overdraft=True)
        self.assertEqual(where(story.do("consume.reverse", usage="U1", amount=2)["parts"]), [("debt", None, 2)])
        result = story.do("consume.reverse", usage="U2", amount=4)
        self.assertEqual(where(result["parts"]), [("paid", 1, 4)])
        self.assertEqual((result["paid"], result["debt"]), (4, 0))

    def test_return_to_a_reversed_charge_goes_elsewhere(self):
        story = Story()
        story.do("charge", charge="C1", amount=4)
        story.do("consume", usage="U1", amount=4)
        story.do("charge.reverse", charge="C1", amount=4)
        story.do("charge", charge="C2", amount=10)
        result = story.do("consume.reverse", usage="U1", amount=4)
        self.assertEqual(where(result["parts"]), [("paid", 2, 4)])

    def test_named_lot_gets_at_most_what_it_gave(self):
        story = Story()
        story.do("charge", charge="C1", amount=5)
        story.do("charge", charge="C2", amount=3)
        story.do("consume", usage="U1", amount=10, overdraft=True)  # 5 of lot 1, 3 of lot 2, 2 of debt
        story.do("charge", charge="C3", amount=2)                   # fills the debt
        self.assertEqual(where(story.do("consume.reverse", usage="U1", amount=4)["parts"]), [("paid", 2, 2), ("paid", 3, 2)])

    def test_reversal_takes_its_lot_then_the_newest_then_debt(self):
        story = Story()
        for number, amount in ((1, 10), (2, 6), (3, 4)):
            story.do("charge", charge=f"C{number}", amount=amount)
        story.do("consume", usage="U1", amount=7)
        parts = story.do("charge.reverse", charge="C1", amount=10)["parts"]
        self.assertEqual(where(parts), [("paid", 1, 3), ("paid", 3, 4), ("paid", 2, 3)])
        self.assertEqual(story.refuse("charge.reverse", charge="C1", amount=1)["left"], 0)
        parts = story.do("charge.reverse", charge="C2", amount=6)["parts"]
        self.assertEqual(where(parts), [("paid", 2, 3), ("debt", None, 3)])

    def test_parts_come_back_in_reverse_order(self):
        story = Story()
        story.do("charge", charge="C1", amount=3)
        story.free("G1", 5, "2026-10-09")
        story.free("G2", 5, "2026-10-08")
        used = story.do("consume", usage="U1", amount=15, overdraft=True)
        self.assertEqual(where(used["parts"]), [("free", 2, 5), ("free", 1, 5), ("paid", 1, 3), ("debt", None, 2)])
        back = [where(story.do("consume.reverse", seq=used["seq"], amount=amount)["parts"]) for amount in (1, 3, 4, 7)]
        self.assertEqual(back, [[("debt", None, 1)], [("debt", None, 1), ("paid", 1, 2)],
                                [("paid", 1, 1), ("free", 1, 3)], [("free", 1, 2), ("free", 2, 5)]])
        self.assertEqual(story.refuse("consume.reverse", usage="U1", amount=1)["left"], 0)

    def test_late_usage_sees_a_grant_only_after_its_last_return(self):
        story = Story().at("10-01 10:00")
        story.free("G1", 10, "2026-10-09")
        story.at("10-01 11:00").do("consume", usage="U1", amount=4)
        story.at("10-01 12:00").do("consume.reverse", usage="U1", amount=1)
        story.at("10-01 13:00")
        for at, available in (("11:59:59.999999", 0), ("12:00:00", 7)):
            refusal = story.refuse("consume", usage="U2", amount=100, at=f"2026-10-01T{at}+09:00")
            self.assertEqual(refusal["available"], available)

    def test_return_after_expiry_lapses(self):
        story = Story()
        story.free("G1", 10, "2026-10-01")
        story.do("consume", usage="U1", amount=8)
        story.at("10-02 00:01")
        result = story.do("consume.reverse", usage="U1", amount=5)
        self.assertEqual((result["free"], result["lapsed"], where(result["parts"])), (0, 5, [("lapsed", 1, 5)]))
        row = story.rows("known")["2026-10-02"]
        self.assertEqual((row["returned"], row["expired"], row["closing_total"]), (5, 5, 0))

    def test_used_up_grant_is_in_use_again(self):
        story = Story()
        story.free("G1", 10, "2026-10-09")
        story.do("consume", usage="U1", amount=10)
        self.assertEqual(story.refuse("free.activate", grant="G1")["state"], "USED_UP")
        story.do("consume.reverse", usage="U1", amount=4)
        self.assertEqual(story.refuse("free.revoke", grant="G1")["state"], "IN_USE")
        self.assertEqual(story.figures("free"), (4,))

    def test_failed_refund_is_credited(self):
        story = Story()
        story.do("charge", charge="C1", amount=10)
        story.do("charge", charge="C2", amount=10)
        story.do("refund.request", refund="R1", amount=15)
        story.do("refund.approve", refund="R1")
        self.assertEqual(story.figures("paid", "refund_in_transit", "refundable"), (5, 15, 5))
        story.do("consume", usage="U1", amount=8, overdraft=True)
        result = story.do("refund.fail", refund="R1")
        self.assertEqual(where(result["parts"]), [("debt", None, 3), ("paid", 2, 10), ("paid", 1, 2)])
        self.assertEqual(story.refuse("refund.complete", refund="R1")["state"], "FAILED")

    def test_requests_hold_refundable_only(self):
        story = Story()
        story.do("charge", charge="C1", amount=10)
        self.assertEqual(story.do("refund.request", refund="R1")["scope"], "FULL")
        self.assertEqual(story.refuse("refund.request", refund="R2")["code"], "NOTHING_REFUNDABLE")
        self.assertEqual(story.refuse("refund.request", refund="R2", amount=1)["code"], "REFUND_EXCEEDS")
        story.do("consume", usage="U1", amount=10)
        story.do("refund.cancel", refund="R1")

    def test_minimum_binds_three_methods(self):
        story = Story()
        for method in ("CREDIT_CARD", "KAKAOPAY_CARD", "VIRTUAL_ACCOUNT"):
            self.assertEqual(story.refuse("charge", charge=method, amount=999, method=method)["min_charge"], 1000)
        for method in ("CREDIT_CARD_REGULAR", "ADMIN_CASH", "ADV_RET_CASH", "KAKAOPAY_CARD_AUTO"):
            story.do("charge", charge=method, amount=1, method=method)
        story.do("charge", charge="none", amount=1)
        story.do("policy.set", policy="min_charge", value=5, from_="2026-10-01T10:00:00+09:00")
        story.refuse("charge", charge="x", amount=5, method="CREDIT_CARD")
        story.at("10-01 10:00").do("charge", charge="x", amount=5, method="CREDIT_CARD")
        self.assertEqual(story.refuse("policy.set", policy="min_charge", value=1, from_="2026-10-01T09:59:59.999999+09:00")
                         ["code"], "FROM_IN_PAST")

    def test_limits(self):
        story = Story()
        story.do("charge", charge="C1", amount=form.LIMIT)
        self.assertEqual(story.refuse("charge", charge="C2", amount=1)["limit"], form.LIMIT)
        story.do("consume", usage="U1", amount=form.LIMIT)
        story.do("charge", charge="C2", amount=form.LIMIT)
        story.do("consume.reverse", usage="U1", amount=form.LIMIT)  # money coming back is never refused
        self.assertEqual(story.figures("paid"), (2 * form.LIMIT,))
        story.free("G1", form.LIMIT, "2026-10-09", activate=False)
        self.assertEqual(story.refuse("free.grant", grant="G2", amount=1, expires_on="2026-10-09")["code"], "AMOUNT_RANGE")

    def test_debt_limit(self):
        story = Story()
        story.do("consume", usage="U1", amount=form.LIMIT, overdraft=True)
        self.assertEqual(story.refuse("consume", usage="U2", amount=1, overdraft=True)["code"], "AMOUNT_RANGE")
        self.assertEqual(story.refuse("consume", usage="U2", amount=1)["code"], "INSUFFICIENT_CASH")

    def test_grants_limit_and_forfeit(self):
        story = Story()
        story.do("policy.set", policy="grants_max", value=2)
        story.free("G1", 3, "2026-10-09")
        story.free("G2", 4, "2026-10-09", activate=False)
        self.assertEqual(story.refuse("free.grant", grant="G3", amount=1, expires_on="2026-10-09")["grants_max"], 2)
        story.do("wallet.off")
        self.assertEqual(story.do("wallet.delete")["forfeited"], 7)
        self.assertEqual(story.types()[-3:], ["free_forfeited", "free_forfeited", "wallet_deleted"])
        self.assertEqual(story.rows("known")["2026-10-01"]["forfeited"], 3)  # dormant cash is in no row

    def test_ambiguous_usage(self):
        story = Story()
        story.do("charge", charge="C1", amount=10)
        first = story.do("consume", usage="U1", amount=2)["seq"]
        story.do("consume", usage="U1", amount=3)
        self.assertEqual(story.refuse("consume.reverse", usage="U1", amount=1)["code"], "AMBIGUOUS_USAGE")
        self.assertEqual(story.refuse("consume.reverse", usage="U2", seq=first, amount=1)["code"], "USAGE_UNKNOWN")
        self.assertEqual(story.refuse("consume.reverse", usage="U1", seq=first, amount=3)["left"], 2)
        story.do("consume.reverse", seq=first, amount=2)

    def test_states_at_one_instant(self):
        story = Story()
        story.do("charge", charge="C1", amount=10)
        story.do("consume", usage="U1", amount=1)
        story.do("wallet.off")
        self.assertEqual(story.refuse("consume", usage="U2", amount=1)["status"], "OFF")
        story.do("wallet.on")
        story.do("consume", usage="U2", amount=1)
        story.refuse("wallet.on")
        story.refuse("wallet.lift")
        story.do("wallet.suspend")
        for op in ("wallet.off", "wallet.on", "wallet.suspend"):
            self.assertEqual(story.refuse(op)["status"], "SUSPENDED")


class Keys(unittest.TestCase):
    """docs/rules.md section 5."""

    def test_same_key_same_answer(self):
        story = Story()
        first = story.do("charge", charge="C1", amount=5, key="k")
        again = story.do("charge", charge="C1", amount=5, key="k")
        self.assertEqual(again, {**first, "duplicate": True})
        self.assertEqual(story.refuse("charge", charge="C1", amount=6, key="k"),
                         {"ok": False, "code": "KEY_CONFLICT", "seq": first["seq"], "key": "k"})

    def test_what_is_content(self):
        story = Story("2026-10-01T08:00:00+09:00").at("10-01 09:00")
        story.do("charge", charge="C1", amount=5, key="k", at="2026-10-01T08:00:00+09:00")
        same = dict(charge="C1", amount=5, key="k", at="2026-10-01T08:00:00+09:00")
        for change in (dict(at="2026-09-30T23:00:00Z"), dict(expect=99), dict(actor={"id": "b", "role": "OPERATOR"}),
                       dict(clock="2026-09-01T00:00:00+09:00")):
            self.assertTrue(story.do("charge", **{**same, **change})["duplicate"], change)
        for change in (dict(at="2026-10-01T08:00:00.000001+09:00"), dict(note="n"), dict(method="ADMIN_CASH"), dict(wallet="W2")):
            self.assertEqual(story.refuse("charge", **{**same, **change})["code"], "KEY_CONFLICT", change)

    def test_absent_is_not_false(self):
        story = Story()
        story.do("charge", charge="C1", amount=5)
        story.do("consume", usage="U1", amount=5, key="k")
        self.assertEqual(story.refuse("consume", usage="U1", amount=5, key="k", overdraft=False)["code"], "KEY_CONFLICT")

    def test_refusals_are_remembered(self):
        story = Story()
        first = story.refuse("consume", usage="U1", amount=5, key="k")
        story.do("charge", charge="C1", amount=100)
        self.assertEqual(story.refuse("consume", usage="U1", amount=5, key="k"), {**first, "duplicate": True})
        self.assertNotIn("seq", story.refuse("consume", usage="U1", amount=500))
        self.assertEqual(story.balance()["version"], len(story.ledger.events))

    def test_malformed_and_clock_leave_no_trace(self):
        story = Story()
        for amount, code in ((0, "AMOUNT_INVALID"), (-1, "AMOUNT_INVALID"), (1.5, "AMOUNT_INVALID"), ("5", "AMOUNT_INVALID"),
                             (form.LIMIT + 1, "AMOUNT_RANGE")):
            self.assertEqual(story.refuse("charge", charge="C1", amount=amount, key="k")["code"], code)
        late = story.refuse("charge", charge="C1", amount=5, key="k", clock="2026-10-01T08:59:59.999999+09:00")
        self.assertEqual((late["code"], late["behind_us"]), ("CLOCK_BEHIND", 1))
        story.do("charge", charge="C1", amount=5, key="k")

    def test_scope_is_the_caller(self):
        story = Story()
        command = story.command("wallet.rename", name="x", key="k")
        results = [story.send(command, caller) for caller in ("", "gw", "", "gw")]
        self.assertEqual([bool(r.get("duplicate")) for r in results], [False, False, True, True])

    def test_expect(self):
        story = Story()
        version = story.do("charge", charge="C1", amount=5)["wallet_version"]
        self.assertEqual(story.refuse("wallet.rename", name="x", expect=0)["version"], version)
        story.do("wallet.rename", name="x", expect=version)
        story.do("wallet.create", wallet="W2", kind="BUSINESS", name="x", expect=0)
        self.assertEqual(story.refuse("wallet.create", wallet="W3", kind="BUSINESS", name="x", expect=4)["version"], 0)

    def test_expect_is_compared_before_closing_and_expiries(self):
        story = Story()
        story.free("G1", 5, "2026-10-01")
        version = story.balance()["version"]
        story.at("10-02 09:00").do("wallet.rename", name="x", expect=version)
        self.assertEqual(story.types()[-3:], ["free_expired", "day_closed", "wallet_renamed"])

    def test_groups(self):
        story = Story()
        done = story.group(("charge", dict(charge="C1", amount=5)), ("consume", dict(usage="U1", amount=3)), key="g")
        self.assertEqual([r["seq"] for r in done["results"]], [done["seq"] - 1, done["seq"]])
        again = story.group(("charge", dict(charge="C1", amount=5)), ("consume", dict(usage="U1", amount=3)), key="g")
        self.assertEqual(again, {**done, "duplicate": True})
        before = len(story.ledger.events)
        failed = story.group(("charge", dict(charge="C2", amount=5)), ("consume", dict(usage="U2", amount=99)))
        self.assertEqual((failed["code"], failed["index"], failed["available"]), ("INSUFFICIENT_CASH", 1, 7))
        self.assertEqual(len(story.ledger.events), before)
        failed = story.group(("charge", dict(charge="C2", amount=5)), ("consume", dict(usage="U2", amount=99)), key="h")
        self.assertEqual((failed["seq"], len(story.ledger.events)), (before + 1, before + 1))
        self.assertEqual(story.group()["code"], "MALFORMED")

    def test_group_sees_its_predecessors(self):
        story = Story()
        version = story.balance()["version"]
        done = story.group(("wallet.rename", dict(name="a", expect=version)), ("wallet.rename", dict(name="b", expect=version + 1)))
        self.assertTrue(done["ok"])
        self.assertEqual(story.group(("wallet.create", dict(wallet="W2", kind="BUSINESS", name="x")),
                                     ("charge", dict(wallet="W2", charge="C1", amount=5)))["ok"], True)

    def test_dry_decision_writes_nothing_and_agrees(self):
        for seed in range(10):
            ledger = model.Ledger(generate.INIT_EVENTS)
            for line in generate.stream(5000 + seed, 200):
                if usable(line) and ("", json.loads(line).get("key")) not in ledger.keys:
                    self.compare_dry(ledger, json.loads(line))
                ledger.apply_line(line)

    def compare_dry(self, ledger, command):
        before = pickle.dumps(ledger, pickle.HIGHEST_PROTOCOL)
        dry = ledger.dry(command)
        other = pickle.loads(before)
        self.assertEqual(other.events, ledger.events)
        real = other.apply(command)
        if real["ok"]:
            self.assertEqual({**dry, **({"key": command["key"]} if "key" in command else {})}, real)
        else:
            self.assertEqual((dry["ok"], dry["code"]), (False, real["code"]))
        COUNTS["dry decisions compared with real ones"] += 1


class RandomStreams(unittest.TestCase):
    def test_every_invariant_after_every_command(self):
        for seed in range(SEEDS):
            generator = generate.Generator(seed)
            for number in range(COMMANDS):
                text, _ = generator.next()
                try:
                    generator.ledger.check()
                except Exception:
                    print(f"seed {seed}, command {number + 1}: {text}", file=sys.stderr)
                    raise
                COUNTS["random commands, all invariants and recomputation after each"] += 1

    def test_long_streams_and_reads_of_the_past(self):
        for seed in range(LONG_SEEDS):
            generator = generate.Generator(1000 + seed)
            for number in range(LONG_COMMANDS):
                generator.next()
                if number % 400 == 399:
                    generator.ledger.check()
                COUNTS["random commands of long streams"] += 1
            self.read_the_past(generator.ledger)

    def read_the_past(self, ledger):
        for seq in range(generate.INIT_EVENTS + 1, len(ledger.events), 97):
            reading = figures.Reading(ledger, seq)
            for wallet in reading.wallets():
                invariants.check_reading(reading, wallet)
                COUNTS["balances and explanations as of an earlier event"] += 1

    def test_published_rows_never_change(self):
        for seed in range(10):
            generator = generate.Generator(2000 + seed)
            published = {}
            for _ in range(300):
                generator.next()
                if not generator.ledger.wallets:
                    continue
                reading = figures.Reading(generator.ledger, len(generator.ledger.events))
                for wallet in reading.wallets():
                    rows = reading.cash_status(wallet)["rows"]
                    self.assertEqual(rows[:len(published.get(wallet, []))], published.get(wallet, []))
                    published[wallet] = rows
                    COUNTS["published cash statuses compared with earlier ones"] += 1

    def test_applying_twice_is_applying_once(self):
        for seed in range(10):
            lines = [json.dumps({**json.loads(line), "key": f"all{n}"})
                     for n, line in enumerate(generate.stream(3000 + seed, 300)) if usable(line)]
            ledger = model.Ledger(generate.INIT_EVENTS)
            first = [ledger.apply_line(line) for line in lines]
            events = len(ledger.events)
            for before, after in zip(first, [ledger.apply_line(line) for line in lines]):
                if "seq" in before:
                    self.assertEqual({**before, "duplicate": True}, after)
            self.assertEqual(len(ledger.events), events)
            COUNTS["commands applied twice"] += len(lines)

    def test_streams_repeat_and_are_mostly_accepted(self):
        self.assertEqual(list(generate.stream(7, 200)), list(generate.stream(7, 200)))
        accepted = count = 0
        codes = collections.Counter()
        for seed in range(12):
            generator = generate.Generator(4000 + seed)
            for _ in range(1000):
                _, result = generator.next()
                if result is not None:
                    count, accepted = count + 1, accepted + result["ok"]
                    codes[result.get("code")] += 1
        self.assertGreater(accepted / count, 0.55)
        expected = set("""KEY_CONFLICT EXPECT_MISMATCH WALLET_UNKNOWN WALLET_UNKNOWN_THEN WALLET_EXISTS WALLET_DELETED
            WALLET_STATE DELETE_CONDITIONS CHARGE_UNKNOWN GRANT_UNKNOWN REFUND_UNKNOWN USAGE_UNKNOWN AMBIGUOUS_USAGE
            ID_EXISTS INSUFFICIENT_CASH NOTHING_REFUNDABLE REFUND_EXCEEDS DEBT_EXCEEDS REVERSAL_EXCEEDS RETURN_EXCEEDS
            MIN_CHARGE AMOUNT_INVALID AMOUNT_RANGE GRANT_STATE GRANT_EXPIRED GRANTS_LIMIT REFUND_STATE AT_IN_FUTURE
            AT_NOT_ALLOWED AT_TOO_OLD CLOCK_BEHIND FROM_IN_PAST DAY_NOT_OVER MALFORMED""".split())
        self.assertEqual(expected - set(codes), set())
        COUNTS["refusal codes met by random streams"] = len(expected)


class TheChecksThemselves(unittest.TestCase):
    """A check that finds nothing when something is wrong is no check."""

    def ledger(self):
        generator = generate.Generator(11)
        for _ in range(400):
            generator.next()
        generator.ledger.check()
        return generator.ledger

    def last(self, ledger, type_):
        return next(e for e in reversed(ledger.events) if e.type == type_)

    def assert_found(self, ledger):
        for wallet in ledger.wallets.values():
            wallet._cached = None  # so that the invariants find it, not the comparison with the cache
        with self.assertRaises((AssertionError, IndexError)):
            ledger.check()
        COUNTS["planted faults found by the invariants"] += 1

    def test_corrupted_events(self):
        def amount(event):
            event.body["amount"] += 1

        def posting(event):
            event.posted_on -= 400

        def order(event):
            event.recorded_at -= 10**15

        for type_, corrupt in itertools.product(["cash_consumed", "consumption_reversed", "refund_approved"], [amount, posting, order]):
            ledger = self.ledger()
            corrupt(self.last(ledger, type_))
            with self.subTest(type=type_, corrupt=corrupt.__name__):
                self.assert_found(ledger)
        ledger = self.ledger()
        self.last(ledger, "day_closed").body["totals"]["closing_paid"] += 1
        self.assert_found(ledger)

    def test_wrong_cache(self):
        ledger = self.ledger()
        next(iter(ledger.wallets.values())).state.debt += 1
        with self.assertRaises(AssertionError):
            ledger.check()

    def test_obvious_and_wrong_credit(self):
        """`To the charges that it came from`, whatever room they have, and no further: it breaks once a charge was reversed."""
        honest = model.credit
        model.credit = lambda state, amount, named, freed=None: (
            [{"to": "paid", "lot": p["lot"], "amount": p["amount"]} for p in named]
            + model.debt_part("to", amount - sum(p["amount"] for p in named)))
        try:
            with self.assertRaises(AssertionError):
                for seed in range(20):
                    generator = generate.Generator(seed)
                    for _ in range(150):
                        generator.next()
                        generator.ledger.check()
        finally:
            model.credit = honest

    def test_comparison_of_results(self):
        expected = {"ok": True, "seq": 5, "wallet_version": 5, "parts": [{"from": "paid", "lot": 1, "amount": 2}]}
        self.assertEqual(compare.result(expected, {**expected, "line": 1, "extra": 0}), [])
        for wrong in (dict(seq=6), dict(ok=1), dict(duplicate=True), dict(parts=[]), dict(wallet_version=None)):
            self.assertNotEqual(compare.result(expected, {**expected, **wrong}), [], wrong)
        refusal = {"ok": False, "code": "WALLET_STATE", "status": "OFF", "allows": model.ANY}
        self.assertEqual(compare.result(refusal, {**refusal, "allows": ["charge"]}), [])
        self.assertNotEqual(compare.result(refusal, {**refusal, "allows": None}), [])
        self.assertNotEqual(compare.result(refusal, {**refusal, "seq": 3}), [])


class Who(unittest.TestCase):
    """Roles, channels, business information, the sales right. What each rule says: tests/scenario/who.jsonl, who-trust.jsonl."""

    def test_invariants_and_codes(self):
        accepted = count = 0
        codes = collections.Counter()
        for seed, mode in itertools.product(range(WHO_SEEDS), ("enforce", "trust")):
            generator = generate_who.WhoGenerator(seed, mode)
            for number in range(WHO_COMMANDS):
                text, result = generator.next()
                if number % 100 == 99:
                    try:
                        generator.ledger.check()
                    except Exception:
                        print(f"who, seed {seed}, {mode}, command {number + 1}: {text}", file=sys.stderr)
                        raise
                if result is not None:
                    count, accepted = count + 1, accepted + result["ok"]
                    codes[result.get("code")] += 1
        self.assertGreater(accepted / count, 0.5)
        expected = set("""ROLE WALLET_KIND PERSON_STATE INVITE_EXPIRED MEMBERS_LIMIT MASTER_NEEDED LAST_OPERATOR CHANNEL_UNKNOWN
            CHANNEL_EXISTS CHANNEL_STATE CHANNEL_KIND SEARCH_ID_INVALID SEARCH_ID_SET SEARCH_ID_TAKEN BIZ_NUMBER BIZ_STATE
            SALES_STATE UNCHANGED DELETE_CONDITIONS INSUFFICIENT_CASH KEY_CONFLICT EXPECT_MISMATCH WALLET_STATE""".split())
        self.assertEqual(expected - set(codes), set())
        COUNTS["random commands with roles and channels"] += count

    def test_streams_find_planted_faults(self):
        streams = who_faults.recorded()
        self.assertIsNone(who_faults.found(streams))
        for name, plant in who_faults.FAULTS.items():
            with plant():
                self.assertIsNotNone(who_faults.found(streams), name)
            COUNTS["planted faults about who found by the streams"] += 1

    def test_dry_decisions_leave_nothing(self):
        for seed in range(4):
            generator = generate_who.WhoGenerator(100 + seed)
            for _ in range(300):
                generator.next()
            before = copy.deepcopy(generator.ledger.world)
            for _ in range(30):
                generator._would_pass(generator._decorate(generator._build("connect")))
            self.assertTrue(before.same_as(generator.ledger.world))

    def test_a_corrupted_event_is_found(self):
        for type_, member, value in (("channel_connected", "channel", "C1"), ("member_joined", "person", "nobody"),
                                     ("biz_requested", "base", 1), ("settlement_changed", "settlement", "POSTPAID")):
            generator = generate_who.WhoGenerator(21)
            found = []
            while not found:
                generator.next()
                found = [e for e in generator.ledger.events if e.type == type_ and e.body[member] != value]
            found[-1].body[member] = value
            with self.subTest(type=type_), self.assertRaises((AssertionError, KeyError)):
                generator.ledger.check()


class Papers(unittest.TestCase):
    """Tax invoices. What each rule says: tests/scenario/papers-rules.jsonl, papers-due.jsonl, papers-from.jsonl."""

    def test_v2_v3_vat(self):
        for net, vat in ((9026, 821), (30000, 2727), (37400, 3400), (50000, 4545), (50000000000, 4545454545), (1492, 136),
                         (2250, 205), (859950, 78177), (105000, 9545), (-2200, -200), (5, 0), (6, 1)):
            self.assertEqual(papers.half_up(net, 10), vat)
            if net > 0:
                self.assertEqual(invariants.papers_invariants.vat_in(net, 10), vat)

    def test_months(self):
        self.assertEqual(papers.next_month(202612), 202701)
        self.assertEqual(moment.day_text(papers.last_day(202802)), "2028-02-29")
        for text in ("2026-13", "2026-00", "202610", "2026-1", "0000-01", "", 202610, None):
            self.assertIsNone(papers.parse_month(text))

    def test_invariants_and_codes(self):
        accepted = count = 0
        codes, kinds = collections.Counter(), collections.Counter()
        for seed in range(PAPERS_SEEDS):
            generator = generate_papers.PapersGenerator(seed, "enforce" if seed % 4 == 3 else "trust")
            for number in range(PAPERS_COMMANDS):
                text, result = generator.next()
                if number % 100 == 99:
                    try:
                        generator.ledger.check()
                    except Exception:
                        print(f"papers, seed {seed}, command {number + 1}: {text}", file=sys.stderr)
                        raise
                if result is not None:
                    count, accepted = count + 1, accepted + result["ok"]
                    codes[result.get("code")] += 1
            kinds.update((e.body["kind"], e.body["reason"]) for e in generator.ledger.events if e.type == "invoice_issued")
        self.assertGreater(accepted / count, 0.5)
        expected = set("""MONTH_OPEN NOTHING_TO_INVOICE NO_BUSINESS_INFO INVOICE_PENDING INVOICE_UNKNOWN INVOICE_STATE INVOICE_REASON
            WALLET_KIND FROM_IN_PAST DELETE_CONDITIONS GRANT_STATE GRANT_UNKNOWN GRANT_EXPIRED""".split())
        self.assertEqual(expected - set(codes), set())
        self.assertEqual(len(kinds), 6, kinds)
        COUNTS["random commands with tax invoices"] += count
        COUNTS["tax invoices in them"] += sum(kinds.values())

    def test_streams_find_planted_faults(self):
        streams = papers_faults.recorded()
        self.assertIsNone(papers_faults.found(streams))
        for name, plant in papers_faults.FAULTS.items():
            with plant():
                self.assertIsNotNone(papers_faults.found(streams), name)
            COUNTS["planted faults about papers found by the streams"] += 1

    def test_a_corrupted_event_is_found(self):
        for type_, member, value in (("invoice_issued", "total", 1), ("invoice_issued", "vat", 1), ("invoice_issued", "number", 1),
                                     ("invoice_issued", "business", 1), ("invoice_issued", "written_on", 1),
                                     ("invoice_issued", "through", -1)):
            generator = generate_papers.PapersGenerator(21, since="all")
            for _ in range(300):
                generator.next()
            event = [e for e in generator.ledger.events if e.type == type_][-1]
            event.body[member] += value
            with self.subTest(member=member), self.assertRaises((AssertionError, KeyError)):
                generator.ledger.check()

    def test_books_are_papers(self):
        """Of each wallet and month of which all is invoiced."""
        compared = 0
        for seed in range(4):
            generator = generate_papers.PapersGenerator(300 + seed, since="all")
            for _ in range(PAPERS_COMMANDS):
                generator.next()
            reader = papersread.PapersReading(figures.Reading(generator.ledger, len(generator.ledger.events)))
            books = collections.Counter()
            for (wallet, _, month), vat in reader.vat_lines().items():
                books[wallet, month] += vat
            for wallet in generator.ledger.wallets.values():
                found = papers.Papers(wallet.events)
                for month in found.months(papers.ALL_MONTHS) if reader.world.kinds[wallet.id] == "BUSINESS" else []:
                    if found.net(month) == found.covered(month) and papers.last_day(month) <= (reader.closed_through or 0):
                        self.assertEqual(books[wallet.id, month], sum(first.vat for first in found.firsts(month)))
                        compared += 1
        self.assertGreater(compared, 40)
        COUNTS["months whose books are their papers"] += compared


class TheDriver(unittest.TestCase):
    """run.py against a program that is made of the model itself, honest and with faults planted."""

    @classmethod
    def setUpClass(cls):
        cls.server = serving.server(pretend.main)
        cls.environment = cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__, None, None, None)

    def drive(self, *arguments, fault=None, shrink="2"):
        command = [sys.executable, os.path.join(HERE, "run.py"), "--jangbu", os.path.join(HERE, "pretend.py"),
                   "--seed", "5", "--shrink-seconds", shrink, *arguments]
        COUNTS["runs of the driver"] += 1
        with tempfile.TemporaryDirectory() as scratch:  # where a difference leaves its shrunken stream
            environment = {**os.environ, **self.environment, "PRETEND_FAULT": fault or "", "TMPDIR": scratch}
            return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)

    def test_no_difference_where_there_is_none(self):
        for count, *arguments in (["40", "--batch", "1"], ["70", "--batch", "random", "--restart"],
                                  ["40", "--batch", "1000", "--restart"], ["20", "--who", "enforce"],
                                  ["12", "--who", "trust", "--batch", "random", "--restart"], ["30", "--papers"]):
            done = self.drive("--commands", count, *arguments)
            self.assertEqual(done.returncode, 0, done.stdout.decode())

    def test_planted_faults_are_found(self):
        for i, fault in enumerate(pretend.FAULTS):
            done = self.drive("--commands", str(FAULT_COMMANDS), fault=fault, shrink="2" if i == 0 else "0")
            self.assertEqual(done.returncode, 1, (fault, done.stdout.decode()))
            self.assertIn(b"DIFFERENCE", done.stdout, fault)
            COUNTS["planted faults found by the driver"] += 1


def main():
    global SEEDS
    if "--seeds" in sys.argv:
        at = sys.argv.index("--seeds")
        SEEDS = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    program = unittest.main(exit=False)
    for what, count in sorted(COUNTS.items()):
        print(f"{count:8}  {what}")
    sys.exit(not program.result.wasSuccessful())


if __name__ == "__main__":
    main()
