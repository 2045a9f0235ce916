/* SPDX-License-Identifier: Apache-2.0 */
/* grpcpp_status_server.cc - the status service on grpc++, which bench/run.sh measures.
 *
 * It is what the library's documentation leads to: the callback interface over TLS, with the
 * library's own defaults. Every job has the one status that a file holds as protobuf: GetStatus
 * answers it, WatchStatus tells it once and stays open until the client leaves. Callbacks run on
 * threads of the library, whose number cannot be chosen; they only read what main() made.
 */
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include <grpcpp/grpcpp.h>

#include "vtstatus/v1/status_service.grpc.pb.h"

namespace
{

using vtstatus::v1::GetStatusRequest;
using vtstatus::v1::GetStatusResponse;
using vtstatus::v1::JobStatus;
using vtstatus::v1::StatusService;
using vtstatus::v1::WatchStatusRequest;
using vtstatus::v1::WatchStatusResponse;

constexpr int exit_usage = 2;

/* One open WatchStatus call; it deletes itself when the library is done with it. */
class HeldWatch final : public grpc::ServerWriteReactor<WatchStatusResponse>
{
  public:
    /* Borrows the message for as long as the call lives. */
    explicit HeldWatch(const WatchStatusResponse *first)
    {
        StartWrite(first);
    }

    void OnCancel() override
    {
        Finish(grpc::Status::CANCELLED);
    }

    void OnDone() override
    {
        delete this;
    }
};

class SteadyStatusService final : public StatusService::CallbackService
{
  public:
    explicit SteadyStatusService(const JobStatus &status)
    {
        *get_response_.mutable_status() = status;
        *watch_response_.mutable_status() = status;
    }

    grpc::ServerUnaryReactor *GetStatus(grpc::CallbackServerContext *context,
                                        const GetStatusRequest *,
                                        GetStatusResponse *response) override
    {
        grpc::ServerUnaryReactor *reactor = context->DefaultReactor();

        *response = get_response_;
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }

    grpc::ServerWriteReactor<WatchStatusResponse> *WatchStatus(grpc::CallbackServerContext *,
                                                               const WatchStatusRequest *) override
    {
        return new HeldWatch(&watch_response_);
    }

  private:
    GetStatusResponse get_response_;
    WatchStatusResponse watch_response_;
};

std::optional<std::string> read_file(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);

    if (!file) {
        std::cerr << "grpcpp_status_server: cannot read " << path << '\n';
        return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

/* Serves until SIGTERM or SIGINT, which every thread must have blocked. */
int serve(const std::string &address, const std::string &cert, const std::string &key,
          const JobStatus &status, const sigset_t &end_signals)
{
    SteadyStatusService service(status);
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({key, cert});
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::SslServerCredentials(tls));
    builder.RegisterService(&service);
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    int caught = 0;

    if (server == nullptr) {
        std::cerr << "grpcpp_status_server: cannot serve at " << address << '\n';
        return EXIT_FAILURE;
    }
    sigwait(&end_signals, &caught);
    server->Shutdown(std::chrono::system_clock::now());
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char **argv)
{
    sigset_t end_signals;
    JobStatus status;

    if (argc != 5) {
        std::cerr << "usage: grpcpp_status_server ADDR:PORT CERT KEY STATUS\n";
        return exit_usage;
    }
    const auto cert = read_file(argv[2]);
    const auto key = read_file(argv[3]);
    const auto body = read_file(argv[4]);
    if (!cert || !key || !body) {
        return EXIT_FAILURE;
    }
    if (!status.ParseFromString(*body)) {
        std::cerr << "grpcpp_status_server: no JobStatus in " << argv[4] << '\n';
        return EXIT_FAILURE;
    }
    sigemptyset(&end_signals);
    sigaddset(&end_signals, SIGTERM);
    sigaddset(&end_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &end_signals, nullptr);
    return serve(argv[1], *cert, *key, status, end_signals);
}
