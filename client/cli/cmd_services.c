/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_services.c - a line for each method, in the form that `call` takes. */
#include <stdio.h>
#include <string.h>

#include <vtstatus/call.h>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"

static const char *kind_of(const struct vts_method *method)
{
    if (method->is_client_streaming)
        return method->is_server_streaming ? "both_stream" : "client_stream";
    return method->is_server_streaming ? "server_stream" : "unary";
}

/* Names have no character to escape. */
static void print_json(const char *service, const struct vts_method *method)
{
    printf(
        "{\"service\":\"%s\",\"method\":\"%s\",\"kind\":\"%s\",\"request\":\"%s\","
        "\"response\":\"%s\"}\n",
        service, method->name, kind_of(method), method->request_type, method->response_type);
}

static void print_text(const char *service, const struct vts_method *method, size_t width)
{
    int gap = (int)(width - strlen(service) - strlen(method->name));

    printf("%s/%s%*s  %-13s  %s -> %s\n", service, method->name, gap, "", kind_of(method),
           method->request_type, method->response_type);
}

static size_t longest(const struct vts_services *services)
{
    size_t width = 0;

    for (size_t i = 0; i < vts_services_count(services); i++)
        for (size_t j = 0; j < vts_services_method_count(services, i); j++) {
            size_t len = strlen(vts_services_name(services, i)) +
                         strlen(vts_services_method(services, i, j)->name);

            width = len > width ? len : width;
        }
    return width;
}

static void print_all(const struct vts_services *services, const struct vts_cli_options *options)
{
    size_t width = longest(services);

    for (size_t i = 0; i < vts_services_count(services); i++)
        for (size_t j = 0; j < vts_services_method_count(services, i); j++) {
            const struct vts_method *method = vts_services_method(services, i, j);

            if (options->is_json)
                print_json(vts_services_name(services, i), method);
            else
                print_text(vts_services_name(services, i), method, width);
        }
}

int vts_cli_services(struct vts_client *client, const struct vts_cli_options *options)
{
    const char *service = options->words_count > 0 ? options->words[0] : NULL;
    struct vts_services *services = NULL;
    struct vts_client_error error;
    enum vts_client_code code = vts_list_services(client, service, &services, &error);

    if (code == VTS_CLIENT_OK)
        print_all(services, options);
    else
        vts_cli_failure_print(&error, options);
    vts_services_free(services);
    return vts_cli_exit_code(code, NULL);
}
