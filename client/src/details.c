/* SPDX-License-Identifier: Apache-2.0 */
/* details.c - the usual messages, https://google.aip.dev/193, are known here; others are bytes. */
#include "client/src/details.h"

#include <string.h>

#include "client/src/message.h"
#include "client/src/services.h"
#include "common/base/macros.h"
#include "common/wire/base64.h"
#include "common/wire/error_json.h"
#include "google/rpc/error_details.pb-c.h"

enum { MAX_MEMORY_BYTES = 1 << 20, MAX_BASE64_BYTES = 1 << 20 };

static const ProtobufCMessageDescriptor *const known_types[] = {
    &google__rpc__error_info__descriptor,        &google__rpc__retry_info__descriptor,
    &google__rpc__bad_request__descriptor,       &google__rpc__precondition_failure__descriptor,
    &google__rpc__quota_failure__descriptor,     &google__rpc__request_info__descriptor,
    &google__rpc__resource_info__descriptor,     &google__rpc__help__descriptor,
    &google__rpc__localized_message__descriptor, &google__rpc__debug_info__descriptor,
};

/* NULL when it is of no known type, or is no such message. */
static char *as_json(const struct vts_error_detail *detail)
{
    size_t memory_bytes = MAX_MEMORY_BYTES;
    ProtobufCMessage *message = NULL;
    char *json = NULL;

    for (size_t i = 0; i < VTS_ARRAY_LEN(known_types) && message == NULL; i++)
        if (strcmp(known_types[i]->name, detail->type) == 0 &&
            vts_message_decode(detail->value, known_types[i], &memory_bytes, &message, NULL) !=
                VTS_OK)
            return NULL;
    if (message != NULL && vts_message_to_proto_json(message, &json) != VTS_CLIENT_OK)
        json = NULL;
    vts_message_free(message);
    return json;
}

static void log_bytes(const struct vts_log *log, const struct vts_error_detail *detail)
{
    struct vts_buf text;

    vts_buf_init(&text, MAX_BASE64_BYTES);
    vts_base64_encode(&text, detail->value, VTS_BASE64_UNPADDED);
    vts_log_write(log, "detail: %.200s %.*s", detail->type, (int)text.len,
                  text.ptr != NULL ? text.ptr : "");
    vts_buf_fini(&text);
}

static void on_detail(const struct vts_error_detail *detail, void *context)
{
    const struct vts_log *log = context;
    char *json;

    if (!vts_services_is_name(detail->type))
        return;
    json = as_json(detail);
    if (json != NULL)
        vts_log_write(log, "detail: %.200s %s", detail->type, json);
    else
        log_bytes(log, detail);
    vts_string_free(json);
}

void vts_details_log(const struct vts_log *log, struct vts_str error_json)
{
    if (log->fn == NULL)
        return;
    vts_error_json_each_detail(error_json, on_detail, (void *)log); /* it is only read */
}
