/* SPDX-License-Identifier: Apache-2.0 */
/* services.c - names and kinds, in an arena that lives as long as they do. */
#include "client/src/services.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/assert.h"
#include "common/base/mem.h"

enum { MAX_ARENA_BYTES = 4 << 20 };

struct service {
    const char *name;
    struct vts_method *methods;
    size_t methods_count;
};

struct vts_services {
    struct vts_arena arena;
    size_t max;
    size_t count;
    struct service items[];
};

bool vts_services_is_name(const char *text)
{
    static const char chars[] =
        "0123456789_."
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return text[0] != '\0' && strspn(text, chars) == strlen(text);
}

/* ---- lifetime -------------------------------------------------------------------------------- */

struct vts_services *vts_services_new(size_t max)
{
    struct vts_services *services;

    VTS_ASSERT(max <= VTS_SERVICES_MAX);
    services = vts_mem_zalloc(sizeof(*services) + max * sizeof(services->items[0]));
    if (services == NULL)
        return NULL;
    services->max = max;
    vts_arena_init(&services->arena, MAX_ARENA_BYTES);
    return services;
}

void vts_services_free(struct vts_services *services)
{
    if (services == NULL)
        return;
    vts_arena_fini(&services->arena);
    vts_mem_free(services);
}

/* ---- building -------------------------------------------------------------------------------- */

static const char *copy(struct vts_arena *arena, const char *text)
{
    return vts_arena_strndup(arena, text, strlen(text));
}

/* A type's name stands there with a dot in front. */
static const char *type_name(const char *name)
{
    return name[0] == '.' ? name + 1 : name;
}

static enum vts_err add_method(struct vts_arena *arena,
                               const Google__Protobuf__MethodDescriptorProto *from,
                               struct vts_method *method)
{
    if (from->name == NULL || from->input_type == NULL || from->output_type == NULL ||
        !vts_services_is_name(from->name) || !vts_services_is_name(from->input_type) ||
        !vts_services_is_name(from->output_type))
        return VTS_ERR_PROTOCOL;
    *method = (struct vts_method){
        .name = copy(arena, from->name),
        .request_type = copy(arena, type_name(from->input_type)),
        .response_type = copy(arena, type_name(from->output_type)),
        .is_client_streaming = from->client_streaming,
        .is_server_streaming = from->server_streaming,
        .is_repeatable =
            from->options != NULL &&
            from->options->idempotency_level !=
                GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__IDEMPOTENCY_UNKNOWN,
    };
    return VTS_OK;
}

static const Google__Protobuf__ServiceDescriptorProto *
find(const Google__Protobuf__FileDescriptorProto *file, const char *name)
{
    const char *package = file->package != NULL ? file->package : "";
    size_t package_len = strlen(package);
    const char *own = name;

    if (package_len > 0) {
        if (strncmp(name, package, package_len) != 0 || name[package_len] != '.')
            return NULL;
        own = name + package_len + 1;
    }
    for (size_t i = 0; i < file->n_service; i++)
        if (file->service[i]->name != NULL && strcmp(file->service[i]->name, own) == 0)
            return file->service[i];
    return NULL;
}

enum vts_err vts_services_add(struct vts_services *services,
                              const Google__Protobuf__FileDescriptorProto *file, const char *name)
{
    const Google__Protobuf__ServiceDescriptorProto *from = find(file, name);
    struct service *service = &services->items[services->count];
    enum vts_err err = VTS_OK;

    if (from == NULL)
        return VTS_ERR_NOT_FOUND;
    if (services->count == services->max)
        return VTS_ERR_LIMIT;
    service->name = copy(&services->arena, name);
    service->methods =
        vts_arena_alloc(&services->arena, from->n_method * sizeof(*service->methods));
    service->methods_count = from->n_method;
    for (size_t i = 0; service->methods != NULL && err == VTS_OK && i < from->n_method; i++)
        err = add_method(&services->arena, from->method[i], &service->methods[i]);
    if (err == VTS_OK)
        err = vts_arena_check(&services->arena);
    if (err == VTS_OK)
        services->count++;
    return err;
}

/* ---- reading --------------------------------------------------------------------------------- */

size_t vts_services_count(const struct vts_services *services)
{
    return services->count;
}

const char *vts_services_name(const struct vts_services *services, size_t index)
{
    return services->items[index].name;
}

size_t vts_services_method_count(const struct vts_services *services, size_t index)
{
    return services->items[index].methods_count;
}

const struct vts_method *vts_services_method(const struct vts_services *services, size_t index,
                                             size_t method)
{
    return &services->items[index].methods[method];
}
