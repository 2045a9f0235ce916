/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c - the keeper's life, and what one step of it is.
 *
 * A step makes one batch: what has come in, what time brings, leases, and then one commit for all
 * of it. Only after that is anything answered. The thread steps, and sleeps while nothing is due.
 */
#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/jobs/keeper_parts.h"

/* ---- a step ------------------------------------------------------------------------------ */

static void begin_batch(struct vts_keeper *keeper)
{
    keeper->batch.looks_left = VTS_KEEPER_LOOKS_MAX;
    keeper->batch.wall_ns = keeper->options.wall_ns();
    keeper->batch.now_ns = keeper->options.now_ns();
}

static struct vts_keeper_command *take_first(struct vts_list *commands)
{
    struct vts_keeper_command *command =
        VTS_CONTAINER_OF(commands->next, struct vts_keeper_command, link);

    vts_list_remove(&command->link);
    return command;
}

/* Returns whether there was anything to do. */
static bool execute_taken(struct vts_keeper *keeper)
{
    int count = 0;

    while (count < VTS_KEEPER_BATCH_MAX && !vts_list_is_empty(&keeper->taken)) {
        vts_keeper_execute(keeper, take_first(&keeper->taken));
        count++;
    }
    return count > 0;
}

static void answer(struct vts_keeper *keeper)
{
    struct vts_list answers;

    vts_list_init(&answers);
    while (!vts_list_is_empty(&keeper->batch.answered)) {
        struct vts_keeper_command *command = take_first(&keeper->batch.answered);

        if (vts_keeper_finish(keeper, command))
            vts_list_push_back(&answers, &command->link);
    }
    vts_keeper_answer(keeper, &answers);
}

static void tidy(struct vts_keeper *keeper, bool is_busy)
{
    struct vts_store *store = keeper->options.store;

    if (is_busy || keeper->batch.now_ns < keeper->tidy_ns)
        return;
    store->ops->tidy(store);
    keeper->tidy_ns = INT64_MAX;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long from now_ns until then. */
static int64_t span_to(int64_t then_ns, int64_t now_ns)
{
    if (then_ns == INT64_MAX)
        return INT64_MAX;
    return then_ns < now_ns ? 0 : then_ns - now_ns;
}

static int64_t idle_span_ns(const struct vts_keeper *keeper)
{
    const struct vts_heap_node *deadline = vts_heap_first(&keeper->deadlines);
    int64_t now_ns = keeper->batch.now_ns;
    int64_t span_ns =
        least(vts_keeper_timers_span_ns(keeper),
              least(vts_keeper_news_span_ns(keeper), span_to(keeper->tidy_ns, now_ns)));

    if (!vts_list_is_empty(&keeper->taken))
        return 0;
    return deadline == NULL ? span_ns : least(span_ns, span_to(deadline->due_ns, now_ns));
}

int64_t vts_keeper_step(struct vts_keeper *keeper)
{
    bool is_busy;

    begin_batch(keeper);
    vts_keeper_take(keeper);
    vts_keeper_publish_again(keeper);
    vts_keeper_end_waits_until(keeper, keeper->batch.now_ns);
    vts_keeper_run_timers(keeper);
    is_busy = execute_taken(keeper);
    vts_keeper_serve_leases(keeper);
    vts_keeper_commit(keeper);
    answer(keeper);
    tidy(keeper, is_busy);
    return idle_span_ns(keeper);
}

static void *run(void *context)
{
    struct vts_keeper *keeper = context;

    while (vts_keeper_sleep(keeper, vts_keeper_step(keeper))) {
    }
    return NULL;
}

/* ---- its life ---------------------------------------------------------------------------- */

static void init(struct vts_keeper *keeper, const struct vts_keeper_options *options)
{
    keeper->options = *options;
    if (keeper->options.wall_ns == NULL)
        keeper->options.wall_ns = vts_clock_wall_ns;
    if (keeper->options.now_ns == NULL)
        keeper->options.now_ns = vts_clock_now_ns;
    keeper->hash_key = vts_hash_key_from_system();
    keeper->listed.ops = &vts_keeper_listed_ops;
    keeper->tidy_ns = INT64_MAX;
    vts_list_init(&keeper->taken);
    vts_list_init(&keeper->news.unpublished);
    for (size_t i = 0; i < VTS_KEEPER_BUCKETS; i++)
        vts_list_init(&keeper->by_job[i]);
    vts_arena_init(&keeper->scratch, VTS_KEEPER_MEMORY_MAX_BYTES);
    vts_keeper_ids_init(&keeper->ids, options->seed);
    vts_keeper_inbox_init(&keeper->inbox);
    begin_batch(keeper);
}

enum vts_err vts_keeper_new(const struct vts_keeper_options *options,
                            struct vts_keeper **ret_keeper, struct vts_error *error)
{
    struct vts_keeper *keeper = vts_mem_zalloc(sizeof(*keeper));
    enum vts_err err;

    if (keeper == NULL) {
        options->store->ops->close(options->store);
        return vts_error_set(error, VTS_ERR_NOMEM, "%s", vts_err_text(VTS_ERR_NOMEM));
    }
    init(keeper, options);
    err = vts_keeper_batch_init(&keeper->batch);
    if (err == VTS_OK)
        err = vts_estimator_new(&keeper->estimator);
    if (err != VTS_OK)
        err = vts_error_set(error, err, "%s", vts_err_text(err));
    else
        err = vts_keeper_load(keeper, error);
    if (err != VTS_OK) {
        vts_keeper_free(keeper);
        return err;
    }
    *ret_keeper = keeper;
    return VTS_OK;
}

enum vts_err vts_keeper_start(struct vts_keeper *keeper)
{
    VTS_ASSERT(!keeper->is_started);
    keeper->is_started = pthread_create(&keeper->thread, NULL, run, keeper) == 0;
    return keeper->is_started ? VTS_OK : VTS_ERR_IO;
}

static void stop(struct vts_keeper *keeper)
{
    struct vts_keeper_inbox *inbox = &keeper->inbox;

    pthread_mutex_lock(&inbox->lock);
    inbox->is_stopping = true;
    (void)pthread_cond_signal(&inbox->cond); /* cannot fail */
    pthread_mutex_unlock(&inbox->lock);
    if (keeper->is_started)
        (void)pthread_join(keeper->thread, NULL); /* fails only for a thread that is none */
}

/* Those that came in, those that wait for a batch, and those that wait for something to happen. */
static void answer_the_rest(struct vts_keeper *keeper)
{
    struct vts_list *answered = &keeper->batch.answered;

    vts_keeper_take(keeper);
    vts_keeper_end_waits_until(keeper, INT64_MAX);
    vts_list_move_all(&keeper->taken, answered);
    for (struct vts_list *link = answered->next; link != answered; link = link->next)
        vts_keeper_refuse(VTS_CONTAINER_OF(link, struct vts_keeper_command, link),
                          VTS_KEEPER_STOPPING);
    vts_keeper_answer(keeper, answered);
}

static void free_jobs(struct vts_keeper *keeper)
{
    for (size_t slot = 0; slot < keeper->queues.cap; slot++)
        if (keeper->queues.hashes[slot] != 0)
            vts_line_clear(((struct vts_keeper_queue *)keeper->queues.items[slot])->ready);
    for (size_t slot = 0; slot < keeper->jobs.cap; slot++)
        if (keeper->jobs.hashes[slot] != 0)
            vts_keeper_job_free(keeper, keeper->jobs.items[slot]);
}

void vts_keeper_free(struct vts_keeper *keeper)
{
    struct vts_store *store;

    if (keeper == NULL)
        return;
    stop(keeper);
    answer_the_rest(keeper);
    vts_keeper_news_fini(keeper);
    free_jobs(keeper);
    store = keeper->options.store;
    store->ops->close(store);
    vts_keeper_batch_fini(&keeper->batch);
    vts_estimator_free(keeper->estimator);
    vts_keeper_inbox_fini(&keeper->inbox);
    vts_table_fini(&keeper->jobs);
    vts_table_fini(&keeper->queues);
    vts_table_fini(&keeper->ids.requests);
    vts_heap_fini(&keeper->timers);
    vts_heap_fini(&keeper->deadlines);
    vts_arena_fini(&keeper->scratch);
    vts_mem_free(keeper);
}
