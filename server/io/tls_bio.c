/* SPDX-License-Identifier: Apache-2.0 */
/* tls_bio.c - lets OpenSSL read from and write to the loop's buffers directly.
 *
 * OpenSSL's own memory BIO would keep a buffer a connection; this one keeps a pointer.
 */
#include <openssl/bio.h>
#include <pthread.h>
#include <string.h>

#include "server/io/tls_openssl.h"

static BIO_METHOD *method;

static int read_bytes(BIO *bio, char *bytes, size_t len, size_t *ret_len)
{
    struct vts_tls_io *io = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (io->in_len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    if (len > io->in_len)
        len = io->in_len;
    memcpy(bytes, io->in, len);
    io->in += len;
    io->in_len -= len;
    *ret_len = len;
    return 1;
}

static int write_bytes(BIO *bio, const char *bytes, size_t len, size_t *ret_len)
{
    struct vts_tls_io *io = BIO_get_data(bio);
    size_t room = io->out_cap - *io->out_len;

    BIO_clear_retry_flags(bio);
    if (room == 0) {
        BIO_set_retry_write(bio);
        return 0;
    }
    if (len > room)
        len = room;
    memcpy(io->out + *io->out_len, bytes, len);
    *io->out_len += len;
    *ret_len = len;
    return 1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void make_method(void)
{
    int type = BIO_get_new_index();

    method = type == -1 ? NULL : BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "vtstatus loop buffers");
    if (method == NULL)
        return;
    /* These only store pointers. */
    (void)BIO_meth_set_read_ex(method, read_bytes);
    (void)BIO_meth_set_write_ex(method, write_bytes);
    (void)BIO_meth_set_ctrl(method, control);
    (void)BIO_meth_set_create(method, create);
}

BIO *vts_tls_bio_new(struct vts_tls_io *io)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *bio;

    (void)pthread_once(&once, make_method);
    bio = method == NULL ? NULL : BIO_new(method);
    if (bio != NULL)
        BIO_set_data(bio, io);
    return bio;
}
