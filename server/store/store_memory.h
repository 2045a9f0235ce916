/* SPDX-License-Identifier: Apache-2.0 */
/* A store that forgets: for tests, and for trying things out. */
#ifndef VTS_STORE_MEMORY_H
#define VTS_STORE_MEMORY_H

#include "server/jobs/store.h"

/* VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_store_memory_new(struct vts_store **ret_store);

#endif
