/* SPDX-License-Identifier: Apache-2.0 */
/* wait_many.c - one thread that waits for very many jobs, and what that takes.
 *
 * The jobs are job-0 to job-(COUNT-1). At the end there is one line of JSON: how late the ends
 * became known by the server's clock, and what the process took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <vtstatus/wait.h>

enum { JOBS_MAX = 50000, ID_BYTES = 16, EXIT_USAGE = 2 };

static char ids[JOBS_MAX][ID_BYTES];
static const char *names[JOBS_MAX];

static double to_s(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* The largest resident memory, in KiB. What getrusage() says counts the parent as well, whose
 * memory this process had until it became another program. */
static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    long kib = -1;

    while (file != NULL && kib < 0 && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file != NULL)
        (void)fclose(file); /* nothing was written */
    return kib;
}

static void print_figures(const struct vts_client *client)
{
    struct vts_stats stats;
    struct rusage usage;

    vts_client_stats(client, &stats);
    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail for oneself */
    printf(
        "{\"ends\": %llu, \"mean_ms\": %.2f, \"max_ms\": %.2f, \"cpu_s\": %.3f, "
        "\"rss_kib\": %ld}\n",
        (unsigned long long)stats.ends, 1e3 * stats.total_delay / (double)stats.ends,
        1e3 * stats.max_delay, to_s(usage.ru_utime) + to_s(usage.ru_stime), resident_kib());
}

int main(int argc, char **argv)
{
    struct vts_client_options client_options;
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
    if (vts_client_new(&client_options, &client, &error) != VTS_CLIENT_OK ||
        vts_wait_all(client, names, count, NULL, NULL, &error) != VTS_CLIENT_OK) {
        fprintf(stderr, "wait_many: %s\n", error.text);
        return EXIT_FAILURE;
    }
    print_figures(client);
    vts_client_free(client);
    return EXIT_SUCCESS;
}
