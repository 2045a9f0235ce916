/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_h1_call.c - an HTTP/1.1 connection, and the calls that come of it. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_conn_run("http/1.1", bytes, len);
    return 0;
}
