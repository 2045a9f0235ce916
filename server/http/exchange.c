/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c - requests and responses, whatever HTTP version carries them. */
#include "server/http/exchange.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/macros.h"
#include "common/base/mem.h"

enum { LIST_MAX_BYTES = 1024, NUMBERS_BYTES = 60 };

static const char *const method_names[] = {"GET",    "HEAD",  "POST",   "PUT",
                                           "DELETE", "PATCH", "OPTIONS"};

/* With their lengths, since every field of every request is looked up here. */
static const struct vts_str field_names[VTS_FIELD_COUNT] = {
    [VTS_FIELD_HOST] = {"host", 4},
    [VTS_FIELD_ACCEPT] = {"accept", 6},
    [VTS_FIELD_EXPECT] = {"expect", 6},
    [VTS_FIELD_ORIGIN] = {"origin", 6},
    [VTS_FIELD_PREFER] = {"prefer", 6},
    [VTS_FIELD_IF_MATCH] = {"if-match", 8},
    [VTS_FIELD_CONTENT_TYPE] = {"content-type", 12},
    [VTS_FIELD_GRPC_TIMEOUT] = {"grpc-timeout", 12},
    [VTS_FIELD_GRPC_ENCODING] = {"grpc-encoding", 13},
    [VTS_FIELD_IF_NONE_MATCH] = {"if-none-match", 13},
    [VTS_FIELD_LAST_EVENT_ID] = {"last-event-id", 13},
    [VTS_FIELD_ACCEPT_ENCODING] = {"accept-encoding", 15},
    [VTS_FIELD_CONTENT_ENCODING] = {"content-encoding", 16},
    [VTS_FIELD_CONNECT_TIMEOUT_MS] = {"connect-timeout-ms", 18},
    [VTS_FIELD_GRPC_ACCEPT_ENCODING] = {"grpc-accept-encoding", 20},
    [VTS_FIELD_CONNECT_ACCEPT_ENCODING] = {"connect-accept-encoding", 23},
    [VTS_FIELD_CONNECT_CONTENT_ENCODING] = {"connect-content-encoding", 24},
    [VTS_FIELD_CONNECT_PROTOCOL_VERSION] = {"connect-protocol-version", 24},
    [VTS_FIELD_ACCESS_CONTROL_REQUEST_METHOD] = {"access-control-request-method", 29},
    [VTS_FIELD_ACCESS_CONTROL_REQUEST_HEADERS] = {"access-control-request-headers", 30},
};

/* Field by field: clearing the arrays would cost more than answering. */
static void init_response(struct vts_response *response)
{
    response->code = 0;
    response->headers_count = 0;
    response->more_headers_count = 0;
    response->body = vts_str_make(NULL, 0);
    response->tail_len = 0;
    response->length = VTS_LENGTH_UNKNOWN;
    response->ends_request = false;
    response->trailers_count = 0;
    response->scratch_len = 0;
    response->release = NULL;
    response->owner = NULL;
}

void vts_exchange_init(struct vts_exchange *exchange, const struct vts_exchange_ops *ops,
                       struct vts_exchange_head *head)
{
    exchange->ops = ops;
    exchange->user_ops = NULL;
    exchange->user = NULL;
    exchange->is_body_due = false;
    memset(head->fields, 0, sizeof(head->fields));
    exchange->request = (struct vts_request){.method = VTS_METHOD_OTHER, .fields = head->fields};
    exchange->response.headers = head->headers;
    exchange->response.scratch = head->scratch;
    init_response(&exchange->response);
}

void vts_exchange_fini(struct vts_exchange *exchange)
{
    if (exchange->response.release != NULL)
        exchange->response.release(exchange->response.owner);
    exchange->response.release = NULL;
}

void vts_exchange_detach(struct vts_exchange *exchange)
{
    const struct vts_exchange_user_ops *user_ops = exchange->user_ops;

    if (user_ops != NULL)
        user_ops->on_close(exchange->user);
    exchange->user_ops = NULL;
    vts_exchange_fini(exchange);
    init_response(&exchange->response);
}

bool vts_response_add_copy(struct vts_response *response, const char *name, struct vts_str value)
{
    char *copy = response->scratch + response->scratch_len;

    /* Room for numbers stays. */
    if (value.len > VTS_RESPONSE_SCRATCH - NUMBERS_BYTES - response->scratch_len)
        return false;
    memcpy(copy, value.ptr, value.len);
    response->scratch_len += value.len;
    vts_response_add(response, name, vts_str_make(copy, value.len));
    return true;
}

void vts_response_add_number(struct vts_response *response, const char *name, uint64_t value)
{
    char *copy = response->scratch + response->scratch_len;
    size_t len;

    VTS_ASSERT(VTS_STR_U64_DIGITS <= VTS_RESPONSE_SCRATCH - response->scratch_len);
    len = vts_str_write_u64(copy, value);
    vts_response_add(response, name, vts_str_make(copy, len));
    response->scratch_len += len;
}

size_t vts_response_body_len(const struct vts_response *response)
{
    return response->body.len + response->tail_len;
}

bool vts_response_can_have_body(int code)
{
    return code >= 200 && code != 204 && code != 304;
}

enum vts_method vts_method_parse(struct vts_str name)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(method_names); i++)
        if (vts_str_equals_text(name, method_names[i]))
            return (enum vts_method)i;
    return VTS_METHOD_OTHER;
}

const char *vts_method_name(enum vts_method method)
{
    return method == VTS_METHOD_OTHER ? "OTHER" : method_names[method];
}

enum vts_field vts_field_find(struct vts_str name)
{
    int i = 0;

    /* They stand by length, so that few names are compared. */
    while (i < VTS_FIELD_COUNT && field_names[i].len < name.len)
        i++;
    for (; i < VTS_FIELD_COUNT && field_names[i].len == name.len; i++)
        if (vts_str_equals(name, field_names[i]))
            return (enum vts_field)i;
    return VTS_FIELD_COUNT;
}

struct vts_str vts_field_name(enum vts_field field)
{
    return field_names[field];
}

enum vts_err vts_field_join(struct vts_str *list, struct vts_str value, char **memory)
{
    size_t len = list->len + 2 + value.len;
    char *joined;

    /* A few octets of HPACK repeat a long field line; nobody's lists are as long. */
    if (len > LIST_MAX_BYTES)
        return VTS_OK;
    joined = vts_mem_alloc(len);
    if (joined == NULL)
        return VTS_ERR_NOMEM;
    memcpy(joined, list->ptr, list->len);
    joined[list->len] = ',';
    joined[list->len + 1] = ' ';
    memcpy(joined + list->len + 2, value.ptr, value.len);
    *list = vts_str_make(joined, len);
    vts_mem_free(*memory);
    *memory = joined;
    return VTS_OK;
}

void vts_request_set_target(struct vts_request *request, struct vts_str target)
{
    struct vts_str rest = target;

    request->target = target;
    (void)vts_str_split(&rest, '?', &request->path); /* an empty target gives an empty path */
    request->query = rest;
}
