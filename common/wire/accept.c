/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c - which of the offered media types a client likes best.
 *
 * For each offer the header is read once; headers are short and offers few, so nothing is stored.
 */
#include "common/wire/accept.h"

#include <string.h>

enum { QUALITY_MAX = 1000 };

/* How closely a range names a type; a closer one overrides. */
enum specificity { MATCHES_NOT, MATCHES_ANY, MATCHES_TYPE, MATCHES_EXACTLY };

static enum specificity match_range(struct vts_str range, const char *offer)
{
    size_t type_len = strcspn(offer, "/") + 1;

    if (vts_str_equals_text(range, "*/*"))
        return MATCHES_ANY;
    if (vts_str_equals_nocase(range, offer))
        return MATCHES_EXACTLY;
    if (range.len == type_len + 1 && range.ptr[type_len] == '*') {
        struct vts_str type = vts_str_make(range.ptr, type_len);
        char offered[64];

        if (type_len >= sizeof(offered))
            return MATCHES_NOT;
        memcpy(offered, offer, type_len);
        offered[type_len] = '\0';
        if (vts_str_equals_nocase(type, offered))
            return MATCHES_TYPE;
    }
    return MATCHES_NOT;
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), in thousandths; -1 for no qvalue.
 */
static int parse_quality(struct vts_str text)
{
    int quality;
    int weight = 100;

    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1'))
        return -1;
    quality = (text.ptr[0] - '0') * QUALITY_MAX;
    if (text.len > 1 && text.ptr[1] != '.')
        return -1;
    for (size_t i = 2; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        quality += (text.ptr[i] - '0') * weight;
        weight /= 10;
    }
    return quality > QUALITY_MAX ? -1 : quality;
}

/* The q parameter among a range's parameters; -1 when it is malformed. */
static int find_quality(struct vts_str parameters)
{
    struct vts_str parameter;

    while (vts_str_split_quoted(&parameters, ';', &parameter)) {
        struct vts_str name;

        parameter = vts_str_trim(parameter);
        if (vts_str_split(&parameter, '=', &name) && vts_str_equals_nocase(name, "q"))
            return parse_quality(parameter);
    }
    return QUALITY_MAX;
}

static int quality_of(struct vts_str accept, const char *offer)
{
    enum specificity best = MATCHES_NOT;
    int best_quality = 0;
    struct vts_str element;

    while (vts_str_split_quoted(&accept, ',', &element)) {
        struct vts_str range;
        enum specificity match;
        int quality;

        if (!vts_str_split_quoted(&element, ';', &range))
            continue;
        match = match_range(vts_str_trim(range), offer);
        if (match == MATCHES_NOT || match < best)
            continue;
        quality = find_quality(element);
        if (quality < 0 || (match == best && quality < best_quality))
            continue;
        best = match;
        best_quality = quality;
    }
    return best_quality;
}

int vts_accept_choose(struct vts_str accept, const char *const offers[], size_t offers_count)
{
    int best = -1;
    int best_quality = 0;

    if (vts_str_trim(accept).len == 0)
        return 0;
    for (size_t i = 0; i < offers_count; i++) {
        int quality = quality_of(accept, offers[i]);

        if (quality > best_quality) {
            best = (int)i;
            best_quality = quality;
        }
    }
    return best;
}
