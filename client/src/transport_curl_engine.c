/* SPDX-License-Identifier: Apache-2.0 */
/* transport_curl_engine.c - libcurl's multi_socket interface.
 *
 * What libcurl says of a transfer's end is gathered first and told afterwards, outside of libcurl,
 * so that whoever is told may start and stop others.
 *
 * After a failed request the next one gets a new connection: over HTTP/2 libcurl would keep one
 * that went dead, and all that comes after it would die there too. That is not enough where no
 * answer came in time: the dead one would still be there, and be taken before newer ones.
 */
#include "client/src/transport_curl_engine.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/transport_curl_easy.h"
#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/mem.h"

enum {
    MAX_CONNECTIONS = 16, /* to an HTTP/1.1 server each held request has one */
    FREE_CONNECTIONS = 2, /* of them, for requests that are answered at once */
    MAX_PATH_LEN = 192,
    MAX_ETAG_LEN = 48,
    MAX_BODY_BYTES = 1 << 20,
};

struct vts_transfer {
    struct vts_list member; /* of running or over */
    struct vts_easy easy;
    struct vts_request request;
    struct vts_answer answer;
    char path[MAX_PATH_LEN];
    char etag[MAX_ETAG_LEN];
    struct vts_buf body;
    vts_transfer_done_fn on_done;
    void *context;
    CURLcode result;
};

struct vts_engine {
    const struct vts_easy_config *config;
    CURLM *multi;
    struct vts_list running;
    struct vts_list over;
    size_t transfers_count;
    struct vts_waiter_fd fds[VTS_ENGINE_MAX_FDS];
    size_t fds_count;
    int64_t due_ns; /* libcurl's timer */
    bool is_fresh_wanted;
    bool has_met_server;
    bool is_multiplexed; /* by its last answer; many requests share a connection */
    vts_wait_fd_fn on_fd;
    void *fd_context;
};

/* ---- libcurl's wishes ------------------------------------------------------------------------ */

static struct vts_waiter_fd *find_fd(struct vts_engine *engine, int fd)
{
    for (size_t i = 0; i < engine->fds_count; i++)
        if (engine->fds[i].fd == fd)
            return &engine->fds[i];
    return NULL;
}

static unsigned events_of(int what)
{
    return (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? VTS_WAIT_READ : 0U) |
           (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? VTS_WAIT_WRITE : 0U);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct vts_engine *engine = context;
    struct vts_waiter_fd *known = find_fd(engine, fd);

    (void)easy;           /* whose socket it is does not matter */
    (void)socket_context; /* nothing is kept with a socket */
    if (known == NULL && engine->fds_count == VTS_ENGINE_MAX_FDS)
        return -1; /* libcurl then fails the transfer */
    if (what == CURL_POLL_REMOVE && known != NULL)
        *known = engine->fds[--engine->fds_count];
    else if (what != CURL_POLL_REMOVE && known == NULL)
        engine->fds[engine->fds_count++] = (struct vts_waiter_fd){fd, events_of(what)};
    else if (known != NULL)
        known->events = events_of(what);
    if (engine->on_fd != NULL)
        engine->on_fd(fd, events_of(what), engine->fd_context);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct vts_engine *engine = context;

    (void)multi; /* there is one */
    engine->due_ns =
        timeout_ms < 0 ? INT64_MAX : vts_clock_now_ns() + (int64_t)timeout_ms * VTS_NS_PER_MS;
    return 0;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

static bool set_up(struct vts_engine *engine)
{
    CURLMcode err = CURLM_OK;

    engine->multi = curl_multi_init();
    if (engine->multi == NULL)
        return false;
    err |= curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    err |= curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
    err |= curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    err |= curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
    err |= curl_multi_setopt(engine->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_CONNECTIONS);
    err |= curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, (long)MAX_CONNECTIONS);
    err |= curl_multi_setopt(engine->multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
                             (long)VTS_ENGINE_MAX_TRANSFERS);
    return err == CURLM_OK;
}

enum vts_client_code vts_engine_new(const struct vts_transport *transport, vts_wait_fd_fn on_fd,
                                    void *fd_context, struct vts_engine **ret_engine,
                                    struct vts_client_error *error)
{
    struct vts_engine *engine = vts_mem_zalloc(sizeof(*engine));

    if (engine == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    engine->config = vts_transport_config(transport);
    engine->due_ns = INT64_MAX;
    engine->on_fd = on_fd;
    engine->fd_context = fd_context;
    vts_list_init(&engine->running);
    vts_list_init(&engine->over);
    if (!set_up(engine)) {
        vts_engine_free(engine);
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "libcurl cannot be set up");
    }
    *ret_engine = engine;
    return VTS_CLIENT_OK;
}

static void free_transfer(struct vts_engine *engine, struct vts_transfer *transfer)
{
    vts_list_remove(&transfer->member);
    vts_easy_fini(&transfer->easy);
    vts_answer_fini(&transfer->answer);
    vts_buf_fini(&transfer->body);
    vts_mem_free(transfer);
    engine->transfers_count--;
}

static struct vts_transfer *first_of(struct vts_list *list)
{
    return VTS_CONTAINER_OF(list->next, struct vts_transfer, member);
}

void vts_engine_stop(struct vts_engine *engine, struct vts_transfer *transfer)
{
    /* One that is over is in no multi handle any more, which libcurl does not mind. */
    (void)curl_multi_remove_handle(engine->multi, transfer->easy.handle);
    free_transfer(engine, transfer);
}

void vts_engine_abandon(struct vts_engine *engine, struct vts_transfer *transfer)
{
    vts_easy_leave_connection(&transfer->easy);
    engine->is_fresh_wanted = true;
    vts_engine_stop(engine, transfer);
}

void vts_engine_free(struct vts_engine *engine)
{
    if (engine == NULL)
        return;
    while (!vts_list_is_empty(&engine->running))
        vts_engine_stop(engine, first_of(&engine->running));
    while (!vts_list_is_empty(&engine->over))
        vts_engine_stop(engine, first_of(&engine->over));
    curl_multi_cleanup(engine->multi);
    vts_mem_free(engine);
}

/* ---- transfers ------------------------------------------------------------------------------- */

static enum vts_err copy_request(struct vts_transfer *transfer, const struct vts_request *request)
{
    const char *etag = request->if_none_match != NULL ? request->if_none_match : "";

    VTS_ASSERT(strlen(request->path) < MAX_PATH_LEN && strlen(etag) < MAX_ETAG_LEN);
    transfer->request = *request;
    (void)snprintf(transfer->path, sizeof(transfer->path), "%s", request->path);
    (void)snprintf(transfer->etag, sizeof(transfer->etag), "%s", etag);
    vts_buf_append_str(&transfer->body, request->body);
    transfer->request.path = transfer->path;
    transfer->request.if_none_match = transfer->etag;
    transfer->request.body = vts_buf_str(&transfer->body);
    return vts_buf_check(&transfer->body);
}

static bool start(struct vts_engine *engine, struct vts_transfer *transfer)
{
    CURL *handle;

    if (vts_easy_init(&transfer->easy, engine->config) != VTS_OK)
        return false;
    handle = transfer->easy.handle;
    /* Wait for the connection that is being made rather than make another one. */
    if (curl_easy_setopt(handle, CURLOPT_PIPEWAIT, 1L) != CURLE_OK ||
        curl_easy_setopt(handle, CURLOPT_PRIVATE, transfer) != CURLE_OK ||
        vts_easy_prepare(&transfer->easy, &transfer->request, &transfer->answer,
                         engine->is_fresh_wanted) != VTS_OK)
        return false;
    engine->is_fresh_wanted = false;
    return curl_multi_add_handle(engine->multi, handle) == CURLM_OK;
}

enum vts_client_code vts_engine_start(struct vts_engine *engine, const struct vts_request *request,
                                      size_t max_bytes, vts_transfer_done_fn on_done, void *context,
                                      struct vts_transfer **ret_transfer,
                                      struct vts_client_error *error)
{
    struct vts_transfer *transfer;

    if (engine->transfers_count >= VTS_ENGINE_MAX_TRANSFERS)
        return vts_failure_set(error, VTS_CLIENT_UNAVAILABLE, "too many requests at once");
    transfer = vts_mem_zalloc(sizeof(*transfer));
    if (transfer == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    engine->transfers_count++;
    vts_list_push_back(&engine->running, &transfer->member);
    vts_answer_init_sized(&transfer->answer, max_bytes);
    vts_buf_init(&transfer->body, MAX_BODY_BYTES);
    transfer->on_done = on_done;
    transfer->context = context;
    if (copy_request(transfer, request) != VTS_OK || !start(engine, transfer)) {
        free_transfer(engine, transfer);
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    }
    *ret_transfer = transfer;
    return VTS_CLIENT_OK;
}

const struct vts_answer *vts_transfer_answer(const struct vts_transfer *transfer)
{
    return &transfer->answer;
}

size_t vts_engine_kept_max(const struct vts_engine *engine)
{
    return engine->is_multiplexed ? VTS_ENGINE_MAX_TRANSFERS : MAX_CONNECTIONS - FREE_CONNECTIONS;
}

bool vts_engine_has_met_server(const struct vts_engine *engine)
{
    return engine->has_met_server;
}

void vts_engine_renew(struct vts_engine *engine)
{
    engine->is_fresh_wanted = true;
}

/* ---- running --------------------------------------------------------------------------------- */

size_t vts_engine_fds(const struct vts_engine *engine, struct vts_waiter_fd *fds, size_t capacity)
{
    size_t count = engine->fds_count < capacity ? engine->fds_count : capacity;

    memcpy(fds, engine->fds, count * sizeof(*fds));
    return count;
}

int64_t vts_engine_due_ns(const struct vts_engine *engine)
{
    int64_t due_ns = engine->due_ns;

    for (struct vts_list *at = engine->running.next; at != &engine->running; at = at->next) {
        const struct vts_easy *easy = &VTS_CONTAINER_OF(at, struct vts_transfer, member)->easy;

        if (!easy->answer->is_header_done && easy->header_end_ns < due_ns)
            due_ns = easy->header_end_ns;
    }
    return due_ns;
}

static void set_over(struct vts_engine *engine, struct vts_transfer *transfer, CURLcode result)
{
    transfer->result = result;
    (void)curl_multi_remove_handle(engine->multi, transfer->easy.handle); /* it was added */
    vts_list_remove(&transfer->member);
    vts_list_push_back(&engine->over, &transfer->member);
}

static void note_version(struct vts_engine *engine, const struct vts_answer *answer)
{
    if (answer->http_code == 0)
        return;
    engine->has_met_server = true;
    engine->is_multiplexed = answer->is_http2;
}

/* A stream whose beginning is held back is not the others' trouble. */
static void look_at_headers(struct vts_engine *engine)
{
    struct vts_list *next;

    for (struct vts_list *at = engine->running.next; at != &engine->running; at = next) {
        struct vts_transfer *transfer = VTS_CONTAINER_OF(at, struct vts_transfer, member);

        next = at->next;
        note_version(engine, &transfer->answer);
        if (vts_easy_header_left_ns(&transfer->easy) > 0)
            continue;
        vts_easy_leave_connection(&transfer->easy);
        set_over(engine, transfer, CURLE_OPERATION_TIMEDOUT);
    }
}

/* Where no answer came in time, none comes to the others on that connection. */
static void gather_companions(struct vts_engine *engine, const struct vts_easy *late)
{
    struct vts_list *next;

    for (struct vts_list *at = engine->running.next; at != &engine->running; at = next) {
        struct vts_transfer *transfer = VTS_CONTAINER_OF(at, struct vts_transfer, member);

        next = at->next;
        if (late->own_port == 0 || transfer->easy.own_port != late->own_port)
            continue;
        vts_easy_leave_connection(&transfer->easy);
        set_over(engine, transfer, CURLE_RECV_ERROR);
    }
}

static void gather(struct vts_engine *engine)
{
    const CURLMsg *message;
    int queued = 0;

    while ((message = curl_multi_info_read(engine->multi, &queued)) != NULL) {
        struct vts_transfer *transfer;
        char *context = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
        transfer = (struct vts_transfer *)(void *)context;
        if (message->data.result == CURLE_OPERATION_TIMEDOUT)
            vts_easy_break_connection(&transfer->easy);
        /* The message is gone with the handle. */
        set_over(engine, transfer, message->data.result);
    }
    for (struct vts_list *at = engine->over.next; at != &engine->over; at = at->next) {
        const struct vts_transfer *transfer = VTS_CONTAINER_OF(at, struct vts_transfer, member);

        if (transfer->result == CURLE_OPERATION_TIMEDOUT)
            gather_companions(engine, &transfer->easy);
    }
    look_at_headers(engine);
}

static void tell(struct vts_engine *engine)
{
    while (!vts_list_is_empty(&engine->over)) {
        struct vts_transfer *transfer = first_of(&engine->over);
        struct vts_client_error error;
        enum vts_client_code code;

        vts_failure_clear(&error);
        vts_list_remove(&transfer->member);
        note_version(engine, &transfer->answer);
        code = vts_easy_judge(&transfer->easy, (int)transfer->result, &error);
        error.http_code = transfer->answer.http_code;
        if (code != VTS_CLIENT_OK)
            engine->is_fresh_wanted = true;
        transfer->on_done(code, &transfer->answer, &error, transfer->context);
        free_transfer(engine, transfer);
    }
}

void vts_engine_run(struct vts_engine *engine, int fd, unsigned events)
{
    int bits = ((events & VTS_WAIT_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((events & VTS_WAIT_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    int running = 0;

    /* What goes wrong in here becomes the end of the transfers concerned. */
    if (fd >= 0 && find_fd(engine, fd) != NULL)
        (void)curl_multi_socket_action(engine->multi, fd, bits, &running);
    if (engine->due_ns <= vts_clock_now_ns()) {
        engine->due_ns = INT64_MAX;
        (void)curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    gather(engine);
    tell(engine);
}
