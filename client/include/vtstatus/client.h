/* SPDX-License-Identifier: Apache-2.0 */
/* vtstatus/client.h - asks a vtstatusd how a video-translation job is doing.
 *
 *     struct vts_client_options options;
 *     struct vts_client *client = NULL;
 *     struct vts_status *status = NULL;
 *     struct vts_client_error error;
 *
 *     vts_client_options_init(&options);
 *     options.url = "https://localhost:5000";
 *     if (vts_client_new(&options, &client, &error) != VTS_CLIENT_OK ||
 *         vts_poll_status(client, "default", NULL, &status, &error) != VTS_CLIENT_OK)
 *         fprintf(stderr, "%s\n", error.text);
 *     else
 *         puts(vts_status_word(status));
 *     vts_status_free(status);
 *     vts_client_free(client);
 *
 * Conventions. Functions that can fail return enum vts_client_code and write their ret_ parameters
 * only as said there. An `error` parameter may be NULL. free functions accept NULL. Strings are
 * UTF-8 and NUL-terminated; those a function takes are copied, those it returns live as long as the
 * object they were asked of. Times are seconds as double where a person sets them, and nanoseconds
 * since the Unix epoch where they are instants.
 *
 * Threads. A client, with its one connection, is for one thread at a time; different clients are
 * independent. vts_client_cancel() alone may be called from any thread, while the client lives. A
 * status is immutable and may be read by any number of threads.
 *
 * The library never prints, exits, aborts or installs signal handlers.
 */
#ifndef VTSTATUS_CLIENT_H
#define VTSTATUS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vtstatus/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library in use, such as "0.1.0". */
VTS_API const char *vts_version(void);

/* ---- outcomes ---------------------------------------------------------------------------- */

/* Values are stable; a newer library may add some at the end. */
enum vts_client_code {
    VTS_CLIENT_OK = 0,
    VTS_CLIENT_USAGE = 1, /* an argument is wrong, by the library's judgement or the server's */
    VTS_CLIENT_NO_MEMORY = 2,
    VTS_CLIENT_CANCELLED = 3, /* vts_client_cancel() was called */
    VTS_CLIENT_RESOLVE = 4,   /* the host's name has no address */
    VTS_CLIENT_CONNECT = 5,   /* refused, unreachable, or gone before it answered */
    VTS_CLIENT_TLS = 6, /* no trust: certificate, name, version, or a file that cannot be read */
    VTS_CLIENT_TIMEOUT = 7,      /* one request got no answer in its time */
    VTS_CLIENT_NOT_FOUND = 8,    /* the server knows no such job */
    VTS_CLIENT_DENIED = 9,       /* not allowed (HTTP 401 or 403) */
    VTS_CLIENT_UNAVAILABLE = 10, /* the server cannot serve now (HTTP 429, 502, 503, 504) */
    VTS_CLIENT_REFUSED = 11,     /* any other HTTP status that is no success */
    VTS_CLIENT_UNDECODABLE = 12, /* the answer is not what was asked for */
    VTS_CLIENT_GAVE_UP = 13,     /* waiting ended by max_retries or deadline; the job goes on */
    VTS_CLIENT_CONFLICT = 14,    /* the job's state does not allow it, or it exists already */
    VTS_CLIENT_LEASE_LOST = 15,  /* the job is no longer this worker's */
};

/* What went wrong and with whom, for people: "cannot reach https://localhost:5000: connection
 * refused". */
struct vts_client_error {
    enum vts_client_code code;
    int http_code; /* of the last answer; 0 when there was none */
    char text[512];
    int rpc_code;    /* gRPC's number of what a call was answered with; 0 for none */
    char reason[64]; /* for programs, such as "LEASE_LOST"; "" when the server gave none */
};

/* The code's name in lower case, such as "not_found"; never NULL. */
VTS_API const char *vts_client_code_name(enum vts_client_code code);

/* ---- a job's status ---------------------------------------------------------------------- */

struct vts_status;

/* Numbers as in the proto: vtstatus.v1.Status and vtstatus.v1.State. */
enum vts_status_value {
    VTS_STATUS_UNSPECIFIED = 0,
    VTS_STATUS_PENDING = 1,
    VTS_STATUS_COMPLETED = 2,
    VTS_STATUS_ERROR = 3,
};

enum vts_state {
    VTS_STATE_UNSPECIFIED = 0,
    VTS_STATE_PENDING = 1,
    VTS_STATE_RUNNING = 2,
    VTS_STATE_CANCELLING = 3,
    VTS_STATE_SUCCEEDED = 4,
    VTS_STATE_FAILED = 5,
    VTS_STATE_CANCELLED = 6,
};

/* Why a job is in VTS_STATE_PENDING; numbers of vtstatus.v1.PendingReason. */
enum vts_pending_reason {
    VTS_PENDING_UNSPECIFIED = 0,
    VTS_PENDING_QUEUED = 1,    /* for a worker */
    VTS_PENDING_SCHEDULED = 2, /* for the time it was submitted for */
    VTS_PENDING_BACKOFF = 3,   /* for a while, as the last attempt failed */
};

VTS_API void vts_status_free(struct vts_status *status);
/* Another owner of the same status; never fails. */
VTS_API struct vts_status *vts_status_ref(const struct vts_status *status);
VTS_API const char *vts_status_job_id(const struct vts_status *status);
VTS_API enum vts_status_value vts_status_value(const struct vts_status *status);
/* "pending", "completed", "error", or "unspecified". */
VTS_API const char *vts_status_word(const struct vts_status *status);
VTS_API enum vts_state vts_status_state(const struct vts_status *status);
/* "pending", "running", "cancelling", "succeeded", "failed", "cancelled", or "unspecified". */
VTS_API const char *vts_status_state_word(const struct vts_status *status);
VTS_API enum vts_pending_reason vts_status_pending_reason(const struct vts_status *status);
/* Whether nothing will change any more. */
VTS_API bool vts_status_is_done(const struct vts_status *status);
VTS_API uint64_t vts_status_revision(const struct vts_status *status);
/* The server's hint, in seconds; negative when it gave none. */
VTS_API double vts_status_poll_after(const struct vts_status *status);
/* 0 to 100. */
VTS_API double vts_status_percent(const struct vts_status *status);
/* The phase's name; "" when there is none. Index and count are 0 then. */
VTS_API const char *vts_status_phase(const struct vts_status *status);
VTS_API int vts_status_phase_index(const struct vts_status *status);
VTS_API int vts_status_phase_count(const struct vts_status *status);
/* What the worker says of its progress; "" when nothing. */
VTS_API const char *vts_status_message(const struct vts_status *status);
/* The gRPC code of the job's own failure, and its text; 0 and "" when it did not fail. */
VTS_API int vts_status_error_code(const struct vts_status *status);
VTS_API const char *vts_status_error_message(const struct vts_status *status);
/* Of the worker's try under way, or of the last one; counts from 1, and is 0 before the first. A
 * retry begins anew. */
VTS_API int vts_status_attempt(const struct vts_status *status);
VTS_API int vts_status_queue_position(const struct vts_status *status);
/* Nanoseconds since the Unix epoch; 0 when unknown. */
VTS_API int64_t vts_status_update_time_ns(const struct vts_status *status);
VTS_API int64_t vts_status_estimated_completion_time_ns(const struct vts_status *status);
/* Where the result lies; "" until it does. */
VTS_API const char *vts_status_output_uri(const struct vts_status *status);
/* The status as one line of JSON, as the server's own `GET /status` writes it (camelCase names,
 * lower-case enum words), without a line end. The caller frees it with vts_string_free().
 * VTS_CLIENT_NO_MEMORY when it does not fit. */
VTS_API enum vts_client_code vts_status_to_json(const struct vts_status *status, char **ret_json);
VTS_API void vts_string_free(char *string);

/* ---- a client ---------------------------------------------------------------------------- */

struct vts_client;

/* Told what the library does, for logs; text has no line end. Called in the thread that called the
 * library; must not call it back with the same client, vts_client_cancel() excepted. */
typedef void (*vts_log_fn)(const char *text, void *context);

/* A label, an option of a translation, or a field of HTTP. */
struct vts_pair {
    const char *key;
    const char *value;
};

/* A request in a form that people can read and other programs can send: with JSON where the library
 * itself sends protobuf. Newer libraries may add fields at the end: never copy it. */
struct vts_http_request {
    const char *method; /* "GET" or "POST" */
    const char *url;
    const struct vts_pair *fields; /* those that matter, without the bearer token */
    size_t fields_count;
    const char
        *body; /* and a NUL; NULL: none. A stream's begins with the five bytes of an envelope */
    size_t body_len;
    double timeout; /* s, from start to the answer's end; not positive: none */
    bool is_without_proxy;
};

/* Told of each request before it is sent, each try of it; what it is told of is gone after the
 * return. Returning false: it is not sent, and the call, or the wait, ends with
 * VTS_CLIENT_CANCELLED. Called in the thread that called the library, or that runs the wait; must
 * not call it back with the same client, vts_client_cancel() excepted. */
typedef bool (*vts_request_fn)(const struct vts_http_request *request, void *context);

struct vts_client_options {
    size_t size; /* set by vts_client_options_init; tells which fields the caller knows */
    /* https://HOST[:PORT]; http:// only to a loopback address. Default https://localhost:5000. */
    const char *url;
    const char *ca_file;    /* PEM; trusted instead of the system's store. NULL: that one */
    const char *cert_file;  /* the client's certificate, PEM; NULL: none */
    const char *key_file;   /* its key, PEM without a pass phrase; needed with cert_file */
    double connect_timeout; /* s; default 10 */
    double request_timeout; /* s, from the request's start to the end of its answer; default 10 */
    const char *user_agent; /* put in front of the library's own; NULL: none */
    vts_log_fn on_log;      /* NULL: none */
    void *log_context;
    vts_request_fn on_request; /* NULL: none */
    void *request_context;
    /* A file with a bearer token, sent as `Authorization: Bearer TOKEN` with each request. It is
     * read anew for each, so that it may be changed; while it cannot be read, or holds no token,
     * the last one is used. Printable ASCII of 8192 characters at most; white space around it does
     * not count. NULL: none. */
    const char *token_file;
    /* SHA-256 of public keys, of which the server's must be one beside all other checks:
     * "sha256//BASE64", several with ';' between. NULL: any. */
    const char *pinned_key;
    /* As curl's --proxy: [SCHEME://][USER:PASSWORD@]HOST[:PORT], "" for none. NULL: what the
     * environment says (https_proxy, all_proxy, no_proxy). Addresses of this machine are never
     * reached through one. */
    const char *proxy;
};

/* Fills in the defaults. `size` is sizeof(*options) as the caller compiled it: a newer library may
 * know a longer struct and must not write past this one. */
VTS_API void vts_client_options_init_sized(struct vts_client_options *options, size_t size);
static inline void vts_client_options_init(struct vts_client_options *options)
{
    vts_client_options_init_sized(options, sizeof(*options));
}

/* Makes a client; it connects at its first request and then keeps one HTTP/2 connection.
 * VTS_CLIENT_USAGE for a bad option, VTS_CLIENT_TLS for a file that cannot be read,
 * VTS_CLIENT_NO_MEMORY. The first call in a process sets libcurl up; call it before other threads
 * start when the program uses libcurl elsewhere too. */
VTS_API enum vts_client_code vts_client_new(const struct vts_client_options *options,
                                            struct vts_client **ret_client,
                                            struct vts_client_error *error);
VTS_API void vts_client_free(struct vts_client *client);

/* Ends the call in progress, unless its answer has come already, and every later one, with
 * VTS_CLIENT_CANCELLED. From any thread; not from a signal handler. */
VTS_API void vts_client_cancel(struct vts_client *client);

/* Asks once, over HTTP/2 where the server speaks it. job_id NULL or "" means "default"; it has 1 to
 * 128 characters of [A-Za-z0-9._~-], otherwise it is VTS_CLIENT_USAGE.
 * Sends the ETag of the status it got last for this job, and returns that one again on a 304, with
 * the hint it had then.
 * *ret_status belongs to the caller and is written only on VTS_CLIENT_OK. A job that failed is
 * VTS_CLIENT_OK: its failure is data. */
VTS_API enum vts_client_code vts_get_status(struct vts_client *client, const char *job_id,
                                            struct vts_status **ret_status,
                                            struct vts_client_error *error);

/* Asks whether the server is up and serves (GET /healthz): VTS_CLIENT_OK when it is. */
VTS_API enum vts_client_code vts_check_health(struct vts_client *client,
                                              struct vts_client_error *error);

/* ---- polling ----------------------------------------------------------------------------- */

/* What just happened, and when the next question goes out. */
struct vts_poll_event {
    const struct vts_status *status;      /* the newest known; NULL when none came yet */
    const struct vts_client_error *error; /* NULL: this try succeeded */
    bool is_changed;                      /* the revision differs from the one told before */
    unsigned tries;                       /* requests sent so far */
    double next_poll;                     /* s; negative: this was the last */
};

/* Called after every try, in the polling thread. Returning false ends the polling with
 * VTS_CLIENT_CANCELLED. */
typedef bool (*vts_poll_fn)(const struct vts_poll_event *event, void *context);

/* How a wait is drawn at random. */
enum vts_jitter_kind {
    VTS_JITTER_AROUND = 0,      /* around it: as much less or more as `jitter` says */
    VTS_JITTER_FULL = 1,        /* from 0 up to it */
    VTS_JITTER_ABOVE_LEAST = 2, /* from interval up to it */
};

struct vts_poll_options {
    size_t size;           /* set by vts_poll_options_init */
    int64_t max_retries;   /* how often to ask again, after a pending answer or a failed one alike;
                              negative: no limit. Default -1 */
    double interval;       /* s to the second question; default 1 */
    double backoff_factor; /* at least 1; each wait is the last one times this. Default 1.5 */
    double max_interval;   /* s, before jitter; below interval it counts as that. Default 20 */
    double jitter;         /* share of a wait drawn at random around it, 0 to 1. Default 0.2 */
    uint64_t jitter_seed;  /* 0: a new one each run; otherwise the same waits each run */
    unsigned max_failures; /* failed requests in a row before giving up; at least 1. Default 5 */
    double deadline;       /* s for the whole polling; not positive: none. Default 0 */
    bool ignore_hints;     /* wait by the schedule alone, whatever the server suggests */
    vts_poll_fn on_status; /* NULL: none */
    void *context;         /* for on_status */
    enum vts_jitter_kind
        jitter_kind; /* of the schedule's waits; a hint is drawn around, or taken as
                        it is. With VTS_JITTER_AROUND alone jitter says how much */
    double max_hint; /* s; the longest hint that is obeyed. 0: max_interval. Default 0 */
    /* A hint is half of what the server expects to be left. Waiting for this times it, within the
     * same bounds, asks less often towards the end, and learns of it later when the server errs.
     * From 0.1 to 2. Default 1 */
    double hint_factor;
    /* The hint of a job's first answer counts for all its waits; without one there, none does.
     * Default false */
    bool is_first_hint_kept;
};

/* As vts_client_options_init_sized. */
VTS_API void vts_poll_options_init_sized(struct vts_poll_options *options, size_t size);
static inline void vts_poll_options_init(struct vts_poll_options *options)
{
    vts_poll_options_init_sized(options, sizeof(*options));
}

/* Sets the schedule as others have it: interval, backoff_factor, max_interval, jitter and its kind,
 * deadline, ignore_hints, max_hint, is_first_hint_kept. Names are "default", "gax-go",
 * "api-core-python", "azure", "smithy", "heygen-cli", "openai-python" and "plain"; what each of
 * them is, vts_poll_status(3) says. VTS_CLIENT_USAGE for any other, or none, or options that were
 * not initialised, or NULL. */
VTS_API enum vts_client_code vts_poll_options_preset(struct vts_poll_options *options,
                                                     const char *name);
/* The names, from index 0 on; NULL behind the last one. */
VTS_API const char *vts_poll_preset_name(size_t index);

/* Asks until the job is done. options NULL means the defaults.
 *
 * Waits between questions by the server's hint when there is one, bounded by interval and
 * max_interval, else by the schedule interval, interval * backoff_factor, ... up to max_interval;
 * jitter applies to both. Failures that may pass (resolving, connecting, timeouts, HTTP 429 and
 * 5xx, answers that cannot be read) are retried after a random part of the schedule's wait, or
 * after Retry-After within max_interval, until max_failures in a row; others (trust, not found, not
 * allowed, usage) end it at once. Shortly before the deadline there is a last question.
 *
 * VTS_CLIENT_OK: the job is done; see vts_status_value(). VTS_CLIENT_GAVE_UP: max_retries or
 * deadline came first; when every try until then had failed, it is the last failure's code instead.
 * *ret_status is the last status seen; it is written on every outcome, with
 * NULL when none was seen, and belongs to the caller. error->text says how often it asked, for how
 * long, and what it saw last. */
VTS_API enum vts_client_code vts_poll_status(struct vts_client *client, const char *job_id,
                                             const struct vts_poll_options *options,
                                             struct vts_status **ret_status,
                                             struct vts_client_error *error);

#ifdef __cplusplus
}
#endif

#endif
