/* SPDX-License-Identifier: Apache-2.0 */
/* descriptors.c - binary searches in the tables that descriptors_read.c fills. */
#include "common/wire/descriptors.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/wire/descriptors_tables.h"

void vts_descriptors_free(struct vts_descriptors *descriptors)
{
    if (descriptors == NULL)
        return;
    vts_mem_free(descriptors->messages);
    vts_mem_free(descriptors->services);
    vts_mem_free(descriptors->fields);
    vts_mem_free(descriptors->field_names);
    vts_mem_free(descriptors->methods);
    vts_mem_free(descriptors->text);
    vts_mem_free(descriptors);
}

static int compare_message(const void *full_name, const void *message)
{
    return strcmp(full_name, ((const struct vts_message_facts *)message)->full_name);
}

static int compare_service(const void *full_name, const void *service)
{
    return strcmp(full_name, ((const struct vts_service_facts *)service)->full_name);
}

static int compare_field(const void *number, const void *field)
{
    uint32_t wanted = *(const uint32_t *)number;
    uint32_t have = ((const struct vts_field_facts *)field)->number;

    return (wanted > have) - (wanted < have);
}

static int compare_field_name(const void *name, const void *entry)
{
    const struct vts_str *wanted = name;
    const char *have = ((const struct vts_field_name *)entry)->name;
    size_t have_len = strlen(have);
    size_t common_len = wanted->len < have_len ? wanted->len : have_len;
    int order = memcmp(wanted->ptr, have, common_len);

    return order != 0 ? order : (wanted->len > have_len) - (wanted->len < have_len);
}

const struct vts_message_facts *
vts_descriptors_find_message(const struct vts_descriptors *descriptors, const char *full_name)
{
    return bsearch(full_name, descriptors->messages, descriptors->message_count,
                   sizeof(*descriptors->messages), compare_message);
}

const struct vts_service_facts *
vts_descriptors_find_service(const struct vts_descriptors *descriptors, const char *full_name)
{
    return bsearch(full_name, descriptors->services, descriptors->service_count,
                   sizeof(*descriptors->services), compare_service);
}

const struct vts_method_facts *vts_descriptors_find_method(const struct vts_service_facts *service,
                                                           const char *name)
{
    for (uint32_t i = 0; i < service->method_count; i++)
        if (strcmp(service->methods[i].name, name) == 0)
            return &service->methods[i];
    return NULL;
}

const struct vts_field_facts *vts_descriptors_find_field(const struct vts_message_facts *message,
                                                         uint32_t number)
{
    return bsearch(&number, message->fields, message->field_count, sizeof(*message->fields),
                   compare_field);
}

const struct vts_field_facts *
vts_descriptors_find_field_named(const struct vts_message_facts *message, struct vts_str name)
{
    const struct vts_field_name *found =
        bsearch(&name, message->field_names, message->field_name_count,
                sizeof(*message->field_names), compare_field_name);

    return found == NULL ? NULL : &message->fields[found->index];
}
