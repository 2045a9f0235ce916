/* SPDX-License-Identifier: Apache-2.0 */
/* wait_token.c - a wait as a string.
 *
 * In base64, as URLs have it:
 *
 *     1 byte   version
 *     8 bytes  a hash of the server's URL
 *     8 bytes  the revision that was told, big-endian
 *     n bytes  the job's id
 *     4 bytes  a hash of all that stands before
 *
 * The hashes tell mistakes from tokens, not enemies: there is no right that a token gives.
 */
#include <string.h>

#include "client/src/failure.h"
#include "client/src/waiter.h"
#include "common/base/mem.h"
#include "common/wire/base64.h"

enum {
    VERSION = 1,
    URL_BYTES = 8,
    REVISION_BYTES = 8,
    CHECK_BYTES = 4,
    FRONT_BYTES = 1 + URL_BYTES + REVISION_BYTES,
    MAX_TOKEN_BYTES = 512,
};

struct token {
    uint64_t revision;
    char job_id[VTS_WAITER_ID_SIZE];
};

static uint64_t hash(struct vts_str bytes)
{
    static const struct vts_hash_key no_key; /* the same in every process */

    return vts_hash(&no_key, bytes);
}

static void put(struct vts_buf *buf, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        unsigned char byte = (unsigned char)(number >> (8 * i));

        vts_buf_append(buf, &byte, 1);
    }
}

static uint64_t get(const char *at, int bytes)
{
    uint64_t number = 0;

    for (int i = 0; i < bytes; i++)
        number = number << 8 | (unsigned char)at[i];
    return number;
}

/* As URLs and command lines take it. */
static void make_safe(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '+')
            *text = '-';
        else if (*text == '/')
            *text = '_';
    }
}

enum vts_client_code vts_wait_token(const struct vts_client *client,
                                    const struct vts_status *status, char **ret_token,
                                    struct vts_client_error *error)
{
    struct vts_buf bytes;
    struct vts_buf text;
    char *token = NULL;

    vts_failure_clear(error);
    vts_buf_init(&bytes, MAX_TOKEN_BYTES);
    vts_buf_init(&text, MAX_TOKEN_BYTES);
    put(&bytes, VERSION, 1);
    put(&bytes, hash(vts_str_of(client->origin.text)), URL_BYTES);
    put(&bytes, vts_status_revision(status), REVISION_BYTES);
    vts_buf_append_text(&bytes, vts_status_job_id(status));
    put(&bytes, hash(vts_buf_str(&bytes)), CHECK_BYTES);
    vts_base64_encode(&text, vts_buf_str(&bytes), VTS_BASE64_UNPADDED);
    if (vts_buf_check(&bytes) == VTS_OK && vts_buf_check(&text) == VTS_OK)
        token = vts_mem_strndup(text.ptr, text.len);
    vts_buf_fini(&bytes);
    vts_buf_fini(&text);
    if (token == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    make_safe(token);
    *ret_token = token;
    return VTS_CLIENT_OK;
}

/* NULL when the bytes are a token's, else why they are none. */
static const char *parse(const struct vts_client *client, struct vts_str bytes,
                         struct token *ret_token)
{
    size_t id_len;

    if (bytes.len <= FRONT_BYTES + CHECK_BYTES)
        return "it is no token";
    id_len = bytes.len - FRONT_BYTES - CHECK_BYTES;
    if (id_len >= sizeof(ret_token->job_id))
        return "it is no token";
    if (get(bytes.ptr + bytes.len - CHECK_BYTES, CHECK_BYTES) !=
        (hash(vts_str_make(bytes.ptr, bytes.len - CHECK_BYTES)) & UINT32_MAX))
        return "it is no token, or not all of it";
    if (bytes.ptr[0] != VERSION)
        return "it is of another version";
    if (get(bytes.ptr + 1, URL_BYTES) != hash(vts_str_of(client->origin.text)))
        return "it is for another server";
    memcpy(ret_token->job_id, bytes.ptr + FRONT_BYTES, id_len);
    ret_token->job_id[id_len] = '\0';
    ret_token->revision = get(bytes.ptr + 1 + URL_BYTES, REVISION_BYTES);
    return vts_job_id_is_valid(ret_token->job_id) ? NULL : "it is no token";
}

static enum vts_client_code read_token(const struct vts_client *client, const char *text,
                                       struct token *ret_token, struct vts_client_error *error)
{
    const char *fault = "it is no token";
    struct vts_buf bytes;

    vts_failure_clear(error);
    vts_buf_init(&bytes, MAX_TOKEN_BYTES);
    if (text != NULL && strlen(text) <= MAX_TOKEN_BYTES &&
        vts_base64_decode(&bytes, vts_str_of(text)) == VTS_OK)
        fault = parse(client, vts_buf_str(&bytes), ret_token);
    vts_buf_fini(&bytes);
    if (fault != NULL)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "cannot go on by that token: %s", fault);
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_wait_token_job(const struct vts_client *client, const char *token,
                                        char **ret_job_id, struct vts_client_error *error)
{
    struct token parsed;
    enum vts_client_code code = read_token(client, token, &parsed, error);
    char *job_id;

    if (code != VTS_CLIENT_OK)
        return code;
    job_id = vts_mem_strdup(parsed.job_id);
    if (job_id == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    *ret_job_id = job_id;
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_wait_resume(struct vts_client *client, const char *token,
                                     const char *job_id, const struct vts_wait_options *options,
                                     struct vts_status **ret_status, struct vts_client_error *error)
{
    struct vts_client_error own;
    struct token parsed = {.revision = 0};
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    *ret_status = NULL;
    code = read_token(client, token, &parsed, error);
    if (code != VTS_CLIENT_OK)
        return code;
    if (job_id != NULL && strcmp(vts_client_job_id(job_id), parsed.job_id) != 0)
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "cannot go on by that token: it is for job '%s', not '%.128s'",
                               parsed.job_id, vts_client_job_id(job_id));
    return vts_wait_from(client, parsed.job_id, parsed.revision, options, ret_status, error);
}
