/* SPDX-License-Identifier: Apache-2.0 */
/* Which rung of the ladder a wait stands on (see <vtstatus/wait.h>): pure reckoning, so that it can
 * be tested without a network that misbehaves.
 *
 * Going down needs evidence. That something does not pass (VTS_MISS_BLOCKED) is enough by itself;
 * where the server may as well be away (VTS_MISS_DOUBT) it takes two in a row, and the way
 * back is tried as soon as anything works below. A server with no room for more watches
 * (VTS_MISS_BUSY) is polled. Going up is tried one rung at a time, after a time that doubles with
 * each try that failed, while the rung below goes on: nobody waits for an experiment. */
#ifndef VTS_CLIENT_LADDER_H
#define VTS_CLIENT_LADDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <vtstatus/wait.h>

enum vts_miss {
    VTS_MISS_BLOCKED,
    VTS_MISS_DOUBT,
    VTS_MISS_BUSY,
};

/* What a client remembers from wait to wait, by whatever threads they run in. Zeroed, nothing. */
struct vts_ladder_memory {
    atomic_int rung; /* enum vts_wait_mode; VTS_WAIT_AUTO: none yet */
    atomic_int_fast64_t climb_ns;
    atomic_uint failed_climbs;
    atomic_uint hold_s;
};

struct vts_ladder {
    struct vts_ladder_memory *memory;
    enum vts_wait_mode rung;
    bool is_pinned;          /* to that rung */
    bool can_hold;           /* there are few enough jobs for long-polls */
    bool is_doubtful;        /* why it came down may have passed already */
    enum vts_wait_mode home; /* the rung that only doubt has brought it down from; else AUTO */
    unsigned misses;         /* in a row, on this rung */
    unsigned short_lives;    /* streams in a row that were cut soon after they had begun */
    unsigned failed_climbs;  /* in a row */
    int64_t climb_ns;        /* when the rung above may be tried; INT64_MAX: never */
    unsigned hold_s;         /* that a long-poll asks for */
};

/* Shorter holds than the least are no better than polling. */
enum { VTS_LADDER_MAX_HOLD_S = 120, VTS_LADDER_LEAST_HOLD_S = 5 };

/* mode pins the rung unless it is VTS_WAIT_AUTO; then it starts where the memory says. */
void vts_ladder_init(struct vts_ladder *ladder, enum vts_wait_mode mode, bool can_hold,
                     struct vts_ladder_memory *memory, int64_t now_ns);

/* The rung that is next on the way up; VTS_WAIT_AUTO: none. */
enum vts_wait_mode vts_ladder_next(const struct vts_ladder *ladder);
/* The same, when it is time to try it beside the present one. */
enum vts_wait_mode vts_ladder_above(const struct vts_ladder *ladder, int64_t now_ns);

/* Something worked on that rung. Returns whether the ladder was climbed by it. */
bool vts_ladder_worked(struct vts_ladder *ladder, enum vts_wait_mode rung, int64_t now_ns);
/* Something did not, there. Returns whether the ladder came down by it; on a rung that was only
 * tried, the next try is put off. */
bool vts_ladder_missed(struct vts_ladder *ladder, enum vts_wait_mode rung, enum vts_miss miss,
                       int64_t now_ns);
/* A stream that had worked was cut after so long: one now and then is usual, many mean that streams
 * are not wanted. Returns as vts_ladder_missed. */
bool vts_ladder_cut(struct vts_ladder *ladder, double lived, int64_t now_ns);
/* A long-poll was cut after so long, or the server holds for no longer: asks for less from now on.
 * Returns false when that would be too little to be of use. */
bool vts_ladder_shorten(struct vts_ladder *ladder, double held);

#endif
