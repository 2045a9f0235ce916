/* SPDX-License-Identifier: Apache-2.0 */
/* The running server: every part of it, made, joined, and taken down again. */
#ifndef VTS_APP_APP_H
#define VTS_APP_APP_H

#include "server/app/config.h"

/* Serves until told to stop by a signal. VTS_OK after a stop; otherwise why the server could not
 * start, with a text. config->limits is counted in. Once a process. */
VTS_MUST_CHECK enum vts_err vts_app_run(struct vts_config *config, struct vts_error *error);

#endif
