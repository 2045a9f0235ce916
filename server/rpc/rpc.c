/* SPDX-License-Identifier: Apache-2.0 */
/* rpc.c - the table of methods, made once from the services' rows and the descriptors.
 *
 * A path is looked up as it came, before anything is allocated for it.
 */
#include "server/rpc/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/rpc/rest_binding.h"

static int compare_path(const struct vts_rpc_method *method, struct vts_str path)
{
    if (method->path_len != path.len)
        return method->path_len < path.len ? -1 : 1;
    return memcmp(method->path, path.ptr, path.len);
}

static int compare_methods(const void *a, const void *b)
{
    const struct vts_rpc_method *right = b;

    return compare_path(a, vts_str_make(right->path, right->path_len));
}

const struct vts_rpc_method *vts_rpc_find_method(const struct vts_rpc *rpc, struct vts_str path)
{
    size_t low = 0;
    size_t high = rpc->methods_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_path(&rpc->methods[middle], path);

        if (order == 0)
            return &rpc->methods[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static enum vts_rpc_kind kind_of(const struct vts_method_facts *facts)
{
    if (facts->client_streaming)
        return facts->server_streaming ? VTS_RPC_BIDI_STREAM : VTS_RPC_CLIENT_STREAM;
    return facts->server_streaming ? VTS_RPC_SERVER_STREAM : VTS_RPC_UNARY;
}

static const struct vts_method_row *find_row(const struct vts_service_row *service,
                                             const char *name)
{
    for (size_t i = 0; i < service->methods_count; i++)
        if (strcmp(service->methods[i].name, name) == 0)
            return &service->methods[i];
    return NULL;
}

static enum vts_err add_method(struct vts_rpc *rpc, const struct vts_service_row *service,
                               const ProtobufCMethodDescriptor *descriptor,
                               const struct vts_method_facts *facts, struct vts_error *error)
{
    struct vts_rpc_method *method = &rpc->methods[rpc->methods_count];
    const struct vts_method_row *row = find_row(service, descriptor->name);
    size_t max = strlen(service->descriptor->name) + strlen(descriptor->name) + 3;

    method->path = vts_mem_alloc(max);
    if (method->path == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    method->path_len =
        (size_t)snprintf(method->path, max, "/%s/%s", service->descriptor->name, descriptor->name);
    method->kind = kind_of(facts);
    method->is_safe = facts->idempotency == VTS_IDEMPOTENCY_NO_SIDE_EFFECTS;
    method->input = descriptor->input;
    method->output = descriptor->output;
    method->request_max_bytes = vts_limits_get(rpc->options.limits, VTS_LIMIT_MESSAGE_BYTES);
    if (row != NULL && row->request_max_bytes != 0 &&
        row->request_max_bytes < method->request_max_bytes)
        method->request_max_bytes = row->request_max_bytes;
    method->request_max_elements = vts_limits_get(rpc->options.limits, VTS_LIMIT_MESSAGE_ELEMENTS);
    method->handler = row == NULL ? NULL : row->handler;
    if (method->handler != NULL && method->handler->elements_factor != 0)
        method->request_max_elements *= method->handler->elements_factor;
    method->context = service->context;
    method->is_guarded = service->is_guarded;
    rpc->methods_count++;
    return VTS_OK;
}

/* A row under a name that was misspelt would serve nobody. */
static enum vts_err check_rows(const struct vts_service_row *service, struct vts_error *error)
{
    for (size_t i = 0; i < service->methods_count; i++)
        if (protobuf_c_service_descriptor_get_method_by_name(service->descriptor,
                                                             service->methods[i].name) == NULL)
            return vts_error_set(error, VTS_ERR_INVALID, "%s has no method %s",
                                 service->descriptor->name, service->methods[i].name);
    return VTS_OK;
}

static enum vts_err add_service(struct vts_rpc *rpc, const struct vts_service_row *service,
                                struct vts_error *error)
{
    const ProtobufCServiceDescriptor *descriptor = service->descriptor;
    const struct vts_service_facts *facts =
        vts_descriptors_find_service(rpc->descriptors, descriptor->name);
    enum vts_err err = check_rows(service, error);

    for (unsigned i = 0; i < descriptor->n_methods && err == VTS_OK; i++) {
        const struct vts_method_facts *method =
            facts == NULL ? NULL : vts_descriptors_find_method(facts, descriptor->methods[i].name);

        if (method == NULL)
            return vts_error_set(error, VTS_ERR_INVALID,
                                 "the descriptor set does not have %s of %s",
                                 descriptor->methods[i].name, descriptor->name);
        err = add_method(rpc, service, &descriptor->methods[i], method, error);
    }
    return err;
}

static enum vts_err add_services(struct vts_rpc *rpc, struct vts_error *error)
{
    size_t count = 0;
    enum vts_err err = VTS_OK;

    for (size_t i = 0; i < rpc->options.services_count; i++)
        count += rpc->options.services[i].descriptor->n_methods;
    rpc->methods = vts_mem_zalloc(count * sizeof(*rpc->methods));
    if (rpc->methods == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < rpc->options.services_count && err == VTS_OK; i++)
        err = add_service(rpc, &rpc->options.services[i], error);
    qsort(rpc->methods, rpc->methods_count, sizeof(*rpc->methods), compare_methods);
    return err;
}

enum vts_err vts_rpc_new(const struct vts_rpc_options *options, struct vts_rpc **ret_rpc,
                         struct vts_error *error)
{
    struct vts_rpc *rpc = vts_mem_zalloc(sizeof(*rpc));
    enum vts_err err;

    if (rpc == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    rpc->options = *options;
    err = vts_descriptors_new(options->descriptor_set, &rpc->descriptors);
    if (err != VTS_OK)
        (void)vts_error_set(error, err, "the descriptor set cannot be read: %s", vts_err_text(err));
    else
        err = add_services(rpc, error);
    if (err == VTS_OK)
        err = vts_rest_bindings_make(rpc, error);
    if (err != VTS_OK) {
        vts_rpc_free(rpc);
        return err;
    }
    rpc->json_types = (struct vts_json_types){.descriptors = rpc->descriptors,
                                              .messages = options->any_types,
                                              .message_count = options->any_types_count};
    *ret_rpc = rpc;
    return VTS_OK;
}

void vts_rpc_free(struct vts_rpc *rpc)
{
    if (rpc == NULL)
        return;
    for (size_t i = 0; i < rpc->methods_count; i++)
        vts_mem_free(rpc->methods[i].path);
    vts_mem_free(rpc->methods);
    vts_mem_free(rpc->bindings);
    vts_descriptors_free(rpc->descriptors);
    vts_mem_free(rpc);
}
