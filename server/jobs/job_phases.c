/* SPDX-License-Identifier: Apache-2.0 */
/* job_phases.c - a short list in the record, and who may be waited for since when.
 */
#include "server/jobs/job_phases.h"

#include <string.h>

#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"

const Google__Protobuf__Timestamp *vts_job_phases_find(const Vtstatus__Store__V1__JobRecord *record,
                                                       const char *phase)
{
    for (size_t i = 0; i < record->n_phase_starts; i++)
        if (strcmp(record->phase_starts[i]->phase, phase) == 0)
            return record->phase_starts[i]->start_time;
    return NULL;
}

enum vts_err vts_job_phases_enter(Vtstatus__Store__V1__JobRecord *record, const char *phase,
                                  int64_t now_ns, struct vts_arena *arena)
{
    size_t count = record->n_phase_starts;
    Vtstatus__Store__V1__PhaseStart **starts;
    Vtstatus__Store__V1__PhaseStart *start;

    if (phase[0] == '\0' || count == VTS_JOB_PHASES_KEPT ||
        vts_job_phases_find(record, phase) != NULL)
        return VTS_OK;
    starts = vts_arena_alloc(arena, (count + 1) * sizeof(void *));
    start = vts_pb_arena_new(arena, &vtstatus__store__v1__phase_start__descriptor);
    if (starts == NULL || start == NULL)
        return VTS_ERR_NOMEM;
    start->start_time = vts_pb_arena_new(arena, &google__protobuf__timestamp__descriptor);
    if (start->start_time == NULL)
        return VTS_ERR_NOMEM;
    start->phase = (char *)(uintptr_t)phase; /* protobuf-c's strings are not const */
    vts_pb_timestamp_set(start->start_time, now_ns);
    for (size_t i = 0; i < count; i++)
        starts[i] = record->phase_starts[i];
    starts[count] = start;
    record->phase_starts = starts;
    record->n_phase_starts = count + 1;
    return VTS_OK;
}

void vts_job_phases_clear(Vtstatus__Store__V1__JobRecord *record)
{
    record->n_phase_starts = 0;
    record->phase_starts = NULL;
    record->ready_time = NULL;
}

int64_t vts_job_ready_ns(const Vtstatus__Store__V1__JobRecord *record)
{
    /* Nothing that can be seen happens to a job between being ready and being leased. */
    int64_t since_ns = vts_pb_timestamp_ns(record->job->status->update_time);

    if (record->not_before_time != NULL && vts_pb_timestamp_ns(record->not_before_time) > since_ns)
        return vts_pb_timestamp_ns(record->not_before_time);
    return since_ns;
}
