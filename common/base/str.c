/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - comparing and cutting borrowed text. */
#include "common/base/str.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool vts_str_equals_nocase(struct vts_str a, const char *text)
{
    if (a.len != strlen(text))
        return false;
    if (a.len == 0 || memcmp(a.ptr, text, a.len) == 0)
        return true; /* most texts come in the usual case */
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(text[i]))
            return false;
    return true;
}

bool vts_str_starts_with(struct vts_str a, const char *prefix)
{
    size_t len = strlen(prefix);

    return a.len >= len && memcmp(a.ptr, prefix, len) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct vts_str vts_str_trim(struct vts_str a)
{
    while (a.len > 0 && is_blank(a.ptr[0])) {
        a.ptr++;
        a.len--;
    }
    while (a.len > 0 && is_blank(a.ptr[a.len - 1]))
        a.len--;
    return a;
}

/* Cuts *rest at `at`, which is the separator's place or the length when there is none. */
static bool cut(struct vts_str *rest, size_t at, struct vts_str *ret_part)
{
    *ret_part = vts_str_make(rest->ptr, at);
    if (at == rest->len)
        *rest = vts_str_make(NULL, 0);
    else
        *rest = vts_str_make(rest->ptr + at + 1, rest->len - at - 1);
    return true;
}

bool vts_str_split(struct vts_str *rest, char separator, struct vts_str *ret_part)
{
    const char *found;

    if (rest->ptr == NULL)
        return false;
    found = rest->len == 0 ? NULL : memchr(rest->ptr, separator, rest->len);
    return cut(rest, found == NULL ? rest->len : (size_t)(found - rest->ptr), ret_part);
}

bool vts_str_split_quoted(struct vts_str *rest, char separator, struct vts_str *ret_part)
{
    bool is_quoted = false;
    size_t i;

    if (rest->ptr == NULL)
        return false;
    /* Quotes are rare, and memchr is much faster than what follows. */
    if (rest->len == 0 || memchr(rest->ptr, '"', rest->len) == NULL)
        return vts_str_split(rest, separator, ret_part);
    for (i = 0; i < rest->len; i++) {
        char c = rest->ptr[i];

        if (is_quoted && c == '\\' && i + 1 < rest->len)
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (c == separator && !is_quoted)
            break;
    }
    return cut(rest, i < rest->len ? i : rest->len, ret_part);
}

size_t vts_str_copy_pieces(const struct vts_str pieces[], size_t count, size_t skip, char *out,
                           size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        size_t passed = skip < pieces[i].len ? skip : pieces[i].len;
        size_t left = pieces[i].len - passed;
        size_t part = left < cap - len ? left : cap - len;

        skip -= passed;
        if (part > 0)
            memcpy(out + len, pieces[i].ptr + passed, part);
        len += part;
    }
    return len;
}

size_t vts_str_write_u64(char out[VTS_STR_U64_DIGITS], uint64_t value)
{
    size_t len = 1;

    for (uint64_t rest = value; rest >= 10; rest /= 10)
        len++;
    for (size_t at = len; at-- > 0; value /= 10)
        out[at] = (char)('0' + value % 10);
    return len;
}

enum vts_err vts_str_to_u64(struct vts_str a, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (a.len == 0)
        return VTS_ERR_INVALID;
    for (size_t i = 0; i < a.len; i++) {
        uint64_t digit = (uint64_t)(unsigned char)a.ptr[i] - '0';

        if (digit > 9 || digit > max || value > (max - digit) / 10)
            return VTS_ERR_INVALID;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return VTS_OK;
}
