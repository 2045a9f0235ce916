/* SPDX-License-Identifier: Apache-2.0 */
/* store_bench.c - commits a second by the writes in each, and how long a million records load.
 *
 * Beside the commits stands what the disk alone takes to overwrite and sync as many bytes, since
 * that is what no store can be faster than. Each figure is taken over two seconds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "server/store/store_open.h"

enum {
    RECORDS = 1000 * 1000,
    RECORD_BYTES = 300,
    BATCH_MAX = 1000,
    SECONDS = 2,
    PAGE_BYTES = 4096
};

static const size_t batch_sizes[] = {1, 10, 100, 1000};

static struct vts_store_write writes[BATCH_MAX];
static char ids[BATCH_MAX][24];
static char record[RECORD_BYTES];
static uint64_t versions[RECORDS];

static void die(const char *what, const char *why)
{
    fprintf(stderr, "store_bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static double seconds_since(int64_t start_ns)
{
    return (double)(vts_clock_now_ns() - start_ns) / VTS_NS_PER_S;
}

/* An id that says nothing of when it was made, as ids of jobs do not. */
static void set_write(size_t place, uint64_t number, uint64_t version)
{
    struct vts_rng rng;

    vts_rng_init(&rng, number);
    (void)snprintf(ids[place], sizeof(ids[place]), "job-%016llx",
                   (unsigned long long)vts_rng_next(&rng));
    writes[place] = (struct vts_store_write){vts_str_of(ids[place]), version - 1, version,
                                             vts_str_make(record, sizeof(record))};
}

static void commit(struct vts_store *store, size_t count)
{
    struct vts_error error;

    record[0]++; /* SQLite does not write what has not changed */
    if (store->ops->commit(store, writes, count, &error) != VTS_OK)
        die("commit", error.text);
}

static struct vts_store *open_store(const char *spec)
{
    struct vts_store *store;
    struct vts_error error;

    if (vts_store_open(spec, &store, &error) != VTS_OK)
        die("open", error.text);
    return store;
}

static void fill(struct vts_store *store)
{
    int64_t start_ns = vts_clock_now_ns();

    for (uint64_t i = 0; i < RECORDS; i++) {
        versions[i] = 1;
        set_write(i % BATCH_MAX, i, 1);
        if (i % BATCH_MAX == BATCH_MAX - 1)
            commit(store, BATCH_MAX);
    }
    printf("create %d records, %d a commit: %.1f s\n", RECORDS, BATCH_MAX, seconds_since(start_ns));
}

/* Two writes of one record in a batch would clash, so a batch's records lie apart. */
static void change(struct vts_store *store, size_t count, struct vts_rng *rng)
{
    uint64_t slice = RECORDS / count;
    int64_t start_ns = vts_clock_now_ns();
    double worst = 0;
    long commits = 0;
    double seconds;

    while (seconds_since(start_ns) < SECONDS) {
        int64_t begin_ns;
        double took;

        for (size_t i = 0; i < count; i++) {
            uint64_t number = i * slice + vts_rng_next(rng) % slice;

            set_write(i, number, ++versions[number]);
        }
        begin_ns = vts_clock_now_ns();
        commit(store, count);
        took = seconds_since(begin_ns);
        worst = took > worst ? took : worst;
        commits++;
    }
    seconds = seconds_since(start_ns);
    printf("change %4zu a commit: %8.0f commits/s %8.0f writes/s, longest %.0f ms\n", count,
           (double)commits / seconds, (double)(commits * (long)count) / seconds, worst * 1000);
}

/* What the disk alone does: overwrite some pages of a file and sync them. */
static void sync_pages(const char *path, size_t count)
{
    static char pages[BATCH_MAX * PAGE_BYTES];
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int64_t start_ns;
    long syncs = 0;

    if (fd < 0 || write(fd, pages, sizeof(pages)) < 0 || fsync(fd) != 0)
        die("sync", path);
    start_ns = vts_clock_now_ns();
    while (seconds_since(start_ns) < SECONDS) {
        if (pwrite(fd, pages, count * PAGE_BYTES, 0) < 0 || fdatasync(fd) != 0)
            die("sync", path);
        syncs++;
    }
    printf("disk alone, %4zu pages: %8.0f fdatasync/s, %.2f ms each\n", count,
           (double)syncs / seconds_since(start_ns), seconds_since(start_ns) / (double)syncs * 1000);
    (void)close(fd);    /* it was synced */
    (void)unlink(path); /* a folder for files of no worth */
}

static enum vts_err count_record(void *context, struct vts_str id, uint64_t version,
                                 struct vts_str bytes)
{
    long *count = context;

    (void)version;
    *count += id.len > 0 && bytes.len == RECORD_BYTES;
    return VTS_OK;
}

static void load(struct vts_store *store)
{
    int64_t start_ns = vts_clock_now_ns();
    struct vts_error error;
    long count = 0;

    if (store->ops->load(store, count_record, &count, &error) != VTS_OK)
        die("load", error.text);
    printf("load %ld records: %.2f s\n", count, seconds_since(start_ns));
}

static void measure(const char *spec)
{
    struct vts_store *store = open_store(spec);
    struct vts_rng rng;
    int64_t start_ns;

    vts_rng_init(&rng, 1);
    fill(store);
    for (size_t i = 0; i < VTS_ARRAY_LEN(batch_sizes); i++)
        change(store, batch_sizes[i], &rng);
    start_ns = vts_clock_now_ns();
    store->ops->close(store);
    printf("close: %.2f s\n", seconds_since(start_ns));
}

int main(int argc, char **argv)
{
    char path[512];
    char spec[sizeof(path) + 8];
    struct vts_store *store;

    if (argc != 2)
        die("usage", "store_bench FOLDER");
    (void)snprintf(path, sizeof(path), "%s/store_bench.db", argv[1]);
    (void)snprintf(spec, sizeof(spec), "sqlite:%s", path);
    (void)unlink(path); /* of a run that was ended */
    for (size_t i = 0; i < VTS_ARRAY_LEN(batch_sizes); i++)
        sync_pages(path, batch_sizes[i]);
    measure(spec);
    store = open_store(spec);
    load(store);
    store->ops->close(store);
    (void)unlink(path); /* as above */
    return EXIT_SUCCESS;
}
