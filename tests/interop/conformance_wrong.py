# SPDX-License-Identifier: Apache-2.0
"""The cases of interop_conformance.py with requests that are wrong, made by hand."""
import gzip
import urllib.parse

from cases import check, equal
from conformance_messages import MESSAGES, encode
from conformance_talk import DATA, FIELDS, SERVICE, case, is_connect, request_of, talk_of
from rpc_client import (BIDI_STREAM, CLIENT_STREAM, INTERNAL, INVALID_ARGUMENT, OK, SERVER_STREAM,
                        UNARY, UNIMPLEMENTED, UNKNOWN, Call, envelope, to_base64url)

METHOD_OF = {UNARY: "Unary", SERVER_STREAM: "ServerStream", CLIENT_STREAM: "ClientStream",
             BIDI_STREAM: "BidiStream"}


def once(scene, *_):
    return scene.is_plain() and scene.can_serve()


def once_connect(scene, *_):
    return once(scene) and is_connect(scene)


def once_grpc(scene, *_):
    return once(scene) and not is_connect(scene)


def each_codec(scene, *_):
    return scene.compression == "identity" and scene.can_serve()


def ask(scene, kind, body, method="POST", path=None, codec=None, **changes):
    """Sends the body as a call of that kind; changes: fields to set, or, when None, to leave out.
    Returns the outcome and the answer itself."""
    call = Call(path or SERVICE + METHOD_OF[kind], kind, [], codec or scene.codec)
    changes = {name.replace("_", "-"): value for name, value in changes.items()}
    fields = [field for field in scene.protocol.fields(call) if field[0] not in changes]
    fields += [(name, value) for name, value in changes.items() if value is not None]
    answer = scene.http.ask(method, call.path, fields, body)
    return scene.protocol.read(answer, call), answer


def wrap(scene, kind, *messages):
    """A body of messages as the protocol frames them."""
    if is_connect(scene) and kind == UNARY:
        return b"".join(messages)
    return b"".join(envelope(message) for message in messages)


def good(scene, kind=UNARY, codec=None):
    """A body that would be answered."""
    data = DATA if kind in (UNARY, CLIENT_STREAM) else [DATA]
    return wrap(scene, kind, encode(request_of(kind, response_data=data), codec or scene.codec))


# ---- what is asked for --------------------------------------------------------------------------

@case("wrong/unknown-{}", "service", "method", when=each_codec)
def path_that_is_no_method_is_unimplemented(scene, what):
    path = {"service": "/connectrpc.conformance.v1.UnknownService/Unary",
            "method": SERVICE + "Unknown"}[what]
    outcome, answer = ask(scene, UNARY, good(scene), path=path)
    equal(outcome.code, UNIMPLEMENTED, "code")
    equal(answer.status, 404 if is_connect(scene) else 200, "HTTP status")


@case("wrong/verb-{}-{}", *((verb, kind) for verb in ("DELETE", "PUT", "PATCH", "GET")
                            for kind in (UNARY, SERVER_STREAM)), when=once)
def other_verbs_are_not_allowed(scene, verb, kind):
    body = b"" if verb == "GET" else good(scene, kind)
    _, answer = ask(scene, kind, body, method=verb)
    equal((answer.status, answer.value("allow")), (405, "POST"), "status and allow")


@case("wrong/verb-DELETE-idempotent", when=once_connect)
def idempotent_method_allows_get_too(scene):
    _, answer = ask(scene, UNARY, b"", method="DELETE", path=SERVICE + "IdempotentUnary")
    equal((answer.status, answer.value("allow")), (405, "GET, POST"), "status and allow")


@case("wrong/content-type-{}", "image/jpeg", "application/foo", "application/grpc+foo",
      "application/grpc-web+foo", "application/connect+foo", "application/grpcx", "text/plain",
      "application", "", None, when=once)
def content_type_that_is_not_spoken_is_415(scene, content_type):
    outcome, answer = ask(scene, UNARY, good(scene), content_type=content_type)
    equal(answer.status, 415, "HTTP status")
    check("application/grpc" in answer.value("accept-post"), "accept-post")
    check(outcome.code != OK, "a code")


@case("wrong/content-type-of-a-{}", UNARY, SERVER_STREAM, CLIENT_STREAM, when=once_connect)
def connect_has_a_content_type_for_each_kind(scene, kind):
    other = "application/connect+proto" if kind == UNARY else "application/proto"
    _, answer = ask(scene, kind, good(scene, kind), content_type=other)
    equal(answer.status, 415, "HTTP status")


@case("right/content-type-{}", "upper-case", "parameter", "bare", when=once)
def content_type_is_read_as_http_writes_it(scene, form):
    usual = scene.protocol.content_type(Call("", UNARY, []))
    written = {"upper-case": usual.upper(), "parameter": usual + " ; charset=utf-8",
               "bare": usual.replace("+proto", "")}[form]
    call = Call(SERVICE + "Unary", UNARY, [])
    answer = scene.http.ask("POST", call.path, [("content-type", written)], good(scene))
    equal(answer.status, 200, "HTTP status")
    check(answer.value("content-type").lower() in (usual, usual.replace("+proto", "")),
          f"content-type: {answer.value('content-type')}")


# ---- protocol headers ---------------------------------------------------------------------------

@case("wrong/connect-version-{}", "2", "1.0", "v1", "", when=once_connect)
def other_version_of_connect_is_invalid(scene, version):
    for kind in (UNARY, SERVER_STREAM):
        outcome, _ = ask(scene, kind, good(scene, kind), connect_protocol_version=version)
        equal(outcome.code, INVALID_ARGUMENT, kind)


@case("right/connect-version-absent", when=once_connect)
def version_of_connect_may_be_left_out(scene):
    outcome, _ = ask(scene, UNARY, good(scene), connect_protocol_version=None)
    equal(outcome.code, OK, "code")


@case("wrong/timeout-{!r}", "abc", "-1", "12345678901", "1s", "1.5", "", "0x10",
      when=once_connect)
def malformed_timeout_of_connect_is_invalid(scene, text):
    for kind in (UNARY, SERVER_STREAM):
        outcome, answer = ask(scene, kind, good(scene, kind), connect_timeout_ms=text)
        equal(outcome.code, INVALID_ARGUMENT, kind)
        equal(answer.status, 400 if kind == UNARY else 200, "HTTP status")


@case("wrong/timeout-{!r}", "1", "m", "-1m", "123456789m", "1x", "1.5S", "1 S", "", "0x1S",
      when=once_grpc)
def malformed_timeout_of_grpc_is_refused(scene, text):
    outcome, answer = ask(scene, UNARY, good(scene), grpc_timeout=text)
    wanted = {"grpc": (400, INTERNAL), "grpc-web": (200, INVALID_ARGUMENT)}[scene.protocol.name]
    equal((answer.status, outcome.code), wanted, "HTTP status and code")


@case("right/timeout-{}", "1H", "59M", "99999999S", "99999999m", "99999999u", "999999999n"[1:],
      when=once_grpc)
def every_unit_of_grpc_is_known(scene, text):
    outcome, _ = ask(scene, UNARY, good(scene), grpc_timeout=text)
    equal(outcome.code, OK, "code")


@case("wrong/timeout-zero", when=once)
def timeout_of_nothing_is_exceeded(scene):
    name = "connect_timeout_ms" if is_connect(scene) else "grpc_timeout"
    outcome, _ = ask(scene, UNARY, good(scene), **{name: "0" if is_connect(scene) else "0m"})
    equal(outcome.code, 4, "code")


@case("wrong/binary-metadata", when=once)
def binary_metadata_must_be_base64(scene):
    outcome, answer = ask(scene, UNARY, good(scene), x_test_bin="not base64!")
    equal((answer.status, outcome.code),
          (400, INVALID_ARGUMENT if is_connect(scene) else INTERNAL), "HTTP status and code")


@case("right/binary-metadata-{!r}", "AA==", "AA", "AAEC,AA", "_-8", "", when=once)
def binary_metadata_is_read_in_every_form(scene, value):
    outcome, _ = ask(scene, UNARY, good(scene), x_test_bin=value)
    equal(outcome.code, OK, "code")


@case("wrong/header-too-large", when=once)
def header_that_is_too_large_is_431(scene):
    _, answer = ask(scene, UNARY, good(scene), x_large="x" * 20000)
    equal(answer.status, 431, "HTTP status")


# ---- compression --------------------------------------------------------------------------------

def encoding_name(scene, kind):
    if not is_connect(scene):
        return "grpc_encoding"
    return "content_encoding" if kind == UNARY else "connect_content_encoding"


@case("wrong/compression-unknown-{}", UNARY, SERVER_STREAM, when=once)
def unknown_compression_is_unimplemented(scene, kind):
    outcome, answer = ask(scene, kind, good(scene, kind), **{encoding_name(scene, kind): "foo"})
    equal(outcome.code, UNIMPLEMENTED, "code")
    name = {"connect": "accept-encoding" if kind == UNARY else "connect-accept-encoding"}.get(
        scene.protocol.name, "grpc-accept-encoding")
    check("gzip" in answer.value(name), name)


@case("wrong/compressed-without-encoding-{}", UNARY, SERVER_STREAM, CLIENT_STREAM,
      when=lambda scene, kind: once(scene) and not (is_connect(scene) and kind == UNARY))
def compressed_message_needs_an_encoding(scene, kind):
    message = encode(request_of(kind), "proto")
    for more in ({}, {encoding_name(scene, kind): "identity"}):
        for payload in (message, gzip.compress(message)):
            outcome, _ = ask(scene, kind, envelope(payload, 1), **more)
            equal(outcome.code, INTERNAL, "code")


@case("wrong/compression-corrupt-{}", UNARY, SERVER_STREAM, CLIENT_STREAM, when=once)
def corrupt_gzip_is_refused(scene, kind):
    packed = gzip.compress(encode(request_of(kind), "proto"))
    is_bare = is_connect(scene) and kind == UNARY
    for broken in (b"gzip", packed[:-4], packed + b"more", packed[:12] + b"\xff" + packed[13:]):
        outcome, _ = ask(scene, kind, broken if is_bare else envelope(broken, 1),
                         **{encoding_name(scene, kind): "gzip"})
        equal(outcome.code, INVALID_ARGUMENT if is_connect(scene) else INTERNAL, f"{broken}")


@case("right/compression-announced-only", when=once)
def message_may_be_plain_where_gzip_was_announced(scene):
    kind = SERVER_STREAM
    outcome, _ = ask(scene, kind, good(scene, kind), **{encoding_name(scene, kind): "gzip"})
    equal(outcome.code, OK, "code")


@case("right/compression-of-nothing", when=once_connect)
def empty_body_is_never_compressed(scene):
    outcome, _ = ask(scene, UNARY, b"", content_encoding="gzip")
    equal(outcome.code, OK, "code")


@case("right/accept-encoding-{!r}", "gzip, deflate, br;q=0.9", "br, gzip;q=0.1", "GZIP",
      when=once_connect)
def accept_encoding_of_browsers_is_read(scene, text):
    outcome, answer = ask(scene, UNARY, good(scene), accept_encoding=text)
    equal((outcome.code, answer.value("content-encoding")), (OK, "gzip"), "code and encoding")


@case("right/accept-encoding-{!r}", "br", "gzip;q=0", "identity", "", when=once_connect)
def gzip_is_not_forced_upon_anybody(scene, text):
    outcome, answer = ask(scene, UNARY, good(scene), accept_encoding=text)
    equal((outcome.code, answer.value("content-encoding")), (OK, None), "code and encoding")


# ---- messages -----------------------------------------------------------------------------------

@case("wrong/{}-requests-of-{}", *((count, kind) for count in (0, 2)
                                   for kind in (UNARY, SERVER_STREAM)),
      when=lambda scene, _, kind: once(scene) and not (is_connect(scene) and kind == UNARY))
def methods_with_one_request_take_no_other_number(scene, count, kind):
    outcome, _ = ask(scene, kind, good(scene, kind) * count)
    equal((outcome.code, outcome.payloads), (UNIMPLEMENTED, []), "code and responses")


@case("wrong/body-cut-off-{}", UNARY, SERVER_STREAM, CLIENT_STREAM,
      when=lambda scene, kind: once(scene) and not (is_connect(scene) and kind == UNARY))
def body_that_ends_inside_an_envelope_is_refused(scene, kind):
    whole = good(scene, kind)
    for body in (whole[:1], whole[:4], whole[:5], whole[:-1], envelope(b"AAAA", length=10)):
        outcome, _ = ask(scene, kind, body)
        equal(outcome.code, INVALID_ARGUMENT if is_connect(scene) else INTERNAL, f"{body}")


@case("wrong/message-{}", UNARY, SERVER_STREAM, CLIENT_STREAM, when=each_codec)
def message_that_does_not_parse_is_refused(scene, kind):
    broken = {"proto": (b"\xff", b"\x0a\x05abc", b"\x0a\x02\xff\xff"),
              "json": (b"{", b"[]", b'{"unknown":1}', b'{"requestData":"!"}', b'{"a":1,"a":2}',
                       b"\xff", b'{"responseDefinition":7}')}[scene.codec]
    is_internal = scene.codec == "proto" and not is_connect(scene)
    for message in broken:
        outcome, _ = ask(scene, kind, wrap(scene, kind, message))
        equal(outcome.code, INTERNAL if is_internal else INVALID_ARGUMENT, f"{message}")


@case("right/json-{}", "snake-case", "white-space", "nulls",
      when=lambda scene, *_: each_codec(scene) and scene.codec == "json")
def json_is_read_as_protobuf_wants_it(scene, form):
    text = {"snake-case": b'{"response_definition":{"response_data":"dGVzdA"}}',
            "white-space": b' \n{\t"responseDefinition" : { "responseData" : "dGVzdA==" } }\r\n',
            "nulls": b'{"responseDefinition":{"responseData":"dGVzdA==","responseHeaders":null},'
                     b'"requestData":null}'}[form]
    outcome, _ = ask(scene, UNARY, wrap(scene, UNARY, text))
    equal((outcome.code, b'"dGVzdA=="' in outcome.payloads[0]), (OK, True), "code and data")


@case("wrong/flags-{:#x}", 0x02, 0x04, 0x80, 0x81, 0xff, when=once)
def flags_that_mean_nothing_are_refused(scene, flags):
    for kind in (SERVER_STREAM, CLIENT_STREAM):
        outcome, _ = ask(scene, kind, envelope(encode(request_of(kind), "proto"), flags))
        equal(outcome.code, INTERNAL, kind)


@case("right/pieces", when=lambda scene: once(scene) and scene.version == 2)
def borders_of_frames_mean_nothing(scene):
    talk = talk_of(CLIENT_STREAM)
    call = talk.call(scene)
    stream = scene.http.begin("POST", call.path, scene.protocol.fields(call))
    for byte in scene.protocol.body(call):
        stream.write(bytes([byte]))
    stream.write(b"", end=True)
    equal(scene.protocol.read(stream.finish(), call).code, OK, "code")


# ---- Connect's GET ------------------------------------------------------------------------------

def get(scene, query):
    call = Call(SERVICE + "IdempotentUnary", UNARY, [], scene.codec)
    answer = scene.http.ask("GET", f"{call.path}?{query}", FIELDS)
    return scene.protocol.read(answer, call), answer


def message_of(codec):
    return encode(MESSAGES["IdempotentUnaryRequest"](request_data=b"??>>~~"), codec)


GOOD_QUERIES = {
    "base64": lambda: "connect=v1&base64=1&encoding=proto&message=" +
                      to_base64url(message_of("proto")),
    "base64-padded": lambda: "base64=1&encoding=proto&message=" +
                             to_base64url(message_of("proto")) + "%3D" *
                             (-len(to_base64url(message_of("proto"))) % 4),
    "percent": lambda: "encoding=proto&message=" + urllib.parse.quote(message_of("proto"), safe=""),
    "empty": lambda: "encoding=proto&message=",
    "another-order": lambda: "message=&compression=identity&encoding=proto&connect=v1",
    "unknown-parameter": lambda: "connect=v1&foo=bar&encoding=proto&message=&base64=0",
    "gzip": lambda: "compression=gzip&base64=1&encoding=proto&message=" +
                    to_base64url(gzip.compress(message_of("proto"))),
}


@case("get/query-{}", *GOOD_QUERIES, when=once_connect)
def query_is_read_in_every_form(scene, form):
    outcome, answer = get(scene, GOOD_QUERIES[form]())
    equal(outcome.code, OK, f"code, with message {outcome.message!r}")
    equal(answer.value("vary"), "accept-encoding", "vary")


@case("get/query-json", when=lambda scene: is_connect(scene) and each_codec(scene) and
      scene.codec == "json")
def blanks_of_a_query_may_be_plus_signs(scene):
    outcome, _ = get(scene, "encoding=json&message=" + urllib.parse.quote_plus(
        '{ "requestData" : "Pz8+Pn5+" }'))
    equal(outcome.code, OK, "code")


@case("get/wrong-{}", *(
    ("no-message", "connect=v1&encoding=proto", 400, INVALID_ARGUMENT),
    ("version", "connect=v2&encoding=proto&message=", 400, INVALID_ARGUMENT),
    ("base64", "base64=1&encoding=proto&message=!!!!", 400, INVALID_ARGUMENT),
    ("percent", "encoding=proto&message=%zz", 400, INVALID_ARGUMENT),
    ("message", "base64=1&encoding=proto&message=_w", 400, INVALID_ARGUMENT),
    ("compression", "compression=br&encoding=proto&message=", 501, UNIMPLEMENTED),
    ("no-encoding", "connect=v1&message=", 415, INVALID_ARGUMENT),
    ("encoding", "connect=v1&encoding=foo&message=", 415, INVALID_ARGUMENT),
), when=once_connect)
def wrong_query_is_refused(scene, _, query, status, code):
    outcome, answer = get(scene, query)
    equal((answer.status, outcome.code), (status, code), "HTTP status and code")


@case("get/wrong-method", when=once_connect)
def get_is_for_methods_without_side_effects(scene):
    answer = scene.http.ask("GET", SERVICE + "Unary?connect=v1&encoding=proto&message=", FIELDS)
    equal((answer.status, answer.value("allow")), (405, "POST"), "status and allow")


@case("get/wrong-body", when=once_connect)
def get_with_a_body_is_refused(scene):
    answer = scene.http.ask("GET", SERVICE + "IdempotentUnary?connect=v1&encoding=proto&message=",
                            FIELDS, b"body")
    equal(answer.status, 415, "HTTP status")


# ---- what HTTP/1.1 cannot carry -----------------------------------------------------------------

@case("http1/grpc", when=lambda scene: scene.protocol.name == "grpc" and scene.version == 1)
def grpc_needs_http2(scene):
    answer = scene.http.ask("POST", SERVICE + "Unary", [("content-type", "application/grpc"),
                                                        ("te", "trailers")], good(scene))
    equal(answer.status, 505, "HTTP status")


@case("http1/bidi", when=lambda scene: once(scene) and scene.version == 1)
def bidirectional_streams_need_http2(scene):
    outcome, answer = ask(scene, BIDI_STREAM, b"")
    equal(answer.status, 505, "HTTP status")
    check(outcome.code in (UNKNOWN, UNIMPLEMENTED), f"code {outcome.code}")
