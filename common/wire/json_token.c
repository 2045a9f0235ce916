/* SPDX-License-Identifier: Apache-2.0 */
/* json_token.c - splits JSON text into tokens, with no recursion.
 *
 * What is open is a chain through the tokens themselves: an open array or object has the index of
 * the one around it in `end` until it closes. So depth costs no stack and no memory of its own.
 */
#include "common/wire/json_token.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/wire/json_number.h"
#include "common/wire/message_limit.h"

static const uint32_t nowhere = UINT32_MAX;

/* What may come next:
 *
 *   VALUE         a value must
 *   FIRST_VALUE   a value, or the end of the array just begun
 *   FIRST_KEY     a key, or the end of the object just begun
 *   KEY           a key must, after a comma
 *   AFTER         a comma or an end; at the top, nothing
 */
enum state { VALUE, FIRST_VALUE, FIRST_KEY, KEY, AFTER };

struct parser {
    struct vts_str text;
    size_t at;
    const struct vts_json_limits *limits;
    struct vts_error *error;
    struct vts_json_doc doc;
    uint32_t cap;
    size_t unescaped_len;
    size_t value_count;
    size_t key_count;
    unsigned depth;
    uint32_t open; /* the innermost array or object that is not closed, or nowhere */
    enum state state;
};

static enum vts_err refuse(struct parser *parser, const char *why)
{
    return vts_error_set(parser->error, VTS_ERR_INVALID, "no JSON: %s at byte %zu", why,
                         parser->at);
}

static enum vts_err refuse_limit(struct parser *parser, enum vts_message_limit limit,
                                 const char *what, size_t max)
{
    (void)vts_error_set(parser->error, VTS_ERR_LIMIT, "JSON of more than %zu %s", max, what);
    return vts_message_limit_met(parser->error, limit);
}

static enum vts_err no_memory(struct parser *parser)
{
    return vts_error_set(parser->error, VTS_ERR_NOMEM, "out of memory");
}

static enum vts_err grow(struct parser *parser)
{
    uint32_t cap = parser->cap == 0 ? 32 : parser->cap * 2;
    struct vts_json_token *grown =
        vts_mem_realloc(parser->doc.tokens, cap * sizeof(*parser->doc.tokens));

    if (grown == NULL)
        return no_memory(parser);
    parser->doc.tokens = grown;
    parser->cap = cap;
    return VTS_OK;
}

/* Adds a token that ends with itself. Keys are bounded as the values behind them are. */
static enum vts_err add_token(struct parser *parser, enum vts_json_kind kind, struct vts_str text)
{
    if (parser->doc.count == parser->cap) {
        enum vts_err err = grow(parser);

        if (err != VTS_OK)
            return err;
    }
    parser->doc.tokens[parser->doc.count] = (struct vts_json_token){
        .text = text.ptr,
        .len = (uint32_t)text.len,
        .end = parser->doc.count + 1,
        .kind = kind,
    };
    parser->doc.count++;
    return VTS_OK;
}

static void skip_blanks(struct parser *parser)
{
    while (parser->at < parser->text.len) {
        char c = parser->text.ptr[parser->at];

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        parser->at++;
    }
}

/* The next byte; NUL at the end of the text, where no token begins either. */
static char peek(const struct parser *parser)
{
    return parser->at < parser->text.len ? parser->text.ptr[parser->at] : '\0';
}

/* The four digits of \uXXXX, of which parser->at is the "u"; negative when they are none. */
static int32_t read_hex4(struct parser *parser)
{
    int32_t value = 0;

    if (parser->text.len - parser->at < 5)
        return -1;
    for (size_t i = 1; i <= 4; i++) {
        char c = parser->text.ptr[parser->at + i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    parser->at += 5;
    return value;
}

static void put_utf8(struct parser *parser, uint32_t code_point)
{
    char *out = parser->doc.unescaped + parser->unescaped_len;
    size_t len = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    out[0] = (char)(leads[len] | code_point);
    parser->unescaped_len += len;
}

/* A character of two escapes is a pair of surrogates; half a pair is no text. */
static enum vts_err read_unicode_escape(struct parser *parser)
{
    int32_t high = read_hex4(parser);
    int32_t low;

    if (high <= 0)
        return refuse(parser, high < 0 ? "a broken escape" : "NUL in a string");
    if (high < 0xd800 || high > 0xdfff) {
        put_utf8(parser, (uint32_t)high);
        return VTS_OK;
    }
    if (high >= 0xdc00 || parser->text.len - parser->at < 6 || peek(parser) != '\\' ||
        parser->text.ptr[parser->at + 1] != 'u')
        return refuse(parser, "half a surrogate pair");
    parser->at++;
    low = read_hex4(parser);
    if (low < 0xdc00 || low > 0xdfff)
        return refuse(parser, "half a surrogate pair");
    put_utf8(parser, 0x10000U + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
    return VTS_OK;
}

/* parser->at is behind the backslash. */
static enum vts_err read_escape(struct parser *parser)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char c = peek(parser);
    const char *found = c == '\0' ? NULL : strchr(names, c);

    if (c == 'u')
        return read_unicode_escape(parser);
    if (found == NULL)
        return refuse(parser, "a broken escape");
    put_utf8(parser, (unsigned char)meanings[found - names]);
    parser->at++;
    return VTS_OK;
}

/* Takes one character that stands for itself. */
static enum vts_err read_plain(struct parser *parser, bool is_copied)
{
    const char *text = parser->text.ptr + parser->at;
    uint32_t code_point;
    size_t len = vts_utf8_decode(text, parser->text.len - parser->at, &code_point);

    if (parser->at == parser->text.len)
        return refuse(parser, "a string without end");
    if (len == 0 || code_point < 0x20)
        return refuse(parser, len == 0 ? "bytes that are no UTF-8" : "a bare control character");
    if (is_copied) {
        memcpy(parser->doc.unescaped + parser->unescaped_len, text, len);
        parser->unescaped_len += len;
    }
    parser->at += len;
    return VTS_OK;
}

/* Goes on with a string that has an escape, whose first part is `plain`. Without escapes text is
 * never longer than with them, so that one buffer of the text's length holds all strings. */
static enum vts_err read_escaped(struct parser *parser, struct vts_str plain,
                                 struct vts_str *ret_text)
{
    enum vts_err err = VTS_OK;
    char *start;

    if (parser->doc.unescaped == NULL) {
        parser->doc.unescaped = vts_mem_alloc(parser->text.len);
        if (parser->doc.unescaped == NULL)
            return no_memory(parser);
    }
    start = parser->doc.unescaped + parser->unescaped_len;
    memcpy(start, plain.ptr, plain.len);
    parser->unescaped_len += plain.len;
    while (err == VTS_OK && peek(parser) != '"') {
        if (peek(parser) == '\\') {
            parser->at++;
            err = read_escape(parser);
        } else {
            err = read_plain(parser, true);
        }
    }
    *ret_text =
        vts_str_make(start, (size_t)(parser->doc.unescaped + parser->unescaped_len - start));
    return err;
}

/* parser->at is at the quote. */
static enum vts_err read_string(struct parser *parser, struct vts_str *ret_text)
{
    size_t start = ++parser->at;
    enum vts_err err = VTS_OK;

    while (err == VTS_OK && peek(parser) != '"' && peek(parser) != '\\')
        err = read_plain(parser, false);
    *ret_text = vts_str_make(parser->text.ptr + start, parser->at - start);
    if (err == VTS_OK && peek(parser) == '\\')
        err = read_escaped(parser, *ret_text, ret_text);
    if (err == VTS_OK)
        parser->at++;
    return err;
}

/* Begins an array or object, or ends the innermost. */
static enum vts_err open_nested(struct parser *parser, enum vts_json_kind kind)
{
    uint32_t index = parser->doc.count;
    enum vts_err err;

    if (++parser->depth > parser->limits->max_depth)
        return refuse_limit(parser, VTS_MESSAGE_LIMIT_DEPTH, "levels", parser->limits->max_depth);
    err = add_token(parser, kind, vts_str_make("", 0));
    if (err != VTS_OK)
        return err;
    parser->at++;
    parser->doc.tokens[index].end = parser->open;
    parser->open = index;
    parser->state = kind == VTS_JSON_ARRAY ? FIRST_VALUE : FIRST_KEY;
    return VTS_OK;
}

static enum vts_err close_nested(struct parser *parser)
{
    struct vts_json_token *token = &parser->doc.tokens[parser->open];

    if (peek(parser) != (token->kind == VTS_JSON_ARRAY ? ']' : '}'))
        return refuse(parser, "neither comma nor end");
    parser->at++;
    parser->depth--;
    parser->open = token->end;
    token->end = parser->doc.count;
    parser->state = AFTER;
    return VTS_OK;
}

static enum vts_err read_word(struct parser *parser, const char *word, enum vts_json_kind kind)
{
    struct vts_str rest =
        vts_str_make(parser->text.ptr + parser->at, parser->text.len - parser->at);

    if (!vts_str_starts_with(rest, word))
        return refuse(parser, "an unknown word");
    parser->at += strlen(word);
    parser->state = AFTER;
    return add_token(parser, kind, vts_str_make("", 0));
}

static enum vts_err read_number(struct parser *parser)
{
    struct vts_str rest =
        vts_str_make(parser->text.ptr + parser->at, parser->text.len - parser->at);
    size_t len = vts_json_number_len(rest);

    if (len == 0)
        return refuse(parser, "no value");
    if (len > VTS_JSON_MAX_NUMBER_BYTES)
        return refuse(parser, "a number too long");
    parser->at += len;
    parser->state = AFTER;
    return add_token(parser, VTS_JSON_NUMBER, vts_str_make(rest.ptr, len));
}

static enum vts_err read_string_value(struct parser *parser)
{
    struct vts_str text;
    enum vts_err err = read_string(parser, &text);

    parser->state = AFTER;
    return err != VTS_OK ? err : add_token(parser, VTS_JSON_STRING, text);
}

static enum vts_err read_value(struct parser *parser)
{
    if (++parser->value_count > parser->limits->max_values)
        return refuse_limit(parser, VTS_MESSAGE_LIMIT_ELEMENTS, "values",
                            parser->limits->max_values);
    if (parser->open != nowhere)
        parser->doc.tokens[parser->open].count++;
    switch (peek(parser)) {
    case '{':
        return open_nested(parser, VTS_JSON_OBJECT);
    case '[':
        return open_nested(parser, VTS_JSON_ARRAY);
    case '"':
        return read_string_value(parser);
    case 't':
        return read_word(parser, "true", VTS_JSON_TRUE);
    case 'f':
        return read_word(parser, "false", VTS_JSON_FALSE);
    case 'n':
        return read_word(parser, "null", VTS_JSON_NULL);
    default:
        return read_number(parser);
    }
}

static enum vts_err read_key(struct parser *parser)
{
    struct vts_str text;
    enum vts_err err;

    if (peek(parser) != '"')
        return refuse(parser, "no key");
    err = read_string(parser, &text);
    if (err == VTS_OK)
        err = add_token(parser, VTS_JSON_STRING, text);
    if (err != VTS_OK)
        return err;
    parser->key_count++;
    skip_blanks(parser);
    if (peek(parser) != ':')
        return refuse(parser, "no colon");
    parser->at++;
    parser->state = VALUE;
    return VTS_OK;
}

static enum vts_err read_after(struct parser *parser)
{
    if (parser->open == nowhere)
        return refuse(parser, "more than one value");
    if (peek(parser) != ',')
        return close_nested(parser);
    parser->at++;
    parser->state = parser->doc.tokens[parser->open].kind == VTS_JSON_ARRAY ? VALUE : KEY;
    return VTS_OK;
}

static enum vts_err step(struct parser *parser)
{
    switch (parser->state) {
    case FIRST_VALUE:
        return peek(parser) == ']' ? close_nested(parser) : read_value(parser);
    case VALUE:
        return read_value(parser);
    case FIRST_KEY:
        return peek(parser) == '}' ? close_nested(parser) : read_key(parser);
    case KEY:
        return read_key(parser);
    case AFTER:
        return read_after(parser);
    }
    VTS_UNREACHABLE();
}

static enum vts_err parse(struct parser *parser)
{
    enum vts_err err = VTS_OK;

    skip_blanks(parser);
    while (err == VTS_OK &&
           !(parser->state == AFTER && parser->open == nowhere && parser->at == parser->text.len)) {
        err = step(parser);
        skip_blanks(parser);
    }
    return err;
}

/* One key of an object. */
struct key {
    const char *text;
    uint32_t len;
    uint32_t object;
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *left = a;
    const struct key *right = b;

    if (left->object != right->object)
        return left->object < right->object ? -1 : 1;
    if (left->len != right->len)
        return left->len < right->len ? -1 : 1;
    return memcmp(left->text, right->text, left->len);
}

/* The keys of each object with more than one; returns how many. */
static size_t gather_keys(const struct vts_json_doc *doc, struct key *keys)
{
    size_t count = 0;

    for (uint32_t i = 0; i < doc->count; i++) {
        uint32_t at = i + 1;

        if (doc->tokens[i].kind != VTS_JSON_OBJECT || doc->tokens[i].count < 2)
            continue;
        for (; at < doc->tokens[i].end; at = doc->tokens[at + 1].end)
            keys[count++] = (struct key){doc->tokens[at].text, doc->tokens[at].len, i};
    }
    return count;
}

/* Sorting finds equal neighbours in time that no choice of keys can make quadratic. */
static enum vts_err check_keys(struct parser *parser)
{
    struct key *keys = vts_mem_alloc(parser->key_count * sizeof(*keys));
    enum vts_err err = VTS_OK;
    size_t count;

    if (keys == NULL)
        return no_memory(parser);
    count = gather_keys(&parser->doc, keys);
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < count && err == VTS_OK; i++)
        if (compare_keys(&keys[i - 1], &keys[i]) == 0)
            err = vts_error_set(parser->error, VTS_ERR_INVALID, "an object has a key twice");
    vts_mem_free(keys);
    return err;
}

void vts_json_doc_free(struct vts_json_doc *doc)
{
    vts_mem_free(doc->tokens);
    vts_mem_free(doc->unescaped);
}

enum vts_err vts_json_doc_parse(struct vts_str text, const struct vts_json_limits *limits,
                                struct vts_error *error, struct vts_json_doc *ret_doc)
{
    struct parser parser = {
        .text = text, .limits = limits, .error = error, .open = nowhere, .state = VALUE};
    enum vts_err err;

    if (text.len > limits->max_bytes || text.len >= UINT32_MAX)
        return refuse_limit(&parser, VTS_MESSAGE_LIMIT_OTHER, "bytes", limits->max_bytes);
    if (text.len == 0)
        return refuse(&parser, "no value");
    err = parse(&parser);
    if (err == VTS_OK && parser.key_count > 1)
        err = check_keys(&parser);
    if (err != VTS_OK) {
        vts_json_doc_free(&parser.doc);
        return err;
    }
    *ret_doc = parser.doc;
    return VTS_OK;
}
