/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the files that the configuration names are there. */
#ifndef VTS_APP_FILES_H
#define VTS_APP_FILES_H

#include "server/app/config.h"

/* VTS_ERR_INVALID with a text that names the first file that cannot be read, or the folder that a
 * store cannot be in. Nothing is opened: what is in a file, others find out. */
VTS_MUST_CHECK enum vts_err vts_files_check(const struct vts_config *config,
                                            struct vts_error *error);

#endif
