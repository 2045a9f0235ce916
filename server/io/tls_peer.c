/* SPDX-License-Identifier: Apache-2.0 */
/* tls_peer.c - reads names out of a client's certificate. */
#include "server/io/tls_peer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

/* The first alternative name of the kind that can be a C string. */
static bool find_name(const GENERAL_NAMES *names, int kind, const char *prefix,
                      char ret_name[VTS_PEER_NAME_BYTES])
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const unsigned char *bytes;
        size_t len;

        if (name->type != kind)
            continue;
        bytes = ASN1_STRING_get0_data(name->d.ia5);
        len = (size_t)ASN1_STRING_length(name->d.ia5);
        if (len == 0 || len + strlen(prefix) >= VTS_PEER_NAME_BYTES ||
            memchr(bytes, '\0', len) != NULL)
            continue;
        (void)snprintf(ret_name, VTS_PEER_NAME_BYTES, "%s%.*s", prefix, (int)len, bytes);
        return true;
    }
    return false;
}

static void write_digest(const X509 *cert, char ret_name[VTS_PEER_NAME_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    size_t at = (size_t)snprintf(ret_name, VTS_PEER_NAME_BYTES, "sha256:");

    if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
        len = 0; /* without memory: all of those are one */
    for (unsigned i = 0; i < len; i++)
        at += (size_t)snprintf(ret_name + at, VTS_PEER_NAME_BYTES - at, "%02x", digest[i]);
}

bool vts_tls_peer_name(const SSL *ssl, char ret_name[VTS_PEER_NAME_BYTES])
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    GENERAL_NAMES *names;

    if (cert == NULL)
        return false;
    names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    if (names == NULL || (!find_name(names, GEN_URI, "uri:", ret_name) &&
                          !find_name(names, GEN_DNS, "dns:", ret_name)))
        write_digest(cert, ret_name);
    GENERAL_NAMES_free(names);
    return true;
}
