/* SPDX-License-Identifier: Apache-2.0 */
/* test_identities.c - connections of one name share a count, and leave nothing behind. */
#include <pthread.h>
#include <stdio.h>

#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/guard/identities.h"
#include "tests/support/suite.h"

static struct vts_identities *make(void)
{
    struct vts_identities *identities = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_identities_new(&identities), VTS_OK);
    return identities;
}

static struct vts_identity *enter(struct vts_identities *identities, const char *name)
{
    struct vts_identity *identity = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_identities_enter(identities, name, &identity), VTS_OK);
    CU_ASSERT_STRING_EQUAL(vts_identity_name(identity), name);
    return identity;
}

static void connections_of_one_name_share_what_they_hold(void)
{
    struct vts_identities *identities = make();
    struct vts_identity *first = enter(identities, "dns:a");
    struct vts_identity *second = enter(identities, "dns:a");
    struct vts_identity *other = enter(identities, "dns:b");

    CU_ASSERT(vts_identity_hold(first, 2));
    CU_ASSERT(vts_identity_hold(second, 2));
    CU_ASSERT_FALSE(vts_identity_hold(first, 2));
    CU_ASSERT(vts_identity_hold(other, 2));
    vts_identity_let_go(second);
    CU_ASSERT(vts_identity_hold(first, 2));
    vts_identity_let_go(first);
    vts_identity_let_go(first);
    vts_identity_let_go(other);
    vts_identities_leave(identities, other);
    vts_identities_leave(identities, second);
    vts_identities_leave(identities, first);
    vts_identities_leave(identities, NULL);
    vts_identities_free(identities);
}

static void many_names_are_told_apart(void)
{
    enum { NAMES = 1000 };
    static struct vts_identity *all[NAMES];
    struct vts_identities *identities = make();
    char name[32];

    for (int i = 0; i < NAMES; i++) {
        (void)snprintf(name, sizeof(name), "dns:%d", i);
        all[i] = enter(identities, name);
        CU_ASSERT(vts_identity_hold(all[i], 1));
    }
    for (int i = 0; i < NAMES; i++) {
        (void)snprintf(name, sizeof(name), "dns:%d", i);
        CU_ASSERT_PTR_EQUAL(enter(identities, name), all[i]);
        vts_identities_leave(identities, all[i]);
        vts_identity_let_go(all[i]);
        vts_identities_leave(identities, all[i]);
    }
    vts_identities_free(identities);
}

static void entering_without_memory_fails_and_harms_nothing(void)
{
    struct vts_identities *identities = make();
    struct vts_identity *identity = NULL;
    int failures = 0;

    for (long count = 0;; count++) {
        enum vts_err err;

        (void)vts_mem_fail_after(count);
        err = vts_identities_enter(identities, "dns:a", &identity);
        if (!vts_mem_fail_after(-1)) {
            CU_ASSERT_EQUAL(err, VTS_OK);
            break;
        }
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
        failures++;
    }
    CU_ASSERT(failures >= 2);
    vts_identities_leave(identities, identity);
    vts_identities_free(identities);
}

enum { THREADS = 4, ROUNDS = 2000, MAX = 3 };

static void *come_and_go(void *context)
{
    struct vts_identities *identities = context;

    for (int i = 0; i < ROUNDS; i++) {
        struct vts_identity *identity = enter(identities, "dns:a");

        if (vts_identity_hold(identity, MAX))
            vts_identity_let_go(identity);
        vts_identities_leave(identities, identity);
    }
    return NULL;
}

static void threads_come_and_go(void)
{
    struct vts_identities *identities = make();
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, come_and_go, identities), 0);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_join(threads[i], NULL), 0);
    vts_identities_free(identities); /* which insists that all have left */
}

static const struct vts_test tests[] = {
    {"connections_of_one_name_share_what_they_hold", connections_of_one_name_share_what_they_hold},
    {"many_names_are_told_apart", many_names_are_told_apart},
    {"entering_without_memory_fails_and_harms_nothing",
     entering_without_memory_fails_and_harms_nothing},
    {"threads_come_and_go", threads_come_and_go},
};

int main(void)
{
    return vts_test_run("test_identities", tests, VTS_ARRAY_LEN(tests));
}
