/* SPDX-License-Identifier: Apache-2.0 */
/* call_options.c - the same few steps for each struct: defaults, what the caller knows over them,
 * checks. `size` works as options.c says. */
#include "client/src/call_options.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "client/src/failure.h"
#include "common/base/str.h"

enum { MAX_FIELDS = 64, MAX_FIELD_BYTES = 8192 };

/* Safe to turn into nanoseconds. */
static const double max_seconds = 366.0 * 24 * 3600;

static const struct vts_create_options create_defaults = {.size = sizeof(create_defaults)};
static const struct vts_decide_options decide_defaults = {.size = sizeof(decide_defaults)};
static const struct vts_list_options list_defaults = {.size = sizeof(list_defaults)};
static const struct vts_lease_options lease_defaults = {.size = sizeof(lease_defaults),
                                                        .duration = 60};
static const struct vts_progress progress_defaults = {.size = sizeof(progress_defaults)};
static const struct vts_call_options call_defaults = {.size = sizeof(call_defaults)};
static const struct vts_fail_options fail_defaults = {
    .size = sizeof(fail_defaults), .code = 2, .retry_delay = -1};

/* ---- init ------------------------------------------------------------------------------------ */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Every struct starts with its size; known_size is ours. */
static void fill(void *options, size_t size, const void *defaults, size_t known_size)
{
    memset(options, 0, size);
    memcpy(options, defaults, smaller(size, known_size));
    memcpy(options, &size, smaller(size, sizeof(size)));
}

void vts_create_options_init_sized(struct vts_create_options *options, size_t size)
{
    fill(options, size, &create_defaults, sizeof(create_defaults));
}

void vts_decide_options_init_sized(struct vts_decide_options *options, size_t size)
{
    fill(options, size, &decide_defaults, sizeof(decide_defaults));
}

void vts_list_options_init_sized(struct vts_list_options *options, size_t size)
{
    fill(options, size, &list_defaults, sizeof(list_defaults));
}

void vts_lease_options_init_sized(struct vts_lease_options *options, size_t size)
{
    fill(options, size, &lease_defaults, sizeof(lease_defaults));
}

void vts_progress_init_sized(struct vts_progress *progress, size_t size)
{
    fill(progress, size, &progress_defaults, sizeof(progress_defaults));
}

void vts_fail_options_init_sized(struct vts_fail_options *options, size_t size)
{
    fill(options, size, &fail_defaults, sizeof(fail_defaults));
}

void vts_call_options_init_sized(struct vts_call_options *options, size_t size)
{
    fill(options, size, &call_defaults, sizeof(call_defaults));
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum vts_client_code complain(struct vts_client_error *error, const char *fault)
{
    return fault == NULL ? VTS_CLIENT_OK : vts_failure_set(error, VTS_CLIENT_USAGE, "%s", fault);
}

/* Copies what the caller knows over the defaults. False when an init function has not been there:
 * all fields of version 0.1 are those that are known now. */
static bool take(const void *options, void *ret_options, size_t known_size)
{
    size_t size;

    memcpy(&size, options, sizeof(size));
    if (size < known_size)
        return false;
    memcpy(ret_options, options, known_size);
    return true;
}

static bool is_within(double number, double max)
{
    return isfinite(number) && number >= 0 && number <= max;
}

/* A key has no '=', since filters are written key=value. */
static bool are_pairs(const struct vts_pair *pairs, size_t count)
{
    if (count > 0 && pairs == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (pairs[i].key == NULL || pairs[i].value == NULL || pairs[i].key[0] == '\0' ||
            strchr(pairs[i].key, '=') != NULL)
            return false;
    return true;
}

/* The server bounds how many there are; nobody waits for a longer list to be compared. */
enum { MAX_COMPARED_PAIRS = 64 };

static bool has_key_twice(const struct vts_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count && count <= MAX_COMPARED_PAIRS; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(pairs[i].key, pairs[j].key) == 0)
                return true;
    return false;
}

static const char *create_fault(const struct vts_create_options *options)
{
    if (options->source_uri == NULL || options->source_uri[0] == '\0')
        return "source_uri must not be empty: it says where the video is";
    if (options->target_language == NULL || options->target_language[0] == '\0')
        return "target_language must not be empty: it says into which language";
    if (!are_pairs(options->options, options->options_count))
        return "an option needs a key without '=', and a value";
    if (!are_pairs(options->labels, options->labels_count))
        return "a label needs a key without '=', and a value";
    if (has_key_twice(options->options, options->options_count))
        return "two options have the same key";
    if (has_key_twice(options->labels, options->labels_count))
        return "two labels have the same key";
    if (!is_within(options->timeout, max_seconds))
        return "timeout must be from 0 to a year";
    if (!is_within(options->ttl, max_seconds))
        return "ttl must be from 0 to a year";
    return NULL;
}

enum vts_client_code vts_create_options_read(const struct vts_create_options *options,
                                             struct vts_create_options *ret_options,
                                             struct vts_client_error *error)
{
    *ret_options = create_defaults;
    if (options == NULL || !take(options, ret_options, sizeof(*ret_options)))
        return complain(error, "the options were not made by vts_create_options_init()");
    return complain(error, create_fault(ret_options));
}

enum vts_client_code vts_decide_options_read(const struct vts_decide_options *options,
                                             struct vts_decide_options *ret_options,
                                             struct vts_client_error *error)
{
    *ret_options = decide_defaults;
    if (options != NULL && !take(options, ret_options, sizeof(*ret_options)))
        return complain(error, "the options were not made by vts_decide_options_init()");
    if (ret_options->etag != NULL && ret_options->etag[0] == '\0')
        return complain(error, "an etag is never empty");
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_list_options_read(const struct vts_list_options *options,
                                           struct vts_list_options *ret_options,
                                           struct vts_client_error *error)
{
    *ret_options = list_defaults;
    if (options == NULL)
        return VTS_CLIENT_OK;
    if (!take(options, ret_options, sizeof(*ret_options)))
        return complain(error, "the options were not made by vts_list_options_init()");
    if (ret_options->states_count > 0 && ret_options->states == NULL)
        return complain(error, "states are counted, but not there");
    if (!are_pairs(ret_options->labels, ret_options->labels_count))
        return complain(error, "a label needs a key without '=', and a value");
    return VTS_CLIENT_OK;
}

static const char *lease_fault(const struct vts_lease_options *options)
{
    if (options->queues_count > 0 && options->queues == NULL)
        return "queues are counted, but not there";
    for (size_t i = 0; i < options->queues_count; i++)
        if (options->queues[i] == NULL)
            return "a queue has no name";
    if (!are_pairs(options->labels, options->labels_count))
        return "a label needs a key without '=', and a value";
    if (!is_within(options->duration, 3600) || options->duration < 1)
        return "duration must be from 1 s to an hour";
    if (!is_within(options->wait, 300))
        return "wait must be from 0 to 300 s";
    return NULL;
}

enum vts_client_code vts_lease_options_read(const struct vts_lease_options *options,
                                            struct vts_lease_options *ret_options,
                                            struct vts_client_error *error)
{
    *ret_options = lease_defaults;
    if (options == NULL)
        return VTS_CLIENT_OK;
    if (!take(options, ret_options, sizeof(*ret_options)))
        return complain(error, "the options were not made by vts_lease_options_init()");
    return complain(error, lease_fault(ret_options));
}

enum vts_client_code vts_progress_read(const struct vts_progress *progress,
                                       struct vts_progress *ret_progress,
                                       struct vts_client_error *error)
{
    *ret_progress = progress_defaults;
    if (!take(progress, ret_progress, sizeof(*ret_progress)))
        return complain(error, "the progress was not made by vts_progress_init()");
    if (!is_within(ret_progress->percent, 100))
        return complain(error, "percent must be from 0 to 100");
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_fail_options_read(const struct vts_fail_options *options,
                                           struct vts_fail_options *ret_options,
                                           struct vts_client_error *error)
{
    *ret_options = fail_defaults;
    if (options == NULL)
        return VTS_CLIENT_OK;
    if (!take(options, ret_options, sizeof(*ret_options)))
        return complain(error, "the options were not made by vts_fail_options_init()");
    if (ret_options->code < 1 || ret_options->code > 16)
        return complain(error, "code must be one of gRPC's, 1 to 16");
    if (!isfinite(ret_options->retry_delay) || ret_options->retry_delay > max_seconds)
        return complain(error, "retry_delay must be at most a year");
    return VTS_CLIENT_OK;
}

/* ---- HTTP fields ----------------------------------------------------------------------------- */

/* What makes a call what it is, or a request a single one. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"accept-encoding",
                                           "connection",
                                           "content-encoding",
                                           "content-length",
                                           "content-type",
                                           "expect",
                                           "host",
                                           "te",
                                           "trailer",
                                           "transfer-encoding",
                                           "upgrade"};
    struct vts_str text = vts_str_of(name);

    if (strncasecmp(name, "connect-", strlen("connect-")) == 0)
        return true;
    for (size_t i = 0; i < VTS_ARRAY_LEN(reserved); i++)
        if (vts_str_equals_nocase(text, reserved[i]))
            return true;
    return false;
}

/* A token (RFC 9110 section 5.6.2). */
static bool is_field_name(const char *name)
{
    static const char token[] =
        "!#$%&'*+-.^_`|~0123456789"
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return name[0] != '\0' && strspn(name, token) == strlen(name);
}

static bool is_field_value(const char *value)
{
    for (; *value != '\0'; value++)
        if ((unsigned char)*value < 0x20 || *value == 0x7f)
            return false;
    return true;
}

static const char *field_fault(const struct vts_pair *field)
{
    if (field->key == NULL || field->value == NULL || !is_field_name(field->key))
        return "a field needs a name, of letters, digits and a few signs, and a value";
    if (!is_field_value(field->value))
        return "a field's value has a control character";
    if (strlen(field->key) + strlen(field->value) > MAX_FIELD_BYTES)
        return "a field has more than 8192 bytes";
    if (is_reserved(field->key))
        return "a field is one of those that a call has of its own";
    return NULL;
}

static const char *call_fault(const struct vts_call_options *options)
{
    const char *fault = NULL;

    if (options->kind < VTS_CALL_ANY || options->kind > VTS_CALL_STREAM)
        return "there is no such kind of call";
    if (options->fields_count > MAX_FIELDS)
        return "there are more than 64 fields";
    if (options->fields_count > 0 && options->fields == NULL)
        return "fields are counted, but not there";
    for (size_t i = 0; i < options->fields_count && fault == NULL; i++)
        fault = field_fault(&options->fields[i]);
    return fault;
}

enum vts_client_code vts_call_options_read(const struct vts_call_options *options,
                                           struct vts_call_options *ret_options,
                                           struct vts_client_error *error)
{
    *ret_options = call_defaults;
    if (options == NULL)
        return VTS_CLIENT_OK;
    if (!take(options, ret_options, sizeof(*ret_options)))
        return complain(error, "the options were not made by vts_call_options_init()");
    return complain(error, call_fault(ret_options));
}
