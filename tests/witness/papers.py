"""Papers: the tax months of a wallet's consumption, the slices of its chain, and the documents over them. What the events
say (Papers), and what each command needs (Papering, a part of model.Ledger).

Written from the rules of tax invoices, never from the C sources."""

import calendar
import datetime
import re
from dataclasses import dataclass

from moment import day_of, day_text, start_of

ALL_MONTHS = 101          # 0001-01: what `init` of a KRW ledger writes as invoice_from
CORRECTIONS = ("ENTRY_ERROR", "ISSUED_TWICE")
CHANGES = ("AMOUNT_CHANGED", "RESCINDED")
WHY = ("CLOSED_BUSINESS", "SUSPENDED_BUSINESS", "WRONG_NUMBER", "OTHER")

# Where the rules are silent, the witness's choice; see README.md.
RETURN_IS_OF_ITS_CONSUMPTION = True
NEWEST_ROW_BY_NUMBER = True      # a delta is dated by the row with the highest number, not by the latest posting day


# ---- months, as 202603

def month_of(day):
    date = datetime.date.fromordinal(day)
    return date.year * 100 + date.month


def first_day(month):
    return datetime.date(month // 100, month % 100, 1).toordinal()


def last_day(month):
    return first_day(month) + calendar.monthrange(month // 100, month % 100)[1] - 1


def next_month(month):
    return month + 1 if month % 100 < 12 else (month // 100 + 1) * 100 + 1


def month_text(month):
    return f"{month // 100:04d}-{month % 100:02d}"


def parse_month(text):
    """None where the text is no month."""
    match = re.fullmatch("([0-9]{4})-([0-9]{2})", text) if isinstance(text, str) else None
    if not match or match[1] == "0000" or not 1 <= int(match[2]) <= 12:
        return None
    return int(match[1]) * 100 + int(match[2])


def month_of_policy(value):
    """What the policy invoice_from is set to: a month as text or number; None where it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return parse_month(month_text(value)) if 0 <= value <= 999912 else None
    return parse_month(value)


def half_up(net, rate):
    """The VAT that is in `net`."""
    sign = -1 if net < 0 else 1
    return sign * ((2 * abs(net) * rate + 100 + rate) // (2 * (100 + rate)))


# ---- rows

@dataclass
class Row:
    """What one event moved of paid cash and debt by consumption."""
    seq: int
    month: int      # its tax month
    amount: int
    posted_on: int
    usage: str


def money_of(event, word):
    return sum(part["amount"] for part in event.body["parts"] if part[word] in ("paid", "debt"))


def row_of(event, consumed):
    month = None if event.known_on is None else month_of(event.known_on)
    if event.type == "cash_consumed":
        return Row(event.seq, month, money_of(event, "from"), event.posted_on, event.body["usage"])
    of = consumed[event.body["of"]]
    return Row(event.seq, of.month if RETURN_IS_OF_ITS_CONSUMPTION else month, -money_of(event, "to"), event.posted_on, of.usage)


def rows_of(events):
    """Of one wallet, in the order of its chain. A return is of the month of what it gives back. What an event is does not change: its
    row is made once."""
    rows, consumed = [], {}
    for event in events:
        if event.type in ("cash_consumed", "consumption_reversed"):
            row = event.__dict__.get("tax_row")
            if row is None:
                row = event.__dict__["tax_row"] = row_of(event, consumed)
            consumed[event.seq] = row
            if row.amount:
                rows.append(row)
    return rows


# ---- documents

@dataclass
class Document:
    number: int
    kind: str
    reason: str
    month: int
    total: int
    vat: int
    after: int
    through: int
    written_on: int
    original: int     # the number of another document
    business: int     # the approval that it shows
    email: str
    ref: str
    first: int        # the first document of its slice
    mirrors: int      # of a NEGATIVE: the document that it takes back
    seq: int
    issued_on: int
    state: str = "ISSUED"
    why: str = None
    approve_no: str = None
    mails: tuple = ()

    @property
    def stands(self):
        return self.state != "FAILED"


PAPER_EVENTS = {"invoice_issued", "invoice_confirmed", "invoice_failed", "invoice_mailed", "notice_sent"}


class Papers:
    """What the events of one wallet say of its documents."""

    def __init__(self, events):
        self.rows = rows_of(events)
        self.documents = {}   # number: Document
        self.outside = {}     # first document of a slice: the NEGATIVE by which it stands outside
        self.noticed = set()  # ordinals of grants
        for event in events:
            if event.type in PAPER_EVENTS:
                getattr(self, "_on_" + event.type)(event, event.body)

    def _on_invoice_issued(self, event, body):
        document = Document(seq=event.seq, issued_on=event.posted_on, **body)
        self.documents[document.number] = document
        if document.reason == "ISSUED_TWICE":
            self.outside[document.first] = document.number
        elif document.reason == "ENTRY_ERROR":
            self.outside.pop(document.first, None)

    def _on_invoice_confirmed(self, event, body):
        document = self.documents[body["number"]]
        document.state, document.approve_no = "CONFIRMED", body["approve_no"]

    def _on_invoice_failed(self, event, body):
        document = self.documents[body["number"]]
        document.state, document.why = "FAILED", body["why"]
        if self.outside.get(document.first) == document.number:
            del self.outside[document.first]

    def _on_invoice_mailed(self, event, body):
        self.documents[body["number"]].mails += (body["result"],)

    def _on_notice_sent(self, event, body):
        self.noticed.add(body["grant_no"])

    # -- months

    def months(self, since):
        """With any row, or document, from `since` on."""
        found = {row.month for row in self.rows} | {document.month for document in self.documents.values()}
        return sorted(month for month in found if since is not None and month >= since)

    def net(self, month):
        return sum(row.amount for row in self.rows if row.month == month)

    def of_month(self, month):
        return [document for document in self.documents.values() if document.month == month]

    def firsts(self, month):
        """The first documents of the month's slices that stand, in order."""
        return [d for d in self.of_month(month) if d.stands and d.kind in ("ORIGINAL", "DELTA")]

    def covered(self, month):
        return sum(first.total for first in self.firsts(month))

    def through(self, month):
        return max((first.through for first in self.firsts(month)), default=0)

    def uncovered_rows(self, month):
        return [row for row in self.rows if row.month == month and row.seq > self.through(month)]

    def rows_in(self, document):
        """Of a NEGATIVE they are what it takes back."""
        return [row for row in self.rows
                if row.month == document.month and document.after < row.seq <= document.through]

    def pending(self, month):
        return next((d.number for d in self.of_month(month) if d.state == "ISSUED"), None)

    # -- slices

    def of_slice(self, first):
        return [d for d in self.documents.values() if d.first == first and d.stands]

    def in_force(self, first):
        """Its documents that are not negative, and not taken back."""
        taken = {d.mirrors for d in self.of_slice(first) if d.kind == "NEGATIVE"}
        return [d for d in self.of_slice(first) if d.kind != "NEGATIVE" and d.number not in taken]

    def gap(self, first):
        """What the documents of a slice differ from it."""
        wanted = 0 if first in self.outside else self.documents[first].total
        return wanted - sum(d.total for d in self.of_slice(first))

    # -- what is missing

    def uninvoiced(self, since):
        """(won, papers): what stands between this wallet and its deletion."""
        parts = []
        for month in self.months(since):
            parts.append(self.net(month) - self.covered(month))
            parts += [self.gap(first.number) for first in self.firsts(month)]
        parts += [d.total for d in self.documents.values() if d.state == "ISSUED"]
        parts = [abs(part) for part in parts if part]
        return sum(parts), len(parts)

    def open_months(self, since):
        return [month for month in self.months(since) if self.net(month) != self.covered(month)]


# ---- deciding

class Papering:
    """The part of model.Ledger that decides these commands."""

    def _rate(self, month):
        return self.policy("vat_rate", start_of(last_day(month) + 1) - 1)

    def _uninvoiced(self, wallet):
        """(won, papers) of a BUSINESS wallet of a ledger with invoices."""
        since = self.policy("invoice_from")
        if since is None or self.world.kinds[wallet.id] != "BUSINESS":
            return 0, 0
        return Papers(wallet.events).uninvoiced(since)

    def _check_invoice_from(self, command):
        """Once it is in force it stays; it may lie behind only where nothing was consumed."""
        if command["policy"] != "invoice_from":
            return
        this_month, in_force = month_of(day_of(self.now)), self.policy("invoice_from")
        consumed = any(event.type == "cash_consumed" for event in self.events)
        if (in_force is not None and in_force <= this_month) or (month_of_policy(command["value"]) <= this_month and consumed):
            raise self.Refused("FROM_IN_PAST", now=self._now_text())

    # -- issuing

    def _invoice_issue(self, wallet, state, command, occurred):
        self._require_kind(wallet, "BUSINESS")
        month, since, papers = parse_month(command["month"]), self.policy("invoice_from"), Papers(wallet.events)
        if command.get("reason", CHANGES[0]) not in CHANGES:
            raise self.Refused("INVOICE_REASON")
        if last_day(month) >= self.first_open:
            raise self.Refused("MONTH_OPEN", first_open_day=day_text(self.first_open))
        total = papers.net(month) - papers.covered(month)
        if since is None or month < since or total == 0:
            raise self.Refused("NOTHING_TO_INVOICE")
        business = self._business_now(wallet)
        if business == 0:
            raise self.Refused("NO_BUSINESS_INFO")
        self._require_settled(papers, month)
        firsts, newest = papers.firsts(month), papers.uncovered_rows(month)[-1]
        kind = "DELTA" if firsts else "ORIGINAL"
        if not NEWEST_ROW_BY_NUMBER:
            newest = max(papers.uncovered_rows(month), key=lambda row: row.posted_on)
        vat = half_up(papers.net(month), self._rate(month)) - half_up(papers.covered(month), self._rate(month))
        event = self._issue(
            wallet, kind=kind, reason=self._reason_of(command, kind, papers.net(month)), month=month, total=total, vat=vat,
            after=papers.through(month), through=papers.uncovered_rows(month)[-1].seq, business=business, first=None, mirrors=None,
            written_on=newest.posted_on if firsts else last_day(month), original=firsts[0].number if firsts else 0, ref=None)
        return event, self._answer_of(event)

    def _reason_of(self, command, kind, net):
        reason = command.get("reason", "NONE" if kind == "ORIGINAL" else "AMOUNT_CHANGED")
        if "reason" in command and (kind == "ORIGINAL" or (reason == "RESCINDED" and net != 0)):
            raise self.Refused("INVOICE_REASON")
        return reason

    def _require_settled(self, papers, month):
        pending = papers.pending(month)
        if pending is not None:
            raise self.Refused("INVOICE_PENDING", invoice=pending)

    def _business_now(self, wallet):
        """The approval in force of the wallet's number; 0: none."""
        return self.world.approval(self.world.number(("wallet", wallet.id)))[0]

    def _issue(self, wallet, **body):
        number = 1 + sum(1 for event in self.events if event.type == "invoice_issued")
        body["first"] = number if body["first"] is None else body["first"]
        return self._emit("invoice_issued", wallet, {"number": number, "email": self.world.emails.get(wallet.id), **body})

    # -- correcting

    def _document_of(self, wallet, command):
        papers = Papers(wallet.events)
        if command["invoice"] not in papers.documents:
            raise self.Refused("INVOICE_UNKNOWN")
        return papers, papers.documents[command["invoice"]]

    def _invoice_correct(self, wallet, state, command, occurred):
        self._require_kind(wallet, "BUSINESS")
        reason = command["reason"]
        if reason not in CORRECTIONS:
            raise self.Refused("INVOICE_REASON")
        papers, document = self._document_of(wallet, command)
        if document.state != "CONFIRMED" or document.kind == "NEGATIVE":
            raise self.Refused("INVOICE_STATE", state=document.state)
        self._require_settled(papers, document.month)
        first = papers.documents[document.first]
        in_force = papers.in_force(first.number)
        if (len(in_force) == 1 and in_force[0] is not document) or (not in_force and reason == "ISSUED_TWICE"):
            raise self.Refused("INVOICE_STATE", state=document.state)
        if len(in_force) > 1 and reason == "ISSUED_TWICE":
            raise self.Refused("INVOICE_REASON")
        same = {"reason": reason, "month": first.month, "after": first.after, "through": first.through,
                "written_on": first.written_on, "first": first.number}
        negative = event = None
        corrected = reason == "ENTRY_ERROR" and len(in_force) < 2
        if in_force:
            event = negative = self._issue(wallet, kind="NEGATIVE", total=-first.total, vat=-first.vat, mirrors=in_force[0].number,
                                original=in_force[0].number, business=in_force[0].business,
                                ref=None if corrected else command.get("ref"), **same)
        if corrected:
            event = self._issue(wallet, kind="CORRECTED", total=first.total, vat=first.vat, mirrors=None,
                                original=self._replaced(papers, first, in_force), business=self._business_now(wallet),
                                ref=command.get("ref"), **same)
        pair = {"negative": negative.body["number"]} if negative and negative is not event else {}
        return event, {**self._answer_of(event), **pair}

    @staticmethod
    def _answer_of(event):
        body = event.body
        return {"invoice": body["number"], "kind": body["kind"], "month": month_text(body["month"]), "total": body["total"],
                "vat": body["vat"], "supply": body["total"] - body["vat"], "written_on": day_text(body["written_on"])}

    @staticmethod
    def _replaced(papers, first, in_force):
        """The document for which a CORRECTED stands: the one in force, or that was taken back last."""
        if in_force:
            return in_force[0].number
        return [d.mirrors for d in papers.of_slice(first.number) if d.kind == "NEGATIVE"][-1]

    # -- what the tax office said, and mails

    def _step(self, wallet, command, type_, good, **body):
        self._require_kind(wallet, "BUSINESS")
        _, document = self._document_of(wallet, command)
        if document.state not in good:
            raise self.Refused("INVOICE_STATE", state=document.state)
        body = {"number": document.number, "total": document.total, "vat": document.vat, **body}
        return self._emit(type_, wallet, body), {}

    def _invoice_confirm(self, wallet, state, command, occurred):
        return self._step(wallet, command, "invoice_confirmed", ("ISSUED",), approve_no=command.get("approve_no"))

    def _invoice_fail(self, wallet, state, command, occurred):
        return self._step(wallet, command, "invoice_failed", ("ISSUED",), why=command["why"])

    def _invoice_mail(self, wallet, state, command, occurred):
        return self._step(wallet, command, "invoice_mailed", ("ISSUED", "CONFIRMED", "FAILED"), result=command["result"])

    # -- notices

    def _notice_send(self, wallet, state, command, occurred):
        """Of any grant that is not finished; again, too."""
        grant = state.grant_of(command["grant"])
        if not grant:
            raise self.Refused("GRANT_UNKNOWN")
        if grant.expires_on < day_of(self.now):
            raise self.Refused("GRANT_EXPIRED", expires_on=day_text(grant.expires_on))
        if not grant.unfinished:
            raise self.Refused("GRANT_STATE", state=grant.state)
        return self._emit("notice_sent", wallet, {"grant_no": grant.number}), {}
