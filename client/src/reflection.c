/* SPDX-License-Identifier: Apache-2.0 */
/* reflection.c - asks a server what it serves, by gRPC server reflection
 * (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md).
 *
 * Its one method streams both ways. All questions of an exchange are known before the first answer,
 * so they are the body of one request, and nothing has to be sent while answers come in. The first
 * exchange asks for the names, the second one for the file of each.
 */
#include <math.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/message.h"
#include "client/src/rpc.h"
#include "client/src/services.h"
#include "client/src/stream.h"
#include "common/base/arena.h"
#include "common/wire/rpc_code.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

enum {
    MAX_ARENA_BYTES = 1 << 20,
    MAX_BODY_BYTES = 1 << 20,
    MAX_MEMORY_BYTES = 16 << 20, /* of one answer */
};

/* Their messages are the same. */
static const char v1_path[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
static const char v1alpha_path[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

typedef Grpc__Reflection__V1__ServerReflectionRequest question;
typedef Grpc__Reflection__V1__ServerReflectionResponse answer;

struct reflection {
    struct vts_client *client;
    const char *path;
    struct vts_arena arena;
    const char **names; /* of services, in the arena */
    size_t names_count;
    bool has_names; /* the list came */
    struct vts_services *services;
    size_t answers;      /* that came in the second exchange: each is about the name in its place */
    const char *missing; /* a name the server does not know; NULL: none */
};

/* ---- answers --------------------------------------------------------------------------------- */

static enum vts_err take_names(struct reflection *reflection,
                               const Grpc__Reflection__V1__ListServiceResponse *list,
                               struct vts_error *error)
{
    if (list->n_service > VTS_SERVICES_MAX)
        return vts_error_set(error, VTS_ERR_LIMIT, "it has more than %d services",
                             VTS_SERVICES_MAX);
    if (reflection->has_names)
        return vts_error_set(error, VTS_ERR_PROTOCOL, "it lists its services twice");
    reflection->has_names = true;
    reflection->names =
        vts_arena_alloc(&reflection->arena, list->n_service * sizeof(*reflection->names));
    for (size_t i = 0; reflection->names != NULL && i < list->n_service; i++) {
        const char *name = list->service[i]->name;

        if (!vts_services_is_name(name))
            return vts_error_set(error, VTS_ERR_PROTOCOL, "a service has a name that is none");
        reflection->names[i] = vts_arena_strndup(&reflection->arena, name, strlen(name));
        reflection->names_count++;
    }
    return vts_arena_check(&reflection->arena) == VTS_OK
               ? VTS_OK
               : vts_error_set(error, vts_arena_check(&reflection->arena), "too many services");
}

/* The first file is the one that was asked for; the others are what it imports. */
static enum vts_err take_file(struct reflection *reflection,
                              const Grpc__Reflection__V1__FileDescriptorResponse *files,
                              struct vts_error *error)
{
    size_t memory_bytes = MAX_MEMORY_BYTES;
    ProtobufCMessage *file = NULL;
    const ProtobufCBinaryData *bytes = files->file_descriptor_proto;
    enum vts_err err;

    if (reflection->answers >= reflection->names_count || files->n_file_descriptor_proto == 0)
        return vts_error_set(error, VTS_ERR_PROTOCOL, "it answers what was not asked");
    err = vts_message_decode(vts_str_make(bytes->data, bytes->len),
                             &google__protobuf__file_descriptor_proto__descriptor, &memory_bytes,
                             &file, error);
    if (err != VTS_OK)
        return err;
    err = vts_services_add(reflection->services, (Google__Protobuf__FileDescriptorProto *)file,
                           reflection->names[reflection->answers]);
    vts_message_free(file);
    reflection->answers++;
    return err == VTS_OK ? VTS_OK
                         : vts_error_set(error, err, "a service is not as it should be described");
}

static enum vts_err take_error(struct reflection *reflection,
                               const Grpc__Reflection__V1__ErrorResponse *refusal,
                               struct vts_error *error)
{
    if (refusal->error_code != VTS_RPC_NOT_FOUND || reflection->answers >= reflection->names_count)
        return vts_error_set(error, VTS_ERR_PROTOCOL, "%.200s", refusal->error_message);
    reflection->missing = reflection->names[reflection->answers];
    return VTS_ERR_CLOSED;
}

static enum vts_err on_message(struct vts_str bytes, void *context, struct vts_error *error)
{
    struct reflection *reflection = context;
    size_t memory_bytes = MAX_MEMORY_BYTES;
    ProtobufCMessage *message = NULL;
    const answer *response;
    enum vts_err err =
        vts_message_decode(bytes, &grpc__reflection__v1__server_reflection_response__descriptor,
                           &memory_bytes, &message, error);

    if (err != VTS_OK)
        return err;
    response = (const answer *)message;
    switch (response->message_response_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE:
        err = take_names(reflection, response->list_services_response, error);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE:
        err = take_file(reflection, response->file_descriptor_response, error);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE:
        err = take_error(reflection, response->error_response, error);
        break;
    default:
        err = vts_error_set(error, VTS_ERR_PROTOCOL, "it answers what was not asked");
    }
    vts_message_free(message);
    return err;
}

/* ---- exchanges ------------------------------------------------------------------------------- */

/* only is the question, when the body holds no other one; or NULL. */
static enum vts_client_code exchange(struct reflection *reflection, const struct vts_buf *body,
                                     const question *only, struct vts_client_error *error)
{
    const struct vts_stream_request request = {.path = reflection->path,
                                               .message = only != NULL ? &only->base : NULL,
                                               .timeout = reflection->client->request_timeout,
                                               .on_message = on_message,
                                               .context = reflection};

    if (vts_buf_check(body) != VTS_OK)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    return vts_stream_send(reflection->client, &request, vts_buf_str(body), error);
}

static enum vts_client_code ask_for_names(struct reflection *reflection,
                                          struct vts_client_error *error)
{
    question request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    struct vts_buf body;
    enum vts_client_code code;

    request.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
    request.list_services = vts_message_text("*");
    vts_buf_init(&body, MAX_BODY_BYTES);
    vts_stream_add_message(&body, &request.base);
    code = exchange(reflection, &body, &request, error);
    vts_buf_fini(&body);
    if (code == VTS_CLIENT_OK && !reflection->has_names)
        return vts_rpc_undecodable(reflection->client, VTS_ERR_PROTOCOL,
                                   "it does not list its services", error);
    return code;
}

static enum vts_client_code ask_for_files(struct reflection *reflection,
                                          struct vts_client_error *error)
{
    question request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    struct vts_buf body;
    enum vts_client_code code = VTS_CLIENT_OK;

    reflection->services = vts_services_new(reflection->names_count);
    if (reflection->services == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    request.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
    vts_buf_init(&body, MAX_BODY_BYTES);
    for (size_t i = 0; i < reflection->names_count; i++) {
        request.file_containing_symbol = vts_message_text(reflection->names[i]);
        vts_stream_add_message(&body, &request.base);
    }
    if (reflection->names_count > 0)
        code = exchange(reflection, &body, reflection->names_count == 1 ? &request : NULL, error);
    vts_buf_fini(&body);
    if (reflection->missing != NULL)
        return vts_failure_set(error, VTS_CLIENT_NOT_FOUND, "%s has no service '%s'",
                               reflection->client->origin.text, reflection->missing);
    if (code == VTS_CLIENT_OK && reflection->answers < reflection->names_count)
        return vts_rpc_undecodable(reflection->client, VTS_ERR_PROTOCOL,
                                   "it does not describe all its services", error);
    return code;
}

/* *name stays the caller's. */
static enum vts_client_code run(struct reflection *reflection, const char **name,
                                struct vts_client_error *error)
{
    enum vts_client_code code = VTS_CLIENT_OK;

    if (*name == NULL) {
        code = ask_for_names(reflection, error);
    } else {
        reflection->names = name;
        reflection->names_count = 1;
    }
    return code == VTS_CLIENT_OK ? ask_for_files(reflection, error) : code;
}

static enum vts_client_code run_version(struct vts_client *client, const char *path,
                                        const char *name, struct vts_services **ret_services,
                                        struct vts_client_error *error)
{
    struct reflection reflection = {.client = client, .path = path};
    enum vts_client_code code;

    vts_arena_init(&reflection.arena, MAX_ARENA_BYTES);
    code = run(&reflection, &name, error);
    if (code == VTS_CLIENT_OK)
        *ret_services = reflection.services;
    else
        vts_services_free(reflection.services);
    vts_arena_fini(&reflection.arena);
    return code;
}

enum vts_client_code vts_list_services(struct vts_client *client, const char *service,
                                       struct vts_services **ret_services,
                                       struct vts_client_error *error)
{
    const char *name = service != NULL && service[0] != '\0' ? service : NULL;
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    if (name != NULL && !vts_services_is_name(name))
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "'%s' is no service: one is written "
                               "package.Service",
                               name);
    code = run_version(client, v1_path, name, ret_services, error);
    if (code == VTS_CLIENT_REFUSED && error->rpc_code == VTS_RPC_UNIMPLEMENTED)
        code = run_version(client, v1alpha_path, name, ret_services, error);
    if (code == VTS_CLIENT_REFUSED && error->rpc_code == VTS_RPC_UNIMPLEMENTED)
        return vts_failure_set(error, code,
                               "%s does not tell what can be called: it offers no "
                               "server reflection",
                               client->origin.text);
    return code;
}
