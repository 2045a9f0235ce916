/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.c - which headers are an application's, and how their values are written. */
#include "common/wire/metadata.h"

#include "common/wire/accept.h"
#include "common/wire/base64.h"

/* Of the names with a prefix of the protocol, those that an application sees. */
static const char *const visible[] = {"grpc-previous-rpc-attempts", "grpc-retry-pushback-ms"};

/* What HTTP and Connect say about the message or the connection (RFC 9110, RFC 9113 8.2.2). */
static const char *const hidden[] = {
    "accept-encoding", "connection", "content-encoding", "content-length",   "content-type",
    "expect",          "host",       "keep-alive",       "proxy-connection", "te",
    "trailer",         "upgrade",    "transfer-encoding"};

static bool is_listed(struct vts_str name, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (vts_str_equals_text(name, names[i]))
            return true;
    return false;
}

bool vts_metadata_is_reserved(struct vts_str name)
{
    if (vts_str_starts_with(name, "grpc-") || vts_str_starts_with(name, "connect-"))
        return !is_listed(name, visible, VTS_ARRAY_LEN(visible));
    return vts_str_starts_with(name, ":") || is_listed(name, hidden, VTS_ARRAY_LEN(hidden));
}

bool vts_metadata_is_binary(struct vts_str name)
{
    return name.len >= 4 && memcmp(name.ptr + name.len - 4, "-bin", 4) == 0;
}

bool vts_metadata_is_name(struct vts_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
            return false;
    }
    return name.len > 0;
}

bool vts_metadata_is_ascii_value(struct vts_str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < ' ' || value.ptr[i] > '~')
            return false;
    return value.len == 0 || (value.ptr[0] != ' ' && value.ptr[value.len - 1] != ' ');
}

enum vts_err vts_metadata_next_binary(struct vts_str *rest, struct vts_buf *out)
{
    struct vts_str value;

    if (!vts_str_split(rest, ',', &value))
        return VTS_ERR_NOT_FOUND;
    return vts_base64_decode(out, vts_str_trim(value));
}

bool vts_metadata_list_has(struct vts_str list, const char *token)
{
    struct vts_str element;
    struct vts_str name;

    while (vts_str_split_quoted(&list, ',', &element)) {
        if (!vts_str_split(&element, ';', &name))
            continue;
        if (vts_str_equals_nocase(vts_str_trim(name), token) && vts_accept_quality(element) > 0)
            return true;
    }
    return false;
}
