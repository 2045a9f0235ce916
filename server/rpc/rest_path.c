/* SPDX-License-Identifier: Apache-2.0 */
/* rest_path.c - compares raw paths with templates, byte by byte but for the variables.
 *
 * Nothing is decoded before it matched: an encoded "/" never makes a segment. But ":" may come
 * encoded, for some clients encode whatever follows the last "/".
 */
#include "server/rpc/rest_path.h"

/* The length of the name in a variable that text begins with, or 0 when it is none. */
static size_t name_len(const char *text)
{
    size_t len = text[0] == '{' ? strcspn(text + 1, "{}/:") : 0;

    return len > 0 && text[len + 1] == '}' ? len : 0;
}

bool vts_rest_path_is_template(const char *text)
{
    size_t variables = 0;
    const char *at = text;

    if (*at != '/')
        return false;
    while (*at != '\0') {
        size_t len = name_len(at);

        if (*at == '}' || (*at == '{' && len == 0))
            return false;
        if (len == 0) {
            at++;
            continue;
        }
        if (at[-1] != '/' || ++variables > VTS_REST_VARIABLES_MAX)
            return false;
        at += len + 2;
        if (*at != '\0' && *at != '/' && *at != ':')
            return false;
    }
    return true;
}

/* How many bytes of a ":" rest begins with; 0: it does not. */
static size_t colon_len(struct vts_str rest)
{
    if (rest.len > 0 && rest.ptr[0] == ':')
        return 1;
    return vts_str_starts_with(rest, "%3A") || vts_str_starts_with(rest, "%3a") ? 3 : 0;
}

static struct vts_str skip(struct vts_str text, size_t len)
{
    return vts_str_make(text.ptr + len, text.len - len);
}

static size_t value_len(struct vts_str rest)
{
    size_t len = 0;

    while (len < rest.len && rest.ptr[len] != '/' && colon_len(skip(rest, len)) == 0)
        len++;
    return len;
}

/* Adds what a variable stands for at the front of rest; returns how long that is. */
static size_t take_value(struct vts_rest_match *match, struct vts_str field, struct vts_str rest)
{
    size_t len = value_len(rest);

    match->fields[match->count] = field;
    match->values[match->count++] = vts_str_make(rest.ptr, len);
    return len;
}

bool vts_rest_path_matches(const char *template, struct vts_str path,
                           struct vts_rest_match *ret_match)
{
    const char *at = template;
    size_t i = 0;

    ret_match->count = 0;
    while (*at != '\0' && i < path.len) {
        size_t len = name_len(at);
        size_t taken = 1;

        if (len > 0)
            taken = take_value(ret_match, vts_str_make(at + 1, len), skip(path, i));
        else if (*at == ':')
            taken = colon_len(skip(path, i));
        else if (*at != path.ptr[i])
            return false;
        if (taken == 0)
            return false;
        at += len > 0 ? len + 2 : 1;
        i += taken;
    }
    return *at == '\0' && i == path.len;
}
