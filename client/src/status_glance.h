/* SPDX-License-Identifier: Apache-2.0 */
/* What decides whether a status on a stream is worth decoding, read from its bytes alone: of
 * thousands of jobs whose ends are waited for, most statuses are not. */
#ifndef VTS_CLIENT_STATUS_GLANCE_H
#define VTS_CLIENT_STATUS_GLANCE_H

#include "common/base/str.h"

struct vts_status_glance {
    struct vts_str job_id; /* borrowed; not looked through */
    bool is_done;
    uint64_t revision;
};

/* bytes are a response of WatchStatus or WatchStatuses. Returns false for whatever is not plainly
 * one with a status, a job's id and a revision: then all of it is to be decoded, and judged. */
bool vts_status_glance(struct vts_str bytes, struct vts_status_glance *ret_glance);

#endif
