/* SPDX-License-Identifier: Apache-2.0 */
/* test_config.c - flags, environment and defaults, who wins, and what is said of a mistake. */
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "server/app/config.h"
#include "tests/support/suite.h"

enum { ARGUMENTS_MAX = 16, HELP_MAX_BYTES = 16 * 1024 };

static const struct option_row {
    const char *flag;
    const char *variable;
    const char *argument;
    const char *value;
} option_rows[] = {
#define X(name, flag, argument, value, help) {"--" flag, "VTSTATUSD_" #name, argument, value},
#include "server/app/options.def"
#undef X
};

static void forget_environment(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(option_rows); i++)
        (void)unsetenv(option_rows[i].variable); /* fails for an invalid name only */
}

static void set_variable(const char *name, const char *value)
{
    CU_ASSERT_EQUAL_FATAL(setenv(name, value, 1), 0);
}

/* Reads the arguments, a list that ends in NULL, behind the program's name. */
static enum vts_err read_arguments(const char *const arguments[], struct vts_config *ret_config,
                                   struct vts_error *error)
{
    char *argv[ARGUMENTS_MAX + 1];
    int argc = 0;

    argv[argc++] = (char *)(uintptr_t) "vtstatusd";
    for (; arguments[argc - 1] != NULL && argc < ARGUMENTS_MAX; argc++)
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1]; /* getopt only moves the pointers */
    argv[argc] = NULL;
    error->text[0] = '\0';
    return vts_config_read(argc, argv, ret_config, error);
}

/* As read_arguments, behind --cert c --key k. */
static enum vts_err read_two(const char *flag, const char *value, struct vts_config *ret_config,
                             struct vts_error *error)
{
    const char *const arguments[] = {"--cert", "c", "--key", "k", flag, value, NULL};

    return read_arguments(arguments, ret_config, error);
}

static void expect_refusal(const char *const arguments[], const char *text)
{
    struct vts_config config;
    struct vts_error error;

    CU_ASSERT_EQUAL(read_arguments(arguments, &config, &error), VTS_ERR_INVALID);
    if (strstr(error.text, text) == NULL)
        fprintf(stderr, "\"%s\" does not hold \"%s\"\n", error.text, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, text));
}

static void arguments_of_certificate_alone_leave_the_defaults(void)
{
    static const char *const arguments[] = {"--cert", "c.pem", "--key", "k.pem", NULL};
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    CU_ASSERT_EQUAL_FATAL(read_arguments(arguments, &config, &error), VTS_OK);
    CU_ASSERT_STRING_EQUAL(config.tls.cert, "c.pem");
    CU_ASSERT_STRING_EQUAL(config.tls.key, "k.pem");
    CU_ASSERT_PTR_NULL(config.tls.client_ca);
    CU_ASSERT_EQUAL(vts_address_port(&config.listen), 5000);
    CU_ASSERT_EQUAL(config.listen.of.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CU_ASSERT_FALSE(config.has_simulation);
    CU_ASSERT(config.has_reflection);
    CU_ASSERT_STRING_EQUAL(config.allow_origin, "reads");
    CU_ASSERT(config.threads >= 1 && config.threads <= VTS_THREADS_MAX);
    CU_ASSERT_EQUAL(config.log_level, VTS_LOG_INFO);
    CU_ASSERT_EQUAL(config.log_format, VTS_LOG_TEXT);
    CU_ASSERT_FALSE(config.wants_help || config.wants_version);
}

static void every_flag_takes_effect(void)
{
    static const char *const arguments[] = {"--cert=c",
                                            "--key=k",
                                            "--client-ca=ca",
                                            "--listen=[::1]:0",
                                            "--threads=3",
                                            "--store=memory",
                                            "--simulate=delay=5s,seed=9",
                                            "--limit=streams=7,bodies=2",
                                            "--allow-origin=https://a.example, http://b:1",
                                            "--no-reflection",
                                            "--log-level=debug",
                                            "--log-format=json",
                                            NULL};
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    /* All but --insecure-listen, which does not go with --client-ca. */
    CU_ASSERT_EQUAL(VTS_ARRAY_LEN(arguments) - 1, VTS_ARRAY_LEN(option_rows) - 1);
    CU_ASSERT_EQUAL_FATAL(read_arguments(arguments, &config, &error), VTS_OK);
    CU_ASSERT_STRING_EQUAL(config.tls.client_ca, "ca");
    CU_ASSERT_EQUAL(config.listen.of.any.sa_family, AF_INET6);
    CU_ASSERT_EQUAL(vts_address_port(&config.listen), 0);
    CU_ASSERT_EQUAL(config.threads, 3);
    CU_ASSERT(config.has_simulation);
    CU_ASSERT_EQUAL(config.simulation.delay.ns, INT64_C(5) * VTS_NS_PER_S);
    CU_ASSERT_EQUAL(config.simulation.seed, 9);
    CU_ASSERT_EQUAL(vts_limits_get(&config.limits, VTS_LIMIT_STREAMS), 7);
    CU_ASSERT_EQUAL(vts_limits_get(&config.limits, VTS_LIMIT_BODIES), 2);
    CU_ASSERT_STRING_EQUAL(config.allow_origin, "https://a.example, http://b:1");
    CU_ASSERT_FALSE(config.has_reflection);
    CU_ASSERT_EQUAL(config.log_level, VTS_LOG_DEBUG);
    CU_ASSERT_EQUAL(config.log_format, VTS_LOG_JSON);
}

static void origins_are_all_none_or_listed(void)
{
    static const char *const none[] = {"--cert=c", "--key=k", "--allow-origin=none", NULL};
    static const char *const wrong[] = {
        "--allow-origin=https://a,b",        "--allow-origin=https://a.example/",
        "--allow-origin=https://",           "--allow-origin=https://A.example",
        "--allow-origin=HTTPS://a.example",  "--allow-origin=https://a.example/page",
        "--allow-origin=https://a.example?", "--allow-origin=ftp://a.example",
        "--allow-origin=reads,none",
    };
    static const char *const good[] = {"--allow-origin=*", "--allow-origin=reads",
                                       "--allow-origin=reads, https://a.example"};
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    CU_ASSERT_EQUAL(read_arguments(none, &config, &error), VTS_OK);
    CU_ASSERT_PTR_NULL(config.allow_origin);
    for (size_t i = 0; i < VTS_ARRAY_LEN(good); i++) {
        const char *const arguments[] = {"--cert=c", "--key=k", good[i], NULL};

        CU_ASSERT_EQUAL(read_arguments(arguments, &config, &error), VTS_OK);
        CU_ASSERT_STRING_EQUAL(config.allow_origin, good[i] + strlen("--allow-origin="));
    }
    for (size_t i = 0; i < VTS_ARRAY_LEN(wrong); i++) {
        const char *const arguments[] = {"--cert=c", "--key=k", wrong[i], NULL};

        expect_refusal(arguments, "--allow-origin");
    }
}

static void environment_stands_in_for_flags(void)
{
    static const char *const none[] = {NULL};
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    set_variable("VTSTATUSD_CERT", "env-cert");
    set_variable("VTSTATUSD_KEY", "env-key");
    set_variable("VTSTATUSD_CLIENT_CA", "env-ca");
    set_variable("VTSTATUSD_LISTEN", "127.0.0.1:1234");
    set_variable("VTSTATUSD_THREADS", "2");
    set_variable("VTSTATUSD_SIMULATE", "seed=4");
    set_variable("VTSTATUSD_LIMIT", "streams=9");
    set_variable("VTSTATUSD_ALLOW_ORIGIN", "https://a.example");
    set_variable("VTSTATUSD_NO_REFLECTION", "1");
    set_variable("VTSTATUSD_LOG_LEVEL", "warn");
    set_variable("VTSTATUSD_LOG_FORMAT", "json");
    CU_ASSERT_EQUAL_FATAL(read_arguments(none, &config, &error), VTS_OK);
    CU_ASSERT_STRING_EQUAL(config.tls.cert, "env-cert");
    CU_ASSERT_STRING_EQUAL(config.tls.key, "env-key");
    CU_ASSERT_STRING_EQUAL(config.tls.client_ca, "env-ca");
    CU_ASSERT_EQUAL(vts_address_port(&config.listen), 1234);
    CU_ASSERT_EQUAL(config.threads, 2);
    CU_ASSERT_EQUAL(config.simulation.seed, 4);
    CU_ASSERT_STRING_EQUAL(config.allow_origin, "https://a.example");
    CU_ASSERT_FALSE(config.has_reflection);
    CU_ASSERT_EQUAL(vts_limits_get(&config.limits, VTS_LIMIT_STREAMS), 9);
    CU_ASSERT_EQUAL(config.log_level, VTS_LOG_WARN);
    CU_ASSERT_EQUAL(config.log_format, VTS_LOG_JSON);
    forget_environment();
}

static void flag_wins_over_the_environment(void)
{
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    set_variable("VTSTATUSD_THREADS", "2");
    CU_ASSERT_EQUAL_FATAL(read_two("--threads", "5", &config, &error), VTS_OK);
    CU_ASSERT_EQUAL(config.threads, 5);
    set_variable("VTSTATUSD_THREADS", "nonsense");
    CU_ASSERT_EQUAL(read_two("--threads", "5", &config, &error), VTS_OK);
    CU_ASSERT_EQUAL(read_two("--store", "memory", &config, &error), VTS_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(error.text, "VTSTATUSD_THREADS \"nonsense\" is no number from 1 to 256");
    set_variable("VTSTATUSD_THREADS", "");
    set_variable("VTSTATUSD_LIMIT", "x");
    CU_ASSERT_EQUAL(read_two("--store", "memory", &config, &error), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(strncmp(error.text, "VTSTATUSD_LIMIT: ", 17), 0);
    CU_ASSERT_EQUAL(read_two("--limit", "x", &config, &error), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(strncmp(error.text, "--limit: ", 9), 0);
    forget_environment();
}

static void variable_of_a_flag_without_value_is_1_or_0(void)
{
    static const struct {
        const char *value;
        enum vts_err err;
        bool has_reflection;
    } rows[] = {
        {"1", VTS_OK, false},
        {"0", VTS_OK, true},
        {"yes", VTS_ERR_INVALID, false},
        {"10", VTS_ERR_INVALID, false},
        {"01", VTS_ERR_INVALID, false},
    };
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        set_variable("VTSTATUSD_NO_REFLECTION", rows[i].value);
        CU_ASSERT_EQUAL(read_two("--threads", "1", &config, &error), rows[i].err);
        CU_ASSERT_EQUAL(config.has_reflection, rows[i].has_reflection);
    }
    CU_ASSERT_STRING_EQUAL(error.text, "VTSTATUSD_NO_REFLECTION \"01\" is neither 0 nor 1");
    set_variable("VTSTATUSD_NO_REFLECTION", "0");
    CU_ASSERT_EQUAL(read_two("--threads=1", "--no-reflection", &config, &error), VTS_OK);
    CU_ASSERT_FALSE(config.has_reflection);
    forget_environment();
}

static void flag_given_twice_counts_the_last_time(void)
{
    static const char *const arguments[] = {"--cert", "c",         "--key", "k", "--threads",
                                            "2",      "--threads", "4",     NULL};
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    CU_ASSERT_EQUAL_FATAL(read_arguments(arguments, &config, &error), VTS_OK);
    CU_ASSERT_EQUAL(config.threads, 4);
}

static void empty_variable_counts_as_unset(void)
{
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    for (size_t i = 0; i < VTS_ARRAY_LEN(option_rows); i++)
        set_variable(option_rows[i].variable, "");
    CU_ASSERT_EQUAL_FATAL(read_two("--threads", "1", &config, &error), VTS_OK);
    CU_ASSERT_PTR_NULL(config.tls.client_ca);
    CU_ASSERT_FALSE(config.has_simulation);
    CU_ASSERT_EQUAL(vts_address_port(&config.listen), 5000);
    forget_environment();
}

static void missing_certificate_or_key_is_refused_with_advice(void)
{
    static const char *const neither[] = {NULL};
    static const char *const cert_only[] = {"--cert", "c", NULL};
    static const char *const key_only[] = {"--key", "k", NULL};

    forget_environment();
    expect_refusal(neither, "make-dev-certs.sh");
    expect_refusal(cert_only, "--key FILE");
    expect_refusal(key_only, "--cert FILE");
}

static void unknown_argument_is_refused_by_name(void)
{
    static const char *const option[] = {"--bogus", NULL};
    static const char *const with_value[] = {"--bogus=3", NULL};
    static const char *const letter[] = {"-x", NULL};
    static const char *const letters[] = {"--cert", "c", "-xy", NULL};
    static const char *const word[] = {"--cert", "c", "start", NULL};
    static const char *const empty[] = {"", NULL};
    static const char *const ambiguous[] = {"--log", NULL};
    static const char *const surplus[] = {"--help=yes", NULL};
    static const char *const surplus_too[] = {"--no-reflection=1", NULL};

    forget_environment();
    expect_refusal(option, "there is no option --bogus");
    expect_refusal(with_value, "there is no option --bogus=3");
    expect_refusal(letter, "there is no option -x");
    expect_refusal(letters, "there is no option -x");
    expect_refusal(word, "\"start\" is no option");
    expect_refusal(empty, "\"\" is no option");
    expect_refusal(ambiguous, "there is no option --log");
    expect_refusal(surplus, "--help=yes");
    expect_refusal(surplus_too, "--no-reflection=1");
}

static void option_without_its_value_is_refused_by_name(void)
{
    forget_environment();
    for (size_t i = 0; i < VTS_ARRAY_LEN(option_rows); i++) {
        const char *const arguments[] = {option_rows[i].flag, NULL};
        char expected[64];

        if (option_rows[i].argument == NULL)
            continue;
        (void)snprintf(expected, sizeof(expected), "%s needs a value", option_rows[i].flag);
        expect_refusal(arguments, expected);
    }
}

static void bad_value_is_refused_with_its_form(void)
{
    static const struct {
        const char *flag;
        const char *value;
        const char *text;
    } rows[] = {
        {"--listen", "5000", "\"5000\" is no ADDRESS:PORT"},
        {"--listen", "127.0.0.1:65536", "is no ADDRESS:PORT"},
        {"--insecure-listen", "5000", "\"5000\" is no ADDRESS:PORT"},
        {"--insecure-listen", "0.0.0.0:5000", "--insecure-listen: \"0.0.0.0:5000\" may be reached"},
        {"--threads", "0", "--threads \"0\" is no number from 1 to 256"},
        {"--threads", "257", "--threads \"257\""},
        {"--threads", "two", "--threads \"two\""},
        {"--threads", "-1", "--threads \"-1\""},
        {"--threads", "", "--threads \"\""},
        {"--store", "paper", "--store \"paper\" is neither memory nor sqlite:PATH"},
        {"--simulate", "delay=x", "\"delay=x\""},
        {"--limit", "streams", "\"streams\" is not NAME=NUMBER"},
        {"--limit", "wishes=3", "no limit named \"wishes\""},
        {"--log-level", "loud", "--log-level \"loud\" is none of debug, info, warn, error"},
        {"--log-level", "INFO", "--log-level \"INFO\""},
        {"--log-format", "xml", "--log-format \"xml\" is neither json nor text"},
    };

    forget_environment();
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        const char *const arguments[] = {"--cert",     "c",           "--key", "k",
                                         rows[i].flag, rows[i].value, NULL};

        expect_refusal(arguments, rows[i].text);
    }
}

static void insecure_listen_is_off_until_it_is_asked_for(void)
{
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    CU_ASSERT_EQUAL(read_two("--threads", "1", &config, &error), VTS_OK);
    CU_ASSERT_FALSE(config.has_insecure_listen);
    CU_ASSERT_EQUAL(read_two("--insecure-listen", "127.0.0.1:5001", &config, &error), VTS_OK);
    CU_ASSERT(config.has_insecure_listen);
    CU_ASSERT_EQUAL(vts_address_port(&config.insecure_listen), 5001);
    CU_ASSERT_EQUAL(vts_address_port(&config.listen), 5000);
    set_variable("VTSTATUSD_INSECURE_LISTEN", "[::1]:5002");
    CU_ASSERT_EQUAL(read_two("--threads", "1", &config, &error), VTS_OK);
    CU_ASSERT(config.has_insecure_listen);
    CU_ASSERT_EQUAL(vts_address_port(&config.insecure_listen), 5002);
    forget_environment();
}

static void insecure_listen_and_client_ca_are_refused_together(void)
{
    static const char *const arguments[] = {
        "--cert", "c", "--key", "k", "--client-ca", "ca", "--insecure-listen", "127.0.0.1:1", NULL};

    forget_environment();
    expect_refusal(arguments, "--insecure-listen cannot go with --client-ca");
}

static void help_and_version_need_nothing_else(void)
{
    static const char *const long_help[] = {"--help", NULL};
    static const char *const short_help[] = {"-h", "--threads", "nonsense", NULL};
    static const char *const version[] = {"--version", NULL};
    static const char *const descriptor_set[] = {"--descriptor-set", NULL};
    struct vts_config config;
    struct vts_error error;

    forget_environment();
    CU_ASSERT_EQUAL(read_arguments(descriptor_set, &config, &error), VTS_OK);
    CU_ASSERT(config.wants_descriptor_set && !config.wants_help);
    CU_ASSERT_EQUAL(read_arguments(long_help, &config, &error), VTS_OK);
    CU_ASSERT(config.wants_help && !config.wants_version);
    CU_ASSERT_EQUAL(read_arguments(short_help, &config, &error), VTS_OK);
    CU_ASSERT(config.wants_help && !config.wants_version);
    CU_ASSERT_EQUAL(read_arguments(version, &config, &error), VTS_OK);
    CU_ASSERT(config.wants_version && !config.wants_help);
}

static void help_text_names_every_option_and_default(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, HELP_MAX_BYTES);
    vts_config_write_help(&buf);
    vts_buf_append(&buf, "", 1);
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(&buf), VTS_OK);
    for (size_t i = 0; i < VTS_ARRAY_LEN(option_rows); i++) {
        const char *argument = option_rows[i].argument;
        char expected[128];

        (void)snprintf(expected, sizeof(expected), "  %s%s%s\n", option_rows[i].flag,
                       argument == NULL ? "" : " ", argument == NULL ? "" : argument);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf.ptr, expected));
        if (option_rows[i].value == NULL)
            continue;
        (void)snprintf(expected, sizeof(expected), "default: %s\n", option_rows[i].value);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf.ptr, expected));
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(buf.ptr, "--help"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf.ptr, "--version"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf.ptr, "--descriptor-set"));
    vts_buf_fini(&buf);
}

static const struct vts_test tests[] = {
    {"arguments_of_certificate_alone_leave_the_defaults",
     arguments_of_certificate_alone_leave_the_defaults},
    {"every_flag_takes_effect", every_flag_takes_effect},
    {"origins_are_all_none_or_listed", origins_are_all_none_or_listed},
    {"environment_stands_in_for_flags", environment_stands_in_for_flags},
    {"flag_wins_over_the_environment", flag_wins_over_the_environment},
    {"variable_of_a_flag_without_value_is_1_or_0", variable_of_a_flag_without_value_is_1_or_0},
    {"flag_given_twice_counts_the_last_time", flag_given_twice_counts_the_last_time},
    {"empty_variable_counts_as_unset", empty_variable_counts_as_unset},
    {"missing_certificate_or_key_is_refused_with_advice",
     missing_certificate_or_key_is_refused_with_advice},
    {"unknown_argument_is_refused_by_name", unknown_argument_is_refused_by_name},
    {"option_without_its_value_is_refused_by_name", option_without_its_value_is_refused_by_name},
    {"bad_value_is_refused_with_its_form", bad_value_is_refused_with_its_form},
    {"insecure_listen_is_off_until_it_is_asked_for", insecure_listen_is_off_until_it_is_asked_for},
    {"insecure_listen_and_client_ca_are_refused_together",
     insecure_listen_and_client_ca_are_refused_together},
    {"help_and_version_need_nothing_else", help_and_version_need_nothing_else},
    {"help_text_names_every_option_and_default", help_text_names_every_option_and_default},
};

int main(void)
{
    return vts_test_run("test_config", tests, VTS_ARRAY_LEN(tests));
}
