/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of vts_poll_status, apart from where its answers, its sleep and its time come from. */
#ifndef VTS_CLIENT_POLLER_H
#define VTS_CLIENT_POLLER_H

#include "client/src/client.h"

struct vts_poll_source {
    void *self;
    /* As vts_client_fetch. */
    enum vts_client_code (*fetch)(void *self, double timeout, struct vts_fetch *ret_fetch,
                                  struct vts_client_error *error);
    /* True after so many seconds, false when cancelled before. */
    bool (*wait)(void *self, double seconds);
    int64_t (*now_ns)(void *self);
    double request_timeout;
    struct vts_log log;
};

/* options must have been read by vts_poll_options_read; error must not be NULL. The rest is as
 * vts_poll_status has it. */
VTS_MUST_CHECK enum vts_client_code vts_poller_run(const struct vts_poll_source *source,
                                                   const struct vts_poll_options *options,
                                                   struct vts_status **ret_status,
                                                   struct vts_client_error *error);

#endif
