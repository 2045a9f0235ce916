/* SPDX-License-Identifier: Apache-2.0 */
/* Why there was no HTTP answer, in words for people. */
#ifndef VTS_CLIENT_FAULT_H
#define VTS_CLIENT_FAULT_H

#include <vtstatus/client.h>

#include "client/src/origin.h"

enum vts_fault_kind {
    VTS_FAULT_NO_MEMORY,
    VTS_FAULT_CANCELLED,
    VTS_FAULT_RESOLVE,
    VTS_FAULT_CONNECT,         /* os_errno says why */
    VTS_FAULT_CONNECT_TIMEOUT, /* timeout says how long it was given */
    VTS_FAULT_ANSWER_TIMEOUT,  /* the same */
    VTS_FAULT_BROKEN,          /* the connection ended before the answer did */
    VTS_FAULT_UNTRUSTED,       /* the server's certificate; verify_result says why */
    VTS_FAULT_PINNED,          /* its public key is not one of those that were pinned */
    VTS_FAULT_PROXY,           /* detail says what is the matter with it */
    VTS_FAULT_HANDSHAKE,       /* TLS came to no agreement; detail has OpenSSL's words */
    VTS_FAULT_CA_FILE,
    VTS_FAULT_CLIENT_CERT,
    VTS_FAULT_TOO_LARGE,
    VTS_FAULT_MALFORMED, /* what came is no HTTP */
    VTS_FAULT_OLD_HTTP,  /* it is, but not HTTP/2 */
    VTS_FAULT_OTHER,
};

struct vts_fault {
    enum vts_fault_kind kind;
    int os_errno;
    long verify_result; /* OpenSSL's X509_V_ERR_..., of the chain */
    double timeout;
    const char *detail; /* the library's own words; "" for none */
    const char *file;   /* for the two kinds about files; NULL: the system's own */
};

/* Fills *error and returns its code. */
enum vts_client_code vts_fault_tell(const struct vts_fault *fault, const struct vts_origin *origin,
                                    struct vts_client_error *error);

#endif
