/* SPDX-License-Identifier: Apache-2.0 */
/* reflection.c - one answer to each question of a stream, in their order.
 *
 * No question is taken while an answer is on its way, so a client that does not read is not worked
 * for. A file is sent together with all it imports, but imports only once a stream.
 */
#include "server/rpc/reflection.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/rpc/call_parts.h"
#include "server/rpc/rpc_loop.h"

enum { REQUEST_MAX_BYTES = 4096 };

/* The numbers of the fields in the two oneofs, for the generated names are longer than lines. */
enum {
    ASKS_FILE_BY_NAME = 3,
    ASKS_FILE_BY_SYMBOL = 4,
    ASKS_FILE_BY_EXTENSION = 5,
    ASKS_EXTENSION_NUMBERS = 6,
    ASKS_SERVICES = 7,
};

enum answer {
    ANSWERS_FILES = 4,
    ANSWERS_EXTENSION_NUMBERS = 5,
    ANSWERS_SERVICES = 6,
    ANSWERS_ERROR = 7,
};

/* The arrays have room for all files. */
struct stream {
    bool *was_sent;                           /* by a file's index */
    const struct vts_descriptor_file **files; /* of the answer that is being made */
    ProtobufCBinaryData *bytes;               /* the same ones */
};

/* ---- answers ----------------------------------------------------------------------------- */

static void finish_by_error(struct vts_call *call, enum vts_err err)
{
    if (err == VTS_ERR_NOMEM)
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
    else
        vts_call_finish(call, VTS_RPC_INTERNAL, "the answer cannot be written");
}

/* The response has nothing but the field that the answer is in. */
static void send_answer(struct vts_call *call,
                        const Grpc__Reflection__V1__ServerReflectionRequest *request,
                        enum answer answer,
                        Grpc__Reflection__V1__ServerReflectionResponse *response)
{
    enum vts_err err;

    response->message_response_case = (unsigned)answer;
    response->valid_host = request->host;
    response->original_request =
        (Grpc__Reflection__V1__ServerReflectionRequest *)(uintptr_t)request;
    err = vts_call_send(call, &response->base);
    if (err != VTS_OK)
        finish_by_error(call, err);
    else if (!vts_call_can_send(call))
        vts_call_pause(call);
}

/* Not to find something is an answer, and the stream goes on. */
static void send_not_found(struct vts_call *call,
                           const Grpc__Reflection__V1__ServerReflectionRequest *request,
                           const char *message)
{
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    Grpc__Reflection__V1__ServerReflectionResponse response =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    error.error_code = VTS_RPC_NOT_FOUND;
    error.error_message = (char *)(uintptr_t)message;
    response.error_response = &error;
    send_answer(call, request, ANSWERS_ERROR, &response);
}

/* ---- files ------------------------------------------------------------------------------- */

/* Puts the file and what it imports, near and far, into the answer: the file always and first, the
 * others unless they were sent. Returns how many. */
static size_t gather_files(struct stream *stream, const struct vts_descriptor_file *first)
{
    size_t count = 0;

    stream->files[count++] = first;
    stream->was_sent[first->index] = true;
    for (size_t i = 0; i < count; i++) {
        const struct vts_descriptor_file *file = stream->files[i];

        stream->bytes[i].data = (uint8_t *)(uintptr_t)file->bytes.ptr;
        stream->bytes[i].len = file->bytes.len;
        for (uint32_t j = 0; j < file->import_count; j++) {
            const struct vts_descriptor_file *import = file->imports[j];

            if (!stream->was_sent[import->index])
                stream->files[count++] = import;
            stream->was_sent[import->index] = true;
        }
    }
    return count;
}

/* file may be NULL; the message then says so. */
static void send_file(struct vts_call *call,
                      const Grpc__Reflection__V1__ServerReflectionRequest *request,
                      const struct vts_descriptor_file *file, const char *message)
{
    struct stream *stream = vts_call_data(call);
    Grpc__Reflection__V1__FileDescriptorResponse files =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    Grpc__Reflection__V1__ServerReflectionResponse response =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    if (file == NULL) {
        send_not_found(call, request, message);
        return;
    }
    files.n_file_descriptor_proto = gather_files(stream, file);
    files.file_descriptor_proto = stream->bytes;
    response.file_descriptor_response = &files;
    send_answer(call, request, ANSWERS_FILES, &response);
}

/* ---- extensions -------------------------------------------------------------------------- */

/* Some clients write full names as descriptors do, with a dot in front. */
static const char *without_dot(const char *name)
{
    return name[0] == '.' ? name + 1 : name;
}

static void send_extension_numbers(struct vts_call *call,
                                   const Grpc__Reflection__V1__ServerReflectionRequest *request)
{
    const struct vts_descriptor_files *files = vts_call_context(call);
    const char *type = without_dot(request->all_extension_numbers_of_type);
    Grpc__Reflection__V1__ExtensionNumberResponse numbers =
        GRPC__REFLECTION__V1__EXTENSION_NUMBER_RESPONSE__INIT;
    Grpc__Reflection__V1__ServerReflectionResponse response =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    if (!vts_descriptor_files_has_message(files, type)) {
        send_not_found(call, request, "there is no message of this name");
        return;
    }
    numbers.base_type_name = (char *)(uintptr_t)type;
    numbers.extension_number = (int32_t *)(uintptr_t)vts_descriptor_files_extensions_of(
        files, type, &numbers.n_extension_number);
    response.all_extension_numbers_response = &numbers;
    send_answer(call, request, ANSWERS_EXTENSION_NUMBERS, &response);
}

static const struct vts_descriptor_file *
find_extension(const struct vts_descriptor_files *files,
               const Grpc__Reflection__V1__ExtensionRequest *extension)
{
    return vts_descriptor_files_find_extension(files, without_dot(extension->containing_type),
                                               extension->extension_number);
}

/* ---- services ---------------------------------------------------------------------------- */

static int compare_services(const void *a, const void *b)
{
    return strcmp((*(const Grpc__Reflection__V1__ServiceResponse *const *)a)->name,
                  (*(const Grpc__Reflection__V1__ServiceResponse *const *)b)->name);
}

/* The names of all services, sorted; services and pointers have room for them. */
static void list_services(const struct vts_rpc_options *options,
                          Grpc__Reflection__V1__ServiceResponse *services,
                          Grpc__Reflection__V1__ServiceResponse **pointers)
{
    for (size_t i = 0; i < options->services_count; i++) {
        grpc__reflection__v1__service_response__init(&services[i]);
        services[i].name = (char *)(uintptr_t)options->services[i].descriptor->name;
        pointers[i] = &services[i];
    }
    qsort(pointers, options->services_count, sizeof(Grpc__Reflection__V1__ServiceResponse *),
          compare_services);
}

static void send_services(struct vts_call *call,
                          const Grpc__Reflection__V1__ServerReflectionRequest *request)
{
    const struct vts_rpc_options *options = &call->loop->rpc->options;
    size_t count = options->services_count;
    Grpc__Reflection__V1__ListServiceResponse list =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    Grpc__Reflection__V1__ServerReflectionResponse response =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    Grpc__Reflection__V1__ServiceResponse *services = vts_mem_alloc(count * sizeof(*services));

    list.n_service = count;
    list.service = vts_mem_alloc(count * sizeof(Grpc__Reflection__V1__ServiceResponse *));
    if (services == NULL || list.service == NULL) {
        finish_by_error(call, VTS_ERR_NOMEM);
    } else {
        list_services(options, services, list.service);
        response.list_services_response = &list;
        send_answer(call, request, ANSWERS_SERVICES, &response);
    }
    vts_mem_free(list.service);
    vts_mem_free(services);
}

/* ---- a stream ---------------------------------------------------------------------------- */

static void free_stream(struct stream *stream)
{
    if (stream == NULL)
        return;
    vts_mem_free(stream->was_sent);
    vts_mem_free(stream->files);
    vts_mem_free(stream->bytes);
    vts_mem_free(stream);
}

static struct stream *make_stream(size_t files_count)
{
    struct stream *stream = vts_mem_zalloc(sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->was_sent = vts_mem_zalloc(files_count * sizeof(stream->was_sent[0]));
    stream->files = vts_mem_alloc(files_count * sizeof(struct vts_descriptor_file *));
    stream->bytes = vts_mem_alloc(files_count * sizeof(stream->bytes[0]));
    if (stream->was_sent == NULL || stream->files == NULL || stream->bytes == NULL) {
        free_stream(stream);
        return NULL;
    }
    return stream;
}

static void on_start(struct vts_call *call)
{
    struct stream *stream = make_stream(vts_descriptor_files_count(vts_call_context(call)));

    vts_call_set_data(call, stream);
    if (stream == NULL)
        finish_by_error(call, VTS_ERR_NOMEM);
}

static void on_message(struct vts_call *call, const ProtobufCMessage *message)
{
    const Grpc__Reflection__V1__ServerReflectionRequest *request =
        (const Grpc__Reflection__V1__ServerReflectionRequest *)message;
    const struct vts_descriptor_files *files = vts_call_context(call);

    switch ((int)request->message_request_case) {
    case ASKS_FILE_BY_NAME:
        send_file(call, request, vts_descriptor_files_find(files, request->file_by_filename),
                  "there is no file of this name");
        break;
    case ASKS_FILE_BY_SYMBOL:
        send_file(
            call, request,
            vts_descriptor_files_find_symbol(files, without_dot(request->file_containing_symbol)),
            "there is nothing of this name");
        break;
    case ASKS_FILE_BY_EXTENSION:
        send_file(call, request, find_extension(files, request->file_containing_extension),
                  "there is no such extension");
        break;
    case ASKS_EXTENSION_NUMBERS:
        send_extension_numbers(call, request);
        break;
    case ASKS_SERVICES:
        send_services(call, request);
        break;
    default: /* nothing that the .proto knows */
        vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT, "the request asks for nothing");
        break;
    }
}

static void on_half_close(struct vts_call *call)
{
    vts_call_finish(call, VTS_RPC_OK, NULL);
}

static void on_drain(struct vts_call *call)
{
    vts_call_finish(call, VTS_RPC_UNAVAILABLE, "the server is stopping");
}

static void on_end(struct vts_call *call)
{
    free_stream(vts_call_data(call));
}

static const struct vts_call_handler handler = {
    .on_start = on_start,
    .on_message = on_message,
    .on_half_close = on_half_close,
    .on_writable = vts_call_resume,
    .on_end = on_end,
    .on_drain = on_drain,
};

static const struct vts_method_row methods[] = {
    {"ServerReflectionInfo", REQUEST_MAX_BYTES, &handler},
};

/* v1alpha has the same messages under other names, which are not on the wire: so its methods are
 * said to take those of v1. */
static const ProtobufCMethodDescriptor alpha_methods[] = {
    {"ServerReflectionInfo", &grpc__reflection__v1__server_reflection_request__descriptor,
     &grpc__reflection__v1__server_reflection_response__descriptor},
};

static const unsigned alpha_methods_by_name[] = {0};

static const ProtobufCServiceDescriptor alpha_descriptor = {
    .magic = PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,
    .name = "grpc.reflection.v1alpha.ServerReflection",
    .short_name = "ServerReflection",
    .c_name = "Grpc__Reflection__V1alpha__ServerReflection",
    .package = "grpc.reflection.v1alpha",
    .n_methods = VTS_ARRAY_LEN(alpha_methods),
    .methods = alpha_methods,
    .method_indices_by_name = alpha_methods_by_name,
};

static struct vts_service_row make_row(const ProtobufCServiceDescriptor *descriptor,
                                       struct vts_descriptor_files *files)
{
    return (struct vts_service_row){.descriptor = descriptor,
                                    .methods = methods,
                                    .methods_count = VTS_ARRAY_LEN(methods),
                                    .context = files};
}

struct vts_service_row vts_reflection_row_v1(struct vts_descriptor_files *files)
{
    return make_row(&grpc__reflection__v1__server_reflection__descriptor, files);
}

struct vts_service_row vts_reflection_row_v1alpha(struct vts_descriptor_files *files)
{
    return make_row(&alpha_descriptor, files);
}
