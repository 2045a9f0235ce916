/* SPDX-License-Identifier: Apache-2.0 */
/* ladder.c - up and down by evidence. */
#include "client/src/ladder.h"

#include "common/base/clock.h"

enum {
    MISSES_TO_FALL = 2,
    SHORT_LIVES_TO_FALL = 3,
    FIRST_CLIMB_S = 30,
    MAX_CLIMB_S = 1800,
};

/* s; a stream that lives longer is worth what it costs. */
static const double short_life = 10;

static void remember(const struct vts_ladder *ladder)
{
    struct vts_ladder_memory *memory = ladder->memory;

    if (ladder->is_pinned)
        return;
    atomic_store(&memory->rung, (int)ladder->rung);
    atomic_store(&memory->climb_ns, ladder->climb_ns);
    atomic_store(&memory->failed_climbs, ladder->failed_climbs);
    atomic_store(&memory->hold_s, ladder->hold_s);
}

void vts_ladder_init(struct vts_ladder *ladder, enum vts_wait_mode mode, bool can_hold,
                     struct vts_ladder_memory *memory, int64_t now_ns)
{
    enum vts_wait_mode known = (enum vts_wait_mode)atomic_load(&memory->rung);
    unsigned hold_s = atomic_load(&memory->hold_s);

    *ladder = (struct vts_ladder){.memory = memory,
                                  .rung = mode,
                                  .is_pinned = mode != VTS_WAIT_AUTO,
                                  .can_hold = can_hold,
                                  .climb_ns = INT64_MAX,
                                  .hold_s = hold_s > 0 ? hold_s : VTS_LADDER_MAX_HOLD_S};
    if (ladder->is_pinned)
        return;
    ladder->rung = known != VTS_WAIT_AUTO ? known : VTS_WAIT_WATCH;
    if (ladder->rung == VTS_WAIT_LONG_POLL && !can_hold)
        ladder->rung = VTS_WAIT_POLL;
    if (ladder->rung == VTS_WAIT_WATCH)
        return;
    ladder->failed_climbs = atomic_load(&memory->failed_climbs);
    ladder->climb_ns = atomic_load(&memory->climb_ns);
    if (ladder->climb_ns == INT64_MAX)
        ladder->climb_ns = now_ns;
}

static enum vts_wait_mode next_down(const struct vts_ladder *ladder, enum vts_miss miss)
{
    return ladder->rung == VTS_WAIT_WATCH && ladder->can_hold && miss != VTS_MISS_BUSY
               ? VTS_WAIT_LONG_POLL
               : VTS_WAIT_POLL;
}

enum vts_wait_mode vts_ladder_next(const struct vts_ladder *ladder)
{
    if (ladder->is_pinned || ladder->rung == VTS_WAIT_WATCH)
        return VTS_WAIT_AUTO;
    if (ladder->home != VTS_WAIT_AUTO)
        return ladder->home;
    return ladder->rung == VTS_WAIT_POLL && ladder->can_hold ? VTS_WAIT_LONG_POLL : VTS_WAIT_WATCH;
}

enum vts_wait_mode vts_ladder_above(const struct vts_ladder *ladder, int64_t now_ns)
{
    return now_ns < ladder->climb_ns ? VTS_WAIT_AUTO : vts_ladder_next(ladder);
}

static void put_off_climb(struct vts_ladder *ladder, int64_t now_ns)
{
    unsigned doublings = ladder->failed_climbs < 6 ? ladder->failed_climbs : 6;
    int64_t wait_s = (int64_t)FIRST_CLIMB_S << doublings;

    ladder->climb_ns = now_ns + (wait_s < MAX_CLIMB_S ? wait_s : MAX_CLIMB_S) * VTS_NS_PER_S;
}

bool vts_ladder_worked(struct vts_ladder *ladder, enum vts_wait_mode rung, int64_t now_ns)
{
    if (ladder->is_pinned || rung > ladder->rung)
        return false; /* a lower one always does, and says nothing of this one */
    ladder->misses = 0;
    if (rung == ladder->rung) {
        if (ladder->is_doubtful && ladder->climb_ns > now_ns)
            ladder->climb_ns = now_ns;
        ladder->is_doubtful = false;
        remember(ladder);
        return false;
    }
    ladder->rung = rung;
    ladder->home = VTS_WAIT_AUTO;
    ladder->failed_climbs = 0;
    ladder->short_lives = 0;
    ladder->is_doubtful = false;
    if (rung == VTS_WAIT_WATCH)
        ladder->climb_ns = INT64_MAX;
    else
        put_off_climb(ladder, now_ns);
    remember(ladder);
    return true;
}

static void come_down(struct vts_ladder *ladder, enum vts_miss miss, int64_t now_ns)
{
    if (miss != VTS_MISS_DOUBT)
        ladder->home = VTS_WAIT_AUTO;
    else if (ladder->home == VTS_WAIT_AUTO)
        ladder->home = ladder->rung;
    ladder->rung = next_down(ladder, miss);
    ladder->misses = 0;
    ladder->short_lives = 0;
    ladder->is_doubtful = miss == VTS_MISS_DOUBT;
    put_off_climb(ladder, now_ns);
    remember(ladder);
}

bool vts_ladder_missed(struct vts_ladder *ladder, enum vts_wait_mode rung, enum vts_miss miss,
                       int64_t now_ns)
{
    if (ladder->is_pinned || rung > ladder->rung)
        return false;
    if (rung < ladder->rung) {
        ladder->failed_climbs++;
        ladder->home = VTS_WAIT_AUTO;
        put_off_climb(ladder, now_ns);
        remember(ladder);
        return false;
    }
    ladder->misses++;
    if (ladder->rung == VTS_WAIT_POLL ||
        (miss == VTS_MISS_DOUBT && ladder->misses < MISSES_TO_FALL))
        return false;
    come_down(ladder, miss, now_ns);
    return true;
}

bool vts_ladder_cut(struct vts_ladder *ladder, double lived, int64_t now_ns)
{
    ladder->short_lives = lived < short_life ? ladder->short_lives + 1 : 0;
    if (ladder->is_pinned || ladder->rung != VTS_WAIT_WATCH ||
        ladder->short_lives < SHORT_LIVES_TO_FALL)
        return false;
    come_down(ladder, VTS_MISS_BLOCKED, now_ns);
    return true;
}

bool vts_ladder_shorten(struct vts_ladder *ladder, double held)
{
    /* A little less than what was cut, so that the server's answer comes first. */
    double shorter = held * 0.8;

    if (shorter < VTS_LADDER_LEAST_HOLD_S)
        return false;
    if (shorter < ladder->hold_s)
        ladder->hold_s = (unsigned)shorter;
    remember(ladder);
    return true;
}
