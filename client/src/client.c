/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - a client's life, and the questions it can ask once. */
#include "client/src/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/src/failure.h"
#include "client/src/options.h"
#include "client/src/request.h"
#include "client/src/status.h"
#include "client/src/token.h"
#include "common/base/assert.h"
#include "common/base/mem.h"

static const char default_job_id[] = "default";
static const char protobuf_type[] = "application/x-protobuf";

const char *vts_version(void)
{
    return VTS_VERSION;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

/* libcurl would say it at the first request, and not always why. */
static enum vts_client_code check_file(const char *what, const char *path,
                                       struct vts_client_error *error)
{
    FILE *file = path == NULL ? NULL : fopen(path, "rbe");
    int os_errno = errno;
    char byte;
    bool is_read;

    if (path == NULL)
        return VTS_CLIENT_OK;
    if (file == NULL)
        return vts_failure_set(error, VTS_CLIENT_TLS, "cannot read the %s '%s': %s", what, path,
                               os_errno == ENOENT   ? "there is no such file"
                               : os_errno == EACCES ? "not allowed"
                                                    : "it cannot be opened");
    is_read = fread(&byte, 1, 1, file) == 1;
    (void)fclose(file); /* it was only read */
    if (!is_read)
        return vts_failure_set(error, VTS_CLIENT_TLS,
                               "cannot read the %s '%s': it is empty or no "
                               "file",
                               what, path);
    return VTS_CLIENT_OK;
}

static enum vts_client_code check_files(const struct vts_client_options *options,
                                        struct vts_client_error *error)
{
    enum vts_client_code code = check_file("CA certificates", options->ca_file, error);

    if (code == VTS_CLIENT_OK)
        code = check_file("client certificate", options->cert_file, error);
    if (code == VTS_CLIENT_OK)
        code = check_file("client certificate's key", options->key_file, error);
    if (code == VTS_CLIENT_OK)
        code = vts_token_check(options->token_file, error);
    return code;
}

static enum vts_client_code set_up(struct vts_client *client,
                                   const struct vts_client_options *options,
                                   struct vts_client_error *error)
{
    struct vts_error reason;
    enum vts_client_code code;

    if (vts_origin_parse(options->url, &client->origin, &reason) != VTS_OK)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "%s", reason.text);
    code = check_files(options, error);
    if (code != VTS_CLIENT_OK)
        return code;
    if (!client->origin.is_tls && options->pinned_key != NULL)
        return vts_failure_set(error, VTS_CLIENT_USAGE,
                               "a pinned key needs https://; %s has no key", client->origin.text);
    client->log = (struct vts_log){options->on_log, options->log_context};
    client->request_timeout = options->request_timeout;
    client->on_request = options->on_request;
    client->request_context = options->request_context;
    client->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (client->cancel_fd < 0)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "too many files are open here");
    return vts_transport_new(&client->origin, options, &client->counters, &client->transport,
                             error);
}

enum vts_client_code vts_client_new(const struct vts_client_options *options,
                                    struct vts_client **ret_client, struct vts_client_error *error)
{
    struct vts_client_options checked;
    struct vts_client *client;
    enum vts_client_code code;

    vts_failure_clear(error);
    code = vts_client_options_read(options, &checked, error);
    if (code != VTS_CLIENT_OK)
        return code;
    client = vts_mem_zalloc(sizeof(*client));
    if (client == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    client->cancel_fd = -1;
    code = set_up(client, &checked, error);
    if (code != VTS_CLIENT_OK)
        vts_client_free(client);
    else
        *ret_client = client;
    return code;
}

void vts_client_free(struct vts_client *client)
{
    if (client == NULL)
        return;
    vts_transport_free(client->transport);
    vts_status_cache_fini(&client->cache);
    if (client->cancel_fd >= 0)
        (void)close(client->cancel_fd); /* nothing was written that could be lost */
    vts_mem_free(client);
}

void vts_client_cancel(struct vts_client *client)
{
    const uint64_t one = 1;

    vts_transport_cancel(client->transport);
    /* It fails only when it is readable already. */
    if (write(client->cancel_fd, &one, sizeof(one)) < 0)
        return;
}

/* ---- asking for a status --------------------------------------------------------------------- */

static enum vts_client_code undecodable(const struct vts_client *client, const char *why,
                                        struct vts_client_error *error)
{
    return vts_failure_set(error, VTS_CLIENT_UNDECODABLE, "the answer of %s is no status: %s",
                           client->origin.text, why);
}

/* The body of a 200. *ret_status is the caller's. */
static enum vts_client_code read_body(const struct vts_client *client, const char *job_id,
                                      const struct vts_answer *answer,
                                      struct vts_status **ret_status,
                                      struct vts_client_error *error)
{
    struct vts_status *status = NULL;
    struct vts_error reason = {.text = ""};
    char why[128];
    enum vts_err err;

    if (strcmp(answer->content_type, protobuf_type) != 0) {
        (void)snprintf(why, sizeof(why), "it is '%s'", answer->content_type);
        return undecodable(client, why, error);
    }
    err = vts_status_decode(vts_buf_str(&answer->body), &status, &reason);
    if (err == VTS_ERR_NOMEM)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    if (err != VTS_OK)
        return undecodable(client, reason.text, error);
    if (strcmp(vts_status_job_id(status), job_id) != 0) {
        vts_status_free(status);
        return undecodable(client, "it is about another job", error);
    }
    *ret_status = status;
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_client_read_status(const struct vts_client *client, const char *job_id,
                                            bool has_etag, const struct vts_answer *answer,
                                            struct vts_status **ret_status,
                                            struct vts_client_error *error)
{
    *ret_status = NULL;
    if (answer->http_code == 200)
        return read_body(client, job_id, answer, ret_status, error);
    if (answer->http_code == 304 && has_etag)
        return VTS_CLIENT_OK;
    if (answer->http_code == 304)
        return undecodable(client, "it says that nothing changed, but nothing was known", error);
    if (answer->http_code < 300)
        return undecodable(client, "it has another HTTP status than 200", error);
    return vts_client_refusal(&client->origin, job_id, answer, error);
}

/* known is what the request had the tag of, or NULL. */
static enum vts_client_code take_answer(struct vts_client *client, const char *job_id,
                                        const struct vts_status_cache_entry *known,
                                        const struct vts_answer *answer,
                                        struct vts_fetch *ret_fetch, struct vts_client_error *error)
{
    enum vts_client_code code =
        vts_client_read_status(client, job_id, known != NULL, answer, &ret_fetch->status, error);

    ret_fetch->hint = vts_answer_hint(answer);
    if (code != VTS_CLIENT_OK)
        return code;
    if (ret_fetch->status != NULL) {
        vts_status_cache_put(&client->cache, ret_fetch->status, answer->etag);
        if (vts_status_poll_after(ret_fetch->status) >= 0)
            ret_fetch->hint = vts_status_poll_after(ret_fetch->status);
    } else {
        VTS_ASSERT(known != NULL); /* it is the one; the hint has moved on since */
        ret_fetch->status = vts_status_ref(known->status);
        if (ret_fetch->hint < 0)
            ret_fetch->hint = vts_status_poll_after(known->status);
    }
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_client_check_job_id(const char *job_id, struct vts_client_error *error)
{
    if (job_id == NULL || job_id[0] == '\0' || vts_job_id_is_valid(job_id))
        return VTS_CLIENT_OK;
    return vts_failure_set(error, VTS_CLIENT_USAGE,
                           "'%s' is no job id: one has 1 to 128 characters of A-Z a-z 0-9 . _ ~ -",
                           job_id);
}

const char *vts_client_job_id(const char *job_id)
{
    return job_id == NULL || job_id[0] == '\0' ? default_job_id : job_id;
}

enum vts_client_code vts_client_fetch(struct vts_client *client, const char *job_id, double timeout,
                                      struct vts_fetch *ret_fetch, struct vts_client_error *error)
{
    const char *id = vts_client_job_id(job_id);
    const struct vts_status_cache_entry *known = vts_status_cache_find(&client->cache, id);
    struct vts_answer answer;
    struct vts_request request = {.accept = protobuf_type, .timeout = timeout};
    char path[160];
    enum vts_client_code code;

    *ret_fetch = (struct vts_fetch){.hint = -1};
    vts_failure_clear(error);
    (void)snprintf(path, sizeof(path), id == default_job_id ? "/status" : "/status/%s", id);
    request.path = path;
    request.if_none_match = known != NULL ? known->etag : "";
    vts_answer_init(&answer);
    code = vts_request_tell(client, &request, NULL, error);
    if (code == VTS_CLIENT_OK)
        code = vts_transport_send(client->transport, &request, &answer, error);
    error->http_code = answer.http_code;
    if (code == VTS_CLIENT_OK)
        code = take_answer(client, id, known, &answer, ret_fetch, error);
    vts_answer_fini(&answer);
    return code;
}

enum vts_client_code vts_get_status(struct vts_client *client, const char *job_id,
                                    struct vts_status **ret_status, struct vts_client_error *error)
{
    struct vts_client_error own;
    struct vts_fetch fetch;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = vts_client_check_job_id(job_id, error);
    if (code != VTS_CLIENT_OK)
        return code;
    code = vts_client_fetch(client, job_id, client->request_timeout, &fetch, error);
    if (code == VTS_CLIENT_OK)
        *ret_status = fetch.status;
    return code;
}

/* ---- health ---------------------------------------------------------------------------------- */

enum vts_client_code vts_check_health(struct vts_client *client, struct vts_client_error *error)
{
    struct vts_request request = {.path = "/healthz",
                                  .accept = "*/*",
                                  .if_none_match = "",
                                  .timeout = client->request_timeout};
    struct vts_answer answer;
    enum vts_client_code code;

    vts_failure_clear(error);
    vts_answer_init(&answer);
    code = vts_request_tell(client, &request, NULL, error);
    if (code == VTS_CLIENT_OK)
        code = vts_transport_send(client->transport, &request, &answer, error);
    if (code == VTS_CLIENT_OK && (answer.http_code < 200 || answer.http_code > 299))
        code = vts_client_refusal(&client->origin, NULL, &answer, error);
    vts_answer_fini(&answer);
    return code;
}
