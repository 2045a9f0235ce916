/* SPDX-License-Identifier: Apache-2.0 */
/* The services of a server and their methods, built from descriptors. */
#ifndef VTS_CLIENT_SERVICES_H
#define VTS_CLIENT_SERVICES_H

#include <vtstatus/call.h>

#include "common/base/macros.h"
#include "common/base/str.h"
#include "google/protobuf/descriptor.pb-c.h"

enum { VTS_SERVICES_MAX = 1000 };

/* Whether text is what names in .proto files are made of: letters, digits, '_' and '.'. */
bool vts_services_is_name(const char *text);

/* Room for `max` services, at most VTS_SERVICES_MAX; none is there yet. NULL without memory. */
VTS_MUST_CHECK struct vts_services *vts_services_new(size_t max);

/* Adds the service of that full name out of the file that defines it, copied. VTS_ERR_NOT_FOUND
 * when the file does not, VTS_ERR_PROTOCOL for names that are none, VTS_ERR_LIMIT when there is no
 * room, VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_services_add(struct vts_services *services,
                                             const Google__Protobuf__FileDescriptorProto *file,
                                             const char *name);

#endif
