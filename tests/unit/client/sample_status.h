/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses as a server sends them, for tests. */
#ifndef VTS_TESTS_SAMPLE_STATUS_H
#define VTS_TESTS_SAMPLE_STATUS_H

#include <vtstatus/client.h>

#include "common/base/buf.h"
#include "vtstatus/v1/status.pb-c.h"

/* Encodes the message; the caller ends the buffer. */
struct vts_buf sample_status_encode(const Vtstatus__V1__JobStatus *message);
/* Encodes and decodes it; the test stops when that fails. */
struct vts_status *sample_status_of(const Vtstatus__V1__JobStatus *message);
/* A job at that revision: running at 42 % in "transcribe", 2 of 6; poll_after as given, none when
 * negative. */
struct vts_status *sample_status_running(const char *job_id, uint64_t revision, double poll_after);
/* A job that waits, with the phase of an attempt that is over. */
struct vts_status *sample_status_waiting(const char *job_id, int attempt,
                                         enum vts_pending_reason reason);
/* A job that is completed. */
struct vts_status *sample_status_completed(const char *job_id, uint64_t revision);

#endif
