/* SPDX-License-Identifier: Apache-2.0 */
/* tls_tickets.c - keys of session tickets, shared by all threads and kept over reloads.
 *
 * Tickets are sealed with AES-256-CBC and HMAC-SHA-256, as RFC 5077 section 4 recommends. A key
 * seals for 12 hours and opens for 24, so a ticket outlives one renewal. The realm, a digest of
 * the client CA, is mixed into the HMAC key: a session that was trusted under one CA is not
 * resumed under another.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "common/base/clock.h"
#include "server/io/tls_openssl.h"

enum { NAME_BYTES = 16, KEY_BYTES = 32 };

static const int64_t renewal_ns = INT64_C(12) * 3600 * VTS_NS_PER_S;

struct ticket_key {
    unsigned char name[NAME_BYTES];
    unsigned char aes[KEY_BYTES];
    unsigned char hmac[KEY_BYTES];
    int64_t made_ns; /* 0: there is none */
};

static pthread_mutex_t keys_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ticket_key current_key;
static struct ticket_key previous_key;
static int realm_index = -1;

/* With the lock held. Returns 0 without randomness. */
static int renew_if_due(int64_t now_ns)
{
    struct ticket_key fresh = {.made_ns = now_ns};

    if (current_key.made_ns != 0 && now_ns - current_key.made_ns < renewal_ns)
        return 1;
    if (RAND_bytes(fresh.name, sizeof(fresh.name)) != 1 ||
        RAND_priv_bytes(fresh.aes, sizeof(fresh.aes)) != 1 ||
        RAND_priv_bytes(fresh.hmac, sizeof(fresh.hmac)) != 1)
        return 0;
    previous_key = current_key;
    current_key = fresh;
    return 1;
}

/* The key to seal with, or the one called name; NULL when there is none. With the lock held. */
static const struct ticket_key *look_up(const unsigned char *name)
{
    int64_t now_ns = vts_clock_now_ns();

    if (!renew_if_due(now_ns))
        return NULL;
    if (name == NULL || memcmp(name, current_key.name, NAME_BYTES) == 0)
        return &current_key;
    if (previous_key.made_ns != 0 && memcmp(name, previous_key.name, NAME_BYTES) == 0 &&
        now_ns - previous_key.made_ns < 2 * renewal_ns)
        return &previous_key;
    return NULL;
}

/* Copies the key that look_up() finds. Returns 0 when there is none. */
static int find_key(const unsigned char *name, struct ticket_key *ret_key, int *ret_is_old)
{
    const struct ticket_key *key;

    pthread_mutex_lock(&keys_lock);
    key = look_up(name);
    if (key != NULL) {
        *ret_key = *key;
        *ret_is_old = key == &previous_key;
    }
    pthread_mutex_unlock(&keys_lock);
    return key != NULL;
}

static int set_up_hmac(EVP_MAC_CTX *mac, const struct ticket_key *key, const unsigned char *realm)
{
    unsigned char mixed[KEY_BYTES];
    char digest[] = "SHA256";
    OSSL_PARAM params[3];
    int ok;

    for (int i = 0; i < KEY_BYTES; i++)
        mixed[i] = key->hmac[i] ^ realm[i];
    params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mixed, sizeof(mixed));
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
    params[2] = OSSL_PARAM_construct_end();
    ok = EVP_MAC_CTX_set_params(mac, params);
    OPENSSL_cleanse(mixed, sizeof(mixed));
    return ok;
}

/* Results as SSL_CTX_set_tlsext_ticket_key_evp_cb(3) asks: -1 error, 0 no such key, 1 fine, 2 fine
 * but renew the ticket. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_sealing)
{
    const unsigned char *realm = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), realm_index);
    struct ticket_key key;
    int is_old;
    int result = -1;

    if (!find_key(is_sealing ? NULL : name, &key, &is_old))
        return is_sealing ? -1 : 0;
    if (is_sealing) {
        memcpy(name, key.name, NAME_BYTES);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            goto out;
    }
    if (set_up_hmac(mac, &key, realm) != 1 ||
        EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv, is_sealing) != 1)
        goto out;
    result = is_old ? 2 : 1;
out:
    OPENSSL_cleanse(&key, sizeof(key));
    return result;
}

static void free_realm(void *parent, void *realm, CRYPTO_EX_DATA *data, int index, long number,
                       void *pointer)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)number;
    (void)pointer;
    OPENSSL_free(realm);
}

static void make_realm_index(void)
{
    realm_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_realm);
}

enum vts_err vts_tls_tickets_install(SSL_CTX *ctx, const unsigned char realm[32])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    unsigned char *copy = OPENSSL_memdup(realm, KEY_BYTES);

    (void)pthread_once(&once, make_realm_index);
    if (copy == NULL)
        return VTS_ERR_NOMEM;
    if (realm_index < 0 || SSL_CTX_set_ex_data(ctx, realm_index, copy) != 1) {
        OPENSSL_free(copy);
        return VTS_ERR_NOMEM;
    }
    if (SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) != 1)
        return VTS_ERR_IO;
    return VTS_OK;
}
