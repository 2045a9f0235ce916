/* SPDX-License-Identifier: Apache-2.0 */
/* The option structs of <vtstatus/jobs.h>, <vtstatus/worker.h> and <vtstatus/call.h>, as options.h
 * has those of <vtstatus/client.h>: defaults filled in, and what the library itself must rely on
 * checked. What a server may judge better, it is left to judge. */
#ifndef VTS_CLIENT_CALL_OPTIONS_H
#define VTS_CLIENT_CALL_OPTIONS_H

#include <vtstatus/call.h>
#include <vtstatus/worker.h>

#include "common/base/macros.h"

/* Each: VTS_CLIENT_USAGE with the reason in *error; *ret_options is then unspecified. options may
 * be NULL where the header says that it means the defaults. */
VTS_MUST_CHECK enum vts_client_code
vts_create_options_read(const struct vts_create_options *options,
                        struct vts_create_options *ret_options, struct vts_client_error *error);
VTS_MUST_CHECK enum vts_client_code
vts_decide_options_read(const struct vts_decide_options *options,
                        struct vts_decide_options *ret_options, struct vts_client_error *error);
VTS_MUST_CHECK enum vts_client_code vts_list_options_read(const struct vts_list_options *options,
                                                          struct vts_list_options *ret_options,
                                                          struct vts_client_error *error);
VTS_MUST_CHECK enum vts_client_code vts_lease_options_read(const struct vts_lease_options *options,
                                                           struct vts_lease_options *ret_options,
                                                           struct vts_client_error *error);
VTS_MUST_CHECK enum vts_client_code vts_progress_read(const struct vts_progress *progress,
                                                      struct vts_progress *ret_progress,
                                                      struct vts_client_error *error);
VTS_MUST_CHECK enum vts_client_code vts_fail_options_read(const struct vts_fail_options *options,
                                                          struct vts_fail_options *ret_options,
                                                          struct vts_client_error *error);
VTS_MUST_CHECK enum vts_client_code vts_call_options_read(const struct vts_call_options *options,
                                                          struct vts_call_options *ret_options,
                                                          struct vts_client_error *error);

#endif
