/* SPDX-License-Identifier: Apache-2.0 */
/* refusal.c - HTTP answers that are no success, with the server's own words where it has some. */
#include <stdio.h>

#include "client/src/client.h"
#include "client/src/failure.h"
#include "common/wire/error_json.h"

static enum vts_client_code refusal_code(const char *job_id, int http_code)
{
    switch (http_code) {
    case 401:
    case 403:
        return VTS_CLIENT_DENIED;
    case 404:
        return job_id != NULL ? VTS_CLIENT_NOT_FOUND : VTS_CLIENT_REFUSED;
    case 429:
    case 502:
    case 503:
    case 504:
        return VTS_CLIENT_UNAVAILABLE;
    default:
        return VTS_CLIENT_REFUSED;
    }
}

static const char *usual_words(int http_code)
{
    switch (http_code) {
    case 401:
        return "it wants to know who asks";
    case 403:
        return "it does not allow that";
    case 429:
        return "it is asked too often";
    case 502:
    case 504:
        return "the server behind it does not answer";
    case 503:
        return "it cannot serve now";
    default:
        if (http_code >= 300 && http_code < 400)
            return "it points elsewhere, and redirects are not followed";
        return http_code >= 500 ? "it failed" : "it refused the request";
    }
}

enum vts_client_code vts_client_refusal(const struct vts_origin *origin, const char *job_id,
                                        const struct vts_answer *answer,
                                        struct vts_client_error *error)
{
    enum vts_client_code code = refusal_code(job_id, answer->http_code);
    struct vts_error_body body = {.message = ""};
    bool has_body = vts_error_json_read(vts_buf_str(&answer->body), &body) == VTS_OK;

    if (error != NULL)
        error->http_code = answer->http_code; /* the caller's may be another's */
    if (code == VTS_CLIENT_NOT_FOUND && has_body)
        return vts_failure_set(error, code, "%s knows no job '%s'", origin->text, job_id);
    if (code == VTS_CLIENT_NOT_FOUND)
        return vts_failure_set(error, code,
                               "%s knows no job '%s' (HTTP 404, and not in the way "
                               "vtstatusd says it: is that the right server?)",
                               origin->text, job_id);
    return vts_failure_set(error, code, "%s answered HTTP %d: %s", origin->text, answer->http_code,
                           body.message[0] != '\0' ? body.message : usual_words(answer->http_code));
}
