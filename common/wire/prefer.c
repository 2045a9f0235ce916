/* SPDX-License-Identifier: Apache-2.0 */
/* prefer.c - finds one preference in a list of them.
 *
 * A preference is a wish: whatever does not parse is passed over.
 */
#include "common/wire/prefer.h"

/* A value may as well be a quoted-string (RFC 7240 section 2). */
static struct vts_str unquote(struct vts_str word)
{
    if (word.len >= 2 && word.ptr[0] == '"' && word.ptr[word.len - 1] == '"')
        return vts_str_make(word.ptr + 1, word.len - 2);
    return word;
}

/* delta-seconds; what is too large is the largest (RFC 9111 section 1.2.2). */
static bool read_seconds(struct vts_str text, uint64_t *ret_s)
{
    uint64_t seconds = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        seconds = seconds * 10 + (uint64_t)(text.ptr[i] - '0');
        if (seconds > VTS_PREFER_WAIT_MAX_S)
            seconds = VTS_PREFER_WAIT_MAX_S;
    }
    if (text.len == 0)
        return false;
    *ret_s = seconds;
    return true;
}

bool vts_prefer_wait(struct vts_str prefer, uint64_t *ret_s)
{
    struct vts_str element;

    while (vts_str_split_quoted(&prefer, ',', &element)) {
        struct vts_str preference;
        struct vts_str name;

        (void)vts_str_split_quoted(&element, ';', &preference); /* an element is never exhausted */
        (void)vts_str_split(&preference, '=', &name);           /* as above */
        if (vts_str_equals_nocase(vts_str_trim(name), "wait"))
            return read_seconds(unquote(vts_str_trim(preference)), ret_s);
    }
    return false;
}
