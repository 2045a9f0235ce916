/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON body of an error answer, in the Connect shape:
 * {"code":"not_found","message":"..."} (https://connectrpc.com/docs/protocol/#error-end-stream). */
#ifndef VTS_WIRE_ERROR_JSON_H
#define VTS_WIRE_ERROR_JSON_H

#include "common/base/buf.h"
#include "google/rpc/status.pb-c.h"

/* A detail of an error, as a google.protobuf.Any holds it. */
struct vts_error_detail {
    const char *type; /* full name of the message */
    struct vts_str value;
};

/* Appends the body. message, which may be NULL, may hold any bytes; what is no UTF-8 becomes
 * U+FFFD.
 */
void vts_error_json_write(struct vts_buf *buf, const char *code_word, const char *message,
                          const struct vts_error_detail *details, size_t details_count);

/* What an error body says. */
struct vts_error_body {
    char code_word[32];
    char message[256];
    char reason[64];    /* of its google.rpc.ErrorInfo; "" when it has none that can be read */
    char job_id[132];   /* the same, its metadata "jobId" */
    double retry_delay; /* s, of its google.rpc.RetryInfo; negative when it has none */
};

/* Reads an error body, cutting off what is longer than the fields at a whole character.
 * VTS_ERR_PROTOCOL when it is no such body; *ret_body is then untouched. */
VTS_MUST_CHECK enum vts_err vts_error_json_read(struct vts_str json,
                                                struct vts_error_body *ret_body);

/* What an error body of the same error would say. */
void vts_error_body_of(const Google__Rpc__Status *status, struct vts_error_body *ret_body);

typedef void (*vts_error_detail_fn)(const struct vts_error_detail *detail, void *context);

/* Hands on each detail of an error body, or of the one in the last envelope of a Connect stream;
 * those that cannot be read are left out. What a detail holds is gone when the call of it ends. */
void vts_error_json_each_detail(struct vts_str json, vts_error_detail_fn on_detail, void *context);

/* Reads what the last envelope of a Connect stream holds: {}, or {"error":{...}} with an error body
 * as above. *ret_body is written only when *ret_is_error. VTS_ERR_PROTOCOL for anything else. */
VTS_MUST_CHECK enum vts_err vts_error_json_read_end(struct vts_str json, bool *ret_is_error,
                                                    struct vts_error_body *ret_body);

#endif
