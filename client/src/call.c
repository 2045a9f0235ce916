/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - any method, by the Connect protocol's JSON: the server knows the messages.
 *
 * Whether a method streams is in the content type of the request, and a server refuses the wrong
 * one before the method sees anything (HTTP 415), so that trying is safe.
 */
#include <vtstatus/call.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/src/call_options.h"
#include "client/src/client.h"
#include "client/src/details.h"
#include "client/src/failure.h"
#include "client/src/request.h"
#include "client/src/rpc.h"
#include "client/src/rpc_error.h"
#include "client/src/stream.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/wire/rpc_code.h"

enum {
    MAX_PATH_BYTES = 256,
    MAX_REQUEST_BYTES = 1 << 20, /* as the server has it */
    MAX_RESPONSE_BYTES = 4 << 20,
};

static const char unary_type[] = "application/json";
static const char stream_type[] = "application/connect+json";

struct call {
    struct vts_client *client;
    const char *method;
    char path[MAX_PATH_BYTES];
    struct vts_str json;
    const struct vts_call_options *options;
};

/* ---- what comes and goes --------------------------------------------------------------------- */

static enum vts_client_code set_path(struct call *call, const char *method,
                                     struct vts_client_error *error)
{
    static const char name_chars[] =
        "0123456789_."
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *name = method[0] == '/' ? method + 1 : method; /* as a path has it, too */
    const char *slash = strchr(name, '/');
    size_t service_len = strspn(name, name_chars);

    if (slash == NULL || service_len == 0 || name + service_len != slash || slash[1] == '\0' ||
        strspn(slash + 1, name_chars) != strlen(slash + 1))
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "'%s' is no method: one is written package.Service/Method", method);
    if (strlen(name) + 2 > sizeof(call->path))
        return vts_failure_set(error, VTS_CLIENT_USAGE, "the method's name is too long");
    (void)snprintf(call->path, sizeof(call->path), "/%s", name);
    call->method = name;
    return VTS_CLIENT_OK;
}

static const char *json_fault(struct vts_str json)
{
    if (json.len == 0 || !vts_utf8_is_c_string(json))
        return "it is no JSON";
    for (size_t i = 0; i < json.len; i++)
        if ((unsigned char)json.ptr[i] < 0x20 && strchr("\t\n\r", json.ptr[i]) == NULL)
            return "it is no JSON";
    return NULL;
}

/* VTS_ERR_CLOSED: on_message wanted no more. */
static enum vts_err hand_on(const struct call *call, struct vts_str json, struct vts_error *error)
{
    const char *fault = json_fault(json);
    bool is_wanted = true;
    char *text;

    if (fault != NULL)
        return vts_error_set(error, VTS_ERR_PROTOCOL, "%s", fault);
    if (call->options->on_message == NULL)
        return VTS_OK;
    text = vts_mem_strndup(json.ptr, json.len);
    if (text == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    is_wanted = call->options->on_message(text, json.len, call->options->context);
    vts_mem_free(text);
    return is_wanted ? VTS_OK : VTS_ERR_CLOSED;
}

/* The method is not there, which no other call has to reckon with. */
static enum vts_client_code tell_missing(const struct call *call, struct vts_client_error *error)
{
    if (error->http_code != 404 || error->rpc_code != VTS_RPC_UNIMPLEMENTED)
        return error->code;
    return vts_failure_set(error, VTS_CLIENT_NOT_FOUND, "%s has no method '%s'",
                           call->client->origin.text, call->method);
}

/* ---- unary ----------------------------------------------------------------------------------- */

static enum vts_client_code take_response(const struct call *call, const struct vts_answer *answer,
                                          struct vts_client_error *error)
{
    struct vts_error why = {.text = ""};
    char text[128];
    enum vts_err err;

    if (strcmp(answer->content_type, unary_type) != 0) {
        (void)snprintf(text, sizeof(text), "it is '%s'", answer->content_type);
        return vts_rpc_undecodable(call->client, VTS_ERR_PROTOCOL, text, error);
    }
    err = hand_on(call, vts_buf_str(&answer->body), &why);
    if (err == VTS_ERR_CLOSED)
        return vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    return err == VTS_OK ? VTS_CLIENT_OK : vts_rpc_undecodable(call->client, err, why.text, error);
}

static enum vts_client_code take_answer(const struct call *call, const struct vts_answer *answer,
                                        struct vts_client_error *error)
{
    struct vts_error_body body;
    bool has_body;

    if (answer->http_code == 200)
        return take_response(call, answer, error);
    vts_details_log(&call->client->log, vts_buf_str(&answer->body));
    has_body = vts_error_json_read(vts_buf_str(&answer->body), &body) == VTS_OK;
    (void)vts_rpc_error_tell(&call->client->origin, NULL, answer->http_code,
                             has_body ? &body : NULL, error); /* its code is in error */
    return tell_missing(call, error);
}

static enum vts_client_code call_unary(const struct call *call, struct vts_client_error *error)
{
    const struct vts_request post = {.path = call->path,
                                     .timeout = call->client->request_timeout,
                                     .content_type = unary_type,
                                     .body = call->json,
                                     .fields = call->options->fields,
                                     .fields_count = call->options->fields_count,
                                     .tells_timeout = true,
                                     .connection = VTS_CONNECTION_NEW};
    struct vts_answer answer;
    enum vts_client_code code;

    vts_failure_clear(error);
    vts_answer_init_sized(&answer, MAX_RESPONSE_BYTES);
    code = vts_request_tell(call->client, &post, NULL, error);
    if (code == VTS_CLIENT_OK)
        code = vts_transport_send(call->client->transport, &post, &answer, error);
    error->http_code = answer.http_code;
    if (code == VTS_CLIENT_OK)
        code = take_answer(call, &answer, error);
    vts_answer_fini(&answer);
    return code;
}

/* ---- streams --------------------------------------------------------------------------------- */

static enum vts_err on_message(struct vts_str message, void *context, struct vts_error *error)
{
    const struct call *call = context;

    return hand_on(call, message, error);
}

static enum vts_client_code call_stream(struct call *call, struct vts_client_error *error)
{
    const struct vts_stream_request request = {.path = call->path,
                                               .content_type = stream_type,
                                               .fields = call->options->fields,
                                               .fields_count = call->options->fields_count,
                                               .timeout = INFINITY,
                                               .on_message = on_message,
                                               .context = call};
    struct vts_buf body;
    enum vts_client_code code;

    vts_buf_init(&body, MAX_REQUEST_BYTES + VTS_ENVELOPE_PREFIX_BYTES);
    vts_stream_add(&body, call->json);
    if (vts_buf_check(&body) == VTS_OK)
        code = vts_stream_send(call->client, &request, vts_buf_str(&body), error);
    else
        code = vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    vts_buf_fini(&body);
    return code == VTS_CLIENT_OK ? code : tell_missing(call, error);
}

/* ---- any ------------------------------------------------------------------------------------- */

static enum vts_client_code run(struct call *call, struct vts_client_error *error)
{
    enum vts_client_code code;

    if (call->options->kind == VTS_CALL_STREAM)
        return call_stream(call, error);
    code = call_unary(call, error);
    if (call->options->kind == VTS_CALL_UNARY || code == VTS_CLIENT_OK || error->http_code != 415)
        return code;
    vts_log_write(&call->client->log, "the method is not unary; calling it as one that streams");
    return call_stream(call, error);
}

enum vts_client_code vts_call_json(struct vts_client *client, const char *method, const char *json,
                                   const struct vts_call_options *options,
                                   struct vts_client_error *error)
{
    struct vts_call_options checked;
    struct call call = {.client = client, .options = &checked};
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = vts_call_options_read(options, &checked, error);
    if (code == VTS_CLIENT_OK)
        code = set_path(&call, method != NULL ? method : "", error);
    if (code != VTS_CLIENT_OK)
        return code;
    call.json = vts_str_of(json == NULL || json[0] == '\0' ? "{}" : json);
    if (call.json.len > MAX_REQUEST_BYTES)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "the request is larger than %d bytes",
                               MAX_REQUEST_BYTES);
    return run(&call, error);
}
