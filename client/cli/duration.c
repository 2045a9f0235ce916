/* SPDX-License-Identifier: Apache-2.0 */
/* duration.c - strtod() with its liberties taken away: hexadecimal, "nan", blanks and signs. */
#include "client/cli/duration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reads the number at the front; NULL when there is none, else what follows it. */
static const char *take_number(const char *text, double *ret_number)
{
    size_t len = strspn(text, "0123456789.");
    char *end = NULL;
    double number;

    if (len == 0 || text[strspn(text, "0123456789")] == 'x')
        return NULL;
    number = strtod(text, &end);
    if (end != text + len || !isfinite(number))
        return NULL;
    *ret_number = number;
    return end;
}

bool vts_cli_number_parse(const char *text, double *ret_number)
{
    double number = 0;
    const char *rest = take_number(text, &number);

    if (rest == NULL || *rest != '\0')
        return false;
    *ret_number = number;
    return true;
}

bool vts_cli_duration_parse(const char *text, double *ret_seconds)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}};
    double number = 0;
    const char *rest = take_number(text, &number);

    if (rest == NULL)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(rest, units[i].unit) == 0) {
            *ret_seconds = number * units[i].seconds;
            return true;
        }
    return false;
}
