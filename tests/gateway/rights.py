#!/usr/bin/python3
"""What lasts longer than a request, when the file of tokens is read anew: sessions of the page, tickets, streams and waits of the feed go
by the rights that their principal has then, and end where he has none.

usage: rights.py JANGBU JANGBUD"""
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from served import Served, check, checks, token

WALLETS = 3

# What becomes of each: the line of a name is changed, or left out.
STAYS = {"kept": lambda line: line, "scarce": lambda line: re.sub("write,", "", line)}
ENDS = {"gone": lambda line: "", "narrow": lambda line: re.sub(r"scopes=\S+", "scopes=read:balance", line),
        "renamed": lambda line: line.replace("renamed ", "otherwise "),
        "another": lambda line: re.sub("sha256:[0-9a-f]+", "sha256:" + "5" * 64, line),
        "elsewhere": lambda line: line.rstrip("\n") + " wallets=W2\n"}
CHANGES = {**STAYS, **ENDS, "silent": lambda line: re.sub(",people", "", line)}


class Stream:
    """Server-sent events as they come; `over`: the daemon has ended it."""

    def __init__(self, served, secret, path):
        self.connection, self.seqs, self.over = served.connection(), [], False
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"})
        self.answer = self.connection.getresponse()
        check(f"a stream begins: {path}", self.answer.status == 200, self.answer.status)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            for line in self.answer:
                if line.startswith(b"data: "):
                    self.seqs.append(int(re.search(rb'"seq":(\d+)', line).group(1)))
        except OSError:
            pass
        self.over = True


def until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def cookie_of(answer):
    found = re.match(r"__Host-jangbu=([^;]+)", answer.headers.get("Set-Cookie") or "")
    return found and found.group(1)


def sign_in(s, secret):
    answer = s.ask("POST", "/o/sign-in", urllib.parse.urlencode({"token": secret}), connection=s.connection(),
                   Content_Type="application/x-www-form-urlencoded", Origin="http://%s:%d" % s.address)
    return cookie_of(answer)


def ticket(s, secret):
    return s.ask("POST", "/v1/tickets", {"wallet": "W1", "actor": "kim", "ttl": 60}, token=secret).json["path"]


def look(s, path, cookie):
    return s.get(path, connection=s.connection(), Cookie=f"__Host-jangbu={cookie}")


def redeem(s, path):
    return cookie_of(s.get(path + "&go=1", connection=s.connection()))


def charge(s, n):
    return s.post({"op": "charge", "wallet": "W1", "charge": f"c{n}", "amount": 1000, "key": f"c{n}"}).json["seq"]


def main():
    jangbu, jangbud = sys.argv[1:3]
    with tempfile.TemporaryDirectory(prefix="jangbu-rights-") as work:
        ledger, tokens = os.path.join(work, "ledger"), os.path.join(work, "tokens")
        subprocess.run([jangbu, "init", ledger], check=True, capture_output=True)
        secrets = {name: token(jangbud, tokens, name, "--scope", "read,write,people,page") for name in CHANGES}
        with Served(jangbud, ledger, tokens=tokens) as s:
            s.lines([{"op": "wallet.create", "wallet": f"W{n}", "kind": "PERSONAL", "name": "n", "key": f"w{n}"} for n in range(WALLETS)])
            everything(s, tokens, secrets)
            check("it ends in order", s.stop() == 0)
    print(f"{checks['passed']} passed, {checks['failed']} failed")
    return checks["failed"] != 0


def everything(s, tokens, secrets):
    streams = {name: Stream(s, secret, "/v1/feed") for name, secret in secrets.items()}
    personal = Stream(s, secrets["silent"], "/v1/feed?people=true")
    own = Stream(s, secrets["elsewhere"], "/v1/wallets/W1/feed")
    head, answers = charge(s, 0), {}
    check("all are told", until(lambda: all(head in x.seqs for x in [*streams.values(), personal, own])))
    operators = {name: sign_in(s, secret) for name, secret in secrets.items()}
    holders = {name: redeem(s, ticket(s, secret)) for name, secret in secrets.items()}
    tickets = {name: ticket(s, secret) for name, secret in secrets.items()}
    check("all are signed in", all(look(s, "/o", c).status == 200 for c in operators.values()) and all(look(s, "/w", c).status == 200 for c in holders.values()))
    check("and may write", b"charge" in look(s, "/o/commands", operators["scarce"]).body)

    def wait(name):
        answers[name] = s.get(f"/v1/feed?after={head}&wait=30", token=secrets[name])
    waiting = [threading.Thread(target=wait, args=(name,)) for name in secrets]
    for t in waiting:
        t.start()
    time.sleep(0.5)

    text = open(tokens).read()
    open(tokens, "w").write(text + "nonsense\n")
    s.reload()
    check("a bad file is said", until(lambda: any(e.get("event") == "tokens_not_read" for e in s.log)), s.log[-3:])
    check("and changes nothing", not any(x.over for x in streams.values()) and look(s, "/o", operators["gone"]).status == 200)
    open(tokens, "w").write("".join(CHANGES.get(line.split(" ")[0], lambda l: l)(line) for line in text.splitlines(True)))
    s.reload()
    check("a good file is said", until(lambda: any(e.get("event") == "tokens" for e in s.log)), s.log[-3:])

    ended = [*(streams[name] for name in ENDS), personal, own]
    check("streams of who may no more end, though nothing happens", until(lambda: all(x.over for x in ended)), [n for n in ENDS if not streams[n].over])
    seq = charge(s, 1)
    stay = [name for name in CHANGES if name not in ENDS]
    check("the others go on", until(lambda: all(seq in streams[name].seqs for name in stay)) and not any(streams[name].over for name in stay))
    check("who may no more is told nothing", not any(seq in x.seqs for x in ended))
    for t in waiting:
        t.join(20)
    want = {name: 200 for name in stay} | {"gone": 401, "renamed": 401, "another": 401, "narrow": 403, "elsewhere": 403}
    check("waits are answered by the rights of now", {name: a.status for name, a in answers.items()} == want, {n: a.status for n, a in answers.items()})
    check("and the unknown are told how", "Bearer" in (answers["gone"].headers["WWW-Authenticate"] or ""), answers["gone"])

    for name in secrets:
        there = name in stay
        check(f"an operator's session: {name}", (look(s, "/o", operators[name]).status == 200) == there, look(s, "/o", operators[name]).status)
        check(f"a holder's session: {name}", (look(s, "/w", holders[name]).status == 200) == there, look(s, "/w", holders[name]).status)
        check(f"a ticket: {name}", bool(redeem(s, tickets[name])) == there, name)
    check("rights that were taken are not there", b"charge" not in look(s, "/o/commands", operators["scarce"]).body)
    check("those that were not are", b"charge" in look(s, "/o/commands", operators["kept"]).body)


if __name__ == "__main__":
    sys.exit(main())
