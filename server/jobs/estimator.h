/* SPDX-License-Identifier: Apache-2.0 */
/* When a job will be done, learned from jobs that were: pure but for what it has learned.
 *
 * From each job that succeeds it learns how long that took to its end from three kinds of instants:
 * from when it was ready, in its queue; from the start of its attempt; and from each phase's. It
 * does so for the pair of languages, for the target language, and in all; and of a job that goes on
 * it guesses by the narrowest of these that it knows enough of. How far a job says it has come
 * counts against that, the more the further it is. */
#ifndef VTS_JOBS_ESTIMATOR_H
#define VTS_JOBS_ESTIMATOR_H

#include "common/base/err.h"
#include "vtstatus/store/v1/record.pb-c.h"

struct vts_estimator;

/* VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_estimator_new(struct vts_estimator **ret_estimator);
/* Accepts NULL. */
void vts_estimator_free(struct vts_estimator *estimator);
/* Learns from the record, if it is of a job that has succeeded. */
void vts_estimator_learn(struct vts_estimator *estimator,
                         const Vtstatus__Store__V1__JobRecord *record);
/* When the job will have succeeded, in nanoseconds since the Unix epoch and after wall_ns, which is
 * now; 0: there is no telling. */
int64_t vts_estimator_end_ns(const struct vts_estimator *estimator,
                             const Vtstatus__Store__V1__JobRecord *record, int64_t wall_ns);

#endif
