/* SPDX-License-Identifier: Apache-2.0 */
/* wait_many.c - one thread that waits for very many jobs, and what that takes.
 *
 * The jobs are job-0 to job-(COUNT-1). "waiting" goes to stdout once each of them is known, and at
 * the end one line of JSON: how late the ends became known by the server's clock, and what the
 * process took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <vtstatus/wait.h>

enum { JOBS_MAX = 50000, ID_BYTES = 16, EXIT_USAGE = 2 };

static char ids[JOBS_MAX][ID_BYTES];
static const char *names[JOBS_MAX];
static double delays_s[JOBS_MAX];
static bool is_known[JOBS_MAX];
static size_t known_count;
static size_t ends_count;

static double wall_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool note(const struct vts_wait_event *event, void *context)
{
    const size_t *count = context;
    size_t place;

    if (event->status == NULL)
        return true;
    place = strtoul(event->job_id + strlen("job-"), NULL, 10);
    known_count += !is_known[place];
    if (!is_known[place] && known_count == *count) {
        puts("waiting");
        (void)fflush(stdout);
    }
    is_known[place] = true;
    if (event->is_final)
        delays_s[ends_count++] = wall_s() - (double)vts_status_update_time_ns(event->status) / 1e9;
    return true;
}

static int compare(const void *a, const void *b)
{
    const double *first = a;
    const double *second = b;

    return (*first > *second) - (*first < *second);
}

static double to_s(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void print_figures(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail for oneself */
    qsort(delays_s, ends_count, sizeof(delays_s[0]), compare);
    printf(
        "{\"ends\": %zu, \"p99_ms\": %.2f, \"max_ms\": %.2f, \"cpu_s\": %.3f, "
        "\"rss_kib\": %ld}\n",
        ends_count, 1e3 * delays_s[(ends_count - 1) * 99 / 100], 1e3 * delays_s[ends_count - 1],
        to_s(usage.ru_utime) + to_s(usage.ru_stime), usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    struct vts_client_options client_options;
    struct vts_wait_options options;
    struct vts_client *client = NULL;
    struct vts_client_error error = {VTS_CLIENT_OK, 0, "", 0, ""};
    size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

    if (count < 1 || count > JOBS_MAX) {
        fprintf(stderr, "usage: wait_many URL CA COUNT\n");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "job-%zu", i);
        names[i] = ids[i];
    }
    vts_client_options_init(&client_options);
    client_options.url = argv[1];
    client_options.ca_file = argv[2];
    vts_wait_options_init(&options);
    options.on_event = note;
    options.context = &count;
    if (vts_client_new(&client_options, &client, &error) != VTS_CLIENT_OK ||
        vts_wait_all(client, names, count, &options, NULL, &error) != VTS_CLIENT_OK ||
        ends_count != count) {
        fprintf(stderr, "wait_many: %zu ends: %s\n", ends_count, error.text);
        return EXIT_FAILURE;
    }
    print_figures();
    vts_client_free(client);
    return EXIT_SUCCESS;
}
