/* SPDX-License-Identifier: Apache-2.0 */
/* status_bench.c - sets the service up, and plays what is around it. */
#include "tests/unit/server/service/status_bench.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/wire/envelope.h"
#include "descriptor_set.h"
#include "tests/unit/server/jobs/sample_snapshot.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum { REQUEST_MAX_BYTES = 256 * 1024, CAP_BYTES = 16 * 1024 };

/* ---- the loop ------------------------------------------------------------------------------- */

static enum vts_err note_post(void *context, void (*fn)(void *), void *argument)
{
    struct status_bench *bench = context;

    bench->posts_count++;
    bench->posted = fn;
    bench->posted_argument = argument;
    return VTS_OK;
}

static void run_posts(struct status_bench *bench)
{
    while (bench->posts_count > 0) {
        bench->posts_count--;
        bench->posted(bench->posted_argument);
    }
}

void status_bench_publish(struct status_bench *bench, const char *id, enum vts_job_state state,
                          uint64_t revision)
{
    const struct sample_job job = {.id = id, .state = state, .revision = revision};
    struct vts_snapshot *snapshot = NULL;

    CU_ASSERT_EQUAL_FATAL(sample_snapshot_new(&job, &snapshot), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_watch_hub_publish(bench->hub, snapshot), VTS_OK);
    run_posts(bench);
}

void status_bench_move(struct status_bench *bench, uint64_t revision)
{
    status_bench_publish(bench, "default", VTS_JOB_RUNNING, revision);
}

static void ignore_news(void *context)
{
    (void)context;
}

unsigned status_bench_watches_left(struct status_bench *bench)
{
    struct vts_watch watches[STATUS_BENCH_WATCHES_MAX];
    unsigned count = 0;

    while (count < STATUS_BENCH_WATCHES_MAX &&
           vts_watch_start(bench->hub, 0, vts_str_of("x"), &watches[count], ignore_news, NULL) ==
               VTS_OK)
        count++;
    for (unsigned i = 0; i < count; i++)
        vts_watch_stop(&watches[i]);
    return count;
}

/* ---- setting up ----------------------------------------------------------------------------- */

static void set_routes(struct status_bench *bench)
{
    struct vts_route route = {.path = "/status",
                              .allow = "GET, HEAD",
                              .methods = VTS_ROUTES_READ,
                              .handle = vts_status_service_get,
                              .context = &bench->service,
                              .is_for_pages = true,
                              .is_held = vts_status_service_is_held,
                              .begin = vts_status_service_begin};

    bench->routes[0] = route;
    route.path = "/status/";
    bench->routes[1] = route;
    bench->router = (struct vts_router){
        .routes = bench->routes, .routes_count = VTS_ARRAY_LEN(bench->routes), .rpc = bench->loop};
}

void status_bench_open(struct status_bench *bench)
{
    struct vts_rpc_options options = {.descriptor_set =
                                          vts_str_make(vts_descriptor_set, vts_descriptor_set_len),
                                      .services = &bench->row,
                                      .services_count = 1,
                                      .limits = &bench->limits,
                                      .origins = "https://a.example"};

    memset(bench, 0, sizeof(*bench));
    vts_limits_init(&bench->limits);
    CU_ASSERT_EQUAL_FATAL(vts_board_new(&bench->board), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(
        vts_watch_hub_new(bench->board, 1, STATUS_BENCH_WATCHES_MAX, 1000, &bench->hub), VTS_OK);
    vts_watch_hub_set_loop(bench->hub, 0, note_post, bench);
    bench->service = (struct vts_status_service){.hub = bench->hub,
                                                 .limits = &bench->limits,
                                                 .wait_max_ns = INT64_C(300) * VTS_NS_PER_S,
                                                 .keepalive_ns = INT64_C(15) * VTS_NS_PER_S};
    bench->row = vts_status_service_row(&bench->service);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_new(&options, &bench->rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_loop_new(bench->rpc, note_post, bench, &bench->loop), VTS_OK);
    set_routes(bench);
    status_bench_move(bench, 4);
    status_bench_publish(bench, "film", VTS_JOB_SUCCEEDED, 9);
    fake_exchange_init(&bench->fake, VTS_METHOD_GET, "/status");
}

static void close_exchange(struct status_bench *bench)
{
    fake_exchange_fini(&bench->fake);
    CU_ASSERT(vts_list_is_empty(&bench->loop->calls));
    CU_ASSERT(vts_list_is_empty(&bench->loop->held));
}

void status_bench_close(struct status_bench *bench)
{
    close_exchange(bench);
    CU_ASSERT_EQUAL(status_bench_watches_left(bench), STATUS_BENCH_WATCHES_MAX);
    vts_rpc_loop_free(bench->loop);
    vts_rpc_free(bench->rpc);
    vts_watch_hub_free(bench->hub);
    vts_board_free(bench->board);
}

/* ---- requests ------------------------------------------------------------------------------- */

void status_bench_make(struct status_bench *bench, const char *target)
{
    close_exchange(bench);
    fake_exchange_init(&bench->fake, VTS_METHOD_GET, target);
}

void status_bench_begin(struct status_bench *bench)
{
    struct fake_exchange *fake = &bench->fake;

    vts_router_begin(&bench->router, &fake->exchange);
    if (fake->exchange.user_ops != NULL)
        fake_exchange_give_end(fake);
    else if (fake->sent_count == 0)
        vts_router_handle(&bench->router, &fake->exchange);
    status_bench_read(bench);
}

void status_bench_call(struct status_bench *bench, const char *method, const char *timeout,
                       const ProtobufCMessage *request)
{
    char target[64];
    size_t len = protobuf_c_message_get_packed_size(request);
    uint8_t *bytes = malloc(VTS_ENVELOPE_PREFIX_BYTES + len);

    CU_ASSERT_FATAL(bytes != NULL &&
                    (size_t)snprintf(target, sizeof(target), "/vtstatus.v1.StatusService/%s",
                                     method) < sizeof(target));
    vts_envelope_write_prefix(0, len, bytes);
    protobuf_c_message_pack(request, bytes + VTS_ENVELOPE_PREFIX_BYTES);
    close_exchange(bench);
    fake_exchange_init(&bench->fake, VTS_METHOD_POST, target);
    fake_exchange_add_header(&bench->fake, "content-type", "application/grpc");
    if (timeout != NULL)
        fake_exchange_add_header(&bench->fake, "grpc-timeout", timeout);
    vts_router_begin(&bench->router, &bench->fake.exchange);
    len += VTS_ENVELOPE_PREFIX_BYTES;
    for (size_t at = 0; at < len && fake_exchange_is_open(&bench->fake);)
        at += fake_exchange_give(&bench->fake, vts_str_make(bytes + at, len - at), len);
    fake_exchange_give_end(&bench->fake);
    status_bench_read(bench);
    free(bytes);
}

void status_bench_read(struct status_bench *bench)
{
    fake_exchange_read_all(&bench->fake, CAP_BYTES);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* All answers have the status in their first field. */
static void look_at(const uint8_t *bytes, size_t len, struct status_bench_seen *seen)
{
    Vtstatus__V1__WatchStatusResponse *message =
        vtstatus__v1__watch_status_response__unpack(NULL, len, bytes);

    CU_ASSERT_FATAL(message != NULL && message->status != NULL);
    CU_ASSERT_FATAL(seen->count < STATUS_BENCH_MESSAGES_MAX);
    (void)snprintf(seen->messages[seen->count].job_id, sizeof(seen->messages[0].job_id), "%s",
                   message->status->job_id);
    seen->messages[seen->count].revision = message->status->revision;
    seen->messages[seen->count].is_done = message->status->done != 0;
    CU_ASSERT_EQUAL(message->status->poll_after == NULL, message->status->done);
    seen->count++;
    vtstatus__v1__watch_status_response__free_unpacked(message, NULL);
}

void status_bench_look(struct status_bench *bench, struct status_bench_seen *ret_seen)
{
    const uint8_t *at = (const uint8_t *)bench->fake.body;
    size_t left = bench->fake.body_len;

    ret_seen->count = 0;
    while (left >= VTS_ENVELOPE_PREFIX_BYTES) {
        size_t len = (size_t)at[3] << 8 | at[4];

        CU_ASSERT_FATAL(at[0] == 0 && at[1] == 0 && at[2] == 0);
        CU_ASSERT_FATAL(len <= left - VTS_ENVELOPE_PREFIX_BYTES);
        look_at(at + VTS_ENVELOPE_PREFIX_BYTES, len, ret_seen);
        at += VTS_ENVELOPE_PREFIX_BYTES + len;
        left -= VTS_ENVELOPE_PREFIX_BYTES + len;
    }
    CU_ASSERT_EQUAL(left, 0);
}

int status_bench_code(struct status_bench *bench)
{
    struct vts_str text = vts_str_of(fake_exchange_trailer(&bench->fake, "grpc-status"));
    uint64_t code;

    if (!bench->fake.is_over)
        return -1;
    if (vts_str_equals_text(text, "(none)"))
        text = vts_str_of(fake_exchange_field(&bench->fake, "grpc-status"));
    return vts_str_to_u64(text, 16, &code) == VTS_OK ? (int)code : -1;
}
