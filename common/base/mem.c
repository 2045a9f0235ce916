/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c - the only file that calls malloc. */
#include "common/base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local long allocations_left = -1;
static _Thread_local int has_failed;

static int must_fail(void)
{
    if (allocations_left < 0)
        return 0;
    if (allocations_left-- > 0)
        return 0;
    has_failed = 1;
    return 1;
}

void *vts_mem_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(size == 0 ? 1 : size);
}

void *vts_mem_zalloc(size_t size)
{
    return must_fail() ? NULL : calloc(1, size == 0 ? 1 : size);
}

void *vts_mem_realloc(void *ptr, size_t size)
{
    return must_fail() ? NULL : realloc(ptr, size == 0 ? 1 : size);
}

char *vts_mem_strdup(const char *text)
{
    return text == NULL ? NULL : vts_mem_strndup(text, strlen(text));
}

char *vts_mem_strndup(const char *text, size_t len)
{
    char *copy = vts_mem_alloc(len + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void vts_mem_free(void *ptr)
{
    free(ptr);
}

void vts_mem_trim(void)
{
    (void)malloc_trim(0); /* whether there was any */
}

int vts_mem_fail_after(long count)
{
    int failed = has_failed;

    allocations_left = count;
    has_failed = 0;
    return failed;
}
