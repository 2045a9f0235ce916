/* SPDX-License-Identifier: Apache-2.0 */
/* The heap: every allocation of the project goes through here, so that tests can make one fail.
 * Callable from any thread. */
#ifndef VTS_BASE_MEM_H
#define VTS_BASE_MEM_H

#include <stddef.h>

#include "common/base/macros.h"

/* Each returns NULL when memory runs out; size 0 is allowed and gives a pointer to free. */
VTS_MUST_CHECK void *vts_mem_alloc(size_t size);
VTS_MUST_CHECK void *vts_mem_zalloc(size_t size);
VTS_MUST_CHECK void *vts_mem_realloc(void *ptr, size_t size);
/* text may be NULL, which gives NULL. */
VTS_MUST_CHECK char *vts_mem_strdup(const char *text);
/* Copies len bytes and adds a NUL. */
VTS_MUST_CHECK char *vts_mem_strndup(const char *text, size_t len);
/* ptr may be NULL. */
void vts_mem_free(void *ptr);

/* Gives free memory back to the system. Takes milliseconds: for a quiet moment after a busy time.
 */
void vts_mem_trim(void);

/* For tests: lets `count` allocations of this thread succeed and then fails one; a negative count
 * turns it off. Returns whether the one had failed since the last call. */
int vts_mem_fail_after(long count);

#endif
