/* SPDX-License-Identifier: Apache-2.0 */
/* etag.c - weak comparison of entity tags. */
#include "common/wire/etag.h"

static struct vts_str without_weakness(struct vts_str etag)
{
    if (vts_str_starts_with(etag, "W/"))
        return vts_str_make(etag.ptr + 2, etag.len - 2);
    return etag;
}

/* Where the tag at the front of list ends: at a comma outside quotes. A backslash escapes nothing
 * here, other than in a quoted-string. */
static size_t tag_len(struct vts_str list)
{
    bool is_quoted = false;
    size_t i;

    for (i = 0; i < list.len && (is_quoted || list.ptr[i] != ','); i++)
        if (list.ptr[i] == '"')
            is_quoted = !is_quoted;
    return i;
}

bool vts_etag_is_listed(struct vts_str if_none_match, struct vts_str etag)
{
    struct vts_str rest = vts_str_trim(if_none_match);
    struct vts_str wanted = without_weakness(etag);

    if (vts_str_equals_text(rest, "*"))
        return true;
    while (rest.len > 0) {
        size_t len = tag_len(rest);
        size_t taken = len < rest.len ? len + 1 : len;
        struct vts_str listed = vts_str_trim(vts_str_make(rest.ptr, len));

        if (vts_str_equals(without_weakness(listed), wanted))
            return true;
        rest = vts_str_make(rest.ptr + taken, rest.len - taken);
    }
    return false;
}
