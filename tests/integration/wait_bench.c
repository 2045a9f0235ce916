/* SPDX-License-Identifier: Apache-2.0 */
/* wait_bench.c - servers, clients and jobs for tests of waiting. */
#include "tests/integration/wait_bench.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <vtstatus/worker.h>

const char *const bench_at_rest[] = {"--simulate", "delay=24h,error_rate=0", NULL};
const char *const bench_soon_done[] = {"--simulate", "delay=300ms,error_rate=0,seed=7", NULL};
const char *const bench_many_workers[] = {
    "--simulate", "workers=2000,delay=lognormal:300ms:0.5,error_rate=0,seed=7", NULL};

const enum vts_wait_mode bench_modes[BENCH_MODES] = {VTS_WAIT_AUTO, VTS_WAIT_WATCH,
                                                     VTS_WAIT_LONG_POLL, VTS_WAIT_POLL};

struct vts_server_process *bench_start_at(const char *const *flags, uint16_t port)
{
    struct vts_server_setup setup = {.flags = flags, .port = port};
    struct vts_server_process *server = vts_server_process_start(&setup);

    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    return server;
}

struct vts_server_process *bench_start(const char *const *flags)
{
    return bench_start_at(flags, 0);
}

void bench_stop(struct vts_server_process *server)
{
    CU_ASSERT_TRUE(vts_server_process_stop(server));
    vts_server_process_free(server);
}

struct vts_client *bench_connect(const struct vts_server_process *server)
{
    struct vts_client_options options;
    struct vts_client *client = NULL;

    vts_client_options_init(&options);
    options.url = vts_server_process_url(server);
    options.ca_file = vts_test_path(vts_test_certs(), "ca.pem");
    CU_ASSERT_EQUAL(vts_client_new(&options, &client, NULL), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(client);
    return client;
}

const struct vts_poll_options *bench_fast(void)
{
    static struct vts_poll_options schedule;

    vts_poll_options_init(&schedule);
    schedule.interval = 0.05;
    schedule.max_interval = 0.1;
    return &schedule;
}

void bench_submit(struct vts_client *client, struct bench_jobs *jobs, size_t count)
{
    struct vts_create_options options;
    struct vts_client_error error;

    vts_create_options_init(&options);
    options.source_uri = "file:///in.mp4";
    options.target_language = "de";
    for (size_t i = 0; i < count; i++) {
        struct vts_job *job = NULL;

        (void)snprintf(jobs->ids[i], sizeof(jobs->ids[i]), "job-%zu", i);
        jobs->names[i] = jobs->ids[i];
        options.job_id = jobs->ids[i];
        CU_ASSERT_EQUAL_FATAL(vts_create_job(client, &options, &job, &error), VTS_CLIENT_OK);
        vts_job_free(job);
    }
}

void bench_submit_late(struct vts_client *client)
{
    struct vts_create_options options;
    struct vts_job *job = NULL;

    vts_create_options_init(&options);
    options.source_uri = "file:///in.mp4";
    options.target_language = "de";
    options.job_id = "late";
    options.queue = "nobody-works-here";
    CU_ASSERT_EQUAL_FATAL(vts_create_job(client, &options, &job, NULL), VTS_CLIENT_OK);
    vts_job_free(job);
}

struct bench_driven {
    struct vts_client *client;
    struct vts_lease *lease; /* NULL: nobody has taken it */
};

struct bench_driven *bench_drive(const struct vts_server_process *server)
{
    struct bench_driven *driven = calloc(1, sizeof(*driven));
    struct vts_create_options options;
    struct vts_job *job = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(driven);
    driven->client = bench_connect(server);
    vts_create_options_init(&options);
    options.source_uri = "file:///in.mp4";
    options.target_language = "de";
    options.job_id = "default";
    CU_ASSERT_EQUAL_FATAL(vts_create_job(driven->client, &options, &job, NULL), VTS_CLIENT_OK);
    vts_job_free(job);
    return driven;
}

void bench_drive_on(struct bench_driven *driven)
{
    struct vts_lease_options options;

    if (driven->lease != NULL) {
        CU_ASSERT_EQUAL(
            vts_complete_job(driven->client, driven->lease, "file:///out.mp4", NULL, NULL),
            VTS_CLIENT_OK);
        return;
    }
    vts_lease_options_init(&options);
    options.duration = 3600;
    CU_ASSERT_EQUAL(vts_lease_job(driven->client, &options, &driven->lease, NULL), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL(driven->lease);
}

void bench_drive_free(struct bench_driven *driven)
{
    vts_lease_free(driven->lease);
    vts_client_free(driven->client);
    free(driven);
}
