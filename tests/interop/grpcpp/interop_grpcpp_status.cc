/* SPDX-License-Identifier: Apache-2.0 */
/* interop_grpcpp_status.cc - what grpc++ gets from vtstatusd: status, watches, health, and how
 * calls fail.
 *
 * Arguments: the CA's certificate, and the ports of servers with a job that ends soon, one that
 * never does, and one that has failed.
 */
#include "tests/interop/grpcpp/cases.hh"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpc/health/v1/health.grpc.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <vtstatus/v1/status_service.grpc.pb.h>

#include <future>
#include <iomanip>

namespace
{

using grpc::StatusCode;
using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using std::chrono::milliseconds;
using namespace vtstatus::v1;

const std::vector<std::string> SERVICES = {"", "vtstatus.v1.StatusService"};

std::shared_ptr<grpc::Channel> still;
std::unique_ptr<StatusService::Stub> stub, quick, failed;

/* ---- calls --------------------------------------------------------------------------------- */

GetStatusRequest ask(const std::string &job_id)
{
    GetStatusRequest request;

    request.set_job_id(job_id);
    return request;
}

WatchStatusRequest ask_to_watch(const std::string &job_id)
{
    WatchStatusRequest request;

    request.set_job_id(job_id);
    return request;
}

HealthCheckRequest ask_health(const std::string &service)
{
    HealthCheckRequest request;

    request.set_service(service);
    return request;
}

JobStatus get(StatusService::Stub &from, const std::string &job_id)
{
    Context context;
    GetStatusResponse response;

    expect_ok(from.GetStatus(&context, ask(job_id), &response));
    return response.status();
}

grpc::Status call_get(const std::string &job_id)
{
    Context context;
    GetStatusResponse response;

    return stub->GetStatus(&context, ask(job_id), &response);
}

grpc::Status call_watch(const std::string &job_id)
{
    Context context;
    WatchStatusResponse response;
    auto reader = stub->WatchStatus(&context, ask_to_watch(job_id));

    check(!reader->Read(&response), "a status after all");
    return reader->Finish();
}

grpc::Status call_batch(Context &context, const std::vector<std::string> &job_ids,
                        BatchGetStatusResponse *response)
{
    BatchGetStatusRequest request;

    for (const std::string &job_id : job_ids)
        request.add_job_ids(job_id);
    return stub->BatchGetStatus(&context, request, response);
}

/* A thousand of the longest ids there are: a message of 130 kB. */
std::vector<std::string> many_ids()
{
    std::vector<std::string> ids;

    for (int i = 0; i < 1000; i++) {
        std::ostringstream id;

        id << std::setw(128) << std::setfill('0') << i;
        ids.push_back(id.str());
    }
    return ids;
}

void check_many(const BatchGetStatusResponse &response)
{
    const std::vector<std::string> ids = many_ids();

    expect_equal(response.results_size(), 1000, "results");
    for (int i = 0; i < 1000; i++)
        expect_equal(response.results(i).job_id(), ids[static_cast<size_t>(i)], "order");
}

/* ---- a status ------------------------------------------------------------------------------ */

/* The quick job waits for this. */
void a_watch_ends_with_the_done_status()
{
    Context context;
    WatchStatusResponse response;
    JobStatus last;
    int count = 0;
    auto reader = quick->WatchStatus(&context, WatchStatusRequest());

    for (; reader->Read(&response); count++) {
        check(!last.done(), "a status after the last");
        check(response.status().revision() > last.revision(), "revisions do not rise");
        last = response.status();
    }
    expect_ok(reader->Finish());
    check(count > 1, "one message alone");
    expect_equal(last.done(), true, "done");
    expect_equal(last.status(), STATUS_COMPLETED, "status");
}

void the_empty_id_is_default()
{
    for (const char *job_id : {"", "default"}) {
        const JobStatus status = get(*stub, job_id);

        expect_equal(status.job_id(), "default", "id");
        expect_equal(status.status(), STATUS_PENDING, "status");
        check(!status.done() && status.revision() >= 1, status.ShortDebugString());
        check(status.has_poll_after() && status.has_update_time(), status.ShortDebugString());
    }
}

void a_failed_job_is_data()
{
    const JobStatus status = get(*failed, "");

    expect_equal(status.status(), STATUS_ERROR, "status");
    check(status.done() && !status.has_poll_after(), status.ShortDebugString());
    check(status.error().code() != 0 && !status.error().message().empty(), "it says not why");
}

void an_unknown_job_is_not_found()
{
    for (const grpc::Status &status : {call_get("unknown"), call_watch("unknown")}) {
        google::rpc::Status details;
        google::rpc::ErrorInfo info;

        expect(status, StatusCode::NOT_FOUND);
        check(details.ParseFromString(status.error_details()), "no google.rpc.Status");
        expect_equal(details.code(), static_cast<int>(status.error_code()), "code");
        expect_equal(details.message(), status.error_message(), "message");
        check(details.details_size() > 0 && details.details(0).UnpackTo(&info), "no ErrorInfo");
        expect_equal(info.reason(), "JOB_NOT_FOUND", "reason");
        expect_equal(info.domain(), "vtstatus", "domain");
    }
}

void a_bad_id_is_an_invalid_argument()
{
    for (const std::string &bad :
         {std::string("bad id"), std::string("a/b"), std::string(129, 'a')}) {
        expect(call_get(bad), StatusCode::INVALID_ARGUMENT);
        expect(call_watch(bad), StatusCode::INVALID_ARGUMENT);
    }
}

void a_batch_keeps_its_order()
{
    Context context;
    BatchGetStatusResponse response;

    expect_ok(call_batch(context, {"unknown", "default"}, &response));
    expect_equal(response.results_size(), 2, "results");
    expect_equal(response.results(0).job_id(), "unknown", "order");
    expect_equal(response.results(0).error().code(), static_cast<int>(StatusCode::NOT_FOUND),
                 "code");
    expect_equal(response.results(1).job_id(), "default", "order");
    expect_equal(response.results(1).status().job_id(), "default", "status");
}

void a_batch_of_none_is_empty()
{
    Context context;
    BatchGetStatusResponse response;

    expect_ok(call_batch(context, {}, &response));
    expect_equal(response.results_size(), 0, "results");
}

void a_batch_of_a_thousand_is_answered()
{
    Context context;
    BatchGetStatusResponse response;

    expect_ok(call_batch(context, many_ids(), &response));
    check_many(response);
}

void a_batch_of_more_is_refused()
{
    Context context;
    BatchGetStatusResponse response;

    expect(call_batch(context, std::vector<std::string>(1001, "default"), &response),
           StatusCode::INVALID_ARGUMENT);
}

void gzip_is_understood_and_spoken()
{
    Context context;
    BatchGetStatusResponse response;

    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    expect_ok(call_batch(context, many_ids(), &response));
    check_many(response);
}

void metadata_is_accepted()
{
    Context context;
    GetStatusResponse response;
    std::string bytes;

    for (int i = 0; i < 256; i++)
        bytes.push_back(static_cast<char>(i));
    context.AddMetadata("x-extra", "value");
    context.AddMetadata("x-extra", "another");
    context.AddMetadata("x-extra-bin", bytes);
    expect_ok(stub->GetStatus(&context, ask(""), &response));
}

/* ---- watches ------------------------------------------------------------------------------- */

void a_cancelled_watch_ends_alone()
{
    Context first_context, second_context;
    WatchStatusResponse response;
    auto first = stub->WatchStatus(&first_context, WatchStatusRequest());
    auto second = stub->WatchStatus(&second_context, WatchStatusRequest());

    check(first->Read(&response) && second->Read(&response), "no status");
    first_context.TryCancel();
    while (first->Read(&response))
        continue; /* what came before */
    expect(first->Finish(), StatusCode::CANCELLED);
    expect_equal(get(*stub, "").job_id(), "default", "id");
    second_context.TryCancel();
    expect(second->Finish(), StatusCode::CANCELLED);
}

void a_watch_ends_at_its_deadline()
{
    Context context(milliseconds(300));
    WatchStatusResponse response;
    auto reader = stub->WatchStatus(&context, WatchStatusRequest());

    check(reader->Read(&response), "no status");
    while (reader->Read(&response))
        continue;
    expect(reader->Finish(), StatusCode::DEADLINE_EXCEEDED);
}

void a_deadline_in_the_past_is_exceeded()
{
    Context context(milliseconds(-1));
    GetStatusResponse response;

    expect(stub->GetStatus(&context, ask(""), &response), StatusCode::DEADLINE_EXCEEDED);
}

/* ---- health and what is not there ---------------------------------------------------------- */

void expect_health_watch(const std::string &service, HealthCheckResponse::ServingStatus wanted)
{
    Context context;
    HealthCheckResponse response;
    auto reader = Health::Stub(still).Watch(&context, ask_health(service));

    check(reader->Read(&response), "no status");
    expect_equal(response.status(), wanted, service);
    context.TryCancel(); /* so it was still open */
    expect(reader->Finish(), StatusCode::CANCELLED);
}

void health_of_what_serves()
{
    for (const std::string &service : SERVICES) {
        Context context;
        HealthCheckResponse response;

        expect_ok(Health::Stub(still).Check(&context, ask_health(service), &response));
        expect_equal(response.status(), HealthCheckResponse::SERVING, service);
        expect_health_watch(service, HealthCheckResponse::SERVING);
    }
}

void health_of_what_is_unknown()
{
    Context context;
    HealthCheckResponse response;

    expect(Health::Stub(still).Check(&context, ask_health("unknown.Service"), &response),
           StatusCode::NOT_FOUND);
    expect_health_watch("unknown.Service", HealthCheckResponse::SERVICE_UNKNOWN);
}

void health_of_everything()
{
    Context context;
    grpc::health::v1::HealthListResponse response;

    expect_ok(Health::Stub(still).List(&context, {}, &response));
    for (const std::string &service : SERVICES) {
        expect_equal(response.statuses().count(service), 1u, service);
        expect_equal(response.statuses().at(service).status(), HealthCheckResponse::SERVING,
                     service);
    }
}

void what_is_not_there_is_unimplemented()
{
    grpc::TemplatedGenericStub<GetStatusRequest, GetStatusResponse> generic(still);

    for (const char *path : {"/vtstatus.v1.StatusService/Nonsense", "/unknown.Service/Method"}) {
        Context context;
        const GetStatusRequest request;
        GetStatusResponse response;
        std::promise<grpc::Status> outcome;

        generic.UnaryCall(&context, path, {}, &request, &response,
                          [&](grpc::Status status) { outcome.set_value(status); });
        expect(outcome.get_future().get(), StatusCode::UNIMPLEMENTED);
    }
}

const std::vector<Case> CASES = {
    {"a_watch_ends_with_the_done_status", a_watch_ends_with_the_done_status},
    {"the_empty_id_is_default", the_empty_id_is_default},
    {"a_failed_job_is_data", a_failed_job_is_data},
    {"an_unknown_job_is_not_found", an_unknown_job_is_not_found},
    {"a_bad_id_is_an_invalid_argument", a_bad_id_is_an_invalid_argument},
    {"a_batch_keeps_its_order", a_batch_keeps_its_order},
    {"a_batch_of_none_is_empty", a_batch_of_none_is_empty},
    {"a_batch_of_a_thousand_is_answered", a_batch_of_a_thousand_is_answered},
    {"a_batch_of_more_is_refused", a_batch_of_more_is_refused},
    {"gzip_is_understood_and_spoken", gzip_is_understood_and_spoken},
    {"metadata_is_accepted", metadata_is_accepted},
    {"a_cancelled_watch_ends_alone", a_cancelled_watch_ends_alone},
    {"a_watch_ends_at_its_deadline", a_watch_ends_at_its_deadline},
    {"a_deadline_in_the_past_is_exceeded", a_deadline_in_the_past_is_exceeded},
    {"health_of_what_serves", health_of_what_serves},
    {"health_of_what_is_unknown", health_of_what_is_unknown},
    {"health_of_everything", health_of_everything},
    {"what_is_not_there_is_unimplemented", what_is_not_there_is_unimplemented},
};

} // namespace

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    still = open_channel(argv[3], argv[1]);
    stub = StatusService::NewStub(still);
    quick = StatusService::NewStub(open_channel(argv[2], argv[1]));
    failed = StatusService::NewStub(open_channel(argv[4], argv[1]));
    return run_cases("interop_grpcpp_status", CASES);
}
