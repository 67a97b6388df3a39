"""What always holds of papers, seen from the events alone and won by won: not by the sums that papers.Papers makes."""

import calendar
import collections
import datetime

import figures
import papersread
from moment import day_of


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(part) for part in what))


def month_key(day):
    date = datetime.date.fromordinal(day)
    return date.year * 100 + date.month


def last_day(month):
    return datetime.date(month // 100, month % 100, calendar.monthrange(month // 100, month % 100)[1]).toordinal()


def vat_in(net, rate):
    """Half up, by another way: the smallest VAT that is at most half a won too small."""
    vat = net * rate // (100 + rate)
    return vat + 1 if 2 * (net * rate - vat * (100 + rate)) >= 100 + rate else vat


class Chain:
    """One wallet's consumption: what each event moved, and of which tax month it is."""

    def __init__(self, events):
        self.moved, self.month = {}, {}
        for event in events:
            if event.type == "cash_consumed":
                self._add(event, "from", 1, month_key(day_of(min(event.occurred_at, event.recorded_at))))
            elif event.type == "consumption_reversed":
                self._add(event, "to", -1, self.month[event.body["of"]])
        self.posted = {event.seq: event.posted_on for event in events}

    def _add(self, event, word, sign, month):
        self.month[event.seq] = month
        self.moved[event.seq] = sign * sum(p["amount"] for p in event.body["parts"] if p[word] not in ("free", "lapsed"))

    def of(self, month, after=0, through=None):
        """The numbers of the month's rows in (after, through]."""
        return [seq for seq, amount in self.moved.items()
                if amount and self.month[seq] == month and after < seq and (through is None or seq <= through)]

    def sum(self, seqs):
        return sum(self.moved[seq] for seq in seqs)


class Walk:
    """One pass over all events; documents are kept as their events, with what was said of them."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.documents, self.said = {}, {}
        self.reader = papersread.PapersReading(figures.Reading(ledger, len(ledger.events)))

    def run(self):
        number = 0
        for event in self.ledger.events:
            if event.type == "invoice_issued":
                number += 1
                expect(event.body["number"] == number, "numbers have a gap", event)
                self._issued(event, event.body)
            elif event.type in ("invoice_confirmed", "invoice_failed"):
                expect(self.said[event.body["number"]] == "ISSUED", "answered twice", event)
                self.said[event.body["number"]] = {"invoice_confirmed": "CONFIRMED", "invoice_failed": "FAILED"}[event.type]
            elif event.type == "wallet_deleted":
                self._deleted(event)
        for wallet in self.ledger.wallets.values():
            if self._kind(wallet.id) == "BUSINESS":
                self._won_by_won(wallet)
        if self.ledger.wallets:
            self._books()

    def _kind(self, wallet):
        return self.ledger.wallets[wallet].events[0].body["kind"]

    def _before(self, wallet, seq):
        return [e for e in self.ledger.wallets[wallet].events if e.seq < seq]

    def _issued(self, event, body):
        chain = Chain(self._before(event.wallet, event.seq))
        expect(self._kind(event.wallet) == "BUSINESS", "of a wallet that gets none", event)
        rows = chain.of(body["month"], body["after"], body["through"])
        sign = -1 if body["kind"] == "NEGATIVE" else 1
        expect(rows and sign * chain.sum(rows) == body["total"] != 0, "the rows are not the document", event, rows)
        expect(body["through"] < event.seq, "rows behind the document", event)
        others = [d for d in self.documents.values() if d.wallet == event.wallet and d.body["month"] == body["month"]]
        standing = [d for d in others if self.said[d.body["number"]] != "FAILED"]
        slices = [d for d in standing if d.body["kind"] in ("ORIGINAL", "DELTA")]
        open_ones = [d for d in standing if self.said[d.body["number"]] == "ISSUED"]
        expect(all(d.recorded_at == event.recorded_at and d.seq == event.seq - 1 for d in open_ones), "one is unconfirmed", event)
        if body["kind"] in ("ORIGINAL", "DELTA"):
            self._slice(event, body, chain, rows, slices)
        else:
            first = next(d for d in slices if (d.body["after"], d.body["through"]) == (body["after"], body["through"]))
            for name in ("vat", "total"):
                expect(body[name] == sign * first.body[name], "no mirror", name, event)
            expect(body["written_on"] == first.body["written_on"], "not dated as the first", event)
        approvals = self._approvals(event)
        if body["kind"] == "NEGATIVE":
            expect(body["business"] == self.documents[body["mirrors"]].body["business"], "the old information", event)
        else:
            expect(body["business"] == approvals[-1], "not as approved", event)
        self.documents[body["number"]], self.said[body["number"]] = event, "ISSUED"

    def _slice(self, event, body, chain, rows, slices):
        month = body["month"]
        expect(body["after"] == max([d.body["through"] for d in slices], default=0), "slices do not follow each other", event)
        expect(rows == chain.of(month, body["after"]), "rows are left out", event)
        expect((body["kind"] == "ORIGINAL") == (not slices), "original", event)
        expect(body["written_on"] == (chain.posted[rows[-1]] if slices else last_day(month)), "date", event)
        expect(body["written_on"] >= last_day(month), "written before the month was over", event)
        closed = [e.body["day"] for e in self.ledger.events[:event.seq] if e.type == "day_closed"]
        expect(last_day(month) < min(e.posted_on for e in self.ledger.events if e.posted_on is not None) or last_day(month) in closed,
               "the month is open", event)
        vat = sum(d.body["vat"] for d in slices) + body["vat"]
        expect(vat == vat_in(chain.sum(chain.of(month)), self.reader.rate(month)), "VAT of the month", event)
        expect(body["reason"] != "RESCINDED" or chain.sum(chain.of(month)) == 0, "rescinded", event)
        expect((body["reason"] == "NONE") == (body["kind"] == "ORIGINAL"), "reason", event)

    def _approvals(self, event):
        """The approvals of the wallet's number before the event."""
        requests = {e.seq: e for e in self.ledger.events[:event.seq] if e.type == "biz_requested"}
        mine = [requests[e.body["request"]].body["biz"] for e in self.ledger.events[:event.seq]
                if e.type == "biz_approved" and e.body["holder"] == ("wallet", event.wallet)]
        return [e.seq for e in self.ledger.events[:event.seq]
                if e.type == "biz_approved" and requests[e.body["request"]].body["biz"] == mine[0]]

    def _weights(self, wallet, month, seq):
        """How often a row stands in the documents that did not fail, net; and whether another paper has it."""
        net, outside = 0, False
        for number, document in self.documents.items():
            body = document.body
            if document.wallet != wallet or body["month"] != month or not body["after"] < seq <= body["through"]:
                continue
            if body["reason"] == "ENTRY_ERROR":
                outside = False
            if self.said[number] != "FAILED":
                net += -1 if body["kind"] == "NEGATIVE" else 1
                outside = outside or body["reason"] == "ISSUED_TWICE"
        return net, outside

    def _won_by_won(self, wallet):
        """Where nothing is uninvoiced each won stands in exactly one document, net; or outside, in none."""
        since, chain = self.reader.since, Chain(wallet.events)
        months = {month for month in chain.month.values() if since is not None and month >= since}
        whole = not any(self.said[n] == "ISSUED" for n, d in self.documents.items() if d.wallet == wallet.id)
        for month in months:
            rows = chain.of(month)
            expect(chain.sum(rows) >= 0, "a month below 0", wallet.id, month)
            through = max([d.body["through"] for n, d in self.documents.items() if d.wallet == wallet.id
                           and d.body["month"] == month and self.said[n] != "FAILED"], default=0)
            late = [seq for seq in rows if seq > through]
            whole &= chain.sum(late) == 0
            for seq in rows:
                net, outside = self._weights(wallet.id, month, seq)
                expect(-1 < net < 3, "how often", wallet.id, month, seq, net)
                whole &= seq > through or net == (0 if outside else 1)
        won, papers_n, _ = self.reader.uninvoiced(wallet.id)
        expect((won == 0) == (papers_n == 0) == whole, "uninvoiced", wallet.id, won, papers_n, whole)

    def _deleted(self, event):
        if self._kind(event.wallet) == "BUSINESS":
            reader = papersread.PapersReading(figures.Reading(self.ledger, event.seq - 1))
            expect(reader.uninvoiced(event.wallet)[:2] == (0, 0), "deleted without its papers", event)

    def _books(self):
        """Per wallet and tax month the books' VAT is that of the papers, where all is invoiced."""
        if self.reader.since is None:
            return
        books = collections.Counter()
        for (wallet, _, month), vat in self.reader.vat_lines().items():
            books[wallet, month] += vat
        for wallet in self.ledger.wallets.values():
            chain = Chain(wallet.events)
            if self._kind(wallet.id) != "BUSINESS" or self.reader.uninvoiced(wallet.id)[1]:
                continue
            for month in {m for m in chain.month.values() if m >= self.reader.since}:
                papers_vat = sum(d.body["vat"] for n, d in self.documents.items() if d.wallet == wallet.id
                                 and d.body["month"] == month and self.said[n] != "FAILED" and d.body["kind"] in ("ORIGINAL", "DELTA"))
                if last_day(month) <= (self.reader.closed_through or 0):
                    expect(books[wallet.id, month] == papers_vat, "books and papers", wallet.id, month)


def check(ledger):
    if ledger.last_recorded is not None:
        Walk(ledger).run()
