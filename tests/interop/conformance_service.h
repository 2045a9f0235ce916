/* SPDX-License-Identifier: Apache-2.0 */
/* connectrpc.conformance.v1.ConformanceService: it answers as each request tells it to, and says
 * what it was sent (https://github.com/connectrpc/conformance). */
#ifndef VTS_TESTS_INTEROP_CONFORMANCE_SERVICE_H
#define VTS_TESTS_INTEROP_CONFORMANCE_SERVICE_H

#include "server/rpc/service.h"

/* Unimplemented is not implemented. */
struct vts_service_row conformance_service_row(void);

/* What an Any in its messages may hold. */
extern const ProtobufCMessageDescriptor *const conformance_any_types[];
extern const size_t conformance_any_types_count;

#endif
