/* SPDX-License-Identifier: Apache-2.0 */
/* random_message.c - walks a descriptor and throws dice at each field. */
#include "tests/support/random_message.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/macros.h"
#include "common/wire/json_types.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

enum { MAX_DEPTH = 6 };

static ProtobufCMessage *make(struct vts_rng *rng, const ProtobufCMessageDescriptor *type,
                              int depth);

static uint64_t below(struct vts_rng *rng, uint64_t limit)
{
    return vts_rng_next(rng) % limit;
}

static void *alloc_zeroed(size_t size)
{
    void *ptr = calloc(1, size == 0 ? 1 : size);

    VTS_ASSERT(ptr != NULL);
    return ptr;
}

static char *random_text(struct vts_rng *rng)
{
    static const char *const pieces[] = {
        "a", "Z", "0", "\"", "\\", "\n", "\x01", "\xc3\xbc", "\xf0\x9f\x98\x80", "/", "\x7f", " "};
    char *text = alloc_zeroed(64);

    for (uint64_t left = below(rng, 8); left > 0; left--) {
        const char *piece = pieces[below(rng, VTS_ARRAY_LEN(pieces))];

        memcpy(text + strlen(text), piece, strlen(piece));
    }
    return text;
}

/* Of every size, since those near a border are the ones that break. */
static uint64_t random_bits(struct vts_rng *rng)
{
    uint64_t bits = vts_rng_next(rng) >> below(rng, 64);

    switch (below(rng, 4)) {
    case 0:
        return 0 - bits;
    case 1:
        return UINT64_C(1) << below(rng, 64);
    default:
        return bits;
    }
}

static double random_real(struct vts_rng *rng)
{
    uint64_t bits = vts_rng_next(rng);
    double real;

    switch (below(rng, 6)) {
    case 0:
        return (double)(int64_t)below(rng, 1000) - 500;
    case 1:
        return ldexp((double)below(rng, 1000), (int)below(rng, 2000) - 1000);
    case 2:
        return (double)below(rng, 100000) / 100;
    default:
        memcpy(&real, &bits, sizeof(real));
        return real;
    }
}

static int random_enum(struct vts_rng *rng, const ProtobufCEnumDescriptor *type)
{
    return type->values[below(rng, type->n_values)].value;
}

static void fill_value(struct vts_rng *rng, const ProtobufCFieldDescriptor *field, int depth,
                       void *at)
{
    uint64_t bits = random_bits(rng);
    uint32_t low = (uint32_t)bits;
    float real;

    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = (bits & 1) != 0;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)at = random_enum(rng, field->descriptor);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        real = (float)random_real(rng);
        memcpy(at, &real, sizeof(real));
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)at = random_real(rng);
        break;
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = random_text(rng);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        ((ProtobufCBinaryData *)at)->len = below(rng, 8);
        ((ProtobufCBinaryData *)at)->data = alloc_zeroed(8);
        memcpy(((ProtobufCBinaryData *)at)->data, &bits, sizeof(bits));
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)at = make(rng, field->descriptor, depth + 1);
        break;
    default:
        if (vts_json_value_size(field->type) == sizeof(low))
            memcpy(at, &low, sizeof(low));
        else
            memcpy(at, &bits, sizeof(bits));
        break;
    }
}

static void fill_list(struct vts_rng *rng, const ProtobufCFieldDescriptor *field, int depth,
                      char *base)
{
    size_t size = vts_json_value_size(field->type);
    size_t count = (size_t)below(rng, 4);
    char *elements = alloc_zeroed(count * size);

    for (size_t i = 0; i < count; i++)
        fill_value(rng, field, depth, elements + i * size);
    *(char **)(base + field->offset) = elements;
    *(size_t *)(base + field->quantifier_offset) = count;
}

static void fill_field(struct vts_rng *rng, const ProtobufCFieldDescriptor *field, int depth,
                       char *base)
{
    bool is_nested = field->type == PROTOBUF_C_TYPE_MESSAGE;

    if (is_nested && depth >= MAX_DEPTH)
        return;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        fill_list(rng, field, depth, base);
        return;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t *which = (uint32_t *)(base + field->quantifier_offset);

        if (*which != 0)
            return;
        memset(base + field->offset, 0, vts_json_value_size(field->type));
        *which = field->id;
    }
    fill_value(rng, field, depth, base + field->offset);
}

static void fill_fields(struct vts_rng *rng, ProtobufCMessage *message, int depth)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool is_entry =
        strlen(type->name) > 5 && strcmp(type->name + strlen(type->name) - 5, "Entry") == 0;

    for (unsigned i = 0; i < type->n_fields; i++)
        if (is_entry || below(rng, 2) == 0)
            fill_field(rng, &type->fields[i], depth, (char *)message);
}

/* An Any of nothing: what it may hold is not known here. */
static ProtobufCMessage *make(struct vts_rng *rng, const ProtobufCMessageDescriptor *type,
                              int depth)
{
    ProtobufCMessage *message = alloc_zeroed(type->sizeof_message);
    uint64_t sign = below(rng, 2);

    protobuf_c_message_init(type, message);
    switch (vts_json_form_of(type)) {
    case VTS_JSON_FORM_TIMESTAMP:
        ((Google__Protobuf__Timestamp *)message)->seconds =
            INT64_C(-62135596800) + (int64_t)below(rng, UINT64_C(315537897600));
        ((Google__Protobuf__Timestamp *)message)->nanos = (int32_t)below(rng, 1000000000);
        break;
    case VTS_JSON_FORM_DURATION:
        ((Google__Protobuf__Duration *)message)->seconds =
            (sign ? -1 : 1) * (int64_t)below(rng, UINT64_C(315576000000));
        ((Google__Protobuf__Duration *)message)->nanos =
            (sign ? -1 : 1) * (int32_t)below(rng, 1000000000);
        break;
    case VTS_JSON_FORM_ANY:
    case VTS_JSON_FORM_FIELD_MASK:
        break;
    case VTS_JSON_FORM_VALUE:
    case VTS_JSON_FORM_FIELDS:
    case VTS_JSON_FORM_LIST_VALUE:
    case VTS_JSON_FORM_STRUCT:
    case VTS_JSON_FORM_WRAPPER:
        fill_fields(rng, message, depth);
        break;
    }
    return message;
}

ProtobufCMessage *vts_test_random_message(struct vts_rng *rng,
                                          const ProtobufCMessageDescriptor *type)
{
    return make(rng, type, 0);
}
