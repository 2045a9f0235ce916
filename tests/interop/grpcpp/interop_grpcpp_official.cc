/* SPDX-License-Identifier: Apache-2.0 */
/* interop_grpcpp_official.cc - the official gRPC interop cases, by grpc++:
 * https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md
 *
 * Arguments: the server's port and the CA's certificate.
 */
#include "tests/interop/grpcpp/cases.hh"

#include <grpc/testing/test.grpc.pb.h>

#include <numeric>

/* The flags of the message received last: the official client asks for them, too, and the library
 * has no public way. The two highest mean that it had come compressed. */
uint32_t grpc_call_test_only_get_message_flags(grpc_call *call);

namespace
{

using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;
using grpc::testing::TestService;
using std::chrono::milliseconds;

constexpr int LARGE_REQUEST = 271828;
constexpr int LARGE_RESPONSE = 314159;
constexpr int LONG_US = 10'000'000;
const std::vector<int> REQUEST_SIZES = {27182, 8, 1828, 45904};
const std::vector<int> RESPONSE_SIZES = {31415, 9, 2653, 58979};
const std::string ECHO_INITIAL = "x-grpc-test-echo-initial";
const std::string ECHO_INITIAL_VALUE = "test_initial_metadata_value";
const std::string ECHO_TRAILING = "x-grpc-test-echo-trailing-bin";
const std::string ECHO_TRAILING_VALUE = "\xab\xab\xab";
const std::string SPECIAL =
    u8"\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";

std::string port, ca_file;
std::unique_ptr<TestService::Stub> stub;

/* ---- messages ------------------------------------------------------------------------------ */

std::string zeros(int size)
{
    return std::string(static_cast<size_t>(size), '\0');
}

SimpleRequest large_unary()
{
    SimpleRequest request;

    request.set_response_size(LARGE_RESPONSE);
    request.mutable_payload()->set_body(zeros(LARGE_REQUEST));
    return request;
}

StreamingInputCallRequest input(int size)
{
    StreamingInputCallRequest request;

    request.mutable_payload()->set_body(zeros(size));
    return request;
}

StreamingOutputCallRequest output(const std::vector<int> &sizes, int request_size = 0)
{
    StreamingOutputCallRequest request;

    for (int size : sizes)
        request.add_response_parameters()->set_size(size);
    if (request_size > 0)
        request.mutable_payload()->set_body(zeros(request_size));
    return request;
}

void check_large(const grpc::Status &status, const SimpleResponse &response)
{
    expect_ok(status);
    check(response.payload().body() == zeros(LARGE_RESPONSE), "not the zeros that were asked for");
}

/* ---- calls --------------------------------------------------------------------------------- */

using Duplex = grpc::ClientReaderWriter<StreamingOutputCallRequest, StreamingOutputCallResponse>;

template <typename Reader> void receive(Reader &reader, const std::vector<int> &sizes)
{
    StreamingOutputCallResponse response;

    for (int size : sizes) {
        check(reader.Read(&response), "a response is missing");
        expect_equal(response.payload().body().size(), static_cast<size_t>(size), "response");
    }
}

template <typename Reader> void receive_end(Reader &reader)
{
    StreamingOutputCallResponse response;

    check(!reader.Read(&response), "one response too many");
}

/* Sends inputs of these sizes, as far as the server wants them, and returns what the call gives. */
grpc::Status upload(Context &context, const std::vector<StreamingInputCallRequest> &requests,
                    StreamingInputCallResponse *response, size_t plain_from = SIZE_MAX)
{
    auto writer = stub->StreamingInputCall(&context, response);

    for (size_t i = 0; i < requests.size(); i++) {
        grpc::WriteOptions options;

        if (i >= plain_from)
            options.set_no_compression();
        if (!writer->Write(requests[i], options))
            break;
    }
    writer->WritesDone();
    return writer->Finish();
}

bool was_compressed(Context &context)
{
    return (grpc_call_test_only_get_message_flags(context.c_call()) & 0xC0000000u) != 0;
}

/* ---- cases --------------------------------------------------------------------------------- */

void empty_unary()
{
    Context context;
    Empty request, response;

    expect_ok(stub->EmptyCall(&context, request, &response));
    expect_equal(response.ByteSizeLong(), 0u, "size");
}

void large_unary_call()
{
    Context context, cacheable;
    SimpleResponse response;

    check_large(stub->UnaryCall(&context, large_unary(), &response), response);
    check_large(stub->CacheableUnaryCall(&cacheable, large_unary(), &response), response);
}

void client_streaming()
{
    Context context;
    std::vector<StreamingInputCallRequest> requests;
    StreamingInputCallResponse response;

    for (int size : REQUEST_SIZES)
        requests.push_back(input(size));
    expect_ok(upload(context, requests, &response));
    expect_equal(response.aggregated_payload_size(),
                 std::accumulate(REQUEST_SIZES.begin(), REQUEST_SIZES.end(), 0), "sum");
}

void server_streaming()
{
    Context context;
    auto reader = stub->StreamingOutputCall(&context, output(RESPONSE_SIZES));

    receive(*reader, RESPONSE_SIZES);
    receive_end(*reader);
    expect_ok(reader->Finish());
}

void ping_pong()
{
    Context context;
    auto stream = stub->FullDuplexCall(&context);

    for (size_t i = 0; i < RESPONSE_SIZES.size(); i++) {
        check(stream->Write(output({RESPONSE_SIZES[i]}, REQUEST_SIZES[i])), "cannot write");
        receive(*stream, {RESPONSE_SIZES[i]});
    }
    stream->WritesDone();
    receive_end(*stream);
    expect_ok(stream->Finish());
}

void empty_stream()
{
    Context context;
    auto stream = stub->FullDuplexCall(&context);

    stream->WritesDone();
    receive_end(*stream);
    expect_ok(stream->Finish());
}

void half_duplex()
{
    Context context;
    auto stream = stub->HalfDuplexCall(&context);

    for (int size : RESPONSE_SIZES)
        check(stream->Write(output({size})), "cannot write");
    stream->WritesDone();
    receive(*stream, RESPONSE_SIZES);
    receive_end(*stream);
    expect_ok(stream->Finish());
}

void timeout_on_sleeping_server()
{
    Context context(milliseconds(1));
    StreamingOutputCallRequest request = output({8}, 27182);

    request.mutable_response_parameters(0)->set_interval_us(LONG_US);
    auto stream = stub->FullDuplexCall(&context);
    stream->Write(request); /* may come too late */
    receive_end(*stream);
    expect(stream->Finish(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

void timeout_after_the_first_response()
{
    Context context(milliseconds(500));
    StreamingOutputCallRequest request = output({8, 8});

    request.mutable_response_parameters(1)->set_interval_us(LONG_US);
    auto reader = stub->StreamingOutputCall(&context, request);
    receive(*reader, {8});
    receive_end(*reader);
    expect(reader->Finish(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

void cancel_after_begin()
{
    Context context;
    StreamingInputCallResponse response;
    auto writer = stub->StreamingInputCall(&context, &response);

    context.TryCancel();
    expect(writer->Finish(), grpc::StatusCode::CANCELLED);
}

void cancel_after_first_response()
{
    Context context;
    auto stream = stub->FullDuplexCall(&context);

    check(stream->Write(output({31415}, 27182)), "cannot write");
    receive(*stream, {31415});
    context.TryCancel();
    receive_end(*stream);
    expect(stream->Finish(), grpc::StatusCode::CANCELLED);
}

void expect_message(const grpc::Status &status, const std::string &message)
{
    expect(status, grpc::StatusCode::UNKNOWN);
    expect_equal(status.error_message(), message, "message");
}

void status_code_and_message()
{
    const std::string message = "test status message";
    Context unary, duplex;
    SimpleRequest request;
    SimpleResponse response;
    StreamingOutputCallRequest streamed;

    request.mutable_response_status()->set_code(grpc::StatusCode::UNKNOWN);
    request.mutable_response_status()->set_message(message);
    *streamed.mutable_response_status() = request.response_status();
    expect_message(stub->UnaryCall(&unary, request, &response), message);
    auto stream = stub->FullDuplexCall(&duplex);
    check(stream->Write(streamed), "cannot write");
    stream->WritesDone();
    receive_end(*stream);
    expect_message(stream->Finish(), message);
}

void special_status_message()
{
    Context context;
    SimpleRequest request;
    SimpleResponse response;

    request.mutable_response_status()->set_code(grpc::StatusCode::UNKNOWN);
    request.mutable_response_status()->set_message(SPECIAL);
    expect_message(stub->UnaryCall(&context, request, &response), SPECIAL);
}

void check_echo(const Context &context)
{
    const auto &initial = context.GetServerInitialMetadata();
    const auto &trailing = context.GetServerTrailingMetadata();

    expect_equal(initial.count(ECHO_INITIAL), 1u, ECHO_INITIAL);
    expect_equal(initial.find(ECHO_INITIAL)->second, ECHO_INITIAL_VALUE, ECHO_INITIAL);
    expect_equal(trailing.count(ECHO_TRAILING), 1u, ECHO_TRAILING);
    expect_equal(trailing.find(ECHO_TRAILING)->second, ECHO_TRAILING_VALUE, ECHO_TRAILING);
}

void custom_metadata()
{
    Context unary, duplex;
    SimpleResponse response;

    for (Context *context : {&unary, &duplex}) {
        context->AddMetadata(ECHO_INITIAL, ECHO_INITIAL_VALUE);
        context->AddMetadata(ECHO_TRAILING, ECHO_TRAILING_VALUE);
    }
    check_large(stub->UnaryCall(&unary, large_unary(), &response), response);
    check_echo(unary);
    auto stream = stub->FullDuplexCall(&duplex);
    check(stream->Write(output({LARGE_RESPONSE}, LARGE_REQUEST)), "cannot write");
    stream->WritesDone();
    receive(*stream, {LARGE_RESPONSE});
    receive_end(*stream);
    expect_ok(stream->Finish());
    check_echo(duplex);
}

void metadata_that_was_not_sent_does_not_come_back()
{
    Context context;
    SimpleResponse response;

    expect_ok(stub->UnaryCall(&context, SimpleRequest(), &response));
    expect_equal(context.GetServerInitialMetadata().count(ECHO_INITIAL), 0u, ECHO_INITIAL);
    expect_equal(context.GetServerTrailingMetadata().count(ECHO_TRAILING), 0u, ECHO_TRAILING);
}

void unimplemented_method()
{
    Context context;
    Empty response;

    expect(stub->UnimplementedCall(&context, Empty(), &response), grpc::StatusCode::UNIMPLEMENTED);
}

void unimplemented_service()
{
    Context context;
    Empty response;
    grpc::testing::UnimplementedService::Stub other(open_channel(port, ca_file));

    expect(other.UnimplementedCall(&context, Empty(), &response), grpc::StatusCode::UNIMPLEMENTED);
}

/* ---- compression --------------------------------------------------------------------------- */

grpc::Status call_compressed(const SimpleRequest &request, grpc_compression_algorithm algorithm,
                             SimpleResponse *response)
{
    Context context;

    context.set_compression_algorithm(algorithm);
    return stub->UnaryCall(&context, request, response);
}

void client_compressed_unary()
{
    SimpleRequest compressed = large_unary(), plain = large_unary();
    SimpleResponse response;

    compressed.mutable_expect_compressed()->set_value(true);
    plain.mutable_expect_compressed()->set_value(false);
    expect(call_compressed(compressed, GRPC_COMPRESS_NONE, &response),
           grpc::StatusCode::INVALID_ARGUMENT);
    check_large(call_compressed(compressed, GRPC_COMPRESS_GZIP, &response), response);
    check_large(call_compressed(plain, GRPC_COMPRESS_NONE, &response), response);
    expect(call_compressed(plain, GRPC_COMPRESS_GZIP, &response),
           grpc::StatusCode::INVALID_ARGUMENT);
}

void server_compressed_unary()
{
    for (bool is_compressed : {true, false}) {
        Context context;
        SimpleRequest request = large_unary();
        SimpleResponse response;

        request.mutable_response_compressed()->set_value(is_compressed);
        check_large(stub->UnaryCall(&context, request, &response), response);
        expect_equal(was_compressed(context), is_compressed, "compressed");
    }
}

void client_compressed_streaming()
{
    Context probe, mixed;
    StreamingInputCallRequest compressed = input(27182), plain = input(45904);
    StreamingInputCallResponse response;

    compressed.mutable_expect_compressed()->set_value(true);
    plain.mutable_expect_compressed()->set_value(false);
    expect(upload(probe, {compressed}, &response), grpc::StatusCode::INVALID_ARGUMENT);
    mixed.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    expect_ok(upload(mixed, {compressed, plain}, &response, 1));
    expect_equal(response.aggregated_payload_size(), 27182 + 45904, "sum");
}

void server_compressed_streaming()
{
    Context context;
    StreamingOutputCallRequest request = output({31415, 92653});

    request.mutable_response_parameters(0)->mutable_compressed()->set_value(true);
    request.mutable_response_parameters(1)->mutable_compressed()->set_value(false);
    auto reader = stub->StreamingOutputCall(&context, request);
    receive(*reader, {31415});
    check(was_compressed(context), "the first one has come plain");
    receive(*reader, {92653});
    check(!was_compressed(context), "the second one has come compressed");
    receive_end(*reader);
    expect_ok(reader->Finish());
}

/* ---- load ---------------------------------------------------------------------------------- */

/* More than any window holds is on its way while nobody reads; then all of it arrives. */
void slow_consumer()
{
    Context context;
    auto reader = stub->StreamingOutputCall(&context, output(std::vector<int>(64, 65536)));

    receive(*reader, {65536});
    for (int i = 0; i < 10; i++) /* other calls of the connection go on meanwhile */
        large_unary_call();
    receive(*reader, std::vector<int>(63, 65536));
    receive_end(*reader);
    expect_ok(reader->Finish());
}

void rpc_soak()
{
    for (int i = 0; i < 100; i++)
        large_unary_call();
}

void channel_soak()
{
    for (int i = 0; i < 20; i++) {
        Context context;
        SimpleResponse response;
        TestService::Stub fresh(open_channel(port, ca_file));

        check_large(fresh.UnaryCall(&context, large_unary(), &response), response);
    }
}

const std::vector<Case> CASES = {
    {"empty_unary", empty_unary},
    {"large_unary", large_unary_call},
    {"client_streaming", client_streaming},
    {"server_streaming", server_streaming},
    {"ping_pong", ping_pong},
    {"empty_stream", empty_stream},
    {"half_duplex", half_duplex},
    {"timeout_on_sleeping_server", timeout_on_sleeping_server},
    {"timeout_after_the_first_response", timeout_after_the_first_response},
    {"cancel_after_begin", cancel_after_begin},
    {"cancel_after_first_response", cancel_after_first_response},
    {"status_code_and_message", status_code_and_message},
    {"special_status_message", special_status_message},
    {"custom_metadata", custom_metadata},
    {"metadata_that_was_not_sent_does_not_come_back",
     metadata_that_was_not_sent_does_not_come_back},
    {"unimplemented_method", unimplemented_method},
    {"unimplemented_service", unimplemented_service},
    {"client_compressed_unary", client_compressed_unary},
    {"server_compressed_unary", server_compressed_unary},
    {"client_compressed_streaming", client_compressed_streaming},
    {"server_compressed_streaming", server_compressed_streaming},
    {"slow_consumer", slow_consumer},
    {"rpc_soak", rpc_soak},
    {"channel_soak", channel_soak},
};

} // namespace

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    port = argv[1];
    ca_file = argv[2];
    stub = TestService::NewStub(open_channel(port, ca_file));
    return run_cases("interop_grpcpp_official", CASES);
}
