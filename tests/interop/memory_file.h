/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in memory that have a path, for functions that want a file: a key need not touch a disk. */
#ifndef VTS_TESTS_INTEROP_MEMORY_FILE_H
#define VTS_TESTS_INTEROP_MEMORY_FILE_H

#include "common/base/err.h"
#include "common/base/str.h"

enum { MEMORY_FILE_PATH_BYTES = 40 };

struct memory_file {
    int fd;
    char path[MEMORY_FILE_PATH_BYTES]; /* for this process */
};

/* bytes are copied. VTS_ERR_IO. */
VTS_MUST_CHECK enum vts_err memory_file_open(struct memory_file *file, struct vts_str bytes,
                                             struct vts_error *error);
/* Its path leads nowhere then. */
void memory_file_close(struct memory_file *file);

#endif
