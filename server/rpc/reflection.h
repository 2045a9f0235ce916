/* SPDX-License-Identifier: Apache-2.0 */
/* The server tells its callers what it serves: grpc.reflection.v1.ServerReflection, and under the
 * name that older tools ask for, v1alpha, the same
 * (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md). */
#ifndef VTS_RPC_REFLECTION_H
#define VTS_RPC_REFLECTION_H

#include "common/wire/descriptor_files.h"
#include "server/rpc/service.h"

/* Rows for vts_rpc_options.services, all of which are listed. files, which is borrowed and outlives
 * the runtime, is what can be looked up; it has the files of all services. */
struct vts_service_row vts_reflection_row_v1(struct vts_descriptor_files *files);
struct vts_service_row vts_reflection_row_v1alpha(struct vts_descriptor_files *files);

#endif
