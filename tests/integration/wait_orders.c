/* SPDX-License-Identifier: Apache-2.0 */
/* wait_orders.c - waits as it is told to on stdin, many at a time, and says on stdout what comes of
 * each. tests/support/waits.py is the other side. Fields are separated by tabs.
 *
 *     wait NAME HOW URL CA MODE DEADLINE MAX_FAILURES REQUEST_TIMEOUT AFTER JOB…
 *         HOW is "call" (vts_wait, vts_wait_all) or "thread" (vts_wait_thread); AFTER is a revision
 *         that was told already, 0: none, and for "thread" alone. Times are in s.
 *     names COUNT | hold | let-go          see tests/support/odd_world.h
 *     wall SECONDS | monotonic SECONDS     the same
 *
 *     NAME status JOB REVISION WORD RUNG final|going
 *     NAME failure CODE TEXT               it may pass
 *     NAME given-up JOB CODE TEXT
 *     NAME last JOB REVISION WORD          what the call returned
 *     NAME outcome CODE SECONDS TEXT       the last line of NAME
 *
 * At the end of stdin it waits for what is under way, and ends.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vtstatus/wait.h>

#include "tests/support/odd_world.h"

enum { MAX_WAITS = 4096, MAX_JOBS = 64, MAX_LINE = 8192, MAX_FIELDS = 10 + MAX_JOBS };
enum { NAME = 1, HOW, URL, CA, MODE, DEADLINE, MAX_FAILURES, REQUEST_TIMEOUT, AFTER, JOBS };

/* One order; its fields point into its line. */
struct order {
    char line[MAX_LINE];
    char *fields[MAX_FIELDS + 1];
    size_t fields_count;
};

static pthread_t threads[MAX_WAITS];
static size_t threads_count;

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "wait_orders: %s\n", why);
    exit(2);
}

static double seconds_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static bool on_event(const struct vts_wait_event *event, void *context)
{
    const struct order *order = context;
    const char *name = order->fields[NAME];

    if (event->status != NULL)
        printf("%s\tstatus\t%s\t%" PRIu64 "\t%s\t%s\t%s\n", name, event->job_id,
               vts_status_revision(event->status), vts_status_word(event->status),
               vts_wait_mode_word(event->rung), event->is_final ? "final" : "going");
    else if (event->is_final)
        printf("%s\tgiven-up\t%s\t%s\t%s\n", name, event->job_id,
               vts_client_code_name(event->error->code), event->error->text);
    else
        printf("%s\tfailure\t%s\t%s\n", name, vts_client_code_name(event->error->code),
               event->error->text);
    return true;
}

static void tell_last(const struct order *order, const char *job_id,
                      const struct vts_status *status)
{
    if (status != NULL)
        printf("%s\tlast\t%s\t%" PRIu64 "\t%s\n", order->fields[NAME], job_id,
               vts_status_revision(status), vts_status_word(status));
}

/* ---- ways to wait ---------------------------------------------------------------------------- */

static enum vts_wait_mode read_mode(const char *word)
{
    for (int mode = VTS_WAIT_AUTO; mode <= VTS_WAIT_POLL; mode++)
        if (strcmp(vts_wait_mode_word((enum vts_wait_mode)mode), word) == 0)
            return (enum vts_wait_mode)mode;
    give_up("no such mode");
}

static enum vts_client_code call(struct vts_client *client, struct order *order,
                                 const struct vts_wait_options *options,
                                 struct vts_client_error *error)
{
    const char *const *jobs = (const char *const *)(void *)(order->fields + JOBS);
    size_t count = order->fields_count - JOBS;
    struct vts_status *statuses[MAX_JOBS] = {NULL};
    enum vts_client_code code;

    if (count == 1)
        code = vts_wait(client, jobs[0], options, &statuses[0], error);
    else
        code = vts_wait_all(client, jobs, count, options, statuses, error);
    for (size_t i = 0; i < count; i++) {
        tell_last(order, jobs[i], statuses[i]);
        vts_status_free(statuses[i]);
    }
    return code;
}

static enum vts_client_code run_thread(struct vts_client *client, struct order *order,
                                       const struct vts_wait_options *options,
                                       struct vts_client_error *error)
{
    uint64_t after = strtoull(order->fields[AFTER], NULL, 10);
    struct vts_wait_thread *thread = NULL;
    enum vts_client_code code = vts_wait_thread_start(client, options, &thread, error);

    for (size_t i = JOBS; i < order->fields_count && code == VTS_CLIENT_OK; i++)
        code = vts_wait_thread_add(thread, order->fields[i], after, NULL, error);
    if (code == VTS_CLIENT_OK)
        code = vts_wait_thread_drain(thread, error);
    vts_wait_thread_free(thread);
    return code;
}

static struct vts_client *connect_to(const struct order *order)
{
    struct vts_client_options options;
    struct vts_client_error error;
    struct vts_client *client = NULL;

    vts_client_options_init(&options);
    options.url = order->fields[URL];
    options.ca_file = order->fields[CA];
    options.proxy = "";
    options.request_timeout = strtod(order->fields[REQUEST_TIMEOUT], NULL);
    options.connect_timeout = options.request_timeout;
    if (vts_client_new(&options, &client, &error) != VTS_CLIENT_OK)
        give_up(error.text);
    return client;
}

static void *play(void *context)
{
    struct order *order = context;
    struct vts_client *client = connect_to(order);
    struct vts_client_error error = {.text = ""};
    struct vts_poll_options schedule;
    struct vts_wait_options options;
    enum vts_client_code code;
    double start = seconds_now();

    vts_poll_options_init(&schedule);
    schedule.interval = 0.02;
    schedule.max_interval = 0.1;
    vts_wait_options_init(&options);
    options.mode = read_mode(order->fields[MODE]);
    options.deadline = strtod(order->fields[DEADLINE], NULL);
    options.max_failures = (unsigned)strtoul(order->fields[MAX_FAILURES], NULL, 10);
    options.poll = &schedule;
    options.on_event = on_event;
    options.context = order;
    code = (strcmp(order->fields[HOW], "thread") == 0 ? run_thread : call)(client, order, &options,
                                                                           &error);
    printf("%s\toutcome\t%s\t%.3f\t%s\n", order->fields[NAME], vts_client_code_name(code),
           seconds_now() - start, error.text);
    vts_client_free(client);
    free(order);
    return NULL;
}

/* ---- orders ---------------------------------------------------------------------------------- */

static void split(struct order *order)
{
    char *rest = NULL;

    order->line[strcspn(order->line, "\n")] = '\0';
    for (char *field = strtok_r(order->line, "\t", &rest);
         field != NULL && order->fields_count < MAX_FIELDS; field = strtok_r(NULL, "\t", &rest))
        order->fields[order->fields_count++] = field;
}

static void start_wait(struct order *order)
{
    if (order->fields_count <= JOBS || threads_count == MAX_WAITS)
        give_up("not an order for a wait, or too many of them");
    if (pthread_create(&threads[threads_count], NULL, play, order) != 0)
        give_up("no thread");
    threads_count++;
}

static void on_signal(int number)
{
    (void)number; /* that it came is all */
}

/* Who sleeps until a time looks at the clock anew; the library's own threads take no signals. */
static void wake_waits(void)
{
    for (size_t i = 0; i < threads_count; i++)
        (void)pthread_kill(threads[i], SIGUSR1);
}

/* What the order is about, when it is about the world and not about a wait. */
static void change_world(const struct order *order)
{
    const char *what = order->fields_count > 0 ? order->fields[0] : "";
    long long number = order->fields_count > 1 ? strtoll(order->fields[1], NULL, 10) : 0;

    if (strcmp(what, "names") == 0)
        odd_world_fail_names((long)number);
    else if (strcmp(what, "hold") == 0)
        odd_world_hold_names();
    else if (strcmp(what, "let-go") == 0)
        odd_world_let_go_names();
    else if (strcmp(what, "wall") == 0)
        odd_world_set_wall(number);
    else if (strcmp(what, "monotonic") == 0)
        odd_world_set_monotonic(number);
    else
        give_up("no such order");
    wake_waits();
}

/* The order that is next; NULL at the end. The caller frees it. */
static struct order *read_order(void)
{
    struct order *order = calloc(1, sizeof(*order));

    if (order == NULL)
        give_up("out of memory");
    if (fgets(order->line, sizeof(order->line), stdin) == NULL) {
        free(order);
        return NULL;
    }
    split(order);
    return order;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct order *order;

    (void)sigaction(SIGUSR1, &action, NULL);
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    while ((order = read_order()) != NULL) {
        if (order->fields_count > 0 && strcmp(order->fields[0], "wait") == 0) {
            start_wait(order); /* which owns it from here on */
            continue;
        }
        change_world(order);
        free(order);
    }
    for (size_t i = 0; i < threads_count; i++)
        (void)pthread_join(threads[i], NULL);
    return 0;
}
