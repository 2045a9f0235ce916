/* SPDX-License-Identifier: Apache-2.0 */
/* Making a vts_status out of a body; what users do with one is in <vtstatus/client.h>. */
#ifndef VTS_CLIENT_STATUS_H
#define VTS_CLIENT_STATUS_H

#include <vtstatus/client.h>

#include "common/base/err.h"
#include "common/base/str.h"
#include "vtstatus/v1/status.pb-c.h"

enum {
    VTS_STATUS_MAX_BODY_BYTES = 1 << 20,
    /* protobuf-c can need 76 times the body for one made of tiny unknown fields. */
    VTS_STATUS_MAX_MEMORY_BYTES = 8 * VTS_STATUS_MAX_BODY_BYTES,
};

/* Decodes a vtstatus.v1.JobStatus. Everything the accessors hand out is checked here, so that they
 * cannot fail: strings are UTF-8 without NUL, times are in range. The caller owns *ret_status.
 * VTS_ERR_PROTOCOL, VTS_ERR_LIMIT or VTS_ERR_NOMEM, with the reason in *error, which may be NULL.
 */
VTS_MUST_CHECK enum vts_err vts_status_decode(struct vts_str body, struct vts_status **ret_status,
                                              struct vts_error *error);

/* Makes a status of a message that vts_message_decode made, or of a part of one; it is adopted.
 * NULL is VTS_ERR_PROTOCOL. Otherwise as vts_status_decode. */
VTS_MUST_CHECK enum vts_err vts_status_adopt(Vtstatus__V1__JobStatus *message,
                                             struct vts_status **ret_status,
                                             struct vts_error *error);

const Vtstatus__V1__JobStatus *vts_status_borrow_message(const struct vts_status *status);

/* What was last seen of a job, for a line of text: "job 'a' was last seen pending (running, 40 %)".
 * status may be NULL. */
void vts_status_describe(const struct vts_status *status, char *text, size_t size);

/* How much memory decoding it took: an upper bound for what it holds. 0 for an adopted one. */
size_t vts_status_memory_bytes(const struct vts_status *status);

#endif
