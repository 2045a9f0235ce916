/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - reads the few header fields we use; every other one is only counted. */
#include "client/src/answer.h"

#include <stdint.h>
#include <string.h>

#include "common/wire/prefer.h"

/* Beyond any schedule, and small enough to reckon with as a double. */
static const uint64_t max_retry_after_s = UINT64_C(100) * 365 * 24 * 3600;

void vts_answer_init(struct vts_answer *answer)
{
    vts_answer_init_sized(answer, VTS_ANSWER_MAX_BODY_BYTES);
}

void vts_answer_init_sized(struct vts_answer *answer, size_t max_bytes)
{
    *answer = (struct vts_answer){.retry_after = -1, .poll_after = -1, .wait_applied = -1};
    vts_buf_init(&answer->body, max_bytes);
}

void vts_answer_fini(struct vts_answer *answer)
{
    vts_buf_fini(&answer->body);
}

static void start_anew(struct vts_answer *answer, struct vts_str status_line)
{
    struct vts_str version;
    struct vts_str code;
    uint64_t number = 0;

    answer->http_code = 0;
    answer->is_http2 = vts_str_starts_with(status_line, "HTTP/2");
    answer->is_header_done = false;
    answer->etag[0] = '\0';
    answer->content_type[0] = '\0';
    answer->retry_after = -1;
    answer->poll_after = -1;
    answer->wait_applied = -1;
    answer->has_content_length = false;
    if (vts_str_split(&status_line, ' ', &version) && vts_str_split(&status_line, ' ', &code) &&
        vts_str_to_u64(code, 999, &number) == VTS_OK)
        answer->http_code = (int)number;
}

static void take_etag(struct vts_answer *answer, struct vts_str value)
{
    if (value.len >= sizeof(answer->etag))
        return;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < 0x21 || value.ptr[i] > 0x7e)
            return;
    memcpy(answer->etag, value.ptr, value.len);
    answer->etag[value.len] = '\0';
}

static void take_content_type(struct vts_answer *answer, struct vts_str value)
{
    struct vts_str type = {0};
    size_t len;

    if (!vts_str_split(&value, ';', &type))
        return;
    type = vts_str_trim(type);
    len = type.len < sizeof(answer->content_type) ? type.len : sizeof(answer->content_type) - 1;
    for (size_t i = 0; i < len; i++) {
        char c = type.ptr[i];

        answer->content_type[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    answer->content_type[len] = '\0';
}

/* A whole number, at most max; negative when it is none. An absurd one still says "not soon". */
static double read_number(struct vts_str value, uint64_t max)
{
    uint64_t number = 0;

    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return -1;
    if (value.len == 0)
        return -1;
    return vts_str_to_u64(value, max, &number) == VTS_OK ? (double)number : (double)max;
}

/* Seconds only: the other form, a date, is for caches; our server does not send it. What is no
 * number leaves what was there. */
static void take_seconds(double *seconds, struct vts_str value, unsigned parts)
{
    double number = read_number(value, max_retry_after_s * parts);

    if (number >= 0)
        *seconds = number / parts;
}

/* As RFC 7240 has it: "wait=20". Other preferences are not ours. */
static void take_preference(struct vts_answer *answer, struct vts_str value)
{
    uint64_t seconds = 0;

    if (vts_prefer_wait(value, &seconds))
        answer->wait_applied = (double)(seconds < max_retry_after_s ? seconds : max_retry_after_s);
}

static void take_field(struct vts_answer *answer, struct vts_str line)
{
    struct vts_str name;
    struct vts_str value = line;

    if (!vts_str_split(&value, ':', &name) || value.ptr == NULL)
        return;
    value = vts_str_trim(value);
    if (vts_str_equals_nocase(name, "etag"))
        take_etag(answer, value);
    else if (vts_str_equals_nocase(name, "content-type"))
        take_content_type(answer, value);
    else if (vts_str_equals_nocase(name, "retry-after"))
        take_seconds(&answer->retry_after, value, 1);
    else if (vts_str_equals_nocase(name, "poll-after-ms"))
        take_seconds(&answer->poll_after, value, 1000);
    else if (vts_str_equals_nocase(name, "preference-applied"))
        take_preference(answer, value);
    else if (vts_str_equals_nocase(name, "content-length"))
        answer->has_content_length =
            vts_str_to_u64(value, UINT64_MAX, &answer->content_length) == VTS_OK;
}

static struct vts_str without_line_end(struct vts_str line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return line;
}

enum vts_err vts_answer_add_line(struct vts_answer *answer, struct vts_str line)
{
    answer->header_bytes += line.len;
    answer->header_fields++;
    if (answer->header_bytes > VTS_ANSWER_MAX_HEADER_BYTES ||
        answer->header_fields > VTS_ANSWER_MAX_HEADER_FIELDS)
        return VTS_ERR_LIMIT;
    line = without_line_end(line);
    if (vts_str_starts_with(line, "HTTP/"))
        start_anew(answer, line);
    else if (line.len == 0)
        answer->is_header_done = true;
    else if (!answer->is_header_done)
        take_field(answer, line);
    return VTS_OK;
}

double vts_answer_hint(const struct vts_answer *answer)
{
    return answer->poll_after >= 0 ? answer->poll_after : answer->retry_after;
}

enum vts_err vts_answer_add_body(struct vts_answer *answer, struct vts_str bytes)
{
    vts_buf_append_str(&answer->body, bytes);
    return vts_buf_check(&answer->body);
}

bool vts_answer_is_complete(const struct vts_answer *answer)
{
    if (!answer->is_header_done)
        return false;
    /* A 304 may tell the length of the body it does not have (RFC 9110 section 15.4.5). */
    return !answer->has_content_length || answer->http_code == 304 ||
           answer->content_length == answer->body.len;
}
