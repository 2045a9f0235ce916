#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens, pinned keys and proxies: what is sent, to whom, and what is never shown."""
import base64
import hashlib
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, wait_until  # noqa: E402
from command import VTSTATUS, environment, expect, trust, vtstatus  # noqa: E402
from vts_server import ROOT, WAIT_S, Server, scratch_folder  # noqa: E402

try:
    from job_stub import SUCCEEDED, Refusal, StubServer
except ImportError:
    print("skipped: there is no python3-protobuf")
    sys.exit(77)

DONE = ("--simulate", "delay=0s,error_rate=0")
GET = "vtstatus.v1.StatusService/GetStatus"
SECRET = "s3cr3t-T0ken"


def token_file(text=SECRET + "\n"):
    file = scratch_folder() / "the token"
    file.write_text(text)
    return file


def replace(file, text):
    """As who changes tokens should: at once."""
    other = file.with_name("new")
    other.write_text(text)
    other.rename(file)


def questions(stub):
    """The fields of each GET /status."""
    return [fields for method, fields in list(stub.calls) if method == "status"]


def calls(stub):
    """Those of each call."""
    return [fields for method, fields in list(stub.calls) if method != "status"]


# ---- tokens -----------------------------------------------------------------------------------

@case
def a_token_goes_with_every_request():
    file = token_file()
    with StubServer() as stub:
        vtstatus(stub, "submit", "file:///x", "--to", "de", "--job-id", "j", "--token-file", file)
        vtstatus(stub, "get", "j", env=environment(VTSTATUS_TOKEN_FILE=str(file)))
        stub.faults["GetStatus"] = [Refusal(5, "no"), Refusal(5, "no")]
        vtstatus(stub, "call", GET, "--token-file", file)
        for fields in (calls(stub)[0], questions(stub)[0], calls(stub)[1]):
            equal(fields.get("authorization"), "Bearer " + SECRET)
        vtstatus(stub, "call", GET, "--token-file", file, "-H", "authorization: Basic eDp5")
        equal(calls(stub)[2].get("authorization"), "Basic eDp5")
        vtstatus(stub, "watch", "j", "--mode", "poll", "--deadline", "100ms", "--token-file", file)
        equal(questions(stub)[-1].get("authorization"), "Bearer " + SECRET)
        vtstatus(stub, "get", "j")
        check("authorization" not in questions(stub)[-1], "a token without a file")


@case
def a_token_may_change_while_it_is_used():
    file = token_file("one")
    with StubServer() as stub:
        vtstatus(stub, "submit", "file:///x", "--to", "de", "--job-id", "j")
        process = subprocess.Popen([VTSTATUS, *trust(stub), "poll", "j", "--interval", "20ms",
                                    "--max-interval", "20ms", "--token-file", file, "-v"],
                                   env=environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        try:
            def seen(token):
                return any(one.get("authorization") == "Bearer " + token for one in questions(stub))
            wait_until(lambda: seen("one"), "the first token")
            replace(file, "two\n")
            wait_until(lambda: seen("two"), "the second token")
            file.unlink()
            before = len(questions(stub))
            wait_until(lambda: len(questions(stub)) > before + 2, "questions without the file")
            equal(questions(stub)[-1].get("authorization"), "Bearer two")
            with stub.jobs.changed:
                stub.jobs.change(stub.jobs.jobs["j"], SUCCEEDED)
            _, err = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()
            process.wait()
        equal(process.returncode, 0, err)
        check("the last bearer token goes on" in err, err)
        check("Bearer two" not in err and "Bearer one" not in err, err)


@case
def a_token_is_never_shown():
    file = token_file()
    with Server(*DONE) as server:
        for command in (("get",), ("list",), ("call", GET), ("health",)):
            result = vtstatus(server, *command, "-v", "--token-file", file)
            expect(result, 0)
            check(SECRET not in result.stderr + result.stdout, result)
            result = vtstatus(server, *command, "--explain", "--token-file", file)
            expect(result, 0)
            check(SECRET not in result.stdout and str(file) in result.stdout, result.stdout)
    with StubServer() as stub:
        result = vtstatus(stub, "get", "j", "--explain", "--token-file", file)
        subprocess.run(["sh", "-c", result.stdout], env=environment(), capture_output=True,
                       timeout=WAIT_S, check=False)
        equal(questions(stub)[0]["authorization"], "Bearer " + SECRET, result.stdout)


@case
def a_token_does_not_travel_in_the_clear():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for url in (f"http://example.com:{port}", f"http://127.0.0.1.example.com:{port}"):
            expect(vtstatus(None, "--url", url, "get", "--token-file", token_file(), "--proxy",
                            f"http://127.0.0.1:{port}"), 2, "http")
        equal(select.select([listener], [], [], 0)[0], [], "somebody came")


@case
def files_without_a_token_are_told():
    with Server(*DONE) as server:
        expect(vtstatus(server, "get", "--token-file", "/no/such/file"), 2, "/no/such/file")
        for text in ("", "\n", "two words", "line\nline", "ü"):
            expect(vtstatus(server, "get", "--token-file", token_file(text)), 2, "no token")
        equal(server.metrics()["vts_http_requests_total"], 0, "requests without a token")


# ---- pins -------------------------------------------------------------------------------------

def pin(certs):
    key = subprocess.run(["openssl", "pkey", "-in", certs / "server-key.pem", "-pubout", "-outform",
                          "DER"], capture_output=True, check=True).stdout
    return "sha256//" + base64.b64encode(hashlib.sha256(key).digest()).decode()


@case
def keys_can_be_pinned():
    wrong = "sha256//" + base64.b64encode(bytes(32)).decode()
    with Server(*DONE) as server:
        right = pin(server.certs)
        expect(vtstatus(server, "get", "--pinned-key", right), 0)
        expect(vtstatus(server, "get", "--pinned-key", f"{wrong};{right}"), 0)
        expect(vtstatus(server, "get", env=environment(VTSTATUS_PINNED_KEY=right)), 0)
        for command in (("get",), ("list",), ("watch",), ("call", GET)):
            expect(vtstatus(server, *command, "--pinned-key", wrong), 3, "not the pinned one")
        # A pin is no trust of its own.
        expect(vtstatus(None, "--url", server.url, "get", "--pinned-key", right), 3, "not trusted")
        requests = server.metrics()["vts_http_requests_total"]
        equal(requests, 3, "requests to whom is not trusted")
        script = vtstatus(server, "get", "--explain", "--pinned-key", wrong).stdout
        result = subprocess.run(["sh", "-c", script], env=environment(), capture_output=True,
                                timeout=WAIT_S, check=False)
        equal(result.returncode, 90, script)  # CURLE_SSL_PINNEDPUBKEYNOTMATCH
    expect(vtstatus(None, "get", "--pinned-key", "nonsense"), 2, "sha256//")
    expect(vtstatus(None, "--url", "http://localhost:1", "get", "--pinned-key", right), 2, "https")


# ---- proxies ----------------------------------------------------------------------------------

class Proxy:
    """Takes CONNECT to any host, and connects to one port of this machine; port 0: refuses."""

    def __init__(self, port):
        self.port, self.asked = port, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer:
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.recv(4096)
            self.asked.append(head.decode())
            if not self.port:
                peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                self._pass_on(peer, server)

    @staticmethod
    def _pass_on(one, other):
        while True:
            for ready in select.select([one, other], [], [])[0]:
                try:
                    data = ready.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                (other if ready is one else one).sendall(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def odd_certs():
    folder = scratch_folder()
    subprocess.run([ROOT / "tests/support/make_odd_certs.sh", folder], check=True,
                   stdout=subprocess.DEVNULL)
    (folder / "server.pem").write_bytes((folder / "elsewhere.pem").read_bytes())
    (folder / "server-key.pem").write_bytes((folder / "elsewhere-key.pem").read_bytes())
    return folder


@case
def a_proxy_is_taken_from_where_it_is_told():
    certs = odd_certs()
    there = ("--url", "https://elsewhere.example", "--cacert", certs / "ca.pem", "get")
    with Server(*DONE, certs=certs) as server, Proxy(server.port) as proxy:
        expect(vtstatus(None, *there, "--proxy", proxy.url, "--token-file", token_file()), 0)
        expect(vtstatus(None, *there, env=environment(https_proxy=proxy.url)), 0)
        equal(len(proxy.asked), 2)
        for head in proxy.asked:
            check(head.startswith("CONNECT elsewhere.example:443 "), head)
            check(SECRET not in head, "the token is not the proxy's")
        expect(vtstatus(None, *there, "--proxy", "none", env=environment(https_proxy=proxy.url)), 3,
               "cannot resolve")
        script = vtstatus(None, *there, "--proxy", proxy.url, "--explain").stdout
        subprocess.run(["sh", "-c", script], env=environment(), check=True, timeout=WAIT_S,
                       stdout=subprocess.DEVNULL)
        equal(len(proxy.asked), 3, "requests to the proxy")


@case
def this_machine_is_reached_without_a_proxy():
    with Server(*DONE) as server, Proxy(0) as proxy:
        expect(vtstatus(server, "get", "--proxy", proxy.url), 0)
        expect(vtstatus(server, "get", env=environment(https_proxy=proxy.url)), 0)
        equal(proxy.asked, [])


@case
def what_is_the_matter_with_a_proxy_is_told():
    there = ("--url", "https://elsewhere.example", "get")
    with Proxy(0) as proxy:
        expect(vtstatus(None, *there, "--proxy", proxy.url), 3, "through the proxy", "403")
    expect(vtstatus(None, *there, "--proxy", "http://no-such-proxy.invalid:1"), 3,
           "through the proxy", "no-such-proxy.invalid")
    expect(vtstatus(None, *there, "--proxy", "a b"), 2, "proxy")
    expect(vtstatus(None, *there, "--proxy", "gopher://x"), 3)


main(__file__)
