#!/usr/bin/python3 -ISE
"""A pretended `jangbu`, made of the model, to test the driver (run.py) before and without the C program.

PRETEND_FAULT names a fault to plant in it: the driver must find each.

    pretend.py --serving COMMAND...    runs the command, and what pretend.py answers there a fork of this process answers
                                       (serving.py): to read the model takes longer than most answers"""

import os
import sys


def ask_the_server(address):
    """Hands the arguments and the three streams over, and ends as the fork does."""
    import _socket
    import array
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    server.connect(address)
    words = "\0".join([os.getcwd(), os.environ.get("PRETEND_FAULT", ""), *sys.argv[1:]])
    server.sendmsg([words.encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
    status = server.recv(1)
    os._exit(status[0] if status else 1)


if __name__ == "__main__":
    if os.environ.get("PRETEND_SERVER"):
        ask_the_server(os.environ["PRETEND_SERVER"])
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out

import argparse
import json
import pickle
import subprocess
import time

import compare
import figures
import fold
import model
import papers
import papersread
import whoread
from generate import INIT_EVENTS
from generate_who import INIT_EVENTS_ENFORCED
from moment import day_text, parse_day, parse_instant


def _fault_credit():
    honest = model.credit
    model.credit = lambda state, amount, named, freed=None: honest(state, amount, [], freed)


def _fault_late():
    fold.Event.late = property(lambda event: False)


def _fault_grace():
    model.DEFAULT_POLICIES["day_close_grace"] = 601


def _fault_refusals():
    honest = model.Ledger._answer_from_memory
    model.Ledger._answer_from_memory = staticmethod(
        lambda known, command: honest(known, command) if known.result["ok"] else {**known.result})


def _fault_known():
    figures.known_on = lambda event: event.posted_on


FAULTS = {"credit": _fault_credit, "late": _fault_late, "grace": _fault_grace, "refusals": _fault_refusals,
          "known": _fault_known}


class Store:
    """The ledger's file: callers and lines, replayed at each start from where the last `apply` has left the model."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "lines.jsonl")
        self.left = os.path.join(directory, "model")
        begin = 0
        if os.path.exists(self.left):
            with open(self.left, "rb") as file:
                begin, self.ledger = pickle.load(file)
        else:
            with open(os.path.join(directory, "operator"), encoding="utf-8") as file:
                operator, since = json.load(file)
            month = papers.ALL_MONTHS if since is None else papers.parse_month(since)
            count = (INIT_EVENTS_ENFORCED if operator else INIT_EVENTS) + (month is not None)
            self.ledger = model.Ledger(count, operator or None, month)
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as lines:
                lines.seek(begin)
                for line in lines:
                    self.ledger.apply_line(*reversed(json.loads(line)))

    def apply(self, caller):
        refused = False
        with open(self.path, "a", encoding="utf-8", buffering=1) as kept:
            for number, line in enumerate(iter(sys.stdin.readline, ""), 1):
                result = self.ledger.apply_line(line, caller)
                kept.write(json.dumps([caller, line]) + "\n")
                if result is not None:
                    refused |= not result["ok"]
                    show({**result, "line": number})
        with open(self.left + ".new", "wb") as file:
            pickle.dump((os.path.getsize(self.path), self.ledger), file, pickle.HIGHEST_PROTOCOL)
        os.rename(self.left + ".new", self.left)
        return int(refused)


def show(value):
    print(json.dumps(value, default=lambda any_value: []), flush=True)


def log(ledger):
    known = set()
    for event in ledger.events:
        actor = event.actor or {}
        if event.type == "command_refused" and actor.get("id") not in known:
            actor = {}
        show({**figures.log_line(event), **event.body.get("totals", {}), "role": actor.get("role"),
              "actor_ref": 1, "people": {"actor": actor.get("id")}})
        known |= compare.people_of(event)


def rows_of(arguments, reading):
    """What the pages of a list are cut from."""
    if arguments.verb == "events":
        seqs = [{"seq": event.seq} for event in reading.events_of(arguments.of)]
        return seqs[::-1] if arguments.newest_first else seqs
    return [dict(zip(figures.LISTS[arguments.verb], row)) for row in getattr(reading, arguments.verb)(arguments.wallet)
            if row[-1] or not arguments.open]


def as_of(ledger, text):
    """(number, time) of --as-of: a number, or a time; None: now."""
    if text is None or text.isdecimal():
        return int(text or len(ledger.events)), None
    now = parse_instant(text)
    return sum(1 for e in ledger.events if e.recorded_at is None or e.recorded_at <= now), now


def read(arguments, ledger):
    moment, begin = map(int, arguments.cursor.split("."))  # of the first page, and where this one begins
    seq, now = as_of(ledger, arguments.as_of)
    reading = figures.Reading(ledger, moment or seq)
    if arguments.verb == "balance":
        for wallet in reading.wallets() if arguments.all else [arguments.wallet]:
            show(reading.balance(wallet))
    elif arguments.verb in (*figures.LISTS, "events"):
        rows = rows_of(arguments, reading)
        end = begin + arguments.limit
        show({"rows": rows[begin:end], "next": f"{reading.seq}.{end}" if end < len(rows) else None})
    elif arguments.verb == "cash-status":
        show(reading.cash_status(arguments.wallet, arguments.view))
    elif arguments.verb in ("totals", "receipts", "expiring", "statement"):
        read_statements(arguments, papersread.PapersReading(reading, now))
    elif arguments.verb in ("invoices", "invoice", "due", "export"):
        read_papers(arguments, papersread.PapersReading(reading, now))
    elif arguments.verb in ("who", "channel", "biz", "may", "can-delete"):
        read_who(arguments, whoread.WhoReading(reading))
    else:
        show(reading.explain(arguments.wallet))


def people(rows, *names):
    return [{"id": row[0], **dict(zip(names, row[1:]))} for row in rows]


def read_who(arguments, reader):
    """In the form of the program, with people."""
    reader.now = max(time.time_ns() // 1000, reader.reading.at)
    if arguments.verb == "may":
        show(reader.may(arguments.wallet, arguments.actor, arguments.channel))
    elif arguments.verb == "biz":
        answer = reader.biz({"channel": arguments.channel} if arguments.channel else {"wallet": arguments.wallet})
        show({**answer, "history": [{"seq": seq} for seq in answer["history"]]})
    elif arguments.verb == "can-delete":
        show(reader.can_delete(arguments.wallet))
    elif arguments.verb == "channel":
        answer = reader.channel(arguments.wallet)
        show({**answer, "staff": people(answer["staff"], "role")})
    else:
        answer = reader.who(arguments.wallet)
        show({**answer, "master": answer["master"] and {"id": answer["master"]}, "members": people(answer["members"]),
              "invited": people(answer["invited"], "until")})


def read_statements(arguments, reader):
    if arguments.verb == "totals":
        show(reader.totals())
    elif arguments.verb == "statement":
        answer = reader.statement(arguments.wallet, *map(parse_day, arguments.more))
        show({**answer, "opening": {"total": answer["opening"]}, "closing": {"total": answer["closing"]},
              "rows": [dict(zip(("seq", "posted_on", "late", "effect", "balance"), row)) for row in answer["rows"]]})
    else:
        if arguments.verb == "receipts":
            rows = [{**dict(zip(("seq", "gateway", "where", "look_up", "amount", "cancelled", "refunded"), row)),
                     "look_up": [{"by": way} for way in row[3]]} for row in reader.receipts(arguments.wallet)]
        else:
            rows = [dict(zip(("grant", "left", "days"), row)) for row in reader.expiring(arguments.of, arguments.days)]
        begin = int(arguments.cursor.split(".")[1])
        end = begin + arguments.limit
        show({"rows": rows[begin:end], "next": f"{reader.reading.seq}.{end}" if end < len(rows) else None})


def read_papers(arguments, reader):
    if arguments.verb == "invoices":
        begin = int(arguments.cursor.split(".")[1])
        rows, end = reader.invoices(arguments.wallet), begin + arguments.limit
        show({"rows": rows[begin:end], "next": f"{reader.reading.seq}.{end}" if end < len(rows) else None})
    elif arguments.verb == "invoice":
        answer = reader.invoice(int(arguments.wallet))
        show({**answer, "recipient": {"business": answer["business"]},
              "rows": [dict(zip(("seq", "usage", "amount"), row)) for row in answer["rows"]]})
    elif arguments.verb == "due":
        wanted, blocked = reader.due()
        names = {"day.close": ("no_wallet", "day"), "invoice.issue": ("wallet", "month"), "notice.send": ("wallet", "grant")}
        if arguments.kind:
            wanted = {kind: some for kind, some in wanted.items() if kind.startswith(arguments.kind)}
            blocked = blocked if arguments.kind == "invoice" else []
        commands = [{"op": kind, **dict(zip(names[kind], one))} for kind, some in wanted.items() for one in some]
        show({"commands": [{**c, "key": f"due:{i}"} for i, c in enumerate(commands)],
              "blocked": [dict(zip(("wallet", "month", "why"), one)) for one in blocked]})
    else:
        for (wallet, posted, month), vat in reader.vat_lines().items():
            name = "the month" if month == posted else papers.month_text(month)
            print(f"{day_text(papers.last_day(posted))} * vat of {name}\n"
                  f"    Liabilities:VatPayable  {-vat} KRW\n    Income:Ads:W{wallet}  {vat} KRW\n")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb")
    parser.add_argument("directory")
    parser.add_argument("wallet", nargs="?")
    parser.add_argument("more", nargs="*")
    parser.add_argument("--days", type=int)
    parser.add_argument("--roles", default="trust")
    parser.add_argument("--operator", default="")
    parser.add_argument("--invoice-from")
    parser.add_argument("--format")
    parser.add_argument("--actor")
    parser.add_argument("--channel")
    parser.add_argument("--people", action="store_true")
    parser.add_argument("--as-of")
    parser.add_argument("--kind")
    parser.add_argument("--view", default="posted")
    parser.add_argument("--caller", default="")
    parser.add_argument("--clock")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--open", action="store_true")
    parser.add_argument("--newest-first", action="store_true")
    parser.add_argument("--wallet", dest="of")
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--cursor", default="0.0")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if os.environ.get("PRETEND_FAULT"):
        FAULTS[os.environ["PRETEND_FAULT"]]()
    if arguments.verb == "init":
        os.makedirs(arguments.directory)
        with open(os.path.join(arguments.directory, "operator"), "w", encoding="utf-8") as file:
            json.dump([arguments.operator, arguments.invoice_from], file)
        show({"ok": True})
        return 0
    store = Store(arguments.directory)
    if arguments.verb == "apply":
        return store.apply(arguments.caller)
    if arguments.verb == "stat":
        show({"events": len(store.ledger.events)})
    elif arguments.verb == "log":
        log(store.ledger)
    elif arguments.verb == "audit":
        show({"ok": True, "verdict": "verified"})
    else:
        try:
            read(arguments, store.ledger)
        except figures.Unknown as unknown:
            print(f"unknown: {unknown}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serving"]:
        import serving
        with serving.server(main) as environment:
            sys.exit(subprocess.run(sys.argv[2:], env={**os.environ, **environment}).returncode)
    sys.exit(main())
