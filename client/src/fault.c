/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - each kind of fault as one line that names what happened and with whom. */
#include "client/src/fault.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "client/src/failure.h"
#include "common/base/macros.h"

/* Not strerror(), which is neither thread-safe nor in English everywhere. */
static const char *connect_reason(int os_errno)
{
    switch (os_errno) {
    case ECONNREFUSED:
        return "connection refused";
    case ENETUNREACH:
        return "its network is unreachable";
    case EHOSTUNREACH:
        return "the host is unreachable";
    case EACCES:
    case EPERM:
        return "this machine does not allow the connection";
    case ETIMEDOUT:
        return "it does not answer";
    case EMFILE:
    case ENFILE:
        return "too many files are open here";
    default:
        return "it cannot be connected to";
    }
}

/* OpenSSL's X509_V_ERR_... (its openssl/x509_vfy.h; the numbers do not change). */
static const char *untrusted_reason(long verify_result)
{
    switch (verify_result) {
    case 2:  /* UNABLE_TO_GET_ISSUER_CERT */
    case 18: /* DEPTH_ZERO_SELF_SIGNED_CERT */
    case 19: /* SELF_SIGNED_CERT_IN_CHAIN */
    case 20: /* UNABLE_TO_GET_ISSUER_CERT_LOCALLY */
    case 21: /* UNABLE_TO_VERIFY_LEAF_SIGNATURE */
        return "its certificate was issued by an authority that is not trusted here";
    case 9: /* CERT_NOT_YET_VALID */
        return "its certificate is not valid yet";
    case 10: /* CERT_HAS_EXPIRED */
        return "its certificate has expired";
    case 23: /* CERT_REVOKED */
        return "its certificate was revoked";
    case 26: /* INVALID_PURPOSE */
        return "its certificate is not meant for a server";
    case 66: /* EE_KEY_TOO_SMALL */
    case 67: /* CA_KEY_TOO_SMALL */
    case 68: /* CA_MD_TOO_WEAK */
        return "its certificate uses cryptography that is too weak";
    default:
        return NULL;
    }
}

/* What OpenSSL's words for a handshake that failed mean; the first one found wins. */
static const char *handshake_reason(const char *detail)
{
    static const struct {
        const char *word;
        const char *reason;
    } reasons[] = {
        {"certificate required", "the server wants a client certificate"},
        {"alert unknown ca", "the server does not trust the authority of the client certificate"},
        {"alert certificate expired", "the client certificate has expired"},
        {"alert certificate revoked", "the client certificate was revoked"},
        {"alert bad certificate", "the server does not accept the client certificate"},
        {"alert unsupported certificate", "the server does not accept the client certificate"},
        {"alert certificate unknown", "the server does not accept the client certificate"},
        {"alert access denied", "the server does not accept the client certificate"},
        {"wrong version number", "it does not speak TLS"},
        {"http request", "it does not speak TLS"},
        {"packet length too long", "it does not speak TLS"},
        {"protocol version", "it speaks no TLS version that is safe (1.2 or newer)"},
        {"unsupported protocol", "it speaks no TLS version that is safe (1.2 or newer)"},
        {"handshake failure",
         "the server refused the handshake: no common ciphers, or it wants a "
         "client certificate"},
        {"key too small", "its certificate uses cryptography that is too weak"},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(reasons); i++)
        if (strcasestr(detail, reasons[i].word) != NULL)
            return reasons[i].reason;
    return detail[0] != '\0' ? detail : "the handshake failed";
}

static enum vts_client_code tell_untrusted(const struct vts_fault *fault,
                                           const struct vts_origin *origin,
                                           struct vts_client_error *error)
{
    const char *reason = untrusted_reason(fault->verify_result);

    if (reason != NULL)
        return vts_failure_set(error, VTS_CLIENT_TLS, "cannot trust %s: %s", origin->text, reason);
    /* libcurl compares names itself, and gives OpenSSL's result no value for it. */
    if (strstr(fault->detail, "subject name") != NULL)
        return vts_failure_set(error, VTS_CLIENT_TLS,
                               "cannot trust %s: its certificate is for another name than '%s'",
                               origin->text, origin->host);
    return vts_failure_set(error, VTS_CLIENT_TLS,
                           "cannot trust %s: its certificate does not stand up to the checks: %s",
                           origin->text, fault->detail);
}

enum vts_client_code vts_fault_tell(const struct vts_fault *fault, const struct vts_origin *origin,
                                    struct vts_client_error *error)
{
    switch (fault->kind) {
    case VTS_FAULT_NO_MEMORY:
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    case VTS_FAULT_CANCELLED:
        return vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    case VTS_FAULT_RESOLVE:
        return vts_failure_set(error, VTS_CLIENT_RESOLVE,
                               "cannot resolve %s: there is no address for that name",
                               origin->host);
    case VTS_FAULT_CONNECT:
        return vts_failure_set(error, VTS_CLIENT_CONNECT, "cannot reach %s: %s", origin->text,
                               connect_reason(fault->os_errno));
    case VTS_FAULT_CONNECT_TIMEOUT:
        return vts_failure_set(error, VTS_CLIENT_TIMEOUT,
                               "cannot reach %s: no connection within %.3g s", origin->text,
                               fault->timeout);
    case VTS_FAULT_ANSWER_TIMEOUT:
        return vts_failure_set(error, VTS_CLIENT_TIMEOUT, "%s did not answer within %.3g s",
                               origin->text, fault->timeout);
    case VTS_FAULT_BROKEN:
        return vts_failure_set(error, VTS_CLIENT_CONNECT,
                               "%s broke off before its answer ended%s%s", origin->text,
                               fault->detail[0] != '\0' ? ": " : "", fault->detail);
    case VTS_FAULT_UNTRUSTED:
        return tell_untrusted(fault, origin, error);
    case VTS_FAULT_PINNED:
        return vts_failure_set(error, VTS_CLIENT_TLS,
                               "cannot trust %s: its public key is not the pinned one",
                               origin->text);
    case VTS_FAULT_PROXY:
        return vts_failure_set(error, VTS_CLIENT_CONNECT, "cannot reach %s through the proxy: %s",
                               origin->text, fault->detail);
    case VTS_FAULT_HANDSHAKE:
        return vts_failure_set(error, VTS_CLIENT_TLS, "no TLS with %s: %s", origin->text,
                               handshake_reason(fault->detail));
    case VTS_FAULT_CA_FILE:
        if (fault->file == NULL)
            return vts_failure_set(error, VTS_CLIENT_TLS,
                                   "cannot trust %s: this machine has no CA certificates of its "
                                   "own, so any certificate is not trusted here",
                                   origin->text);
        return vts_failure_set(error, VTS_CLIENT_TLS, "'%s' has no CA certificates in PEM form",
                               fault->file);
    case VTS_FAULT_CLIENT_CERT:
        return vts_failure_set(error, VTS_CLIENT_TLS,
                               "cannot use the client certificate '%s' with its key: %s",
                               fault->file, fault->detail);
    case VTS_FAULT_TOO_LARGE:
        return vts_failure_set(error, VTS_CLIENT_UNDECODABLE, "the answer of %s is too large",
                               origin->text);
    case VTS_FAULT_MALFORMED:
        return vts_failure_set(error, VTS_CLIENT_UNDECODABLE, "%s does not speak HTTP: %s",
                               origin->text, fault->detail);
    case VTS_FAULT_OLD_HTTP:
        return vts_failure_set(error, VTS_CLIENT_UNDECODABLE,
                               "%s does not speak HTTP/2, which streams need", origin->text);
    case VTS_FAULT_OTHER:
        return vts_failure_set(error, VTS_CLIENT_CONNECT, "no answer from %s: %s", origin->text,
                               fault->detail);
    }
    return vts_failure_set(error, VTS_CLIENT_CONNECT, "no answer from %s", origin->text);
}
