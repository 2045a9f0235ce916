/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP answer, gathered as it comes in and bounded on every side. */
#ifndef VTS_CLIENT_ANSWER_H
#define VTS_CLIENT_ANSWER_H

#include <stdbool.h>

#include "common/base/buf.h"

enum {
    VTS_ANSWER_MAX_HEADER_BYTES = 64 * 1024,
    VTS_ANSWER_MAX_HEADER_FIELDS = 200,
    VTS_ANSWER_MAX_BODY_BYTES = 1 << 20,
};

struct vts_answer {
    int http_code; /* 0 until the status line came */
    bool is_http2;
    size_t header_bytes;
    unsigned header_fields;
    bool is_header_done;     /* what follows are trailers, which are counted and dropped */
    char etag[128];          /* with its quotes; "" when there was none, or one too long */
    char content_type[64];   /* in lower case, without parameters */
    double retry_after;      /* s; negative when there was none */
    double poll_after;       /* s; the same of a hint that is finer than that */
    double wait_applied;     /* s; negative when the server did not heed the wish for it */
    bool has_content_length; /* then content_length says how long the body must become */
    uint64_t content_length;
    struct vts_buf body;
};

void vts_answer_init(struct vts_answer *answer);
/* The same, with a body of at most max_bytes. */
void vts_answer_init_sized(struct vts_answer *answer, size_t max_bytes);
void vts_answer_fini(struct vts_answer *answer);

/* Takes one line of the header section: the status line, a field, or the empty line at its end.
 * A status line starts the answer anew, since interim ones (1xx) come before the final one; the
 * counts go on, so that they are bounded together. VTS_ERR_LIMIT past either count. */
VTS_MUST_CHECK enum vts_err vts_answer_add_line(struct vts_answer *answer, struct vts_str line);

/* The finer of both hints, when there is one; s, negative without any. */
double vts_answer_hint(const struct vts_answer *answer);

/* VTS_ERR_LIMIT when the body becomes too long, VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_answer_add_body(struct vts_answer *answer, struct vts_str bytes);

/* Whether the header section ended, and the body is as long as content-length promised: libcurl
 * 7.88 takes some answers that were cut off for complete ones. */
bool vts_answer_is_complete(const struct vts_answer *answer);

#endif
