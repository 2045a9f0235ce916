/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - curl commands: words are quoted for any POSIX shell, and a body that is no text, or
 * too long for a word, goes through printf. */
#include "client/cli/explain.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/cli/exit_code.h"

/* Linux takes words of 128 KiB. */
enum { MAX_WORD_BYTES = 100 * 1000 };

static void print_quoted(const char *text)
{
    static const char plain[] =
        "0123456789+,-./:=@_~%"
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /* Some shells look at the first character of a word. */
    if (text[0] != '\0' && strchr("~=%", text[0]) == NULL && strspn(text, plain) == strlen(text)) {
        fputs(text, stdout);
        return;
    }
    putchar('\'');
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    putchar('\'');
}

static void print_flag(const char *flag, const char *value)
{
    if (value == NULL)
        return;
    printf(" %s ", flag);
    print_quoted(value);
}

/* ---- the body -------------------------------------------------------------------------------- */

/* A word of the command can hold it. A terminal would take control characters for commands. */
static bool is_word(const struct vts_http_request *request)
{
    if (request->body_len > MAX_WORD_BYTES)
        return false;
    for (size_t i = 0; i < request->body_len; i++)
        if ((unsigned char)request->body[i] < 0x20 && strchr("\t\n", request->body[i]) == NULL)
            return false;
    return memchr(request->body, '\0', request->body_len) == NULL;
}

/* printf's format: octal for what has a meaning there, to the shell, or to a terminal. */
static void print_printf(const struct vts_http_request *request)
{
    fputs("printf '", stdout);
    for (size_t i = 0; i < request->body_len; i++) {
        unsigned char c = (unsigned char)request->body[i];

        if (c < 0x20 || c >= 0x7f || c == '\'' || c == '\\' || c == '%')
            printf("\\%03o", c);
        else
            putchar(c);
    }
    fputs("' | ", stdout);
}

/* ---- the command ----------------------------------------------------------------------------- */

/* In whole milliseconds. */
static void print_time(const char *flag, double seconds)
{
    printf(" %s %.10g", flag, (double)(int64_t)(seconds * 1000 + 0.5) / 1000);
}

static void print_options(const struct vts_http_request *request,
                          const struct vts_client_options *options)
{
    fputs("curl -sS --fail-with-body", stdout);
    if (strstr(request->url, "/.") != NULL)
        fputs(" --path-as-is", stdout); /* ".." may be a job's id */
    print_flag("--cacert", options->ca_file);
    print_flag("--cert", options->cert_file);
    print_flag("--key", options->key_file);
    print_flag("--pinnedpubkey", options->pinned_key);
    if (request->is_without_proxy || (options->proxy != NULL && options->proxy[0] == '\0'))
        fputs(" --noproxy '*'", stdout);
    else
        print_flag("--proxy", options->proxy);
    print_time("--connect-timeout", options->connect_timeout);
    if (request->timeout > 0)
        print_time("--max-time", request->timeout);
    else
        fputs(" --no-buffer", stdout);
}

/* The shell reads the file, so that the token itself is nowhere to be seen. */
static void print_token(const struct vts_http_request *request, const char *file)
{
    for (size_t i = 0; i < request->fields_count; i++)
        if (strcasecmp(request->fields[i].key, "authorization") == 0)
            return;
    fputs(" -H \"Authorization: Bearer $(tr -d '[:space:]' <", stdout);
    print_quoted(file);
    fputs(")\"", stdout);
}

static void print_field(const struct vts_pair *field)
{
    size_t value_len = strlen(field->value);
    char line[9000]; /* longer than the library takes */

    /* Without a value, curl would leave the field out. */
    (void)snprintf(line, sizeof(line), "%s%s%s", field->key, value_len > 0 ? ": " : ";",
                   field->value);
    print_flag("-H", line);
}

bool vts_cli_explain_request(const struct vts_http_request *request, void *context)
{
    const struct vts_cli_options *options = context;
    bool has_body = request->body != NULL;
    bool is_piped = has_body && !is_word(request);

    if (is_piped)
        print_printf(request);
    print_options(request, &options->client);
    if (options->client.token_file != NULL)
        print_token(request, options->client.token_file);
    for (size_t i = 0; i < request->fields_count; i++)
        print_field(&request->fields[i]);
    if (is_piped)
        fputs(" --data-binary @-", stdout);
    else if (has_body)
        print_flag("--data-raw", request->body);
    putchar(' ');
    print_quoted(request->url);
    putchar('\n');
    return false;
}

int vts_cli_explain_exit(int exit_code, const struct vts_cli_options *options)
{
    return options->is_explaining && exit_code == VTS_CLI_EXIT_GAVE_UP ? VTS_CLI_EXIT_OK
                                                                       : exit_code;
}
