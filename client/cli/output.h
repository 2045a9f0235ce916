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

/* What a job in VTS_STATE_PENDING waits for: "not started yet", or which attempt was in vain. */
void vts_cli_output_format_waiting(const struct vts_status *status, char *text, size_t size);
/* 0 to 100 of the attempt under way; a job that waits for another has lost what the last one did.
 */
double vts_cli_output_percent(const struct vts_status *status);

/* "default: pending, 42 %, transcribe (2 of 6)", and a line end. */
void vts_cli_output_line(FILE *file, const struct vts_status *status, bool has_colors);
/* All that is known, a line each. */
void vts_cli_output_details(FILE *file, const struct vts_status *status, bool has_colors);
/* The status as one line of JSON. False without memory for it. */
bool vts_cli_output_json(FILE *file, const struct vts_status *status);

/* One row of details, of a name and a value; none when there is nothing to tell: an empty text,
 * the time 0, a number that is not positive. A text's further lines stand below its first. */
void vts_cli_output_text_row(FILE *file, const char *name, const char *text);
void vts_cli_output_time_row(FILE *file, const char *name, int64_t ns);
void vts_cli_output_number_row(FILE *file, const char *name, int number);

enum { VTS_CLI_TIME_BYTES = 64 };

/* In the time of this place, such as "2026-11-26 12:13:22 +0100"; "" for 0. */
void vts_cli_output_format_time(int64_t ns, char text[VTS_CLI_TIME_BYTES]);

/* "vtstatus: text" on stderr. */
void vts_cli_output_error(const char *text);

#endif
