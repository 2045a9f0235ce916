/* SPDX-License-Identifier: Apache-2.0 */
/* simulation_options.c - reads what a simulation is to be like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "server/jobs/simulation.h"

enum {
    TEXT_MAX_BYTES = 32,
    PART_SHOWN_MAX_BYTES = 100, /* of a wrong one, so that the line has room for what is right */
};

static const int64_t delay_max_ns = (int64_t)24 * 3600 * VTS_NS_PER_S;
static const int64_t lease_min_ns = VTS_NS_PER_S;
static const int64_t lease_max_ns = (int64_t)3600 * VTS_NS_PER_S;
static const double sigma_max = 5;

/* ---- numbers and times ------------------------------------------------------------------- */

/* strtod() alone would take hexadecimal and exponents too. */
static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

static enum vts_err parse_number(struct vts_str text, double max, double *ret_value,
                                 struct vts_str *ret_rest)
{
    char copy[TEXT_MAX_BYTES];
    size_t len = 0;
    char *end;
    double value;

    while (len < text.len && len < sizeof(copy) - 1 && is_number_char(text.ptr[len]))
        len++;
    if (len == 0 || text.ptr[0] == '.')
        return VTS_ERR_INVALID;
    memcpy(copy, text.ptr, len);
    copy[len] = '\0';
    value = strtod(copy, &end);
    if (value > max)
        return VTS_ERR_INVALID;
    *ret_value = value;
    *ret_rest = vts_str_make(text.ptr + (end - copy), text.len - (size_t)(end - copy));
    return VTS_OK;
}

/* A number and nothing behind it. */
static enum vts_err parse_plain(struct vts_str text, double max, double *ret_value)
{
    struct vts_str rest;
    double value;

    if (parse_number(text, max, &value, &rest) != VTS_OK || rest.len != 0)
        return VTS_ERR_INVALID;
    *ret_value = value;
    return VTS_OK;
}

static enum vts_err parse_time(struct vts_str text, int64_t max_ns, int64_t *ret_ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ms", VTS_NS_PER_MS},
                 {"s", VTS_NS_PER_S},
                 {"m", (int64_t)60 * VTS_NS_PER_S},
                 {"h", (int64_t)3600 * VTS_NS_PER_S}};
    struct vts_str unit;
    double value;

    if (parse_number(text, 1e9, &value, &unit) != VTS_OK)
        return VTS_ERR_INVALID;
    for (size_t i = 0; i < VTS_ARRAY_LEN(units); i++) {
        if (!vts_str_equals_text(unit, units[i].name))
            continue;
        if (value * (double)units[i].ns > (double)max_ns)
            return VTS_ERR_INVALID;
        *ret_ns = (int64_t)(value * (double)units[i].ns);
        return VTS_OK;
    }
    return VTS_ERR_INVALID;
}

/* ---- parts ------------------------------------------------------------------------------- */

static enum vts_err parse_uniform(struct vts_str text, struct vts_simulation_delay *delay)
{
    struct vts_str least = {0};

    delay->shape = VTS_SIMULATION_UNIFORM;
    (void)vts_str_split(&text, ':', &least); /* what is missing fails as a time without a number */
    if (parse_time(least, delay_max_ns, &delay->ns) != VTS_OK ||
        parse_time(text, delay_max_ns, &delay->most_ns) != VTS_OK)
        return VTS_ERR_INVALID;
    return delay->ns <= delay->most_ns ? VTS_OK : VTS_ERR_INVALID;
}

static enum vts_err parse_lognormal(struct vts_str text, struct vts_simulation_delay *delay)
{
    struct vts_str median = {0};

    delay->shape = VTS_SIMULATION_LOGNORMAL;
    (void)vts_str_split(&text, ':', &median); /* as above */
    if (parse_time(median, delay_max_ns, &delay->ns) != VTS_OK)
        return VTS_ERR_INVALID;
    return parse_plain(text, sigma_max, &delay->sigma);
}

static enum vts_err parse_delay(struct vts_str value, struct vts_simulation_options *options)
{
    struct vts_simulation_delay *delay = &options->delay;
    struct vts_str rest = value;
    struct vts_str shape = {0};

    *delay = (struct vts_simulation_delay){.shape = VTS_SIMULATION_FIXED};
    (void)vts_str_split(&rest, ':', &shape); /* a time has no colon and is the whole value */
    if (vts_str_equals_text(shape, "uniform"))
        return parse_uniform(rest, delay);
    if (vts_str_equals_text(shape, "lognormal"))
        return parse_lognormal(rest, delay);
    return parse_time(value, delay_max_ns, &delay->ns);
}

static enum vts_err parse_queues(struct vts_str value, struct vts_simulation_options *options)
{
    struct vts_str name;

    options->queues_count = 0;
    while (vts_str_split(&value, ':', &name)) {
        char *queue = options->queues[options->queues_count];

        if (!vts_job_queue_is_valid(name) || options->queues_count == VTS_SIMULATION_QUEUES_MAX)
            return VTS_ERR_INVALID;
        memcpy(queue, name.ptr, name.len);
        queue[name.len] = '\0';
        options->queues_count++;
    }
    return options->queues_count > 0 ? VTS_OK : VTS_ERR_INVALID;
}

static enum vts_err parse_workers(struct vts_str value, struct vts_simulation_options *options)
{
    enum vts_err err = vts_str_to_u64(value, VTS_SIMULATION_WORKERS_MAX, &options->workers_count);

    return err == VTS_OK && options->workers_count == 0 ? VTS_ERR_INVALID : err;
}

static enum vts_err parse_error_rate(struct vts_str value, struct vts_simulation_options *options)
{
    return parse_plain(value, 1, &options->error_rate);
}

static enum vts_err parse_crash_rate(struct vts_str value, struct vts_simulation_options *options)
{
    return parse_plain(value, 1, &options->crash_rate);
}

static enum vts_err parse_lease(struct vts_str value, struct vts_simulation_options *options)
{
    enum vts_err err = parse_time(value, lease_max_ns, &options->lease_ns);

    return err == VTS_OK && options->lease_ns < lease_min_ns ? VTS_ERR_INVALID : err;
}

static enum vts_err parse_seed(struct vts_str value, struct vts_simulation_options *options)
{
    return vts_str_to_u64(value, UINT64_MAX, &options->seed);
}

static const struct part {
    const char *name;
    const char *value;
    const char *form; /* follows "must be" */
    enum vts_err (*parse)(struct vts_str value, struct vts_simulation_options *options);
} parts[] = {
#define X(name, value, form, help) {#name, value, form, parse_##name},
#include "server/jobs/simulation.def"
#undef X
};

static void set_defaults(struct vts_simulation_options *options)
{
    memset(options, 0, sizeof(*options));
    for (size_t i = 0; i < VTS_ARRAY_LEN(parts); i++) {
        enum vts_err err = parts[i].parse(vts_str_of(parts[i].value), options);

        VTS_ASSERT(err == VTS_OK);
    }
}

static const struct part *find_part(struct vts_str name)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(parts); i++)
        if (vts_str_equals_text(name, parts[i].name))
            return &parts[i];
    return NULL;
}

static int shown_len(struct vts_str text)
{
    return (int)(text.len < PART_SHOWN_MAX_BYTES ? text.len : PART_SHOWN_MAX_BYTES);
}

static enum vts_err refuse_name(struct vts_str text, struct vts_error *error)
{
    char names[128] = "";
    size_t len = 0;

    for (size_t i = 0; i < VTS_ARRAY_LEN(parts) && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, i == 0 ? "%s" : ", %s",
                                parts[i].name);
    return vts_error_set(error, VTS_ERR_INVALID,
                         "\"%.*s\" is no part of a simulation, which are NAME=VALUE with "
                         "the names %s",
                         shown_len(text), text.ptr, names);
}

/* text is the whole part; *is_given has a bit for each part that came before. */
static enum vts_err parse_part(struct vts_str text, struct vts_simulation_options *options,
                               unsigned *is_given, struct vts_error *error)
{
    struct vts_str value = text;
    struct vts_str name;
    const struct part *part;
    unsigned bit;

    (void)vts_str_split(&value, '=', &name); /* a part without "=" fails as one without value */
    part = find_part(name);
    if (part == NULL)
        return refuse_name(text, error);
    bit = 1U << (part - parts);
    if ((*is_given & bit) != 0)
        return vts_error_set(error, VTS_ERR_INVALID, "\"%.*s\": %s is given twice", shown_len(text),
                             text.ptr, part->name);
    *is_given |= bit;
    if (part->parse(value, options) != VTS_OK)
        return vts_error_set(error, VTS_ERR_INVALID, "\"%.*s\": %s must be %s", shown_len(text),
                             text.ptr, part->name, part->form);
    return VTS_OK;
}

enum vts_err vts_simulation_parse(const char *text, struct vts_simulation_options *ret_options,
                                  struct vts_error *error)
{
    struct vts_simulation_options options;
    struct vts_str rest = vts_str_of(text);
    enum vts_err err = VTS_OK;
    unsigned is_given = 0;
    struct vts_str part;

    set_defaults(&options);
    while (err == VTS_OK && text[0] != '\0' && vts_str_split(&rest, ',', &part))
        err = parse_part(part, &options, &is_given, error);
    if (err == VTS_OK)
        *ret_options = options;
    return err;
}
