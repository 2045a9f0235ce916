/* SPDX-License-Identifier: Apache-2.0 */
/* streams.c - the first error of stdout counts, whoever came upon it. */
#include "client/cli/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "client/cli/exit_code.h"
#include "client/cli/output.h"

/* Of stdout, which is one as well; 0: none. */
static atomic_int first_errno;

void vts_cli_streams_open(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* cannot fail for this signal */
    /* The wrong way round, so that using it fails with EBADF as before. Without /dev/null it stays
     * closed. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

/* What an earlier write met with is forgotten where a later one went well; but a pipe that nobody
 * reads stays one. */
static int forgotten_errno(void)
{
    struct pollfd polled = {.fd = STDOUT_FILENO};

    return poll(&polled, 1, 0) > 0 && (polled.revents & POLLERR) != 0 ? EPIPE : EIO;
}

bool vts_cli_streams_flush(void)
{
    int none = 0;
    int error = fflush(stdout) != 0 ? errno : 0;

    if (error == 0 && ferror(stdout))
        error = forgotten_errno();
    if (error != 0)
        (void)atomic_compare_exchange_strong(&first_errno, &none, error); /* or there was one */
    return error == 0;
}

static const char *reason(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return ": the disk is full";
    case EFBIG:
        return ": the file may not grow further";
    case EBADF:
        return ": it is closed";
    default:
        return "";
    }
}

int vts_cli_streams_finish(int exit_code)
{
    char text[96];
    int error;

    (void)vts_cli_streams_flush(); /* the first error counts, which may be an older one */
    error = atomic_load(&first_errno);
    if (error == 0 || error == EPIPE)
        return exit_code;
    (void)snprintf(text, sizeof(text), "cannot write the output%s", reason(error));
    vts_cli_output_error(text);
    return VTS_CLI_EXIT_USAGE;
}
