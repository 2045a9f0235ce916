/* SPDX-License-Identifier: Apache-2.0 */
/* transport_curl.c - the only user of libcurl: one multi handle with one easy handle, used anew for
 * each request, so that its connection is found again.
 *
 * libcurl reads an idle connection only when it is about to be used again; a GOAWAY or a close that
 * came meanwhile is noticed then and answered with a new connection. After a failed request the
 * next one never reuses the old connection: over HTTP/2 libcurl would keep one that went dead.
 */
#include "client/src/transport_curl.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/fault.h"
#include "client/src/log.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum { MAX_URL_LEN = 512, MAX_FIELD_LEN = 256 };

struct vts_transport {
    struct vts_origin origin;
    struct vts_log log;
    CURLM *multi;
    CURL *easy;
    double connect_timeout;
    char *ca_file;
    char *cert_file;
    bool is_fresh_wanted; /* the last request failed: do not trust its connection */
    bool is_global_init;
    atomic_bool is_cancelled;
    char detail[CURL_ERROR_SIZE]; /* libcurl's words for the last failure */
};

/* Set up while a request runs, for the callbacks. */
struct transfer {
    const struct vts_request *request;
    struct vts_answer *answer;
    int64_t header_end_ns; /* when the header must have come; INT64_MAX: whenever */
    enum vts_err err;      /* why a callback ended the transfer */
    bool is_enough;        /* on_piece ended it */
};

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;

    transfer->err = vts_answer_add_line(transfer->answer, vts_str_make(bytes, size * count));
    return transfer->err == VTS_OK ? size * count : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const struct vts_request *request = transfer->request;
    struct vts_str piece = vts_str_make(bytes, size * count);

    if (request->on_piece != NULL && transfer->answer->http_code == 200) {
        transfer->is_enough = !request->on_piece(piece, request->context);
        return transfer->is_enough ? 0 : piece.len;
    }
    transfer->err = vts_answer_add_body(transfer->answer, piece);
    return transfer->err == VTS_OK ? piece.len : 0;
}

static long to_ms(double seconds)
{
    double ms = seconds * 1000;

    return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : (long)ms;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

static bool set_trust(struct vts_transport *transport, const struct vts_client_options *options)
{
    CURL *easy = transport->easy;
    CURLcode err = CURLE_OK;

    err |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    err |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    err |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (options->ca_file != NULL) {
        err |= curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
        /* Otherwise the system's authorities would be trusted beside it. */
        err |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (options->cert_file != NULL) {
        err |= curl_easy_setopt(easy, CURLOPT_SSLCERT, options->cert_file);
        err |= curl_easy_setopt(easy, CURLOPT_SSLKEY, options->key_file);
        /* A key under a pass phrase must fail; OpenSSL would ask for it on the terminal. */
        err |= curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
    }
    return err == CURLE_OK;
}

static bool set_scheme(struct vts_transport *transport)
{
    const struct vts_origin *origin = &transport->origin;
    CURL *easy = transport->easy;
    CURLcode err = CURLE_OK;

    /* Without TLS there is no ALPN, and libcurl 7.88 cannot reuse such an HTTP/2 connection. */
    err |=
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                         (long)(origin->is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    err |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, origin->is_tls ? "https" : "http");
    err |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    err |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* ".." may be a job's id */
    err |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* No proxy reaches what this machine means by "localhost". */
    if (origin->is_loopback)
        err |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    return err == CURLE_OK;
}

static bool set_basics(struct vts_transport *transport, const struct vts_client_options *options)
{
    bool has_own = options->user_agent != NULL && options->user_agent[0] != '\0';
    char user_agent[MAX_FIELD_LEN];
    CURL *easy = transport->easy;
    CURLcode err = CURLE_OK;

    (void)snprintf(user_agent, sizeof(user_agent), "%.200s%slibvtstatus/%s",
                   has_own ? options->user_agent : "", has_own ? " " : "", vts_version());
    err |= curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
    err |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    err |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transport->detail);
    err |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, to_ms(options->connect_timeout));
    /* Who waits for long hears of a peer that vanished by this alone. */
    err |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    err |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    err |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    err |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    err |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    return err == CURLE_OK;
}

static bool copy_file_names(struct vts_transport *transport,
                            const struct vts_client_options *options)
{
    transport->ca_file = vts_mem_strdup(options->ca_file);
    transport->cert_file = vts_mem_strdup(options->cert_file);
    return (options->ca_file == NULL || transport->ca_file != NULL) &&
           (options->cert_file == NULL || transport->cert_file != NULL);
}

static bool set_up(struct vts_transport *transport, const struct vts_client_options *options)
{
    /* Counted and thread-safe since libcurl 7.84. */
    transport->is_global_init = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!transport->is_global_init)
        return false;
    transport->multi = curl_multi_init();
    transport->easy = curl_easy_init();
    if (transport->multi == NULL || transport->easy == NULL)
        return false;
    if (curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
        return false;
    return copy_file_names(transport, options) && set_basics(transport, options) &&
           set_scheme(transport) && set_trust(transport, options);
}

enum vts_client_code vts_transport_new(const struct vts_origin *origin,
                                       const struct vts_client_options *options,
                                       struct vts_transport **ret_transport,
                                       struct vts_client_error *error)
{
    struct vts_transport *transport = vts_mem_zalloc(sizeof(*transport));

    if (transport == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    transport->origin = *origin;
    transport->log = (struct vts_log){options->on_log, options->log_context};
    transport->connect_timeout = options->connect_timeout;
    atomic_init(&transport->is_cancelled, false);
    if (!set_up(transport, options)) {
        vts_transport_free(transport);
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "libcurl cannot be set up");
    }
    *ret_transport = transport;
    return VTS_CLIENT_OK;
}

void vts_transport_free(struct vts_transport *transport)
{
    if (transport == NULL)
        return;
    curl_easy_cleanup(transport->easy);
    curl_multi_cleanup(transport->multi);
    if (transport->is_global_init)
        curl_global_cleanup();
    vts_mem_free(transport->ca_file);
    vts_mem_free(transport->cert_file);
    vts_mem_free(transport);
}

/* ---- cancelling and waiting ------------------------------------------------------------------ */

void vts_transport_cancel(struct vts_transport *transport)
{
    atomic_store(&transport->is_cancelled, true);
    /* Its result does not matter: a wake-up that failed leaves the flag, seen at the next poll's
     * end. */
    (void)curl_multi_wakeup(transport->multi);
}

static bool is_cancelled(struct vts_transport *transport)
{
    return atomic_load(&transport->is_cancelled);
}

/* Sleeps until something happens, but not longer; a wake-up from before it started counts. */
static void sleep_up_to(struct vts_transport *transport, int64_t ns)
{
    int64_t ms = (ns + VTS_NS_PER_MS - 1) / VTS_NS_PER_MS;

    (void)curl_multi_poll(transport->multi, NULL, 0, (int)(ms < INT_MAX ? ms : INT_MAX), NULL);
}

bool vts_transport_wait(struct vts_transport *transport, double seconds)
{
    const double max_seconds = 1e9; /* keeps the sum below in range */
    double bounded = seconds < max_seconds ? seconds : max_seconds;
    int64_t end_ns = vts_clock_now_ns() + (int64_t)(bounded * VTS_NS_PER_S);

    while (!is_cancelled(transport)) {
        int64_t left_ns = end_ns - vts_clock_now_ns();

        if (left_ns <= 0)
            return true;
        sleep_up_to(transport, left_ns);
    }
    return false;
}

/* ---- one request ----------------------------------------------------------------------------- */

/* TLS that ended without a word of it is a broken connection, not a lack of trust. */
static bool is_hang_up(const char *detail)
{
    return strstr(detail, "SSL_ERROR_SYSCALL") != NULL || strstr(detail, "Connection reset") ||
           strstr(detail, "unexpected eof") || strstr(detail, "Broken pipe");
}

/* In TLS 1.3 the server judges our certificate after the handshake: its alert meets a read. */
static bool is_alert(const char *detail)
{
    return strstr(detail, " alert ") != NULL;
}

static enum vts_fault_kind timeout_kind(struct vts_transport *transport)
{
    curl_off_t connected = 0;

    /* Zero until TCP and, where there is one, the TLS handshake are done. */
    (void)curl_easy_getinfo(transport->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    return connected == 0 ? VTS_FAULT_CONNECT_TIMEOUT : VTS_FAULT_ANSWER_TIMEOUT;
}

static enum vts_fault_kind fault_kind(struct vts_transport *transport, CURLcode result,
                                      enum vts_err callback_err)
{
    if (callback_err != VTS_OK)
        return callback_err == VTS_ERR_NOMEM ? VTS_FAULT_NO_MEMORY : VTS_FAULT_TOO_LARGE;
    switch (result) {
    case CURLE_OUT_OF_MEMORY:
        return VTS_FAULT_NO_MEMORY;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return VTS_FAULT_RESOLVE;
    case CURLE_COULDNT_CONNECT:
        return VTS_FAULT_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_kind(transport);
    case CURLE_PEER_FAILED_VERIFICATION:
        return VTS_FAULT_UNTRUSTED;
    case CURLE_SSL_CACERT_BADFILE:
        return VTS_FAULT_CA_FILE;
    case CURLE_SSL_CERTPROBLEM:
        /* Also what libcurl calls an alert about it; only its own words name a file. */
        return is_alert(transport->detail) ? VTS_FAULT_HANDSHAKE : VTS_FAULT_CLIENT_CERT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return is_hang_up(transport->detail) ? VTS_FAULT_BROKEN : VTS_FAULT_HANDSHAKE;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return is_alert(transport->detail) ? VTS_FAULT_HANDSHAKE : VTS_FAULT_BROKEN;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return VTS_FAULT_BROKEN;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return VTS_FAULT_MALFORMED;
    default:
        return VTS_FAULT_OTHER;
    }
}

static enum vts_client_code tell_fault(struct vts_transport *transport, enum vts_fault_kind kind,
                                       double timeout, struct vts_client_error *error)
{
    /* What libcurl says when a connection is gone before it could ask whose it was. */
    bool is_noise = strstr(transport->detail, "getpeername") != NULL;
    struct vts_fault fault = {
        .kind = kind, .timeout = timeout, .detail = is_noise ? "" : transport->detail};
    long os_errno = 0;

    (void)curl_easy_getinfo(transport->easy, CURLINFO_OS_ERRNO, &os_errno);
    (void)curl_easy_getinfo(transport->easy, CURLINFO_SSL_VERIFYRESULT, &fault.verify_result);
    fault.os_errno = (int)os_errno;
    if (kind == VTS_FAULT_CONNECT_TIMEOUT && transport->connect_timeout < timeout)
        fault.timeout = transport->connect_timeout;
    if (kind == VTS_FAULT_CA_FILE)
        fault.file = transport->ca_file;
    if (kind == VTS_FAULT_CLIENT_CERT)
        fault.file = transport->cert_file != NULL ? transport->cert_file : "";
    return vts_fault_tell(&fault, &transport->origin, error);
}

static bool append_field(struct curl_slist **list, const char *name, const char *value)
{
    char field[MAX_FIELD_LEN];
    struct curl_slist *longer;

    (void)snprintf(field, sizeof(field), "%s: %s", name, value);
    longer = curl_slist_append(*list, field);
    if (longer == NULL)
        return false;
    *list = longer;
    return true;
}

/* The fields of a POST by the Connect protocol (https://connectrpc.com/docs/protocol/). */
static bool append_post_fields(struct curl_slist **fields, const struct vts_request *request)
{
    char ms[24];

    /* Without this one libcurl waits for an interim answer before it sends a large body. */
    if (!append_field(fields, "Expect", "") ||
        !append_field(fields, "Content-Type", request->content_type) ||
        !append_field(fields, "Connect-Protocol-Version", "1"))
        return false;
    (void)snprintf(ms, sizeof(ms), "%ld", to_ms(request->timeout));
    return !request->tells_timeout || append_field(fields, "Connect-Timeout-Ms", ms);
}

static bool append_fields(struct curl_slist **fields, const struct vts_request *request)
{
    if (request->accept != NULL && !append_field(fields, "Accept", request->accept))
        return false;
    if (request->if_none_match != NULL && request->if_none_match[0] != '\0' &&
        !append_field(fields, "If-None-Match", request->if_none_match))
        return false;
    return request->content_type == NULL || append_post_fields(fields, request);
}

static bool set_method(CURL *easy, const struct vts_request *request)
{
    CURLcode err = CURLE_OK;

    if (request->content_type == NULL)
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    err |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
    err |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    /* Not copied. Without a body, NULL would make libcurl ask for one. */
    err |=
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len > 0 ? request->body.ptr : "");
    return err == CURLE_OK;
}

static bool set_connection(const struct vts_transport *transport, const struct vts_request *request)
{
    bool is_own = request->connection == VTS_CONNECTION_OWN;
    bool is_new = request->connection != VTS_CONNECTION_KEPT || transport->is_fresh_wanted;
    CURLcode err = CURLE_OK;

    err |= curl_easy_setopt(transport->easy, CURLOPT_FRESH_CONNECT, is_new ? 1L : 0L);
    err |= curl_easy_setopt(transport->easy, CURLOPT_FORBID_REUSE, is_own ? 1L : 0L);
    return err == CURLE_OK;
}

static bool prepare(struct vts_transport *transport, struct transfer *transfer,
                    struct curl_slist **fields)
{
    const struct vts_request *request = transfer->request;
    CURL *easy = transport->easy;
    char url[MAX_URL_LEN];
    CURLcode err = CURLE_OK;

    if (!append_fields(fields, request) || !set_method(easy, request) ||
        !set_connection(transport, request))
        return false;
    (void)snprintf(url, sizeof(url), "%s%s", transport->origin.text, request->path);
    transport->detail[0] = '\0';
    err |= curl_easy_setopt(easy, CURLOPT_URL, url);
    err |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *fields);
    err |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                            isinf(request->timeout) ? 0L : to_ms(request->timeout));
    err |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    err |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    return err == CURLE_OK;
}

static int64_t header_time_left(const struct transfer *transfer)
{
    if (transfer->answer->is_header_done || transfer->header_end_ns == INT64_MAX)
        return INT64_MAX;
    return transfer->header_end_ns - vts_clock_now_ns();
}

/* Moves the transfer on. Returns whether it has come to an end; *ret_result is then how. */
static bool perform(struct vts_transport *transport, CURLcode *ret_result)
{
    int running = 0;
    int queued = 0;
    const CURLMsg *message;

    if (curl_multi_perform(transport->multi, &running) != CURLM_OK) {
        *ret_result = CURLE_OUT_OF_MEMORY;
        return true;
    }
    message = curl_multi_info_read(transport->multi, &queued);
    if (message == NULL || message->msg != CURLMSG_DONE)
        return false;
    *ret_result = message->data.result;
    return true;
}

/* After a cancellation: whether the answer has come all the same. It may be a lease, which but for
 * this would be nobody's. A request that is not on its way yet is not sent any more. */
static bool has_answer(struct vts_transport *transport, const struct transfer *transfer,
                       CURLcode *ret_result)
{
    curl_off_t sent_us = 0;

    (void)curl_easy_getinfo(transport->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    return sent_us > 0 && transfer->request->on_piece == NULL && perform(transport, ret_result) &&
           *ret_result == CURLE_OK;
}

/* Returns whether the transfer came to an end of its own; *ret_result is then how. */
static bool run(struct vts_transport *transport, const struct transfer *transfer,
                CURLcode *ret_result)
{
    while (!is_cancelled(transport)) {
        int64_t left_ns;

        if (perform(transport, ret_result))
            return true;
        left_ns = header_time_left(transfer);
        if (left_ns <= 0) {
            *ret_result = CURLE_OPERATION_TIMEDOUT;
            return true;
        }
        sleep_up_to(transport, left_ns < VTS_NS_PER_S ? left_ns : VTS_NS_PER_S);
    }
    return has_answer(transport, transfer, ret_result);
}

/* A body that went elsewhere is whole when who took it says so. */
static bool is_complete(const struct transfer *transfer)
{
    bool is_taken = transfer->request->on_piece != NULL && transfer->answer->http_code == 200;

    return is_taken ? transfer->answer->is_header_done : vts_answer_is_complete(transfer->answer);
}

static double timeout_met(const struct transfer *transfer)
{
    return header_time_left(transfer) <= 0 ? transfer->request->header_timeout
                                           : transfer->request->timeout;
}

static enum vts_client_code judge(struct vts_transport *transport, CURLcode result,
                                  const struct transfer *transfer, struct vts_client_error *error)
{
    enum vts_fault_kind kind;

    if (transfer->is_enough)
        return VTS_CLIENT_OK;
    if (result == CURLE_OK && transfer->err == VTS_OK && is_complete(transfer))
        return VTS_CLIENT_OK;
    kind = result == CURLE_OK && transfer->err == VTS_OK
               ? VTS_FAULT_BROKEN
               : fault_kind(transport, result, transfer->err);
    if (transport->detail[0] == '\0' && result != CURLE_OK)
        (void)snprintf(transport->detail, sizeof(transport->detail), "%s",
                       curl_easy_strerror(result));
    return tell_fault(transport, kind, timeout_met(transfer), error);
}

static void log_answer(struct vts_transport *transport, const struct vts_request *request,
                       const struct vts_answer *answer)
{
    long version = 0;
    long connects = 0;
    curl_off_t total_us = 0;

    if (transport->log.fn == NULL)
        return;
    (void)curl_easy_getinfo(transport->easy, CURLINFO_HTTP_VERSION, &version);
    (void)curl_easy_getinfo(transport->easy, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(transport->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    vts_log_write(&transport->log, "%s %s%s: HTTP/%s %d, %zu bytes in %.1f ms, %s connection",
                  request->content_type == NULL ? "GET" : "POST", transport->origin.text,
                  request->path, version == CURL_HTTP_VERSION_2_0 ? "2" : "1.1", answer->http_code,
                  answer->body.len, (double)total_us / 1000, connects > 0 ? "new" : "kept");
}

static int64_t header_end_ns(const struct vts_request *request)
{
    if (request->header_timeout <= 0)
        return INT64_MAX;
    return vts_clock_now_ns() + (int64_t)(request->header_timeout * VTS_NS_PER_S);
}

enum vts_client_code vts_transport_send(struct vts_transport *transport,
                                        const struct vts_request *request,
                                        struct vts_answer *answer, struct vts_client_error *error)
{
    struct transfer transfer = {
        .request = request, .answer = answer, .header_end_ns = header_end_ns(request)};
    struct curl_slist *fields = NULL;
    enum vts_client_code code;
    CURLcode result = CURLE_OK;

    if (is_cancelled(transport))
        return vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    if (!prepare(transport, &transfer, &fields) ||
        curl_multi_add_handle(transport->multi, transport->easy) != CURLM_OK) {
        curl_slist_free_all(fields);
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    }
    if (run(transport, &transfer, &result))
        code = judge(transport, result, &transfer, error);
    else
        code = vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    (void)curl_multi_remove_handle(transport->multi,
                                   transport->easy); /* it was added: cannot fail */
    (void)curl_easy_setopt(transport->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(fields);
    if (request->connection != VTS_CONNECTION_OWN)
        transport->is_fresh_wanted = code != VTS_CLIENT_OK;
    if (code == VTS_CLIENT_OK)
        log_answer(transport, request, answer);
    return code;
}
