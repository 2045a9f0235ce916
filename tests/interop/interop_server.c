/* SPDX-License-Identifier: Apache-2.0 */
/* interop_server.c - vts-interop-server: what the official gRPC interop clients call. */
#include <getopt.h>
#include <stdio.h>

#include "server/obs/log.h"
#include "tests/interop/interop_service.h"
#include "tests/interop/interop_sets.h"
#include "tests/interop/rpc_server.h"

enum { EXIT_STOPPED = 0, EXIT_CANNOT_START = 1, EXIT_USAGE = 2, THREADS = 2, LISTEN_BYTES = 128 };

/* Clients send large messages, many at a time, and all of zeros. */
static void set_limits(struct vts_limits *limits)
{
    vts_limits_init(limits);
    limits->values[VTS_LIMIT_MESSAGE_BYTES] = UINT64_C(4) << 20;
    limits->values[VTS_LIMIT_BODY_MEMORY] = UINT64_C(64) << 20;
    limits->values[VTS_LIMIT_INFLATE_RATIO] = 1100; /* past what zlib can do */
}

static const char help[] =
    "vts-interop-server - serves grpc.testing.TestService over HTTP/2 and HTTP/1.1 with TLS\n"
    "\n"
    "Usage: vts-interop-server --port N --cert FILE --key FILE [--host ADDRESS]\n"
    "\n"
    "  --port N           0: the kernel chooses; the log tells\n"
    "  --cert FILE        certificate and chain, PEM\n"
    "  --key FILE         its private key, PEM\n"
    "  --host ADDRESS     to listen on; default: 127.0.0.1\n"
    "  --log-format WORD  json, the default, or text\n"
    "\n"
    "TERM and INT let open calls finish and stop; a second one stops at once.\n";

struct flags {
    const char *host;
    const char *port;
    const char *cert;
    const char *key;
    const char *log_format;
    bool wants_help;
};

static enum vts_err read_flags(int argc, char *const argv[], struct flags *flags,
                               struct vts_error *error)
{
    static const struct option options[] = {
        {"host", required_argument, NULL, 'H'},
        {"port", required_argument, NULL, 'p'},
        {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {"log-format", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    int code;

    opterr = 0;
    for (int at = 1; (code = getopt_long(argc, argv, "+:h", options, NULL)) != -1; at = optind) {
        if (code == 'H')
            flags->host = optarg;
        else if (code == 'p')
            flags->port = optarg;
        else if (code == 'c')
            flags->cert = optarg;
        else if (code == 'k')
            flags->key = optarg;
        else if (code == 'l')
            flags->log_format = optarg;
        else if (code == 'h')
            flags->wants_help = true;
        else
            return vts_error_set(error, VTS_ERR_INVALID, "%s %s", argv[at],
                                 code == ':' ? "needs a value" : "is no option");
    }
    if (optind < argc)
        return vts_error_set(error, VTS_ERR_INVALID, "\"%s\" is no option", argv[optind]);
    return VTS_OK;
}

static enum vts_err parse_flags(const struct flags *flags, struct rpc_server_options *options,
                                struct vts_error *error)
{
    char listen[LISTEN_BYTES];
    enum vts_log_format format;
    bool is_v6 = strchr(flags->host, ':') != NULL && flags->host[0] != '[';

    if (flags->port == NULL || flags->cert == NULL || flags->key == NULL)
        return vts_error_set(error, VTS_ERR_INVALID, "--port, --cert and --key are needed");
    if (vts_log_format_parse(flags->log_format, &format) != VTS_OK)
        return vts_error_set(error, VTS_ERR_INVALID, "--log-format is json or text");
    vts_log_setup(VTS_LOG_INFO, format);
    options->tls = (struct vts_tls_files){.cert = flags->cert, .key = flags->key};
    if (snprintf(listen, sizeof(listen), is_v6 ? "[%s]:%s" : "%s:%s", flags->host, flags->port) >=
        (int)sizeof(listen))
        return vts_error_set(error, VTS_ERR_INVALID, "--host is too long");
    return vts_address_parse(listen, &options->listen, error);
}

static int fail(int code, const struct vts_error *error)
{
    fprintf(stderr, "vts-interop-server: %s\n", error->text);
    return code;
}

int main(int argc, char **argv)
{
    static struct vts_limits limits;
    struct vts_service_row service = interop_service_row();
    struct flags flags = {.host = "127.0.0.1", .log_format = "json"};
    struct vts_error error = {.text = ""};
    struct rpc_server_options options = {.threads = THREADS, .stop_fd = -1};

    if (read_flags(argc, argv, &flags, &error) != VTS_OK)
        return fail(EXIT_USAGE, &error);
    if (flags.wants_help)
        return fputs(help, stdout) < 0 ? EXIT_CANNOT_START : EXIT_STOPPED;
    if (parse_flags(&flags, &options, &error) != VTS_OK)
        return fail(EXIT_USAGE, &error);
    set_limits(&limits);
    options.rpc = (struct vts_rpc_options){
        .descriptor_set = vts_str_make(interop_testing_set, interop_testing_set_len),
        .services = &service,
        .services_count = 1,
        .limits = &limits,
    };
    if (rpc_server_run(&options, &error) != VTS_OK)
        return fail(EXIT_CANNOT_START, &error);
    return EXIT_STOPPED;
}
