/* SPDX-License-Identifier: Apache-2.0 */
/* error_json.c - error bodies; the only user of jansson. */
#include "common/wire/error_json.h"

#include <jansson.h>
#include <string.h>

#include "common/base/json_text.h"
#include "common/base/macros.h"
#include "common/wire/base64.h"
#include "common/wire/pb_heap.h"
#include "common/wire/rpc_code.h"
#include "common/wire/scan.h"
#include "google/rpc/error_details.pb-c.h"

enum {
    MAX_INFO_BYTES = 4 * 1024,
    MAX_INFO_MEMORY_BYTES = 16 * MAX_INFO_BYTES,
    MAX_DETAIL_BYTES = 64 * 1024,
};

static void write_details(struct vts_buf *buf, const struct vts_error_detail *details,
                          size_t details_count)
{
    for (size_t i = 0; i < details_count; i++) {
        vts_buf_append_text(buf, i == 0 ? ",\"details\":[{\"type\":" : ",{\"type\":");
        vts_json_text_write(buf, vts_str_of(details[i].type));
        vts_buf_append_text(buf, ",\"value\":\"");
        vts_base64_encode(buf, details[i].value, VTS_BASE64_UNPADDED);
        vts_buf_append_text(buf, "\"}");
    }
    if (details_count > 0)
        vts_buf_append_text(buf, "]");
}

void vts_error_json_write(struct vts_buf *buf, const char *code_word, const char *message,
                          const struct vts_error_detail *details, size_t details_count)
{
    vts_buf_append_text(buf, "{\"code\":");
    vts_json_text_write(buf, vts_str_of(code_word));
    if (message != NULL && message[0] != '\0') {
        vts_buf_append_text(buf, ",\"message\":");
        vts_json_text_write(buf, vts_str_of(message));
    }
    write_details(buf, details, details_count);
    vts_buf_append_text(buf, "}");
}

/* Copies what fits, and never half a character: text is UTF-8, as jansson has checked. */
static void copy_text(char *to, size_t size, const char *text)
{
    size_t len = strlen(text);

    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(to, text, len);
    to[len] = '\0';
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A detail's message; NULL when there is none to be read. Freed by its allocator. */
static ProtobufCMessage *unpack_detail(struct vts_str bytes, const ProtobufCMessageDescriptor *type,
                                       struct vts_pb_heap *heap)
{
    const struct vts_scan_limits limits = {
        .max_depth = 2, .max_elements = MAX_INFO_BYTES, .max_memory_bytes = MAX_INFO_MEMORY_BYTES};

    vts_pb_heap_init(heap, MAX_INFO_MEMORY_BYTES);
    if (vts_scan_check(bytes, type, &limits, NULL) != VTS_OK)
        return NULL;
    return protobuf_c_message_unpack(type, &heap->allocator, bytes.len, (const uint8_t *)bytes.ptr);
}

static void take_info(const ProtobufCMessage *message, struct vts_error_body *ret_body)
{
    const Google__Rpc__ErrorInfo *info = (const Google__Rpc__ErrorInfo *)message;

    copy_text(ret_body->reason, sizeof(ret_body->reason), info->reason);
    for (size_t i = 0; i < info->n_metadata; i++)
        if (strcmp(info->metadata[i]->key, "jobId") == 0)
            copy_text(ret_body->job_id, sizeof(ret_body->job_id), info->metadata[i]->value);
}

static void take_retry(const ProtobufCMessage *message, struct vts_error_body *ret_body)
{
    const Google__Protobuf__Duration *delay =
        ((const Google__Rpc__RetryInfo *)message)->retry_delay;

    if (delay != NULL && delay->seconds >= 0 && delay->nanos >= 0)
        ret_body->retry_delay = (double)delay->seconds + (double)delay->nanos / 1e9;
}

static const struct known_detail {
    const char *type;
    const ProtobufCMessageDescriptor *descriptor;
    void (*take)(const ProtobufCMessage *message, struct vts_error_body *ret_body);
} known_details[] = {
    {"google.rpc.ErrorInfo", &google__rpc__error_info__descriptor, take_info},
    {"google.rpc.RetryInfo", &google__rpc__retry_info__descriptor, take_retry},
};

/* Of each kind the first one counts: there is one at most (https://google.aip.dev/193). */
struct details_read {
    bool is_read[VTS_ARRAY_LEN(known_details)];
};

/* NULL when nobody reads it, or one of its kind was read. */
static const struct known_detail *find_detail(struct details_read *read, const char *type)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(known_details); i++)
        if (strcmp(type, known_details[i].type) == 0 && !read->is_read[i]) {
            read->is_read[i] = true;
            return &known_details[i];
        }
    return NULL;
}

static void take_detail(const struct known_detail *known, struct vts_str bytes,
                        struct vts_error_body *ret_body)
{
    struct vts_pb_heap heap;
    ProtobufCMessage *message = unpack_detail(bytes, known->descriptor, &heap);

    if (message == NULL)
        return;
    known->take(message, ret_body);
    protobuf_c_message_free_unpacked(message, &heap.allocator);
}

static void read_detail(const struct known_detail *known, const char *value,
                        struct vts_error_body *ret_body)
{
    struct vts_buf bytes;

    vts_buf_init(&bytes, MAX_INFO_BYTES);
    if (vts_base64_decode(&bytes, vts_str_of(value)) == VTS_OK)
        take_detail(known, vts_buf_str(&bytes), ret_body);
    vts_buf_fini(&bytes);
}

static void forget_details(struct vts_error_body *ret_body)
{
    ret_body->reason[0] = ret_body->job_id[0] = '\0';
    ret_body->retry_delay = -1;
}

/* Details are an extra: what cannot be read of them is as good as absent. */
static void read_details(json_t *details, struct vts_error_body *ret_body)
{
    struct details_read read = {{false}};
    size_t i;
    json_t *detail;

    forget_details(ret_body);
    json_array_foreach(details, i, detail)
    {
        const char *type = json_string_value(json_object_get(detail, "type"));
        const char *value = json_string_value(json_object_get(detail, "value"));
        const struct known_detail *known =
            type == NULL || value == NULL ? NULL : find_detail(&read, type);

        if (known != NULL)
            read_detail(known, value, ret_body);
    }
}

static enum vts_err read_body(json_t *object, struct vts_error_body *ret_body)
{
    const char *code_word = NULL;
    const char *message = "";

    /* "s?s" leaves message as it is when the key is missing. */
    if (json_unpack(object, "{s:s, s?s}", "code", &code_word, "message", &message) != 0)
        return VTS_ERR_PROTOCOL;
    copy_text(ret_body->code_word, sizeof(ret_body->code_word), code_word);
    copy_text(ret_body->message, sizeof(ret_body->message), message);
    read_details(json_object_get(object, "details"), ret_body);
    return VTS_OK;
}

void vts_error_body_of(const Google__Rpc__Status *status, struct vts_error_body *ret_body)
{
    static const char prefix[] = "type.googleapis.com/";
    struct details_read read = {{false}};
    enum vts_rpc_code code = VTS_RPC_UNKNOWN;

    for (int i = VTS_RPC_CANCELLED; i <= VTS_RPC_UNAUTHENTICATED; i++)
        if (i == status->code)
            code = (enum vts_rpc_code)i;
    copy_text(ret_body->code_word, sizeof(ret_body->code_word), vts_rpc_code_word(code));
    copy_text(ret_body->message, sizeof(ret_body->message), status->message);
    forget_details(ret_body);
    for (size_t i = 0; i < status->n_details; i++) {
        const Google__Protobuf__Any *detail = status->details[i];
        const struct known_detail *known = NULL;

        if (strncmp(detail->type_url, prefix, strlen(prefix)) == 0)
            known = find_detail(&read, detail->type_url + strlen(prefix));
        if (known != NULL)
            take_detail(known, vts_str_make(detail->value.data, detail->value.len), ret_body);
    }
}

enum vts_err vts_error_json_read(struct vts_str json, struct vts_error_body *ret_body)
{
    json_t *root = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
    enum vts_err err = root == NULL ? VTS_ERR_PROTOCOL : read_body(root, ret_body);

    json_decref(root);
    return err;
}

enum vts_err vts_error_json_read_end(struct vts_str json, bool *ret_is_error,
                                     struct vts_error_body *ret_body)
{
    json_t *root = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *error = json_object_get(root, "error");
    enum vts_err err = VTS_ERR_PROTOCOL;

    /* A success has no such member, not even a null. */
    if (json_is_object(root) && error == NULL) {
        *ret_is_error = false;
        err = VTS_OK;
    } else if (error != NULL) {
        err = read_body(error, ret_body);
        if (err == VTS_OK)
            *ret_is_error = true;
    }
    json_decref(root);
    return err;
}

static void hand_on(json_t *object, vts_error_detail_fn on_detail, void *context)
{
    struct vts_error_detail detail = {.type = json_string_value(json_object_get(object, "type"))};
    const char *value = json_string_value(json_object_get(object, "value"));
    struct vts_buf bytes;

    if (detail.type == NULL || value == NULL)
        return;
    vts_buf_init(&bytes, MAX_DETAIL_BYTES);
    if (vts_base64_decode(&bytes, vts_str_of(value)) == VTS_OK) {
        detail.value = vts_buf_str(&bytes);
        on_detail(&detail, context);
    }
    vts_buf_fini(&bytes);
}

void vts_error_json_each_detail(struct vts_str json, vts_error_detail_fn on_detail, void *context)
{
    json_t *root = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *error = json_object_get(root, "error");
    json_t *details = json_object_get(error != NULL ? error : root, "details");
    size_t i;
    json_t *detail;

    json_array_foreach(details, i, detail)
    {
        hand_on(detail, on_detail, context);
    }
    json_decref(root);
}
