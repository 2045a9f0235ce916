/* SPDX-License-Identifier: Apache-2.0 */
/* Structured logs on stderr, one line an event.
 *
 *     struct vts_log_line line;
 *
 *     vts_log_begin(&line, VTS_LOG_INFO, "listening");
 *     vts_log_str(&line, "address", vts_str_of("127.0.0.1"));
 *     vts_log_int(&line, "port", 5000);
 *     vts_log_end(&line);
 *
 * A line is written with one write(2), so lines of several threads never mix. Each message may
 * appear 10 times a second at info and above; what is left out is counted, and the count stands in
 * the next line of that message. Values are escaped and cut at 256 bytes. Callable from any thread.
 */
#ifndef VTS_OBS_LOG_H
#define VTS_OBS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

enum vts_log_level { VTS_LOG_DEBUG, VTS_LOG_INFO, VTS_LOG_WARN, VTS_LOG_ERROR };

enum vts_log_format { VTS_LOG_TEXT, VTS_LOG_JSON };

/* Before other threads start. */
void vts_log_setup(enum vts_log_level min_level, enum vts_log_format format);
VTS_MUST_CHECK enum vts_err vts_log_level_parse(const char *name, enum vts_log_level *ret_level);
VTS_MUST_CHECK enum vts_err vts_log_format_parse(const char *name, enum vts_log_format *ret_format);
bool vts_log_is_on(enum vts_log_level level);

struct vts_log_line {
    bool is_on;
    enum vts_log_format format;
    unsigned lost_before; /* lines lost before this one, which it tells */
    struct vts_buf buf;
};

/* message is a literal: it tells the kinds of lines apart. */
void vts_log_begin(struct vts_log_line *line, enum vts_log_level level, const char *message);
void vts_log_str(struct vts_log_line *line, const char *name, struct vts_str value);
void vts_log_int(struct vts_log_line *line, const char *name, int64_t value);
/* Writes the line. When it is too long or stderr does not take it at once, it is lost, and the next
 * line's "lost" counts it: a reader that is gone or asleep must not stop the server. */
void vts_log_end(struct vts_log_line *line);

#endif
