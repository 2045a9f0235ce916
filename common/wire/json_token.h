/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text (RFC 8259) as a flat list of its values. For json_*.c only.
 *
 * The whole text is checked before anything is made of it: syntax, UTF-8, surrogates, duplicate
 * keys, depth and count. A token knows where its value ends, so that a reader can skip or come
 * back without reading again. */
#ifndef VTS_WIRE_JSON_TOKEN_H
#define VTS_WIRE_JSON_TOKEN_H

#include <stdbool.h>

#include "common/base/buf.h"

enum vts_json_kind {
    VTS_JSON_OBJECT, /* its members follow: a string, the key, and then the value */
    VTS_JSON_ARRAY,  /* its elements follow */
    VTS_JSON_STRING,
    VTS_JSON_NUMBER,
    VTS_JSON_TRUE,
    VTS_JSON_FALSE,
    VTS_JSON_NULL,
};

struct vts_json_token {
    const char *text; /* of a string, without quotes and escapes; of a number, as it stands */
    uint32_t len;
    uint32_t end;   /* index of the first token behind this value and all it holds */
    uint32_t count; /* of members or elements */
    enum vts_json_kind kind;
};

struct vts_json_doc {
    struct vts_json_token *tokens; /* the first is the whole text's value */
    uint32_t count;
    char *unescaped;
};

struct vts_json_limits {
    size_t max_bytes;
    size_t max_values;
    unsigned max_depth;
};

/* The strings of *ret_doc point into text where they have no escapes. VTS_ERR_INVALID with a text
 * in *error, which may be NULL, VTS_ERR_LIMIT, VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_json_doc_parse(struct vts_str text,
                                               const struct vts_json_limits *limits,
                                               struct vts_error *error,
                                               struct vts_json_doc *ret_doc);
void vts_json_doc_free(struct vts_json_doc *doc);

#endif
