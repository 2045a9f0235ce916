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
    const char *dashed_flag;
    const char *variable;
    const char *argument;
    const char *value;
    const char *help;
} rows[OPTION_COUNT] = {
#define X(name, flag, argument, value, help)                                                       \
    [OPTION_##name] = {flag, "--" flag, "VTSTATUSD_" #name, argument, value, help},
#include "server/app/options.def"
#undef X
};

/* Flags that only print. */
enum { CODE_HELP = OPTION_COUNT + 1, CODE_VERSION, CODE_DESCRIPTOR_SET, PRINTING_FLAGS = 3 };

/* What each option is set to, by whom, and what the user called it there. */
struct values {
    const char *text[OPTION_COUNT]; /* NULL: it is not set */
    const char *name[OPTION_COUNT]; /* "--threads" or "VTSTATUSD_THREADS" */
};

static void read_defaults(struct values *values)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const char *from_environment = getenv(rows[i].variable);
        bool is_set = from_environment != NULL && from_environment[0] != '\0';

        values->text[i] = is_set ? from_environment : rows[i].value;
        values->name[i] = is_set ? rows[i].variable : rows[i].dashed_flag;
    }
}

/* why follows the name and the value. */
static enum vts_err refuse(const struct values *values, enum option_name option, const char *why,
                           struct vts_error *error)
{
    return vts_error_set(error, VTS_ERR_INVALID, "%s \"%s\" %s", values->name[option],
                         values->text[option], why);
}

/* Puts the option's name in front of what another module says of its value; returns err. */
static enum vts_err blame(const struct values *values, enum option_name option, enum vts_err err,
                          struct vts_error *error)
{
    struct vts_error reason;

    if (err == VTS_OK || error == NULL)
        return err;
    reason = *error;
    return vts_error_set(error, err, "%s: %s", values->name[option], reason.text);
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

static enum vts_err read_flags(int argc, char *const argv[], struct values *values,
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
        else {
            values->text[code - 1] = optarg == NULL ? "1" : optarg;
            values->name[code - 1] = rows[code - 1].dashed_flag;
        }
    }
    if (optind < argc)
        return vts_error_set(error, VTS_ERR_INVALID, "\"%s\" is no option; see vtstatusd --help",
                             argv[optind]);
    return VTS_OK;
}

static const enum option_name file_options[] = {OPTION_CERT, OPTION_KEY, OPTION_CLIENT_CA};

static enum vts_err parse_tls(const struct values *values, struct vts_config *config,
                              struct vts_error *error)
{
    config->tls = (struct vts_tls_files){.cert = values->text[OPTION_CERT],
                                         .key = values->text[OPTION_KEY],
                                         .client_ca = values->text[OPTION_CLIENT_CA]};
    for (size_t i = 0; i < VTS_ARRAY_LEN(file_options); i++) {
        const char *path = values->text[file_options[i]];

        if (path != NULL && path[0] == '\0')
            return refuse(values, file_options[i], "names no file", error);
    }
    if (config->tls.cert == NULL || config->tls.key == NULL)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "a certificate and its key are needed: --cert FILE --key FILE "
                             "(certs/make-dev-certs.sh DIR makes a pair for trying things out)");
    return VTS_OK;
}

/* Whoever asks for certificates does not want to hear those who have none. */
static enum vts_err parse_insecure_listen(const struct values *values, struct vts_config *config,
                                          struct vts_error *error)
{
    const char *value = values->text[OPTION_INSECURE_LISTEN];

    config->has_insecure_listen = value != NULL;
    if (value == NULL)
        return VTS_OK;
    if (config->tls.client_ca != NULL)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "%s cannot go with %s: without TLS clients show no certificate, so "
                             "anybody on this machine would be let in; leave out one of them",
                             values->name[OPTION_INSECURE_LISTEN], values->name[OPTION_CLIENT_CA]);
    return blame(values, OPTION_INSECURE_LISTEN,
                 vts_address_parse_loopback(value, &config->insecure_listen, error), error);
}

static enum vts_err parse_listen(const struct values *values, struct vts_config *config,
                                 struct vts_error *error)
{
    enum vts_err err =
        blame(values, OPTION_LISTEN,
              vts_address_parse(values->text[OPTION_LISTEN], &config->listen, error), error);

    return err == VTS_OK ? parse_insecure_listen(values, config, error) : err;
}

static enum vts_err parse_threads(const struct values *values, struct vts_config *config,
                                  struct vts_error *error)
{
    const char *value = values->text[OPTION_THREADS];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = cores < 1 ? 1 : (uint64_t)cores;

    if (value != NULL &&
        (vts_str_to_u64(vts_str_of(value), VTS_THREADS_MAX, &threads) != VTS_OK || threads == 0))
        return vts_error_set(error, VTS_ERR_INVALID, "%s \"%s\" is no number from 1 to %d",
                             values->name[OPTION_THREADS], value, VTS_THREADS_MAX);
    config->threads = threads > VTS_THREADS_MAX ? VTS_THREADS_MAX : (unsigned)threads;
    return VTS_OK;
}

static enum vts_err parse_log(const struct values *values, struct vts_config *config,
                              struct vts_error *error)
{
    if (vts_log_level_parse(values->text[OPTION_LOG_LEVEL], &config->log_level) != VTS_OK)
        return refuse(values, OPTION_LOG_LEVEL, "is none of debug, info, warn, error", error);
    if (vts_log_format_parse(values->text[OPTION_LOG_FORMAT], &config->log_format) != VTS_OK)
        return refuse(values, OPTION_LOG_FORMAT, "is neither json nor text", error);
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

static enum vts_err parse_origins(const struct values *values, struct vts_config *config,
                                  struct vts_error *error)
{
    const char *value = values->text[OPTION_ALLOW_ORIGIN];
    struct vts_str rest = vts_str_of(value);
    struct vts_str one;

    config->allow_origin = NULL;
    if (strcmp(value, "none") == 0)
        return VTS_OK;
    while (vts_str_split(&rest, ',', &one))
        if (!is_origin(vts_str_trim(one)))
            return refuse(values, OPTION_ALLOW_ORIGIN,
                          "is neither *, none, nor a list of reads and origins such as "
                          "https://example.org",
                          error);
    config->allow_origin = value;
    return VTS_OK;
}

/* An option without an argument: the flag is the value 1. */
static enum vts_err parse_switch(const struct values *values, enum option_name option,
                                 bool *ret_is_set, struct vts_error *error)
{
    const char *value = values->text[option];

    if (value != NULL && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return refuse(values, option, "is neither 0 nor 1", error);
    *ret_is_set = value != NULL && value[0] == '1';
    return VTS_OK;
}

static enum vts_err parse_store(const struct values *values, struct vts_config *config,
                                struct vts_error *error)
{
    struct vts_str store = vts_str_of(values->text[OPTION_STORE]);

    config->store = store.ptr;
    if (vts_str_equals_text(store, "sqlite:"))
        return refuse(values, OPTION_STORE, "lacks a file: write sqlite:PATH", error);
    if (!vts_str_equals_text(store, "memory") && !vts_str_starts_with(store, "sqlite:"))
        return refuse(values, OPTION_STORE, "is neither memory nor sqlite:PATH", error);
    return VTS_OK;
}

static enum vts_err parse_rest(const struct values *values, struct vts_config *config,
                               struct vts_error *error)
{
    const char *simulation = values->text[OPTION_SIMULATE];
    const char *limits = values->text[OPTION_LIMIT];
    bool has_no_reflection = false;
    enum vts_err err = parse_store(values, config, error);

    if (err == VTS_OK)
        err = parse_origins(values, config, error);
    if (err == VTS_OK)
        err = parse_switch(values, OPTION_NO_REFLECTION, &has_no_reflection, error);
    config->has_reflection = err == VTS_OK && !has_no_reflection;
    config->has_simulation = simulation != NULL;
    if (err == VTS_OK && simulation != NULL)
        err = blame(values, OPTION_SIMULATE,
                    vts_simulation_parse(simulation, &config->simulation, error), error);
    if (err == VTS_OK && limits != NULL)
        err = blame(values, OPTION_LIMIT, vts_limits_parse(&config->limits, limits, error), error);
    return err;
}

enum vts_err vts_config_read(int argc, char *const argv[], struct vts_config *ret_config,
                             struct vts_error *error)
{
    struct values values;
    enum vts_err err;

    memset(ret_config, 0, sizeof(*ret_config));
    vts_limits_init(&ret_config->limits);
    read_defaults(&values);
    err = read_flags(argc, argv, &values, ret_config, error);
    if (err != VTS_OK || ret_config->wants_help || ret_config->wants_version ||
        ret_config->wants_descriptor_set)
        return err;
    err = parse_log(&values, ret_config, error);
    if (err == VTS_OK)
        err = parse_tls(&values, ret_config, error);
    if (err == VTS_OK)
        err = parse_listen(&values, ret_config, error);
    if (err == VTS_OK)
        err = parse_threads(&values, ret_config, error);
    if (err == VTS_OK)
        err = parse_rest(&values, ret_config, error);
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
