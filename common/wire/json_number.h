/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as JSON writes them (RFC 8259 section 6), whatever the program's locale. */
#ifndef VTS_WIRE_JSON_NUMBER_H
#define VTS_WIRE_JSON_NUMBER_H

#include "common/base/buf.h"

/* Longer ones are refused; none of 64 bits needs more than 25 characters. */
enum { VTS_JSON_MAX_NUMBER_BYTES = 64 };

/* Appends the shortest decimal that reads back as the same value. NaN and the infinities become
 * the strings that ProtoJSON has for them. */
void vts_json_number_write(struct vts_buf *buf, double value, bool is_float);

/* The length of the number that text begins with; 0 when it begins with none. */
size_t vts_json_number_len(struct vts_str text);

/* An integer's sign and magnitude. text is a whole number of JSON; 1.0 and 1e2 are integers. */
struct vts_json_integer {
    uint64_t magnitude;
    bool is_negative; /* also of -0 */
};
/* VTS_ERR_INVALID when text is no number, or one with a fraction, or past 64 bits. */
VTS_MUST_CHECK enum vts_err vts_json_number_to_integer(struct vts_str text,
                                                       struct vts_json_integer *ret_integer);
/* VTS_ERR_INVALID when text is no number, or too large for a double or, when is_float, a float. */
VTS_MUST_CHECK enum vts_err vts_json_number_to_double(struct vts_str text, bool is_float,
                                                      double *ret_value);

#endif
