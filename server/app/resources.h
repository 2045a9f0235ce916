/* SPDX-License-Identifier: Apache-2.0 */
/* What the system gives the server. */
#ifndef VTS_APP_RESOURCES_H
#define VTS_APP_RESOURCES_H

#include "server/guard/limits.h"

/* Takes all the descriptors the system allows, and keeps the connection limit within them and
 * within half of the memory there is: running out of either would fail connections without a word.
 * Before threads start. */
void vts_resources_fit(struct vts_limits *limits, unsigned threads);

#endif
