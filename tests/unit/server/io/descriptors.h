/* SPDX-License-Identifier: Apache-2.0 */
/* A process that runs out of descriptors when a test wants it to. */
#ifndef VTS_TESTS_DESCRIPTORS_H
#define VTS_TESTS_DESCRIPTORS_H

#include <stdbool.h>
#include <sys/resource.h>

/* Lets so many more descriptors be opened; returns the limit there was, for descriptors_restore. */
struct rlimit descriptors_limit(unsigned more);
void descriptors_restore(const struct rlimit *limit);
/* How many the process has open. */
unsigned descriptors_count(void);
bool descriptor_is_open(int fd);

#endif
