/* SPDX-License-Identifier: Apache-2.0 */
/* rpc.c - one unary call, and its few tries.
 *
 * A request that was sent on a kept connection may be sent twice by libcurl itself, so what must
 * not happen twice gets a new connection; what may be held for long gets one of its own.
 */
#include "client/src/rpc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/src/backoff.h"
#include "client/src/details.h"
#include "client/src/failure.h"
#include "client/src/message.h"
#include "client/src/request.h"
#include "client/src/retry.h"
#include "client/src/rpc_error.h"
#include "common/base/clock.h"

enum {
    MAX_TRIES = 3,
    MAX_REQUEST_BYTES = 1 << 20, /* as the server has it */
    MAX_RESPONSE_BYTES = 4 << 20,
    MAX_RESPONSE_MEMORY_BYTES = 6 * MAX_RESPONSE_BYTES,
};

static const char codec_type[] = "application/proto";
static const struct vts_backoff retry_backoff = {
    .interval = 0.2, .factor = 2, .max_interval = 2, .jitter = 0.2};

enum vts_client_code vts_rpc_undecodable(const struct vts_client *client, enum vts_err err,
                                         const char *why, struct vts_client_error *error)
{
    if (err == VTS_ERR_NOMEM)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    return vts_failure_set(error, VTS_CLIENT_UNDECODABLE,
                           "the answer of %s is not what was asked for: %s", client->origin.text,
                           why);
}

/* The caller ends the buffer on every outcome. */
static enum vts_client_code encode(const ProtobufCMessage *message, struct vts_buf *ret_bytes,
                                   struct vts_client_error *error)
{
    enum vts_err err;

    vts_buf_init(ret_bytes, MAX_REQUEST_BYTES);
    vts_message_encode(ret_bytes, message);
    err = vts_buf_check(ret_bytes);
    if (err == VTS_ERR_LIMIT)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "the request is larger than %d bytes",
                               MAX_REQUEST_BYTES);
    if (err != VTS_OK)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    return VTS_CLIENT_OK;
}

static enum vts_client_code read_response(const struct vts_client *client,
                                          const struct vts_rpc_method *method,
                                          const struct vts_answer *answer,
                                          ProtobufCMessage **ret_response,
                                          struct vts_client_error *error)
{
    size_t memory_bytes = MAX_RESPONSE_MEMORY_BYTES;
    struct vts_error reason = {.text = ""};
    char why[128];
    enum vts_err err;

    if (strcmp(answer->content_type, codec_type) != 0) {
        (void)snprintf(why, sizeof(why), "it is '%s'", answer->content_type);
        return vts_rpc_undecodable(client, VTS_ERR_PROTOCOL, why, error);
    }
    err = vts_message_decode(vts_buf_str(&answer->body), method->response, &memory_bytes,
                             ret_response, &reason);
    if (err != VTS_OK)
        return vts_rpc_undecodable(client, err, reason.text, error);
    return VTS_CLIENT_OK;
}

static enum vts_client_code read_answer(const struct vts_client *client,
                                        const struct vts_rpc_request *request,
                                        const struct vts_answer *answer,
                                        ProtobufCMessage **ret_response, double *ret_retry_after,
                                        struct vts_client_error *error)
{
    struct vts_error_body body;
    bool has_body;

    *ret_retry_after = answer->retry_after;
    if (answer->http_code == 200)
        return read_response(client, request->method, answer, ret_response, error);
    vts_details_log(&client->log, vts_buf_str(&answer->body));
    has_body = vts_error_json_read(vts_buf_str(&answer->body), &body) == VTS_OK;
    /* The body is the server's own; a field may come from what stands between. */
    if (has_body && body.retry_delay >= 0)
        *ret_retry_after = body.retry_delay;
    return vts_rpc_error_tell(&client->origin, request->job_id, answer->http_code,
                              has_body ? &body : NULL, error);
}

static enum vts_connection connection_for(const struct vts_rpc_request *request)
{
    if (request->wait > 0)
        return VTS_CONNECTION_OWN;
    return request->method->is_repeatable ? VTS_CONNECTION_KEPT : VTS_CONNECTION_NEW;
}

/* *ret_retry_after is what the server asks for, negative when it does not. */
static enum vts_client_code try_once(struct vts_client *client,
                                     const struct vts_rpc_request *request, struct vts_str bytes,
                                     double timeout, ProtobufCMessage **ret_response,
                                     double *ret_retry_after, struct vts_client_error *error)
{
    struct vts_request post = {.path = request->method->path,
                               .timeout = timeout,
                               .content_type = codec_type,
                               .body = bytes,
                               .tells_timeout = true,
                               .connection = connection_for(request)};
    struct vts_answer answer;
    enum vts_client_code code;

    vts_failure_clear(error);
    vts_answer_init_sized(&answer, MAX_RESPONSE_BYTES);
    code = vts_request_tell(client, &post, request->message, error);
    if (code == VTS_CLIENT_OK)
        code = vts_transport_send(client->transport, &post, &answer, error);
    error->http_code = answer.http_code;
    *ret_retry_after = -1;
    if (code == VTS_CLIENT_OK)
        code = read_answer(client, request, &answer, ret_response, ret_retry_after, error);
    vts_answer_fini(&answer);
    return code;
}

static double seconds_until(int64_t end_ns)
{
    return (double)(end_ns - vts_clock_now_ns()) / VTS_NS_PER_S;
}

/* s. What the server names is not undercut, however long it is; jitter comes on top where there is
 * time for it. */
static double next_wait(unsigned tries, double retry_after, double left, struct vts_rng *rng)
{
    struct vts_backoff backoff = retry_backoff;
    double wait;

    backoff.max_interval = fmax(backoff.max_interval, retry_after);
    wait = vts_backoff_retry_wait(&backoff, tries, retry_after, rng);
    return wait >= left && retry_after >= 0 ? retry_after : wait;
}

/* Waits before the next try and says whether there shall be one; *error is of the last one, unless
 * the wait was cancelled. */
static bool wait_for_next_try(struct vts_client *client, struct vts_rng *rng, unsigned tries,
                              double retry_after, int64_t end_ns, struct vts_client_error *error)
{
    double left = seconds_until(end_ns);
    double wait = next_wait(tries, retry_after, left, rng);

    if (tries >= MAX_TRIES || !vts_retry_has_room(&client->retry_budget) || wait >= left)
        return false;
    vts_log_write(&client->log, "try %u failed: %.400s; the next one in %.3f s", tries, error->text,
                  wait);
    vts_counters_add(&client->counters.retries, 1);
    if (vts_transport_wait(client->transport, wait))
        return true;
    (void)vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled"); /* the caller returns it */
    return false;
}

/* The caller may have more time than there was here. */
static void tell_when(double retry_after, struct vts_client_error *error)
{
    char text[sizeof(error->text)];

    if (retry_after <= 0 || !vts_retry_may_pass(error->code, true))
        return;
    (void)snprintf(text, sizeof(text), "%s", error->text);
    (void)vts_failure_set(error, error->code, "%.440s; it may be tried again in %.3g s", text,
                          retry_after); /* the code is the same */
}

enum vts_client_code vts_rpc_call(struct vts_client *client, const struct vts_rpc_request *request,
                                  ProtobufCMessage **ret_response, struct vts_client_error *error)
{
    double timeout = client->request_timeout + request->wait;
    int64_t end_ns = vts_clock_now_ns() + (int64_t)(timeout * VTS_NS_PER_S);
    struct vts_buf bytes;
    struct vts_rng rng;
    enum vts_client_code code = encode(request->message, &bytes, error);
    bool is_again = code == VTS_CLIENT_OK;
    double retry_after = -1;

    vts_rng_init(&rng, vts_rng_seed_from_system());
    for (unsigned tries = 1; is_again; tries++) {
        code = try_once(client, request, vts_buf_str(&bytes), fmax(seconds_until(end_ns), 0.001),
                        ret_response, &retry_after, error);
        if (vts_retry_may_pass(code, true))
            vts_retry_note_failure(&client->retry_budget);
        else
            vts_retry_note_success(&client->retry_budget);
        is_again = vts_retry_may_pass(code, request->method->is_repeatable) &&
                   wait_for_next_try(client, &rng, tries, retry_after, end_ns, error);
    }
    vts_buf_fini(&bytes);
    tell_when(retry_after, error);
    return code == VTS_CLIENT_OK ? code : error->code;
}
