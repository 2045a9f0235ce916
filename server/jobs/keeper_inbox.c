/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_inbox.c - where commands of all threads come in.
 *
 * The lock guards the lists here, never what a command says. A command that may wait is on a list
 * by its context as long as it is the keeper's, so that whoever asked can take it back without
 * memory: it changes to the list of the forgotten ones, which the keeper looks at first.
 */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/jobs/keeper_parts.h"

void vts_keeper_inbox_init(struct vts_keeper_inbox *inbox)
{
    pthread_condattr_t attributes;

    /* None of these fails on Linux. */
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&inbox->cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&inbox->lock, NULL);
    vts_list_init(&inbox->commands);
    vts_list_init(&inbox->forgotten);
    for (size_t i = 0; i < VTS_KEEPER_BUCKETS; i++)
        vts_list_init(&inbox->by_context[i]);
}

void vts_keeper_inbox_fini(struct vts_keeper_inbox *inbox)
{
    (void)pthread_cond_destroy(&inbox->cond);  /* nobody waits */
    (void)pthread_mutex_destroy(&inbox->lock); /* nobody holds it */
}

/* Pointers to the heap differ above their lowest bits. */
static struct vts_list *bucket_of(struct vts_keeper_inbox *inbox, const void *context)
{
    return &inbox->by_context[((uintptr_t)context >> 6) % VTS_KEEPER_BUCKETS];
}

/* With the lock held. */
static void wake(struct vts_keeper_inbox *inbox)
{
    if (inbox->is_asleep)
        (void)pthread_cond_signal(&inbox->cond); /* cannot fail */
}

static enum vts_err add(struct vts_keeper_inbox *inbox, const struct vts_keeper_options *options,
                        struct vts_keeper_command *command)
{
    bool may_wait = command->wait_ns > 0;

    if (inbox->is_stopping)
        return VTS_ERR_CLOSED;
    if (inbox->count >= options->commands_max)
        return VTS_ERR_LIMIT;
    if (may_wait && options->waits_max > 0 && inbox->waits_count >= options->waits_max)
        return VTS_ERR_AGAIN;
    command->own.may_wait = may_wait;
    inbox->waits_count += may_wait;
    inbox->count++;
    vts_list_push_back(&inbox->commands, &command->link);
    if (may_wait)
        vts_list_push_back(bucket_of(inbox, command->context), &command->own.context_link);
    wake(inbox);
    return VTS_OK;
}

enum vts_err vts_keeper_submit(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    struct vts_keeper_inbox *inbox = &keeper->inbox;
    enum vts_err err;

    pthread_mutex_lock(&inbox->lock);
    err = add(inbox, &keeper->options, command);
    pthread_mutex_unlock(&inbox->lock);
    return err;
}

static struct vts_keeper_command *by_context_link(struct vts_list *link)
{
    return VTS_CONTAINER_OF(link, struct vts_keeper_command, own.context_link);
}

void vts_keeper_forget(struct vts_keeper *keeper, void *context)
{
    struct vts_keeper_inbox *inbox = &keeper->inbox;
    struct vts_list *bucket = bucket_of(inbox, context);
    struct vts_list *next;

    pthread_mutex_lock(&inbox->lock);
    for (struct vts_list *link = bucket->next; link != bucket; link = next) {
        next = link->next;
        if (by_context_link(link)->context != context)
            continue;
        vts_list_remove(link);
        vts_list_push_back(&inbox->forgotten, link);
        wake(inbox);
    }
    pthread_mutex_unlock(&inbox->lock);
}

void vts_keeper_take(struct vts_keeper *keeper)
{
    struct vts_keeper_inbox *inbox = &keeper->inbox;
    struct vts_list forgotten;

    vts_list_init(&forgotten);
    pthread_mutex_lock(&inbox->lock);
    vts_list_move_all(&inbox->commands, &keeper->taken);
    vts_list_move_all(&inbox->forgotten, &forgotten);
    pthread_mutex_unlock(&inbox->lock);
    while (!vts_list_is_empty(&forgotten)) {
        struct vts_keeper_command *command = by_context_link(forgotten.next);

        vts_list_remove(&command->own.context_link);
        command->own.is_wait_over = true;
        if (command->own.wait != NULL)
            vts_keeper_end_wait(keeper, command);
    }
}

/* With the lock held. */
static void sleep_until(struct vts_keeper_inbox *inbox, int64_t until_ns)
{
    struct timespec until = {until_ns / VTS_NS_PER_S, until_ns % VTS_NS_PER_S};

    if (until_ns == INT64_MAX)
        (void)pthread_cond_wait(&inbox->cond, &inbox->lock); /* cannot fail */
    else
        (void)pthread_cond_timedwait(&inbox->cond, &inbox->lock, &until); /* the clock tells */
}

bool vts_keeper_sleep(struct vts_keeper *keeper, int64_t span_ns)
{
    struct vts_keeper_inbox *inbox = &keeper->inbox;
    int64_t now_ns = vts_clock_now_ns();
    int64_t until_ns = span_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + span_ns;
    bool goes_on;

    pthread_mutex_lock(&inbox->lock);
    inbox->is_asleep = true;
    while (!inbox->is_stopping && vts_list_is_empty(&inbox->commands) &&
           vts_list_is_empty(&inbox->forgotten) && vts_clock_now_ns() < until_ns)
        sleep_until(inbox, until_ns);
    inbox->is_asleep = false;
    goes_on = !inbox->is_stopping;
    pthread_mutex_unlock(&inbox->lock);
    return goes_on;
}

void vts_keeper_answer(struct vts_keeper *keeper, struct vts_list *commands)
{
    struct vts_keeper_inbox *inbox = &keeper->inbox;

    if (vts_list_is_empty(commands))
        return;
    pthread_mutex_lock(&inbox->lock);
    for (struct vts_list *link = commands->next; link != commands; link = link->next) {
        struct vts_keeper_command *command =
            VTS_CONTAINER_OF(link, struct vts_keeper_command, link);

        vts_list_remove(&command->own.context_link);
        inbox->count--;
        inbox->waits_count -= command->own.may_wait;
    }
    pthread_mutex_unlock(&inbox->lock);
    while (!vts_list_is_empty(commands)) {
        struct vts_keeper_command *command =
            VTS_CONTAINER_OF(commands->next, struct vts_keeper_command, link);

        vts_list_remove(&command->link);
        command->done(command, command->context);
    }
}

/* ---- commands ---------------------------------------------------------------------------- */

enum vts_err vts_keeper_command_new(enum vts_keeper_command_kind kind, vts_keeper_done_fn done,
                                    void *context, struct vts_keeper_command **ret_command)
{
    struct vts_keeper_command *command = vts_mem_zalloc(sizeof(*command));

    if (command == NULL)
        return VTS_ERR_NOMEM;
    vts_list_init(&command->link);
    vts_list_init(&command->own.context_link);
    vts_arena_init(&command->arena, VTS_KEEPER_MEMORY_MAX_BYTES);
    command->kind = kind;
    command->done = done;
    command->context = context;
    *ret_command = command;
    return VTS_OK;
}

void vts_keeper_command_free(struct vts_keeper_command *command)
{
    if (command == NULL)
        return;
    vts_arena_fini(&command->arena);
    vts_mem_free(command);
}
