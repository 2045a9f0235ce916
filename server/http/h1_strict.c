/* SPDX-License-Identifier: Apache-2.0 */
/* h1_strict.c - the strictness of RFC 9112 that a lenient parser leaves out.
 *
 * One line at a time; nothing is kept. Meaning is http_parser's business, form is checked here.
 */
#include "server/http/h1_strict.h"

#include <string.h>

size_t vts_h1_head_len(struct vts_str bytes, size_t seen)
{
    /* The end is up to three bytes long and may have begun in what was seen. */
    for (size_t i = seen < 2 ? 0 : seen - 2; i < bytes.len; i++) {
        if (bytes.ptr[i] != '\n')
            continue;
        if (i + 1 < bytes.len && bytes.ptr[i + 1] == '\n')
            return i + 2;
        if (i + 2 < bytes.len && bytes.ptr[i + 1] == '\r' && bytes.ptr[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

bool vts_h1_is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct vts_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!vts_h1_is_token_char(text.ptr[i]))
            return false;
    return text.len > 0;
}

static bool is_target(struct vts_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c <= 0x20 || c >= 0x7f)
            return false;
    }
    return text.len > 0;
}

static int check_request_line(struct vts_str line, const char **ret_text)
{
    struct vts_str method;
    struct vts_str target;

    *ret_text = "the request line is malformed";
    if (!vts_str_split(&line, ' ', &method) || !is_token(method) ||
        !vts_str_split(&line, ' ', &target) || !is_target(target))
        return 400;
    if (vts_str_equals_text(line, "HTTP/1.1") || vts_str_equals_text(line, "HTTP/1.0"))
        return 0;
    if (line.len == 8 && vts_str_starts_with(line, "HTTP/")) {
        *ret_text = "only HTTP/1.1 and HTTP/1.0 are spoken here without ALPN";
        return 505;
    }
    return 400;
}

static int check_field_line(struct vts_str line, const char **ret_text)
{
    struct vts_str name;

    *ret_text = "a header field is malformed";
    if (!vts_str_split(&line, ':', &name) || line.ptr == NULL || !is_token(name))
        return 400; /* folded lines and blanks before the colon end here */
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return 400;
    }
    return 0;
}

int vts_h1_check_head(struct vts_str head, const char **ret_text)
{
    struct vts_str line;
    int code = 0;

    for (bool is_first = true; code == 0 && vts_str_split(&head, '\n', &line); is_first = false) {
        if (line.len == 0 || line.ptr[line.len - 1] != '\r') {
            *ret_text = "a line does not end in CRLF";
            return 400;
        }
        line.len--;
        if (line.len == 0 && !is_first)
            return 0;
        code = is_first ? check_request_line(line, ret_text) : check_field_line(line, ret_text);
    }
    return code;
}

bool vts_h1_is_host(struct vts_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_letter_or_digit =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!is_letter_or_digit && (c == '\0' || strchr("-._~%!$&'()*+,;=:[]", c) == NULL))
            return false;
    }
    return text.len > 0;
}
