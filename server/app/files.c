/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - mistakes in paths, told apart from everything else that keeps a server from starting.
 */
#include "server/app/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char store_prefix[] = "sqlite:";

/* path may be NULL. It may be a pipe, as shells make of <(COMMAND). */
static enum vts_err check_readable(const char *what, const char *path, struct vts_error *error)
{
    struct stat about;

    if (path == NULL)
        return VTS_OK;
    if (stat(path, &about) != 0 || access(path, R_OK) != 0)
        return vts_error_set(error, VTS_ERR_INVALID, "cannot read the %s %s: %s", what, path,
                             strerror(errno));
    if (S_ISDIR(about.st_mode))
        return vts_error_set(error, VTS_ERR_INVALID, "cannot read the %s %s: it is a folder", what,
                             path);
    return VTS_OK;
}

/* The store makes its file, and others beside it, but no folder. */
static enum vts_err check_store(const char *store, struct vts_error *error)
{
    const char *path = store + sizeof(store_prefix) - 1;
    char folder[PATH_MAX];
    const char *end;
    struct stat about;

    if (!vts_str_starts_with(vts_str_of(store), store_prefix))
        return VTS_OK;
    end = strrchr(path, '/');
    if (end == NULL)
        return VTS_OK; /* where we are */
    if (end - path >= PATH_MAX)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "the path of the store is longer than %d bytes", PATH_MAX);
    (void)snprintf(folder, sizeof(folder), "%.*s", end == path ? 1 : (int)(end - path), path);
    if (stat(folder, &about) != 0)
        return vts_error_set(error, VTS_ERR_INVALID, "cannot keep jobs in %s: %s: %s", path, folder,
                             strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return vts_error_set(error, VTS_ERR_INVALID, "cannot keep jobs in %s: %s is no folder",
                             path, folder);
    return VTS_OK;
}

enum vts_err vts_files_check(const struct vts_config *config, struct vts_error *error)
{
    enum vts_err err = check_readable("certificate", config->tls.cert, error);

    if (err == VTS_OK)
        err = check_readable("certificate's key", config->tls.key, error);
    if (err == VTS_OK)
        err = check_readable("client CA", config->tls.client_ca, error);
    return err == VTS_OK ? check_store(config->store, error) : err;
}
