/* SPDX-License-Identifier: Apache-2.0 */
/* grpcpp_wait_many.cc - polling/wait_many.c on grpc++: the callback interface, one connection, and
 * as many jobs on a stream as the server takes. With "ends" it asks for these alone.
 */
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <semaphore.h>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "vtstatus/v1/status_service.grpc.pb.h"

namespace
{

using vtstatus::v1::StatusService;
using vtstatus::v1::WaitUntil;
using vtstatus::v1::WatchStatusesRequest;
using vtstatus::v1::WatchStatusesResponse;

constexpr int exit_usage = 2;
constexpr std::size_t jobs_a_stream = 1000;

/* What all streams share; callbacks run on threads of the library. */
struct Run {
    std::mutex lock;
    std::vector<double> delays_s;
    std::size_t count;
    WaitUntil until = WaitUntil::WAIT_UNTIL_CHANGE;
    bool has_failed = false;
    sem_t ended; /* posted by each stream */
};

double wall_s()
{
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class Stream final : public grpc::ClientReadReactor<WatchStatusesResponse>
{
  public:
    Stream(Run &run, StatusService::Stub &stub, std::size_t from, std::size_t to) : run_(run)
    {
        request_.set_until(run.until);
        for (std::size_t i = from; i < to; i++) {
            request_.add_jobs()->set_job_id("job-" + std::to_string(i));
        }
        stub.async()->WatchStatuses(&context_, &request_, this);
        StartRead(&response_);
        StartCall();
    }

    void OnReadDone(bool ok) override
    {
        if (!ok) {
            return;
        }
        note(response_.status());
        StartRead(&response_);
    }

    void OnDone(const grpc::Status &status) override
    {
        if (!status.ok()) {
            const std::lock_guard<std::mutex> guard(run_.lock);
            std::cerr << "grpcpp_wait_many: " << status.error_message() << '\n';
            run_.has_failed = true;
        }
        sem_post(&run_.ended);
    }

  private:
    void note(const vtstatus::v1::JobStatus &status)
    {
        const std::lock_guard<std::mutex> guard(run_.lock);

        if (status.done()) {
            const auto &time = status.update_time();
            run_.delays_s.push_back(wall_s() - (static_cast<double>(time.seconds()) +
                                                static_cast<double>(time.nanos()) / 1e9));
        }
    }

    Run &run_;
    grpc::ClientContext context_;
    WatchStatusesRequest request_;
    WatchStatusesResponse response_;
};

std::optional<std::string> read_file(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);

    if (!file) {
        std::cerr << "grpcpp_wait_many: cannot read " << path << '\n';
        return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

double to_s(const timeval &time)
{
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/* As polling/wait_many.c has it. */
long resident_kib()
{
    std::ifstream file("/proc/self/status");
    std::string word;
    long kib = -1;

    while (kib < 0 && file >> word) {
        if (word == "VmHWM:") {
            file >> kib;
        }
    }
    return kib;
}

void print_figures(Run &run)
{
    rusage usage;
    const auto &delays = run.delays_s;

    getrusage(RUSAGE_SELF, &usage);
    std::cout << "{\"ends\": " << delays.size()
              << ", \"mean_ms\": "
              << 1e3 * std::accumulate(delays.begin(), delays.end(), 0.0) /
                     static_cast<double>(delays.size())
              << ", \"max_ms\": " << 1e3 * *std::max_element(delays.begin(), delays.end())
              << ", \"cpu_s\": " << to_s(usage.ru_utime) + to_s(usage.ru_stime)
              << ", \"rss_kib\": " << resident_kib() << "}\n";
}

} // namespace

int main(int argc, char **argv)
{
    Run run;

    run.count = argc == 4 || argc == 5 ? std::strtoul(argv[3], nullptr, 10) : 0;
    if (run.count == 0) {
        std::cerr << "usage: grpcpp_wait_many HOST:PORT CA COUNT [ends]\n";
        return exit_usage;
    }
    if (argc == 5) {
        run.until = WaitUntil::WAIT_UNTIL_DONE;
    }
    const auto ca = read_file(argv[2]);
    if (!ca) {
        return EXIT_FAILURE;
    }
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = *ca;
    const auto stub =
        StatusService::NewStub(grpc::CreateChannel(argv[1], grpc::SslCredentials(tls)));
    std::vector<std::unique_ptr<Stream>> streams;
    sem_init(&run.ended, 0, 0);
    for (std::size_t i = 0; i < run.count; i += jobs_a_stream) {
        streams.push_back(
            std::make_unique<Stream>(run, *stub, i, std::min(i + jobs_a_stream, run.count)));
    }
    for (std::size_t i = 0; i < streams.size(); i++) {
        while (sem_wait(&run.ended) != 0) {
        }
    }
    if (run.has_failed || run.delays_s.size() != run.count) {
        return EXIT_FAILURE;
    }
    print_figures(run);
    return EXIT_SUCCESS;
}
