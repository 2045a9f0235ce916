#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the official gRPC interop cases ask of a server and stock clients cannot look at: which
messages came compressed, and single plain messages of a compressed stream
(https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md). Also the program
vts-interop-server itself.
"""
import os
import signal
import subprocess

import peers  # noqa: F401  finds the modules of tests/support
import h2_raw
from cases import case, check, equal, main
from http_client import OUR_WINDOW, Http2
from proto_messages import Messages
from rpc_client import (BIDI_STREAM, CLIENT_STREAM, INVALID_ARGUMENT, OK, PROTOCOLS,
                        SERVER_STREAM, UNARY, UNIMPLEMENTED, Call, envelope, pack)
from vts_server import WAIT_S, InteropServer

PROGRAM = os.environ["VTS_INTEROP_SERVER"]
SERVICE = "/grpc.testing.TestService/"
MESSAGES = Messages("grpc.testing", "grpc/testing/messages.proto", "grpc/testing/empty.proto",
                    "google/rpc/status.proto")
GRPC = PROTOCOLS["grpc"]
GRPC.Status = MESSAGES["google.rpc.Status"]
SIZES = (27182, 8, 1828, 45904)


def connect(to):
    return Http2(to.port, to.certs / "ca.pem", hostname="localhost")


def call_of(method, kind, *messages, **more):
    return Call(SERVICE + method, kind, [one.SerializeToString() for one in messages], **more)


def flag(value):
    return MESSAGES["BoolValue"](value=value)


def payload(size):
    return MESSAGES["Payload"](body=bytes(size))


def output_request(*sizes, interval_us=0, **fields):
    request = MESSAGES["StreamingOutputCallRequest"](**fields)
    for size in sizes:
        request.response_parameters.add(size=size, interval_us=interval_us)
    return request


def sizes_of(outcome):
    responses = map(MESSAGES["StreamingOutputCallResponse"].FromString, outcome.payloads)
    return [len(response.payload.body) for response in responses]


# ---- compression --------------------------------------------------------------------------------

@case
def response_comes_compressed_as_asked():
    for wanted in (True, False):
        request = MESSAGES["SimpleRequest"](response_size=314159, response_compressed=flag(wanted))
        outcome = GRPC.run(http, call_of("UnaryCall", UNARY, request, compression="gzip"))
        equal((outcome.code, outcome.compressed), (OK, [wanted]), "code and compression")


@case
def response_stays_plain_for_who_takes_no_other():
    request = MESSAGES["SimpleRequest"](response_size=314159, response_compressed=flag(True))
    outcome = GRPC.run(http, call_of("UnaryCall", UNARY, request))
    equal((outcome.code, outcome.compressed), (OK, [False]), "code and compression")


@case
def responses_of_a_stream_come_compressed_one_by_one():
    for wanted in ([True, False], [False, True], [False, False, True, False]):
        request = output_request(*(31415 + i for i in range(len(wanted))))
        for parameters, value in zip(request.response_parameters, wanted):
            parameters.compressed.value = value
        outcome = GRPC.run(http, call_of("StreamingOutputCall", SERVER_STREAM, request,
                                         compression="gzip"))
        equal((outcome.code, outcome.compressed), (OK, wanted), "code and compression")


def upload(*rows):
    """A stream of messages, each with its size, what it says of its compression, and its own."""
    messages = [(MESSAGES["StreamingInputCallRequest"](
        payload=payload(size), expect_compressed=flag(expected)).SerializeToString(), packed)
        for size, expected, packed in rows]
    call = Call(SERVICE + "StreamingInputCall", CLIENT_STREAM, [], compression="gzip")
    plain = Call(call.path, call.kind, [])
    body = b"".join(pack(call if packed else plain, message) for message, packed in messages)
    return GRPC.read(http.ask("POST", call.path, GRPC.fields(call), body), call)


@case
def each_message_of_a_stream_is_compressed_or_not():
    outcome = upload(*((size, bool(i % 2), bool(i % 2)) for i, size in enumerate(SIZES)))
    response = MESSAGES["StreamingInputCallResponse"].FromString(outcome.payloads[0])
    equal((outcome.code, response.aggregated_payload_size), (OK, sum(SIZES)), "code and sum")


@case
def message_that_came_otherwise_than_it_says_is_refused():
    for expected in (True, False):
        outcome = upload((8, not expected, not expected), (8, expected, not expected))
        equal(outcome.code, INVALID_ARGUMENT, "code")


# ---- streams ------------------------------------------------------------------------------------

@case
def half_duplex_answers_nothing_before_the_end():
    call = call_of("HalfDuplexCall", BIDI_STREAM, *(output_request(size) for size in SIZES))
    stream = http.begin("POST", call.path, GRPC.fields(call))
    stream.write(GRPC.body(call))
    equal(GRPC.run(http, call_of("EmptyCall", UNARY, MESSAGES["Empty"]())).code, OK, "another call")
    equal((stream.status, stream.body), (0, b""), "what has come")
    stream.write(b"", end=True)
    equal(sizes_of(GRPC.read(stream.finish(), call)), list(SIZES), "sizes")


@case
def requests_sent_at_once_are_answered_in_their_order():
    requests = [output_request(i, i + 1, interval_us=1000) for i in range(0, 40, 2)]
    outcome = GRPC.run(http, call_of("FullDuplexCall", BIDI_STREAM, *requests))
    equal((outcome.code, sizes_of(outcome)), (OK, list(range(40))), "code and sizes")


@case
def status_ends_a_stream_at_once():
    request = output_request(1, response_status=MESSAGES["EchoStatus"](code=9, message="so it is"))
    outcome = GRPC.run(http, call_of("FullDuplexCall", BIDI_STREAM, output_request(7), request))
    equal((outcome.code, outcome.message, sizes_of(outcome)), (9, "so it is", [7]), "the end")


@case
def parameters_of_no_sense_are_refused():
    for request in (output_request(-1), output_request(2000000000),
                    output_request(1, interval_us=-1)):
        outcome = GRPC.run(http, call_of("StreamingOutputCall", SERVER_STREAM, request))
        equal(outcome.code, INVALID_ARGUMENT, "code")
    request = MESSAGES["SimpleRequest"](response_size=-1)
    equal(GRPC.run(http, call_of("UnaryCall", UNARY, request)).code, INVALID_ARGUMENT, "code")


@case
def reader_without_a_window_holds_its_own_stream_only():
    sizes = [65536] * 100
    call = call_of("StreamingOutputCall", SERVER_STREAM, output_request(*sizes))
    stream = http.begin("POST", call.path, GRPC.fields(call))
    stream.write(GRPC.body(call), end=True)
    check(stream.wait(lambda: len(stream.body) >= OUR_WINDOW), "a window full of responses")
    equal(GRPC.run(http, call_of("EmptyCall", UNARY, MESSAGES["Empty"]())).code, OK, "another call")
    equal((len(stream.body), stream.is_done), (OUR_WINDOW, False), "what has come")
    http.send(h2_raw.window_update(stream.number, 2 * sum(sizes)))
    outcome = GRPC.read(stream.finish(), call)
    equal((outcome.code, sizes_of(outcome)), (OK, sizes), "code and sizes")


@case
def binary_metadata_comes_back_unpadded():
    fields = [("x-grpc-test-echo-trailing-bin", "qw=="), ("x-grpc-test-echo-initial", "a"),
              ("x-grpc-test-echo-initial", "b")]
    call = call_of("UnaryCall", UNARY, MESSAGES["SimpleRequest"](), fields=fields)
    outcome = GRPC.run(http, call)
    equal(outcome.trailers, {"x-grpc-test-echo-trailing-bin": ["qw"]}, "trailers")
    equal(outcome.headers, {"x-grpc-test-echo-initial": ["a", "b"]}, "headers")


@case
def what_is_not_implemented_says_so():
    for path in (SERVICE + "UnimplementedCall", "/grpc.testing.UnimplementedService/Unimplemented"
                 "Call"):
        answer = http.ask("POST", path, [("content-type", "application/grpc+proto")],
                          envelope(b""))
        equal(GRPC.read(answer, Call(path, UNARY, [])).code, UNIMPLEMENTED, path)


# ---- the program --------------------------------------------------------------------------------

@case
def open_calls_end_well_when_the_server_stops():
    with InteropServer() as other, connect(other) as connection:
        call = call_of("StreamingOutputCall", SERVER_STREAM,
                       output_request(1, 2, interval_us=300000))
        stream = connection.begin("POST", call.path, GRPC.fields(call))
        stream.write(GRPC.body(call), end=True)
        connection.wait(lambda: stream.body)
        other.send_signal(signal.SIGTERM)
        equal(sizes_of(GRPC.read(stream.finish(), call)), [1, 2], "sizes")


@case
def address_of_the_listener_can_be_chosen():
    with InteropServer("--host", "::1") as other:
        equal(other.log_lines()[0]["address"], "::1", "address")


@case
def wrong_flags_are_told_in_one_line():
    usual = ["--port", "0", "--cert", "x", "--key", "y"]
    for flags, code in ((["--nothing"], 2), (["stray"], 2), (["--port"], 2), (usual[:4], 2),
                        ([*usual, "--port", "x"], 2), ([*usual, "--log-format", "x"], 2),
                        (usual, 1)):
        done = subprocess.run([PROGRAM, *flags], capture_output=True, timeout=WAIT_S, check=False)
        equal((done.returncode, done.stdout, done.stderr.count(b"\n")), (code, b"", 1), f"{flags}")
        check(done.stderr.startswith(b"vts-interop-server: "), f"{done.stderr}")


@case
def help_is_given():
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, timeout=WAIT_S, check=False)
    equal((done.returncode, done.stderr), (0, b""), "exit code and stderr")
    check(b"--port N" in done.stdout, "the text")


@case
def server_ends_well():
    http.close()
    server.stop()


with InteropServer() as server, connect(server) as http:
    main(__file__)
