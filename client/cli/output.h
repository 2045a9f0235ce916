/* SPDX-License-Identifier: Apache-2.0 */
/* A status as people and as programs read it. */
#ifndef VTS_CLI_OUTPUT_H
#define VTS_CLI_OUTPUT_H

#include <stdio.h>

#include <vtstatus/client.h>

/* The seven-bit escape that starts the colour of the status, and the one that ends it; "" without
 * colours. */
const char *vts_cli_output_color(const struct vts_status *status, bool has_colors);
const char *vts_cli_output_plain(bool has_colors);

/* "default: pending, 42 %, transcribe (2 of 6)", and a line end. */
void vts_cli_output_line(FILE *file, const struct vts_status *status, bool has_colors);
/* All that is known, a line each. */
void vts_cli_output_details(FILE *file, const struct vts_status *status, bool has_colors);
/* The status as one line of JSON. False without memory for it. */
bool vts_cli_output_json(FILE *file, const struct vts_status *status);

/* "vtstatus: text" on stderr. */
void vts_cli_output_error(const char *text);

#endif
