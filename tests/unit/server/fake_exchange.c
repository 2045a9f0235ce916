/* SPDX-License-Identifier: Apache-2.0 */
/* fake_exchange.c - copies the body when it is sent, as a connection would. */
#include "tests/unit/server/fake_exchange.h"

#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"

static void send_response(struct vts_exchange *exchange)
{
    struct fake_exchange *fake = VTS_CONTAINER_OF(exchange, struct fake_exchange, exchange);
    const struct vts_response *response = &exchange->response;

    fake->sent_count++;
    fake->body_len = vts_response_body_len(response);
    VTS_ASSERT(fake->body_len < FAKE_BODY_MAX_BYTES);
    if (response->body.len > 0)
        memcpy(fake->body, response->body.ptr, response->body.len);
    memcpy(fake->body + response->body.len, response->tail, response->tail_len);
    fake->body[fake->body_len] = '\0';
}

static const struct vts_exchange_ops fake_ops = {.send = send_response};

void fake_exchange_init(struct fake_exchange *fake, enum vts_method method, const char *target)
{
    fake->sent_count = 0;
    fake->body_len = 0;
    fake->body[0] = '\0';
    vts_exchange_init(&fake->exchange, &fake_ops, &fake->head);
    fake->exchange.request.method = method;
    vts_request_set_target(&fake->exchange.request, vts_str_of(target));
}

void fake_exchange_set(struct fake_exchange *fake, enum vts_field field, const char *value)
{
    fake->exchange.request.fields[field] = vts_str_of(value);
}

void fake_exchange_fini(struct fake_exchange *fake)
{
    vts_exchange_fini(&fake->exchange);
}

const char *fake_exchange_field(struct fake_exchange *fake, const char *name)
{
    const struct vts_response *response = &fake->exchange.response;
    unsigned count = 0;

    (void)snprintf(fake->field, sizeof(fake->field), "(none)");
    for (size_t i = 0; i < response->headers_count; i++) {
        const struct vts_header *header = &response->headers[i];

        if (!vts_str_equals_text(header->name, name))
            continue;
        (void)snprintf(fake->field, sizeof(fake->field), "%.*s", (int)header->value.len,
                       header->value.ptr);
        if (count > 0)
            (void)snprintf(fake->field, sizeof(fake->field), "(many)");
        count++;
    }
    return fake->field;
}
