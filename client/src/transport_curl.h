/* SPDX-License-Identifier: Apache-2.0 */
/* GET over one kept HTTP/2 connection. For one thread at a time, vts_transport_cancel excepted.
 *
 * Certificates are always verified, redirects never followed, and every answer is bounded in time
 * and size. */
#ifndef VTS_CLIENT_TRANSPORT_CURL_H
#define VTS_CLIENT_TRANSPORT_CURL_H

#include <vtstatus/client.h>

#include "client/src/answer.h"
#include "client/src/origin.h"

struct vts_transport;

struct vts_request {
    const char *path;          /* starts with '/' */
    const char *accept;        /* media type */
    const char *if_none_match; /* an ETag; "" for none */
    double timeout;            /* s, from start to the answer's end */
};

/* origin and options are copied; the log function in options is called by name only. Codes and
 * texts as vts_client_new has them. */
VTS_MUST_CHECK enum vts_client_code vts_transport_new(const struct vts_origin *origin,
                                                      const struct vts_client_options *options,
                                                      struct vts_transport **ret_transport,
                                                      struct vts_client_error *error);
void vts_transport_free(struct vts_transport *transport);

/* Sends a request and takes in its answer, into *answer, which the caller has initialised and
 * ends. VTS_CLIENT_OK means a complete HTTP answer of any code. */
VTS_MUST_CHECK enum vts_client_code vts_transport_get(struct vts_transport *transport,
                                                      const struct vts_request *request,
                                                      struct vts_answer *answer,
                                                      struct vts_client_error *error);

/* Sleeps for so many seconds: true; false at once when cancelled. */
VTS_MUST_CHECK bool vts_transport_wait(struct vts_transport *transport, double seconds);

/* From any thread: ends what goes on, and whatever comes later. */
void vts_transport_cancel(struct vts_transport *transport);

#endif
