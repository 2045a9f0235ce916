/* SPDX-License-Identifier: Apache-2.0 */
/* h1.c - HTTP/1.1 for clients that do not offer h2.
 *
 * A header section is gathered whole, checked for form (h1_strict.c) and then read by http_parser.
 * One request is answered at a time. No route here takes a body, so a request that announces one is
 * answered without it and the connection closes: what follows is never read as a request, which is
 * all that request smuggling needs.
 */
#include <http_parser.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/http/conn.h"
#include "server/http/h1_strict.h"

enum {
    INPUT_ROOM_BYTES = 128 * 1024,
    OUTPUT_PAUSE_BYTES = 64 * 1024, /* answers that wait; the next request waits with them */
    OUTPUT_MAX_BYTES = 4 * 1024 * 1024,
};

/* A connection only ever goes round here, and leaves from anywhere to CLOSING:
 *
 *   READING   a header section is coming, or nothing yet
 *   HANDLED   the request is with its handler
 *   CLOSING   the last response is written or being written
 */
enum h1_state { READING, HANDLED, CLOSING };

struct h1 {
    struct vts_conn *conn;
    enum h1_state state;
    struct vts_exchange exchange;
    struct vts_exchange_head exchange_head;
    struct vts_buf in;
    struct vts_buf out;
    size_t seen;             /* bytes of `in` known to hold no end of a header section */
    size_t head_len;         /* of the request in hand, at the front of `in` */
    int64_t header_since_ns; /* when the present header section began */
    bool is_first_done;
    bool closes; /* after this response */
    bool is_http_1_0;

    /* While http_parser reads a header section. */
    struct vts_str url;
    struct vts_str name;
    struct vts_str value;
    unsigned fields_count;
    unsigned hosts_count;
    bool is_value;
    struct vts_str transfer_encoding;
    bool has_transfer_encoding;
    char lower_name[32];
    char *joined[VTS_FIELD_COUNT]; /* values of fields that came more than once */
};

static struct h1 *h1_of(const struct vts_conn *conn)
{
    return conn->protocol;
}

/* ---- reading the header section ---------------------------------------------------------- */

static int on_url(http_parser *parser, const char *at, size_t len)
{
    struct h1 *h1 = parser->data;

    h1->url = vts_str_make(at, len);
    return 0;
}

static void keep_field(struct h1 *h1)
{
    struct vts_request *request = &h1->exchange.request;
    struct vts_str value = vts_str_trim(h1->value);
    enum vts_field field;

    h1->fields_count++;
    if (h1->name.len >= sizeof(h1->lower_name))
        return;
    for (size_t i = 0; i < h1->name.len; i++) {
        char c = h1->name.ptr[i];

        h1->lower_name[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    if (h1->name.len == 17 && memcmp(h1->lower_name, "transfer-encoding", 17) == 0) {
        /* A second one makes the first no longer the whole truth. */
        h1->transfer_encoding = h1->has_transfer_encoding ? vts_str_of("twice") : value;
        h1->has_transfer_encoding = true;
    }
    field = vts_field_find(vts_str_make(h1->lower_name, h1->name.len));
    if (field == VTS_FIELD_HOST)
        h1->hosts_count++;
    if (field == VTS_FIELD_COUNT)
        return;
    if (request->fields[field].ptr == NULL)
        request->fields[field] = value;
    else if (vts_field_join(&request->fields[field], value, &h1->joined[field]) != VTS_OK)
        vts_conn_end(h1->conn, "out of memory");
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
    struct h1 *h1 = parser->data;

    if (h1->is_value)
        keep_field(h1);
    h1->is_value = false;
    h1->name = vts_str_make(at, len);
    h1->value = vts_str_make("", 0);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct h1 *h1 = parser->data;

    h1->is_value = true;
    h1->value = vts_str_make(at, len);
    return 0;
}

static int on_head_complete(http_parser *parser)
{
    struct h1 *h1 = parser->data;

    if (h1->is_value)
        keep_field(h1);
    return 1; /* whatever body there is, http_parser need not read it */
}

static const http_parser_settings parser_settings = {.on_url = on_url,
                                                     .on_header_field = on_name,
                                                     .on_header_value = on_value,
                                                     .on_headers_complete = on_head_complete};

/* "GET https://host/path HTTP/1.1": the host must be the one of the Host field. */
static bool set_target(struct h1 *h1)
{
    struct vts_request *request = &h1->exchange.request;
    struct http_parser_url parts;
    struct vts_str authority;

    request->authority = request->fields[VTS_FIELD_HOST];
    if (h1->url.ptr[0] == '/' || vts_str_equals_text(h1->url, "*")) {
        vts_request_set_target(request, h1->url);
        return true;
    }
    http_parser_url_init(&parts);
    if (http_parser_parse_url(h1->url.ptr, h1->url.len, 0, &parts) != 0 ||
        (parts.field_set & 1 << UF_HOST) == 0 || (parts.field_set & 1 << UF_USERINFO) != 0)
        return false;
    authority.ptr = h1->url.ptr + parts.field_data[UF_HOST].off;
    authority.len = parts.field_data[UF_HOST].len;
    if ((parts.field_set & 1 << UF_PORT) != 0)
        authority.len = (size_t)(h1->url.ptr + parts.field_data[UF_PORT].off +
                                 parts.field_data[UF_PORT].len - authority.ptr);
    if (!vts_str_equals(authority, request->authority))
        return false;
    authority.ptr += authority.len;
    authority.len = (size_t)(h1->url.ptr + h1->url.len - authority.ptr);
    vts_request_set_target(request, authority.len == 0 ? vts_str_of("/") : authority);
    return true;
}

/* What is wrong with the request as http_parser read it; 0 when nothing is. */
static int check_request(struct h1 *h1, const http_parser *parser, const char **ret_text)
{
    const struct vts_limits *limits = h1->conn->server->limits;
    struct vts_str expect = h1->exchange.request.fields[VTS_FIELD_EXPECT];

    if (h1->fields_count > vts_limits_get(limits, VTS_LIMIT_HEADER_FIELDS)) {
        vts_limits_hit(h1->conn->server->limits, VTS_LIMIT_HEADER_FIELDS);
        *ret_text = "the request's header is too large";
        return 431;
    }
    *ret_text = "Transfer-Encoding must be chunked, in HTTP/1.1, without Content-Length";
    if (h1->has_transfer_encoding && (!vts_str_equals_nocase(h1->transfer_encoding, "chunked") ||
                                      h1->is_http_1_0 || (parser->flags & F_CONTENTLENGTH) != 0))
        return 400;
    *ret_text = "exactly one Host field is needed, with a host";
    if (h1->hosts_count > 1 || (h1->hosts_count == 0 && !h1->is_http_1_0) ||
        (h1->hosts_count == 1 && !vts_h1_is_host(h1->exchange.request.fields[VTS_FIELD_HOST])))
        return 400;
    *ret_text = "the request target is malformed, or names another host than the Host field";
    if (!set_target(h1))
        return 400;
    *ret_text = "an expectation other than 100-continue cannot be met";
    if (expect.ptr != NULL && !vts_str_equals_nocase(expect, "100-continue"))
        return 417;
    return 0;
}

static int parse_head(struct h1 *h1, struct vts_str head, const char **ret_text)
{
    http_parser parser;
    int code = vts_h1_check_head(head, ret_text);
    size_t taken;

    if (code != 0)
        return code;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = h1;
    taken = http_parser_execute(&parser, &parser_settings, head.ptr, head.len);
    *ret_text = http_errno_description(HTTP_PARSER_ERRNO(&parser));
    /* An upgrade is not taken up; the request is answered as what it is without it. */
    if (HTTP_PARSER_ERRNO(&parser) == HPE_INVALID_METHOD)
        return 501;
    if (HTTP_PARSER_ERRNO(&parser) != HPE_OK || taken != head.len || h1->url.len == 0)
        return 400;
    h1->exchange.request.method =
        vts_method_parse(vts_str_of(http_method_str((enum http_method)parser.method)));
    h1->is_http_1_0 = parser.http_minor == 0;
    h1->closes = http_should_keep_alive(&parser) == 0 || h1->has_transfer_encoding ||
                 ((parser.flags & F_CONTENTLENGTH) != 0 && parser.content_length > 0);
    return check_request(h1, &parser, ret_text);
}

/* ---- answering --------------------------------------------------------------------------- */

static const char *reason_phrase(int code)
{
    switch (code) {
#define XX(number, name, text)                                                                     \
    case number:                                                                                   \
        return #text;
        HTTP_STATUS_MAP(XX)
#undef XX
    default:
        return "Unknown";
    }
}

static void send_response(struct vts_exchange *exchange)
{
    struct h1 *h1 = VTS_CONTAINER_OF(exchange, struct h1, exchange);
    const struct vts_response *response = &exchange->response;
    struct vts_conn *conn = h1->conn;
    bool has_body = vts_response_can_have_body(response->code);
    struct vts_str date = vts_conn_date(conn);

    vts_conn_count_response(conn, exchange);
    vts_buf_append_format(&h1->out, "HTTP/1.1 %d %s\r\ndate: %.*s\r\n", response->code,
                          reason_phrase(response->code), (int)date.len, date.ptr);
    for (size_t i = 0; i < response->headers_count; i++) {
        vts_buf_append_str(&h1->out, response->headers[i].name);
        vts_buf_append_text(&h1->out, ": ");
        vts_buf_append_str(&h1->out, response->headers[i].value);
        vts_buf_append_text(&h1->out, "\r\n");
    }
    if (has_body)
        vts_buf_append_format(&h1->out, "content-length: %zu\r\n", vts_response_body_len(response));
    vts_buf_append_text(&h1->out, h1->closes ? "connection: close\r\n\r\n" : "\r\n");
    if (has_body && exchange->request.method != VTS_METHOD_HEAD) {
        vts_buf_append_str(&h1->out, response->body);
        vts_buf_append(&h1->out, response->tail, response->tail_len);
    }
    vts_exchange_fini(exchange);
    vts_buf_consume(&h1->in, h1->head_len);
    conn->active_ns = h1->header_since_ns = vts_conn_now_ns(conn);
    h1->seen = 0;
    h1->is_first_done = true;
    h1->state = h1->closes ? CLOSING : READING;
    if (vts_buf_check(&h1->out) != VTS_OK)
        vts_conn_end(conn, "out of memory");
}

static const struct vts_exchange_ops exchange_ops = {.send = send_response};

static void free_joined(struct h1 *h1)
{
    for (int i = 0; i < VTS_FIELD_COUNT; i++) {
        vts_mem_free(h1->joined[i]);
        h1->joined[i] = NULL;
    }
}

static void begin_request(struct h1 *h1)
{
    vts_exchange_init(&h1->exchange, &exchange_ops, &h1->exchange_head);
    free_joined(h1);
    h1->url = vts_str_make("", 0);
    h1->is_value = false;
    h1->fields_count = h1->hosts_count = 0;
    h1->has_transfer_encoding = false;
    h1->is_http_1_0 = false;
    h1->closes = false;
    h1->state = HANDLED;
}

static void handle(struct h1 *h1, size_t head_len, int fault, const char *fault_text)
{
    h1->head_len = head_len;
    if (fault != 0 || h1->conn->state == VTS_CONN_DRAINING)
        h1->closes = true;
    h1->exchange.request.fault = fault;
    h1->exchange.request.fault_text = fault_text;
    h1->conn->requests++;
    vts_conn_handle(h1->conn, &h1->exchange);
}

/* The header section is longer than allowed, and not even complete. */
static void refuse_long_head(struct h1 *h1)
{
    struct vts_limits *limits = h1->conn->server->limits;
    struct vts_str rest = vts_buf_str(&h1->in);
    struct vts_str line;
    bool is_path = vts_str_split(&rest, '\n', &line) &&
                   line.len > vts_limits_get(limits, VTS_LIMIT_PATH_BYTES);

    begin_request(h1);
    vts_limits_hit(limits, is_path ? VTS_LIMIT_PATH_BYTES : VTS_LIMIT_HEADER_BYTES);
    handle(h1, h1->in.len, is_path ? 414 : 431,
           is_path ? "the request's path is too long" : "the request's header is too large");
}

/* One empty line before a request is forgiven (RFC 9112 2.2). */
static void skip_empty_line(struct h1 *h1)
{
    if (h1->seen >= 2 || h1->in.len < 2 || memcmp(h1->in.ptr, "\r\n", 2) != 0)
        return;
    vts_buf_consume(&h1->in, 2);
    h1->seen = 0;
}

/* Answers the requests that are complete in `in`, as long as the peer takes the answers. */
static void process(struct h1 *h1)
{
    struct vts_limits *limits = h1->conn->server->limits;

    while (h1->state == READING && h1->conn->state < VTS_CONN_ENDING && h1->in.len > 0 &&
           h1->out.len < OUTPUT_PAUSE_BYTES) {
        const char *text = NULL;
        size_t head_len;
        int code;

        skip_empty_line(h1);
        head_len = vts_h1_head_len(vts_buf_str(&h1->in), h1->seen);
        if ((head_len == 0 ? h1->in.len : head_len) >
            vts_limits_get(limits, VTS_LIMIT_HEADER_BYTES)) {
            refuse_long_head(h1);
            return;
        }
        h1->seen = h1->in.len;
        if (head_len == 0)
            return;
        begin_request(h1);
        code = parse_head(h1, vts_str_make(h1->in.ptr, head_len), &text);
        if (code == 0 &&
            h1->exchange.request.target.len > vts_limits_get(limits, VTS_LIMIT_PATH_BYTES)) {
            vts_limits_hit(limits, VTS_LIMIT_PATH_BYTES);
            code = 414;
            text = "the request's path is too long";
        }
        handle(h1, head_len, code, text);
    }
}

static void on_data(struct vts_conn *conn, const char *bytes, size_t len)
{
    struct h1 *h1 = h1_of(conn);

    if (h1->state == CLOSING)
        return;
    if (h1->in.len == 0)
        h1->header_since_ns = vts_conn_now_ns(conn);
    vts_buf_append(&h1->in, bytes, len);
    if (vts_buf_check(&h1->in) != VTS_OK)
        vts_conn_end(conn, "too much input before an answer was taken");
    process(h1);
}

static size_t produce(struct vts_conn *conn, char *out)
{
    struct h1 *h1 = h1_of(conn);
    size_t len;

    if (h1->out.len == 0 && h1->seen < h1->in.len)
        process(h1);
    len = h1->out.len < VTS_GATHER_BYTES ? h1->out.len : VTS_GATHER_BYTES;
    if (len == 0)
        return 0;
    memcpy(out, h1->out.ptr, len);
    vts_buf_consume(&h1->out, len);
    if (h1->out.len == 0)
        vts_buf_fini(&h1->out); /* an idle connection keeps no buffer */
    if (h1->in.len == 0)
        vts_buf_fini(&h1->in);
    return len;
}

static bool is_finished(const struct vts_conn *conn)
{
    const struct h1 *h1 = h1_of(conn);

    if (h1->out.len > 0)
        return false;
    return h1->state == CLOSING || (h1->state == READING && conn->state == VTS_CONN_DRAINING);
}

static int64_t check_deadlines(struct vts_conn *conn, int64_t now_ns)
{
    struct h1 *h1 = h1_of(conn);
    enum vts_limit limit = VTS_LIMIT_IDLE_MS;
    int64_t since_ns = conn->active_ns;
    int64_t due_ns;

    if (h1->state != READING || h1->out.len > 0)
        return INT64_MAX; /* while answers wait, the deadline is the transport's */
    if (h1->in.len > 0) {
        limit = VTS_LIMIT_HEADER_MS;
        since_ns = h1->header_since_ns;
    } else if (!h1->is_first_done) {
        limit = VTS_LIMIT_PREFACE_MS;
    }
    due_ns = since_ns + vts_limits_get_ns(conn->server->limits, limit);
    if (now_ns >= due_ns)
        vts_conn_end_by_limit(conn, limit);
    return due_ns;
}

static void drain(struct vts_conn *conn)
{
    h1_of(conn)->closes = true;
}

static enum vts_err start(struct vts_conn *conn)
{
    const struct vts_limits *limits = conn->server->limits;
    struct h1 *h1 = vts_mem_zalloc(sizeof(*h1));

    if (h1 == NULL)
        return VTS_ERR_NOMEM;
    h1->conn = conn;
    /* A header section may be followed by what one turn reads; more is not waited for. */
    vts_buf_init(&h1->in, vts_limits_get(limits, VTS_LIMIT_HEADER_BYTES) + INPUT_ROOM_BYTES);
    vts_buf_init(&h1->out, OUTPUT_MAX_BYTES);
    conn->protocol = h1;
    return VTS_OK;
}

static void h1_free(struct vts_conn *conn)
{
    struct h1 *h1 = h1_of(conn);

    if (h1->state == HANDLED)
        vts_exchange_fini(&h1->exchange);
    free_joined(h1);
    vts_buf_fini(&h1->in);
    vts_buf_fini(&h1->out);
    vts_mem_free(h1);
    conn->protocol = NULL;
}

const struct vts_conn_ops vts_h1_ops = {
    .name = "http/1.1",
    .start = start,
    .free = h1_free,
    .on_data = on_data,
    .produce = produce,
    .is_finished = is_finished,
    .check_deadlines = check_deadlines,
    .drain = drain,
};
