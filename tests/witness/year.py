#!/usr/bin/python3
"""A year with tax invoices in one ledger, beside the model as run.py has it; what is then missing is issued, and the program's
own words are held against each other: each won of paid cash and debt stands in one document, net; a document is the sum of its
rows; the VAT of a tax month is half up of its net; the exported books have the same VAT, and hledger, ledger and beancount
accept them; the audit verifies.

usage: year.py JANGBU [--seed N] [--commands N]"""
import argparse
import collections
import os
import random
import shutil
import sys
import time

import compare
import figures
import generate_papers
import papers
import papersread
import run
from moment import DAY, HOUR, SECOND, day_of, day_text, instant_text, start_of
from papers_invariants import Walk, expect, vat_in

PACE = [50, 10, 25, 14, 0.1, 0, 0]  # what is behind its time is caught up with in steps of hours
STEPS_MAX = 400  # of one wallet until nothing of it is missing


class YearGenerator(generate_papers.PapersGenerator):
    """Its clock comes as far as the year's end with its last command."""

    def __init__(self, seed, commands, init_events):
        super().__init__(seed, "trust", "all", init_events)
        self.pace, self.begin, self.done, self.commands = PACE, self.now, 0, commands
        self.end = self.begin + 365 * DAY

    def _tick(self):
        super()._tick()
        self.done += 1
        behind = self.begin + (self.end - self.begin) * self.done // self.commands - self.now
        if behind > HOUR and self._chance(0.5):
            self.now += self.rng.randrange(2 * behind)

    def _step(self, wallet):
        """What brings the wallet's papers nearer to their end; None: nothing is missing."""
        found = papers.Papers(wallet.events)
        since = self.ledger.policy("invoice_from", self.now)
        named = {"wallet": wallet.id}
        for document in found.documents.values():
            if document.state == "ISSUED":
                return {"op": "invoice.confirm", **named, "invoice": document.number}
        for first in [first for month in found.months(since) for first in found.firsts(month)]:
            if found.gap(first.number):
                return {"op": "invoice.correct", **named, "invoice": first.number, "reason": "ENTRY_ERROR"}
        months = found.open_months(since)
        return {"op": "invoice.issue", **named, "month": papers.month_text(months[0])} if months else None

    def _carry_out(self, step):
        asked = self.ledger.policy("roles", self.now) and {"actor": {"id": self.world.operators()[0]}}
        text = self._text({**step, "clock": instant_text(self.now), **(asked or {})})
        result = self.ledger.apply_line(text)
        expect(result["ok"], "refused", text, result)
        return text

    def settle(self):
        """Lines behind the year: when its last month is over all is issued, of those who may be invoiced at all."""
        self.now = start_of(papers.first_day(papers.next_month(papers.month_of(day_of(self.now))))) + 3 * DAY
        self.now += self.ledger.policy("day_close_grace", self.now) * SECOND
        if self.ledger.policy("day_close", self.now) != "auto":
            yield self._carry_out({"op": "day.close", "day": day_text(day_of(self.now) - 1)})
        for wallet in list(self.ledger.wallets.values()):
            if self.world.kinds[wallet.id] != "BUSINESS" or self.world.number(("wallet", wallet.id)) is None:
                continue
            for _ in range(STEPS_MAX):
                step = self._step(wallet)
                if step is None:
                    break
                yield self._carry_out(step)
            else:
                raise AssertionError(f"{wallet.id} comes to no end")


def stream(seed, commands, init_events):
    generator = YearGenerator(seed, commands, init_events)
    for _ in range(commands):
        yield generator.next()[0]
    yield from generator.settle()


# ---- the program's own words ----

def paid(event, word):
    return sum(part["amount"] for part in event["parts"] if part[word] not in ("free", "lapsed"))


def moved(log):
    """{wallet: {event: paid cash and debt that it moved}} of BUSINESS wallets."""
    business = {e["wallet"] for e in log if e["type"] == "wallet_created" and e["kind"] == "BUSINESS"}
    ret = collections.defaultdict(dict)
    for e in log:
        if e["wallet"] in business and e["type"] in ("cash_consumed", "consumption_reversed"):
            amount = paid(e, "from") if e["type"] == "cash_consumed" else -paid(e, "to")
            if amount:
                ret[e["wallet"]][e["seq"]] = amount
    return ret


def check_wallet(program, wallet, rows, rate):
    """{tax month: VAT} by the documents that are in force."""
    documents = [program.must("invoice", str(row["invoice"]))[0] for row in program.must("invoices", wallet, "--limit", "1000")[0]["rows"]]
    net, vat, won, twice = collections.Counter(), collections.Counter(), collections.Counter(), set()
    for d in documents:
        sign = -1 if d["kind"] == "NEGATIVE" else 1
        expect(sum(row["amount"] for row in d["rows"]) == d["total"] == d["supply"] + d["vat"], "a document is not its rows", d)
        expect(all(row["amount"] == sign * rows[row["seq"]] for row in d["rows"]), "a row is not its event", d)
        if d["state"] == "FAILED":
            continue
        expect(d["state"] == "CONFIRMED", "not confirmed", d)
        for row in d["rows"]:
            net[row["seq"]] += sign
            (twice.add if d["reason"] == "ISSUED_TWICE" else twice.discard)(row["seq"])
        if d["kind"] in ("ORIGINAL", "DELTA"):
            won[d["month"]] += d["total"]
            vat[d["month"]] += d["vat"]
    left = [seq for seq in rows if net[seq] != (0 if seq in twice else 1)]
    expect(sum(rows[seq] for seq in left) == 0 and not any(net[seq] for seq in left), "not in exactly one document", wallet, left)
    for month in won:
        expect(vat[month] == vat_in(won[month], rate(papers.parse_month(month))), "VAT of", wallet, month, vat[month], won[month])
    return {papers.parse_month(month): amount for month, amount in vat.items() if amount}, len(documents), len(net)


def check_program(trial, checker):
    program, ledger = trial.program, trial.ledger
    reader = papersread.PapersReading(figures.Reading(ledger, len(ledger.events)))
    log = program.must("log")
    wallets, documents, rows = 0, 0, 0
    status, books = program.text("export", "--format", "hledger")
    expect(status == 0 and not compare.vat_lines(reader.vat_lines(), books), "the books' VAT")
    for wallet, mine in moved(log).items():
        if reader.world.number(("wallet", wallet)) is None:
            continue  # nobody can issue anything to it, and the witness says so, too
        vat, documents_n, rows_n = check_wallet(program, wallet, mine, reader.rate)
        booked = collections.Counter()
        for (name, _, month), amount in reader.vat_lines().items():
            booked[month] += amount if name == wallet else 0
        expect(vat == {month: amount for month, amount in booked.items() if amount}, "books and papers", wallet, vat, booked)
        wallets, documents, rows = wallets + 1, documents + documents_n, rows + rows_n
    expect(wallets > 0 and documents > 0, "no papers")
    said = program.must("audit")[-1]
    expect(said.get("verified", said.get("ok", not said.get("problems"))), said)
    if checker is not None:
        print(checker(os.path.abspath(program.path), program.directory, trial.home))
    return f"{wallets} wallets with {documents} documents of {rows} rows: each won in one of them, and in the books"


def books_checker():
    """tests/export's look at the books by three programs; None where one is not there."""
    missing = [p for p in ("hledger", "ledger", "bean-check", "bean-query") if shutil.which(p) is None]
    if missing:
        print("without", ", ".join(missing))
        return None
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "export"))
    import check
    return check.check_ledger


def main():
    parser = argparse.ArgumentParser(description="a year with tax invoices, in one ledger")
    parser.add_argument("jangbu")
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--commands", type=int, default=20000)
    arguments = parser.parse_args()
    started = time.monotonic()
    print(f"seed {arguments.seed}, {arguments.commands} commands", flush=True)
    trial = run.Trial(os.path.abspath(arguments.jangbu), random.Random(arguments.seed), "random", since=None)
    try:
        lines = list(stream(arguments.seed, arguments.commands, trial.init_events))
        print(f"{len(lines)} lines made, {time.monotonic() - started:.0f} s", flush=True)
        trial.run(lines)
        Walk(trial.ledger).run()
        print(check_program(trial, books_checker()))
        print(f"{len(trial.ledger.events)} events, {len(trial.ledger.closed)} days closed, {time.monotonic() - started:.0f} s: no difference")
        return 0
    except run.Difference as difference:
        print("DIFFERENCE", difference, *difference.details, sep="\n    ")
        return 1
    finally:
        trial.close()


if __name__ == "__main__":
    sys.exit(main())
