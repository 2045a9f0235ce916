/* SPDX-License-Identifier: Apache-2.0 */
/* What a service says of its methods: one row each. The rest, such as which side streams, is read
 * from the descriptors of the .proto. */
#ifndef VTS_RPC_SERVICE_H
#define VTS_RPC_SERVICE_H

#include "server/rpc/call.h"

struct vts_method_row {
    const char *name;         /* as in the .proto; methods without a row are unimplemented */
    size_t request_max_bytes; /* of one message; 0: the limit "message_bytes" */
    const struct vts_call_handler *handler;
};

struct vts_service_row {
    const ProtobufCServiceDescriptor *descriptor;
    const struct vts_method_row *methods;
    size_t methods_count;
    void *context; /* see vts_call_context() */
};

#endif
