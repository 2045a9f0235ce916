/* SPDX-License-Identifier: Apache-2.0 */
/* estimator.c - names kinds of durations, and weighs what they say against a job's own progress.
 */
#include "server/jobs/estimator.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/pb_time.h"
#include "server/jobs/durations.h"
#include "server/jobs/job.h"
#include "server/jobs/job_phases.h"

enum {
    KINDS_MAX = 2048,
    PART_MAX = 64, /* of a name that tells kinds apart; the rest does not */
    NAME_BYTES = 2 + 3 * (PART_MAX + 1),
};

struct vts_estimator {
    struct vts_hash_key hash_key;
    struct vts_durations *durations;
};

/* From when to the end. */
enum span {
    SPAN_FROM_READY, /* of a queue */
    SPAN_FROM_ATTEMPT,
    SPAN_FROM_PHASE, /* of a phase */
};

/* Of which jobs; the narrowest first. */
enum breadth { OF_THE_PAIR, OF_THE_TARGET, OF_ALL, BREADTHS };

enum vts_err vts_estimator_new(struct vts_estimator **ret_estimator)
{
    struct vts_estimator *estimator = vts_mem_zalloc(sizeof(*estimator));

    if (estimator == NULL)
        return VTS_ERR_NOMEM;
    estimator->hash_key = vts_hash_key_from_system();
    if (vts_durations_new(KINDS_MAX, &estimator->durations) != VTS_OK) {
        vts_mem_free(estimator);
        return VTS_ERR_NOMEM;
    }
    *ret_estimator = estimator;
    return VTS_OK;
}

void vts_estimator_free(struct vts_estimator *estimator)
{
    if (estimator == NULL)
        return;
    vts_durations_free(estimator->durations);
    vts_mem_free(estimator);
}

/* ---- kinds ------------------------------------------------------------------------------- */

/* Language tags are the same in upper and lower case (RFC 5646 2.1.1). */
static size_t append_part(char *name, size_t len, const char *part, bool is_language)
{
    for (size_t i = 0; i < PART_MAX && part[i] != '\0'; i++) {
        char c = part[i];

        name[len++] = is_language && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    name[len] = '\0';
    return len + 1;
}

/* detail is the queue, or the phase. */
static uint64_t find_kind(const struct vts_estimator *estimator,
                          const Vtstatus__V1__TranslationSpec *spec, enum span span,
                          const char *detail, enum breadth breadth)
{
    char name[NAME_BYTES] = {(char)span, (char)breadth};
    size_t len = append_part(name, 2, detail, false);

    if (breadth != OF_ALL)
        len = append_part(name, len, spec->target_language, true);
    if (breadth == OF_THE_PAIR)
        len = append_part(name, len, spec->source_language, true);
    return vts_hash(&estimator->hash_key, vts_str_make(name, len));
}

/* ---- learning ---------------------------------------------------------------------------- */

static void add(struct vts_estimator *estimator, const Vtstatus__V1__Job *job, enum span span,
                const char *detail, const Google__Protobuf__Timestamp *start)
{
    int64_t took_ns = vts_pb_timestamp_ns(job->end_time) - vts_pb_timestamp_ns(start);

    for (int breadth = 0; breadth < BREADTHS; breadth++)
        vts_durations_add(estimator->durations,
                          find_kind(estimator, job->spec, span, detail, (enum breadth)breadth),
                          took_ns);
}

void vts_estimator_learn(struct vts_estimator *estimator,
                         const Vtstatus__Store__V1__JobRecord *record)
{
    const Vtstatus__V1__Job *job = record->job;

    if (record->tombstone_expire_time != NULL ||
        job->status->state != VTSTATUS__V1__STATE__STATE_SUCCEEDED || job->n_attempts == 0)
        return;
    if (record->ready_time != NULL)
        add(estimator, job, SPAN_FROM_READY, job->queue, record->ready_time);
    add(estimator, job, SPAN_FROM_ATTEMPT, "", job->attempts[job->n_attempts - 1]->start_time);
    for (size_t i = 0; i < record->n_phase_starts; i++)
        add(estimator, job, SPAN_FROM_PHASE, record->phase_starts[i]->phase,
            record->phase_starts[i]->start_time);
}

/* ---- guessing ---------------------------------------------------------------------------- */

/* The end of a job for which something began then; false when nothing is known. */
static bool guess(const struct vts_estimator *estimator, const Vtstatus__V1__Job *job,
                  enum span span, const char *detail, int64_t start_ns, int64_t wall_ns,
                  int64_t *ret_end_ns)
{
    for (int breadth = 0; breadth < BREADTHS; breadth++) {
        uint64_t kind = find_kind(estimator, job->spec, span, detail, (enum breadth)breadth);
        int64_t took_ns;

        if (!vts_durations_guess(estimator->durations, kind, wall_ns - start_ns, &took_ns))
            continue;
        *ret_end_ns = start_ns + took_ns;
        return true;
    }
    return false;
}

static bool guess_running(const struct vts_estimator *estimator,
                          const Vtstatus__Store__V1__JobRecord *record, int64_t wall_ns,
                          int64_t *ret_end_ns)
{
    const Vtstatus__V1__Job *job = record->job;
    const char *phase = job->status->progress->phase;
    const Google__Protobuf__Timestamp *start = vts_job_phases_find(record, phase);

    if (start != NULL && guess(estimator, job, SPAN_FROM_PHASE, phase, vts_pb_timestamp_ns(start),
                               wall_ns, ret_end_ns))
        return true;
    return guess(estimator, job, SPAN_FROM_ATTEMPT, "",
                 vts_pb_timestamp_ns(record->attempt_start_time), wall_ns, ret_end_ns);
}

/* If the job goes on as so far. Of the first percent nothing follows. */
static bool extrapolate(const Vtstatus__Store__V1__JobRecord *record, int64_t wall_ns,
                        int64_t *ret_end_ns)
{
    double percent = record->job->status->progress->percent;
    double ran_ns = (double)(wall_ns - vts_pb_timestamp_ns(record->attempt_start_time));

    if (!(percent >= 1) || !(ran_ns > 0 && ran_ns < 1e17))
        return false;
    *ret_end_ns = wall_ns + (int64_t)(ran_ns * (100 / percent - 1));
    return true;
}

/* From there on a job's own progress alone counts. Jobs differ in length by more than their workers
 * err about them: an end that was learned would have whoever polls a long job ask in vain. */
static const double trusted_percent = 25;

static int64_t end_of_running(const struct vts_estimator *estimator,
                              const Vtstatus__Store__V1__JobRecord *record, int64_t wall_ns)
{
    double trust = (double)record->job->status->progress->percent / trusted_percent;
    int64_t learned_ns = 0;
    int64_t own_ns = 0;
    bool has_learned = guess_running(estimator, record, wall_ns, &learned_ns);

    if (!extrapolate(record, wall_ns, &own_ns))
        return has_learned ? learned_ns : 0;
    if (!has_learned || trust >= 1)
        return own_ns;
    return learned_ns + (int64_t)(trust * (double)(own_ns - learned_ns));
}

int64_t vts_estimator_end_ns(const struct vts_estimator *estimator,
                             const Vtstatus__Store__V1__JobRecord *record, int64_t wall_ns)
{
    int64_t end_ns = 0;

    if (record->tombstone_expire_time != NULL)
        return 0;
    if (record->job->status->state == VTSTATUS__V1__STATE__STATE_PENDING)
        (void)guess(estimator, record->job, SPAN_FROM_READY, record->job->queue,
                    vts_job_ready_ns(record), wall_ns, &end_ns);
    else if (record->job->status->state == VTSTATUS__V1__STATE__STATE_RUNNING)
        end_ns = end_of_running(estimator, record, wall_ns);
    return vts_pb_timestamp_is_valid(end_ns / VTS_NS_PER_S, 0) ? end_ns : 0;
}
