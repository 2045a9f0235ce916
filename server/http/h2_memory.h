/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the HTTP/2 sessions of one loop, so that an idle session costs little.
 *
 * A session of nghttp2 allocates at its birth 16 KiB to put the frame it is sending together in,
 * and 4 KiB for the table of its open streams.
 *
 * The frame: it is written and handed out in one call of nghttp2_session_mem_send() and not looked
 * at again, and vts_h2_produce() copies it at once. So all sessions of a thread share one buffer.
 *
 * The table: without open streams it is all zeros. It lives on a page of its own, which is given
 * back to the system while that is so and reads as zeros again.
 *
 * See docs/decisions/0006-memory-of-idle-sessions.md. Inside server/http only; loop thread only. */
#ifndef VTS_HTTP_H2_MEMORY_H
#define VTS_HTTP_H2_MEMORY_H

#include <stddef.h>

struct vts_h2_memory;

/* For up to sessions_max sessions; more of them work, at their usual cost. NULL without memory. */
struct vts_h2_memory *vts_h2_memory_new(size_t sessions_max);
/* After the last session is gone. NULL is accepted. */
void vts_h2_memory_free(struct vts_h2_memory *memory);
/* Gives the page back to the system if it holds zeros only. */
void vts_h2_memory_trim(void *page);

#endif
