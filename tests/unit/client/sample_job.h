/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as a server sends them, for tests. */
#ifndef VTS_TESTS_SAMPLE_JOB_H
#define VTS_TESTS_SAMPLE_JOB_H

#include <vtstatus/jobs.h>

#include "common/base/err.h"
#include "vtstatus/v1/job.pb-c.h"

/* A running job "j-1" from file:///in.mp4 in "en" to "de", with the label team=a, the options
 * voice=low and no-name=x, and an attempt that failed. Its parts are static: change them, encode,
 * and ask for another. */
Vtstatus__V1__Job *sample_job_message(void);
/* Encodes and decodes the message. */
enum vts_err sample_job_adopt(const Vtstatus__V1__Job *message, struct vts_job **ret_job,
                              struct vts_error *error);
/* The same of one that is well. */
struct vts_job *sample_job_of(const Vtstatus__V1__Job *message);

#endif
