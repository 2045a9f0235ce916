/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what a worker's command writes: words for shell scripts, JSON for everything else. Any
 * thread. */
#include <math.h>
#include <string.h>

#include <vtstatus/worker.h>

#include "common/base/str.h"
#include "common/base/utf8.h"
#include "common/wire/json.h"
#include "common/wire/json_number.h"
#include "vtstatus/v1/status.pb-c.h"

enum { MAX_JSON_BYTES = 64 * 1024, MAX_JSON_VALUES = 100, MAX_JSON_DEPTH = 8 };

/* Copies what fits, whole characters only, with '?' for bytes that are no text. */
static void copy_text(struct vts_str text, char *out, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len;) {
        uint32_t code_point = 0;
        size_t step = vts_utf8_decode(text.ptr + i, text.len - i, &code_point);
        bool is_text = step > 0 && !vts_utf8_is_control(code_point);
        size_t written = is_text ? step : 1;

        if (len + written >= size)
            break;
        memcpy(out + len, is_text ? text.ptr + i : "?", written);
        len += written;
        i += step > 0 ? step : 1;
    }
    out[len] = '\0';
}

static double bound_percent(double percent)
{
    return isnan(percent) ? 0 : fmin(fmax(percent, 0), 100);
}

/* Takes the next word off the front; "" at the end. */
static struct vts_str take_word(struct vts_str *rest)
{
    struct vts_str word = vts_str_make("", 0);

    *rest = vts_str_trim(*rest);
    if (rest->len > 0)
        (void)vts_str_split(rest, ' ', &word); /* there is a part of it */
    return word;
}

static void parse_words(struct vts_str rest, struct vts_report *ret_report)
{
    double percent = 0;
    struct vts_str phase;

    if (vts_json_number_to_double(take_word(&rest), false, &percent) != VTS_OK)
        return;
    ret_report->kind = VTS_REPORT_PROGRESS;
    ret_report->percent = bound_percent(percent);
    phase = take_word(&rest);
    copy_text(phase, ret_report->phase, sizeof(ret_report->phase));
    copy_text(vts_str_trim(rest), ret_report->message, sizeof(ret_report->message));
}

static void parse_json(struct vts_str json, struct vts_report *ret_report)
{
    const struct vts_json_read_options options = {.max_bytes = MAX_JSON_BYTES,
                                                  .max_values = MAX_JSON_VALUES,
                                                  .max_depth = MAX_JSON_DEPTH,
                                                  .ignore_unknown = true};
    ProtobufCMessage *message = NULL;
    const Vtstatus__V1__Progress *progress;

    if (vts_json_read(json, &vtstatus__v1__progress__descriptor, &options, NULL, &message) !=
        VTS_OK)
        return;
    progress = (const Vtstatus__V1__Progress *)message;
    ret_report->kind = VTS_REPORT_PROGRESS;
    ret_report->percent = bound_percent((double)progress->percent);
    copy_text(vts_str_of(progress->phase), ret_report->phase, sizeof(ret_report->phase));
    copy_text(vts_str_of(progress->message), ret_report->message, sizeof(ret_report->message));
    ret_report->phase_index = progress->phase_index > 0 ? progress->phase_index : 0;
    ret_report->phase_count = progress->phase_count > 0 ? progress->phase_count : 0;
    /* A server refuses a place behind the last one. */
    if (ret_report->phase_count > 0 && ret_report->phase_index > ret_report->phase_count)
        ret_report->phase_index = ret_report->phase_count;
    vts_json_free(message);
}

void vts_report_parse(const char *line, struct vts_report *ret_report)
{
    struct vts_str rest = vts_str_trim(vts_str_of(line));
    struct vts_str whole = rest;
    struct vts_str word = take_word(&rest);

    *ret_report = (struct vts_report){.kind = VTS_REPORT_NONE};
    if (vts_str_starts_with(whole, "{")) {
        parse_json(whole, ret_report);
    } else if (vts_str_equals_text(word, "progress")) {
        parse_words(rest, ret_report);
    } else if (vts_str_equals_text(word, "output") && vts_str_trim(rest).len > 0) {
        ret_report->kind = VTS_REPORT_OUTPUT;
        copy_text(vts_str_trim(rest), ret_report->output_uri, sizeof(ret_report->output_uri));
    }
}
