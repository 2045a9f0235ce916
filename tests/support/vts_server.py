# SPDX-License-Identifier: Apache-2.0
"""A real vtstatusd for tests in Python: started on a port of the kernel's choice, watched, ended.

    with Server("--simulate", "delay=30s", "--limit", "idle_ms=500") as server:
        ... server.port, server.url, server.certs, server.metrics()

Waits for events, never for time: the log is read by a thread, and whoever waits for a line has a
deadline. At its end the server must leave with 0 and must have written nothing but JSON lines on
stderr, so a sanitizer's report fails the test.

The program comes from the environment: VTSTATUSD (and VTSTATUS, for those who run the command).
InteropServer is the same for VTS_INTEROP_SERVER, which serves what stock test clients call.
"""
import atexit
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IS_SANITIZED = bool(os.environ.get("VTS_SANITIZED"))
# Generous: it is reached only when something is broken.
WAIT_S = 60 if IS_SANITIZED else 20
SANITIZER_MARKS = ("Sanitizer", "runtime error:")

_certs = None


def scratch_folder():
    """A folder that goes away with the process."""
    folder = tempfile.mkdtemp(prefix="vts-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def make_certs(folder=None):
    """A new set of throw-away certificates: ca, server, server-key, client, client-key (.pem)."""
    folder = Path(folder) if folder else scratch_folder()
    subprocess.run([ROOT / "certs/make-dev-certs.sh", folder], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def shared_certs():
    """The set that servers use when told nothing else; made once a process."""
    global _certs
    if _certs is None:
        _certs = make_certs()
    return _certs


def default_binary():
    return os.environ.get("VTSTATUSD") or str(ROOT / "build/dev/bin/vtstatusd")


def client_context(certs, alpn=("http/1.1",), **changes):
    """TLS of a client that trusts certs/ca.pem. changes: attributes of the SSLContext."""
    context = ssl.create_default_context(cafile=str(Path(certs) / "ca.pem"))
    if alpn:
        context.set_alpn_protocols(list(alpn))
    for name, value in changes.items():
        setattr(context, name, value)
    return context


def parse_metrics(text):
    """{'name{labels}': value} of the Prometheus text format."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


class ServerFailed(AssertionError):
    """vtstatusd did not start, or did not end as it should."""
    is_final = True  # more time does not mend it


class Server:
    """Starts at construction; ServerFailed when it does not come to listen."""

    def __init__(self, *flags, binary=None, certs=None, listen="127.0.0.1:0", env=None,
                 preexec_fn=None):
        self.certs = Path(certs) if certs else shared_certs()
        command = [*self._program(binary, listen), "--log-format", "json",
                   "--cert", str(self.certs / "server.pem"),
                   "--key", str(self.certs / "server-key.pem"), *map(str, flags)]
        self._lines, self._news, self._has_ended = [], threading.Condition(), False
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=env, preexec_fn=preexec_fn)
        self.pid = self.process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        atexit.register(self.kill)
        try:
            listening = self.wait_log(lambda line: line.get("msg") == "listening")
        except AssertionError:
            self.kill()
            raise ServerFailed(f"vtstatusd does not listen; it said: {self.raw_log()[-5:]}")
        self.port = int(listening["port"])
        # Of --insecure-listen; None without it.
        self.insecure_port = listening.get("insecure_port")
        self.url = f"https://localhost:{self.port}"

    def _program(self, binary, listen):
        return [binary or default_binary(), "--listen", listen]

    # ---- its log ----

    def _read(self):
        for raw in self.process.stderr:
            with self._news:
                self._lines.append(raw.decode("utf-8", "backslashreplace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._has_ended = True
            self._news.notify_all()

    def raw_log(self):
        """The lines so far, as text."""
        with self._news:
            return list(self._lines)

    def log_lines(self):
        """The lines so far, as dicts; what is no JSON is {"raw": text}."""
        return [_parse(line) for line in self.raw_log()]

    def wait_log(self, predicate, timeout=WAIT_S, start=0):
        """The first line, from line number start on, that predicate(dict) accepts; one that is
        there already counts. AssertionError when there is none within timeout seconds, or the
        server ends without it."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                while start < len(self._lines):
                    line = _parse(self._lines[start])
                    start += 1
                    if predicate(line):
                        return line
                left = deadline - time.monotonic()
                if self._has_ended or left <= 0:
                    why = "the server ended" if self._has_ended else f"{timeout} s"
                    raise AssertionError(f"no such line in the log ({why}); the last are: "
                                         f"{self._lines[-5:]}")
                self._news.wait(left)

    # ---- talking to it ----

    def connect(self, alpn=("http/1.1",), timeout=WAIT_S, **changes):
        """A TLS socket to it. changes: attributes of the SSLContext."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        try:
            return client_context(self.certs, alpn, **changes).wrap_socket(
                raw, server_hostname="localhost")
        except BaseException:
            raw.close()
            raise

    def get(self, path, headers=()):
        """(code, {lower-case name: value}, body) by HTTP/1.1 on a connection of its own."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in dict(headers).items())
        with self.connect() as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}"
                               "Connection: close\r\n\r\n".encode())
            answer = read_to_end(connection)
        if not answer:
            raise ConnectionError(f"no answer to {path}")
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *rest = head.decode("latin-1").split("\r\n")
        pairs = (field.split(":", 1) for field in rest)
        return int(status.split()[1]), {n.lower(): v.strip() for n, v in pairs}, body

    def metrics(self):
        code, _, body = self.get("/metrics")
        if code != 200:
            raise AssertionError(f"/metrics answers {code}")
        return parse_metrics(body.decode())

    # ---- what it costs ----

    def rss_kib(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("the server is gone")

    def cpu_seconds(self):
        """CPU time so far, user and system, of all its threads."""
        total_ns = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            total_ns += int((task / "schedstat").read_text().split()[0])
        return total_ns / 1e9

    # ---- its end ----

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=WAIT_S):
        """Its exit code; ServerFailed when it does not end in time."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"vtstatusd did not end within {timeout} s")
        self._reader.join(timeout)
        return code

    def stop(self, number=signal.SIGTERM, timeout=WAIT_S):
        """Ends it and checks that it ended well: exit code 0, nothing on stderr but its log."""
        if self.process.poll() is None:
            self.send_signal(number)
        code = self.wait(timeout)
        self.check_log()
        if code != 0:
            raise ServerFailed(f"vtstatusd ended with {code}: {self.raw_log()[-5:]}")

    def check_log(self):
        foreign = [line for line in self.raw_log() if "raw" in _parse(line)]
        if foreign:
            raise ServerFailed("not from its log: " + "\n".join(foreign[:60]))

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is None or kind is SystemExit and error.code in (0, None):
            self.stop()
            return
        self.kill()
        for line in self.raw_log():
            if any(mark in line for mark in SANITIZER_MARKS):
                raise ServerFailed("\n".join(self.raw_log()[-60:]))


class InteropServer(Server):
    """vts-interop-server, on loopback and a port of the kernel's choice."""

    def _program(self, binary, listen):
        del listen  # it knows no other place
        return [binary or os.environ["VTS_INTEROP_SERVER"], "--port", "0"]


def _parse(line):
    try:
        parsed = json.loads(line)
    except ValueError:
        return {"raw": line}
    return parsed if isinstance(parsed, dict) else {"raw": line}


def read_to_end(connection):
    """All bytes until the peer closes."""
    parts = []
    while True:
        try:
            part = connection.recv(65536)
        except ssl.SSLEOFError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)
