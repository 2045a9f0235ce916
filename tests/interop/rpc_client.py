# SPDX-License-Identifier: Apache-2.0
"""Connect, gRPC and gRPC-Web as strict clients read them, over the HTTP of support/http_client.py.

    call = Call("/a.B/C", SERVER_STREAM, [bytes], codec="proto", compression="gzip")
    outcome = PROTOCOLS["connect"].run(http, call)

An answer that a stock client would not take is an AssertionError; one that tells of a failure is an
Outcome like any other.
"""
import base64
import dataclasses
import gzip
import json
import re
import urllib.parse

from cases import check, equal

UNARY, CLIENT_STREAM, SERVER_STREAM, BIDI_STREAM = "unary", "client", "server", "bidi"
CODE_WORDS = ("ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found",
              "already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
              "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss",
              "unauthenticated")
OK, CANCELED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED = range(5)
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 8, 12, 13
# What a client makes of an HTTP status when nothing else tells the outcome.
CODE_OF_HTTP = {400: INTERNAL, 401: 16, 403: 7, 404: UNIMPLEMENTED, 429: 14, 431: INTERNAL, 502: 14,
                503: 14, 504: 14}
FIELD_VALUE = re.compile(r"[\x20-\x7e\t]*")


@dataclasses.dataclass
class Call:
    path: str
    kind: str
    messages: list  # encoded, one each
    codec: str = "proto"
    compression: str = "identity"
    fields: list = dataclasses.field(default_factory=list)
    timeout_ms: int = None
    is_get: bool = False


@dataclasses.dataclass
class Outcome:
    """headers, trailers: {name: [values]} without what the protocol keeps for itself."""
    http: int
    code: int = OK
    message: str = ""
    details: list = dataclasses.field(default_factory=list)  # pairs of type and bytes
    headers: dict = dataclasses.field(default_factory=dict)
    trailers: dict = dataclasses.field(default_factory=dict)
    payloads: list = dataclasses.field(default_factory=list)
    compressed: list = dataclasses.field(default_factory=list)  # which payloads came so


# ---- pieces -------------------------------------------------------------------------------------

def from_base64(text):
    """Unpadded, as servers have to send it."""
    check(not text.endswith("="), f"padded base64: {text}")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def to_base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def group(pairs):
    """{name: [values]}; names are lower case and values printable, and binary ones are base64."""
    fields = {}
    for name, value in pairs:
        equal(name, name.lower(), "the case of a name")
        check(FIELD_VALUE.fullmatch(value), f"the value of {name}: {value!r}")
        if name.endswith("-bin"):
            from_base64(value)
        fields.setdefault(name, []).append(value)
    return fields


def strip(fields, reserved):
    """Without the names that belong to the protocol below and to itself."""
    return {name: values for name, values in fields.items()
            if name not in reserved and not name.startswith(("grpc-", "connect-"))}


def envelope(payload, flags=0, length=None):
    """length, when given, is a lie about the payload's."""
    return bytes([flags]) + (len(payload) if length is None else length).to_bytes(4, "big") + payload


def read_envelopes(body):
    """[(flags, payload)]; nothing may be left over."""
    found = []
    while body:
        check(len(body) >= 5, f"the body ends inside a prefix: {body!r}")
        length = int.from_bytes(body[1:5], "big")
        check(len(body) >= 5 + length, "the body ends inside a message")
        found.append((body[0], body[5:5 + length]))
        body = body[5 + length:]
    return found


def unpack(payload, flags, encoding):
    """A message of an envelope; whether it came compressed."""
    equal(flags & ~1, 0, "flags of a message")
    if not flags & 1:
        return payload, False
    equal(encoding, "gzip", "the encoding of a compressed message")
    return gzip.decompress(payload), True


def no_duplicates(pairs):
    equal(len(dict(pairs)), len(pairs), f"keys of {pairs}")
    return dict(pairs)


def read_json(text):
    return json.loads(text, object_pairs_hook=no_duplicates)


def read_connect_error(error, outcome):
    check(isinstance(error, dict) and error.get("code") in CODE_WORDS[1:], f"no error: {error}")
    check(set(error) <= {"code", "message", "details"}, f"keys of an error: {error}")
    outcome.code = CODE_WORDS.index(error["code"])
    outcome.message = error.get("message", "")
    check(isinstance(outcome.message, str), f"the message: {outcome.message!r}")
    for detail in error.get("details", []):
        check({"type", "value"} <= set(detail) <= {"type", "value", "debug"},
              f"keys of a detail: {detail}")
        check("/" not in detail["type"], f"the type of a detail: {detail['type']}")
        outcome.details.append((detail["type"], from_base64(detail["value"])))


# ---- Connect ------------------------------------------------------------------------------------

class Connect:
    name = "connect"
    reserved = {"content-type", "content-encoding", "content-length", "accept-encoding", "date",
                "vary", "transfer-encoding", "connection"}

    def content_type(self, call):
        return f"application/{'' if call.kind == UNARY else 'connect+'}{call.codec}"

    def fields(self, call):
        prefix = "" if call.kind == UNARY else "connect-"
        fields = [("connect-protocol-version", "1")]
        if not call.is_get:
            fields.append(("content-type", self.content_type(call)))
        if call.compression == "gzip":
            if not call.is_get:
                fields.append((prefix + "content-encoding", "gzip"))
            fields.append((prefix + "accept-encoding", "gzip"))
        if call.timeout_ms is not None:
            fields.append(("connect-timeout-ms", str(call.timeout_ms)))
        return fields + call.fields

    def body(self, call):
        if call.kind == UNARY:
            message = call.messages[0]
            return gzip.compress(message) if call.compression == "gzip" else message
        return b"".join(pack(call, message) for message in call.messages)

    def query(self, call):
        """The order of the parameters is that of stock clients."""
        message = call.messages[0]
        is_binary = call.codec == "proto" or call.compression == "gzip"
        parameters = [("connect", "v1")] + [("base64", "1")] * is_binary
        if call.compression == "gzip":
            message = gzip.compress(message)
            parameters.append(("compression", "gzip"))
        parameters += [("encoding", call.codec),
                       ("message", to_base64url(message) if is_binary else message.decode())]
        return call.path + "?" + urllib.parse.urlencode(parameters)

    def run(self, http, call):
        if call.is_get:
            answer = http.ask("GET", self.query(call), self.fields(call))
        else:
            answer = http.ask("POST", call.path, self.fields(call), self.body(call),
                              is_chunked=call.kind != UNARY)
        return self.read(answer, call)

    def read(self, answer, call):
        equal(answer.reset, None, "RST_STREAM")
        equal(answer.trailers, None, "trailers of HTTP")
        return (self.read_unary if call.kind == UNARY else self.read_stream)(answer, call)

    def read_unary(self, answer, call):
        fields = group(answer.headers)
        metadata = strip(fields, self.reserved)
        outcome = Outcome(answer.status)
        outcome.headers = {n: v for n, v in metadata.items() if not n.startswith("trailer-")}
        outcome.trailers = {n[8:]: v for n, v in metadata.items() if n.startswith("trailer-")}
        encoding = answer.value("content-encoding")
        body = gzip.decompress(answer.body) if encoding == "gzip" else answer.body
        check(encoding in (None, "gzip"), f"content-encoding: {encoding}")
        if answer.status == 200:
            equal(answer.value("content-type"), f"application/{call.codec}", "content-type")
            outcome.payloads, outcome.compressed = [body], [encoding == "gzip"]
        elif answer.value("content-type") == "application/json":
            read_connect_error(read_json(body), outcome)
        else:
            outcome.code = CODE_OF_HTTP.get(answer.status, UNKNOWN)
        return outcome

    def read_stream(self, answer, call):
        outcome = Outcome(answer.status)
        if answer.status != 200:
            outcome.code = CODE_OF_HTTP.get(answer.status, UNKNOWN)
            return outcome
        equal(answer.value("content-type"), f"application/connect+{call.codec}", "content-type")
        outcome.headers = strip(group(answer.headers), self.reserved)
        envelopes = read_envelopes(answer.body)
        check(envelopes and envelopes[-1][0] & 2, "the stream has no end")
        for flags, payload in envelopes[:-1]:
            payload, is_compressed = unpack(payload, flags, answer.value("connect-content-encoding"))
            outcome.payloads.append(payload)
            outcome.compressed.append(is_compressed)
        self.read_end(*envelopes[-1], answer, outcome)
        return outcome

    def read_end(self, flags, payload, answer, outcome):
        payload, _ = unpack(payload, flags & ~2, answer.value("connect-content-encoding"))
        end = read_json(payload)
        check(set(end) <= {"error", "metadata"}, f"keys of the end: {end}")
        if "error" in end:
            read_connect_error(end["error"], outcome)
        outcome.trailers = group((name, value) for name, values in end.get("metadata", {}).items()
                                 for value in values)


def pack(call, message):
    """An envelope in the call's compression."""
    if call.compression == "gzip":
        return envelope(gzip.compress(message), 1)
    return envelope(message)


# ---- gRPC ---------------------------------------------------------------------------------------

class Grpc:
    name = "grpc"
    reserved = {"content-type", "date", "content-length", "transfer-encoding", "connection"}

    def content_type(self, call):
        return f"application/grpc+{call.codec}"

    def fields(self, call):
        fields = [("content-type", self.content_type(call)), ("te", "trailers")]
        if call.compression == "gzip":
            fields += [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")]
        if call.timeout_ms is not None:
            fields.append(("grpc-timeout", f"{call.timeout_ms}m"))
        return fields + call.fields

    def body(self, call):
        return b"".join(pack(call, message) for message in call.messages)

    def run(self, http, call):
        return self.read(http.ask("POST", call.path, self.fields(call), self.body(call),
                                  is_chunked=True), call)

    def read(self, answer, call):
        equal(answer.reset, None, "RST_STREAM")
        outcome = Outcome(answer.status)
        content_type = answer.value("content-type") or ""
        if not content_type.startswith("application/grpc"):
            check(answer.status != 200, f"content-type: {content_type}")
            outcome.code = CODE_OF_HTTP.get(answer.status, UNKNOWN)
            return outcome
        equal(content_type, self.content_type(call), "content-type")
        equal(answer.values("content-length") if answer.body else [], [], "content-length")
        self.read_messages(answer, outcome)
        return outcome

    def read_messages(self, answer, outcome):
        fields = group(answer.headers)
        if answer.trailers is None:
            equal(answer.body, b"", "the body of a Trailers-Only response")
            self.read_status(fields, outcome)
            outcome.trailers = outcome.headers = strip(fields, self.reserved)
            return
        check("grpc-status" not in fields, "grpc-status before the trailers")
        outcome.headers = strip(fields, self.reserved)
        for flags, payload in read_envelopes(answer.body):
            self.take_message(flags, payload, answer, outcome)
        trailers = group(answer.trailers)
        self.read_status(trailers, outcome)
        outcome.trailers = strip(trailers, ())

    def take_message(self, flags, payload, answer, outcome):
        payload, is_compressed = unpack(payload, flags, answer.value("grpc-encoding"))
        outcome.payloads.append(payload)
        outcome.compressed.append(is_compressed)

    def read_status(self, fields, outcome):
        for name in ("grpc-status", "grpc-message", "grpc-status-details-bin"):
            check(len(fields.get(name, [])) <= 1, f"{name} stands there more than once")
        check("grpc-status" in fields, f"no grpc-status: {fields}")
        text = fields["grpc-status"][0]
        check(text in map(str, range(17)), f"grpc-status: {text}")
        outcome.code = int(text)
        text = fields.get("grpc-message", [""])[0]
        outcome.message = urllib.parse.unquote(text, errors="strict")
        check("%" not in re.sub("%[0-9A-F]{2}", "", text), f"grpc-message: {text}")
        if outcome.code == OK:
            check("grpc-message" not in fields, f"OK with a message: {text}")
        if "grpc-status-details-bin" in fields:
            self.read_details(from_base64(fields["grpc-status-details-bin"][0]), outcome)

    def read_details(self, raw, outcome):
        status = self.Status.FromString(raw)
        equal((status.code, status.message), (outcome.code, outcome.message), "the packed status")
        check(outcome.code != OK, "OK with details")
        outcome.details = [(one.type_url.rpartition("/")[2], one.value) for one in status.details]


class GrpcWeb(Grpc):
    name = "grpc-web"

    def content_type(self, call):
        return f"application/grpc-web+{call.codec}"

    def fields(self, call):
        fields = [field for field in super().fields(call) if field[0] != "te"]
        return [*fields, ("x-grpc-web", "1")]

    def read_messages(self, answer, outcome):
        equal(answer.trailers, None, "trailers of HTTP")
        fields = group(answer.headers)
        if "grpc-status" in fields:
            equal(answer.body, b"", "the body of a Trailers-Only response")
            self.read_status(fields, outcome)
            outcome.trailers = outcome.headers = strip(fields, self.reserved)
            return
        outcome.headers = strip(fields, self.reserved)
        envelopes = read_envelopes(answer.body)
        check(envelopes and envelopes[-1][0] == 0x80, "the body does not end with trailers")
        for flags, payload in envelopes[:-1]:
            self.take_message(flags, payload, answer, outcome)
        trailers = group(self.split_block(envelopes[-1][1].decode("ascii")))
        self.read_status(trailers, outcome)
        outcome.trailers = strip(trailers, ())

    def split_block(self, block):
        check(block.endswith("\r\n") and "\r\n\r\n" not in block, f"the trailers: {block!r}")
        for line in block[:-2].split("\r\n"):
            check("\n" not in line and ":" in line, f"a line of the trailers: {line!r}")
            name, _, value = line.partition(":")
            yield name, value.strip(" \t")


PROTOCOLS = {one.name: one for one in (Connect(), Grpc(), GrpcWeb())}
