/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - vtstatusd: parse, run, exit code. */
#include <stdio.h>
#include <unistd.h>

#include "descriptor_set.h"
#include "server/app/app.h"
#include "server/app/files.h"

enum { EXIT_STOPPED = 0, EXIT_CANNOT_START = 1, EXIT_USAGE = 2, HELP_MAX_BYTES = 16 * 1024 };

static int fail(int code, const struct vts_error *error)
{
    fprintf(stderr, "vtstatusd: %s\n", error->text);
    return code;
}

static int print(const char *text, size_t len)
{
    return write(STDOUT_FILENO, text, len) == (ssize_t)len ? 0 : EXIT_CANNOT_START;
}

int main(int argc, char **argv)
{
    static struct vts_config config;
    struct vts_error error = {.text = ""};
    struct vts_buf help;

    if (vts_config_read(argc, argv, &config, &error) != VTS_OK)
        return fail(EXIT_USAGE, &error);
    if (config.wants_version)
        return print("vtstatusd " VTS_VERSION "\n", sizeof("vtstatusd " VTS_VERSION "\n") - 1);
    if (config.wants_descriptor_set)
        return print((const char *)vts_descriptor_set, vts_descriptor_set_len);
    if (config.wants_help) {
        int code;

        vts_buf_init(&help, HELP_MAX_BYTES);
        vts_config_write_help(&help);
        code = print(help.ptr, help.len);
        vts_buf_fini(&help);
        return code;
    }
    if (vts_files_check(&config, &error) != VTS_OK)
        return fail(EXIT_USAGE, &error);
    vts_log_setup(config.log_level, config.log_format);
    if (vts_app_run(&config, &error) != VTS_OK)
        return fail(EXIT_CANNOT_START, &error);
    return EXIT_STOPPED;
}
