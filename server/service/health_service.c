/* SPDX-License-Identifier: Apache-2.0 */
/* health_service.c - two words for supervisors and load balancers. */
#include "server/service/health_service.h"

#include "server/rpc/dialect_rest.h"

static void send_word(struct vts_exchange *exchange, int code, const char *word)
{
    vts_rest_send_text(exchange, code, "text/plain; charset=utf-8", vts_str_of(word), NULL, NULL);
}

void vts_health_service_live(void *health, struct vts_exchange *exchange)
{
    (void)health;
    send_word(exchange, 200, "ok\n");
}

void vts_health_service_ready(void *health, struct vts_exchange *exchange)
{
    const struct vts_health *state = health;

    if (atomic_load(&state->is_serving))
        send_word(exchange, 200, "ready\n");
    else
        send_word(exchange, 503, "stopping\n");
}
