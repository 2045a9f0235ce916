/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_server.c - the beginning and the end of a server that nobody talks to. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/http/http_server.h"
#include "tests/unit/server/io/descriptors.h"
#include "tests/unit/server/io/scratch_certs.h"

struct bench {
    struct vts_loop *loop;
    struct vts_limits limits;
    struct vts_tls_ctx *tls;
    struct vts_http_shared shared;
    struct vts_http_server *server;
    unsigned drained;
};

static void answer_nothing(void *context, struct vts_exchange *exchange)
{
    (void)context;
    (void)exchange;
    CU_FAIL("nobody asked");
}

static void set_up(struct bench *bench)
{
    const struct vts_tls_files files = {.cert = scratch_certs_path("server.pem"),
                                        .key = scratch_certs_path("server-key.pem")};

    memset(bench, 0, sizeof(*bench));
    vts_limits_init(&bench->limits);
    bench->shared.limits = &bench->limits;
    bench->shared.servers = &bench->server;
    bench->shared.servers_count = 1;
    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&bench->loop), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_tls_ctx_new(&files, &bench->tls, NULL), VTS_OK);
}

static void tear_down(struct bench *bench)
{
    vts_http_server_stop(bench->server);
    vts_loop_free(bench->loop);
    vts_http_server_free(bench->server);
    vts_tls_ctx_unref(bench->tls);
}

static int listen_anywhere(void)
{
    struct vts_address address;
    int fd = -1;

    CU_ASSERT_EQUAL_FATAL(vts_address_parse("127.0.0.1:0", &address, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_listener_bind(&address, "--listen", 1, &fd, NULL), VTS_OK);
    return fd;
}

static enum vts_err make_server(struct bench *bench, int fd)
{
    static const struct vts_http_handler handler = {answer_nothing, answer_nothing, NULL};

    return vts_http_server_new(bench->loop, &bench->shared, &handler, fd,
                               vts_tls_ctx_ref(bench->tls), &bench->server);
}

static void server_that_is_stopped_closes_its_socket(void)
{
    struct bench bench;
    int fd = listen_anywhere();

    set_up(&bench);
    CU_ASSERT_EQUAL_FATAL(make_server(&bench, fd), VTS_OK);
    tear_down(&bench);
    CU_ASSERT_FALSE(descriptor_is_open(fd));
    vts_http_server_stop(NULL);
    vts_http_server_free(NULL);
}

static void server_without_memory_fails_and_closes_its_socket(void)
{
    struct bench bench;
    long count = 0;

    set_up(&bench);
    for (;; count++) {
        int fd = listen_anywhere();
        enum vts_err err;

        (void)vts_mem_fail_after(count);
        err = make_server(&bench, fd);
        if (vts_mem_fail_after(-1) == 0) {
            CU_ASSERT_EQUAL_FATAL(err, VTS_OK);
            break;
        }
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
        CU_ASSERT_PTR_NULL(bench.server);
        CU_ASSERT_FALSE(descriptor_is_open(fd));
    }
    CU_ASSERT(count >= 3); /* the server, its sessions' memory, the listener */
    tear_down(&bench);
}

static void on_drained(void *context)
{
    struct bench *bench = context;

    bench->drained++;
    vts_loop_stop(bench->loop);
}

static void drain_server(void *context)
{
    struct bench *bench = context;

    vts_http_server_drain(bench->server, on_drained, bench);
    vts_http_server_drain(bench->server, on_drained, bench);
}

static void server_without_connections_drains_at_once(void)
{
    struct bench bench;
    int fd = listen_anywhere();

    set_up(&bench);
    CU_ASSERT_EQUAL_FATAL(make_server(&bench, fd), VTS_OK);
    CU_ASSERT_EQUAL(vts_loop_post(bench.loop, drain_server, &bench), VTS_OK);
    vts_loop_run(bench.loop);
    CU_ASSERT_EQUAL(bench.drained, 1);
    CU_ASSERT_FALSE(descriptor_is_open(fd));
    tear_down(&bench);
}

static void server_without_tls_besides_closes_both_sockets(void)
{
    for (int drains = 0; drains < 2; drains++) {
        struct bench bench;
        int fd = listen_anywhere();
        int insecure_fd = listen_anywhere();

        set_up(&bench);
        CU_ASSERT_EQUAL_FATAL(make_server(&bench, fd), VTS_OK);
        CU_ASSERT_EQUAL_FATAL(vts_http_server_listen_insecure(bench.server, insecure_fd), VTS_OK);
        if (drains) {
            CU_ASSERT_EQUAL(vts_loop_post(bench.loop, drain_server, &bench), VTS_OK);
            vts_loop_run(bench.loop);
            CU_ASSERT_EQUAL(bench.drained, 1);
        }
        tear_down(&bench);
        CU_ASSERT_FALSE(descriptor_is_open(fd));
        CU_ASSERT_FALSE(descriptor_is_open(insecure_fd));
    }
}

static void second_socket_without_memory_is_closed(void)
{
    struct bench bench;
    int fd = listen_anywhere();
    int insecure_fd = listen_anywhere();

    set_up(&bench);
    CU_ASSERT_EQUAL_FATAL(make_server(&bench, fd), VTS_OK);
    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_http_server_listen_insecure(bench.server, insecure_fd), VTS_ERR_NOMEM);
    (void)vts_mem_fail_after(-1);
    CU_ASSERT_FALSE(descriptor_is_open(insecure_fd));
    tear_down(&bench);
}

static void server_takes_the_certificate_it_is_given(void)
{
    struct bench bench;

    set_up(&bench);
    CU_ASSERT_EQUAL_FATAL(make_server(&bench, listen_anywhere()), VTS_OK);
    for (int i = 0; i < 3; i++)
        vts_http_server_set_tls(bench.server, vts_tls_ctx_ref(bench.tls));
    tear_down(&bench); /* the sanitizer counts the references */
}

static const struct vts_test tests[] = {
    {"server_that_is_stopped_closes_its_socket", server_that_is_stopped_closes_its_socket},
    {"server_without_memory_fails_and_closes_its_socket",
     server_without_memory_fails_and_closes_its_socket},
    {"server_without_connections_drains_at_once", server_without_connections_drains_at_once},
    {"server_without_tls_besides_closes_both_sockets",
     server_without_tls_besides_closes_both_sockets},
    {"second_socket_without_memory_is_closed", second_socket_without_memory_is_closed},
    {"server_takes_the_certificate_it_is_given", server_takes_the_certificate_it_is_given},
};

int main(void)
{
    return scratch_certs_run("test_http_server", tests, VTS_ARRAY_LEN(tests));
}
