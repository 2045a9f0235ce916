/* SPDX-License-Identifier: Apache-2.0 */
/* wait_options.c - defaults and checks; `size` works as options.c says. */
#include "client/src/wait_options.h"

#include <math.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/options.h"

/* Safe to turn into nanoseconds. */
static const double max_seconds = 366.0 * 24 * 3600;

static const struct vts_wait_options defaults = {.size = sizeof(defaults), .max_failures = 5};

void vts_wait_options_init_sized(struct vts_wait_options *options, size_t size)
{
    memset(options, 0, size);
    memcpy(options, &defaults, size < sizeof(defaults) ? size : sizeof(defaults));
    options->size = size;
}

static const char *fault_in(const struct vts_wait_options *options)
{
    if (options->mode < VTS_WAIT_AUTO || options->mode > VTS_WAIT_POLL)
        return "mode is none of those there are";
    if (options->max_failures < 1)
        return "max_failures must be at least 1";
    if (!isfinite(options->deadline) || options->deadline > max_seconds)
        return "deadline must be at most a year";
    return NULL;
}

enum vts_client_code vts_wait_options_read(const struct vts_wait_options *options,
                                           struct vts_wait_options *ret_options,
                                           struct vts_poll_options *ret_schedule,
                                           struct vts_client_error *error)
{
    const char *fault;

    *ret_options = defaults;
    if (options != NULL && options->size < sizeof(defaults))
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "the options were not made by vts_wait_options_init()");
    if (options != NULL)
        memcpy(ret_options, options, sizeof(*ret_options));
    fault = fault_in(ret_options);
    if (fault != NULL)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "%s", fault);
    return vts_poll_options_read(ret_options->poll, ret_schedule, error);
}

const char *vts_wait_mode_word(enum vts_wait_mode mode)
{
    switch (mode) {
    case VTS_WAIT_AUTO:
        return "auto";
    case VTS_WAIT_WATCH:
        return "watch";
    case VTS_WAIT_LONG_POLL:
        return "long-poll";
    case VTS_WAIT_POLL:
        return "poll";
    }
    /* The number comes from the caller, who may hold one of a newer library. */
    return "unknown";
}
