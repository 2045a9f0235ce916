/* SPDX-License-Identifier: Apache-2.0 */
/* descriptors.c - by the soft limit, which bounds the numbers that are given out. */
#include "tests/unit/server/io/descriptors.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 1024 };

bool descriptor_is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

unsigned descriptors_count(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        count += descriptor_is_open(fd);
    return count;
}

struct rlimit descriptors_limit(unsigned more)
{
    struct rlimit before;
    struct rlimit limit;
    rlim_t fd = 0;

    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (unsigned free_count = 0; fd < DESCRIPTORS_MAX; fd++)
        if (!descriptor_is_open((int)fd) && free_count++ == more)
            break;
    limit = before;
    limit.rlim_cur = fd;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

void descriptors_restore(const struct rlimit *limit)
{
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, limit), 0);
}
