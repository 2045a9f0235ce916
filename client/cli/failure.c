/* SPDX-License-Identifier: Apache-2.0 */
/* failure.c - the library says what happened; the flag that helps is known only here. */
#include "client/cli/failure.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/output.h"

static const char *hint(const struct vts_client_error *error, const struct vts_cli_options *options)
{
    if (error->code != VTS_CLIENT_TLS)
        return "";
    if (strstr(error->text, "not trusted here") != NULL && options->client.ca_file == NULL)
        return "; if it is your own, name its CA with --cacert FILE";
    if (strstr(error->text, "wants a client certificate") != NULL &&
        options->client.cert_file == NULL)
        return "; give one with --cert FILE --key FILE";
    return "";
}

void vts_cli_failure_print(const struct vts_client_error *error,
                           const struct vts_cli_options *options)
{
    const char *job_id = options->job_id != NULL ? options->job_id : "";
    char text[1024];

    if (error->code == VTS_CLIENT_GAVE_UP)
        (void)snprintf(text, sizeof(text), "%s; the job goes on, continue with: vtstatus poll%s%s",
                       error->text, job_id[0] != '\0' ? " " : "", job_id);
    else
        (void)snprintf(text, sizeof(text), "%s%s", error->text, hint(error, options));
    vts_cli_output_error(text);
}
