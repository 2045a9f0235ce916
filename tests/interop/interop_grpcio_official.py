#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The official gRPC interop cases, by python3-grpcio:
https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md

Left out: whether a response came compressed, and single plain messages of a compressed stream;
the library neither tells the first nor sends the second.
"""
import queue
import grpc

import peers
from cases import case, check, equal, main
from vts_server import WAIT_S, InteropServer

peers.import_python_code(peers.TEST_PROTOS)
from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc  # noqa: E402

LARGE_REQUEST, LARGE_RESPONSE = 271828, 314159
REQUEST_SIZES = (27182, 8, 1828, 45904)
RESPONSE_SIZES = (31415, 9, 2653, 58979)
ECHO_INITIAL = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
ECHO_TRAILING = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
GZIP = grpc.Compression.Gzip
server = stub = None


def open_channel():
    root = (server.certs / "ca.pem").read_bytes()
    # A channel of its own: the library would share the connection of an equal one.
    return grpc.secure_channel(f"localhost:{server.port}", grpc.ssl_channel_credentials(root),
                               options=[("grpc.use_local_subchannel_pool", 1)])


def payload(size):
    return messages_pb2.Payload(body=bytes(size))


def flag(value):
    return messages_pb2.BoolValue(value=value)


def large_unary(**fields):
    return messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST),
                                      **fields)


def inputs(sizes=REQUEST_SIZES, **fields):
    return (messages_pb2.StreamingInputCallRequest(payload=payload(size), **fields)
            for size in sizes)


def output(*sizes, request_size=None, interval_us=0, compressed=None, **fields):
    request = messages_pb2.StreamingOutputCallRequest(**fields)
    if request_size is not None:
        request.payload.CopyFrom(payload(request_size))
    for size in sizes:
        request.response_parameters.add(size=size, interval_us=interval_us, compressed=compressed)
    return request


def sizes_of(responses):
    return tuple(len(response.payload.body) for response in responses)


def check_large(response):
    check(response.payload.body == bytes(LARGE_RESPONSE), "not the zeros that were asked for")


def expect(code, call, details=None):
    """The error that call() must end with."""
    try:
        call()
    except grpc.RpcError as error:
        equal(error.code(), code, error.details())
        if details is not None:
            equal(error.details(), details)
        return error
    raise AssertionError(f"OK instead of {code}")


class Conversation:
    """Requests of a stream, one at a time: send() gives the next, end() says that there is none."""

    def __init__(self, method, **options):
        self._queue = queue.Queue()
        self.call = method(iter(self._queue.get, None), timeout=WAIT_S, **options)

    def send(self, request):
        self._queue.put(request)

    def end(self):
        self._queue.put(None)

    def receive(self):
        return next(self.call)


@case
def empty_unary():
    equal(stub.EmptyCall(empty_pb2.Empty(), timeout=WAIT_S), empty_pb2.Empty())


@case
def large_unary_call():
    check_large(stub.UnaryCall(large_unary(), timeout=WAIT_S))


@case
def cacheable_unary():
    check_large(stub.CacheableUnaryCall(large_unary(), timeout=WAIT_S))


@case
def client_streaming():
    equal(stub.StreamingInputCall(inputs(), timeout=WAIT_S).aggregated_payload_size,
          sum(REQUEST_SIZES))


@case
def server_streaming():
    equal(sizes_of(stub.StreamingOutputCall(output(*RESPONSE_SIZES), timeout=WAIT_S)),
          RESPONSE_SIZES)


@case
def ping_pong():
    talk = Conversation(stub.FullDuplexCall)
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
        talk.send(output(response_size, request_size=request_size))
        equal(len(talk.receive().payload.body), response_size)
    talk.end()
    equal(list(talk.call), [])


@case
def empty_stream():
    equal(list(stub.FullDuplexCall(iter(()), timeout=WAIT_S)), [])


@case
def half_duplex():
    requests = [output(size) for size in RESPONSE_SIZES]
    equal(sizes_of(stub.HalfDuplexCall(iter(requests), timeout=WAIT_S)), RESPONSE_SIZES)


@case
def timeout_on_sleeping_server():
    call = stub.FullDuplexCall(iter([output(8, request_size=27182, interval_us=10_000_000)]),
                               timeout=0.001)
    expect(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(call))


@case
def timeout_after_the_first_response():
    request = output(8)
    request.response_parameters.add(size=8, interval_us=10_000_000)
    call = stub.FullDuplexCall(iter([request]), timeout=0.5)
    equal(len(next(call).payload.body), 8)
    expect(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(call))


@case
def cancel_after_begin():
    # A stream that says nothing until it is cancelled.
    talk = Conversation(stub.StreamingInputCall.future)
    talk.call.cancel()
    talk.end()
    equal(talk.call.code(), grpc.StatusCode.CANCELLED)


@case
def cancel_after_first_response():
    talk = Conversation(stub.FullDuplexCall)
    talk.send(output(31415, request_size=27182))
    equal(len(talk.receive().payload.body), 31415)
    talk.call.cancel()
    talk.end()
    expect(grpc.StatusCode.CANCELLED, talk.receive)


@case
def status_code_and_message():
    status = messages_pb2.EchoStatus(code=2, message="test status message")
    for call in (lambda: stub.UnaryCall(messages_pb2.SimpleRequest(response_status=status)),
                 lambda: list(stub.FullDuplexCall(iter([output(response_status=status)])))):
        expect(grpc.StatusCode.UNKNOWN, call, status.message)


@case
def special_status_message():
    status = messages_pb2.EchoStatus(code=2, message=SPECIAL)
    expect(grpc.StatusCode.UNKNOWN,
           lambda: stub.UnaryCall(messages_pb2.SimpleRequest(response_status=status)), SPECIAL)


@case
def custom_metadata():
    options = {"metadata": (ECHO_INITIAL, ECHO_TRAILING), "timeout": WAIT_S}
    _, unary = stub.UnaryCall.with_call(large_unary(), **options)
    duplex = stub.FullDuplexCall(iter([output(LARGE_RESPONSE, request_size=LARGE_REQUEST)]),
                                 **options)
    equal(sizes_of(duplex), (LARGE_RESPONSE,))
    for call in (unary, duplex):
        check(ECHO_INITIAL in [tuple(pair) for pair in call.initial_metadata()], "initial")
        check(ECHO_TRAILING in [tuple(pair) for pair in call.trailing_metadata()], "trailing")


@case
def metadata_that_was_not_sent_does_not_come_back():
    _, call = stub.UnaryCall.with_call(messages_pb2.SimpleRequest(), timeout=WAIT_S)
    names = {pair[0] for pair in (*call.initial_metadata(), *call.trailing_metadata())}
    check(not names & {ECHO_INITIAL[0], ECHO_TRAILING[0]}, names)


@case
def unimplemented_method():
    expect(grpc.StatusCode.UNIMPLEMENTED, lambda: stub.UnimplementedCall(empty_pb2.Empty()))


@case
def unimplemented_service():
    other = test_pb2_grpc.UnimplementedServiceStub(server.channel)
    expect(grpc.StatusCode.UNIMPLEMENTED, lambda: other.UnimplementedCall(empty_pb2.Empty()))


@case
def client_compressed_unary():
    probe = large_unary(expect_compressed=flag(True))
    expect(grpc.StatusCode.INVALID_ARGUMENT, lambda: stub.UnaryCall(probe, timeout=WAIT_S))
    check_large(stub.UnaryCall(probe, compression=GZIP, timeout=WAIT_S))
    plain = large_unary(expect_compressed=flag(False))
    check_large(stub.UnaryCall(plain, timeout=WAIT_S))
    expect(grpc.StatusCode.INVALID_ARGUMENT,
           lambda: stub.UnaryCall(plain, compression=GZIP, timeout=WAIT_S))


@case
def server_compressed_unary():
    for value in (True, False):
        check_large(stub.UnaryCall(large_unary(response_compressed=flag(value)), timeout=WAIT_S))


@case
def client_compressed_streaming():
    # Not the few bytes of the other streams: the library sends plainly what does not get smaller.
    sizes = (27182, 45904)
    for value, options in ((True, {"compression": GZIP}), (False, {})):
        requests = inputs(sizes, expect_compressed=flag(value))
        equal(stub.StreamingInputCall(requests, timeout=WAIT_S, **options).aggregated_payload_size,
              sum(sizes))
    probe = inputs(sizes, expect_compressed=flag(True))
    expect(grpc.StatusCode.INVALID_ARGUMENT,
           lambda: stub.StreamingInputCall(probe, timeout=WAIT_S))


@case
def server_compressed_streaming():
    request = messages_pb2.StreamingOutputCallRequest()
    for size, value in ((31415, True), (92653, False)):
        request.response_parameters.add(size=size, compressed=flag(value))
    equal(sizes_of(stub.StreamingOutputCall(request, timeout=WAIT_S)), (31415, 92653))


@case
def slow_consumer():
    """More than any window holds is on its way while nobody reads; then all of it arrives."""
    sizes = (65536,) * 64
    call = stub.StreamingOutputCall(output(*sizes), timeout=WAIT_S)
    equal(len(next(call).payload.body), sizes[0])
    # Other calls of the connection go on meanwhile.
    for _ in range(10):
        check_large(stub.UnaryCall(large_unary(), timeout=WAIT_S))
    equal(sizes_of(call), sizes[1:])


@case
def rpc_soak():
    for _ in range(100):
        check_large(stub.UnaryCall(large_unary(), timeout=WAIT_S))


@case
def channel_soak():
    for _ in range(20):
        with open_channel() as channel:
            fresh = test_pb2_grpc.TestServiceStub(channel)
            check_large(fresh.UnaryCall(large_unary(), timeout=WAIT_S))


@case
def many_calls_at_once():
    futures = [stub.UnaryCall.future(large_unary(), timeout=WAIT_S) for _ in range(50)]
    for future in futures:
        check_large(future.result())


with InteropServer() as server:
    with open_channel() as server.channel:
        stub = test_pb2_grpc.TestServiceStub(server.channel)
        main(__file__)
