/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_plain_call.c - a connection without TLS, whichever HTTP its first bytes are. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_conn_run(NULL, bytes, len);
    return 0;
}
