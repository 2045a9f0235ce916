/* SPDX-License-Identifier: Apache-2.0 */
/* poller.c - asks, judges, waits, until one of the ends below.
 *
 * Three clocks stay apart: the timeout of one request is the transport's, the retries of failed
 * requests and the schedule of questions are reckoned here, by backoff.h. Each turn of the loop is
 * one question; it ends in one verdict.
 */
#include "client/src/poller.h"

#include <math.h>
#include <stdio.h>

#include "client/src/backoff.h"
#include "client/src/failure.h"
#include "client/src/options.h"
#include "client/src/status.h"
#include "common/base/clock.h"

enum verdict {
    GO_ON,
    DONE,           /* nothing will change any more */
    FATAL,          /* a failure that will not pass */
    TOO_MANY_FAILS, /* max_failures in a row */
    NO_RETRIES,     /* max_retries are used up */
    NO_TIME,        /* the deadline is there */
};

struct poll {
    const struct vts_poll_source *source;
    const struct vts_poll_options *options;
    struct vts_backoff backoff;
    struct vts_rng rng;
    int64_t start_ns;
    int64_t end_ns; /* INT64_MAX: no deadline */
    unsigned tries;
    unsigned failures;     /* in a row */
    uint64_t waits;        /* after pending answers */
    bool is_last_question; /* the deadline leaves no time for another */
    double hint;           /* of the last answer */
    double known_hint;     /* of the last good one that had any */
    bool is_changed;       /* by the last answer */
    struct vts_status *status;
};

static double seconds_between(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) / VTS_NS_PER_S;
}

static void start(struct poll *poll, const struct vts_poll_source *source,
                  const struct vts_poll_options *options)
{
    *poll = (struct poll){.source = source,
                          .options = options,
                          .backoff = vts_poll_options_backoff(options),
                          .known_hint = -1,
                          .start_ns = source->now_ns(source->self),
                          .end_ns = INT64_MAX};
    vts_rng_init(&poll->rng,
                 options->jitter_seed != 0 ? options->jitter_seed : vts_rng_seed_from_system());
    if (options->deadline > 0)
        poll->end_ns = poll->start_ns + (int64_t)(options->deadline * VTS_NS_PER_S);
}

static double time_left(const struct poll *poll)
{
    if (poll->end_ns == INT64_MAX)
        return INFINITY;
    return seconds_between(poll->source->now_ns(poll->source->self), poll->end_ns);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void take_status(struct poll *poll, struct vts_status *status)
{
    poll->is_changed = poll->status == NULL ||
                       vts_status_revision(poll->status) != vts_status_revision(status) ||
                       vts_status_is_done(poll->status) != vts_status_is_done(status);
    vts_status_free(poll->status);
    poll->status = status;
}

static enum vts_client_code ask(struct poll *poll, struct vts_client_error *error)
{
    const struct vts_poll_source *source = poll->source;
    double timeout = fmin(source->request_timeout, fmax(time_left(poll), 0.001));
    struct vts_fetch fetch;
    enum vts_client_code code = source->fetch(source->self, timeout, &fetch, error);

    poll->tries++;
    poll->hint = fetch.hint;
    poll->is_changed = false;
    if (code == VTS_CLIENT_OK) {
        poll->failures = 0;
        if (poll->hint >= 0 && !(poll->options->is_first_hint_kept && poll->status != NULL))
            poll->known_hint = poll->hint;
        poll->hint = poll->known_hint;
        take_status(poll, fetch.status);
    } else {
        poll->failures++;
    }
    return code;
}

static enum verdict judge(const struct poll *poll, const struct vts_client_error *error)
{
    const struct vts_poll_options *options = poll->options;
    bool is_failed = poll->failures > 0;

    if (!is_failed && vts_status_is_done(poll->status))
        return DONE;
    if (is_failed && !vts_failure_may_pass(error))
        return FATAL;
    if (time_left(poll) <= 0)
        return NO_TIME;
    if (poll->failures >= options->max_failures)
        return TOO_MANY_FAILS;
    if (poll->is_last_question)
        return NO_TIME;
    if (options->max_retries >= 0 && (int64_t)poll->tries > options->max_retries)
        return NO_RETRIES;
    return GO_ON;
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* The last question goes out a little before the deadline, so that its answer can still come. */
static double fit_to_deadline(struct poll *poll, double wait)
{
    double left = time_left(poll);

    if (wait < left)
        return wait;
    poll->is_last_question = true;
    return fmax(left - fmin(left / 2, 1), 0);
}

static double next_wait(struct poll *poll)
{
    double hint = poll->options->ignore_hints ? -1 : poll->hint;
    double wait;

    if (poll->failures > 0)
        wait = vts_backoff_retry_wait(&poll->backoff, poll->failures, hint, &poll->rng);
    else
        wait = vts_backoff_poll_wait(&poll->backoff, poll->waits++, hint, &poll->rng);
    return fit_to_deadline(poll, wait);
}

static bool tell(const struct poll *poll, const struct vts_client_error *error, double wait)
{
    struct vts_poll_event event = {.status = poll->status,
                                   .error = poll->failures > 0 ? error : NULL,
                                   .is_changed = poll->is_changed,
                                   .tries = poll->tries,
                                   .next_poll = wait};

    if (poll->failures > 0)
        vts_log_write(&poll->source->log, "try %u failed: %.400s", poll->tries, error->text);
    if (wait >= 0)
        vts_log_write(&poll->source->log, "next question in %.3f s%s", wait,
                      poll->hint >= 0 && !poll->options->ignore_hints ? ", as the server suggests"
                                                                      : "");
    return poll->options->on_status == NULL ||
           poll->options->on_status(&event, poll->options->context);
}

/* ---- ending ---------------------------------------------------------------------------------- */

static enum vts_client_code give_up(const struct poll *poll, const char *why,
                                    struct vts_client_error *error)
{
    char last[320];
    char failure[sizeof(error->text)] = "";
    double seconds = seconds_between(poll->start_ns, poll->source->now_ns(poll->source->self));

    if (poll->failures > 0)
        (void)snprintf(failure, sizeof(failure), "; the last try failed: %.400s", error->text);
    vts_status_describe(poll->status, last, sizeof(last));
    return vts_failure_set(error, VTS_CLIENT_GAVE_UP, "gave up after %u %s in %.3g s, %s; %s%s",
                           poll->tries, poll->tries == 1 ? "try" : "tries", seconds, why, last,
                           failure);
}

/* Keeps the failure's own code, and adds how often it was tried. */
static enum vts_client_code fail(const struct poll *poll, struct vts_client_error *error)
{
    struct vts_client_error first = *error;
    double seconds = seconds_between(poll->start_ns, poll->source->now_ns(poll->source->self));

    if (poll->tries == 1)
        return first.code;
    return vts_failure_set(error, first.code, "%.400s (%u of %u tries failed, %.3g s)", first.text,
                           poll->failures, poll->tries, seconds);
}

static enum vts_client_code finish(const struct poll *poll, enum verdict verdict,
                                   struct vts_client_error *error)
{
    switch (verdict) {
    case GO_ON:
        return vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    case DONE:
        return VTS_CLIENT_OK;
    case FATAL:
        return error->code;
    case TOO_MANY_FAILS:
        return fail(poll, error);
    case NO_RETRIES:
        if (poll->status == NULL)
            return fail(poll, error);
        return give_up(poll, "as many as max_retries allows", error);
    case NO_TIME:
        if (poll->status == NULL && poll->failures > 0)
            return fail(poll, error);
        return give_up(poll, "at the deadline", error);
    }
    return error->code;
}

enum vts_client_code vts_poller_run(const struct vts_poll_source *source,
                                    const struct vts_poll_options *options,
                                    struct vts_status **ret_status, struct vts_client_error *error)
{
    struct poll poll;
    enum verdict verdict = GO_ON;
    bool is_wanted = true;

    start(&poll, source, options);
    while (is_wanted && verdict == GO_ON) {
        double wait = -1;

        (void)ask(&poll, error); /* the code is in *error, and failures counts it */
        verdict = judge(&poll, error);
        if (verdict == GO_ON)
            wait = next_wait(&poll);
        is_wanted = tell(&poll, error, wait);
        if (is_wanted && verdict == GO_ON)
            is_wanted = source->wait(source->self, wait);
    }
    *ret_status = poll.status;
    return finish(&poll, verdict, error);
}

/* ---- against a real client ------------------------------------------------------------------- */

struct client_poll {
    struct vts_client *client;
    const char *job_id;
};

static enum vts_client_code fetch_from_client(void *self, double timeout,
                                              struct vts_fetch *ret_fetch,
                                              struct vts_client_error *error)
{
    struct client_poll *poll = self;

    return vts_client_fetch(poll->client, poll->job_id, timeout, ret_fetch, error);
}

static bool wait_with_client(void *self, double seconds)
{
    struct client_poll *poll = self;

    return vts_transport_wait(poll->client->transport, seconds);
}

static int64_t now_ns(void *self)
{
    (void)self; /* there is one clock */
    return vts_clock_now_ns();
}

enum vts_client_code vts_poll_status(struct vts_client *client, const char *job_id,
                                     const struct vts_poll_options *options,
                                     struct vts_status **ret_status, struct vts_client_error *error)
{
    struct client_poll poll = {client, job_id};
    struct vts_poll_source source = {.self = &poll,
                                     .fetch = fetch_from_client,
                                     .wait = wait_with_client,
                                     .now_ns = now_ns,
                                     .request_timeout = client->request_timeout,
                                     .log = client->log};
    struct vts_poll_options checked;
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    *ret_status = NULL;
    code = vts_poll_options_read(options, &checked, error);
    if (code == VTS_CLIENT_OK)
        code = vts_client_check_job_id(job_id, error);
    if (code != VTS_CLIENT_OK)
        return code;
    return vts_poller_run(&source, &checked, ret_status, error);
}
