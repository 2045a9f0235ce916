/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_code.c - the tables of rpc_code.def as functions. */
#include "common/wire/rpc_code.h"

#include "common/base/assert.h"

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
