/* SPDX-License-Identifier: Apache-2.0 */
/* health_service.c - two words for supervisors and load balancers. */
#include "server/service/health_service.h"

static void send_word(struct vts_exchange *exchange, int code, const char *word)
{
    struct vts_response *response = &exchange->response;

    response->code = code;
    vts_response_add_text(response, "content-type", "text/plain; charset=utf-8");
    vts_response_add_text(response, "cache-control", "no-store");
    response->body = vts_str_of(word);
    vts_exchange_send(exchange);
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
