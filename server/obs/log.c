/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - structured lines on stderr.
 *
 * A line is built in a bounded buffer and written whole. The rate table is keyed by the message's
 * address, since messages are literals; when it is full, further kinds share its last place. A line
 * goes out only when stderr takes it at once: a reader that sleeps must not put the loops to sleep.
 */
#include "server/obs/log.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json_text.h"

/* A pipe that is ready takes PIPE_BUF bytes without blocking. */
enum { LINE_MAX_BYTES = PIPE_BUF, VALUE_MAX_BYTES = 256, KINDS_MAX = 64, LINES_PER_S = 10 };

struct kind {
    const char *message;
    int64_t second;
    unsigned lines;
    unsigned left_out;
};

static enum vts_log_level log_min_level = VTS_LOG_INFO;
static enum vts_log_format log_format = VTS_LOG_TEXT;
static pthread_mutex_t kinds_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind kinds[KINDS_MAX];
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned lost_count; /* lines that did not go out; told in the next one */

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void vts_log_setup(enum vts_log_level min_level, enum vts_log_format format)
{
    log_min_level = min_level;
    log_format = format;
}

enum vts_err vts_log_level_parse(const char *name, enum vts_log_level *ret_level)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum vts_log_level)i;
            return VTS_OK;
        }
    }
    return VTS_ERR_INVALID;
}

enum vts_err vts_log_format_parse(const char *name, enum vts_log_format *ret_format)
{
    if (strcmp(name, "json") == 0)
        *ret_format = VTS_LOG_JSON;
    else if (strcmp(name, "text") == 0)
        *ret_format = VTS_LOG_TEXT;
    else
        return VTS_ERR_INVALID;
    return VTS_OK;
}

bool vts_log_is_on(enum vts_log_level level)
{
    return level >= log_min_level;
}

static struct kind *find_kind(const char *message)
{
    for (size_t i = 0; i < KINDS_MAX - 1; i++) {
        if (kinds[i].message == NULL)
            kinds[i].message = message;
        if (kinds[i].message == message)
            return &kinds[i];
    }
    return &kinds[KINDS_MAX - 1];
}

/* Whether a line of this kind may go out now; *ret_left_out is how many before it could not. */
static bool admit(const char *message, unsigned *ret_left_out)
{
    int64_t second = vts_clock_now_ns() / VTS_NS_PER_S;
    struct kind *kind;
    bool is_admitted;

    pthread_mutex_lock(&kinds_lock);
    kind = find_kind(message);
    if (kind->second != second) {
        kind->second = second;
        kind->lines = 0;
    }
    is_admitted = kind->lines < LINES_PER_S;
    *ret_left_out = kind->left_out;
    kind->lines += is_admitted;
    kind->left_out = is_admitted ? 0 : kind->left_out + 1;
    pthread_mutex_unlock(&kinds_lock);
    return is_admitted;
}

static void write_time(struct vts_buf *buf)
{
    int64_t now_ns = vts_clock_wall_ns();
    time_t seconds = (time_t)(now_ns / VTS_NS_PER_S);
    struct tm utc;

    (void)gmtime_r(&seconds, &utc); /* fails only past the year 2^31 */
    vts_buf_append_format(buf, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900,
                          utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                          (int)(now_ns % VTS_NS_PER_S / 1000));
}

void vts_log_begin(struct vts_log_line *line, enum vts_log_level level, const char *message)
{
    unsigned left_out = 0;

    line->is_on = vts_log_is_on(level) && (level == VTS_LOG_DEBUG || admit(message, &left_out));
    if (!line->is_on)
        return;
    line->format = log_format;
    vts_buf_init(&line->buf, LINE_MAX_BYTES);
    if (line->format == VTS_LOG_JSON) {
        vts_buf_append_text(&line->buf, "{\"time\":\"");
        write_time(&line->buf);
        vts_buf_append_format(&line->buf, "\",\"level\":\"%s\",\"msg\":\"%s\"", level_names[level],
                              message);
    } else {
        write_time(&line->buf);
        vts_buf_append_format(&line->buf, " %-5s %s", level_names[level], message);
    }
    if (left_out > 0)
        vts_log_int(line, "left_out", left_out);
    line->lost_before = atomic_exchange(&lost_count, 0);
    if (line->lost_before > 0)
        vts_log_int(line, "lost", line->lost_before);
}

static void write_name(struct vts_log_line *line, const char *name)
{
    if (line->format == VTS_LOG_JSON)
        vts_buf_append_format(&line->buf, ",\"%s\":", name);
    else
        vts_buf_append_format(&line->buf, " %s=", name);
}

void vts_log_str(struct vts_log_line *line, const char *name, struct vts_str value)
{
    if (!line->is_on)
        return;
    write_name(line, name);
    if (value.len > VALUE_MAX_BYTES) {
        static const char ellipsis[] = {'\xe2', '\x80', '\xa6'};
        char cut[VALUE_MAX_BYTES + sizeof(ellipsis)];

        memcpy(cut, value.ptr, VALUE_MAX_BYTES);
        memcpy(cut + VALUE_MAX_BYTES, ellipsis, sizeof(ellipsis));
        vts_json_text_write(&line->buf, vts_str_make(cut, sizeof(cut)));
        return;
    }
    vts_json_text_write(&line->buf, value);
}

void vts_log_int(struct vts_log_line *line, const char *name, int64_t value)
{
    if (!line->is_on)
        return;
    write_name(line, name);
    vts_buf_append_format(&line->buf, "%lld", (long long)value);
}

/* The lock keeps another thread from filling the pipe between the question and the write. */
static bool write_line(const struct vts_buf *buf)
{
    struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
    bool is_written;

    pthread_mutex_lock(&output_lock);
    is_written = poll(&output, 1, 0) == 1 && (output.revents & POLLOUT) != 0 &&
                 write(STDERR_FILENO, buf->ptr, buf->len) >= 0;
    pthread_mutex_unlock(&output_lock);
    return is_written;
}

void vts_log_end(struct vts_log_line *line)
{
    if (!line->is_on)
        return;
    vts_buf_append_text(&line->buf, line->format == VTS_LOG_JSON ? "}\n" : "\n");
    /* A line too long or without memory is dropped whole: half a JSON line helps nobody. */
    if (vts_buf_check(&line->buf) != VTS_OK || !write_line(&line->buf))
        atomic_fetch_add(&lost_count, line->lost_before + 1);
    vts_buf_fini(&line->buf);
}
