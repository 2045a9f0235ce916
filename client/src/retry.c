/* SPDX-License-Identifier: Apache-2.0 */
/* retry.c - which failures are tried again, and how many. */
#include "client/src/retry.h"

static void add(struct vts_retry_budget *budget, int tenths)
{
    int spent = atomic_load(&budget->spent_tenths);
    int sum;

    do {
        sum = spent + tenths;
        sum = sum < 0 ? 0 : sum > VTS_RETRY_MAX_TENTHS ? VTS_RETRY_MAX_TENTHS : sum;
    } while (!atomic_compare_exchange_weak(&budget->spent_tenths, &spent, sum));
}

void vts_retry_note_success(struct vts_retry_budget *budget)
{
    add(budget, -VTS_RETRY_SUCCESS_TENTHS);
}

void vts_retry_note_failure(struct vts_retry_budget *budget)
{
    add(budget, VTS_RETRY_FAILURE_TENTHS);
}

bool vts_retry_has_room(const struct vts_retry_budget *budget)
{
    return atomic_load(&budget->spent_tenths) < VTS_RETRY_MAX_TENTHS / 2;
}

bool vts_retry_may_pass(enum vts_client_code code, bool is_repeatable)
{
    /* A timeout has used up the time there was; the rest is an answer. */
    return is_repeatable && (code == VTS_CLIENT_CONNECT || code == VTS_CLIENT_UNAVAILABLE);
}
