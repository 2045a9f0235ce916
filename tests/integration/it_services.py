#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The services every gRPC server has, health and reflection, asked by python3-grpcio.

The messages' classes come from what the server itself prints, vtstatusd --descriptor-set. Exit code
77: there is no python3-grpcio.
"""
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main  # noqa: E402
from vts_server import IS_SANITIZED, WAIT_S, Server, default_binary  # noqa: E402

try:
    import grpc
    from google.protobuf import (descriptor_database, descriptor_pb2, descriptor_pool,
                                 message_factory)
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

V1 = "grpc.reflection.v1"
ALPHA = "grpc.reflection.v1alpha"
SERVICES = ["grpc.health.v1.Health", f"{V1}.ServerReflection", f"{ALPHA}.ServerReflection",
            "vtstatus.v1.JobService", "vtstatus.v1.StatusService", "vtstatus.v1.WorkerService"]
STATUS_FILE = "vtstatus/v1/status_service.proto"
UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)
Code = grpc.StatusCode

SET = descriptor_pb2.FileDescriptorSet.FromString(
    subprocess.run([default_binary(), "--descriptor-set"], capture_output=True, check=True).stdout)
FILES = {file.name: file for file in SET.file}


def load_classes():
    """The messages' classes by full name."""
    pool = descriptor_pool.DescriptorPool()
    for file in SET.file:
        pool.Add(file)
    return message_factory.MessageFactory(pool).GetMessages([file.name for file in SET.file])


CLASSES = load_classes()
Health = CLASSES["grpc.health.v1.HealthCheckRequest"]
server = None
channel = None


def connect(to):
    root = (to.certs / "ca.pem").read_bytes()
    return grpc.secure_channel(f"localhost:{to.port}", grpc.ssl_channel_credentials(root))


def stub(kind, path, answer, on=None):
    """A callable for a method; kind is unary_unary and the like, answer a message's full name."""
    return getattr(on or channel, kind)(path, request_serializer=lambda m: m.SerializeToString(),
                                        response_deserializer=CLASSES[answer].FromString)


def expect_code(code, call):
    try:
        call()
    except grpc.RpcError as error:
        equal(error.code(), code, error.details())
        return error
    raise AssertionError(f"no error, but {code} is due")


# ---- health -----------------------------------------------------------------------------------

def check_health(service, on=None):
    method = stub("unary_unary", "/grpc.health.v1.Health/Check",
                  "grpc.health.v1.HealthCheckResponse", on)
    return method(Health(service=service), timeout=WAIT_S).status


def watch_health(service, on=None):
    method = stub("unary_stream", "/grpc.health.v1.Health/Watch",
                  "grpc.health.v1.HealthCheckResponse", on)
    return method(Health(service=service), timeout=10 * WAIT_S)


@case
def check_knows_the_server_and_its_services():
    for service in ["", *SERVICES]:
        equal(check_health(service), SERVING, service)


@case
def check_of_an_unknown_service_is_not_found():
    for service in ("no.such.Service", "vtstatus.v1", "vtstatus.v1.StatusServic",
                    ".vtstatus.v1.StatusService", "StatusService", "ü" * 500):
        error = expect_code(Code.NOT_FOUND, lambda: check_health(service))
        check(error.details(), "no text")


@case
def a_name_too_long_is_refused():
    expect_code(Code.RESOURCE_EXHAUSTED, lambda: check_health("a" * 5000))


@case
def list_has_the_server_and_its_services():
    method = stub("unary_unary", "/grpc.health.v1.Health/List",
                  "grpc.health.v1.HealthListResponse")
    answer = method(CLASSES["grpc.health.v1.HealthListRequest"](), timeout=WAIT_S)
    equal({name: state.status for name, state in answer.statuses.items()},
          {name: SERVING for name in ["", *SERVICES]})


def stays_open(call):
    """Whether the call is still open after another one was answered on the same connection."""
    check_health("")
    return call.is_active()


@case
def watch_tells_the_state_at_once_and_stays_open():
    for service in ("", "grpc.health.v1.Health"):
        call = watch_health(service)
        equal(next(call).status, SERVING, service)
        check(stays_open(call), "the watch ended")
        call.cancel()


@case
def watch_of_an_unknown_service_stays_open():
    call = watch_health("no.such.Service")
    equal(next(call).status, SERVICE_UNKNOWN)
    check(stays_open(call), "the watch ended")
    call.cancel()


def rest_of(call):
    """(the states that are still told, the code at the end)."""
    states = []
    try:
        for message in call:
            states.append(message.status)
    except grpc.RpcError as error:
        return states, error.code()
    return states, call.code()


@case
def at_the_end_watches_tell_it_and_end():
    with Server() as stopping, connect(stopping) as mine:
        known = [watch_health(service, mine) for service in ["", *SERVICES]]
        unknown = watch_health("no.such.Service", mine)
        equal({next(call).status for call in known}, {SERVING})
        equal(next(unknown).status, SERVICE_UNKNOWN)
        start = time.monotonic()
        stopping.send_signal(signal.SIGTERM)
        for call in known:
            equal(rest_of(call), ([NOT_SERVING], Code.UNAVAILABLE))
        equal(rest_of(unknown), ([], Code.UNAVAILABLE))
        equal(stopping.wait(), 0)
        took = time.monotonic() - start
        check(took < 15, f"stopping took {took:.1f} s with watches only")


@case
def health_in_json_by_connect():
    """The same methods for those who have no protobuf."""
    answer = post("/grpc.health.v1.Health/Check", b"{}")
    equal(answer, b'{"status":"SERVING"}')
    check(b'"vtstatus.v1.StatusService":{"status":"SERVING"}' in
          post("/grpc.health.v1.Health/List", b"{}"), "no service in the list")


def post(path, body):
    peer = h2_raw.H2(server.port, server.certs, timeout=WAIT_S)
    peer.send(h2_raw.headers(1, h2_raw.request(path, "POST", [("content-type",
                                                               "application/json")]), False) +
              h2_raw.data(1, body, end_stream=True))
    check(peer.wait(lambda: 1 in peer.done, WAIT_S), "no answer")
    equal(peer.status[1], 200, peer.body)
    peer.close()
    return peer.body[1]


# ---- health, frame by frame -------------------------------------------------------------------

GRPC_FIELDS = [("content-type", "application/grpc"), ("te", "trailers")]


def envelope(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def begin(peer, stream, path, body, end_stream=True):
    frames = [body[at:at + 16384] for at in range(0, len(body), 16384)] or [b""]
    peer.send(h2_raw.headers(stream, h2_raw.request(path, "POST", GRPC_FIELDS), False) +
              b"".join(h2_raw.data(stream, one) for one in frames[:-1]) +
              h2_raw.data(stream, frames[-1], end_stream))


def closed_windows(to):
    """A peer whose streams get no DATA until it says so; HEAD has an answer all the same."""
    return h2_raw.H2(to.port, to.certs, values={h2_raw.INITIAL_WINDOW_SIZE: 0}, timeout=WAIT_S)


STATES = {state: envelope(bytes([8, state])) for state in (SERVING, NOT_SERVING)}
WATCH_ALL = ("/grpc.health.v1.Health/Watch", envelope(b""))


@case
def a_watcher_that_does_not_read_gets_the_last_word():
    with Server() as stopping:
        peer = closed_windows(stopping)
        begin(peer, 1, *WATCH_ALL)
        check(peer.wait(lambda: 1 in peer.status, WAIT_S), "no head")
        stopping.send_signal(signal.SIGTERM)
        check(peer.wait(lambda: peer.goaway, WAIT_S), "no GOAWAY")
        check(1 not in peer.body and 1 not in peer.done, "more than the window allows")
        peer.send(h2_raw.window_update(1, 1000))
        check(peer.wait(lambda: 1 in peer.done, WAIT_S), "the watch does not end")
        equal(peer.body[1], STATES[SERVING] + STATES[NOT_SERVING])
        check(peer.wait_end(WAIT_S), "the connection stays")
        equal(stopping.wait(), 0)


@case
def a_watch_that_begins_while_stopping_ends():
    with Server() as stopping:
        peer = closed_windows(stopping)
        begin(peer, 1, *WATCH_ALL)  # holds the connection
        begin(peer, 3, WATCH_ALL[0], b"", end_stream=False)  # asks for nothing yet
        check(peer.wait(lambda: 1 in peer.status, WAIT_S), "no head")
        stopping.send_signal(signal.SIGTERM)
        stream = 5
        while peer.get(stream, "/readyz", WAIT_S, method="HEAD") == 200:
            stream += 2
        begin(peer, stream + 2, *WATCH_ALL)
        peer.send(h2_raw.data(3, WATCH_ALL[1], end_stream=True))
        for late in (stream + 2, 3):
            peer.send(h2_raw.window_update(late, 1000))
            check(peer.wait(lambda: late in peer.done, WAIT_S), "a late watch does not end")
            equal(peer.body[late], STATES[NOT_SERVING])
        peer.send(h2_raw.window_update(1, 1000))
        check(peer.wait_end(WAIT_S), "the connection stays")
        equal(stopping.wait(), 0)


# ---- reflection -------------------------------------------------------------------------------

def question(package=V1, **field):
    """A ServerReflectionRequest of a host and one other field."""
    return CLASSES[f"{package}.ServerReflectionRequest"](host="here", **field)


def extension(package, containing_type, number):
    return question(package, file_containing_extension=CLASSES[f"{package}.ExtensionRequest"](
        containing_type=containing_type, extension_number=number))


def reflect(questions, package=V1, on=None):
    """The answers to the questions, an iterable, as they come."""
    method = stub("stream_stream", f"/{package}.ServerReflection/ServerReflectionInfo",
                  f"{package}.ServerReflectionResponse", on)
    return method(iter(questions), timeout=10 * WAIT_S)


def ask(*questions, package=V1):
    """One stream for all; checks what every answer has."""
    call = reflect(questions, package)
    answers = list(call)
    equal(call.code(), Code.OK)
    equal(len(answers), len(questions), "answers")
    for asked, answer in zip(questions, answers):
        equal(answer.valid_host, "here")
        equal(answer.original_request, asked)
    return answers


def files_of(answer):
    check(answer.WhichOneof("message_response") == "file_descriptor_response", answer)
    return [descriptor_pb2.FileDescriptorProto.FromString(raw)
            for raw in answer.file_descriptor_response.file_descriptor_proto]


def names_of(answer):
    return [file.name for file in files_of(answer)]


def closure(name):
    """The names of a file and of all that it imports."""
    names, todo = set(), [name]
    while todo:
        name = todo.pop()
        if name not in names:
            names.add(name)
            todo.extend(FILES[name].dependency)
    return names


def expect_not_found(answer):
    equal(answer.WhichOneof("message_response"), "error_response", answer)
    equal(answer.error_response.error_code, Code.NOT_FOUND.value[0])
    check(answer.error_response.error_message, "no text")


@case
def services_are_listed_all_and_sorted():
    for content in ("", "*", "nonsense"):
        answer, = ask(question(list_services=content))
        equal([one.name for one in answer.list_services_response.service], SERVICES, content)


@case
def a_file_comes_first_and_with_all_it_imports():
    for name in FILES:
        answer, = ask(question(file_by_filename=name))
        names = names_of(answer)
        equal(names[0], name)
        equal(len(set(names)), len(names), f"{name}: files come twice: {names}")
        equal(set(names), closure(name), name)
        for file in files_of(answer):
            equal(file, FILES[file.name], file.name)
    check(len(closure(STATUS_FILE)) > 2, "the test has lost its example of far imports")


@case
def all_can_be_built_from_what_is_told():
    """A client that knows nothing learns every service."""
    database = descriptor_database.DescriptorDatabase()
    for answer in ask(*[question(file_containing_symbol=service) for service in SERVICES]):
        for file in files_of(answer):
            database.Add(file)
    pool = descriptor_pool.DescriptorPool(database)
    for service in SERVICES:
        check(pool.FindServiceByName(service).methods, service)
    method = pool.FindMethodByName("vtstatus.v1.StatusService.WatchStatus")
    equal((method.client_streaming, method.server_streaming), (False, True))


@case
def files_are_not_sent_twice_on_a_stream():
    """Imports are not; what is asked for is."""
    answers = ask(question(file_by_filename=STATUS_FILE), question(file_by_filename=STATUS_FILE),
                  question(file_by_filename="vtstatus/v1/job.proto"),
                  question(file_by_filename="google/protobuf/duration.proto"))
    equal(set(names_of(answers[0])), closure(STATUS_FILE))
    equal(names_of(answers[1]), [STATUS_FILE])
    rest = closure("vtstatus/v1/job.proto") - closure(STATUS_FILE) | {"vtstatus/v1/job.proto"}
    equal(set(names_of(answers[2])), rest)
    equal(names_of(answers[3]), ["google/protobuf/duration.proto"])
    # Another stream has a memory of its own.
    equal(set(names_of(ask(question(file_by_filename=STATUS_FILE))[0])), closure(STATUS_FILE))


SYMBOLS = [
    ("vtstatus.v1.StatusService", STATUS_FILE),
    ("vtstatus.v1.StatusService.GetStatus", STATUS_FILE),
    ("vtstatus.v1.GetStatusRequest", STATUS_FILE),
    ("vtstatus.v1.GetStatusRequest.job_id", STATUS_FILE),
    ("vtstatus.v1.Status", "vtstatus/v1/status.proto"),
    ("vtstatus.v1.STATUS_PENDING", "vtstatus/v1/status.proto"),
    ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.HealthCheckResponse.NOT_SERVING", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.HealthListResponse.StatusesEntry", "grpc/health/v1/health.proto"),
    ("grpc.reflection.v1.ServerReflectionRequest.message_request",
     "grpc/reflection/v1/reflection.proto"),
    ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
    ("google.rpc.Status", "google/rpc/status.proto"),
]
NO_SYMBOLS = ["vtstatus.v1", "vtstatus.v1.Status.STATUS_PENDING", "vtstatus.v1.Nothing", "", ".",
              "..vtstatus.v1.Status", "vtstatus.v1.StatusService.", "Status",
              "vtstatus.v1.StatusService/GetStatus"]


@case
def symbols_of_every_kind_have_a_file():
    answers = ask(*[question(file_containing_symbol=name) for name, _ in SYMBOLS],
                  *[question(file_containing_symbol=f".{name}") for name, _ in SYMBOLS])
    for (name, file), answer in zip(SYMBOLS * 2, answers):
        equal(names_of(answer)[0], file, name)


@case
def what_is_not_there_is_not_found_and_the_stream_goes_on():
    questions = [question(file_containing_symbol=name) for name in NO_SYMBOLS]
    questions += [question(file_by_filename=name)
                  for name in ("", "status.proto", "/" + STATUS_FILE, "proto/" + STATUS_FILE)]
    questions += [extension(V1, "vtstatus.v1.JobStatus", 100), extension(V1, "no.Such", -1),
                  extension(V1, "", 0), question(all_extension_numbers_of_type="no.Such"),
                  question(all_extension_numbers_of_type="vtstatus.v1.StatusService")]
    for answer in ask(*questions):
        expect_not_found(answer)
    last = ask(*questions, question(list_services=""))[-1]
    equal(len(last.list_services_response.service), len(SERVICES))


@case
def a_message_without_extensions_has_no_numbers():
    for name in ("vtstatus.v1.JobStatus", ".vtstatus.v1.JobStatus"):
        answer, = ask(question(all_extension_numbers_of_type=name))
        numbers = answer.all_extension_numbers_response
        equal((numbers.base_type_name, list(numbers.extension_number)),
              ("vtstatus.v1.JobStatus", []))


@case
def a_question_of_nothing_ends_the_call():
    call = reflect([question(list_services=""), question(), question(list_services="")])
    equal(next(call).WhichOneof("message_response"), "list_services_response")
    expect_code(Code.INVALID_ARGUMENT, lambda: list(call))


@case
def the_stream_stays_open_until_the_client_has_said_all():
    questions = queue.Queue()
    call = reflect(iter(questions.get, None))
    for _ in range(3):
        questions.put(question(list_services=""))
        equal(len(next(call).list_services_response.service), len(SERVICES))
        check(stays_open(call), "the stream ended")
    questions.put(None)
    equal((list(call), call.code()), ([], Code.OK))


@case
def a_stream_without_questions_is_fine():
    equal(ask(), [])


@case
def v1alpha_says_the_same():
    fields = [{"list_services": ""}, {"file_by_filename": STATUS_FILE},
              {"file_containing_symbol": ".vtstatus.v1.Status"}, {"file_by_filename": "none"},
              {"all_extension_numbers_of_type": "vtstatus.v1.JobStatus"}]
    new = ask(*[question(V1, **field) for field in fields], extension(V1, "a.B", 7))
    old = ask(*[question(ALPHA, **field) for field in fields], extension(ALPHA, "a.B", 7),
              package=ALPHA)
    equal([one.SerializeToString() for one in old], [one.SerializeToString() for one in new])


@case
def a_client_that_does_not_read_is_not_worked_for():
    """All its questions are answered in the end, and until then they cost next to nothing."""
    count = 1000
    asked = envelope(question(file_by_filename=STATUS_FILE).SerializeToString())
    peer = closed_windows(server)
    rss_kib = server.rss_kib()
    begin(peer, 1, f"/{V1}.ServerReflection/ServerReflectionInfo", asked * count)
    check(peer.wait(lambda: 1 in peer.status, WAIT_S), "no head")
    equal(peer.get(3, "/healthz", WAIT_S, method="HEAD"), 200)  # all before it was looked at
    grown_kib = server.rss_kib() - rss_kib
    check(grown_kib < 2048 or IS_SANITIZED, f"{grown_kib} KiB for answers that nobody reads")
    peer.send(h2_raw.window_update(0, 2**30) + h2_raw.window_update(1, 2**30))
    check(peer.wait(lambda: 1 in peer.done, WAIT_S), "the stream does not end")
    body, sizes = peer.body[1], []
    while body:
        sizes.append(int.from_bytes(body[1:5], "big"))
        body = body[5 + sizes[-1]:]
    equal(len(sizes), count, "answers")
    equal(len(set(sizes[1:])), 1, "sizes of the answers that have one file")
    peer.close()


@case
def at_the_end_streams_are_ended():
    with Server() as stopping, connect(stopping) as mine:
        questions = queue.Queue()
        questions.put(question(list_services=""))
        call = reflect(iter(questions.get, None), on=mine)
        next(call)
        stopping.send_signal(signal.SIGTERM)
        expect_code(Code.UNAVAILABLE, lambda: list(call))
        questions.put(None)
        equal(stopping.wait(), 0)


@case
def it_can_be_turned_off():
    with Server("--no-reflection") as silent, connect(silent) as mine:
        for package in (V1, ALPHA):
            call = reflect([question(package, list_services="")], package, on=mine)
            expect_code(Code.UNIMPLEMENTED, lambda: list(call))
        equal(check_health("vtstatus.v1.StatusService", mine), SERVING)
        expect_code(Code.NOT_FOUND, lambda: check_health(SERVICES[1], mine))


def run_all():
    global server, channel
    with Server() as server, connect(server) as channel:
        main(__file__)


run_all()
