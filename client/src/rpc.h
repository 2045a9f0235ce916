/* SPDX-License-Identifier: Apache-2.0 */
/* One unary call by the Connect protocol (https://connectrpc.com/docs/protocol/#unary-request):
 * the message is the body, and so is the outcome, so that nothing depends on trailers. */
#ifndef VTS_CLIENT_RPC_H
#define VTS_CLIENT_RPC_H

#include <protobuf-c/protobuf-c.h>

#include "client/src/client.h"

struct vts_rpc_method {
    const char *path; /* "/package.Service/Method" */
    const ProtobufCMessageDescriptor *response;
    /* Doing it twice does no harm. Others are sent once at most, and never tried again. */
    bool is_repeatable;
};

struct vts_rpc_request {
    const struct vts_rpc_method *method;
    const ProtobufCMessage *message;
    const char *job_id; /* whom it is about, for texts; NULL: nobody */
    double wait;        /* s that the server may hold the answer back */
};

/* Sends the message and takes the response in, trying again what may pass and is repeatable, for as
 * long as the client's request_timeout and the wait allow together. The caller frees *ret_response,
 * written only on VTS_CLIENT_OK, with vts_message_free. error is not NULL. */
VTS_MUST_CHECK enum vts_client_code vts_rpc_call(struct vts_client *client,
                                                 const struct vts_rpc_request *request,
                                                 ProtobufCMessage **ret_response,
                                                 struct vts_client_error *error);

/* For a response that breaks the contract: VTS_CLIENT_UNDECODABLE, or VTS_CLIENT_NO_MEMORY when
 * that is what err says. */
enum vts_client_code vts_rpc_undecodable(const struct vts_client *client, enum vts_err err,
                                         const char *why, struct vts_client_error *error);

#endif
