/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4: a hash of bytes that nobody can steer who does not know its key. For tables whose
 * keys peers choose; without a secret key, for telling texts apart. Callable from any thread. */
#ifndef VTS_BASE_HASH_H
#define VTS_BASE_HASH_H

#include <stdint.h>

#include "common/base/str.h"

struct vts_hash_key {
    uint64_t words[2];
};

/* A key that differs from run to run. */
struct vts_hash_key vts_hash_key_from_system(void);
uint64_t vts_hash(const struct vts_hash_key *key, struct vts_str bytes);

#endif
