/* SPDX-License-Identifier: Apache-2.0 */
/* flag_value.c - one case for each kind of value. */
#include "client/cli/flag_value.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/duration.h"

static bool read_bounded(const struct vts_cli_flag *flag, const char *value, double *ret_number)
{
    double number = 0;
    bool is_read = flag->kind == DURATION ? vts_cli_duration_parse(value, &number)
                                          : vts_cli_number_parse(value, &number);

    if (!is_read || number < flag->min || number > flag->max)
        return false;
    *ret_number = number;
    return true;
}

static bool read_integer(const char *value, long long min, long long max, long long *ret_number)
{
    char *end = NULL;
    long long number;

    if (strspn(value, "-0123456789") != strlen(value))
        return false;
    errno = 0;
    number = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

static bool read_format(const char *value, bool *ret_is_json)
{
    if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
        return false;
    *ret_is_json = value[0] == 'j';
    return true;
}

static bool add_word(const char *value, struct vts_cli_words *words)
{
    if (value[0] == '\0' || words->count == VTS_CLI_MAX_ITEMS)
        return false;
    words->items[words->count++] = value;
    return true;
}

/* Cuts at the separator; blanks behind it are no part of the value. */
static bool add_pair(char *value, char separator, struct vts_cli_pairs *pairs)
{
    char *at = strchr(value, separator);

    if (at == NULL || at == value || pairs->count == VTS_CLI_MAX_ITEMS)
        return false;
    *at++ = '\0';
    if (separator == ':')
        at += strspn(at, " \t");
    pairs->items[pairs->count++] = (struct vts_pair){.key = value, .value = at};
    return true;
}

static bool add_state(const char *value, struct vts_cli_states *states)
{
    /* By their numbers, from 1 on, as vts_status_state_word() has them. */
    static const char *const words[] = {"pending",   "running", "cancelling",
                                        "succeeded", "failed",  "cancelled"};

    if (states->count == VTS_CLI_MAX_ITEMS)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i], value) == 0) {
            states->items[states->count++] = (enum vts_state)(i + 1);
            return true;
        }
    return false;
}

static bool read_mode(const char *value, enum vts_wait_mode *ret_mode)
{
    for (int mode = VTS_WAIT_AUTO; mode <= VTS_WAIT_POLL; mode++)
        if (strcmp(vts_wait_mode_word((enum vts_wait_mode)mode), value) == 0) {
            *ret_mode = (enum vts_wait_mode)mode;
            return true;
        }
    return false;
}

bool vts_cli_flag_value_read(const struct vts_cli_flag *flag, char *value,
                             struct vts_cli_options *options)
{
    void *field = (char *)options + flag->offset;
    long long integer = 0;

    switch (flag->kind) {
    case SWITCH:
        *(bool *)field = true;
        return true;
    case TEXT:
    case FILENAME:
        *(const char **)field = value;
        return value[0] != '\0';
    case FORMAT:
        return read_format(value, field);
    case DURATION:
    case NUMBER:
        return read_bounded(flag, value, field);
    case RETRIES:
        if (!read_integer(value, -1, INT64_MAX, &integer))
            return false;
        *(int64_t *)field = integer;
        return true;
    case COUNT:
        if (!read_integer(value, 1, UINT_MAX, &integer))
            return false;
        *(unsigned *)field = (unsigned)integer;
        return true;
    case INTEGER:
        if (!read_integer(value, (long long)flag->min, (long long)flag->max, &integer))
            return false;
        *(int *)field = (int)integer;
        return true;
    case MODE:
        return read_mode(value, field);
    case POLICY:
        return vts_poll_options_preset(field, value) == VTS_CLIENT_OK;
    case WORDS:
        return add_word(value, field);
    case PAIRS:
        return add_pair(value, '=', field);
    case FIELDS:
        return add_pair(value, ':', field);
    case STATES:
        return add_state(value, field);
    }
    return false;
}

const char *vts_cli_flag_value_wanted(const struct vts_cli_flag *flag, char *text, size_t size)
{
    switch (flag->kind) {
    case SWITCH:
        return "no value";
    case TEXT:
    case FILENAME:
        return "a value that is not empty";
    case FORMAT:
        return "'text' or 'json'";
    case DURATION:
        if (flag->max >= VTS_CLI_A_YEAR)
            return flag->min > 0 ? "a time such as 2, 500ms, 2s or 5m, above 0 and at most a year"
                                 : "a time such as 2, 500ms, 2s or 5m, at most a year";
        (void)snprintf(text, size, "a time such as 20s or 5m, from %g s to %g s", flag->min,
                       flag->max);
        return text;
    case NUMBER:
        (void)snprintf(text, size, "a number from %g to %g", flag->min, flag->max);
        return text;
    case RETRIES:
        return "a whole number, or -1 for no limit";
    case COUNT:
        return "a whole number from 1";
    case INTEGER:
        (void)snprintf(text, size, "a whole number from %.0f to %.0f", flag->min, flag->max);
        return text;
    case MODE:
        return "auto, watch, long-poll or poll";
    case POLICY:
        return "default, gax-go, api-core-python, azure, smithy, heygen-cli, openai-python or "
               "plain";
    case WORDS:
        (void)snprintf(text, size, "a value that is not empty, %d times at most",
                       VTS_CLI_MAX_ITEMS);
        return text;
    case PAIRS:
        (void)snprintf(text, size, "KEY=VALUE, %d times at most", VTS_CLI_MAX_ITEMS);
        return text;
    case FIELDS:
        (void)snprintf(text, size, "'NAME: VALUE', %d times at most", VTS_CLI_MAX_ITEMS);
        return text;
    case STATES:
        return "pending, running, cancelling, succeeded, failed or cancelled";
    }
    return "";
}
