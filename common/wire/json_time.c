/* SPDX-License-Identifier: Apache-2.0 */
/* json_time.c - seconds and nanoseconds as text. */
#include "common/wire/json_time.h"

#include <time.h>

#include "common/wire/pb_time.h"

/* Appends the fraction of a second with 0, 3, 6 or 9 digits, as few as say it all. */
static void write_nanos(struct vts_buf *buf, int32_t nanos)
{
    if (nanos == 0)
        return;
    if (nanos % 1000000 == 0)
        vts_buf_append_format(buf, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0)
        vts_buf_append_format(buf, ".%06d", nanos / 1000);
    else
        vts_buf_append_format(buf, ".%09d", nanos);
}

enum vts_err vts_json_timestamp_write(struct vts_buf *buf, struct vts_json_time stamp)
{
    time_t seconds = (time_t)stamp.seconds;
    struct tm utc;

    if (!vts_pb_timestamp_is_valid(stamp.seconds, stamp.nanos) || gmtime_r(&seconds, &utc) == NULL)
        return VTS_ERR_INVALID;
    vts_buf_append_format(buf, "\"%04d-%02d-%02dT%02d:%02d:%02d", utc.tm_year + 1900,
                          utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    write_nanos(buf, stamp.nanos);
    vts_buf_append_text(buf, "Z\"");
    return VTS_OK;
}

enum vts_err vts_json_duration_write(struct vts_buf *buf, struct vts_json_time span)
{
    bool is_negative = span.seconds < 0 || span.nanos < 0;

    if (!vts_pb_duration_is_valid(span.seconds, span.nanos))
        return VTS_ERR_INVALID;
    vts_buf_append_format(buf, "\"%s%lld", is_negative ? "-" : "",
                          (long long)(span.seconds < 0 ? -span.seconds : span.seconds));
    write_nanos(buf, span.nanos < 0 ? -span.nanos : span.nanos);
    vts_buf_append_text(buf, "s\"");
    return VTS_OK;
}

/* Takes digits off the front of *text, between min_len and max_len of them. */
static bool take_digits(struct vts_str *text, size_t min_len, size_t max_len, int64_t *ret_value)
{
    int64_t value = 0;
    size_t len = 0;

    while (len < text->len && len < max_len && text->ptr[len] >= '0' && text->ptr[len] <= '9')
        value = value * 10 + (text->ptr[len++] - '0');
    if (len < min_len)
        return false;
    *text = vts_str_make(text->ptr + len, text->len - len);
    *ret_value = value;
    return true;
}

static bool take_char(struct vts_str *text, char wanted)
{
    if (text->len == 0 || text->ptr[0] != wanted)
        return false;
    *text = vts_str_make(text->ptr + 1, text->len - 1);
    return true;
}

/* Takes the fraction of a second, if there is one. */
static bool take_nanos(struct vts_str *text, int32_t *ret_nanos)
{
    size_t len_before = text->len;
    int64_t nanos = 0;

    if (take_char(text, '.')) {
        if (!take_digits(text, 1, 9, &nanos))
            return false;
        for (size_t digits = len_before - text->len - 1; digits < 9; digits++)
            nanos *= 10;
    }
    *ret_nanos = (int32_t)nanos;
    return true;
}

static int days_in_month(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01 in the Gregorian calendar. The year is taken to begin in March, so that
 * the leap day is its last. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
    int64_t march_year = month > 2 ? year : year - 1;
    int64_t march_month = (month + 9) % 12;

    return march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
           (march_month * 306 + 5) / 10 + day - 1 - 719468;
}

/* "2024-01-02" */
static bool take_date(struct vts_str *text, int64_t *ret_days)
{
    int64_t year;
    int64_t month;
    int64_t day;

    if (!take_digits(text, 4, 4, &year) || !take_char(text, '-') ||
        !take_digits(text, 2, 2, &month) || !take_char(text, '-') || !take_digits(text, 2, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_days = days_since_epoch(year, month, day);
    return true;
}

/* "03:04", as seconds. */
static bool take_hour_and_minute(struct vts_str *text, int64_t *ret_seconds)
{
    int64_t hour;
    int64_t minute;

    if (!take_digits(text, 2, 2, &hour) || !take_char(text, ':') ||
        !take_digits(text, 2, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ret_seconds = hour * 3600 + minute * 60;
    return true;
}

/* "Z", or "+03:00" as 10800. */
static bool take_offset(struct vts_str *text, int64_t *ret_seconds)
{
    bool is_east;

    if (take_char(text, 'Z')) {
        *ret_seconds = 0;
        return true;
    }
    is_east = take_char(text, '+');
    if ((!is_east && !take_char(text, '-')) || !take_hour_and_minute(text, ret_seconds))
        return false;
    *ret_seconds = is_east ? *ret_seconds : -*ret_seconds;
    return true;
}

enum vts_err vts_json_timestamp_read(struct vts_str text, struct vts_json_time *ret_time)
{
    struct vts_json_time stamp;
    int64_t days;
    int64_t minutes;
    int64_t seconds;
    int64_t offset;

    if (!take_date(&text, &days) || !take_char(&text, 'T') ||
        !take_hour_and_minute(&text, &minutes) || !take_char(&text, ':') ||
        !take_digits(&text, 2, 2, &seconds) || seconds > 59 || !take_nanos(&text, &stamp.nanos) ||
        !take_offset(&text, &offset) || text.len > 0)
        return VTS_ERR_INVALID;
    stamp.seconds = days * 86400 + minutes + seconds - offset;
    if (!vts_pb_timestamp_is_valid(stamp.seconds, stamp.nanos))
        return VTS_ERR_INVALID;
    *ret_time = stamp;
    return VTS_OK;
}

enum vts_err vts_json_duration_read(struct vts_str text, struct vts_json_time *ret_time)
{
    struct vts_json_time span;
    bool is_negative = take_char(&text, '-');

    if (!take_digits(&text, 1, 12, &span.seconds) || !take_nanos(&text, &span.nanos) ||
        !take_char(&text, 's') || text.len > 0 ||
        !vts_pb_duration_is_valid(span.seconds, span.nanos))
        return VTS_ERR_INVALID;
    if (is_negative) {
        span.seconds = -span.seconds;
        span.nanos = -span.nanos;
    }
    *ret_time = span;
    return VTS_OK;
}
