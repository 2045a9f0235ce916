/* SPDX-License-Identifier: Apache-2.0 */
/* test_hash.c - SipHash-2-4 against its authors' vectors, and what the key is for. */
#include <CUnit/CUnit.h>

#include "common/base/hash.h"
#include "tests/support/suite.h"

/* The key 00 01 .. 0f of the paper's appendix A. */
static const struct vts_hash_key paper_key = {
    {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};

static void hash_gives_the_vectors_of_its_authors(void)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},
                   {1, UINT64_C(0x74f839c593dc67fd)},
                   {8, UINT64_C(0x93f5f5799a932462)},
                   {15, UINT64_C(0xa129ca6149be45e5)}};
    char bytes[16];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < VTS_ARRAY_LEN(vectors); i++)
        CU_ASSERT_EQUAL(vts_hash(&paper_key, vts_str_make(bytes, vectors[i].len)), vectors[i].hash);
}

static void hash_depends_on_key_and_text(void)
{
    const struct vts_hash_key other_key = {{1, 2}};
    uint64_t hash = vts_hash(&paper_key, vts_str_of("job"));

    CU_ASSERT_EQUAL(hash, vts_hash(&paper_key, vts_str_of("job")));
    CU_ASSERT_NOT_EQUAL(hash, vts_hash(&other_key, vts_str_of("job")));
    CU_ASSERT_NOT_EQUAL(hash, vts_hash(&paper_key, vts_str_of("joc")));
    CU_ASSERT_NOT_EQUAL(hash, vts_hash(&paper_key, vts_str_make("job", 4)));
}

static void keys_from_the_system_differ(void)
{
    struct vts_hash_key a = vts_hash_key_from_system();
    struct vts_hash_key b = vts_hash_key_from_system();

    CU_ASSERT_NOT_EQUAL(vts_hash(&a, vts_str_of("")), vts_hash(&b, vts_str_of("")));
}

static const struct vts_test tests[] = {
    {"hash_gives_the_vectors_of_its_authors", hash_gives_the_vectors_of_its_authors},
    {"hash_depends_on_key_and_text", hash_depends_on_key_and_text},
    {"keys_from_the_system_differ", keys_from_the_system_differ},
};

int main(void)
{
    return vts_test_run("test_hash", tests, VTS_ARRAY_LEN(tests));
}
