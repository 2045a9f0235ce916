/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_service.c - calls on jobs whose keeper steps when the test says so: what becomes of
 * answers that come too late, find no room, or cannot be made.
 *
 * The keeper, the loop and the client all run in one thread, one after the other. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "descriptor_set.h"
#include "server/rpc/router.h"
#include "server/service/job_service.h"
#include "server/service/worker_service.h"
#include "server/store/store_memory.h"
#include "tests/support/suite.h"
#include "tests/unit/server/fake_exchange.h"

enum { CALLS = 4, READ_BYTES = 4096, BODY_BYTES = 512 };

/* A store that fails when it is told to. */
struct frail_store {
    struct vts_store base;
    struct vts_store *inner;
};

static bool is_store_broken;

static enum vts_err load(struct vts_store *store, vts_store_load_fn fn, void *context,
                         struct vts_error *error)
{
    struct vts_store *inner = ((struct frail_store *)store)->inner;

    return inner->ops->load(inner, fn, context, error);
}

static enum vts_err commit(struct vts_store *store, const struct vts_store_write *writes,
                           size_t count, struct vts_error *error)
{
    struct vts_store *inner = ((struct frail_store *)store)->inner;

    if (is_store_broken)
        return vts_error_set(error, VTS_ERR_IO, "broken");
    return inner->ops->commit(inner, writes, count, error);
}

static void tidy(struct vts_store *store)
{
    struct vts_store *inner = ((struct frail_store *)store)->inner;

    inner->ops->tidy(inner);
}

static void close_store(struct vts_store *store)
{
    struct vts_store *inner = ((struct frail_store *)store)->inner;

    inner->ops->close(inner);
}

static const struct vts_store_ops frail_ops = {
    .name = "frail", .load = load, .commit = commit, .tidy = tidy, .close = close_store};

static struct bench {
    struct vts_limits limits;
    struct frail_store store;
    struct vts_board *board;
    struct vts_watch_hub *hub;
    struct vts_keeper_port port;
    struct vts_service_row rows[2];
    struct vts_rpc *rpc;
    struct vts_rpc_loop *loop;
    struct vts_router router;
    struct fake_exchange fakes[CALLS];
    bool is_used[CALLS];
    void (*posted)(void *argument);
    void *posted_argument;
    unsigned posts_count;
    enum vts_err post_err;
} bench;

static int64_t now_ns;

static int64_t read_now(void)
{
    return now_ns;
}

static enum vts_err note_post(void *context, void (*fn)(void *), void *argument)
{
    (void)context;
    if (bench.post_err != VTS_OK)
        return bench.post_err;
    bench.posted = fn;
    bench.posted_argument = argument;
    bench.posts_count++;
    return VTS_OK;
}

static enum vts_err drop_post(void *context, void (*fn)(void *), void *argument)
{
    (void)context;
    (void)fn;
    (void)argument;
    return VTS_OK;
}

static void run_posts(void)
{
    for (; bench.posts_count > 0; bench.posts_count--)
        bench.posted(bench.posted_argument);
}

static void step(void)
{
    (void)vts_keeper_step(bench.port.keeper); /* the test says what time it is */
}

static void settle(void)
{
    step();
    run_posts();
}

static void open_keeper(uint64_t jobs_max, uint64_t commands_max)
{
    struct vts_keeper_options options = {.store = &bench.store.base,
                                         .hub = bench.hub,
                                         .jobs_max = jobs_max,
                                         .commands_max = commands_max,
                                         .seed = 1,
                                         .now_ns = read_now};
    struct vts_keeper *keeper;

    bench.store.base.ops = &frail_ops;
    CU_ASSERT_EQUAL_FATAL(vts_store_memory_new(&bench.store.inner), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_keeper_new(&options, &keeper, NULL), VTS_OK);
    vts_keeper_port_init(&bench.port, keeper, bench.board, INT64_C(300) * VTS_NS_PER_S);
}

static void open_bench(uint64_t jobs_max, uint64_t commands_max)
{
    const struct vts_rpc_options options = {
        .descriptor_set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len),
        .services = bench.rows,
        .services_count = VTS_ARRAY_LEN(bench.rows),
        .limits = &bench.limits};

    memset(&bench, 0, sizeof(bench));
    is_store_broken = false;
    now_ns = INT64_C(1000000000); /* as the exchanges have it */
    vts_limits_init(&bench.limits);
    CU_ASSERT_EQUAL_FATAL(vts_board_new(&bench.board), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_watch_hub_new(bench.board, 1, 10, 1000, &bench.hub), VTS_OK);
    vts_watch_hub_set_loop(bench.hub, 0, drop_post, NULL);
    open_keeper(jobs_max, commands_max);
    bench.rows[0] = vts_job_service_row(&bench.port);
    bench.rows[1] = vts_worker_service_row(&bench.port);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_new(&options, &bench.rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_loop_new(bench.rpc, note_post, NULL, &bench.loop), VTS_OK);
    bench.router.rpc = bench.loop;
}

static void close_bench(void)
{
    vts_keeper_port_fini(&bench.port);
    run_posts();
    for (size_t i = 0; i < CALLS; i++)
        if (bench.is_used[i])
            fake_exchange_fini(&bench.fakes[i]);
    vts_rpc_loop_free(bench.loop);
    vts_rpc_free(bench.rpc);
    vts_watch_hub_free(bench.hub);
    vts_board_free(bench.board);
}

/* ---- calls, as JSON by Connect --------------------------------------------------------- */

/* Asks in the place of an earlier call, which is closed. timeout_ms may be NULL. */
static void ask_within(size_t i, const char *method, const char *body, const char *timeout_ms)
{
    struct fake_exchange *fake = &bench.fakes[i];
    char path[64];

    if (bench.is_used[i])
        fake_exchange_fini(fake);
    bench.is_used[i] = true;
    (void)snprintf(path, sizeof(path), "/vtstatus.v1.%s/%s",
                   strstr(method, "Create") != NULL || strstr(method, "Get") != NULL ||
                           strstr(method, "List") != NULL || strstr(method, "Cancel") != NULL ||
                           strstr(method, "Delete") != NULL || strstr(method, "Retry") != NULL
                       ? "JobService"
                       : "WorkerService",
                   method);
    fake_exchange_init(fake, VTS_METHOD_POST, path);
    fake_exchange_add_header(fake, "content-type", "application/json");
    if (timeout_ms != NULL)
        fake_exchange_add_header(fake, "connect-timeout-ms", timeout_ms);
    vts_router_begin(&bench.router, &fake->exchange);
    (void)fake_exchange_give(fake, vts_str_of(body), SIZE_MAX); /* or it is over already */
    fake_exchange_give_end(fake);
}

static void ask(size_t i, const char *method, const char *body)
{
    ask_within(i, method, body, NULL);
}

static bool is_answered(size_t i)
{
    fake_exchange_read_all(&bench.fakes[i], READ_BYTES);
    return bench.fakes[i].sent_count + bench.fakes[i].started_count > 0;
}

/* What an answer has to have. Details are base64, where only their beginning has a fixed form. */
static void expect(size_t i, int code, const char *text)
{
    const struct fake_exchange *fake = &bench.fakes[i];

    CU_ASSERT(is_answered(i));
    if (fake->exchange.response.code != code || strstr(fake->body, text) == NULL)
        printf("\nwanted %d %s, got %d %s\n", code, text, fake->exchange.response.code, fake->body);
    CU_ASSERT_EQUAL(fake->exchange.response.code, code);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake->body, text));
}

static const char create_a[] =
    "{\"jobId\":\"a\",\"spec\":{\"sourceUri\":\"x\",\"targetLanguage\":\"de\"}}";
static const char lease_held[] = "{\"waitTimeout\":\"60s\"}";

static void make_a(void)
{
    ask(0, "CreateJob", create_a);
    settle();
    expect(0, 200, "\"id\":\"a\"");
}

/* ---- one call -------------------------------------------------------------------------- */

static void answer_waits_for_the_commit(void)
{
    open_bench(10, 10);
    ask(0, "CreateJob", create_a);
    run_posts();
    CU_ASSERT(!is_answered(0));
    step();
    CU_ASSERT(!is_answered(0)); /* it is on its way to the loop */
    run_posts();
    expect(0, 200, "STATE_PENDING");
    close_bench();
}

static void answer_to_a_call_that_is_gone_is_dropped(void)
{
    open_bench(10, 10);
    ask(0, "CreateJob", create_a);
    fake_exchange_close(&bench.fakes[0]);
    settle();
    ask(1, "CreateJob", create_a);
    step();
    fake_exchange_close(&bench.fakes[1]);
    run_posts();
    ask(2, "GetJob", "{\"jobId\":\"a\"}");
    settle();
    expect(2, 200, "\"id\":\"a\"");
    CU_ASSERT_EQUAL(bench.fakes[0].sent_count + bench.fakes[1].sent_count, 0);
    close_bench();
}

static void answer_that_finds_no_room_comes_with_the_next(void)
{
    open_bench(10, 10);
    ask(0, "CreateJob", create_a);
    bench.post_err = VTS_ERR_LIMIT;
    settle();
    CU_ASSERT(!is_answered(0));
    bench.post_err = VTS_OK;
    ask(1, "GetJob", "{\"jobId\":\"a\"}");
    settle();
    expect(0, 200, "\"id\":\"a\"");
    expect(1, 200, "\"id\":\"a\"");
    close_bench();
}

static void answer_that_never_finds_room_is_let_go(void)
{
    open_bench(10, 10);
    ask(0, "CreateJob", create_a);
    bench.post_err = VTS_ERR_LIMIT;
    settle();
    close_bench();
}

static void refusals_have_their_codes(void)
{
    open_bench(1, 1);
    make_a();
    ask(0, "CreateJob", "{\"spec\":{\"sourceUri\":\"x\",\"targetLanguage\":\"de\"}}");
    settle();
    expect(0, 429, "as many jobs as it may");
    ask(0, "GetJob", "{\"jobId\":\"a\"}");
    ask(1, "GetJob", "{\"jobId\":\"a\"}");
    expect(1, 429, "too many requests");
    settle();
    expect(0, 200, "\"id\":\"a\"");
    is_store_broken = true;
    ask(0, "CancelJob", "{\"jobId\":\"a\"}");
    settle();
    expect(0, 503, "cannot be stored");
    is_store_broken = false;
    ask(0, "GetJob", "{\"jobId\":\"a\"}");
    settle();
    expect(0, 200, "STATE_PENDING");
    close_bench();
}

static void keeper_that_is_gone_is_a_server_that_stops(void)
{
    open_bench(10, 10);
    ask(0, "CreateJob", create_a);
    ask(1, "LeaseJob", lease_held);
    vts_keeper_port_fini(&bench.port);
    run_posts();
    expect(0, 503, "the server is stopping");
    expect(1, 503, "the server is stopping");
    ask(2, "GetJob", "{\"jobId\":\"a\"}");
    expect(2, 503, "the server is stopping");
    ask(2, "CreateJobs", "{\"requests\":[{}]}");
    expect(2, 200, "the server is stopping");
    close_bench();
}

/* ---- calls that are held --------------------------------------------------------------- */

static void worker_that_waits_gets_what_comes(void)
{
    open_bench(10, 10);
    ask(1, "LeaseJob", lease_held);
    settle();
    CU_ASSERT(!is_answered(1));
    make_a();
    settle();
    expect(1, 200, "\"token\":");
    close_bench();
}

static void wait_ends_a_little_before_the_client_gives_up(void)
{
    open_bench(10, 10);
    ask_within(0, "LeaseJob", lease_held, "1000");
    ask(1, "LeaseJob", "{\"waitTimeout\":\"100000s\"}");
    settle();
    now_ns += INT64_C(940) * VTS_NS_PER_MS;
    settle();
    CU_ASSERT(!is_answered(0));
    now_ns += INT64_C(10) * VTS_NS_PER_MS;
    settle();
    expect(0, 200, "{}");
    now_ns += INT64_C(299) * VTS_NS_PER_S;
    settle();
    CU_ASSERT(!is_answered(1));
    now_ns += VTS_NS_PER_S;
    settle();
    expect(1, 200, "{}");
    close_bench();
}

static void lease_of_a_call_that_is_gone_is_given_back(void)
{
    open_bench(10, 10);
    ask(1, "LeaseJob", lease_held);
    settle();
    ask(0, "CreateJob", create_a);
    step(); /* the lease is on its way to the loop */
    fake_exchange_close(&bench.fakes[1]);
    run_posts();
    expect(0, 200, "\"id\":\"a\"");
    step();
    ask(2, "LeaseJob", "{}");
    settle();
    expect(2, 200, "\"attempt\":1");
    close_bench();
}

static void worker_that_went_away_is_not_waited_for(void)
{
    open_bench(10, 10);
    ask(1, "LeaseJob", lease_held);
    settle();
    fake_exchange_close(&bench.fakes[1]);
    settle();
    make_a();
    ask(2, "LeaseJob", "{}");
    settle();
    expect(2, 200, "\"attempt\":1");
    close_bench();
}

static void connection_that_holds_too_many_calls_is_told(void)
{
    open_bench(10, 10);
    fake_exchange_init(&bench.fakes[0], VTS_METHOD_POST, "/vtstatus.v1.WorkerService/LeaseJob");
    bench.is_used[0] = true;
    bench.fakes[0].is_full = true;
    fake_exchange_add_header(&bench.fakes[0], "content-type", "application/json");
    vts_router_begin(&bench.router, &bench.fakes[0].exchange);
    (void)fake_exchange_give(&bench.fakes[0], vts_str_of(lease_held), SIZE_MAX); /* all of it */
    fake_exchange_give_end(&bench.fakes[0]);
    expect(0, 429, "too many wait");
    settle();
    close_bench();
}

static void drain_ends_what_waits(void)
{
    open_bench(10, 10);
    make_a();
    ask(1, "LeaseJob", "{}");
    settle();
    expect(1, 200, "\"token\":");
    ask(2, "LeaseJob", lease_held);
    settle();
    vts_rpc_loop_drain(bench.loop);
    CU_ASSERT(!is_answered(2));
    settle();
    expect(2, 503, "the server is stopping");
    /* Who comes later is not held either. */
    ask(3, "LeaseJob", lease_held);
    settle();
    settle();
    expect(3, 503, "the server is stopping");
    close_bench();
}

/* ---- several jobs ---------------------------------------------------------------------- */

static const char two[] =
    "{\"requests\":["
    "{\"jobId\":\"a\",\"spec\":{\"sourceUri\":\"x\",\"targetLanguage\":\"de\"}},"
    "{\"jobId\":\"b\",\"spec\":{\"sourceUri\":\"x\",\"targetLanguage\":\"fr\"}}]}";

static void batch_is_answered_when_all_of_it_is_done(void)
{
    open_bench(10, 10);
    ask(0, "CreateJobs", two);
    settle();
    expect(0, 200, "\"id\":\"a\"");
    expect(0, 200, "\"id\":\"b\"");
    ask(0, "CreateJobs", "{}");
    expect(0, 200, "{}");
    close_bench();
}

static void batch_past_the_limits_is_told_which_part(void)
{
    open_bench(1, 10);
    ask(0, "CreateJobs", two);
    settle();
    expect(0, 200, "\"id\":\"a\"");
    expect(0, 200, "as many jobs as it may");
    CU_ASSERT_EQUAL(bench.limits.hits[VTS_LIMIT_JOBS], 1);
    close_bench();
    open_bench(10, 1);
    ask(0, "CreateJobs", two);
    settle();
    expect(0, 200, "\"id\":\"a\"");
    expect(0, 200, "too many requests");
    CU_ASSERT_EQUAL(bench.limits.hits[VTS_LIMIT_JOB_REQUESTS], 1);
    close_bench();
}

static void batch_whose_call_is_gone_is_made_all_the_same(void)
{
    open_bench(10, 10);
    ask(0, "CreateJobs", two);
    fake_exchange_close(&bench.fakes[0]);
    settle();
    ask(1, "GetJob", "{\"jobId\":\"b\"}");
    settle();
    expect(1, 200, "\"id\":\"b\"");
    close_bench();
}

/* ---- without memory -------------------------------------------------------------------- */

/* The call is answered one way or the other, if need be along with the next. */
static void expect_any_answer(const char *method, const char *body)
{
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        open_bench(10, 10);
        make_a();
        (void)vts_mem_fail_after(count);
        ask(1, method, body);
        step();
        run_posts();
        has_failed = vts_mem_fail_after(-1) != 0;
        ask(2, "GetJob", "{\"jobId\":\"a\"}");
        settle();
        expect(2, 200, "\"id\":\"a\"");
        CU_ASSERT(is_answered(1));
        CU_ASSERT(has_failed || bench.fakes[1].exchange.response.code == 200);
        close_bench();
    }
}

static void call_without_memory_is_answered_still(void)
{
    expect_any_answer("GetJob", "{\"jobId\":\"a\"}");
    expect_any_answer("ListJobs", "{\"pageSize\":1}");
    expect_any_answer("CancelJob", "{\"jobId\":\"a\",\"reason\":\"r\"}");
    expect_any_answer("CreateJob", "{\"spec\":{\"sourceUri\":\"x\",\"targetLanguage\":\"de\"}}");
    expect_any_answer("CreateJobs",
                      "{\"requests\":[{\"spec\":{\"sourceUri\":\"x\",\"targetLanguage\":\"de\"}},"
                      "{\"jobId\":\"a\"}]}");
    expect_any_answer("LeaseJob", "{\"workerId\":\"w\"}");
}

static const struct vts_test tests[] = {
    {"answer_waits_for_the_commit", answer_waits_for_the_commit},
    {"answer_to_a_call_that_is_gone_is_dropped", answer_to_a_call_that_is_gone_is_dropped},
    {"answer_that_finds_no_room_comes_with_the_next",
     answer_that_finds_no_room_comes_with_the_next},
    {"answer_that_never_finds_room_is_let_go", answer_that_never_finds_room_is_let_go},
    {"refusals_have_their_codes", refusals_have_their_codes},
    {"keeper_that_is_gone_is_a_server_that_stops", keeper_that_is_gone_is_a_server_that_stops},
    {"worker_that_waits_gets_what_comes", worker_that_waits_gets_what_comes},
    {"wait_ends_a_little_before_the_client_gives_up",
     wait_ends_a_little_before_the_client_gives_up},
    {"lease_of_a_call_that_is_gone_is_given_back", lease_of_a_call_that_is_gone_is_given_back},
    {"worker_that_went_away_is_not_waited_for", worker_that_went_away_is_not_waited_for},
    {"connection_that_holds_too_many_calls_is_told", connection_that_holds_too_many_calls_is_told},
    {"drain_ends_what_waits", drain_ends_what_waits},
    {"batch_is_answered_when_all_of_it_is_done", batch_is_answered_when_all_of_it_is_done},
    {"batch_past_the_limits_is_told_which_part", batch_past_the_limits_is_told_which_part},
    {"batch_whose_call_is_gone_is_made_all_the_same",
     batch_whose_call_is_gone_is_made_all_the_same},
    {"call_without_memory_is_answered_still", call_without_memory_is_answered_still},
};

int main(void)
{
    return vts_test_run("test_job_service", tests, VTS_ARRAY_LEN(tests));
}
