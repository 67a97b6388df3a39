#!/usr/bin/env python3
"""Compares the tables of docs/format.md with the sources that they describe.

The sources are core/event/events.def, core/event/commands.def, core/event/table.c, core/event/command_table.c, core/include/jangbu/{event,command}.h,
core/event/bounds.h, core/log/frame.h. A table of the document stands behind a line `<!-- table: NAME -->`.

    check_format.py [ROOT]            exit 0: the tables agree; 1: they differ, with the first difference of each
    check_format.py --print NAME      prints a table as it should stand in the document
    check_format.py --write [ROOT]    puts every table into the document
"""
import pathlib
import re
import sys


def strip_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def enum_of(text, name):
    """[(word, number)] of a C enum in its order; numbers given or counted on."""
    body = re.search(r"enum " + name + r"\s*\{(.*?)\}", strip_comments(text), re.S)
    if body is None:
        raise SystemExit(f"no enum {name}")
    out, number = [], -1
    for item in body.group(1).split(","):
        item = item.strip()
        if item == "":
            continue
        word, _, value = item.partition("=")
        number = eval(value.strip(), {}, {}) if value else number + 1
        out.append((word.strip(), number))
    return out


def words_of(text, name):
    """[(number, word)] of a NAMES list in table.c."""
    body = re.search(r"NAMES\(" + name + r",(.*?)\);", text, re.S).group(1)
    items = [i.strip() for i in body.split(",")]
    return [(n, i.strip('"')) for n, i in enumerate(items) if i != "NULL"]


def x_macro(text, name):
    """The items of a list; lists that stand in it are lists of their own."""
    body = re.search(r"#define " + name + r"\(X\)(.*?[^\\])\n", text, re.S).group(1)
    items = []
    for inner, item in re.findall(r"\b(JB_\w+)\(X\)|\bX\(([^)]*)\)", body):
        items += x_macro(text, inner) if inner else [item]
    return items


def close_of(text, at):
    """The place of the bracket that closes the one at `at`; brackets in strings do not count."""
    depth, quoted = 0, False
    for i in range(at, len(text)):
        c = text[i]
        if c == '"':
            quoted = not quoted
        elif not quoted and c in "()":
            depth += 1 if c == "(" else -1
            if depth == 0:
                return i
    raise SystemExit("events.def: a bracket is not closed")


def events_of(text):
    text = strip_comments(text)
    out = []
    for m in re.finditer(r"EVENT\(", text):
        row = text[m.end() : close_of(text, m.end() - 1)]
        head = re.match(r'\s*(\d+),\s*(\w+),\s*(\w+),\s*(\d+),\s*"((?:[^"\\]|\\.)*)",(.*)', row, re.S)
        if head is None:
            raise SystemExit("events.def: a row that this script cannot read: " + row[:60])
        fields = re.findall(r"F(2?)\((\w+),\s*(\w+),\s*(\w+),\s*([^)]*)\)", head.group(6))
        for _, _, payload, member, _ in fields:
            if payload != head.group(3):
                raise SystemExit(f"events.def: {head.group(3)} takes its {member} from {payload}")
        fields = [(int(since or 1), kind, member, names) for since, kind, _, member, names in fields]
        out.append((int(head.group(1)), head.group(3), int(head.group(4)), head.group(5), fields))
    return out


LISTS = {  # names in table.c -> how the document calls the list
    "jb_wallet_kind_names": "kind",
    "jb_method_names": "method",
    "jb_origin_names": "origin",
    "jb_reason_names": "reason",
    "jb_scope_names": "scope",
    "jb_failure_names": "why",
    "jb_policy_names": "policy",
    "jb_role_names": "role",
    "jb_how_names": "how",
    "jb_left_names": "left",
    "jb_channel_kind_names": "channel kind",
    "jb_settlement_names": "settlement",
    "jb_invoice_kind_names": "invoice kind",
    "jb_invoice_reason_names": "invoice reason",
    "jb_invoice_why_names": "invoice why",
    "jb_mail_result_names": "mail result",
    "jb_op_names": "op",
    "jb_code_names": "code",
}


class Sources:
    def __init__(self, root):
        def read(path):
            return (root / path).read_text(encoding="utf-8")

        self.events_def = read("core/event/events.def")
        self.commands_def = read("core/event/commands.def")
        self.table_c = read("core/event/table.c")
        self.command_c = read("core/event/command_table.c")
        self.event_h = read("core/include/jangbu/event.h")
        self.command_h = read("core/include/jangbu/command.h")
        self.frame_h = read("core/log/frame.h")
        self.bounds_h = read("core/event/bounds.h")
        self.base_h = read("core/include/jangbu/base.h")

    def frame(self):
        place = dict(enum_of(self.frame_h, r"(?=\{)"))
        order = ["FORMAT", "MUST", "MAY", "RESERVED", "FIRST", "BASE", "COUNT", "BYTES", "CHAIN", "EVENTS"]
        at = [place["JB_FRAME_" + o] for o in order]
        what = ["format", "flags that must be understood", "flags that may be ignored", "zero", "first number", "base time", "count",
                "b, bytes of events", "chain value"]
        rows = [[str(a), str(b - a), w] for a, b, w in zip(at, at[1:], what)]
        return ["offset", "bytes", "name"], rows

    def limits(self):
        place = dict(enum_of(self.frame_h, r"(?=\{)"))
        flags = dict(re.findall(r"#define (JB_FRAME_\w+) (\d+)U", self.frame_h))
        rows = [["header", str(place["JB_FRAME_EVENTS"]), "bytes before the events"],
                ["stride", str(place["JB_FRAME_STRIDE"]), "events between two entries of the offset table"],
                ["longest value", str(place["JB_FRAME_VALUE_MAX"]), "bytes, header and table included"],
                ["flag LAST", flags["JB_FRAME_LAST"], "last frame of its commit"],
                ["flag OFFSETS", flags["JB_FRAME_OFFSETS"], "an offset table follows the events"]]
        bound = {n: eval(v, {}, {}) for n, v in re.findall(r"#define (JB_\w+) ([\d(<][^/\n]*)", self.bounds_h)}
        text = dict(re.findall(r"\b(JB_\w+_BYTES_MAX) = (\d+)", self.base_h))
        rows += [["event", str(bound["JB_EVENT_BYTES_MAX"]), "bytes of one event"],
                 ["commit", str(bound["JB_COMMIT_BYTES_MAX"]), "bytes of the events of one commit"],
                 ["parts", str(bound["JB_PARTS_STORED_MAX"]), "parts of one event that a reader takes"],
                 ["parts by rule", str(bound["JB_PARTS_MAX"]), "parts of one event that a rule makes; money of a failed refund may have more"],
                 ["figures", str(bound["JB_FIGURES_MAX"]), "figures of one refusal"],
                 ["key", text["JB_KEY_BYTES_MAX"], "bytes of an idempotency key, 1 or more"],
                 ["id", text["JB_ID_BYTES_MAX"], "bytes of a TEXT: ids of wallets, charges, grants, usages, refunds, channels, agencies"],
                 ["short text", text["JB_SHORT_BYTES_MAX"], "bytes of a caller; commands keep to it for pg, approve_no, role"],
                 ["txn_ref", text["JB_TXN_REF_BYTES_MAX"], "bytes; commands keep to it"]]
        return ["what", "value", "meaning"], rows

    def flags(self):
        body = re.search(r"enum jb_event_flag \{(.*?)\};", self.event_h, re.S).group(1)
        known = {  # elements that the flag brings into the array
            "VERSION": "version", "UNRECORDED": "", "OCCURRED": "recorded_at - occurred_at", "POSTED": "day(recorded_at) - posted_on",
            "KEY": "key, caller, fingerprint", "ACTOR": "actor, role", "NOTE": "note", "CAUSE": "cause",
            "GROUP": "group_events, group_commands", "SKIPPABLE": "", "CHANNEL": "channel", "SUBJECT": "subject, subject_back"}
        rows = [[str(1 << int(shift)), word, known[word]] for word, shift in re.findall(r"JB_EVF_(\w+) = 1 << (\d+)", body)]
        return ["flag", "name", "elements, in this order"], rows

    def kinds(self):
        names = [w.replace("JB_FK_", "") for w, _ in enum_of(self.event_h, "jb_field_kind")]
        return ["kind"], [[n] for n in names]

    def events(self):
        rows = []
        for number, name, newest, meaning, fields in events_of(self.events_def):
            for version in range(1, newest + 1):
                text = ", ".join(f"{kind} {field}" + (f" ({LISTS[n.lstrip('&')]})" if n != "0" else "")
                                 for since, kind, field, n in fields if since <= version)
                rows.append([str(number), name, str(version), text])
        return ["type", "name", "version", "fields"], rows

    def parts(self):
        return ["kind", "name"], [[str(n), w.replace("JB_PART_", "")] for w, n in enum_of(self.event_h, "jb_part_kind")]

    def subjects(self):
        rows = [[str(n), w.replace("JB_SUBJECT_", "")] for w, n in enum_of(self.event_h, "jb_subject_kind")]
        return ["kind", "name"], [r for r in rows if r[1] not in ("NONE", "KINDS")]

    def names(self):
        rows = []
        for c_name, shown in LISTS.items():
            if shown in ("op", "code"):
                continue
            rows.append([shown, ", ".join(f"{n} {w}" for n, w in words_of(self.table_c, c_name))])
        return ["list", "numbers and words"], rows

    def ops(self):
        numbers = dict(enum_of(self.command_h, "jb_op"))
        words = re.findall(r'^OP\((\w+), "([^"]+)"', self.commands_def, re.M)
        return ["number", "op"], [[str(numbers["JB_OP_" + k]), w] for k, w in words]

    def codes(self):
        return ["number", "code"], [re.split(r",\s*", x) for x in x_macro(self.command_h, "JB_CODES")]

    def figures(self):
        numbers = dict(enum_of(self.event_h, "jb_figure_name"))
        words = re.findall(r'\[(JB_FIG_\w+)\] = "(\w+)"', self.table_c)
        kinds = {"STATUS": "wallet status", "NOT_OFF": "wallet status", "GRANT_STATE": "grant state", "REFUND_STATE": "refund state",
                 "EXPIRES_ON": "day", "FIRST_OPEN_DAY": "day", "NOW": "instant", "RECORDED_AT": "instant", "UNTIL": "instant",
                 "HAVE": "set of role", "HAVE_NOW": "set of role", "WHO": "set of role", "KIND": "kind", "KINDS": "set of kind",
                 "CHANNEL_KIND": "channel kind", "PERSON_STATE": "person state", "CHANNEL_STATE": "channel state",
                 "BIZ_STATE": "biz state", "SALES_STATE": "sales state", "INVOICE_STATE": "invoice state"}
        return ["number", "name", "value"], [[str(numbers[k]), w, kinds.get(k.replace("JB_FIG_", ""), "integer")] for k, w in words]

    def states(self):
        rows = []
        for c_name, shown in (("jb_wallet_status_names", "wallet status"), ("jb_grant_state_names", "grant state"),
                              ("jb_refund_state_names", "refund state"), ("jb_person_state_names", "person state"),
                              ("jb_channel_state_names", "channel state"), ("jb_biz_state_names", "biz state"),
                              ("jb_sales_state_names", "sales state"), ("jb_invoice_state_names", "invoice state")):
            rows.append([shown, ", ".join(f"{n} {w}" for n, w in words_of(self.table_c, c_name))])
        return ["list", "numbers and words"], rows

    def totals(self):
        return ["place", "total"], [[str(i), w] for i, w in enumerate(x_macro(self.event_h, "JB_TOTALS"))]

    def members(self):
        kinds = dict(re.findall(r'\[JB_CF_(\w+)\] = FIELD\("\w+", (\w+)', self.command_c))
        names = dict(re.findall(r'\[JB_CF_(\w+)\] = FIELD\("(\w+)"', self.command_c))
        how = {"ID": "text", "SHORT": "text", "NAME": "text", "TEXT": "text", "AMOUNT": "number", "UINT": "number", "VALUE": "number",
               "INSTANT": "number", "WORD": "number of the word", "DAY": "number", "BOOL": "number, 0 or 1", "ACTOR": "not content",
               "COMMANDS": "see below", "KEY": "not content", "REF": "text", "CALLER": "not content", "SEARCH_ID": "text",
               "BIZ": "text", "LINE": "text", "EMAIL": "text", "AMOUNT0": "number", "MONTH": "number"}
        rows = []
        for word, bit in enum_of(self.command_h, "jb_command_field"):
            key = word.replace("JB_CF_", "")
            if key in names:
                rows.append([str(bit), names[key], "not content" if key in ("KEY", "EXPECT", "CLOCK") else how[kinds[key]]])
        return ["bit", "member", "hashed as"], rows


TABLES = ["frame", "limits", "flags", "events", "kinds", "parts", "subjects", "names", "ops", "codes", "figures", "states", "totals", "members"]
LOOSE = {"kinds"}  # the document says more in further columns: only these columns are compared


def lines_of(head, rows):
    width = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    width[-1] = min(width[-1], 80)
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(head, width)) + " |", "|" + "|".join("-" * (w + 2) for w in width) + "|"]
    return lines + ["| " + " | ".join(c.ljust(w) for c, w in zip(r, width)) + " |" for r in rows]


def table_in(document, name):
    """(first line, one past the last, rows) of the table behind its marker."""
    lines = document.split("\n")
    marker = f"<!-- table: {name} -->"
    if lines.count(marker) != 1:
        return None
    at = lines.index(marker) + 1
    while at < len(lines) and lines[at] == "":
        at += 1
    end = at
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    cells = [[c.strip().strip("`") for c in line.strip().strip("|").split("|")] for line in lines[at:end]]
    return at, end, [r for i, r in enumerate(cells) if i != 1]


def check(root):
    sources = Sources(root)
    document = (root / "docs/format.md").read_text(encoding="utf-8")
    bad = 0
    for name in TABLES:
        head, rows = getattr(sources, name)()
        found = table_in(document, name)
        if found is None:
            print(f"docs/format.md: there is not exactly one table `{name}`")
            bad += 1
            continue
        want = [head] + rows
        have = [r[: len(head)] for r in found[2]] if name in LOOSE else found[2]
        for i in range(max(len(want), len(have))):
            w = want[i] if i < len(want) else None
            h = have[i] if i < len(have) else None
            if w != h:
                print(f"docs/format.md: table `{name}`, row {i}: has {h}, the source says {w}")
                bad += 1
                break
    for number, name, version, meaning, fields in events_of(sources.events_def):
        for _, kind, _, _ in fields:
            if [kind] not in sources.kinds()[1]:
                print(f"core/event/events.def: {name} has a field of unknown kind {kind}")
                bad += 1
    return 1 if bad else 0


def write(root):
    sources = Sources(root)
    path = root / "docs/format.md"
    for name in TABLES:
        document = path.read_text(encoding="utf-8")
        found = table_in(document, name)
        if found is None or name in LOOSE:
            continue
        lines = document.split("\n")
        lines[found[0] : found[1]] = lines_of(*getattr(sources, name)())
        path.write_text("\n".join(lines), encoding="utf-8")


def main(args):
    here = pathlib.Path(__file__).resolve().parents[2]
    if args[:1] == ["--print"]:
        print("\n".join(lines_of(*getattr(Sources(here), args[1])())))
        return 0
    if args[:1] == ["--write"]:
        write(pathlib.Path(args[1]) if len(args) > 1 else here)
        return 0
    return check(pathlib.Path(args[0]) if args else here)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
