"""What the books must say, from the exported events alone: an own reading of docs/rules.md section 14, which shares nothing with the program."""
import calendar
import collections
import datetime

OPERATORS = ("ADMIN_CASH", "ADV_RET_CASH")


def escaped(prefix, text):
    out = prefix
    for byte in text.encode():
        char = chr(byte)
        out += char if char.isascii() and char.isalnum() else "-%02x" % byte
    return out


def half_up(numerator, denominator):
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


class Books:
    def __init__(self, events):
        self.balances = collections.Counter()
        self.grants = {}  # (wallet, ordinal) -> [account, left, expires_on]
        self.lots, self.legs = {}, {}
        self.net = collections.Counter()  # (wallet, tax month, month of posting) -> paid consumption
        self.invoice_from, self.used_in = None, {}  # used_in: tax month of each consumption
        self.closed, self.rates, self.offset = "", [], 0
        self.vat = {}
        for event in sorted(events, key=lambda e: e["seq"]):
            handler = getattr(self, event["type"], None)
            if handler is not None:
                handler(event, event["wallet"] and escaped("W", event["wallet"]))
        self._add_vat()

    def _move(self, source, target, amount):
        self.balances[source] -= amount
        self.balances[target] += amount

    def _source(self, event):
        if event.get("method") in OPERATORS:
            return "Equity:Adjustment"
        return "Assets:Clearing:" + (escaped("P", event["pg"]) if event["pg"] else "Unspecified")

    def ledger_created(self, event, _):
        self.offset = event["utc_offset_s"]

    def policy_set(self, event, _):
        if event["policy"] == "vat_rate":
            since = event["from"]
            self.rates.append((datetime.datetime.min if since is None else self._utc(since), event["value"]))

        elif event["policy"] == "invoice_from":
            self.invoice_from = event["value"]

    def _tax_month(self, event):
        """Of a consumption that in which it happened, as far as was known; of a return that of what it gives back. None: it
        lies before the first month with invoices, and VAT goes by what was posted."""
        if event["type"] == "cash_consumed":
            at = min(self._utc(event["occurred_at"]), self._utc(event["recorded_at"]))
            self.used_in[event["seq"]] = (at + datetime.timedelta(seconds=self.offset)).strftime("%Y-%m").rjust(7, "0")
        month = self.used_in[event.get("consumption", event["seq"])]
        return month if self.invoice_from is not None and month >= self.invoice_from else None

    @staticmethod
    def _utc(text):
        return datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc).replace(tzinfo=None)

    def day_closed(self, event, _):
        self.closed = max(self.closed, event["day"])

    def charge_settled(self, event, w):
        self.lots[w, event["lot"]] = self._source(event)
        self._move("Liabilities:Paid:" + w, self._source(event), event["amount"])

    debt_repaid = charge_settled

    def charge_reversed(self, event, w):
        self._move(self.lots[w, event["lot"]], "Liabilities:Paid:" + w, event["amount"])

    def free_granted(self, event, w):
        self.grants[w, event["grant_no"]] = ["Liabilities:Dormant:" + w, event["amount"], event["expires_on"]]
        self._move("Liabilities:Dormant:" + w, "Equity:Promotion", event["amount"])

    def free_activated(self, event, w):
        self.grants[w, event["grant_no"]][0] = "Liabilities:Free:" + w
        self._move("Liabilities:Free:" + w, "Liabilities:Dormant:" + w, event["amount"])

    def free_revoked(self, event, w):
        grant = self.grants[w, event["grant_no"]]
        assert grant[1] == event["amount"], event
        grant[1] = 0
        self._move("Equity:Promotion", grant[0], event["amount"])

    free_expired = free_forfeited = free_revoked

    def _parts(self, event, w, sign):
        tax = self._tax_month(event)
        for part in event["parts"]:
            kind = part.get("from") or part.get("to")
            if kind == "free":
                self.grants[w, part["grant_no"]][1] -= sign * part["amount"]
                self._move("Equity:Promotion", "Liabilities:Free:" + w, sign * part["amount"])
            elif kind in ("paid", "debt"):
                self._move("Income:Ads:" + w, "Liabilities:Paid:" + w, sign * part["amount"])
                self.net[w, tax, event["posted_on"][:7]] += sign * part["amount"]

    def cash_consumed(self, event, w):
        self._parts(event, w, 1)

    def consumption_reversed(self, event, w):
        self._parts(event, w, -1)

    def refund_approved(self, event, w):
        self.legs[w, event["refund_no"]] = event["parts"]
        self._move("Liabilities:RefundPayable:" + w, "Liabilities:Paid:" + w, event["amount"])

    def refund_completed(self, event, w):
        for leg in self.legs[w, event["refund_no"]]:
            self._move(self.lots[w, leg["lot"]], "Liabilities:RefundPayable:" + w, leg["amount"])

    def refund_failed(self, event, w):
        if (w, event["refund_no"]) in self.legs:
            self._move("Liabilities:Paid:" + w, "Liabilities:RefundPayable:" + w, event["amount"])

    def _rate(self, year, month):
        ends = datetime.datetime(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(seconds=self.offset, microseconds=1)
        best = None
        for since, value in self.rates:
            if since <= ends and (best is None or since >= best[0]):
                best = (since, value)
        return best[1] if best else 0

    @staticmethod
    def _last_day(month):
        y, m = map(int, month.split("-"))
        return "%s-%02d" % (month, calendar.monthrange(y, m)[1])

    def _vat(self, net, month):
        y, m = map(int, month.split("-"))
        rate = self._rate(y, m)
        return half_up(net * rate, 100 + rate)

    def _add_vat(self):
        """What the posting of a month adds to the VAT of a tax month, whose lines add up to the VAT of all of it."""
        before = collections.Counter()
        for (w, tax, month), net in sorted(self.net.items(), key=lambda item: (item[0][0], item[0][1] or "", item[0][2])):
            last = self._last_day(month)
            was = 0 if tax is None else before[w, tax]
            before[w, tax] = was + net
            vat = self._vat(was + net, tax or month) - self._vat(was, tax or month)
            if self._last_day(tax or month) <= self.closed and vat != 0:
                self.vat[w, tax, last] = vat
                self._move("Liabilities:VatPayable", "Income:Ads:" + w, vat)

    def overdue(self, account, day):
        """What is left of grants in this account whose last day is over at `day`, but whose expiry is not written."""
        return sum(left for where, left, last in self.grants.values() if where == account and last < day)
