/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_conn.c - server/http and server/rpc on a fake transport, with handlers that do anything.
 *
 * All that happens besides the peer's bytes comes from a generator whose seed is in the input, so
 * that a run can be repeated: how bytes are cut, what handlers do, how much the peer takes, how
 * time goes by, and which allocation fails.
 */
#include "tests/fuzz/fuzz_conn.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "server/http/http_server.h"
#include "server/obs/log.h"
#include "server/rpc/router.h"
#include "tests/support/fake_io.h"
#include "tests/unit/server/rpc/toy.h"
#include "toy.pb-c.h"

enum { HEAD_BYTES = 4, CALLS_MAX = 1000, TEXT_BYTES = 5000 };

/* What a handler keeps of its call, from the first event to the last. */
struct record {
    struct vts_list link;
    struct vts_call *call;
    bool is_paused;
    struct vts_timer timer;
};

static struct {
    struct vts_rng rng;
    struct vts_limits limits;
    struct vts_rpc *rpc;
    struct vts_service_row services[1];
    struct vts_loop *loop;
    struct vts_rpc_loop *rpc_loop;
    struct vts_router router;
    struct vts_http_shared shared;
    struct vts_http_server *server;
    struct vts_list records;
    size_t records_count;
    void (*posted)(void *argument);
    void *posted_argument;
} all;

static bool chance(unsigned one_in)
{
    return vts_rng_next(&all.rng) % one_in == 0;
}

static size_t up_to(size_t max)
{
    return (size_t)(vts_rng_next(&all.rng) % (max + 1));
}

/* ---- what handlers do ------------------------------------------------------------------------ */

static void tell(struct vts_call *call)
{
    static char text[TEXT_BYTES + 1];
    Toy__V1__Tell message = TOY__V1__TELL__INIT;
    size_t len = chance(4) ? up_to(TEXT_BYTES) : up_to(20);
    enum vts_err err;

    memset(text, 't', len);
    text[len] = '\0';
    message.text = text;
    vts_call_set_compress(call, (enum vts_compress)up_to(2));
    err = vts_call_send(call, &message.base);
    VTS_ASSERT(err == VTS_OK || err == VTS_ERR_AGAIN || err == VTS_ERR_CLOSED ||
               err == VTS_ERR_INVALID || err == VTS_ERR_NOMEM);
}

static void count_release(void *owner)
{
    ++*(unsigned *)owner;
}

static void tell_encoded(struct vts_call *call)
{
    static unsigned released;
    struct vts_encoded encoded = {.lead = "\x0a\x02",
                                  .lead_len = 2,
                                  .body = vts_str_of("xy"),
                                  .release = count_release,
                                  .owner = &released};

    (void)!vts_call_send_encoded(call, &encoded); /* what may go wrong is told by tell() */
}

static void finish(struct vts_call *call)
{
    const struct vts_error_detail details[] = {{"toy.v1.Tell", vts_str_of("\x0a\x01x")}};

    if (chance(3))
        vts_call_fail(call, (enum vts_rpc_code)up_to(16), "a \n message", details,
                      VTS_ARRAY_LEN(details));
    else
        vts_call_finish(call, (enum vts_rpc_code)up_to(chance(2) ? 0 : 16), NULL);
    VTS_ASSERT(vts_call_is_over(call));
}

/* It may come too late, or without memory. */
static void add_metadata(struct vts_call *call)
{
    (void)!vts_call_add_header(call, "x-head", vts_str_of("1"));
    (void)!vts_call_add_trailer(call, "x-tail-bin", vts_str_of("AAEC"));
}

static void on_timer(void *context)
{
    struct record *record = context;

    tell(record->call);
}

static void on_post(struct vts_call *call, void *context)
{
    (void)context;
    if (call != NULL && chance(2))
        finish(call);
}

static void post(struct vts_call *call)
{
    struct vts_call_ref ref;

    if (vts_call_make_ref(call, &ref) == VTS_OK)
        (void)!vts_call_post(ref, on_post, NULL); /* without memory it does not come */
}

static void resume(struct record *record)
{
    record->is_paused = false;
    vts_call_resume(record->call); /* the record may be gone */
}

/* Whatever a handler may do in any event. It is the last thing that is done with the record. */
static void act(struct record *record)
{
    struct vts_call *call = record->call;

    switch (up_to(13)) {
    case 0:
        finish(call);
        break;
    case 1:
        tell(call);
        finish(call);
        break;
    case 2:
        tell(call);
        break;
    case 3:
        tell_encoded(call);
        break;
    case 4:
        record->is_paused = true;
        vts_call_pause(call);
        break;
    case 5:
    case 6:
        resume(record);
        break;
    case 7:
        vts_call_start(call);
        break;
    case 8:
        add_metadata(call);
        break;
    case 9:
        vts_call_set_timer(call, &record->timer, vts_call_now_ns(call) + (int64_t)up_to(1000000));
        break;
    case 10:
        post(call);
        break;
    case 11:
        (void)vts_call_is_current(call, vts_str_of("W/\"r1\""));
        break;
    default:
        break;
    }
}

/* An event; the first one makes the record. */
static struct record *hear(struct vts_call *call)
{
    struct record *record = vts_call_data(call);

    VTS_ASSERT(!vts_call_is_over(call));
    if (record == NULL) {
        record = calloc(1, sizeof(*record));
        VTS_ASSERT(record != NULL && ++all.records_count <= CALLS_MAX);
        record->call = call;
        vts_timer_init(&record->timer, on_timer, record);
        vts_list_init(&record->link);
        vts_list_push_back(&all.records, &record->link);
        vts_call_set_data(call, record);
    }
    VTS_ASSERT(record->call == call);
    return record;
}

static void on_start(struct vts_call *call)
{
    act(hear(call));
}

static void on_message(struct vts_call *call, const ProtobufCMessage *message)
{
    const Toy__V1__Ask *ask = (const Toy__V1__Ask *)message;
    struct record *record = hear(call);
    struct vts_buf copy;
    size_t count = 0;

    VTS_ASSERT(!record->is_paused);
    /* Looks at all of the message, and at the head of the request. */
    vts_buf_init(&copy, SIZE_MAX / 2);
    vts_buf_append_text(&copy, ask->text);
    vts_buf_append(&copy, ask->body.data, ask->body.len);
    if (vts_call_headers(call, &count) != NULL)
        vts_buf_append_str(&copy, vts_call_headers(call, &count)[count - 1].value);
    vts_buf_append_str(&copy, vts_call_query(call));
    vts_buf_fini(&copy);
    if (chance(10) && vts_call_keep(call, 1) != VTS_OK) {
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, NULL);
        return;
    }
    act(record);
}

static void on_half_close(struct vts_call *call)
{
    struct record *record = hear(call);

    VTS_ASSERT(!record->is_paused);
    act(record);
}

static void on_writable(struct vts_call *call)
{
    VTS_ASSERT(vts_call_can_send(call));
    if (chance(2))
        act(hear(call));
}

static void on_drain(struct vts_call *call)
{
    act(hear(call));
}

static void on_end(struct vts_call *call)
{
    struct record *record = vts_call_data(call);

    VTS_ASSERT(vts_call_is_over(call) && record != NULL && record->call == call);
    vts_call_stop_timer(call, &record->timer);
    tell(call); /* in vain */
    vts_call_set_data(call, NULL);
    vts_list_remove(&record->link);
    all.records_count--;
    free(record);
}

static const struct vts_call_handler handler = {.on_start = on_start,
                                                .on_message = on_message,
                                                .on_half_close = on_half_close,
                                                .on_writable = on_writable,
                                                .on_end = on_end,
                                                .on_drain = on_drain};

static const struct vts_call_handler plain_handler = {.on_message = on_message, .on_end = on_end};

static const struct vts_method_row rows[] = {
    {.name = "Unary", .handler = &handler},
    {.name = "Read", .handler = &plain_handler},
    {.name = "Small", .request_max_bytes = TOY_SMALL_MAX_BYTES, .handler = &plain_handler},
    {.name = "Collect", .handler = &handler},
    {.name = "Repeat", .handler = &handler},
    {.name = "Chat", .handler = &handler},
};

/* ---- the server -------------------------------------------------------------------------------
 */

static void make_rpc(void)
{
    struct vts_rpc_options options = {.descriptor_set = vts_str_make(toy_set, toy_set_len),
                                      .services = all.services,
                                      .services_count = 1,
                                      .limits = &all.limits,
                                      .origins = "https://a.example"};
    enum vts_err err;

    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT);
    vts_limits_init(&all.limits);
    all.limits.values[VTS_LIMIT_CONNECTIONS] = 16; /* each run makes room for so many */
    all.limits.values[VTS_LIMIT_MESSAGE_BYTES] = 100000;
    all.limits.values[VTS_LIMIT_BODY_MEMORY] = 200000;
    all.services[0] = (struct vts_service_row){.descriptor = &toy__v1__toy_service__descriptor,
                                               .methods = rows,
                                               .methods_count = VTS_ARRAY_LEN(rows)};
    err = vts_rpc_new(&options, &all.rpc, NULL);
    VTS_ASSERT(err == VTS_OK);
}

static enum vts_err note_post(void *context, void (*fn)(void *), void *argument)
{
    (void)context;
    all.posted = fn;
    all.posted_argument = argument;
    return VTS_OK;
}

static void run_posts(void)
{
    void (*posted)(void *argument) = all.posted;

    all.posted = NULL;
    if (posted != NULL)
        posted(all.posted_argument);
}

static void open_server(void)
{
    const struct vts_http_handler router = {vts_router_begin, vts_router_handle, &all.router};
    enum vts_err err = vts_loop_new(&all.loop);

    VTS_ASSERT(err == VTS_OK);
    vts_list_init(&all.records);
    err = vts_rpc_loop_new(all.rpc, note_post, NULL, &all.rpc_loop);
    VTS_ASSERT(err == VTS_OK);
    all.router.rpc = all.rpc_loop;
    all.shared =
        (struct vts_http_shared){.limits = &all.limits, .servers = &all.server, .servers_count = 1};
    err = vts_http_server_new(all.loop, &all.shared, &router, -1, NULL, &all.server);
    VTS_ASSERT(err == VTS_OK);
    err = vts_http_server_listen_insecure(all.server, -1);
    VTS_ASSERT(err == VTS_OK);
}

static void close_server(void)
{
    fake_loop_turn(all.loop);
    run_posts();
    VTS_ASSERT(vts_list_is_empty(&all.rpc_loop->calls));
    VTS_ASSERT(vts_list_is_empty(&all.records) && all.records_count == 0);
    VTS_ASSERT(fake_loop_transports_count(all.loop) == 0);
    vts_http_server_stop(all.server);
    vts_loop_free(all.loop);
    vts_http_server_free(all.server);
    vts_rpc_loop_free(all.rpc_loop);
}

/* ---- what happens besides ----------------------------------------------------------------------
 */

static void disturb_a_call(void)
{
    struct vts_list *link = all.records.next;

    for (size_t skip = up_to(3); skip > 0 && link != &all.records; skip--)
        link = link->next;
    if (link != &all.records)
        act(VTS_CONTAINER_OF(link, struct record, link));
}

static void take_some(struct vts_transport *transport)
{
    size_t len = fake_transport_output(transport).len;

    fake_transport_take(transport, chance(2) ? len : up_to(len));
}

static void move_clock(void)
{
    static const int64_t steps_ns[] = {1000, VTS_NS_PER_MS, 100 * (int64_t)VTS_NS_PER_MS,
                                       3 * (int64_t)VTS_NS_PER_S, 20 * (int64_t)VTS_NS_PER_S};

    fake_loop_move_clock(all.loop, steps_ns[up_to(VTS_ARRAY_LEN(steps_ns) - 1)]);
}

static void drain(void)
{
    vts_rpc_loop_drain(all.rpc_loop);
    vts_http_server_drain(all.server, NULL, NULL);
}

static void disturb(struct vts_transport *transport)
{
    switch (up_to(11)) {
    case 0:
    case 1:
    case 2:
        disturb_a_call();
        break;
    case 3:
        fake_transport_set_room(transport, chance(2) ? SIZE_MAX : up_to(20000));
        break;
    case 4:
        move_clock(); /* the transport may be gone */
        break;
    case 5:
        if (chance(20))
            drain();
        break;
    case 6:
        run_posts();
        break;
    default:
        take_some(transport);
        break;
    }
}

static bool is_alive(void)
{
    fake_loop_turn(all.loop);
    return fake_loop_transports_count(all.loop) > 0;
}

static void play(struct vts_transport *transport, struct vts_str bytes)
{
    size_t most = chance(3) ? 20 : 20000; /* of bytes at once */

    while (is_alive() && !fake_transport_is_ended(transport)) {
        size_t len = up_to(bytes.len < most ? bytes.len : most);

        if (fake_transport_is_reading(transport)) {
            if (bytes.len == 0)
                break;
            fake_transport_give(transport, vts_str_make(bytes.ptr, len));
            bytes = vts_str_make(bytes.ptr + len, bytes.len - len);
        } else {
            take_some(transport);
        }
        while (is_alive() && chance(3))
            disturb(transport);
    }
    for (int i = 0; i < 10 && is_alive(); i++)
        disturb(transport);
}

void fuzz_conn_run(const char *alpn, const uint8_t *bytes, size_t len)
{
    struct vts_transport *transport;
    uint32_t seed;

    if (len < HEAD_BYTES)
        return;
    if (all.rpc == NULL)
        make_rpc();
    memcpy(&seed, bytes, sizeof(seed));
    vts_rng_init(&all.rng, seed);
    open_server();
    if (chance(4))
        (void)vts_mem_fail_after((long)up_to(200));
    transport = alpn == NULL ? fake_connect_insecure(all.loop) : fake_connect(all.loop, alpn);
    if (transport != NULL)
        play(transport, vts_str_make(bytes + HEAD_BYTES, len - HEAD_BYTES));
    (void)vts_mem_fail_after(-1);
    if (transport != NULL && is_alive())
        fake_transport_hang_up(transport,
                               chance(2) ? VTS_TRANSPORT_END_PEER : VTS_TRANSPORT_END_RESET);
    if (is_alive())
        fake_loop_move_clock(all.loop, 3600 * (int64_t)VTS_NS_PER_S); /* gives up on it */
    close_server();
}
