/* SPDX-License-Identifier: Apache-2.0 */
/* failure.c - error codes, their names, and texts that are safe to print. */
#include "client/src/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"

const char *vts_client_code_name(enum vts_client_code code)
{
    switch (code) {
    case VTS_CLIENT_OK:
        return "ok";
    case VTS_CLIENT_USAGE:
        return "usage";
    case VTS_CLIENT_NO_MEMORY:
        return "no_memory";
    case VTS_CLIENT_CANCELLED:
        return "cancelled";
    case VTS_CLIENT_RESOLVE:
        return "resolve";
    case VTS_CLIENT_CONNECT:
        return "connect";
    case VTS_CLIENT_TLS:
        return "tls";
    case VTS_CLIENT_TIMEOUT:
        return "timeout";
    case VTS_CLIENT_NOT_FOUND:
        return "not_found";
    case VTS_CLIENT_DENIED:
        return "denied";
    case VTS_CLIENT_UNAVAILABLE:
        return "unavailable";
    case VTS_CLIENT_REFUSED:
        return "refused";
    case VTS_CLIENT_UNDECODABLE:
        return "undecodable";
    case VTS_CLIENT_GAVE_UP:
        return "gave_up";
    case VTS_CLIENT_CONFLICT:
        return "conflict";
    case VTS_CLIENT_LEASE_LOST:
        return "lease_lost";
    }
    /* The number comes from the caller, who may hold one of a newer library. */
    return "unknown";
}

static void clean(char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len;) {
        uint32_t code_point;
        size_t step = vts_utf8_decode(text + i, len - i, &code_point);

        if (step > 0 && !vts_utf8_is_control(code_point)) {
            i += step;
            continue;
        }
        /* One '?' for each byte keeps the length, so that this works in place. */
        memset(text + i, '?', step > 0 ? step : 1);
        i += step > 0 ? step : 1;
    }
}

/* The field's size may have cut a character in two. */
static void drop_cut_character(char *text)
{
    size_t len = strlen(text);
    size_t start = len;
    uint32_t code_point;

    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && vts_utf8_decode(text + start - 1, len - start + 1, &code_point) == 0)
        text[start - 1] = '\0';
}

enum vts_client_code vts_failure_set(struct vts_client_error *error, enum vts_client_code code,
                                     const char *fmt, ...)
{
    va_list args;
    int len;

    if (error == NULL)
        return code;
    error->code = code;
    va_start(args, fmt);
    len = vsnprintf(error->text, sizeof(error->text), fmt, args);
    va_end(args);
    if (len < 0)
        error->text[0] = '\0';
    if (len >= (int)sizeof(error->text))
        drop_cut_character(error->text);
    clean(error->text);
    return code;
}

void vts_failure_clear(struct vts_client_error *error)
{
    if (error == NULL)
        return;
    error->code = VTS_CLIENT_OK;
    error->http_code = 0;
    error->text[0] = '\0';
    error->rpc_code = 0;
    error->reason[0] = '\0';
}

bool vts_failure_may_pass(const struct vts_client_error *error)
{
    switch (error->code) {
    case VTS_CLIENT_RESOLVE:
    case VTS_CLIENT_CONNECT:
    case VTS_CLIENT_TIMEOUT:
    case VTS_CLIENT_UNAVAILABLE:
    case VTS_CLIENT_UNDECODABLE:
        return true;
    case VTS_CLIENT_REFUSED:
        return error->http_code >= 500;
    case VTS_CLIENT_OK:
    case VTS_CLIENT_USAGE:
    case VTS_CLIENT_NO_MEMORY:
    case VTS_CLIENT_CANCELLED:
    case VTS_CLIENT_TLS:
    case VTS_CLIENT_NOT_FOUND:
    case VTS_CLIENT_DENIED:
    case VTS_CLIENT_GAVE_UP:
    case VTS_CLIENT_CONFLICT:
    case VTS_CLIENT_LEASE_LOST:
        return false;
    }
    return false;
}
