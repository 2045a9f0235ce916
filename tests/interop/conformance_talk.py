# SPDX-License-Identifier: Apache-2.0
"""What the cases of interop_conformance.py are made of: their list, the scene they run in, and
talks.

A Talk is a call of the conformance service in words of its messages; what answers it must be what
its first request's response definition says.
"""
import dataclasses

from cases import check, equal
from conformance_messages import MESSAGES, decode, encode
from rpc_client import (BIDI_STREAM, CLIENT_STREAM, OK, SERVER_STREAM, UNARY, Call, Grpc, pack)

SERVICE = "/connectrpc.conformance.v1.ConformanceService/"
URL = "type.googleapis.com/connectrpc.conformance.v1."
DATA = b"test response"
FIELDS = [("x-conformance-test", "Value1"), ("x-conformance-test", "Value2")]
INFO = "connectrpc.conformance.v1.ConformancePayload.RequestInfo"
Grpc.Status = MESSAGES["google.rpc.Status"]

# Method and kind of call of each kind of talk. A bidirectional stream is of either of two.
HALF_DUPLEX, FULL_DUPLEX, IDEMPOTENT = "half-duplex", "full-duplex", "idempotent"
METHODS = {UNARY: ("Unary", UNARY), IDEMPOTENT: ("IdempotentUnary", UNARY),
           CLIENT_STREAM: ("ClientStream", CLIENT_STREAM),
           SERVER_STREAM: ("ServerStream", SERVER_STREAM),
           HALF_DUPLEX: ("BidiStream", BIDI_STREAM), FULL_DUPLEX: ("BidiStream", BIDI_STREAM)}
ONE_RESPONSE = (UNARY, IDEMPOTENT, CLIENT_STREAM)
KINDS = (UNARY, CLIENT_STREAM, SERVER_STREAM, HALF_DUPLEX, FULL_DUPLEX)


@dataclasses.dataclass
class Scene:
    """In what a case runs."""
    protocol: object
    version: int  # of HTTP
    limit: int  # of request messages; 0: none was set
    codec: str
    compression: str
    http: object = None

    def is_plain(self):
        """For cases that make their bytes themselves: once is enough."""
        return self.codec == "proto" and self.compression == "identity"

    def can_serve(self):
        return self.protocol.name != "grpc" or self.version == 2

    def can_talk(self, kind):
        return self.can_serve() and (METHODS[kind][1] != BIDI_STREAM or self.version == 2)


# ---- the list -----------------------------------------------------------------------------------

@dataclasses.dataclass
class Case:
    name: str
    function: object
    arguments: tuple
    when: object

    def applies(self, scene):
        return self.when(scene, *self.arguments)

    def run(self, scene):
        self.function(scene, *self.arguments)


CASES = []


def case(name, *rows, when=lambda scene, *_: scene.can_serve()):
    """One case for each row, which fills the name and follows the scene as arguments; when: whether
    it makes sense there."""
    def register(function):
        for row in rows or [()]:
            row = row if isinstance(row, tuple) else (row,)
            CASES.append(Case(name.format(*row), function, row, when))
        return function
    return register


def talks(scene, kind, *_):
    return scene.can_talk(kind)


def is_connect(scene, *_):
    return scene.protocol.name == "connect"


# ---- talks --------------------------------------------------------------------------------------

@dataclasses.dataclass
class Talk:
    kind: str
    requests: list
    fields: list = dataclasses.field(default_factory=lambda: list(FIELDS))
    timeout_ms: int = None
    is_get: bool = False

    def call(self, scene):
        method, kind = METHODS[self.kind]
        return Call(SERVICE + method, kind, [encode(one, scene.codec) for one in self.requests],
                    scene.codec, scene.compression, self.fields, self.timeout_ms, self.is_get)

    def definition(self):
        """What the first request says of the answer; None: nothing."""
        if not self.requests or not self.requests[0].HasField("response_definition"):
            return None
        return self.requests[0].response_definition

    def run(self, scene):
        call = self.call(scene)
        if self.kind == FULL_DUPLEX and self.requests:
            return scene.protocol.read(self.take_turns(scene, call), call)
        return scene.protocol.run(scene.http, call)

    def take_turns(self, scene, call):
        """A request is sent when the response to the one before it is there."""
        definition = self.definition()
        responses = len(definition.response_data) if definition else 0
        stream = scene.http.begin("POST", call.path, scene.protocol.fields(call))
        for i, message in enumerate(call.messages):
            stream.write(pack(call, message))
            if i < responses:
                stream.wait(lambda: stream.is_over() or count_messages(stream.body) > i)
                check(stream.is_over() or count_messages(stream.body) == i + 1,
                      f"responses after request {i + 1}: {count_messages(stream.body)}")
        stream.write(b"", end=True)
        return stream.finish()

    def check(self, scene, **expected):
        """What comes must be what the definition says, or the code that is given."""
        outcome = self.run(scene)
        if "code" in expected:
            equal((outcome.code, outcome.payloads), (expected["code"], []), "code and responses")
        else:
            check_outcome(scene, self, outcome)
        return outcome


def count_messages(body):
    """How many whole messages a body begins with."""
    count = 0
    while len(body) >= 5 and len(body) >= 5 + int.from_bytes(body[1:5], "big"):
        body = body[5 + int.from_bytes(body[1:5], "big"):]
        count += 1
    return count


def request_of(kind, data=b"", **definition):
    """A request of the kind's type; definition: the fields of its response definition."""
    request = MESSAGES[METHODS[kind][0] + "Request"](request_data=data)
    if kind == FULL_DUPLEX:
        request.full_duplex = True
    if definition:
        request.response_definition.SetInParent()
    for name, value in definition.items():
        set_field(request.response_definition, name, value)
    return request


def set_field(definition, name, value):
    if name in ("response_headers", "response_trailers"):
        for key, values in value:
            getattr(definition, name).add(name=key, value=values)
    elif name == "error":
        definition.error.CopyFrom(value)
    elif isinstance(value, list):
        getattr(definition, name).extend(value)
    else:
        setattr(definition, name, value)


def error_of(code, message=None, details=()):
    error = MESSAGES["Error"](code=code)
    if message is not None:
        error.message = message
    for detail in details:
        error.details.add().Pack(detail)
    return error


def talk_of(kind, more=True, responses=2, **definition):
    """A usual talk: some data, unless there is an error, and for streams a second request."""
    if kind in ONE_RESPONSE:
        if "error" not in definition:
            definition["response_data"] = DATA
    elif responses:
        definition["response_data"] = [DATA] * responses
    requests = [request_of(kind, **definition)]
    if more and METHODS[kind][1] in (CLIENT_STREAM, BIDI_STREAM):
        requests.append(MESSAGES[METHODS[kind][0] + "Request"](request_data=DATA))
    return Talk(kind, requests)


# ---- what must come of a talk -------------------------------------------------------------------

def check_outcome(scene, talk, outcome):
    definition = talk.definition()
    error = definition.error if definition is not None and definition.HasField("error") else None
    equal(outcome.code, error.code if error else OK, f"code, with message {outcome.message!r}")
    check_metadata(definition, outcome)
    payloads = [decode(METHODS[talk.kind][0] + "Response", raw, scene.codec).payload
                for raw in outcome.payloads]
    equal([one.data for one in payloads], expected_data(talk, definition, error), "data")
    for i, payload in enumerate(payloads):
        check_payload(scene, talk, i, payload)
    equal(outcome.compressed, [bool(raw) and scene.compression == "gzip"
                               for raw in outcome.payloads], "which responses were compressed")
    if error:
        check_error(scene, talk, error, outcome)


def expected_data(talk, definition, error):
    if talk.kind not in ONE_RESPONSE:
        return list(definition.response_data) if definition else []
    if error:
        return []
    return [definition.response_data if definition else b""]


def check_metadata(definition, outcome):
    """All that was asked for, in its order, and nothing else."""
    headers, trailers = {}, {}
    for fields, wanted in ((headers, "response_headers"), (trailers, "response_trailers")):
        for one in getattr(definition, wanted, ()):
            fields.setdefault(one.name.lower(), []).extend(one.value)
    if outcome.headers is outcome.trailers:  # they came together
        headers = trailers = {**headers, **trailers}
    equal(outcome.headers, headers, "headers")
    equal(outcome.trailers, trailers, "trailers")


def check_error(scene, talk, error, outcome):
    equal(outcome.message, error.message, "message")
    details = [(one.type_url.rpartition("/")[2], one.value) for one in error.details]
    equal(outcome.details[:len(details)], details, "details")
    more = outcome.details[len(details):]
    if outcome.payloads:
        equal(more, [], "details that nobody gave")
        return
    equal([name for name, _ in more], [INFO], "the last detail")
    check_info(scene, talk, decode(INFO.rpartition("v1.")[2], more[0][1], "proto"), talk.requests)


def check_payload(scene, talk, i, payload):
    if talk.kind == FULL_DUPLEX and 0 < i < len(talk.requests):
        check_requests(payload.request_info, [talk.requests[i]])
        equal(list(payload.request_info.request_headers), [], "headers that were told before")
    elif i > 0:
        check(not payload.HasField("request_info"), "request info that was told before")
    else:
        is_first_turn = talk.kind == FULL_DUPLEX
        check_info(scene, talk, payload.request_info,
                   talk.requests[:1] if is_first_turn else talk.requests)


def check_info(scene, talk, info, requests):
    told = {one.name: list(one.value) for one in info.request_headers}
    equal(len(told), len(info.request_headers), "names that stand there once")
    sent = {}
    for name, value in scene.protocol.fields(talk.call(scene)):
        sent.setdefault(name, []).append(value)
    equal({name: told.get(name) for name in sent}, sent, "headers of the request")
    equal(info.HasField("timeout_ms"), talk.timeout_ms is not None, "whether there is a timeout")
    if talk.timeout_ms is not None:
        check(talk.timeout_ms - 60000 <= info.timeout_ms <= talk.timeout_ms,
              f"the timeout: {info.timeout_ms}")
    equal(info.HasField("connect_get_info"), talk.is_get, "whether there is a query")
    check_requests(info, requests)


def check_requests(info, requests):
    equal([one.type_url for one in info.requests],
          ["type.googleapis.com/" + one.DESCRIPTOR.full_name for one in requests], "types")
    for got, wanted in zip(info.requests, requests):
        equal(type(wanted).FromString(got.value), wanted, "a request")
