/* SPDX-License-Identifier: Apache-2.0 */
/* store_content.c - copies what a store loads. */
#include "tests/support/store_content.h"

#include <stdlib.h>

#include "common/base/mem.h"

static int compare_ids(const void *a, const void *b)
{
    struct vts_str left = ((const struct store_row *)a)->id;
    struct vts_str right = ((const struct store_row *)b)->id;
    int order = memcmp(left.ptr, right.ptr, left.len < right.len ? left.len : right.len);

    return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

static bool copy(struct vts_str text, struct vts_str *ret_copy)
{
    char *bytes = vts_mem_strndup(text.ptr, text.len);

    *ret_copy = vts_str_make(bytes, text.len);
    return bytes != NULL;
}

static enum vts_err add_row(void *context, struct vts_str id, uint64_t version,
                            struct vts_str record)
{
    struct store_content *content = context;
    struct store_row *row;

    if (content->count == content->cap) {
        size_t cap = content->cap == 0 ? 16 : 2 * content->cap;
        struct store_row *rows = vts_mem_realloc(content->rows, cap * sizeof(*rows));

        if (rows == NULL)
            return VTS_ERR_NOMEM;
        content->rows = rows;
        content->cap = cap;
    }
    row = &content->rows[content->count++];
    *row = (struct store_row){.version = version};
    return copy(id, &row->id) && copy(record, &row->record) ? VTS_OK : VTS_ERR_NOMEM;
}

enum vts_err store_content_load(struct vts_store *store, struct store_content *ret_content,
                                struct vts_error *error)
{
    struct store_content content = {0};
    enum vts_err err = store->ops->load(store, add_row, &content, error);

    if (err != VTS_OK) {
        store_content_free(&content);
        return err;
    }
    if (content.count > 0)
        qsort(content.rows, content.count, sizeof(*content.rows), compare_ids);
    *ret_content = content;
    return VTS_OK;
}

void store_content_free(struct store_content *content)
{
    for (size_t i = 0; i < content->count; i++) {
        vts_mem_free((void *)(uintptr_t)content->rows[i].id.ptr);
        vts_mem_free((void *)(uintptr_t)content->rows[i].record.ptr);
    }
    vts_mem_free(content->rows);
    *content = (struct store_content){0};
}

const struct store_row *store_content_find(const struct store_content *content, const char *id)
{
    for (size_t i = 0; i < content->count; i++)
        if (vts_str_equals_text(content->rows[i].id, id))
            return &content->rows[i];
    return NULL;
}

bool store_content_equals(const struct store_content *a, const struct store_content *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!vts_str_equals(a->rows[i].id, b->rows[i].id) ||
            a->rows[i].version != b->rows[i].version ||
            !vts_str_equals(a->rows[i].record, b->rows[i].record))
            return false;
    return true;
}
