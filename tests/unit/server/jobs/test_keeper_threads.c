/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper_threads.c - the keeper's own thread, and several that submit to it.
 *
 * CUnit counts in one thread only, so the others leave what they saw in their slots.
 */
#include <CUnit/CUnit.h>
#include <pthread.h>

#include "common/base/mem.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/keeper_bench.h"

enum { THREADS = 4, ROUNDS = 200, EACH = 3 };

static const int64_t hour_ns = (int64_t)3600 * VTS_NS_PER_S;

/* How many commands of all threads are out, and how they ended. */
struct tally {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned out;
    unsigned failed; /* to be made or submitted */
    unsigned ended[VTS_KEEPER_STOPPING + 1];
    unsigned leased;
};

/* The context of one command. */
struct slot {
    struct tally *tally;
    unsigned answers;
};

struct submitter {
    struct keeper_bench *bench;
    struct tally *tally;
    pthread_t thread;
    struct slot slots[ROUNDS * EACH];
};

static void tally_init(struct tally *tally)
{
    *tally = (struct tally){.out = 0};
    (void)pthread_mutex_init(&tally->lock, NULL); /* cannot fail on Linux */
    (void)pthread_cond_init(&tally->cond, NULL);  /* nor this */
}

static void tally_fini(struct tally *tally)
{
    (void)pthread_cond_destroy(&tally->cond);  /* nobody waits */
    (void)pthread_mutex_destroy(&tally->lock); /* nobody holds it */
}

static void take_answer(struct vts_keeper_command *command, void *context)
{
    struct slot *slot = context;
    struct tally *tally = slot->tally;

    pthread_mutex_lock(&tally->lock);
    slot->answers++;
    tally->ended[command->refusal]++;
    if (command->kind == VTS_KEEPER_LEASE && command->record != NULL)
        tally->leased++;
    if (--tally->out == 0)
        pthread_cond_broadcast(&tally->cond);
    pthread_mutex_unlock(&tally->lock);
    vts_keeper_command_free(command);
}

static void wait_for_all(struct tally *tally)
{
    pthread_mutex_lock(&tally->lock);
    while (tally->out > 0)
        pthread_cond_wait(&tally->cond, &tally->lock);
    pthread_mutex_unlock(&tally->lock);
}

/* Notes a command that goes out, or one that did not. */
static void note(struct tally *tally, bool has_failed)
{
    pthread_mutex_lock(&tally->lock);
    if (has_failed)
        tally->failed++;
    else
        tally->out++;
    pthread_mutex_unlock(&tally->lock);
}

static void submit(struct keeper_bench *bench, struct slot *slot,
                   struct vts_keeper_command *command)
{
    note(slot->tally, false);
    if (vts_keeper_submit(bench->keeper, command) != VTS_OK)
        note(slot->tally, true);
}

static Vtstatus__V1__TranslationSpec spec = {
    .base = PROTOBUF_C_MESSAGE_INIT(&vtstatus__v1__translation_spec__descriptor),
    .source_uri = (char[]){"https://example.com/a.mp4"},
    .source_language = (char[]){""},
    .target_language = (char[]){"de"}};

static const Vtstatus__V1__CreateJobRequest request = {
    .base = PROTOBUF_C_MESSAGE_INIT(&vtstatus__v1__create_job_request__descriptor),
    .job_id = (char[]){""},
    .spec = &spec,
    .queue = (char[]){""},
    .request_id = (char[]){""}};

static char *const nobodys_queue[] = {(char[]){"nobodys"}};

static void submit_create(struct keeper_bench *bench, struct slot *slot)
{
    struct vts_keeper_command *command;

    if (vts_keeper_command_new(VTS_KEEPER_CREATE, take_answer, slot, &command) != VTS_OK) {
        note(slot->tally, true);
        return;
    }
    command->create = &request;
    submit(bench, slot, command);
}

/* Waits for a job of the default queue, or for one that will never be. */
static void submit_lease(struct keeper_bench *bench, struct slot *slot, bool is_in_vain)
{
    struct vts_keeper_command *command;

    if (vts_keeper_command_new(VTS_KEEPER_LEASE, take_answer, slot, &command) != VTS_OK) {
        note(slot->tally, true);
        return;
    }
    command->lease.worker_id = "w";
    command->lease.duration_ns = hour_ns;
    command->lease.queues = nobodys_queue;
    command->lease.queues_count = is_in_vain;
    command->wait_ns = hour_ns;
    submit(bench, slot, command);
}

static void *run_submitter(void *context)
{
    struct submitter *submitter = context;
    struct keeper_bench *bench = submitter->bench;

    for (size_t i = 0; i < ROUNDS; i++) {
        struct slot *slots = &submitter->slots[i * EACH];

        submit_lease(bench, &slots[0], false);
        submit_lease(bench, &slots[1], true);
        submit_create(bench, &slots[2]);
        vts_keeper_forget(bench->keeper, &slots[1]);
    }
    return NULL;
}

static void start(struct keeper_bench *bench)
{
    keeper_bench_init(bench);
    keeper_bench_open(bench);
    CU_ASSERT_EQUAL_FATAL(vts_keeper_start(bench->keeper), VTS_OK);
}

static struct submitter *start_submitter(struct keeper_bench *bench, struct tally *tally)
{
    struct submitter *submitter = vts_mem_zalloc(sizeof(*submitter));

    CU_ASSERT_PTR_NOT_NULL_FATAL(submitter);
    submitter->bench = bench;
    submitter->tally = tally;
    for (int i = 0; i < ROUNDS * EACH; i++)
        submitter->slots[i].tally = tally;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&submitter->thread, NULL, run_submitter, submitter), 0);
    return submitter;
}

static void commands_of_many_threads_are_answered_once(void)
{
    struct keeper_bench bench;
    struct submitter *submitters[THREADS];
    struct tally tally;

    tally_init(&tally);
    start(&bench);
    for (int i = 0; i < THREADS; i++)
        submitters[i] = start_submitter(&bench, &tally);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(submitters[i]->thread, NULL); /* fails only for a thread that is none */
    wait_for_all(&tally);
    CU_ASSERT_EQUAL(tally.failed, 0);
    CU_ASSERT_EQUAL(tally.ended[VTS_KEEPER_OK], THREADS * ROUNDS * EACH);
    CU_ASSERT_EQUAL(tally.leased, THREADS * ROUNDS);
    for (int i = 0; i < THREADS; i++) {
        for (int j = 0; j < ROUNDS * EACH; j++)
            CU_ASSERT_EQUAL(submitters[i]->slots[j].answers, 1);
        vts_mem_free(submitters[i]);
    }
    keeper_bench_fini(&bench);
    tally_fini(&tally);
}

static void commands_that_come_during_a_commit_are_one_batch(void)
{
    struct keeper_bench bench;
    struct tally tally;
    struct slot slot = {.tally = &tally};

    tally_init(&tally);
    start(&bench);
    pthread_mutex_lock(&bench.gate); /* the first commit waits here, whatever is in it */
    for (int i = 0; i < ROUNDS; i++)
        submit_create(&bench, &slot);
    pthread_mutex_unlock(&bench.gate);
    wait_for_all(&tally);
    CU_ASSERT_EQUAL(tally.ended[VTS_KEEPER_OK], ROUNDS);
    CU_ASSERT(bench.commits_count <= 2);
    keeper_bench_fini(&bench);
    tally_fini(&tally);
}

static void thread_ends_while_commands_wait(void)
{
    struct keeper_bench bench;
    struct tally tally;
    struct slot slots[ROUNDS] = {{.answers = 0}};

    tally_init(&tally);
    start(&bench);
    for (int i = 0; i < ROUNDS; i++) {
        slots[i].tally = &tally;
        submit_lease(&bench, &slots[i], true);
    }
    keeper_bench_close(&bench);
    CU_ASSERT_EQUAL(tally.out, 0);
    CU_ASSERT_EQUAL(tally.ended[VTS_KEEPER_STOPPING], ROUNDS);
    for (int i = 0; i < ROUNDS; i++)
        CU_ASSERT_EQUAL(slots[i].answers, 1);
    keeper_bench_fini(&bench);
    tally_fini(&tally);
}

/* A command whose callback submits another one. */
struct chain {
    struct keeper_bench *bench;
    struct slot slot;
    enum vts_keeper_refusal refusal;
    enum vts_err err; /* of submitting the other one */
};

static void submit_another(struct vts_keeper_command *command, void *context)
{
    struct chain *chain = context;
    struct vts_keeper_command *next;

    chain->refusal = command->refusal;
    chain->err = vts_keeper_command_new(VTS_KEEPER_GET, take_answer, &chain->slot, &next);
    if (chain->err == VTS_OK) {
        note(chain->slot.tally, false);
        next->job_id = "a";
        chain->err = vts_keeper_submit(chain->bench->keeper, next);
        if (chain->err != VTS_OK)
            take_answer(next, &chain->slot);
    }
    take_answer(command, &chain->slot);
}

static void submit_chain(struct chain *chain, int64_t wait_ns)
{
    struct vts_keeper_command *command = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_keeper_command_new(VTS_KEEPER_LEASE, submit_another, chain, &command),
                          VTS_OK);
    command->lease.worker_id = "w";
    command->wait_ns = wait_ns;
    submit(chain->bench, &chain->slot, command);
}

static void callback_may_submit_until_the_keeper_goes(void)
{
    struct keeper_bench bench;
    struct tally tally;
    struct chain chain = {.bench = &bench, .slot = {.tally = &tally}};

    tally_init(&tally);
    start(&bench);
    submit_chain(&chain, 0);
    wait_for_all(&tally);
    CU_ASSERT_EQUAL(chain.err, VTS_OK);
    CU_ASSERT_EQUAL(chain.slot.answers, 2);
    CU_ASSERT_EQUAL(tally.ended[VTS_KEEPER_JOB_NOT_FOUND], 1);
    submit_chain(&chain, hour_ns);
    keeper_bench_close(&bench);
    CU_ASSERT_EQUAL(chain.refusal, VTS_KEEPER_STOPPING);
    CU_ASSERT_EQUAL(chain.err, VTS_ERR_CLOSED);
    CU_ASSERT_EQUAL(tally.out, 0);
    keeper_bench_fini(&bench);
    tally_fini(&tally);
}

static const struct vts_test tests[] = {
    {"commands_of_many_threads_are_answered_once", commands_of_many_threads_are_answered_once},
    {"commands_that_come_during_a_commit_are_one_batch",
     commands_that_come_during_a_commit_are_one_batch},
    {"thread_ends_while_commands_wait", thread_ends_while_commands_wait},
    {"callback_may_submit_until_the_keeper_goes", callback_may_submit_until_the_keeper_goes},
};

int main(void)
{
    return vts_test_run("test_keeper_threads", tests, VTS_ARRAY_LEN(tests));
}
