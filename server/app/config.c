/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - from argv and the environment to a checked configuration.
 *
 * Options are rows of options.def. All values are gathered first, then each is parsed by the module
 * that knows its form, so a fault is told in that module's words.
 */
#include "server/app/config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/macros.h"

enum option_name {
#define X(name, flag, argument, value, help) OPTION_##name,
#include "server/app/options.def"
#undef X
    OPTION_COUNT
};

static const struct row {
    const char *flag;
    const char *variable;
    const char *argument;
    const char *value;
    const char *help;
} rows[OPTION_COUNT] = {
#define X(name, flag, argument, value, help)                                                       \
    [OPTION_##name] = {flag, "VTSTATUSD_" #name, argument, value, help},
#include "server/app/options.def"
#undef X
};

/* Flags that only print. */
enum { CODE_HELP = OPTION_COUNT + 1, CODE_VERSION, CODE_DESCRIPTOR_SET, PRINTING_FLAGS = 3 };

static void read_defaults(const char *values[OPTION_COUNT])
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const char *from_environment = getenv(rows[i].variable);

        values[i] = from_environment != NULL && from_environment[0] != '\0' ? from_environment
                                                                            : rows[i].value;
    }
}

static void make_long_options(struct option options[OPTION_COUNT + PRINTING_FLAGS + 1])
{
    memset(options, 0, (OPTION_COUNT + PRINTING_FLAGS + 1) * sizeof(options[0]));
    for (int i = 0; i < OPTION_COUNT; i++)
        options[i] =
            (struct option){.name = rows[i].flag,
                            .has_arg = rows[i].argument == NULL ? no_argument : required_argument,
                            .val = i + 1};
    options[OPTION_COUNT] = (struct option){.name = "help", .val = CODE_HELP};
    options[OPTION_COUNT + 1] = (struct option){.name = "version", .val = CODE_VERSION};
    options[OPTION_COUNT + 2] =
        (struct option){.name = "descriptor-set", .val = CODE_DESCRIPTOR_SET};
}

static enum vts_err read_flags(int argc, char *const argv[], const char *values[OPTION_COUNT],
                               struct vts_config *config, struct vts_error *error)
{
    struct option options[OPTION_COUNT + PRINTING_FLAGS + 1];
    int code;

    make_long_options(options);
    opterr = 0;
    optind = 0; /* glibc's word for: from the beginning, whatever was read before */
    for (int at = 1; (code = getopt_long(argc, argv, "+:h", options, NULL)) != -1; at = optind) {
        if (code == 'h' || code == CODE_HELP)
            config->wants_help = true;
        else if (code == CODE_VERSION)
            config->wants_version = true;
        else if (code == CODE_DESCRIPTOR_SET)
            config->wants_descriptor_set = true;
        else if (code == ':')
            return vts_error_set(error, VTS_ERR_INVALID, "%s needs a value; see vtstatusd --help",
                                 argv[at]);
        else if (code == '?')
            return vts_error_set(error, VTS_ERR_INVALID,
                                 "there is no option %s; see vtstatusd --help", argv[at]);
        else
            values[code - 1] = optarg == NULL ? "1" : optarg;
    }
    if (optind < argc)
        return vts_error_set(error, VTS_ERR_INVALID, "\"%s\" is no option; see vtstatusd --help",
                             argv[optind]);
    return VTS_OK;
}

static enum vts_err parse_tls(const char *const values[OPTION_COUNT], struct vts_config *config,
                              struct vts_error *error)
{
    config->tls = (struct vts_tls_files){.cert = values[OPTION_CERT],
                                         .key = values[OPTION_KEY],
                                         .client_ca = values[OPTION_CLIENT_CA]};
    if (config->tls.cert == NULL || config->tls.key == NULL)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "a certificate and its key are needed: --cert FILE --key FILE "
                             "(certs/make-dev-certs.sh DIR makes a pair for trying things out)");
    return VTS_OK;
}

static enum vts_err parse_threads(const char *value, struct vts_config *config,
                                  struct vts_error *error)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = cores < 1 ? 1 : (uint64_t)cores;

    if (value != NULL &&
        (vts_str_to_u64(vts_str_of(value), VTS_THREADS_MAX, &threads) != VTS_OK || threads == 0))
        return vts_error_set(error, VTS_ERR_INVALID, "--threads \"%s\" is no number from 1 to %d",
                             value, VTS_THREADS_MAX);
    config->threads = threads > VTS_THREADS_MAX ? VTS_THREADS_MAX : (unsigned)threads;
    return VTS_OK;
}

static enum vts_err parse_log(const char *const values[OPTION_COUNT], struct vts_config *config,
                              struct vts_error *error)
{
    if (vts_log_level_parse(values[OPTION_LOG_LEVEL], &config->log_level) != VTS_OK)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "--log-level \"%s\" is none of debug, info, warn, error",
                             values[OPTION_LOG_LEVEL]);
    if (vts_log_format_parse(values[OPTION_LOG_FORMAT], &config->log_format) != VTS_OK)
        return vts_error_set(error, VTS_ERR_INVALID, "--log-format \"%s\" is neither json nor text",
                             values[OPTION_LOG_FORMAT]);
    return VTS_OK;
}

/* A host in lower case, and perhaps a port. */
static bool is_host(struct vts_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-._~[]:", text.ptr[i]) == NULL)
            return false;
    return text.len > 0;
}

/* As browsers write it (https://fetch.spec.whatwg.org/#origin-header): with nothing behind the
 * host. Any other would let nobody in, without a word. */
static bool is_origin(struct vts_str text)
{
    static const char *const schemes[] = {"https://", "http://"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i]);

        if (vts_str_starts_with(text, schemes[i]))
            return is_host(vts_str_make(text.ptr + len, text.len - len));
    }
    return vts_str_equals_text(text, "*") || vts_str_equals_text(text, "reads");
}

static enum vts_err parse_origins(const char *value, struct vts_config *config,
                                  struct vts_error *error)
{
    struct vts_str rest = vts_str_of(value);
    struct vts_str one;

    config->allow_origin = NULL;
    if (strcmp(value, "none") == 0)
        return VTS_OK;
    while (vts_str_split(&rest, ',', &one))
        if (!is_origin(vts_str_trim(one)))
            return vts_error_set(error, VTS_ERR_INVALID,
                                 "--allow-origin \"%s\" is neither *, none, nor a list of "
                                 "reads and origins such as https://example.org",
                                 value);
    config->allow_origin = value;
    return VTS_OK;
}

/* An option without an argument: the flag is the value 1. */
static enum vts_err parse_switch(enum option_name option, const char *value, bool *ret_is_set,
                                 struct vts_error *error)
{
    if (value != NULL && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return vts_error_set(error, VTS_ERR_INVALID, "%s \"%s\" is neither 0 nor 1",
                             rows[option].variable, value);
    *ret_is_set = value != NULL && value[0] == '1';
    return VTS_OK;
}

static bool is_store(struct vts_str text)
{
    return vts_str_equals_text(text, "memory") || vts_str_starts_with(text, "sqlite:");
}

static enum vts_err parse_rest(const char *const values[OPTION_COUNT], struct vts_config *config,
                               struct vts_error *error)
{
    bool has_no_reflection = false;
    enum vts_err err;

    config->store = values[OPTION_STORE];
    if (!is_store(vts_str_of(config->store)))
        return vts_error_set(error, VTS_ERR_INVALID,
                             "--store \"%s\" is neither memory nor sqlite:PATH", config->store);
    err = parse_origins(values[OPTION_ALLOW_ORIGIN], config, error);
    if (err != VTS_OK)
        return err;
    config->has_simulation = values[OPTION_SIMULATE] != NULL;
    err =
        parse_switch(OPTION_NO_REFLECTION, values[OPTION_NO_REFLECTION], &has_no_reflection, error);
    config->has_reflection = err == VTS_OK && !has_no_reflection;
    if (err == VTS_OK && config->has_simulation)
        err = vts_simulation_parse(values[OPTION_SIMULATE], &config->simulation, error);
    if (err == VTS_OK && values[OPTION_LIMIT] != NULL)
        err = vts_limits_parse(&config->limits, values[OPTION_LIMIT], error);
    return err;
}

enum vts_err vts_config_read(int argc, char *const argv[], struct vts_config *ret_config,
                             struct vts_error *error)
{
    const char *values[OPTION_COUNT];
    enum vts_err err;

    memset(ret_config, 0, sizeof(*ret_config));
    vts_limits_init(&ret_config->limits);
    read_defaults(values);
    err = read_flags(argc, argv, values, ret_config, error);
    if (err != VTS_OK || ret_config->wants_help || ret_config->wants_version ||
        ret_config->wants_descriptor_set)
        return err;
    err = parse_log(values, ret_config, error);
    if (err == VTS_OK)
        err = parse_tls(values, ret_config, error);
    if (err == VTS_OK)
        err = vts_address_parse(values[OPTION_LISTEN], &ret_config->listen, error);
    if (err == VTS_OK)
        err = parse_threads(values[OPTION_THREADS], ret_config, error);
    if (err == VTS_OK)
        err = parse_rest(values, ret_config, error);
    return err;
}

static void write_simulation_help(struct vts_buf *buf)
{
    vts_buf_append_text(buf, "\nParts of a simulation:\n");
#define X(name, value, form, help)                                                                 \
    vts_buf_append_format(buf, "  %s=%s\n      %s\n      %s\n", #name, value, help, form);
#include "server/jobs/simulation.def"
#undef X
}

void vts_config_write_help(struct vts_buf *buf)
{
    vts_buf_append_text(buf,
                        "vtstatusd - serves the status of video-translation jobs over HTTP/2 with "
                        "TLS\n\n"
                        "Usage: vtstatusd --cert FILE --key FILE [OPTION]...\n\n"
                        "Options, each also by an environment variable (--log-level is "
                        "VTSTATUSD_LOG_LEVEL):\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        vts_buf_append_format(buf, "  --%s%s%s\n      %s", rows[i].flag,
                              rows[i].argument == NULL ? "" : " ",
                              rows[i].argument == NULL ? "" : rows[i].argument, rows[i].help);
        if (rows[i].value != NULL)
            vts_buf_append_format(buf, "; default: %s", rows[i].value);
        vts_buf_append_text(buf, "\n");
    }
    vts_buf_append_text(buf,
                        "  --help, --version\n"
                        "  --descriptor-set\n      print the protobuf contract, a serialized "
                        "google.protobuf.FileDescriptorSet\n");
    write_simulation_help(buf);
    vts_buf_append_text(buf,
                        "\nSignals: TERM and INT let open requests finish and stop, a second one "
                        "stops at once;\n"
                        "HUP reads the certificate files again without dropping a connection.\n\n"
                        "To try it out:\n"
                        "  certs/make-dev-certs.sh certs/dev\n"
                        "  vtstatusd --cert certs/dev/server.pem --key certs/dev/server-key.pem "
                        "--simulate delay=20s\n"
                        "  curl --cacert certs/dev/ca.pem https://localhost:5000/status\n");
}
