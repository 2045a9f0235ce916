/* SPDX-License-Identifier: Apache-2.0 */
/* grpcpp_heartbeats.cc - workers that report progress, which bench/run.sh measures by.
 *
 * Each writer submits a job of its own, leases it and sends a heartbeat that changes the progress as
 * soon as the one before was answered, or at its share of a rate. It is a stock client: grpc++'s
 * callback interface over TLS. After the given time the figures go to stdout as one line of JSON.
 * Callbacks run on the library's threads; a writer has one call at a time, so it needs no lock.
 */
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <semaphore.h>
#include <string>
#include <vector>

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include "vtstatus/v1/job_service.grpc.pb.h"
#include "vtstatus/v1/worker_service.grpc.pb.h"

namespace
{

using Clock = std::chrono::steady_clock;
using vtstatus::v1::JobService;
using vtstatus::v1::WorkerService;

constexpr int exit_usage = 2;
constexpr std::size_t connections_max = 16;
constexpr int lease_s = 600;

/* What all writers share. */
struct Run {
    Clock::time_point end;
    std::chrono::nanoseconds interval; /* of one writer's heartbeats; 0: none is waited for */
    std::atomic<bool> has_failed = false;
    sem_t ended; /* posted by each writer */
};

class Writer
{
  public:
    Writer(Run &run, const std::shared_ptr<grpc::Channel> &channel, std::size_t number)
        : run_(run), jobs_(JobService::NewStub(channel)), workers_(WorkerService::NewStub(channel)),
          queue_("bench-" + std::to_string(number))
    {
    }

    /* Makes the job and leases it, waiting for both. */
    bool prepare()
    {
        vtstatus::v1::CreateJobRequest create;
        vtstatus::v1::CreateJobResponse created;
        vtstatus::v1::LeaseJobRequest lease;
        vtstatus::v1::LeaseJobResponse leased;
        grpc::ClientContext create_context;
        grpc::ClientContext lease_context;

        create.mutable_spec()->set_source_uri("file:///bench.mp4");
        create.mutable_spec()->set_target_language("de");
        create.set_queue(queue_);
        lease.set_worker_id("bench");
        lease.add_queues(queue_);
        lease.mutable_lease_duration()->set_seconds(lease_s);
        if (!check(jobs_->CreateJob(&create_context, create, &created)) ||
            !check(workers_->LeaseJob(&lease_context, lease, &leased))) {
            return false;
        }
        request_.set_job_id(leased.lease().job().id());
        request_.set_token(leased.lease().token());
        request_.mutable_progress()->set_phase("encode");
        return true;
    }

    void begin()
    {
        due_ = Clock::now();
        send();
    }

    const std::vector<std::int64_t> &latencies_ns() const
    {
        return latencies_ns_;
    }

  private:
    bool check(const grpc::Status &status)
    {
        if (status.ok()) {
            return true;
        }
        if (!run_.has_failed.exchange(true)) {
            std::cerr << "grpcpp_heartbeats: " << status.error_message() << '\n';
        }
        return false;
    }

    void send()
    {
        const double share = static_cast<double>(latencies_ns_.size() % 1000000) / 10000;

        request_.mutable_progress()->set_percent(static_cast<float>(share));
        context_.emplace();
        sent_ = Clock::now();
        workers_->async()->HeartbeatJob(&*context_, &request_, &response_,
                                        [this](const grpc::Status &status) { on_answer(status); });
    }

    void on_answer(const grpc::Status &status)
    {
        const auto now = Clock::now();

        latencies_ns_.push_back((now - sent_).count());
        if (!check(status) || now >= run_.end) {
            sem_post(&run_.ended);
            return;
        }
        due_ += run_.interval;
        if (run_.interval.count() == 0 || due_ <= now) {
            send();
            return;
        }
        alarm_.Set(std::chrono::system_clock::now() + (due_ - now), [this](bool) { send(); });
    }

    Run &run_;
    std::unique_ptr<JobService::Stub> jobs_;
    std::unique_ptr<WorkerService::Stub> workers_;
    std::string queue_;
    vtstatus::v1::HeartbeatJobRequest request_;
    vtstatus::v1::HeartbeatJobResponse response_;
    std::optional<grpc::ClientContext> context_;
    grpc::Alarm alarm_;
    Clock::time_point due_;
    Clock::time_point sent_;
    std::vector<std::int64_t> latencies_ns_;
};

std::optional<std::string> read_file(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);

    if (!file) {
        std::cerr << "grpcpp_heartbeats: cannot read " << path << '\n';
        return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

/* Connections of their own: channels that look alike share one. */
std::vector<std::shared_ptr<grpc::Channel>> open_channels(const std::string &port,
                                                          const std::string &ca, std::size_t count)
{
    grpc::SslCredentialsOptions tls;
    std::vector<std::shared_ptr<grpc::Channel>> channels;

    tls.pem_root_certs = ca;
    for (std::size_t i = 0; i < count; i++) {
        grpc::ChannelArguments arguments;

        arguments.SetInt("vtstatus.number", static_cast<int>(i));
        channels.push_back(
            grpc::CreateCustomChannel("localhost:" + port, grpc::SslCredentials(tls), arguments));
    }
    return channels;
}

void print_figures(const std::vector<std::unique_ptr<Writer>> &writers, double seconds)
{
    std::vector<std::int64_t> all;
    const auto at = [&all](double share) {
        return static_cast<double>(all[static_cast<std::size_t>(
                   share * static_cast<double>(all.size() - 1))]) /
               1e6;
    };

    for (const auto &writer : writers) {
        all.insert(all.end(), writer->latencies_ns().begin(), writer->latencies_ns().end());
    }
    std::sort(all.begin(), all.end());
    std::cout << "{\"calls\": " << all.size() << ", \"seconds\": " << seconds
              << ", \"p50_ms\": " << at(0.5) << ", \"p99_ms\": " << at(0.99)
              << ", \"max_ms\": " << at(1) << "}\n";
}

int measure(const std::vector<std::unique_ptr<Writer>> &writers, Run &run, double seconds)
{
    const auto start = Clock::now();

    run.end = start + std::chrono::duration_cast<Clock::duration>(
                          std::chrono::duration<double>(seconds));
    for (const auto &writer : writers) {
        writer->begin();
    }
    for (std::size_t i = 0; i < writers.size(); i++) {
        while (sem_wait(&run.ended) != 0) {
        }
    }
    if (run.has_failed) {
        return EXIT_FAILURE;
    }
    print_figures(writers, std::chrono::duration<double>(Clock::now() - start).count());
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char **argv)
{
    Run run;

    if (argc != 6) {
        std::cerr << "usage: grpcpp_heartbeats PORT CA WRITERS SECONDS CALLS_PER_SECOND\n"
                     "0 calls a second: as fast as they are answered\n";
        return exit_usage;
    }
    const auto ca = read_file(argv[2]);
    const auto count = static_cast<std::size_t>(std::strtoul(argv[3], nullptr, 10));
    const double rate = std::strtod(argv[5], nullptr);
    if (!ca || count == 0) {
        return EXIT_FAILURE;
    }
    run.interval = std::chrono::nanoseconds(
        rate > 0 ? static_cast<std::int64_t>(1e9 * static_cast<double>(count) / rate) : 0);
    sem_init(&run.ended, 0, 0);
    const auto channels = open_channels(argv[1], *ca, std::min(count, connections_max));
    std::vector<std::unique_ptr<Writer>> writers;
    for (std::size_t i = 0; i < count; i++) {
        writers.push_back(std::make_unique<Writer>(run, channels[i % channels.size()], i));
        if (!writers.back()->prepare()) {
            return EXIT_FAILURE;
        }
    }
    return measure(writers, run, std::strtod(argv[4], nullptr));
}
