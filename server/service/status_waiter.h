/* SPDX-License-Identifier: Apache-2.0 */
/* A reader who waits for news of jobs: the one way behind all ways to wait. Loop thread only.
 *
 * Of each job it knows one number, the revision that the reader has; what is new is read from the
 * board when the reader can use it. So a slow reader gets the newest only, but never misses the
 * last, and its memory is fixed. */
#ifndef VTS_SERVICE_STATUS_WAITER_H
#define VTS_SERVICE_STATUS_WAITER_H

#include "server/service/status_service.h"

struct vts_status_waiter;

/* There may be news. May free the waiter. */
typedef void (*vts_status_news_fn)(void *context);

/* What is news of a job. */
enum vts_status_until {
    VTS_STATUS_UNTIL_CHANGE, /* another revision than the reader has, or the end of the job */
    VTS_STATUS_UNTIL_DONE,   /* its end; and the present status for a reader who has none */
};

/* For up to jobs_max jobs; loop is the number of the loop whose thread this is. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_status_waiter_new(const struct vts_status_service *service,
                                                  unsigned loop, size_t jobs_max,
                                                  enum vts_status_until until,
                                                  vts_status_news_fn on_news, void *context,
                                                  struct vts_status_waiter **ret_waiter);
/* Accepts NULL. */
void vts_status_waiter_free(struct vts_status_waiter *waiter);
/* Adds a job, whose id is a valid one, and the last revision of it that the reader has; 0: none.
 * Nothing is missed that comes from now on. VTS_ERR_LIMIT when there are too many watches,
 * VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_status_waiter_add(struct vts_status_waiter *waiter,
                                                  struct vts_str job_id, uint64_t revision);

/* Takes the next news, which the reader has then; jobs have their turns one after the other.
 * VTS_ERR_AGAIN: there is none now, and on_news will tell. VTS_ERR_CLOSED: there will be none, for
 * the reader has the last of every job. VTS_ERR_NOT_FOUND: a job was not there
 * when it was added, and is not yet: nothing more comes of it, and the others go on. The view's
 * snapshot is the caller's to unref. */
VTS_MUST_CHECK enum vts_err vts_status_waiter_next(struct vts_status_waiter *waiter, int64_t now_ns,
                                                   struct vts_status_view *ret_view);
/* The status, as it is now, of the job that vts_status_waiter_job_id() names; of one that was
 * removed since it was added, the last. As vts_check_status(). */
VTS_MUST_CHECK enum vts_err vts_status_waiter_check(const struct vts_status_waiter *waiter,
                                                    int64_t now_ns,
                                                    struct vts_status_view *ret_view);
/* The job that vts_status_waiter_next() told of last, or, before it did, the first one. */
struct vts_str vts_status_waiter_job_id(const struct vts_status_waiter *waiter);

/* Whether one answer need not wait any longer: there was news, or the end is what it waited for and
 * has come. Takes all news. */
bool vts_status_waiter_is_settled(struct vts_status_waiter *waiter, int64_t now_ns);

/* When an answer is due at the latest that may wait for wait_ns: a little before deadline_ns, when
 * its reader will have given up; INT64_MAX for never. At least now_ns. */
int64_t vts_status_wait_due_ns(int64_t now_ns, int64_t wait_ns, int64_t deadline_ns);

enum { VTS_STATUS_SPREAD_MS = 2000 };

/* For how long a client should stay away that is sent away, so that all of them do not come back at
 * once: less than VTS_STATUS_SPREAD_MS. */
int vts_status_spread_ms(void);

#endif
