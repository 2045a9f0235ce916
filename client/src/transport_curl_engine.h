/* SPDX-License-Identifier: Apache-2.0 */
/* Many requests at once, over as few connections as will do, driven by somebody else's loop: file
 * descriptors and a time go out, what happened to them comes in. Nothing blocks.
 *
 * For one thread at a time. No function may be called from an on_piece. */
#ifndef VTS_CLIENT_TRANSPORT_CURL_ENGINE_H
#define VTS_CLIENT_TRANSPORT_CURL_ENGINE_H

#include <vtstatus/wait.h>

#include "client/src/transport_curl.h"

/* More than the requests of any waiter: held ones, streams, and polls besides. */
enum { VTS_ENGINE_MAX_TRANSFERS = 160, VTS_ENGINE_MAX_FDS = VTS_WAITER_MAX_FDS - 1 };

struct vts_engine;
struct vts_transfer;

/* A request came to its end. VTS_CLIENT_OK means a complete HTTP answer of any code; error says
 * what else. Both are borrowed, and the transfer is gone afterwards. May start and stop transfers.
 */
typedef void (*vts_transfer_done_fn)(enum vts_client_code code, const struct vts_answer *answer,
                                     struct vts_client_error *error, void *context);

/* The transport is borrowed for what it was configured with. on_fd may be NULL. Whoever frees the
 * engine must not do so from within vts_engine_run. */
VTS_MUST_CHECK enum vts_client_code vts_engine_new(const struct vts_transport *transport,
                                                   vts_wait_fd_fn on_fd, void *fd_context,
                                                   struct vts_engine **ret_engine,
                                                   struct vts_client_error *error);
/* Ends every transfer, without a call to on_done, and every connection. */
void vts_engine_free(struct vts_engine *engine);

/* Starts a request; path, ETag and body are copied, other strings must be literals. Nothing is sent
 * before the engine runs. context is for on_done. max_bytes bounds the answer's body.
 * VTS_CLIENT_UNAVAILABLE: there are too many; VTS_CLIENT_NO_MEMORY. */
VTS_MUST_CHECK enum vts_client_code
vts_engine_start(struct vts_engine *engine, const struct vts_request *request, size_t max_bytes,
                 vts_transfer_done_fn on_done, void *context, struct vts_transfer **ret_transfer,
                 struct vts_client_error *error);
/* How many requests may be kept waiting at a time, so that others find a connection: those of
 * HTTP/1.1 have one each. Until the server has answered once it is taken for such a one. */
size_t vts_engine_kept_max(const struct vts_engine *engine);
/* Whether it has. */
bool vts_engine_has_met_server(const struct vts_engine *engine);
/* Ends a transfer without a call to on_done. */
void vts_engine_stop(struct vts_engine *engine, struct vts_transfer *transfer);
/* The same, for one that says nothing any more: no later request gets its connection, nor does the
 * next one get any other that exists. Requests that are on it go on. */
void vts_engine_abandon(struct vts_engine *engine, struct vts_transfer *transfer);
/* What came so far; good until the transfer ends. */
const struct vts_answer *vts_transfer_answer(const struct vts_transfer *transfer);

/* The next request gets a new connection: the server leaves the present one. */
void vts_engine_renew(struct vts_engine *engine);

/* As vts_waiter_fds. */
size_t vts_engine_fds(const struct vts_engine *engine, struct vts_waiter_fd *fds, size_t capacity);
/* When vts_engine_run must be called whatever happens; INT64_MAX: need not. */
int64_t vts_engine_due_ns(const struct vts_engine *engine);
/* Does what can be done, and calls on_done for what came to its end. fd -1: the time is over. */
void vts_engine_run(struct vts_engine *engine, int fd, unsigned events);

#endif
