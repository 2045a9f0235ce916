/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - the file is read as a whole for each request: that costs no more than to find out
 * whether it changed, and misses no change. */
#include "client/src/token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "common/base/mem.h"

enum { MAX_FILE_BYTES = 8192 + 64, MAX_TOKEN_LEN = 8192 };

static const char no_memory[] = "out of memory";
static const char field_start[] = "Authorization: Bearer ";

/* Where the token begins in a file's bytes, and how long it is. False when there is none. */
static bool find(const char *bytes, size_t len, size_t *ret_start, size_t *ret_len)
{
    size_t start = 0;

    while (start < len && strchr(" \t\r\n", bytes[start]) != NULL && bytes[start] != '\0')
        start++;
    while (len > start && strchr(" \t\r\n", bytes[len - 1]) != NULL && bytes[len - 1] != '\0')
        len--;
    *ret_start = start;
    *ret_len = len - start;
    for (size_t i = start; i < len; i++)
        if (bytes[i] <= 0x20 || bytes[i] >= 0x7f)
            return false;
    return len > start && len - start <= MAX_TOKEN_LEN;
}

static const char *make_field(const char *bytes, size_t bytes_len, char **ret_field)
{
    size_t start;
    size_t len;
    size_t size;
    char *field;

    if (!find(bytes, bytes_len, &start, &len))
        return "it holds no token, of 1 to 8192 printable characters";
    size = sizeof(field_start) + len;
    field = vts_mem_alloc(size);
    if (field == NULL)
        return no_memory;
    (void)snprintf(field, size, "%s%.*s", field_start, (int)len, bytes + start);
    *ret_field = field;
    return NULL;
}

/* Returns why there is none; NULL: there is. */
static const char *read_file(const char *path, char **ret_field)
{
    FILE *file = fopen(path, "rbe");
    char bytes[MAX_FILE_BYTES];
    const char *why;
    size_t len;

    if (file == NULL)
        return errno == ENOENT   ? "there is no such file"
               : errno == EACCES ? "not allowed"
                                 : "it cannot be opened";
    /* Its buffer would be another place where the token stays; without one nothing else changes. */
    (void)setvbuf(file, NULL, _IONBF, 0);
    len = fread(bytes, 1, sizeof(bytes), file);
    why = ferror(file)           ? "it cannot be read"
          : len == sizeof(bytes) ? "it is too large"
                                 : make_field(bytes, len, ret_field);
    explicit_bzero(bytes, sizeof(bytes));
    (void)fclose(file); /* it was only read */
    return why;
}

static void let_go(struct vts_token *token)
{
    if (token->field != NULL)
        explicit_bzero(token->field, strlen(token->field));
    vts_mem_free(token->field);
    token->field = NULL;
}

enum vts_client_code vts_token_check(const char *path, struct vts_client_error *error)
{
    struct vts_token token = {.path = path};
    const char *why = path != NULL ? read_file(path, &token.field) : NULL;

    let_go(&token);
    if (why == NULL)
        return VTS_CLIENT_OK;
    if (why == no_memory)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "%s", why);
    return vts_failure_set(error, VTS_CLIENT_TLS, "cannot read the bearer token '%s': %s", path,
                           why);
}

void vts_token_init(struct vts_token *token, const char *path)
{
    *token = (struct vts_token){.path = path};
}

void vts_token_fini(struct vts_token *token)
{
    let_go(token);
}

void vts_token_refresh(struct vts_token *token, const struct vts_log *log)
{
    const char *why;
    char *field = NULL;

    if (token->path == NULL)
        return;
    why = read_file(token->path, &field);
    if (why != NULL) {
        vts_log_write(log, "the last bearer token goes on: '%.200s': %s", token->path, why);
        return;
    }
    let_go(token);
    token->field = field;
}

const char *vts_token_field(const struct vts_token *token)
{
    return token->field;
}
