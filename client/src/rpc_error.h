/* SPDX-License-Identifier: Apache-2.0 */
/* How a server refuses a call, in the client's codes and words: the one place of that. */
#ifndef VTS_CLIENT_RPC_ERROR_H
#define VTS_CLIENT_RPC_ERROR_H

#include <vtstatus/client.h>

#include "client/src/origin.h"
#include "common/wire/error_json.h"

/* Fills *error, its http_code apart, and returns its code. job_id is whom the call was about, or
 * NULL; then the server may have said it. body is what the server said, or NULL when that was no
 * error of the Connect protocol; then http_code is all there is to go by. */
enum vts_client_code vts_rpc_error_tell(const struct vts_origin *origin, const char *job_id,
                                        int http_code, const struct vts_error_body *body,
                                        struct vts_client_error *error);

#endif
