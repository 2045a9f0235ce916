/* SPDX-License-Identifier: Apache-2.0 */
/* resources.c - descriptors and memory, as the system limits them. */
#include "server/app/resources.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* For the store, logs and certificates; a worker needs its own few besides. */
static const rlim_t descriptors_reserved = 64;
static const rlim_t descriptors_per_worker = 8;

/* An idle connection takes about 21 KiB here and as much again in the kernel; one at work more. */
static const uint64_t connection_bytes = UINT64_C(64) * 1024;

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t allowed_by_descriptors(unsigned threads)
{
    rlim_t reserved = descriptors_reserved + descriptors_per_worker * threads;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return UINT64_MAX;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files); /* what holds is read below */
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return files.rlim_cur > 2 * reserved ? files.rlim_cur - reserved : files.rlim_cur / 2;
}

/* The limit of our control group (cgroup v2, memory.max), or UINT64_MAX. */
static uint64_t read_group_limit(void)
{
    unsigned long long bytes = 0;
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
    int found;

    if (file == NULL)
        return UINT64_MAX;
    found = fscanf(file, "%llu", &bytes); /* "max" is no number */
    (void)fclose(file);                   /* it was only read */
    return found == 1 ? bytes : UINT64_MAX;
}

static uint64_t allowed_by_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    uint64_t bytes = read_group_limit();

    if (pages > 0 && page_bytes > 0)
        bytes = least(bytes, (uint64_t)pages * (uint64_t)page_bytes);
    return bytes / 2 / connection_bytes;
}

void vts_resources_fit(struct vts_limits *limits, unsigned threads)
{
    uint64_t allowed = least(allowed_by_descriptors(threads), allowed_by_memory());

    if (allowed < 1)
        allowed = 1;
    limits->values[VTS_LIMIT_CONNECTIONS] = least(limits->values[VTS_LIMIT_CONNECTIONS], allowed);
}
