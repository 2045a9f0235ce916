/* SPDX-License-Identifier: Apache-2.0 */
/* memory_file.c - memfd_create(2), and the path by which a process reaches its own descriptors. */
#include "tests/interop/memory_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static bool write_all(int fd, struct vts_str bytes)
{
    while (bytes.len > 0) {
        ssize_t len = write(fd, bytes.ptr, bytes.len);

        if (len < 0 && errno != EINTR)
            return false;
        if (len > 0)
            bytes = vts_str_make(bytes.ptr + len, bytes.len - (size_t)len);
    }
    return true;
}

enum vts_err memory_file_open(struct memory_file *file, struct vts_str bytes,
                              struct vts_error *error)
{
    int fd = memfd_create("interop", MFD_CLOEXEC);

    if (fd < 0 || !write_all(fd, bytes)) {
        (void)vts_error_set(error, VTS_ERR_IO, "cannot keep a file in memory: %s", strerror(errno));
        if (fd >= 0)
            (void)close(fd); /* what was written is of no use */
        return VTS_ERR_IO;
    }
    file->fd = fd;
    (void)snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", fd);
    return VTS_OK;
}

void memory_file_close(struct memory_file *file)
{
    (void)close(file->fd); /* nothing is lost */
}
