/* SPDX-License-Identifier: Apache-2.0 */
/* wait.c - the calls that block: a waiter, run by a small loop until what was waited for is there.
 */
#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/status.h"
#include "client/src/waiter.h"
#include "common/base/mem.h"

/* What a call waits for, and what it has got. */
struct blocking {
    struct vts_waiter *waiter;
    const struct vts_wait_options *asked; /* NULL: the defaults */
    struct vts_status **statuses;         /* the last one of each job, by its place */
    bool is_any;                          /* the first end will do */
    bool is_there;                        /* what was waited for */
    size_t done_index;                    /* of the first end */
    struct vts_client_error first_error;  /* of jobs that cannot be waited for */
};

/* Whom the data of a job leads to. */
struct place {
    struct blocking *blocking;
    size_t index;
};

static void take(struct place *place, const struct vts_wait_event *event)
{
    struct blocking *blocking = place->blocking;

    if (event->status != NULL) {
        vts_status_free(blocking->statuses[place->index]);
        blocking->statuses[place->index] = vts_status_ref(event->status);
    }
    if (!event->is_final)
        return;
    if (event->error != NULL) {
        if (blocking->first_error.code == VTS_CLIENT_OK)
            blocking->first_error = *event->error;
    } else if (!blocking->is_there && blocking->is_any) {
        blocking->is_there = true;
        blocking->done_index = place->index;
    }
}

static bool on_event(const struct vts_wait_event *event, void *context)
{
    struct blocking *blocking = context;
    struct vts_wait_event told = *event;

    if (event->data != NULL)
        take(event->data, event);
    told.data = NULL;
    if (blocking->asked == NULL || blocking->asked->on_event == NULL)
        return true;
    return blocking->asked->on_event(&told, blocking->asked->context);
}

static enum vts_client_code run(struct blocking *blocking, struct vts_client_error *error)
{
    const double long_enough = 3600; /* s; then it looks again */
    enum vts_client_code code = VTS_CLIENT_OK;

    while (code == VTS_CLIENT_OK && !blocking->is_there && vts_waiter_left(blocking->waiter) > 0)
        code = vts_waiter_wait(blocking->waiter, long_enough, error);
    if (blocking->is_there)
        return VTS_CLIENT_OK;
    if (code == VTS_CLIENT_OK && blocking->first_error.code != VTS_CLIENT_OK) {
        *error = blocking->first_error;
        return error->code;
    }
    return code;
}

/* A job that is named again has the place of its first name. */
static enum vts_client_code add_all(struct blocking *blocking, struct place *places,
                                    const char *const *job_ids, size_t count,
                                    const uint64_t *revisions, struct vts_client_error *error)
{
    enum vts_client_code code = VTS_CLIENT_OK;

    for (size_t i = 0; i < count && code == VTS_CLIENT_OK; i++) {
        places[i] = (struct place){.blocking = blocking, .index = i};
        code = vts_waiter_add(blocking->waiter, job_ids[i], revisions != NULL ? revisions[i] : 0,
                              &places[i], error);
        if (code == VTS_CLIENT_CONFLICT) {
            places[i] = *(const struct place *)vts_waiter_find(blocking->waiter,
                                                               vts_client_job_id(job_ids[i]))
                             ->data;
            code = VTS_CLIENT_OK;
        }
    }
    return code;
}

static void share_statuses(const struct blocking *blocking, const struct place *places,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (places[i].index != i)
            blocking->statuses[i] = vts_status_ref(blocking->statuses[places[i].index]);
}

/* Makes a waiter for the jobs and runs it. blocking has its statuses, as many as there are jobs. */
static enum vts_client_code block(struct vts_client *client, struct blocking *blocking,
                                  const char *const *job_ids, size_t count,
                                  const uint64_t *revisions, struct vts_client_error *error)
{
    struct vts_wait_options options;
    struct place *places = vts_mem_alloc(count * sizeof(*places));
    enum vts_client_code code;

    if (places == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    vts_wait_options_init(&options);
    if (blocking->asked != NULL && blocking->asked->size >= sizeof(options))
        options = *blocking->asked;
    else if (blocking->asked != NULL)
        options.size = 0; /* it is refused for that, with the right words */
    options.is_end_only = options.is_end_only || options.on_event == NULL;
    options.on_event = on_event;
    options.context = blocking;
    options.on_fd = NULL; /* the loop is ours */
    code = vts_waiter_new(client, &options, &blocking->waiter, error);
    if (code == VTS_CLIENT_OK) {
        code = add_all(blocking, places, job_ids, count, revisions, error);
        if (code == VTS_CLIENT_OK) {
            code = run(blocking, error);
            share_statuses(blocking, places, count);
        }
        vts_waiter_free(blocking->waiter);
    }
    vts_mem_free(places);
    return code;
}

enum vts_client_code vts_wait_from(struct vts_client *client, const char *job_id, uint64_t revision,
                                   const struct vts_wait_options *options,
                                   struct vts_status **ret_status, struct vts_client_error *error)
{
    struct blocking blocking = {.asked = options, .statuses = ret_status};
    struct vts_client_error own;
    char last[320];
    char text[sizeof(own.text)];
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    *ret_status = NULL;
    code = block(client, &blocking, &job_id, 1, &revision, error);
    if (code == VTS_CLIENT_GAVE_UP) {
        vts_status_describe(*ret_status, last, sizeof(last));
        (void)snprintf(text, sizeof(text), "%s", error->text);
        (void)vts_failure_set(error, code, "%.150s; %s", text, last); /* the code is known */
    }
    return code;
}

enum vts_client_code vts_wait(struct vts_client *client, const char *job_id,
                              const struct vts_wait_options *options,
                              struct vts_status **ret_status, struct vts_client_error *error)
{
    return vts_wait_from(client, job_id, 0, options, ret_status, error);
}

static enum vts_client_code check_ids(const char *const *job_ids, size_t count,
                                      struct vts_client_error *error)
{
    if (count < 1 || count > VTS_WAIT_MAX_JOBS)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "1 to %d jobs can be waited for",
                               VTS_WAIT_MAX_JOBS);
    if (job_ids == NULL)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "jobs are counted, but not there");
    return VTS_CLIENT_OK;
}

/* statuses may be NULL. */
static void free_statuses(struct vts_status **statuses, size_t count)
{
    for (size_t i = 0; statuses != NULL && i < count; i++)
        vts_status_free(statuses[i]);
    vts_mem_free(statuses);
}

/* As block, with statuses of its own, which the caller frees by free_statuses on every outcome. */
static enum vts_client_code block_many(struct vts_client *client, struct blocking *blocking,
                                       const char *const *job_ids, size_t count,
                                       struct vts_client_error *error)
{
    enum vts_client_code code = check_ids(job_ids, count, error);

    if (code != VTS_CLIENT_OK)
        return code;
    blocking->statuses = vts_mem_zalloc(count * sizeof(struct vts_status *));
    if (blocking->statuses == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    return block(client, blocking, job_ids, count, NULL, error);
}

enum vts_client_code vts_wait_any(struct vts_client *client, const char *const *job_ids,
                                  size_t count, const struct vts_wait_options *options,
                                  size_t *ret_index, struct vts_status **ret_status,
                                  struct vts_client_error *error)
{
    struct blocking blocking = {.asked = options, .is_any = true};
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = block_many(client, &blocking, job_ids, count, error);
    if (code == VTS_CLIENT_OK) {
        *ret_index = blocking.done_index;
        *ret_status = blocking.statuses[blocking.done_index];
        blocking.statuses[blocking.done_index] = NULL;
    }
    free_statuses(blocking.statuses, count);
    return code;
}

enum vts_client_code vts_wait_all(struct vts_client *client, const char *const *job_ids,
                                  size_t count, const struct vts_wait_options *options,
                                  struct vts_status **statuses, struct vts_client_error *error)
{
    struct blocking blocking = {.asked = options};
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = block_many(client, &blocking, job_ids, count, error);
    if (statuses != NULL && blocking.statuses != NULL && code != VTS_CLIENT_USAGE) {
        memcpy(statuses, blocking.statuses, count * sizeof(struct vts_status *));
        memset(blocking.statuses, 0, count * sizeof(struct vts_status *));
    }
    free_statuses(blocking.statuses, count);
    return code;
}
