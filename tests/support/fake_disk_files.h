/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of the fake disk: its files, and the face that SQLite sees. */
#ifndef VTS_TESTS_FAKE_DISK_FILES_H
#define VTS_TESTS_FAKE_DISK_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/fake_disk.h"

enum { FAKE_NAME_BYTES = 256, FAKE_FILES = 8 };

struct fake_image {
    char *bytes;
    size_t len;
    size_t cap;
};

/* What was done to a file and not synced. */
struct fake_change {
    struct fake_change *next;
    bool is_truncation; /* to `offset` bytes */
    size_t offset;
    size_t len;
    char bytes[];
};

struct fake_file {
    char name[FAKE_NAME_BYTES];
    bool exists;
    bool entry_is_durable; /* its folder was synced since it was created */
    bool survives_cut;     /* it is in its folder on the disk */
    struct fake_image now;
    struct fake_image durable;
    struct fake_change *first;
    struct fake_change **last;
};

struct fake_disk {
    struct fake_file files[FAKE_FILES];
    long operations;
    long reads;
    enum fake_fault fault;
    long fault_at;
    long fault_count;
    long power_cut_at;
    bool has_power;
    bool is_read_only;
    int last_errno;
};

extern struct fake_disk fake_disk;

/* NULL when it does not exist. */
struct fake_file *fake_disk_find(const char *name);
/* A new, empty file, or one that was deleted, empty again. */
struct fake_file *fake_disk_create(const char *name);
void fake_file_write(struct fake_file *file, const void *bytes, size_t len, size_t offset);
void fake_file_truncate(struct fake_file *file, size_t len);
/* Makes what was done durable, and, for a file that is new, its folder. */
void fake_file_sync(struct fake_file *file);
/* Forgets the writes that were not synced: they are to be read, but never become durable. */
void fake_file_lose_writes(struct fake_file *file);
/* Makes what files there are in the folder durable. */
void fake_disk_sync_folder(void);

#endif
