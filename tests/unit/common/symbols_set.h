/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of symbols.proto and of all it imports, serialized; made in the build tree. */
#ifndef VTS_TESTS_SYMBOLS_SET_H
#define VTS_TESTS_SYMBOLS_SET_H

#include <stddef.h>

extern const unsigned char symbols_set[];
extern const size_t symbols_set_len;

#endif
