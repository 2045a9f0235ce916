/* SPDX-License-Identifier: Apache-2.0 */
/* What the loop shares with its neighbours in this folder: libuv's handle and the thread's buffers.
 * Not for other folders. */
#ifndef VTS_IO_LOOP_UV_H
#define VTS_IO_LOOP_UV_H

#include <uv.h>

#include "server/io/loop.h"

enum {
    /* One read takes at most this much of one connection, so that none keeps the others waiting. */
    VTS_LOOP_READ_BYTES = 64 * 1024,
    /* Written in one go; beyond it comes what the largest single TLS record adds. */
    VTS_LOOP_WRITE_BYTES = 64 * 1024,
    VTS_TLS_RECORD_BYTES = 16 * 1024,
    VTS_TLS_RECORD_OVERHEAD = 512,
};

/* Buffers that every connection of the loop uses in turn: an idle connection owns none. */
struct vts_loop_buffers {
    char read[VTS_LOOP_READ_BYTES];
    char plain[VTS_TLS_RECORD_BYTES];
    char write[VTS_LOOP_WRITE_BYTES + VTS_TLS_RECORD_BYTES + VTS_TLS_RECORD_OVERHEAD];
    size_t write_len;
};

uv_loop_t *vts_loop_uv(struct vts_loop *loop);
struct vts_loop_buffers *vts_loop_buffers(struct vts_loop *loop);

#endif
