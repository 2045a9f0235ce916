# SPDX-License-Identifier: Apache-2.0
"""The cases of interop_conformance.py that a client of good sense may meet."""
from cases import check, equal
from conformance_messages import MESSAGES, decode, encode
from conformance_talk import (DATA, FULL_DUPLEX, HALF_DUPLEX, IDEMPOTENT, KINDS, METHODS, ONE_RESPONSE,
                              SERVICE, Talk, case, error_of, is_connect, request_of, talk_of, talks)
from rpc_client import (BIDI_STREAM, CLIENT_STREAM, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED,
                        SERVER_STREAM, UNARY, UNIMPLEMENTED, Call)

# ---- success ------------------------------------------------------------------------------------

HEADER, TRAILER = ("X-Custom-Header", ["foo"]), ("x-custom-trailer", ["bing"])
METADATA = {"response_headers": [HEADER], "response_trailers": [TRAILER]}
MANY = {"response_headers": [("x-custom-header", ["foo", "bar", "baz"]), ("x-other", [""]),
                             ("x-custom-bin", ["AAEC", "/w"])],
        "response_trailers": [("x-custom-trailer", ["bing", "quux"]), ("x-trailer-bin", ["AAEC"])]}


@case("basic/{}/success", *KINDS, when=talks)
def talk_goes_as_the_definition_says(scene, kind):
    talk_of(kind, **METADATA).check(scene)


@case("basic/{}/empty-request", *KINDS, when=talks)
def message_of_no_bytes_is_a_message(scene, kind):
    Talk(kind, [MESSAGES[METHODS[kind][0] + "Request"]()]).check(scene)


@case("basic/{}/no-requests", CLIENT_STREAM, HALF_DUPLEX, FULL_DUPLEX, when=talks)
def stream_without_requests_ends_well(scene, kind):
    Talk(kind, []).check(scene)


@case("basic/{}/no-responses", SERVER_STREAM, HALF_DUPLEX, FULL_DUPLEX, when=talks)
def stream_without_responses_has_its_metadata(scene, kind):
    talk_of(kind, responses=0, **METADATA).check(scene)


@case("basic/{}/empty-responses", *KINDS, when=talks)
def response_data_may_be_empty(scene, kind):
    data = b"" if kind in ONE_RESPONSE else [b"", DATA, b""]
    Talk(kind, [request_of(kind, response_data=data)]).check(scene)


@case("basic/{}/more-responses-than-requests", FULL_DUPLEX, when=talks)
def responses_that_are_left_come_at_the_end(scene, kind):
    talk_of(kind, responses=4, **METADATA).check(scene)


@case("basic/{}/more-requests-than-responses", FULL_DUPLEX, when=talks)
def requests_without_a_response_are_read_to_the_end(scene, kind):
    talk = talk_of(kind, responses=1, **METADATA)
    talk.requests += talk.requests[1:] * 3
    talk.check(scene)


@case("basic/{}/many-responses", SERVER_STREAM, HALF_DUPLEX, when=talks)
def many_responses_all_arrive(scene, kind):
    data = [bytes([i]) * 1000 for i in range(100)]
    Talk(kind, [request_of(kind, response_data=data)]).check(scene)


@case("basic/{}/large-responses", *KINDS, when=talks)
def responses_larger_than_a_window_arrive(scene, kind):
    data = bytes(range(256)) * 512
    Talk(kind, [request_of(kind, response_data=data if kind in ONE_RESPONSE else [data])]
         ).check(scene)


@case("basic/unimplemented")
def method_that_is_not_implemented_is_unimplemented(scene):
    message = encode(MESSAGES["UnimplementedRequest"](), scene.codec)
    call = Call(SERVICE + "Unimplemented", UNARY, [message], scene.codec, scene.compression)
    equal(scene.protocol.run(scene.http, call).code, UNIMPLEMENTED, "code")


@case("duplicate-metadata/{}/success", *KINDS, when=talks)
def values_of_a_name_keep_their_order(scene, kind):
    talk_of(kind, **MANY).check(scene)


@case("duplicate-metadata/{}/error", *KINDS, when=talks)
def values_of_a_name_keep_their_order_with_an_error(scene, kind):
    more = kind != FULL_DUPLEX  # which ends with the first request
    talk_of(kind, more, responses=0, error=error_of(13, "failed"), **MANY).check(scene)


@case("duplicate-metadata/{}/error-with-responses", SERVER_STREAM, HALF_DUPLEX, FULL_DUPLEX,
      when=talks)
def values_of_a_name_keep_their_order_behind_responses(scene, kind):
    talk_of(kind, error=error_of(13, "failed"), **MANY).check(scene)


@case("metadata/{}/request", *KINDS, when=talks)
def metadata_of_the_request_is_told(scene, kind):
    talk = talk_of(kind)
    talk.fields += [("x-bin-bin", "AAEC"), ("x-empty", ""), ("x-many", "1, 2"), ("x-many", "3"),
                    ("user-agent", "grpc-python/1"), ("x_under.score-1", "!\"#$%&'()*+,-./:;<=>?")]
    talk.check(scene)


# ---- errors -------------------------------------------------------------------------------------

SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608 100% \"\\\t\n"


@case("errors/{}/code-{}", *((kind, code) for kind in (UNARY, SERVER_STREAM)
                             for code in range(1, 17)), when=talks)
def code_and_message_arrive(scene, kind, code):
    talk_of(kind, responses=0, error=error_of(code, f"error {code}")).check(scene)


@case("errors/{}/with-metadata", *KINDS, when=talks)
def error_has_its_metadata(scene, kind):
    talk_of(kind, responses=0, more=False, error=error_of(16, "who?"), **METADATA).check(scene)


@case("errors/{}/multiple-requests", CLIENT_STREAM, HALF_DUPLEX, when=talks)
def error_tells_of_all_requests(scene, kind):
    talk_of(kind, responses=0, error=error_of(13, "failed")).check(scene)


@case("errors/{}/with-responses", SERVER_STREAM, HALF_DUPLEX, FULL_DUPLEX, when=talks)
def error_comes_behind_responses(scene, kind):
    talk_of(kind, error=error_of(13, "failed"), **METADATA).check(scene)


@case("errors/{}/message-{}", *((kind, name) for kind in KINDS
                                for name in ("none", "empty", "special", "long")), when=talks)
def message_survives(scene, kind, name):
    text = {"none": None, "empty": "", "special": SPECIAL, "long": "long " * 200}[name]
    talk_of(kind, responses=0, more=False, error=error_of(5, text)).check(scene)


@case("errors/{}/message-past-the-limit", *KINDS, when=talks)
def message_that_is_too_long_is_cut_behind_a_character(scene, kind):
    text = "x" + "\u00e9\u263a\U0001f608" * 1000
    talk = talk_of(kind, responses=0, more=False, error=error_of(5, text))
    outcome = talk.run(scene)
    check(text.startswith(outcome.message) and len(outcome.message.encode()) > 1000,
          f"the message: {len(outcome.message)} characters")


@case("errors/{}/details", *KINDS, when=talks)
def details_survive(scene, kind):
    details = [MESSAGES["Header"](name="x", value=["1", "2"]),
               MESSAGES["google.protobuf.Duration"](seconds=3, nanos=500000000),
               MESSAGES["UnaryRequest"](request_data=bytes(range(256))),
               MESSAGES["UnimplementedRequest"]()]
    talk_of(kind, responses=0, more=False, error=error_of(9, "no", details)).check(scene)


@case("errors/{}/details-behind-responses", SERVER_STREAM, HALF_DUPLEX, FULL_DUPLEX, when=talks)
def details_survive_behind_responses(scene, kind):
    details = [MESSAGES["Header"](name="x", value=["1", "2"])]
    talk_of(kind, error=error_of(9, "no", details)).check(scene)


# ---- time ---------------------------------------------------------------------------------------

@case("timeouts/{}", *KINDS, when=talks)
def slow_answer_ends_at_the_deadline(scene, kind):
    talk = talk_of(kind, response_delay_ms=20000)
    talk.timeout_ms = 200
    if kind == FULL_DUPLEX:
        del talk.requests[1]  # the first answer does not come
    talk.check(scene, code=DEADLINE_EXCEEDED)


@case("timeouts/{}/after-a-response", SERVER_STREAM, HALF_DUPLEX, when=talks)
def deadline_ends_a_stream_in_its_midst(scene, kind):
    talk = talk_of(kind, response_delay_ms=50, responses=1000)
    talk.timeout_ms = 1000
    outcome = talk.run(scene)
    equal(outcome.code, DEADLINE_EXCEEDED, "code")
    check(0 < len(outcome.payloads) <= 20, f"responses: {len(outcome.payloads)}")


@case("deadline-propagation/{}", *KINDS, when=talks)
def timeout_is_told(scene, kind):
    talk = talk_of(kind)
    talk.timeout_ms = 2000000
    talk.check(scene)


@case("delays/{}", *KINDS, when=talks)
def delay_changes_nothing_else(scene, kind):
    talk_of(kind, response_delay_ms=20, **METADATA).check(scene)


@case("delivery/{}", SERVER_STREAM, HALF_DUPLEX, when=talks)
def responses_come_one_by_one_until_they_are_cancelled(scene, kind):
    """The last would come after 100 s. The peer goes away after the first."""
    call = talk_of(kind, response_delay_ms=50, responses=2000).call(scene)
    begun = scene.http.peek("POST", call.path, scene.protocol.fields(call),
                            scene.protocol.body(call), 5)
    equal(begun[0], 1 if scene.compression == "gzip" else 0, "the flags of the first response")
    talk_of(UNARY).check(scene)  # others are served


@case("cancellation/{}", *KINDS, when=lambda scene, kind: talks(scene, kind) and scene.version == 2)
def call_that_is_cancelled_disturbs_no_other(scene, kind):
    call = talk_of(kind, response_delay_ms=100000).call(scene)
    stream = scene.http.begin("POST", call.path, scene.protocol.fields(call))
    stream.write(scene.protocol.body(call), end=kind in (UNARY, SERVER_STREAM))
    talk_of(UNARY).check(scene)  # by now the server has all of it
    stream.cancel()
    talk_of(UNARY).check(scene)


# ---- sizes --------------------------------------------------------------------------------------

def has_limit(scene, kind, *_):
    return talks(scene, kind) and scene.limit > 0


def pad(request, size, codec):
    """Makes the encoded request as long as it shall be."""
    request.request_data = b""
    while len(encode(request, codec)) < size:
        missing = size - len(encode(request, codec))
        request.request_data += bytes(max(1, (missing - 24) * 3 // 4 if codec == "json"
                                          else missing - 6))
    if codec == "json":
        return encode(request, codec)
    while len(encode(request, codec)) > size:
        request.request_data = request.request_data[1:]
    equal(len(encode(request, codec)), size, "the size of a request")
    return encode(request, codec)


def sized_talk(scene, kind, sizes):
    """The bytes of each request are as many as the limit and so many more."""
    talk = talk_of(kind)
    while len(talk.requests) < len(sizes):
        talk.requests.append(MESSAGES[METHODS[kind][0] + "Request"]())
    del talk.requests[len(sizes):]
    for request, size in zip(talk.requests, sizes):
        pad(request, scene.limit + size, scene.codec)
    return talk


@case("message-size/{}/equal-to-limit", *KINDS,
      when=lambda scene, kind: has_limit(scene, kind) and scene.codec == "proto")
def messages_as_large_as_the_limit_are_taken(scene, kind):
    sizes = (0, 0) if METHODS[kind][1] in (CLIENT_STREAM, BIDI_STREAM) else (0,)
    sized_talk(scene, kind, sizes).check(scene)


@case("message-size/{}/first-exceeds-limit", *KINDS, when=has_limit)
def message_past_the_limit_is_refused(scene, kind):
    sized_talk(scene, kind, (10,)).check(scene, code=RESOURCE_EXHAUSTED)


@case("message-size/{}/second-exceeds-limit", CLIENT_STREAM, HALF_DUPLEX, when=has_limit)
def second_message_past_the_limit_is_refused(scene, kind):
    sized_talk(scene, kind, (-1000, 10)).check(scene, code=RESOURCE_EXHAUSTED)


@case("message-size/{}/second-exceeds-limit", FULL_DUPLEX, when=has_limit)
def second_message_past_the_limit_ends_the_turns(scene, kind):
    outcome = sized_talk(scene, kind, (-1000, 10)).run(scene)
    equal((outcome.code, len(outcome.payloads)), (RESOURCE_EXHAUSTED, 1), "code and responses")


@case("message-size/{}/no-limit", *KINDS,
      when=lambda scene, kind: talks(scene, kind) and scene.limit == 0)
def large_message_is_taken_without_a_limit(scene, kind):
    talk = talk_of(kind)
    talk.requests[0].request_data = bytes(300000)
    talk.check(scene)


# ---- Connect's GET ------------------------------------------------------------------------------

@case("get/success", when=is_connect)
def get_is_answered_as_post(scene):
    talk = talk_of(IDEMPOTENT, **METADATA)
    talk.is_get = True
    outcome = talk.check(scene)
    info = decode("IdempotentUnaryResponse", outcome.payloads[0], scene.codec).payload.request_info
    told = {one.name: list(one.value) for one in info.connect_get_info.query_params}
    equal(told["connect"], ["v1"], "the query's version")
    equal(told["encoding"], [scene.codec], "the query's encoding")
    equal(told.get("base64"), None if scene.codec == "json" and scene.compression == "identity"
          else ["1"], "the query's base64")
    check(told["message"][0], "the query's message")


@case("get/{}", "error", "empty-request", "post", "timeout", when=is_connect)
def get_goes_through_all_that_post_does(scene, name):
    if name == "error":
        talk = talk_of(IDEMPOTENT, error=error_of(5, SPECIAL), **METADATA)
    elif name == "empty-request":
        talk = Talk(IDEMPOTENT, [MESSAGES["IdempotentUnaryRequest"]()])
    else:
        talk = talk_of(IDEMPOTENT)
    talk.is_get = name != "post"
    talk.timeout_ms = 100000 if name == "timeout" else None
    talk.check(scene)

