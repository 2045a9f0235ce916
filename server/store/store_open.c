/* SPDX-License-Identifier: Apache-2.0 */
/* store_open.c - the kinds of stores, by name.
 *
 * The one place that knows which stores this build has.
 */
#include "server/store/store_open.h"

#include "server/store/store_memory.h"
#include "server/store/store_sqlite.h"

typedef enum vts_err (*open_fn)(const char *where, struct vts_store **ret_store,
                                struct vts_error *error);

struct kind {
    const char *prefix; /* of the spec; what follows says where the store is */
    open_fn open;
};

static enum vts_err open_memory(const char *where, struct vts_store **ret_store,
                                struct vts_error *error)
{
    if (where[0] != '\0')
        return vts_error_set(error, VTS_ERR_INVALID, "store \"memory\" is followed by \"%s\"",
                             where);
    if (vts_store_memory_new(ret_store) != VTS_OK)
        return vts_error_set(error, VTS_ERR_NOMEM, "no memory for a store");
    return VTS_OK;
}

static enum vts_err open_sqlite(const char *where, struct vts_store **ret_store,
                                struct vts_error *error)
{
    if (where[0] == '\0')
        return vts_error_set(error, VTS_ERR_INVALID,
                             "store \"sqlite:\" lacks a file: write sqlite:PATH");
#ifdef VTS_WITH_SQLITE
    return vts_store_sqlite_open(where, NULL, ret_store, error);
#else
    (void)ret_store;
    return vts_error_set(error, VTS_ERR_INVALID,
                         "store \"sqlite:%s\": this build has no SQLite (VTS_WITH_SQLITE)", where);
#endif
}

static const struct kind kinds[] = {
    {"memory", open_memory},
    {"sqlite:", open_sqlite},
};

enum vts_err vts_store_open(const char *spec, struct vts_store **ret_store, struct vts_error *error)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(kinds); i++)
        if (vts_str_starts_with(vts_str_of(spec), kinds[i].prefix))
            return kinds[i].open(spec + strlen(kinds[i].prefix), ret_store, error);
    return vts_error_set(error, VTS_ERR_INVALID,
                         "there is no store \"%s\": it is \"memory\" or \"sqlite:PATH\"", spec);
}
