"""A ledger as data: its events read from log.mdb, changed, and written again so that everything that
follows from them is right: numbers, `prev`, posting days, groups, control totals, frames and chain
values. From docs/format.md alone, whose tables are read; no code of the project is asked.

What a forgery says on purpose stands in the event and is kept: an Event that names another keeps
naming it, whatever its number becomes; a plain number is written as it is."""
import ctypes
import datetime
import os

import lmdb
import msgpack

HERE = os.path.dirname(os.path.abspath(__file__))
OFFSET_S, YEAR, MONTH = 9 * 3600, "2026", "10"
SECOND, DAY_S = 1_000_000, 86_400
FRAME_LAST, FRAME_OFFSETS, STRIDE = 1, 2, 64
UNRECORDED = 2
FIRST_TOTALS = 22  # those of version 1; the others follow when there is a document


def document(name):
    with open(os.path.join(HERE, "../../docs", name), encoding="utf-8") as file:
        return file.read()


def table(name):
    behind = document("format.md").split(f"<!-- table: {name} -->")[1].lstrip()
    rows = behind.split("\n\n")[0].split("\n")[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def fields_of(cell):
    """[(kind, name, list of words or None)]"""
    found = []
    for field in filter(None, (f.strip() for f in cell.split(","))):
        kind, name, *words = field.split()
        found.append((kind, name, " ".join(words).strip("()") or None))
    return found


class Format:
    types = {(int(row[0]), int(row[2])): (row[1], fields_of(row[3])) for row in table("events")}
    numbers = {name: number for (number, _), (name, _) in types.items()}
    flags = [(int(row[0]), row[1], [e.strip() for e in row[2].split(",") if e.strip()])
             for row in table("flags")]
    words = {row[0]: {int(w.split()[0]): w.split()[1] for w in row[1].split(", ")}
             for row in table("names")}
    words.update((n, {int(row[0]): row[1] for row in table(n + "s")}) for n in ("op", "code"))
    totals = [row[1] for row in table("totals")]
    subjects = {row[1]: int(row[0]) for row in table("subjects")}
    figures = {row[1]: int(row[0]) for row in reversed(table("figures"))}
    part_kinds = {row[1]: int(row[0]) for row in table("parts")}

    @classmethod
    def number_of(cls, words, word):
        return next(n for n, w in cls.words[words].items() if w == word)

    @classmethod
    def newest(cls, name):
        if name == "day_closed":
            return 1  # section 4.4: version 2 is for more; Derived knows
        return max(version for (_, version), row in cls.types.items() if row[0] == name)


DEBT, LOT, GRANT, LAPSED = (Format.part_kinds[k] for k in ("DEBT", "LOT", "GRANT", "LAPSED"))


def debt(amount):
    return (DEBT, 0, amount)


def lot(ordinal, amount):
    return (LOT, ordinal, amount)


def grant(ordinal, amount):
    return (GRANT, ordinal, amount)


def lapsed(ordinal, amount):
    return (LAPSED, ordinal, amount)


def sums(parts):
    """What went to or came from debt, lots, grants, and what lapsed."""
    return [sum(a for k, _, a in parts if k == kind) for kind in (DEBT, LOT, GRANT, LAPSED)]


# ---- times: "3 09:00" is the third of the month of the scripts, "11-03 09:00" of another one

def epoch_day(text):
    text = text if "-" in text else MONTH + "-" + text
    text = text if text.count("-") == 2 else YEAR + "-" + text
    return (datetime.date(*map(int, text.split("-"))) - datetime.date(1970, 1, 1)).days


def instant(text):
    if not isinstance(text, str):
        return text
    day, clock = text.split()
    hours, minutes, *seconds = clock.split(":")
    within = (int(hours) * 60 + int(minutes)) * 60 * SECOND
    within += round(float(seconds[0]) * SECOND) if seconds else 0
    return (epoch_day(day) * DAY_S - OFFSET_S) * SECOND + within


# ---- hashes

class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH3_128bits.restype = Hash128
XXHASH.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def xxh3_128(data):
    h = XXHASH.XXH3_128bits(data, len(data))
    return h.high.to_bytes(8, "big") + h.low.to_bytes(8, "big")


# ---- events

class Event:
    """recorded_at None: an event of `init`. occurred_at, posted_on, prev None: what follows from the
    others. extra: the elements of the other flags, by the flag's name. group_first: the first event
    of the group that ends here. subject_prev None: the subject's event before it."""

    def __init__(self, name, wallet=0, version=1, fields=None):
        self.name, self.wallet, self.version = name, wallet, version
        self.fields, self.extra, self.unknown_flags = dict(fields or {}), {}, 0
        self.recorded_at = self.occurred_at = self.posted_on = self.prev = None
        self.group_first = self.group_events = self.subject_prev = None
        self.commit = 0

    def __getitem__(self, name):
        return self.fields[name]

    def __setitem__(self, name, value):
        assert name in self.fields, (self.name, name)
        self.fields[name] = value

    def __repr__(self):
        return f"{self.name} {self.fields} {self.extra}"

    def form(self):
        return Format.types[Format.numbers[self.name], self.version][1]

    def occurred(self):
        return self.recorded_at if self.occurred_at is None else self.occurred_at

    def key(self, key, caller="", fingerprint=1):
        self.extra["KEY"] = [key, caller, fingerprint]
        return self


def parts_of(flat, amount):
    if isinstance(flat, int):
        return [(LOT, flat, amount)]
    return [(s & 3, s >> 2, a) for s, a in zip(flat[::2], flat[1::2])]


def flat_of(kind, parts, amount):
    if kind == "SPLIT" and len(parts) == 1 and parts[0][0] == LOT and parts[0][2] == amount:
        return parts[0][1]
    return [number for k, ordinal, a in parts for number in (ordinal * 4 + k, a)]


def read_field(kind, words, value, amount):
    if kind in ("SPLIT", "PARTS_FROM", "PARTS_TO"):
        return parts_of(value, amount)
    if kind == "NAME":
        return Format.words[words][value]
    if kind == "TOTALS":
        return None  # they follow from the events
    if kind == "FIGURES":
        return list(zip(value[::2], value[1::2]))
    return value


class Log:
    """The events of a log in order."""

    def __init__(self, path):
        self.events, self.ids = [], {}
        env = lmdb.open(path, subdir=False, readonly=True, lock=False)
        with env.begin() as txn:
            commit = 0
            for key, value in txn.cursor():
                self._read_frame(int.from_bytes(key, "big"), value, commit)
                commit += 1 if int.from_bytes(value[2:4], "big") & FRAME_LAST else 0
        env.close()
        for seq, e in enumerate(self.events, 1):
            self._point(seq, e)
        self.offset_s = self.events[0]["utc_offset_s"]

    def _read_frame(self, first, value, commit):
        base = int.from_bytes(value[16:24], "big", signed=True)
        unpacker = msgpack.Unpacker()
        unpacker.feed(value[48:48 + int.from_bytes(value[28:32], "big")])
        for element in unpacker:
            e = self._read_event(base, element)
            e.commit = commit
            self.events.append(e)

    def _read_event(self, base, element):
        number, flags, wallet, _, after, *rest = element
        take = {name: [rest.pop(0) for _ in elements] for bit, name, elements in Format.flags
                if flags & bit}
        version = take.pop("VERSION", [1])[0]
        name, form = Format.types[number, version]
        e = Event(name, wallet, version)
        e.unknown_flags = flags & ~sum(bit for bit, _, _ in Format.flags)
        take.pop("POSTED", None)
        if take.pop("UNRECORDED", None) is None:
            e.recorded_at = base + after
            earlier = take.pop("OCCURRED", None)
            e.occurred_at = e.recorded_at - earlier[0] if earlier else None
        e.extra = take
        amount = dict(zip((f[1] for f in form), rest)).get("amount")
        for (kind, field, words), value in zip(form, rest):
            e.fields[field] = read_field(kind, words, value, amount)
        if name == "wallet_created":
            self.ids[e["id"]] = wallet
        return e

    def _point(self, seq, e):
        """Numbers of events become the events."""
        for field in ("consumption", "before", "base", "request"):
            if e.fields.get(field):
                e.fields[field] = self.events[e.fields[field] - 1]
        if "CAUSE" in e.extra:
            e.extra["CAUSE"] = [self.events[e.extra["CAUSE"][0] - 1]]
        if "GROUP" in e.extra:
            e.group_first = self.events[seq - e.extra["GROUP"][0]]

    # ---- looking and changing

    def find(self, name, nth=0, **fields):
        """The nth event of that type with those fields; nth -1: the last one."""
        return self.all(name, **fields)[nth]

    def all(self, name, **fields):
        return [e for e in self.events if e.name == name and
                all(e.fields[f] == v for f, v in fields.items())]

    def of(self, wallet):
        return [e for e in self.events if e.wallet == wallet]

    def drop(self, event):
        self.events = [e for e in self.events if e is not event]

    def move(self, event, behind):
        """The event stands behind another one, recorded when that was."""
        self.drop(event)
        self.events.insert(self.index(behind) + 1, event)
        self._recorded_again(event, behind)

    def _recorded_again(self, event, like):
        if event.occurred_at is None:
            event.recorded_at = like.recorded_at
        else:
            event.recorded_at, event.occurred_at = like.recorded_at, event.occurred_at
        event.commit = like.commit

    def swap(self, a, b):
        i, j = self.index(a), self.index(b)
        self.events[i], self.events[j] = b, a
        a.commit, b.commit = b.commit, a.commit
        if a.recorded_at is not None:
            a.recorded_at, b.recorded_at = b.recorded_at, a.recorded_at

    def index(self, event):
        return next(i for i, e in enumerate(self.events) if e is event)

    def seq(self, event):
        return self.index(event) + 1

    def wallet(self, wallet):
        return wallet if isinstance(wallet, int) else self.ids[wallet] if wallet else 0

    def add(self, name, wallet=None, /, at=None, behind=None, occurred=None, **fields):
        """A new event, at the end (or behind another), with what its type needs filled in as the
        events before it have it. at: when it was recorded; without it a second after the one
        before at the end, and at the same time elsewhere. What was recorded at the time of the
        one before is in its commit, too: of one command, as it were."""
        place = len(self.events) if behind is None else self.index(behind) + 1
        before = self.events[place - 1]
        e = Event(name, self.wallet(wallet), Format.newest(name))
        e.recorded_at = instant(at) if at is not None else \
            before.recorded_at + (SECOND if behind is None else 0)
        e.occurred_at = instant(occurred)
        together = behind is not None or e.recorded_at == before.recorded_at
        e.commit = before.commit if together else before.commit + 1
        e.fields = self._filled_in(e, place, fields)
        if name == "wallet_created" and not e.wallet:
            e.wallet = max(self.ids.values(), default=0) + 1
            self.ids.setdefault(e["id"], e.wallet)
        if name == "free_expired" and occurred is None:
            e.occurred_at = self._end_of_last_day(e)
        self.events.insert(place, e)
        return e

    def _end_of_last_day(self, e):
        granted = [g for g in self.of(e.wallet)
                   if g.name == "free_granted" and g["grant_no"] == e["grant_no"]]
        return ((granted[0]["expires_on"] + 1) * DAY_S - self.offset_s) * SECOND - 1

    def _filled_in(self, e, place, given):
        mine = [x for x in self.events[:place] if x.wallet == e.wallet]
        count = lambda *names: sum(1 for x in mine if x.name in names) + 1
        usual = {"lot": lambda: count("charge_settled", "debt_repaid"),
                 "grant_no": lambda: count("free_granted"),
                 "refund_no": lambda: count("refund_requested"),
                 "amount": lambda: sum(sums(given.get("parts", []))),
                 "before": lambda: ([x for x in mine if x.name == "consumption_reversed" and
                                     x["consumption"] is given["consumption"]] or [0])[-1],
                 "limit": lambda: 0, "how": lambda: "GIVEN", "representative": lambda: 1,
                 "address": lambda: 1, "biz": lambda: "1234567890",
                 "method": lambda: "UNSPECIFIED", "reason": lambda: "NONE", "usage": lambda: "UX",
                 "origin": lambda: "PROMOTION", "kind": lambda: "BUSINESS", "name": lambda: 1,
                 "scope": lambda: "PARTIAL", "why": lambda: "AFTER_APPROVAL", "in_use": lambda: 1,
                 "parts": list, "totals": lambda: None, "index": lambda: 0, "figures": list}
        filled, strange = {}, set(given)
        for kind, field, _ in e.form():
            strange.discard(field)
            if field in given:
                filled[field] = given[field]
            elif field == "reason" and kind == "REF":
                filled[field] = 0
            elif field in usual:
                filled[field] = usual[field]()
            else:
                filled[field] = None if kind.startswith("OPT") else 0
        assert not strange, (e.name, strange)
        return filled

    def group(self, first, last, commands=None, key=None):
        """The events from first to last are an atomic group."""
        last.group_first = first
        last.extra["GROUP"] = [0, commands or self.index(last) - self.index(first) + 1]
        for e in self.events[self.index(first):self.index(last) + 1]:
            e.commit, e.recorded_at = first.commit, first.recorded_at
        return last.key(key) if key else last

    # ---- writing

    def write(self, path):
        derived = Derived(self)
        chain, first = derived.root(), 1
        env = lmdb.open(path, subdir=False, map_size=1 << 24, sync=False, lock=False)
        with env.begin(write=True) as txn:
            for events in derived.commits():
                frame = derived.frame(first, events)
                chain = xxh3_128(chain + frame[:32] + frame[48:])
                txn.put(first.to_bytes(8, "big"), frame[:32] + chain + frame[48:], append=True)
                first += len(events)
        env.close()


class Derived:
    """What follows from the events of a log."""

    def __init__(self, log):
        self.log, self.number = log, {id(e): seq for seq, e in enumerate(log.events, 1)}
        self.last, self.first_open, self.days, self.closings = {}, None, {}, {}
        self.subjects, self.documents = {}, {}

    def root(self):
        e = self.log.events[0]
        return xxh3_128(b"jangbu\0" + e["format"].to_bytes(2, "big") + e["currency"].encode() +
                        bytes([e["exponent"]]) + e["utc_offset_s"].to_bytes(4, "big", signed=True) +
                        e["ledger_id"])

    def commits(self):
        run = []
        for e in self.log.events:
            if run and e.commit != run[-1].commit:
                yield run
                run = []
            run.append(e)
        yield run

    def frame(self, first, events):
        base = min((e.recorded_at for e in events if e.recorded_at is not None), default=0)
        data, offsets = b"", b""
        for i, e in enumerate(events):
            if i and i % STRIDE == 0:
                offsets += len(data).to_bytes(4, "big")
            data += self.encoded(first + i, e, base)
        flags = FRAME_LAST | (FRAME_OFFSETS if offsets else 0)
        header = b"".join(n.to_bytes(size, "big", signed=size == 8) for n, size in (
            (1, 2), (flags, 2), (0, 2), (0, 2), (first, 8), (base, 8), (len(events), 4),
            (len(data), 4)))
        return header + bytes(16) + data + offsets

    def day(self, t):
        return (t // SECOND + self.log.offset_s) // DAY_S

    def seq_of(self, value):
        return self.number[id(value)] if isinstance(value, Event) else value

    def encoded(self, seq, e, base):
        elements, flags = {}, e.unknown_flags
        if e.name == "day_closed":
            e.version = 2 if self.documents else 1
        if e.version > 1:
            elements["VERSION"] = [e.version]
        if e.recorded_at is None:
            flags |= UNRECORDED
        else:
            self.posted(e, elements)
        for name, values in e.extra.items():
            elements[name] = [self.seq_of(v) for v in values]
        if "GROUP" in elements:
            elements["GROUP"][0] = e.group_events if e.group_events is not None else \
                seq - self.number[id(e.group_first)] + 1
        if "SUBJECT" in elements:
            elements["SUBJECT"][1] = self.subject_back(seq, e, elements["SUBJECT"][0])
        flags |= sum(bit for bit, name, _ in Format.flags if name in elements)
        prev = self.last.get(e.wallet, 0) if e.prev is None else self.seq_of(e.prev)
        back = seq - prev if e.wallet and prev else 0
        after = e.recorded_at - base if e.recorded_at is not None else 0
        envelope = [Format.numbers[e.name], flags, e.wallet, back, after]
        brought = [v for _, name, _ in Format.flags for v in elements.get(name, ())]
        fields = [self.field(seq, e, *field) for field in e.form()]
        self.last[e.wallet] = seq
        return msgpack.packb(envelope + brought + fields, use_bin_type=True)

    def subject_back(self, seq, e, subject):
        before = self.subjects.get(subject, 0) if e.subject_prev is None else \
            self.seq_of(e.subject_prev)
        self.subjects[subject] = seq
        return seq - before if before else 0

    def posted(self, e, elements):
        today, occurred = self.day(e.recorded_at), self.day(e.occurred())
        if self.first_open is None:
            self.first_open = today
        day = min(today, max(occurred, self.first_open)) if e.posted_on is None else e.posted_on
        if e.occurred() != e.recorded_at:
            elements["OCCURRED"] = [e.recorded_at - e.occurred()]
        if day != today:
            elements["POSTED"] = [today - day]
        flows = self.days.setdefault(day, dict.fromkeys(Format.totals, 0))
        for total, amount in effects(e) + self.invoiced(e):
            flows[total] += amount
        if e.name == "day_closed":
            self.first_open = e["day"] + 1

    def invoiced(self, e):
        """A document that failed is taken back on the day of its failure."""
        if e.name == "invoice_issued":
            self.documents[e["invoice"]] = e["total"], e["vat"]
            return [("invoiced", e["total"]), ("invoiced_vat", e["vat"])]
        if e.name == "invoice_failed" and e["invoice"] in self.documents:
            total, vat = self.documents[e["invoice"]]
            return [("invoiced", -total), ("invoiced_vat", -vat)]
        return []

    def field(self, seq, e, kind, name, words):
        value = e.fields[name]
        if kind in ("SPLIT", "PARTS_FROM", "PARTS_TO"):
            return flat_of(kind, value, e["amount"])
        if kind == "NAME":
            return value if isinstance(value, int) else Format.number_of(words, value)
        if kind == "FIGURES":
            return [n for figure, v in value
                    for n in (Format.figures.get(figure, figure), v)]
        if kind == "TOTALS":
            return b"".join(t.to_bytes(16, "big", signed=True) for t in self.totals(seq, e, value))
        return self.seq_of(value)

    def totals(self, seq, e, changes):
        """changes: what a forgery adds to some of them."""
        flows = self.days.get(e["day"], {})
        totals = {name: flows.get(name, 0) for name in Format.totals}
        for name in ("closing_paid", "closing_free", "closing_dormant", "refund_in_transit",
                     "wallets"):
            totals[name] += self.closings.get(name, 0)
            self.closings[name] = totals[name]
        totals["last_seq"] = seq - 1
        for name, by in (changes or {}).items():
            totals[name] += by
        values = [totals[name] for name in Format.totals]
        return values if self.documents else values[:FIRST_TOTALS]


def effects(e):
    """What an event posts to the control totals of its day: docs/format.md section 4.4."""
    amount = e.fields.get("amount", 0)
    owed, lots, grants, gone = sums(e.fields.get("parts", []))
    paid, free, dormant = "closing_paid", "closing_free", "closing_dormant"
    ended = lambda word: [(word, amount), (free, -amount)] if e["in_use"] else \
        [("dormant_" + word, amount), (dormant, -amount)]
    found = {
        "wallet_created": lambda: [("wallets", 1)],
        "wallet_deleted": lambda: [("wallets", -1)],
        "charge_settled": lambda: [("charged", amount), (paid, amount)],
        "charge_reversed": lambda: [("charge_reversed", amount), (paid, -amount)],
        "debt_repaid": lambda: [("debt_repaid", amount), (paid, amount)],
        "free_granted": lambda: [("dormant_granted", amount), (dormant, amount)],
        "free_activated": lambda: [("free_activated", amount), (dormant, -amount), (free, amount)],
        "free_revoked": lambda: [("dormant_revoked", amount), (dormant, -amount)],
        "free_expired": lambda: ended("expired"),
        "free_forfeited": lambda: ended("forfeited"),
        "cash_consumed": lambda: [("consumed_free", grants), ("consumed_paid", owed + lots),
                                  (free, -grants), (paid, -owed - lots)],
        "consumption_reversed": lambda: [("returned", amount), ("expired", gone), (free, grants),
                                         (paid, owed + lots)],
        "refund_approved": lambda: [("refunded", amount), ("refund_in_transit", amount),
                                    (paid, -amount)],
        "refund_completed": lambda: [("refund_in_transit", -amount)],
        "refund_failed": lambda: [("refund_failed", amount), ("refund_in_transit", -amount),
                                  (paid, amount)] if e["parts"] else [],
    }.get(e.name, list)
    return [("events", 1)] + found()


def values(path):
    env = lmdb.open(path, subdir=False, readonly=True, lock=False)
    with env.begin() as txn:
        found = [bytes(value) for _, value in txn.cursor()]
    env.close()
    return found


def commits(path):
    """[(base time, bytes of the events)] of each commit, in however many frames they stand."""
    found = [[b"", b""]]
    for value in values(path):
        found[-1][0] = value[16:24]
        found[-1][1] += value[48:48 + int.from_bytes(value[28:32], "big")]
        if int.from_bytes(value[2:4], "big") & FRAME_LAST:
            found.append([b"", b""])
    return found
