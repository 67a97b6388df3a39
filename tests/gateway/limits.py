#!/usr/bin/python3
"""What the daemon is told, how much it takes, what it writes to its log, and how it ends.

usage: limits.py JANGBU JANGBUD"""
import functools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from served import Served, check, checks, ledger_in, token
from wire import Wire, statuses

JANGBU, JANGBUD = sys.argv[1:3]
made = functools.partial(ledger_in, JANGBU)


def run(*flags):
    done = subprocess.run([JANGBUD, *flags], capture_output=True, text=True, timeout=20, env={**os.environ, "LC_ALL": "C.UTF-8"})
    return done.returncode, done.stdout, done.stderr


def wait(what, seconds=8):
    """Until it is so, or that long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        got = what()
        if got:
            return got
        time.sleep(0.02)
    return what()


# ---- settings


def settings(work):
    ledger = made(work, "settings")
    path = os.path.join(work, "jangbud.conf")
    good = f"# the ledger\n\nledger = {ledger}\n  listen=none\nbody-size =  128k  \r\nhead-time = 500ms\nlang = ko\n"

    def file(text):
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        return run("--config", path, "--check")

    status, _, err = file(good)
    check("a file that is well", status == 0 and err == "", err)
    # What is wrong in the last line: said with the file and that line, before anything is opened.
    for line, word in {"bodysize = 1": "bodysize", "body-size": "name", "= 1": "", "body-size = ": "4M", "body-size = big": "big", "body-size = 1x": "1x",
                       "body-size = -1": "-1", "body-size = 1": "body-size", "body-size = 99999999999999999999": "body-size", "body-size = 9999999999999999G": "body-size",
                       "head-time = 5": "500ms", "head-time = 0s": "head-time", "lang = fr": "en|ko", "connections = 1k": "connections", "log = ALL": "all",
                       "listen = " + "x" * 2000: "listen", "ledger = a\0b": "", "b\x7f = 1": "", "[section]": ""}.items():
        for lang in ("en", "ko"):
            status, out, err = file(good.replace("lang = ko", f"lang = {lang}") + line + "\n")
            check(f"setting {line[:30]!r}, {lang}", status == 2 and f"{path}:8: " in err and word in err and out == "" and err.count("\n") == 1, (status, err))
    status, _, err = file("x" * (2 << 20))
    check("a file that is none", status == 2 and path in err, err)
    for flags, words in ((["--config", path + ".no"], [path + ".no", "No such file"]), (["--nothing"], ["--nothing", "--help"]), (["--body-size"], ["--body-size"]),
                         (["--body-size=9x", ledger], ["--body-size", "9x"]), ([], ["--help"]), (["--listen", "none", "--check"], ["--help"])):
        status, out, err = run(*flags)
        check(f"flags {flags}", status == 2 and all(w in err for w in words) and out == "", (status, err))
    for words, meant in ((["tokn", "new"], "jangbud token"), (["hlp"], "jangbud help"), (["shop", "--lisen", "none"], "--listen"), (["shop", "--opnapi"], "--openapi"), (["-config"], "--config"), (["shop", "-x"], "no flag -x"), (["shop", "-"], "no flag -"), (["token", "nwe", "x"], "token new"),
                         (["token", "new", "x", "--scop", "read"], "--scope"), (["token", "new", "x", "--scope", "red"], "read?"), (["token", "new", "x", "--scope", "read,consum"], "consume?"),
                         (["token", "new", "x", "--scope", "read:balence"], "read:balance?"), (["shop", "shpo"], "one ledger"), (["--config", path], "body-size?")):
        file("bdy-size = 4k\n")
        status, out, err = run(*words, *(["--tokens", path + ".tokens"] if words[0] == "token" else []))
        check(f"meant by {words}", status == 2 and meant in err and out == "" and err.count("\n") == 1 and not os.path.exists(path + ".tokens"), (status, err))
    check("help is help", run("help")[1] == run("-h")[1] == run("--help")[1] != "")
    roles = json.loads(subprocess.run([JANGBU, "roles", ledger, "--json"], check=True, capture_output=True).stdout)
    for lang in ("en", "ko"):
        status, out, _ = run("token", "--help", "--lang", lang)
        words = {"read", "write", "people", "keyless", "page", "ops"} | {role for cell in roles["cells"] for role in cell["roles"]}
        check(f"token --help, {lang}", status == 0 and words <= set(re.findall(r"^  (\w+)  +\S", out, re.M)) and "refund.request" in out and "can_delete" in out, out)
    check("no ledger", run(os.path.join(work, "none"), "--check")[0] == 3)
    status, out, _ = run("--help")
    check("help", status == 0 and "--config FILE" in out and "body-size" in out and "[64k]" in out, out)
    status, out, _ = run("--help", "--lang", "ko")
    check("help in Korean", status == 0 and "사용법" in out and "명령 하나의 본문" in out, out)
    lost = made(work, "lost")
    os.remove(os.path.join(lost, "secret"))
    status, out, err = run(lost, "--check")
    check("what is lost is said by --check", status == 0 and err.startswith("jangbud: warning: ") and "secret" in err, err)
    with Served(JANGBUD, lost) as s:
        warned = [e for e in s.log if e.get("event") == "warning"] or (time.sleep(0.5), [e for e in s.log if e.get("event") == "warning"])[1]
        check("and by the log", len(warned) == 1 and "secret" in warned[0]["detail"], s.log)
    check("version", re.fullmatch(r"jangbud \d+\.\d+\.\d+(-dev)?\n", run("--version")[1]))
    # A flag wins over the file, wherever it stands.
    file(good + "body-size = 2048\n")
    for flags in (["--body-size", "4096", "--config", path], ["--config", path, "--body-size=4096"]):
        with Served(JANGBUD, ledger, flags=flags) as s:
            check("a flag wins", s.post(b" " * 3000).status == 400 and s.post(b" " * 5000).status == 413)
    for address in ("127.0.0.1", "127.0.0.1:x", "8420", ":8420", *(f"127.0.0.1:{port}" for port in (65536, 65537, 99999, 100000, -1, "+1", " 1", ""))):
        for name in ("--listen", "--ops-listen"):
            for more in ((), ("--check",)):
                status, out, err = run(ledger, f"{name}={address}", *more)
                check(f"{name} {address!r}", status == 2 and name[2:] in err and "65535" in err and out == "", (status, err))
    for flags, words in ((["--listen", "none", "--listen-unix", "none"], ["listen"]), (["--listen", "256.1.1.1:0"], ["256.1.1.1"]),
                         (["--listen-unix", "/" + "x" * 200], ["listen-unix"]), (["--listen-unix", work], [work])):
        status, out, err = run(ledger, *flags)
        check(f"listeners {flags}", status == 3 and all(w in err for w in words), (status, err))
    with Served(JANGBUD, ledger) as s:
        status, _, err = run(ledger, "--listen", f"127.0.0.1:{s.address[1]}", "--listen-unix", "none")
        check("a port that is taken", status == 3 and "Address already in use" in err, err)
        status, _, err = run(ledger, "--listen", "none", "--listen-unix", s.unix)
        check("a socket that is taken", status == 3 and "in use" in err and s.get("/healthz").status == 200, err)
        s.kill()
    with Served(JANGBUD, ledger) as s:
        check("the socket of a daemon that was killed", s.get("/healthz").status == 200)
        check("who may reach the socket", os.stat(s.unix).st_mode & 0o777 == 0o660, oct(os.stat(s.unix).st_mode))
    check("the socket is taken away", not os.path.exists(s.unix))


# ---- limits


def connections(work):
    with Served(JANGBUD, made(work, "connections"), flags=["--connections", "8"]) as s:
        held = [Wire(s) for _ in range(8)]
        for w in held:
            w.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            w.socket.recv(4096)
        w = Wire(s)
        got, closed = w.rest()
        check("a connection too many", closed and statuses(got) == [503] and b'"CONNECTIONS"}' in got and b"Retry-After" in got, got)
        held[0].close()

        def again():
            with_room = Wire(s)
            with_room.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return statuses(with_room.rest()[0]) == [200]
        check("room again", wait(again))
    with Served(JANGBUD, made(work, "address"), flags=["--connections-per-address", "2"]) as s:
        held = [Wire(s) for _ in range(2)]
        for w in held:
            w.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            w.socket.recv(4096)
        got, closed = Wire(s).rest()
        check("an address too often", closed and statuses(got) == [503], got)
        check("the Unix socket has no address", s.get("/healthz").status == 200)


LINES = b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n"


def bodies(work):
    with Served(JANGBUD, made(work, "bodies"), flags=["--bodies-size", "1M", "--lines-size", "2M"]) as s:
        for patience in (0.1, 0.3, 1, 3):  # until both are read that stay in the middle
            held = [Wire(s, unix=True) for _ in range(2)]
            for w in held:
                w.send(LINES % 600000 + b" " * 400000)
            time.sleep(patience)
            w = Wire(s, unix=True)
            w.send((LINES % 400000).replace(b"Host: x", b"Host: x\r\nConnection: close") + b" " * 400000)
            got = w.rest()[0]
            for w in held:
                w.close()
            if statuses(got) == [503]:
                break
        check("bodies too many", statuses(got) == [503] and b'"QUEUE_FULL"' in got and b"Retry-After" in got, got)
        line = json.dumps({"op": "wallet.create", "wallet": "W1", "kind": "PERSONAL", "name": "가", "key": "k"}).encode() + b"\n"
        check("room again for bodies", wait(lambda: s.ask("POST", "/v1/commands", body=line + b" " * 500000, Content_Type="application/x-ndjson").status == 200))
        check("a body within, and beyond", s.post(b" " * 65536).status == 400 and s.post(b" " * 65537).status == 413)


# ---- answers that nobody reads


def unread(s, request, times):
    """A connection that asks so often that no buffer of the kernel takes all answers, and reads none."""
    w = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    w.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    w.settimeout(5)
    w.connect(s.address)
    w.sendall(request * times)
    return w


def answers_held(work):
    """Answers that lie there have a limit together; what is short is answered, and room comes back."""
    ledger = made(work, "held")
    path = os.path.join(work, "held", "tokens")
    secret = token(JANGBUD, path, "all", "--scope", "read,write,keyless")
    with Served(JANGBUD, ledger, tokens=path, flags=["--answers-size", "1M"]) as s:
        s.post({"op": "wallet.create", "wallet": "W1", "kind": "PERSONAL", "name": "가"}, token=secret)
        s.lines([{"op": "charge", "wallet": "W1", "charge": f"C{i}", "amount": 1000, "method": "ADMIN_CASH"} for i in range(4000)], token=secret)
        large = "/v1/wallets/W1/history?limit=10000"
        n = len(s.get(large, token=secret).body)
        check("a large answer, alone", n > 1 << 17, n)
        # A machine that is slow gives smaller pages: then more of them lie there.
        asked = f"GET {large} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n".encode()
        held = [unread(s, asked, 8 + (8 << 20) // n) for _ in range(1 + (1 << 20) // n)]
        got = wait(lambda: (lambda a: a if a.status == 503 else None)(s.get(large, token=secret)))
        check("beside one that nobody reads", got and got.json["code"] == "QUEUE_FULL" and "not taken" in got.json["detail"] and got.headers["Retry-After"], got)
        many = [{"op": "charge", "wallet": "W1", "charge": f"D{i}", "amount": 1000, "method": "ADMIN_CASH"} for i in range(200)]
        check("many commands then, before they are done", s.lines(many, token=secret).status == 503)
        check("none is done", b'"paid":4000000,' in s.get("/v1/wallets/W1", token=secret).body)
        check("what is short then", s.get("/v1/wallets/W1", token=secret).status == 200 and s.get("/v1/openapi.json").status == 200)
        for w in held:
            w.close()
        check("room again for answers", wait(lambda: s.get(large, token=secret).status == 200))


def end_unread(work):
    """Who reads nothing keeps it from nothing."""
    s = Served(JANGBUD, made(work, "unread"), flags=["--stop-time", "300ms"])
    held = [unread(s, b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 60) for _ in range(3)]
    time.sleep(0.3)
    began = time.monotonic()
    status = s.stop()
    took = time.monotonic() - began
    check("it ends well beside who reads nothing", status == 0 and took < 8 and s.log[-1].get("event") == "stopped", (status, took, s.log[-1]))
    for w in held:
        w.close()


def end_unread_log(work):
    """Nobody reads standard error any more."""
    s = subprocess.Popen([JANGBUD, "--ledger", made(work, "pipe"), "--listen", "127.0.0.1:0", "--listen-unix", "none"], stderr=subprocess.PIPE, text=True)
    listening = next(entry for entry in map(json.loads, s.stderr) if entry.get("event") == "listening")
    host, port = listening["tcp"].rsplit(":", 1)
    c = socket.create_connection((host, int(port)), timeout=5)
    c.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 1500 + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    while c.recv(1 << 16):
        pass
    s.terminate()
    try:
        status = s.wait(8)
    except subprocess.TimeoutExpired:
        s.kill()
        status = s.wait()
    check("it ends where nobody reads the log", status == 0, status)
    s.stderr.close()


# ---- the log

SECRETS = {"name": "홍길동이", "note": "비밀메모", "actor": "operator-7", "wallet": "WALLET-Z", "usage": "USAGE-Z", "key": "KEY-Z"}


def log(work):
    ledger = made(work, "log")
    path = os.path.join(work, "log", "tokens")
    secret = token(JANGBUD, path, "shop", "--scope", "read,write,people")
    with Served(JANGBUD, ledger, tokens=path, flags=["--ops-listen", "127.0.0.1:0"]) as s:
        x = SECRETS
        s.post({"op": "wallet.create", "wallet": x["wallet"], "kind": "PERSONAL", "name": x["name"], "note": x["note"], "actor": {"id": x["actor"]}, "key": x["key"]},
               token=secret)
        s.post({"op": "consume", "wallet": x["wallet"], "usage": x["usage"], "amount": 5, "key": x["key"] + "2"}, token=secret)
        s.post(json.dumps(x["name"]).encode(), token=secret)
        s.get(f"/v1/wallets/{x['wallet']}", token=secret)
        s.get(f"/v1/nothing/{x['wallet']}?key={x['key']}", token=secret)
        s.get("/v1/ledger", token="jbt_" + "x" * 43)
        metrics = s.get("/metrics").body.decode()
        s.stop()
        # Each loop writes when its answer is gone: in the order in which they came, two may change places.
        lines = sorted((e for e in s.log if "status" in e), key=lambda e: e["id"])
    text = json.dumps(s.log, ensure_ascii=False) + metrics
    check("a line a request", len(lines) == 7, len(lines))
    for what, word in {**SECRETS, "token": secret, "another token": "xxxxxxxx"}.items():
        check(f"no {what} in log and metrics", word not in text, text)
    first = lines[0]
    check("members of a line", {"time", "id", "principal", "method", "route", "op", "status", "us", "seq"} <= first.keys() and first["principal"] == "shop"
          and first["route"] == "/v1/commands" and first["status"] == 200 and len(first["id"]) == 16, first)
    check("a refusal's code", lines[1]["code"] == "INSUFFICIENT_CASH" and lines[1]["status"] == 422, lines[1])
    check("what has no route", lines[4]["route"] is None and lines[4]["status"] == 404, lines[4])
    check("a wallet's route is its pattern", lines[3]["route"] == "/v1/wallets/{wallet}", lines[3])
    for name in ("jangbu_commands_total", "jangbu_submit_seconds", "jangbu_submit_batch_size", "jangbu_queue_depth", "jangbu_http_request_seconds", "jangbu_http_connections",
                 "jangbu_feed_subscribers", "jangbu_log_events", "jangbu_log_bytes", "jangbu_store_lag_events", "jangbu_closings_overdue", "jangbu_wallets", "jangbu_disk_free_bytes"):
        check(f"metric {name}", f"# TYPE {name} " in metrics and f"# HELP {name} " in metrics, name)
    check("commands are counted", 'jangbu_commands_total{op="wallet.create",outcome="done",code=""} 1\n' in metrics
          and 'jangbu_commands_total{op="consume",outcome="refused",code="INSUFFICIENT_CASH"} 1\n' in metrics, metrics[:600])
    names = [line.split(" ")[0] for line in metrics.splitlines() if not line.startswith("#")]
    check("no series twice", len(names) == len(set(names)), [n for n in names if names.count(n) > 1][:3])
    for flags, n in ((["--log", "failures"], 1), (["--log", "off"], 0)):
        with Served(JANGBUD, ledger, flags=flags) as s:
            s.get("/healthz")
            s.get("/nothing")
            s.stop()
            check(f"log of {flags[1]}", sum("status" in e for e in s.log) == n, s.log)


# ---- where it lies


def places(work):
    """What fails is told without the paths of this machine, by every route and on the page; the log has the sentence whole."""
    there = os.path.join(work, "where-it-lies")
    for name in ("keys", "links"):
        os.makedirs(os.path.join(there, name))
    ledger, linked, key = os.path.join(there, "ledger"), os.path.join(there, "links", "shop"), os.path.join(there, "keys", "seal")
    subprocess.run([JANGBU, "init", ledger, "--key-file", key], check=True, capture_output=True)
    os.symlink(ledger, linked)
    subprocess.run([JANGBU, "wallet", "create", ledger, "W1", "--kind", "BUSINESS", "--name", "one", "--key-file", key], check=True, capture_output=True)
    names = {"wallet": "W1", "channel": "C", "question": "1", "invoice": "1", "from": "1", "day": "2026-01-01"}

    def ask(s, needed, lang):
        """Each route that reads, and a command, one of lines, one that needs the key."""
        said = {}
        for path, ways in json.loads(subprocess.run([JANGBUD, "--openapi"], check=True, capture_output=True).stdout)["paths"].items():
            query = {p["name"]: {"text": "W1", "actor": "u", "month": "2026-01"}.get(p["name"], "2026-01-01") for p in ways.get("get", {}).get("parameters", [])
                     if p["in"] == "query" and p["name"] in needed.get(path, ())}
            if "get" in ways:
                said[path] = s.get(re.sub(r"{(\w+)}", lambda m: names[m[1]], path), query=query, Accept_Language=lang)
        number = str(len(s.log)) + lang
        made_wallet = {"op": "wallet.create", "wallet": "V" + number, "kind": "PERSONAL", "name": "two", "key": number}
        said["command"] = s.post(made_wallet, Accept_Language=lang)
        said["forget"] = s.post({"op": "forget", "person": "u", "key": "f" + number}, Accept_Language=lang)
        said["lines"] = s.lines([made_wallet])
        said["sign in"] = s.ask("POST", "/v1/tickets", {"wallet": "W1"})
        return said

    needed = {"/v1/find": ("text",), "/v1/wallets/{wallet}/may": ("actor",), "/v1/wallets/{wallet}/report": ("month",),
              "/v1/wallets/{wallet}/statement": ("from_day", "to_day")}
    os.rename(key, key + ".away")
    for given in (os.path.relpath(ledger), linked):
        with Served(JANGBUD, given, flags=["--key-file", os.path.relpath(key), "--log", "failures"]) as s:
            for lang in ("en", "ko"):
                said = ask(s, needed, lang)
                check("the key is missed", said["/v1/ledger"].json["sealed_why"] and said["/v1/people"].json["key_file"] == "seal" and said["command"].json["code"] == "E_KEY", said)
                for route, a in said.items():
                    check(f"{route} tells no place", b"where-it-lies" not in a.body and b"where-it-lies" not in str(dict(a.headers)).encode(), a)
            check("what it says all the same", "seal" in said["command"].json["detail"] or "seal" in said["/v1/ledger"].json["sealed_why"], said["command"])
            told = wait(lambda: [e for e in s.log if e.get("event") == "failed" and key in e["detail"]])
            check("the log has it whole", told, s.log)
            os.rename(os.path.join(ledger, "log.mdb"), os.path.join(ledger, "log.away"))
            shutil.copy(os.path.join(ledger, "log.away"), os.path.join(ledger, "log.mdb"))
            said = wait(lambda: (lambda got: got if got["/v1/totals"].status != 200 else None)(ask(s, needed, "en")))
            check("another file in the place of the log is seen", said, s.log)
            for route, a in (said or {}).items():
                check(f"{route} tells no place of the log", b"where-it-lies" not in a.body, a)
            check("the log knows where", wait(lambda: any(os.path.join(ledger, "log.mdb") in e.get("detail", "") or "log.mdb" in e.get("detail", "") for e in s.log)), s.log)


def long_places(work):
    """Nor is the beginning of a path told, where a sentence is cut in the midst of one."""
    there = os.path.join(work, *["where-it-lies" * 17] * 4)
    there += "/" + "x" * (930 - len(there))
    ledger, key, unix = os.path.join(there, "l"), os.path.join(there, "seal"), os.path.join(work, "long.sock")
    os.makedirs(there)
    subprocess.run([JANGBU, "init", ledger, "--key-file", key], check=True, capture_output=True)
    os.rename(key, key + ".away")
    with Served(JANGBUD, ledger, flags=["--key-file", key, "--listen-unix", unix]) as s:
        s.unix = unix
        for lang in ("en", "ko"):
            for command in ({"op": "wallet.create", "wallet": "V", "kind": "PERSONAL", "name": "two", "key": "w" + lang}, {"op": "forget", "person": "u", "key": "f" + lang}):
                a = s.post(command, Accept_Language=lang)
                check(f"{command['op']} tells no beginning of a place, {lang}", a.json["code"] == "E_KEY" and b"where-it-lies" not in a.body, a)


# ---- ready, and not


def ready(work):
    ledger = made(work, "ready")
    audited = os.path.join(work, "audited")
    with Served(JANGBUD, ledger, flags=["--audit-file", audited]) as s:
        check("ready", wait(lambda: s.get("/readyz").status == 200))
        check("no audit is known", b"jangbu_audit" not in s.get("/metrics").body)
        with open(audited, "w", encoding="utf-8"):
            os.utime(audited, (1767225600, 1767225600))
        check("an audit is known", wait(lambda: b"jangbu_audit_last_success_timestamp_seconds 1767225600\n" in s.get("/metrics").body))
    with Served(JANGBUD, ledger, flags=["--disk-free", "1000000G"]) as s:
        a = wait(lambda: (lambda got: got if got.status == 503 and b'"disk"' in got.body else None)(s.get("/readyz")))
        check("too little on the disk", a and a.json["ready"] is False and [r["reason"] for r in a.json["reasons"]] == ["disk"], a)
        check("live all the same", s.get("/healthz").status == 200)


# ---- the end


def told(work):
    """What systemd is told."""
    path = os.path.join(work, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(path)
        heard.settimeout(5)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            s = Served(JANGBUD, made(work, "told"))
        finally:
            del os.environ["NOTIFY_SOCKET"]
        check("READY=1", heard.recv(100) == b"READY=1")
        s.stop()
        check("STOPPING=1", re.fullmatch(rb"STOPPING=1\nEXTEND_TIMEOUT_USEC=[1-9]\d{6,8}", heard.recv(100)))


class Writer(threading.Thread):
    """Keyed commands on one connection, until it ends."""

    def __init__(self, s, number):
        super().__init__()
        self.s, self.number, self.done, self.odd = s, number, {}, []

    def run(self):
        connection = self.s.connection(unix=True)
        for i in range(100000):
            key = f"{self.number}-{i}"
            try:
                a = self.s.post({"op": "charge", "wallet": "W1", "charge": key, "amount": 10, "method": "ADMIN_CASH", "key": key}, connection=connection)
            except (OSError, ValueError, Exception) as e:  # the end, which may come at any byte
                self.odd.append(repr(e))
                return
            if a.status == 200:
                self.done[key] = a.json["seq"]
            elif a.status == 503:
                return
            else:
                self.odd.append(a)
                return


def end_under_load(work):
    ledger = made(work, "end")
    s = Served(JANGBUD, ledger, flags=["--log", "off"])
    s.post({"op": "wallet.create", "wallet": "W1", "kind": "PERSONAL", "name": "가", "key": "w"})
    writers = [Writer(s, i) for i in range(16)]
    for w in writers:
        w.start()
    wait(lambda: sum(len(w.done) for w in writers) > 400)
    began = time.monotonic()
    status = s.stop()
    took = time.monotonic() - began
    for w in writers:
        w.join()
    check("it ends in time, and well", status == 0 and took < 5, (status, took))
    answered = {key: seq for w in writers for key, seq in w.done.items()}
    check("something was done", len(answered) > 100, len(answered))
    found = {}
    log_lines = subprocess.run([JANGBU, "log", ledger, "--json"], capture_output=True, text=True, check=True).stdout
    for line in log_lines.splitlines():
        event = json.loads(line)
        if event["type"] == "charge_settled":
            found[event["key"]] = event["seq"]
    check("all that was answered is in the log", all(found.get(k) == seq for k, seq in answered.items()), len(found))
    check("nothing is in the log that was not answered", found.keys() == answered.keys(), (found.keys() - answered.keys(), [w.odd for w in writers if w.odd][:3]))
    stat = json.loads(subprocess.run([JANGBU, "stat", ledger, "--json"], capture_output=True, text=True, check=True).stdout)
    check("nothing is left to store", stat["stored_seq"] == stat["events"] and stat["views_seq"] == stat["events"], stat)
    audit = subprocess.run([JANGBU, "audit", ledger], capture_output=True, text=True)
    check("and the audit verifies it", audit.returncode == 0, audit.stdout + audit.stderr)


def main():
    with tempfile.TemporaryDirectory() as work:
        for part in (settings, connections, bodies, answers_held, end_unread, end_unread_log, log, places, long_places, ready, told, end_under_load):
            began = time.monotonic()
            part(work)
            if "--times" in sys.argv:
                print(f"{part.__name__}: {time.monotonic() - began:.1f} s")
    print(f"limits: {checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
