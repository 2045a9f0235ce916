/* SPDX-License-Identifier: Apache-2.0 */
/* failure.c - the library says what happened; the flag that helps is known only here. */
#include "client/cli/failure.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/output.h"

static bool is_cleartext(const struct vts_cli_options *options)
{
    return options->client.url != NULL && strncmp(options->client.url, "http://", 7) == 0;
}

static const char *hint(const struct vts_client_error *error, const struct vts_cli_options *options)
{
    if (strstr(error->text, "which streams need") != NULL)
        return "; --mode auto does without streams";
    /* What a TLS port has for one who does not speak TLS. */
    if (error->code == VTS_CLIENT_CONNECT && is_cleartext(options) &&
        strstr(error->text, "Empty reply") != NULL)
        return "; if it speaks TLS, its URL begins with https://";
    if (error->code != VTS_CLIENT_TLS)
        return "";
    if (strstr(error->text, "not trusted here") != NULL && options->client.ca_file == NULL)
        return "; if it is your own, name its CA with --cacert FILE";
    if (strstr(error->text, "wants a client certificate") != NULL &&
        options->client.cert_file == NULL)
        return "; give one with --cert FILE --key FILE";
    return "";
}

/* before is put in front of the text. */
static void print(const char *before, const struct vts_client_error *error,
                  const struct vts_cli_options *options)
{
    char text[1024];

    if (options->is_explaining && error->code == VTS_CLIENT_CANCELLED)
        return; /* as it was to be */

    /* Not the command itself: without the flags for server and trust it would ask another one. */
    if (error->code == VTS_CLIENT_GAVE_UP)
        (void)snprintf(text, sizeof(text), "%s%s; the job goes on, continue with the same command",
                       before, error->text);
    else
        (void)snprintf(text, sizeof(text), "%s%s%s", before, error->text, hint(error, options));
    vts_cli_output_error(text);
}

void vts_cli_failure_print(const struct vts_client_error *error,
                           const struct vts_cli_options *options)
{
    print("", error, options);
}

void vts_cli_failure_print_of(const char *what, const struct vts_client_error *error,
                              const struct vts_cli_options *options)
{
    char before[256];

    (void)snprintf(before, sizeof(before), "%.200s: ", what);
    print(before, error, options);
}
