/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - one character at a time: is it safe, how wide is it, or what stands in for it. */
#include "client/cli/text.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

struct piece {
    char text[16];
    size_t len;
    size_t columns;
};

void vts_cli_text_init(void)
{
    /* Without it, bytes above 0x7f are escaped: ugly, not unsafe. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
}

/* Marks, embeddings, overrides and isolates (Unicode Standard Annex 9), and the two separators
 * that end a line. */
static bool is_misleading(wchar_t c)
{
    return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* Takes one character off the front of text, which is not empty. */
static size_t take_piece(const char *text, size_t len, struct piece *ret_piece)
{
    mbstate_t state = {0};
    wchar_t c = 0;
    size_t step = mbrtowc(&c, text, len, &state);
    int columns;

    if (step == (size_t)-1 || step == (size_t)-2) {
        ret_piece->len = (size_t)snprintf(ret_piece->text, sizeof(ret_piece->text), "\\x%02x",
                                          (unsigned char)text[0]);
        ret_piece->columns = ret_piece->len;
        return 1;
    }
    columns = wcwidth(c);
    if (columns < 0 || is_misleading(c)) {
        ret_piece->len = (size_t)snprintf(ret_piece->text, sizeof(ret_piece->text),
                                          c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        ret_piece->columns = ret_piece->len;
        return step;
    }
    memcpy(ret_piece->text, text, step);
    ret_piece->len = step;
    ret_piece->columns = (size_t)columns;
    return step;
}

size_t vts_cli_text_escape(const char *text, char *out, size_t size, size_t max_columns,
                           size_t *ret_len)
{
    size_t left = strlen(text);
    size_t columns = 0;
    size_t len = 0;

    while (left > 0) {
        struct piece piece;
        size_t step = take_piece(text, left, &piece);

        if (len + piece.len >= size || columns + piece.columns > max_columns)
            break;
        memcpy(out + len, piece.text, piece.len);
        len += piece.len;
        columns += piece.columns;
        text += step;
        left -= step;
    }
    out[len] = '\0';
    if (ret_len != NULL)
        *ret_len = len;
    return columns;
}

void vts_cli_text_print(FILE *file, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        struct piece piece;
        size_t step = take_piece(text, left, &piece);

        (void)fwrite(piece.text, 1, piece.len, file); /* the caller looks at ferror() once */
        text += step;
        left -= step;
    }
}
