/* SPDX-License-Identifier: Apache-2.0 */
/* json_refuse.c - says which field of a JSON message is wrong.
 *
 * Names of unknown fields and keys of maps are the peer's: what could harm a log or a terminal
 * becomes "?", and long ones are cut.
 */
#include "common/wire/json_reader.h"

enum { MAX_PATH_BYTES = 160, MAX_NAME_BYTES = 40, MAX_SEGMENTS = 3 * VTS_JSON_MAX_READ_DEPTH };

static bool is_harmless(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '@';
}

static void write_name(struct vts_buf *buf, struct vts_str name)
{
    for (size_t i = 0; i < name.len && i < MAX_NAME_BYTES; i++)
        vts_buf_append(buf, is_harmless(name.ptr[i]) ? &name.ptr[i] : "?", 1);
    if (name.len > MAX_NAME_BYTES)
        vts_buf_append_text(buf, "...");
}

/* "jobs[3].spec.options.key" */
static void write_path(struct vts_buf *buf, const struct vts_json_path *path)
{
    const struct vts_json_path *segments[MAX_SEGMENTS];
    size_t count = 0;

    for (; path != NULL && count < MAX_SEGMENTS; path = path->up)
        segments[count++] = path;
    while (count-- > 0) {
        if (segments[count]->name.ptr == NULL) {
            vts_buf_append_format(buf, "[%zu]", segments[count]->index);
            continue;
        }
        if (buf->len > 0)
            vts_buf_append_text(buf, ".");
        write_name(buf, segments[count]->name);
    }
}

enum vts_err vts_json_refuse(struct vts_json_reader *reader, const char *why)
{
    struct vts_buf path;
    enum vts_err err = VTS_ERR_INVALID;

    if (reader->error == NULL)
        return err;
    /* A path too long for the text, or for the memory there is, is left out from there on. */
    vts_buf_init(&path, MAX_PATH_BYTES);
    write_path(&path, reader->path);
    err = vts_error_set(reader->error, err, "%.*s%s%s", (int)path.len, path.len > 0 ? path.ptr : "",
                        path.len > 0 ? ": " : "", why);
    vts_buf_fini(&path);
    return err;
}
