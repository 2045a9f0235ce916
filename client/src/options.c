/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - defaults and checks.
 *
 * `size` says how long the caller's struct is: a program built against an older header has a
 * shorter one, and what it lacks keeps its default; one built against a newer header has more than
 * we know, and what we do not know we do not read.
 */
#include "client/src/options.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "client/src/failure.h"
#include "common/base/str.h"

enum { MAX_PROXY_LEN = 512 };

/* The fields of version 0.1; nobody has fewer. */
static const size_t least_client_size =
    offsetof(struct vts_client_options, log_context) + sizeof(void *);
static const size_t least_poll_size = offsetof(struct vts_poll_options, context) + sizeof(void *);

/* A year: longer than any of it can mean, and safe to turn into nanoseconds. */
static const double max_seconds = 366.0 * 24 * 3600;

static struct vts_client_options default_client_options(void)
{
    return (struct vts_client_options){.size = sizeof(struct vts_client_options),
                                       .url = "https://localhost:5000",
                                       .connect_timeout = 10,
                                       .request_timeout = 10};
}

static struct vts_poll_options default_poll_options(void)
{
    return (struct vts_poll_options){.size = sizeof(struct vts_poll_options),
                                     .max_retries = -1,
                                     .interval = 1,
                                     .backoff_factor = 1.5,
                                     .max_interval = 20,
                                     .jitter = 0.2,
                                     .max_failures = 5,
                                     .hint_factor = 1};
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void vts_client_options_init_sized(struct vts_client_options *options, size_t size)
{
    struct vts_client_options defaults = default_client_options();

    memset(options, 0, size);
    memcpy(options, &defaults, smaller(size, sizeof(defaults)));
    options->size = size;
}

void vts_poll_options_init_sized(struct vts_poll_options *options, size_t size)
{
    struct vts_poll_options defaults = default_poll_options();

    memset(options, 0, size);
    memcpy(options, &defaults, smaller(size, sizeof(defaults)));
    options->size = size;
}

/* "sha256//" and 32 bytes in base64, which end with one '='. */
static bool is_pin(struct vts_str pin)
{
    static const char start[] = "sha256//";
    static const char base64[] =
        "0123456789+/"
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    enum { START_LEN = sizeof(start) - 1, DIGITS = 43 };

    if (pin.len != START_LEN + DIGITS + 1 || !vts_str_starts_with(pin, start) ||
        pin.ptr[pin.len - 1] != '=')
        return false;
    for (size_t i = START_LEN; i < pin.len - 1; i++)
        if (strchr(base64, pin.ptr[i]) == NULL)
            return false;
    return true;
}

static bool are_pins(const char *pinned_key)
{
    struct vts_str rest = vts_str_of(pinned_key);
    struct vts_str pin;

    while (vts_str_split(&rest, ';', &pin))
        if (!is_pin(pin))
            return false;
    return true;
}

static bool is_proxy(const char *proxy)
{
    for (const char *at = proxy; *at != '\0'; at++)
        if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f)
            return false;
    return strlen(proxy) <= MAX_PROXY_LEN;
}

/* As the value of a field of HTTP. */
static bool is_user_agent(const char *user_agent)
{
    for (const char *at = user_agent; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    return true;
}

static bool is_timeout(double seconds)
{
    return isfinite(seconds) && seconds > 0 && seconds <= max_seconds;
}

enum vts_client_code vts_client_options_read(const struct vts_client_options *options,
                                             struct vts_client_options *ret_options,
                                             struct vts_client_error *error)
{
    *ret_options = default_client_options();
    if (options == NULL || options->size < least_client_size)
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "the options were not made by vts_client_options_init()");
    memcpy(ret_options, options, smaller(options->size, sizeof(*ret_options)));
    if (ret_options->url == NULL)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "there is no URL");
    if ((ret_options->cert_file == NULL) != (ret_options->key_file == NULL))
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "a client certificate and its key go together: %s is missing",
                               ret_options->key_file == NULL ? "the key" : "the certificate");
    if (!is_timeout(ret_options->connect_timeout))
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "connect_timeout must be above 0 and at most a year");
    if (!is_timeout(ret_options->request_timeout))
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "request_timeout must be above 0 and at most a year");
    if (ret_options->user_agent != NULL && !is_user_agent(ret_options->user_agent))
        return vts_failure_set(error, VTS_CLIENT_USAGE, "user_agent has a control character");
    if (ret_options->pinned_key != NULL && !are_pins(ret_options->pinned_key))
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "a pinned key is sha256// and 44 characters of base64; several have "
                               "';' between");
    if (ret_options->proxy != NULL && !is_proxy(ret_options->proxy))
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "a proxy is [SCHEME://]HOST[:PORT], of printable characters");
    return VTS_CLIENT_OK;
}

static const char *poll_options_fault(const struct vts_poll_options *options)
{
    if (!is_timeout(options->interval) || options->interval < 0.001)
        return "interval must be at least 0.001 s and at most a year";
    if (!isfinite(options->backoff_factor) || options->backoff_factor < 1)
        return "backoff_factor must be at least 1";
    if (!is_timeout(options->max_interval))
        return "max_interval must be above 0 and at most a year";
    if (!isfinite(options->jitter) || options->jitter < 0 || options->jitter > 1)
        return "jitter must be between 0 and 1";
    if (options->jitter_kind < VTS_JITTER_AROUND || options->jitter_kind > VTS_JITTER_ABOVE_LEAST)
        return "jitter_kind is none of those there are";
    if (!isfinite(options->max_hint) || options->max_hint < 0 || options->max_hint > max_seconds)
        return "max_hint must be from 0 to a year";
    if (!(options->hint_factor >= 0.1 && options->hint_factor <= 2))
        return "hint_factor must be from 0.1 to 2";
    if (options->max_failures < 1)
        return "max_failures must be at least 1";
    if (!isfinite(options->deadline) || options->deadline > max_seconds)
        return "deadline must be at most a year";
    return NULL;
}

enum vts_client_code vts_poll_options_read(const struct vts_poll_options *options,
                                           struct vts_poll_options *ret_options,
                                           struct vts_client_error *error)
{
    const char *fault;

    *ret_options = default_poll_options();
    if (options == NULL)
        return VTS_CLIENT_OK;
    if (options->size < least_poll_size)
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "the options were not made by vts_poll_options_init()");
    memcpy(ret_options, options, smaller(options->size, sizeof(*ret_options)));
    fault = poll_options_fault(ret_options);
    if (fault != NULL)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "%s", fault);
    if (ret_options->max_interval < ret_options->interval)
        ret_options->max_interval = ret_options->interval;
    return VTS_CLIENT_OK;
}

struct vts_backoff vts_poll_options_backoff(const struct vts_poll_options *options)
{
    return (struct vts_backoff){.interval = options->interval,
                                .factor = options->backoff_factor,
                                .max_interval = options->max_interval,
                                .jitter = options->jitter,
                                .kind = options->jitter_kind,
                                .max_hint = options->max_hint,
                                .hint_factor = options->hint_factor};
}
