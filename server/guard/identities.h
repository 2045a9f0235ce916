/* SPDX-License-Identifier: Apache-2.0 */
/* Those who show a client certificate, and how much waits for each of them on all connections.
 *
 * There are as many at most as there are connections. Callable from any thread. */
#ifndef VTS_GUARD_IDENTITIES_H
#define VTS_GUARD_IDENTITIES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/macros.h"

struct vts_identities;
struct vts_identity;

/* VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_identities_new(struct vts_identities **ret_identities);
/* After everybody has left. Accepts NULL. */
void vts_identities_free(struct vts_identities *identities);

/* One more connection of the name; it leaves when it ends. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_identities_enter(struct vts_identities *identities,
                                                 const char *name,
                                                 struct vts_identity **ret_identity);
/* It holds nothing any more for the connection that leaves. Accepts NULL for the identity. */
void vts_identities_leave(struct vts_identities *identities, struct vts_identity *identity);

/* As it entered; while a connection of it is there. */
const char *vts_identity_name(const struct vts_identity *identity);
/* Counts one thing that waits, unless there are `max` of them already. */
bool vts_identity_hold(struct vts_identity *identity, uint64_t max);
void vts_identity_let_go(struct vts_identity *identity);

#endif
