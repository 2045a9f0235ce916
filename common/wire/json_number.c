/* SPDX-License-Identifier: Apache-2.0 */
/* json_number.c - numbers of JSON to and from C's, with integers read in integers. */
#include "common/wire/json_number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A program that uses the library may have a locale with another decimal point, of some bytes. */
static void undo_locale(char *text)
{
    char *out = text;

    for (const char *c = text; *c != '\0'; c++)
        if (strchr("0123456789+-e", *c) != NULL)
            *out++ = *c;
        else if (out == text || out[-1] != '.')
            *out++ = '.';
    *out = '\0';
}

/* How many digits every value is known to survive: one below the normal numbers. */
static int sure_digits(double value, bool is_float)
{
    if (fabs(value) < (is_float ? (double)FLT_MIN : DBL_MIN))
        return 1;
    return is_float ? FLT_DIG : DBL_DIG;
}

void vts_json_number_write(struct vts_buf *buf, double value, bool is_float)
{
    char text[40];

    if (isnan(value) || isinf(value)) {
        vts_buf_append_text(buf, isnan(value) ? "\"NaN\""
                                 : value > 0  ? "\"Infinity\""
                                              : "\"-Infinity\"");
        return;
    }
    for (int digits = sure_digits(value, is_float); digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
            break;
    }
    undo_locale(text);
    vts_buf_append_text(buf, text);
}

static size_t skip_digits(struct vts_str text, size_t at)
{
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    return at;
}

static bool has(struct vts_str text, size_t at, const char *set)
{
    return at < text.len && text.ptr[at] != '\0' && strchr(set, text.ptr[at]) != NULL;
}

size_t vts_json_number_len(struct vts_str text)
{
    size_t start = has(text, 0, "-") ? 1 : 0;
    size_t at = has(text, start, "0") ? start + 1 : skip_digits(text, start);
    size_t part;

    if (at == start)
        return 0;
    if (has(text, at, ".")) {
        part = skip_digits(text, at + 1);
        if (part == at + 1)
            return 0;
        at = part;
    }
    if (has(text, at, "eE")) {
        part = at + (has(text, at + 1, "+-") ? 2 : 1);
        at = skip_digits(text, part);
        if (at == part)
            return 0;
    }
    return at;
}

static bool is_number(struct vts_str text)
{
    return text.len > 0 && text.len <= VTS_JSON_MAX_NUMBER_BYTES &&
           vts_json_number_len(text) == text.len;
}

/* A number as it is written: digits without the point, and how many places the point is off. */
struct decimal {
    char digits[VTS_JSON_MAX_NUMBER_BYTES];
    size_t len;
    long exponent;
    bool is_negative;
};

/* Past any that matters it stays where it is. */
static long read_exponent(struct vts_str text, size_t at)
{
    bool is_negative = has(text, at, "-");
    long exponent = 0;

    for (at += has(text, at, "+-") ? 1 : 0; at < text.len; at++)
        if (exponent < 10000)
            exponent = exponent * 10 + (text.ptr[at] - '0');
    return is_negative ? -exponent : exponent;
}

static void take_apart(struct vts_str text, struct decimal *decimal)
{
    long places = 0;
    bool is_fraction = false;

    *decimal = (struct decimal){.is_negative = text.ptr[0] == '-'};
    for (size_t i = decimal->is_negative ? 1 : 0; i < text.len; i++) {
        if (has(text, i, "eE")) {
            decimal->exponent = read_exponent(text, i + 1);
            break;
        }
        if (text.ptr[i] == '.') {
            is_fraction = true;
            continue;
        }
        decimal->digits[decimal->len++] = text.ptr[i];
        places += is_fraction ? 1 : 0;
    }
    decimal->exponent -= places;
    while (decimal->len > 0 && decimal->digits[decimal->len - 1] == '0') {
        decimal->len--;
        decimal->exponent++;
    }
}

static bool push_digit(uint64_t *value, unsigned digit)
{
    if (*value > (UINT64_MAX - digit) / 10)
        return false;
    *value = *value * 10 + digit;
    return true;
}

enum vts_err vts_json_number_to_integer(struct vts_str text, struct vts_json_integer *ret_integer)
{
    struct decimal decimal;
    uint64_t magnitude = 0;

    if (!is_number(text))
        return VTS_ERR_INVALID;
    take_apart(text, &decimal);
    if (decimal.len > 0 && (decimal.exponent < 0 || decimal.exponent > 20))
        return VTS_ERR_INVALID;
    for (size_t i = 0; i < decimal.len; i++)
        if (!push_digit(&magnitude, (unsigned)(decimal.digits[i] - '0')))
            return VTS_ERR_INVALID;
    for (long i = 0; decimal.len > 0 && i < decimal.exponent; i++)
        if (!push_digit(&magnitude, 0))
            return VTS_ERR_INVALID;
    *ret_integer = (struct vts_json_integer){magnitude, decimal.is_negative};
    return VTS_OK;
}

enum vts_err vts_json_number_to_double(struct vts_str text, bool is_float, double *ret_value)
{
    char terminated[VTS_JSON_MAX_NUMBER_BYTES + 1];
    locale_t locale;
    double value;

    if (!is_number(text))
        return VTS_ERR_INVALID;
    memcpy(terminated, text.ptr, text.len);
    terminated[text.len] = '\0';
    locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (locale == (locale_t)0)
        return VTS_ERR_NOMEM;
    /* strtof rounds once; by way of a double it would be twice. */
    value =
        is_float ? (double)strtof_l(terminated, NULL, locale) : strtod_l(terminated, NULL, locale);
    freelocale(locale);
    if (isinf(value))
        return VTS_ERR_INVALID;
    *ret_value = value;
    return VTS_OK;
}
