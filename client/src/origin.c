/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - the part of a URL that names a server, and no more: a user name, a path or a query
 * would not be used, so they are refused rather than dropped. */
#include "client/src/origin.h"

#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

enum { MAX_JOB_ID_LEN = 128, HTTPS_PORT = 443, HTTP_PORT = 80 };

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_made_of(struct vts_str text, const char *others)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.ptr[i]) && (text.ptr[i] == '\0' || !strchr(others, text.ptr[i])))
            return false;
    return text.len > 0;
}

/* 127.0.0.0/8 in its usual form; no name may start like it, as "127.example.com" does. */
static bool is_loopback_v4(struct vts_str host)
{
    struct vts_str part;
    uint64_t number;
    unsigned count = 0;

    while (vts_str_split(&host, '.', &part)) {
        if (part.len > 3 || vts_str_to_u64(part, 255, &number) != VTS_OK)
            return false;
        if (count++ == 0 && number != 127)
            return false;
    }
    return count == 4;
}

static enum vts_err take_scheme(struct vts_str *rest, struct vts_origin *origin)
{
    struct vts_str scheme = vts_str_make(rest->ptr, rest->len < 8 ? rest->len : 8);

    if (vts_str_equals_nocase(scheme, "https://")) {
        origin->is_tls = true;
        origin->port = HTTPS_PORT;
    } else {
        scheme.len = scheme.len < 7 ? scheme.len : 7;
        if (!vts_str_equals_nocase(scheme, "http://"))
            return VTS_ERR_INVALID;
        origin->port = HTTP_PORT;
    }
    *rest = vts_str_make(rest->ptr + scheme.len, rest->len - scheme.len);
    return VTS_OK;
}

/* Splits "HOST[:PORT]"; *ret_host has the brackets of an IPv6 address no more. */
static enum vts_err split_authority(struct vts_str authority, struct vts_str *ret_host,
                                    struct vts_str *ret_port)
{
    bool is_v6 = vts_str_starts_with(authority, "[");
    struct vts_str rest = authority;

    if (is_v6)
        rest = vts_str_make(authority.ptr + 1, authority.len - 1);
    if (!vts_str_split(&rest, is_v6 ? ']' : ':', ret_host))
        return VTS_ERR_INVALID;
    if (is_v6 && rest.ptr == NULL)
        return VTS_ERR_INVALID;
    if (is_v6 && rest.len > 0) {
        if (rest.ptr[0] != ':')
            return VTS_ERR_INVALID;
        rest = vts_str_make(rest.ptr + 1, rest.len - 1);
    } else if (is_v6) {
        rest.ptr = NULL;
    }
    *ret_port = rest;
    return is_made_of(*ret_host, is_v6 ? ":." : ".-_") ? VTS_OK : VTS_ERR_INVALID;
}

static enum vts_err take_authority(struct vts_str authority, struct vts_origin *origin)
{
    struct vts_str host;
    struct vts_str port;
    uint64_t number = origin->port;

    if (split_authority(authority, &host, &port) != VTS_OK || host.len >= sizeof(origin->host))
        return VTS_ERR_INVALID;
    if (port.ptr != NULL && (vts_str_to_u64(port, 65535, &number) != VTS_OK || number == 0))
        return VTS_ERR_INVALID;
    memcpy(origin->host, host.ptr, host.len);
    origin->host[host.len] = '\0';
    origin->port = (unsigned)number;
    origin->is_loopback = vts_str_equals_nocase(host, "localhost") || is_loopback_v4(host) ||
                          vts_str_equals_text(host, "::1");
    return VTS_OK;
}

static void write_text(struct vts_origin *origin)
{
    bool is_v6 = strchr(origin->host, ':') != NULL;

    (void)snprintf(origin->text, sizeof(origin->text), "%s://%s%s%s:%u",
                   origin->is_tls ? "https" : "http", is_v6 ? "[" : "", origin->host,
                   is_v6 ? "]" : "", origin->port);
}

enum vts_err vts_origin_parse(const char *url, struct vts_origin *ret_origin,
                              struct vts_error *error)
{
    struct vts_origin origin = {0};
    struct vts_str rest = vts_str_of(url);

    if (take_scheme(&rest, &origin) != VTS_OK)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "the URL must start with https://, not be '%s'", url);
    if (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    if (take_authority(rest, &origin) != VTS_OK)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "the URL must be of the form https://HOST[:PORT], not '%s'", url);
    if (!origin.is_tls && !origin.is_loopback)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "http:// has no encryption and is for this machine only, not for "
                             "'%s'; use https://",
                             url);
    write_text(&origin);
    *ret_origin = origin;
    return VTS_OK;
}

bool vts_job_id_is_valid(const char *job_id)
{
    struct vts_str id = vts_str_of(job_id);

    return id.len <= MAX_JOB_ID_LEN && is_made_of(id, "._~-");
}
