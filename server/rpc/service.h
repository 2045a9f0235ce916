/* SPDX-License-Identifier: Apache-2.0 */
/* What a service says of its methods: one row each, and one for each path of REST that leads to
 * one. The rest, such as which side streams, is read from the descriptors of the .proto. */
#ifndef VTS_RPC_SERVICE_H
#define VTS_RPC_SERVICE_H

#include "server/rpc/call.h"

struct vts_method_row {
    const char *name;         /* as in the .proto; methods without a row are unimplemented */
    size_t request_max_bytes; /* of one message; 0: the limit "message_bytes" */
    const struct vts_call_handler *handler;
};

/* A unary method as HTTP has resources (https://google.aip.dev/127). Its request is made of the
 * body, or the query, and of what the path and If-Match say. */
struct vts_rest_row {
    enum vts_method verb; /* GET brings HEAD with it */
    int http_code;        /* of success; 0: 200. With 204 there is no body */
    const char *path;     /* "/v1/jobs/{job_id}:cancel": {field} is a segment, or part of one */
    const char *method;   /* as in the .proto */
    const char *flat;     /* what this field's message has may stand in the body's JSON; or NULL */
    const char *if_match; /* the field that If-Match fills; NULL: it is not looked at */
    const char *answer;   /* the field of the answer that is the body; NULL: all of it */
    bool takes_body;      /* the request is the body, which may be left out; else it is the query */
};

struct vts_service_row {
    const ProtobufCServiceDescriptor *descriptor;
    const struct vts_method_row *methods;
    size_t methods_count;
    const struct vts_rest_row *rest; /* may be NULL */
    size_t rest_count;
    void *context; /* see vts_call_context() */
    /* It does or tells what a page that anybody wrote should not get at: "reads" among the origins
     * (struct vts_rpc_options) does not open it. */
    bool is_guarded;
};

#endif
