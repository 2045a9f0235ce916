/* SPDX-License-Identifier: Apache-2.0 */
/* data.c - whole files, since a message is one. */
#include "client/cli/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/output.h"

enum { MAX_BYTES = 1 << 20 };

static bool complain(const char *what, const char *name, const char *why)
{
    char text[640];

    (void)snprintf(text, sizeof(text), "%s '%s': %s", what, name, why);
    vts_cli_output_error(text);
    return false;
}

static bool read_all(FILE *file, const char *name, char **ret_text)
{
    char *text = malloc(MAX_BYTES + 2);
    size_t len;

    if (text == NULL)
        return complain("cannot read", name, "out of memory");
    len = fread(text, 1, MAX_BYTES + 1, file);
    text[len] = '\0';
    if (!ferror(file) && len <= MAX_BYTES && strlen(text) == len) {
        *ret_text = text;
        return true;
    }
    free(text);
    return complain("cannot take", name,
                    len > MAX_BYTES ? "it is larger than 1048576 bytes"
                                    : "it is no text that can be read");
}

bool vts_cli_data_read(const char *source, char **ret_text)
{
    FILE *file;
    bool is_read;

    if (source == NULL || (source[0] != '@' && strcmp(source, "-") != 0)) {
        *ret_text = strdup(source != NULL ? source : "");
        return *ret_text != NULL || complain("cannot take", "--data", "out of memory");
    }
    if (strcmp(source, "-") == 0 || strcmp(source, "@-") == 0)
        return read_all(stdin, "stdin", ret_text);
    file = fopen(source + 1, "rbe");
    if (file == NULL)
        return complain("cannot read", source + 1,
                        errno == ENOENT ? "there is no such file" : "it cannot be opened");
    is_read = read_all(file, source + 1, ret_text);
    (void)fclose(file); /* it was only read */
    return is_read;
}
