/* SPDX-License-Identifier: Apache-2.0 */
/* The seventeen outcomes of a call and how each protocol writes them. */
#ifndef VTS_WIRE_RPC_CODE_H
#define VTS_WIRE_RPC_CODE_H

enum vts_rpc_code {
#define X(number, name, word, http_code) VTS_RPC_##name = number,
#include "common/wire/rpc_code.def"
#undef X
};

/* The word of Connect and of REST error bodies, such as "not_found". */
const char *vts_rpc_code_word(enum vts_rpc_code code);
/* The HTTP status that REST and Connect answer with. */
int vts_rpc_code_http(enum vts_rpc_code code);
/* The code of a word that an error may have, which "ok" is not; VTS_RPC_UNKNOWN for all others. */
enum vts_rpc_code vts_rpc_code_of_word(const char *word);
/* What a client makes of an answer without an error it can read
 * (https://connectrpc.com/docs/protocol/#http-to-error-code). */
enum vts_rpc_code vts_rpc_code_of_http(int http_code);

#endif
