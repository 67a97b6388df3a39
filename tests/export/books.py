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
        self.net = collections.Counter()  # (wallet, "2026-10") -> paid consumption
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
        for part in event["parts"]:
            kind = part.get("from") or part.get("to")
            if kind == "free":
                self.grants[w, part["grant_no"]][1] -= sign * part["amount"]
                self._move("Equity:Promotion", "Liabilities:Free:" + w, sign * part["amount"])
            elif kind in ("paid", "debt"):
                self._move("Income:Ads:" + w, "Liabilities:Paid:" + w, sign * part["amount"])
                self.net[w, event["posted_on"][:7]] += sign * part["amount"]

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

    def _add_vat(self):
        for (w, month), net in self.net.items():
            y, m = map(int, month.split("-"))
            last = "%s-%02d" % (month, calendar.monthrange(y, m)[1])
            rate = self._rate(y, m)
            vat = half_up(net * rate, 100 + rate)
            if last <= self.closed and vat != 0:
                self.vat[w, last] = vat
                self._move("Liabilities:VatPayable", "Income:Ads:" + w, vat)

    def overdue(self, account, day):
        """What is left of grants in this account whose last day is over at `day`, but whose expiry is not written."""
        return sum(left for where, left, last in self.grants.values() if where == account and last < day)
