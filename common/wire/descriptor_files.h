/* SPDX-License-Identifier: Apache-2.0 */
/* Which file of a serialized google.protobuf.FileDescriptorSet declares a name, what it imports,
 * and its bytes: what a server tells of itself by reflection. It is read once and never changes, so
 * that any thread may look things up, which allocates nothing. Everything handed out lives as long
 * as the struct vts_descriptor_files. */
#ifndef VTS_WIRE_DESCRIPTOR_FILES_H
#define VTS_WIRE_DESCRIPTOR_FILES_H

#include <stdbool.h>

#include "common/base/str.h"

struct vts_descriptor_files;

struct vts_descriptor_file {
    uint32_t index;       /* its place in the set, from 0 */
    const char *name;     /* as imports write it */
    struct vts_str bytes; /* a serialized google.protobuf.FileDescriptorProto; lies in the set */
    const struct vts_descriptor_file *const *imports; /* those of the file itself */
    uint32_t import_count;
};

/* Reads a set, which is borrowed and outlives the index. It must come from the program itself: the
 * decoder follows its nesting as deep as it goes. VTS_ERR_INVALID when it is none, or a file does
 * not stand behind all it imports, as protoc's --include_imports puts it; VTS_ERR_LIMIT past 65535
 * names of a kind or 32 messages inside each other; VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_descriptor_files_new(struct vts_str set,
                                                     struct vts_descriptor_files **ret_files);
/* Accepts NULL. */
void vts_descriptor_files_free(struct vts_descriptor_files *files);
uint32_t vts_descriptor_files_count(const struct vts_descriptor_files *files);

/* Names are full and without a leading dot; where nothing has the name, the answer is NULL. */

/* By the file's own name. */
const struct vts_descriptor_file *
vts_descriptor_files_find(const struct vts_descriptor_files *files, const char *name);
/* The file that declares a message, field, oneof, enum, enum value, extension, service or method. A
 * value of an enum stands beside the enum, not in it. */
const struct vts_descriptor_file *
vts_descriptor_files_find_symbol(const struct vts_descriptor_files *files, const char *full_name);
/* The file that declares the extension with this number of a message. */
const struct vts_descriptor_file *
vts_descriptor_files_find_extension(const struct vts_descriptor_files *files, const char *type,
                                    int32_t number);
bool vts_descriptor_files_has_message(const struct vts_descriptor_files *files,
                                      const char *full_name);
/* The numbers of all extensions of a message, rising; *ret_count is 0 when it has none. */
const int32_t *vts_descriptor_files_extensions_of(const struct vts_descriptor_files *files,
                                                  const char *type, size_t *ret_count);

#endif
