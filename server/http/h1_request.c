/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request.c - from a header section to a request with its handler.
 *
 * A section is gathered whole, checked for form (h1_strict.c) and then read by http_parser. It is
 * kept apart from what follows it until the response's head is written, as the request points into
 * it. The handler sees every good head; unless it attaches somebody, nobody takes a body, and the
 * request is answered without it.
 */
#include <http_parser.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/http/h1.h"
#include "server/http/h1_strict.h"

/* While http_parser reads a header section. */
struct reading {
    struct vts_h1 *h1;
    char *head; /* the section, of which names are put in lower case */
    size_t head_len;
    struct vts_str url;
    struct vts_str name;
    struct vts_str value;
    bool is_value;
    bool has_metadata; /* the request may carry it, so that all fields are kept */
    bool is_memory_out;
    unsigned fields_count;
    unsigned hosts_count;
    struct vts_str transfer_encoding;
    bool has_transfer_encoding;
};

/* ---- fields ------------------------------------------------------------------------------- */

/* Each field takes a line of its own. */
static size_t count_lines(const struct reading *reading)
{
    size_t count = 0;

    for (size_t i = 0; i < reading->head_len; i++)
        count += reading->head[i] == '\n';
    return count;
}

static void keep_any(struct reading *reading, struct vts_str value)
{
    struct vts_h1 *h1 = reading->h1;
    struct vts_request *request = &h1->exchange.request;

    if (h1->head.headers == NULL)
        h1->head.headers = vts_mem_alloc(count_lines(reading) * sizeof(struct vts_header));
    if (h1->head.headers == NULL) {
        reading->is_memory_out = true;
        return;
    }
    h1->head.headers[request->headers_count++] = (struct vts_header){reading->name, value};
    request->headers = h1->head.headers;
}

static void keep_known(struct reading *reading, enum vts_field field, struct vts_str value)
{
    struct vts_h1 *h1 = reading->h1;
    struct vts_str *known = &h1->exchange.request.fields[field];

    if (field == VTS_FIELD_HOST)
        reading->hosts_count++;
    if (known->ptr == NULL)
        *known = value;
    else if (vts_field_join(known, value, &h1->head.joined[field]) != VTS_OK)
        reading->is_memory_out = true;
}

/* In place: http_parser is past it. */
static void lower_name(struct reading *reading)
{
    char *name = reading->head + (reading->name.ptr - reading->head);

    for (size_t i = 0; i < reading->name.len; i++)
        if (name[i] >= 'A' && name[i] <= 'Z')
            name[i] = (char)(name[i] | 0x20);
}

static void keep_field(struct reading *reading)
{
    struct vts_str value = vts_str_trim(reading->value);
    enum vts_field field;

    reading->fields_count++;
    lower_name(reading);
    if (vts_str_equals_text(reading->name, "transfer-encoding")) {
        /* A second one makes the first no longer the whole truth. */
        reading->transfer_encoding = reading->has_transfer_encoding ? vts_str_of("twice") : value;
        reading->has_transfer_encoding = true;
    }
    field = vts_field_find(reading->name);
    if (field != VTS_FIELD_COUNT)
        keep_known(reading, field, value);
    if (reading->has_metadata)
        keep_any(reading, value);
}

/* ---- http_parser's events ------------------------------------------------------------------ */

static int on_url(http_parser *parser, const char *at, size_t len)
{
    struct reading *reading = parser->data;

    reading->url = vts_str_make(at, len);
    reading->has_metadata = parser->method == HTTP_POST || memchr(at, '?', len) != NULL;
    return 0;
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
    struct reading *reading = parser->data;

    if (reading->is_value)
        keep_field(reading);
    reading->is_value = false;
    reading->name = vts_str_make(at, len);
    reading->value = vts_str_make("", 0);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct reading *reading = parser->data;

    reading->is_value = true;
    reading->value = vts_str_make(at, len);
    return 0;
}

static int on_head_complete(http_parser *parser)
{
    struct reading *reading = parser->data;

    if (reading->is_value)
        keep_field(reading);
    return 1; /* whatever body there is, http_parser is not to read it */
}

static const http_parser_settings parser_settings = {.on_url = on_url,
                                                     .on_header_field = on_name,
                                                     .on_header_value = on_value,
                                                     .on_headers_complete = on_head_complete};

/* ---- judging a header section --------------------------------------------------------------- */

/* "GET https://host/path HTTP/1.1": the host must be the one of the Host field. */
static bool set_target(struct vts_request *request, struct vts_str url)
{
    struct http_parser_url parts;
    struct vts_str authority;

    request->authority = request->fields[VTS_FIELD_HOST];
    if (url.ptr[0] == '/' || vts_str_equals_text(url, "*")) {
        vts_request_set_target(request, url);
        return true;
    }
    http_parser_url_init(&parts);
    if (http_parser_parse_url(url.ptr, url.len, 0, &parts) != 0 ||
        (parts.field_set & 1 << UF_HOST) == 0 || (parts.field_set & 1 << UF_USERINFO) != 0)
        return false;
    authority.ptr = url.ptr + parts.field_data[UF_HOST].off;
    authority.len = parts.field_data[UF_HOST].len;
    if ((parts.field_set & 1 << UF_PORT) != 0)
        authority.len = (size_t)(url.ptr + parts.field_data[UF_PORT].off +
                                 parts.field_data[UF_PORT].len - authority.ptr);
    if (!vts_str_equals(authority, request->authority))
        return false;
    authority.ptr += authority.len;
    authority.len = (size_t)(url.ptr + url.len - authority.ptr);
    vts_request_set_target(request, authority.len == 0 ? vts_str_of("/") : authority);
    return true;
}

static int refuse_by_limit(const struct vts_h1 *h1, enum vts_limit limit, const char **ret_text)
{
    vts_limits_hit(h1->conn->server->limits, limit);
    *ret_text = limit == VTS_LIMIT_PATH_BYTES ? "the request's path is too long"
                                              : "the request's header is too large";
    return limit == VTS_LIMIT_PATH_BYTES ? 414 : 431;
}

static int check_sizes(const struct reading *reading, const char **ret_text)
{
    const struct vts_h1 *h1 = reading->h1;
    const struct vts_limits *limits = h1->conn->server->limits;

    *ret_text = "there is no memory for the request's header";
    if (reading->is_memory_out)
        return 431;
    if (reading->fields_count > vts_limits_get(limits, VTS_LIMIT_HEADER_FIELDS))
        return refuse_by_limit(h1, VTS_LIMIT_HEADER_FIELDS, ret_text);
    return 0;
}

/* What is wrong with the request as http_parser read it; 0 when nothing is. */
static int check_request(const struct reading *reading, const http_parser *parser,
                         const char **ret_text)
{
    struct vts_h1 *h1 = reading->h1;
    struct vts_request *request = &h1->exchange.request;
    struct vts_str expect = request->fields[VTS_FIELD_EXPECT];
    int code = check_sizes(reading, ret_text);

    if (code != 0)
        return code;
    *ret_text = "Transfer-Encoding must be chunked, in HTTP/1.1, without Content-Length";
    if (reading->has_transfer_encoding &&
        (!vts_str_equals_nocase(reading->transfer_encoding, "chunked") || h1->is_http_1_0 ||
         (parser->flags & F_CONTENTLENGTH) != 0))
        return 400;
    *ret_text = "exactly one Host field is needed, with a host";
    if (reading->hosts_count > 1 || (reading->hosts_count == 0 && !h1->is_http_1_0) ||
        (reading->hosts_count == 1 && !vts_h1_is_host(request->fields[VTS_FIELD_HOST])))
        return 400;
    *ret_text = "the request target is malformed, or names another host than the Host field";
    if (!set_target(request, reading->url))
        return 400;
    *ret_text = "an expectation other than 100-continue cannot be met";
    if (expect.ptr != NULL && !vts_str_equals_nocase(expect, "100-continue"))
        return 417;
    if (request->target.len > vts_limits_get(h1->conn->server->limits, VTS_LIMIT_PATH_BYTES))
        return refuse_by_limit(h1, VTS_LIMIT_PATH_BYTES, ret_text);
    return 0;
}

static void expect_body(const struct reading *reading, const http_parser *parser)
{
    if (reading->has_transfer_encoding)
        vts_h1_body_begin(reading->h1, VTS_H1_BODY_CHUNKED, 0);
    else if ((parser->flags & F_CONTENTLENGTH) != 0 && parser->content_length > 0)
        vts_h1_body_begin(reading->h1, VTS_H1_BODY_LENGTH, parser->content_length);
}

/* Returns 0, or the HTTP code to refuse with; *ret_text then says why. */
static int parse_head(struct vts_h1 *h1, size_t len, const char **ret_text)
{
    struct reading reading = {.h1 = h1, .head = h1->head.bytes, .head_len = len};
    int code = vts_h1_check_head(vts_str_make(reading.head, len), ret_text);
    http_parser parser;
    size_t taken;

    if (code != 0)
        return code;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &reading;
    taken = http_parser_execute(&parser, &parser_settings, reading.head, len);
    *ret_text = http_errno_description(HTTP_PARSER_ERRNO(&parser));
    /* An upgrade is not taken up; the request is answered as what it is without it. */
    if (HTTP_PARSER_ERRNO(&parser) == HPE_INVALID_METHOD)
        return 501;
    if (HTTP_PARSER_ERRNO(&parser) != HPE_OK || taken != len || reading.url.len == 0)
        return 400;
    h1->exchange.request.method =
        vts_method_parse(vts_str_of(http_method_str((enum http_method)parser.method)));
    h1->is_http_1_0 = parser.http_minor == 0;
    h1->closes = h1->closes || http_should_keep_alive(&parser) == 0;
    expect_body(&reading, &parser);
    return check_request(&reading, &parser, ret_text);
}

/* ---- on the way to the handler --------------------------------------------------------------- */

void vts_h1_drop_request(struct vts_h1 *h1)
{
    for (int i = 0; i < VTS_FIELD_COUNT; i++) {
        vts_mem_free(h1->head.joined[i]);
        h1->head.joined[i] = NULL;
    }
    vts_mem_free(h1->head.headers);
    vts_mem_free(h1->head.bytes);
    h1->head.headers = NULL;
    h1->head.bytes = NULL;
    h1->exchange.request.headers_count = 0;
}

static void begin_request(struct vts_h1 *h1)
{
    vts_exchange_init(&h1->exchange, &vts_h1_exchange_ops, &h1->exchange_head);
    vts_h1_body_begin(h1, VTS_H1_BODY_NONE, 0);
    h1->is_http_1_0 = false;
    h1->is_deferred = false;
    h1->closes = h1->conn->state == VTS_CONN_DRAINING;
    vts_h1_set_state(h1, VTS_H1_HANDLED);
    h1->conn->requests++;
}

static void handle(struct vts_h1 *h1, int fault, const char *fault_text)
{
    h1->closes = h1->closes || fault != 0;
    h1->exchange.request.fault = fault;
    h1->exchange.request.fault_text = fault_text;
    vts_conn_handle(h1->conn, &h1->exchange);
}

void vts_h1_refuse(struct vts_h1 *h1, int fault, const char *text)
{
    if (h1->state != VTS_H1_HANDLED) {
        vts_conn_break_off(h1->conn, text);
        return;
    }
    vts_exchange_detach(&h1->exchange);
    handle(h1, fault, text);
}

/* The peer may wait for it before it sends the body (RFC 9110 10.1.1). */
static void tell_to_continue(struct vts_h1 *h1)
{
    if (h1->exchange.request.fields[VTS_FIELD_EXPECT].ptr != NULL && !h1->is_http_1_0 &&
        h1->in.len == 0)
        vts_buf_append_text(&h1->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* Lets the handler see the head. Unless somebody is attached then, the request is answered now. */
static void offer(struct vts_h1 *h1)
{
    struct vts_exchange *exchange = &h1->exchange;

    vts_conn_begin(h1->conn, exchange);
    if (exchange->user_ops == NULL) {
        if (h1->state == VTS_H1_HANDLED)
            handle(h1, 0, NULL);
        return;
    }
    if (h1->state > VTS_H1_STREAMING || h1->conn->state >= VTS_CONN_ENDING)
        return;
    if (h1->body.form == VTS_H1_BODY_NONE)
        exchange->user_ops->on_body_end(exchange->user);
    else if (h1->state == VTS_H1_HANDLED)
        tell_to_continue(h1);
}

/* The header section is longer than allowed, and perhaps not even complete. */
static void refuse_long_head(struct vts_h1 *h1)
{
    struct vts_str rest = vts_buf_str(&h1->in);
    struct vts_str line;
    bool is_path = vts_str_split(&rest, '\n', &line) &&
                   line.len > vts_limits_get(h1->conn->server->limits, VTS_LIMIT_PATH_BYTES);
    const char *text;
    int code = refuse_by_limit(h1, is_path ? VTS_LIMIT_PATH_BYTES : VTS_LIMIT_HEADER_BYTES, &text);

    begin_request(h1);
    handle(h1, code, text);
}

/* One empty line before a request is forgiven (RFC 9112 2.2). */
static void skip_empty_line(struct vts_h1 *h1)
{
    if (h1->seen >= 2 || h1->in.len < 2 || memcmp(h1->in.ptr, "\r\n", 2) != 0)
        return;
    vts_buf_consume(&h1->in, 2);
    h1->seen = 0;
}

/* Moves a complete header section to where it stays. */
static bool keep_head(struct vts_h1 *h1, size_t len)
{
    h1->head.bytes = vts_mem_alloc(len);
    if (h1->head.bytes == NULL) {
        vts_conn_end(h1->conn, "out of memory");
        return false;
    }
    memcpy(h1->head.bytes, h1->in.ptr, len);
    vts_buf_consume(&h1->in, len);
    return true;
}

bool vts_h1_take_request(struct vts_h1 *h1)
{
    const struct vts_limits *limits = h1->conn->server->limits;
    const char *text = NULL;
    size_t len;
    int code;

    skip_empty_line(h1);
    len = vts_h1_head_len(vts_buf_str(&h1->in), h1->seen);
    h1->seen = h1->in.len;
    if ((len == 0 ? h1->in.len : len) > vts_limits_get(limits, VTS_LIMIT_HEADER_BYTES)) {
        refuse_long_head(h1);
        return true;
    }
    if (len == 0 || !keep_head(h1, len))
        return false;
    begin_request(h1);
    code = parse_head(h1, len, &text);
    if (code != 0)
        handle(h1, code, text);
    else
        offer(h1);
    return true;
}
