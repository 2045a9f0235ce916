/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_metrics.c - the counters of all loops, summed up and written out.
 *
 * Every method has its series from the start, so that rates begin at zero; of the codes only OK and
 * those that were seen.
 */
#include "server/rpc/rpc_metrics.h"

#include <string.h>

#include "server/obs/metrics.h"
#include "server/rpc/rpc_loop.h"

static const char *const kinds[] = {
    [VTS_RPC_UNARY] = "unary",
    [VTS_RPC_CLIENT_STREAM] = "client_stream",
    [VTS_RPC_SERVER_STREAM] = "server_stream",
    [VTS_RPC_BIDI_STREAM] = "bidi_stream",
};

struct scrape {
    const struct vts_rpc *rpc;
    struct vts_rpc_loop *const *loops;
    size_t loops_count;
    struct vts_buf *buf;
};

/* The sum of the counters that lie `offset` bytes into the counts of a method. */
static unsigned long long sum(const struct scrape *scrape, size_t method, size_t offset)
{
    unsigned long long total = 0;

    for (size_t i = 0; i < scrape->loops_count; i++) {
        const char *counts = (const char *)&scrape->loops[i]->counts[method];

        total += atomic_load_explicit((const _Atomic uint64_t *)(const void *)(counts + offset),
                                      memory_order_relaxed);
    }
    return total;
}

/* "invalid_argument" as "InvalidArgument". */
static void append_code(struct vts_buf *buf, enum vts_rpc_code code)
{
    const char *word = vts_rpc_code_word(code);
    bool is_upper = true;

    if (code == VTS_RPC_OK) {
        vts_buf_append_text(buf, "OK");
        return;
    }
    for (; *word != '\0'; word++) {
        char c = is_upper ? (char)(*word & ~0x20) : *word;

        is_upper = *word == '_';
        if (!is_upper)
            vts_buf_append(buf, &c, 1);
    }
}

/* name{grpc_type="…",grpc_service="…",grpc_method="…" and no closing brace. */
static void append_series(const struct scrape *scrape, const char *name,
                          const struct vts_rpc_method *method)
{
    const char *slash = strrchr(method->path, '/');

    vts_buf_append_format(
        scrape->buf, "%s{grpc_type=\"%s\",grpc_service=\"%.*s\",grpc_method=\"%s\"", name,
        kinds[method->kind], (int)(slash - method->path - 1), method->path + 1, slash + 1);
}

static void write_family(const struct scrape *scrape, const char *name, const char *help,
                         size_t offset)
{
    vts_metrics_write_family(scrape->buf, name, "counter", help);
    for (size_t i = 0; i < scrape->rpc->methods_count; i++) {
        append_series(scrape, name, &scrape->rpc->methods[i]);
        vts_buf_append_format(scrape->buf, "} %llu\n", sum(scrape, i, offset));
    }
}

static void write_handled(const struct scrape *scrape)
{
    static const char name[] = "grpc_server_handled_total";

    vts_metrics_write_family(scrape->buf, name, "counter", "Calls that are over, by their outcome");
    for (size_t i = 0; i < scrape->rpc->methods_count; i++) {
        for (unsigned code = 0; code < VTS_RPC_CODES; code++) {
            unsigned long long total =
                sum(scrape, i, offsetof(struct vts_rpc_counts, handled) + code * sizeof(uint64_t));

            if (total == 0 && code != VTS_RPC_OK)
                continue;
            append_series(scrape, name, &scrape->rpc->methods[i]);
            vts_buf_append_text(scrape->buf, ",grpc_code=\"");
            append_code(scrape->buf, (enum vts_rpc_code)code);
            vts_buf_append_format(scrape->buf, "\"} %llu\n", total);
        }
    }
}

void vts_rpc_write_metrics(const struct vts_rpc *rpc, struct vts_rpc_loop *const loops[],
                           size_t loops_count, struct vts_buf *buf)
{
    const struct scrape scrape = {rpc, loops, loops_count, buf};

    write_family(&scrape, "grpc_server_started_total", "Calls begun",
                 offsetof(struct vts_rpc_counts, started));
    write_handled(&scrape);
    write_family(&scrape, "grpc_server_msg_received_total", "Request messages",
                 offsetof(struct vts_rpc_counts, received));
    write_family(&scrape, "grpc_server_msg_sent_total", "Response messages",
                 offsetof(struct vts_rpc_counts, sent));
}
