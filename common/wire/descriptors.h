/* SPDX-License-Identifier: Apache-2.0 */
/* What a .proto says and protobuf-c's descriptors do not: JSON names, which fields are maps, how
 * methods stream. It is read once from a serialized google.protobuf.FileDescriptorSet
 * (generated/descriptor_set.h is the product's) and never changes, so that any thread may look
 * things up. Everything handed out lives as long as the struct vts_descriptors. */
#ifndef VTS_WIRE_DESCRIPTORS_H
#define VTS_WIRE_DESCRIPTORS_H

#include <stdbool.h>

#include "common/base/str.h"

struct vts_descriptors;

struct vts_field_facts {
    const char *name;
    const char *json_name;
    uint32_t number;
    bool is_map;
    bool is_proto3_optional;
};

/* Either name of a field, and the index of the field in vts_message_facts.fields. */
struct vts_field_name {
    const char *name;
    uint32_t index;
};

struct vts_message_facts {
    const char *full_name;                    /* "pkg.Message.Nested" */
    const struct vts_field_facts *fields;     /* by number, as protobuf-c has them */
    const struct vts_field_name *field_names; /* by name */
    uint32_t field_count;
    uint32_t field_name_count;
    bool is_map_entry;
};

/* google.protobuf.MethodOptions.IdempotencyLevel. */
enum vts_idempotency {
    VTS_IDEMPOTENCY_UNKNOWN,
    VTS_IDEMPOTENCY_NO_SIDE_EFFECTS,
    VTS_IDEMPOTENCY_IDEMPOTENT,
};

struct vts_method_facts {
    const char *name;
    const char *input;  /* full name of the request's message */
    const char *output; /* full name of the response's */
    enum vts_idempotency idempotency;
    bool client_streaming;
    bool server_streaming;
};

struct vts_service_facts {
    const char *full_name;
    const struct vts_method_facts *methods; /* in the order of the .proto, as protobuf-c has them */
    uint32_t method_count;
};

/* Reads a set. It must come from the program itself: the decoder follows its nesting as deep as
 * it goes. VTS_ERR_INVALID when it is none, VTS_ERR_LIMIT past 65535 names of a kind or 32 messages
 * inside each other, VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_descriptors_new(struct vts_str set,
                                                struct vts_descriptors **ret_descriptors);
void vts_descriptors_free(struct vts_descriptors *descriptors);

/* Each returns NULL when there is no such thing; full names are without a leading dot. */
const struct vts_message_facts *
vts_descriptors_find_message(const struct vts_descriptors *descriptors, const char *full_name);
const struct vts_service_facts *
vts_descriptors_find_service(const struct vts_descriptors *descriptors, const char *full_name);
const struct vts_method_facts *vts_descriptors_find_method(const struct vts_service_facts *service,
                                                           const char *name);
const struct vts_field_facts *vts_descriptors_find_field(const struct vts_message_facts *message,
                                                         uint32_t number);
/* By the name in the .proto or the one in JSON. */
const struct vts_field_facts *
vts_descriptors_find_field_named(const struct vts_message_facts *message, struct vts_str name);

#endif
