/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings as messages: each parameter is a field (https://google.aip.dev/127). */
#ifndef VTS_WIRE_JSON_QUERY_H
#define VTS_WIRE_JSON_QUERY_H

#include "common/wire/json.h"

/* Appends the JSON object that says what a query says, for vts_json_read(), which judges the
 * values.
 *
 * A parameter has either name of its field. The values of a list come one by one, and may leave out
 * the "s" at the end of its name. VTS_ERR_INVALID, with a text for the peer in error, which may be
 * NULL: a parameter of no such name, one that comes twice, or a value that is no percent-encoded
 * text. Otherwise what the buffer says. types may be NULL; type has at most 64 fields. */
VTS_MUST_CHECK enum vts_err vts_json_query_write(struct vts_buf *buf, struct vts_str query,
                                                 const ProtobufCMessageDescriptor *type,
                                                 const struct vts_json_types *types,
                                                 struct vts_error *error);

#endif
