/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_code.c - the tables of rpc_code.def as functions. */
#include "common/wire/rpc_code.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/macros.h"

const char *vts_rpc_code_word(enum vts_rpc_code code)
{
    switch (code) {
#define X(number, name, word, http_code)                                                           \
    case VTS_RPC_##name:                                                                           \
        return word;
#include "common/wire/rpc_code.def"
#undef X
    }
    VTS_UNREACHABLE();
}

int vts_rpc_code_http(enum vts_rpc_code code)
{
    switch (code) {
#define X(number, name, word, http_code)                                                           \
    case VTS_RPC_##name:                                                                           \
        return http_code;
#include "common/wire/rpc_code.def"
#undef X
    }
    VTS_UNREACHABLE();
}

enum vts_rpc_code vts_rpc_code_of_word(const char *word)
{
    static const struct {
        const char *word;
        enum vts_rpc_code code;
    } words[] = {
#define X(number, name, word, http_code) {word, VTS_RPC_##name},
#include "common/wire/rpc_code.def"
#undef X
    };

    for (size_t i = 1; i < VTS_ARRAY_LEN(words); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].code;
    return VTS_RPC_UNKNOWN;
}

enum vts_rpc_code vts_rpc_code_of_http(int http_code)
{
    switch (http_code) {
    case 400:
    case 431:
        return VTS_RPC_INTERNAL;
    case 401:
        return VTS_RPC_UNAUTHENTICATED;
    case 403:
        return VTS_RPC_PERMISSION_DENIED;
    case 404:
        return VTS_RPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return VTS_RPC_UNAVAILABLE;
    default:
        return VTS_RPC_UNKNOWN;
    }
}
