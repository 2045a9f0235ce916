/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct vts_descriptor_files, for the file that fills it and the one that searches
 * it. */
#ifndef VTS_WIRE_DESCRIPTOR_FILES_TABLES_H
#define VTS_WIRE_DESCRIPTOR_FILES_TABLES_H

#include "common/wire/descriptor_files.h"

struct vts_symbol {
    const char *full_name;
    const struct vts_descriptor_file *file;
    bool is_message;
};

struct vts_extension {
    const char *type; /* the full name of the message it extends */
    int32_t number;
    const struct vts_descriptor_file *file;
};

/* Arrays of one allocation each, and the text all names point into. */
struct vts_descriptor_files {
    struct vts_descriptor_file *files; /* as in the set */
    const struct vts_descriptor_file **by_name;
    const struct vts_descriptor_file **imports; /* of all files, one after the other */
    struct vts_symbol *symbols;                 /* by full name */
    struct vts_extension *extensions;           /* by type, then by number */
    int32_t *extension_numbers;                 /* the same ones */
    char *text;
    size_t file_count;
    size_t symbol_count;
    size_t extension_count;
};

#endif
