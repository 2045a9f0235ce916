/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target has: one function, which libFuzzer or fuzz_corpus.c calls. */
#ifndef VTS_TESTS_FUZZ_H
#define VTS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Aborts when the bytes bring out a fault; otherwise 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
