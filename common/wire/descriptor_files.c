/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor_files.c - binary searches in the tables that descriptor_files_read.c fills. */
#include "common/wire/descriptor_files.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/wire/descriptor_files_tables.h"

void vts_descriptor_files_free(struct vts_descriptor_files *files)
{
    if (files == NULL)
        return;
    vts_mem_free(files->files);
    vts_mem_free(files->by_name);
    vts_mem_free(files->imports);
    vts_mem_free(files->symbols);
    vts_mem_free(files->extensions);
    vts_mem_free(files->extension_numbers);
    vts_mem_free(files->text);
    vts_mem_free(files);
}

uint32_t vts_descriptor_files_count(const struct vts_descriptor_files *files)
{
    return (uint32_t)files->file_count;
}

static int compare_name(const void *name, const void *file)
{
    return strcmp(name, (*(const struct vts_descriptor_file *const *)file)->name);
}

static int compare_symbol(const void *full_name, const void *symbol)
{
    return strcmp(full_name, ((const struct vts_symbol *)symbol)->full_name);
}

const struct vts_descriptor_file *
vts_descriptor_files_find(const struct vts_descriptor_files *files, const char *name)
{
    const struct vts_descriptor_file *const *found =
        bsearch(name, files->by_name, files->file_count, sizeof(struct vts_descriptor_file *),
                compare_name);

    return found == NULL ? NULL : *found;
}

static const struct vts_symbol *find_symbol(const struct vts_descriptor_files *files,
                                            const char *full_name)
{
    return bsearch(full_name, files->symbols, files->symbol_count, sizeof(*files->symbols),
                   compare_symbol);
}

const struct vts_descriptor_file *
vts_descriptor_files_find_symbol(const struct vts_descriptor_files *files, const char *full_name)
{
    const struct vts_symbol *found = find_symbol(files, full_name);

    return found == NULL ? NULL : found->file;
}

bool vts_descriptor_files_has_message(const struct vts_descriptor_files *files,
                                      const char *full_name)
{
    const struct vts_symbol *found = find_symbol(files, full_name);

    return found != NULL && found->is_message;
}

/* ---- extensions -------------------------------------------------------------------------- */

/* Whether the extension stands before (type, number), where the number INT32_MIN is before all. */
static bool is_before(const struct vts_extension *extension, const char *type, int32_t number)
{
    int order = strcmp(extension->type, type);

    return order != 0 ? order < 0 : extension->number < number;
}

/* The place of the first extension that does not stand before (type, number). */
static size_t find_place(const struct vts_descriptor_files *files, const char *type, int32_t number)
{
    size_t low = 0;
    size_t high = files->extension_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (is_before(&files->extensions[middle], type, number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct vts_descriptor_file *
vts_descriptor_files_find_extension(const struct vts_descriptor_files *files, const char *type,
                                    int32_t number)
{
    size_t place = find_place(files, type, number);
    const struct vts_extension *found = &files->extensions[place];

    if (place == files->extension_count || found->number != number ||
        strcmp(found->type, type) != 0)
        return NULL;
    return found->file;
}

const int32_t *vts_descriptor_files_extensions_of(const struct vts_descriptor_files *files,
                                                  const char *type, size_t *ret_count)
{
    size_t first = find_place(files, type, INT32_MIN);
    size_t end = first;

    while (end < files->extension_count && strcmp(files->extensions[end].type, type) == 0)
        end++;
    *ret_count = end - first;
    return files->extension_numbers + first;
}
