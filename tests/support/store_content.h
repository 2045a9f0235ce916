/* SPDX-License-Identifier: Apache-2.0 */
/* What a store holds, as a list in the order of ids, to look at and to compare. */
#ifndef VTS_TESTS_STORE_CONTENT_H
#define VTS_TESTS_STORE_CONTENT_H

#include <stdbool.h>

#include "server/jobs/store.h"

struct store_row {
    struct vts_str id;
    uint64_t version;
    struct vts_str record;
};

struct store_content {
    size_t count;
    size_t cap;
    struct store_row *rows; /* owned, as are their texts */
};

/* Loads the store. On an error there is nothing to free. */
VTS_MUST_CHECK enum vts_err store_content_load(struct vts_store *store,
                                               struct store_content *ret_content,
                                               struct vts_error *error);
void store_content_free(struct store_content *content);
/* NULL when the id is not there. */
const struct store_row *store_content_find(const struct store_content *content, const char *id);
bool store_content_equals(const struct store_content *a, const struct store_content *b);

#endif
