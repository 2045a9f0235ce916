/* SPDX-License-Identifier: Apache-2.0 */
/* The file of options: long flags, one a line, as `url = https://vt.example.com`. */
#ifndef VTS_CLI_CONFIG_H
#define VTS_CLI_CONFIG_H

#include "client/cli/flags.h"

/* Reads options->config_file, or the usual one if it is there, and sets what was not given
 * otherwise. False with a line in fault, which names the file and its line. */
bool vts_cli_config_read(struct vts_cli_options *options, const struct vts_cli_fault *fault);

#endif
