"""A ledger that jangbud serves, for the tests: started, asked over real sockets, ended."""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import check, checks  # noqa: E402, F401: for those who ask


def ledger_in(jangbu, work, name, *options):
    """A new ledger in a directory of its own."""
    os.makedirs(os.path.join(work, name))
    ledger = os.path.join(work, name, "ledger")
    subprocess.run([jangbu, "init", ledger, *options], check=True, capture_output=True)
    return ledger


def keyed(writer, n, every):
    """The command n of a writer with a wallet of its own: each charge brings what those up to the next one consume, so that the wallet stays
    as small as it began."""
    wallet, key = f"W{writer}", f"{writer}-{n}"
    if n == 0:
        return {"op": "wallet.create", "wallet": wallet, "kind": "PERSONAL", "name": wallet, "key": key}
    if n % every == 1:
        return {"op": "charge", "wallet": wallet, "charge": key, "amount": 100 * (every - 1), "key": key}
    return {"op": "consume", "wallet": wallet, "usage": key, "amount": 100, "key": key}


class Unix(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:400]!r}"


class Served:
    """Ends with the block. `log`: the daemon's lines so far."""

    def __init__(self, jangbud, ledger, tokens=None, flags=(), timeout=20):
        self.ledger, self.timeout, self.log = ledger, timeout, []
        # A path of a Unix socket has 107 bytes at most.
        self.unix = os.path.join(os.path.dirname(ledger), "s")
        arguments = ["--ledger", ledger, "--listen", "127.0.0.1:0", "--listen-unix", self.unix]
        arguments += ["--tokens", tokens] if tokens else []
        self.process = subprocess.Popen([jangbud, *arguments, *flags], stderr=subprocess.PIPE, text=True)
        self.address = None
        for line in self.process.stderr:
            entry = self._entry(line)
            if entry.get("event") == "listening":
                host, port = entry["tcp"].rsplit(":", 1)
                self.address = (host, int(port))
                break
        if self.address is None:
            raise RuntimeError(f"{jangbud} did not start: exit {self.process.wait()}: {self.log}")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _entry(self, line):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"text": line}
        self.log.append(entry)
        return entry

    def _read(self):
        for line in self.process.stderr:
            self._entry(line)

    def connection(self, unix=False):
        if unix:
            return Unix(self.unix, self.timeout)
        return http.client.HTTPConnection(*self.address, timeout=self.timeout)

    def ask(self, method, path, body=None, token=None, connection=None, **headers):
        """headers: names with _ for -."""
        own = connection is None
        connection = connection or self.connection(unix=token is None)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body, ensure_ascii=False)
        body = body.encode() if isinstance(body, str) else body
        if body is not None and "Content-Type" not in given:
            given["Content-Type"] = "application/json"
        connection.request(method, path, body=body, headers=given)
        got = connection.getresponse()
        answer = Answer(got.status, got.headers, got.read())
        if own:
            connection.close()
        return answer

    def get(self, path, token=None, connection=None, query=None, **headers):
        return self.ask("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""), token=token, connection=connection, **headers)

    def post(self, command, token=None, connection=None, path="/v1/commands", **headers):
        return self.ask("POST", path, body=command, token=token, connection=connection, **headers)

    def lines(self, commands, token=None, path="/v1/commands", connection=None):
        body = b"".join((c if isinstance(c, bytes) else json.dumps(c, ensure_ascii=False).encode()) + b"\n" for c in commands)
        return self.ask("POST", path, body=body, token=token, connection=connection, Content_Type="application/x-ndjson")

    def stop(self):
        """The exit status; negative: the signal that it took."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=self.timeout)
        self.reader.join(timeout=self.timeout)
        self.process.stderr.close()
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(timeout=self.timeout)
        self.process.stderr.close()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if self.process.poll() is None:
            self.kill() if kind else self.stop()


def token(jangbud, path, name, *flags):
    """A new token in the file."""
    done = subprocess.run([jangbud, "token", "new", name, "--tokens", path, *flags], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()
