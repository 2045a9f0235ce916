/* SPDX-License-Identifier: Apache-2.0 */
/* rest_path.c - compares raw paths with templates, byte by byte but for the variables.
 *
 * Nothing is decoded before it matched: an encoded "/" never makes a segment.
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

static size_t value_len(struct vts_str rest)
{
    size_t len = 0;

    while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != ':')
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
            taken = take_value(ret_match, vts_str_make(at + 1, len),
                               vts_str_make(path.ptr + i, path.len - i));
        else if (*at != path.ptr[i])
            return false;
        if (taken == 0)
            return false;
        at += len > 0 ? len + 2 : 1;
        i += taken;
    }
    return *at == '\0' && i == path.len;
}
