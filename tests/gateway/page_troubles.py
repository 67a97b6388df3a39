#!/usr/bin/python3
"""A form that is confirmed while the machine is at fault: its page carries the same form, with its key, and pressing it until it goes is
doing once. Forms wait for the writer lock in the queue of commands: reads and other pages go on.

usage: page_troubles.py JANGBU JANGBUD SHIM"""
import errno
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from page import Browser, Page, signed_in, token_for
from served import Served

NAMES = ("LD_PRELOAD", "JB_SHIM_CALL", "JB_SHIM_FAIL", "JB_SHIM_ERRNO")


def made(jangbu, work, name):
    os.makedirs(os.path.join(work, name))
    ledger = os.path.join(work, name, "ledger")
    subprocess.run([jangbu, "init", ledger], check=True, capture_output=True)
    subprocess.run([jangbu, "wallet", "create", ledger, "W", "--kind", "PERSONAL", "--name", "W"], check=True, capture_output=True)
    return ledger


def looked(browser, amount):
    form = browser.page("/o/wallets/W").form("charge")
    return Page(browser.post(form, 200, amount=amount).body.decode()).form("charge")


def pressed(browser, sure, statuses):
    """Presses the button of each page that comes, until it is done."""
    key, charge = sure["fields"]["key"], sure["fields"]["charge"]
    for _ in range(5):
        answer = browser.post(sure)
        statuses.append(answer.status)
        if answer.status == 303:
            return
        assert answer.status == 503, answer
        sure = Page(answer.body.decode()).form("charge")
        assert sure["fields"]["key"] == key and sure["fields"]["charge"] == charge, "another press would be another charge"
    raise AssertionError("it never went")


def faults(jangbu, jangbud, shim, work, tokens, token):
    """A write, or a sync, fails: one after the other of those behind the confirmation."""
    codes = set()
    for call, first in [("write", n) for n in range(3, 9)] + [("sync", 2)]:
        ledger = made(jangbu, work, f"{call}-{first}")
        os.environ.update(dict(zip(NAMES, (shim, call, str(first), str(errno.EIO)))))
        try:
            served = Served(jangbud, ledger, tokens, flags=["--sync-time", "60s"])
        except RuntimeError:
            continue  # it was met when it began
        finally:
            for name in NAMES:
                del os.environ[name]
        with served:
            browser = signed_in(served, token, operator=True, actor="op")
            for i in range(3):
                pressed(browser, looked(browser, "1,000"), [])
                paid = served.ask("GET", "/v1/wallets/W", token=token).json["paid"]
                assert paid == 1000 * (i + 1), ("pressed until it went, and booked twice", call, first, paid)
        codes |= {e.get("code") for e in served.log}
    assert "E_UNKNOWN" in codes, codes
    return codes


def held(jangbu, jangbud, shim, work, tokens, token):
    """Another process is stopped in the midst of writing."""
    ledger = made(jangbu, work, "held")
    with Served(jangbud, ledger, tokens, flags=["--lock-time", "1s"]) as served:
        browser = signed_in(served, token, operator=True, actor="op")
        sure = [looked(browser, "1,000") for _ in range(6)]
        env = {**os.environ, "LD_PRELOAD": shim, "JB_SHIM_STOP": "log.mdb", "JB_SHIM_STOP_AT": "1"}
        holder = subprocess.Popen([jangbu, "charge", ledger, "W", "H", "1000"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        _, status = os.waitpid(holder.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status
        answers = []

        def press(form):
            mine = Browser(served)
            mine.cookie = browser.cookie
            answers.append(mine.post(form))

        pressing = [threading.Thread(target=press, args=(form,)) for form in sure]
        for thread in pressing:
            thread.start()
        time.sleep(0.2)
        began = time.monotonic()
        browser.page("/o/wallets/W")
        assert time.monotonic() - began < 0.6 and not answers, "a page waited for a lock that it does not need"
        for thread in pressing:
            thread.join()
        os.kill(holder.pid, signal.SIGCONT)
        holder.wait(60)
        for answer in answers:
            assert answer.status == 503, answer
            pressed(browser, Page(answer.body.decode()).form("charge"), [])
        assert served.ask("GET", "/v1/wallets/W", token=token).json["paid"] == 7000
        counted = re.search(r'jangbu_commands_total\{op="charge",[^}]*done"[^}]*\} (\d+)', served.ask("GET", "/metrics").body.decode())
        assert counted and int(counted.group(1)) >= 6, "what the page writes is not counted"


def main():
    jangbu, jangbud, shim = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="jangbud-") as work:
        # LD_PRELOAD cannot name a path with a blank: the shim by another name.
        os.symlink(os.path.abspath(shim), os.path.join(work, "shim.so"))
        shim = os.path.join(work, "shim.so")
        tokens = os.path.join(work, "tokens")
        token = token_for(jangbud, tokens, "shop", "--scope", "read,write,people,page")
        codes = faults(jangbu, jangbud, shim, work, tokens, token)
        held(jangbu, jangbud, shim, work, tokens, token)
    print(f"page: pressed until it went, done once ({', '.join(sorted(c for c in codes if c))})")


if __name__ == "__main__":
    main()
