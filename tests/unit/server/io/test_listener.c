/* SPDX-License-Identifier: Apache-2.0 */
/* test_listener.c - addresses, who may bind where, and accepting within bounds. */
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/io/listener.h"
#include "tests/support/suite.h"
#include "tests/unit/server/io/descriptors.h"

enum { SOCKETS = 3 };

static struct vts_address parse(const char *text)
{
    struct vts_error error = {.text = ""};
    struct vts_address address;

    CU_ASSERT_EQUAL_FATAL(vts_address_parse(text, &address, &error), VTS_OK);
    return address;
}

static void address_in_each_form_is_read_and_written(void)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1:5000", "127.0.0.1", 5000},
        {"0.0.0.0:0", "0.0.0.0", 0},
        {"192.0.2.7:65535", "192.0.2.7", 65535},
        {"10.99.100.255:1", "10.99.100.255", 1},
        {"[::1]:5000", "::1", 5000},
        {"[::]:1", "::", 1},
        {"[2001:db8::1]:443", "2001:db8::1", 443},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_address address = parse(rows[i].text);
        char text[VTS_ADDRESS_TEXT_BYTES];

        vts_address_format(&address, text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].host);
        CU_ASSERT_EQUAL(vts_address_port(&address), rows[i].port);
    }
}

static void address_by_name_is_resolved(void)
{
    struct vts_address address = parse("localhost:5000");
    char text[VTS_ADDRESS_TEXT_BYTES];

    vts_address_format(&address, text);
    CU_ASSERT(strcmp(text, "127.0.0.1") == 0 || strcmp(text, "::1") == 0);
    CU_ASSERT_EQUAL(vts_address_port(&address), 5000);
}

static void address_of_any_other_form_is_refused_by_name(void)
{
    static const char *const texts[] = {
        "",      "5000",          ":5000",       "127.0.0.1",       "127.0.0.1:",
        "[]:1",  "127.0.0.1:-1",  "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:123456",
        "[::1]", "127.0.0.1: 80", "[::1]:",      "127.0.0.1:0x50",  "127.0.0.1:80 ",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++) {
        struct vts_error error = {.text = ""};
        struct vts_address address = {.len = 77};
        char quoted[64];

        (void)snprintf(quoted, sizeof(quoted), "\"%s\" is no ADDRESS:PORT", texts[i]);
        CU_ASSERT_EQUAL(vts_address_parse(texts[i], &address, &error), VTS_ERR_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, quoted));
        CU_ASSERT_EQUAL(address.len, 77);
    }
}

static void address_that_does_not_resolve_is_refused_by_name(void)
{
    char text[600];
    struct vts_error error = {.text = ""};
    struct vts_address address;

    /* A label of more than 63 characters is no name, which needs no network to find out. */
    (void)snprintf(text, sizeof(text), "%070d.x:80", 1);
    CU_ASSERT_EQUAL(vts_address_parse(text, &address, &error), VTS_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot resolve"));
    memset(text, 'a', sizeof(text));
    (void)snprintf(text + 300, sizeof(text) - 300, ":80");
    CU_ASSERT_EQUAL(vts_address_parse(text, &address, &error), VTS_ERR_INVALID);
}

static void loopback_address_is_taken_in_each_form(void)
{
    static const char *const texts[] = {
        "127.0.0.1:5001", "127.0.0.0:1",    "127.255.255.255:0",     "127.1:80",
        "[::1]:5001",     "localhost:5001", "[::ffff:127.0.0.1]:80",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++) {
        struct vts_error error = {.text = ""};
        struct vts_address address;

        CU_ASSERT_EQUAL(vts_address_parse_loopback(texts[i], &address, &error), VTS_OK);
        CU_ASSERT_STRING_EQUAL(error.text, "");
        CU_ASSERT(vts_address_port(&address) != 5000);
    }
}

static void other_address_is_no_loopback(void)
{
    static const char *const texts[] = {"0.0.0.0:0",        "[::]:0",       "126.255.255.255:1",
                                        "128.0.0.1:1",      "192.0.2.1:80", "[::2]:1",
                                        "[1::1]:1",         "[fe80::1]:1",  "[::ffff:126.0.0.1]:80",
                                        "[::127.0.0.1]:80", "0.0.0.127:1"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++) {
        struct vts_error error = {.text = ""};
        struct vts_address address = {.len = 77};

        CU_ASSERT_EQUAL(vts_address_parse_loopback(texts[i], &address, &error), VTS_ERR_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, texts[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "use 127.0.0.1:PORT or [::1]:PORT"));
        CU_ASSERT_EQUAL(address.len, 77);
    }
}

static void loopback_address_that_is_none_is_refused_by_name(void)
{
    struct vts_error error = {.text = ""};
    struct vts_address address = {.len = 77};

    CU_ASSERT_EQUAL(vts_address_parse_loopback("5001", &address, &error), VTS_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "\"5001\" is no ADDRESS:PORT"));
    CU_ASSERT_EQUAL(address.len, 77);
}

static void address_that_is_none_is_written_as_unknown(void)
{
    struct vts_address address = {.len = 0};
    char text[VTS_ADDRESS_TEXT_BYTES];

    vts_address_format(&address, text);
    CU_ASSERT_STRING_EQUAL(text, "unknown");
}

/* ---- binding ----------------------------------------------------------------------------- */

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        CU_ASSERT_EQUAL(close(fds[i]), 0);
}

static int get_option(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);

    CU_ASSERT_EQUAL(getsockopt(fd, SOL_SOCKET, option, &value, &len), 0);
    return value;
}

static void bind_of_port_zero_shares_one_port(void)
{
    static const char *const texts[] = {"127.0.0.1:0", "[::1]:0"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++) {
        struct vts_address address = parse(texts[i]);
        struct vts_error error;
        int fds[SOCKETS];

        CU_ASSERT_EQUAL_FATAL(vts_listener_bind(&address, "--listen", SOCKETS, fds, &error),
                              VTS_OK);
        CU_ASSERT_NOT_EQUAL(vts_address_port(&address), 0);
        for (int j = 0; j < SOCKETS; j++) {
            struct vts_address own = {.len = sizeof(own.of)};

            CU_ASSERT_EQUAL(getsockname(fds[j], &own.of.any, &own.len), 0);
            CU_ASSERT_EQUAL(vts_address_port(&own), vts_address_port(&address));
            CU_ASSERT_EQUAL(get_option(fds[j], SO_ACCEPTCONN), 1);
            CU_ASSERT_EQUAL(get_option(fds[j], SO_REUSEPORT), 1);
        }
        close_all(fds, SOCKETS);
    }
}

static void bind_to_a_port_in_use_is_refused_by_number(void)
{
    struct vts_address address = parse("127.0.0.1:0");
    struct vts_error error = {.text = ""};
    int fds[SOCKETS];
    int others[SOCKETS];
    unsigned open_count;
    char expected[64];

    CU_ASSERT_EQUAL_FATAL(vts_listener_bind(&address, "--listen", SOCKETS, fds, &error), VTS_OK);
    open_count = descriptors_count();
    for (unsigned count = 1; count <= SOCKETS; count++)
        CU_ASSERT_EQUAL(vts_listener_bind(&address, "--listen", count, others, &error),
                        VTS_ERR_CONFLICT);
    (void)snprintf(expected, sizeof(expected), "port %u of 127.0.0.1 is already in use",
                   vts_address_port(&address));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, expected));
    CU_ASSERT_EQUAL(descriptors_count(), open_count);
    close_all(fds, SOCKETS);
    CU_ASSERT_EQUAL_FATAL(vts_listener_bind(&address, "--listen", 1, fds, &error), VTS_OK);
    close_all(fds, 1);
}

static void bind_beside_somebody_who_shares_is_refused(void)
{
    struct vts_address address = parse("127.0.0.1:0");
    int on = 1;
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd;

    CU_ASSERT_FATAL(other >= 0);
    CU_ASSERT_EQUAL_FATAL(setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
    CU_ASSERT_EQUAL_FATAL(bind(other, &address.of.any, address.len), 0);
    CU_ASSERT_EQUAL_FATAL(listen(other, 1), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(other, &address.of.any, &address.len), 0);
    CU_ASSERT_EQUAL(vts_listener_bind(&address, "--listen", 1, &fd, NULL), VTS_ERR_CONFLICT);
    CU_ASSERT_EQUAL(close(other), 0);
}

static void bind_to_a_foreign_address_says_why(void)
{
    struct vts_address address = parse("192.0.2.1:0"); /* RFC 5737: nobody's */
    struct vts_error error = {.text = ""};
    int fds[SOCKETS];

    CU_ASSERT_EQUAL(vts_listener_bind(&address, "--listen", SOCKETS, fds, &error), VTS_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot listen on port 0 of 192.0.2.1: "));
}

static void bind_without_descriptors_leaves_none_open(void)
{
    struct vts_address address = parse("127.0.0.1:0");
    unsigned open_count = descriptors_count();
    int fds[SOCKETS];

    for (unsigned more = 0; more < SOCKETS; more++) {
        struct rlimit before = descriptors_limit(more);

        address = parse("127.0.0.1:0");
        CU_ASSERT_EQUAL(vts_listener_bind(&address, "--listen", SOCKETS, fds, NULL), VTS_ERR_IO);
        descriptors_restore(&before);
        CU_ASSERT_EQUAL(descriptors_count(), open_count);
    }
}

/* ---- accepting --------------------------------------------------------------------------- */

struct bench {
    struct vts_loop *loop;
    struct vts_address address;
    struct vts_listener *listener;
    int accepted;
    int wanted; /* the loop stops after so many */
    char peer[VTS_ADDRESS_TEXT_BYTES];
};

static void on_accept(void *context, int fd, const struct vts_address *peer)
{
    struct bench *bench = context;

    vts_address_format(peer, bench->peer);
    CU_ASSERT_EQUAL(close(fd), 0);
    if (++bench->accepted == bench->wanted)
        vts_loop_stop(bench->loop);
}

static void set_up(struct bench *bench, struct vts_loop *loop)
{
    int fd;

    *bench = (struct bench){.loop = loop, .address = parse("127.0.0.1:0"), .wanted = 1};
    CU_ASSERT_EQUAL_FATAL(vts_listener_bind(&bench->address, "--listen", 1, &fd, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_listener_new(loop, fd, on_accept, bench, &bench->listener), VTS_OK);
}

static struct vts_loop *make_loop(void)
{
    struct vts_loop *loop = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&loop), VTS_OK);
    return loop;
}

/* A connection, which is in the kernel's queue when this returns. */
static int connect_to(const struct vts_address *address)
{
    int fd = socket(address->of.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(connect(fd, &address->of.any, address->len), 0);
    return fd;
}

static void listener_accepts_all_that_connect(void)
{
    enum { CLIENTS = 50 };
    struct vts_loop *loop = make_loop();
    struct bench bench;
    int clients[CLIENTS];

    set_up(&bench, loop);
    bench.wanted = CLIENTS;
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(&bench.address);
    vts_loop_run(loop);
    CU_ASSERT_EQUAL(bench.accepted, CLIENTS);
    CU_ASSERT_STRING_EQUAL(bench.peer, "127.0.0.1");
    close_all(clients, CLIENTS);
    vts_listener_close(bench.listener);
    vts_loop_free(loop);
}

static void listener_that_is_paused_lets_connections_wait(void)
{
    struct vts_loop *loop = make_loop();
    struct bench paused;
    struct bench open;
    int clients[2];

    set_up(&paused, loop);
    set_up(&open, loop);
    vts_listener_set_paused(paused.listener, true);
    vts_listener_set_paused(paused.listener, true);
    clients[0] = connect_to(&paused.address);
    clients[1] = connect_to(&open.address);
    vts_loop_run(loop); /* until the one that came later is accepted */
    CU_ASSERT_EQUAL(open.accepted, 1);
    CU_ASSERT_EQUAL(paused.accepted, 0);
    vts_listener_set_paused(paused.listener, false);
    vts_loop_run(loop);
    CU_ASSERT_EQUAL(paused.accepted, 1);
    close_all(clients, 2);
    vts_listener_close(paused.listener);
    vts_listener_close(open.listener);
    vts_loop_free(loop);
}

struct shortage {
    struct vts_timer timer;
    struct bench *bench;
    struct rlimit before;
    bool has_ended;
};

/* Ends the shortage once the listener has met it. */
static void look_again(void *context)
{
    struct shortage *shortage = context;
    struct vts_loop *loop = shortage->bench->loop;
    uint64_t sums[VTS_METRIC_COUNT] = {0};

    vts_metrics_sum(vts_loop_metrics(loop), sums);
    if (sums[VTS_METRIC_ACCEPT_ERRORS] == 0) {
        vts_loop_timer_set(loop, &shortage->timer, vts_loop_now_ns(loop) + VTS_NS_PER_MS);
        return;
    }
    descriptors_restore(&shortage->before);
    shortage->has_ended = true;
}

static void listener_without_descriptors_accepts_later(void)
{
    struct vts_loop *loop = make_loop();
    struct shortage shortage;
    struct bench bench;
    int client;

    set_up(&bench, loop);
    client = connect_to(&bench.address);
    shortage = (struct shortage){.bench = &bench, .before = descriptors_limit(0)};
    vts_timer_init(&shortage.timer, look_again, &shortage);
    vts_loop_timer_set(loop, &shortage.timer, vts_loop_now_ns(loop));
    vts_loop_run(loop);
    CU_ASSERT(shortage.has_ended);
    CU_ASSERT_EQUAL(bench.accepted, 1);
    CU_ASSERT_EQUAL(close(client), 0);
    vts_listener_close(bench.listener);
    vts_loop_free(loop);
}

static void listener_without_memory_closes_its_socket(void)
{
    struct vts_loop *loop = make_loop();
    struct vts_address address = parse("127.0.0.1:0");
    struct vts_listener *listener = NULL;
    int fd;

    CU_ASSERT_EQUAL_FATAL(vts_listener_bind(&address, "--listen", 1, &fd, NULL), VTS_OK);
    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_listener_new(loop, fd, on_accept, NULL, &listener), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_PTR_NULL(listener);
    CU_ASSERT_FALSE(descriptor_is_open(fd));
    vts_listener_close(NULL);
    vts_loop_free(loop);
}

static const struct vts_test tests[] = {
    {"address_in_each_form_is_read_and_written", address_in_each_form_is_read_and_written},
    {"address_by_name_is_resolved", address_by_name_is_resolved},
    {"address_of_any_other_form_is_refused_by_name", address_of_any_other_form_is_refused_by_name},
    {"address_that_does_not_resolve_is_refused_by_name",
     address_that_does_not_resolve_is_refused_by_name},
    {"loopback_address_is_taken_in_each_form", loopback_address_is_taken_in_each_form},
    {"other_address_is_no_loopback", other_address_is_no_loopback},
    {"loopback_address_that_is_none_is_refused_by_name",
     loopback_address_that_is_none_is_refused_by_name},
    {"address_that_is_none_is_written_as_unknown", address_that_is_none_is_written_as_unknown},
    {"bind_of_port_zero_shares_one_port", bind_of_port_zero_shares_one_port},
    {"bind_to_a_port_in_use_is_refused_by_number", bind_to_a_port_in_use_is_refused_by_number},
    {"bind_beside_somebody_who_shares_is_refused", bind_beside_somebody_who_shares_is_refused},
    {"bind_to_a_foreign_address_says_why", bind_to_a_foreign_address_says_why},
    {"bind_without_descriptors_leaves_none_open", bind_without_descriptors_leaves_none_open},
    {"listener_accepts_all_that_connect", listener_accepts_all_that_connect},
    {"listener_that_is_paused_lets_connections_wait",
     listener_that_is_paused_lets_connections_wait},
    {"listener_without_descriptors_accepts_later", listener_without_descriptors_accepts_later},
    {"listener_without_memory_closes_its_socket", listener_without_memory_closes_its_socket},
};

int main(void)
{
    return vts_test_run("test_listener", tests, VTS_ARRAY_LEN(tests));
}
