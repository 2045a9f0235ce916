/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c - which of the offered media types a client likes best.
 *
 * One pass over the header; each range is held against every offer. It runs at every request, so
 * what a header usually is, one plain media type, takes the shortest way.
 */
#include "common/wire/accept.h"

#include <strings.h>

#include "common/base/assert.h"

enum { QUALITY_MAX = 1000, OFFERS_MAX = 8 };

/* How closely a range names a type; a closer one overrides. */
enum specificity { MATCHES_NOT, MATCHES_ANY, MATCHES_TYPE, MATCHES_EXACTLY };

struct liking {
    enum specificity specificity;
    int quality; /* in thousandths */
};

static enum specificity match_range(struct vts_str range, const char *offer)
{
    if (vts_str_equals_nocase(range, offer))
        return MATCHES_EXACTLY;
    if (range.len < 3 || range.ptr[range.len - 2] != '/' || range.ptr[range.len - 1] != '*')
        return MATCHES_NOT;
    if (range.len == 3 && range.ptr[0] == '*')
        return MATCHES_ANY;
    /* Up to and with the slash. */
    return strncasecmp(range.ptr, offer, range.len - 1) == 0 ? MATCHES_TYPE : MATCHES_NOT;
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

int vts_accept_quality(struct vts_str parameters)
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

/* Takes one element of the header, "type/subtype;q=0.5", into account. */
static void weigh(struct vts_str element, const char *const offers[], size_t offers_count,
                  struct liking likings[])
{
    int quality = -1;
    struct vts_str range;

    if (!vts_str_split_quoted(&element, ';', &range))
        return;
    range = vts_str_trim(range);
    for (size_t i = 0; i < offers_count; i++) {
        struct liking liking = {match_range(range, offers[i]), 0};

        if (liking.specificity == MATCHES_NOT || liking.specificity < likings[i].specificity)
            continue;
        if (quality < 0)
            quality = vts_accept_quality(element);
        if (quality < 0)
            return;
        liking.quality = quality;
        if (liking.specificity > likings[i].specificity || quality > likings[i].quality)
            likings[i] = liking;
    }
}

int vts_accept_choose(struct vts_str accept, const char *const offers[], size_t offers_count)
{
    struct liking likings[OFFERS_MAX] = {{MATCHES_NOT, 0}};
    struct vts_str element;
    int best = -1;
    int best_quality = 0;

    VTS_ASSERT(offers_count <= OFFERS_MAX);
    if (vts_str_trim(accept).len == 0)
        return 0;
    while (vts_str_split_quoted(&accept, ',', &element))
        weigh(element, offers, offers_count, likings);
    for (size_t i = 0; i < offers_count; i++) {
        if (likings[i].quality <= best_quality)
            continue;
        best = (int)i;
        best_quality = likings[i].quality;
    }
    return best;
}
