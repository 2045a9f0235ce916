/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - the same request in JSON: every path of the server speaks both. */
#include "client/src/request.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/message.h"
#include "common/base/buf.h"
#include "common/wire/envelope.h"

enum {
    MAX_URL_BYTES = 512,
    MAX_FIELDS = 64 + 8, /* the caller's, and ours */
    MAX_BODY_BYTES = 8 << 20,
};

struct told {
    struct vts_http_request request;
    char url[MAX_URL_BYTES];
    char timeout_ms[24];
    char prefer[24];
    struct vts_pair fields[MAX_FIELDS];
    struct vts_buf body;
};

static void add_field(struct told *told, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        told->fields[told->request.fields_count++] = (struct vts_pair){name, value};
}

static bool is_stream(const struct vts_request *request)
{
    static const char start[] = "application/connect+";

    return request->content_type != NULL &&
           strncmp(request->content_type, start, sizeof(start) - 1) == 0;
}

static const char *json_type(const struct vts_request *request)
{
    return is_stream(request) ? "application/connect+json" : "application/json";
}

static void add_fields(struct told *told, const struct vts_request *request, bool has_json)
{
    for (size_t i = 0; i < request->fields_count; i++)
        told->fields[told->request.fields_count++] = request->fields[i];
    if (request->content_type == NULL) {
        /* Of the two forms of a status people read the other one. */
        bool is_protobuf =
            request->accept != NULL && strcmp(request->accept, "application/x-protobuf") == 0;

        add_field(told, "Accept", is_protobuf ? "application/json" : request->accept);
        add_field(told, "If-None-Match", request->if_none_match);
        if (request->prefer_wait > 0) {
            (void)snprintf(told->prefer, sizeof(told->prefer), "wait=%u", request->prefer_wait);
            add_field(told, "Prefer", told->prefer);
        }
        return;
    }
    add_field(told, "Content-Type", has_json ? json_type(request) : request->content_type);
    add_field(told, "Connect-Protocol-Version", "1");
    if (request->tells_timeout) {
        (void)snprintf(told->timeout_ms, sizeof(told->timeout_ms), "%.0f",
                       fmax(request->timeout * 1000, 1));
        add_field(told, "Connect-Timeout-Ms", told->timeout_ms);
    }
}

static bool add_json(struct told *told, const struct vts_request *request,
                     const ProtobufCMessage *message)
{
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];
    char *json = NULL;

    if (vts_message_to_proto_json(message, &json) != VTS_CLIENT_OK)
        return false;
    if (is_stream(request)) {
        vts_envelope_write_prefix(0, strlen(json), prefix);
        vts_buf_append(&told->body, prefix, sizeof(prefix));
    }
    vts_buf_append_text(&told->body, json);
    vts_string_free(json);
    return true;
}

static bool fill(struct told *told, const struct vts_client *client,
                 const struct vts_request *request, const ProtobufCMessage *message)
{
    bool is_post = request->content_type != NULL;

    if (message != NULL && !add_json(told, request, message))
        return false;
    if (message == NULL)
        vts_buf_append_str(&told->body, request->body);
    vts_buf_append(&told->body, "", 1); /* its NUL */
    if (vts_buf_check(&told->body) != VTS_OK)
        return false;
    (void)snprintf(told->url, sizeof(told->url), "%s%s", client->origin.text, request->path);
    add_fields(told, request, message != NULL);
    told->request.method = is_post ? "POST" : "GET";
    told->request.url = told->url;
    told->request.fields = told->fields;
    told->request.body = is_post ? told->body.ptr : NULL;
    told->request.body_len = is_post ? told->body.len - 1 : 0;
    told->request.timeout = isinf(request->timeout) ? 0 : request->timeout;
    told->request.is_without_proxy = client->origin.is_loopback;
    return true;
}

enum vts_client_code vts_request_tell(const struct vts_client *client,
                                      const struct vts_request *request,
                                      const ProtobufCMessage *message,
                                      struct vts_client_error *error)
{
    struct told told = {.request = {.method = NULL}};
    bool is_filled;
    bool is_wanted = true;

    if (client->on_request == NULL)
        return VTS_CLIENT_OK;
    vts_buf_init(&told.body, MAX_BODY_BYTES);
    is_filled = fill(&told, client, request, message);
    if (is_filled)
        is_wanted = client->on_request(&told.request, client->request_context);
    vts_buf_fini(&told.body);
    if (!is_filled)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    return is_wanted ? VTS_CLIENT_OK : vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
}
