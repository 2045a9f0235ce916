/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator asked for: flags, else the environment, else defaults. */
#ifndef VTS_APP_CONFIG_H
#define VTS_APP_CONFIG_H

#include <stdbool.h>

#include "server/guard/limits.h"
#include "server/io/listener.h"
#include "server/io/tls_ctx.h"
#include "server/jobs/simulation.h"
#include "server/obs/log.h"

enum { VTS_THREADS_MAX = 256 };

struct vts_config {
    bool wants_help;
    bool wants_version;
    bool wants_descriptor_set;
    struct vts_address listen;
    bool has_insecure_listen;
    struct vts_address insecure_listen; /* without TLS, of loopback */
    struct vts_tls_files tls;           /* strings are borrowed from argv and the environment */
    unsigned threads;
    const char *store; /* borrowed, as above; for vts_store_open() */
    bool has_simulation;
    struct vts_simulation_options simulation;
    bool has_reflection;
    const char *allow_origin; /* borrowed, as above; as vts_rpc_options.origins */
    struct vts_limits limits;
    enum vts_log_level log_level;
    enum vts_log_format log_format;
};

/* Reads the command line and the environment. VTS_ERR_INVALID with a text that names the fault and
 * what to do. When help, the version
 * or the descriptor set is wanted, nothing else is looked at. */
VTS_MUST_CHECK enum vts_err vts_config_read(int argc, char *const argv[],
                                            struct vts_config *ret_config, struct vts_error *error);
/* Appends the help text. */
void vts_config_write_help(struct vts_buf *buf);

#endif
