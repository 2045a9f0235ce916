#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nghttp and h2load, as people run them: everything is answered, and no limit is in their way."""
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, wait_until  # noqa: E402
from vts_server import IS_SANITIZED, Server  # noqa: E402

SHARE = 10 if IS_SANITIZED else 1
LONG_AGO = ("--simulate", "delay=24h")


def run(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                            timeout=100)
    equal(result.returncode, 0, f"{command}: {result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result.stdout


def expect_no_limit_hit(server):
    hit = {name: value for name, value in server.metrics().items()
           if name.startswith("vts_limit_hits_total") and value > 0}
    equal(hit, {}, "limits hit")


# ---- nghttp -----------------------------------------------------------------------------------

@case
def nghttp_shows_the_conversation():
    with Server(*LONG_AGO) as server:
        out = run("nghttp", "-v", "-n", f"{server.url}/status")
        for wanted in ("The negotiated protocol: h2", "SETTINGS_MAX_CONCURRENT_STREAMS(0x03):256",
                       "SETTINGS_MAX_HEADER_LIST_SIZE(0x06):16384", ":status: 200",
                       "content-type: application/json", 'etag: W/"r'):
            check(wanted in out, f"{wanted} is not in {out}")
        check("PUSH_PROMISE" not in out, "something was pushed")
        check("RST_STREAM" not in out, "a stream was reset")
        expect_no_limit_hit(server)


@case
def nghttp_asks_several_times_on_one_connection():
    with Server(*LONG_AGO) as server:
        before = server.metrics()["vts_connections_total"]
        paths = ["/status", "/status/default", "/healthz", "/readyz", "/metrics", "/nothing"]
        out = run("nghttp", "-v", "-n", "-m", 20, *[server.url + path for path in paths])
        equal(len(re.findall(r":status: 200", out)), 100)
        equal(len(re.findall(r":status: 404", out)), 20)
        equal(server.metrics()["vts_connections_total"] - before, 2, "its connection and ours")
        expect_no_limit_hit(server)


@case
def nghttp_with_weights_padding_and_dependencies():
    with Server(*LONG_AGO) as server:
        for flags in (("-p", 1), ("-p", 256), ("--no-dep",), ("-b", 255), ("-w", 10, "-W", 10),
                      ("--hexdump",), ("--expect-continue",), ("-c", 0), ("-M", 1)):
            out = run("nghttp", "-v", "-n", "-m", 5, *flags, f"{server.url}/status")
            equal(len(re.findall(r":status: 200", out)), 5, f"{flags}")
        expect_no_limit_hit(server)


@case
def nghttp_with_tiny_windows():
    """A window of one octet: each answer goes out in many pieces."""
    with Server(*LONG_AGO) as server:
        out = run("nghttp", "-v", "-n", "-w", 1, f"{server.url}/metrics")
        check(len(re.findall(r"recv DATA frame", out)) > 100, "the window was not respected")
        check(":status: 200" in out, out)
        expect_no_limit_hit(server)


@case
def nghttp_trailers_and_bodies():
    with Server(*LONG_AGO) as server:
        out = run("nghttp", "-v", "-n", "-H", ":method: POST", "-d", __file__, "--trailer",
                  "x-checksum: 1", f"{server.url}/status")
        check(":status: 405" in out, out)
        expect_no_limit_hit(server)


@case
def a_body_too_large_is_413():
    with Server(*LONG_AGO, "--limit", "body_bytes=5000") as server:
        large = Path(server.certs) / "large"
        large.write_bytes(b"x" * 200000)
        out = run("nghttp", "-v", "-d", large, f"{server.url}/nothing/here")
        check(":status: 413" in out, out)
        check('"code":"resource_exhausted"' in out, out)
        equal(server.metrics()['vts_limit_hits_total{limit="body_bytes"}'], 1)


# ---- h2load -----------------------------------------------------------------------------------

def load(server, requests, clients, streams, *flags, path="/status"):
    requests = max(requests // SHARE, clients)
    out = run("h2load", "-n", requests, "-c", clients, "-m", streams, *flags, server.url + path)
    match = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", out)
    check(match, out)
    equal(tuple(map(int, match.groups())), (requests, 0, 0, 0), "succeeded, failed, errored, late")
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    equal(int(codes[1]), requests, "2xx")
    return requests


@case
def h2load_meets_no_limit():
    with Server(*LONG_AGO) as server:
        total = load(server, 5000, 16, 32) + load(server, 5000, 64, 1) + load(server, 2000, 1, 200)
        wait_until(lambda: server.metrics()["vts_connections_closed_total"] >= 81, "they left")
        expect_no_limit_hit(server)
        metrics = server.metrics()
        check(metrics["vts_http_requests_total"] >= total, "requests are counted")
        equal(metrics["vts_http_responses_4xx_total"], 0)
        equal(metrics["vts_http_responses_5xx_total"], 0)
        equal(metrics["vts_accept_errors_total"], 0)
    # Of many ends at once the log names ten a second.
    ended = [line for line in server.log_lines() if line.get("protocol") == "h2"]
    check(ended, "no line of a connection's end")
    for line in ended:
        equal(line["resets_sent"], 0, line)
        check(line["glitches"] * 20 <= line["requests"], f"an honest client's glitches: {line}")


@case
def h2load_protobuf_metrics_and_304():
    with Server("--simulate", "delay=0s,error_rate=0") as server:
        load(server, 2000, 8, 16, "-H", "accept: application/x-protobuf")
        load(server, 500, 8, 8, path="/metrics")
        etag = server.get("/status")[1]["etag"]
        requests = 2000 // SHARE
        out = run("h2load", "-n", requests, "-c", 8, "-m", 16, "-H", f"if-none-match: {etag}",
                  f"{server.url}/status")
        check(f"0 2xx, {requests} 3xx, 0 4xx, 0 5xx" in out, out)
        expect_no_limit_hit(server)


@case
def h2load_over_http11():
    with Server(*LONG_AGO) as server:
        load(server, 3000, 16, 1, "--h1")
        load(server, 1000, 4, 8, "--h1")  # pipelined
        expect_no_limit_hit(server)


@case
def h2load_across_a_changing_status():
    with Server("--simulate", "delay=1s,error_rate=0") as server:
        load(server, 5000, 8, 8)
        wait_until(lambda: b'"done":true' in server.get("/status")[2], "the job ends")
        load(server, 1000, 8, 8)
        expect_no_limit_hit(server)


main(__file__)
