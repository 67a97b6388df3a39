#!/usr/bin/python3
"""Prints a ledger's events as `jangbu log --json` does, from docs/format.md (whose tables it reads) and log.mdb alone. usage: reader.py LEDGER"""
import datetime, json, os, subprocess, sys
import msgpack
doc = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/format.md"), encoding="utf-8").read()
def table(name):
    return [[c.strip() for c in row.strip("|").split("|")] for row in doc.split(f"<!-- table: {name} -->")[1].lstrip().split("\n\n")[0].split("\n")[2:]]
TYPES = {(int(r[0]), int(r[2])): (r[1], [f.strip() for f in r[3].split(",") if f.strip()]) for r in table("events")}
WORDS = {r[0]: dict((int(w.split()[0]), w.split()[1]) for w in r[1].split(", ")) for t in ("names", "states") for r in table(t)}
WORDS.update((n, {int(r[0]): r[1] for r in table(n + "s")}) for n in ("op", "code"))
SUBJECTS = {int(r[0]): r[1] for r in table("subjects")}
FIGURES, TOTALS = {int(r[0]): (r[1], r[2]) for r in table("figures")}, [r[1] for r in table("totals")]
ALLOWS = {"ACTIVE": ["charge", "consume", "refund"], "OFF": ["charge", "refund"], "SUSPENDED": ["refund"], "DELETED": []}
number = lambda b, signed=False: int.from_bytes(b, "big", signed=signed)
day = lambda d: (datetime.date(1970, 1, 1) + datetime.timedelta(d)).isoformat()
def instant(t, offset):
    zone = "%s%02d:%02d" % ("-" if offset < 0 else "+", abs(offset) // 3600, abs(offset) // 60 % 60)
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=t, seconds=offset)).isoformat(timespec="microseconds") + zone
def parts(flat, amount, way):
    pairs = [(flat * 4 + 1, amount)] if isinstance(flat, int) else zip(flat[::2], flat[1::2])
    return [{way: ["debt", "paid", "free", "lapsed"][s & 3], **({["", "lot", "grant_no", "grant_no"][s & 3]: s >> 2} if s & 3 else {}), "amount": a} for s, a in pairs]
def figures(flat, offset):
    def show(how, v):
        if how.startswith("set of "):
            return [word for n, word in sorted(WORDS[how[7:]].items()) if v >> n & 1]
        return {"day": day, "instant": lambda v: instant(v, offset), "integer": int}.get(how, lambda v: WORDS[how][v])(v)
    found = {FIGURES[n][0]: show(FIGURES[n][1], v) for n, v in zip(flat[::2], flat[1::2])}
    unmet = {k: found.pop(k) for k in [FIGURES[n][0] for n in (20, 21, 22, 39, 40, 41)] if k in found}
    return {**found, **({"allows": ALLOWS[found["status"]]} if "status" in found else {}), **({"conditions": unmet} if unmet else {})}
offset, ids, channels = 0, {}, {}
dump = subprocess.run(["mdb_dump", "-n", sys.argv[1] + "/log.mdb"], stdout=subprocess.PIPE, text=True, check=True).stdout
lines = [bytes.fromhex(line) for line in dump.splitlines() if line.startswith(" ")]
for key, value in zip(lines[::2], lines[1::2]):
    base, unpacker = number(value[16:24], True), msgpack.Unpacker()
    unpacker.feed(value[48:48 + number(value[28:32])])
    for seq, (kind, flags, wallet, back, after, *rest) in enumerate(unpacker, number(key)):
        take = lambda flag: rest.pop(0) if flags & flag else None
        if kind == 1: offset = rest[3]
        (name, fields), at = TYPES[kind, take(1) or 1], None if flags & 2 else base + after
        occurred, earlier = at if at is None else at - (take(4) or 0), take(8) or 0
        extra = [(label, take(flag)) for label, flag in (("key", 16), ("caller", 16), ("", 16), ("actor_ref", 32), ("role", 32), ("note_ref", 64), ("cause", 128), ("group_events", 256), ("group_commands", 256), ("channel", 1024), ("subject", 4096), ("subject_back", 4096))]
        if name == "wallet_created": ids[wallet] = rest[0]
        channel = dict(extra)["channel"]
        if name == "channel_created": channels[dict(extra)["subject"] >> 3] = rest[0]
        event = {"seq": seq, "type": name, "wallet": ids.get(wallet), "recorded_at": at and instant(at, offset), "occurred_at": at and instant(occurred, offset),
                 "posted_on": at and day((at // 1000000 + offset) // 86400 - earlier), "prev": seq - back if back else 0, **{k: v for k, v in extra if k and v is not None and "subject" not in k}}
        if channel: event["channel"] = channels[channel]
        subject, since = dict(extra)["subject"], dict(extra)["subject_back"]
        if subject: event["subject"] = {"kind": SUBJECTS[subject & 7], "number": subject >> 3, **({"id": channels[subject >> 3]} if subject & 7 == 1 else {}), "prev": seq - since if since else 0}
        show = {"BOOL": bool, "DAY": day, "OPT_INSTANT": lambda v: v and instant(v, offset), "ID16": bytes.hex, "SPLIT": lambda v: parts(v, rest[1], "from"),
                "PARTS_FROM": lambda v: parts(v, 0, "from"), "PARTS_TO": lambda v: parts(v, 0, "to"), "FIGURES": lambda v: figures(v, offset),
                "TOTALS": lambda v: {t: number(v[16 * i:16 * i + 16], True) for i, t in enumerate(TOTALS[:len(v) // 16])}}
        for field, v in zip(fields, rest):
            what, label = field.split()[:2]
            if field.endswith("(role)"): label = "person_role"
            if label == "month" or (label == "value" and event["policy"] == "invoice_from"): v = f"{v // 100:04}-{v % 100:02}"
            event[label + ("_ref" if what == "REF" else "")] = WORDS[field.split("(")[1][:-1]][v] if what == "NAME" else show.get(what, lambda v: v)(v)
        if name == "command_refused":
            event["index"] = event["index"] - 1 if event["index"] else None
            if event.get("wallet_no"): event["wallet_id"] = ids[event["wallet_no"]]
        print(json.dumps(event, ensure_ascii=False))
