/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics.c - counting in one thread, reading in another, and the text for Prometheus. */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "server/obs/metrics.h"
#include "tests/support/suite.h"

enum { METRICS_MAX_BYTES = 64 * 1024, ROUNDS = 100000 };

static const struct row {
    const char *metric;
    const char *help;
} rows[] = {
#define X(name, metric, help) {metric, help},
#include "server/obs/metrics.def"
#undef X
};

static void add_counts_each_metric_by_itself(void)
{
    struct vts_metrics metrics = {0};
    uint64_t sums[VTS_METRIC_COUNT] = {0};

    for (int i = 0; i < VTS_METRIC_COUNT; i++)
        vts_metrics_add(&metrics, (enum vts_metric)i, (uint64_t)i);
    vts_metrics_add(&metrics, VTS_METRIC_BYTES_IN, UINT64_C(1) << 40);
    vts_metrics_sum(&metrics, sums);
    for (int i = 0; i < VTS_METRIC_COUNT; i++)
        CU_ASSERT_EQUAL(sums[i], (uint64_t)i + (i == VTS_METRIC_BYTES_IN ? UINT64_C(1) << 40 : 0));
}

static void sum_adds_up_several_threads(void)
{
    struct vts_metrics a = {0};
    struct vts_metrics b = {0};
    uint64_t sums[VTS_METRIC_COUNT] = {0};

    vts_metrics_add(&a, VTS_METRIC_REQUESTS, 3);
    vts_metrics_add(&b, VTS_METRIC_REQUESTS, 4);
    vts_metrics_sum(&a, sums);
    vts_metrics_sum(&b, sums);
    CU_ASSERT_EQUAL(sums[VTS_METRIC_REQUESTS], 7);
    CU_ASSERT_EQUAL(sums[VTS_METRIC_CONNECTIONS], 0);
}

static void *count_requests(void *metrics)
{
    for (int i = 0; i < ROUNDS; i++)
        vts_metrics_add(metrics, VTS_METRIC_REQUESTS, 1);
    return NULL;
}

static void sum_while_another_thread_counts_only_rises(void)
{
    struct vts_metrics metrics = {0};
    uint64_t last = 0;
    pthread_t thread;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, count_requests, &metrics), 0);
    while (last < ROUNDS) {
        uint64_t sums[VTS_METRIC_COUNT] = {0};

        vts_metrics_sum(&metrics, sums);
        CU_ASSERT_FATAL(sums[VTS_METRIC_REQUESTS] >= last);
        last = sums[VTS_METRIC_REQUESTS];
    }
    CU_ASSERT_EQUAL_FATAL(pthread_join(thread, NULL), 0);
    CU_ASSERT_EQUAL(last, ROUNDS);
}

static void write_gives_help_type_and_value_of_each(void)
{
    uint64_t sums[VTS_METRIC_COUNT];
    struct vts_buf buf;

    for (int i = 0; i < VTS_METRIC_COUNT; i++)
        sums[i] = i == 0 ? UINT64_MAX : (uint64_t)i;
    vts_buf_init(&buf, METRICS_MAX_BYTES);
    vts_metrics_write(&buf, sums);
    vts_buf_append(&buf, "", 1);
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(&buf), VTS_OK);
    for (int i = 0; i < VTS_METRIC_COUNT; i++) {
        char lines[512];

        (void)snprintf(lines, sizeof(lines), "# HELP %s %s\n# TYPE %s counter\n%s %llu\n",
                       rows[i].metric, rows[i].help, rows[i].metric, rows[i].metric,
                       (unsigned long long)sums[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf.ptr, lines));
    }
    vts_buf_fini(&buf);
}

static const struct vts_test tests[] = {
    {"add_counts_each_metric_by_itself", add_counts_each_metric_by_itself},
    {"sum_adds_up_several_threads", sum_adds_up_several_threads},
    {"sum_while_another_thread_counts_only_rises", sum_while_another_thread_counts_only_rises},
    {"write_gives_help_type_and_value_of_each", write_gives_help_type_and_value_of_each},
};

int main(void)
{
    return vts_test_run("test_metrics", tests, VTS_ARRAY_LEN(tests));
}
