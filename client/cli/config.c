/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - cuts the file into names and values in place. */
#include "client/cli/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PATH_BYTES = 4096 };

static const char blanks[] = " \t\r";

/* ---- the file -------------------------------------------------------------------------------- */

/* False when there is no usual place. */
static bool usual_path(char *path, size_t size)
{
    const char *config_home = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int len = -1;

    /* What is no absolute path counts as unset (XDG Base Directory Specification). */
    if (config_home != NULL && config_home[0] == '/')
        len = snprintf(path, size, "%s/vtstatus/config", config_home);
    else if (home != NULL && home[0] == '/')
        len = snprintf(path, size, "%s/.config/vtstatus/config", home);
    return len >= 0 && (size_t)len < size;
}

static bool complain(const struct vts_cli_fault *fault, const char *path, const char *why)
{
    (void)snprintf(fault->text, fault->size, "cannot read the options in '%s': %s", path, why);
    return false;
}

static bool read_file(const char *path, char text[VTS_CLI_MAX_CONFIG_BYTES + 1],
                      const struct vts_cli_fault *fault)
{
    FILE *file = fopen(path, "rbe");
    size_t len;
    bool is_whole;

    if (file == NULL)
        return complain(fault, path,
                        errno == ENOENT   ? "there is no such file"
                        : errno == EACCES ? "not allowed"
                                          : "it cannot be opened");
    len = fread(text, 1, VTS_CLI_MAX_CONFIG_BYTES, file);
    text[len] = '\0';
    is_whole = len < VTS_CLI_MAX_CONFIG_BYTES || fgetc(file) == EOF;
    if (ferror(file) || strlen(text) != len) {
        (void)fclose(file); /* it was only read */
        return complain(fault, path, "it is no text");
    }
    (void)fclose(file); /* as above */
    return is_whole || complain(fault, path, "it is larger than 16384 bytes");
}

/* ---- a line ---------------------------------------------------------------------------------- */

/* Ends a quoted value at its quote, and takes the backslashes out. Returns what is wrong; NULL:
 * nothing. */
static const char *unquote(char *value)
{
    char *out = value;
    const char *in = value + 1;

    for (; *in != '"' && *in != '\0'; in++) {
        if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
            in++;
        *out++ = *in;
    }
    if (*in == '\0')
        return "a quote is not closed";
    if (in[1] != '\0')
        return "something follows the closed quote";
    *out = '\0';
    return NULL;
}

static void trim_end(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
        text[--len] = '\0';
}

/* Cuts the name off; returns the value, or NULL when there is none. */
static char *cut_name(char *name)
{
    char *value = name + strcspn(name, " \t=");
    bool has_sign;

    if (*value == '\0')
        return NULL;
    has_sign = *value == '=';
    *value++ = '\0';
    value += strspn(value, blanks);
    if (!has_sign && *value == '=') {
        value++;
        value += strspn(value, blanks);
    }
    return *value == '\0' ? NULL : value;
}

static bool read_line(char *line, struct vts_cli_options *options,
                      const struct vts_cli_fault *fault)
{
    const char *why = NULL;
    char *value;

    line += strspn(line, blanks);
    trim_end(line);
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (strncmp(line, "--", 2) == 0)
        line += 2;
    value = cut_name(line);
    if (line[0] == '\0') {
        (void)snprintf(fault->text, fault->size, "it does not begin with the name of a flag");
        return false;
    }
    if (value != NULL && value[0] == '"')
        why = unquote(value);
    if (why == NULL)
        return vts_cli_flag_set_from_file(line, value, options, fault);
    (void)snprintf(fault->text, fault->size, "%s: %s", line, why);
    return false;
}

static bool read_lines(const char *path, struct vts_cli_options *options,
                       const struct vts_cli_fault *fault)
{
    char text[400];
    const struct vts_cli_fault why = {text, sizeof(text)};
    char *line = options->config_text;

    for (unsigned number = 1; line != NULL; number++) {
        char *next = strchr(line, '\n');

        if (next != NULL)
            *next++ = '\0';
        if (!read_line(line, options, &why)) {
            (void)snprintf(fault->text, fault->size, "%s:%u: %s", path, number, text);
            return false;
        }
        line = next;
    }
    return true;
}

bool vts_cli_config_read(struct vts_cli_options *options, const struct vts_cli_fault *fault)
{
    char usual[MAX_PATH_BYTES];
    const char *path = options->config_file;

    if (path == NULL) {
        FILE *file = usual_path(usual, sizeof(usual)) ? fopen(usual, "rbe") : NULL;

        /* One that is there and cannot be read is no better than one that is not there. */
        if (file == NULL)
            return true;
        (void)fclose(file); /* it was only looked for */
        path = usual;
    }
    return read_file(path, options->config_text, fault) && read_lines(path, options, fault);
}
