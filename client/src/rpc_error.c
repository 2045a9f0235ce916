/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_error.c - seventeen codes of gRPC become the few that a caller can do something about. */
#include "client/src/rpc_error.h"

#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "common/wire/rpc_code.h"

static enum vts_client_code client_code(enum vts_rpc_code rpc_code, const char *reason)
{
    switch (rpc_code) {
    case VTS_RPC_INVALID_ARGUMENT:
    case VTS_RPC_OUT_OF_RANGE:
        return VTS_CLIENT_USAGE;
    case VTS_RPC_DEADLINE_EXCEEDED:
        return VTS_CLIENT_TIMEOUT;
    case VTS_RPC_NOT_FOUND:
        return VTS_CLIENT_NOT_FOUND;
    case VTS_RPC_ALREADY_EXISTS:
    case VTS_RPC_FAILED_PRECONDITION:
    case VTS_RPC_ABORTED:
        return strcmp(reason, "LEASE_LOST") == 0 ? VTS_CLIENT_LEASE_LOST : VTS_CLIENT_CONFLICT;
    case VTS_RPC_PERMISSION_DENIED:
    case VTS_RPC_UNAUTHENTICATED:
        return VTS_CLIENT_DENIED;
    case VTS_RPC_RESOURCE_EXHAUSTED:
    case VTS_RPC_UNAVAILABLE:
        return VTS_CLIENT_UNAVAILABLE;
    case VTS_RPC_OK: /* no error has it */
    case VTS_RPC_CANCELLED:
    case VTS_RPC_UNKNOWN:
    case VTS_RPC_UNIMPLEMENTED:
    case VTS_RPC_INTERNAL:
    case VTS_RPC_DATA_LOSS:
        return VTS_CLIENT_REFUSED;
    }
    return VTS_CLIENT_REFUSED;
}

static const char *what_it_did(enum vts_client_code code, enum vts_rpc_code rpc_code)
{
    switch (code) {
    case VTS_CLIENT_USAGE:
        return "does not take that";
    case VTS_CLIENT_TIMEOUT:
        return "did not come to an end in time";
    case VTS_CLIENT_NOT_FOUND:
        return "does not find it";
    case VTS_CLIENT_CONFLICT:
    case VTS_CLIENT_LEASE_LOST:
        return "refuses";
    case VTS_CLIENT_DENIED:
        return "does not allow that";
    case VTS_CLIENT_UNAVAILABLE:
        return "cannot serve now";
    default: /* VTS_CLIENT_REFUSED */
        return rpc_code == VTS_RPC_UNIMPLEMENTED ? "does not offer this call" : "failed";
    }
}

static enum vts_client_code tell_http(const struct vts_origin *origin, int http_code,
                                      struct vts_client_error *error)
{
    enum vts_rpc_code rpc_code = vts_rpc_code_of_http(http_code);
    enum vts_client_code code = client_code(rpc_code, "");

    error->rpc_code = (int)rpc_code;
    return vts_failure_set(error, code,
                           "%s %s (HTTP %d, and not in the way vtstatusd says it: is that the "
                           "right server?)",
                           origin->text, what_it_did(code, rpc_code), http_code);
}

enum vts_client_code vts_rpc_error_tell(const struct vts_origin *origin, const char *job_id,
                                        int http_code, const struct vts_error_body *body,
                                        struct vts_client_error *error)
{
    enum vts_rpc_code rpc_code;
    enum vts_client_code code;

    if (body == NULL)
        return tell_http(origin, http_code, error);
    if (job_id == NULL && body->job_id[0] != '\0')
        job_id = body->job_id; /* of many, the server says which */
    rpc_code = vts_rpc_code_of_word(body->code_word);
    code = client_code(rpc_code, body->reason);
    error->rpc_code = (int)rpc_code;
    (void)snprintf(error->reason, sizeof(error->reason), "%s", body->reason);
    if (code == VTS_CLIENT_NOT_FOUND && job_id != NULL)
        return vts_failure_set(error, code, "%s knows no job '%s'", origin->text, job_id);
    if (code == VTS_CLIENT_LEASE_LOST && job_id != NULL)
        return vts_failure_set(error, code, "the lease of job '%s' is lost: %s", job_id,
                               body->message);
    return vts_failure_set(error, code, "%s %s: %s", origin->text, what_it_did(code, rpc_code),
                           body->message[0] != '\0' ? body->message : body->code_word);
}
