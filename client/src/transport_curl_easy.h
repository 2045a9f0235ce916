/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer on an easy handle of libcurl. The handle is driven by whoever owns the
 * multi handle it is put into: transport_curl.c for one request at a time, transport_curl_engine.c
 * for many. */
#ifndef VTS_CLIENT_TRANSPORT_CURL_EASY_H
#define VTS_CLIENT_TRANSPORT_CURL_EASY_H

#include "client/src/counters.h"
#include "client/src/log.h"
#include "client/src/token.h"
#include "client/src/transport_curl.h"

enum { VTS_EASY_DETAIL_BYTES = 256 };

/* What every request of a client has in common. */
struct vts_easy_config {
    struct vts_origin origin;
    struct vts_log log;
    double connect_timeout;
    char *user_agent;
    char *ca_file; /* NULL: the system's store */
    char *cert_file;
    char *key_file;
    char *token_file;
    char *pinned_key;
    char *proxy;                   /* NULL: the environment's; "": none */
    struct vts_counters *counters; /* borrowed */
};

struct vts_easy {
    const struct vts_easy_config *config;
    struct vts_token token;
    void *handle;                       /* CURL * */
    void *fields;                       /* struct curl_slist *, of the request that runs */
    const struct vts_request *request;  /* the same */
    struct vts_answer *answer;          /* the same */
    int64_t header_end_ns;              /* when the header must have come; INT64_MAX: whenever */
    enum vts_err err;                   /* why a callback ended the transfer */
    bool is_enough;                     /* on_piece ended it */
    unsigned sendings;                  /* by libcurl, of this request */
    int own_port;                       /* of the connection it was sent on last; 0: not sent */
    bool is_old_http;                   /* HTTP/2 was needed, and this is not it */
    char detail[VTS_EASY_DETAIL_BYTES]; /* libcurl's words for the last failure */
};

/* Copies what it needs of the options, and of the origin. VTS_ERR_NOMEM; the caller ends the
 * configuration on every outcome. */
VTS_MUST_CHECK enum vts_err vts_easy_config_init(struct vts_easy_config *config,
                                                 const struct vts_origin *origin,
                                                 const struct vts_client_options *options,
                                                 struct vts_counters *counters);
void vts_easy_config_fini(struct vts_easy_config *config);

/* libcurl must be set up. config is borrowed. VTS_ERR_NOMEM; ended by the caller on every outcome,
 * when the handle is in no multi handle any more. */
VTS_MUST_CHECK enum vts_err vts_easy_init(struct vts_easy *easy,
                                          const struct vts_easy_config *config);
void vts_easy_fini(struct vts_easy *easy);

/* Readies the handle for a request, which is borrowed, like the answer, until vts_easy_release.
 * is_fresh: no connection that exists will do. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_easy_prepare(struct vts_easy *easy,
                                             const struct vts_request *request,
                                             struct vts_answer *answer, bool is_fresh);
/* How long the header may still take; INT64_MAX when it is there, or may take for ever. */
int64_t vts_easy_header_left_ns(const struct vts_easy *easy);
/* What the end means; result is libcurl's. VTS_CLIENT_OK, or *error is filled. */
enum vts_client_code vts_easy_judge(struct vts_easy *easy, int result,
                                    struct vts_client_error *error);
/* After a timeout, while the handle is still in its multi handle: nobody uses the connection any
 * more. libcurl would, before newer ones, for it cannot tell that it is dead. Does nothing while
 * other requests are on it. */
void vts_easy_break_connection(const struct vts_easy *easy);
/* The same, once the handle leaves its multi handle, unless other requests are on the connection.
 */
void vts_easy_leave_connection(const struct vts_easy *easy);
/* Lets go of the request. */
void vts_easy_release(struct vts_easy *easy);

#endif
