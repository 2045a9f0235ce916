/* SPDX-License-Identifier: Apache-2.0 */
/* timeout.c - the two ways callers write how long they wait. */
#include "common/wire/timeout.h"

#include <stdio.h>

#include "common/base/clock.h"

enum { GRPC_DIGITS_MAX = 8, CONNECT_DIGITS_MAX = 10 };

static const uint64_t grpc_value_max = 99999999;

/* From the finest unit to the coarsest. */
static const struct unit {
    char letter;
    int64_t ns;
} units[] = {
    {'n', 1},
    {'u', 1000},
    {'m', VTS_NS_PER_MS},
    {'S', VTS_NS_PER_S},
    {'M', (int64_t)60 * VTS_NS_PER_S},
    {'H', (int64_t)3600 * VTS_NS_PER_S},
};

static int64_t multiply(uint64_t count, int64_t ns)
{
    return count > (uint64_t)(INT64_MAX / ns) ? INT64_MAX : (int64_t)count * ns;
}

enum vts_err vts_timeout_parse_grpc(struct vts_str text, int64_t *ret_ns)
{
    uint64_t count;

    if (text.len < 2 || text.len > GRPC_DIGITS_MAX + 1 ||
        vts_str_to_u64(vts_str_make(text.ptr, text.len - 1), grpc_value_max, &count) != VTS_OK)
        return VTS_ERR_PROTOCOL;
    for (size_t i = 0; i < VTS_ARRAY_LEN(units); i++) {
        if (units[i].letter != text.ptr[text.len - 1])
            continue;
        *ret_ns = multiply(count, units[i].ns);
        return VTS_OK;
    }
    return VTS_ERR_PROTOCOL;
}

enum vts_err vts_timeout_parse_connect(struct vts_str text, int64_t *ret_ns)
{
    uint64_t ms;

    if (text.len > CONNECT_DIGITS_MAX || vts_str_to_u64(text, UINT64_MAX, &ms) != VTS_OK)
        return VTS_ERR_PROTOCOL;
    *ret_ns = multiply(ms, VTS_NS_PER_MS);
    return VTS_OK;
}

void vts_timeout_format_grpc(int64_t timeout_ns, char ret_text[VTS_TIMEOUT_TEXT_BYTES])
{
    uint64_t ns = timeout_ns > 0 ? (uint64_t)timeout_ns : 0;

    for (size_t i = 0; i < VTS_ARRAY_LEN(units); i++) {
        uint64_t unit_ns = (uint64_t)units[i].ns;
        uint64_t count = ns / unit_ns + (ns % unit_ns != 0);

        if (count > grpc_value_max)
            continue; /* hours always fit: INT64_MAX ns is under three million */
        (void)snprintf(ret_text, VTS_TIMEOUT_TEXT_BYTES, "%u%c", (unsigned)count, units[i].letter);
        return;
    }
}
