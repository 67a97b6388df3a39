"""Faults about papers, to plant in the model: the streams of generate_papers.py must tell each from the honest one.

    python3 papers_faults.py [--seeds N] [--commands N]        how soon each is found"""

import json
from unittest import mock

import figures
import generate_papers
import model
import papers
import papersread
import planting
from moment import day_of
from planting import method

SEEDS, COMMANDS = 10, 900

FAULTS = {}


def fault(make):
    FAULTS[make.__name__] = make
    return make


def _rows(change):
    """Each row as `change(row, event)` says; None: it is left out."""
    def make(honest):
        def rows(events):
            by_seq = {event.seq: event for event in events}
            return [row for row in (change(row, by_seq[row.seq]) for row in honest(events)) if row is not None]
        return rows
    return method(papers, "rows_of", make)


def _with_month(row, day):
    row.month = papers.month_of(day)
    return row


@fault
def month_of_posting():
    return _rows(lambda row, event: _with_month(row, event.posted_on))


@fault
def month_of_recording():
    return _rows(lambda row, event: _with_month(row, day_of(event.recorded_at)) if row.amount > 0 else row)


@fault
def month_that_the_command_said():
    return _rows(lambda row, event: _with_month(row, day_of(event.occurred_at)) if row.amount > 0 else row)


@fault
def returns_own_month():
    return mock.patch.object(papers, "RETURN_IS_OF_ITS_CONSUMPTION", False)


@fault
def returns_are_not_counted():
    return _rows(lambda row, event: row if row.amount > 0 else None)


@fault
def debt_is_left_out():
    return method(papers, "money_of", lambda honest: lambda event, word: sum(
        p["amount"] for p in event.body["parts"] if p[word] == "paid"))


@fault
def free_cash_is_invoiced():
    return method(papers, "money_of", lambda honest: lambda event, word: sum(
        p["amount"] for p in event.body["parts"] if p[word] != "lapsed"))


@fault
def each_document_rounded_alone():
    def make(honest):
        def issue(self, wallet, **body):
            if body["kind"] == "DELTA":
                body["vat"] = papers.half_up(body["total"], self._rate(body["month"]))
            return honest(self, wallet, **body)
        return issue
    return method(papers.Papering, "_issue", make)


@fault
def vat_cut_off():
    return mock.patch.object(papers, "half_up", lambda net, rate: net * rate // (100 + rate))


@fault
def rate_of_today():
    return mock.patch.object(papers.Papering, "_rate", lambda self, month: self.policy("vat_rate"))


@fault
def rate_of_the_month_behind():
    return mock.patch.object(papers.Papering, "_rate", lambda self, month: self.policy(
        "vat_rate", papers.start_of(papers.last_day(month) + 1)))


@fault
def delta_dated_by_the_latest_posting_day():
    return mock.patch.object(papers, "NEWEST_ROW_BY_NUMBER", False)


@fault
def failed_documents_stand():
    return mock.patch.object(papers.Document, "stands", property(lambda self: True))


@fault
def failed_number_is_given_again():
    def make(honest):
        def issue(self, wallet, **body):
            event = honest(self, wallet, **body)
            failed = sum(1 for e in self.events if e.type == "invoice_failed")
            event.body["number"] -= failed
            return event
        return issue
    return method(papers.Papering, "_issue", make)


@fault
def numbers_of_each_wallet():
    def make(honest):
        def issue(self, wallet, **body):
            event = honest(self, wallet, **body)
            event.body["number"] = sum(1 for e in wallet.events if e.type == "invoice_issued")
            return event
        return issue
    return method(papers.Papering, "_issue", make)


@fault
def unconfirmed_is_no_hindrance():
    return mock.patch.object(papers.Papering, "_require_settled", lambda self, found, month: None)


@fault
def open_month_is_invoiced():
    return method(papers, "last_day", lambda honest: lambda month: honest(month) - 1)


@fault
def one_counter_for_deletion():
    def make(honest):
        def uninvoiced(self, since):
            total = sum(self.net(month) - self.covered(month) for month in self.months(since))
            return abs(total), int(total != 0)
        return uninvoiced
    return method(papers.Papers, "uninvoiced", make)


@fault
def unconfirmed_does_not_keep_it():
    def make(honest):
        def uninvoiced(self, since):
            pending = [abs(d.total) for d in self.documents.values() if d.state == "ISSUED"]
            won, count = honest(self, since)
            return won - sum(pending), count - len(pending)
        return uninvoiced
    return method(papers.Papers, "uninvoiced", make)


@fault
def half_a_pair_is_enough():
    return mock.patch.object(papers.Papers, "gap", lambda self, first: 0)


@fault
def deletion_asks_nobody():
    return mock.patch.object(papers.Papering, "_uninvoiced", lambda self, wallet: (0, 0))


@fault
def deletion_asks_personal_wallets():
    def make(honest):
        def uninvoiced(self, wallet):
            since = self.policy("invoice_from")
            return (0, 0) if since is None else papers.Papers(wallet.events).uninvoiced(since)
        return uninvoiced
    return method(papers.Papering, "_uninvoiced", make)


@fault
def deleted_wallets_have_no_papers():
    return mock.patch.object(model, "OF_DELETED", ())


@fault
def issued_twice_is_uninvoiced():
    def make(honest):
        def issued(self, event, body):
            honest(self, event, body)
            self.outside.clear()
        return issued
    return method(papers.Papers, "_on_invoice_issued", make)


@fault
def outside_for_ever():
    def make(honest):
        def issued(self, event, body):
            outside = dict(self.outside)
            honest(self, event, body)
            self.outside = {**outside, **self.outside}
        return issued
    return method(papers.Papers, "_on_invoice_issued", make)


@fault
def refused_negative_stays_outside():
    def make(honest):
        def failed(self, event, body):
            outside = dict(self.outside)
            honest(self, event, body)
            self.outside = outside
        return failed
    return method(papers.Papers, "_on_invoice_failed", make)


@fault
def always_a_whole_pair():
    return method(papers.Papers, "in_force", lambda honest: lambda self, first: (honest(self, first) or [
        self.documents[first]])[:1])


@fault
def negative_says_todays_information():
    def make(honest):
        def issue(self, wallet, **body):
            return honest(self, wallet, **{**body, "business": self._business_now(wallet)})
        return issue
    return method(papers.Papering, "_issue", make)


@fault
def any_document_is_corrected():
    return mock.patch.object(papers, "CORRECTIONS", papers.CORRECTIONS + papers.CHANGES)


@fault
def rescinded_in_part():
    return method(papers.Papering, "_reason_of", lambda honest: lambda self, command, kind, net: honest(self, command, kind, 0))


@fault
def business_information_is_not_needed():
    return method(papers.Papering, "_business_now", lambda honest: lambda self, wallet: honest(self, wallet) or 1)


@fault
def invoice_from_can_be_moved():
    return mock.patch.object(papers.Papering, "_check_invoice_from", lambda self, command: None)


@fault
def a_failure_stays_in_the_totals():
    return mock.patch.dict(figures._MOVEMENTS, {"invoice_failed": lambda event: figures.Movement()})


@fault
def notices_of_finished_grants():
    def make(honest):
        def send(self, wallet, state, command, occurred):
            grant = state.grant_of(command["grant"])
            if not grant:
                raise self.Refused("GRANT_UNKNOWN")
            return self._emit("notice_sent", wallet, {"grant_no": grant.number}), {}
        return send
    return method(papers.Papering, "_notice_send", make)


@fault
def deltas_are_due_at_once():
    return method(papers.Papers, "firsts", lambda honest: lambda self, month: _Undated(honest(self, month)))


class _Undated(list):
    """Slices of which nobody knows when they were issued; only `due` asks that of all of them at once."""

    def __iter__(self):
        import sys
        asked_by = sys._getframe(1).f_code.co_name
        return iter([]) if asked_by in ("_due_months",) else super().__iter__()


@fault
def notices_again_and_again():
    return mock.patch.object(papers.Papers, "_on_notice_sent", lambda self, event, body: None)


@fault
def books_forget_the_tax_month():
    def make(honest):
        def lines(self):
            sums = {}
            for (wallet, posted, _), vat in honest(self).items():
                sums[wallet, posted, posted] = sums.get((wallet, posted, posted), 0) + vat
            return sums
        return lines
    return method(papersread.PapersReading, "vat_lines", make)


# ---- finding them

def _reads(ledger):
    """What the driver asks about papers, at the end of a stream."""
    reader = papersread.PapersReading(figures.Reading(ledger, len(ledger.events)))
    said = [reader.due(), sorted(reader.vat_lines().items())]
    for wallet in reader.reading.wallets():
        said.append((reader.uninvoiced(wallet), reader.invoices(wallet)))
        said += [reader.invoice(row["invoice"]) for row in reader.invoices(wallet)]
    return repr(said + [event.body["totals"] for event in ledger.events if event.type == "day_closed"])


_BIZ = {"biz": "1000000001", "biz_name": "n", "representative": "r", "address": "a", "wallet": "A"}
# What random streams do too rarely: usage ahead of the clock at a month's end, posting days that go back within a delta, a
# grant of which was told, a delta that waits for its month, a wallet without business information.
_DIRECTED = [
    ("2026-10-20T09:00:00+09:00", {"op": "wallet.create", "wallet": "A", "kind": "BUSINESS", "name": "a"}),
    ("2026-10-20T09:00:00+09:00", {"op": "wallet.create", "wallet": "B", "kind": "BUSINESS", "name": "b"}),
    ("2026-10-20T09:00:00+09:00", {"op": "biz.request", **_BIZ}),
    ("2026-10-20T09:00:00+09:00", {"op": "biz.approve", "wallet": "A", "seq": 13}),
    ("2026-10-20T10:00:00+09:00", {"op": "charge", "wallet": "A", "charge": "C1", "amount": 1000}),
    ("2026-10-20T10:00:00+09:00", {"op": "consume", "wallet": "A", "usage": "U1", "amount": 60}),
    ("2026-10-20T10:00:00+09:00", {"op": "consume", "wallet": "B", "usage": "U1", "amount": 60, "overdraft": True}),
    ("2026-10-31T23:59:30+09:00", {"op": "consume", "wallet": "A", "usage": "U2", "amount": 7, "at": "2026-11-01T00:00:01+09:00"}),
    ("2026-11-03T09:00:00+09:00", {"op": "invoice.issue", "wallet": "B", "month": "2026-10"}),
    ("2026-11-03T09:00:00+09:00", {"op": "invoice.issue", "wallet": "A", "month": "2026-10"}),
    ("2026-11-03T09:00:00+09:00", {"op": "invoice.confirm", "wallet": "A", "invoice": 1}),
    ("2026-12-02T00:05:00+09:00", {"op": "consume.reverse", "wallet": "A", "usage": "U1", "amount": 10}),
    ("2026-12-02T00:05:01+09:00", {"op": "consume", "wallet": "A", "usage": "U3", "amount": 5, "at": "2026-10-31T09:00:00+09:00"}),
    ("2026-12-03T09:00:00+09:00", {"op": "invoice.issue", "wallet": "A", "month": "2026-10"}),
    ("2026-12-03T09:00:00+09:00", {"op": "invoice.confirm", "wallet": "A", "invoice": 2}),
    ("2026-12-04T09:00:00+09:00", {"op": "consume", "wallet": "A", "usage": "U4", "amount": 5, "at": "2026-10-31T10:00:00+09:00"}),
    ("2026-12-04T09:00:00+09:00", {"op": "free.grant", "wallet": "A", "grant": "G1", "amount": 5, "expires_on": "2026-12-20"}),
    ("2026-12-04T09:00:00+09:00", {"op": "notice.send", "wallet": "A", "grant": "G1"}),
    ("2026-12-05T09:00:00+09:00", {"op": "day.close", "day": "2026-12-04"}),
]


def _directed():
    settings = (10, None, papers.ALL_MONTHS)
    ledger, lines = model.Ledger(*settings), []
    for clock, command in _DIRECTED:
        text = json.dumps({**command, "clock": clock})
        lines.append((text, ledger.apply_line(text)))
    return settings, lines, _reads(ledger)


def recorded(seeds=SEEDS, commands=COMMANDS):
    """[(settings, [(line, expected)], reads)] of the honest model."""
    streams = [_directed()]
    for seed in range(seeds):
        mode = "enforce" if seed % 4 == 3 else "trust"
        generator = generate_papers.PapersGenerator(8000 + seed, mode, "later" if seed % 7 == 6 else "all")
        settings = (generator.ledger.events[-1].seq, generate_papers.generate_who.OPERATOR if mode == "enforce" else None,
                    generator.ledger.invoice_from_at_first)
        lines = [generator.next() for _ in range(commands)]
        streams.append((settings, lines, _reads(generator.ledger)))
    return streams


def found(streams):
    """After how many commands the model, as it is now, differs from what was recorded; None: it does not."""
    count = 0
    for settings, lines, reads in streams:
        ledger = model.Ledger(*settings)
        different = planting.first_difference(ledger, lines)
        if different is not None:
            return count + different
        count += len(lines)
        if _reads(ledger) != reads:
            return count
    return None


if __name__ == "__main__":
    planting.main(FAULTS, recorded, found, SEEDS, COMMANDS)
