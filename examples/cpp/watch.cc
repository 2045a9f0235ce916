/* SPDX-License-Identifier: Apache-2.0 */
/* watch.cc - prints each status of a job until it is done.
 *
 *     ./watch localhost:5000 ca.pem default
 */
#include <grpcpp/grpcpp.h>

#include <cmath>
#include <fstream>
#include <iostream>
#include <sstream>

#include "vtstatus/v1/status_service.grpc.pb.h"

using namespace vtstatus::v1;

static std::string read_file(const char *path)
{
    std::stringstream text;

    text << std::ifstream(path).rdbuf();
    return text.str();
}

/* The exit code. */
static int watch(StatusService::Stub &stub, const char *job_id)
{
    grpc::ClientContext context;
    WatchStatusRequest request;
    WatchStatusResponse response;

    request.set_job_id(job_id);
    auto reader = stub.WatchStatus(&context, request);
    while (reader->Read(&response)) {
        const JobStatus &status = response.status();

        std::cout << State_Name(status.state()) << ' ' << std::round(status.progress().percent())
                  << " % " << status.progress().phase() << std::endl;
    }
    const grpc::Status outcome = reader->Finish();
    if (!outcome.ok()) {
        std::cerr << outcome.error_message() << std::endl;
        return 1;
    }
    if (response.status().status() != STATUS_COMPLETED) {
        std::cerr << "the job failed: " << response.status().error().message() << std::endl;
        return 1;
    }
    std::cout << "the result is at " << response.status().output_uri() << std::endl;
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " HOST:PORT CA_FILE JOB" << std::endl;
        return 2;
    }
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = read_file(argv[2]);
    StatusService::Stub stub(grpc::CreateChannel(argv[1], grpc::SslCredentials(options)));
    return watch(stub, argv[3]);
}
