/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each does its work, prints, and returns the exit status. */
#ifndef VTS_CLI_COMMANDS_H
#define VTS_CLI_COMMANDS_H

#include "client/cli/options.h"

int vts_cli_get(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_poll(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_watch(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_submit(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_list(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_show(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_cancel(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_retry(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_delete(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_work(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_health(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_call(struct vts_client *client, const struct vts_cli_options *options);
int vts_cli_services(struct vts_client *client, const struct vts_cli_options *options);

#endif
