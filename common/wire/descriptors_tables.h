/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct vts_descriptors, for the file that fills it and the one that searches it. */
#ifndef VTS_WIRE_DESCRIPTORS_TABLES_H
#define VTS_WIRE_DESCRIPTORS_TABLES_H

#include "common/wire/descriptors.h"

/* Arrays of one allocation each, and the text all names point into. */
struct vts_descriptors {
    struct vts_message_facts *messages; /* by full name */
    struct vts_service_facts *services; /* by full name */
    struct vts_field_facts *fields;
    struct vts_field_name *field_names;
    struct vts_method_facts *methods;
    char *text;
    size_t message_count;
    size_t service_count;
};

#endif
