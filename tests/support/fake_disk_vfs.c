/* SPDX-License-Identifier: Apache-2.0 */
/* fake_disk_vfs.c - the fake disk as SQLite sees it: a virtual file system.
 *
 * It has what a locked database needs: no shared memory, and locks that always succeed. It promises
 * what SQLite's own for Linux promises, that a write which the power cuts off harms no byte beside
 * it. The database itself is there, empty, when it is first opened: the store creates it.
 */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/rng.h"
#include "tests/support/fake_disk_files.h"

enum { REAL_SECTOR_BYTES = 4096 };

/* What SQLite holds of an open file. */
struct handle {
    sqlite3_file base;
    struct fake_file *file;
};

static struct fake_file *file_of(sqlite3_file *base)
{
    return ((struct handle *)base)->file;
}

static bool is_hit(long number)
{
    return number >= fake_disk.fault_at && number - fake_disk.fault_at < fake_disk.fault_count;
}

/* Whether the next operation is struck, by one of the faults in the mask of 1 << fault. */
static bool is_struck(unsigned faults)
{
    long number = fake_disk.operations++;

    if (number >= fake_disk.power_cut_at)
        fake_disk.has_power = false;
    fake_disk.last_errno = fake_disk.fault == FAKE_FAULT_EIO ? EIO : ENOSPC;
    if (!fake_disk.has_power)
        return true;
    return is_hit(number) && (1U << fake_disk.fault & faults) != 0;
}

static bool is_read_struck(void)
{
    long number = fake_disk.reads++;

    fake_disk.last_errno = EIO;
    return !fake_disk.has_power || (fake_disk.fault == FAKE_FAULT_READ && is_hit(number));
}

static int close_file(sqlite3_file *base)
{
    (void)base;
    return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *bytes, int len, sqlite3_int64 offset)
{
    const struct fake_image *image = &file_of(base)->now;
    size_t there = image->len > (size_t)offset ? image->len - (size_t)offset : 0;

    if (is_read_struck())
        return SQLITE_IOERR_READ;
    if (there > (size_t)len)
        there = (size_t)len;
    memset(bytes, 0, (size_t)len);
    if (there > 0)
        memcpy(bytes, image->bytes + offset, there);
    return there == (size_t)len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 offset)
{
    bool is_struck_now =
        is_struck(1U << FAKE_FAULT_EIO | 1U << FAKE_FAULT_FULL | 1U << FAKE_FAULT_SHORT);

    if (is_struck_now && fake_disk.has_power && fake_disk.fault == FAKE_FAULT_SHORT)
        fake_file_write(file_of(base), bytes, (size_t)len / 2, (size_t)offset);
    if (is_struck_now)
        return fake_disk.fault == FAKE_FAULT_EIO ? SQLITE_IOERR_WRITE : SQLITE_FULL;
    fake_file_write(file_of(base), bytes, (size_t)len, (size_t)offset);
    return SQLITE_OK;
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 len)
{
    if (is_struck(1U << FAKE_FAULT_EIO))
        return SQLITE_IOERR_TRUNCATE;
    fake_file_truncate(file_of(base), (size_t)len);
    return SQLITE_OK;
}

static int sync_file(sqlite3_file *base, int flags)
{
    (void)flags;
    if (is_struck(1U << FAKE_FAULT_EIO | 1U << FAKE_FAULT_FULL)) {
        if (fake_disk.has_power)
            fake_file_lose_writes(file_of(base));
        return SQLITE_IOERR_FSYNC;
    }
    fake_file_sync(file_of(base));
    return SQLITE_OK;
}

static int tell_size(sqlite3_file *base, sqlite3_int64 *ret_len)
{
    *ret_len = (sqlite3_int64)file_of(base)->now.len;
    return fake_disk.has_power ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

static int lock_file(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int check_lock(sqlite3_file *base, int *ret_is_locked)
{
    (void)base;
    *ret_is_locked = 0;
    return SQLITE_OK;
}

static int control_file(sqlite3_file *base, int what, void *argument)
{
    (void)base;
    (void)what;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int tell_sector_size(sqlite3_file *base)
{
    (void)base;
    return REAL_SECTOR_BYTES;
}

static int tell_promises(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = tell_size,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = tell_sector_size,
    .xDeviceCharacteristics = tell_promises,
};

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                     int *ret_flags)
{
    struct handle *handle = (struct handle *)base;
    bool may_create = (flags & (SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB)) != 0;

    (void)vfs;
    base->pMethods = NULL;    /* nothing to close, until it is open */
    VTS_ASSERT(name != NULL); /* the store needs no temporary file */
    handle->file = fake_disk_find(name);
    if (handle->file == NULL) {
        if (!may_create || is_struck(1U << FAKE_FAULT_EIO | 1U << FAKE_FAULT_FULL))
            return SQLITE_CANTOPEN;
        handle->file = fake_disk_create(name);
        handle->file->entry_is_durable = (flags & SQLITE_OPEN_MAIN_DB) != 0; /* never synced */
    }
    if (!fake_disk.has_power)
        return SQLITE_CANTOPEN;
    if (fake_disk.is_read_only)
        flags = (flags & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY;
    if (ret_flags != NULL)
        *ret_flags = flags;
    base->pMethods = &file_methods;
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int must_sync)
{
    struct fake_file *file = fake_disk_find(name);

    (void)vfs;
    if (file == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    if (is_struck(1U << FAKE_FAULT_EIO))
        return SQLITE_IOERR_DELETE;
    file->exists = false;
    if (must_sync != 0)
        fake_disk_sync_folder();
    return SQLITE_OK;
}

static int access_file(sqlite3_vfs *vfs, const char *name, int flags, int *ret_is_so)
{
    (void)vfs;
    (void)flags;
    *ret_is_so = fake_disk_find(name) != NULL;
    return SQLITE_OK;
}

static int tell_full_name(sqlite3_vfs *vfs, const char *name, int size, char *ret_name)
{
    (void)vfs;
    VTS_ASSERT(strlen(name) < (size_t)size);
    memcpy(ret_name, name, strlen(name) + 1);
    return SQLITE_OK;
}

/* The same in every run, so that a failure comes again. */
static int make_random(sqlite3_vfs *vfs, int len, char *ret_bytes)
{
    static struct vts_rng rng;

    (void)vfs;
    for (int i = 0; i < len; i++)
        ret_bytes[i] = (char)vts_rng_next(&rng);
    return len;
}

static int sleep_not(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int tell_day(sqlite3_vfs *vfs, double *ret_day)
{
    (void)vfs;
    *ret_day = 2460000.5; /* a Julian day like another */
    return SQLITE_OK;
}

static int tell_last_error(sqlite3_vfs *vfs, int size, char *ret_text)
{
    (void)vfs;
    (void)size;
    (void)ret_text;
    return fake_disk.last_errno;
}

void fake_disk_install(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 1,
        .szOsFile = sizeof(struct handle),
        .mxPathname = FAKE_NAME_BYTES - 16, /* SQLite appends "-journal" */
        .zName = "fake_disk",
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = tell_full_name,
        .xRandomness = make_random,
        .xSleep = sleep_not,
        .xCurrentTime = tell_day,
        .xGetLastError = tell_last_error,
    };
    int code = sqlite3_vfs_register(&vfs, 1);

    VTS_ASSERT(code == SQLITE_OK);
    fake_disk_wipe();
}
