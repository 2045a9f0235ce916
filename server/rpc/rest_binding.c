/* SPDX-License-Identifier: Apache-2.0 */
/* rest_binding.c - the table of paths, made when the program starts.
 *
 * A row that does not fit its messages is found here and not when somebody asks.
 */
#include "server/rpc/rest_binding.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

enum { PATH_MAX_BYTES = 256 };

/* ---- making ---------------------------------------------------------------------------- */

static enum vts_err refuse(struct vts_error *error, const struct vts_rest_row *row, const char *why)
{
    return vts_error_set(error, VTS_ERR_INVALID, "%s %s: %s", row->path, row->method, why);
}

static const struct vts_rpc_method *find_method(const struct vts_rpc *rpc,
                                                const struct vts_service_row *service,
                                                const struct vts_rest_row *row)
{
    char path[PATH_MAX_BYTES];
    int len = snprintf(path, sizeof(path), "/%s/%s", service->descriptor->name, row->method);

    if (len < 0 || (size_t)len >= sizeof(path))
        return NULL;
    return vts_rpc_find_method(rpc, vts_str_make(path, (size_t)len));
}

static bool is_one(const ProtobufCFieldDescriptor *field, ProtobufCType type)
{
    return field != NULL && field->type == type && field->label != PROTOBUF_C_LABEL_REPEATED;
}

const ProtobufCFieldDescriptor *vts_rest_find_field(const ProtobufCMessageDescriptor *type,
                                                    struct vts_str name)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (vts_str_equals_text(name, type->fields[i].name))
            return &type->fields[i];
    return NULL;
}

/* Whether each variable of the template is a field of text. A template is a path of its own. */
static bool has_variables(const struct vts_rest_row *row, const ProtobufCMessageDescriptor *input)
{
    char path[PATH_MAX_BYTES];
    size_t len = 0;
    struct vts_rest_match match;

    for (const char *c = row->path; *c != '\0' && len < sizeof(path); c++)
        if (*c != '{' && *c != '}')
            path[len++] = *c;
    if (!vts_rest_path_matches(row->path, vts_str_make(path, len), &match))
        return false;
    for (size_t i = 0; i < match.count; i++)
        if (!is_one(vts_rest_find_field(input, match.fields[i]), PROTOBUF_C_TYPE_STRING))
            return false;
    return true;
}

static enum vts_err bind(const struct vts_rpc *rpc, const struct vts_service_row *service,
                         const struct vts_rest_row *row, struct vts_rest_binding *ret_binding,
                         struct vts_error *error)
{
    const struct vts_rpc_method *method = find_method(rpc, service, row);
    struct vts_rest_binding binding = {
        .row = row, .method = method, .lead_len = strcspn(row->path, "{")};

    if (method == NULL || method->kind != VTS_RPC_UNARY)
        return refuse(error, row, "there is no such unary method");
    if (!vts_rest_path_is_template(row->path) || !has_variables(row, method->input))
        return refuse(error, row, "the path is no template of the method's request");
    binding.answer = vts_rest_find_field(method->output, vts_str_of(row->answer));
    binding.if_match = vts_rest_find_field(method->input, vts_str_of(row->if_match));
    if (row->answer != NULL && !is_one(binding.answer, PROTOBUF_C_TYPE_MESSAGE))
        return refuse(error, row, "the answer has no such message");
    if (row->flat != NULL &&
        !is_one(vts_rest_find_field(method->input, vts_str_of(row->flat)), PROTOBUF_C_TYPE_MESSAGE))
        return refuse(error, row, "the request has no such message");
    if (row->if_match != NULL && !is_one(binding.if_match, PROTOBUF_C_TYPE_STRING))
        return refuse(error, row, "the request has no such text");
    *ret_binding = binding;
    return VTS_OK;
}

enum vts_err vts_rest_bindings_make(struct vts_rpc *rpc, struct vts_error *error)
{
    const struct vts_rpc_options *options = &rpc->options;
    size_t count = 0;
    enum vts_err err = VTS_OK;

    for (size_t i = 0; i < options->services_count; i++)
        count += options->services[i].rest_count;
    if (count == 0)
        return VTS_OK;
    rpc->bindings = vts_mem_zalloc(count * sizeof(*rpc->bindings));
    if (rpc->bindings == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < options->services_count; i++) {
        const struct vts_service_row *service = &options->services[i];

        for (size_t j = 0; j < service->rest_count && err == VTS_OK; j++)
            err =
                bind(rpc, service, &service->rest[j], &rpc->bindings[rpc->bindings_count++], error);
    }
    return err;
}

/* ---- looking up ------------------------------------------------------------------------ */

const struct vts_rest_binding *vts_rest_binding_find(const struct vts_rpc *rpc, struct vts_str path,
                                                     enum vts_method verb,
                                                     struct vts_rest_match *ret_match,
                                                     unsigned *ret_verbs)
{
    enum vts_method wanted = verb == VTS_METHOD_HEAD ? VTS_METHOD_GET : verb;

    *ret_verbs = 0;
    for (size_t i = 0; i < rpc->bindings_count; i++) {
        const struct vts_rest_binding *binding = &rpc->bindings[i];
        const struct vts_rest_row *row = binding->row;

        /* Most paths of other things differ early, and every request comes here. */
        if (path.len < binding->lead_len || memcmp(path.ptr, row->path, binding->lead_len) != 0 ||
            !vts_rest_path_matches(row->path, path, ret_match))
            continue;
        if (row->verb == wanted)
            return binding;
        *ret_verbs |= 1u << row->verb;
        if (row->verb == VTS_METHOD_GET)
            *ret_verbs |= 1u << VTS_METHOD_HEAD;
    }
    return NULL;
}
