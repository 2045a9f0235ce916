/* SPDX-License-Identifier: Apache-2.0 */
/* An exchange without HTTP, which remembers what it was told to send. */
#ifndef VTS_TESTS_FAKE_EXCHANGE_H
#define VTS_TESTS_FAKE_EXCHANGE_H

#include "server/http/exchange.h"

enum { FAKE_BODY_MAX_BYTES = 64 * 1024, FAKE_FIELD_MAX_BYTES = 128 };

struct fake_exchange {
    struct vts_exchange_head head;
    struct vts_exchange exchange; /* its response stays readable until fake_exchange_fini() */
    unsigned sent_count;
    size_t body_len;
    char body[FAKE_BODY_MAX_BYTES]; /* as a client would get it; ends in a NUL */
    char field[FAKE_FIELD_MAX_BYTES];
};

/* A GET of the target, a literal, unless method is another one. */
void fake_exchange_init(struct fake_exchange *fake, enum vts_method method, const char *target);
/* Sets a request field to a literal. */
void fake_exchange_set(struct fake_exchange *fake, enum vts_field field, const char *value);
void fake_exchange_fini(struct fake_exchange *fake);
/* The response field's value, valid until the next call; "(none)" without it, "(many)" when it
 * came more than once. */
const char *fake_exchange_field(struct fake_exchange *fake, const char *name);

#endif
