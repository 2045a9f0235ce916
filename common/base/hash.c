/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c - SipHash-2-4 (Aumasson, Bernstein: SipHash, a fast short-input PRF, 2012). */
#include "common/base/hash.h"

#include <endian.h>
#include <string.h>

#include "common/base/rng.h"

struct state {
    uint64_t a;
    uint64_t b;
    uint64_t c;
    uint64_t d;
};

struct vts_hash_key vts_hash_key_from_system(void)
{
    return (struct vts_hash_key){{vts_rng_seed_from_system(), vts_rng_seed_from_system()}};
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void mix(struct state *s)
{
    s->a += s->b;
    s->b = rotate(s->b, 13) ^ s->a;
    s->a = rotate(s->a, 32);
    s->c += s->d;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a += s->d;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c += s->b;
    s->b = rotate(s->b, 17) ^ s->c;
    s->c = rotate(s->c, 32);
}

/* Up to eight bytes, the first one lowest. */
static uint64_t load_word(const char *bytes, size_t len)
{
    uint64_t word = 0;

    if (len > 0)
        memcpy(&word, bytes, len);
    return le64toh(word);
}

static void take(struct state *s, uint64_t word)
{
    s->d ^= word;
    mix(s);
    mix(s);
    s->a ^= word;
}

uint64_t vts_hash(const struct vts_hash_key *key, struct vts_str bytes)
{
    struct state s = {
        key->words[0] ^ UINT64_C(0x736f6d6570736575), key->words[1] ^ UINT64_C(0x646f72616e646f6d),
        key->words[0] ^ UINT64_C(0x6c7967656e657261), key->words[1] ^ UINT64_C(0x7465646279746573)};
    size_t at = 0;

    for (; bytes.len - at >= 8; at += 8)
        take(&s, load_word(bytes.ptr + at, 8));
    take(&s, load_word(bytes.ptr + at, bytes.len - at) | (uint64_t)bytes.len << 56);
    s.c ^= 0xff;
    for (int round = 0; round < 4; round++)
        mix(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}
