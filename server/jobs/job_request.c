/* SPDX-License-Identifier: Apache-2.0 */
/* job_request.c - looks at each field of a request in turn, and names the first that will not do.
 */
#include "server/jobs/job_request.h"

#include <string.h>

#include "common/base/utf8.h"
#include "common/wire/pb_time.h"
#include "server/jobs/job.h"
#include "server/jobs/job_machine.h"

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool vts_job_queue_is_valid(struct vts_str queue)
{
    if (queue.len == 0 || queue.len > VTS_JOB_QUEUE_MAX)
        return false;
    for (size_t i = 0; i < queue.len; i++) {
        char c = queue.ptr[i];

        if (!is_lower(c) && !is_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

bool vts_job_label_key_is_valid(struct vts_str key)
{
    /* What may stand in a queue's name may stand in a key. */
    return key.len <= VTS_JOB_LABEL_KEY_MAX && vts_job_queue_is_valid(key) && is_lower(key.ptr[0]);
}

/* Apart from those in `but`. */
static bool is_free_of_controls(const char *text, const char *but)
{
    struct vts_str rest = vts_str_of(text);
    uint32_t code_point;

    while (rest.len > 0) {
        size_t step = vts_utf8_decode(rest.ptr, rest.len, &code_point);

        if (step == 0 || (vts_utf8_is_control(code_point) && strchr(but, (int)code_point) == NULL))
            return false;
        rest = vts_str_make(rest.ptr + step, rest.len - step);
    }
    return true;
}

bool vts_job_text_is_plain(const char *text)
{
    return is_free_of_controls(text, "");
}

bool vts_job_text_is_prose(const char *text)
{
    return is_free_of_controls(text, "\n\t");
}

/* 1*8alphanum */
static bool is_subtag(struct vts_str subtag)
{
    if (subtag.len == 0 || subtag.len > 8)
        return false;
    for (size_t i = 0; i < subtag.len; i++)
        if (!is_letter(subtag.ptr[i]) && !is_digit(subtag.ptr[i]))
            return false;
    return true;
}

bool vts_job_language_is_valid(struct vts_str language)
{
    struct vts_str rest = language;
    struct vts_str subtag;
    size_t count = 0;
    size_t first_len = 0;

    if (language.len == 0 || language.len > VTS_JOB_LANGUAGE_MAX)
        return false;
    while (vts_str_split(&rest, '-', &subtag)) {
        if (!is_subtag(subtag))
            return false;
        if (count++ == 0)
            first_len = subtag.len;
    }
    for (size_t i = 0; i < first_len; i++)
        if (!is_letter(language.ptr[i]))
            return false;
    /* "x" and "i" begin a tag and are none. */
    return first_len > 1 || (count > 1 && strchr("xXiI", language.ptr[0]) != NULL);
}

/* Neither blanks nor controls, which are in no URI (RFC 3986 section 2). */
static bool is_uri_text(struct vts_str uri)
{
    for (size_t i = 0; i < uri.len; i++)
        if ((unsigned char)uri.ptr[i] <= ' ' || uri.ptr[i] == 0x7f)
            return false;
    return true;
}

/* Each check returns whether all is well, and says what is not. */
static bool refuse(struct vts_job_violation *violation, const char *field, const char *text)
{
    *violation = (struct vts_job_violation){.field = field, .text = text};
    return false;
}

static bool check_languages(const Vtstatus__V1__TranslationSpec *spec,
                            struct vts_job_violation *violation)
{
    if (spec->source_language[0] != '\0' &&
        !vts_job_language_is_valid(vts_str_of(spec->source_language)))
        return refuse(violation, "spec.source_language",
                      "must be a language tag of BCP 47 with at most 35 characters, or empty");
    if (spec->target_language[0] == '\0')
        return refuse(violation, "spec.target_language", "is required");
    if (!vts_job_language_is_valid(vts_str_of(spec->target_language)))
        return refuse(violation, "spec.target_language",
                      "must be a language tag of BCP 47 with at most 35 characters");
    return true;
}

static bool check_options(const Vtstatus__V1__TranslationSpec *spec,
                          struct vts_job_violation *violation)
{
    if (spec->n_options > VTS_JOB_ENTRIES_MAX)
        return refuse(violation, "spec.options", "must not have more than 64 entries");
    for (size_t i = 0; i < spec->n_options; i++) {
        size_t key_len = strlen(spec->options[i]->key);

        if (key_len == 0 || key_len > VTS_JOB_OPTION_KEY_MAX ||
            !vts_job_text_is_plain(spec->options[i]->key))
            return refuse(violation, "spec.options",
                          "must have keys of 1 to 64 bytes without control characters");
        if (strlen(spec->options[i]->value) > VTS_JOB_OPTION_VALUE_MAX)
            return refuse(violation, "spec.options", "must have values of at most 1024 bytes");
    }
    return true;
}

static bool check_spec(const Vtstatus__V1__CreateJobRequest *request,
                       struct vts_job_violation *violation)
{
    const Vtstatus__V1__TranslationSpec *spec = request->spec;

    if (spec == NULL)
        return refuse(violation, "spec", "is required");
    if (spec->source_uri[0] == '\0')
        return refuse(violation, "spec.source_uri", "is required");
    if (strlen(spec->source_uri) > VTS_JOB_URI_MAX || !is_uri_text(vts_str_of(spec->source_uri)))
        return refuse(violation, "spec.source_uri",
                      "must be at most 2048 bytes without blanks and control characters");
    return check_languages(spec, violation) && check_options(spec, violation);
}

static bool check_labels(const Vtstatus__V1__CreateJobRequest *request,
                         struct vts_job_violation *violation)
{
    if (request->n_labels > VTS_JOB_ENTRIES_MAX)
        return refuse(violation, "labels", "must not have more than 64 entries");
    for (size_t i = 0; i < request->n_labels; i++) {
        if (!vts_job_label_key_is_valid(vts_str_of(request->labels[i]->key)))
            return refuse(
                violation, "labels",
                "must have keys of 1 to 63 characters a-z 0-9 _ . - that begin with a-z (no "
                "capitals)");
        if (strlen(request->labels[i]->value) > VTS_JOB_LABEL_VALUE_MAX ||
            !vts_job_text_is_plain(request->labels[i]->value))
            return refuse(violation, "labels",
                          "must have values of at most 63 bytes without control characters");
    }
    return true;
}

static bool check_names(const Vtstatus__V1__CreateJobRequest *request,
                        struct vts_job_violation *violation)
{
    if (request->job_id[0] != '\0' && !vts_job_id_is_valid(vts_str_of(request->job_id)))
        return refuse(violation, "job_id",
                      "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, or empty");
    if (request->queue[0] != '\0' && !vts_job_queue_is_valid(vts_str_of(request->queue)))
        return refuse(violation, "queue", "must be 1 to 64 characters of a-z 0-9 . _ -, or empty");
    if (strlen(request->request_id) > VTS_JOB_REQUEST_ID_MAX ||
        !vts_job_text_is_plain(request->request_id))
        return refuse(violation, "request_id",
                      "must be at most 36 bytes without control characters");
    return true;
}

static bool check_numbers(const Vtstatus__V1__CreateJobRequest *request,
                          struct vts_job_violation *violation)
{
    if (request->priority < -VTS_JOB_PRIORITY_MAX || request->priority > VTS_JOB_PRIORITY_MAX)
        return refuse(violation, "priority", "must be from -1000 to 1000");
    if (request->max_attempts < 0 || request->max_attempts > VTS_JOB_ATTEMPTS_MAX)
        return refuse(violation, "max_attempts", "must be from 0 to 100");
    return true;
}

/* Absent, or a time that passes. */
static bool is_good_duration(const Google__Protobuf__Duration *duration)
{
    return duration == NULL || (vts_pb_duration_is_valid(duration->seconds, duration->nanos) &&
                                vts_pb_duration_ns(duration) > 0);
}

static bool check_times(const Vtstatus__V1__CreateJobRequest *request,
                        struct vts_job_violation *violation)
{
    const Google__Protobuf__Timestamp *start = request->start_time;

    if (start != NULL && !vts_pb_timestamp_is_valid(start->seconds, start->nanos))
        return refuse(violation, "start_time", "must be a time from the year 1 to the year 9999");
    if (!is_good_duration(request->timeout))
        return refuse(violation, "timeout", "must be more than nothing and at most 10,000 years");
    if (!is_good_duration(request->ttl))
        return refuse(violation, "ttl", "must be more than nothing and at most 10,000 years");
    return true;
}

enum vts_err vts_job_request_check(const Vtstatus__V1__CreateJobRequest *request,
                                   struct vts_job_violation *ret_violation)
{
    struct vts_job_violation violation;

    if (check_names(request, &violation) && check_spec(request, &violation) &&
        check_labels(request, &violation) && check_numbers(request, &violation) &&
        check_times(request, &violation))
        return VTS_OK;
    if (ret_violation != NULL)
        *ret_violation = violation;
    return VTS_ERR_INVALID;
}
