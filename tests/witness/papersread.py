"""The answers about papers: a wallet's invoices, what is due, what the books say of VAT, folded from the events."""

import collections
import datetime

import figures
import fold
import model
import papers
import who
from figures import Unknown
from moment import day_of, day_text, start_of

OPERATORS_CREDITS = ("ADMIN_CASH", "ADV_RET_CASH")


class PapersReading:
    """Beside figures.Reading: as of sequence number S, and what time it is then."""

    def __init__(self, reading, now=None):
        self.reading = reading
        self.now = reading.at if now is None else now
        self.today = day_of(self.now)
        self.world = who.World(reading.events)
        self.closed_through = reading.closed_through()

    def policy(self, name, instant=None):
        instant = self.now if instant is None else instant
        first = {**model.DEFAULT_POLICIES, "invoice_from": self.reading.ledger.invoice_from_at_first}[name]
        held = [(model.ALWAYS, 0, first)]
        held += [(e.body["from"], e.seq, e.body["value"]) for e in self.reading.events
                 if e.type == "policy_set" and e.body.get("policy") == name and e.body["from"] <= instant]
        return max(held)[2]

    @property
    def since(self):
        return self.policy("invoice_from")

    def rate(self, month):
        return self.policy("vat_rate", start_of(papers.last_day(month) + 1) - 1)

    def papers(self, wallet):
        return papers.Papers(self.reading.events_of(wallet))

    def _invoiced(self, wallet):
        return self.since is not None and self.world.kinds[wallet] == "BUSINESS"

    # ---- one wallet

    def uninvoiced(self, wallet):
        """(won, papers, the first day on which one can be issued)"""
        if not self._invoiced(wallet):
            return 0, 0, None
        found = self.papers(wallet)
        open_months = found.open_months(self.since)
        return (*found.uninvoiced(self.since), day_text(papers.last_day(open_months[0]) + 1) if open_months else None)

    def invoices(self, wallet, month=None):
        return [self._shown(d) for d in self.papers(wallet).documents.values() if month in (None, d.month)]

    @staticmethod
    def _shown(d):
        return {"invoice": d.number, "kind": d.kind, "reason": d.reason, "month": papers.month_text(d.month),
                "written_on": day_text(d.written_on), "state": d.state, "supply": d.total - d.vat, "vat": d.vat,
                "total": d.total, "original": d.original, "approve_no": d.approve_no, "mails": len(d.mails)}

    def invoice(self, number):
        """A document with its rows: [(seq, usage, amount)]; of a negative one the amounts are turned round."""
        for wallet in self.reading.wallets():
            found = self.papers(wallet)
            if number in found.documents:
                document = found.documents[number]
                sign = -1 if document.kind == "NEGATIVE" else 1
                return {"wallet": wallet, **self._shown(document), "business": document.business, "why": document.why,
                        "after": document.after, "through": document.through, "outside_ref": document.ref,
                        "rows": [(row.seq, row.usage, sign * row.amount) for row in found.rows_in(document)]}
        raise Unknown(number)

    # ---- what is to be done

    def due(self):
        """{kind: [(wallet, what)]}; blocked: [(wallet, month, why)]"""
        first_open = self.first_open()
        if first_open is not None and first_open < self.today:
            return {"day.close": [(None, day_text(self.today - 1))]}, []
        issues, notices, blocked = [], [], []
        for wallet in self.reading.wallets():
            if self._invoiced(wallet):
                for month, why in self._due_months(wallet):
                    if why is None:
                        issues.append((wallet, papers.month_text(month)))
                    else:
                        blocked.append((wallet, papers.month_text(month), why))
            notices += [(wallet, grant) for grant in self._due_notices(wallet)]
        return {"invoice.issue": issues, "notice.send": notices}, blocked

    def first_open(self):
        """None: nothing was recorded yet."""
        recorded = [e for e in self.reading.events if e.recorded_at is not None]
        if not recorded:
            return None
        return day_of(recorded[0].recorded_at) if self.closed_through is None else self.closed_through + 1

    def _due_months(self, wallet):
        found = self.papers(wallet)
        business = self.world.approval(self.world.number(("wallet", wallet)))[0]
        for month in found.open_months(self.since):
            firsts = found.firsts(month)
            after = max([month] + [papers.month_of(first.issued_on) for first in firsts])
            if self.today < papers.first_day(papers.next_month(after)) + self.policy("invoice_day") - 1:
                continue
            failed = [d for d in found.of_month(month) if not d.stands and d.kind in ("ORIGINAL", "DELTA")]
            if business == 0:
                yield month, "NO_BUSINESS_INFO"
            elif found.pending(month) is not None:
                yield month, "INVOICE_PENDING"
            elif failed and max(failed, key=lambda d: d.seq).after == found.through(month) \
                    and max(failed, key=lambda d: d.seq).business == business:
                yield month, "failed"
            else:
                yield month, None

    def _due_notices(self, wallet):
        state = fold.fold(self.reading.events_of(wallet))
        if state.status == "DELETED":
            return []
        noticed, last = self.papers(wallet).noticed, self.today + self.policy("notice_days")
        return [grant.id for grant in state.grants
                if grant.unfinished and self.today <= grant.expires_on <= last and grant.number not in noticed]

    # ---- books

    def vat_lines(self):
        """{(wallet, month of posting, tax month): VAT} of the tax months that are over: what V of the net grew by."""
        lines, nets = {}, collections.Counter()
        for wallet in self.reading.wallets():
            rows = self.papers(wallet).rows
            for posted in sorted({papers.month_of(row.posted_on) for row in rows}):
                for month in sorted({row.month for row in rows if papers.month_of(row.posted_on) == posted}):
                    before = nets[wallet, month]
                    nets[wallet, month] += sum(row.amount for row in rows
                                               if row.month == month and papers.month_of(row.posted_on) == posted)
                    rate = self.rate(month)
                    vat = papers.half_up(nets[wallet, month], rate) - papers.half_up(before, rate)
                    if vat and self.closed_through is not None and papers.last_day(month) <= self.closed_through:
                        lines[wallet, posted, month] = vat
        return lines

    # ---- statements

    def statement(self, wallet, begin, end):
        """The posted view of closed days: what was there before the first, each movement (a return that lapses whole, too),
        what was there after the last."""
        events = sorted((e for e in self.reading.events_of(wallet) if any(figures.movement(e).flows.values())),
                        key=lambda e: (e.posted_on, e.seq))
        before = [e for e in events if e.posted_on < begin]
        balance, rows = sum(map(figures.effect, before)), []
        opening = balance
        for event in events:
            if begin <= event.posted_on <= end:
                balance += figures.effect(event)
                rows.append((event.seq, day_text(event.posted_on), event.late, figures.effect(event), balance))
        days = [row for row in figures.day_rows(self.reading.events_of(wallet), figures.posted_on) if begin <= row["day"] <= end]
        return {"wallet": wallet, "opening": opening, "closing": balance, "rows": rows,
                "sums": {name: sum(day[name] for day in days) for name in figures.FLOWS}}

    # ---- receipts

    _SITES = {**dict.fromkeys(("toss", "tosspayments", "lgu"), ("TOSS", "tosspayments.com")),
              **dict.fromkeys(("inicis", "kginicis"), ("INICIS", "inicis.com/payment_view"))}

    def receipts(self, wallet):
        """Of what came through a gateway: (seq, gateway, where, ways, amount, cancelled, refunded)."""
        lots, found = fold.fold(self.reading.events_of(wallet)).lots, []
        paid_in = [e for e in self.reading.events_of(wallet) if e.type in ("charge_settled", "debt_repaid")]
        for lot, event in zip(lots, paid_in):
            body = event.body
            if body["pg"] is None or body["method"] in OPERATORS_CREDITS:
                continue
            gateway, where = self._SITES.get(body["pg"].lower(), ("OTHER", None))
            ways = {None: ["card", "account"], "VIRTUAL_ACCOUNT": ["account"]}.get(body["method"], ["card", "issuer"])
            found.append((event.seq, gateway, where, ways, lot.amount, lot.reversed, lot.refunded))
        return found

    # ---- totals

    def charged_12m(self):
        """(all, without operators' credits) of the twelve months that end today, less what was reversed."""
        date = datetime.date.fromordinal(self.today)
        leap = (date.month, date.day) == (2, 29)
        begin = date.replace(year=date.year - 1, day=28 if leap else date.day).toordinal()
        sums = [0, 0]
        for wallet in self.reading.wallets():
            events, lots = self.reading.events_of(wallet), []
            for event in events:
                if event.type in ("charge_settled", "debt_repaid"):
                    lots.append(event)
                amount = {"charge_settled": 1, "charge_reversed": -1}.get(event.type, 0) * event.body.get("amount", 0)
                if amount and begin < event.posted_on <= self.today:
                    charge = event if amount > 0 else lots[event.body["lot"] - 1]
                    sums[0] += amount
                    sums[1] += 0 if charge.body["method"] in OPERATORS_CREDITS else amount
        return tuple(sums)

    def totals(self):
        sums = collections.Counter()
        for wallet in self.reading.wallets():
            state = fold.fold(self.reading.events_of(wallet))
            sums["paid"] += max(0, state.paid)
            sums["debt"] += state.debt
            sums["free"] += state.free(self.today)
            sums["free_dormant"] += state.dormant(self.today)
            sums["refund_in_transit"] += state.refunds_in("APPROVED")
        charged, without = self.charged_12m()
        return {**dict.fromkeys(("paid", "debt", "free", "free_dormant", "refund_in_transit"), 0), **sums,
                "charged_12m": charged, "charged_12m_without_credits": without}

    def expiring(self, wallet, days):
        """(grant, what is left, days until its last one)"""
        state = fold.fold(self.reading.events_of(wallet))
        return [(g.id, g.remaining, g.expires_on - self.today) for g in state.grants
                if g.unfinished and self.today <= g.expires_on <= self.today + days]
