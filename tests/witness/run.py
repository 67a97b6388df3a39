"""Runs jangbu beside the model, and stops at the first difference.

    python3 run.py --jangbu build/tools/jangbu/jangbu [--seed S] [--commands N] [--batch 1|2|3|1000|random] [--restart]
    python3 run.py --jangbu PATH --who all              with roles, channels, business information, enforced and in trust
    python3 run.py --jangbu PATH --papers [--who MODE]  with tax invoices, over two years
    python3 run.py --jangbu PATH --replay FILE          one file of commands instead of random ones

A difference ends with exit status 1, and a file of the fewest commands found that still show one."""

import argparse
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import compare
import figures
import generate
import generate_papers
import generate_who
import model
import moment
import papers
import papersread
import whoread

COMMANDS_PER_LEDGER = 2000
EARLIER_READS = 4       # random earlier sequence numbers that are read back per ledger
NOW_WITHIN = 10 * moment.MINUTE
ANSWER_TIMEOUT = 60     # seconds without a result: the program hangs


class Difference(Exception):
    """Expected and got differ. `line`: index of the command, None where a query differs."""

    def __init__(self, what, details, line=None):
        super().__init__(what)
        self.what = what
        self.details = details
        self.line = line


# ---- the program under test

class Program:
    """One ledger of the jangbu program."""

    def __init__(self, path, directory):
        self.path = path
        self.directory = directory
        self.stderr = open(os.path.join(os.path.dirname(directory), "stderr"), "w+b")

    def ask(self, verb, *arguments):
        """(exit status, JSON lines) of a query."""
        try:
            done = subprocess.run([self.path, verb, self.directory, *arguments, "--json"], stdout=subprocess.PIPE,
                                  stderr=self.stderr, timeout=ANSWER_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Difference(f"{verb} {' '.join(arguments)}", [f"no answer within {ANSWER_TIMEOUT} s"])
        lines = [line for line in done.stdout.decode().splitlines() if line.strip()]
        if done.returncode != 0:
            return done.returncode, lines
        try:
            return 0, [json.loads(line) for line in lines]
        except ValueError as error:
            raise Difference(f"{verb} {arguments}", [f"no JSON: {error}: {done.stdout[:300]!r}"])

    def text(self, verb, *arguments):
        """(exit status, output) of a verb that prints no JSON."""
        done = subprocess.run([self.path, verb, self.directory, *arguments], stdout=subprocess.PIPE, stderr=self.stderr,
                              timeout=ANSWER_TIMEOUT)
        return done.returncode, done.stdout.decode()

    def must(self, verb, *arguments):
        status, lines = self.ask(verb, *arguments)
        if status != 0 or not lines:
            raise Difference(f"{verb} {' '.join(arguments)}",
                             [f"exit status {status}, output {lines!r}, stderr: {self.last_words()}"])
        return lines

    def last_words(self):
        self.stderr.seek(0)
        return self.stderr.read()[-600:].decode(errors="replace")


class Applying:
    """A running `jangbu apply`: lines go in, results come out in the same order."""

    def __init__(self, program, caller):
        command = [program.path, "apply", program.directory, "--clock=at", "--json"]
        if caller:
            command.append(f"--caller={caller}")
        self.program = program
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=program.stderr)
        self.results = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.results.put(line)
        self.results.put(None)

    def send(self, lines):
        try:
            self.process.stdin.write("".join(line + "\n" for line in lines).encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the missing result says so

    def result(self, index):
        try:
            text = self.results.get(timeout=ANSWER_TIMEOUT)
        except queue.Empty:
            text = b"(nothing within %d s)" % ANSWER_TIMEOUT
        try:
            result = json.loads(text)
        except (TypeError, ValueError):
            result = None
        if not isinstance(result, dict):
            raise Difference("no result", [f"got {text!r}; stderr: {self.program.last_words()}"], index)
        return result

    def end(self, index):
        """The exit status; nothing more may come out."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            status = self.process.wait(ANSWER_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Difference("apply does not end", [f"within {ANSWER_TIMEOUT} s of the end of its input"], index)
        more = self.results.get()
        if more is not None:
            raise Difference("a result too many", [repr(more)], index)
        return status

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


# ---- one ledger

class Trial:
    """One ledger, its model, and the comparison of both."""

    def __init__(self, path, rng, batch="1000", restart=False, mode=None, since="none"):
        """`since`: what `init --invoice-from` says, None: nothing."""
        self.home = tempfile.mkdtemp(prefix="jangbu-witness-")
        self.program = Program(path, os.path.join(self.home, "ledger"))
        self.rng = rng
        self.pages_rng = random.Random(1)  # of its own: how lists are cut changes nothing else
        self.batch = batch
        self.restart = restart
        self.totals_compared = 0
        self.mode = mode
        operator = generate_who.OPERATOR if mode == "enforce" else None
        self.papers = since != "none"
        self.program.must("init", *([] if operator is None else ["--roles=enforce", "--operator", operator]),
                          *([] if since is None else ["--invoice-from", since]))
        self.init_events = self.program.must("stat")[0]["events"]
        month = papers.ALL_MONTHS if since is None else papers.parse_month(since)
        self.ledger = model.Ledger(self.init_events, operator, month)

    def close(self):
        self.program.stderr.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, lines, reads=True):
        self.reads = reads
        pieces = self._pieces(lines)
        first = self._apply_all(pieces)
        if self.restart:
            again = self._apply_all(pieces)
            self._check_remembered(lines, first, again)
        if reads:
            self._check_reads()

    def _pieces(self, lines):
        """(index of the first line, lines, caller): one, or several invocations cut at random places."""
        if not self.restart or len(lines) < 2:
            return [(0, lines, "")]
        cuts = sorted(self.rng.sample(range(1, len(lines)), min(self.rng.randint(1, 6), len(lines) - 1)))
        return [(start, lines[start:end], self.rng.choice(["", "", "", "gw"]))
                for start, end in zip([0] + cuts, cuts + [len(lines)])]

    def _apply_all(self, pieces):
        results = []
        for start, lines, caller in pieces:
            results += self._apply(start, lines, caller)
            if self.mode and self.reads and len(self.ledger.events) > self.init_events:
                self._check_who()
        return results

    def _batch_size(self):
        return self.rng.choice([1, 1, 2, 3, 7, 50, 400]) if self.batch == "random" else int(self.batch)

    def _apply(self, start, lines, caller):
        applying = Applying(self.program, caller)
        try:
            results, done = [], 0
            while done < len(lines):
                size = self._batch_size()
                applying.send(lines[done:done + size])
                for index in range(done, min(done + size, len(lines))):
                    results.append(self._compare_result(applying, start, index, lines[index], caller))
                done += size
            last = start + len(lines) - 1
            self._check_exit_status(applying.end(last), results, last)
            return results
        finally:
            applying.stop()

    def _compare_result(self, applying, start, index, line, caller):
        expected = self.ledger.apply_line(line, caller)
        if expected is None:
            return None
        got = applying.result(start + index)
        found = compare.result(expected, got)
        if got.get("line") != index + 1:
            found.append(f"line: expected {index + 1}, got {got.get('line')!r}")
        if found:
            raise Difference("result", found + [f"expected {expected!r}", f"got      {got!r}"], start + index)
        return got

    @staticmethod
    def _check_exit_status(status, results, index):
        wanted = int(any(result is not None and not result["ok"] for result in results))
        if status != wanted:
            raise Difference("exit status of apply", [f"expected {wanted}, got {status}"], index)

    @staticmethod
    def _check_remembered(lines, first, again):
        """A keyed command that left a trace gives its first result for ever."""
        for index, (before, after) in enumerate(zip(first, again)):
            if before is None or "key" not in before or "seq" not in before or before.get("code") == "KEY_CONFLICT":
                continue
            if before.get("duplicate") and json.loads(lines[index])["op"] == "day.close":
                continue  # a closed day is answered without taking the key
            drop = ("line", "duplicate", "message", "content_checked")
            same = [{k: v for k, v in result.items() if k not in drop} for result in (before, after)]
            if same[0] != same[1] or after.get("duplicate") is not True:
                raise Difference("second application", [f"first  {before!r}", f"second {after!r}"], index)

    # ---- reads

    def _check_reads(self):
        last = len(self.ledger.events)
        events = self.program.must("stat")[0]["events"]
        if events != last:
            raise Difference("stat", [f"events: expected {last}, got {events}"])
        self._check_log()
        if last > self.init_events:
            self._check_reads_as_of(last, list(self.ledger.wallets))
            for seq in self.rng.sample(range(self.init_events + 1, last + 1),
                                       min(EARLIER_READS, last - self.init_events)):
                self._check_reads_as_of(seq, self.rng.sample(list(self.ledger.wallets),
                                                             min(2, len(self.ledger.wallets))))
        self._check_unknown("Wnone", last)
        if self.mode and last > self.init_events:
            self._check_who()
        if self.papers and last > self.init_events:
            self._check_papers()
        if last > self.init_events and not os.environ.get("WITNESS_NO_STATEMENTS"):
            self._check_statements(last)
        self._check_audit()

    def _check_who(self):
        """Who may use the wallets, and what stands around them, now."""
        reader = whoread.WhoReading(figures.Reading(self.ledger, len(self.ledger.events)))
        channels = list(reader.world.channels)
        for wallet in self.ledger.wallets:
            self._compare_now(compare.who, reader, reader.who, (wallet,), "who", wallet, "--people")
            self._compare_now(compare.biz, reader, reader.biz, ({"wallet": wallet},), "biz", wallet, "--people")
            self._compare_now(compare.can_delete, reader, reader.can_delete, (wallet,), "can-delete", wallet)
            for actor in self.pages_rng.sample(generate_who.PEOPLE, 3):
                self._compare_now(compare.may, reader, reader.may, (wallet, actor), "may", wallet, "--actor", actor)
                for channel in self.pages_rng.sample(channels, min(1, len(channels))):
                    self._compare_now(compare.may, reader, reader.may, (wallet, actor, channel),
                                      "may", wallet, "--actor", actor, "--channel", channel)
        for channel in channels:
            self._compare_now(compare.channel, reader, reader.channel, (channel,), "channel", channel, "--people")
            self._compare_now(compare.biz, reader, reader.biz, ({"channel": channel},), "biz", "--channel", channel, "--people")

    def _check_statements(self, last):
        """Statements of closed days, receipts, grants that lapse soon, and what all wallets have."""
        reader = papersread.PapersReading(figures.Reading(self.ledger, self.pages_rng.randint(self.init_events + 1, last)))
        as_of = ["--as-of", str(reader.reading.seq)]
        self._compare_read(compare.totals, reader.totals(), "totals", *as_of)
        for wallet in reader.reading.wallets():
            got = [compare.receipt(row) for row in self._pages(2, "receipts", wallet, *as_of)]
            if sorted(got) != sorted(reader.receipts(wallet)):
                raise Difference(f"receipts {wallet} {' '.join(as_of)}", [f"expected {reader.receipts(wallet)}", f"got {got}"])
            days = self.pages_rng.choice([0, 1, 2, 30])
            got = [(row.get("grant"), row.get("left"), row.get("days"))
                   for row in self._pages(2, "expiring", "--wallet", wallet, "--days", str(days), *as_of)]
            if sorted(got) != sorted(reader.expiring(wallet, days)):
                raise Difference(f"expiring {wallet} {days} {' '.join(as_of)}", [f"expected {reader.expiring(wallet, days)}", f"got {got}"])
            if reader.closed_through is not None:
                first = reader.reading.events_of(wallet)[0].posted_on  # days before it was made cannot be known
                if first > reader.closed_through:
                    continue
                begin, end = sorted(self.pages_rng.randint(first, reader.closed_through) for _ in range(2))
                self._compare_read(compare.statement, reader.statement(wallet, begin, end), "statement", wallet,
                                   moment.day_text(begin), moment.day_text(end), *as_of)

    def _check_papers(self):
        """Documents with their rows, what is due, the books' VAT: now, and as of earlier moments."""
        last = len(self.ledger.events)
        earlier = self.pages_rng.sample(range(self.init_events + 1, last), min(3, last - self.init_events - 1))
        for seq in [last, *earlier]:
            reader = papersread.PapersReading(figures.Reading(self.ledger, seq))
            as_of = ["--as-of", str(seq)]
            for wallet in reader.reading.wallets():
                if reader.since is not None:
                    self._check_invoices(reader, wallet, *as_of)
            if seq == last and reader.since is not None:
                self._compare_read(compare.due, reader.due(), "due", "--clock=at")
            self._check_books(reader, *as_of)
        if not self.mode:
            reader = whoread.WhoReading(figures.Reading(self.ledger, last))
            for wallet in self.ledger.wallets:
                self._compare_now(compare.can_delete, reader, reader.can_delete, (wallet,), "can-delete", wallet)

    def _check_invoices(self, reader, wallet, *as_of):
        wanted = reader.invoices(wallet)
        got = self._pages(len(wanted), "invoices", wallet, *as_of)
        found = compare.invoices(wanted, got)
        if found:
            raise Difference(f"invoices {wallet} {' '.join(as_of)}", found)
        for document in wanted:
            number = document["invoice"]
            self._compare_read(compare.invoice, reader.invoice(number), "invoice", str(number), *as_of)

    def _check_books(self, reader, *as_of):
        """The VAT of the exported books, line by line; only of ledgers that had invoices from the beginning."""
        if self.ledger.invoice_from_at_first is None:
            return
        status, text = self.program.text("export", "--format", "hledger", *as_of)
        found = compare.vat_lines(reader.vat_lines(), text) if status == 0 else [f"exit status {status}"]
        if found:
            raise Difference(f"export {' '.join(as_of)}", found)

    def _compare_now(self, comparing, reader, asking, about, verb, *arguments):
        """These questions are of now: of the machine's clock, but never before the last event."""
        got = self.program.must(verb, *arguments)[0]
        reader.now = moment.parse_instant((got.get("as_of") or {}).get("at"))
        now = max(time.time_ns() // 1000, self.ledger.last_recorded)
        if reader.now is None or not 0 <= now - reader.now < NOW_WITHIN:
            raise Difference(f"{verb} {' '.join(arguments)}", [f"as_of: it is {moment.instant_text(now)}, got {got!r}"])
        found = comparing(asking(*about), got)
        if found:
            raise Difference(f"{verb} {' '.join(arguments)}", found + [repr(got)])

    def _check_log(self):
        got_lines = self.program.must("log", *(["--people"] if self.mode else []))
        if len(got_lines) != len(self.ledger.events):
            raise Difference("log", [f"expected {len(self.ledger.events)} events, got {len(got_lines)}"])
        known = set()
        for event, got in zip(self.ledger.events, got_lines):
            expected = figures.log_line(event)
            if event.seq <= self.init_events:
                expected["type"] = "ledger_created" if event.seq == 1 else got.get("type")
            found = compare.log_line(expected, got)
            if self.mode:
                found += compare.log_actor(event, got, known)
                known |= compare.people_of(event)
            if event.type == "day_closed":
                differences, compared = compare.control_totals(event.body["totals"], got)
                self.totals_compared = max(self.totals_compared, compared)
                found += differences
            if found:
                raise Difference(f"log, event {event.seq}", found + [f"event {event!r}", f"got {got!r}"])

    def _check_reads_as_of(self, seq, wallets):
        reading = figures.Reading(self.ledger, seq)
        self._check_balances(reading)
        lists_of = self.pages_rng.sample(wallets, min(3, len(wallets)))
        for wallet in wallets:
            if wallet not in reading.wallets():
                self._check_unknown(wallet, seq)
                continue
            as_of = ["--as-of", str(seq)]
            for view in ("posted", "known"):
                self._compare_read(compare.cash_status, reading.cash_status(wallet, view),
                                   "cash-status", wallet, "--view", view, *as_of)
            self._compare_read(compare.explain, reading.explain(wallet), "explain", wallet, *as_of)
            if wallet in lists_of:
                self._check_lists(reading, wallet, *as_of)
    def _pages(self, count, verb, *arguments):
        """The rows of all pages of a list, which has so many: one page, two or three."""
        rows, more = [], []
        limit = str(self.pages_rng.choice([1000, count // 2 + 1, count // 3 + 1]))
        while True:
            page = self.program.must(verb, *arguments, "--limit", limit, *more)[0]
            rows += page["rows"]
            if page["next"] is None:
                return rows
            more = ["--cursor", page["next"]]  # which has the moment of the first page
            if "--as-of" in arguments:
                at = arguments.index("--as-of")
                arguments = (*arguments[:at], *arguments[at + 2:])

    def _check_lists(self, reading, wallet, *as_of):
        """What a wallet has several of, all or the open ones, and its events in one direction or the other."""
        for verb, names in figures.LISTS.items():
            only_open = self.pages_rng.choice([False, True])
            want = [list(row[:-1]) for row in getattr(reading, verb)(wallet) if row[-1] or not only_open]
            got = [[row.get(name) for name in names]
                   for row in self._pages(len(want), verb, wallet, *as_of, *(["--open"] if only_open else []))]
            if got != want:
                raise Difference(f"{verb} {wallet} {' '.join(as_of)}", [f"open: {only_open}", f"expected {want}", f"got {got}"])
        back = self.pages_rng.choice([False, True])
        want = [event.seq for event in reading.events_of(wallet)][::-1 if back else 1]
        got = [row["seq"] for row in self._pages(len(want), "events", "--wallet", wallet, *(["--newest-first"] if back else []), *as_of)]
        if got != want:
            raise Difference(f"events {wallet} {' '.join(as_of)}", [f"back: {back}", f"expected {want}", f"got {got}"])

    def _compare_read(self, comparing, expected, verb, *arguments):
        got = self.program.must(verb, *arguments)[0]
        found = comparing(expected, got)
        if found:
            raise Difference(f"{verb} {' '.join(arguments)}", found)

    def _check_balances(self, reading):
        if not reading.wallets():
            return  # an empty answer or an error: open
        arguments = ["--all", "--as-of", str(reading.seq)]
        status, lines = self.program.ask("balance", *arguments)
        what = "balance " + " ".join(arguments)
        names = [line.get("wallet") for line in lines] if status == 0 else None
        if names != reading.wallets():
            raise Difference(what, [f"exit status {status}, expected {reading.wallets()}, got {names}",
                                    self.program.last_words()])
        for got in lines:
            found = compare.balance(reading.balance(got["wallet"]), got)
            if found:
                raise Difference(what, [f"{got['wallet']}.{text}" for text in found])

    def _check_unknown(self, wallet, seq):
        """What cannot be known is an error, never 0 and never an empty list."""
        for verb in ("balance", "cash-status", "explain"):
            status, lines = self.program.ask(verb, wallet, "--as-of", str(seq))
            if status == 0:
                raise Difference(f"{verb} {wallet} --as-of {seq}", [f"expected an error, got {lines!r}"])

    def _check_audit(self):
        report = self.program.must("audit")[0]
        if report.get("ok") is not True or report.get("verdict") != "verified":
            raise Difference("audit", [repr(report)])


# ---- shrinking

class Replaying:
    """Runs the same lines again and again, in new ledgers, to see whether they still show a difference of one kind."""

    def __init__(self, arguments, seed, mode, since, difference):
        self.since = since
        self.path = arguments.jangbu
        self.mode = mode
        self.seed = seed
        self.kind = difference.what.split()[0]
        self.reads = difference.line is None
        self.ways = [("1000", False), (arguments.batch, arguments.restart)]  # the plainest first

    def choose_way(self, lines):
        """Keeps the plainest way that shows the difference; False: it does not come back."""
        self.ways = [way for way in self.ways if self._difference(lines, way)][:1]
        return bool(self.ways)

    def difference(self, lines):
        return self._difference(lines, self.ways[0])

    def _difference(self, lines, way):
        trial = Trial(self.path, random.Random(self.seed), *way, self.mode, self.since)
        try:
            trial.run(lines, self.reads)
        except Difference as difference:
            return difference if difference.what.split()[0] == self.kind else None
        except (model.Undecided, figures.Unknown):
            return None  # shrunk into a place for which there is no rule
        finally:
            trial.close()
        return None


def shrink(lines, still_differs, seconds):
    """Leaves out ever smaller runs of lines while a difference stays, for a bounded time."""
    deadline = time.monotonic() + seconds
    run = max(1, len(lines) // 2)
    while run and time.monotonic() < deadline:
        start, shorter = 0, False
        while start < len(lines) and time.monotonic() < deadline:
            candidate = lines[:start] + lines[start + run:]
            if candidate and still_differs(candidate):
                lines, shorter = candidate, True
            else:
                start += run
        if run > 1 or not shorter:
            run //= 2
    return lines


def report(arguments, seed, mode, since, lines, difference):
    print(f"DIFFERENCE in ledger seed {seed} (--seed {arguments.seed}): {difference.what}")
    if difference.line is not None:
        print(f"command {difference.line + 1}: {lines[difference.line]}")
        if difference.what != "no result":  # that may be for what came behind it
            lines = lines[:difference.line + 1]
    for text in difference.details:
        print("   ", text)
    print(f"shrinking {len(lines)} lines, at most {arguments.shrink_seconds} s", flush=True)
    replaying = Replaying(arguments, seed, mode, since, difference)
    comes_back = replaying.choose_way(lines)
    if comes_back:
        lines = shrink(lines, replaying.difference, arguments.shrink_seconds)
    name = os.path.join(tempfile.gettempdir(), f"witness-{seed}.jsonl")
    with open(name, "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))
    if not comes_back:
        print(f"{len(lines)} lines in {name}; the difference did not come back when they were run again")
        return
    batch, restart = replaying.ways[0]
    print(f"{len(lines)} lines in {name} (--replay {name} --seed {seed} --batch {batch}"
          f"{' --restart' if restart else ''}{f' --who {mode}' if mode else ''}{' --papers' if arguments.papers else ''}): invoices from {since or 'the beginning'}")
    again = replaying.difference(lines)
    for text in again.details if again is not None else ["this time it did not come back: it hangs on timing"]:
        print("   ", text)


# ---- main

def run_ledger(arguments, seed, count, replay):
    mode = random.Random(seed).choice(generate_who.MODES) if arguments.who == "all" else arguments.who
    papers_stream = generate_papers.PapersGenerator(seed, mode or "trust") if arguments.papers else None
    since = papers_stream.init_option if arguments.papers else "none"
    trial = Trial(arguments.jangbu, random.Random(seed), arguments.batch, arguments.restart, mode, since)
    trial.papers = arguments.papers
    if replay:
        lines = replay
    elif arguments.papers:
        papers_stream = generate_papers.PapersGenerator(seed, mode or "trust", None, trial.init_events)
        lines = [papers_stream.next()[0] for _ in range(count)]
    elif mode:
        lines = list(generate_who.stream(seed, count, mode, trial.init_events))
    else:
        lines = list(generate.stream(seed, count, trial.init_events))
    try:
        trial.run(lines)
        accepted = sum(1 for e in trial.ledger.events if e.type not in ("command_refused", "free_expired", "day_closed"))
        print(f"ledger seed {seed}: {len(lines)} commands, {len(trial.ledger.events)} events ({accepted} of commands), "
              f"{len(trial.ledger.closed)} days closed, {trial.totals_compared} control totals a day compared: same",
              flush=True)
        return True
    except Difference as difference:
        report(arguments, seed, mode, since, lines, difference)
        return False
    finally:
        trial.close()


def parse_arguments():
    parser = argparse.ArgumentParser(description="jangbu beside its independent model")
    parser.add_argument("--jangbu", required=True, help="path of the program")
    parser.add_argument("--seed", type=int, help="default: from the clock; printed first")
    parser.add_argument("--commands", type=int, default=2000)
    parser.add_argument("--batch", default="1000", choices=["1", "2", "3", "1000", "random"])
    parser.add_argument("--restart", action="store_true", help="several invocations, then the whole file again")
    parser.add_argument("--shrink-seconds", type=int, default=60, help="how long to look for fewer commands")
    parser.add_argument("--who", choices=[*generate_who.MODES, "all"], help="streams with roles and channels, too")
    parser.add_argument("--papers", action="store_true", help="streams with tax invoices")
    parser.add_argument("--replay", help="a file of commands instead of random ones")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.seed is None:
        arguments.seed = time.time_ns() % 1_000_000
    arguments.jangbu = os.path.abspath(arguments.jangbu)
    print(f"seed {arguments.seed}, {arguments.commands} commands, batch {arguments.batch}"
          f"{', restart' if arguments.restart else ''}", flush=True)
    if arguments.replay:
        with open(arguments.replay, encoding="utf-8") as file:
            lines = file.read().split("\n")[:-1]
        return 0 if run_ledger(arguments, arguments.seed, 0, lines) else 1
    started, left, number = time.monotonic(), arguments.commands, 0
    while left > 0:
        count = min(left, COMMANDS_PER_LEDGER)
        if not run_ledger(arguments, arguments.seed * 1_000_003 + number, count, None):
            return 1
        left, number = left - count, number + 1
    print(f"{arguments.commands} commands in {number} ledgers, {time.monotonic() - started:.1f} s: no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
