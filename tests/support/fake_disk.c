/* SPDX-License-Identifier: Apache-2.0 */
/* fake_disk.c - files as two images, what is seen and what is durable, and the changes between.
 *
 * A cut of the power makes a third: the durable one with some of the changes, sector by sector.
 */
#include "tests/support/fake_disk.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/rng.h"
#include "tests/support/fake_disk_files.h"

enum { SECTOR_BYTES = 512 };

struct fake_disk fake_disk;

static void *allocate(void *ptr, size_t size)
{
    void *bytes = realloc(ptr, size);

    VTS_ASSERT(bytes != NULL); /* a test has no use for a fault of its own disk */
    return bytes;
}

static void image_resize(struct fake_image *image, size_t len)
{
    if (len > image->cap) {
        image->cap = len + len / 2;
        image->bytes = allocate(image->bytes, image->cap);
    }
    if (len > image->len)
        memset(image->bytes + image->len, 0, len - image->len);
    image->len = len;
}

static void image_write(struct fake_image *image, const char *bytes, size_t len, size_t offset)
{
    if (len == 0)
        return;
    if (offset + len > image->len)
        image_resize(image, offset + len);
    memcpy(image->bytes + offset, bytes, len);
}

static void image_copy(struct fake_image *image, const struct fake_image *source)
{
    image_resize(image, 0);
    image_write(image, source->bytes, source->len, 0);
}

static void image_apply(struct fake_image *image, const struct fake_change *change)
{
    if (change->is_truncation)
        image_resize(image, change->offset);
    else
        image_write(image, change->bytes, change->len, change->offset);
}

/* Half of the sectors that the change touches, at random. */
static void image_apply_some(struct fake_image *image, const struct fake_change *change,
                             struct vts_rng *rng)
{
    size_t done = 0;

    if (change->is_truncation && vts_rng_next(rng) % 2 == 0)
        image_resize(image, change->offset);
    while (done < change->len) {
        size_t offset = change->offset + done;
        size_t len = SECTOR_BYTES - offset % SECTOR_BYTES;

        if (len > change->len - done)
            len = change->len - done;
        if (vts_rng_next(rng) % 2 == 0)
            image_write(image, change->bytes + done, len, offset);
        done += len;
    }
}

static void add_change(struct fake_file *file, bool is_truncation, const void *bytes, size_t len,
                       size_t offset)
{
    struct fake_change *change = allocate(NULL, sizeof(*change) + len);

    *change = (struct fake_change){NULL, is_truncation, offset, len};
    if (len > 0)
        memcpy(change->bytes, bytes, len);
    *file->last = change;
    file->last = &change->next;
    image_apply(&file->now, change);
}

static void drop_changes(struct fake_file *file)
{
    struct fake_change *next;

    for (struct fake_change *change = file->first; change != NULL; change = next) {
        next = change->next;
        free(change);
    }
    file->first = NULL;
    file->last = &file->first;
}

struct fake_file *fake_disk_find(const char *name)
{
    for (int i = 0; i < FAKE_FILES; i++)
        if (fake_disk.files[i].exists && strcmp(fake_disk.files[i].name, name) == 0)
            return &fake_disk.files[i];
    return NULL;
}

/* The place of a file of that name that was deleted, or a free one. */
static struct fake_file *find_place(const char *name)
{
    for (int i = 0; i < FAKE_FILES; i++)
        if (strcmp(fake_disk.files[i].name, name) == 0)
            return &fake_disk.files[i];
    for (int i = 0; i < FAKE_FILES; i++)
        if (fake_disk.files[i].name[0] == '\0')
            return &fake_disk.files[i];
    VTS_UNREACHABLE();
}

struct fake_file *fake_disk_create(const char *name)
{
    struct fake_file *file = find_place(name);

    VTS_ASSERT(strlen(name) < sizeof(file->name));
    memcpy(file->name, name, strlen(name) + 1);
    file->exists = true;
    file->entry_is_durable = false;
    if (file->last == NULL)
        file->last = &file->first;
    fake_file_truncate(file, 0);
    return file;
}

void fake_file_write(struct fake_file *file, const void *bytes, size_t len, size_t offset)
{
    add_change(file, false, bytes, len, offset);
}

void fake_file_truncate(struct fake_file *file, size_t len)
{
    add_change(file, true, NULL, 0, len);
}

void fake_file_sync(struct fake_file *file)
{
    for (struct fake_change *change = file->first; change != NULL; change = change->next)
        image_apply(&file->durable, change);
    drop_changes(file);
    if (!file->entry_is_durable)
        fake_disk_sync_folder();
}

void fake_file_lose_writes(struct fake_file *file)
{
    for (struct fake_change *change = file->first; change != NULL; change = change->next)
        change->len = 0;
}

void fake_disk_sync_folder(void)
{
    for (int i = 0; i < FAKE_FILES; i++) {
        fake_disk.files[i].survives_cut = fake_disk.files[i].exists;
        fake_disk.files[i].entry_is_durable = fake_disk.files[i].exists;
    }
}

void fake_disk_wipe(void)
{
    for (int i = 0; i < FAKE_FILES; i++) {
        drop_changes(&fake_disk.files[i]);
        free(fake_disk.files[i].now.bytes);
        free(fake_disk.files[i].durable.bytes);
    }
    fake_disk = (struct fake_disk){.has_power = true, .power_cut_at = LONG_MAX};
}

long fake_disk_operations(void)
{
    return fake_disk.operations;
}

long fake_disk_reads(void)
{
    return fake_disk.reads;
}

void fake_disk_fail(enum fake_fault fault, long at, long count)
{
    fake_disk.fault = fault;
    fake_disk.fault_at = at;
    fake_disk.fault_count = count;
}

void fake_disk_heal(void)
{
    fake_disk.fault_count = 0;
}

void fake_disk_make_read_only(void)
{
    fake_disk.is_read_only = true;
}

void fake_disk_damage(const char *name, long offset, long len)
{
    struct fake_file *file = fake_disk_find(name);

    VTS_ASSERT(file != NULL && file->now.len >= (size_t)(offset + len));
    memset(file->now.bytes + offset, 0x5a, (size_t)len);
}

void fake_disk_cut_power(long at)
{
    fake_disk.power_cut_at = at;
}

bool fake_disk_has_power(void)
{
    return fake_disk.has_power;
}

static bool survives(const struct fake_file *file, enum fake_survivors survivors,
                     struct vts_rng *rng)
{
    switch (survivors) {
    case FAKE_SURVIVORS_NONE:
        return file->survives_cut;
    case FAKE_SURVIVORS_ALL:
        return file->exists;
    case FAKE_SURVIVORS_SOME:
        return vts_rng_next(rng) % 2 == 0 ? file->survives_cut : file->exists;
    }
    VTS_UNREACHABLE();
}

static void restart_file(struct fake_file *file, enum fake_survivors survivors, struct vts_rng *rng)
{
    for (struct fake_change *change = file->first; change != NULL; change = change->next) {
        if (survivors == FAKE_SURVIVORS_ALL)
            image_apply(&file->durable, change);
        if (survivors == FAKE_SURVIVORS_SOME)
            image_apply_some(&file->durable, change, rng);
    }
    drop_changes(file);
    image_copy(&file->now, &file->durable);
    file->exists = survives(file, survivors, rng);
    file->survives_cut = file->exists;
    file->entry_is_durable = file->exists;
}

void fake_disk_restart(enum fake_survivors survivors, uint64_t seed)
{
    struct vts_rng rng;

    vts_rng_init(&rng, seed);
    for (int i = 0; i < FAKE_FILES; i++)
        restart_file(&fake_disk.files[i], survivors, &rng);
    fake_disk.has_power = true;
    fake_disk.power_cut_at = LONG_MAX;
    fake_disk.fault_count = 0;
    fake_disk.operations = 0;
    fake_disk.reads = 0;
}
