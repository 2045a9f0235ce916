/* SPDX-License-Identifier: Apache-2.0 */
/* wait_thread.c - a thread that runs a waiter, and a queue of what others want of it.
 *
 * The waiter is the thread's alone. Under the lock are the queue, how many jobs there are with
 * those in the queue, and how it ended; no callback is called under it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/src/failure.h"
#include "client/src/waiter.h"
#include "common/base/mem.h"

enum wish_kind { ADD, REMOVE };

struct wish {
    struct vts_list member;
    enum wish_kind kind;
    uint64_t after_revision;
    void *data;
    char job_id[];
};

struct vts_wait_thread {
    struct vts_waiter *waiter; /* the thread's */
    vts_wait_fn on_event;      /* NULL: none */
    void *context;             /* for on_event */
    pthread_t thread;
    bool has_thread;
    int wake_fd; /* readable when there is a wish, or the end is wanted */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct vts_list wishes;
    size_t wishes_count;
    size_t adds_count; /* of them, those that add a job */
    size_t left;       /* jobs of the waiter, when it was last looked at */
    size_t taken;      /* the same, when somebody was last told of something: an end makes room */
    bool is_stopping;
    enum vts_client_code code; /* other than VTS_CLIENT_OK: the waiting has ended */
    struct vts_client_error error;
};

/* Locks of the default kind, used as they are here, cannot fail. */
static void lock(struct vts_wait_thread *thread)
{
    (void)pthread_mutex_lock(&thread->lock);
}

static void unlock(struct vts_wait_thread *thread)
{
    (void)pthread_mutex_unlock(&thread->lock);
}

static void wake(struct vts_wait_thread *thread)
{
    const uint64_t one = 1;

    /* It fails only when it is readable already. */
    if (write(thread->wake_fd, &one, sizeof(one)) < 0)
        return;
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Takes all wishes out of the queue. Returns false when the end is wanted. */
static bool take_wishes(struct vts_wait_thread *thread, struct vts_list *wishes)
{
    uint64_t count;
    bool is_wanted;

    /* Whether there was one to read is of no interest. */
    if (read(thread->wake_fd, &count, sizeof(count)) < 0)
        count = 0;
    lock(thread);
    vts_list_move_all(&thread->wishes, wishes);
    is_wanted = !thread->is_stopping;
    unlock(thread);
    return is_wanted;
}

/* The job is not waited for after all, which is no reason to end the others' waiting. Returns false
 * when that is to end. */
static bool tell_refused(const struct vts_wait_thread *thread, const struct wish *wish,
                         const struct vts_client_error *error)
{
    enum vts_wait_mode mode = thread->waiter->options.mode;
    struct vts_wait_event event = {.job_id = wish->job_id,
                                   .data = wish->data,
                                   .error = error,
                                   .is_final = true,
                                   .next_try = -1,
                                   .rung = mode != VTS_WAIT_AUTO ? mode : VTS_WAIT_POLL};

    return thread->on_event(&event, thread->context);
}

static enum vts_client_code add(struct vts_wait_thread *thread, const struct wish *wish,
                                struct vts_client_error *error)
{
    enum vts_client_code code =
        vts_waiter_add(thread->waiter, wish->job_id, wish->after_revision, wish->data, error);

    if (code == VTS_CLIENT_OK || code == VTS_CLIENT_CONFLICT)
        return VTS_CLIENT_OK; /* the one that is waited for goes on */
    if (thread->on_event == NULL)
        return code; /* nobody would learn of it otherwise */
    return tell_refused(thread, wish, error)
               ? VTS_CLIENT_OK
               : vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
}

/* What was taken off the queue. */
struct granted {
    size_t wishes;
    size_t adds;
};

static enum vts_client_code grant(struct vts_wait_thread *thread, struct vts_list *wishes,
                                  struct granted *ret_granted, struct vts_client_error *error)
{
    enum vts_client_code code = VTS_CLIENT_OK;

    *ret_granted = (struct granted){0};
    while (!vts_list_is_empty(wishes)) {
        struct wish *wish = VTS_CONTAINER_OF(wishes->next, struct wish, member);

        vts_list_remove(&wish->member);
        if (wish->kind == REMOVE)
            vts_waiter_remove(thread->waiter, wish->job_id);
        else if (code == VTS_CLIENT_OK)
            code = add(thread, wish, error);
        ret_granted->wishes++;
        ret_granted->adds += wish->kind == ADD;
        vts_mem_free(wish);
    }
    return code;
}

/* At once, so that nobody sees neither the wish nor the job. */
static void publish(struct vts_wait_thread *thread, struct granted granted,
                    enum vts_client_code code, const struct vts_client_error *error)
{
    lock(thread);
    thread->wishes_count -= granted.wishes;
    thread->adds_count -= granted.adds;
    thread->left = vts_waiter_left(thread->waiter);
    thread->taken = thread->left;
    if (code != VTS_CLIENT_OK && thread->code == VTS_CLIENT_OK) {
        thread->code = code;
        thread->error = *error;
    }
    if (code != VTS_CLIENT_OK || (thread->left == 0 && thread->wishes_count == 0))
        (void)pthread_cond_broadcast(&thread->changed);
    unlock(thread);
}

/* The place of a job that came to its end is free for whoever is told of that; it is left until
 * then, so that nobody drains before. */
static bool tell(const struct vts_wait_event *event, void *context)
{
    struct vts_wait_thread *thread = context;

    lock(thread);
    thread->taken = vts_waiter_left(thread->waiter);
    unlock(thread);
    return thread->on_event(event, thread->context);
}

static void *run(void *context)
{
    const double long_enough = 3600; /* s; then it looks again */
    struct vts_wait_thread *thread = context;
    struct vts_client_error error;
    struct vts_list wishes;
    struct granted granted;
    enum vts_client_code code = VTS_CLIENT_OK;

    vts_list_init(&wishes);
    while (code == VTS_CLIENT_OK && take_wishes(thread, &wishes)) {
        code = grant(thread, &wishes, &granted, &error);
        publish(thread, granted, code, &error);
        if (code == VTS_CLIENT_OK)
            code = vts_waiter_wait_with(thread->waiter, long_enough, thread->wake_fd, &error);
    }
    publish(thread, (struct granted){0}, code, &error);
    while (!vts_list_is_empty(&wishes)) {
        struct wish *wish = VTS_CONTAINER_OF(wishes.next, struct wish, member);

        vts_list_remove(&wish->member);
        vts_mem_free(wish);
    }
    return NULL;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

static bool start(struct vts_wait_thread *thread)
{
    sigset_t all;
    sigset_t before;

    thread->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (thread->wake_fd < 0)
        return false;
    /* Signals are the program's business, and its threads'. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    thread->has_thread = pthread_create(&thread->thread, NULL, run, thread) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread->has_thread;
}

enum vts_client_code vts_wait_thread_start(struct vts_client *client,
                                           const struct vts_wait_options *options,
                                           struct vts_wait_thread **ret_thread,
                                           struct vts_client_error *error)
{
    struct vts_wait_thread *thread = vts_mem_zalloc(sizeof(*thread));
    struct vts_wait_options own;
    enum vts_client_code code;

    vts_failure_clear(error);
    if (thread == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    thread->wake_fd = -1;
    vts_list_init(&thread->wishes);
    (void)pthread_mutex_init(&thread->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_cond_init(&thread->changed, NULL);
    vts_wait_options_init(&own);
    if (options != NULL && options->size >= sizeof(own)) {
        own = *options;
        own.on_fd = NULL; /* the loop is ours */
        thread->on_event = own.on_event;
        thread->context = own.context;
        own.on_event = own.on_event != NULL ? tell : NULL;
        own.context = thread;
        options = &own;
    }
    code = vts_waiter_new(client, options, &thread->waiter, error);
    if (code == VTS_CLIENT_OK && !start(thread))
        code = vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "no thread can be started");
    if (code == VTS_CLIENT_OK)
        *ret_thread = thread;
    else
        vts_wait_thread_free(thread);
    return code;
}

void vts_wait_thread_free(struct vts_wait_thread *thread)
{
    if (thread == NULL)
        return;
    if (thread->has_thread) {
        lock(thread);
        thread->is_stopping = true;
        unlock(thread);
        wake(thread);
        (void)pthread_join(thread->thread, NULL);
    }
    while (!vts_list_is_empty(&thread->wishes)) {
        struct wish *wish = VTS_CONTAINER_OF(thread->wishes.next, struct wish, member);

        vts_list_remove(&wish->member);
        vts_mem_free(wish);
    }
    vts_waiter_free(thread->waiter);
    if (thread->wake_fd >= 0)
        (void)close(thread->wake_fd); /* nothing was written that could be lost */
    (void)pthread_cond_destroy(&thread->changed);
    (void)pthread_mutex_destroy(&thread->lock);
    vts_mem_free(thread);
}

/* ---- what others want ------------------------------------------------------------------------ */

static enum vts_client_code put(struct vts_wait_thread *thread, struct wish *wish,
                                struct vts_client_error *error)
{
    size_t max = vts_waiter_max(thread->waiter);
    enum vts_client_code code;

    lock(thread);
    code = thread->code;
    if (code != VTS_CLIENT_OK && error != NULL)
        *error = thread->error;
    if (code == VTS_CLIENT_OK && wish->kind == ADD && thread->taken + thread->adds_count >= max)
        code =
            vts_failure_set(error, VTS_CLIENT_USAGE, "at most %zu jobs can be waited for so", max);
    if (code == VTS_CLIENT_OK) {
        vts_list_push_back(&thread->wishes, &wish->member);
        thread->wishes_count++;
        thread->adds_count += wish->kind == ADD;
    }
    unlock(thread);
    if (code == VTS_CLIENT_OK)
        wake(thread);
    else
        vts_mem_free(wish);
    return code;
}

static enum vts_client_code make_wish(enum wish_kind kind, const char *job_id,
                                      struct wish **ret_wish, struct vts_client_error *error)
{
    const char *id = vts_client_job_id(job_id);
    size_t size = strlen(id) + 1;
    enum vts_client_code code;
    struct wish *wish;

    vts_failure_clear(error);
    code = vts_client_check_job_id(id, error);
    if (code != VTS_CLIENT_OK)
        return code;
    wish = vts_mem_zalloc(sizeof(*wish) + size);
    if (wish == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    wish->kind = kind;
    memcpy(wish->job_id, id, size);
    *ret_wish = wish;
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_wait_thread_add(struct vts_wait_thread *thread, const char *job_id,
                                         uint64_t after_revision, void *data,
                                         struct vts_client_error *error)
{
    struct wish *wish = NULL;
    enum vts_client_code code = make_wish(ADD, job_id, &wish, error);

    if (wish == NULL)
        return code;
    wish->after_revision = after_revision;
    wish->data = data;
    return put(thread, wish, error);
}

enum vts_client_code vts_wait_thread_remove(struct vts_wait_thread *thread, const char *job_id,
                                            struct vts_client_error *error)
{
    struct wish *wish = NULL;
    enum vts_client_code code = make_wish(REMOVE, job_id, &wish, error);

    return wish != NULL ? put(thread, wish, error) : code;
}

enum vts_client_code vts_wait_thread_drain(struct vts_wait_thread *thread,
                                           struct vts_client_error *error)
{
    enum vts_client_code code;

    vts_failure_clear(error);
    lock(thread);
    while (thread->code == VTS_CLIENT_OK && (thread->left > 0 || thread->wishes_count > 0))
        (void)pthread_cond_wait(&thread->changed, &thread->lock);
    code = thread->code;
    if (code != VTS_CLIENT_OK && error != NULL)
        *error = thread->error;
    unlock(thread);
    return code;
}
