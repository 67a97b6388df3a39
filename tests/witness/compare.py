"""Expected against got, member by member. Members that the rules do not name are ignored; `message` is for people."""

import re

from figures import FLOWS
from model import ANY
from moment import parse_instant

_INSTANTS = {"now", "recorded_at", "at", "occurred_at"}
_BALANCE = ["wallet", "status", "paid", "free", "free_dormant", "total", "refundable", "refund_pending",
            "refund_in_transit", "debt", "version"]
_ROW = ["day", *FLOWS, "closing_total", "closing_paid", "closing_free"]
_FORM_CODES = {"MALFORMED", "AMOUNT_INVALID", "AMOUNT_RANGE"}
MOST_EVENTS_OF_A_CAUSE = 1000


def merged(parts):
    """Whether two neighbouring parts of one lot are printed as one is open."""
    merged = []
    for part in parts:
        target = {name: value for name, value in part.items() if name != "amount"}
        if merged and merged[-1][0] == target:
            merged[-1][1] += part["amount"]
        else:
            merged.append([target, part["amount"]])
    return merged


def _same(name, expected, got):
    if expected is ANY:
        return got is not None
    if name == "parts":
        return isinstance(got, list) and merged(expected) == merged(got)
    if name in _INSTANTS and expected is not None:
        return isinstance(got, str) and parse_instant(expected) == parse_instant(got)
    return type(expected) is type(got) and expected == got


def _members(expected, got, names):
    return [f"{name}: expected {expected.get(name)!r}, got {got.get(name)!r}"
            for name in names if not _same(name, expected.get(name), got.get(name))]


def _result_names(expected):
    names = [name for name in expected if name not in ("results", "duplicate", "seq")]
    if expected.get("outcome") == "FAILED":
        names.remove("parts")  # no legs: an empty list or none
    if expected.get("code") in _FORM_CODES and "key" in names:
        names.remove("key")    # a line that is no command may have no readable key
    return names


def _results(expected, got):
    got_results = got.get("results")
    if not isinstance(got_results, list) or len(got_results) != len(expected["results"]):
        return [f"results: expected {expected['results']!r}, got {got_results!r}"]
    found = []
    for index, (member, got_member) in enumerate(zip(expected["results"], got_results)):
        found += [f"results[{index}].{text}" for text in result(member, {"ok": True, **got_member})]
    return found


def result(expected, got):
    """Differences of one answer of `apply`, as texts; without `line`."""
    found = _members(expected, got, _result_names(expected))
    if bool(got.get("duplicate")) != bool(expected.get("duplicate")):
        found.append(f"duplicate: expected {bool(expected.get('duplicate'))}, got {got.get('duplicate')!r}")
    if got.get("seq") != expected.get("seq"):  # a refusal without a trace has none
        found.append(f"seq: expected {expected.get('seq')}, got {got.get('seq')!r}")
    if "results" in expected:
        found += _results(expected, got)
    return found


def _as_of(expected, got):
    got_as_of = got.get("as_of")
    if not isinstance(got_as_of, dict):
        return [f"as_of: expected {expected['as_of']!r}, got {got_as_of!r}"]
    return [f"as_of.{text}" for text in _members(expected["as_of"], got_as_of, ["seq", "at"])]


def balance(expected, got):
    return _members(expected, got, _BALANCE) + _as_of(expected, got)


def cash_status(expected, got):
    found = _members(expected, got, [name for name in ("wallet", "through") if name in expected])
    got_rows = got.get("rows")
    days = [row["day"] for row in expected["rows"]]
    if not isinstance(got_rows, list) or [row.get("day") for row in got_rows] != days:
        return found + [f"rows: expected {expected['rows']!r}, got {got_rows!r}"]
    for row, got_row in zip(expected["rows"], got_rows):
        found += [f"rows[{row['day']}].{text}" for text in _members(row, got_row, _ROW)]
    return found


def _cells(causes):
    """By cause and late; `expiry_due` has no events and is neither late nor not."""
    cells = {}
    for cell in causes:
        cause, amount = cell.get("cause"), cell.get("amount")
        if cause == "expiry_due":
            cells["expiry_due"] = amount
        else:
            cells[cause, bool(cell.get("late"))] = (amount, sorted(cell.get("events", []))[:MOST_EVENTS_OF_A_CAUSE])
    return {name: cell for name, cell in cells.items() if cell not in (0, (0, []))}


def _outside(explained):
    """A line of 0 may be left out."""
    lines = {line.get("what"): line.get("amount") for line in explained.get("outside", [])}
    return {what: amount for what, amount in lines.items() if amount != 0}


def explain(expected, got):
    found = _members(expected, got, ["wallet", "total_now", "cash_status_total", "through", "difference", "rest"])
    if _cells(expected["causes"]) != _cells(got.get("causes", [])):
        found.append(f"causes: expected {expected['causes']!r}, got {got.get('causes')!r}")
    if _outside(expected) != _outside(got):
        found.append(f"outside: expected {_outside(expected)!r}, got {_outside(got)!r}")
    return found + _as_of(expected, got)


def _ids(people, *names):
    """Persons by their ids and what else is compared; their references are the program's."""
    if not isinstance(people, list):
        return people
    return sorted([person.get("id"), *(person.get(name) for name in names)] for person in people)


def who(expected, got):
    got = {**got, "master": (got.get("master") or {}).get("id"), "members": _ids(got.get("members")),
           "invited": _ids(got.get("invited"), "until"), "channels": sorted(got.get("channels", [])),
           "email": got.get("email")}
    return _members(expected, got, [name for name in expected if name != "as_of"]) + _as_of(expected, got)


def channel(expected, got):
    got = {**got, "staff": _ids(got.get("staff"), "role")}
    return _members(expected, got, [name for name in expected if name != "as_of"]) + _as_of(expected, got)


def biz(expected, got):
    found = _members(expected, got, ["number"]) + _as_of(expected, got)
    for name in ("record", "pending"):
        if expected[name] is None or not isinstance(got.get(name), dict):
            found += _members(expected, got, [name])
        else:
            found += [f"{name}.{text}" for text in _members(expected[name], got[name], expected[name])]
    seqs = [event.get("seq") for event in got.get("history", [])]
    if seqs != expected["history"]:
        found.append(f"history: expected {expected['history']}, got {seqs}")
    return found


def may(expected, got):
    found = _members(expected, got, ["wallet", "channel", "roles"]) + _as_of(expected, got)
    names = list(expected["ops"]) + [name for name in got.get("ops") or {} if name not in expected["ops"]]
    return found + [f"ops.{text}" for text in _members(expected["ops"], got.get("ops") or {}, names)]


def can_delete(expected, got):
    found = _members(expected, got, ["wallet", "can_delete", "forfeits"]) + _as_of(expected, got)
    rows = got.get("conditions", [])
    if [row.get("name") for row in rows] != [row["name"] for row in expected["conditions"]]:
        return found + [f"conditions: expected {expected['conditions']!r}, got {rows!r}"]
    for row, got_row in zip(expected["conditions"], rows):
        names = ["ok"] if row["ok"] else ["ok", "figure", "remedy"]  # the figure of a condition that is met is open
        if row["name"] == "uninvoiced" and not row["ok"]:
            names = ["ok", "figure", "papers", "from"]  # which of the papers comes first is open
        found += [f"{row['name']}.{text}" for text in _members(row, got_row, names)]
    return found


_INVOICE = ["invoice", "kind", "reason", "month", "written_on", "state", "supply", "vat", "total", "original", "approve_no", "mails"]


def invoices(expected, got):
    """Lists of documents."""
    if [row.get("invoice") for row in got] != [row["invoice"] for row in expected]:
        return [f"invoices: expected {expected!r}, got {got!r}"]
    return [f"invoice {row['invoice']}: {text}" for row, got_row in zip(expected, got) for text in _members(row, got_row, _INVOICE)]


def invoice(expected, got):
    rows = [(row.get("seq"), row.get("usage"), row.get("amount")) for row in got.get("rows", [])]
    got = {**got, "business": (got.get("recipient") or {}).get("business")}
    found = _members(expected, got, ["wallet", "why", "business", "after", "through", "outside_ref", *_INVOICE])
    return found if rows == expected["rows"] else found + [f"rows: expected {expected['rows']}, got {rows}"]


def receipt(row):
    ways = [way.get("by") for way in row.get("look_up", [])]
    return (row.get("seq"), row.get("gateway"), row.get("where"), ways, row.get("amount"), row.get("cancelled"), row.get("refunded"))


def statement(expected, got):
    got = {**got, "opening": (got.get("opening") or {}).get("total"), "closing": (got.get("closing") or {}).get("total"),
           "rows": [tuple(row.get(name) for name in ("seq", "posted_on", "late", "effect", "balance")) for row in got.get("rows", [])]}
    return _members(expected, got, list(expected))


def totals(expected, got):
    return _members(expected, got, list(expected))


_DUE = {"day.close": (None, "day"), "invoice.issue": ("wallet", "month"), "notice.send": ("wallet", "grant")}


def due(expected, got):
    """What is to be done, by kind; and what is in the way."""
    wanted, blocked = expected
    found, commands = [], got.get("commands", [])
    for kind, (wallet, what) in _DUE.items():
        have = sorted((c.get(wallet), c.get(what)) if wallet else (None, c.get(what)) for c in commands if c.get("op") == kind)
        if have != sorted(wanted.get(kind, [])):
            found.append(f"{kind}: expected {sorted(wanted.get(kind, []))}, got {have}")
    keys = [c.get("key") for c in commands]
    if len(set(keys)) != len(keys) or None in keys:
        found.append(f"keys: {keys}")
    have = sorted((b.get("wallet"), b.get("month")) for b in got.get("blocked", []))
    if have != sorted(b[:2] for b in blocked):
        found.append(f"blocked: expected {sorted(blocked)}, got {got.get('blocked')}")
    return found


def vat_lines(expected, text):
    """The entries of hledger's books: {(wallet, month of posting, tax month): VAT}."""
    have = {}
    for posted, month, postings in re.findall(r"^(\d{4}-\d\d)-\d\d \* vat of (the month|\d{4}-\d\d)\n((?: .*\n)+)", text, re.M):
        amount = re.search(r"Liabilities:VatPayable +(-?\d+) ", postings)[1]
        wallet = re.search(r"Income:Ads:W(\S+) ", postings)[1]
        tax = posted if month == "the month" else month
        have[wallet, int(posted.replace("-", "")), int(tax.replace("-", ""))] = -int(amount)
    return [] if have == expected else [f"VAT: expected {expected}, got {have}"]


def people_of(event):
    """The persons whom an accepted command makes known."""
    if event.type == "command_refused":
        return set()
    named = [event.body.get(name) for name in ("person", "master", "from", "to")]
    return {person for person in [*named, (event.actor or {}).get("id")] if person is not None}


def log_actor(event, got, known):
    """Who did it, in which role: of a command's main event. A refusal makes nobody known."""
    shown = got.get("people", {}).get("actor")
    if event.type == "command_refused":
        wanted = (event.actor or {}).get("id")
        if event.body["op"] == "atomic" or shown == (wanted if wanted in known else None):
            return []
        return [f"actor: expected {wanted!r} if known, got {shown!r}"]
    wanted = ((event.actor or {}).get("id"), (event.actor or {}).get("role"))
    role = got.get("role") or None if "actor_ref" in got else None  # of role_given it is the one that was given
    if event.type in ("role_given", "role_taken", "channel_staffed"):
        wanted, role = (wanted[0], None), None
    return [] if (shown, role) == wanted else [f"actor: expected {wanted!r}, got {(shown, role)!r}"]


def log_line(expected, got):
    return _members(expected, got, ["seq", "type", "wallet", "recorded_at", "occurred_at", "posted_on"])


def control_totals(expected, got):
    """(differences, number of totals compared). Their names in `log` are the tool's: what bears a known name, at the
    line's top or in an object of its own, is compared."""
    flat = dict(got)
    for value in got.values():
        if isinstance(value, dict):
            flat.update(value)
    names = [name for name in expected if name in flat]
    return [f"totals.{text}" for text in _members(expected, flat, names)], len(names)
