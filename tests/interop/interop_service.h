/* SPDX-License-Identifier: Apache-2.0 */
/* grpc.testing.TestService, as the official interop clients expect it
 * (https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md). */
#ifndef VTS_TESTS_INTEROP_INTEROP_SERVICE_H
#define VTS_TESTS_INTEROP_INTEROP_SERVICE_H

#include "server/rpc/service.h"

/* UnimplementedCall is not implemented. */
struct vts_service_row interop_service_row(void);

#endif
