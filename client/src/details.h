/* SPDX-License-Identifier: Apache-2.0 */
/* The details of an error, for whoever reads the log. */
#ifndef VTS_CLIENT_DETAILS_H
#define VTS_CLIENT_DETAILS_H

#include "client/src/log.h"
#include "common/base/str.h"

/* Logs a line for each detail of an error body: the message's type, and the message as JSON, where
 * it is one of google/rpc/error_details.proto, else its bytes in base64. */
void vts_details_log(const struct vts_log *log, struct vts_str error_json);

#endif
