/* SPDX-License-Identifier: Apache-2.0 */
/* transport_curl.c - one request at a time: a multi handle with one easy handle, used anew for each
 * request, so that its connection is found again.
 *
 * libcurl reads an idle connection only when it is about to be used again; a GOAWAY or a close that
 * came meanwhile is noticed then and answered with a new connection. After a failed request the
 * next one never reuses the old connection: over HTTP/2 libcurl would keep one that went dead.
 */
#include "client/src/transport_curl.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdatomic.h>

#include "client/src/failure.h"
#include "client/src/transport_curl_easy.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

struct vts_transport {
    struct vts_easy_config config;
    CURLM *multi;
    struct vts_easy easy;
    bool is_fresh_wanted; /* the last request failed: do not trust its connection */
    bool is_global_init;
    atomic_bool is_cancelled;
};

/* ---- lifetime -------------------------------------------------------------------------------- */

static bool set_up(struct vts_transport *transport, const struct vts_origin *origin,
                   const struct vts_client_options *options, struct vts_counters *counters)
{
    if (vts_easy_config_init(&transport->config, origin, options, counters) != VTS_OK)
        return false;
    /* Counted and thread-safe since libcurl 7.84. */
    transport->is_global_init = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!transport->is_global_init)
        return false;
    transport->multi = curl_multi_init();
    if (transport->multi == NULL ||
        curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
        return false;
    return vts_easy_init(&transport->easy, &transport->config) == VTS_OK;
}

enum vts_client_code vts_transport_new(const struct vts_origin *origin,
                                       const struct vts_client_options *options,
                                       struct vts_counters *counters,
                                       struct vts_transport **ret_transport,
                                       struct vts_client_error *error)
{
    struct vts_transport *transport = vts_mem_zalloc(sizeof(*transport));

    if (transport == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    atomic_init(&transport->is_cancelled, false);
    if (!set_up(transport, origin, options, counters)) {
        vts_transport_free(transport);
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "libcurl cannot be set up");
    }
    *ret_transport = transport;
    return VTS_CLIENT_OK;
}

void vts_transport_free(struct vts_transport *transport)
{
    if (transport == NULL)
        return;
    vts_easy_fini(&transport->easy);
    curl_multi_cleanup(transport->multi);
    if (transport->is_global_init)
        curl_global_cleanup();
    vts_easy_config_fini(&transport->config);
    vts_mem_free(transport);
}

const struct vts_easy_config *vts_transport_config(const struct vts_transport *transport)
{
    return &transport->config;
}

/* ---- cancelling and waiting ------------------------------------------------------------------ */

void vts_transport_cancel(struct vts_transport *transport)
{
    atomic_store(&transport->is_cancelled, true);
    /* Its result does not matter: a wake-up that failed leaves the flag, seen at the next poll's
     * end. */
    (void)curl_multi_wakeup(transport->multi);
}

bool vts_transport_is_cancelled(const struct vts_transport *transport)
{
    return atomic_load(&transport->is_cancelled);
}

/* Sleeps until something happens, but not longer; a wake-up from before it started counts. */
static void sleep_up_to(struct vts_transport *transport, int64_t ns)
{
    int64_t ms = (ns + VTS_NS_PER_MS - 1) / VTS_NS_PER_MS;

    (void)curl_multi_poll(transport->multi, NULL, 0, (int)(ms < INT_MAX ? ms : INT_MAX), NULL);
}

bool vts_transport_wait(struct vts_transport *transport, double seconds)
{
    const double max_seconds = 1e9; /* keeps the sum below in range */
    double bounded = seconds < max_seconds ? seconds : max_seconds;
    int64_t end_ns = vts_clock_now_ns() + (int64_t)(bounded * VTS_NS_PER_S);

    while (!vts_transport_is_cancelled(transport)) {
        int64_t left_ns = end_ns - vts_clock_now_ns();

        if (left_ns <= 0)
            return true;
        sleep_up_to(transport, left_ns);
    }
    return false;
}

/* ---- one request ----------------------------------------------------------------------------- */

/* Moves the transfer on. Returns whether it has come to an end; *ret_result is then how. */
static bool perform(struct vts_transport *transport, CURLcode *ret_result)
{
    int running = 0;
    int queued = 0;
    const CURLMsg *message;

    if (curl_multi_perform(transport->multi, &running) != CURLM_OK) {
        *ret_result = CURLE_OUT_OF_MEMORY;
        return true;
    }
    message = curl_multi_info_read(transport->multi, &queued);
    if (message == NULL || message->msg != CURLMSG_DONE)
        return false;
    *ret_result = message->data.result;
    return true;
}

/* After a cancellation: whether the answer has come all the same. It may be a lease, which but for
 * this would be nobody's. A request that is not on its way yet is not sent any more. */
static bool has_answer(struct vts_transport *transport, CURLcode *ret_result)
{
    curl_off_t sent_us = 0;

    (void)curl_easy_getinfo(transport->easy.handle, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    return sent_us > 0 && transport->easy.request->on_piece == NULL &&
           perform(transport, ret_result) && *ret_result == CURLE_OK;
}

/* Returns whether the transfer came to an end of its own; *ret_result is then how. */
static bool run(struct vts_transport *transport, CURLcode *ret_result)
{
    while (!vts_transport_is_cancelled(transport)) {
        int64_t left_ns;

        if (perform(transport, ret_result))
            return true;
        left_ns = vts_easy_header_left_ns(&transport->easy);
        if (left_ns <= 0) {
            *ret_result = CURLE_OPERATION_TIMEDOUT;
            return true;
        }
        sleep_up_to(transport, left_ns < VTS_NS_PER_S ? left_ns : VTS_NS_PER_S);
    }
    return has_answer(transport, ret_result);
}

static bool start(struct vts_transport *transport, const struct vts_request *request,
                  struct vts_answer *answer)
{
    struct vts_easy *easy = &transport->easy;

    return vts_easy_prepare(easy, request, answer, transport->is_fresh_wanted) == VTS_OK &&
           curl_multi_add_handle(transport->multi, easy->handle) == CURLM_OK;
}

enum vts_client_code vts_transport_send(struct vts_transport *transport,
                                        const struct vts_request *request,
                                        struct vts_answer *answer, struct vts_client_error *error)
{
    struct vts_easy *easy = &transport->easy;
    enum vts_client_code code;
    CURLcode result = CURLE_OK;

    if (vts_transport_is_cancelled(transport))
        return vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    if (!start(transport, request, answer)) {
        vts_easy_release(easy);
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    }
    if (run(transport, &result))
        code = vts_easy_judge(easy, (int)result, error);
    else
        code = vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    (void)curl_multi_remove_handle(transport->multi, easy->handle); /* it was added: cannot fail */
    vts_easy_release(easy);
    if (request->connection != VTS_CONNECTION_OWN)
        transport->is_fresh_wanted = code != VTS_CLIENT_OK;
    return code;
}
