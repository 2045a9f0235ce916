/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_heard.c - headers, timeout, query and messages of a call, copied into one arena. */
#include "tests/interop/conformance_heard.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/pb_arena.h"
#include "common/wire/percent.h"
#include "connectrpc/conformance/v1/service.pb-c.h"

/* Generated names leave no room in a line. */
typedef Connectrpc__Conformance__V1__Header header;
typedef Connectrpc__Conformance__V1__ConformancePayload__RequestInfo conformance_info;

enum { MAX_BYTES = 64 * 1024 * 1024, QUERY_MAX_BYTES = 16 * 1024 };

struct heard {
    struct vts_arena arena; /* all below */
    conformance_info head;  /* without the requests */
    Google__Protobuf__Any **requests;
    size_t requests_count; /* those of which no answer has told yet */
    bool has_told;
    const ProtobufCMessage *first;
};

static const char url_prefix[] = "type.googleapis.com/";

/* Room for one more in a list of pointers, which grows when its count is a power of two; NULL
 * without memory. */
static void *grow(struct vts_arena *arena, void *items, size_t count)
{
    void *grown;

    if ((count & (count - 1)) != 0)
        return items;
    grown = vts_arena_alloc(arena, (count == 0 ? 1 : 2 * count) * sizeof(void *));
    if (grown != NULL && count > 0)
        memcpy(grown, items, count * sizeof(void *));
    return grown;
}

/* ---- headers and queries ------------------------------------------------------------------- */

struct header_list {
    header **items;
    size_t count;
};

static header *find_header(const struct header_list *list, struct vts_str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (vts_str_equals_text(name, list->items[i]->name))
            return list->items[i];
    return NULL;
}

static header *add_header(struct vts_arena *arena, struct header_list *list, struct vts_str name)
{
    header *added = vts_arena_alloc(arena, sizeof(*added));
    header **items = grow(arena, list->items, list->count);

    if (added == NULL || items == NULL)
        return NULL;
    connectrpc__conformance__v1__header__init(added);
    added->name = vts_arena_strndup(arena, name.ptr, name.len);
    list->items = items;
    list->items[list->count++] = added;
    return added->name == NULL ? NULL : added;
}

/* The values of a name stand together, in their order. */
static enum vts_err add_value(struct vts_arena *arena, struct header_list *list,
                              struct vts_str name, struct vts_str value)
{
    header *of_name = find_header(list, name);
    char **values;
    char *copy = vts_arena_strndup(arena, value.ptr, value.len);

    if (of_name == NULL)
        of_name = add_header(arena, list, name);
    if (of_name == NULL || copy == NULL)
        return vts_arena_check(arena);
    values = grow(arena, of_name->value, of_name->n_value);
    if (values == NULL)
        return vts_arena_check(arena);
    of_name->value = values;
    of_name->value[of_name->n_value++] = copy;
    return VTS_OK;
}

static enum vts_err hear_headers(struct heard *heard, const struct vts_call *call)
{
    struct header_list list = {NULL, 0};
    enum vts_err err = VTS_OK;
    size_t count;
    const struct vts_header *headers = vts_call_headers(call, &count);

    for (size_t i = 0; i < count && err == VTS_OK; i++)
        err = add_value(&heard->arena, &list, headers[i].name, headers[i].value);
    heard->head.request_headers = list.items;
    heard->head.n_request_headers = list.count;
    return err;
}

/* One "name=value" of a query. */
static enum vts_err hear_parameter(struct heard *heard, struct header_list *list,
                                   struct vts_str parameter)
{
    struct vts_str name;
    struct vts_buf value;
    enum vts_err err;

    vts_buf_init(&value, QUERY_MAX_BYTES);
    (void)vts_str_split(&parameter, '=', &name); /* what has no "=" has an empty value */
    err = vts_percent_decode_query(&value, parameter);
    if (err == VTS_OK)
        err = add_value(&heard->arena, list, name, vts_buf_str(&value));
    vts_buf_fini(&value);
    return err == VTS_ERR_PROTOCOL ? VTS_ERR_INVALID : err;
}

static enum vts_err hear_query(struct heard *heard, const struct vts_call *call)
{
    struct vts_str query = vts_call_query(call);
    struct vts_str parameter;
    struct header_list list = {NULL, 0};
    enum vts_err err = VTS_OK;

    if (query.ptr == NULL)
        return VTS_OK;
    heard->head.connect_get_info =
        vts_arena_alloc(&heard->arena, sizeof(*heard->head.connect_get_info));
    if (heard->head.connect_get_info == NULL)
        return vts_arena_check(&heard->arena);
    connectrpc__conformance__v1__conformance_payload__connect_get_info__init(
        heard->head.connect_get_info);
    while (err == VTS_OK && vts_str_split(&query, '&', &parameter))
        err = hear_parameter(heard, &list, parameter);
    heard->head.connect_get_info->query_params = list.items;
    heard->head.connect_get_info->n_query_params = list.count;
    return err;
}

static enum vts_err hear_head(struct heard *heard, const struct vts_call *call)
{
    int64_t timeout_ns = vts_call_timeout_ns(call);
    enum vts_err err;

    vts_arena_init(&heard->arena, MAX_BYTES);
    connectrpc__conformance__v1__conformance_payload__request_info__init(&heard->head);
    if (timeout_ns >= 0) {
        heard->head.timeout_case =
            CONNECTRPC__CONFORMANCE__V1__CONFORMANCE_PAYLOAD__REQUEST_INFO__TIMEOUT_TIMEOUT_MS;
        heard->head.timeout_ms = timeout_ns / VTS_NS_PER_MS;
    }
    err = hear_headers(heard, call);
    return err != VTS_OK ? err : hear_query(heard, call);
}

enum vts_err heard_new(const struct vts_call *call, struct heard **ret_heard)
{
    struct heard *heard = vts_mem_zalloc(sizeof(*heard));
    enum vts_err err;

    if (heard == NULL)
        return VTS_ERR_NOMEM;
    err = hear_head(heard, call);
    if (err == VTS_OK)
        *ret_heard = heard;
    else
        heard_free(heard);
    return err;
}

void heard_free(struct heard *heard)
{
    if (heard == NULL)
        return;
    vts_arena_fini(&heard->arena);
    vts_mem_free(heard);
}

struct vts_arena *heard_arena(struct heard *heard)
{
    return &heard->arena;
}

/* ---- messages ------------------------------------------------------------------------------ */

/* The message in an Any; NULL without memory. */
static Google__Protobuf__Any *pack_any(struct vts_arena *arena, const ProtobufCMessage *message)
{
    size_t url_bytes = sizeof(url_prefix) + strlen(message->descriptor->name);
    size_t len = protobuf_c_message_get_packed_size(message);
    Google__Protobuf__Any *any = vts_arena_alloc(arena, sizeof(*any));
    char *url = vts_arena_alloc(arena, url_bytes);
    uint8_t *bytes = vts_arena_alloc(arena, len);

    if (any == NULL || url == NULL || bytes == NULL)
        return NULL;
    google__protobuf__any__init(any);
    (void)snprintf(url, url_bytes, "%s%s", url_prefix, message->descriptor->name);
    any->type_url = url;
    any->value.data = bytes;
    any->value.len = protobuf_c_message_pack(message, bytes);
    return any;
}

enum vts_err heard_add(struct heard *heard, const ProtobufCMessage *request)
{
    ProtobufCAllocator allocator = vts_pb_arena_allocator(&heard->arena);
    Google__Protobuf__Any *any = pack_any(&heard->arena, request);
    Google__Protobuf__Any **requests = grow(&heard->arena, heard->requests, heard->requests_count);

    if (any == NULL || requests == NULL)
        return vts_arena_check(&heard->arena);
    heard->requests = requests;
    heard->requests[heard->requests_count++] = any;
    if (heard->first != NULL)
        return VTS_OK;
    heard->first =
        protobuf_c_message_unpack(request->descriptor, &allocator, any->value.len, any->value.data);
    /* What was unpacked once can be unpacked again, but for memory. */
    return heard->first == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

const ProtobufCMessage *heard_first(const struct heard *heard)
{
    return heard->first;
}

enum vts_err heard_tell(struct heard *heard, conformance_info **ret_info)
{
    conformance_info *info = NULL;

    if (!heard->has_told || heard->requests_count > 0) {
        info = vts_arena_alloc(&heard->arena, sizeof(*info));
        if (info == NULL)
            return vts_arena_check(&heard->arena);
        connectrpc__conformance__v1__conformance_payload__request_info__init(info);
        if (!heard->has_told)
            *info = heard->head;
        info->requests = heard->requests;
        info->n_requests = heard->requests_count;
    }
    heard->requests = NULL; /* those told stay where they are */
    heard->requests_count = 0;
    heard->has_told = true;
    *ret_info = info;
    return VTS_OK;
}
