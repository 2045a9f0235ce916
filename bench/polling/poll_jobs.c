/* SPDX-License-Identifier: Apache-2.0 */
/* poll_jobs.c - waits for jobs in many ways at once, and tells what each wait took.
 *
 * Each line of the input is "WAY JOB": one wait, with a thread and a client of its own, as if it
 * were the only one. A way is a rung of the ladder, "watch" or "long-poll", the name of a preset,
 * by which is polled, or "hint": polls when nine tenths of what the server expects to be left are
 * over, between 2 s and the server's longest hint. All times of a preset are divided by SCALE: jobs
 * are played as much faster. When all are over, each has a line "WAY JOB REQUESTS DELAY": requests
 * sent, and seconds from the job's end by the server's clock to its being known, not scaled back.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vtstatus/client.h>
#include <vtstatus/wait.h>

enum { NAME_BYTES = 160, STACK_BYTES = 256 * 1024, EXIT_USAGE = 2 };

struct wait {
    char way[NAME_BYTES];
    char job[NAME_BYTES];
    pthread_t thread;
    unsigned long long requests;
    double delay_s;
    bool is_good;
};

static struct vts_client_options client_options;
static double scale;

static double wall_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As long as the server's longest hint, s. */
static const double longest_hint = 30;

static bool set_way(struct vts_poll_options *options, const char *way)
{
    if (strcmp(way, "hint") != 0)
        return vts_poll_options_preset(options, way) == VTS_CLIENT_OK;
    options->interval = 2;
    options->max_interval = longest_hint;
    options->hint_factor = 1.8;
    options->jitter = 0; /* the server has spread its hints */
    return true;
}

static enum vts_client_code poll_by_preset(struct vts_client *client, const struct wait *wait,
                                           struct vts_status **ret_status,
                                           struct vts_client_error *error)
{
    struct vts_poll_options options;

    vts_poll_options_init(&options);
    if (!set_way(&options, wait->way)) {
        (void)snprintf(error->text, sizeof(error->text), "there is no way \"%s\"", wait->way);
        return VTS_CLIENT_USAGE;
    }
    options.interval /= scale;
    options.max_interval /= scale;
    options.max_hint /= scale;
    options.deadline = 0; /* every job is waited for */
    return vts_poll_status(client, wait->job, &options, ret_status, error);
}

static enum vts_client_code wait_by(enum vts_wait_mode mode, struct vts_client *client,
                                    const struct wait *wait, struct vts_status **ret_status,
                                    struct vts_client_error *error)
{
    struct vts_wait_options options;

    vts_wait_options_init(&options);
    options.mode = mode;
    return vts_wait(client, wait->job, &options, ret_status, error);
}

static enum vts_client_code wait_for(struct vts_client *client, const struct wait *wait,
                                     struct vts_status **ret_status, struct vts_client_error *error)
{
    static const enum vts_wait_mode modes[] = {VTS_WAIT_WATCH, VTS_WAIT_LONG_POLL};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(wait->way, vts_wait_mode_word(modes[i])) == 0)
            return wait_by(modes[i], client, wait, ret_status, error);
    return poll_by_preset(client, wait, ret_status, error);
}

static void *run(void *context)
{
    struct wait *wait = context;
    struct vts_client *client = NULL;
    struct vts_status *status = NULL;
    struct vts_client_error error = {VTS_CLIENT_OK, 0, "", 0, ""};
    struct vts_stats stats;

    wait->is_good = vts_client_new(&client_options, &client, &error) == VTS_CLIENT_OK &&
                    wait_for(client, wait, &status, &error) == VTS_CLIENT_OK;
    if (wait->is_good) {
        wait->delay_s = wall_s() - (double)vts_status_update_time_ns(status) / 1e9;
        vts_client_stats(client, &stats);
        wait->requests = stats.requests;
    } else {
        fprintf(stderr, "poll_jobs: %s %s: %s\n", wait->way, wait->job, error.text);
    }
    vts_status_free(status);
    vts_client_free(client);
    return NULL;
}

/* Up to max waits from stdin; returns how many, or -1 for a line that is none. */
static int read_waits(struct wait *waits, int max)
{
    int count = 0;
    int got;

    while (count < max && (got = scanf("%159s %159s", waits[count].way, waits[count].job)) != EOF) {
        if (got != 2)
            return -1;
        count++;
    }
    return count;
}

/* Starts them all; returns how many. */
static int start(struct wait *waits, int count)
{
    pthread_attr_t attributes;
    int started = 0;

    if (pthread_attr_init(&attributes) != 0)
        return 0;
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES); /* the default would do, too */
    while (started < count &&
           pthread_create(&waits[started].thread, &attributes, run, &waits[started]) == 0)
        started++;
    (void)pthread_attr_destroy(&attributes); /* cannot fail */
    return started;
}

int main(int argc, char **argv)
{
    enum { WAITS_MAX = 4096 };
    static struct wait waits[WAITS_MAX];
    int count;
    int started;
    int failed = 0;

    if (argc != 4 || (scale = strtod(argv[3], NULL)) <= 0 ||
        (count = read_waits(waits, WAITS_MAX)) < 1) {
        fprintf(stderr, "usage: poll_jobs URL CA SCALE <WAYS_AND_JOBS\n");
        return EXIT_USAGE;
    }
    vts_client_options_init(&client_options);
    client_options.url = argv[1];
    client_options.ca_file = argv[2];
    started = start(waits, count);
    for (int i = 0; i < started; i++) {
        (void)pthread_join(waits[i].thread, NULL); /* fails only for a thread that is none */
        failed += !waits[i].is_good;
        if (waits[i].is_good)
            printf("%s %s %llu %.6f\n", waits[i].way, waits[i].job, waits[i].requests,
                   waits[i].delay_s);
    }
    return started == count && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
