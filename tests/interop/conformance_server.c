/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_server.c - vts-conformance-server: a server under test of the Connect conformance
 * suite (https://github.com/connectrpc/conformance).
 *
 * stdin brings one ServerCompatRequest, stdout takes one ServerCompatResponse when the server
 * listens, each behind its length in four bytes, most significant first.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "connectrpc/conformance/v1/server_compat.pb-c.h"
#include "server/obs/log.h"
#include "tests/interop/conformance_service.h"
#include "tests/interop/interop_sets.h"
#include "tests/interop/memory_file.h"
#include "tests/interop/rpc_server.h"

enum {
    EXIT_STOPPED = 0,
    EXIT_CANNOT_START = 1,
    EXIT_USAGE = 2,
    LENGTH_BYTES = 4,
    REQUEST_MAX_BYTES = 1024 * 1024,
    THREADS = 2,
    EARLY_END_MS = 50,
};

typedef Connectrpc__Conformance__V1__ServerCompatRequest compat_request;
typedef Connectrpc__Conformance__V1__ServerCompatResponse compat_response;

static const char host[] = "127.0.0.1";

/* ---- talking to the suite ------------------------------------------------------------------- */

static enum vts_err read_all(uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t part = read(STDIN_FILENO, bytes, len);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return VTS_ERR_IO;
        bytes += part;
        len -= (size_t)part;
    }
    return VTS_OK;
}

/* To be freed with free_unpacked. */
static enum vts_err read_request(compat_request **ret_request, struct vts_error *error)
{
    static uint8_t bytes[REQUEST_MAX_BYTES];
    uint8_t prefix[LENGTH_BYTES];
    size_t len;

    if (read_all(prefix, sizeof(prefix)) != VTS_OK)
        return vts_error_set(error, VTS_ERR_IO, "there is no ServerCompatRequest on stdin");
    len = (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 | (size_t)prefix[2] << 8 | prefix[3];
    if (len > sizeof(bytes) || read_all(bytes, len) != VTS_OK)
        return vts_error_set(error, VTS_ERR_IO, "the ServerCompatRequest is cut off or too long");
    *ret_request = connectrpc__conformance__v1__server_compat_request__unpack(NULL, len, bytes);
    if (*ret_request == NULL)
        return vts_error_set(error, VTS_ERR_INVALID, "this is no ServerCompatRequest");
    return VTS_OK;
}

static enum vts_err write_response(const compat_response *response, struct vts_error *error)
{
    size_t len = connectrpc__conformance__v1__server_compat_response__get_packed_size(response);
    struct vts_buf out;
    char *room;

    vts_buf_init(&out, LENGTH_BYTES + len);
    room = vts_buf_reserve(&out, LENGTH_BYTES + len);
    if (room == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    for (int i = 0; i < LENGTH_BYTES; i++)
        room[i] = (char)(len >> (8 * (LENGTH_BYTES - 1 - i)));
    (void)connectrpc__conformance__v1__server_compat_response__pack(
        response, (uint8_t *)room + LENGTH_BYTES); /* as many bytes as it said */
    vts_buf_commit(&out, LENGTH_BYTES + len);
    while (out.len > 0) {
        ssize_t part = write(STDOUT_FILENO, out.ptr, out.len);

        if (part < 0 && errno != EINTR) {
            vts_buf_fini(&out);
            return vts_error_set(error, VTS_ERR_IO, "nobody takes the ServerCompatResponse");
        }
        vts_buf_consume(&out, part < 0 ? 0 : (size_t)part);
    }
    vts_buf_fini(&out);
    return VTS_OK;
}

static enum vts_err on_listening(void *context, uint16_t port, struct vts_error *error)
{
    const compat_request *request = context;
    compat_response response = CONNECTRPC__CONFORMANCE__V1__SERVER_COMPAT_RESPONSE__INIT;

    response.host = (char *)(uintptr_t)host;
    response.port = port;
    response.pem_cert = request->server_creds->cert;
    return write_response(&response, error);
}

/* The suite closes stdin as soon as it has said all, and stops its servers by a signal; others keep
 * it open, and closing it tells the server to stop. The former closes it long before it connects,
 * for it waits for our response: so it is given a moment in which to do so. */
static int choose_stop_fd(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char unread;

    if (poll(&input, 1, EARLY_END_MS) <= 0)
        return STDIN_FILENO;
    return read(STDIN_FILENO, &unread, 1) > 0 ? STDIN_FILENO : -1;
}

/* ---- the server ----------------------------------------------------------------------------- */

static struct vts_str bytes_of(ProtobufCBinaryData data)
{
    return vts_str_make(data.data, data.len);
}

static void set_limits(struct vts_limits *limits, uint32_t message_bytes)
{
    vts_limits_init(limits);
    if (message_bytes > 0)
        limits->values[VTS_LIMIT_MESSAGE_BYTES] = message_bytes;
    limits->values[VTS_LIMIT_INFLATE_RATIO] = 1100; /* the suite's padding compresses well */
}

static enum vts_err run(const compat_request *request, const struct vts_tls_files *tls,
                        struct vts_error *error)
{
    static struct vts_limits limits;
    struct vts_service_row service = conformance_service_row();
    struct rpc_server_options options = {
        .tls = *tls,
        .rpc = {.descriptor_set =
                    vts_str_make(interop_conformance_set, interop_conformance_set_len),
                .services = &service,
                .services_count = 1,
                .any_types = conformance_any_types,
                .any_types_count = conformance_any_types_count,
                .limits = &limits},
        .threads = THREADS,
        .on_listening = on_listening,
        .context = (void *)(uintptr_t)request,
    };

    set_limits(&limits, request->message_receive_limit);
    if (vts_address_parse("127.0.0.1:0", &options.listen, error) != VTS_OK)
        return VTS_ERR_INVALID;
    options.stop_fd = choose_stop_fd();
    return rpc_server_run(&options, error);
}

/* The PEM that the suite sent, as files, for as long as the server runs. */
static enum vts_err run_with_files(const compat_request *request, struct vts_error *error)
{
    const struct vts_str pems[] = {bytes_of(request->server_creds->cert),
                                   bytes_of(request->server_creds->key),
                                   bytes_of(request->client_tls_cert)};
    struct memory_file files[3];
    int count = 0;
    enum vts_err err = VTS_OK;

    while (count < 3 && err == VTS_OK) {
        err = memory_file_open(&files[count], pems[count], error);
        if (err == VTS_OK)
            count++;
    }
    if (err == VTS_OK) {
        const struct vts_tls_files tls = {
            .cert = files[0].path,
            .key = files[1].path,
            .client_ca = request->client_tls_cert.len > 0 ? files[2].path : NULL};

        err = run(request, &tls, error);
    }
    while (count > 0)
        memory_file_close(&files[--count]);
    return err;
}

static int fail(int code, const struct vts_error *error)
{
    fprintf(stderr, "vts-conformance-server: %s\n", error->text);
    return code;
}

int main(int argc, char **argv)
{
    compat_request *request = NULL;
    struct vts_error error = {.text = ""};
    enum vts_err err;

    (void)argv;
    if (argc > 1) {
        (void)vts_error_set(&error, VTS_ERR_INVALID, "it takes no arguments; stdin tells all");
        return fail(EXIT_USAGE, &error);
    }
    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    err = read_request(&request, &error);
    if (err == VTS_OK && (!request->use_tls || request->server_creds == NULL))
        err = vts_error_set(&error, VTS_ERR_INVALID, "it serves with TLS only");
    if (err == VTS_OK)
        err = run_with_files(request, &error);
    if (request != NULL)
        connectrpc__conformance__v1__server_compat_request__free_unpacked(request, NULL);
    return err == VTS_OK ? EXIT_STOPPED : fail(EXIT_CANNOT_START, &error);
}
