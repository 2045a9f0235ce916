/* SPDX-License-Identifier: Apache-2.0 */
/* From what an operator writes to a store. */
#ifndef VTS_STORE_OPEN_H
#define VTS_STORE_OPEN_H

#include "server/jobs/store.h"

/* spec is "memory" or "sqlite:PATH". VTS_ERR_INVALID for any other; otherwise as the store's own
 * opening. There is a text for every error. The caller closes the store with its ops. */
VTS_MUST_CHECK enum vts_err vts_store_open(const char *spec, struct vts_store **ret_store,
                                           struct vts_error *error);

#endif
