/* SPDX-License-Identifier: Apache-2.0 */
/* test_preface.c - which HTTP a connection without TLS speaks, however its bytes are cut. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/http/http_server.h"
#include "server/obs/log.h"
#include "tests/support/fake_io.h"
#include "tests/support/suite.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* Long enough that each is cut into many pieces; both have what answers at once. */
static const char h2_bytes[] = PREFACE "\0\0\0\4\0\0\0\0\0";
static const char h1_bytes[] = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
static const char settings_head[] = "\4\0\0\0\0\0"; /* behind the length: type, flags, stream */

static struct {
    struct vts_limits limits;
    struct vts_loop *loop;
    struct vts_http_shared shared;
    struct vts_http_server *server;
    unsigned requests;
} all;

static void answer(void *context, struct vts_exchange *exchange)
{
    (void)context;
    all.requests += exchange->request.fault == 0 ? 1 : 0;
    exchange->response.code = exchange->request.fault == 0 ? 404 : exchange->request.fault;
    vts_exchange_send(exchange);
}

static void begin_nothing(void *context, struct vts_exchange *exchange)
{
    (void)context;
    (void)exchange;
}

static void open_all(const char *limits)
{
    const struct vts_http_handler handler = {begin_nothing, answer, NULL};

    memset(&all, 0, sizeof(all));
    vts_limits_init(&all.limits);
    if (limits != NULL)
        CU_ASSERT_EQUAL_FATAL(vts_limits_parse(&all.limits, limits, NULL), VTS_OK);
    all.shared =
        (struct vts_http_shared){.limits = &all.limits, .servers = &all.server, .servers_count = 1};
    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&all.loop), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(
        vts_http_server_new(all.loop, &all.shared, &handler, -1, NULL, &all.server), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_http_server_listen_insecure(all.server, -1), VTS_OK);
}

static void close_all(void)
{
    vts_http_server_stop(all.server);
    fake_loop_turn(all.loop);
    CU_ASSERT_EQUAL(fake_loop_transports_count(all.loop), 0);
    vts_loop_free(all.loop);
    vts_http_server_free(all.server);
}

static struct vts_transport *connect_peer(void)
{
    struct vts_transport *transport = fake_connect_insecure(all.loop);

    CU_ASSERT_PTR_NOT_NULL_FATAL(transport);
    return transport;
}

static void give(struct vts_transport *transport, const char *bytes, size_t len)
{
    fake_transport_give(transport, vts_str_make(bytes, len));
}

static bool has_settings(struct vts_str output)
{
    return output.len > 9 && memcmp(output.ptr + 3, settings_head, 6) == 0;
}

static bool has_404(struct vts_str output)
{
    return vts_str_starts_with(output, "HTTP/1.1 404 ");
}

static uint64_t hits(enum vts_limit limit)
{
    return atomic_load(&all.limits.hits[limit]);
}

static void preface_cut_anywhere_begins_http_2(void)
{
    for (size_t cut = 0; cut <= sizeof(h2_bytes) - 1; cut++) {
        struct vts_transport *transport;

        open_all(NULL);
        transport = connect_peer();
        give(transport, h2_bytes, cut);
        CU_ASSERT_EQUAL(has_settings(fake_transport_output(transport)), cut >= strlen(PREFACE));
        give(transport, h2_bytes + cut, sizeof(h2_bytes) - 1 - cut);
        CU_ASSERT(has_settings(fake_transport_output(transport)));
        CU_ASSERT_FALSE(fake_transport_is_ended(transport));
        close_all();
    }
}

static void preface_byte_by_byte_begins_http_2(void)
{
    struct vts_transport *transport;

    open_all(NULL);
    transport = connect_peer();
    for (size_t i = 0; i < sizeof(h2_bytes) - 1; i++)
        give(transport, h2_bytes + i, 1);
    CU_ASSERT(has_settings(fake_transport_output(transport)));
    CU_ASSERT_FALSE(fake_transport_is_ended(transport));
    close_all();
}

static void request_cut_anywhere_is_http_1(void)
{
    for (size_t cut = 0; cut <= sizeof(h1_bytes) - 1; cut++) {
        struct vts_transport *transport;

        open_all(NULL);
        transport = connect_peer();
        give(transport, h1_bytes, cut);
        give(transport, h1_bytes + cut, sizeof(h1_bytes) - 1 - cut);
        CU_ASSERT(has_404(fake_transport_output(transport)));
        CU_ASSERT_EQUAL(all.requests, 1);
        CU_ASSERT_FALSE(fake_transport_is_ended(transport));
        close_all();
    }
}

/* The bytes that matched are not lost to HTTP/1.1, which refuses the method by its own rules. */
static void almost_a_preface_is_http_1(void)
{
    static const char rest[] = "\r\nHost: a\r\n\r\n";

    for (size_t same = 1; same < strlen(PREFACE); same++) {
        struct vts_transport *transport;
        struct vts_str output;

        open_all(NULL);
        transport = connect_peer();
        give(transport, PREFACE, same);
        CU_ASSERT_EQUAL(fake_transport_output(transport).len, 0);
        give(transport, "?", 1);
        if (!fake_transport_is_ended(transport))
            give(transport, rest, sizeof(rest) - 1);
        output = fake_transport_output(transport);
        CU_ASSERT(vts_str_starts_with(output, "HTTP/1.1 4") ||
                  vts_str_starts_with(output, "HTTP/1.1 5"));
        CU_ASSERT_EQUAL(all.requests, 0);
        close_all();
    }
}

static void method_that_begins_as_the_preface_is_http_1(void)
{
    static const char post[] = "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    struct vts_transport *transport;

    open_all(NULL);
    transport = connect_peer();
    for (size_t i = 0; i < sizeof(post) - 1; i++)
        give(transport, post + i, 1);
    CU_ASSERT(has_404(fake_transport_output(transport)));
    close_all();
}

static void bytes_that_begin_no_http_end_the_connection(void)
{
    static const char firsts[] = {22, 0, 1, ' ', '\t', 0x7f, (char)0x80, (char)0xff};

    for (size_t i = 0; i < sizeof(firsts); i++) {
        struct vts_transport *transport;

        open_all(NULL);
        transport = connect_peer();
        give(transport, &firsts[i], 1);
        CU_ASSERT(fake_transport_is_ended(transport));
        CU_ASSERT_EQUAL(fake_transport_output(transport).len, 0);
        close_all();
    }
}

static void empty_line_before_a_request_is_http_1(void)
{
    struct vts_transport *transport;

    open_all(NULL);
    transport = connect_peer();
    give(transport, "\r\n", 2);
    give(transport, h1_bytes, sizeof(h1_bytes) - 1);
    CU_ASSERT(has_404(fake_transport_output(transport)));
    close_all();
}

static void peer_has_the_preface_time_and_no_more(void)
{
    for (size_t len = 0; len < strlen(PREFACE); len += 23) {
        struct vts_transport *transport;

        open_all("preface_ms=500,handshake_ms=100");
        transport = connect_peer();
        give(transport, PREFACE, len);
        fake_loop_move_clock(all.loop, 400 * (int64_t)VTS_NS_PER_MS);
        CU_ASSERT_FALSE(fake_transport_is_ended(transport));
        CU_ASSERT_EQUAL(hits(VTS_LIMIT_PREFACE_MS), 0);
        fake_loop_move_clock(all.loop, 101 * (int64_t)VTS_NS_PER_MS);
        CU_ASSERT_EQUAL(hits(VTS_LIMIT_PREFACE_MS), 1);
        CU_ASSERT_EQUAL(hits(VTS_LIMIT_HANDSHAKE_MS), 0);
        close_all();
    }
}

/* Byte by byte does not make the time longer. */
static void preface_that_drips_is_cut(void)
{
    struct vts_transport *transport;

    open_all("preface_ms=500");
    transport = connect_peer();
    for (size_t i = 0; i < 6; i++) {
        CU_ASSERT_FALSE_FATAL(fake_transport_is_ended(transport));
        give(transport, &PREFACE[i], 1);
        fake_loop_move_clock(all.loop, 90 * (int64_t)VTS_NS_PER_MS);
    }
    CU_ASSERT_EQUAL(hits(VTS_LIMIT_PREFACE_MS), 1);
    close_all();
}

static void connection_that_has_said_nothing_drains_at_once(void)
{
    struct vts_transport *transport;

    open_all(NULL);
    transport = connect_peer();
    vts_http_server_drain(all.server, NULL, NULL);
    CU_ASSERT(fake_transport_is_ended(transport));
    CU_ASSERT_PTR_NULL(fake_connect_insecure(all.loop));
    CU_ASSERT_PTR_NULL(fake_connect(all.loop, "h2"));
    close_all();
}

/* The connection limit is one for both listeners; that of handshakes is for those who shake hands.
 */
static void connections_of_both_listeners_are_counted_together(void)
{
    open_all("connections=3");
    (void)connect_peer();
    CU_ASSERT_PTR_NOT_NULL(fake_connect(all.loop, "h2"));
    CU_ASSERT_EQUAL(hits(VTS_LIMIT_CONNECTIONS), 0);
    (void)connect_peer();
    CU_ASSERT_EQUAL(hits(VTS_LIMIT_CONNECTIONS), 1);
    CU_ASSERT_PTR_NULL(fake_connect_insecure(all.loop));
    CU_ASSERT_PTR_NULL(fake_connect(all.loop, "h2"));
    CU_ASSERT_EQUAL(hits(VTS_LIMIT_HANDSHAKES), 0);
    close_all();
}

static void connections_without_memory_leave_nothing(void)
{
    bool is_whole = false;

    for (long count = 0; !is_whole; count++) {
        struct vts_transport *transport;

        open_all(NULL);
        (void)vts_mem_fail_after(count);
        transport = fake_connect_insecure(all.loop);
        if (transport != NULL && !fake_transport_is_ended(transport))
            give(transport, h1_bytes, sizeof(h1_bytes) - 1);
        is_whole = vts_mem_fail_after(-1) == 0;
        CU_ASSERT(!is_whole || has_404(fake_transport_output(transport)));
        close_all();
        CU_ASSERT_EQUAL(atomic_load(&all.shared.connections), 0);
    }
}

static const struct vts_test tests[] = {
    {"preface_cut_anywhere_begins_http_2", preface_cut_anywhere_begins_http_2},
    {"preface_byte_by_byte_begins_http_2", preface_byte_by_byte_begins_http_2},
    {"request_cut_anywhere_is_http_1", request_cut_anywhere_is_http_1},
    {"almost_a_preface_is_http_1", almost_a_preface_is_http_1},
    {"method_that_begins_as_the_preface_is_http_1", method_that_begins_as_the_preface_is_http_1},
    {"bytes_that_begin_no_http_end_the_connection", bytes_that_begin_no_http_end_the_connection},
    {"empty_line_before_a_request_is_http_1", empty_line_before_a_request_is_http_1},
    {"peer_has_the_preface_time_and_no_more", peer_has_the_preface_time_and_no_more},
    {"preface_that_drips_is_cut", preface_that_drips_is_cut},
    {"connection_that_has_said_nothing_drains_at_once",
     connection_that_has_said_nothing_drains_at_once},
    {"connections_of_both_listeners_are_counted_together",
     connections_of_both_listeners_are_counted_together},
    {"connections_without_memory_leave_nothing", connections_without_memory_leave_nothing},
};

int main(void)
{
    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT); /* not each connection's end */
    return vts_test_run("test_preface", tests, VTS_ARRAY_LEN(tests));
}
