/* SPDX-License-Identifier: Apache-2.0 */
/* json_convert.c - converts messages of every_type.proto for test_json_oracle.py.
 *
 * A line on stdin is an operation, a type's full name and the rest; a line on stdout is "ok" and
 * the result, or "refused" and the text of the error.
 *
 *   write HEX      protobuf to JSON
 *   defaults HEX   the same with fields at their default
 *   words HEX      the same with enums as words
 *   read JSON      JSON to protobuf, in hex
 *   lenient JSON   the same, ignoring what is unknown
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/wire/json.h"
#include "tests/support/every_type.h"

enum { MAX_BYTES = 16 * 1024 * 1024 };

static const ProtobufCMessageDescriptor *find_type(struct vts_str name)
{
    const struct vts_json_types *types = vts_test_every_type();

    for (size_t i = 0; i < types->message_count; i++)
        if (vts_str_equals_text(name, types->messages[i]->name))
            return types->messages[i];
    return NULL;
}

static void refuse(enum vts_err err, const char *text)
{
    printf("refused %s: %s\n", vts_err_text(err), text);
}

static uint8_t hex_value(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void write_json(struct vts_str operation, const ProtobufCMessageDescriptor *type,
                       struct vts_str hex)
{
    const struct vts_json_write_options options = {
        .types = vts_test_every_type(),
        .with_defaults = vts_str_equals_text(operation, "defaults"),
        .enums =
            vts_str_equals_text(operation, "words") ? VTS_JSON_ENUM_WORDS : VTS_JSON_ENUM_NAMES,
    };
    uint8_t *bytes = malloc(hex.len / 2 + 1);
    ProtobufCMessage *message;
    struct vts_buf buf;
    enum vts_err err;

    for (size_t i = 0; i + 1 < hex.len; i += 2)
        bytes[i / 2] = (uint8_t)(hex_value(hex.ptr[i]) << 4 | hex_value(hex.ptr[i + 1]));
    message = protobuf_c_message_unpack(type, NULL, hex.len / 2, bytes);
    vts_buf_init(&buf, MAX_BYTES);
    err = message == NULL ? VTS_ERR_PROTOCOL : vts_json_write(&buf, message, &options);
    if (err == VTS_OK)
        printf("ok %.*s\n", (int)buf.len, buf.ptr);
    else
        refuse(err, "not written");
    vts_buf_fini(&buf);
    protobuf_c_message_free_unpacked(message, NULL);
    free(bytes);
}

static void print_packed(const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(len + 1);

    (void)protobuf_c_message_pack(message, bytes); /* as long as was just said */
    printf("ok ");
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    printf("\n");
    free(bytes);
}

static void read_json(struct vts_str operation, const ProtobufCMessageDescriptor *type,
                      struct vts_str json)
{
    struct vts_json_read_options options = vts_json_read_defaults;
    struct vts_error error = {.text = ""};
    ProtobufCMessage *message = NULL;
    enum vts_err err;

    options.types = vts_test_every_type();
    options.ignore_unknown = vts_str_equals_text(operation, "lenient");
    options.max_depth = VTS_JSON_MAX_READ_DEPTH;
    err = vts_json_read(json, type, &options, &error, &message);
    if (err == VTS_OK)
        print_packed(message);
    else
        refuse(err, error.text);
    vts_json_free(message);
}

static void convert(struct vts_str line)
{
    struct vts_str operation;
    struct vts_str name;
    const ProtobufCMessageDescriptor *type;

    if (!vts_str_split(&line, ' ', &operation) || !vts_str_split(&line, ' ', &name) ||
        (type = find_type(name)) == NULL)
        refuse(VTS_ERR_NOT_FOUND, "no such type");
    else if (vts_str_equals_text(operation, "read") || vts_str_equals_text(operation, "lenient"))
        read_json(operation, type, line);
    else
        write_json(operation, type, line);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    while ((len = getline(&line, &cap, stdin)) > 0)
        convert(vts_str_make(line, (size_t)len - (line[len - 1] == '\n' ? 1 : 0)));
    free(line);
    return 0;
}
