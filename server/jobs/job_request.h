/* SPDX-License-Identifier: Apache-2.0 */
/* What a request to create a job may say. From any thread. */
#ifndef VTS_JOBS_JOB_REQUEST_H
#define VTS_JOBS_JOB_REQUEST_H

#include "common/base/str.h"
#include "vtstatus/v1/job_service.pb-c.h"

/* Lengths are in bytes. */
enum {
    VTS_JOB_URI_MAX = 2048,
    VTS_JOB_LANGUAGE_MAX = 35, /* RFC 5646 section 4.4.1 */
    VTS_JOB_ENTRIES_MAX = 64,  /* labels, and options */
    VTS_JOB_LABEL_KEY_MAX = 63,
    VTS_JOB_LABEL_VALUE_MAX = 63,
    VTS_JOB_OPTION_KEY_MAX = 64,
    VTS_JOB_OPTION_VALUE_MAX = 1024,
    VTS_JOB_QUEUE_MAX = 64,
    VTS_JOB_PRIORITY_MAX = 1000, /* and, below zero, the least */
    VTS_JOB_REQUEST_ID_MAX = 36,
    VTS_JOB_WORKER_ID_MAX = 128,
};

/* What is wrong with a request, for google.rpc.BadRequest: literals, with nothing of the peer. */
struct vts_job_violation {
    const char *field; /* such as "spec.source_uri" */
    const char *text;
};

/* VTS_ERR_INVALID, and then *ret_violation, which may be NULL, is the first thing wrong. Strings
 * are UTF-8 and free of NUL, as decoders make them. */
VTS_MUST_CHECK enum vts_err vts_job_request_check(const Vtstatus__V1__CreateJobRequest *request,
                                                  struct vts_job_violation *ret_violation);

/* The parts that other requests have too. */

/* [a-z0-9._-]{1,64} */
bool vts_job_queue_is_valid(struct vts_str queue);
/* [a-z][a-z0-9_.-]{0,62} */
bool vts_job_label_key_is_valid(struct vts_str key);
/* Without control characters: what people read in a terminal, or programs in a line. Text is UTF-8.
 */
bool vts_job_text_is_plain(const char *text);
/* The same, but it may have tabs and several lines. */
bool vts_job_text_is_prose(const char *text);
/* The form of a language tag (RFC 5646 section 2.1); which tags there are is not looked up. */
bool vts_job_language_is_valid(struct vts_str language);

#endif
