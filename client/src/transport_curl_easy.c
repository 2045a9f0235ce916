/* SPDX-License-Identifier: Apache-2.0 */
/* transport_curl_easy.c - what is sent, what is taken in, and what the end of a request means. */
#include "client/src/transport_curl_easy.h"

#include <curl/curl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "client/src/failure.h"
#include "client/src/fault.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum { MAX_URL_LEN = 512, MAX_FIELD_LEN = 256, MAX_OWN_FIELD_LEN = 16 * 1024 };

_Static_assert(CURL_ERROR_SIZE <= VTS_EASY_DETAIL_BYTES, "libcurl's words need more room");

static long to_ms(double seconds)
{
    double ms = seconds * 1000;

    return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : (long)ms;
}

/* ---- callbacks ------------------------------------------------------------------------------- */

/* libcurl takes whichever version the server's ALPN names; who needs streams looks at it before
 * anything else of the answer. */
static bool is_version_fit(struct vts_easy *easy)
{
    long version = 0;

    if (!easy->request->needs_http2)
        return true;
    (void)curl_easy_getinfo(easy->handle, CURLINFO_HTTP_VERSION, &version);
    easy->is_old_http = version != CURL_HTTP_VERSION_2_0;
    return !easy->is_old_http;
}

/* Called before each sending of a request, the ones that libcurl adds by itself too. */
static int on_send(void *context, char *ip, char *own_ip, int port, int own_port)
{
    struct vts_easy *easy = context;

    (void)ip; /* whom it goes to does not matter */
    (void)own_ip;
    (void)port;
    easy->own_port = own_port;
    easy->sendings++;
    return easy->request->is_once && easy->sendings > 1 ? CURL_PREREQFUNC_ABORT
                                                        : CURL_PREREQFUNC_OK;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct vts_easy *easy = context;

    vts_counters_add(&easy->config->counters->bytes_in, size * count);
    if (!is_version_fit(easy))
        return 0;
    easy->err = vts_answer_add_line(easy->answer, vts_str_make(bytes, size * count));
    return easy->err == VTS_OK ? size * count : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct vts_easy *easy = context;
    const struct vts_request *request = easy->request;
    struct vts_str piece = vts_str_make(bytes, size * count);

    vts_counters_add(&easy->config->counters->bytes_in, piece.len);
    if (request->on_piece != NULL && easy->answer->http_code == 200) {
        easy->is_enough = !request->on_piece(piece, request->context);
        return easy->is_enough ? 0 : piece.len;
    }
    easy->err = vts_answer_add_body(easy->answer, piece);
    return easy->err == VTS_OK ? piece.len : 0;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

enum vts_err vts_easy_config_init(struct vts_easy_config *config, const struct vts_origin *origin,
                                  const struct vts_client_options *options,
                                  struct vts_counters *counters)
{
    bool has_own = options->user_agent != NULL && options->user_agent[0] != '\0';
    char user_agent[MAX_FIELD_LEN];

    (void)snprintf(user_agent, sizeof(user_agent), "%.200s%slibvtstatus/%s",
                   has_own ? options->user_agent : "", has_own ? " " : "", vts_version());
    *config = (struct vts_easy_config){.origin = *origin,
                                       .log = {options->on_log, options->log_context},
                                       .connect_timeout = options->connect_timeout,
                                       .user_agent = vts_mem_strdup(user_agent),
                                       .ca_file = vts_mem_strdup(options->ca_file),
                                       .cert_file = vts_mem_strdup(options->cert_file),
                                       .key_file = vts_mem_strdup(options->key_file),
                                       .token_file = vts_mem_strdup(options->token_file),
                                       .pinned_key = vts_mem_strdup(options->pinned_key),
                                       .proxy = vts_mem_strdup(options->proxy),
                                       .counters = counters};
    if (config->user_agent == NULL || (options->ca_file != NULL && config->ca_file == NULL) ||
        (options->cert_file != NULL && config->cert_file == NULL) ||
        (options->key_file != NULL && config->key_file == NULL) ||
        (options->token_file != NULL && config->token_file == NULL) ||
        (options->pinned_key != NULL && config->pinned_key == NULL) ||
        (options->proxy != NULL && config->proxy == NULL))
        return VTS_ERR_NOMEM;
    return VTS_OK;
}

void vts_easy_config_fini(struct vts_easy_config *config)
{
    vts_mem_free(config->user_agent);
    vts_mem_free(config->ca_file);
    vts_mem_free(config->cert_file);
    vts_mem_free(config->key_file);
    vts_mem_free(config->token_file);
    vts_mem_free(config->pinned_key);
    vts_mem_free(config->proxy);
}

static bool set_trust(CURL *handle, const struct vts_easy_config *config)
{
    CURLcode err = CURLE_OK;

    err |= curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    err |= curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    err |= curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (config->ca_file != NULL) {
        err |= curl_easy_setopt(handle, CURLOPT_CAINFO, config->ca_file);
        /* Otherwise the system's authorities would be trusted beside it. */
        err |= curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
    }
    if (config->cert_file != NULL) {
        err |= curl_easy_setopt(handle, CURLOPT_SSLCERT, config->cert_file);
        err |= curl_easy_setopt(handle, CURLOPT_SSLKEY, config->key_file);
        /* A key under a pass phrase must fail; OpenSSL would ask for it on the terminal. */
        err |= curl_easy_setopt(handle, CURLOPT_KEYPASSWD, "");
    }
    if (config->pinned_key != NULL)
        err |= curl_easy_setopt(handle, CURLOPT_PINNEDPUBLICKEY, config->pinned_key);
    return err == CURLE_OK;
}

static bool set_proxy(CURL *handle, const struct vts_easy_config *config)
{
    CURLcode err = CURLE_OK;

    err |= curl_easy_setopt(handle, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    err |= curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (config->proxy != NULL)
        err |= curl_easy_setopt(handle, CURLOPT_PROXY, config->proxy);
    /* No proxy reaches what this machine means by "localhost". */
    if (config->origin.is_loopback)
        err |= curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    return err == CURLE_OK;
}

static bool set_scheme(CURL *handle, const struct vts_origin *origin)
{
    CURLcode err = CURLE_OK;

    /* Without TLS there is no ALPN, and libcurl 7.88 cannot reuse such an HTTP/2 connection. */
    err |=
        curl_easy_setopt(handle, CURLOPT_HTTP_VERSION,
                         (long)(origin->is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    err |= curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, origin->is_tls ? "https" : "http");
    err |= curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    err |= curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L); /* ".." may be a job's id */
    return err == CURLE_OK;
}

static bool set_basics(struct vts_easy *easy)
{
    CURL *handle = easy->handle;
    CURLcode err = CURLE_OK;

    err |= curl_easy_setopt(handle, CURLOPT_USERAGENT, easy->config->user_agent);
    err |= curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    err |= curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, easy->detail);
    err |=
        curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, to_ms(easy->config->connect_timeout));
    /* A look-up that does not end would hold up whoever gives the request up. */
    err |= curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
    /* Who waits for long hears of a peer that vanished by this alone. */
    err |= curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    err |= curl_easy_setopt(handle, CURLOPT_TCP_KEEPIDLE, 30L);
    err |= curl_easy_setopt(handle, CURLOPT_TCP_KEEPINTVL, 10L);
    err |= curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    err |= curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    err |= curl_easy_setopt(handle, CURLOPT_HEADERDATA, easy);
    err |= curl_easy_setopt(handle, CURLOPT_WRITEDATA, easy);
    err |= curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, on_send);
    err |= curl_easy_setopt(handle, CURLOPT_PREREQDATA, easy);
    return err == CURLE_OK;
}

enum vts_err vts_easy_init(struct vts_easy *easy, const struct vts_easy_config *config)
{
    *easy = (struct vts_easy){.config = config, .handle = curl_easy_init()};
    vts_token_init(&easy->token, config->token_file);
    if (easy->handle == NULL || !set_basics(easy) || !set_scheme(easy->handle, &config->origin) ||
        !set_proxy(easy->handle, config) || !set_trust(easy->handle, config))
        return VTS_ERR_NOMEM;
    return VTS_OK;
}

void vts_easy_fini(struct vts_easy *easy)
{
    vts_easy_release(easy);
    curl_easy_cleanup(easy->handle);
    vts_token_fini(&easy->token);
    easy->handle = NULL;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static bool append_field(struct vts_easy *easy, const char *name, const char *value)
{
    char field[MAX_FIELD_LEN];
    struct curl_slist *longer;

    (void)snprintf(field, sizeof(field), "%s: %s", name, value);
    longer = curl_slist_append(easy->fields, field);
    if (longer == NULL)
        return false;
    easy->fields = longer;
    return true;
}

/* The fields of a POST by the Connect protocol (https://connectrpc.com/docs/protocol/). */
static bool append_post_fields(struct vts_easy *easy, const struct vts_request *request)
{
    char ms[24];

    /* Without this one libcurl waits for an interim answer before it sends a large body. */
    if (!append_field(easy, "Expect", "") ||
        !append_field(easy, "Content-Type", request->content_type) ||
        !append_field(easy, "Connect-Protocol-Version", "1"))
        return false;
    (void)snprintf(ms, sizeof(ms), "%ld", to_ms(request->timeout));
    return !request->tells_timeout || append_field(easy, "Connect-Timeout-Ms", ms);
}

/* What the caller wants beside; these may be longer than ours. A field without a value ends with a
 * semicolon for libcurl. */
static bool append_own_field(struct vts_easy *easy, const struct vts_pair *pair)
{
    struct curl_slist *longer = NULL;
    struct vts_buf field;

    vts_buf_init(&field, MAX_OWN_FIELD_LEN);
    vts_buf_append_text(&field, pair->key);
    vts_buf_append_text(&field, pair->value[0] != '\0' ? ": " : ";");
    vts_buf_append(&field, pair->value, strlen(pair->value) + 1); /* its NUL ends the field */
    if (vts_buf_check(&field) == VTS_OK)
        longer = curl_slist_append(easy->fields, field.ptr);
    vts_buf_fini(&field);
    if (longer == NULL)
        return false;
    easy->fields = longer;
    return true;
}

/* The caller's own word on who asks wins. */
static bool append_token(struct vts_easy *easy, const struct vts_request *request)
{
    const char *field = vts_token_field(&easy->token);
    struct curl_slist *longer;

    for (size_t i = 0; i < request->fields_count; i++)
        if (vts_str_equals_nocase(vts_str_of(request->fields[i].key), "authorization"))
            return true;
    if (field == NULL)
        return true;
    longer = curl_slist_append(easy->fields, field);
    easy->fields = longer != NULL ? longer : easy->fields;
    return longer != NULL;
}

static bool append_fields(struct vts_easy *easy, const struct vts_request *request)
{
    char prefer[32];

    for (size_t i = 0; i < request->fields_count; i++)
        if (!append_own_field(easy, &request->fields[i]))
            return false;
    if (request->accept != NULL && !append_field(easy, "Accept", request->accept))
        return false;
    if (request->if_none_match != NULL && request->if_none_match[0] != '\0' &&
        !append_field(easy, "If-None-Match", request->if_none_match))
        return false;
    (void)snprintf(prefer, sizeof(prefer), "wait=%u", request->prefer_wait);
    if (request->prefer_wait > 0 && !append_field(easy, "Prefer", prefer))
        return false;
    return request->content_type == NULL || append_post_fields(easy, request);
}

static bool set_method(CURL *handle, const struct vts_request *request)
{
    CURLcode err = CURLE_OK;

    if (request->content_type == NULL)
        return curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    err |= curl_easy_setopt(handle, CURLOPT_POST, 1L);
    err |= curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    /* Not copied. Without a body, NULL would make libcurl ask for one. */
    err |= curl_easy_setopt(handle, CURLOPT_POSTFIELDS,
                            request->body.len > 0 ? request->body.ptr : "");
    return err == CURLE_OK;
}

static bool set_connection(CURL *handle, const struct vts_request *request, bool is_fresh)
{
    bool is_own = request->connection == VTS_CONNECTION_OWN;
    bool is_new = request->connection != VTS_CONNECTION_KEPT || is_fresh;
    CURLcode err = CURLE_OK;

    err |= curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, is_new ? 1L : 0L);
    err |= curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, is_own ? 1L : 0L);
    return err == CURLE_OK;
}

static int64_t header_end_ns(const struct vts_request *request)
{
    if (request->header_timeout <= 0)
        return INT64_MAX;
    return vts_clock_now_ns() + (int64_t)(request->header_timeout * VTS_NS_PER_S);
}

enum vts_err vts_easy_prepare(struct vts_easy *easy, const struct vts_request *request,
                              struct vts_answer *answer, bool is_fresh)
{
    CURL *handle = easy->handle;
    char url[MAX_URL_LEN];
    CURLcode err = CURLE_OK;

    easy->request = request;
    easy->answer = answer;
    easy->header_end_ns = header_end_ns(request);
    easy->err = VTS_OK;
    easy->is_enough = false;
    easy->is_old_http = false;
    easy->sendings = 0;
    easy->own_port = 0;
    easy->detail[0] = '\0';
    vts_token_refresh(&easy->token, &easy->config->log);
    if (!append_token(easy, request) || !append_fields(easy, request) ||
        !set_method(handle, request) || !set_connection(handle, request, is_fresh))
        return VTS_ERR_NOMEM;
    (void)snprintf(url, sizeof(url), "%s%s", easy->config->origin.text, request->path);
    err |= curl_easy_setopt(handle, CURLOPT_URL, url);
    err |= curl_easy_setopt(handle, CURLOPT_HTTPHEADER, easy->fields);
    err |= curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS,
                            isinf(request->timeout) ? 0L : to_ms(request->timeout));
    if (err != CURLE_OK)
        return VTS_ERR_NOMEM;
    vts_counters_add(&easy->config->counters->requests, 1);
    return VTS_OK;
}

void vts_easy_break_connection(const struct vts_easy *easy)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    /* It stays libcurl's, which finds it closed when it looks at it next. */
    if (curl_easy_getinfo(easy->handle, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
        fd != CURL_SOCKET_BAD)
        (void)shutdown(fd, SHUT_RDWR); /* one that is closed already is as good */
}

void vts_easy_leave_connection(const struct vts_easy *easy)
{
    (void)curl_easy_setopt(easy->handle, CURLOPT_FORBID_REUSE, 1L); /* cannot fail */
}

void vts_easy_release(struct vts_easy *easy)
{
    if (easy->handle != NULL)
        (void)curl_easy_setopt(easy->handle, CURLOPT_HTTPHEADER, NULL); /* cannot fail */
    curl_slist_free_all(easy->fields);
    easy->fields = NULL;
    easy->request = NULL;
    easy->answer = NULL;
}

/* ---- what its end means ---------------------------------------------------------------------- */

int64_t vts_easy_header_left_ns(const struct vts_easy *easy)
{
    if (easy->answer->is_header_done || easy->header_end_ns == INT64_MAX)
        return INT64_MAX;
    return easy->header_end_ns - vts_clock_now_ns();
}

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

/* What a proxy answers to CONNECT meets a read. */
static bool is_about_proxy(const char *detail)
{
    return strstr(detail, "CONNECT tunnel failed") != NULL ||
           strstr(detail, "proxy after CONNECT") != NULL;
}

static enum vts_fault_kind timeout_kind(const struct vts_easy *easy)
{
    curl_off_t connected = 0;

    /* Zero until TCP and, where there is one, the TLS handshake are done. */
    (void)curl_easy_getinfo(easy->handle, CURLINFO_PRETRANSFER_TIME_T, &connected);
    return connected == 0 ? VTS_FAULT_CONNECT_TIMEOUT : VTS_FAULT_ANSWER_TIMEOUT;
}

static enum vts_fault_kind fault_kind(const struct vts_easy *easy, CURLcode result)
{
    if (easy->is_old_http)
        return VTS_FAULT_OLD_HTTP;
    if (easy->err != VTS_OK)
        return easy->err == VTS_ERR_NOMEM ? VTS_FAULT_NO_MEMORY : VTS_FAULT_TOO_LARGE;
    switch (result) {
    case CURLE_OUT_OF_MEMORY:
        return VTS_FAULT_NO_MEMORY;
    case CURLE_COULDNT_RESOLVE_HOST:
        return VTS_FAULT_RESOLVE;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return VTS_FAULT_PROXY;
    case CURLE_COULDNT_CONNECT:
        return VTS_FAULT_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_kind(easy);
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return VTS_FAULT_PINNED;
    case CURLE_PEER_FAILED_VERIFICATION:
        return VTS_FAULT_UNTRUSTED;
    case CURLE_SSL_CACERT_BADFILE:
        return VTS_FAULT_CA_FILE;
    case CURLE_SSL_CERTPROBLEM:
        /* Also what libcurl calls an alert about it; only its own words name a file. */
        return is_alert(easy->detail) ? VTS_FAULT_HANDSHAKE : VTS_FAULT_CLIENT_CERT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return is_hang_up(easy->detail) ? VTS_FAULT_BROKEN : VTS_FAULT_HANDSHAKE;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        if (is_about_proxy(easy->detail))
            return VTS_FAULT_PROXY;
        return is_alert(easy->detail) ? VTS_FAULT_HANDSHAKE : VTS_FAULT_BROKEN;
    case CURLE_ABORTED_BY_CALLBACK: /* on_send's */
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

static enum vts_client_code tell_fault(const struct vts_easy *easy, enum vts_fault_kind kind,
                                       double timeout, struct vts_client_error *error)
{
    const struct vts_easy_config *config = easy->config;
    /* What libcurl says when a connection is gone before it could ask whose it was. */
    bool is_noise = strstr(easy->detail, "getpeername") != NULL;
    struct vts_fault fault = {
        .kind = kind, .timeout = timeout, .detail = is_noise ? "" : easy->detail};
    long os_errno = 0;

    (void)curl_easy_getinfo(easy->handle, CURLINFO_OS_ERRNO, &os_errno);
    (void)curl_easy_getinfo(easy->handle, CURLINFO_SSL_VERIFYRESULT, &fault.verify_result);
    fault.os_errno = (int)os_errno;
    if (kind == VTS_FAULT_CONNECT_TIMEOUT && config->connect_timeout < timeout)
        fault.timeout = config->connect_timeout;
    if (kind == VTS_FAULT_CA_FILE)
        fault.file = config->ca_file;
    if (kind == VTS_FAULT_CLIENT_CERT)
        fault.file = config->cert_file != NULL ? config->cert_file : "";
    return vts_fault_tell(&fault, &config->origin, error);
}

/* A body that went elsewhere is whole when who took it says so. */
static bool is_complete(const struct vts_easy *easy)
{
    bool is_taken = easy->request->on_piece != NULL && easy->answer->http_code == 200;

    return is_taken ? easy->answer->is_header_done : vts_answer_is_complete(easy->answer);
}

static double timeout_met(const struct vts_easy *easy)
{
    return vts_easy_header_left_ns(easy) <= 0 ? easy->request->header_timeout
                                              : easy->request->timeout;
}

static void log_answer(const struct vts_easy *easy)
{
    const struct vts_request *request = easy->request;
    long version = 0;
    long connects = 0;
    curl_off_t total_us = 0;

    if (easy->config->log.fn == NULL)
        return;
    (void)curl_easy_getinfo(easy->handle, CURLINFO_HTTP_VERSION, &version);
    (void)curl_easy_getinfo(easy->handle, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(easy->handle, CURLINFO_TOTAL_TIME_T, &total_us);
    vts_log_write(&easy->config->log, "%s %s%s: HTTP/%s %d, %zu bytes in %.1f ms, %s connection",
                  request->content_type == NULL ? "GET" : "POST", easy->config->origin.text,
                  request->path, version == CURL_HTTP_VERSION_2_0 ? "2" : "1.1",
                  easy->answer->http_code, easy->answer->body.len, (double)total_us / 1000,
                  connects > 0 ? "new" : "kept");
}

static void count_sent(const struct vts_easy *easy)
{
    long header_bytes = 0;

    (void)curl_easy_getinfo(easy->handle, CURLINFO_REQUEST_SIZE, &header_bytes);
    if (header_bytes > 0)
        vts_counters_add(&easy->config->counters->bytes_out,
                         (uint64_t)header_bytes + easy->request->body.len);
}

enum vts_client_code vts_easy_judge(struct vts_easy *easy, int result,
                                    struct vts_client_error *error)
{
    bool is_ok = result == CURLE_OK && easy->err == VTS_OK;
    enum vts_fault_kind kind;

    count_sent(easy);
    if (easy->is_enough || (is_ok && is_complete(easy))) {
        log_answer(easy);
        return VTS_CLIENT_OK;
    }
    kind = is_ok ? VTS_FAULT_BROKEN : fault_kind(easy, (CURLcode)result);
    if (easy->detail[0] == '\0' && result != CURLE_OK)
        (void)snprintf(easy->detail, sizeof(easy->detail), "%s",
                       curl_easy_strerror((CURLcode)result));
    return tell_fault(easy, kind, timeout_met(easy), error);
}
