/* SPDX-License-Identifier: Apache-2.0 */
/* etag.c - weak comparison of entity tags. */
#include "common/wire/etag.h"

static struct vts_str without_weakness(struct vts_str etag)
{
    if (vts_str_starts_with(etag, "W/"))
        return vts_str_make(etag.ptr + 2, etag.len - 2);
    return etag;
}

bool vts_etag_is_listed(struct vts_str if_none_match, struct vts_str etag)
{
    struct vts_str wanted = without_weakness(etag);
    struct vts_str listed;

    while (vts_str_split_quoted(&if_none_match, ',', &listed)) {
        listed = vts_str_trim(listed);
        if (vts_str_equals_text(listed, "*") || vts_str_equals(without_weakness(listed), wanted))
            return true;
    }
    return false;
}
