/* SPDX-License-Identifier: Apache-2.0 */
/* every_type.c - reads the descriptor set that protoc made beside the code. */
#include "tests/support/every_type.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "every_type.pb-c.h"

enum { MAX_SET_BYTES = 1024 * 1024 };

static const ProtobufCMessageDescriptor *const messages[] = {
    &vtstest__every_type__descriptor,
    &vtstest__lists__descriptor,
    &vtstest__choice__descriptor,
    &vtstest__well_known__descriptor,
    &vtstest__odd_names__descriptor,
    &vtstest__maps__descriptor,
    &vtstest__wrapped__descriptor,
    &vtstest__dynamic__descriptor,
    &vtstest__whole__descriptor,
    &google__protobuf__any__descriptor,
    &google__protobuf__duration__descriptor,
    &google__protobuf__empty__descriptor,
    &google__protobuf__field_mask__descriptor,
    &google__protobuf__timestamp__descriptor,
    &google__protobuf__struct__descriptor,
    &google__protobuf__value__descriptor,
    &google__protobuf__list_value__descriptor,
    &google__protobuf__int64_value__descriptor,
    &google__protobuf__string_value__descriptor,
    &google__protobuf__bool_value__descriptor,
};

static struct vts_json_types types = {.messages = messages,
                                      .message_count = VTS_ARRAY_LEN(messages)};
static struct vts_descriptors *descriptors;

struct vts_str vts_test_every_type_set(void)
{
    static char set[MAX_SET_BYTES];
    static size_t len;
    FILE *file;

    if (len == 0) {
        file = fopen(VTS_EVERY_TYPE_SET, "rb");
        VTS_ASSERT(file != NULL);
        len = fread(set, 1, sizeof(set), file);
        VTS_ASSERT(len > 0 && len < sizeof(set));
        (void)fclose(file); /* it was only read */
    }
    return vts_str_make(set, len);
}

static void free_descriptors(void)
{
    vts_descriptors_free(descriptors);
}

const struct vts_json_types *vts_test_every_type(void)
{
    if (descriptors == NULL) {
        enum vts_err err = vts_descriptors_new(vts_test_every_type_set(), &descriptors);

        VTS_ASSERT(err == VTS_OK);
        (void)atexit(free_descriptors); /* without it only the leak checker would notice */
        types.descriptors = descriptors;
    }
    return &types;
}
